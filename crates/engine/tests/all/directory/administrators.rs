//! The last ones: nobody takes away what nobody could ever get back.

use super::{appoint, azure_role, grant, is_forbidden, join, make_group, make_service_principal, make_user, now, user};
use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, caller, resource};
use domain::{
    ContainerKind, Guid, Operation, Post, PrincipalChanges, Refusal,
    access::{GLOBAL_ADMINISTRATOR, Model, Scope, hsm_roles},
};
use engine::{Error, NewApplication, NewUser, RoleAssignmentRequest};

/// The post that would have been lost.
fn lost<T>(result: Result<T, Error>) -> Option<Post> {
    match result {
        Err(Error::Refused(Refusal::LastAdministrator { of })) => Some(of),
        _ => None,
    }
}

fn contoso() -> Post {
    Post::ManagedHsm { hsm: domain::ContainerName::parse("contoso").unwrap() }
}

fn subscription() -> Scope {
    Scope::new(&format!("/subscriptions/{SUBSCRIPTION}"))
}

fn enabled(enabled: bool) -> PrincipalChanges {
    PrincipalChanges { enabled: Some(enabled), ..PrincipalChanges::default() }
}

/// Where somebody can be made an administrator, and unmade.
#[derive(Clone, Copy, Debug)]
enum Place {
    Hsm,
    Root,
    Subscription,
}

const PLACES: [Place; 3] = [Place::Hsm, Place::Root, Place::Subscription];

impl Place {
    fn post(self) -> Post {
        match self {
            Self::Hsm => contoso(),
            Self::Root => Post::ControlPlane { scope: Scope::root() },
            Self::Subscription => Post::ControlPlane { scope: subscription() },
        }
    }

    fn scope(self) -> Scope {
        if matches!(self, Self::Subscription) { subscription() } else { Scope::root() }
    }

    fn appoint(self, rig: &Rig, number: u128, principal: Guid) {
        let role = match self {
            Self::Hsm => hsm_roles().iter().find(|role| role.name == "Managed HSM Administrator").unwrap().id,
            Self::Root => azure_role("Owner"),
            Self::Subscription => azure_role("User Access Administrator"),
        };
        let request = RoleAssignmentRequest { name: Guid::from_u128(number), scope: self.scope(), role, principal };
        let who = caller(ADMINISTRATOR);
        let made = match self {
            Self::Hsm => rig.engine.put_hsm_role_assignment(&who, &rig.open(ContainerKind::ManagedHsm), &request),
            Self::Root | Self::Subscription => rig.engine.put_arm_role_assignment(&who, &request),
        };
        made.unwrap();
    }

    fn dismiss(self, rig: &Rig, number: u128) -> Result<(), Error> {
        let (who, name) = (caller(ADMINISTRATOR), Guid::from_u128(number));
        let removed = match self {
            Self::Hsm => {
                let hsm = rig.open(ContainerKind::ManagedHsm);
                rig.engine.delete_hsm_role_assignment(&who, &hsm, &self.scope(), name)
            }
            Self::Root | Self::Subscription => rig.engine.delete_arm_role_assignment(&who, &self.scope(), name),
        };
        removed.map(drop)
    }
}

/// Principals that hold whatever they are given, and that nobody can act as.
fn nobodies(rig: &Rig) -> Vec<(&'static str, Guid)> {
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    let disabled = make_user(rig, "disabled");
    engine.update_user(&who, disabled, &enabled(false)).unwrap();
    let deleted = make_user(rig, "deleted");
    engine.delete_user(&who, deleted).unwrap();
    let robot = make_service_principal(rig, "robot").object_id;
    engine.update_service_principal(&who, robot, &enabled(false)).unwrap();
    let of_disabled = make_group(rig, "of a disabled user");
    join(rig, of_disabled, disabled).unwrap();
    let outer = make_group(rig, "of a group of a disabled user");
    join(rig, outer, of_disabled).unwrap();
    let application = NewApplication { display_name: "app".to_owned(), description: None };
    let application = engine.create_application(&who, &application).unwrap().object_id;
    vec![
        ("an empty group", make_group(rig, "empty")),
        ("a group of a disabled user", of_disabled),
        ("a group in a group", outer),
        ("a disabled user", disabled),
        ("a deleted user", deleted),
        ("a disabled service principal", robot),
        ("an application that has none", application),
    ]
}

#[test]
fn an_assignment_that_nobody_can_act_by_does_not_count() {
    for place in PLACES {
        let rig = Rig::new();
        let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
        let (ada, bob) = (make_user(&rig, "ada"), make_user(&rig, "bob"));
        place.appoint(&rig, 1, ada);
        for (number, (what, nobody)) in (10..).zip(nobodies(&rig)) {
            place.appoint(&rig, number, nobody);
            let said = format!("{place:?} beside {what}");
            assert_eq!(lost(place.dismiss(&rig, 1)), Some(place.post()), "{said}");
            assert_eq!(lost(engine.delete_user(&who, ada)), Some(place.post()), "{said}");
            assert_eq!(lost(engine.update_user(&who, ada, &enabled(false))), Some(place.post()), "{said}");
            place.dismiss(&rig, number).unwrap();
        }
        place.appoint(&rig, 2, bob);
        place.dismiss(&rig, 1).unwrap();
        engine.delete_user(&who, ada).unwrap();
        assert_eq!(lost(place.dismiss(&rig, 2)), Some(place.post()));
    }
}

#[test]
fn whoever_is_reached_through_groups_counts_as_long_as_they_are() {
    for place in PLACES {
        let rig = Rig::new();
        let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
        let (ada, robot) = (make_user(&rig, "ada"), make_service_principal(&rig, "robot"));
        let [inner, outer] = ["inner", "outer"].map(|name| make_group(&rig, name));
        join(&rig, inner, robot.object_id).unwrap();
        join(&rig, outer, inner).unwrap();
        place.appoint(&rig, 1, ada);
        place.appoint(&rig, 2, outer);
        place.dismiss(&rig, 1).unwrap();
        let last = [
            engine.remove_group_member(&who, inner, robot.object_id),
            engine.remove_group_member(&who, outer, inner),
            engine.delete_group(&who, inner),
            engine.delete_group(&who, outer),
            engine.update_service_principal(&who, robot.object_id, &enabled(false)),
            engine.delete_service_principal(&who, robot.object_id),
            engine.delete_application(&who, robot.application.unwrap()),
            place.dismiss(&rig, 2),
        ];
        for (index, result) in last.into_iter().enumerate() {
            assert_eq!(lost(result), Some(place.post()), "{place:?}, {index}");
        }
        join(&rig, outer, ada).unwrap();
        engine.delete_group(&who, inner).unwrap();
        assert_eq!(lost(engine.remove_group_member(&who, outer, ada)), Some(place.post()), "{place:?}");
    }
}

#[test]
fn who_is_known_by_an_issuer_alone_is_the_last_one_only_among_their_like() {
    for place in PLACES {
        let rig = Rig::new();
        let [first, second] = [0x51, 0x52].map(Guid::from_u128);
        // The rig's own administrator is such a one, too.
        place.appoint(&rig, 1, first);
        place.appoint(&rig, 2, second);
        place.dismiss(&rig, 1).unwrap();
        place.appoint(&rig, 3, make_user(&rig, "ada"));
        place.dismiss(&rig, 2).unwrap();
        assert_eq!(lost(place.dismiss(&rig, 3)), Some(place.post()), "{place:?}");
    }
}

#[test]
fn who_administers_everything_administers_a_subscription() {
    let rig = Rig::new();
    let (ada, bob) = (make_user(&rig, "ada"), make_user(&rig, "bob"));
    Place::Root.appoint(&rig, 1, ada);
    Place::Subscription.appoint(&rig, 2, bob);
    Place::Subscription.dismiss(&rig, 2).unwrap();
    assert_eq!(lost(Place::Root.dismiss(&rig, 1)), Some(Place::Root.post()));
    Place::Root.appoint(&rig, 3, bob);
    Place::Root.dismiss(&rig, 1).unwrap();
}

#[test]
fn other_roles_and_other_scopes_are_no_posts() {
    let rig = Rig::new();
    let ada = make_user(&rig, "ada");
    let (who, hsm) = (caller(ADMINISTRATOR), rig.open(ContainerKind::ManagedHsm));
    for (number, role, scope) in [(1, "Managed HSM Administrator", "/keys"), (2, "Managed HSM Crypto Officer", "/")] {
        let role = hsm_roles().iter().find(|each| each.name == role).unwrap().id;
        let (name, scope) = (Guid::from_u128(number), Scope::new(scope));
        let request = RoleAssignmentRequest { name, scope: scope.clone(), role, principal: ada };
        rig.engine.put_hsm_role_assignment(&who, &hsm, &request).unwrap();
        rig.engine.delete_hsm_role_assignment(&who, &hsm, &scope, name).unwrap();
    }
    for (number, role, scope) in [(4, "Contributor", Scope::root()), (5, "Owner", group_scope())] {
        grant(&rig, number, azure_role(role), ada, scope.as_str());
        rig.engine.delete_arm_role_assignment(&who, &scope, Guid::from_u128(number)).unwrap();
    }
}

fn group_scope() -> Scope {
    Scope::new(&format!("{}/resourceGroups/rg", subscription().as_str()))
}

#[test]
fn the_last_global_administrator_stays() {
    let rig = Rig::new();
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    let is_last = |result| lost(result) == Some(Post::Directory);
    let (ada, group) = (make_user(&rig, "ada"), make_group(&rig, "administrators"));
    // So far nobody in the directory is one: there is no last one.
    engine.delete_user(&who, make_user(&rig, "eve")).unwrap();
    let of_group = appoint(&rig, "Global Administrator", group);
    join(&rig, group, ada).unwrap();
    assert!(is_last(engine.delete_user(&who, ada)));
    assert!(is_last(engine.update_user(&who, ada, &enabled(false))));
    assert!(is_last(engine.remove_group_member(&who, group, ada)));
    assert!(is_last(engine.delete_group(&who, group)));
    assert!(is_last(engine.delete_directory_role_assignment(&who, of_group).map(drop)));
    let herself = now(engine, ada).unwrap();
    assert!(is_last(engine.delete_user(&herself, ada)));
    assert!(is_last(engine.delete_directory_role_assignment(&herself, of_group).map(drop)));
    assert_eq!(engine.directory().unwrap().groups_of(ada), [group], "nothing of it happened");
    assert!(engine.check_directory_access(&herself, Operation::DirectoryRoleAssignmentPut).is_ok());
    for (number, (what, nobody)) in nobodies(&rig).into_iter().enumerate() {
        let Ok(beside) = engine.put_directory_role_assignment(&who, GLOBAL_ADMINISTRATOR, nobody) else {
            // Whom the directory does not know is given no role in it.
            assert!(what.contains("deleted") || what.contains("application"), "{what}");
            continue;
        };
        assert!(is_last(engine.delete_user(&who, ada)), "{number}: beside {what}");
        engine.delete_directory_role_assignment(&who, beside.name).unwrap();
    }
    appoint(&rig, "Privileged Role Administrator", make_user(&rig, "bob"));
    assert!(is_last(engine.delete_user(&who, ada)), "another role is not that role");

    let robot = make_service_principal(&rig, "another robot");
    appoint(&rig, "Global Administrator", robot.object_id);
    engine.delete_user(&who, ada).unwrap();
    assert!(is_last(engine.update_service_principal(&who, robot.object_id, &enabled(false))));
    assert!(is_last(engine.delete_service_principal(&who, robot.object_id)));
    assert!(is_last(engine.delete_application(&who, robot.application.unwrap())));
    appoint(&rig, "Global Administrator", make_user(&rig, "carl"));
    engine.delete_application(&who, robot.application.unwrap()).unwrap();
}

#[test]
fn nobody_is_disabled_by_being_made_a_user() {
    let rig = Rig::new();
    // The rig's administrator is known by an issuer alone, and administers everything.
    let themselves = NewUser { object_id: Some(ADMINISTRATOR), enabled: false, ..user("administrator") };
    let refused = rig.engine.create_user(&caller(ADMINISTRATOR), &themselves);
    assert_eq!(lost(refused), Some(Post::Directory));
    let users = make_user(&rig, "users");
    appoint(&rig, "User Administrator", users);
    let by_another =
        rig.engine.create_user(&now(&rig.engine, users).unwrap(), &NewUser { enabled: true, ..themselves });
    assert!(is_forbidden(&by_another, Model::Directory), "{by_another:?}");
}

#[test]
fn a_deleted_managed_hsm_keeps_nobody() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let robot = make_service_principal(&rig, "robot").object_id;
    Place::Hsm.appoint(&rig, 1, robot);
    assert_eq!(lost(rig.engine.delete_service_principal(&who, robot)), Some(contoso()));
    let name = domain::ContainerName::parse("contoso").unwrap();
    rig.engine.delete_container(&who, ContainerKind::ManagedHsm, &resource(), &name).unwrap();
    rig.engine.delete_service_principal(&who, robot).unwrap();
}

#[test]
fn two_administrators_do_not_remove_each_other() {
    for _ in 0..8 {
        let rig = Rig::new();
        let two = ["ada", "bob"].map(|name| make_user(&rig, name));
        for who in two {
            appoint(&rig, "Global Administrator", who);
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

#[test]
fn an_assignment_and_its_holder_are_not_taken_away_at_the_same_time() {
    for place in PLACES {
        for _ in 0..4 {
            let rig = Rig::new();
            let who = caller(ADMINISTRATOR);
            let [ada, bob] = ["ada", "bob"].map(|name| make_user(&rig, name));
            place.appoint(&rig, 1, ada);
            place.appoint(&rig, 2, bob);
            let (dismissed, deleted) = std::thread::scope(|scope| {
                let dismissed = scope.spawn(|| place.dismiss(&rig, 1));
                let deleted = scope.spawn(|| rig.engine.delete_user(&who, bob));
                (dismissed.join().unwrap(), deleted.join().unwrap())
            });
            assert_ne!(dismissed.is_ok(), deleted.is_ok(), "{place:?}: {dismissed:?} {deleted:?}");
        }
    }
}
