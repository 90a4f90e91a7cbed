//! An external OpenID Connect provider as an issuer (OpenID Connect Discovery 1.0; RFC 7515, 7517, 7518, 7519, 8725).
//!
//! Its keys come from where its discovery document says, are kept for a while, and are asked for again on a schedule and
//! when a token names one that is not known. How documents are fetched is not known here: that is [`Documents`].
//!
//! Invariant: nothing of a token is believed before its signature holds under a key that is trusted now, with an
//! algorithm that the configuration allows and that the key is for.

pub(crate) mod claims;
mod ids;
pub(crate) mod published;
mod ring;

#[cfg(test)]
mod tests;

pub use ids::{group_id, subject_id};
pub use published::Document;
pub(crate) use ring::{Occasion, TrustedKey};

use crate::{TokenError, jwt::Parts, tokens::Verified};
use domain::{Guid, PublicKey, SignatureAlgorithm, UnixTime};
use ring::{Change, KeyRing};
use serde::Deserialize;
use std::sync::Arc;

/// The signature algorithms that tokens may have. All of them are asymmetric: a public key that is taken for an HMAC's
/// secret signs nothing here (RFC 8725 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

impl Algorithm {
    /// Those that an installation takes unless it says otherwise.
    pub const USUAL: [Self; 3] = [Self::Rs256, Self::Ps256, Self::Es256];
    const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
    ];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.signature().as_str() == text)
    }

    fn signature(self) -> SignatureAlgorithm {
        match self {
            Self::Rs256 => SignatureAlgorithm::Rs256,
            Self::Rs384 => SignatureAlgorithm::Rs384,
            Self::Rs512 => SignatureAlgorithm::Rs512,
            Self::Ps256 => SignatureAlgorithm::Ps256,
            Self::Ps384 => SignatureAlgorithm::Ps384,
            Self::Ps512 => SignatureAlgorithm::Ps512,
            Self::Es256 => SignatureAlgorithm::Es256,
            Self::Es384 => SignatureAlgorithm::Es384,
            Self::Es512 => SignatureAlgorithm::Es512,
        }
    }

    /// Whether a key of this family and curve makes such signatures (RFC 7518 §3.1).
    fn fits(self, key: &PublicKey) -> bool {
        match key {
            PublicKey::Rsa { .. } => self.signature().key_type() == domain::KeyType::Rsa,
            PublicKey::Ec { curve, .. } => curve.algorithm() == self.signature(),
            PublicKey::Oct => false,
        }
    }
}

/// In which claims a provider says what. The defaults are Entra's, and what others have in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// `sub` stands in for it where a token does not have it.
    pub object_id: String,
    pub tenant: String,
    /// The first that a token has.
    pub application: Vec<String>,
    pub groups: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            object_id: "oid".to_owned(),
            tenant: "tid".to_owned(),
            application: ["appid", "azp", "client_id"].map(str::to_owned).into(),
            groups: "groups".to_owned(),
        }
    }
}

/// What an installation holds an external issuer's tokens to.
#[derive(Clone, Debug)]
pub struct ExternalSettings {
    /// Exactly as its tokens and its discovery document write it.
    pub issuer: String,
    /// Audiences that are taken everywhere, beside the one of the container or the resource manager.
    pub audiences: Vec<String>,
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be from ours.
    pub clock_skew_seconds: i64,
    pub claims: ClaimNames,
}

/// How a provider's documents are had, and where is told how that went: both are the server's business.
pub trait Documents: Send + Sync {
    /// Fetches a document. Blocks, for a bounded time, and gives a bounded number of bytes.
    ///
    /// # Errors
    /// In words, for the log.
    fn fetch(&self, url: &str) -> Result<Document, String>;

    /// Tells how a refresh of the keys went.
    fn tell(&self, news: &News<'_>);
}

/// How a refresh of an external issuer's keys went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News<'news> {
    Learned {
        keys: usize,
        /// How many of them were not known before.
        new: usize,
        /// How many that were known are no longer trusted.
        withdrawn: usize,
        /// Published keys that are not used, and why.
        unusable: &'news [String],
    },
    /// The keys stay as they are.
    Failed { why: &'news str, usable_until: Option<UnixTime> },
    /// The keys stay as they are, which is too old: no token of the issuer's is taken.
    Blind { why: &'news str },
}

/// One external issuer.
pub(crate) struct External {
    settings: ExternalSettings,
    documents: Arc<dyn Documents>,
    ring: KeyRing,
}

impl External {
    pub(crate) fn new(settings: ExternalSettings, documents: Arc<dyn Documents>) -> Self {
        Self { settings, documents, ring: KeyRing::default() }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// What a token says that this issuer signed for the tenant.
    pub(crate) fn verified(&self, parts: &Parts<'_>, tenant: Guid, now: UnixTime) -> Result<Verified, TokenError> {
        let header = &parts.header;
        if !is_access_token(header.typ.as_deref()) {
            return Err(TokenError::Malformed);
        }
        let algorithm = Algorithm::parse(&header.alg).filter(|each| self.settings.algorithms.contains(each));
        let algorithm = algorithm.ok_or(TokenError::Algorithm)?;
        let key = self.ring.find(header.kid.as_deref(), algorithm, now)?;
        if !key.holds(algorithm, parts.message.as_bytes(), &parts.signature) {
            // A token that names no key may be of one that took the place of the only one we know.
            return Err(if header.kid.is_none() { TokenError::MissingKey } else { TokenError::UnknownKey });
        }
        Ok(Verified { key: Some(key), ..claims::read(&parts.payload, &self.settings, tenant)? })
    }

    pub(crate) fn may_refresh(&self, occasion: Occasion, now: UnixTime) -> bool {
        self.ring.may_refresh(occasion, now)
    }

    /// Fetches the keys anew, if the occasion allows it now. Gives whether keys were withdrawn.
    pub(crate) fn refresh(&self, occasion: Occasion, now: UnixTime) -> bool {
        let Some(fetching) = self.ring.begin(occasion, now) else {
            return false;
        };
        match self.published() {
            Ok((keys, max_age_seconds)) => {
                let unusable = keys.unusable;
                let Change { keys, new, withdrawn } = fetching.succeed(keys.usable, max_age_seconds, now);
                self.documents.tell(&News::Learned { keys, new, withdrawn, unusable: &unusable });
                withdrawn > 0
            }
            Err(why) => {
                let usable_until = fetching.fail();
                let is_over = usable_until.is_none_or(|until| now >= until);
                let why = why.as_str();
                self.documents.tell(&if is_over { News::Blind { why } } else { News::Failed { why, usable_until } });
                false
            }
        }
    }

    fn published(&self) -> Result<(published::Keys, Option<i64>), String> {
        let url = published::discovery_url(&self.settings.issuer);
        let jwks_uri = published::jwks_uri(&self.documents.fetch(&url)?.body, &self.settings.issuer)?;
        let document = self.documents.fetch(&jwks_uri)?;
        let keys = published::keys(&document.body).map_err(|why| format!("{jwks_uri}: {why}"))?;
        Ok((keys, document.max_age_seconds))
    }
}

/// A token made for another purpose says so (RFC 8725 §3.11); one that says nothing, or only that it is a JWT, is taken
/// for an access token, as most of them are (RFC 9068 §2.1).
fn is_access_token(typ: Option<&str>) -> bool {
    let Some(typ) = typ else { return true };
    ["JWT", "at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))
}
