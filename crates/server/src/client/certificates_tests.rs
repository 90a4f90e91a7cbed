//! Commands on certificates, their contacts and their issuers: from the command line to the calls, and to what is
//! printed.

use std::os::unix::fs::PermissionsExt;

use clap::error::ErrorKind;

use super::super::grammar::Action;
use super::super::http::Response;
use super::super::testing::{Script, answer, challenge, settings, suffixes, token, typed};
use super::*;

fn planned(line: &str) -> Result<Plan, ClientError> {
    match typed(&format!("certificate {line}")) {
        Ok(Action::Certificate(command)) => plan(&command, &suffixes()),
        Ok(_) => panic!("'{line}' is not about certificates"),
        Err(error) => panic!("{error}"),
    }
}

/// The first call as one line, without the address of the test's vault.
fn called(line: &str) -> String {
    let call = planned(line).unwrap().call;
    let url = call.url.replace("https://v.vault.localhost:8443", "~");
    call.body.map_or_else(|| format!("{} {url}", call.method), |body| format!("{} {url} {body}", call.method))
}

/// Carries a command out against some answers: its outcome, and what was asked.
fn carried_out(
    line: &str,
    answers: impl IntoIterator<Item = Response>,
) -> (Result<Value, ClientError>, Vec<String>, usize) {
    let first = [challenge("https://vault.localhost:8443"), token()];
    let script = Script::new(first.into_iter().chain(answers));
    let settings = settings();
    let outcome = planned(line).unwrap().carry_out(&mut Session::new(&script, &settings));
    let short = |line: &String| {
        line.replace("https://v.vault.localhost:8443", "~").replace("+ ", " ").replace("?api-version=2026-04-01", "")
    };
    let asked = script.asked.borrow().iter().skip(2).map(short).collect();
    let pauses = script.pauses.borrow().len();
    (outcome, asked, pauses)
}

fn operation(issuer: &str, status: &str) -> Response {
    let id = "https://v.vault.localhost:8443/certificates/c/pending";
    answer(202, json!({ "id": id, "issuer": { "name": issuer }, "status": status }))
}

const AT: &str = "--vault-name v -n c";

#[test]
fn commands_make_the_calls_that_az_makes() {
    let policy = r#"--policy {"issuerParameters":{"name":"Self"},"x509CertificateProperties":{"subject":"CN=c"}}"#;
    for (line, call) in [
        (
            format!("create {AT} {policy} --validity 3 --tags a=b"),
            r#"POST ~/certificates/c/create {"attributes":{"enabled":true},"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=c","validity_months":3}},"tags":{"a":"b"}}"#,
        ),
        (format!("show {AT}"), "GET ~/certificates/c/"),
        ("show --id https://v.vault.localhost:8443/certificates/c/01".into(), "GET ~/certificates/c/01"),
        ("list --vault-name v".into(), "GET ~/certificates"),
        (
            "list --vault-name v --include-pending --maxresults 2".into(),
            "GET ~/certificates?includePending=true&maxresults=2",
        ),
        ("list-deleted --vault-name v --include-pending false".into(), "GET ~/deletedcertificates?includePending=false"),
        (format!("list-versions {AT}"), "GET ~/certificates/c/versions"),
        (
            format!("set-attributes {AT} -v 01 --enabled false --tags"),
            r#"PATCH ~/certificates/c/01 {"attributes":{"enabled":false},"tags":{}}"#,
        ),
        (format!("set-attributes {AT} -v 01"), "GET ~/certificates/c/"),
        (format!("delete {AT}"), "DELETE ~/certificates/c"),
        (format!("recover {AT}"), "POST ~/deletedcertificates/c/recover"),
        (format!("purge {AT}"), "DELETE ~/deletedcertificates/c"),
        (format!("backup {AT} -f backup"), "POST ~/certificates/c/backup"),
        (format!("download {AT} -v 01 -f nowhere/c.pem"), "GET ~/certificates/c/01"),
        (format!("pending show {AT}"), "GET ~/certificates/c/pending"),
        (format!("pending delete {AT}"), "DELETE ~/certificates/c/pending"),
        ("contact list --vault-name v".into(), "GET ~/certificates/contacts"),
        ("issuer list --vault-name v".into(), "GET ~/certificates/issuers"),
        (
            "issuer create --vault-name v --issuer-name i --provider-name Test --account-id a --password=-p --organization-id o".into(),
            r#"PUT ~/certificates/issuers/i {"attributes":{"enabled":true},"credentials":{"account_id":"a","pwd":"-p"},"org_details":{"id":"o"},"provider":"Test"}"#,
        ),
        (
            "issuer update --vault-name v --issuer-name i --enabled false".into(),
            r#"PATCH ~/certificates/issuers/i {"attributes":{"enabled":false}}"#,
        ),
        ("issuer delete --vault-name v --issuer-name i".into(), "DELETE ~/certificates/issuers/i"),
    ] {
        assert_eq!(called(&line), call, "{line}");
    }
}

#[test]
fn what_certificates_have_not_is_refused() {
    for line in [
        "show --hsm-name h -n c".into(),
        "list --vault-name v --include-managed".into(),
        "contact list --hsm-name h".into(),
        format!("create {AT} --policy []"),
        format!("create {AT} --policy nowhere.json"),
    ] {
        assert_eq!(planned(&line).unwrap_err().exit_code(), 2, "{line}");
    }
    for (line, kind) in [
        (format!("create {AT}"), ErrorKind::MissingRequiredArgument),
        (format!("import {AT}"), ErrorKind::MissingRequiredArgument),
        (format!("download {AT} -f f --encoding P7B"), ErrorKind::InvalidValue),
        ("issuer show --vault-name v".into(), ErrorKind::MissingRequiredArgument),
        ("contact add --vault-name v".into(), ErrorKind::MissingRequiredArgument),
    ] {
        assert_eq!(typed(&format!("certificate {line}")).err().map(|error| error.kind()), Some(kind), "{line}");
    }
}

#[test]
fn a_creation_is_waited_for() {
    let states = ["inProgress", "inProgress", "inProgress", "completed"].map(|status| operation("Self", status));
    let (outcome, asked, pauses) = carried_out(&format!("create {AT} --policy {{}}"), states);
    assert_eq!(outcome.unwrap()["status"], "completed");
    assert_eq!(asked[1..], ["GET ~/certificates/c/pending"; 3]);
    assert_eq!(pauses, 2);
}

#[test]
fn a_certificate_that_its_owner_has_to_complete_is_not_waited_for() {
    let states = [operation("unknown", "inProgress"), operation("unknown", "inProgress")];
    let (outcome, _, pauses) = carried_out(&format!("create {AT} --policy {{}}"), states);
    assert_eq!((outcome.unwrap()["name"].clone(), pauses), (json!("c"), 0));
}

#[test]
fn a_creation_that_failed_is_an_error_with_its_reason() {
    let failed =
        json!({ "status": "failed", "issuer": { "name": "i" }, "error": { "code": "Denied", "message": "no" } });
    let states = [operation("i", "inProgress"), answer(200, failed)];
    let error = carried_out(&format!("create {AT} --policy {{}}"), states).0.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.exit_code()), ("(Denied) no", 1));
}

#[test]
fn a_policy_is_changed_before_the_rest() {
    let bundle = json!({ "id": "https://v.vault.localhost:8443/certificates/c/01" });
    for (options, second) in [
        ("", "GET ~/certificates/c/"),
        ("--enabled true", r#"PATCH ~/certificates/c/ {"attributes":{"enabled":true}}"#),
    ] {
        let line = format!(r#"set-attributes {AT} {options} -p {{"keyProperties":{{"keySize":3072}}}}"#);
        let (outcome, asked, _) = carried_out(&line, [answer(200, json!({})), answer(200, bundle.clone())]);
        assert_eq!(outcome.unwrap()["name"], "c");
        assert_eq!(asked, [r#"PATCH ~/certificates/c/policy {"key_props":{"key_size":3072}}"#, second]);
    }
}

#[test]
fn a_certificate_is_saved_in_either_form_and_never_over_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = || answer(200, json!({ "cer": "AAEC" }));
    for (encoding, content) in
        [("PEM", &b"-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n"[..]), ("der", b"\x00\x01\x02")]
    {
        let file = folder.path().join(encoding);
        let line = format!("download {AT} -f {} -e {encoding}", file.display());
        assert_eq!(carried_out(&line, [bundle()]).0.unwrap(), Value::Null);
        assert_eq!(std::fs::read(&file).unwrap(), content);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(planned(&line).is_err(), "{encoding} is there");
    }
    let line = format!("download {AT} -f {}", folder.path().join("pending").display());
    assert!(carried_out(&line, [answer(200, json!({ "cer": null }))]).0.is_err());
    assert!(!folder.path().join("pending").exists());
}

/// A file with a certificate in PEM, or with two.
fn pem(folder: &Path, count: usize) -> PathBuf {
    let made = rcgen::generate_simple_self_signed(["c.example".to_owned()]).unwrap();
    let file = folder.join(format!("{count}.pem"));
    std::fs::write(&file, made.cert.pem().repeat(count)).unwrap();
    file
}

#[test]
fn an_import_says_what_kind_of_file_it_is_if_there_is_a_policy_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, pfx) = (pem(folder.path(), 1), folder.path().join("c.pfx"));
    std::fs::write(&pfx, "pfx").unwrap();
    for (file, media) in [(pem, "application/x-pem-file"), (pfx, "application/x-pkcs12")] {
        let line = format!("import {AT} --password secret --disabled -f {}", file.display());
        let body = planned(&line).unwrap().call.body.unwrap();
        assert_eq!(body["value"], STANDARD.encode(std::fs::read(&file).unwrap()));
        assert_eq!((&body["pwd"], &body["attributes"]), (&json!("secret"), &json!({"enabled": false})));
        assert_eq!(body["policy"], Value::Null);
        let policy = planned(&format!("{line} --policy {{}}")).unwrap().call.body.unwrap()["policy"].clone();
        assert_eq!(policy, json!({ "secret_props": { "contentType": media } }));
        let own = planned(&format!(r#"{line} --policy {{"secretProperties":{{"contentType":"x"}}}}"#)).unwrap();
        assert_eq!(own.call.body.unwrap()["policy"]["secret_props"]["contentType"], "x");
    }
}

#[test]
fn a_merge_sends_the_chain_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("pending merge {AT} -f {}", pem(folder.path(), 2).display());
    let call = planned(&line).unwrap().call;
    assert_eq!((call.method, call.url.rsplit_once("/c/").unwrap().1), ("POST", "pending/merge"));
    assert_eq!(call.body.unwrap()["x5c"].as_array().unwrap().len(), 2);
    assert!(planned(&format!("pending merge {AT} -f {}", pem(folder.path(), 0).display())).is_err());
}

#[test]
fn a_contact_is_added_to_those_that_there_are_and_only_once() {
    let none = || answer(404, json!({ "error": { "code": "ContactsNotFound", "message": "none" } }));
    let some = |emails: &[&str]| {
        let contacts: Vec<Value> = emails.iter().map(|email| json!({ "email": email })).collect();
        answer(200, json!({ "id": "i", "contacts": contacts }))
    };
    let add = "contact add --vault-name v --email a@b --name A";
    let (outcome, asked, _) = carried_out(add, [none(), some(&["a@b"])]);
    let shown = json!([{ "emailAddress": "a@b", "name": null, "phone": null }]);
    assert_eq!(outcome.unwrap()["contactList"], shown);
    assert_eq!(asked[1], r#"PUT ~/certificates/contacts {"contacts":[{"email":"a@b","name":"A"}]}"#);
    assert!(carried_out(add, [some(&["a@b"])]).0.is_err_and(|error| error.exit_code() == 1));

    let delete = "contact delete --vault-name v --email a@b";
    let (_, asked, _) = carried_out(delete, [some(&["a@b", "c@d"]), some(&["c@d"])]);
    assert_eq!(asked[1], r#"PUT ~/certificates/contacts {"contacts":[{"email":"c@d"}]}"#);
    let (outcome, asked, _) = carried_out(delete, [some(&["a@b"]), some(&[])]);
    assert_eq!(outcome.unwrap()["contactList"], json!([]));
    assert_eq!(asked[1], "DELETE ~/certificates/contacts");
    assert!(carried_out(delete, [none()]).0.is_err_and(|error| error.exit_code() == 3));
}

#[test]
fn administrators_of_an_issuer_are_added_and_removed_to_the_last() {
    let issuer = || {
        let admins = json!([{ "email": "a@b", "first_name": "A" }]);
        answer(200, json!({ "id": "i", "org_details": { "id": "o", "admin_details": admins } }))
    };
    let at = "--vault-name v --issuer-name i";
    let (outcome, asked, _) =
        carried_out(&format!("issuer admin add {at} --email c@d --phone 1"), [issuer(), issuer()]);
    let shown = json!({ "emailAddress": "c@d", "firstName": null, "lastName": null, "phone": "1" });
    assert_eq!(outcome.unwrap(), shown);
    let patched = r#"PATCH ~/certificates/issuers/i {"org_details":{"admin_details":[{"email":"a@b","first_name":"A"},{"email":"c@d","phone":"1"}]}}"#;
    assert_eq!(asked[1], patched);
    assert!(carried_out(&format!("issuer admin add {at} --email a@b"), [issuer()]).0.is_err());
    let (outcome, asked, _) = carried_out(&format!("issuer admin delete {at} --email a@b"), [issuer(), issuer()]);
    assert_eq!(outcome.unwrap(), Value::Null);
    assert_eq!(asked[1], r#"PATCH ~/certificates/issuers/i {"org_details":{"admin_details":[]}}"#);
    let absent = carried_out(&format!("issuer admin delete {at} --email c@d"), [issuer()]).0;
    assert!(absent.is_err_and(|error| error.exit_code() == 3));
}

#[test]
fn the_default_policy_needs_no_server() {
    match typed("certificate get-default-policy --scaffold") {
        Ok(Action::Certificate(command)) => assert_eq!(command.known(), Some(policy::proposed(true))),
        _ => panic!("a command on certificates"),
    }
}
