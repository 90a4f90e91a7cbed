//! Vaults and managed HSMs through the resource manager, in process: creation, change, names, and every refusal that
//! the contract documents (key-vault §4.2).

use super::site::{
    ADMIN, ARM, HSM, NOBODY, OTHER_SUBSCRIPTION, SUBSCRIPTION, Site, TENANT, deleted, group, hsm, new_hsm, new_vault,
    request, role, vault, with,
};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;

#[test]
fn a_vault_is_ready_at_the_second_look() {
    let site = Site::empty();
    let created = site.put(&vault("kv-1"), &new_vault()).is(200).body;
    let properties = &created["properties"];
    assert_eq!(properties["provisioningState"], "RegisteringDns");
    assert_eq!(properties["vaultUri"], "https://kv-1.vault.localhost:8443");
    assert_eq!(created["type"], "Microsoft.KeyVault/vaults");
    assert_eq!(created["id"], vault("kv-1"));
    assert_eq!(properties["enabledForDeployment"], false);
    assert_eq!(properties["enableSoftDelete"], true);
    assert_eq!(properties["softDeleteRetentionInDays"], 90);
    assert_eq!(properties["publicNetworkAccess"], "Enabled");
    assert_eq!(properties.get("enablePurgeProtection"), None, "never set, never shown");
    assert_eq!(properties.get("createMode"), None);
    let shown = site.get(&vault("KV-1")).is(200).body;
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    assert_eq!(shown["properties"]["vaultUri"], "https://kv-1.vault.localhost:8443/");
    assert_eq!(shown["name"], "kv-1");
    assert!(site.manage(ADMIN, "HEAD", &vault("kv-1"), NONE).is(204).bytes.is_empty());
}

#[test]
fn a_managed_hsm_is_accepted_and_polled_for() {
    let site = Site::empty();
    let accepted = site.put(&hsm("hsm-1"), &new_hsm()).is(202);
    let properties = &accepted.body["properties"];
    assert_eq!(properties["provisioningState"], "Provisioning");
    assert_eq!(properties["hsmUri"], Value::Null);
    assert_eq!(properties["statusMessage"], "Allocating hardware");
    assert!(accepted.header("location").contains("/locations/eastus/managedHsmOperationResults/"));
    assert!(!accepted.header("retry-after").is_empty());
    let done = site.get(&accepted.path_in("location")).is(200).body;
    assert_eq!(done, site.get(&hsm("hsm-1")).is(200).body);
    let properties = &done["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["hsmUri"], "https://hsm-1.managedhsm.localhost:8443/");
    assert_eq!(properties["statusMessage"], "The Managed HSM is provisioned and ready to use.");
    assert_eq!(properties["enableSoftDelete"], true);
    assert_eq!(properties["enablePurgeProtection"], false, "shown for HSMs");
    assert_eq!(done["sku"], json!({"family": "B", "name": "Standard_B1"}));
    assert_eq!(properties["initialAdminObjectIds"], json!([ADMIN]));
    let regions = site.get(&format!("{}/regions", hsm("hsm-1"))).is(200).body;
    assert_eq!(regions["value"][0], json!({"name": "eastus", "provisioningState": "Succeeded", "isPrimary": true}));
}

#[test]
fn a_managed_hsm_leaves_its_further_regions_before_it_is_deleted() {
    let site = Site::empty();
    site.put(&hsm("hsm-1"), &new_hsm()).is(202);
    let extended = |regions: Value| {
        let body = json!({"properties": {"regions": regions}});
        site.manage(ADMIN, "PATCH", &hsm("hsm-1"), &body).is(202);
    };
    extended(json!([{"name": "eastus"}, {"name": "uksouth"}]));
    for path in [hsm("hsm-1"), group("rg")] {
        let refused = site.manage(ADMIN, "DELETE", &path, NONE).is(400);
        let text = "Soft delete of a pool hsm-1 that is extended to regions (uksouth) is not allowed.";
        assert_eq!(refused.body["error"], json!({"code": "400", "message": text}));
    }
    extended(json!([{"name": "eastus"}]));
    site.manage(ADMIN, "DELETE", &hsm("hsm-1"), NONE).is(202);
}

#[test]
fn lists_show_what_is_there_in_pages() {
    let site = Site::empty();
    for name in ["kv-a", "kv-b", "kv-c"] {
        site.put(&vault(name), &new_vault()).is(200);
    }
    site.put(&hsm("hsm-a"), &new_hsm()).is(202);
    let in_group = format!("{}/providers/Microsoft.KeyVault/vaults", group("rg"));
    let in_subscription = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults");
    for list in [&in_group, &in_subscription] {
        let first = site.get(&format!("{list}?$top=2")).is(200).body;
        let next = first["nextLink"].as_str().unwrap().strip_prefix(&format!("https://{ARM}")).unwrap();
        let second = site.get(next).is(200).body;
        let names = |page: &Value| page["value"].as_array().unwrap().iter().map(|each| each["name"].clone()).collect();
        let found: [Vec<Value>; 2] = [names(&first), names(&second)];
        assert_eq!(found.concat(), ["kv-a", "kv-b", "kv-c"]);
        assert_eq!(second.get("nextLink"), None);
    }
    site.get(&format!("{in_group}?$top=0")).refused(400, "InvalidTopParameter");
    let filter = "$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'%20and%20name%20eq%20'KV-B'";
    let found = site.get(&format!("/subscriptions/{SUBSCRIPTION}/resources?{filter}&api-version=2015-11-01")).is(200);
    assert_eq!(found.body["value"][0]["id"], vault("kv-b"));
    assert_eq!(found.body["value"].as_array().unwrap().len(), 1);
    let other_group = format!("{}/providers/Microsoft.KeyVault/vaults", group("rg2"));
    assert_eq!(site.get(&other_group).is(200).body, json!({"value": []}));
}

#[test]
fn the_permission_model_of_a_new_vault_comes_from_the_version_and_stays() {
    let site = Site::empty();
    let mut body = new_vault();
    body["properties"].as_object_mut().unwrap().remove("enableRbacAuthorization");
    for (name, first, then, rbac) in
        [("old-one", "2025-05-01", "2026-05-15", false), ("new-one", "2026-02-01", "2019-09-01", true)]
    {
        for version in [first, then] {
            let answer = site.put(&format!("{}?api-version={version}", vault(name)), &body).is(200);
            assert_eq!(answer.body["properties"]["enableRbacAuthorization"], rbac, "{name} {version}");
        }
        let patch = json!({"tags": {"a": "b"}});
        let patched = site.manage(ADMIN, "PATCH", &format!("{}?api-version={then}", vault(name)), &patch).is(200).body;
        assert_eq!(patched["properties"]["enableRbacAuthorization"], rbac);
        assert_eq!(patched["tags"], patch["tags"]);
    }
}

const NO_UNPROTECTION: &str = "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge \
                               protection for a vault is an irreversible action.";
const NO_HARD_DELETE: &str = "The property \"enableSoftDelete\" can be set to false only for creating new vault. \
                              Enabling the 'soft delete' functionality is an irreversible action.";
const RETENTION_IS_SET: &str =
    "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.";
const BAD_TENANT: &str = "An invalid value was provided for 'tenantId'.";

#[test]
fn what_is_immutable_in_a_vault_is_refused_in_the_contracts_words() {
    let site = Site::empty();
    let protected = with(new_vault(), &json!({"enablePurgeProtection": true, "softDeleteRetentionInDays": 30}));
    site.put(&vault("kv-1"), &protected).is(200);
    let before = site.get(&vault("kv-1")).body;
    for (change, message) in [
        (json!({"enablePurgeProtection": false}), NO_UNPROTECTION),
        (json!({"enableSoftDelete": false}), NO_HARD_DELETE),
        (json!({"softDeleteRetentionInDays": 31}), RETENTION_IS_SET),
        (json!({"tenantId": "contoso"}), BAD_TENANT),
        (json!({"tenantId": NOBODY}), BAD_TENANT),
    ] {
        let put = site.put(&vault("kv-1"), &with(new_vault(), &change)).refused(400, "BadRequest");
        assert_eq!(put.message(), message, "PUT {change}");
        let patch = site.manage(ADMIN, "PATCH", &vault("kv-1"), &json!({"properties": change}));
        assert_eq!(patch.refused(400, "BadRequest").message(), message, "PATCH {change}");
    }
    let mut moved = new_vault();
    moved["location"] = json!("westus");
    site.put(&vault("kv-1"), &moved).refused(409, "InvalidResourceLocation");
    assert_eq!(site.get(&vault("kv-1")).body, before, "nothing of it happened");
    moved["location"] = json!("East US");
    let same = with(moved, &json!({"softDeleteRetentionInDays": 30, "enableSoftDelete": true}));
    let after = site.put(&vault("kv-1"), &same).is(200).body;
    assert_eq!(after["properties"]["enablePurgeProtection"], true, "what is left out stays");
    assert_eq!(after["properties"]["softDeleteRetentionInDays"], 30);
}

#[test]
fn a_new_vault_is_refused_what_it_could_never_be() {
    let site = Site::empty();
    let put = |change: Value| site.put(&vault("kv-1"), &with(new_vault(), &change));
    for (change, message) in [
        (json!({"enablePurgeProtection": false}), NO_UNPROTECTION),
        (json!({"tenantId": null}), BAD_TENANT),
        (json!({"tenantId": NOBODY}), BAD_TENANT),
    ] {
        assert_eq!(put(change.clone()).refused(400, "BadRequest").message(), message, "{change}");
    }
    for days in [6, 91, -1] {
        put(json!({"softDeleteRetentionInDays": days})).refused(400, "BadRequest");
    }
    for acls in [json!({"ipRules": [{"value": "10.0.0.0/33"}]}), json!({"defaultAction": "maybe"})] {
        put(json!({"networkAcls": acls})).refused(400, "BadRequest");
    }
    put(json!({"sku": {"family": "A", "name": "gold"}})).refused(400, "SkuNotSupported");
    put(json!({"createMode": "sometimes"})).refused(400, "BadRequest");
    let nowhere = json!({"properties": new_vault()["properties"]});
    site.put(&vault("kv-1"), &nowhere).refused(400, "LocationRequired");
    let hard = with(new_vault(), &json!({"enableSoftDelete": false}));
    let since = site.put(&format!("{}?api-version=2019-09-01", vault("kv-1")), &hard).refused(400, "BadRequest");
    assert_eq!(since.message(), NO_HARD_DELETE);
    site.get(&vault("kv-1")).refused(404, "ResourceNotFound");
}

#[test]
fn a_managed_hsm_may_say_that_it_is_not_protected_until_it_is() {
    let site = Site::empty();
    let put = |change: Value| site.put(&hsm("hsm-1"), &with(new_hsm(), &change));
    put(json!({"enableSoftDelete": false})).refused(400, "BadRequest");
    put(json!({"initialAdminObjectIds": []})).refused(400, "BadRequest");
    put(json!({"initialAdminObjectIds": ["nobody"]})).refused(400, "BadRequest");
    put(json!({"softDeleteRetentionInDays": 91})).refused(400, "BadRequest");
    let days = json!({"enablePurgeProtection": false, "softDeleteRetentionInDays": "28"});
    assert_eq!(put(days).is(202).body["properties"]["softDeleteRetentionInDays"], 28);
    assert_eq!(put(json!({"softDeleteRetentionInDays": 29})).refused(400, "BadRequest").message(), RETENTION_IS_SET);
    put(json!({"enablePurgeProtection": false})).is(202);
    assert_eq!(put(json!({"enablePurgeProtection": true})).is(202).body["properties"]["provisioningState"], "Updating");
    put(json!({"enablePurgeProtection": false})).refused(400, "BadRequest");
    assert_eq!(put(json!({"enableSoftDelete": false})).refused(400, "BadRequest").message(), NO_HARD_DELETE);
    assert_eq!(site.get(&hsm("hsm-1")).body["properties"]["enablePurgeProtection"], true);
}

#[test]
fn names_follow_the_rule_and_are_unique_without_case() {
    let site = Site::empty();
    for name in ["ab", "a234567890123456789012345", "1abc", "-abc", "abc-", "a--b", "a_bc", "a.bc", "\u{e9}bc"] {
        let name: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        site.put(&vault(&name), &new_vault()).refused(400, "VaultNameNotValid");
        site.put(&hsm(&name), &new_hsm()).refused(400, "ManagedHsmNameNotValid");
    }
    site.put(&vault("Taken"), &new_vault()).is(200);
    for place in ["rg2", "elsewhere"] {
        let elsewhere = format!("{}/providers/Microsoft.KeyVault/vaults/tAKEN", group(place));
        let refused = site.put(&elsewhere, &new_vault()).refused(409, "VaultAlreadyExists");
        let literal = "The vault name 'tAKEN' is already in use. Vault names are globaly unique";
        assert!(refused.message().starts_with(literal), "{}", refused.message());
    }
    site.put(&hsm("taken"), &new_hsm()).is(202);
    assert_eq!(site.put(&vault("TAKEN"), &new_vault()).is(200).body["name"], "Taken", "an update, not another one");
}

#[test]
fn a_name_check_always_answers() {
    let site = Site::empty();
    site.put(&vault("taken"), &new_vault()).is(200);
    site.put(&vault("gone"), &new_vault()).is(200);
    site.delete(&vault("gone")).is(200);
    let check = |subscription, name: &str| {
        let path = format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/checkNameAvailability");
        let answer = site.post(&path, &json!({"name": name, "type": "Microsoft.KeyVault/vaults"})).is(200).body;
        (answer["nameAvailable"].as_bool().unwrap(), answer["reason"].as_str().map(str::to_owned))
    };
    let taken = (false, Some("AlreadyExists".to_owned()));
    for subscription in [SUBSCRIPTION, OTHER_SUBSCRIPTION] {
        assert_eq!(check(subscription, "free"), (true, None));
        assert_eq!(check(subscription, "TAKEN"), taken);
        assert_eq!(check(subscription, "gone"), taken);
        assert_eq!(check(subscription, "1"), (false, Some("AccountNameInvalid".to_owned())));
    }
    site.post(&format!("{}/purge", deleted("deletedVaults", "gone")), NONE).is(202);
    assert_eq!(check(SUBSCRIPTION, "gone"), (true, None));
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/checkMhsmNameAvailability");
    assert_eq!(site.post(&path, &json!({"name": "taken"})).is(200).body, json!({"nameAvailable": true}));
    site.put(&hsm("taken"), &new_hsm()).is(202);
    assert_eq!(site.post(&path, &json!({"name": "taken"})).is(200).body["reason"], "AlreadyExists");
}

#[test]
fn a_patch_changes_what_it_names() {
    let site = Site::empty();
    let mut body = with(new_vault(), &json!({"enabledForDeployment": true}));
    body["tags"] = json!({"a": "b"});
    site.put(&vault("kv-1"), &body).is(200);
    let acls = json!({"defaultAction": "deny", "ipRules": [{"value": "198.51.100.0/24"}]});
    let change = json!({"properties": {"networkAcls": acls, "publicNetworkAccess": "disabled"}});
    let patched = site.manage(ADMIN, "PATCH", &vault("kv-1"), &change).is(200).body;
    assert_eq!(patched["tags"], json!({"a": "b"}));
    assert_eq!(patched["properties"]["enabledForDeployment"], true);
    assert_eq!(patched["properties"]["publicNetworkAccess"], "Disabled");
    assert_eq!(patched["properties"]["networkAcls"]["bypass"], "AzureServices");
    assert_eq!(patched["properties"]["networkAcls"]["defaultAction"], "Deny");
    site.manage(ADMIN, "PATCH", &vault("kv-2"), &change).refused(404, "ResourceNotFound");
    let tags = site.manage(ADMIN, "PATCH", &vault("kv-1"), &json!({"tags": {}})).is(200).body;
    assert_eq!(tags["tags"], json!({}));
    assert_eq!(tags["properties"]["networkAcls"], patched["properties"]["networkAcls"]);
}

#[test]
fn what_is_not_there_is_named() {
    let site = Site::empty();
    let missing = site.get(&vault("kv-1")).refused(404, "ResourceNotFound");
    assert_eq!(
        missing.message(),
        "The Resource 'Microsoft.KeyVault/vaults/kv-1' under resource group 'rg' was not found. For more details \
         please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    site.get(&hsm("hsm-1")).refused(404, "ResourceNotFound");
    let no_group = format!("{}/providers/Microsoft.KeyVault/vaults/kv-1", group("nowhere"));
    let missing = site.put(&no_group, &new_vault()).refused(404, "ResourceGroupNotFound");
    assert_eq!(missing.message(), "Resource group 'nowhere' could not be found.");
    site.get(&no_group).refused(404, "ResourceGroupNotFound");
    site.get(&format!("/subscriptions/{NOBODY}")).refused(404, "SubscriptionNotFound");
    site.get("/subscriptions/mine").refused(400, "InvalidSubscriptionId");
    site.get(&format!("{}/keys/k", vault("kv-1"))).refused(400, "NotSupported");
    site.get(&format!("{}/providers/Microsoft.Web/sites/s", group("rg"))).refused(404, "InvalidResourceNamespace");
    site.get(&format!("{}/providers/Microsoft.KeyVault/safes/s", group("rg"))).refused(404, "InvalidResourceType");
    site.manage(ADMIN, "POST", &vault("kv-1"), NONE).refused(405, "MethodNotAllowed");
    site.get(&format!("{}?api-version=2031-01-01", vault("kv-1"))).refused(400, "NoRegisteredProviderFound");
    let token = site.token(ADMIN, "https://management.azure.com");
    let bare = site.resource_manager(request(ARM, "GET", &vault("kv-1"), Some(&token), b""));
    bare.refused(400, "MissingApiVersionParameter");
    site.manage(ADMIN, "PUT", &vault("kv-1"), &json!([TENANT])).refused(400, "InvalidRequestContent");
}

#[test]
fn an_array_is_no_object_even_where_its_items_would_fit() {
    let site = Site::new();
    let properties = &new_vault()["properties"];
    site.put(&vault("kv-1"), &json!(["eastus", {}, null, null, properties])).refused(400, "InvalidRequestContent");
    let sku = with(new_vault(), &json!({"sku": ["A", "premium"]}));
    site.put(&vault("kv-1"), &sku).refused(400, "InvalidRequestContent");
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{NOBODY}", vault("kv1"));
    let grant = json!({"properties": [role("Reader"), NOBODY, null]});
    site.put(&assignment, &grant).refused(400, "InvalidRequestContent");
    let local = format!("/keys/k/providers/Microsoft.Authorization/roleAssignments/{NOBODY}");
    let grant = json!({"properties": ["21dbd100-6940-42c2-9190-5d6cb909625b", NOBODY]});
    site.call(HSM, "PUT", &local, &grant).refused(400, "BadParameter");
}

#[test]
fn those_without_a_role_see_nothing_and_change_nothing() {
    let site = Site::new();
    let refused = site.manage(NOBODY, "GET", &vault("kv1"), NONE).refused(403, "AuthorizationFailed");
    assert_eq!(
        refused.message(),
        format!(
            "The client '{NOBODY}' with object id '{NOBODY}' does not have authorization to perform action \
             'Microsoft.KeyVault/vaults/read' over scope '{}' or the scope is invalid. If access was recently granted, \
             please refresh your credentials.",
            vault("kv1")
        )
    );
    for (method, path, body) in [
        ("PUT", vault("kv1"), new_vault()),
        ("PUT", vault("kv9"), new_vault()),
        ("PATCH", vault("kv1"), json!({"tags": {}})),
        ("DELETE", vault("kv1"), Value::Null),
        ("DELETE", hsm("hsm1"), Value::Null),
        ("GET", vault("nothing"), Value::Null),
        ("GET", deleted("deletedVaults", "kv1"), Value::Null),
        ("POST", format!("{}/purge", deleted("deletedVaults", "kv1")), Value::Null),
        ("PUT", format!("{}/accessPolicies/add", vault("kv1")), json!({"properties": {"accessPolicies": []}})),
    ] {
        site.manage(NOBODY, method, &path, &body).refused(403, "AuthorizationFailed");
    }
    let list = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults");
    site.manage(NOBODY, "GET", &list, NONE).refused(404, "SubscriptionNotFound");
    assert_eq!(site.manage(NOBODY, "GET", "/subscriptions", NONE).is(200).body, json!({"value": []}));
}
