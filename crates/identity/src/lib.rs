//! Principals and tokens: the embedded issuer, and the validation of what it or an external issuer issued.
//!
//! The embedded issuer is shaped like Entra's (contract: az-client §1 C): tokens are JWTs with the claims of Entra's v1
//! access tokens, signed with ES256. An external issuer is any OpenID Connect provider. This crate knows no wire: which
//! form field or header a secret came by is the front's business, how a provider's documents are fetched the server's,
//! and what a caller may do is the domain's.
//!
//! A token is checked in full once, then found again by its text; its expiry, its audience and whether its key is still
//! trusted are checked every time.

mod documents;
mod embedded;
mod external;
#[doc(hidden)]
pub mod fuzz;
mod jwt;
mod standing;
mod tokens;

#[cfg(test)]
mod tests;

pub use documents::{Dialect, Jwk, Jwks, OpenIdConfiguration, openid_configuration};
pub use external::{Algorithm, ClaimNames, Document, Documents, ExternalSettings, News, group_id, subject_id};

use domain::{Guid, Principal, PrincipalKind, UnixTime};
use embedded::Embedded;
use engine::{Clock, Engine, Error, SecretVerdict};
use external::{External, Occasion};
use jwt::{Parts, Payload};
use std::sync::Arc;
use tokens::{Tokens, Verified};

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub tenant: Guid,
    pub object_id: Guid,
    pub app_id: Option<Guid>,
    pub groups: Vec<Guid>,
    pub issuer: Arc<str>,
    /// Of the embedded issuer, whose tokens are for principals of the directory only.
    pub embedded: bool,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is malformed")]
    Malformed,
    /// Not signed by the key that it names, or by none that we know.
    #[error("the token is not signed with a known key")]
    UnknownKey,
    /// An external issuer has no key such as it names, as far as we know: see [`Identity::may_learn_keys`].
    #[error("the token is not signed with a known key")]
    MissingKey,
    /// The keys of its issuer have not been had, or too long ago.
    #[error("the keys of the token's issuer can't be had")]
    NoKeys,
    /// Signed in a way that is not accepted, or that its key is not for.
    #[error("the token's signature algorithm is not accepted")]
    Algorithm,
    #[error("the token is for another audience")]
    Audience { found: String },
    /// What is expected may be several, as a list in words.
    #[error("the token is from another issuer")]
    Issuer { expected: String, found: String },
    #[error("the token is from another tenant")]
    Tenant,
    /// Its time has run out, or it was revoked.
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token's principal was deleted or disabled")]
    Gone,
}

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no such application")]
    UnknownApplication,
    #[error("the application has no service principal")]
    NoServicePrincipal,
    #[error("the application is disabled")]
    Disabled,
    #[error("the client secret is wrong")]
    WrongSecret,
    #[error("the client secret is not valid at this time")]
    SecretOutOfDate,
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

/// Whose tokens are taken.
#[derive(Clone)]
pub struct Trust {
    pub embedded: bool,
    pub external: Option<(ExternalSettings, Arc<dyn Documents>)>,
}

impl Default for Trust {
    /// The embedded issuer's only.
    fn default() -> Self {
        Self { embedded: true, external: None }
    }
}

/// The issuers of one tenant.
pub struct Identity {
    engine: Arc<Engine>,
    embedded: Option<Embedded>,
    external: Option<External>,
    tenant: Guid,
    tokens: Tokens,
    /// Another clock than the engine's.
    clock: Option<Arc<dyn Clock>>,
}

impl Identity {
    /// With the embedded issuer only.
    ///
    /// # Errors
    /// The engine's, if the issuer's key can't be had.
    pub fn new(engine: Arc<Engine>, tenant: Guid) -> Result<Self, Error> {
        Self::trusting(engine, tenant, Trust::default())
    }

    /// # Errors
    /// The engine's, if the embedded issuer is on and its key can't be had.
    pub fn trusting(engine: Arc<Engine>, tenant: Guid, trust: Trust) -> Result<Self, Error> {
        let embedded = trust.embedded.then(|| Embedded::new(&engine, tenant)).transpose()?;
        let external = trust.external.map(|(settings, documents)| External::new(settings, documents));
        Ok(Self { engine, embedded, external, tenant, tokens: Tokens::default(), clock: None })
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
        let principal = self.registered(app_id)?;
        match self.engine.check_client_secret(&principal, secret) {
            SecretVerdict::Unknown => Err(ClientError::WrongSecret),
            SecretVerdict::OutOfDate => Err(ClientError::SecretOutOfDate),
            SecretVerdict::Valid => able(principal),
        }
    }

    /// The principal of an application that somebody else vouches for.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn application(&self, app_id: Guid) -> Result<Principal, ClientError> {
        able(self.registered(app_id)?)
    }

    fn registered(&self, app_id: Guid) -> Result<Principal, ClientError> {
        self.engine.principal_by_app(app_id).map_err(|error| match error {
            Error::Refused(_) => ClientError::UnknownApplication,
            other => ClientError::Engine(other),
        })
    }

    /// Whether the embedded issuer is on. If not, tokens come from the external one only.
    #[must_use]
    pub fn issues_tokens(&self) -> bool {
        self.embedded.is_some()
    }

    /// Issues a token for a principal that has been authenticated.
    ///
    /// # Errors
    /// The engine's, if the key can't sign; [`Error::Broken`] if the embedded issuer is off.
    pub fn issue(&self, grant: &Grant<'_>) -> Result<Issued, Error> {
        let embedded = self.embedded.as_ref().ok_or(Error::Broken("the embedded issuer is off"))?;
        let now = self.now();
        let issued = self.tokens.issue_time(grant.principal.object_id, now);
        let expires = now.plus_seconds(Issued::LIFETIME_SECONDS);
        let payload = self.payload(embedded, grant, issued, expires);
        let token = jwt::signed(&embedded.key_id, &payload, |message| embedded.key.sign(message))?;
        Ok(Issued { token, issued, expires })
    }

    fn payload(&self, embedded: &Embedded, grant: &Grant<'_>, issued: UnixTime, expires: UnixTime) -> Payload {
        let acr = match grant.proof {
            Proof::ClientSecret => "1",
            Proof::Platform => "2",
        };
        Payload {
            aud: grant.audience.to_owned(),
            iss: embedded.issuer.clone(),
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

    /// What a token says, if an issuer that we trust signed it, it is in time, and meant for one of these audiences
    /// (written without a slash at their end). Whether its principal is still there is asked apart, with
    /// [`Claims::groups_in`].
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn validate(&self, token: &[u8], audiences: &[String]) -> Result<Arc<Claims>, TokenError> {
        let now = self.now();
        if let Some(worth) = self.tokens.worth(token, audiences, now) {
            return worth;
        }
        let text = str::from_utf8(token).map_err(|_| TokenError::Malformed)?;
        let verified = Arc::new(self.verified(&Parts::read(text)?, now)?);
        verified.check(audiences, now)?;
        let claims = self.tokens.unless_revoked(&verified)?;
        self.tokens.remember(token, verified, now);
        Ok(claims)
    }

    /// The issuer that a token claims to be from says which key it has to hold under. Only when it does is the claim true.
    fn verified(&self, parts: &Parts<'_>, now: UnixTime) -> Result<Verified, TokenError> {
        let claimed = parts.claimed_issuer()?;
        let embedded = self.embedded.as_ref().filter(|embedded| embedded.issuer == claimed);
        let external = self.external.as_ref().filter(|external| external.issuer() == claimed);
        match (embedded, external) {
            (Some(embedded), None) => embedded.verified(parts, self.tenant),
            // An Entra tenant's own tokens have the name that ours borrow: then the key id tells them apart.
            (Some(embedded), Some(_)) if parts.header.kid.as_deref() == Some(&embedded.key_id) => {
                embedded.verified(parts, self.tenant)
            }
            (_, Some(external)) => external.verified(parts, self.tenant, now),
            (None, None) => Err(TokenError::Issuer { expected: self.issuers(), found: claimed }),
        }
    }

    /// Every issuer whose tokens are taken.
    fn issuers(&self) -> String {
        let embedded = self.embedded.as_ref().map(|embedded| embedded.issuer.as_str());
        let external = self.external.as_ref().map(External::issuer);
        embedded.into_iter().chain(external).collect::<Vec<_>>().join(", ")
    }

    /// Whether [`Identity::validate_learning`] may take a token that was refused for this reason. The external issuer may
    /// have new keys; but it is not asked each time that somebody makes one up.
    #[must_use]
    pub fn may_learn_keys(&self, reason: &TokenError) -> bool {
        matches!(reason, TokenError::MissingKey | TokenError::NoKeys) && self.may_refresh(Occasion::Demand)
    }

    /// Validates a token, having asked the external issuer for its keys if that may help and may be done now. Blocks.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn validate_learning(&self, token: &[u8], audiences: &[String]) -> Result<Arc<Claims>, TokenError> {
        match self.validate(token, audiences) {
            // Not so for those who waited while somebody else asked.
            Err(reason) if self.may_learn_keys(&reason) => {
                self.refresh(Occasion::Demand);
                self.validate(token, audiences)
            }
            known => known,
        }
    }

    /// Whether it is time for a refresh of the external issuer's keys on schedule.
    #[must_use]
    pub fn keys_are_due(&self) -> bool {
        self.may_refresh(Occasion::Schedule)
    }

    fn may_refresh(&self, occasion: Occasion) -> bool {
        self.external.as_ref().is_some_and(|external| external.may_refresh(occasion, self.now()))
    }

    /// Fetches the external issuer's keys if that is due. Blocks.
    ///
    /// Keys that are no longer published are not trusted from then on, and tokens that they signed are forgotten.
    pub fn refresh_keys(&self) {
        self.refresh(Occasion::Schedule);
    }

    fn refresh(&self, occasion: Occasion) {
        let Some(external) = &self.external else { return };
        if external.refresh(occasion, self.now()) {
            self.tokens.forget_withdrawn();
        }
    }

    /// Revokes every token of a principal issued until now. Tokens issued after this call are valid.
    ///
    /// Revocations are kept in memory: after a restart, what is left of the tokens' hour is valid again.
    pub fn forget_tokens_of(&self, object_id: Guid) {
        self.tokens.revoke(object_id, self.now());
    }

    /// The embedded issuer's public key, as a JWK set (RFC 7517 §5); an empty one if it is off.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        let embedded = self.embedded.as_ref();
        embedded.map_or(Jwks { keys: Vec::new() }, |embedded| documents::jwks(&embedded.key.public, &embedded.key_id))
    }
}

/// Refuses an application that can't act, however it proved who it is.
fn able(principal: Principal) -> Result<Principal, ClientError> {
    match principal.kind {
        PrincipalKind::Application => Err(ClientError::NoServicePrincipal),
        _ if !principal.enabled => Err(ClientError::Disabled),
        _ => Ok(principal),
    }
}
