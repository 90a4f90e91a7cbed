//! Applications, their service principals and their secrets.

use super::{azure_role, grant, is_forbidden, make_service_principal, refusal, sign};
use crate::rig::{ADMINISTRATOR, DAY, Rig, caller};
use domain::{ContainerKind, DirectoryRefusal, PrincipalKind, Refusal, Standing, access::Model};
use engine::{AddedSecret, Application, Error, NewSecret, SecretVerdict};

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
    assert_eq!(rig.engine.directory().unwrap().standing(second.object_id), Standing::Unknown);
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
