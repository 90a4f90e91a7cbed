//! Answers of the wire, turned into what az prints for them: its names, its dates, its encodings, its nulls.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::ObjectKind;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::error::ClientError;

mod certificates;

pub use certificates::{admin, admins, contacts, issuer, issuer_item, operation};

/// Names of an attribute on the wire and in az, and whether it is a date.
const ATTRIBUTES: &[(&str, &str, bool)] = &[
    ("created", "created", true),
    ("enabled", "enabled", false),
    ("exp", "expires", true),
    ("exportable", "exportable", false),
    ("hsmPlatform", "hsmPlatform", false),
    ("key_size", "keySize", false),
    ("nbf", "notBefore", true),
    ("recoverableDays", "recoverableDays", false),
    ("recoveryLevel", "recoveryLevel", false),
    ("updated", "updated", true),
];

/// Those that az prints of a secret.
const SECRET_ATTRIBUTES: &[&str] =
    &["created", "enabled", "expires", "notBefore", "recoverableDays", "recoveryLevel", "updated"];

/// Members of a JSON Web Key that are numbers or bytes. The private ones are always null here: az prints them so.
const KEY_BYTES: &[(&str, &str)] = &[
    ("d", "d"),
    ("dp", "dp"),
    ("dq", "dq"),
    ("e", "e"),
    ("k", "k"),
    ("key_hsm", "t"),
    ("n", "n"),
    ("p", "p"),
    ("q", "q"),
    ("qi", "qi"),
    ("x", "x"),
    ("y", "y"),
];

/// A key, a secret or a certificate, live or deleted.
pub fn object(kind: ObjectKind, bundle: &Value) -> Value {
    match kind {
        ObjectKind::Key => key(bundle),
        ObjectKind::Secret => secret(bundle),
        ObjectKind::Certificate => certificates::certificate(bundle),
    }
}

/// An entry of a list of them.
pub fn item(kind: ObjectKind, item: &Value) -> Value {
    match kind {
        ObjectKind::Key => key_item(item),
        ObjectKind::Secret => secret_item(item),
        ObjectKind::Certificate => certificates::certificate_item(item),
    }
}

/// A key bundle, live or deleted.
fn key(bundle: &Value) -> Value {
    let jwk = &bundle["key"];
    let mut key = Map::new();
    for (wire, az) in KEY_BYTES {
        key.insert((*az).into(), standard_base64(&jwk[*wire]));
    }
    for (wire, az) in [("crv", "crv"), ("key_ops", "keyOps"), ("kid", "kid"), ("kty", "kty")] {
        key.insert(az.into(), jwk[wire].clone());
    }
    let mut result = json!({
        "attributes": attributes(&bundle["attributes"]),
        "key": key,
        "managed": bundle["managed"],
        "releasePolicy": release_policy(&bundle["release_policy"]),
        "tags": bundle["tags"],
    });
    deletion(bundle, &mut result);
    external(bundle, &mut result);
    result
}

/// An entry of a list of keys, live or deleted.
fn key_item(item: &Value) -> Value {
    let mut shown = attributes(&item["attributes"]);
    shown["attestation"] = Value::Null;
    shown["externalKey"] = item["attributes"]["external_key"].clone();
    let mut result = json!({
        "attributes": shown,
        "keySize": item["attributes"]["key_size"],
        "kid": item["kid"],
        "managed": item["managed"],
        "name": name(&item["kid"]),
        "releasePolicy": null,
        "tags": item["tags"],
    });
    deletion(item, &mut result);
    external(item, &mut result);
    result
}

/// A secret, with its value where the answer has it.
fn secret(bundle: &Value) -> Value {
    let mut result = secret_item(bundle);
    result["kid"] = bundle["kid"].clone();
    result["value"] = bundle["value"].clone();
    result
}

/// An entry of a list of secrets, live or deleted.
fn secret_item(item: &Value) -> Value {
    let mut result = json!({
        "attributes": some_attributes(&item["attributes"], SECRET_ATTRIBUTES),
        "contentType": item["contentType"],
        "id": item["id"],
        "managed": item["managed"],
        "name": name(&item["id"]),
        "tags": item["tags"],
    });
    deletion(item, &mut result);
    result
}

/// A key's rotation policy.
pub fn rotation_policy(policy: &Value) -> Value {
    let actions = policy["lifetimeActions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let actions: Vec<Value> = actions
        .iter()
        .map(|each| {
            json!({
                "action": each["action"]["type"],
                "timeAfterCreate": each["trigger"]["timeAfterCreate"],
                "timeBeforeExpiry": each["trigger"]["timeBeforeExpiry"],
            })
        })
        .collect();
    json!({
        "createdOn": date(&policy["attributes"]["created"]),
        "expiresIn": policy["attributes"]["expiryTime"],
        "id": policy["id"],
        "lifetimeActions": actions,
        "updatedOn": date(&policy["attributes"]["updated"]),
    })
}

/// Random bytes.
pub fn random(answer: &Value) -> Value {
    json!({ "value": standard_base64(&answer["value"]) })
}

/// The result of an encryption.
pub fn encrypted(answer: &Value, algorithm: &str) -> Value {
    json!({
        "aad": hexadecimal(&answer["aad"]),
        "algorithm": algorithm,
        "iv": hexadecimal(&answer["iv"]),
        "kid": answer["kid"],
        "result": standard_base64(&answer["value"]),
        "tag": hexadecimal(&answer["tag"]),
    })
}

/// The result of a decryption, as base64 or as text.
pub fn decrypted(answer: &Value, algorithm: &str, as_text: bool) -> Result<Value, ClientError> {
    let result = if as_text {
        let text = bytes(&answer["value"]).and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| {
            ClientError::Local("The decrypted value is not text: ask for it with --data-type base64.".into())
        })?;
        Value::String(text)
    } else {
        standard_base64(&answer["value"])
    };
    Ok(json!({ "algorithm": algorithm, "kid": answer["kid"], "result": result }))
}

/// A signature.
pub fn signed(answer: &Value, algorithm: &str) -> Value {
    json!({ "algorithm": algorithm, "keyId": answer["kid"], "signature": standard_base64(&answer["value"]) })
}

/// Whether a signature is valid.
pub fn verified(answer: &Value, algorithm: &str, key: &str) -> Value {
    json!({ "algorithm": algorithm, "isValid": answer["value"], "keyId": key })
}

/// A vault or a managed HSM, live or deleted.
pub fn container(resource: &Value) -> Value {
    let mut result = resource.clone();
    if let Some(group) = resource["id"].as_str().and_then(resource_group) {
        result["resourceGroup"] = Value::String(group.to_owned());
    }
    for name in ["deletionDate", "scheduledPurgeDate"] {
        let utc = resource["properties"][name].as_str().and_then(|date| date.strip_suffix('Z'));
        if let Some(date) = utc {
            result["properties"][name] = Value::String(format!("{date}+00:00"));
        }
    }
    result
}

/// The resource group that a resource id names.
pub fn resource_group(id: &str) -> Option<&str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case("resourceGroups"))?;
    segments.next()
}

/// Bytes of a base64url member of the wire.
pub fn bytes(value: &Value) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(value.as_str()?.trim_end_matches('=')).ok()
}

fn attributes(wire: &Value) -> Value {
    shown_attributes(wire, |_| true)
}

fn some_attributes(wire: &Value, names: &[&str]) -> Value {
    shown_attributes(wire, |name| names.contains(&name))
}

fn shown_attributes(wire: &Value, wanted: impl Fn(&str) -> bool) -> Value {
    let shown = ATTRIBUTES.iter().filter(|(_, az_name, _)| wanted(az_name)).map(|(wire_name, az_name, is_date)| {
        let value = &wire[*wire_name];
        ((*az_name).to_owned(), if *is_date { date(value) } else { value.clone() })
    });
    Value::Object(shown.collect())
}

/// The name that an id holds.
fn name(id: &Value) -> Value {
    id.as_str().and_then(|id| id.split('/').nth(4)).map_or(Value::Null, |name| Value::String(name.to_owned()))
}

fn deletion(wire: &Value, result: &mut Value) {
    if wire["recoveryId"].is_string() || wire["deletedDate"].is_number() {
        result["deletedDate"] = date(&wire["deletedDate"]);
        result["recoveryId"] = wire["recoveryId"].clone();
        result["scheduledPurgeDate"] = date(&wire["scheduledPurgeDate"]);
    }
}

fn external(wire: &Value, result: &mut Value) {
    if let Some(id) = wire["attributes"]["external_key"]["id"].as_str() {
        result["externalKeyId"] = Value::String(id.to_owned());
    }
}

fn release_policy(wire: &Value) -> Value {
    if !wire.is_object() {
        return Value::Null;
    }
    let policy = bytes(&wire["data"]).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    json!({ "contentType": wire["contentType"], "encodedPolicy": policy, "immutable": wire["immutable"] })
}

/// Unix seconds as Python prints a date in UTC.
fn date(seconds: &Value) -> Value {
    let date = seconds.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok());
    date.map_or(Value::Null, |date| Value::String(date.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()))
}

fn standard_base64(value: &Value) -> Value {
    bytes(value).map_or(Value::Null, |bytes| Value::String(STANDARD.encode(bytes)))
}

fn hexadecimal(value: &Value) -> Value {
    match bytes(value) {
        Some(bytes) if !bytes.is_empty() => Value::String(hex::encode(bytes)),
        _ => Value::Null,
    }
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
