//! `KeyCreateParameters`.

use super::{KeyAttributes, Object, bad, checked_tags, key_operations, key_type, parse, required};
use crate::data_plane::error::Problem;
use domain::{Curve, KeySpec, KeyType, ObjectKind, Tags};
use engine::CreateKey;
use serde::{Deserialize, de::IgnoredAny};

/// Contract: key-vault §3.6.
#[derive(Deserialize)]
struct KeyCreateParameters {
    kty: Option<String>,
    key_size: Option<i64>,
    public_exponent: Option<i64>,
    crv: Option<String>,
    key_ops: Option<Vec<String>>,
    attributes: Option<Object<KeyAttributes>>,
    tags: Option<Tags>,
    release_policy: Option<IgnoredAny>,
}

/// The only public exponent that keys are generated with (contract: key-vault §3.8).
const PUBLIC_EXPONENT: i64 = 65537;

pub(in crate::data_plane) fn create_key(body: &[u8]) -> Result<CreateKey, Problem> {
    let body: KeyCreateParameters = parse(body)?;
    let (key_type, hsm) = key_type(&required(body.kty, "kty")?)?;
    if body.public_exponent.is_some_and(|exponent| exponent != PUBLIC_EXPONENT) {
        return Err(bad("public_exponent", "must be 65537"));
    }
    let spec = spec(key_type, body.key_size, body.crv.as_deref())?;
    let Object(attributes) = body.attributes.unwrap_or_default();
    let attributes = attributes.check(body.release_policy)?;
    Ok(CreateKey {
        spec,
        hsm,
        key_ops: key_operations(body.key_ops)?,
        attributes: attributes.into_new()?,
        tags: checked_tags(ObjectKind::Key, body.tags)?.unwrap_or_default(),
    })
}

fn spec(key_type: KeyType, key_size: Option<i64>, crv: Option<&str>) -> Result<KeySpec, Problem> {
    let bits =
        key_size.map(|size| u32::try_from(size).map_err(|_| bad("key_size", "is not a key size"))).transpose()?;
    let curve = crv.map(super::curve).transpose()?;
    if key_type != KeyType::Ec && curve.is_some() {
        return Err(bad("crv", "is for keys of type EC"));
    }
    Ok(match (key_type, bits) {
        (KeyType::Rsa, None) => KeySpec::DEFAULT_RSA,
        (KeyType::Rsa, Some(bits)) => KeySpec::Rsa { bits },
        (KeyType::Oct, None) => KeySpec::DEFAULT_OCT,
        (KeyType::Oct, Some(bits)) => KeySpec::Oct { bits },
        (KeyType::Ec, bits) => {
            let curve = curve.unwrap_or(Curve::P256);
            if bits.is_some_and(|bits| bits != curve_bits(curve)) {
                return Err(bad("key_size", "does not fit the curve"));
            }
            KeySpec::Ec { curve }
        }
    })
}

fn curve_bits(curve: Curve) -> u32 {
    match curve {
        Curve::P256 | Curve::P256K => 256,
        Curve::P384 => 384,
        Curve::P521 => 521,
    }
}
