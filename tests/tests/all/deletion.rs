//! The deletion lifecycle of vaults and managed HSMs through the resource manager, in process
//! (contract: key-vault §4.2).

use super::site::{
    ADMIN, DAY, HSM, NOBODY, SUBSCRIPTION, Site, VAULT, deleted, group, hsm, new_hsm, new_vault, role, vault, with,
};
use domain::{Guid, UnixTime};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;

fn recovery(word: &str) -> Value {
    with(new_vault(), &json!({"createMode": word}))
}

fn purge(collection: &str, name: &str) -> String {
    format!("{}/purge", deleted(collection, name))
}

#[test]
fn a_deleted_vault_is_shown_and_holds_its_name() {
    let site = Site::empty();
    site.put(&vault("kv-1"), &new_vault()).is(200);
    assert!(site.delete(&vault("kv-1")).is(200).bytes.is_empty());
    assert!(site.delete(&vault("kv-1")).is(204).bytes.is_empty());
    site.delete(&vault("never")).is(204);
    site.get(&vault("kv-1")).refused(404, "ResourceNotFound");
    let shown = site.get(&deleted("deletedVaults", "KV-1")).is(200).body;
    assert_eq!(shown["id"], deleted("deletedVaults", "kv-1"));
    assert_eq!(shown["type"], "Microsoft.KeyVault/deletedVaults");
    let properties = &shown["properties"];
    assert_eq!(properties["vaultId"], vault("kv-1"));
    assert_eq!(properties["location"], "eastus");
    let list = site.get(&format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedVaults")).is(200);
    assert_eq!(list.body, json!({"value": [shown]}));
    let again = site.put(&vault("kv-1"), &new_vault()).refused(409, "ConflictError");
    let literal = "A vault with the same name already exists in deleted state. You need to either recover or purge \
                   existing key vault. ";
    assert!(again.message().starts_with(literal), "{}", again.message());
    let elsewhere = format!("{}/providers/Microsoft.KeyVault/vaults/kv-1", group("elsewhere"));
    site.put(&elsewhere, &new_vault()).refused(409, "VaultAlreadyExists");
}

#[test]
fn a_vault_deleted_in_another_region_just_holds_its_name() {
    let site = Site::empty();
    site.put(&vault("kv-1"), &new_vault()).is(200);
    site.delete(&vault("kv-1")).is(200);
    let mut other_region = new_vault();
    other_region["location"] = json!("westus");
    site.put(&vault("kv-1"), &other_region).refused(409, "VaultAlreadyExists");
    site.put(&vault("kv-1"), &new_vault()).refused(409, "ConflictError");
}

#[test]
fn a_vault_recovers_as_it_was_but_for_its_role_assignments() {
    let site = Site::empty();
    let mut body = with(new_vault(), &json!({"enablePurgeProtection": true, "softDeleteRetentionInDays": 10}));
    body["tags"] = json!({"a": "b"});
    site.put(&vault("kv1"), &body).is(200);
    let before = site.get(&vault("kv1")).body;
    let key = site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200).body;
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", vault("kv1"), NOBODY);
    let grant = json!({"properties": {"roleDefinitionId": role("Reader"), "principalId": NOBODY}});
    site.put(&assignment, &grant).is(201);
    site.manage(NOBODY, "GET", &vault("kv1"), NONE).is(200);
    for word in ["recover", "Recover", "RECOVER"] {
        site.delete(&vault("kv1")).is(200);
        site.call(VAULT, "GET", "/keys/k", NONE).refused(404, "VaultNotFound");
        let mut body = with(recovery(word), &json!({"sku": {"family": "A", "name": "standard"}}));
        body["tags"] = json!({});
        let recovered = site.put(&vault("KV1"), &body).is(200).body;
        assert_eq!(recovered["properties"].get("createMode"), None);
        let after = site.get(&vault("kv1")).is(200).body;
        assert_eq!((&after["properties"], &after["tags"]), (&before["properties"], &before["tags"]));
        assert_eq!(site.call(VAULT, "GET", "/keys/k", NONE).is(200).body, key);
        site.get(&deleted("deletedVaults", "kv1")).refused(404, "DeletedVaultNotFound");
    }
    site.manage(NOBODY, "GET", &vault("kv1"), NONE).refused(403, "AuthorizationFailed");
    site.get(&assignment).refused(404, "RoleAssignmentNotFound");
}

#[test]
fn nothing_recovers_but_what_was_deleted_there() {
    let site = Site::empty();
    let missing = site.put(&vault("kv-1"), &recovery("recover")).refused(400, "SoftDeletedVaultDoesNotExist");
    let literal = "A soft deleted vault with the given name does not exist. ";
    assert!(missing.message().starts_with(literal), "{}", missing.message());
    site.put(&vault("kv-1"), &new_vault()).is(200);
    site.put(&vault("kv-1"), &recovery("recover")).refused(400, "SoftDeletedVaultDoesNotExist");
    site.delete(&vault("kv-1")).is(200);
    let other_group = format!("{}/providers/Microsoft.KeyVault/vaults/kv-1", group("rg2"));
    site.put(&other_group, &recovery("recover")).refused(400, "SoftDeletedVaultDoesNotExist");
    site.put(&other_group, &recovery("default")).refused(409, "ConflictError");
    site.put(&hsm("kv-1"), &with(new_hsm(), &json!({"createMode": "Recover"})))
        .refused(400, "SoftDeletedManagedHsmDoesNotExist");
    site.put(&vault("kv-1"), &recovery("recover")).is(200);
}

#[test]
fn a_purge_is_polled_for_and_frees_the_name() {
    let site = Site::empty();
    site.put(&vault("kv1"), &new_vault()).is(200);
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    site.post(&purge("deletedVaults", "kv1"), NONE).refused(404, "DeletedVaultNotFound");
    site.delete(&vault("kv1")).is(200);
    let westus = purge("deletedVaults", "kv1").replace("eastus", "westus");
    site.post(&westus, NONE).refused(404, "DeletedVaultNotFound");
    let accepted = site.post(&purge("deletedVaults", "KV1").replace("eastus", "East%20US"), NONE).is(202);
    assert!(accepted.bytes.is_empty());
    assert!(accepted.header("location").contains("/providers/Microsoft.KeyVault/locations/eastus/operationResults/"));
    let done = site.get(&accepted.path_in("location")).is(200).body;
    assert_eq!(done["status"], "Succeeded");
    let created = done["createdDateTime"].as_str().unwrap();
    assert_eq!((created.len(), &created[10..11], &created[19..]), ("2020-09-25 01:10:05Z".len(), " ", "Z"));
    assert_eq!(done["lastActionDateTime"], done["createdDateTime"]);
    site.post(&purge("deletedVaults", "kv1"), NONE).refused(404, "DeletedVaultNotFound");
    site.get(&deleted("deletedVaults", "kv1")).refused(404, "DeletedVaultNotFound");
    site.put(&vault("kv1"), &recovery("recover")).refused(400, "SoftDeletedVaultDoesNotExist");
    site.put(&vault("kv1"), &new_vault()).is(200);
    site.call(VAULT, "GET", "/keys/k", NONE).refused(404, "KeyNotFound");
    let unknown = accepted.path_in("location").replace("operationResults/", "operationResults/x");
    site.get(&unknown).refused(404, "OperationNotFound");
}

#[test]
fn a_protected_vault_is_not_purged_before_its_day_and_gone_on_it() {
    let site = Site::empty();
    let protected = with(new_vault(), &json!({"enablePurgeProtection": true, "softDeleteRetentionInDays": 7}));
    site.put(&vault("kv-1"), &protected).is(200);
    site.delete(&vault("kv-1")).is(200);
    assert_eq!(site.get(&deleted("deletedVaults", "kv-1")).body["properties"]["purgeProtectionEnabled"], true);
    let refused = site.post(&purge("deletedVaults", "kv-1"), NONE).refused(405, "MethodNotAllowed");
    assert_eq!(refused.message(), "Operation 'DeletedVaultPurge' is not allowed.");
    site.clock.advance(7 * DAY - 60);
    site.post(&purge("deletedVaults", "kv-1"), NONE).refused(405, "MethodNotAllowed");
    site.get(&deleted("deletedVaults", "kv-1")).is(200);
    // Nothing sweeps here: the date alone decides.
    site.clock.advance(60);
    site.get(&deleted("deletedVaults", "kv-1")).refused(404, "DeletedVaultNotFound");
    site.post(&purge("deletedVaults", "kv-1"), NONE).refused(404, "DeletedVaultNotFound");
    site.put(&vault("kv-1"), &recovery("recover")).refused(400, "SoftDeletedVaultDoesNotExist");
    site.put(&vault("kv-1"), &new_vault()).is(200);
}

#[test]
fn a_managed_hsm_is_deleted_recovered_and_purged_by_polls() {
    let site = Site::empty();
    site.put(&hsm("hsm1"), &with(new_hsm(), &json!({"softDeleteRetentionInDays": 7}))).is(202);
    let key = site.call(HSM, "POST", "/keys/k/create", &json!({"kty": "EC-HSM"})).is(200).body;
    let accepted = site.delete(&hsm("hsm1")).is(202);
    assert!(accepted.header("location").contains("/locations/eastus/managedHsmOperationResults/"));
    assert!(site.get(&accepted.path_in("location")).is(200).bytes.is_empty());
    site.delete(&hsm("hsm1")).is(204);
    let shown = site.get(&deleted("deletedManagedHSMs", "hsm1")).is(200).body;
    assert_eq!(shown["properties"]["mhsmId"], hsm("hsm1"));
    let list = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedManagedHSMs");
    assert_eq!(site.get(&list).is(200).body, json!({"value": [shown]}));
    site.put(&hsm("hsm1"), &new_hsm()).refused(409, "ConflictError");
    site.put(&hsm("hsm1"), &with(new_hsm(), &json!({"createMode": "Recover"}))).is(202);
    assert_eq!(site.call(HSM, "GET", "/keys/k", NONE).is(200).body, key);
    site.delete(&hsm("hsm1")).is(202);
    site.post(&purge("deletedManagedHSMs", "hsm1").replace("eastus", "westus"), NONE)
        .refused(404, "DeletedManagedHsmNotFound");
    let accepted = site.post(&purge("deletedManagedHSMs", "hsm1"), NONE).is(202);
    site.get(&accepted.path_in("location")).is(200);
    site.get(&deleted("deletedManagedHSMs", "hsm1")).refused(404, "DeletedManagedHsmNotFound");
    site.put(&hsm("hsm1"), &with(new_hsm(), &json!({"enablePurgeProtection": true}))).is(202);
    site.call(HSM, "GET", "/keys/k", NONE).refused(404, "KeyNotFound");
    site.delete(&hsm("hsm1")).is(202);
    let refused = site.post(&purge("deletedManagedHSMs", "hsm1"), NONE).refused(405, "MethodNotAllowed");
    assert_eq!(refused.message(), "Operation 'DeletedManagedHsmPurge' is not allowed.");
}

#[test]
fn a_vault_without_soft_delete_is_gone_at_once() {
    let site = Site::empty();
    let legacy = with(new_vault(), &json!({"enableSoftDelete": false}));
    let path = format!("{}?api-version=2018-02-14", vault("kv1"));
    assert_eq!(site.put(&path, &legacy).is(200).body["properties"]["enableSoftDelete"], false);
    assert_eq!(site.get(&vault("kv1")).body["properties"].get("softDeleteRetentionInDays"), None);
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    site.delete(&vault("kv1")).is(200);
    site.get(&deleted("deletedVaults", "kv1")).refused(404, "DeletedVaultNotFound");
    site.put(&vault("kv1"), &recovery("recover")).refused(400, "SoftDeletedVaultDoesNotExist");
    site.post(&purge("deletedVaults", "kv1"), NONE).refused(404, "DeletedVaultNotFound");
    site.put(&vault("kv1"), &new_vault()).is(200);
    site.call(VAULT, "GET", "/keys/k", NONE).refused(404, "KeyNotFound");
}

#[test]
fn a_vault_that_turned_soft_delete_on_keeps_it() {
    let site = Site::empty();
    let path = format!("{}?api-version=2018-02-14", vault("kv-1"));
    site.put(&path, &with(new_vault(), &json!({"enableSoftDelete": false}))).is(200);
    let on = json!({"properties": {"enableSoftDelete": true, "softDeleteRetentionInDays": 20}});
    let shown = site.manage(ADMIN, "PATCH", &vault("kv-1"), &on).is(200).body;
    assert_eq!(shown["properties"]["softDeleteRetentionInDays"], 20);
    site.put(&path, &with(new_vault(), &json!({"enableSoftDelete": false}))).refused(400, "BadRequest");
    site.delete(&vault("kv-1")).is(200);
    site.get(&deleted("deletedVaults", "kv-1")).is(200);
}

#[test]
fn the_right_to_purge_is_needed_at_the_subscription() {
    let site = Site::empty();
    site.put(&vault("kv-1"), &new_vault()).is(200);
    site.delete(&vault("kv-1")).is(200);
    let grant = |scope: &str, role_name: &str, name: u128| {
        let name = Guid::from_u128(name);
        let body = json!({"properties": {"roleDefinitionId": role(role_name), "principalId": NOBODY}});
        site.put(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), &body).is(201);
    };
    grant(&group("rg"), "Owner", 1);
    site.manage(NOBODY, "POST", &purge("deletedVaults", "kv-1"), NONE).refused(403, "AuthorizationFailed");
    site.manage(NOBODY, "GET", &deleted("deletedVaults", "kv-1"), NONE).refused(403, "AuthorizationFailed");
    grant(&format!("/subscriptions/{SUBSCRIPTION}"), "Key Vault Contributor", 2);
    site.manage(NOBODY, "GET", &deleted("deletedVaults", "kv-1"), NONE).is(200);
    let contributor = site.manage(NOBODY, "POST", &purge("deletedVaults", "kv-1"), NONE);
    contributor.refused(403, "AuthorizationFailed");
    grant(&format!("/subscriptions/{SUBSCRIPTION}"), "Owner", 3);
    site.manage(NOBODY, "POST", &purge("deletedVaults", "kv-1"), NONE).is(202);
}

#[test]
fn a_deleted_group_leaves_its_containers_recoverable() {
    let site = Site::empty();
    site.put(&vault("kv-1"), &new_vault()).is(200);
    site.put(&hsm("hsm-1"), &new_hsm()).is(202);
    site.delete(&format!("{}?api-version=2021-04-01", group("rg"))).is(200);
    site.get(&vault("kv-1")).refused(404, "ResourceGroupNotFound");
    site.get(&deleted("deletedVaults", "kv-1")).is(200);
    site.get(&deleted("deletedManagedHSMs", "hsm-1")).is(200);
    site.put(&vault("kv-1"), &recovery("recover")).refused(404, "ResourceGroupNotFound");
    let made = site.put(&format!("{}?api-version=2021-04-01", group("rg")), &json!({"location": "eastus"}));
    made.is(201);
    site.put(&vault("kv-1"), &recovery("recover")).is(200);
}

#[test]
fn dates_of_a_deletion_are_whole_seconds_and_days_apart() {
    let site = Site::empty();
    site.put(&vault("kv-1"), &new_vault()).is(200);
    site.delete(&vault("kv-1")).is(200);
    let shown = site.get(&deleted("deletedVaults", "kv-1")).body;
    let date = |name: &str| shown["properties"][name].as_str().unwrap().to_owned();
    let begin = (0..120).map(|back| site.identity.now().plus_seconds(-back));
    let begin: Vec<UnixTime> = begin.filter(|time| time.to_string() == date("deletionDate")).collect();
    assert_eq!(begin.len(), 1, "{}", date("deletionDate"));
    assert_eq!(begin[0].plus_seconds(90 * DAY).to_string(), date("scheduledPurgeDate"));
}
