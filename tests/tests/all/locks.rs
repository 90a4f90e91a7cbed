//! Locks through the resource manager, in process: what they refuse and in which words.

use super::site::{
    ADMIN, HSM, NOBODY, SUBSCRIPTION, Site, VAULT, deleted, group, hsm, new_hsm, new_vault, role, vault, with,
};
use domain::{Guid, Operation, Outcome};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;

fn lock(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/locks/{name}?api-version=2016-09-01")
}

fn level(level: &str) -> Value {
    json!({"properties": {"level": level}})
}

fn subscription() -> String {
    format!("/subscriptions/{SUBSCRIPTION}")
}

fn text(operation: &str, scope: &str, locked: &str) -> String {
    format!(
        "The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: '{locked}'. \
         Please remove the lock and try again."
    )
}

/// Names of the locks at a scope, as a list shows them.
fn listed(site: &Site, scope: &str, query: &str) -> Vec<Value> {
    let list = format!("{scope}/providers/Microsoft.Authorization/locks?api-version=2020-05-01{query}");
    site.get(&list).is(200).body["value"].as_array().unwrap().iter().map(|each| each["name"].clone()).collect()
}

#[test]
fn a_lock_comes_and_goes() {
    let site = Site::new();
    let keep = lock(&vault("KV1"), "keep");
    let body = json!({"properties": {"level": "CanNotDelete", "notes": "n", "owners": [{"applicationId": "a"}]}});
    let made = site.put(&keep, &body).is(201).body;
    assert_eq!(made["id"], format!("{}/providers/Microsoft.Authorization/locks/keep", vault("kv1")));
    assert_eq!((&made["type"], &made["properties"]), (&json!("Microsoft.Authorization/locks"), &body["properties"]));
    assert_eq!(site.get(&lock(&vault("kv1"), "Keep").replace("2016-09-01", "2020-05-01")).is(200).body, made);
    let changed = site.put(&keep, &level("ReadOnly")).is(200).body;
    assert_eq!(changed["properties"], json!({"level": "ReadOnly"}), "a PUT replaces");
    assert!(site.delete(&keep).is(200).bytes.is_empty());
    assert!(site.delete(&keep).is(204).bytes.is_empty());
    site.get(&keep).refused(404, "LockNotFound");
}

#[test]
fn a_lock_that_can_not_be_is_refused() {
    let site = Site::new();
    site.put(&lock(&vault("kv1"), "l"), &level("NotSpecified")).refused(400, "BadRequest");
    let long = json!({"properties": {"level": "ReadOnly", "notes": "n".repeat(513)}});
    let refused = site.put(&lock(&vault("kv1"), "l"), &long).refused(400, "BadRequest");
    assert_eq!(refused.message(), "An invalid value was provided for 'notes': they are longer than 512 characters.");
    let missing = site.put(&lock(&vault("nothing"), "l"), &level("ReadOnly")).refused(404, "ResourceNotFound");
    assert!(
        missing.message().starts_with("The Resource 'Microsoft.KeyVault/vaults/nothing' under resource group 'rg'")
    );
    let missing = site.put(&lock(&group("gone"), "l"), &level("ReadOnly")).refused(404, "ResourceGroupNotFound");
    assert_eq!(missing.message(), "Resource group 'gone' could not be found.");
    site.put(&lock(&format!("{}/keys/k", vault("kv1")), "l"), &level("ReadOnly")).refused(400, "BadRequest");
    let missing = format!("{}/providers/Microsoft.Authorization/locks", group("gone"));
    site.get(&missing).refused(404, "ResourceGroupNotFound");
    assert_eq!(listed(&site, &subscription(), ""), [""; 0], "nothing of it happened");
}

#[test]
fn a_list_has_what_is_at_above_and_below() {
    let site = Site::new();
    for (scope, name) in [(subscription(), "s"), (group("rg"), "g"), (vault("kv1"), "v"), (hsm("hsm1"), "h")] {
        site.put(&lock(&scope, name), &level("CanNotDelete")).is(201);
    }
    assert_eq!(listed(&site, &subscription(), ""), ["s", "g", "h", "v"]);
    assert_eq!(listed(&site, &group("RG"), ""), ["s", "g", "h", "v"]);
    assert_eq!(listed(&site, &group("rg"), "&$filter=atScope()"), ["s", "g"]);
    assert_eq!(listed(&site, &group("rg2"), ""), ["s"]);
    assert_eq!(listed(&site, &vault("kv1"), ""), ["s", "g", "v"]);
    let bad = format!("{}/providers/Microsoft.Authorization/locks?$filter=level%20eq%20'ReadOnly'", group("rg"));
    site.get(&bad).refused(400, "InvalidFilterInQueryString");
}

#[test]
fn what_is_locked_is_not_deleted() {
    let site = Site::new();
    for (path, host, done) in [(vault("kv1"), VAULT, 200), (hsm("hsm1"), HSM, 202)] {
        for scope in [path.clone(), group("rg"), subscription()] {
            site.put(&lock(&scope, "l"), &level("CanNotDelete")).is(201);
            let refused = site.delete(&path).refused(409, "ScopeLocked");
            assert_eq!(refused.message(), text("delete", &path, &scope));
            site.call(host, "GET", "/keys", NONE).is(200);
            site.delete(&lock(&scope, "l")).is(200);
        }
        site.delete(&path).is(done);
        site.put(&lock(&path, "l"), &level("CanNotDelete")).refused(404, "ResourceNotFound");
        site.put(&lock(&subscription(), "l"), &level("CanNotDelete")).is(201);
        site.delete(&path).is(204);
        site.delete(&lock(&subscription(), "l")).is(200);
    }
}

#[test]
fn a_group_stays_while_anything_in_it_is_locked() {
    let site = Site::new();
    site.put(&lock(&vault("kv1"), "l"), &level("CanNotDelete")).is(201);
    site.put(&lock(&group("rg"), "l"), &level("ReadOnly")).is(201);
    let refused = site.delete(&group("rg")).refused(409, "ScopeLocked");
    let locked = format!("{},{}", group("rg"), vault("kv1"));
    assert_eq!(refused.message(), text("delete", &group("rg"), &locked));
    for path in [vault("kv1"), vault("kvold"), hsm("hsm1")] {
        site.get(&path).is(200);
    }
    site.delete(&lock(&group("rg"), "l")).is(200);
    site.delete(&lock(&vault("kv1"), "l")).is(200);
    site.delete(&group("rg")).is(200);
    site.get(&deleted("deletedVaults", "kv1")).is(200);
    site.put(&group("rg"), &json!({"location": "eastus"})).is(201);
    site.get(&vault("kvold")).refused(404, "ResourceNotFound");
    assert_eq!(listed(&site, &group("rg"), ""), [""; 0]);
}

#[test]
fn what_is_read_only_is_not_changed() {
    let site = Site::new();
    let in_group = [
        ("PUT", vault("kv1"), new_vault()),
        ("PATCH", vault("kv1"), json!({"tags": {"a": "b"}})),
        ("PUT", format!("{}/accessPolicies/add", vault("kv1")), json!({"properties": {"accessPolicies": []}})),
        ("PUT", vault("kv-new"), new_vault()),
        ("PUT", hsm("hsm-new"), new_hsm()),
        ("PATCH", hsm("hsm1"), json!({"tags": {"a": "b"}})),
        ("PUT", group("rg"), json!({"location": "eastus", "tags": {"a": "b"}})),
        ("PATCH", group("rg"), json!({"tags": {"a": "b"}})),
    ];
    site.put(&lock(&group("rg"), "l"), &level("CanNotDelete")).is(201);
    let same = json!({"location": "eastus"});
    site.put(&group("rg"), &same).is(200);
    site.put(&lock(&group("rg"), "l"), &level("ReadOnly")).is(200);
    for (method, path, body) in &in_group {
        let refused = site.manage(ADMIN, method, path, body).refused(409, "ScopeLocked");
        let scope = path.strip_suffix("/accessPolicies/add").unwrap_or(path);
        assert_eq!(refused.message(), text("write", scope, &group("rg")), "{method} {path}");
    }
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{NOBODY}", vault("kv1"));
    let reader = json!({"properties": {"roleDefinitionId": role("Reader"), "principalId": NOBODY}});
    let refused = site.put(&assignment, &reader).refused(409, "ScopeLocked");
    assert_eq!(refused.message(), text("write", &assignment, &group("rg")));
    // Keys go on.
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    site.call(VAULT, "DELETE", "/keys/k", NONE).is(200);
    site.call(VAULT, "DELETE", "/deletedkeys/k", NONE).is(204);
    site.delete(&lock(&group("rg"), "l")).is(200);
    for (method, path, body) in &in_group {
        let status = site.manage(ADMIN, method, path, body).status;
        assert!((200..300).contains(&status), "{method} {path}: {status}");
    }
}

#[test]
fn in_a_read_only_subscription_nothing_is_purged_but_by_the_scheduler() {
    let site = Site::new();
    site.delete(&vault("kv1")).is(200);
    site.delete(&hsm("hsm1")).is(202);
    site.put(&lock(&subscription(), "l"), &level("ReadOnly")).is(201);
    for (collection, name) in [("deletedVaults", "kv1"), ("deletedManagedHSMs", "hsm1")] {
        let purge = format!("{}/purge", deleted(collection, name));
        let refused = site.post(&purge, NONE).refused(409, "ScopeLocked");
        assert_eq!(refused.message(), text("write", &deleted(collection, name), &subscription()));
    }
    let recover = with(new_vault(), &json!({"createMode": "recover"}));
    site.put(&vault("kv1"), &recover).refused(409, "ScopeLocked");
    site.clock.advance(8 * super::site::DAY);
    site.sweep();
    site.get(&deleted("deletedManagedHSMs", "hsm1")).refused(404, "DeletedManagedHsmNotFound");
    site.delete(&lock(&subscription(), "l")).is(200);
    site.put(&vault("kv1"), &recover).is(200);
}

#[test]
fn a_contributor_neither_locks_nor_unlocks() {
    let site = Site::new();
    let assignment =
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", group("rg"), Guid::from_u128(7));
    let contributor = json!({"properties": {"roleDefinitionId": role("Contributor"), "principalId": NOBODY}});
    site.put(&assignment, &contributor).is(201);
    let keep = lock(&vault("kv1"), "keep");
    site.manage(NOBODY, "PUT", &keep, &level("CanNotDelete")).refused(403, "AuthorizationFailed");
    site.put(&keep, &level("CanNotDelete")).is(201);
    site.manage(NOBODY, "GET", &keep, NONE).is(200);
    let refused = site.manage(NOBODY, "DELETE", &keep, NONE).refused(403, "AuthorizationFailed");
    assert!(refused.message().contains("'Microsoft.Authorization/locks/delete'"), "{}", refused.message());
    site.manage(NOBODY, "DELETE", &vault("kv1"), NONE).refused(409, "ScopeLocked");
}

#[test]
fn locks_and_what_they_refuse_are_in_the_log() {
    let site = Site::new();
    let keep = lock(&vault("kv1"), "keep");
    site.put(&keep, &level("CanNotDelete")).is(201);
    site.delete(&vault("kv1")).refused(409, "ScopeLocked");
    site.delete(&keep).is(200);
    site.get(&keep).refused(404, "LockNotFound");
    let log = site.log();
    let told = |operation: Operation| {
        let of = |record: &&domain::AuditRecord<'_>| record.operation() == Some(operation);
        let found: Vec<_> = log.iter().filter(of).collect();
        assert_eq!(found.len(), 1, "{operation:?}");
        (found[0].outcome, found[0].result_signature.to_string(), found[0].resource_id.to_string())
    };
    let path = keep.split('?').next().unwrap().to_owned();
    assert_eq!(told(Operation::LockPut), (Outcome::Done, "OK".to_owned(), path.clone()));
    assert_eq!(told(Operation::LockDelete), (Outcome::Done, "OK".to_owned(), path.clone()));
    assert_eq!(told(Operation::LockRead), (Outcome::Refused, "LockNotFound".to_owned(), path));
    assert_eq!(told(Operation::VaultDelete), (Outcome::Refused, "ScopeLocked".to_owned(), vault("kv1")));
}
