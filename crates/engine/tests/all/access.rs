//! The gate: one right for each operation, and effect at once.

use crate::rig::{ADMINISTRATOR, Rig, caller, key_name};
use domain::{
    ContainerKind, Guid, ObjectKind, Post, Refusal, SignatureAlgorithm,
    access::{Model, Scope, hsm_roles},
};
use engine::{Error, RoleAssignmentRequest};

const SOMEBODY: Guid = Guid::from_u128(0x50);

fn role(name: &str) -> Guid {
    hsm_roles().iter().find(|role| role.name == name).unwrap().id
}

fn sign(rig: &Rig, who: Guid) -> Result<(), Error> {
    let open = rig.open(ContainerKind::ManagedHsm);
    let algorithm = SignatureAlgorithm::Es256;
    rig.engine.sign(&caller(who), &open, &key_name("k"), None, algorithm, &[0; 32]).map(drop)
}

fn is_forbidden(result: &Result<(), Error>, asked: Model) -> bool {
    matches!(result, Err(Error::Refused(Refusal::Forbidden { model, .. })) if *model == asked)
}

#[test]
fn a_local_role_counts_from_its_assignment_to_its_removal() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    assert!(is_forbidden(&sign(&rig, SOMEBODY), Model::HsmLocal));
    let request = RoleAssignmentRequest {
        name: Guid::from_u128(1),
        scope: Scope::new("/keys/K"),
        role: role("Managed HSM Crypto User"),
        principal: SOMEBODY,
    };
    let hsm = rig.open(ContainerKind::ManagedHsm);
    rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    assert!(sign(&rig, SOMEBODY).is_ok(), "scopes are compared without case");
    let twice = rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request);
    assert!(matches!(twice, Err(Error::Refused(Refusal::RoleAssignmentExists))));
    rig.engine.delete_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request.scope, request.name).unwrap();
    assert!(is_forbidden(&sign(&rig, SOMEBODY), Model::HsmLocal));
}

#[test]
fn a_role_on_one_key_does_not_reach_another() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let request = RoleAssignmentRequest {
        name: Guid::from_u128(1),
        scope: Scope::new("/keys/kk"),
        role: role("Managed HSM Crypto User"),
        principal: SOMEBODY,
    };
    rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    assert!(is_forbidden(&sign(&rig, SOMEBODY), Model::HsmLocal));
}

#[test]
fn whoever_may_remove_at_one_scope_does_not_reach_another() {
    let rig = Rig::new();
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let assign = |name, scope: &str, role, principal| {
        let request = RoleAssignmentRequest { name: Guid::from_u128(name), scope: Scope::new(scope), role, principal };
        rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    };
    let key = Scope::new("/keys/k");
    assign(1, "/keys/k", role("Managed HSM Policy Administrator"), SOMEBODY);
    assign(2, "/", role("Managed HSM Crypto User"), Guid::from_u128(0x99));
    let remove = |scope: &Scope, name| {
        rig.engine.delete_hsm_role_assignment(&caller(SOMEBODY), &hsm, scope, Guid::from_u128(name)).map(drop)
    };
    let through_the_key = remove(&key, 2);
    assert!(matches!(through_the_key, Err(Error::Refused(Refusal::RoleAssignmentNotFound))));
    assert!(is_forbidden(&remove(&Scope::root(), 2), Model::HsmLocal));
    assert!(remove(&key, 1).is_ok());
}

#[test]
fn who_deletes_need_not_be_able_to_purge() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    let hsm = rig.open(ContainerKind::ManagedHsm);
    for (number, (who, name)) in
        [(0x51, "Managed HSM Crypto User"), (0x52, "Managed HSM Crypto Officer")].into_iter().enumerate()
    {
        let request = RoleAssignmentRequest {
            name: Guid::from_u128(100 + number as u128),
            scope: Scope::root(),
            role: role(name),
            principal: Guid::from_u128(who),
        };
        rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    }
    let (user, officer) = (caller(Guid::from_u128(0x51)), caller(Guid::from_u128(0x52)));
    let officer_deletes = rig.engine.delete_object(&officer, &hsm, ObjectKind::Key, &key_name("k")).map(drop);
    assert!(is_forbidden(&officer_deletes, Model::HsmLocal));
    rig.engine.delete_object(&user, &hsm, ObjectKind::Key, &key_name("k")).unwrap();
    assert!(is_forbidden(&rig.engine.purge_object(&user, &hsm, ObjectKind::Key, &key_name("k")), Model::HsmLocal));
    rig.engine.purge_object(&officer, &hsm, ObjectKind::Key, &key_name("k")).unwrap();
}

#[test]
fn a_token_of_another_tenant_has_no_rights_here() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    let stranger = domain::access::Caller { tenant: Guid::from_u128(9), ..caller(ADMINISTRATOR) };
    let open = rig.open(ContainerKind::Vault);
    let outcome = rig.engine.get_object(&stranger, &open, ObjectKind::Key, &key_name("k"), None).map(drop);
    assert!(is_forbidden(&outcome, Model::VaultRbac));
}

#[test]
fn the_last_administrator_of_a_managed_hsm_stays() {
    let rig = Rig::new();
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let (who, root) = (caller(ADMINISTRATOR), Scope::root());
    let administers = role("Managed HSM Administrator");
    let all = rig.engine.hsm_role_assignments(&who, &hsm, &root).unwrap();
    let last = all.iter().find(|each| each.role == administers).unwrap().name;
    let refused = rig.engine.delete_hsm_role_assignment(&who, &hsm, &root, last);
    assert!(matches!(refused, Err(Error::Refused(Refusal::LastAdministrator { of: Post::ManagedHsm { .. } }))));
    let second =
        RoleAssignmentRequest { name: Guid::from_u128(5), scope: root.clone(), role: administers, principal: SOMEBODY };
    rig.engine.put_hsm_role_assignment(&who, &hsm, &second).unwrap();
    assert!(rig.engine.delete_hsm_role_assignment(&who, &hsm, &root, last).is_ok());
}
