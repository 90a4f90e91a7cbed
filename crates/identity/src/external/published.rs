//! What a provider publishes: its discovery document (OpenID Connect Discovery 1.0 §4) and its keys (RFC 7517).
//!
//! Documents come from outside. One that is not what it should be is refused as a whole; a single key that can't be used
//! is left out, because providers publish keys for other purposes too.

use super::Algorithm;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Curve, PublicKey};
use engine::VerifyingKey;
use serde::Deserialize;
use serde_json::Value;

/// More keys than any provider has at once; it bounds what is kept and searched.
const MOST_KEYS: usize = 100;

/// A fetched document.
pub struct Document {
    pub body: Vec<u8>,
    /// How long it may be kept, if the answer said so.
    pub max_age_seconds: Option<i64>,
}

/// One published key, fit for use.
pub(crate) struct Key {
    pub id: Option<String>,
    /// The one algorithm it is for, if it says so.
    pub algorithm: Option<Algorithm>,
    pub public: PublicKey,
    pub verifying: VerifyingKey,
}

#[derive(Default)]
pub(crate) struct Keys {
    pub usable: Vec<Key>,
    /// Which keys are not, and why not.
    pub unusable: Vec<String>,
}

/// Where an issuer describes itself (OpenID Connect Discovery 1.0 §4.1).
pub(super) fn discovery_url(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Where the keys are, as the issuer's own description says. A description of another issuer is none (§4.3).
pub(crate) fn jwks_uri(discovery: &[u8], issuer: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: String,
        jwks_uri: String,
    }
    let found: Discovery =
        serde_json::from_slice(discovery).map_err(|error| format!("no discovery document: {error}"))?;
    if found.issuer != issuer {
        return Err(format!("the discovery document is of {}, not of {issuer:?}", quoted(&found.issuer)));
    }
    // Whoever speaks for the issuer may keep the keys elsewhere, but not where anybody on the way can change them.
    if !found.jwks_uri.starts_with("https://") {
        return Err(format!("the keys are not at an https address: {}", quoted(&found.jwks_uri)));
    }
    Ok(found.jwks_uri)
}

/// The keys of a JWK set.
pub(crate) fn keys(document: &[u8]) -> Result<Keys, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Jwk>,
    }
    let set: Set = serde_json::from_slice(document).map_err(|error| format!("no JWK set: {error}"))?;
    if set.keys.len() > MOST_KEYS {
        return Err(format!("{} keys are more than {MOST_KEYS}", set.keys.len()));
    }
    let mut found = Keys::default();
    for (index, jwk) in set.keys.into_iter().enumerate() {
        let name = jwk.kid.as_ref().and_then(Value::as_str).map_or(format!("number {index}"), quoted);
        match jwk.read() {
            Ok(key) => found.usable.push(key),
            Err(why) => found.unusable.push(format!("key {name}: {why}")),
        }
    }
    Ok(found)
}

/// A JWK with the members that matter here, of whatever type: one odd key must not hide the others. A member that is
/// there twice makes the whole set invalid (RFC 7517 §4).
#[derive(Deserialize)]
struct Jwk {
    kty: Option<Value>,
    kid: Option<Value>,
    alg: Option<Value>,
    #[serde(rename = "use")]
    key_use: Option<Value>,
    key_ops: Option<Value>,
    crv: Option<Value>,
    x: Option<Value>,
    y: Option<Value>,
    n: Option<Value>,
    e: Option<Value>,
    // What only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4).
    d: Option<Value>,
    p: Option<Value>,
    q: Option<Value>,
    dp: Option<Value>,
    dq: Option<Value>,
    qi: Option<Value>,
    oth: Option<Value>,
    k: Option<Value>,
}

impl Jwk {
    fn read(&self) -> Result<Key, &'static str> {
        let private = [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.oth, &self.k];
        if private.iter().any(|part| part.is_some()) {
            return Err("its secret part is published");
        }
        self.check_purpose()?;
        let id = text(self.kid.as_ref(), "kid is no text")?.map(str::to_owned);
        let algorithm = match text(self.alg.as_ref(), "alg is no text")? {
            None => None,
            Some(name) => Some(Algorithm::parse(name).ok_or("its algorithm signs no tokens here")?),
        };
        let public = self.public()?;
        if algorithm.is_some_and(|algorithm| !algorithm.fits(&public)) {
            return Err("its algorithm is not one of its family");
        }
        let verifying = VerifyingKey::parse(&public).map_err(|_| "it is no public key, or too small")?;
        Ok(Key { id, algorithm, public, verifying })
    }

    /// RFC 7517 §4.2, §4.3: what does not say what it is for may be for signatures.
    fn check_purpose(&self) -> Result<(), &'static str> {
        if text(self.key_use.as_ref(), "use is no text")?.is_some_and(|key_use| key_use != "sig") {
            return Err("it is not for signatures");
        }
        match &self.key_ops {
            None => Ok(()),
            Some(Value::Array(operations)) if operations.iter().any(|each| each == "verify") => Ok(()),
            Some(_) => Err("it is not for verifying signatures"),
        }
    }

    fn public(&self) -> Result<PublicKey, &'static str> {
        let bytes = |member: &Option<Value>| {
            let text = text(member.as_ref(), "a part of it is no text")?.ok_or("a part of it is missing")?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| "a part of it is no base64url")
        };
        match text(self.kty.as_ref(), "kty is no text")? {
            Some("RSA") => Ok(PublicKey::Rsa { n: bytes(&self.n)?, e: bytes(&self.e)? }),
            Some("EC") => {
                let curve = match text(self.crv.as_ref(), "crv is no text")? {
                    Some("P-256") => Curve::P256,
                    Some("P-384") => Curve::P384,
                    Some("P-521") => Curve::P521,
                    _ => return Err("its curve is not one of P-256, P-384, P-521"),
                };
                Ok(PublicKey::Ec { curve, x: bytes(&self.x)?, y: bytes(&self.y)? })
            }
            _ => Err("its family is neither RSA nor EC"),
        }
    }
}

/// What a document says, fit for a log: short and on one line.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(200).collect::<String>())
}

fn text<'jwk>(member: Option<&'jwk Value>, problem: &'static str) -> Result<Option<&'jwk str>, &'static str> {
    member.map(|value| value.as_str().ok_or(problem)).transpose()
}
