//! Commands that keys, secrets and certificates share.

use serde_json::json;

use super::super::keys;
use super::super::session::Session;
use super::super::testing::{Script, answer, challenge, settings, suffixes, token, typed_key};
use super::*;

fn planned(line: &str) -> Plan {
    keys::plan(&typed_key(line), &suffixes()).unwrap()
}

#[test]
fn a_list_leaves_out_what_belongs_to_certificates_unless_asked() {
    let page = json!({"value": [
        {"kid": "https://h/keys/a", "attributes": {}}, {"kid": "https://h/keys/b", "attributes": {}, "managed": true},
    ]});
    for (line, names) in [
        ("key list --vault-name v", vec!["a"]),
        ("key list --vault-name v --include-managed", vec!["a", "b"]),
        ("key list-deleted --vault-name v", vec!["a", "b"]),
        ("key list --vault-name v --include-managed --maxresults 1", vec!["a"]),
    ] {
        let script = Script::new([challenge("https://vault.localhost:8443"), token(), answer(200, page.clone())]);
        let settings = settings();
        let result = planned(line).carry_out(&mut Session::new(&script, &settings)).unwrap();
        let shown: Vec<&str> = result.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(shown, names, "{line}");
    }
}

#[test]
fn a_backup_is_written_as_decoded_bytes_and_nothing_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("k.backup");
    let plan = planned(&format!("key backup --hsm-name h -n k -f {}", file.display()));
    let script =
        Script::new([challenge("https://managedhsm.localhost:8443"), token(), answer(200, json!({"value": "-_8"}))]);
    let settings = settings();
    assert_eq!(plan.carry_out(&mut Session::new(&script, &settings)).unwrap(), Value::Null);
    assert_eq!(std::fs::read(file).unwrap(), b"\xfb\xff");
}

#[test]
fn a_purge_with_an_empty_answer_prints_nothing() {
    let empty = super::super::http::Response { status: 204, ..Default::default() };
    let script = Script::new([challenge("https://managedhsm.localhost:8443"), token(), empty]);
    let settings = settings();
    let plan = planned("key purge --hsm-name h -n k");
    assert_eq!(plan.carry_out(&mut Session::new(&script, &settings)).unwrap(), Value::Null);
}
