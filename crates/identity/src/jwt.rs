//! JSON Web Tokens in the one form the issuer writes: compact, ES256 (RFC 7519, RFC 7515 §7.1, RFC 7518 §3.4).
//!
//! Pure: keys are functions here. Reading is strict, and nothing of a token is looked at before its signature holds,
//! save the header that names the key.

use crate::TokenError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Guid, UnixTime};
use serde::{Deserialize, Serialize};

/// Longer than any token of ours, groups included; HTTP servers refuse longer headers anyway.
const LONGEST_TOKEN: usize = 16 * 1024;
const ALGORITHM: &str = "ES256";
const SIGNATURE_BYTES: usize = 64;

#[derive(Serialize, Deserialize)]
struct Header {
    typ: String,
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 §4.1.11). We understand none.
    #[serde(default, skip_serializing)]
    crit: Option<serde::de::IgnoredAny>,
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
    let header = Header { typ: "JWT".to_owned(), alg: ALGORITHM.to_owned(), kid: Some(key_id.to_owned()), crit: None };
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(broken)?);
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(payload).map_err(broken)?);
    let message = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes())?);
    Ok(format!("{message}.{signature}"))
}

/// The claims of a token that `verify` finds signed by the key of this id.
///
/// A well-formed token of another algorithm or key is [`TokenError::UnknownKey`]: a client may carry one from another
/// issuer, and gets a new one when told so. `none` and HMACs are among those other algorithms: the algorithm is ours,
/// never the token's choice (RFC 8725 §3.1).
pub(crate) fn open(
    token: &str,
    key_id: &str,
    verify: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Result<Payload, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| TokenError::Malformed)?;
    if header.crit.is_some() || !header.typ.eq_ignore_ascii_case("JWT") {
        return Err(TokenError::Malformed);
    }
    if header.alg != ALGORITHM || header.kid.as_deref() != Some(key_id) {
        return Err(TokenError::UnknownKey);
    }
    // A fourth part would put a dot here, which is not base64url.
    let payload = decoded(payload)?;
    let signature = decoded(signature)?;
    if signature.len() != SIGNATURE_BYTES {
        return Err(TokenError::Malformed);
    }
    if !verify(message.as_bytes(), &signature) {
        return Err(TokenError::UnknownKey);
    }
    serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}
