//! Principals and tokens: the embedded issuer, and the validation of what it issued.

use domain::Guid;
use engine::{Engine, Error, IssuerKey};
use std::sync::Arc;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub tenant: Guid,
    pub object_id: Guid,
    pub app_id: Option<Guid>,
    pub groups: Vec<Guid>,
    pub issuer: String,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is malformed")]
    Malformed,
    /// Signed by nobody we know: an old key, or another issuer's.
    #[error("the token's signature is not ours")]
    UnknownKey,
    #[error("the token is for another audience")]
    Audience { found: String },
    #[error("the token is from another issuer")]
    Issuer { found: String },
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
}

pub struct Identity {
    engine: Arc<Engine>,
    key: IssuerKey,
    tenant: Guid,
}

impl Identity {
    /// # Errors
    /// The engine's, if the issuer's key can't be had.
    pub fn new(engine: Arc<Engine>, tenant: Guid) -> Result<Self, Error> {
        let key = engine.issuer_key()?;
        Ok(Self { engine, key, tenant })
    }

    /// # Errors
    /// [`TokenError`].
    pub fn validate(&self, _token: &str, _audiences: &[String]) -> Result<Arc<Claims>, TokenError> {
        let _ = (&self.engine, &self.key, &self.tenant);
        Err(TokenError::Malformed)
    }
}
