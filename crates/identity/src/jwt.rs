//! JSON Web Tokens in their compact form (RFC 7519, RFC 7515 §7.1): taken apart, and as the embedded issuer writes them,
//! with ES256 (RFC 7518 §3.4).
//!
//! Pure: keys are functions here. Reading is strict, and nothing of a token is believed before its signature holds. Its
//! header and its issuer are looked at before, to find the key that it has to hold under.

use crate::TokenError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Guid, UnixTime};
use serde::{Deserialize, Serialize};

/// Longer than any token of ours, groups included; HTTP servers refuse longer headers anyway.
const LONGEST_TOKEN: usize = 16 * 1024;
const ALGORITHM: &str = "ES256";
const SIGNATURE_BYTES: usize = 64;

#[derive(Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(default)]
    pub typ: Option<String>,
    pub alg: String,
    #[serde(default)]
    pub kid: Option<String>,
    /// Whether there are extensions that must be understood (RFC 7515 §4.1.11). We understand none.
    #[serde(default, skip_serializing, deserialize_with = "is_there")]
    crit: bool,
}

/// Whatever it is, `null` too.
fn is_there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// The claims, in the shape of an Entra v1 access token (Entra's "Access token claims reference").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub aud: String,
    pub iss: String,
    pub iat: UnixTime,
    pub nbf: UnixTime,
    pub exp: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appid: Option<Guid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appidacr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Guid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idtyp: Option<String>,
    pub oid: Guid,
    pub sub: String,
    pub tid: Guid,
    pub uti: String,
    pub ver: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub xms_cc: Vec<String>,
}

/// A token over these claims, signed by `sign`.
pub(crate) fn signed(
    key_id: &str,
    payload: &Payload,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, engine::Error>,
) -> Result<String, engine::Error> {
    let broken = |_| engine::Error::Broken("token");
    let (typ, alg, kid) = (Some("JWT".to_owned()), ALGORITHM.to_owned(), Some(key_id.to_owned()));
    let header = Header { typ, alg, kid, crit: false };
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(broken)?);
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(payload).map_err(broken)?);
    let message = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes())?);
    Ok(format!("{message}.{signature}"))
}

/// A token taken apart. Nothing of it is to be believed.
pub(crate) struct Parts<'token> {
    /// What is signed.
    pub message: &'token str,
    pub header: Header,
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
}

impl<'token> Parts<'token> {
    pub(crate) fn read(token: &'token str) -> Result<Self, TokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| TokenError::Malformed)?;
        if header.crit {
            return Err(TokenError::Malformed);
        }
        // A fourth part would put a dot here, which is not base64url.
        Ok(Self { message, header, payload: decoded(payload)?, signature: decoded(signature)? })
    }

    /// Whom it claims to be from: good for finding a key, and for nothing else.
    pub(crate) fn claimed_issuer(&self) -> Result<String, TokenError> {
        #[derive(Deserialize)]
        struct Claimed {
            iss: String,
        }
        let claimed = serde_json::from_slice(&self.payload).map_err(|_| TokenError::Malformed)?;
        let Claimed { iss } = claimed;
        Ok(iss)
    }
}

/// The claims of a token of the embedded issuer's that `verify` finds signed by the key of this id.
///
/// A well-formed token of another algorithm or key is [`TokenError::UnknownKey`]: a client may carry one that outlived
/// its key, and gets a new one when told so. `none` and HMACs are among those other algorithms: the algorithm is ours,
/// never the token's choice (RFC 8725 §3.1).
pub(crate) fn open(
    parts: &Parts<'_>,
    key_id: &str,
    verify: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Result<Payload, TokenError> {
    let header = &parts.header;
    if !header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) {
        return Err(TokenError::Malformed);
    }
    if header.alg != ALGORITHM || header.kid.as_deref() != Some(key_id) {
        return Err(TokenError::UnknownKey);
    }
    if parts.signature.len() != SIGNATURE_BYTES {
        return Err(TokenError::Malformed);
    }
    if !verify(parts.message.as_bytes(), &parts.signature) {
        return Err(TokenError::UnknownKey);
    }
    serde_json::from_slice(&parts.payload).map_err(|_| TokenError::Malformed)
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}
