//! The last ones: nobody takes away what nobody could ever get back.

use super::{azure_role, grant, join, make_group, make_service_principal, make_user, now, refusal};
use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, caller, resource};
use domain::{
    ContainerKind, DirectoryRefusal, Guid, PrincipalChanges,
    access::{Scope, hsm_roles},
};
use engine::RoleAssignmentRequest;

#[test]
fn the_last_who_may_change_the_directory_stays() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let (ada, bob, group) = (make_user(&rig, "ada"), make_user(&rig, "bob"), make_group(&rig, "owners"));
    let is_last = |result| refusal(result) == Some(DirectoryRefusal::LastAdministrator);
    let disable = PrincipalChanges { enabled: Some(false), ..PrincipalChanges::default() };
    // So far nobody in the directory may change it: there is no last one.
    rig.engine.delete_user(&who, make_user(&rig, "eve")).unwrap();
    grant(&rig, 1, azure_role("Owner"), group, "/");
    join(&rig, group, ada).unwrap();
    assert!(is_last(rig.engine.delete_user(&who, ada)));
    assert!(is_last(rig.engine.update_user(&who, ada, &disable)));
    assert!(is_last(rig.engine.remove_group_member(&who, group, ada)));
    assert!(is_last(rig.engine.delete_group(&who, group)));
    let herself = now(&rig.engine, ada).unwrap();
    assert!(is_last(rig.engine.delete_user(&herself, ada)));
    assert_eq!(rig.engine.directory().unwrap().groups_of(ada), [group], "nothing of it happened");
    assert!(now(&rig.engine, ada).is_some());
    rig.engine.delete_user(&who, bob).unwrap();

    let robot = make_service_principal(&rig, "robot");
    grant(&rig, 2, azure_role("User Access Administrator"), robot.object_id, &format!("/subscriptions/{SUBSCRIPTION}"));
    rig.engine.remove_group_member(&who, group, ada).unwrap();
    rig.engine.delete_user(&who, ada).unwrap();
    assert!(is_last(rig.engine.update_service_principal(&who, robot.object_id, &disable)));
    assert!(is_last(rig.engine.delete_service_principal(&who, robot.object_id)));
    assert!(is_last(rig.engine.delete_application(&who, robot.application.unwrap())));
    let eve = make_user(&rig, "eve");
    grant(&rig, 3, azure_role("Owner"), eve, "/");
    rig.engine.delete_application(&who, robot.application.unwrap()).unwrap();
}

#[test]
fn the_last_administrator_of_a_managed_hsm_stays_in_the_directory() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let (ada, group) = (make_user(&rig, "ada"), make_group(&rig, "keepers"));
    let role = hsm_roles().iter().find(|role| role.name == "Managed HSM Administrator").unwrap().id;
    let request = RoleAssignmentRequest { name: Guid::from_u128(1), scope: Scope::root(), role, principal: group };
    rig.engine.put_hsm_role_assignment(&who, &rig.open(ContainerKind::ManagedHsm), &request).unwrap();
    join(&rig, group, ada).unwrap();
    let is_last = |result| matches!(refusal(result), Some(DirectoryRefusal::LastHsmAdministrator { hsm }) if hsm.as_str() == "contoso");
    assert!(is_last(rig.engine.delete_user(&who, ada)));
    assert!(is_last(rig.engine.remove_group_member(&who, group, ada)));
    assert!(is_last(rig.engine.delete_group(&who, group)));
    let robot = make_service_principal(&rig, "robot").object_id;
    join(&rig, group, robot).unwrap();
    rig.engine.delete_user(&who, ada).unwrap();
    assert!(is_last(rig.engine.delete_service_principal(&who, robot)));
    let name = domain::ContainerName::parse("contoso").unwrap();
    rig.engine.delete_container(&who, ContainerKind::ManagedHsm, &resource(), &name).unwrap();
    rig.engine.delete_service_principal(&who, robot).unwrap();
}

#[test]
fn two_administrators_do_not_remove_each_other() {
    for _ in 0..8 {
        let rig = Rig::new();
        let two = ["ada", "bob"].map(|name| make_user(&rig, name));
        for (number, who) in two.into_iter().enumerate() {
            grant(&rig, 1 + number as u128, azure_role("Owner"), who, "/");
        }
        let [ada, bob] = two.map(|who| now(&rig.engine, who).unwrap());
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| rig.engine.delete_user(&ada, two[1]));
            let other = scope.spawn(|| rig.engine.delete_user(&bob, two[0]));
            (one.join().unwrap(), other.join().unwrap())
        });
        assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
        let left = two.into_iter().filter(|who| now(&rig.engine, *who).is_some());
        assert_eq!(left.count(), 1);
    }
}
