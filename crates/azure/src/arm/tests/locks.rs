//! Locks: their paths and their bodies.

use crate::arm::{
    error::Failure,
    route::{Route, resolve},
    wire::locks::{self, LockOut},
};
use domain::{
    access::Scope,
    lock::{Level, Lock},
};
use serde_json::json;

const SUBSCRIPTION: &str = "/subscriptions/11111111-2222-3333-4444-555555555555";

fn read(name: &str, body: &serde_json::Value) -> Result<Lock, String> {
    locks::read(&Scope::new(SUBSCRIPTION), name, body.to_string().as_bytes()).map_err(|failure| match failure {
        Failure::Problem(problem) => format!("{} {}", problem.code, problem.message),
        Failure::Engine(error) => panic!("{error:?}"),
    })
}

#[test]
fn locks_are_below_every_scope_in_the_forms_of_clients() {
    for scope in [
        SUBSCRIPTION.to_owned(),
        format!("{SUBSCRIPTION}/resourceGroups/Rg"),
        format!("{SUBSCRIPTION}/resourceGroups/Rg/providers/Microsoft.KeyVault/vaults/Kv"),
        format!("{SUBSCRIPTION}/resourceGroups/Rg/providers/Microsoft.KeyVault/managedHSMs/Hsm"),
    ] {
        for written in
            [scope.clone(), scope.replace("resourceGroups", "resourcegroups"), scope.replace("/vaults", "//VAULTS")]
        {
            let path = |tail: &str| format!("{written}/providers/Microsoft.Authorization/locks{tail}");
            let resolved = |path: &str| {
                let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
                resolve(&path).unwrap()
            };
            assert_eq!(resolved(&path("")), Route::Locks(Scope::new(&scope)));
            let Route::Lock(at, name) = resolved(&path("/Keep")) else { panic!("a lock's path") };
            assert_eq!((at.as_str(), name.as_str()), (scope.as_str(), "Keep"));
        }
    }
}

#[test]
fn a_lock_is_shown_as_it_was_given() {
    let owners = json!([{"applicationId": "someone"}]);
    let body = json!({"properties": {"level": "readonly", "notes": "for the auditors", "owners": owners}, "id": "x"});
    let lock = read("Keep", &body).unwrap();
    assert_eq!(lock.level, Level::ReadOnly);
    let id = format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/Keep");
    assert_eq!(
        json!(LockOut::from(&lock)),
        json!({"id": id, "name": "Keep", "type": "Microsoft.Authorization/locks", "properties": {
            "level": "ReadOnly", "notes": "for the auditors", "owners": [{"applicationId": "someone"}],
        }})
    );
    let bare = read("Keep", &json!({"properties": {"level": "CanNotDelete", "notes": null}})).unwrap();
    assert_eq!(json!(LockOut::from(&bare))["properties"], json!({"level": "CanNotDelete"}));
}

#[test]
fn a_body_that_is_no_lock_says_why() {
    let level = "BadRequest An invalid value was provided for 'level': it has to be 'CanNotDelete' or 'ReadOnly'.";
    for body in [
        json!({"properties": {}}),
        json!({"properties": {"level": "NotSpecified"}}),
        json!({"properties": {"level": "Delete"}}),
    ] {
        assert_eq!(read("l", &body), Err(level.to_owned()), "{body}");
    }
    let properties = "BadRequest An invalid value was provided for 'properties': they are missing.";
    assert_eq!(read("l", &json!({})), Err(properties.to_owned()));
    let name = read("a:b", &json!({"properties": {"level": "ReadOnly"}})).unwrap_err();
    assert!(name.starts_with("BadRequest An invalid value was provided for 'lockName': "), "{name}");
    for body in [
        json!({"properties": ["ReadOnly", null, null]}),
        json!({"properties": {"level": "ReadOnly", "owners": [["someone"]]}}),
        json!({"properties": {"level": "ReadOnly", "owners": [{}]}}),
        json!({"properties": {"level": 1}}),
    ] {
        let why = read("l", &body).unwrap_err();
        assert!(why.starts_with("InvalidRequestContent "), "{body}: {why}");
    }
}
