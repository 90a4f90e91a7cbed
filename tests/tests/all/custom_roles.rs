//! Custom role definitions over both wires, in process: as clients write them, and what they are refused.

use super::site::{ADMIN, HSM, NOBODY, SUBSCRIPTION, Site, VAULT, group, hsm, role, vault};
use domain::{
    Guid, Operation,
    access::{azure_roles, hsm_roles},
};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;
const HSM_ACTIONS: &str = "Microsoft.KeyVault/managedHsm";
const VAULT_ACTIONS: &str = "Microsoft.KeyVault/vaults";

fn local(scope: &str, id: impl ToString) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", id.to_string())
}

fn azure(scope: &str, id: u128) -> String {
    local(scope, Guid::from_u128(id))
}

/// A body with data actions of one kind of container, in short form.
fn definition(name: &str, prefix: &str, actions: &[&str], scopes: &[&str]) -> Value {
    let actions: Vec<String> = actions.iter().map(|action| format!("{prefix}/{action}")).collect();
    json!({"properties": {
        "roleName": name, "description": "as told", "type": "CustomRole", "assignableScopes": scopes,
        "permissions": [{"actions": [], "notActions": [], "dataActions": actions, "notDataActions": []}],
    }})
}

fn grant(role: Guid) -> Value {
    json!({"properties": {"roleDefinitionId": format!("x/roleDefinitions/{role}"), "principalId": NOBODY}})
}

fn assignment(scope: &str, name: u128) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", Guid::from_u128(name))
}

/// Everything that a caller may try with a key in both kinds of container: what it is called, and the request.
fn attempts() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let value = json!({"alg": "RSA-OAEP-256", "value": "AAAA"});
    vec![
        ("create", "POST", "/keys/new/create", json!({"kty": "RSA"})),
        ("read", "GET", "/keys/k", Value::Null),
        ("list", "GET", "/keys", Value::Null),
        ("update", "PATCH", "/keys/k/", json!({})),
        ("backup", "POST", "/keys/k/backup", Value::Null),
        ("rotate", "POST", "/keys/k/rotate", Value::Null),
        ("encrypt", "POST", "/keys/k/encrypt", value.clone()),
        ("wrap", "POST", "/keys/k/wrapkey", value),
        ("sign", "POST", "/keys/k/sign", json!({"alg": "RS256", "value": "A".repeat(43)})),
        ("delete", "DELETE", "/keys/k", Value::Null),
        ("list deleted", "GET", "/deletedkeys", Value::Null),
        ("recover", "POST", "/deletedkeys/gone/recover", Value::Null),
        ("purge", "DELETE", "/deletedkeys/other/", Value::Null),
    ]
}

/// What somebody may do with the keys of a container, each thing tried.
fn allowed(site: &Site, host: &str) -> Vec<&'static str> {
    for name in ["k", "gone", "other"] {
        let body = br#"{"kty":"RSA","key_ops":["sign","encrypt","wrapKey"]}"#;
        site.key(Some(ADMIN), host, "POST", &format!("/keys/{name}/create?api-version=7.6"), body).is(200);
    }
    site.call(host, "DELETE", "/keys/gone", NONE).is(200);
    site.call(host, "DELETE", "/keys/other", NONE).is(200);
    let mut allowed = Vec::new();
    for (what, method, path, body) in attempts() {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = site.key(Some(NOBODY), host, method, &format!("{path}?api-version=7.6"), &body);
        if answer.status != 403 {
            allowed.push(what);
        }
    }
    allowed
}

#[test]
fn exactly_one_data_action_lets_do_exactly_that_in_an_hsm() {
    for (action, expected) in [
        ("keys/sign/action", &["sign"][..]),
        ("keys/delete", &["delete"]),
        ("keys/create", &["create"]),
        ("keys/read/action", &["read", "list"]),
        ("keys/deletedKeys/delete", &["purge"]),
        ("keys/deletedKeys/recover/action", &["recover"]),
    ] {
        let site = Site::new();
        let body = definition("One", HSM_ACTIONS, &[action], &["/"]);
        site.call(HSM, "PUT", &local("", Guid::from_u128(9)), &body).is(201);
        site.call(HSM, "PUT", &assignment("", 1), &grant(Guid::from_u128(9))).is(201);
        assert_eq!(allowed(&site, HSM), expected, "{action}");
    }
}

#[test]
fn exactly_one_data_action_lets_do_exactly_that_in_a_vault() {
    for (action, expected) in [
        ("keys/sign/action", &["sign"][..]),
        ("keys/delete", &["delete"]),
        ("keys/create/action", &["create"]),
        ("keys/read", &["read", "list", "list deleted"]),
        ("keys/purge/action", &["purge"]),
        ("keys/recover/action", &["recover"]),
    ] {
        let site = Site::new();
        let body = definition("One", VAULT_ACTIONS, &[action], &[&group("rg")]);
        site.put(&azure(&group("rg"), 9), &body).is(201);
        site.put(&assignment(&vault("kv1"), 1), &grant(Guid::from_u128(9))).is(201);
        assert_eq!(allowed(&site, VAULT), expected, "{action}");
    }
}

#[test]
fn a_local_definition_is_made_shown_changed_and_removed() {
    let site = Site::new();
    let id = Guid::from_u128(9);
    let path = local("///", id);
    let body = definition("Signer", HSM_ACTIONS, &["keys/sign/action"], &["/keys"]);
    let made = site.call(HSM, "PUT", &path, &body).is(201).body;
    let expected = json!({
        "id": format!("Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{id}"),
        "name": id, "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": "Signer", "description": "as told", "type": "CustomRole", "assignableScopes": ["/"],
            "permissions": [{
                "actions": [], "notActions": [], "notDataActions": [],
                "dataActions": [format!("{HSM_ACTIONS}/keys/sign/action")],
            }],
        },
    });
    assert_eq!(made, expected);
    // At any scope: clients look roles up where they assign them.
    for scope in ["", "/keys", "/keys/k"] {
        assert_eq!(site.call(HSM, "GET", &local(scope, id), NONE).is(200).body, expected, "{scope}");
        let list =
            format!("{scope}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'signer'");
        assert_eq!(site.call(HSM, "GET", &list, NONE).is(200).body["value"], json!([expected]));
    }
    let changed = definition("Verifier", HSM_ACTIONS, &["keys/verify/action"], &[]);
    let changed = site.call(HSM, "PUT", &path, &changed).is(201).body;
    assert_eq!(changed["properties"]["roleName"], "Verifier");
    assert_eq!(site.call(HSM, "DELETE", &path, NONE).is(200).body, changed);
    site.call(HSM, "GET", &path, NONE).refused(404, "RoleDefinitionNotFound");
    site.call(HSM, "DELETE", &path, NONE).refused(404, "RoleDefinitionNotFound");
    let listed = site.call(HSM, "GET", "/providers/Microsoft.Authorization/roleDefinitions", NONE).is(200).body;
    assert_eq!(listed["value"].as_array().unwrap().len(), hsm_roles().len());
}

#[test]
fn what_is_no_local_definition_is_refused() {
    let site = Site::new();
    let path = local("", Guid::from_u128(9));
    let good = definition("Signer", HSM_ACTIONS, &["keys/sign/action"], &["/"]);
    let refused = |method: &str, path: &str, body: &Value| {
        let refused = site.call(HSM, method, path, body).refused(400, "BadParameter");
        assert_eq!(refused.body["error"]["innererror"], Value::Null);
        refused.message().split(" (Activity ID: ").next().unwrap().to_owned()
    };
    let not_a_guid = "Role definition name must be a GUID";
    assert_eq!(refused("PUT", &local("", "signer"), &good), not_a_guid);
    assert_eq!(refused("DELETE", &local("", "signer"), NONE), not_a_guid);
    let reserved = "Cannot re-use the name/GUID matching that of a built-in role. Please use a unique role ID.";
    let built_in = local("", hsm_roles()[0].id);
    assert_eq!(refused("PUT", &built_in, &good), reserved);
    let named = definition("managed hsm administrator", HSM_ACTIONS, &[], &["/"]);
    assert_eq!(refused("PUT", &path, &named), reserved);
    assert_eq!(refused("DELETE", &built_in, NONE), "A built-in role definition cannot be deleted.");
    let unknown = definition("Flyer", HSM_ACTIONS, &["keys/fly"], &["/"]);
    assert_eq!(refused("PUT", &path, &unknown), format!("'{HSM_ACTIONS}/keys/fly' is not an action of a managed HSM."));
    refused("PUT", &path, &definition("Signer", HSM_ACTIONS, &[], &["/keys/k"]));
    refused("PUT", &local("/keys", Guid::from_u128(9)), &good);
    refused("PUT", &local("/keys/k", Guid::from_u128(9)), &good);
    refused("PUT", &path, &json!({}));
    site.call(HSM, "GET", &path, NONE).refused(404, "RoleDefinitionNotFound");
}

#[test]
fn an_hsm_takes_fifty_custom_definitions() {
    let site = Site::new();
    let body = |number: u128| definition(&number.to_string(), HSM_ACTIONS, &[], &["/"]);
    for number in 1..=50 {
        site.call(HSM, "PUT", &local("", Guid::from_u128(number)), &body(number)).is(201);
    }
    let full = site.call(HSM, "PUT", &local("", Guid::from_u128(51)), &body(51)).refused(400, "BadParameter");
    assert!(full.message().contains("50 custom role definitions"), "{}", full.message());
    site.call(HSM, "PUT", &local("", Guid::from_u128(50)), &body(7)).is(201);
    site.call(HSM, "DELETE", &local("", Guid::from_u128(1)), NONE).is(200);
    site.call(HSM, "PUT", &local("", Guid::from_u128(51)), &body(51)).is(201);
}

#[test]
fn local_definitions_are_for_whoever_has_the_right() {
    let site = Site::new();
    let path = format!("{}?api-version=7.4", local("", Guid::from_u128(9)));
    let body = definition("Signer", HSM_ACTIONS, &["keys/sign/action"], &["/"]).to_string();
    let as_nobody = |method: &str, body: &[u8]| site.key(Some(NOBODY), HSM, method, &path, body);
    for (method, body, right) in
        [("PUT", body.as_bytes(), "write"), ("DELETE", b"", "delete"), ("GET", b"", "read"), ("PUT", b"{", "write")]
    {
        let refused = as_nobody(method, body).refused(403, "AccessDenied");
        let text = format!("Not authorized to access {HSM_ACTIONS}/roleDefinitions/{right}/action on '/'");
        assert!(refused.message().starts_with(&text), "{}", refused.message());
    }
    let auditor = hsm_roles().iter().find(|role| role.name == "Managed HSM Crypto Auditor").unwrap().id;
    site.call(HSM, "PUT", &assignment("", 1), &grant(auditor)).is(201);
    as_nobody("PUT", body.as_bytes()).is(403);
    as_nobody("GET", b"").is(404);
    let officer = hsm_roles().iter().find(|role| role.name == "Managed HSM Crypto Officer").unwrap().id;
    site.call(HSM, "PUT", &assignment("", 2), &grant(officer)).is(201);
    as_nobody("PUT", body.as_bytes()).is(201);
    as_nobody("DELETE", b"").is(200);
}

#[test]
fn a_definition_of_azure_is_made_shown_changed_and_removed() {
    let site = Site::new();
    let (id, subscription) = (Guid::from_u128(9), format!("/subscriptions/{SUBSCRIPTION}"));
    let path = azure(&group("rg"), 9);
    let body = definition("Signer", VAULT_ACTIONS, &["keys/sign/action"], &[&group("rg")]);
    let made = site.put(&path, &body).is(201).body;
    assert_eq!(made["id"], local(&subscription, id));
    assert_eq!((&made["name"], &made["type"]), (&json!(id), &json!("Microsoft.Authorization/roleDefinitions")));
    let properties = &made["properties"];
    assert_eq!((&properties["type"], &properties["roleName"]), (&json!("CustomRole"), &json!("Signer")));
    assert_eq!(properties["assignableScopes"], json!([group("rg")]));
    assert_eq!(properties["permissions"], body["properties"]["permissions"]);
    assert!(properties["createdOn"].is_string() && properties["updatedOn"].is_string());
    assert_eq!(site.get(&path).is(200).body, made);
    site.clock.advance(60);
    let renamed = definition("Renamed", VAULT_ACTIONS, &[], &[&group("rg"), &group("rg2")]);
    let changed = site.put(&path, &renamed).is(201).body;
    assert_eq!(changed["properties"]["createdOn"], properties["createdOn"]);
    assert_ne!(changed["properties"]["updatedOn"], properties["updatedOn"]);
    assert_eq!(site.delete(&path).is(200).body, changed);
    assert!(site.delete(&path).is(204).bytes.is_empty());
    site.get(&path).refused(404, "RoleDefinitionDoesNotExist");
}

#[test]
fn lists_of_definitions_show_what_is_assignable_there() {
    let site = Site::new();
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    for (id, scope) in [(1, subscription.clone()), (2, group("rg")), (3, vault("kv1"))] {
        site.put(&azure(&scope, id), &definition(&format!("R{id}"), VAULT_ACTIONS, &[], &[&scope])).is(201);
    }
    let list = |scope: &str, filter: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions?$filter={filter}");
        let listed = site.get(&path).is(200).body;
        let names = listed["value"].as_array().unwrap().iter();
        names.map(|each| each["properties"]["roleName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let custom = "type%20eq%20'CustomRole'";
    assert_eq!(list(&vault("kv1"), custom), ["R1", "R2", "R3"]);
    assert_eq!(list(&group("rg"), custom), ["R1", "R2"]);
    assert_eq!(list(&group("rg2"), custom), ["R1"]);
    assert_eq!(list("", custom), [""; 0]);
    assert_eq!(list("", &format!("atScopeAndBelow()%20and%20{custom}")), ["R1", "R2", "R3"]);
    assert_eq!(list(&group("rg"), "roleName%20eq%20'r2'"), ["R2"]);
    assert_eq!(list(&group("rg2"), "roleName%20eq%20'r2'"), [""; 0]);
    let built_in = list(&vault("kv1"), "type%20eq%20'BuiltInRole'");
    assert_eq!(built_in.len(), azure_roles().len());
    assert!(!built_in.contains(&"R3".to_owned()));
    let all = list(&vault("kv1"), "");
    assert!(all.contains(&"Owner".to_owned()) && all.contains(&"R3".to_owned()));
    let unknown = format!("{}/providers/Microsoft.Authorization/roleDefinitions?$filter=type%20eq%20'x'", group("rg"));
    site.get(&unknown).refused(400, "InvalidFilterInQueryString");
    // A role's text is public to whoever signed in.
    site.manage(NOBODY, "GET", &azure(&group("rg"), 2), NONE).is(200);
}

#[test]
fn what_is_no_definition_of_azure_is_refused() {
    let site = Site::new();
    let path = azure(&group("rg"), 9);
    let rg = group("rg");
    let good = definition("Signer", VAULT_ACTIONS, &["keys/sign/action"], &[&rg]);
    site.put(&azure(&rg, 8), &good).is(201);
    for name in ["SIGNER", "Key Vault Reader"] {
        let taken = site.put(&path, &definition(name, VAULT_ACTIONS, &[], &[&rg]));
        taken.refused(409, "RoleDefinitionWithSameNameExists");
    }
    site.put(&local(&rg, role("Reader")), &good).refused(400, "BadRequest");
    site.delete(&local(&rg, role("Reader"))).refused(400, "BadRequest");
    site.put(&local(&rg, "signer"), &good).refused(400, "InvalidRoleDefinitionId");
    for scopes in [&[][..], &["x"], &["/subscriptions/x"], &[&rg, "subscriptions"]] {
        site.put(&path, &definition("Other", VAULT_ACTIONS, &[], scopes)).refused(400, "BadRequest");
    }
    // Nobody here has rights at the root, so that it is never assignable there is not even said.
    let everywhere = definition("Other", VAULT_ACTIONS, &[], &[&rg, "/"]);
    site.put(&path, &everywhere).refused(403, "AuthorizationFailed");
    site.put(&path, &definition("Other", VAULT_ACTIONS, &["a b"], &[&rg])).refused(400, "InvalidActionOrNotAction");
    site.put(&path, &json!({"properties": {"roleName": " ", "assignableScopes": [rg]}})).refused(400, "BadRequest");
    site.put(&path, &json!({})).refused(400, "BadRequest");
    let mut conditional = definition("Other", VAULT_ACTIONS, &[], &[&rg]);
    conditional["properties"]["permissions"][0]["condition"] = json!("@Resource[x] StringEquals 'y'");
    site.put(&path, &conditional).refused(400, "NotSupported");
    site.manage(NOBODY, "PUT", &path, &good).refused(403, "AuthorizationFailed");
    site.manage(NOBODY, "DELETE", &azure(&rg, 8), NONE).refused(403, "AuthorizationFailed");
    site.get(&path).refused(404, "RoleDefinitionDoesNotExist");
}

#[test]
fn a_definition_stays_while_it_is_assigned() {
    let site = Site::new();
    let rg = group("rg");
    let path = azure(&rg, 9);
    let body = |scopes: &[&str]| definition("Signer", VAULT_ACTIONS, &["keys/sign/action"], scopes);
    site.put(&path, &body(&[&rg])).is(201);
    let outside = site.put(&assignment(&group("rg2"), 1), &grant(Guid::from_u128(9)));
    outside.refused(404, "RoleDefinitionDoesNotExist");
    site.put(&assignment(&vault("kv1"), 1), &grant(Guid::from_u128(9))).is(201);
    let refused = site.delete(&path).refused(400, "RoleDefinitionHasAssignments");
    assert_eq!(refused.message(), "There are existing role assignments referencing role.");
    site.put(&path, &body(&[&group("rg2")])).refused(400, "RoleDefinitionHasAssignments");
    site.put(&path, &body(&[&vault("kv1")])).is(201);
    site.delete(&assignment(&vault("kv1"), 1)).is(200);
    site.delete(&path).is(200);
}

#[test]
fn a_lock_where_a_definition_is_asked_for_keeps_it() {
    let site = Site::new();
    let rg = group("rg");
    let (path, body) = (azure(&rg, 9), definition("Signer", VAULT_ACTIONS, &["keys/sign/action"], &[&rg]));
    let lock = format!("{rg}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01");
    site.put(&path, &body).is(201);
    site.put(&lock, &json!({"properties": {"level": "CanNotDelete"}})).is(201);
    site.put(&path, &body).is(201);
    site.delete(&path).refused(409, "ScopeLocked");
    site.put(&lock, &json!({"properties": {"level": "ReadOnly"}})).is(200);
    site.put(&path, &body).refused(409, "ScopeLocked");
    // Inside a managed HSM no lock counts.
    let inside = local("", Guid::from_u128(9));
    site.call(HSM, "PUT", &inside, &definition("Signer", HSM_ACTIONS, &[], &["/"])).is(201);
    site.call(HSM, "DELETE", &inside, NONE).is(200);
    site.delete(&lock).is(200);
    site.delete(&path).is(200);
}

#[test]
fn a_control_plane_action_of_a_custom_role_is_a_right_like_any_other() {
    let site = Site::new();
    let rg = group("rg");
    let mut body = definition("Looker", VAULT_ACTIONS, &[], &[&rg]);
    body["properties"]["permissions"][0]["actions"] = json!(["Microsoft.KeyVault/*/read"]);
    body["properties"]["permissions"][0]["notActions"] = json!(["Microsoft.KeyVault/managedHSMs/*"]);
    site.put(&azure(&rg, 9), &body).is(201);
    site.put(&assignment(&rg, 1), &grant(Guid::from_u128(9))).is(201);
    site.manage(NOBODY, "GET", &vault("kv1"), NONE).is(200);
    site.manage(NOBODY, "GET", &hsm("hsm1"), NONE).refused(403, "AuthorizationFailed");
    site.manage(NOBODY, "DELETE", &vault("kv1"), NONE).refused(403, "AuthorizationFailed");
    site.key(Some(NOBODY), VAULT, "GET", "/keys?api-version=7.6", b"").refused(403, "Forbidden");
}

#[test]
fn definitions_leave_records() {
    let site = Site::new();
    let before = site.log().len();
    let (inside, above) = (local("", Guid::from_u128(9)), azure(&group("rg"), 9));
    let body = definition("Signer", HSM_ACTIONS, &["keys/sign/action"], &["/"]);
    let of_azure = definition("Signer", VAULT_ACTIONS, &["keys/sign/action"], &[&group("rg")]);
    site.call(HSM, "PUT", &inside, &body).is(201);
    site.call(HSM, "PUT", &inside, &json!({})).is(400);
    site.call(HSM, "DELETE", &inside, NONE).is(200);
    site.put(&above, &of_azure).is(201);
    site.manage(NOBODY, "PUT", &above, &of_azure).is(403);
    site.get(&above).is(200);
    site.delete(&above).is(200);
    let told: Vec<_> = site
        .log()
        .iter()
        .skip(before)
        .map(|record| (record.operation().unwrap(), record.properties.http_status_code.unwrap()))
        .collect();
    let expected = [
        (Operation::HsmRoleDefinitionPut, 201),
        (Operation::HsmRoleDefinitionPut, 400),
        (Operation::HsmRoleDefinitionDelete, 200),
        (Operation::RoleDefinitionPut, 201),
        (Operation::RoleDefinitionPut, 403),
        (Operation::RoleDefinitionDelete, 200),
    ];
    // What waited in the queue may have been written after changes that came later.
    let sorted = |mut all: Vec<_>| {
        all.sort_unstable();
        all
    };
    assert_eq!(sorted(told), sorted(expected.to_vec()));
    let last = site.log().iter().rfind(|record| record.operation() == Some(Operation::RoleDefinitionDelete)).cloned();
    assert_eq!(&*last.unwrap().resource_id, above);
}
