//! Custom role definitions: effect at once on whoever holds them, and no further than they say.

use crate::rig::{ADMINISTRATOR, Rig, caller, engine_on, key_name, resource};
use domain::{
    ContainerKind, ContainerName, Guid, Operation, Refusal, SignatureAlgorithm,
    access::{RoleDefinition, RoleDefinitionRequest, RolePermissions, RoleRefusal, Scope, azure_roles, hsm_roles},
};
use engine::{Engine, Error, RoleAssignmentRequest};
use std::sync::Arc;
use store::sqlite::SqliteStore;

const SOMEBODY: Guid = Guid::from_u128(0x50);
const ROLE: Guid = Guid::from_u128(0x60);
const SIGN: &str = "Microsoft.KeyVault/managedHsm/keys/sign/action";
const VERIFY: &str = "Microsoft.KeyVault/managedHsm/keys/verify/action";
const VAULT_SIGN: &str = "Microsoft.KeyVault/vaults/keys/sign/action";

fn definition(actions: &[&str], scopes: &[Scope]) -> RoleDefinitionRequest {
    RoleDefinitionRequest {
        id: ROLE,
        name: "Signer".to_owned(),
        description: String::new(),
        permissions: RolePermissions {
            data_actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            ..RolePermissions::default()
        },
        assignable_scopes: scopes.to_vec(),
    }
}

fn assignment(name: u128, role: Guid, scope: &Scope) -> RoleAssignmentRequest {
    RoleAssignmentRequest { name: Guid::from_u128(name), scope: scope.clone(), role, principal: SOMEBODY }
}

fn sign(engine: &Engine, kind: ContainerKind) -> Result<(), Error> {
    let open = engine.open_container(kind, "contoso").unwrap();
    engine.sign(&caller(SOMEBODY), &open, &key_name("k"), None, SignatureAlgorithm::Es256, &[0; 32]).map(drop)
}

fn refusal<T>(result: Result<T, Error>) -> Option<Refusal> {
    match result {
        Err(Error::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

fn is_forbidden<T>(result: Result<T, Error>) -> bool {
    matches!(refusal(result), Some(Refusal::Forbidden { .. }))
}

fn group() -> Scope {
    let resource = resource();
    Scope::new(&format!("/subscriptions/{}/resourceGroups/{}", resource.subscription, resource.resource_group))
}

fn vault() -> Scope {
    Scope::new(&format!("{}/providers/Microsoft.KeyVault/vaults/contoso", group().as_str()))
}

/// A change of a definition, ready to be done; `None` for any other operation.
pub fn prepared(rig: &Rig, operation: Operation) -> Option<Box<dyn Fn() -> Result<(), Error> + '_>> {
    let (engine, who, hsm) = (&rig.engine, caller(ADMINISTRATOR), rig.open(ContainerKind::ManagedHsm));
    let (local, arm) = (definition(&[SIGN], &[]), definition(&[VAULT_SIGN], &[group()]));
    Some(match operation {
        Operation::HsmRoleDefinitionPut => {
            Box::new(move || engine.put_hsm_role_definition(&who, &hsm, &local).map(drop))
        }
        Operation::HsmRoleDefinitionDelete => {
            engine.put_hsm_role_definition(&who, &hsm, &local).unwrap();
            Box::new(move || engine.delete_hsm_role_definition(&who, &hsm, ROLE).map(drop))
        }
        Operation::RoleDefinitionPut => {
            Box::new(move || engine.put_arm_role_definition(&who, &group(), &arm).map(drop))
        }
        Operation::RoleDefinitionDelete => {
            engine.put_arm_role_definition(&who, &group(), &arm).unwrap();
            Box::new(move || engine.delete_arm_role_definition(&who, &group(), ROLE).map(drop))
        }
        _ => return None,
    })
}

#[test]
fn a_local_definition_counts_from_each_change_of_it() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    let (hsm, who, kind) = (rig.open(ContainerKind::ManagedHsm), caller(ADMINISTRATOR), ContainerKind::ManagedHsm);
    let put = |actions| rig.engine.put_hsm_role_definition(&who, &hsm, &definition(actions, &[])).unwrap();
    put(&[SIGN]);
    assert!(is_forbidden(sign(&rig.engine, kind)), "nobody has it");
    rig.engine.put_hsm_role_assignment(&who, &hsm, &assignment(1, ROLE, &Scope::new("/keys/k"))).unwrap();
    assert!(sign(&rig.engine, kind).is_ok());
    put(&[VERIFY]);
    assert!(is_forbidden(sign(&rig.engine, kind)));
    put(&[VERIFY, SIGN]);
    assert!(sign(&rig.engine, kind).is_ok());
    rig.engine.delete_hsm_role_definition(&who, &hsm, ROLE).unwrap();
    assert!(is_forbidden(sign(&rig.engine, kind)), "the assignment is there, and inert");
    let held = rig.engine.hsm_role_assignments(&who, &hsm, &Scope::new("/keys/k")).unwrap();
    assert_eq!(held.len(), 1);
    let gone = rig.engine.delete_hsm_role_definition(&who, &hsm, ROLE);
    assert_eq!(refusal(gone), Some(Refusal::RoleDefinitionNotFound));
}

#[test]
fn a_local_definition_is_there_after_a_restart_and_in_its_own_hsm_only() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    let (hsm, who) = (rig.open(ContainerKind::ManagedHsm), caller(ADMINISTRATOR));
    rig.engine.put_hsm_role_definition(&who, &hsm, &definition(&[SIGN], &[])).unwrap();
    rig.engine.put_hsm_role_assignment(&who, &hsm, &assignment(1, ROLE, &Scope::root())).unwrap();
    let again = engine_on(Arc::new(SqliteStore::open(&rig.path()).unwrap()), Arc::clone(&rig.clock) as _);
    assert!(sign(&again, ContainerKind::ManagedHsm).is_ok());
    assert!(again.arm_role_definitions().unwrap().iter().all(RoleDefinition::is_built_in));
    let in_azure = again.put_arm_role_assignment(&who, &assignment(1, ROLE, &group()));
    assert_eq!(refusal(in_azure), Some(Refusal::RoleDefinitionNotFound));
}

#[test]
fn definitions_go_with_their_managed_hsm() {
    let rig = Rig::new();
    let (hsm, who, kind) = (rig.open(ContainerKind::ManagedHsm), caller(ADMINISTRATOR), ContainerKind::ManagedHsm);
    rig.engine.put_hsm_role_definition(&who, &hsm, &definition(&[SIGN], &[])).unwrap();
    let name = ContainerName::parse("contoso").unwrap();
    rig.engine.delete_container(&who, kind, &resource(), &name).unwrap();
    let refused = rig.engine.put_hsm_role_definition(&who, &hsm, &definition(&[VERIFY], &[]));
    assert!(matches!(refusal(refused), Some(Refusal::ContainerDeleted { .. })));
    rig.engine.purge_container(&who, kind, resource().subscription, "eastus", &name).unwrap();
    rig.create(kind);
    let all = rig.engine.hsm_role_definitions(&who, &rig.open(kind), &Scope::root()).unwrap();
    assert!(all.iter().all(RoleDefinition::is_built_in));
}

#[test]
fn whoever_writes_definitions_at_one_key_does_not_write_those_of_the_hsm() {
    let rig = Rig::new();
    let (hsm, who) = (rig.open(ContainerKind::ManagedHsm), caller(SOMEBODY));
    let policy = hsm_roles().iter().find(|role| role.name == "Managed HSM Policy Administrator").unwrap().id;
    let put = |number, scope: &str| {
        let request = assignment(number, policy, &Scope::new(scope));
        rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    };
    let write = || rig.engine.put_hsm_role_definition(&who, &hsm, &definition(&[SIGN], &[]));
    let remove = || rig.engine.delete_hsm_role_definition(&who, &hsm, ROLE);
    put(1, "/keys/k");
    put(2, "/keys");
    assert!(is_forbidden(write()) && is_forbidden(remove()));
    put(3, "/");
    assert!(write().is_ok() && remove().is_ok());
}

#[test]
fn a_definition_of_azure_counts_in_vaults_from_each_change_of_it() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    let put = |actions| rig.engine.put_arm_role_definition(&who, &group(), &definition(actions, &[group()]));
    put(&[VAULT_SIGN]).unwrap();
    rig.engine.put_arm_role_assignment(&who, &assignment(1, ROLE, &vault())).unwrap();
    assert!(sign(&rig.engine, kind).is_ok());
    put(&[]).unwrap();
    assert!(is_forbidden(sign(&rig.engine, kind)));
    put(&["Microsoft.KeyVault/vaults/*/sign/action"]).unwrap();
    assert!(sign(&rig.engine, kind).is_ok());
    let assigned = rig.engine.delete_arm_role_definition(&who, &group(), ROLE);
    assert_eq!(refusal(assigned), Some(Refusal::Role(RoleRefusal::Assigned)));
    rig.engine.delete_arm_role_assignment(&who, &vault(), Guid::from_u128(1)).unwrap();
    assert!(is_forbidden(sign(&rig.engine, kind)));
    rig.engine.delete_arm_role_definition(&who, &group(), ROLE).unwrap();
    let gone = rig.engine.put_arm_role_assignment(&who, &assignment(1, ROLE, &vault()));
    assert_eq!(refusal(gone), Some(Refusal::RoleDefinitionNotFound));
}

#[test]
fn a_custom_definition_is_assigned_within_its_scopes_only() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    rig.engine.put_arm_role_definition(&who, &vault(), &definition(&[VAULT_SIGN], &[vault()])).unwrap();
    let assign = |scope: &Scope| rig.engine.put_arm_role_assignment(&who, &assignment(1, ROLE, scope));
    for outside in [group(), Scope::root(), Scope::new(&format!("{}2", vault().as_str()))] {
        assert_eq!(refusal(assign(&outside)), Some(Refusal::RoleDefinitionNotFound), "{outside:?}");
    }
    assert!(assign(&Scope::new(&format!("{}/keys/k", vault().as_str()))).is_ok());
}

#[test]
fn whoever_writes_a_definition_may_write_at_each_of_its_scopes_old_and_new() {
    let rig = Rig::new();
    let administrator = caller(ADMINISTRATOR);
    let owner = azure_roles().iter().find(|role| role.name == "Owner").unwrap().id;
    rig.engine.put_arm_role_assignment(&administrator, &assignment(1, owner, &vault())).unwrap();
    let put = |who, at: &Scope, scopes: &[Scope]| {
        rig.engine.put_arm_role_definition(&caller(who), at, &definition(&[VAULT_SIGN], scopes))
    };
    assert!(is_forbidden(put(SOMEBODY, &vault(), &[vault(), group()])));
    assert!(is_forbidden(put(SOMEBODY, &group(), &[vault()])), "asked for above");
    put(ADMINISTRATOR, &group(), &[vault(), group()]).unwrap();
    assert!(is_forbidden(put(SOMEBODY, &vault(), &[vault()])), "it is another's to take from");
    let remove = || rig.engine.delete_arm_role_definition(&caller(SOMEBODY), &vault(), ROLE);
    assert!(is_forbidden(remove()));
    put(ADMINISTRATOR, &group(), &[vault()]).unwrap();
    put(SOMEBODY, &vault(), &[vault()]).unwrap();
    remove().unwrap();
}
