//! Keys: making, rotating and using them. What they share with other objects is in [`crate::objects`].

mod create;
mod rotate;
mod usage;

pub(crate) use create::protection;
pub use create::{CreateKey, ImportKey};
pub use usage::{CryptoResult, DecryptRequest, EncryptRequest};

use crate::Error;
use domain::{KeyBody, Version};

/// What a version of a key has beside attributes and tags.
pub(crate) fn key_body(version: &Version) -> Result<&KeyBody, Error> {
    version.body.as_key().ok_or(Error::Broken("a version of a key is something else"))
}
