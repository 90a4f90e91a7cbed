//! What is expected here was printed by az 2.91.0 itself for the same answers.

use super::*;

fn bundle() -> Value {
    json!({
        "key": {
            "kid": "https://h/keys/k1/0123", "kty": "RSA-HSM", "key_ops": ["wrapKey", "unwrapKey"],
            "n": "-_8BAg", "e": "AQAB",
        },
        "attributes": {
            "enabled": true, "created": 1_700_000_000, "updated": 1_700_000_001, "exp": 1_800_000_000,
            "recoveryLevel": "CustomizedRecoverable+Purgeable", "recoverableDays": 7, "exportable": false,
        },
        "tags": {"team": "a"},
    })
}

fn shown_attributes() -> Value {
    json!({
        "created": "2023-11-14T22:13:20+00:00", "enabled": true, "expires": "2027-01-15T08:00:00+00:00",
        "exportable": false, "hsmPlatform": null, "keySize": null, "notBefore": null, "recoverableDays": 7,
        "recoveryLevel": "CustomizedRecoverable+Purgeable", "updated": "2023-11-14T22:13:21+00:00",
    })
}

#[test]
fn a_key_looks_as_az_prints_it() {
    let expected = json!({
        "attributes": shown_attributes(),
        "key": {
            "crv": null, "d": null, "dp": null, "dq": null, "e": "AQAB", "k": null,
            "keyOps": ["wrapKey", "unwrapKey"], "kid": "https://h/keys/k1/0123", "kty": "RSA-HSM", "n": "+/8BAg==",
            "p": null, "q": null, "qi": null, "t": null, "x": null, "y": null,
        },
        "managed": null, "releasePolicy": null, "tags": {"team": "a"},
    });
    assert_eq!(key(&bundle()), expected);
}

#[test]
fn a_deleted_key_has_its_dates_and_its_release_policy_in_clear() {
    let mut wire = bundle();
    wire["recoveryId"] = json!("https://h/deletedkeys/k1");
    wire["deletedDate"] = json!(1_700_000_002);
    wire["scheduledPurgeDate"] = json!(1_700_604_802);
    wire["release_policy"] =
        json!({"contentType": "application/json; charset=utf-8", "data": "e30", "immutable": false});
    let shown = key(&wire);
    assert_eq!(shown["deletedDate"], "2023-11-14T22:13:22+00:00");
    assert_eq!(shown["scheduledPurgeDate"], "2023-11-21T22:13:22+00:00");
    assert_eq!(shown["recoveryId"], "https://h/deletedkeys/k1");
    let policy = json!({"contentType": "application/json; charset=utf-8", "encodedPolicy": "{}", "immutable": false});
    assert_eq!(shown["releasePolicy"], policy);
}

#[test]
fn an_entry_of_a_list_has_a_name_and_two_attributes_more() {
    let mut attributes = shown_attributes();
    attributes["attestation"] = Value::Null;
    attributes["externalKey"] = Value::Null;
    let item = json!({"kid": "https://h/keys/k1", "attributes": bundle()["attributes"], "tags": {"a": "b"}});
    let expected = json!({
        "attributes": attributes, "keySize": null, "kid": "https://h/keys/k1", "managed": null, "name": "k1",
        "releasePolicy": null, "tags": {"a": "b"},
    });
    assert_eq!(key_item(&item), expected);
}

#[test]
fn a_rotation_policy_is_flat() {
    let wire = json!({
        "id": "https://h/keys/k/rotationpolicy",
        "lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Rotate"}}],
        "attributes": {"expiryTime": "P90D", "created": 1_700_000_000, "updated": 1_700_000_000},
    });
    let expected = json!({
        "createdOn": "2023-11-14T22:13:20+00:00", "expiresIn": "P90D", "id": "https://h/keys/k/rotationpolicy",
        "lifetimeActions": [{"action": "Rotate", "timeAfterCreate": null, "timeBeforeExpiry": "P30D"}],
        "updatedOn": "2023-11-14T22:13:20+00:00",
    });
    assert_eq!(rotation_policy(&wire), expected);
    let none = json!({"createdOn": null, "expiresIn": null, "id": null, "lifetimeActions": [], "updatedOn": null});
    assert_eq!(rotation_policy(&json!({"lifetimeActions": null, "attributes": null})), none);
}

#[test]
fn results_are_in_standard_base64_and_their_parameters_in_hexadecimal() {
    let wire = json!({"kid": "kid", "value": "-_8", "iv": "Ag", "tag": "Aw", "aad": ""});
    let expected =
        json!({"aad": null, "algorithm": "A256GCM", "iv": "02", "kid": "kid", "result": "+/8=", "tag": "03"});
    assert_eq!(encrypted(&wire, "A256GCM"), expected);
    assert_eq!(signed(&wire, "ES256"), json!({"algorithm": "ES256", "keyId": "kid", "signature": "+/8="}));
    assert_eq!(random(&wire), json!({"value": "+/8="}));
    let valid = json!({"algorithm": "ES256", "isValid": true, "keyId": "kid"});
    assert_eq!(verified(&json!({"value": true}), "ES256", "kid"), valid);
}

#[test]
fn a_decrypted_value_is_text_only_if_it_can_be() {
    let wire = |value: &str| json!({"kid": "kid", "value": value});
    assert_eq!(decrypted(&wire("YWJj"), "RSA-OAEP", false).unwrap()["result"], "YWJj");
    assert_eq!(decrypted(&wire("YWJj"), "RSA-OAEP", true).unwrap()["result"], "abc");
    assert!(decrypted(&wire("_w"), "RSA-OAEP", true).is_err());
}

#[test]
fn a_vault_gets_its_resource_group_and_a_deleted_one_its_dates_in_python_s_form() {
    let id = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.KeyVault/vaults/v";
    assert_eq!(container(&json!({"id": id, "properties": {}}))["resourceGroup"], "rg");
    let deleted = json!({
        "id": "/subscriptions/s/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/v",
        "properties": {"deletionDate": "2020-01-01T00:00:00Z", "location": "eastus"},
    });
    let shown = container(&deleted);
    assert_eq!(shown["properties"]["deletionDate"], "2020-01-01T00:00:00+00:00");
    assert!(shown.get("resourceGroup").is_none());
}

#[test]
fn a_secret_looks_as_az_prints_it() {
    let wire = json!({
        "id": "https://h/secrets/s/01", "value": "hush", "contentType": "text/plain", "tags": {"a": "b"},
        "attributes": bundle()["attributes"],
    });
    let attributes = json!({
        "created": "2023-11-14T22:13:20+00:00", "enabled": true, "expires": "2027-01-15T08:00:00+00:00",
        "notBefore": null, "recoverableDays": 7, "recoveryLevel": "CustomizedRecoverable+Purgeable",
        "updated": "2023-11-14T22:13:21+00:00",
    });
    let mut expected = json!({
        "attributes": attributes, "contentType": "text/plain", "id": "https://h/secrets/s/01", "managed": null,
        "name": "s", "tags": {"a": "b"},
    });
    assert_eq!(item(ObjectKind::Secret, &wire), expected);
    expected["kid"] = Value::Null;
    expected["value"] = json!("hush");
    assert_eq!(object(ObjectKind::Secret, &wire), expected);
}

fn certificate_bundle() -> Value {
    json!({
        "id": "https://h/certificates/c/01", "kid": "https://h/keys/c/01", "sid": "https://h/secrets/c/01",
        "x5t": "LNWsOD88OK9r-19hG8oesznLoGs", "cer": "MII=", "attributes": {"enabled": true, "created": 1_700_000_000},
        "policy": {
            "id": "https://h/certificates/c/policy", "key_props": {"kty": "RSA", "key_size": 2048},
            "x509_props": {"subject": "CN=c", "ekus": [], "key_usage": [], "validity_months": 12},
            "issuer": {"name": "Self"}, "attributes": {"enabled": true, "created": 1_700_000_000},
        },
    })
}

fn certificate_attributes(enabled: bool) -> Value {
    json!({
        "created": "2023-11-14T22:13:20+00:00", "enabled": enabled, "expires": null, "notBefore": null,
        "recoveryLevel": null, "updated": null,
    })
}

#[test]
fn a_certificate_looks_as_az_prints_it() {
    let expected = json!({
        "attributes": certificate_attributes(true), "cer": "MII=", "contentType": null,
        "id": "https://h/certificates/c/01", "kid": "https://h/keys/c/01", "name": "c",
        "policy": {
            "attributes": certificate_attributes(true), "id": "https://h/certificates/c/policy",
            "issuerParameters": {"certificateTransparency": null, "certificateType": null, "name": "Self"},
            "keyProperties": {"curve": null, "exportable": null, "keySize": 2048, "keyType": "RSA", "reuseKey": null},
            "lifetimeActions": [], "secretProperties": {"contentType": null},
            "x509CertificateProperties": {
                "ekus": [], "keyUsage": null, "subject": "CN=c", "validityInMonths": 12,
                "subjectAlternativeNames": {"dnsNames": null, "emails": null, "upns": null},
            },
        },
        "sid": "https://h/secrets/c/01", "tags": null, "x509Thumbprint": "LNWsOD88OK9r+19hG8oesznLoGs=",
        "x509ThumbprintHex": "2CD5AC383F3C38AF6BFB5F611BCA1EB339CBA06B",
    });
    assert_eq!(object(ObjectKind::Certificate, &certificate_bundle()), expected);
}

#[test]
fn a_list_of_certificates_has_an_empty_subject_unless_they_are_deleted() {
    let mut wire = certificate_bundle();
    assert_eq!(item(ObjectKind::Certificate, &wire)["subject"], "");
    wire["recoveryId"] = json!("https://h/deletedcertificates/c");
    let deleted = item(ObjectKind::Certificate, &wire);
    assert_eq!((deleted.get("subject"), &deleted["recoveryId"]), (None, &wire["recoveryId"]));
}

#[test]
fn the_making_of_a_certificate_has_its_issuer_spelled_out() {
    let wire = json!({
        "id": "https://h/certificates/c/pending", "issuer": {"name": "Unknown"}, "csr": "MII=",
        "cancellation_requested": false, "status": "inProgress", "status_details": "wait", "request_id": "r",
    });
    let expected = json!({
        "cancellationRequested": false, "csr": "MII=", "error": null, "id": "https://h/certificates/c/pending",
        "issuerParameters": {"certificateTransparency": null, "certificateType": null, "name": "Unknown"},
        "name": "c", "requestId": "r", "status": "inProgress", "statusDetails": "wait", "target": null,
    });
    assert_eq!(operation(&wire), expected);
}

#[test]
fn an_issuer_never_shows_its_password() {
    let wire = json!({
        "id": "i", "provider": "Test", "credentials": {"account_id": "a", "pwd": "hush"}, "attributes": {"enabled": true},
        "org_details": {"id": "o", "admin_details": [{"email": "a@b", "first_name": "A"}]},
    });
    let admin = json!({"emailAddress": "a@b", "firstName": "A", "lastName": null, "phone": null});
    let expected = json!({
        "attributes": {"created": null, "enabled": true, "updated": null},
        "credentials": {"accountId": "a", "password": null}, "id": "i", "provider": "Test",
        "organizationDetails": {"adminDetails": [admin], "id": "o", "zip": 0},
    });
    assert_eq!(issuer(&wire), expected);
    assert_eq!(admins(&wire), json!([admin]));
}
