//! What is particular to keys: the public part as a JSON Web Key, and the results of using one.

use super::{Audience, Base64Url, Identifier};
use domain::{ContainerKind, JsonLine, KeyBody, KeyOperation, KeySpec, ObjectKind, PublicKey};
use engine::{CryptoResult, ObjectView};
use serde::{Serialize, Serializer};

/// Contract: key-vault §3.7, "Attributes": `0` software, `2` FIPS 140-3.
pub(super) fn hsm_platform(body: &KeyBody) -> &'static str {
    if body.hsm { "2" } else { "0" }
}

/// The public part of a key. A symmetric one has none (contract: key-vault §3.8).
#[derive(Serialize)]
pub(super) struct JsonWebKey<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Base64Url<'a>>,
    key_ops: KeyOperations<'a>,
    kid: Identifier<'a>,
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Base64Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Base64Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Base64Url<'a>>,
}

impl<'a> JsonWebKey<'a> {
    pub(super) fn new(view: &'a ObjectView, body: &'a KeyBody, audience: Audience<'a>) -> Self {
        let mut key = Self {
            crv: None,
            e: None,
            key_ops: KeyOperations(in_wire_order(&body.key_ops, audience.kind)),
            kid: audience.id(ObjectKind::Key, &view.object.name, Some(view.version.id)),
            kty: key_type(body.spec, body.hsm),
            n: None,
            x: None,
            y: None,
        };
        match &body.public {
            PublicKey::Rsa { n, e } => (key.n, key.e) = (Some(Base64Url(n)), Some(Base64Url(e))),
            PublicKey::Ec { curve, x, y } => {
                (key.crv, key.x, key.y) = (Some(curve.as_str()), Some(Base64Url(x)), Some(Base64Url(y)));
            }
            PublicKey::Oct => {}
        }
        key
    }
}

struct KeyOperations<'a>(&'a [KeyOperation]);

impl Serialize for KeyOperations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|operation| operation.as_str()))
    }
}

/// The order in which a managed HSM lists the operations of an RSA key that can do all (contract: key-vault §3.8).
pub(super) const HSM_RSA_ORDER: [KeyOperation; 6] = [
    KeyOperation::WrapKey,
    KeyOperation::Decrypt,
    KeyOperation::Encrypt,
    KeyOperation::UnwrapKey,
    KeyOperation::Sign,
    KeyOperation::Verify,
];

pub(super) fn in_wire_order(operations: &[KeyOperation], kind: ContainerKind) -> &[KeyOperation] {
    let is_default = kind == ContainerKind::ManagedHsm && operations == KeySpec::DEFAULT_RSA.default_operations();
    if is_default { &HSM_RSA_ORDER } else { operations }
}

pub(super) fn key_type(spec: KeySpec, hsm: bool) -> &'static str {
    match (spec, hsm) {
        (KeySpec::Rsa { .. }, false) => "RSA",
        (KeySpec::Rsa { .. }, true) => "RSA-HSM",
        (KeySpec::Ec { .. }, false) => "EC",
        (KeySpec::Ec { .. }, true) => "EC-HSM",
        (KeySpec::Oct { .. }, false) => "oct",
        (KeySpec::Oct { .. }, true) => "oct-HSM",
    }
}

/// `KeyOperationResult` (contract: key-vault §3.6). `alg` is repeated by managed HSMs, as recorded, and not by vaults.
pub(in crate::data_plane) fn key_operation_result(result: &CryptoResult, alg: &str, audience: Audience<'_>) -> String {
    const USUAL_BYTES: usize = 512;
    let mut line = JsonLine::with_capacity(USUAL_BYTES);
    result.aad.iter().for_each(|aad| line.base64url("aad", aad));
    if audience.kind == ContainerKind::ManagedHsm {
        line.word("alg", alg);
    }
    result.iv.iter().for_each(|iv| line.base64url("iv", iv));
    line.text("kid", &audience.id(ObjectKind::Key, &result.name, Some(result.version)).text());
    result.tag.iter().for_each(|tag| line.base64url("tag", tag));
    line.base64url("value", result.value.expose());
    line.finish()
}

#[derive(Serialize)]
pub(in crate::data_plane) struct KeyVerifyResult {
    pub value: bool,
}

#[derive(Serialize)]
pub(in crate::data_plane) struct RandomBytes<'a> {
    pub value: Base64Url<'a>,
}
