//! Bodies: what is read, and what is refused by name.

use super::*;
use crate::data_plane::fuzz;
use crate::data_plane::version::ApiVersion;
use domain::{Curve, KeySpec, PrivateJwk, SignatureAlgorithm};
use serde_json::{Value, json};

const NEWEST: ApiVersion = ApiVersion::SHOWS_ALL_NAMES;

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// Why a body is refused.
fn refusal<T>(parsed: Result<T, Problem>) -> String {
    match parsed {
        Ok(_) => "accepted".to_owned(),
        Err(Problem::BadParameter(reason)) => reason,
        Err(Problem::NotSupported(what)) => format!("not supported: {what}"),
        Err(Problem::Engine(error)) => error.to_string(),
        Err(Problem::NoRoute(_)) => "no route".to_owned(),
    }
}

#[test]
fn a_creation_needs_no_more_than_a_type() {
    for (kty, spec, hsm) in [
        ("RSA", KeySpec::Rsa { bits: 2048 }, false),
        ("RSA-HSM", KeySpec::Rsa { bits: 2048 }, true),
        ("EC", KeySpec::Ec { curve: Curve::P256 }, false),
        ("EC-HSM", KeySpec::Ec { curve: Curve::P256 }, true),
        ("oct", KeySpec::Oct { bits: 256 }, false),
        ("oct-HSM", KeySpec::Oct { bits: 256 }, true),
    ] {
        let read = create_key(&bytes(&json!({"kty": kty}))).unwrap();
        assert_eq!((read.spec, read.hsm, read.key_ops), (spec, hsm, None), "{kty}");
        assert_eq!(read.attributes.enabled, None);
        assert!(read.tags.is_empty());
    }
}

#[test]
fn a_creation_can_say_everything() {
    let body = json!({
        "kty": "EC", "crv": "P-384", "key_size": 384, "key_ops": ["verify", "sign", "verify"], "public_exponent": null,
        "attributes": {"enabled": false, "nbf": 5, "exp": 9, "created": 1, "recoveryLevel": "x", "exportable": false},
        "tags": {"a": "b"}, "release_policy": null, "unknown": {"x": [1]},
    });
    let read = create_key(&bytes(&body)).unwrap();
    assert_eq!(read.spec, KeySpec::Ec { curve: Curve::P384 });
    assert_eq!(read.key_ops, Some(vec![KeyOperation::Verify, KeyOperation::Sign]));
    let attributes = read.attributes;
    assert_eq!(
        (attributes.enabled, attributes.not_before, attributes.expires),
        (Some(false), Some(UnixTime(5)), Some(UnixTime(9)))
    );
    assert_eq!(read.tags.get("a").map(String::as_str), Some("b"));
}

#[test]
fn a_creation_is_refused_by_name() {
    let tags: serde_json::Map<String, Value> = (0..16).map(|n| (n.to_string(), json!(""))).collect();
    let policy = json!({"data": "e30", "contentType": "x"});
    let wrong_type = "a property is missing or has the wrong type";
    for (body, expected) in [
        (json!({}), "Property 'kty' is missing."),
        (json!({"kty": "DSA"}), "Property 'kty' is not a known key type."),
        (json!({"kty": "rsa"}), "Property 'kty' is not a known key type."),
        (json!({"kty": "-HSM"}), "Property 'kty' is not a known key type."),
        (json!({"kty": "AKP-HSM"}), "not supported: The key type AKP"),
        (json!({"kty": "RSA", "key_size": -1}), "Property 'key_size' is not a key size."),
        (json!({"kty": "RSA", "key_size": 1_u64 << 40}), "Property 'key_size' is not a key size."),
        (json!({"kty": "RSA", "crv": "P-256"}), "Property 'crv' is for keys of type EC."),
        (json!({"kty": "EC", "crv": "P-255"}), "Property 'crv' is not a known curve."),
        (json!({"kty": "EC", "crv": "P-521", "key_size": 512}), "Property 'key_size' does not fit the curve."),
        (json!({"kty": "RSA", "public_exponent": 3}), "Property 'public_exponent' must be 65537."),
        (json!({"kty": "RSA", "key_ops": ["sing"]}), "Property 'key_ops' has an unknown operation."),
        (json!({"kty": "RSA", "tags": tags}), "Property 'tags' has more than 15 entries."),
        (
            json!({"kty": "RSA", "tags": {"a": "ä".repeat(257)}}),
            "Property 'tags' has a name or value of more than 256 characters.",
        ),
        (json!({"kty": "RSA", "attributes": {"exportable": true}}), "exportable keys must have a release policy"),
        (json!({"kty": "RSA", "release_policy": policy}), "Non-exportable keys must not have release policy"),
        (
            json!({"kty": "RSA", "attributes": {"exportable": true}, "release_policy": policy}),
            "not supported: Key release",
        ),
        (json!({"kty": "RSA", "attributes": {"external_key": {"id": "x"}}}), "not supported: External key management"),
        (json!({"kty": 5}), wrong_type),
        (json!({"kty": "RSA", "key_size": "2048"}), wrong_type),
        (json!({"kty": "RSA", "key_size": 2048.5}), wrong_type),
        (json!({"kty": "RSA", "attributes": {"enabled": "yes"}}), wrong_type),
        (json!({"kty": "RSA", "attributes": {"exp": "2030-01-01"}}), wrong_type),
        (json!({"kty": "RSA", "tags": {"a": 1}}), wrong_type),
        (json!({"kty": "RSA", "tags": ["a"]}), wrong_type),
        (json!({"kty": "RSA", "key_ops": "sign"}), wrong_type),
        (json!(["RSA"]), "the body is not a JSON object"),
        (json!("RSA"), "the body is not a JSON object"),
    ] {
        let reason = refusal(create_key(&bytes(&body)));
        assert!(reason.starts_with(expected), "{body}: {reason}");
    }
    let longest = json!({"kty": "RSA", "tags": {"ä".repeat(256): "ä".repeat(256)}});
    assert!(create_key(&bytes(&longest)).is_ok());
}

#[test]
fn an_import_takes_what_its_type_needs() {
    let rsa = json!({"kty": "RSA", "n": "AQ", "e": "AQ", "d": "AQ", "p": "AQ", "q": "AQ", "dp": "AQ", "dq": "AQ", "qi": "AQ"});
    let ec = json!({"kty": "EC-HSM", "crv": "P-521", "x": "AQ", "y": "AQ==", "d": "AQ", "key_ops": ["sign"]});
    let oct = json!({"kty": "oct", "k": "AQID"});
    let mut old_name = ec.clone();
    old_name["crv"] = json!("SECP256K1");
    let read = import_key(&bytes(&json!({"key": old_name}))).unwrap();
    assert!(matches!(read.jwk, PrivateJwk::Ec { curve: Curve::P256K, .. }), "as az says it");
    assert!(matches!(import_key(&bytes(&json!({"key": rsa}))).unwrap().jwk, PrivateJwk::Rsa { .. }));
    let read = import_key(&bytes(&json!({"key": ec, "Hsm": false}))).unwrap();
    assert!(matches!(read.jwk, PrivateJwk::Ec { curve: Curve::P521, .. }) && read.hsm);
    assert_eq!(read.key_ops, Some(vec![KeyOperation::Sign]));
    let read = import_key(&bytes(&json!({"key": oct, "Hsm": true}))).unwrap();
    assert!(matches!(read.jwk, PrivateJwk::Oct { .. }) && read.hsm);
    for member in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let mut partial = rsa.clone();
        partial.as_object_mut().unwrap().remove(member);
        let reason = refusal(import_key(&bytes(&json!({"key": partial}))));
        assert_eq!(reason, format!("Property '{member}' is missing."));
        partial[member] = json!("+/");
        let reason = refusal(import_key(&bytes(&json!({"key": partial}))));
        assert_eq!(reason, format!("Property '{member}' is not valid base64url."));
    }
    for (body, expected) in [
        (json!({}), "Property 'key' is missing."),
        (json!({"key": {}}), "Property 'kty' is missing."),
        (json!({"key": {"kty": "EC", "x": "AQ", "y": "AQ", "d": "AQ"}}), "Property 'crv' is missing."),
        (json!({"key": {"kty": "oct"}}), "Property 'k' is missing."),
        (
            json!({"key": {"kty": "RSA-HSM", "key_hsm": "e30"}}),
            "not supported: Import of keys wrapped for the HSM (BYOK)",
        ),
    ] {
        assert_eq!(refusal(import_key(&bytes(&body))), expected, "{body}");
    }
}

#[test]
fn an_update_changes_only_what_it_names() {
    let read = update(ObjectKind::Key, b"", NEWEST).unwrap();
    assert!(read.key_ops.is_none() && read.tags.is_none() && read.attributes.enabled.is_none());
    let read =
        update(ObjectKind::Key, &bytes(&json!({"tags": {}, "key_ops": [], "attributes": {"enabled": true}})), NEWEST)
            .unwrap();
    assert_eq!((read.key_ops, read.tags, read.attributes.enabled), (Some(vec![]), Some(Tags::new()), Some(true)));
}

/// Each array's items fit the struct that it stands for, member by member.
#[test]
fn an_array_is_no_object_at_any_level() {
    let wrong_type = "a property is missing or has the wrong type";
    let attributes = json!([true, 5, 9, false, null]);
    let key = json!(["oct", null, null, null, null, null, null, null, null, null, null, null, null, "AQID", null]);
    let no_object = "the body is not a JSON object";
    for (reason, expected) in [
        (refusal(create_key(&bytes(&json!({"kty": "RSA", "attributes": attributes})))), wrong_type),
        (refusal(create_key(&bytes(&json!({"kty": "RSA", "attributes": []})))), wrong_type),
        (refusal(update(ObjectKind::Key, &bytes(&json!({"attributes": attributes})), NEWEST)), wrong_type),
        (refusal(import_key(&bytes(&json!({"key": key})))), wrong_type),
        (refusal(import_key(&bytes(&json!({"key": {"kty": "oct", "k": "AQ"}, "attributes": attributes})))), wrong_type),
        (refusal(create_key(&bytes(&json!(["RSA", null, null, null, null, null, null, null])))), no_object),
        (refusal(update(ObjectKind::Key, b"[null,null,null,null]", NEWEST)), no_object),
        (refusal(import_key(&bytes(&json!([null, {"kty": "oct", "k": "AQ"}, null, null, null])))), no_object),
        (refusal(sign(br#"["ES256","AQ"]"#)), no_object),
        (refusal(verify(br#" ["ES256","AQ","AQ"]"#)), no_object),
        (refusal(encrypt(br#"["A128GCM","AQ",null,null,null]"#)), no_object),
        (refusal(decrypt(br#"["A128GCM","AQ",null,null,null]"#)), no_object),
        (refusal(random_count(b"[5]")), no_object),
        (refusal(restore(br#"["AQ"]"#)), no_object),
    ] {
        assert!(reason.starts_with(expected), "{reason}");
    }
    let nothing = json!({"kty": "RSA", "attributes": null});
    assert_eq!(create_key(&bytes(&nothing)).unwrap().attributes.enabled, None);
}

#[test]
fn operations_are_read_and_refused_by_name() {
    let read = sign(&bytes(&json!({"alg": "ES256", "value": "AQID"}))).unwrap();
    assert_eq!((read.algorithm, read.digest), (SignatureAlgorithm::Es256, vec![1, 2, 3]));
    let read = verify(&bytes(&json!({"alg": "ES256", "digest": "AQ", "value": "Ag"}))).unwrap();
    assert_eq!((read.digest, read.signature), (vec![1], vec![2]));
    let read = decrypt(&bytes(&json!({"alg": "A128GCM", "value": "AQ", "iv": "Ag", "aad": "Aw", "tag": ""}))).unwrap();
    assert_eq!((read.iv, read.aad, read.tag), (Some(vec![2]), Some(vec![3]), Some(vec![])));
    let read = encrypt(&bytes(&json!({"alg": "RSA-OAEP", "value": "AQ", "iv": null}))).unwrap();
    assert_eq!((read.plaintext.expose(), read.iv), (&[1][..], None));
    for (reason, expected) in [
        (refusal(sign(b"{}")), "Property 'alg' is missing."),
        (refusal(sign(br#"{"alg":"ES256"}"#)), "Property 'value' is missing."),
        (refusal(sign(br#"{"alg":"es256","value":"AQ"}"#)), "Property 'alg' is not a known signature algorithm."),
        (refusal(sign(br#"{"alg":"RSNULL","value":"AQ"}"#)), "not supported: The algorithm RSNULL"),
        (refusal(sign(br#"{"alg":"ES256","value":"A"}"#)), "Property 'value' is not valid base64url."),
        (refusal(sign(br#"{"alg":"ES256","value":"a b"}"#)), "Property 'value' is not valid base64url."),
        (refusal(verify(br#"{"alg":"ES256","value":"AQ"}"#)), "Property 'digest' is missing."),
        (refusal(encrypt(br#"{"alg":"A999","value":"AQ"}"#)), "Property 'alg' is not a known encryption algorithm."),
        (refusal(encrypt(br#"{"alg":"A128GCM","value":"AQ","tag":"AQ"}"#)), "Property 'tag' is made by the service."),
        (refusal(decrypt(br#"{"alg":"A128GCM","value":"AQ","iv":"?"}"#)), "Property 'iv' is not valid base64url."),
        (refusal(random_count(b"{}")), "Property 'count' is missing."),
        (refusal(restore(b"{}")), "Property 'value' is missing."),
    ] {
        assert_eq!(reason, expected);
    }
    assert_eq!(random_count(br#"{"count":-5}"#).unwrap(), -5);
}

#[test]
fn no_reason_quotes_the_body() {
    let secret = "c2VjcmV0LW9mLXRoZS1jYWxsZXI+";
    let bodies = [
        format!(r#"{{"alg":"{secret}","value":"{secret}"}}"#),
        format!(r#"{{"alg":"ES256","value":"{secret}"}}"#),
        format!(r#"{{"kty":"{secret}","key":{{"kty":"RSA","d":"{secret}"}}}}"#),
        format!(r#"{{"key":{{"kty":"RSA","key_ops":["{secret}"],"crv":"{secret}","d":"{secret}"}}}}"#),
        format!(r#"{{"key":{{"kty":"oct","k":"{secret}"}},"Hsm":"{secret}"}}"#),
        format!(r#"{{"count":"{secret}","value":["{secret}"]}}"#),
        format!("{{\"{secret}"),
    ];
    for body in bodies {
        let body = body.as_bytes();
        for reason in [
            refusal(create_key(body)),
            refusal(import_key(body)),
            refusal(update(ObjectKind::Key, body, NEWEST)),
            refusal(sign(body)),
            refusal(verify(body)),
            refusal(encrypt(body)),
            refusal(decrypt(body)),
            refusal(restore(body)),
            refusal(random_count(body)),
        ] {
            assert!(!reason.contains(secret), "{reason}");
        }
    }
}

#[test]
fn garbage_is_refused_and_nothing_panics() {
    let deep = "[".repeat(100_000);
    let garbage: [&[u8]; 12] = [
        b"\0",
        b"{",
        b"}",
        b"null",
        b"true",
        b"0",
        b"\"",
        b"\xff\xfe",
        b"{\"kty\":\"RSA\"}x",
        b"{\"a\":\"\\ud800\"}",
        b"[[[[",
        deep.as_bytes(),
    ];
    let entries = [
        fuzz::target,
        fuzz::create_body,
        fuzz::secret_body,
        fuzz::certificate_body,
        fuzz::issuer_body,
        fuzz::import_body,
        fuzz::update_body,
        fuzz::operation_body,
        fuzz::signature_body,
        fuzz::other_body,
        fuzz::rotation_policy_body,
        fuzz::role_assignment_body,
        fuzz::skip_token,
    ];
    for input in garbage {
        assert!(matches!(create_key(input), Err(Problem::BadParameter(_))));
        assert!(matches!(import_key(input), Err(Problem::BadParameter(_))));
        assert!(matches!(sign(input), Err(Problem::BadParameter(_))));
        for entry in entries {
            entry(input);
        }
    }
}

#[test]
fn dates_that_no_client_can_read_are_refused() {
    const END_OF_9999: i64 = 253_402_300_799;
    for name in ["nbf", "exp"] {
        let body = |date: i64| bytes(&json!({"value": "x", "kty": "EC", "attributes": {name: date}}));
        for read in [
            |body: &[u8]| create_key(body).map(drop),
            |body: &[u8]| set_secret(body).map(drop),
            |body: &[u8]| update(ObjectKind::Key, body, NEWEST).map(drop),
            |body: &[u8]| update(ObjectKind::Secret, body, NEWEST).map(drop),
        ] {
            assert!(read(&body(END_OF_9999)).is_ok());
            let expected = format!("Property '{name}' lies after the year 9999.");
            assert_eq!(refusal(read(&body(END_OF_9999 + 1))), expected);
            assert_eq!(refusal(read(&body(i64::MAX))), expected);
        }
    }
}
