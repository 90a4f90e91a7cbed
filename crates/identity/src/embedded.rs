//! The embedded issuer: one key, one tenant, tokens in the shape of Entra's.

use crate::{
    TokenError, documents,
    jwt::{self, Parts},
    tokens::Verified,
};
use domain::Guid;
use engine::{Engine, Error, SystemKey};

pub(crate) struct Embedded {
    pub key: SystemKey,
    pub key_id: String,
    /// The `iss` of its tokens.
    pub issuer: String,
}

impl Embedded {
    pub(crate) fn new(engine: &Engine, tenant: Guid) -> Result<Self, Error> {
        let key = engine.issuer_key()?;
        let key_id = documents::thumbprint(&key.public).ok_or(Error::Broken("issuer-key"))?;
        Ok(Self { key, key_id, issuer: documents::token_issuer(tenant) })
    }

    /// What a token says that this issuer signed for the tenant.
    pub(crate) fn verified(&self, parts: &Parts<'_>, tenant: Guid) -> Result<Verified, TokenError> {
        let holds = |message: &[u8], signature: &[u8]| self.key.verify(message, signature).unwrap_or(false);
        Verified::read(jwt::open(parts, &self.key_id, holds)?, tenant, &self.issuer)
    }
}
