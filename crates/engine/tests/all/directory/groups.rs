//! Groups: what their members may do through them, and who can be one.

use super::{azure_role, grant, is_forbidden, join, make_group, make_service_principal, make_user, refusal, sign};
use crate::rig::{ADMINISTRATOR, Rig, TENANT, caller, resource};
use domain::{
    AccessPolicy, ContainerKind, DirectoryRefusal, Guid, PermissionModel, Refusal,
    access::{Model, Scope, hsm_roles},
};
use engine::{ContainerPatch, Error, NewApplication, ProfileRequest, RoleAssignmentRequest, VaultSettings};

#[test]
fn a_right_through_a_group_ends_with_the_membership() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let (ada, inner, outer) = (make_user(&rig, "ada"), make_group(&rig, "inner"), make_group(&rig, "outer"));
    join(&rig, inner, ada).unwrap();
    let role = hsm_roles().iter().find(|role| role.name == "Managed HSM Crypto User").unwrap().id;
    let local = RoleAssignmentRequest { name: Guid::from_u128(1), scope: Scope::root(), role, principal: outer };
    rig.engine.put_hsm_role_assignment(&who, &rig.open(ContainerKind::ManagedHsm), &local).unwrap();
    grant(&rig, 2, azure_role("Key Vault Crypto User"), outer, "/");
    for (kind, model) in [(ContainerKind::ManagedHsm, Model::HsmLocal), (ContainerKind::Vault, Model::VaultRbac)] {
        rig.create_ec_key(kind, "k");
        assert!(is_forbidden(&sign(&rig, kind, ada), model));
        join(&rig, outer, inner).unwrap();
        assert!(sign(&rig, kind, ada).is_ok(), "through a group in a group");
        rig.engine.remove_group_member(&who, outer, inner).unwrap();
        assert!(is_forbidden(&sign(&rig, kind, ada), model));
        join(&rig, outer, ada).unwrap();
        assert!(sign(&rig, kind, ada).is_ok());
        rig.engine.remove_group_member(&who, outer, ada).unwrap();
        assert!(is_forbidden(&sign(&rig, kind, ada), model));
    }
    join(&rig, outer, ada).unwrap();
    assert!(sign(&rig, ContainerKind::Vault, ada).is_ok());
    rig.engine.delete_group(&who, outer).unwrap();
    assert!(is_forbidden(&sign(&rig, ContainerKind::Vault, ada), Model::VaultRbac), "the group's assignment is inert");
}

#[test]
fn of_changes_at_the_same_time_none_is_forgotten() {
    const EACH: usize = 12;
    let rig = Rig::new();
    let group = make_group(&rig, "g");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let rig = &rig;
            scope.spawn(move || {
                for number in 0..EACH {
                    let user = make_user(rig, &format!("u{thread}-{number}"));
                    join(rig, group, user).unwrap();
                    assert_eq!(rig.engine.directory().unwrap().groups_of(user), [group], "as soon as it is answered");
                }
            });
        }
    });
    assert_eq!(rig.engine.directory().unwrap().members_of(group).len(), 4 * EACH);
}

#[test]
fn access_policies_may_name_a_group() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    let (ada, group) = (make_user(&rig, "ada"), make_group(&rig, "g"));
    let policy = AccessPolicy {
        tenant: TENANT,
        object_id: group.to_string(),
        application_id: None,
        keys: vec!["sign".to_owned()],
        secrets: Vec::new(),
        certificates: Vec::new(),
        storage: Vec::new(),
    };
    let settings = VaultSettings {
        permission_model: Some(PermissionModel::AccessPolicies),
        access_policies: Some(vec![policy]),
        ..VaultSettings::default()
    };
    let patch = ContainerPatch { profile: Some(ProfileRequest::Vault(settings)), ..ContainerPatch::default() };
    let name = domain::ContainerName::parse("contoso").unwrap();
    let (who, kind) = (caller(ADMINISTRATOR), ContainerKind::Vault);
    rig.engine.patch_container(&who, kind, &resource(), &name, &patch).unwrap();
    assert!(is_forbidden(&sign(&rig, kind, ada), Model::VaultPolicy));
    join(&rig, group, ada).unwrap();
    assert!(sign(&rig, kind, ada).is_ok());
    rig.engine.remove_group_member(&who, group, ada).unwrap();
    assert!(is_forbidden(&sign(&rig, kind, ada), Model::VaultPolicy));
}

#[test]
fn memberships_make_no_cycle() {
    let rig = Rig::new();
    let [one, two, three] = ["one", "two", "three"].map(|name| make_group(&rig, name));
    let ada = make_user(&rig, "ada");
    let cycle = Some(DirectoryRefusal::MembershipCycle);
    assert_eq!(refusal(join(&rig, one, one)), cycle);
    join(&rig, one, two).unwrap();
    join(&rig, two, three).unwrap();
    assert_eq!(refusal(join(&rig, two, one)), cycle);
    assert_eq!(refusal(join(&rig, three, one)), cycle);
    assert_eq!(refusal(join(&rig, one, two)), Some(DirectoryRefusal::MemberExists));
    join(&rig, one, three).unwrap();
    join(&rig, three, ada).unwrap();
    let mut groups = rig.engine.directory().unwrap().groups_of(ada);
    groups.sort();
    let mut expected = vec![one, two, three];
    expected.sort();
    assert_eq!(groups, expected);
    let absent = rig.engine.remove_group_member(&caller(ADMINISTRATOR), one, ada);
    assert_eq!(refusal(absent), Some(DirectoryRefusal::MemberNotFound), "not through others");
}

#[test]
fn a_group_takes_only_those_that_are_somebody() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let (ada, group) = (make_user(&rig, "ada"), make_group(&rig, "g"));
    let new = NewApplication { display_name: "app".to_owned(), description: None };
    let application = rig.engine.create_application(&who, &new).unwrap();
    let is_unknown = |result| matches!(result, Err(Error::Refused(Refusal::PrincipalNotFound)));
    assert!(is_unknown(join(&rig, group, Guid::from_u128(0x77))));
    assert!(is_unknown(join(&rig, group, application.object_id)));
    assert!(is_unknown(join(&rig, ada, group)), "a user is no group");
    assert!(is_unknown(rig.engine.delete_user(&who, group)));
    assert!(is_unknown(rig.engine.delete_group(&who, ada)));
    join(&rig, group, make_service_principal(&rig, "robot").object_id).unwrap();
}
