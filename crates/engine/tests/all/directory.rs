//! The directory: who may change it, what a change does at once, and what can't be done to it.

use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, TENANT, caller, key_name, resource, root, start};
use domain::{
    AccessPolicy, AuditRecord, ContainerKind, DirectoryRefusal, Guid, Operation, PermissionModel, Principal,
    PrincipalChanges, PrincipalKind, Refusal, SignatureAlgorithm, Standing, Subscription,
    access::{Caller, Model, Scope, azure_roles, hsm_roles},
};
use engine::{
    AddedSecret, Application, ContainerPatch, Engine, Error, Foundation, NewApplication, NewGroup, NewSecret, NewUser,
    ProfileRequest, RoleAssignmentRequest, SecretVerdict, VaultSettings,
};

const DAY: i64 = crate::rig::DAY;

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

fn grant(rig: &Rig, number: u128, role: Guid, principal: Guid, scope: &str) {
    let request = RoleAssignmentRequest { name: Guid::from_u128(number), scope: Scope::new(scope), role, principal };
    rig.engine.put_arm_role_assignment(&caller(ADMINISTRATOR), &request).unwrap();
}

/// Somebody as a front lets them in: with the groups of now.
fn now(engine: &Engine, object_id: Guid) -> Option<Caller> {
    match engine.directory().standing(object_id) {
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
        _ => return None,
    })
}

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
        let directory = engine.directory();
        assert_eq!(directory.standing(ada), Standing::Disabled);
        assert_eq!(directory.standing(bob), Standing::Unknown);
        assert_eq!(directory.standing(robot), Standing::Disabled);
    }
    let enable = PrincipalChanges { enabled: Some(true), ..PrincipalChanges::default() };
    rig.engine.update_user(&who, ada, &enable).unwrap();
    let in_group = Standing::Enabled { kind: PrincipalKind::User, groups: &[group] };
    assert_eq!(rig.engine.directory().standing(ada), in_group);
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap();
    assert_eq!(again.directory().standing(ada), in_group);
}

#[test]
fn a_service_principal_made_anew_has_none_of_the_old_ones_rights() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    rig.create_ec_key(ContainerKind::Vault, "k");
    let first = make_service_principal(&rig, "robot");
    let app_id = first.app_id.unwrap();
    grant(&rig, 1, azure_role("Key Vault Crypto User"), first.object_id, "/");
    assert!(sign(&rig, ContainerKind::Vault, first.object_id).is_ok());
    let twice = rig.engine.create_service_principal(&who, app_id, true);
    assert_eq!(refusal(twice), Some(DirectoryRefusal::ServicePrincipalExists));
    rig.engine.delete_service_principal(&who, first.object_id).unwrap();
    assert_eq!(rig.engine.principal_by_app(app_id).unwrap().kind, PrincipalKind::Application);
    let second = rig.engine.create_service_principal(&who, app_id, true).unwrap();
    assert_ne!(second.object_id, first.object_id);
    assert_eq!(second.application, first.application);
    assert!(is_forbidden(&sign(&rig, ContainerKind::Vault, second.object_id), Model::VaultRbac));
    rig.engine.delete_application(&who, first.application.unwrap()).unwrap();
    assert!(rig.engine.principal_by_app(app_id).is_err());
    assert_eq!(rig.engine.directory().standing(second.object_id), Standing::Unknown);
    let unknown = rig.engine.create_service_principal(&who, app_id, true);
    assert_eq!(refusal(unknown), Some(DirectoryRefusal::ApplicationNotFound));
}

#[test]
fn a_secret_works_from_its_making_to_its_end_or_removal() {
    let rig = Rig::new();
    let who = caller(ADMINISTRATOR);
    let robot = make_service_principal(&rig, "robot");
    let (by_principal, by_application) =
        (Application::Principal(robot.object_id), Application::Registered(robot.application.unwrap()));
    let add = |application, days: i64| -> AddedSecret {
        let expires = Some(rig.engine.now().plus_seconds(days * DAY));
        let new = NewSecret { display_name: Some("s".to_owned()), starts: None, expires };
        rig.engine.add_client_secret(&who, application, &new).unwrap()
    };
    let (short, long) = (add(by_principal, 1), add(by_application, 3));
    let verdict = |added: &AddedSecret| {
        let record = rig.engine.principal_by_app(robot.app_id.unwrap()).unwrap();
        rig.engine.check_client_secret(&record, std::str::from_utf8(added.text.expose()).unwrap())
    };
    assert!(short.text.expose().starts_with(b"sr~") && short.text.expose().len() == 43);
    assert_eq!((verdict(&short), verdict(&long)), (SecretVerdict::Valid, SecretVerdict::Valid));
    rig.clock.advance(DAY);
    assert_eq!((verdict(&short), verdict(&long)), (SecretVerdict::OutOfDate, SecretVerdict::Valid));
    rig.engine.remove_client_secret(&who, by_principal, long.secret.id).unwrap();
    assert_eq!(verdict(&long), SecretVerdict::Unknown);
    let again = rig.engine.remove_client_secret(&who, by_application, long.secret.id);
    assert_eq!(refusal(again), Some(DirectoryRefusal::SecretNotFound));
    for days in [0, -1] {
        let expires = Some(rig.engine.now().plus_seconds(days * DAY));
        let new = NewSecret { expires, ..NewSecret::default() };
        let refused = rig.engine.add_client_secret(&who, by_principal, &new);
        assert!(matches!(refused, Err(Error::Refused(Refusal::ParameterInvalid { parameter: "endDateTime", .. }))));
    }
    let usual = rig.engine.add_client_secret(&who, by_principal, &NewSecret::default()).unwrap();
    assert!(usual.secret.expires.unwrap() > rig.engine.now().plus_seconds(729 * DAY), "two years");
}

#[test]
fn only_who_decides_on_all_access_may_change_the_directory() {
    let rig = Rig::new();
    let other = Guid::from_u128(0x5c);
    let subscription = |id, tenant| Subscription { id, tenant, display_name: "s".to_owned(), undeletable: false };
    let foundation = Foundation {
        // One of a foreign tenant does not count.
        subscriptions: vec![subscription(other, TENANT), subscription(Guid::from_u128(0x5d), Guid::from_u128(9))],
        ..Foundation::default()
    };
    rig.engine.lay_foundation(&foundation).unwrap();
    let one = format!("/subscriptions/{SUBSCRIPTION}");
    let two = format!("/subscriptions/{other}");
    let roots = ["Owner", "User Access Administrator", "Contributor", "Reader", "Key Vault Contributor"];
    let mut number = 100;
    let mut somebody_with = |grants: &[(&str, &str)]| {
        number += 1;
        let who = make_user(&rig, &format!("u{number}"));
        for (role, scope) in grants {
            number += 1;
            grant(&rig, number, azure_role(role), who, scope);
        }
        who
    };
    let may = |who| {
        let asked = now(&rig.engine, who).unwrap();
        let result = rig
            .engine
            .create_group(&asked, &NewGroup { display_name: "g".to_owned(), mail_nickname: None, description: None });
        assert!(result.is_ok() || is_forbidden(&result, Model::ControlPlane));
        result.is_ok()
    };
    let at_root = roots.map(|role| may(somebody_with(&[(role, "/")])));
    assert_eq!(at_root, [true, true, false, false, false]);
    assert!(!may(somebody_with(&[("Owner", &one)])), "on one subscription of two");
    assert!(may(somebody_with(&[("Owner", &one), ("User Access Administrator", &two)])));
    assert!(!may(somebody_with(&[("Owner", &one), ("Contributor", &two)])));
    assert!(!may(somebody_with(&[("Owner", &format!("{one}/resourceGroups/rg")), ("Owner", &two)])));
    let foreign =
        Caller { tenant: Guid::from_u128(0xf0), ..caller(somebody_with(&[("Owner", &one), ("Owner", &two)])) };
    assert!(rig.engine.check_directory_access(&foreign, Operation::UserCreate).is_err());
    let (group, member) = (make_group(&rig, "owners"), somebody_with(&[]));
    grant(&rig, 900, azure_role("Owner"), group, "/");
    assert!(!may(member));
    join(&rig, group, member).unwrap();
    assert!(may(member), "through a group");
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
    ];
    for (index, result) in refused.iter().enumerate() {
        assert!(is_forbidden(result, Model::ControlPlane), "{index}: {result:?}");
    }
}

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
    assert_eq!(rig.engine.directory().groups_of(ada), [group], "nothing of it happened");
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
                    assert_eq!(rig.engine.directory().groups_of(user), [group], "as soon as it is answered");
                }
            });
        }
    });
    assert_eq!(rig.engine.directory().members_of(group).len(), 4 * EACH);
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
    let mut groups = rig.engine.directory().groups_of(ada);
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
