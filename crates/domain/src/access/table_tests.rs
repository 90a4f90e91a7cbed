//! Who may do what, written out: every built-in role, every operation, every kind of scope. A change here is a change of
//! rights: read it as one.

use super::*;
use crate::{AccessPolicy, ContainerKind, Operation, UnixTime};
use std::fmt::Write as _;

const WHO: Guid = Guid::from_u128(1);

fn caller() -> Caller {
    Caller::new(Guid::from_u128(2), WHO, Guid::from_u128(3))
}

fn holding(role: &RoleDefinition, realm: Realm, scope: &str) -> Assignments {
    let (name, scope) = (Guid::from_u128(4), Scope::new(scope));
    let assignment = RoleAssignment { realm, name, scope, role: role.id, principal: WHO, created: UnixTime(0) };
    Assignments::new(vec![assignment], std::slice::from_ref(role))
}

/// One line for each role: the operations it lets do.
fn table(roles: &[RoleDefinition], allows: impl Fn(&RoleDefinition, Operation) -> bool) -> String {
    let mut text = String::new();
    for role in roles {
        let may: Vec<&str> =
            Operation::ALL.iter().filter(|each| allows(role, **each)).map(|each| each.name()).collect();
        let _ = writeln!(text, "{}: {}", role.name, if may.is_empty() { "nothing".to_owned() } else { may.join(" ") });
    }
    text
}

#[test]
fn what_each_local_role_lets_do_in_a_managed_hsm() {
    insta::assert_snapshot!(table(hsm_roles(), |role, operation| {
        let action = operation.data_action(ContainerKind::ManagedHsm);
        action.is_some_and(|action| role.permissions.allows_data_action(action))
    }));
}

#[test]
fn what_each_role_lets_do_in_a_vault() {
    insta::assert_snapshot!(table(azure_roles(), |role, operation| {
        let action = operation.data_action(ContainerKind::Vault);
        action.is_some_and(|action| role.permissions.allows_data_action(action))
    }));
}

#[test]
fn what_each_role_lets_do_in_the_control_plane() {
    insta::assert_snapshot!(table(azure_roles(), |role, operation| {
        operation.arm_action().is_some_and(|action| role.permissions.allows_action(action))
    }));
}

#[test]
fn what_each_role_lets_do_in_the_directory() {
    insta::assert_snapshot!(table(directory_roles(), |role, operation| {
        operation.directory_action().is_some_and(|action| role.permissions.allows_action(action))
    }));
}

#[test]
fn each_operation_names_its_rights() {
    let mut text = String::new();
    for operation in Operation::ALL {
        let rights = [
            operation.data_action(ContainerKind::Vault),
            operation.data_action(ContainerKind::ManagedHsm),
            operation.policy_permission().map(|(_, word)| word),
            operation.arm_action(),
            operation.directory_action(),
        ];
        let rights: Vec<&str> = rights.into_iter().flatten().collect();
        let rights = if rights.is_empty() { "none of its own".to_owned() } else { rights.join(", ") };
        let _ = writeln!(text, "{}: {rights}", operation.name());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn who_manages_issuers_reads_and_deletes_them_and_no_more() {
    let policy = AccessPolicy {
        tenant: caller().tenant,
        object_id: caller().object_id.to_string(),
        application_id: None,
        keys: Vec::new(),
        secrets: Vec::new(),
        certificates: vec!["ManageIssuers".to_owned()],
        storage: Vec::new(),
    };
    let allowed =
        Operation::ALL.iter().filter(|operation| allows_policy(std::slice::from_ref(&policy), &caller(), **operation));
    let allowed: Vec<_> = allowed.copied().collect();
    assert_eq!(allowed, [Operation::CertificateIssuerGet, Operation::CertificateIssuerDelete]);
}

#[test]
fn where_an_assignment_reaches() {
    let vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv";
    let key = format!("{vault}/keys/k");
    let in_azure = ["/", "/subscriptions/s", "/subscriptions/s/resourceGroups/g", vault, &key];
    let in_hsm = ["/", "/keys", "/keys/k"];
    let mut text = String::new();
    let mut rows =
        |realm: Realm, role: &RoleDefinition, operation: Operation, kind, scopes: &[&str], asked: &[&str]| {
            let action = operation.data_action(kind).unwrap();
            for scope in scopes {
                let held = holding(role, realm, scope);
                let reached: Vec<&str> =
                    asked.iter().copied().filter(|path| held.data_action(&caller(), action, path).is_some()).collect();
                let _ = writeln!(text, "{} at {scope} reaches {}", role.name, reached.join(" "));
            }
        };
    let other_key = format!("{vault}/keys/k2");
    let other_vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv2";
    let asked = [in_azure.as_slice(), &[&other_key, other_vault, "/subscriptions/s2"]].concat();
    let crypto_user = azure_roles().iter().find(|role| role.name == "Key Vault Crypto User").unwrap();
    rows(Realm::Arm, crypto_user, Operation::KeySign, ContainerKind::Vault, &in_azure, &asked);
    let local_user = hsm_roles().iter().find(|role| role.name == "Managed HSM Crypto User").unwrap();
    let hsm = Realm::Hsm(crate::ContainerId(Guid::from_u128(9)));
    let asked = [in_hsm.as_slice(), &["/keys/k2"]].concat();
    rows(hsm, local_user, Operation::KeySign, ContainerKind::ManagedHsm, &in_hsm, &asked);
    insta::assert_snapshot!(text);
}
