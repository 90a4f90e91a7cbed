//! Principals and tokens: the embedded issuer, and the validation of what it issued.
//!
//! The issuer is shaped like Entra's (contract: az-client §1 C): tokens are JWTs with the claims of Entra's v1 access
//! tokens, signed with ES256. This crate knows no wire: which form field or header a secret came by is the front's
//! business, and what a caller may do is the domain's.
//!
//! A token is checked in full once, then found again by its text; its expiry and audience are checked every time.

mod documents;
#[doc(hidden)]
pub mod fuzz;
mod jwt;
mod tokens;

#[cfg(test)]
mod tests;

pub use documents::{Dialect, Jwk, Jwks, OpenIdConfiguration, openid_configuration};

use domain::{Guid, Principal, UnixTime};
use engine::{Clock, Engine, Error, IssuerKey};
use jwt::Payload;
use std::sync::Arc;
use tokens::{Tokens, Verified};

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
    /// Its time has run out, or it was revoked.
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
}

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no such application")]
    UnknownApplication,
    #[error("the client secret is wrong")]
    WrongSecret,
    #[error(transparent)]
    Engine(#[from] Error),
}

/// How an application proved who it is: the claim `appidacr` (Entra's access token claims reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    ClientSecret,
    /// The platform vouches for it, as it does with a certificate for a real managed identity.
    Platform,
}

/// A token to issue.
#[derive(Clone, Debug)]
pub struct Grant<'grant> {
    pub principal: &'grant Principal,
    pub proof: Proof,
    /// Becomes `aud` exactly as it is: clients compare (contract: az-client §1 C, "keep the slash").
    pub audience: &'grant str,
    /// What the client says it can do (claim `xms_cc`): `CP1`, it understands claims challenges.
    pub capabilities: Vec<String>,
}

/// An issued token. Whoever has it is the principal, so it has no `Debug`.
pub struct Issued {
    pub token: String,
    pub issued: UnixTime,
    pub expires: UnixTime,
}

impl Issued {
    /// How long every token is valid.
    pub const LIFETIME_SECONDS: i64 = 3600;
}

/// The embedded issuer of one tenant.
pub struct Identity {
    engine: Arc<Engine>,
    key: IssuerKey,
    key_id: String,
    tenant: Guid,
    issuer: String,
    tokens: Tokens,
    /// Another clock than the engine's.
    clock: Option<Arc<dyn Clock>>,
}

impl Identity {
    /// # Errors
    /// The engine's, if the issuer's key can't be had.
    pub fn new(engine: Arc<Engine>, tenant: Guid) -> Result<Self, Error> {
        let key = engine.issuer_key()?;
        let key_id = documents::thumbprint(&key.public).ok_or(Error::Broken("issuer-key"))?;
        let issuer = documents::token_issuer(tenant);
        Ok(Self { engine, key, key_id, tenant, issuer, tokens: Tokens::default(), clock: None })
    }

    /// Issues and checks tokens by this clock instead of the engine's. A development server's engine may be days ahead of
    /// its clients, which judge the age of their tokens by their own clocks.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The time by which tokens live.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.clock.as_ref().map_or_else(|| self.engine.now(), |clock| clock.now())
    }

    #[must_use]
    pub fn tenant(&self) -> Guid {
        self.tenant
    }

    /// The principal of an application that knows its secret.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn authenticate(&self, app_id: Guid, secret: &str) -> Result<Principal, ClientError> {
        let principal = self.application(app_id)?;
        if self.engine.client_secret_matches(&principal, secret) {
            Ok(principal)
        } else {
            Err(ClientError::WrongSecret)
        }
    }

    /// The principal of an application that somebody else vouches for.
    ///
    /// # Errors
    /// [`ClientError::UnknownApplication`], [`ClientError::Engine`].
    pub fn application(&self, app_id: Guid) -> Result<Principal, ClientError> {
        self.engine.principal_by_app(app_id).map_err(|error| match error {
            Error::Refused(_) => ClientError::UnknownApplication,
            other => ClientError::Engine(other),
        })
    }

    /// Issues a token for a principal that has been authenticated.
    ///
    /// # Errors
    /// The engine's, if the key can't sign.
    pub fn issue(&self, grant: &Grant<'_>) -> Result<Issued, Error> {
        let now = self.now();
        let issued = self.tokens.issue_time(grant.principal.object_id, now);
        let expires = now.plus_seconds(Issued::LIFETIME_SECONDS);
        let payload = self.payload(grant, issued, expires);
        let token = jwt::signed(&self.key_id, &payload, |message| self.key.sign(message))?;
        Ok(Issued { token, issued, expires })
    }

    fn payload(&self, grant: &Grant<'_>, issued: UnixTime, expires: UnixTime) -> Payload {
        let acr = match grant.proof {
            Proof::ClientSecret => "1",
            Proof::Platform => "2",
        };
        Payload {
            aud: grant.audience.to_owned(),
            iss: self.issuer.clone(),
            iat: issued,
            nbf: issued,
            exp: expires,
            appid: grant.principal.app_id,
            appidacr: Some(acr.to_owned()),
            groups: Vec::new(),
            idtyp: Some("app".to_owned()),
            oid: grant.principal.object_id,
            sub: grant.principal.object_id.to_string(),
            tid: self.tenant,
            uti: self.engine.new_guid().to_string(),
            ver: "1.0".to_owned(),
            xms_cc: grant.capabilities.clone(),
        }
    }

    /// What a token says, if it is ours, in time, and meant for one of these audiences (written without a slash at
    /// their end).
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn validate(&self, token: &str, audiences: &[String]) -> Result<Arc<Claims>, TokenError> {
        let now = self.now();
        if let Some(known) = self.tokens.find(token) {
            known.check(audiences, now)?;
            return self.tokens.unless_revoked(&known);
        }
        let payload =
            jwt::open(token, &self.key_id, |message, signature| self.key.verify(message, signature).unwrap_or(false))?;
        let verified = Arc::new(Verified::read(payload, self.tenant, &self.issuer)?);
        verified.check(audiences, now)?;
        let claims = self.tokens.unless_revoked(&verified)?;
        self.tokens.remember(token, verified, now);
        Ok(claims)
    }

    /// Revokes every token of a principal issued until now. Tokens issued after this call are valid.
    ///
    /// Revocations are kept in memory: after a restart, what is left of the tokens' hour is valid again.
    pub fn forget_tokens_of(&self, object_id: Guid) {
        self.tokens.revoke(object_id, self.now());
    }

    /// The issuer's public key, as a JWK set (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        documents::jwks(&self.key.public, &self.key_id)
    }
}
