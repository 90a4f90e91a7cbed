//! Who may do what, in process: access policies of vaults, and role assignments of the resource manager.

use super::site::{
    ADMIN, ARM, NOBODY, SUBSCRIPTION, Site, TENANT, VAULT, group, new_vault, request, role, vault, with,
};
use domain::Guid;
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;
/// Keys permissions in the words of a policy, purge left out.
const ALL_BUT_PURGE: [&str; 6] = ["create", "Get", "list", "delete", "recover", "sign"];

fn policy(who: Guid, keys: &[&str]) -> Value {
    json!({"tenantId": TENANT, "objectId": who, "permissions": {"keys": keys, "secrets": [], "certificates": []}})
}

fn policies(policies: &[Value]) -> Value {
    json!({"properties": {"accessPolicies": policies}})
}

/// A site with a vault that goes by access policies.
fn with_policies(held: &[Value]) -> Site {
    let site = Site::empty();
    let body = with(new_vault(), &json!({"enableRbacAuthorization": false, "accessPolicies": held}));
    site.put(&vault("kv1"), &body).is(200);
    site
}

#[test]
fn a_policy_without_purge_lets_do_all_but_purge() {
    let site = with_policies(&[policy(ADMIN, &ALL_BUT_PURGE)]);
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    site.call(VAULT, "DELETE", "/keys/k", NONE).is(200);
    let refused = site.call(VAULT, "DELETE", "/deletedkeys/k", NONE).refused(403, "Forbidden");
    assert_eq!(refused.body["error"]["innererror"]["code"], "AccessDenied");
    assert_eq!(
        refused.message(),
        format!(
            "The user, group or application 'appid={ADMIN};oid={ADMIN};iss=https://sts.windows.net/{TENANT}/' does not \
             have keys purge permission on key vault 'kv1;location=eastus'. For help resolving this issue, please see \
             https://go.microsoft.com/fwlink/?linkid=2125287"
        )
    );
    site.call(VAULT, "POST", "/deletedkeys/k/recover", NONE).is(200);
    site.call(VAULT, "DELETE", "/keys/k", NONE).is(200);
    let purge = policies(&[policy(ADMIN, &["PURGE"])]);
    site.put(&format!("{}/accessPolicies/add", vault("kv1")), &purge).is(200);
    site.call(VAULT, "DELETE", "/deletedkeys/k", NONE).is(204);
}

#[test]
fn roles_do_not_count_where_policies_do() {
    let site = with_policies(&[]);
    // The administrator is Key Vault Administrator here, who may use every key of a vault with roles.
    let refused = site.call(VAULT, "GET", "/keys", NONE).refused(403, "Forbidden");
    assert_eq!(refused.body["error"]["innererror"]["code"], "AccessDenied");
    let roles = json!({"properties": {"enableRbacAuthorization": true}});
    site.manage(ADMIN, "PATCH", &vault("kv1"), &roles).is(200);
    site.call(VAULT, "GET", "/keys", NONE).is(200);
}

#[test]
fn policies_are_added_replaced_and_removed_per_principal() {
    let site = with_policies(&[policy(ADMIN, &["get"])]);
    let change = |how: &str, given: &[Value]| {
        let answer = site.put(&format!("{}/accessPolicies/{how}", vault("kv1")), &policies(given)).is(200).body;
        let held = answer["properties"]["accessPolicies"].as_array().unwrap().clone();
        let shown = site.get(&vault("kv1")).body;
        assert_eq!(shown["properties"]["accessPolicies"].as_array().unwrap(), &held);
        held.iter().map(|each| (each["objectId"].clone(), each["permissions"]["keys"].clone())).collect::<Vec<_>>()
    };
    let (admin, nobody) = (json!(ADMIN), json!(NOBODY));
    let add = change("add", &[policy(ADMIN, &["GET", "list"]), policy(NOBODY, &["get"])]);
    assert_eq!(add, [(admin.clone(), json!(["get", "list"])), (nobody.clone(), json!(["get"]))]);
    site.key(Some(NOBODY), VAULT, "GET", "/keys?api-version=7.6", b"").refused(403, "Forbidden");
    let replaced = change("replace", &[policy(NOBODY, &["list", "sign"])]);
    assert_eq!(replaced, [(admin.clone(), json!(["get", "list"])), (nobody.clone(), json!(["list", "sign"]))]);
    site.key(Some(NOBODY), VAULT, "GET", "/keys?api-version=7.6", b"").is(200);
    let removed = change("remove", &[policy(NOBODY, &["List"])]);
    assert_eq!(removed, [(admin.clone(), json!(["get", "list"])), (nobody, json!(["sign"]))]);
    site.key(Some(NOBODY), VAULT, "GET", "/keys?api-version=7.6", b"").refused(403, "Forbidden");
    assert_eq!(change("remove", &[policy(NOBODY, &["all"])]), [(admin, json!(["get", "list"]))], "nothing left of it");
}

#[test]
fn a_policy_for_a_user_through_an_application_is_not_the_users() {
    let site = with_policies(&[]);
    let through = |app: Guid| {
        let mut compound = policy(NOBODY, &["list"]);
        compound["applicationId"] = json!(app);
        site.put(&format!("{}/accessPolicies/add", vault("kv1")), &policies(&[compound])).is(200);
        site.key(Some(NOBODY), VAULT, "GET", "/keys?api-version=7.6", b"").status
    };
    assert_eq!(through(ADMIN), 403);
    assert_eq!(through(NOBODY), 200);
}

#[test]
fn a_policy_of_another_tenant_grants_nothing() {
    let site = with_policies(&[]);
    let mut foreign = policy(ADMIN, &["list"]);
    foreign["tenantId"] = json!(NOBODY);
    let added = site.put(&format!("{}/accessPolicies/add", vault("kv1")), &policies(&[foreign])).status;
    assert!([200, 400].contains(&added), "{added}");
    site.call(VAULT, "GET", "/keys", NONE).refused(403, "Forbidden");
}

#[test]
fn what_is_no_policy_is_refused() {
    let site = with_policies(&[]);
    let path = format!("{}/accessPolicies/add", vault("kv1"));
    for (member, value) in [("tenantId", "t"), ("objectId", "o"), ("applicationId", "a")] {
        let mut bad = policy(NOBODY, &["get"]);
        bad[member] = json!(value);
        site.put(&path, &policies(&[bad])).refused(400, "BadRequest");
    }
    site.put(&path, &json!({})).refused(400, "BadRequest");
    site.put(&path, &policies(&vec![policy(NOBODY, &["get"]); 1025])).refused(400, "BadRequest");
    site.put(&format!("{}/accessPolicies/forget", vault("kv1")), NONE).is(404);
    site.put(&format!("{}/accessPolicies/add", vault("kv2")), &policies(&[])).refused(404, "ResourceNotFound");
    assert_eq!(site.get(&vault("kv1")).body["properties"]["accessPolicies"], json!([]));
}

fn assignment(scope: &str, name: u128) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", Guid::from_u128(name))
}

fn grant(role_name: &str) -> Value {
    let definition =
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{}", role(role_name));
    json!({"properties": {"roleDefinitionId": definition, "principalId": NOBODY, "principalType": "ServicePrincipal"}})
}

#[test]
fn a_role_holds_from_its_assignment_to_its_removal() {
    let site = Site::new();
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    let read = || site.key(Some(NOBODY), VAULT, "GET", "/keys/k?api-version=7.6", b"");
    read().refused(403, "Forbidden");
    let path = assignment(&vault("kv1"), 1);
    let made = site.put(&path, &grant("Key Vault Crypto User")).is(201).body;
    assert_eq!(made["id"], path);
    assert_eq!(made["type"], "Microsoft.Authorization/roleAssignments");
    let properties = &made["properties"];
    assert_eq!(properties["scope"], vault("kv1"));
    assert_eq!(properties["principalType"], "ServicePrincipal");
    assert_eq!(properties["roleDefinitionId"], grant("Key Vault Crypto User")["properties"]["roleDefinitionId"]);
    read().is(200);
    let create = site.key(Some(NOBODY), VAULT, "POST", "/keys/new/create?api-version=7.6", br#"{"kty":"EC"}"#);
    create.refused(403, "Forbidden");
    site.manage(NOBODY, "GET", &vault("kv1"), NONE).refused(403, "AuthorizationFailed");
    assert_eq!(site.get(&path).is(200).body, made);
    assert_eq!(site.delete(&path).is(200).body, made);
    read().refused(403, "Forbidden");
    assert!(site.delete(&path).is(204).bytes.is_empty());
    site.get(&path).refused(404, "RoleAssignmentNotFound");
}

#[test]
fn the_same_role_is_assigned_once_at_a_scope() {
    let site = Site::new();
    site.put(&assignment(&vault("kv1"), 1), &grant("Reader")).is(201);
    for (scope, name, role) in [
        (vault("kv1"), 1, "Reader"),
        (vault("kv1"), 2, "Reader"),
        (vault("KV1"), 2, "Reader"),
        (vault("kv1"), 1, "Owner"),
        (group("rg"), 1, "Reader"),
    ] {
        let again = site.put(&assignment(&scope, name), &grant(role)).refused(409, "RoleAssignmentExists");
        assert_eq!(again.message(), "The role assignment already exists.");
    }
    site.put(&assignment(&group("rg"), 2), &grant("Reader")).is(201);
    site.put(&assignment(&vault("kv1"), 3), &grant("Owner")).is(201);
}

#[test]
fn what_is_no_assignment_is_refused() {
    let site = Site::new();
    let path = assignment(&vault("kv1"), 1);
    let unknown = json!({"properties": {"roleDefinitionId": NOBODY, "principalId": NOBODY}});
    site.put(&path, &unknown).refused(404, "RoleDefinitionDoesNotExist");
    for body in [
        json!({}),
        json!({"properties": {"principalId": NOBODY}}),
        json!({"properties": {"roleDefinitionId": role("Reader"), "principalId": "me"}}),
    ] {
        site.put(&path, &body).refused(400, "InvalidCreateRoleAssignmentRequest");
    }
    let mut conditional = grant("Reader");
    conditional["properties"]["condition"] = json!("@Resource[x] StringEquals 'y'");
    site.put(&path, &conditional).refused(400, "NotSupported");
    let named = format!("{}/providers/Microsoft.Authorization/roleAssignments/first", vault("kv1"));
    site.put(&named, &grant("Reader")).refused(400, "InvalidRoleAssignmentId");
    site.manage(NOBODY, "PUT", &path, &grant("Owner")).refused(403, "AuthorizationFailed");
    site.get(&path).refused(404, "RoleAssignmentNotFound");
}

#[test]
fn an_assignment_is_removed_through_its_own_scope_only() {
    let site = Site::new();
    let above = format!("/subscriptions/{SUBSCRIPTION}");
    site.put(&assignment(&group("rg"), 1), &grant("Reader")).is(201);
    // An owner of one vault has no say about the group it is in.
    site.put(&assignment(&vault("kv1"), 2), &grant("Owner")).is(201);
    site.manage(NOBODY, "DELETE", &assignment(&vault("kv1"), 1), NONE).is(204);
    site.manage(NOBODY, "DELETE", &assignment(&group("rg"), 1), NONE).refused(403, "AuthorizationFailed");
    for scope in [vault("kv1"), vault("kvold"), group("rg2"), above] {
        site.delete(&assignment(&scope, 1)).is(204);
        site.get(&assignment(&group("rg"), 1)).is(200);
    }
    site.delete(&assignment(&group("RG"), 1)).is(200);
    site.get(&assignment(&group("rg"), 1)).refused(404, "RoleAssignmentNotFound");
}

#[test]
fn the_last_owner_of_a_subscription_stays() {
    let site = Site::new();
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    let all = site.get(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()")).body;
    let is_owner =
        |each: &&Value| each["properties"]["roleDefinitionId"].as_str().unwrap().ends_with(&role("Owner").to_string());
    let last = all["value"].as_array().unwrap().iter().find(is_owner).unwrap()["id"].as_str().unwrap();
    let refused = site.delete(last).refused(412, "CannotDeleteLastRbacAdminAssignment");
    assert_eq!(refused.message(), "Cannot delete the last RBAC admin assignment");
    site.put(&assignment(&group("rg"), 1), &grant("Owner")).is(201);
    site.delete(last).refused(412, "CannotDeleteLastRbacAdminAssignment");
    site.put(&assignment(&scope, 2), &grant("User Access Administrator")).is(201);
    site.delete(last).is(200);
}

#[test]
fn lists_of_assignments_are_filtered_by_scope_and_principal() {
    let site = Site::new();
    site.put(&assignment(&group("rg"), 1), &grant("Reader")).is(201);
    site.put(&assignment(&vault("kv1"), 2), &grant("Reader")).is(201);
    site.put(&assignment(&vault("kvold"), 3), &grant("Reader")).is(201);
    let list = |scope: &str, filter: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments?$filter={filter}");
        let found = site.get(&path).is(200).body;
        let mut names: Vec<String> =
            found["value"].as_array().unwrap().iter().map(|each| each["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let names = |names: &[u128]| names.iter().map(|name| Guid::from_u128(*name).to_string()).collect::<Vec<_>>();
    let mine = format!("principalId%20eq%20'{NOBODY}'");
    let assigned_at_scope = format!("atScope()%20and%20assignedTo('{NOBODY}')");
    assert_eq!(list(&group("rg"), &mine), names(&[1, 2, 3]));
    assert_eq!(list(&group("rg"), &assigned_at_scope), names(&[1]));
    assert_eq!(list(&vault("kv1"), &assigned_at_scope), names(&[1, 2]));
    assert_eq!(list(&vault("kv1"), &mine), names(&[1, 2]));
    assert_eq!(list(&group("rg2"), &mine), names(&[]));
    let bad = format!("{}/providers/Microsoft.Authorization/roleAssignments?$filter=name%20ne%20'x'", group("rg"));
    site.get(&bad).refused(400, "InvalidFilterInQueryString");
    let definitions = format!("{}/providers/Microsoft.Authorization/roleDefinitions", group("rg"));
    let reader = site.get(&format!("{definitions}?$filter=roleName%20eq%20'reader'")).is(200).body;
    assert_eq!(reader["value"].as_array().unwrap().len(), 1);
    assert_eq!(reader["value"][0]["name"], json!(role("Reader")));
    site.get(&format!("{definitions}/{}", role("Reader"))).is(200);
    site.get(&format!("{definitions}/{NOBODY}")).refused(404, "RoleDefinitionDoesNotExist");
}

#[test]
fn the_resource_manager_says_why_a_token_is_refused() {
    let site = Site::new();
    let ask = |token: Option<&str>| {
        site.resource_manager(request(ARM, "GET", &format!("{}?api-version=2024-11-01", vault("kv1")), token, b""))
    };
    let missing = ask(None).refused(401, "AuthenticationFailed");
    assert_eq!(missing.message(), "Authentication failed. The 'Authorization' header is missing.");
    let challenge = format!("Bearer authorization_uri=\"https://localhost:8443/{TENANT}\", error=\"invalid_token\"");
    assert!(missing.header("www-authenticate").starts_with(&challenge));
    ask(Some("e30.e30.e30")).refused(401, "InvalidAuthenticationToken");
    let vaults = site.token(ADMIN, "https://vault.localhost:8443");
    ask(Some(&vaults)).refused(401, "InvalidAuthenticationTokenAudience");
    let good = site.token(ADMIN, "https://management.core.windows.net/");
    ask(Some(&good)).is(200);
    // The last character of a signature carries bits that are padding: change one in the middle.
    let at = good.len() - 40;
    let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
    let forged = format!("{}{other}{}", &good[..at], &good[at + 1..]);
    let forged = ask(Some(&forged)).refused(401, "AuthenticationFailed");
    assert!(forged.claims().contains("nbf"), "a new token might do");
}
