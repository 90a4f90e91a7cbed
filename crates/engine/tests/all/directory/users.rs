//! Users: gone or disabled at once, and under names and ids of their own.

use super::{join, make_group, make_service_principal, make_user, refusal, user};
use crate::rig::{ADMINISTRATOR, Rig, caller, root, start};
use domain::{DirectoryRefusal, Guid, PrincipalChanges, PrincipalKind, Standing};
use engine::NewUser;

#[test]
fn who_is_disabled_or_deleted_is_so_at_once_and_after_a_restart() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let (ada, bob) = (make_user(&rig, "ada"), make_user(&rig, "bob"));
    let robot = make_service_principal(&rig, "robot").object_id;
    let group = make_group(&rig, "g");
    join(&rig, group, ada).unwrap();
    let disable = PrincipalChanges { enabled: Some(false), ..PrincipalChanges::default() };
    rig.engine.update_user(&who, ada, &disable).unwrap();
    rig.engine.delete_user(&who, bob).unwrap();
    rig.engine.update_service_principal(&who, robot, &disable).unwrap();
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    for engine in [&*rig.engine, &again] {
        let directory = engine.directory().unwrap();
        assert_eq!(directory.standing(ada), Standing::Disabled);
        assert_eq!(directory.standing(bob), Standing::Unknown);
        assert_eq!(directory.standing(robot), Standing::Disabled);
    }
    let enable = PrincipalChanges { enabled: Some(true), ..PrincipalChanges::default() };
    rig.engine.update_user(&who, ada, &enable).unwrap();
    let in_group = Standing::Enabled { kind: PrincipalKind::User, groups: &[group] };
    assert_eq!(rig.engine.directory().unwrap().standing(ada), in_group);
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    assert_eq!(again.directory().unwrap().standing(ada), in_group);
}

#[test]
fn names_and_ids_of_users_are_their_own() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let known = NewUser { object_id: Some(Guid::from_u128(0x42)), ..user("ada") };
    assert_eq!(rig.engine.create_user(&who, &known).unwrap().object_id, Guid::from_u128(0x42));
    let same_id = NewUser { object_id: Some(Guid::from_u128(0x42)), ..user("bob") };
    assert_eq!(refusal(rig.engine.create_user(&who, &same_id)), Some(DirectoryRefusal::ObjectIdTaken));
    let robot = make_service_principal(&rig, "robot");
    for taken in [robot.object_id, robot.application.unwrap()] {
        let same_id = NewUser { object_id: Some(taken), ..user("bob") };
        assert_eq!(refusal(rig.engine.create_user(&who, &same_id)), Some(DirectoryRefusal::ObjectIdTaken));
    }
    let same_name = NewUser { user_principal_name: "ADA@contoso.EXAMPLE".to_owned(), ..user("ada") };
    assert_eq!(refusal(rig.engine.create_user(&who, &same_name)), Some(DirectoryRefusal::UserNameTaken));
    let bob = make_user(&rig, "bob");
    let renamed =
        |name: &str| PrincipalChanges { user_principal_name: Some(name.to_owned()), ..PrincipalChanges::default() };
    let taken = rig.engine.update_user(&who, bob, &renamed("ada@contoso.example"));
    assert_eq!(refusal(taken), Some(DirectoryRefusal::UserNameTaken));
    rig.engine.update_user(&who, bob, &renamed("BOB@contoso.example")).unwrap();
    rig.engine.update_user(&who, bob, &renamed("robert@contoso.example")).unwrap();
    make_user(&rig, "bob");
}
