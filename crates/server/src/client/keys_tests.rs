//! Commands on keys, from the command line to the call, and from the answer to what is printed.

use clap::error::ErrorKind;
use serde_json::json;

use super::super::testing::{suffixes, typed, typed_key};
use super::*;

fn planned(line: &str) -> Result<Plan, ClientError> {
    plan(&typed_key(line), &suffixes())
}

/// The call as one line, without the address of the test's managed HSM.
fn called(line: &str) -> String {
    let call = planned(line).unwrap().call;
    let url = call.url.replace("https://contosomhsm.managedhsm.localhost:8443", "~");
    call.body.map_or_else(|| format!("{} {url}", call.method), |body| format!("{} {url} {body}", call.method))
}

const HSM: &str = "https://ContosoMHSM.managedhsm.localhost:8443";

/// The commands of the tutorial "Manage a Managed HSM using the Azure CLI", by names and by id, and their calls.
const TUTORIAL: &[(&str, &str, &str)] = &[
    (
        "create --hsm-name ContosoMHSM --name myrsakey --ops wrapKey unwrapKey --kty RSA-HSM --size 3072",
        "create --id {}/keys/myrsakey --ops wrapKey unwrapKey --kty RSA-HSM --size 3072",
        r#"POST ~/keys/myrsakey/create {"attributes":{"enabled":true},"key_ops":["wrapKey","unwrapKey"],"key_size":3072,"kty":"RSA-HSM"}"#,
    ),
    (
        "create --hsm-name ContosoMHSM --name myec256key --ops sign verify --tags usage=signing --kty EC-HSM --curve P-256",
        "create --id {}/keys/myec256key --ops sign verify --tags usage=signing --kty EC-HSM --curve P-256",
        r#"POST ~/keys/myec256key/create {"attributes":{"enabled":true},"crv":"P-256","key_ops":["sign","verify"],"kty":"EC-HSM","tags":{"usage":"signing"}}"#,
    ),
    (
        "create --hsm-name ContosoMHSM --name myaeskey --ops encrypt decrypt --tags --kty oct-HSM --size 256",
        "create --id {}/keys/myaeskey --ops encrypt decrypt --tags --kty oct-HSM --size 256",
        r#"POST ~/keys/myaeskey/create {"attributes":{"enabled":true},"key_ops":["encrypt","decrypt"],"key_size":256,"kty":"oct-HSM","tags":{}}"#,
    ),
    ("show --hsm-name ContosoMHSM --name myrsakey", "show --id {}/keys/myrsakey", "GET ~/keys/myrsakey/"),
    ("list --hsm-name ContosoMHSM", "list --id {}/", "GET ~/keys"),
    ("delete --hsm-name ContosoMHSM --name myrsakey", "delete --id {}/keys/myrsakey", "DELETE ~/keys/myrsakey"),
    ("list-deleted --hsm-name ContosoMHSM", "list-deleted --id {}", "GET ~/deletedkeys"),
    (
        "recover --hsm-name ContosoMHSM --name myrsakey",
        "recover --id {}/deletedKeys/myrsakey",
        "POST ~/deletedkeys/myrsakey/recover",
    ),
    (
        "purge --hsm-name ContosoMHSM --name myrsakey",
        "purge --id {}/deletedKeys/myrsakey",
        "DELETE ~/deletedkeys/myrsakey",
    ),
    (
        "backup --hsm-name ContosoMHSM --name myrsakey --file myrsakey.backup",
        "backup --id {}/deletedKeys/myrsakey --file myrsakey.backup",
        "POST ~/keys/myrsakey/backup",
    ),
];

#[test]
fn every_command_of_the_tutorial_makes_the_same_call_by_names_and_by_id() {
    for (by_names, by_id, call) in TUTORIAL {
        assert_eq!(called(&format!("keyvault key {by_names}")), *call, "{by_names}");
        assert_eq!(called(&format!("key {}", by_id.replace("{}", HSM))), *call, "{by_id}");
    }
}

#[test]
fn a_backup_comes_back_under_its_own_name_as_the_tutorial_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("myrsakey.backup");
    std::fs::write(&file, b"\xfb\xff").unwrap();
    let file = file.display();
    let expected = r#"POST ~/keys/restore {"value":"-_8"}"#;
    assert_eq!(called(&format!("key restore --hsm-name ContosoMHSM --name myrsakey --file {file}")), expected);
    assert_eq!(called(&format!("key restore --id {HSM}/deletedKeys/myrsakey -f {file}")), expected);
}

#[test]
fn the_other_commands_make_the_calls_that_az_makes() {
    let at = "--hsm-name ContosoMHSM -n k";
    for (line, call) in [
        (format!("list-versions {at}"), "GET ~/keys/k/versions"),
        (format!("show {at} -v 01"), "GET ~/keys/k/01"),
        (format!("show --id {HSM}/keys/k/01 --version 02"), "GET ~/keys/k/01"),
        (format!("show-deleted {at}"), "GET ~/deletedkeys/k"),
        (format!("rotate {at}"), "POST ~/keys/k/rotate"),
        ("random --hsm-name ContosoMHSM --count 8".into(), r#"POST ~/rng {"count":8}"#),
        (format!("rotation-policy show {at}"), "GET ~/keys/k/rotationpolicy"),
        (format!("set-attributes {at} --enabled false"), r#"PATCH ~/keys/k/ {"attributes":{"enabled":false}}"#),
        (
            format!("set-attributes {at} --ops sign --tags a b=c=d"),
            r#"PATCH ~/keys/k/ {"key_ops":["sign"],"tags":{"a":"","b":"c=d"}}"#,
        ),
        (
            format!("encrypt {at} -a rsa-oaep --value YWI= "),
            r#"POST ~/keys/k//encrypt {"alg":"RSA-OAEP","value":"YWI"}"#,
        ),
        (
            format!("encrypt {at} -v 01 -a A256CBC --value ab --data-type plaintext --iv 00ff"),
            r#"POST ~/keys/k/01/encrypt {"alg":"A256CBC","iv":"AP8","value":"YWI"}"#,
        ),
        (
            format!("decrypt {at} -a A256GCM --value +/8= --iv 00 --tag ff --aad 01"),
            r#"POST ~/keys/k//decrypt {"aad":"AQ","alg":"A256GCM","iv":"AA","tag":"_w","value":"-_8"}"#,
        ),
        (format!("sign {at} -a ES256 --digest YWI="), r#"POST ~/keys/k//sign {"alg":"ES256","value":"YWI"}"#),
        (
            format!("verify {at} -a es256 --digest YWI= --signature +/8="),
            r#"POST ~/keys/k//verify {"alg":"ES256","digest":"YWI","value":"-_8"}"#,
        ),
        (
            "create --vault-name v -n k".into(),
            r#"POST https://v.vault.localhost:8443/keys/k/create {"attributes":{"enabled":true},"kty":"RSA"}"#,
        ),
        ("list --hsm-name ContosoMHSM --maxresults 5".into(), "GET ~/keys?maxresults=5"),
        ("list --hsm-name ContosoMHSM --maxresults 99".into(), "GET ~/keys?maxresults=25"),
    ] {
        assert_eq!(called(&format!("key {line}")), call, "{line}");
    }
}

#[test]
fn a_new_key_takes_type_protection_and_dates_as_in_az() {
    let body =
        |options: &str| planned(&format!("key create --hsm-name h -n k {options}")).map(|plan| plan.call.body.unwrap());
    assert_eq!(body("--curve p-521").unwrap()["kty"], "EC");
    assert_eq!(body("--kty rsa -p hsm").unwrap()["kty"], "RSA-HSM");
    assert_eq!(body("--kty OCT-hsm").unwrap()["kty"], "oct-HSM");
    assert!(matches!(body("--kty RSA-HSM --protection software"), Err(ClientError::Usage(_))));
    let dated = body("--expires 2027-01-15T08:00:00Z --not-before 2023-11-14 --disabled --exportable").unwrap();
    let expected = json!({"enabled": false, "exp": 1_800_000_000, "nbf": 1_699_920_000, "exportable": true});
    assert_eq!(dated["attributes"], expected);
    assert_eq!(body("--disabled false").unwrap()["attributes"]["enabled"], true);
}

#[test]
fn a_release_policy_is_json_or_a_file_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.json");
    std::fs::write(&file, r#"{ "version": "1.0.0" }"#).unwrap();
    let expected = json!({"data": URL_SAFE_NO_PAD.encode(r#"{"version":"1.0.0"}"#), "immutable": true});
    for policy in [r#"{"version":"1.0.0"}"#.to_owned(), file.display().to_string()] {
        let plan =
            planned(&format!("key create --hsm-name h -n k --exportable --policy {policy} --immutable")).unwrap();
        assert_eq!(plan.call.body.unwrap()["release_policy"], expected);
    }
    assert!(matches!(planned("key create --hsm-name h -n k --policy nowhere"), Err(ClientError::Usage(_))));
}

#[test]
fn a_rotation_policy_is_read_in_both_cases_nested_or_flat() {
    let expected = json!({
        "attributes": {"expiryTime": "P90D"},
        "lifetimeActions": [{"action": {"type": "Rotate"}, "trigger": {"timeAfterCreate": "P30D"}}],
    });
    for text in [
        r#"{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P30D"},"action":{"type":"Rotate"}}],"attributes":{"expiryTime":"P90D"}}"#,
        r#"{"lifetime_actions":[{"trigger":{"time_after_create":"P30D","time_before_expiry":null},"action":{"type":"Rotate"}}],"attributes":{"expiry_time":"P90D"}}"#,
        r#"{"lifetimeActions":[{"action":"Rotate","timeAfterCreate":"P30D","timeBeforeExpiry":null}],"expiresIn":"P90D"}"#,
    ] {
        assert_eq!(policy_body(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn an_import_sends_the_private_key_with_its_operations() {
    let pair =
        aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = base64::engine::general_purpose::STANDARD.encode(pair.to_pkcs8v1().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")).unwrap();
    let plan = planned(&format!("key import --hsm-name h -n k --pem-file {} --ops sign", file.display())).unwrap();
    assert_eq!((plan.call.method, plan.call.url.as_str()), ("PUT", "https://h.managedhsm.localhost:8443/keys/k"));
    let body = plan.call.body.unwrap();
    assert_eq!(
        (&body["Hsm"], &body["key"]["kty"], &body["key"]["key_ops"]),
        (&json!(false), &json!("EC"), &json!(["sign"]))
    );
    assert!(body["key"]["d"].is_string());
}

#[test]
fn a_command_line_that_says_too_little_or_too_much_is_a_usage_error() {
    for line in [
        "key show -n k",
        "key show --hsm-name h",
        "key list",
        "key sign --hsm-name h -n k -a ES256 --digest ?",
        "key encrypt --hsm-name h -n k -a RSA-OAEP --value YWI= --iv xyz",
    ] {
        assert_eq!(planned(line).unwrap_err().exit_code(), 2, "{line}");
    }
    for (line, kind) in [
        ("key show --hsm-name h --vault-name v -n k", ErrorKind::ArgumentConflict),
        ("key show --id https://h/keys/k --name k", ErrorKind::ArgumentConflict),
        ("key create --hsm-name h -n k --kty DSA", ErrorKind::InvalidValue),
        ("key create --hsm-name h -n k --ops dance", ErrorKind::InvalidValue),
        ("key import --hsm-name h -n k", ErrorKind::MissingRequiredArgument),
        ("key import --hsm-name h -n k --pem-file a --pem-string b", ErrorKind::ArgumentConflict),
        ("key backup --hsm-name h -n k", ErrorKind::MissingRequiredArgument),
        ("key list --hsm-name h --maxresults 0", ErrorKind::ValueValidation),
    ] {
        assert_eq!(typed(line).err().map(|error| error.kind()), Some(kind), "{line}");
    }
}
