//! The directory: who may change it, what a change does at once, and what can't be done to it.

mod administrators;
mod applications;
mod groups;
mod roles;
mod succession;
mod users;

use crate::rig::{ADMINISTRATOR, Rig, caller, key_name};
use domain::{
    AuditRecord, ContainerKind, DirectoryRefusal, Guid, Operation, Principal, PrincipalChanges, Refusal,
    SignatureAlgorithm, Standing,
    access::{Caller, Model, Scope, azure_roles, directory_roles},
};
use engine::{Application, Engine, Error, NewApplication, NewGroup, NewSecret, NewUser, RoleAssignmentRequest};

fn user(name: &str) -> NewUser {
    NewUser {
        object_id: None,
        display_name: name.to_owned(),
        user_principal_name: format!("{name}@contoso.example"),
        mail_nickname: None,
        enabled: true,
    }
}

fn make_user(rig: &Rig, name: &str) -> Guid {
    rig.engine.create_user(&caller(ADMINISTRATOR), &user(name)).unwrap().object_id
}

fn make_group(rig: &Rig, name: &str) -> Guid {
    let new = NewGroup { display_name: name.to_owned(), mail_nickname: None, description: None };
    rig.engine.create_group(&caller(ADMINISTRATOR), &new).unwrap().object_id
}

fn make_service_principal(rig: &Rig, name: &str) -> Principal {
    let who = caller(ADMINISTRATOR);
    let new = NewApplication { display_name: name.to_owned(), description: None };
    let application = rig.engine.create_application(&who, &new).unwrap();
    rig.engine.create_service_principal(&who, application.app_id.unwrap(), true).unwrap()
}

fn join(rig: &Rig, group: Guid, member: Guid) -> Result<(), Error> {
    rig.engine.add_group_member(&caller(ADMINISTRATOR), group, member)
}

fn azure_role(name: &str) -> Guid {
    azure_roles().iter().find(|role| role.name == name).unwrap().id
}

const GROUPS: &str = "Groups Administrator";

fn directory_role(name: &str) -> Guid {
    directory_roles().iter().find(|role| role.name == name).unwrap().id
}

/// Gives a directory role; returns the assignment's name.
fn appoint(rig: &Rig, role: &str, principal: Guid) -> Guid {
    let made = rig.engine.put_directory_role_assignment(&caller(ADMINISTRATOR), directory_role(role), principal);
    made.unwrap().name
}

fn grant(rig: &Rig, number: u128, role: Guid, principal: Guid, scope: &str) {
    let request = RoleAssignmentRequest { name: Guid::from_u128(number), scope: Scope::new(scope), role, principal };
    rig.engine.put_arm_role_assignment(&caller(ADMINISTRATOR), &request).unwrap();
}

/// Somebody as a front lets them in: with the groups of now.
fn now(engine: &Engine, object_id: Guid) -> Option<Caller> {
    match engine.directory().unwrap().standing(object_id) {
        Standing::Enabled { groups, .. } => Some(Caller { groups: groups.to_vec(), ..caller(object_id) }),
        Standing::Disabled | Standing::Unknown => None,
    }
}

fn sign(rig: &Rig, kind: ContainerKind, who: Guid) -> Result<(), Error> {
    let who = now(&rig.engine, who).unwrap();
    let (open, key) = (rig.open(kind), key_name("k"));
    rig.engine.sign(&who, &open, &key, None, SignatureAlgorithm::Es256, &[0; 32]).map(drop)
}

fn is_forbidden<T>(result: &Result<T, Error>, asked: Model) -> bool {
    matches!(result, Err(Error::Refused(Refusal::Forbidden { model, .. })) if *model == asked)
}

fn refusal<T>(result: Result<T, Error>) -> Option<DirectoryRefusal> {
    match result {
        Err(Error::Refused(Refusal::Directory(refusal))) => Some(refusal),
        _ => None,
    }
}

/// A change of the directory, ready to be done; `None` for any other operation.
pub fn prepared(rig: &Rig, operation: Operation) -> Option<Box<dyn Fn() -> Result<(), Error> + '_>> {
    let (engine, who, no_change) = (&rig.engine, caller(ADMINISTRATOR), PrincipalChanges::default());
    let robot = make_service_principal(rig, "robot");
    let (id, registered) = (robot.object_id, robot.application.unwrap());
    let holder = Application::Principal(id);
    let secret = engine.add_client_secret(&who, holder, &NewSecret::default()).unwrap().secret.id;
    let (ada, group) = (make_user(rig, "ada"), make_group(rig, "g"));
    if operation == Operation::GroupMemberRemove {
        join(rig, group, ada).unwrap();
    }
    if operation == Operation::ServicePrincipalCreate {
        engine.delete_service_principal(&who, id).unwrap();
    }
    let app_id = robot.app_id.unwrap();
    Some(match operation {
        Operation::UserCreate => Box::new(move || engine.create_user(&who, &user("bob")).map(drop)),
        Operation::UserUpdate => Box::new(move || engine.update_user(&who, ada, &no_change)),
        Operation::UserDelete => Box::new(move || engine.delete_user(&who, ada)),
        Operation::GroupDelete => Box::new(move || engine.delete_group(&who, group)),
        Operation::GroupMemberAdd => Box::new(move || engine.add_group_member(&who, group, ada)),
        Operation::GroupMemberRemove => Box::new(move || engine.remove_group_member(&who, group, ada)),
        Operation::ApplicationDelete => Box::new(move || engine.delete_application(&who, registered)),
        Operation::ServicePrincipalCreate => {
            Box::new(move || engine.create_service_principal(&who, app_id, true).map(drop))
        }
        Operation::ServicePrincipalUpdate => Box::new(move || engine.update_service_principal(&who, id, &no_change)),
        Operation::ServicePrincipalDelete => Box::new(move || engine.delete_service_principal(&who, id)),
        Operation::ClientSecretAdd => {
            Box::new(move || engine.add_client_secret(&who, holder, &NewSecret::default()).map(drop))
        }
        Operation::ClientSecretRemove => Box::new(move || engine.remove_client_secret(&who, holder, secret)),
        Operation::DirectoryRoleAssignmentPut => {
            Box::new(move || engine.put_directory_role_assignment(&who, directory_role(GROUPS), ada).map(drop))
        }
        Operation::DirectoryRoleAssignmentDelete => {
            let given = engine.put_directory_role_assignment(&who, directory_role(GROUPS), ada).unwrap().name;
            Box::new(move || engine.delete_directory_role_assignment(&who, given).map(drop))
        }
        _ => return None,
    })
}

#[test]
fn whoever_may_not_is_told_so_and_nothing_else() {
    let rig = Rig::new();
    let (group, nobody) = (make_group(&rig, "g"), caller(Guid::from_u128(0x99)));
    let absent = Guid::from_u128(0x77);
    let engine = &rig.engine;
    let no_change = PrincipalChanges::default();
    let application = NewApplication { display_name: String::new(), description: None };
    let refused = [
        engine.create_user(&nobody, &NewUser { user_principal_name: "?".to_owned(), ..user("x") }).map(drop),
        engine.update_user(&nobody, absent, &no_change),
        engine.delete_user(&nobody, absent),
        engine
            .create_group(&nobody, &NewGroup { display_name: String::new(), mail_nickname: None, description: None })
            .map(drop),
        engine.update_group(&nobody, absent, &no_change),
        engine.delete_group(&nobody, absent),
        engine.add_group_member(&nobody, group, absent),
        engine.remove_group_member(&nobody, group, absent),
        engine.create_application(&nobody, &application).map(drop),
        engine.update_application(&nobody, absent, &no_change),
        engine.delete_application(&nobody, absent),
        engine.create_service_principal(&nobody, absent, true).map(drop),
        engine.update_service_principal(&nobody, absent, &no_change),
        engine.delete_service_principal(&nobody, absent),
        engine.add_client_secret(&nobody, Application::Principal(absent), &NewSecret::default()).map(drop),
        engine.remove_client_secret(&nobody, Application::Registered(absent), absent),
        engine.put_directory_role_assignment(&nobody, absent, absent).map(drop),
        engine.delete_directory_role_assignment(&nobody, absent).map(drop),
    ];
    for (index, result) in refused.iter().enumerate() {
        assert!(is_forbidden(result, Model::Directory), "{index}: {result:?}");
    }
}

#[test]
fn every_change_leaves_its_record() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let before = audit(&rig).len();
    let robot = make_service_principal(&rig, "robot");
    let holder = Application::Principal(robot.object_id);
    let secret = rig.engine.add_client_secret(&who, holder, &NewSecret::default()).unwrap().secret.id;
    let group = make_group(&rig, "g");
    join(&rig, group, robot.object_id).unwrap();
    rig.engine.remove_group_member(&who, group, robot.object_id).unwrap();
    rig.engine.remove_client_secret(&who, holder, secret).unwrap();
    rig.engine.delete_group(&who, group).unwrap();
    let refused = rig.engine.delete_group(&who, group);
    assert!(matches!(refused, Err(Error::Refused(Refusal::PrincipalNotFound))));
    let (id, application) = (robot.object_id, robot.application.unwrap());
    let expected = [
        (Operation::ApplicationCreate, format!("/applications/{application}")),
        (Operation::ServicePrincipalCreate, format!("/servicePrincipals/{id}")),
        (Operation::ClientSecretAdd, format!("/servicePrincipals/{id}/passwords/{secret}")),
        (Operation::GroupCreate, format!("/groups/{group}")),
        (Operation::GroupMemberAdd, format!("/groups/{group}/members/{id}")),
        (Operation::GroupMemberRemove, format!("/groups/{group}/members/{id}")),
        (Operation::ClientSecretRemove, format!("/servicePrincipals/{id}/passwords/{secret}")),
        (Operation::GroupDelete, format!("/groups/{group}")),
    ];
    assert_eq!(audit(&rig)[before..], expected);
}

fn audit(rig: &Rig) -> Vec<(Operation, String)> {
    let log = rig.engine.audit_log(0, 1000).unwrap();
    let records = log.iter().map(|(_, leaf)| AuditRecord::read(leaf).unwrap());
    records.map(|record| (record.operation().unwrap(), record.properties.id.into_owned())).collect()
}
