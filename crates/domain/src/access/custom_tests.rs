//! Tables of what may become a custom role definition, and of when one may go.

use super::*;
use crate::{
    ContainerId,
    access::{Assignments, Caller, hsm_roles},
};

const NOW: UnixTime = UnixTime(1_800_000_000);
const LATER: UnixTime = UnixTime(1_800_000_100);
const HSM: Realm = Realm::Hsm(ContainerId(Guid::from_u128(7)));
const SIGN: &str = "Microsoft.KeyVault/managedHsm/keys/sign/action";
const VERIFY: &str = "Microsoft.KeyVault/managedHsm/keys/verify/action";
const GROUP: &str = "/subscriptions/s/resourceGroups/g";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn of_data(actions: &[&str], not_actions: &[&str]) -> RolePermissions {
    RolePermissions { data_actions: words(actions), not_data_actions: words(not_actions), ..RolePermissions::default() }
}

fn asked(id: u128, name: &str, scopes: &[&str]) -> RoleDefinitionRequest {
    RoleDefinitionRequest {
        id: Guid::from_u128(id),
        name: name.to_owned(),
        description: String::new(),
        permissions: of_data(&[SIGN], &[]),
        assignable_scopes: scopes.iter().map(|scope| Scope::new(scope)).collect(),
    }
}

fn made(realm: Realm, id: u128, name: &str) -> RoleDefinition {
    define_role(realm, &asked(id, name, &[if realm == Realm::Arm { GROUP } else { "/" }]), &[], &[], NOW).unwrap()
}

fn assigned(realm: Realm, role: u128, scope: &str) -> RoleAssignment {
    RoleAssignment {
        realm,
        name: Guid::from_u128(1),
        scope: Scope::new(scope),
        role: Guid::from_u128(role),
        principal: Guid::from_u128(2),
        created: NOW,
    }
}

fn caller() -> Caller {
    Caller::new(Guid::from_u128(1), Guid::from_u128(2), Guid::from_u128(3))
}

#[test]
fn a_definition_keeps_when_it_was_made() {
    let first = made(HSM, 9, "mine");
    assert_eq!(first.origin, RoleOrigin::Custom { created: NOW, updated: NOW });
    assert!(!first.is_built_in());
    let again = define_role(HSM, &asked(9, "renamed", &[]), &[first], &[], LATER).unwrap();
    assert_eq!(again.origin, RoleOrigin::Custom { created: NOW, updated: LATER });
    assert_eq!(again.name, "renamed");
}

#[test]
fn definitions_of_an_hsm_live_at_its_root() {
    for scopes in [&[][..], &["/"], &["/keys"], &["/KEYS", "/"]] {
        let made = define_role(HSM, &asked(9, "mine", scopes), &[], &[], NOW).unwrap();
        assert_eq!(made.assignable_scopes, [Scope::root()], "{scopes:?}");
    }
    for scopes in [&["/keys/k"][..], &["/", GROUP]] {
        let refused = define_role(HSM, &asked(9, "mine", scopes), &[], &[], NOW);
        assert!(matches!(refused, Err(Refusal::ParameterInvalid { parameter: "assignableScopes", .. })), "{scopes:?}");
    }
}

#[test]
fn definitions_of_azure_say_where_they_may_be_assigned() {
    let made = define_role(Realm::Arm, &asked(9, "mine", &[GROUP, "/subscriptions/t"]), &[], &[], NOW).unwrap();
    assert!(made.is_assignable_at(&Scope::new("/subscriptions/S/resourcegroups/G/providers/x/y/z")));
    assert!(made.is_assignable_at(&Scope::new("/subscriptions/t")));
    assert!(!made.is_assignable_at(&Scope::new("/subscriptions/s")));
    assert!(!made.is_assignable_at(&Scope::root()));
    for scopes in [&[][..], &["/"], &[GROUP, "/"]] {
        let refused = define_role(Realm::Arm, &asked(9, "mine", scopes), &[], &[], NOW);
        assert!(matches!(refused, Err(Refusal::ParameterInvalid { parameter: "assignableScopes", .. })), "{scopes:?}");
    }
}

#[test]
fn a_definition_has_a_length() {
    let define = |request: &RoleDefinitionRequest| define_role(Realm::Arm, request, &[], &[], NOW);
    let refused = |request: &RoleDefinitionRequest| match define(request) {
        Err(Refusal::ParameterInvalid { parameter, .. }) => parameter,
        other => panic!("{other:?}"),
    };
    let described = |length| RoleDefinitionRequest { description: "ü".repeat(length), ..asked(9, "mine", &[GROUP]) };
    assert!(define(&described(2048)).is_ok());
    assert_eq!(refused(&described(2049)), "description");
    let action = "a".repeat(512);
    let of_actions = |count| RoleDefinitionRequest {
        permissions: of_data(&vec![action.as_str(); count], &[]),
        ..asked(9, "mine", &[GROUP])
    };
    assert!(define(&of_actions(127)).is_ok());
    assert_eq!(refused(&of_actions(128)), "permissions");
}

#[test]
fn built_in_definitions_are_not_made_again_and_not_removed() {
    for (realm, id) in [(HSM, hsm_roles()[0].id), (Realm::Arm, Guid::parse(READER).unwrap())] {
        let request = RoleDefinitionRequest { id, ..asked(0, "mine", &[GROUP]) };
        assert_eq!(define_role(realm, &request, &[], &[], NOW), Err(Refusal::Role(RoleRefusal::Reserved)));
        assert_eq!(retire_role(realm, id, Vec::new(), &[]), Err(Refusal::Role(RoleRefusal::BuiltIn)));
    }
}

#[test]
fn names_are_unique_in_azure_and_told_from_built_in_ones_in_an_hsm() {
    let taken = Err(Refusal::Role(RoleRefusal::NameTaken));
    let others = [made(Realm::Arm, 8, "Mine")];
    let define = |id, name| define_role(Realm::Arm, &asked(id, name, &[GROUP]), &others, &[], NOW);
    assert_eq!(define(9, "mine"), taken);
    assert_eq!(define(9, "READER"), taken);
    assert!(define(8, "mine").is_ok(), "its own name");
    assert!(matches!(define(9, " "), Err(Refusal::ParameterInvalid { parameter: "roleName", .. })));
    assert!(matches!(define(9, "a\nb"), Err(Refusal::ParameterInvalid { parameter: "roleName", .. })));
    let others = [made(HSM, 8, "mine")];
    let define = |name| define_role(HSM, &asked(9, name, &[]), &others, &[], NOW);
    assert_eq!(define("managed hsm crypto user"), Err(Refusal::Role(RoleRefusal::Reserved)));
    assert!(define("mine").is_ok() && define("").is_ok());
}

#[test]
fn an_hsm_takes_only_actions_that_it_knows() {
    let define = |realm, permissions| {
        let request = RoleDefinitionRequest { permissions, ..asked(9, "mine", &[]) };
        let request = match realm {
            Realm::Arm => RoleDefinitionRequest { assignable_scopes: vec![Scope::new(GROUP)], ..request },
            Realm::Hsm(_) | Realm::Directory => request,
        };
        define_role(realm, &request, &[], &[], NOW).map(drop)
    };
    let unknown = |action: &str| Err(Refusal::Role(RoleRefusal::ActionUnknown { action: action.to_owned() }));
    let control = |action: &str| RolePermissions { actions: words(&[action]), ..RolePermissions::default() };
    assert_eq!(define(HSM, of_data(&[&SIGN.to_uppercase(), VERIFY], &[SIGN])), Ok(()));
    assert_eq!(define(HSM, RolePermissions::default()), Ok(()));
    let fly = "Microsoft.KeyVault/managedHsm/keys/fly/action";
    for action in [fly, "*", "Microsoft.KeyVault/managedHsm/keys/*", "Microsoft.KeyVault/vaults/keys/read", ""] {
        assert_eq!(define(HSM, of_data(&[SIGN, action], &[])), unknown(action));
        assert_eq!(define(HSM, of_data(&[SIGN], &[action])), unknown(action));
        assert_eq!(define(HSM, control(action)), unknown(action));
    }
    assert_eq!(define(HSM, control("Microsoft.KeyVault/managedHsm/keys/createIfNotExists")), Ok(()));
    assert_eq!(define(Realm::Arm, control("*/read")), Ok(()));
    assert_eq!(define(Realm::Arm, of_data(&["Microsoft.Storage/x-y/z_1/read"], &[])), Ok(()));
    for action in ["", "a b", "é", "a\n"] {
        assert_eq!(define(Realm::Arm, control(action)), unknown(action));
    }
    let many = RolePermissions { actions: vec!["*".to_owned(); 2001], ..RolePermissions::default() };
    let refused = define(Realm::Arm, many);
    assert!(matches!(refused, Err(Refusal::ParameterInvalid { parameter: "permissions", .. })));
}

#[test]
fn an_hsm_has_fifty_custom_definitions() {
    let all: Vec<_> = (0..50).map(|id| made(HSM, id, "")).collect();
    let define = |id, known: &[RoleDefinition]| define_role(HSM, &asked(id, "", &[]), known, &[], NOW).map(drop);
    assert_eq!(define(50, &all[1..]), Ok(()));
    assert_eq!(define(50, &all), Err(Refusal::Role(RoleRefusal::TooMany { limit: 50 })));
    assert_eq!(define(49, &all), Ok(()), "a change of one that is there");
}

#[test]
fn a_definition_stays_assignable_where_it_is_assigned() {
    let known = [made(Realm::Arm, 9, "mine")];
    let below = [assigned(Realm::Arm, 9, &format!("{GROUP}/providers/x/y/z")), assigned(Realm::Arm, 8, "/elsewhere")];
    let define = |scope| define_role(Realm::Arm, &asked(9, "mine", &[scope]), &known, &below, NOW).map(drop);
    assert_eq!(define("/subscriptions/s"), Ok(()));
    assert_eq!(define("/subscriptions/s/resourceGroups/other"), Err(Refusal::Role(RoleRefusal::Assigned)));
}

#[test]
fn the_directory_has_no_custom_roles() {
    let asked = RoleDefinitionRequest { assignable_scopes: vec![Scope::root()], ..asked(9, "mine", &[]) };
    let refused = define_role(Realm::Directory, &asked, &[], &[], NOW);
    assert_eq!(refused, Err(Refusal::Role(RoleRefusal::TooMany { limit: 0 })));
}

#[test]
fn an_assigned_definition_goes_in_an_hsm_and_stays_in_azure() {
    let gone = |realm, role| {
        let roles = vec![made(realm, 8, "other"), made(realm, 9, "mine")];
        retire_role(realm, Guid::from_u128(9), roles, &[assigned(realm, role, GROUP)]).map(|role| role.name)
    };
    assert_eq!(gone(HSM, 9), Ok("mine".to_owned()));
    assert_eq!(gone(Realm::Arm, 9), Err(Refusal::Role(RoleRefusal::Assigned)));
    assert_eq!(gone(Realm::Arm, 8), Ok("mine".to_owned()));
    let absent = retire_role(HSM, Guid::from_u128(5), vec![made(HSM, 8, "other")], &[]);
    assert_eq!(absent, Err(Refusal::RoleDefinitionNotFound));
}

#[test]
fn a_custom_role_grants_what_it_names_less_what_it_withholds_while_it_is_there() {
    let mut role = made(HSM, 9, "mine");
    role.permissions = of_data(&[SIGN, VERIFY], &[&VERIFY.to_lowercase()]);
    let may = |definitions: &[RoleDefinition], action| {
        let all = definitions.iter().chain(hsm_roles());
        let joined = Assignments::new(vec![assigned(HSM, 9, "/keys/k")], all);
        joined.data_action(&caller(), action, "/keys/k").is_some()
    };
    assert!(may(std::slice::from_ref(&role), SIGN));
    assert!(!may(std::slice::from_ref(&role), VERIFY));
    assert!(!may(&[], SIGN), "its assignment is inert");
}
