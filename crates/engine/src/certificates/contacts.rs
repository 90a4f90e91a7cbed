//! Whom a vault tells about its certificates: one list, set and deleted as a whole.

use crate::{Engine, Error, OpenContainer};
use domain::{CertificateRefusal, Contacts, Operation, access::Caller};

const PATH: &str = "/certificates/contacts";

impl Engine {
    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`CertificateRefusal::ContactsNotFound`].
    pub fn get_contacts(&self, caller: &Caller, target: &OpenContainer) -> Result<Contacts, Error> {
        self.authorised(caller, Operation::CertificateContactsGet, target, PATH, |entry| {
            let found = self.store.query(|read| read.contacts(entry.id()))?;
            Ok(found.ok_or(CertificateRefusal::ContactsNotFound)?)
        })
    }

    /// Takes the place of what contacts there were.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`].
    pub fn set_contacts(&self, caller: &Caller, target: &OpenContainer, contacts: &Contacts) -> Result<(), Error> {
        self.change_in(caller, Operation::CertificateContactsSet, target, PATH, |tx, _| {
            self.live_container(tx, target)?;
            Ok(tx.put_contacts(target.id(), contacts)?)
        })
    }

    /// Returns what there was.
    ///
    /// # Errors
    /// [`domain::Refusal::Forbidden`], [`CertificateRefusal::ContactsNotFound`].
    pub fn delete_contacts(&self, caller: &Caller, target: &OpenContainer) -> Result<Contacts, Error> {
        self.change_in(caller, Operation::CertificateContactsDelete, target, PATH, |tx, _| {
            self.live_container(tx, target)?;
            let found = tx.contacts(target.id())?.ok_or(CertificateRefusal::ContactsNotFound)?;
            tx.remove_contacts(target.id())?;
            Ok(found)
        })
    }
}
