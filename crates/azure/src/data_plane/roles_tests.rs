//! Roles on the wire.

use super::*;
use domain::{
    UnixTime,
    access::{Realm, RoleOrigin, hsm_roles},
};
use serde_json::{Value, json};

const ROLE: &str = "21dbd100-6940-42c2-9190-5d6cb909625b";
const PRINCIPAL: &str = "00000000-0000-0000-0000-000000000002";

fn read(body: &Value) -> Result<(Guid, Guid), Problem> {
    read_assignment(body.to_string().as_bytes())
}

#[test]
fn an_assignment_names_role_and_principal() {
    let expected = (Guid::parse(ROLE).unwrap(), Guid::parse(PRINCIPAL).unwrap());
    for role in [ROLE.to_owned(), format!("{DEFINITIONS}/{ROLE}"), format!("/{DEFINITIONS}/{}", ROLE.to_uppercase())] {
        let body = json!({"properties": {"roleDefinitionId": role, "principalId": PRINCIPAL, "principalType": "User"}});
        assert_eq!(read(&body).unwrap(), expected, "{role}");
    }
    for bad in [
        json!({}),
        json!({"properties": {"roleDefinitionId": ROLE}}),
        json!({"properties": {"principalId": PRINCIPAL}}),
        json!({"properties": {"roleDefinitionId": "Managed HSM Crypto User", "principalId": PRINCIPAL}}),
        json!({"properties": {"roleDefinitionId": ROLE, "principalId": "me"}}),
        json!({"properties": []}),
        json!({"properties": [ROLE, PRINCIPAL]}),
        json!([]),
        json!([{"roleDefinitionId": ROLE, "principalId": PRINCIPAL}]),
    ] {
        assert!(matches!(read(&bad), Err(Problem::BadParameter(_))), "{bad}");
    }
}

#[test]
fn filters() {
    let principal = Filter::Principal(Guid::parse(PRINCIPAL).unwrap());
    assert_eq!(filter(None).unwrap(), Filter::All);
    assert_eq!(filter(Some("atScope()")).unwrap(), Filter::All);
    assert_eq!(filter(Some("atScopeAndBelow()")).unwrap(), Filter::All);
    assert_eq!(filter(Some(&format!("principalId eq '{PRINCIPAL}'"))).unwrap(), principal);
    assert_eq!(filter(Some(&format!("principalId eq {PRINCIPAL}"))).unwrap(), principal);
    assert_eq!(filter(Some("roleName eq 'A B'")).unwrap(), Filter::RoleName("A B"));
    for bad in ["principalId", "principalId eq", "principalId eq 'me'", "principalId ne 'x'", "color eq 'red'"] {
        assert!(filter(Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn an_id_carries_no_scope_but_the_properties_do() {
    let assignment = Assignment {
        realm: Realm::Arm,
        name: Guid::from_u128(7),
        scope: Scope::new("/keys/k"),
        role: Guid::parse(ROLE).unwrap(),
        principal: Guid::parse(PRINCIPAL).unwrap(),
        created: UnixTime(0),
    };
    let name = "00000000-0000-0000-0000-000000000007";
    assert_eq!(
        serde_json::to_value(RoleAssignment::new(&assignment)).unwrap(),
        json!({
            "id": format!("/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
            "properties": {
                "principalId": PRINCIPAL, "scope": "/keys/k",
                "roleDefinitionId": format!("Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"),
            },
            "type": "Microsoft.Authorization/roleAssignments",
        })
    );
}

#[test]
fn a_definition_as_clients_send_it() {
    let sign = "Microsoft.KeyVault/managedHsm/keys/sign/action";
    let verify = "Microsoft.KeyVault/managedHsm/keys/verify/action";
    let body = json!({"properties": {
        "roleName": "Signer", "type": "CustomRole", "assignableScopes": ["/keys"],
        "permissions": [{"actions": [], "dataActions": [sign]}, {"notDataActions": [verify], "notActions": null}],
    }});
    let read = read_definition(body.to_string().as_bytes()).unwrap();
    assert_eq!((read.name.as_str(), read.description.as_str()), ("Signer", ""));
    assert_eq!(read.permissions.data_actions, [sign]);
    assert_eq!(read.permissions.not_data_actions, [verify]);
    assert_eq!(read.assignable_scopes, [Scope::new("/keys")]);
    let least = read_definition(br#"{"properties":{}}"#).unwrap();
    assert_eq!((least.name.as_str(), least.permissions), ("", RolePermissions::default()));
    for bad in [
        json!({}),
        json!([]),
        json!({"properties": []}),
        json!({"properties": {"type": "AKVBuiltInRole"}}),
        json!({"properties": {"permissions": {}}}),
        json!({"properties": {"permissions": [[[sign]]]}}),
        json!({"properties": {"permissions": [{"dataActions": sign}]}}),
        json!({"properties": {"roleName": 7}}),
    ] {
        let refused = read_definition(bad.to_string().as_bytes());
        assert!(matches!(refused, Err(Problem::BadParameter(_))), "{bad}");
    }
}

#[test]
fn a_custom_definition_says_so() {
    let role = Definition {
        id: Guid::from_u128(7),
        name: "Signer".to_owned(),
        description: "signs".to_owned(),
        permissions: RolePermissions { data_actions: vec!["a".to_owned()], ..RolePermissions::default() },
        assignable_scopes: vec![Scope::root()],
        origin: RoleOrigin::Custom { created: UnixTime(0), updated: UnixTime(0) },
    };
    let name = "00000000-0000-0000-0000-000000000007";
    assert_eq!(
        serde_json::to_value(RoleDefinition::new(&role)).unwrap(),
        json!({
            "id": format!("{DEFINITIONS}/{name}"), "name": name, "type": "Microsoft.Authorization/roleDefinitions",
            "properties": {
                "roleName": "Signer", "description": "signs", "type": "CustomRole", "assignableScopes": ["/"],
                "permissions": [{"actions": [], "notActions": [], "dataActions": ["a"], "notDataActions": []}],
            },
        })
    );
}

#[test]
fn a_definition_is_built_in_and_assignable_everywhere() {
    let role = hsm_roles().iter().find(|role| role.id.to_string() == ROLE).unwrap();
    let shown = serde_json::to_value(RoleDefinition::new(role)).unwrap();
    assert_eq!(shown["id"], format!("Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"));
    assert_eq!(shown["type"], "Microsoft.Authorization/roleDefinitions");
    let properties = &shown["properties"];
    assert_eq!(properties["roleName"], "Managed HSM Crypto User");
    assert_eq!((&properties["type"], &properties["description"]), (&json!("AKVBuiltInRole"), &json!("")));
    assert_eq!(properties["assignableScopes"], json!(["/"]));
    assert_eq!(properties["permissions"][0]["dataActions"].as_array().map(Vec::len), Some(19));
}
