//! What a vault has beside its certificates: issuers, contacts.

use super::{
    row::{Outcome, decode, encode, guid_key, limit_of, many, one},
    session::Session,
    slots,
};
use crate::{Fault, StoredIssuer};
use domain::{Contacts, ContainerId, Issuer, IssuerName, PrivateAuthority, Sealed};
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

pub(super) const ISSUER: &str = "SELECT i.record, s.bytes, i.password FROM issuers i
     LEFT JOIN slots s ON s.id = i.password WHERE i.container = ?1 AND i.name = ?2";
pub(super) const ISSUERS: &str = "SELECT record FROM issuers WHERE container = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
const PUT_ISSUER: &str = "INSERT OR REPLACE INTO issuers (container, name, password, record) VALUES (?1, ?2, ?3, ?4)";
const REMOVE_ISSUER: &str = "DELETE FROM issuers WHERE container = ?1 AND name = ?2";
pub(super) const CONTACTS: &str = "SELECT record FROM contacts WHERE container = ?1";
const PUT_CONTACTS: &str = "INSERT OR REPLACE INTO contacts (container, record) VALUES (?1, ?2)";
const REMOVE_CONTACTS: &str = "DELETE FROM contacts WHERE container = ?1";
/// For the removal of a container.
pub(super) const REMOVE_OF_CONTAINER: [&str; 2] = ["DELETE FROM issuers WHERE container = ?1", REMOVE_CONTACTS];

/// The record of an issuer.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    issuer: Cow<'a, Issuer>,
    authority: Option<Cow<'a, PrivateAuthority>>,
}

fn stored_issuer(row: &Row<'_>) -> Outcome<StoredIssuer> {
    let Record { issuer, authority } = decode(row, 0, "issuer")?;
    let password = match (row.get_ref(1)?.as_blob(), row.get::<_, Option<i64>>(2)?) {
        (Ok(slot), Some(_)) => Some(Sealed(slots::content(slot)?)),
        (Err(_), Some(_)) => return Err(Fault::CorruptRecord { what: "slot" }),
        (_, None) => None,
    };
    Ok(StoredIssuer { issuer: issuer.into_owned(), authority: authority.map(Cow::into_owned), password })
}

impl Session<'_> {
    pub(super) fn issuer_of(&self, container: ContainerId, name: &IssuerName) -> Outcome<Option<StoredIssuer>> {
        one(self.connection, ISSUER, (guid_key(container.0), name.folded()), stored_issuer)
    }

    /// Whether there is a password to destroy.
    pub(super) fn has_password(&self, container: ContainerId, name: &IssuerName) -> Outcome<bool> {
        Ok(self.issuer_of(container, name)?.is_some_and(|stored| stored.password.is_some()))
    }

    pub(super) fn issuers_of(&self, container: ContainerId, after: Option<&str>, limit: usize) -> Outcome<Vec<Issuer>> {
        let page = (guid_key(container.0), after.unwrap_or_default(), limit_of(limit));
        many(self.connection, ISSUERS, page, |row| Ok(decode::<Record<'_>>(row, 0, "issuer")?.issuer.into_owned()))
    }

    pub(super) fn contacts_of(&self, container: ContainerId) -> Outcome<Option<Contacts>> {
        one(self.connection, CONTACTS, [guid_key(container.0)], |row| decode(row, 0, "contacts"))
    }

    pub(super) fn write_issuer(&self, container: ContainerId, stored: &StoredIssuer) -> Outcome<()> {
        let (key, name) = (guid_key(container.0), stored.issuer.name.folded());
        slots::erase_of(self.connection, slots::ERASE_OF_ISSUER, (key, &name))?;
        let password = stored.password.as_ref().map(|sealed| slots::store(self.connection, &sealed.0)).transpose()?;
        let authority = stored.authority.as_ref().map(Cow::Borrowed);
        let record = encode(&Record { issuer: Cow::Borrowed(&stored.issuer), authority })?;
        self.execute_one(PUT_ISSUER, (key, name, password, record), "issuer, or its container is not there")
    }

    pub(super) fn drop_issuer(&self, container: ContainerId, name: &IssuerName) -> Outcome<()> {
        let (key, name) = (guid_key(container.0), name.folded());
        slots::erase_of(self.connection, slots::ERASE_OF_ISSUER, (key, &name))?;
        self.execute_one(REMOVE_ISSUER, (key, name), "issuer is not there")
    }

    pub(super) fn write_contacts(&self, container: ContainerId, contacts: &Contacts) -> Outcome<()> {
        let row = (guid_key(container.0), encode(contacts)?);
        self.execute_one(PUT_CONTACTS, row, "contacts, or their container is not there")
    }

    pub(super) fn drop_contacts(&self, container: ContainerId) -> Outcome<()> {
        self.execute_one(REMOVE_CONTACTS, [guid_key(container.0)], "contacts are not there")
    }
}
