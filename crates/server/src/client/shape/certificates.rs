//! Certificates, their making, their issuers and their contacts, as az prints them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::policy;
use super::{bytes, deletion, name, some_attributes};

/// Those attributes that az prints of a certificate.
const ATTRIBUTES: &[&str] = &["created", "enabled", "expires", "notBefore", "recoveryLevel", "updated"];

/// A certificate, live or deleted.
pub fn certificate(bundle: &Value) -> Value {
    let mut result = properties(bundle);
    for member in ["cer", "kid", "sid"] {
        result[member] = bundle[member].clone();
    }
    // az does not tell it: the secret of the certificate does.
    result["contentType"] = Value::Null;
    let whole = bundle["id"].as_str().and_then(|id| id.rsplit_once('/')).map(|(whole, _)| whole);
    let id = whole.map_or(Value::Null, |whole| json!(format!("{whole}/policy")));
    // Of these only three are on the wire: a policy cannot expire.
    let attributes = json!({
        "created": bundle["policy"]["attributes"]["created"],
        "enabled": bundle["policy"]["attributes"]["enabled"],
        "updated": bundle["policy"]["attributes"]["updated"],
    });
    result["policy"] = policy::shown(&bundle["policy"], id, some_attributes(&attributes, ATTRIBUTES));
    deletion(bundle, &mut result);
    result
}

/// An entry of a list of certificates, live or deleted.
pub fn certificate_item(item: &Value) -> Value {
    let mut result = properties(item);
    deletion(item, &mut result);
    if result.get("recoveryId").is_none() {
        // The wire has no subject in a list; az prints an empty one.
        result["subject"] = json!("");
    }
    result
}

fn properties(wire: &Value) -> Value {
    let thumbprint = bytes(&wire["x5t"]).filter(|bytes| !bytes.is_empty());
    json!({
        "attributes": some_attributes(&wire["attributes"], ATTRIBUTES),
        "id": wire["id"],
        "name": name(&wire["id"]),
        "tags": wire["tags"],
        "x509Thumbprint": thumbprint.as_ref().map(|bytes| STANDARD.encode(bytes)),
        "x509ThumbprintHex": thumbprint.map(hex::encode_upper),
    })
}

/// How far the making of a certificate is.
pub fn operation(wire: &Value) -> Value {
    json!({
        "cancellationRequested": wire["cancellation_requested"],
        "csr": wire["csr"],
        "error": wire["error"],
        "id": wire["id"],
        "issuerParameters": policy::shown_issuer(&wire["issuer"]),
        "name": name(&wire["id"]),
        "requestId": wire["request_id"],
        "status": wire["status"],
        "statusDetails": wire["status_details"],
        "target": wire["target"],
    })
}

/// An issuer. Its password is never printed, even if a server tells it.
pub fn issuer(wire: &Value) -> Value {
    let organization = &wire["org_details"];
    json!({
        "attributes": some_attributes(&wire["attributes"], &["created", "enabled", "updated"]),
        "credentials": { "accountId": wire["credentials"]["account_id"], "password": null },
        "id": wire["id"],
        // az prints an empty object for each administrator; who they are is more use.
        "organizationDetails": { "adminDetails": admins(wire), "id": organization["id"], "zip": 0 },
        "provider": wire["provider"],
    })
}

/// An entry of a list of issuers.
pub fn issuer_item(wire: &Value) -> Value {
    json!({ "id": wire["id"], "provider": wire["provider"] })
}

/// The administrators of an issuer's organization.
pub fn admins(issuer: &Value) -> Value {
    let admins = issuer["org_details"]["admin_details"].as_array().map(Vec::as_slice).unwrap_or_default();
    admins.iter().map(admin).collect()
}

/// An administrator.
pub fn admin(wire: &Value) -> Value {
    json!({
        "emailAddress": wire["email"],
        "firstName": wire["first_name"],
        "lastName": wire["last_name"],
        "phone": wire["phone"],
    })
}

/// The contacts of a vault.
pub fn contacts(wire: &Value) -> Value {
    let contacts = wire["contacts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shown = contacts
        .iter()
        .map(|each| json!({ "emailAddress": each["email"], "name": each["name"], "phone": each["phone"] }));
    json!({ "contactList": shown.collect::<Vec<Value>>(), "id": wire["id"] })
}
