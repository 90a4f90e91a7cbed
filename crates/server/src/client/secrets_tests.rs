//! Commands on secrets, from the command line to the call, and the files they read and write.

use std::os::unix::fs::PermissionsExt;

use clap::error::ErrorKind;

use super::super::grammar::Action;
use super::super::session::Session;
use super::super::testing::{Script, answer, challenge, settings, suffixes, token, typed};
use super::*;

fn planned(line: &str) -> Result<Plan, ClientError> {
    match typed(&format!("secret {line}")) {
        Ok(Action::Secret(command)) => plan(&command, &suffixes()),
        Ok(_) => panic!("'{line}' is not about secrets"),
        Err(error) => panic!("{error}"),
    }
}

/// The call as one line, without the address of the test's vault.
fn called(line: &str) -> String {
    let call = planned(line).unwrap().call;
    let url = call.url.replace("https://v.vault.localhost:8443", "~");
    call.body.map_or_else(|| format!("{} {url}", call.method), |body| format!("{} {url} {body}", call.method))
}

/// Carries a command out against one answer.
fn carried_out(line: &str, answered: Value) -> Result<Value, ClientError> {
    let script = Script::new([challenge("https://vault.localhost:8443"), token(), answer(200, answered)]);
    let settings = settings();
    planned(line).unwrap().carry_out(&mut Session::new(&script, &settings))
}

#[test]
fn commands_make_the_calls_that_az_makes() {
    let at = "--vault-name v -n s";
    let id = "--id https://v.vault.localhost:8443/secrets/s";
    for (line, call) in [
        (
            format!(
                "set {at} --value hush --tags a=b --description text/plain --disabled --expires 2027-01-15T08:00:00Z"
            ),
            r#"PUT ~/secrets/s {"attributes":{"enabled":false,"exp":1800000000},"contentType":"text/plain","tags":{"a":"b","file-encoding":"utf-8"},"value":"hush"}"#,
        ),
        (format!("set {id} --value=-x"), r#"PUT ~/secrets/s {"tags":{"file-encoding":"utf-8"},"value":"-x"}"#),
        (format!("show {at}"), "GET ~/secrets/s/"),
        (format!("show {at} --version 01"), "GET ~/secrets/s/01"),
        (format!("show {id}/01 --version 02"), "GET ~/secrets/s/01"),
        ("list --vault-name v --maxresults 3".into(), "GET ~/secrets?maxresults=3"),
        (format!("list-versions {at}"), "GET ~/secrets/s/versions"),
        (
            format!("set-attributes {at} -v 01 --enabled false --content-type x --tags"),
            r#"PATCH ~/secrets/s/01 {"attributes":{"enabled":false},"contentType":"x","tags":{}}"#,
        ),
        (format!("delete {id}"), "DELETE ~/secrets/s"),
        ("list-deleted --id https://v.vault.localhost:8443/".into(), "GET ~/deletedsecrets"),
        ("show-deleted --id https://v.vault.localhost:8443/deletedsecrets/s".into(), "GET ~/deletedsecrets/s"),
        (format!("recover {at}"), "POST ~/deletedsecrets/s/recover"),
        (format!("purge {at}"), "DELETE ~/deletedsecrets/s"),
        (format!("backup {at} -f backup"), "POST ~/secrets/s/backup"),
        (format!("download {at} -v 01 -f nowhere/secret"), "GET ~/secrets/s/01"),
    ] {
        assert_eq!(called(&line), call, "{line}");
    }
}

#[test]
fn what_secrets_have_not_is_refused() {
    for line in [
        "show --hsm-name h -n s",
        "list --hsm-name h",
        "list --vault-name v --include-pending",
        "show --id https://h/keys/s",
        "set --vault-name v -n s --value=",
        "set --vault-name v -n s --value x --encoding hex",
    ] {
        assert_eq!(planned(line).unwrap_err().exit_code(), 2, "{line}");
    }
    for (line, kind) in [
        ("set --vault-name v -n s", ErrorKind::MissingRequiredArgument),
        ("set --vault-name v -n s --value x --file y", ErrorKind::ArgumentConflict),
        ("set --vault-name v -n s --file y --encoding latin", ErrorKind::InvalidValue),
        ("download --vault-name v -n s", ErrorKind::MissingRequiredArgument),
    ] {
        assert_eq!(typed(&format!("secret {line}")).err().map(|error| error.kind()), Some(kind), "{line}");
    }
}

#[test]
fn a_file_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (given, taken) = (folder.path().join("given"), folder.path().join("taken"));
    let bytes: Vec<u8> = (0..=255).collect();
    for (encoding, content) in [("utf-8", "grüße\r\n".as_bytes()), ("base64", &bytes), ("hex", &bytes)] {
        std::fs::write(&given, content).unwrap();
        let set = format!("set --vault-name v -n s --file {} --encoding {encoding}", given.display());
        let body = planned(&set).unwrap().call.body.unwrap();
        for option in [format!("--encoding {encoding}"), String::new()] {
            let line = format!("download --vault-name v -n s -f {} --overwrite {option}", taken.display());
            assert_eq!(carried_out(&line, body.clone()).unwrap(), Value::Null);
            assert_eq!(std::fs::read(&taken).unwrap(), content, "{encoding}");
        }
    }
    assert_eq!(std::fs::metadata(&taken).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_is_no_text_is_not_sent_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    for (content, encoding) in [(&b"\xff"[..], "utf-8"), ("ü".as_bytes(), "ascii")] {
        std::fs::write(&file, content).unwrap();
        let line = format!("set --vault-name v -n s -f {} -e {encoding}", file.display());
        assert!(planned(&line).is_err_and(|error| error.exit_code() == 1), "{encoding}");
    }
}

#[test]
fn a_value_that_cannot_be_decoded_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let line = format!("download --vault-name v -n s -f {} -e hex", file.display());
    assert!(carried_out(&line, json!({ "value": "xyz" })).is_err());
    assert!(!file.exists());
}

#[test]
fn a_download_refuses_a_file_that_exists_before_it_asks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let error = planned(&format!("download --vault-name v -n s -f {}", file.display())).unwrap_err();
    assert!(error.to_string().contains("--overwrite"), "{error}");
}

#[test]
fn a_list_leaves_out_the_secrets_of_certificates_unless_asked() {
    let page = json!({"value": [
        {"id": "https://h/secrets/a", "attributes": {}}, {"id": "https://h/secrets/b", "attributes": {}, "managed": true},
    ]});
    for (line, expected) in [("list --vault-name v", 1), ("list --vault-name v --include-managed", 2)] {
        assert_eq!(carried_out(line, page.clone()).unwrap().as_array().unwrap().len(), expected, "{line}");
    }
}
