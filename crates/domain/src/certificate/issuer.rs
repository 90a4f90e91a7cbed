//! Issuers: who signs certificates for a vault, by a name of the vault. Source: contract key-vault §3.6, §3.9.
//!
//! What an issuer is asked with (its password) is a secret and is sealed elsewhere: here is only whether it is there. Which
//! providers can be asked is not known here either: an issuer of any provider can be named.

use super::check::{is_email, is_text};
use super::policy::invalid;
use crate::{ContainerId, IssuerName, ObjectName, Refusal, UnixTime, VersionId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    pub name: IssuerName,
    /// What kind of issuer it is: who knows how to ask it.
    pub provider: String,
    pub account_id: Option<String>,
    pub has_password: bool,
    pub organization_id: Option<String>,
    pub administrators: Vec<Administrator>,
    pub enabled: bool,
    pub created: UnixTime,
    pub updated: UnixTime,
}

/// The key and certificate that an issuer of ours signs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateAuthority {
    pub container: ContainerId,
    pub key: ObjectName,
    pub version: VersionId,
    /// In DER: the authority's own certificate.
    #[serde(with = "crate::base64url")]
    pub certificate: Vec<u8>,
}

/// Somebody at the organisation whom the issuer knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administrator {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// What a client says of an issuer. `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuerChanges {
    pub provider: Option<String>,
    pub account_id: Option<String>,
    /// Whether a password came with them.
    pub has_password: bool,
    pub organization_id: Option<String>,
    pub administrators: Option<Vec<Administrator>>,
    pub enabled: Option<bool>,
}

const TEXT_LENGTH: usize = 255;
/// The account of an issuer of ours is the address of its key.
const ACCOUNT_LENGTH: usize = 2048;
const ADMINISTRATORS: usize = 100;

impl Issuer {
    /// The issuer as it is asked for, whole: nothing of `replaced`, which had the name before, stays but when it was made.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn set(
        name: IssuerName,
        asked: IssuerChanges,
        replaced: Option<&Self>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let issuer = Self {
            name,
            provider: asked.provider.ok_or(invalid("provider", "is missing"))?,
            account_id: asked.account_id,
            has_password: asked.has_password,
            organization_id: asked.organization_id,
            administrators: asked.administrators.unwrap_or_default(),
            enabled: asked.enabled.unwrap_or(true),
            created: replaced.map_or(now, |replaced| replaced.created),
            updated: now,
        };
        issuer.check()?;
        Ok(issuer)
    }

    /// The issuer with what is said of it. What is not spoken of stays, the password too.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn change(self, changes: IssuerChanges, now: UnixTime) -> Result<Self, Refusal> {
        let issuer = Self {
            name: self.name,
            provider: changes.provider.unwrap_or(self.provider),
            account_id: changes.account_id.or(self.account_id),
            has_password: changes.has_password || self.has_password,
            organization_id: changes.organization_id.or(self.organization_id),
            administrators: changes.administrators.unwrap_or(self.administrators),
            enabled: changes.enabled.unwrap_or(self.enabled),
            created: self.created,
            updated: now,
        };
        issuer.check()?;
        Ok(issuer)
    }

    fn check(&self) -> Result<(), Refusal> {
        if !is_text(&self.provider, TEXT_LENGTH) {
            return Err(invalid("provider", "must be 1 to 255 characters"));
        }
        if !fits(self.account_id.as_deref(), ACCOUNT_LENGTH) {
            return Err(invalid("account_id", "must be at most 2048 characters"));
        }
        if !fits(self.organization_id.as_deref(), TEXT_LENGTH) {
            return Err(invalid("org_details", "the id must be at most 255 characters"));
        }
        if self.administrators.len() > ADMINISTRATORS {
            return Err(invalid("admin_details", "there are at most 100"));
        }
        self.administrators.iter().try_for_each(Administrator::check)
    }
}

impl Administrator {
    fn check(&self) -> Result<(), Refusal> {
        let texts = [&self.first_name, &self.last_name, &self.phone];
        if texts.into_iter().any(|text| !fits(text.as_deref(), TEXT_LENGTH)) {
            return Err(invalid("admin_details", "names and phones have at most 255 characters"));
        }
        if self.email.as_deref().is_some_and(|email| !email.is_empty() && !is_email(email)) {
            return Err(invalid("admin_details", "email must be an address of e-mail, in ASCII"));
        }
        Ok(())
    }
}

/// Absent and empty are fine: clients send empty strings for what they do not set.
fn fits(text: Option<&str>, most: usize) -> bool {
    text.is_none_or(|text| text.is_empty() || is_text(text, most))
}

#[cfg(test)]
#[path = "issuer_tests.rs"]
mod tests;
