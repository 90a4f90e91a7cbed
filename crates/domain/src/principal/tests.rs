//! What a principal may be, and what becomes of an application and its secrets.

use super::*;
use crate::Refusal::ParameterInvalid;

const NOW: UnixTime = UnixTime(1_700_000_000);

fn guid(number: u128) -> Guid {
    Guid::from_u128(number)
}

fn user(name: &str) -> Principal {
    let named = Principal::new(guid(1), PrincipalKind::User, "Ada", NOW);
    Principal { user_principal_name: Some(name.to_owned()), ..named }
}

fn secret(id: u128, starts: UnixTime, expires: Option<UnixTime>) -> ClientSecret {
    ClientSecret { id: guid(id), display_name: None, hash: [7; 32], starts, expires }
}

fn parameter(result: Result<(), Refusal>) -> Option<&'static str> {
    match result {
        Ok(()) => None,
        Err(ParameterInvalid { parameter, .. }) => Some(parameter),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn user_principal_names_are_names_at_a_domain() {
    for name in ["ada@contoso.example", "a.b-c_d'e!f#g^h~i@x", "A@B"] {
        assert_eq!(parameter(user(name).check()), None, "{name}");
    }
    let long = format!("{}@x", "a".repeat(112));
    for name in ["", "ada", "@x", "ada@", "a@b@c", "a b@x", "ada@x y", "ada@x\n", "a/b@x", "é@x", "a@x?", &long] {
        assert_eq!(parameter(user(name).check()), Some("userPrincipalName"), "{name}");
    }
}

#[test]
fn each_kind_has_what_it_may_have() {
    let group = Principal::new(guid(2), PrincipalKind::Group, "Signers", NOW);
    assert_eq!(parameter(group.check()), None);
    assert_eq!(parameter(Principal { enabled: false, ..group.clone() }.check()), Some("accountEnabled"));
    let named = Principal { user_principal_name: Some("g@x".to_owned()), ..group.clone() };
    assert_eq!(parameter(named.check()), Some("userPrincipalName"));
    let nameless = Principal { user_principal_name: None, ..user("ada@x") };
    assert_eq!(parameter(nameless.check()), Some("userPrincipalName"));
    for name in ["", " ", " a", "a ", "a\u{1b}[2J", "a\nb", &"a".repeat(257)] {
        assert_eq!(
            parameter(Principal { display_name: name.to_owned(), ..group.clone() }.check()),
            Some("displayName")
        );
    }
    assert_eq!(parameter(Principal { display_name: "ä".repeat(256), ..group.clone() }.check()), None);
    assert_eq!(
        parameter(Principal { mail_nickname: Some(String::new()), ..group.clone() }.check()),
        Some("mailNickname")
    );
    assert_eq!(parameter(Principal { description: Some("\0".to_owned()), ..group }.check()), Some("description"));
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let before = user("ada@x");
    assert_eq!(before.clone().change(&PrincipalChanges::default()).unwrap(), before);
    let changes = PrincipalChanges {
        display_name: Some("Ada L.".to_owned()),
        description: Some("first".to_owned()),
        enabled: Some(false),
        ..PrincipalChanges::default()
    };
    let after = before.clone().change(&changes).unwrap();
    assert_eq!(
        (after.display_name.as_str(), after.description.as_deref(), after.enabled),
        ("Ada L.", Some("first"), false)
    );
    assert_eq!(after.user_principal_name, before.user_principal_name);
    let without = PrincipalChanges { description: Some(String::new()), ..PrincipalChanges::default() };
    assert_eq!(after.change(&without).unwrap().description, None);
    let wrong = PrincipalChanges { user_principal_name: Some("nobody".to_owned()), ..PrincipalChanges::default() };
    assert!(before.change(&wrong).is_err());
}

#[test]
fn a_service_principal_made_anew_is_another_one() {
    let application = Principal::application(guid(10), guid(11), "app", NOW).add_secret(secret(1, NOW, None)).unwrap();
    let first = application.clone().employ(guid(12)).unwrap();
    assert_eq!(
        (first.kind, first.object_id, first.app_id),
        (PrincipalKind::ServicePrincipal, guid(12), Some(guid(11)))
    );
    assert_eq!(first.clone().employ(guid(13)), Err(DirectoryRefusal::ServicePrincipalExists));
    let disabled = Principal { enabled: false, ..first };
    assert_eq!(disabled.dismiss(), application, "with its secrets, and under its own id");
    assert!(user("ada@x").employ(guid(13)).is_err());
}

#[test]
fn a_secret_is_valid_from_its_start_to_its_end() {
    let dated = secret(1, NOW, Some(NOW.plus_seconds(60)));
    let valid = |seconds| dated.is_valid(NOW.plus_seconds(seconds));
    assert!(!valid(-301) && valid(-300) && valid(0) && valid(59) && !valid(60));
    assert!(secret(1, NOW, None).is_valid(UnixTime(i64::MAX)));
}

#[test]
fn a_secret_is_removed_by_its_id() {
    let application = Principal::application(guid(10), guid(11), "app", NOW);
    let nameless = ClientSecret { display_name: Some("a\nb".to_owned()), ..secret(1, NOW, None) };
    assert!(application.clone().add_secret(nameless).is_err());
    let one = application.add_secret(secret(1, NOW, None)).unwrap();
    let two = one.add_secret(secret(2, NOW, None)).unwrap();
    let one = two.remove_secret(guid(1)).unwrap();
    assert_eq!(one.secrets.iter().map(|each| each.id).collect::<Vec<_>>(), [guid(2)]);
    assert_eq!(one.remove_secret(guid(1)), Err(DirectoryRefusal::SecretNotFound));
}

#[test]
fn records_of_the_first_schema_still_open() {
    let hash = |byte: u8| serde_json::to_string(&[byte; 32]).unwrap();
    let (object, app) = (guid(0x20), guid(0x21));
    let old = format!(
        r#"{{"object_id":"{object}","app_id":"{app}","kind":"ServicePrincipal","display_name":"Administrator","secret_hashes":[{},{}],"created":5}}"#,
        hash(1),
        hash(2),
    );
    let read: Principal = serde_json::from_str(&old).unwrap();
    let secret = |id, byte| ClientSecret { hash: [byte; 32], ..secret(id, UnixTime(5), None) };
    assert_eq!(read.secrets, [secret(1, 1), secret(2, 2)]);
    assert!(read.enabled && read.is_application());
    let application = read.application.unwrap();
    assert_ne!(application, object);
    let again: Principal = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read);
    assert_eq!(read.dismiss().object_id, application);
}
