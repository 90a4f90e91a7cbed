//! Whom a vault tells about its certificates. Source: contract key-vault §3.6, §3.9.

use super::check::{is_email, is_text};
use super::policy::invalid;
use crate::Refusal;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub email: String,
    pub name: Option<String>,
    pub phone: Option<String>,
}

/// All contacts of a vault: set, read and deleted together. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contacts(Vec<Contact>);

impl Contacts {
    /// A limit of ours.
    pub const MOST: usize = 100;

    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn new(contacts: Vec<Contact>) -> Result<Self, Refusal> {
        if !(1..=Self::MOST).contains(&contacts.len()) {
            return Err(invalid("contacts", "must be 1 to 100"));
        }
        for contact in &contacts {
            if !is_email(&contact.email) {
                return Err(invalid("email", "each contact has an address of e-mail, in ASCII"));
            }
            let given = [&contact.name, &contact.phone].into_iter().flatten().filter(|text| !text.is_empty());
            if given.into_iter().any(|text| !is_text(text, 255)) {
                return Err(invalid("contacts", "names and phones have at most 255 characters"));
            }
        }
        Ok(Self(contacts))
    }

    #[must_use]
    pub fn as_slice(&self) -> &[Contact] {
        &self.0
    }
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;
