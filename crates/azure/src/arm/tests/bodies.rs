//! Bodies: what clients send is read, everything else is a 4xx that says why.

use crate::arm::{
    error::Failure,
    fuzz,
    route::Place,
    wire::{
        container::{self, Provisioning},
        definitions, directory,
        read::{self, ContainerBody},
        roles,
    },
};
use domain::{
    Activation, Container, ContainerId, ContainerKind, ContainerName, Guid, HsmProfile, PermissionModel, Profile,
    PublicNetworkAccess, ResourceId, Sku, State, Tags, UnixTime, VaultProfile,
    lifecycle::{Deletion, DeletionPolicy, Retention},
};
use engine::{ContainerRequest, CreationTerms, Error, ProfileRequest};

fn place(kind: ContainerKind, name: &str) -> Place {
    let resource = ResourceId { subscription: Guid::from_u128(7), resource_group: "rg".to_owned() };
    Place { kind, resource, name: name.to_owned() }
}

fn request(kind: ContainerKind, body: &str) -> Result<ContainerRequest, Failure> {
    ContainerBody::read(body.as_bytes())?.into_request(&place(kind, "name-1"), CreationTerms::default())
}

/// The code of a problem, or the refusal.
fn why<T>(result: Result<T, Failure>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(Failure::Problem(problem)) => {
            assert!(problem.status.is_client_error());
            problem.code.to_owned()
        }
        Err(Failure::Engine(Error::Refused(refusal))) => format!("{refusal:?}"),
        Err(Failure::Engine(error)) => panic!("{error}"),
    }
}

const TENANT: &str = "00000000-0000-0000-0000-000000000001";

fn vault(properties: &str) -> Result<ContainerRequest, Failure> {
    let sku = r#""sku":{"family":"A","name":"standard"}"#;
    let comma = if properties.is_empty() { "" } else { "," };
    let body = format!(r#"{{"location":"East US","properties":{{"tenantId":"{TENANT}",{sku}{comma}{properties}}}}}"#);
    request(ContainerKind::Vault, &body)
}

#[test]
fn a_vault_as_az_sends_it() {
    let asked = vault(
        r#""accessPolicies":[],"enabledForDeployment":null,"enableSoftDelete":true,"softDeleteRetentionInDays":90,
           "enableRbacAuthorization":true,"networkAcls":{"bypass":"AzureServices","defaultAction":"Allow"}"#,
    )
    .unwrap();
    assert_eq!(asked.location, "eastus");
    assert_eq!(asked.tenant, Guid::parse(TENANT));
    assert_eq!(asked.policy.retention, Some(Retention::MAX));
    assert_eq!(asked.policy.purge_protection, None);
    let ProfileRequest::Vault(settings) = asked.profile else {
        panic!("a vault");
    };
    assert_eq!(settings.permission_model, Some(PermissionModel::Rbac));
    assert_eq!(settings.access_policies.as_deref(), Some([].as_slice()));
    assert_eq!(settings.enabled_for_deployment, None);
}

#[test]
fn an_hsm_as_az_sends_it() {
    let body = format!(
        r#"{{"location":"eastus","sku":{{"name":"Standard_B1","family":"B"}},"properties":{{"tenantId":"{TENANT}",
            "initialAdminObjectIds":["{TENANT}"],"softDeleteRetentionInDays":"7","enablePurgeProtection":false}}}}"#
    );
    let asked = request(ContainerKind::ManagedHsm, &body).unwrap();
    assert_eq!(asked.policy.retention, Retention::days(7).ok());
    assert_eq!(asked.policy.purge_protection, Some(false));
    assert_eq!(asked.sku, Sku { family: "B".to_owned(), name: "Standard_B1".to_owned() });
}

#[test]
fn documented_refusals_of_a_vaults_body() {
    assert_eq!(why(vault(r#""enablePurgeProtection":false"#)), "PurgeProtectionIrreversible");
    assert_eq!(why(vault(r#""softDeleteRetentionInDays":6"#)), "RetentionOutOfRange { days: 6 }");
    assert_eq!(why(vault(r#""softDeleteRetentionInDays":"soon""#)), "BadRequest");
    assert_eq!(why(vault(r#""publicNetworkAccess":"Sometimes""#)), "BadRequest");
    assert_eq!(why(vault(r#""networkAcls":{"ipRules":[{"value":"x"}]}"#)), "BadRequest");
    let foreign = r#"{"location":"l","properties":{"tenantId":"contoso","sku":{"family":"A","name":"standard"}}}"#;
    assert_eq!(why(request(ContainerKind::Vault, foreign)), "TenantInvalid");
    assert_eq!(why(request(ContainerKind::Vault, r#"{"location":"l","properties":{}}"#)), "TenantInvalid");
    assert_eq!(why(request(ContainerKind::Vault, "{}")), "LocationRequired");
    let name =
        ContainerBody::read(b"{}").unwrap().into_request(&place(ContainerKind::Vault, "1-"), CreationTerms::default());
    assert_eq!(why(name), r#"NameInvalid { name: "1-" }"#);
}

#[test]
fn skus_have_to_be_known_and_of_their_family() {
    let sku = |kind, sku: &str| {
        let body = format!(r#"{{"location":"l","sku":{sku},"properties":{{"tenantId":"{TENANT}","sku":{sku}}}}}"#);
        why(request(kind, &body))
    };
    assert_eq!(sku(ContainerKind::Vault, r#"{"family":"a","name":"Premium"}"#), "accepted");
    assert_eq!(sku(ContainerKind::Vault, r#"{"family":"B","name":"standard"}"#), "BadRequest");
    assert_eq!(sku(ContainerKind::Vault, r#"{"family":"A","name":"gold"}"#), "SkuNotSupported");
    assert_eq!(sku(ContainerKind::Vault, "null"), "BadRequest");
    assert_eq!(sku(ContainerKind::ManagedHsm, r#"{"family":"C","name":"Custom_C42"}"#), "accepted");
    assert_eq!(sku(ContainerKind::ManagedHsm, r#"{"family":"B","name":"Custom_C42"}"#), "BadRequest");
    assert_eq!(sku(ContainerKind::ManagedHsm, r#"{"family":"A","name":"standard"}"#), "SkuNotSupported");
}

#[test]
fn recovery_is_asked_for_in_either_case() {
    let recovers = |mode: &str| {
        let body = format!(r#"{{"properties":{{"createMode":{mode}}}}}"#);
        ContainerBody::read(body.as_bytes()).unwrap().recovers().map_err(|problem| problem.code)
    };
    assert_eq!(recovers("\"Recover\""), Ok(true));
    assert_eq!(recovers("\"recover\""), Ok(true));
    assert_eq!(recovers("\"default\""), Ok(false));
    assert_eq!(recovers("null"), Ok(false));
    assert_eq!(recovers("\"restore\""), Err("BadRequest"));
}

#[test]
fn an_hsm_has_no_identity_and_no_administrator_that_is_no_guid() {
    let hsm = |more: &str| {
        let sku = r#""sku":{"family":"B","name":"Standard_B1"}"#;
        why(request(ContainerKind::ManagedHsm, &format!(r#"{{"location":"l",{sku},{more}}}"#)))
    };
    assert_eq!(hsm(r#""identity":{"type":"None"}"#), "accepted");
    assert_eq!(hsm(r#""identity":{"type":"UserAssigned"}"#), "NotSupported");
    assert_eq!(hsm(r#""properties":{"initialAdminObjectIds":["me"]}"#), "BadRequest");
}

#[test]
fn garbage_is_a_client_error() {
    for body in [&b"{"[..], b"[]", b"\"\"", b"1", b"{\"properties\":[]}", b"{\"tags\":{\"a\":1}}", b"\xff\xfe"] {
        assert_eq!(why(ContainerBody::read(body)), "InvalidRequestContent");
        assert!(why(read::policies_of(body)) != "accepted");
        assert!(why(roles::assignment_of(body)) != "accepted");
        assert!(why(definitions::read(body)) != "accepted");
        for entry in [fuzz::vault_body, fuzz::hsm_body, fuzz::other_body, fuzz::filter, fuzz::query, fuzz::route] {
            entry(body);
        }
    }
}

/// Each array's items fit the struct that it stands for, member by member.
#[test]
fn an_array_is_no_object_at_any_level() {
    let refused = "InvalidRequestContent";
    let policy = |permissions: &str| format!(r#"{{"tenantId":"{TENANT}","objectId":"{TENANT}",{permissions}}}"#);
    let listed = format!(r#"["{TENANT}","{TENANT}",null,{{"keys":["get"]}}]"#);
    let permissions = policy(r#""permissions":[["get"],[],[],[]]"#);
    for properties in [
        r#""networkAcls":["None","Deny",[],[],[]]"#.to_owned(),
        r#""networkAcls":{"ipRules":[["10.0.0.1"]]}"#.to_owned(),
        r#""networkAcls":{"virtualNetworkRules":[["/v",true]]}"#.to_owned(),
        r#""networkAcls":{"serviceTags":[["AzureCloud"]]}"#.to_owned(),
        r#""regions":[["eastus"]]"#.to_owned(),
        format!(r#""accessPolicies":[{listed}]"#),
        format!(r#""accessPolicies":[{permissions}]"#),
    ] {
        assert_eq!(why(vault(&properties)), refused, "{properties}");
    }
    for body in [
        r#"["l",null,null,null,null]"#,
        r#"{"location":"l","sku":["B","Standard_B1"]}"#,
        r#"{"location":"l","identity":["None"]}"#,
        r#"{"location":"l","properties":{"sku":["A","standard"]}}"#,
        r#"{"location":"l","properties":[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null]}"#,
    ] {
        assert_eq!(why(ContainerBody::read(body.as_bytes())), refused, "{body}");
    }
    let valid = policy(r#""permissions":{}"#);
    for policies in [
        format!(r#"[{{"accessPolicies":[{valid}]}}]"#),
        format!(r#"{{"properties":[[{valid}]]}}"#),
        format!(r#"{{"properties":{{"accessPolicies":[{listed}]}}}}"#),
        format!(r#"{{"properties":{{"accessPolicies":[{permissions}]}}}}"#),
    ] {
        assert_eq!(why(read::policies_of(policies.as_bytes())), refused, "{policies}");
    }
    for assignment in [
        format!(r#"{{"properties":["{TENANT}","{TENANT}",null]}}"#),
        format!(r#"[{{"roleDefinitionId":"{TENANT}","principalId":"{TENANT}"}}]"#),
    ] {
        assert_eq!(why(roles::assignment_of(assignment.as_bytes())), refused, "{assignment}");
    }
    for definition in [
        r#"{"properties":["name","about",null,[],[]]}"#,
        r#"{"properties":{"permissions":[[[],[],[],[]]]}}"#,
        r#"[{"roleName":"name"}]"#,
    ] {
        assert_eq!(why(definitions::read(definition.as_bytes())), refused, "{definition}");
    }
    assert_eq!(why(read::name_to_check(ContainerKind::ManagedHsm, br#"["name-1",null]"#)), refused);
    assert_eq!(why(directory::GroupBody::read(br#"["eastus",{}]"#)), refused);
}

#[test]
fn policies_name_principals_by_guid() {
    let policy = |object: &str| {
        let permissions = r#""permissions":{"keys":["get"]}"#;
        let body = format!(
            r#"{{"properties":{{"accessPolicies":[{{"tenantId":"{TENANT}","objectId":"{object}",{permissions}}}]}}}}"#
        );
        read::policies_of(body.as_bytes())
    };
    assert_eq!(policy(TENANT).unwrap()[0].keys, ["get"]);
    assert_eq!(why(policy("alice")), "BadRequest");
}

#[test]
fn assignments_name_a_role_by_id_and_carry_no_condition() {
    let body = |more: &str| {
        let role = format!("/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/{TENANT}");
        let body = format!(r#"{{"properties":{{"roleDefinitionId":"{role}","principalId":"{TENANT}"{more}}}}}"#);
        roles::assignment_of(body.as_bytes())
    };
    let id = Guid::parse(TENANT).unwrap();
    assert_eq!(body("").unwrap(), (id, id));
    assert_eq!(body(r#","condition":null"#).unwrap(), (id, id));
    assert_eq!(why(body(r#","condition":"@Resource[x] == 1""#)), "NotSupported");
    assert_eq!(why(roles::assignment_of(b"{}")), "InvalidCreateRoleAssignmentRequest");
}

#[test]
fn a_definition_as_az_sends_it() {
    let read = |more: &str| {
        let scope = format!("/subscriptions/{TENANT}/resourcegroups/rg/");
        let body = format!(
            r#"{{"properties":{{"roleName":"Signer","description":"signs","type":"CustomRole","assignableScopes":
            ["{scope}"],"permissions":[{{"actions":["*/read"],"dataActions":["d"],"notDataActions":[]{more}}}]}}}}"#
        );
        definitions::read(body.as_bytes())
    };
    let asked = read("").unwrap();
    assert_eq!((asked.name.as_str(), asked.description.as_str()), ("Signer", "signs"));
    assert_eq!(asked.assignable_scopes[0].as_str(), format!("/subscriptions/{TENANT}/resourceGroups/rg"));
    assert_eq!((asked.permissions.actions, asked.permissions.data_actions), (vec!["*/read".into()], vec!["d".into()]));
    assert!(read(r#","condition":" ""#).is_ok());
    assert_eq!(why(read(r#","condition":"@Resource[x] == 1""#)), "NotSupported");
    for properties in [
        r#""type":"BuiltInRole""#.to_owned(),
        r#""assignableScopes":["subscriptions"]"#.to_owned(),
        r#""assignableScopes":["/subscriptions/x"]"#.to_owned(),
        format!(r#""assignableScopes":["subscriptions/{TENANT}"]"#),
        format!(r#""assignableScopes":["/providers/x{}"]"#, "/a/b".repeat(200_000)),
    ] {
        let body = format!(r#"{{"properties":{{{properties}}}}}"#);
        assert_eq!(why(definitions::read(body.as_bytes())), "BadRequest", "{properties}");
    }
    assert_eq!(why(definitions::read(b"{}")), "BadRequest");
}

fn container(profile: Profile, state: State) -> Container {
    Container {
        id: ContainerId(Guid::from_u128(9)),
        name: ContainerName::parse("Name-1").unwrap(),
        resource: place(ContainerKind::Vault, "").resource,
        location: "eastus".to_owned(),
        tenant: Guid::from_u128(1),
        tags: Tags::from([("a".to_owned(), "b".to_owned())]),
        sku: Sku { family: "A".to_owned(), name: "standard".to_owned() },
        policy: DeletionPolicy {
            soft_delete: Retention::days(7).ok(),
            purge_protection: false,
            undeletable_subscription: false,
        },
        state,
        created: UnixTime(1_600_000_000),
        updated: UnixTime(1_600_000_100),
        profile,
    }
}

fn vault_profile() -> Profile {
    Profile::Vault(VaultProfile {
        permission_model: PermissionModel::Rbac,
        access_policies: Vec::new(),
        enabled_for_deployment: false,
        enabled_for_disk_encryption: false,
        enabled_for_template_deployment: false,
        public_network_access: PublicNetworkAccess::default(),
        network_rules: None,
    })
}

fn hsm_profile() -> Profile {
    Profile::ManagedHsm(HsmProfile {
        activation: Activation::NotActivated,
        initial_admins: vec![TENANT.to_owned()],
        public_network_access: PublicNetworkAccess::default(),
        network_rules: None,
        regions: Vec::new(),
    })
}

#[test]
fn containers_in_the_words_of_the_wire() {
    let deleted =
        State::Deleted(Deletion { deleted_at: UnixTime(1_600_000_000), scheduled_purge_at: UnixTime(1_600_604_800) });
    let url = "https://name-1.vault.localhost:8443";
    let shown = |profile, provisioning| {
        serde_json::to_value(container::show(&container(profile, State::Live), url, provisioning)).unwrap()
    };
    let gone = |profile| serde_json::to_value(container::show_deleted(&container(profile, deleted)).unwrap()).unwrap();
    let all = serde_json::json!({
        "vault, being created": shown(vault_profile(), Provisioning::Begun),
        "vault": shown(vault_profile(), Provisioning::Done),
        "managed HSM, being created": shown(hsm_profile(), Provisioning::Begun),
        "managed HSM": shown(hsm_profile(), Provisioning::Done),
        "deleted vault": gone(vault_profile()),
        "deleted managed HSM": gone(hsm_profile()),
    });
    insta::assert_snapshot!(serde_json::to_string_pretty(&all).unwrap());
    assert!(container::show_deleted(&container(vault_profile(), State::Live)).is_none());
    // The same vault read back as a PUT, as `az keyvault update` does, is accepted.
    let body = shown(vault_profile(), Provisioning::Done).to_string();
    assert_eq!(why(request(ContainerKind::Vault, &body)), "accepted");
    let body = shown(hsm_profile(), Provisioning::Done)
        .to_string()
        .replace("\"family\":\"A\",\"name\":\"standard\"", "\"family\":\"B\",\"name\":\"Standard_B1\"");
    assert_eq!(why(request(ContainerKind::ManagedHsm, &body)), "accepted");
}
