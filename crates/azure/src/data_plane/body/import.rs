//! `KeyImportParameters`: a private key as a JSON Web Key (RFC 7517, RFC 7518 §6).

use super::{
    Encoded, KeyAttributes, Object, checked_tags, curve, key_operations, key_type, parse, required, required_bytes,
};
use crate::data_plane::error::Problem;
use domain::{KeyType, ObjectKind, PrivateJwk, Secret, Tags};
use engine::ImportKey;
use serde::{Deserialize, de::IgnoredAny};

/// Contract: key-vault §3.6. `Hsm` has a capital letter (contract: key-vault §7.11).
#[derive(Deserialize)]
struct KeyImportParameters {
    #[serde(rename = "Hsm", alias = "hsm")]
    hsm: Option<bool>,
    key: Option<Object<JsonWebKey>>,
    attributes: Option<Object<KeyAttributes>>,
    tags: Option<Tags>,
    release_policy: Option<IgnoredAny>,
}

/// Its private members are secrets from the moment they are decoded.
#[derive(Deserialize)]
struct JsonWebKey {
    kty: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<Encoded<Vec<u8>>>,
    e: Option<Encoded<Vec<u8>>>,
    d: Option<Encoded<Secret>>,
    dp: Option<Encoded<Secret>>,
    dq: Option<Encoded<Secret>>,
    qi: Option<Encoded<Secret>>,
    p: Option<Encoded<Secret>>,
    q: Option<Encoded<Secret>>,
    crv: Option<String>,
    x: Option<Encoded<Vec<u8>>>,
    y: Option<Encoded<Vec<u8>>>,
    k: Option<Encoded<Secret>>,
    key_hsm: Option<IgnoredAny>,
}

pub(in crate::data_plane) fn import_key(body: &[u8]) -> Result<ImportKey, Problem> {
    let body: KeyImportParameters = parse(body)?;
    let Object(mut key) = required(body.key, "key")?;
    if key.key_hsm.is_some() {
        return Err(Problem::NotSupported("Import of keys wrapped for the HSM (BYOK)"));
    }
    let (key_type, hsm) = key_type(&required(key.kty.take(), "kty")?)?;
    let key_ops = key_operations(key.key_ops.take())?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    let attributes = attributes.check(body.release_policy)?;
    Ok(ImportKey {
        jwk: private_key(key_type, key)?,
        hsm: hsm || body.hsm.unwrap_or(false),
        key_ops,
        attributes: attributes.into_new()?,
        tags: checked_tags(ObjectKind::Key, body.tags)?.unwrap_or_default(),
    })
}

fn private_key(key_type: KeyType, key: JsonWebKey) -> Result<PrivateJwk, Problem> {
    Ok(match key_type {
        KeyType::Rsa => PrivateJwk::Rsa {
            n: required_bytes(key.n, "n")?,
            e: required_bytes(key.e, "e")?,
            d: required_bytes(key.d, "d")?,
            p: required_bytes(key.p, "p")?,
            q: required_bytes(key.q, "q")?,
            dp: required_bytes(key.dp, "dp")?,
            dq: required_bytes(key.dq, "dq")?,
            qi: required_bytes(key.qi, "qi")?,
        },
        KeyType::Ec => PrivateJwk::Ec {
            curve: curve(&required(key.crv, "crv")?)?,
            x: required_bytes(key.x, "x")?,
            y: required_bytes(key.y, "y")?,
            d: required_bytes(key.d, "d")?,
        },
        KeyType::Oct => PrivateJwk::Oct { k: required_bytes(key.k, "k")? },
    })
}
