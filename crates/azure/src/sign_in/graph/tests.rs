//! What is pure in the directory's front. Whole flows are tested in the e2e crate, and with the real az.

use super::{
    body::{self, Changing},
    error::{self, Refused},
    face::Face,
    filter::Filter,
    roles,
    route::{About, Collection, Roles, Route},
};
use domain::{
    ClientSecret, ContainerName, Directory, DirectoryRefusal, Guid, Post, Principal, PrincipalChanges, PrincipalKind,
    Refusal, UnixTime,
    access::{Model, Realm, RoleAssignment, RoleDefinition, Scope},
};
use serde_json::Value;
use std::fmt::Write as _;

const NOW: UnixTime = UnixTime(1_700_000_000);
const TENANT: Guid = Guid::from_u128(1);

fn guid(number: u128) -> Guid {
    Guid::from_u128(number)
}

/// With object ids 2 (service principal), 4 (application of it), 5 (application alone), 6 and 7; application ids 3, 8.
fn principals() -> Vec<Principal> {
    let secret = ClientSecret {
        id: guid(9),
        display_name: Some("rbac".to_owned()),
        hash: [7; 32],
        starts: NOW,
        expires: Some(NOW.plus_days(1)),
    };
    let application = Principal::application(guid(4), guid(3), "O'Brien's App", NOW).add_secret(secret).unwrap();
    let user = Principal {
        user_principal_name: Some("ada@localhost".to_owned()),
        mail_nickname: Some("ada".to_owned()),
        enabled: false,
        ..Principal::new(guid(6), PrincipalKind::User, "Ada", NOW)
    };
    let group = Principal {
        description: Some("who signs".to_owned()),
        mail_nickname: Some("signers".to_owned()),
        ..Principal::new(guid(7), PrincipalKind::Group, "Signers", NOW)
    };
    let alone = Principal::application(guid(5), guid(8), "alone", NOW);
    vec![application.employ(guid(2)).unwrap(), alone, user, group]
}

fn directory() -> Directory {
    Directory::new(principals(), &[])
}

#[test]
fn every_path_that_clients_ask_has_its_route() {
    use Collection::{Applications, DirectoryObjects, Groups, ServicePrincipals, Users};
    let cases: &[(&[&str], Option<Route<'_>>)] = &[
        (&["me"], Some(Route::Me)),
        (&["me", "ownedObjects"], Some(Route::Me)),
        (&["users"], Some(Route::All(Users))),
        (&["serviceprincipals"], Some(Route::All(ServicePrincipals))),
        (&["users", "ada@x"], Some(Route::One(Users, "ada@x", About::Itself))),
        (&["users('$ada@x')"], Some(Route::One(Users, "$ada@x", About::Itself))),
        (&["applications(appId='3')"], Some(Route::One(Applications, "appId='3", About::Itself))),
        (&["groups", "7", "members"], Some(Route::One(Groups, "7", About::Members { transitive: false }))),
        (&["groups", "7", "transitiveMembers"], Some(Route::One(Groups, "7", About::Members { transitive: true }))),
        (&["groups", "7", "members", "$ref"], Some(Route::One(Groups, "7", About::MemberReferences))),
        (&["groups", "7", "members", "6", "$ref"], Some(Route::One(Groups, "7", About::MemberReference("6")))),
        (&["groups", "7", "owners"], Some(Route::One(Groups, "7", About::Owners))),
        (&["groups", "7", "getMemberGroups"], Some(Route::One(Groups, "7", About::GetMemberGroups))),
        (&["users", "6", "memberOf"], Some(Route::One(Users, "6", About::MemberOf { transitive: false }))),
        (
            &["users", "6", "transitiveMemberOf", "microsoft.graph.group"],
            Some(Route::One(Users, "6", About::MemberOf { transitive: true })),
        ),
        (
            &["directoryObjects", "6", "microsoft.graph.checkMemberGroups"],
            Some(Route::One(DirectoryObjects, "6", About::CheckMemberGroups)),
        ),
        (&["directoryObjects", "getByIds"], Some(Route::GetByIds)),
        (&["directoryObjects", "microsoft.graph.getByIds"], Some(Route::GetByIds)),
        (&["applications", "4", "addPassword"], Some(Route::One(Applications, "4", About::AddPassword))),
        (
            &["servicePrincipals", "2", "removePassword"],
            Some(Route::One(ServicePrincipals, "2", About::RemovePassword)),
        ),
        (&["directoryRoles"], Some(Route::Roles(Roles::All))),
        (&["directoryroles", "7"], Some(Route::Roles(Roles::One("7")))),
        (&["directoryRoles(roleTemplateId='7')"], Some(Route::Roles(Roles::One("roleTemplateId='7")))),
        (&["directoryRoles", "7", "members"], Some(Route::Roles(Roles::Members("7")))),
        (&["directoryRoles", "7", "members", "$ref"], Some(Route::Roles(Roles::MemberReferences("7")))),
        (&["directoryRoles", "7", "members", "6", "$ref"], Some(Route::Roles(Roles::MemberReference("7", "6")))),
        (&["directoryRoleTemplates"], Some(Route::Roles(Roles::Templates))),
        (&["directoryRoleTemplates", "7"], Some(Route::Roles(Roles::Template("7")))),
        (&["roleManagement", "directory", "roleDefinitions"], Some(Route::Roles(Roles::Definitions))),
        (&["roleManagement", "directory", "roleDefinitions", "7"], Some(Route::Roles(Roles::Definition("7")))),
        (&["rolemanagement", "directory", "roleAssignments"], Some(Route::Roles(Roles::Assignments))),
        (&["roleManagement", "directory", "roleAssignments", "9"], Some(Route::Roles(Roles::Assignment("9")))),
        (&["roleManagement"], None),
        (&["roleManagement", "entitlementManagement", "roleAssignments"], None),
        (&["directoryRoles", "7", "scopedMembers"], None),
        (&["directoryRoleTemplates", "7", "members"], None),
        (&["domains"], Some(Route::Unknown("domains"))),
        (&["users", "6", "members"], None),
        (&["users", "6", "addPassword"], None),
        (&["applications", "4", "memberOf"], None),
        (&["groups", "7", "members", "6"], None),
        (&["directoryObjects"], None),
        (&[], None),
    ];
    for (path, expected) in cases {
        assert_eq!(Route::of(path), *expected, "{path:?}");
    }
}

fn found(collection: Collection, id: &str) -> Option<Guid> {
    Face::find(&directory(), collection, id).map(Face::id)
}

#[test]
fn an_application_and_its_service_principal_are_found_under_their_own_ids() {
    let text = |number| guid(number).to_string();
    assert_eq!(found(Collection::ServicePrincipals, &text(2)), Some(guid(2)));
    assert_eq!(found(Collection::ServicePrincipals, &text(4)), None);
    assert_eq!(found(Collection::Applications, &text(4)), Some(guid(4)));
    assert_eq!(found(Collection::Applications, &text(2)), None);
    assert_eq!(found(Collection::Applications, &text(5)), Some(guid(5)));
    assert_eq!(found(Collection::ServicePrincipals, &text(5)), None);
    let by_app = |number| format!("appId='{}", guid(number));
    assert_eq!(found(Collection::ServicePrincipals, &by_app(3)), Some(guid(2)));
    assert_eq!(found(Collection::Applications, &by_app(3)), Some(guid(4)));
    assert_eq!(found(Collection::ServicePrincipals, &by_app(8)), None, "it has none");
    assert_eq!(found(Collection::Users, "ADA@localhost"), Some(guid(6)));
    assert_eq!(found(Collection::Groups, "ada@localhost"), None);
    for (number, name) in [(2, "servicePrincipal"), (4, "application"), (6, "user"), (7, "group")] {
        let directory = directory();
        let face = Face::find(&directory, Collection::DirectoryObjects, &text(number)).unwrap();
        assert_eq!(face.type_name(), name);
    }
    let ids = |collection| Face::all(&directory(), collection).map(Face::id).collect::<Vec<_>>();
    assert_eq!(ids(Collection::Applications), [guid(4), guid(5)]);
    assert_eq!(ids(Collection::ServicePrincipals), [guid(2)]);
}

#[test]
fn objects_are_shown_without_anything_of_their_secrets() {
    let directory = directory();
    let shown: Vec<Value> =
        Face::all(&directory, Collection::DirectoryObjects).map(|face| face.typed(TENANT)).collect();
    insta::assert_snapshot!("objects", serde_json::to_string_pretty(&shown).unwrap());
}

#[test]
fn filters_of_the_clients_find_the_principal() {
    let directory = directory();
    let face = |collection| Face::all(&directory, collection).next().unwrap();
    let (application, service_principal) = (face(Collection::Applications), face(Collection::ServicePrincipals));
    let (user, group) = (face(Collection::Users), face(Collection::Groups));
    let holds = |text: &str, face: Face<'_>| Filter::read(text).map(|filter| filter.holds(&face));
    for text in [
        "servicePrincipalNames/any(c:c eq '00000000-0000-0000-0000-000000000003')",
        "servicePrincipalNames/any( c : c eq '00000000-0000-0000-0000-000000000003' )",
        "appId eq '00000000-0000-0000-0000-000000000003'",
        "id eq '00000000-0000-0000-0000-000000000002'",
        "displayName eq 'o''brien''s app'",
        "startswith(displayName,'O''B')",
        "startsWith(displayName, 'o')",
        "displayName eq 'x' or appId eq '00000000-0000-0000-0000-000000000003'",
        "displayName eq 'x' and id eq 'y' or startswith(displayName,'o') and startswith(displayName,'')",
    ] {
        assert_eq!(holds(text, service_principal), Some(true), "{text}");
    }
    assert_eq!(holds("id eq '00000000-0000-0000-0000-000000000004'", application), Some(true));
    assert_eq!(holds("id eq '00000000-0000-0000-0000-000000000002'", application), Some(false));
    assert_eq!(holds("identifierUris/any(s:s eq 'api://x')", application), Some(false));
    assert_eq!(holds("displayName eq 'signers' and mailNickname eq 'SIGNERS'", group), Some(true));
    assert_eq!(holds("userPrincipalName eq 'ADA@localhost'", user), Some(true));
    assert_eq!(holds("userPrincipalName eq 'ada@localhost'", group), Some(false));
    assert_eq!(holds("appId eq ''", user), Some(false));
    assert_eq!(holds("displayName eq 'x' and id eq '00000000-0000-0000-0000-000000000006'", user), Some(false));
}

#[test]
fn filters_ask_of_each_thing_what_it_has() {
    let of_assignments = "principalId eq '6' and roleDefinitionId eq '7'";
    let fits = |text| {
        let filter = Filter::read(text).unwrap();
        [filter.fits::<Face<'_>>(), filter.fits::<RoleAssignment>(), filter.fits::<&RoleDefinition>()]
    };
    assert_eq!(fits(of_assignments), [false, true, false]);
    assert_eq!(fits("displayName eq 'x'"), [true, false, true]);
    assert_eq!(fits("id eq 'x'"), [true, true, true]);
    assert_eq!(fits("templateId eq 'x' or appId eq 'y'"), [false, false, false]);
}

#[test]
fn roles_are_found_and_shown_under_the_ids_of_their_templates() {
    let global = "62e90394-69f5-4237-9190-012177145e10";
    for id in
        [global, &global.to_uppercase(), &format!("roleTemplateId='{global}"), &format!("roleTemplateId={global}")]
    {
        assert_eq!(roles::find(id).unwrap().name, "Global Administrator", "{id}");
    }
    for id in ["", "x", "roleTemplateId=", "acdd72a7-3385-48ef-bd42-f606fba81ae7"] {
        assert!(roles::find(id).is_err(), "{id}");
    }
    let assignment = RoleAssignment {
        realm: Realm::Directory,
        name: guid(9),
        scope: Scope::root(),
        role: roles::find(global).unwrap().id,
        principal: guid(6),
        created: NOW,
    };
    let mut shown =
        vec![roles::assignment(&assignment), roles::role(roles::all()[0]), roles::template(roles::all()[0])];
    shown.extend(roles::all().into_iter().map(roles::definition));
    insta::assert_snapshot!("roles", serde_json::to_string_pretty(&shown).unwrap());
}

#[test]
fn an_assignment_of_a_role_names_role_principal_and_the_whole_directory() {
    let read = |body: &str| body::role_assignment(body.as_bytes()).map_err(|refused| refused.message);
    let body = |more: &str| {
        let kind = "#microsoft.graph.unifiedRoleAssignment";
        let [role, principal] = [guid(7), guid(6)];
        format!(r#"{{"@odata.type":"{kind}","roleDefinitionId":"{role}","principalId":"{principal}"{more}}}"#)
    };
    assert_eq!(read(&body(r#","directoryScopeId":"/""#)), Ok((guid(7), guid(6))));
    assert_eq!(read(&body(r#","directoryScopeId":"/","appScopeId":null"#)), Ok((guid(7), guid(6))));
    let refused = |scope| read(&body(scope)).unwrap_err();
    assert_eq!(refused(""), "A value is required for property 'directoryScopeId' of resource 'RoleAssignment'.");
    assert_eq!(refused(r#","directoryScopeId":"/administrativeUnits/x""#), "Not supported yet: 'directoryScopeId'.");
    assert_eq!(refused(r#","directoryScopeId":"/","condition":"x""#), "Not supported yet: 'condition'.");
    let missing = read(r#"{"directoryScopeId":"/","roleDefinitionId":"x"}"#).unwrap_err();
    assert_eq!(missing, "Invalid value specified for property 'roleDefinitionId'.");
    let missing = read(&format!(r#"{{"directoryScopeId":"/","roleDefinitionId":"{}"}}"#, guid(7))).unwrap_err();
    assert_eq!(missing, "A value is required for property 'principalId' of resource 'RoleAssignment'.");
}

#[test]
fn filters_that_are_not_understood_are_refused() {
    for text in [
        "",
        " ",
        "displayName",
        "displayName eq",
        "displayName eq x",
        "displayName eq 'x",
        "displayName eq 'x''",
        "displayName ne 'x'",
        "secretHashes eq 'x'",
        "displayName eq 'x' or",
        "displayName eq 'x' xor id eq 'y'",
        "displayName eq 'x') or (id eq 'y'",
        "startswith(displayName 'x')",
        "startswith(displayName,'x'",
        "endswith(displayName,'x')",
        "servicePrincipalNames eq 'x'",
        "displayName/any(c:c eq 'x')",
        "servicePrincipalNames/any(c:d eq 'x')",
        "servicePrincipalNames/any(c:c eq 'x'",
        "é eq 'x'",
    ] {
        assert_eq!(Filter::read(text), None, "{text}");
    }
}

#[test]
fn what_az_sends_is_read() {
    let user = body::user(
        br#"{"displayName":"Ada","userPrincipalName":"ada@x","mailNickname":"ada","accountEnabled":true,
            "passwordProfile":{"password":"hunter2","forceChangePasswordNextSignIn":false}}"#,
    );
    let user = user.unwrap();
    assert_eq!((user.display_name.as_str(), user.object_id, user.enabled), ("Ada", None, true));
    assert!(!format!("{user:?}").contains("hunter2"));
    let group = body::group(br#"{"displayName":"g","mailNickname":"g","mailEnabled":false,"securityEnabled":true}"#);
    assert_eq!(group.unwrap().mail_nickname.as_deref(), Some("g"));
    let application = body::application(br#"{"displayName":"app","keyCredentials":[]}"#).unwrap();
    assert_eq!((application.display_name.as_str(), application.description), ("app", None));
    let body = format!(r#"{{"appId":"{}","accountEnabled":true}}"#, guid(3));
    assert_eq!(body::service_principal(body.as_bytes()), Ok((guid(3), true)));
    let secret = body::secret(
        br#"{"passwordCredential":{"displayName":"rbac","endDateTime":"2024-11-14T22:13:20Z",
            "startDateTime":"2023-11-14T22:13:20Z"}}"#,
    );
    let secret = secret.unwrap();
    assert_eq!((secret.starts, secret.expires), (Some(NOW), Some(NOW.plus_days(366))));
    assert!(body::secret(b"").unwrap().expires.is_none());
    let about = |what: &str| body::reference(format!(r#"{{"@odata.id":"{what}"}}"#).as_bytes());
    assert_eq!(about(&format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", guid(6))), Ok(guid(6)));
    assert_eq!(about(&format!("https://x/v1.0/users('{}')/", guid(6))), Ok(guid(6)));
    for wrong in ["", "https://x/v1.0/users/ada@x", "6"] {
        assert!(about(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_change_names_what_it_changes() {
    let read = |body: &[u8], kind| body::changes(body, kind).unwrap();
    assert_eq!(read(b"", Changing::Application), PrincipalChanges::default());
    let user = read(br#"{"accountEnabled":false,"passwordProfile":{"password":"hunter2"}}"#, Changing::User);
    assert_eq!(user, PrincipalChanges { enabled: Some(false), ..PrincipalChanges::default() });
    let described = read(br#"{"description":null}"#, Changing::Group);
    assert_eq!(described.description.as_deref(), Some(""), "null takes it away");
    for kind in [Changing::Group, Changing::Application] {
        assert!(body::changes(br#"{"accountEnabled":true}"#, kind).is_err(), "{kind:?} has no account");
    }
}

#[test]
fn what_would_be_lost_is_refused_by_name_and_nothing_else_is_repeated() {
    let message = |result: Result<(), Refused>| result.unwrap_err().message;
    let application = |body: &str| body::application(body.as_bytes()).map(drop);
    for (name, value) in [
        ("identifierUris", r#"["api://x"]"#),
        ("keyCredentials", r#"[{"key":"c2VjcmV0"}]"#),
        ("web", r#"{"implicitGrantSettings":{"enableIdTokenIssuance":true}}"#),
        ("signInAudience", r#""AzureADMultipleOrgs""#),
    ] {
        let said = message(application(&format!(r#"{{"displayName":"a","{name}":{value}}}"#)));
        assert_eq!(said, format!("Not supported yet: '{name}'."));
    }
    assert!(application(r#"{"displayName":"a","web":{"redirectUris":[],"x":{"y":false}},"tags":null}"#).is_ok());
    let said = message(application(r#"{"keyCredentials":[]}"#));
    assert_eq!(said, "A value is required for property 'displayName' of resource 'Application'.");
    let group = |body: &str| message(body::group(body.as_bytes()).map(drop));
    assert_eq!(group(r#"{"displayName":"g","mailEnabled":true}"#), "Not supported yet: 'mailEnabled'.");
    assert_eq!(group(r#"{"displayName":"g","securityEnabled":false}"#), "Not supported yet: 'securityEnabled'.");
    assert_eq!(group(r#"{"displayName":7}"#), "Invalid value specified for property 'displayName'.");
    let user = |body: &str| message(body::user(body.as_bytes()).map(drop));
    assert_eq!(
        user(r#"{"displayName":"u","userPrincipalName":"u@x","id":"me"}"#),
        "Invalid value specified for property 'id'."
    );
    assert!(!user(r#"{"displayName":"u","passwordProfile":"hunter2"}"#).contains("hunter2"));
    let secret = |body: &str| message(body::secret(body.as_bytes()).map(drop));
    assert!(
        secret(r#"{"passwordCredential":{"secretText":"mine"}}"#).contains("secretText"),
        "secrets are ours to make"
    );
    assert!(secret(r#"{"passwordCredential":{"endDateTime":"tomorrow"}}"#).contains("endDateTime"));
    let groups = format!(r#"{{"groupIds":["{}"]}}"#, ["x"; 21].join("\",\""));
    assert!(body::group_ids(groups.as_bytes()).is_err());
}

#[test]
fn every_refusal_has_its_words() {
    use DirectoryRefusal as R;
    // Exhaustive, so that a new one can't be forgotten here.
    let next = |refusal: &R| match refusal {
        R::ObjectIdTaken => Some(R::UserNameTaken),
        R::UserNameTaken => Some(R::ApplicationNotFound),
        R::ApplicationNotFound => Some(R::ServicePrincipalExists),
        R::ServicePrincipalExists => Some(R::MemberExists),
        R::MemberExists => Some(R::MemberNotFound),
        R::MemberNotFound => Some(R::MembershipCycle),
        R::MembershipCycle => Some(R::SecretNotFound),
        R::SecretNotFound => None,
    };
    let directory = std::iter::successors(Some(R::ObjectIdTaken), next).map(Refusal::Directory);
    let hsm = ContainerName::parse("contoso").unwrap();
    let others = [
        Refusal::LastAdministrator { of: Post::Directory },
        Refusal::LastAdministrator { of: Post::ControlPlane { scope: Scope::root() } },
        Refusal::LastAdministrator { of: Post::ManagedHsm { hsm } },
        Refusal::Forbidden { action: "a", scope: "/".to_owned(), model: Model::Directory },
        Refusal::PrincipalNotFound,
        Refusal::RoleAssignmentExists,
        Refusal::RoleAssignmentNotFound,
        Refusal::RoleDefinitionNotFound,
        Refusal::ParameterInvalid { parameter: "displayName", reason: "it is empty" },
        Refusal::NotActivated,
    ];
    let mut text = String::new();
    for refusal in directory.chain(others) {
        let said = error::of_refusal(&refusal, "the id");
        writeln!(text, "{refusal:?}\n  {} {}\n  {}", said.status.as_u16(), said.code, said.message).unwrap();
    }
    insta::assert_snapshot!("refusals", text);
}
