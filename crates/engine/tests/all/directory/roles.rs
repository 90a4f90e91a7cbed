//! Directory roles: what each lets do, and that no other right lets do it.

use super::{
    GROUPS, appoint, azure_role, directory_role, grant, is_forbidden, join, make_group, make_service_principal,
    make_user, now, prepared, user,
};
use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, caller, root, start};
use domain::{
    ContainerKind, Guid, Operation, PrincipalChanges, Refusal,
    access::{Caller, Model, Scope, directory_roles, hsm_roles},
};
use engine::{Application, Error, NewGroup, NewSecret, NewUser, RoleAssignmentRequest};

const GLOBAL: &str = "Global Administrator";
const USERS: &str = "User Administrator";
const APPLICATIONS: &str = "Application Administrator";
const PRIVILEGED: &str = "Privileged Role Administrator";

/// Changes of the directory.
fn operations() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| operation.directory_action().is_some())
}

fn may(rig: &Rig, who: Guid, operation: Operation) -> bool {
    let result = rig.engine.check_directory_access(&now(&rig.engine, who).unwrap(), operation);
    assert!(result.is_ok() || is_forbidden(&result, Model::Directory), "{result:?}");
    result.is_ok()
}

fn rename() -> PrincipalChanges {
    PrincipalChanges { display_name: Some("renamed".to_owned()), ..PrincipalChanges::default() }
}

#[test]
fn no_role_elsewhere_lets_change_the_directory() {
    let rig = Rig::new();
    let (ada, hsm) = (make_user(&rig, "ada"), rig.open(ContainerKind::ManagedHsm));
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    let scopes = ["/", subscription.as_str()];
    let roles = ["Owner", "User Access Administrator", "Contributor", "Role Based Access Control Administrator"];
    for (number, (role, scope)) in
        (1..).zip(roles.iter().flat_map(|role| scopes.iter().map(move |scope| (*role, *scope))))
    {
        grant(&rig, number, azure_role(role), ada, scope);
    }
    for (number, role) in (100..).zip(hsm_roles()) {
        let (name, scope) = (Guid::from_u128(number), Scope::root());
        let request = RoleAssignmentRequest { name, scope, role: role.id, principal: ada };
        rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    }
    for operation in operations() {
        assert!(!may(&rig, ada, operation), "{operation:?}");
    }
}

#[test]
fn an_owner_of_everything_does_not_become_administrator_of_a_managed_hsm() {
    let rig = Rig::new();
    let (owner, keepers) = (make_user(&rig, "owner"), make_group(&rig, "keepers"));
    let robot = make_service_principal(&rig, "robot").object_id;
    let hsm = rig.open(ContainerKind::ManagedHsm);
    let administers = hsm_roles().iter().find(|role| role.name == "Managed HSM Administrator").unwrap().id;
    for (number, principal) in [(1, keepers), (2, robot)] {
        let (name, scope) = (Guid::from_u128(number), Scope::root());
        let request = RoleAssignmentRequest { name, scope, role: administers, principal };
        rig.engine.put_hsm_role_assignment(&caller(ADMINISTRATOR), &hsm, &request).unwrap();
    }
    grant(&rig, 3, azure_role("Owner"), owner, "/");
    let asks = now(&rig.engine, owner).unwrap();
    let itself =
        RoleAssignmentRequest { name: Guid::from_u128(4), scope: Scope::root(), role: administers, principal: owner };
    let refused = [
        rig.engine.add_group_member(&asks, keepers, owner),
        rig.engine.add_client_secret(&asks, Application::Principal(robot), &NewSecret::default()).map(drop),
        rig.engine.put_directory_role_assignment(&asks, directory_role(GLOBAL), owner).map(drop),
    ];
    assert!(refused.iter().all(|each| is_forbidden(each, Model::Directory)), "{refused:?}");
    let directly = rig.engine.put_hsm_role_assignment(&asks, &hsm, &itself);
    assert!(is_forbidden(&directly, Model::HsmLocal), "{directly:?}");
}

#[test]
fn a_directory_role_gives_no_right_elsewhere() {
    let rig = Rig::new();
    let ada = make_user(&rig, "ada");
    for role in directory_roles() {
        appoint(&rig, &role.name, ada);
    }
    let (asks, scope) = (now(&rig.engine, ada).unwrap(), Scope::root());
    let read = rig.engine.arm_role_assignments(&asks, &scope);
    assert!(is_forbidden(&read, Model::ControlPlane));
    let local = rig.engine.hsm_role_assignments(&asks, &rig.open(ContainerKind::ManagedHsm), &scope);
    assert!(is_forbidden(&local, Model::HsmLocal));
}

#[test]
fn each_role_lets_do_what_it_names_from_its_giving_to_its_taking() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let (ada, group) = (make_user(&rig, "ada"), make_group(&rig, "g"));
    // Somebody has to be left.
    appoint(&rig, GLOBAL, make_user(&rig, "bob"));
    for role in directory_roles() {
        let lets =
            |operation: Operation| operation.directory_action().is_some_and(|a| role.permissions.allows_action(a));
        let given = appoint(&rig, &role.name, ada);
        for operation in operations() {
            assert_eq!(may(&rig, ada, operation), lets(operation), "{}: {operation:?}", role.name);
        }
        rig.engine.delete_directory_role_assignment(&who, given).unwrap();
        assert!(operations().all(|operation| !may(&rig, ada, operation)), "{}", role.name);
    }
    let given = appoint(&rig, GLOBAL, group);
    assert!(!may(&rig, ada, Operation::UserCreate));
    join(&rig, group, ada).unwrap();
    assert!(may(&rig, ada, Operation::UserCreate), "through a group");
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    let asks = now(&again, ada).unwrap();
    assert!(again.check_directory_access(&asks, Operation::DirectoryRoleAssignmentPut).is_ok(), "after a restart");
    rig.engine.delete_directory_role_assignment(&who, given).unwrap();
    assert!(!may(&rig, ada, Operation::UserCreate));
}

#[test]
fn each_operation_asks_for_its_right_where_it_is_done() {
    for operation in operations() {
        let rig = Rig::new();
        let Some(change) = prepared(&rig, operation) else {
            // Those whose answer waits for no checkpoint are asked in `whoever_may_not_is_told_so_and_nothing_else`.
            assert!(!operation.needs_checkpoint(), "{operation:?}");
            continue;
        };
        // The administrator who will ask has no role any more; somebody else has.
        appoint(&rig, GLOBAL, make_user(&rig, "eve"));
        let held = rig.engine.directory_role_assignments().unwrap();
        let own = held.iter().find(|each| each.principal == ADMINISTRATOR).unwrap().name;
        rig.engine.delete_directory_role_assignment(&caller(ADMINISTRATOR), own).unwrap();
        let result = change();
        assert!(is_forbidden(&result, Model::Directory), "{operation:?}: {result:?}");
    }
}

/// Somebody who holds one directory role.
fn holder(rig: &Rig, role: &str) -> Caller {
    let who = make_user(rig, &role.replace(' ', "-"));
    appoint(rig, role, who);
    now(&rig.engine, who).unwrap()
}

#[test]
fn whoever_has_a_directory_role_is_changed_only_by_who_may_give_it() {
    let rig = Rig::new();
    let engine = &rig.engine;
    let [users, groups, applications] = [USERS, GROUPS, APPLICATIONS].map(|role| holder(&rig, role));
    let (ada, robot) = (make_user(&rig, "ada"), make_service_principal(&rig, "robot"));
    let [inner, outer, other] = ["inner", "outer", "other"].map(|name| make_group(&rig, name));
    let eve = make_user(&rig, "eve");
    join(&rig, outer, inner).unwrap();
    join(&rig, inner, robot.object_id).unwrap();
    join(&rig, inner, ada).unwrap();
    let secret =
        engine.add_client_secret(&applications, Application::Principal(robot.object_id), &NewSecret::default());
    let secret = secret.unwrap().secret.id;
    let changes = || {
        let (id, registered) = (robot.object_id, Application::Registered(robot.application.unwrap()));
        [
            engine.update_user(&users, ada, &rename()),
            engine.delete_user(&users, ada),
            engine.add_group_member(&groups, inner, eve),
            engine.add_group_member(&users, outer, eve),
            engine.remove_group_member(&groups, inner, ada),
            engine.update_group(&groups, outer, &rename()),
            engine.delete_group(&groups, inner),
            engine.update_service_principal(&applications, id, &rename()),
            engine.delete_service_principal(&applications, id),
            engine.add_client_secret(&applications, Application::Principal(id), &NewSecret::default()).map(drop),
            engine.add_client_secret(&applications, registered, &NewSecret::default()).map(drop),
            engine.remove_client_secret(&applications, registered, secret),
            engine.update_application(&applications, robot.application.unwrap(), &rename()),
            engine.delete_application(&applications, robot.application.unwrap()),
        ]
    };
    // Whatever role it is: these have it through the outer group.
    let given = appoint(&rig, GROUPS, outer);
    for (index, result) in changes().iter().enumerate() {
        assert!(is_forbidden(result, Model::Directory), "{index}: {result:?}");
    }
    // They may still be put into another group, by which they get nothing of it.
    engine.add_group_member(&groups, other, ada).unwrap();
    let global = caller(ADMINISTRATOR);
    engine.update_user(&global, ada, &rename()).unwrap();
    engine.add_group_member(&global, inner, eve).unwrap();
    engine.remove_group_member(&global, inner, eve).unwrap();
    engine.delete_directory_role_assignment(&global, given).unwrap();
    engine.update_user(&users, ada, &rename()).unwrap();
    engine.add_group_member(&groups, inner, eve).unwrap();
    engine.remove_client_secret(&applications, Application::Principal(robot.object_id), secret).unwrap();
}

#[test]
fn who_gives_roles_does_nothing_else_unless_they_give_themselves_more() {
    let rig = Rig::new();
    let giver = holder(&rig, PRIVILEGED);
    let new = NewGroup { display_name: "g".to_owned(), mail_nickname: None, description: None };
    assert!(is_forbidden(&rig.engine.create_group(&giver, &new), Model::Directory));
    let more = rig.engine.put_directory_role_assignment(&giver, directory_role(GROUPS), giver.object_id);
    more.unwrap();
    rig.engine.create_group(&giver, &new).unwrap();
}

#[test]
fn a_directory_role_is_given_once_and_to_who_is_in_the_directory() {
    let rig = Rig::new();
    let (who, ada) = (caller(ADMINISTRATOR), make_user(&rig, "ada"));
    let give = |role, principal| rig.engine.put_directory_role_assignment(&who, role, principal);
    let refused = |result| match result {
        Err(Error::Refused(refusal)) => Some(refusal),
        _ => None,
    };
    let made = give(directory_role(GROUPS), ada).unwrap();
    assert!(rig.engine.directory_role_assignments().unwrap().contains(&made));
    assert_eq!(refused(give(directory_role(GROUPS), ada)), Some(Refusal::RoleAssignmentExists));
    assert_eq!(refused(give(azure_role("Owner"), ada)), Some(Refusal::RoleDefinitionNotFound));
    assert_eq!(refused(give(directory_role(GROUPS), Guid::from_u128(0x77))), Some(Refusal::PrincipalNotFound));
    rig.engine.delete_directory_role_assignment(&who, made.name).unwrap();
    let again = rig.engine.delete_directory_role_assignment(&who, made.name);
    assert_eq!(refused(again), Some(Refusal::RoleAssignmentNotFound));
    // Assignments elsewhere are not reached from here, nor these from there.
    grant(&rig, 7, azure_role("Reader"), ada, "/");
    let elsewhere = rig.engine.delete_directory_role_assignment(&who, Guid::from_u128(7));
    assert_eq!(refused(elsewhere), Some(Refusal::RoleAssignmentNotFound));
    let held = appoint(&rig, GROUPS, ada);
    let from_there = rig.engine.delete_arm_role_assignment(&who, &Scope::root(), held);
    assert_eq!(refused(from_there), Some(Refusal::RoleAssignmentNotFound));
}

#[test]
fn directory_roles_go_with_whoever_had_them() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let known = NewUser { object_id: Some(Guid::from_u128(0x42)), ..user("ada") };
    let ada = rig.engine.create_user(&who, &known).unwrap().object_id;
    let (robot, group) = (make_service_principal(&rig, "robot").object_id, make_group(&rig, "g"));
    let other = make_service_principal(&rig, "other");
    for holder in [ada, robot, group, other.object_id] {
        appoint(&rig, GROUPS, holder);
    }
    rig.engine.delete_user(&who, ada).unwrap();
    rig.engine.delete_service_principal(&who, robot).unwrap();
    rig.engine.delete_group(&who, group).unwrap();
    rig.engine.delete_application(&who, other.application.unwrap()).unwrap();
    let held = rig.engine.directory_role_assignments().unwrap();
    assert_eq!(held.iter().map(|each| each.principal).collect::<Vec<_>>(), [ADMINISTRATOR]);
    // An issuer still vouches for whom it knew by that id.
    assert!(rig.engine.check_directory_access(&caller(ada), Operation::GroupCreate).is_err());
    rig.engine.create_user(&who, &known).unwrap();
    assert!(!may(&rig, ada, Operation::GroupCreate));
}
