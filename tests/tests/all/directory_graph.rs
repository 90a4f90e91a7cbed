//! The directory over Graph: what its clients do with it, and what it says no to.

use crate::site::{ADMIN, ARM, NOBODY, SUBSCRIPTION, Site, request, role};
use domain::Guid;
use serde_json::{Value, json};

const UNKNOWN: &str = "00000000-0000-0000-0000-0000000000ff";

fn post(site: &Site, path: &str, body: &Value) -> Value {
    site.graph(ADMIN, "POST", path, body).is(201).body
}

fn get(site: &Site, path: &str) -> Value {
    site.graph(ADMIN, "GET", &path.replace(' ', "%20"), &Value::Null).is(200).body
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|each| each.as_str().unwrap_or_else(|| id(each))).collect()
}

fn user(name: &str) -> Value {
    json!({"displayName": name, "userPrincipalName": format!("{name}@contoso.example"), "accountEnabled": true,
        "mailNickname": name, "passwordProfile": {"password": "pw-that-is-not-kept"}})
}

fn reference(id: &str) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}")})
}

#[test]
fn users_live() {
    let site = Site::empty();
    let made = post(&site, "/users", &user("ada"));
    assert_eq!(made["@odata.context"], format!("https://{ARM}/v1.0/$metadata#users/$entity"));
    let path = format!("/users/{}", id(&made));
    assert_eq!(get(&site, &path), made);
    assert_eq!(get(&site, "/users/ADA@contoso.example"), made);
    assert_eq!(get(&site, "/users('ada@contoso.example')"), made);
    let found = get(&site, "/users?$filter=startswith(displayName,'AD')");
    assert_eq!(ids(&found), [id(&made)]);
    site.graph(ADMIN, "POST", "/users", &user("ada")).refused(400, "Request_BadRequest");
    let changes = json!({"displayName": "Ada L.", "passwordProfile": {"password": "another"}});
    site.graph(ADMIN, "PATCH", &path, &changes).is(204);
    assert_eq!(get(&site, &path)["displayName"], "Ada L.");
    site.graph(ADMIN, "PATCH", &path, &Value::Null).is(204);
    site.graph(ADMIN, "DELETE", "/users/ada@contoso.example", &Value::Null).is(204);
    site.graph(ADMIN, "GET", &path, &Value::Null).refused(404, "Request_ResourceNotFound");
    site.graph(ADMIN, "DELETE", &path, &Value::Null).refused(404, "Request_ResourceNotFound");
    let known = json!({"id": UNKNOWN, "displayName": "Bob", "userPrincipalName": "bob@x"});
    assert_eq!(id(&post(&site, "/users", &known)), UNKNOWN, "the id by which an issuer knows them");
}

#[test]
fn groups_hold_users_service_principals_and_groups() {
    let site = Site::empty();
    let new = json!({"displayName": "g", "mailNickname": "g", "mailEnabled": false, "securityEnabled": true});
    let (outer, inner) = (post(&site, "/groups", &new), post(&site, "/groups", &new));
    let ada = post(&site, "/users", &user("ada"));
    let add = |group: &Value, member: &str| {
        site.graph(ADMIN, "POST", &format!("/groups/{}/members/$ref", id(group)), &reference(member))
    };
    for member in [id(&ada), id(&inner)] {
        add(&outer, member).is(204);
    }
    add(&inner, &NOBODY.to_string()).is(204);
    let again = add(&outer, id(&ada));
    assert!(again.message().contains("added object references already exist"), "az's own tests look for it");
    again.refused(400, "Request_BadRequest");
    add(&inner, id(&outer)).refused(400, "Request_BadRequest");
    add(&outer, UNKNOWN).refused(404, "Request_ResourceNotFound");

    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let members = |path: &str| {
        let found = get(&site, &format!("/groups/{}/{path}", id(&outer)));
        sorted(ids(&found).into_iter().map(str::to_owned).collect())
    };
    let expected = |all: &[&str]| sorted(all.iter().map(|id| (*id).to_owned()).collect());
    let nobody = NOBODY.to_string();
    assert_eq!(members("members"), expected(&[id(&ada), id(&inner)]));
    assert_eq!(members("transitiveMembers"), expected(&[id(&ada), id(&inner), &nobody]));
    let list = get(&site, &format!("/groups/{}/members", id(&outer)));
    let types: Vec<_> = list["value"].as_array().unwrap().iter().map(|each| each["@odata.type"].clone()).collect();
    assert!(types.contains(&json!("#microsoft.graph.user")) && types.contains(&json!("#microsoft.graph.group")));

    let of = |path: &str| ids(&get(&site, path)).len();
    assert_eq!(of(&format!("/servicePrincipals/{NOBODY}/memberOf")), 1);
    assert_eq!(of(&format!("/servicePrincipals/{NOBODY}/transitiveMemberOf")), 2);
    let asked = json!({"groupIds": [id(&outer), UNKNOWN]});
    let checked = site.graph(ADMIN, "POST", &format!("/directoryObjects/{NOBODY}/checkMemberGroups"), &asked);
    assert_eq!(ids(&checked.is(200).body), [id(&outer)]);
    let everything = json!({"securityEnabledOnly": true});
    let all = site.graph(ADMIN, "POST", "/users/ada@contoso.example/getMemberGroups", &everything);
    assert_eq!(ids(&all.is(200).body), [id(&outer)]);

    let leave = format!("/groups/{}/members/{}/$ref", id(&outer), id(&ada));
    site.graph(ADMIN, "DELETE", &leave, &Value::Null).is(204);
    site.graph(ADMIN, "DELETE", &leave, &Value::Null).refused(404, "Request_ResourceNotFound");
    let path = format!("/groups/{}", id(&outer));
    site.graph(ADMIN, "PATCH", &path, &json!({"description": "d", "securityEnabled": true})).is(204);
    assert_eq!(get(&site, &path)["description"], "d");
    assert_eq!(ids(&get(&site, &format!("{path}/owners"))), Vec::<&str>::new());
    site.graph(ADMIN, "POST", &format!("{path}/owners/$ref"), &reference(id(&ada))).refused(400, "BadRequest");
}

/// The calls of `az ad sp create-for-rbac`, one after the other.
#[test]
fn an_application_becomes_somebody() {
    let site = Site::empty();
    let filter = "$filter=displayName%20eq%20'robot'";
    assert_eq!(ids(&get(&site, &format!("/servicePrincipals?{filter}"))), Vec::<&str>::new());
    let application = post(&site, "/applications", &json!({"displayName": "robot", "keyCredentials": []}));
    let app_id = application["appId"].as_str().unwrap();
    assert_eq!(application["passwordCredentials"], json!([]));
    let password = json!({"passwordCredential": {"displayName": "rbac"}});
    let path = format!("/applications/{}", id(&application));
    let secret = site.graph(ADMIN, "POST", &format!("{path}/addPassword"), &password).is(200).body;
    assert!(secret["secretText"].as_str().unwrap().len() > 40 && secret["hint"].is_null());
    assert_eq!(ids(&get(&site, &format!("/servicePrincipals?{filter}"))), Vec::<&str>::new(), "not yet");
    let body = json!({"appId": app_id, "accountEnabled": true});
    let made = post(&site, "/servicePrincipals", &body);
    assert_ne!(id(&made), id(&application));
    assert_eq!(made["passwordCredentials"][0]["keyId"], secret["keyId"], "they are one record");
    site.graph(ADMIN, "POST", "/servicePrincipals", &body).refused(409, "Request_MultipleObjectsWithSameKeyValue");
    let unknown = site.graph(ADMIN, "POST", "/servicePrincipals", &json!({"appId": UNKNOWN}));
    assert!(unknown.message().contains(" does not reference "), "az waits for it to change");
    unknown.refused(400, "Request_BadRequest");
    let filter = format!("$filter=servicePrincipalNames/any(c:c%20eq%20'{app_id}')");
    assert_eq!(ids(&get(&site, &format!("/servicePrincipals?{filter}"))), [id(&made)]);
    assert_eq!(get(&site, &format!("/applications(appId='{app_id}')"))["id"], application["id"]);

    site.graph(ADMIN, "PATCH", &path, &json!({"displayName": "machine"})).is(204);
    assert_eq!(get(&site, &format!("/servicePrincipals/{}", id(&made)))["displayName"], "machine");
    site.graph(ADMIN, "DELETE", &format!("/servicePrincipals/{}", id(&made)), &Value::Null).is(204);
    assert_eq!(get(&site, &path)["appId"], app_id);
    site.graph(ADMIN, "DELETE", &path, &Value::Null).is(204);
    site.graph(ADMIN, "GET", &path, &Value::Null).refused(404, "Request_ResourceNotFound");
}

#[test]
fn objects_are_asked_for_by_id_and_type() {
    let site = Site::empty();
    let ada = post(&site, "/users", &user("ada"));
    let group = post(&site, "/groups", &json!({"displayName": "g"}));
    let application = get(&site, "/applications");
    let application = ids(&application)[0];
    let everybody = [id(&ada), id(&group), application, UNKNOWN, "no id", &NOBODY.to_string()];
    let ask = |types: Value| {
        let body = json!({"ids": everybody, "types": types});
        let found = site.graph(ADMIN, "POST", "/directoryObjects/getByIds", &body).is(200).body;
        let types =
            found["value"].as_array().unwrap().iter().map(|each| each["@odata.type"].as_str().unwrap().to_owned());
        types.map(|name| name.replace("#microsoft.graph.", "")).collect::<Vec<_>>()
    };
    assert_eq!(ask(json!(["user", "group", "servicePrincipal"])), ["user", "group", "servicePrincipal"]);
    assert_eq!(ask(json!([])), ["user", "group", "application", "servicePrincipal"]);
    assert_eq!(ask(json!(["device"])), Vec::<String>::new());
    assert_eq!(get(&site, &format!("/directoryObjects/{}", id(&group)))["@odata.type"], "#microsoft.graph.group");
}

#[test]
fn lists_page_to_their_end() {
    let site = Site::empty();
    let mut expected: Vec<String> =
        (0..7).map(|number| id(&post(&site, "/users", &user(&format!("u{number}")))).to_owned()).collect();
    expected.sort();
    for top in [1, 3, 7, 100] {
        let mut found: Vec<String> = Vec::new();
        let mut next = Some(format!("/users?$top={top}&$filter=startswith(displayName,'u')"));
        while let Some(path) = next {
            let page = get(&site, &path);
            assert!(ids(&page).len() <= top);
            found.extend(ids(&page).into_iter().map(str::to_owned));
            let link = page["@odata.nextLink"].as_str();
            next = link.map(|link| link.strip_prefix(&format!("https://{ARM}/v1.0")).unwrap().to_owned());
        }
        assert_eq!(found, expected, "{top}");
    }
    for wrong in ["$top=0", "$top=1000", "$top=x", "$skiptoken=x", "$filter=nonsense"] {
        assert_eq!(site.graph(ADMIN, "GET", &format!("/users?{wrong}"), &Value::Null).status, 400, "{wrong}");
    }
}

#[test]
fn who_may_not_change_the_directory_is_told_so_before_anything_else() {
    let site = Site::empty();
    let nobody = |method: &str, path: &str, body: &Value| site.graph(NOBODY, method, path, body);
    let wrong = json!({"nonsense": [1]});
    let application = post(&site, "/applications", &json!({"displayName": "robot"}));
    let robot = post(&site, "/servicePrincipals", &json!({"appId": application["appId"]}));
    let robot = id(&robot);
    for (method, path) in [
        ("POST", "/users".to_owned()),
        ("PATCH", format!("/users/{UNKNOWN}")),
        ("DELETE", format!("/users/{UNKNOWN}")),
        ("POST", "/groups".to_owned()),
        ("PATCH", format!("/groups/{UNKNOWN}")),
        ("DELETE", format!("/groups/{UNKNOWN}")),
        ("POST", format!("/groups/{UNKNOWN}/members/$ref")),
        ("DELETE", format!("/groups/{UNKNOWN}/members/{UNKNOWN}/$ref")),
        ("POST", "/applications".to_owned()),
        ("PATCH", format!("/applications/{UNKNOWN}")),
        ("DELETE", format!("/applications/{UNKNOWN}")),
        ("POST", format!("/applications/{UNKNOWN}/addPassword")),
        ("POST", format!("/applications/{UNKNOWN}/removePassword")),
        ("POST", "/servicePrincipals".to_owned()),
        ("PATCH", format!("/servicePrincipals/{robot}")),
        ("POST", format!("/servicePrincipals/{robot}/addPassword")),
        ("POST", ASSIGNMENTS.to_owned()),
        ("DELETE", format!("{ASSIGNMENTS}/{UNKNOWN}")),
        ("POST", format!("/directoryRoles/{UNKNOWN}/members/$ref")),
        ("DELETE", format!("/directoryRoles/{GROUPS_ADMINISTRATOR}/members/{UNKNOWN}/$ref")),
        ("DELETE", format!("/servicePrincipals/{robot}")),
    ] {
        nobody(method, &path, &wrong).refused(403, "Authorization_RequestDenied");
        let administrators = site.graph(ADMIN, method, &path, &wrong).status;
        let is_deletion = method == "DELETE" && path.contains(robot);
        assert!(is_deletion || [400, 404].contains(&administrators), "{method} {path}: {administrators}");
    }
    // Reading is open to all.
    for path in ["/users", "/directoryRoles", ASSIGNMENTS] {
        site.graph(NOBODY, "GET", path, &Value::Null).is(200);
    }
    let missing = request(ARM, "POST", "/v1.0/users", None, b"{");
    site.sign_in(missing, [127, 0, 0, 1]).refused(401, "InvalidAuthenticationToken");
}

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";
const ASSIGNMENTS: &str = "/roleManagement/directory/roleAssignments";

fn role_assignment(role: &str, principal: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "roleDefinitionId": role,
        "principalId": principal,
        "directoryScopeId": "/",
    })
}

#[test]
fn an_owner_of_every_subscription_does_not_change_the_directory() {
    let site = Site::empty();
    let grant = |name: u128, role_name: &str, scope: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", Guid::from_u128(name));
        let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{}", role(role_name));
        let body = json!({"properties": {"roleDefinitionId": role, "principalId": NOBODY}});
        site.put(&format!("{path}?api-version=2022-04-01"), &body).is(201);
    };
    let scopes = [SUBSCRIPTION, crate::site::OTHER_SUBSCRIPTION].map(|id| format!("/subscriptions/{id}"));
    for (number, scope) in (1..).zip(&scopes) {
        grant(number, "Owner", scope);
        grant(10 + number, "User Access Administrator", scope);
    }
    let create = || site.graph(NOBODY, "POST", "/groups", &json!({"displayName": "g"}));
    create().refused(403, "Authorization_RequestDenied");
    let itself = role_assignment(GLOBAL_ADMINISTRATOR, &NOBODY.to_string());
    site.graph(NOBODY, "POST", ASSIGNMENTS, &itself).refused(403, "Authorization_RequestDenied");
    post(&site, ASSIGNMENTS, &role_assignment(GROUPS_ADMINISTRATOR, &NOBODY.to_string()));
    create().is(201);
}

#[test]
fn roles_are_given_and_taken_by_assignments() {
    let site = Site::empty();
    let nobody = NOBODY.to_string();
    let create = || site.graph(NOBODY, "POST", "/groups", &json!({"displayName": "g"})).status;
    assert_eq!(create(), 403);
    let made = post(&site, ASSIGNMENTS, &role_assignment(GROUPS_ADMINISTRATOR, &nobody));
    assert_eq!(
        made["@odata.context"],
        format!("https://{ARM}/v1.0/$metadata#roleManagement/directory/roleAssignments/$entity")
    );
    assert_eq!((&made["principalId"], &made["directoryScopeId"]), (&json!(NOBODY), &json!("/")));
    assert_eq!(create(), 201, "with the token of before");
    let path = format!("{ASSIGNMENTS}/{}", id(&made));
    assert_eq!(get(&site, &path), made);
    let filtered = |filter: &str| get(&site, &format!("{ASSIGNMENTS}?$filter={filter}"));
    assert_eq!(ids(&filtered(&format!("principalId eq '{nobody}'"))), [id(&made)]);
    assert_eq!(ids(&filtered(&format!("roleDefinitionId eq '{GROUPS_ADMINISTRATOR}'"))), [id(&made)]);
    let of_admin = filtered(&format!("roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"));
    assert_eq!(of_admin["value"][0]["principalId"], json!(ADMIN));
    let nothing = format!("principalId eq '{nobody}' and roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'");
    assert_eq!(ids(&filtered(&nothing)), Vec::<&str>::new());
    assert_eq!(ids(&get(&site, ASSIGNMENTS)).len(), 2);
    let mut pages = Vec::new();
    let mut next = Some(format!("{ASSIGNMENTS}?$top=1"));
    while let Some(path) = next {
        let page = get(&site, &path);
        pages.extend(ids(&page).into_iter().map(str::to_owned));
        let link = page["@odata.nextLink"].as_str();
        next = link.map(|link| link.strip_prefix(&format!("https://{ARM}/v1.0")).unwrap().to_owned());
    }
    assert_eq!(pages.len(), 2);

    let ask = |body: &Value| site.graph(ADMIN, "POST", ASSIGNMENTS, body);
    let again = ask(&role_assignment(GROUPS_ADMINISTRATOR, &nobody));
    assert!(again.message().starts_with("A conflicting object"), "clients look for it");
    again.refused(400, "Request_BadRequest");
    ask(&role_assignment(GROUPS_ADMINISTRATOR, UNKNOWN)).refused(404, "Request_ResourceNotFound");
    ask(&role_assignment(&role("Owner").to_string(), &nobody)).refused(400, "Request_BadRequest");
    site.graph(ADMIN, "GET", &format!("{ASSIGNMENTS}?$filter=displayName%20eq%20'x'"), &Value::Null)
        .refused(400, "Request_UnsupportedQuery");
    site.graph(ADMIN, "PATCH", &path, &json!({})).refused(405, "Request_BadRequest");
    site.graph(ADMIN, "DELETE", &path, &Value::Null).is(204);
    assert_eq!(create(), 403);
    for method in ["GET", "DELETE"] {
        site.graph(ADMIN, method, &path, &Value::Null).refused(404, "Request_ResourceNotFound");
    }
}

#[test]
fn roles_are_given_and_taken_by_membership() {
    let site = Site::empty();
    let roles = get(&site, "/directoryRoles");
    assert_eq!(ids(&roles).len(), 5);
    let by_template = get(&site, &format!("/directoryRoles(roleTemplateId='{GROUPS_ADMINISTRATOR}')"));
    assert_eq!(by_template["displayName"], "Groups Administrator");
    assert_eq!(get(&site, &format!("/directoryRoles/roleTemplateId={GROUPS_ADMINISTRATOR}")), by_template);
    assert_eq!(
        ids(&get(&site, "/directoryRoles?$filter=displayName eq 'groups administrator'")),
        [GROUPS_ADMINISTRATOR]
    );
    assert_eq!(ids(&get(&site, "/directoryRoleTemplates")).len(), 5);
    assert_eq!(
        get(&site, &format!("/directoryRoleTemplates/{GLOBAL_ADMINISTRATOR}"))["displayName"],
        "Global Administrator"
    );
    let definition = get(&site, &format!("/roleManagement/directory/roleDefinitions/{GROUPS_ADMINISTRATOR}"));
    assert!(definition["rolePermissions"][0]["allowedResourceActions"].as_array().unwrap().len() > 3);
    let found = get(&site, "/roleManagement/directory/roleDefinitions?$filter=displayName eq 'Global Administrator'");
    assert_eq!(ids(&found), [GLOBAL_ADMINISTRATOR]);

    let group = post(&site, "/groups", &json!({"displayName": "g"}));
    let role = format!("/directoryRoles/{GROUPS_ADMINISTRATOR}");
    let give = |member: &str| site.graph(ADMIN, "POST", &format!("{role}/members/$ref"), &reference(member));
    give(id(&group)).is(204);
    let again = give(id(&group));
    assert!(again.message().starts_with("One or more added object references already exist"), "{}", again.message());
    again.refused(400, "Request_BadRequest");
    give(UNKNOWN).refused(404, "Request_ResourceNotFound");
    let members = get(&site, &format!("{role}/members"));
    assert_eq!(
        (ids(&members), &members["value"][0]["@odata.type"]),
        (vec![id(&group)], &json!("#microsoft.graph.group"))
    );
    let create = || site.graph(NOBODY, "POST", "/groups", &json!({"displayName": "g"})).status;
    assert_eq!(create(), 403);
    let join = format!("/groups/{}/members/$ref", id(&group));
    site.graph(ADMIN, "POST", &join, &reference(&NOBODY.to_string())).is(204);
    assert_eq!(create(), 201, "through the group");
    site.graph(NOBODY, "POST", &join, &reference(&ADMIN.to_string())).refused(403, "Authorization_RequestDenied");
    let take = format!("{role}/members/{}/$ref", id(&group));
    site.graph(NOBODY, "DELETE", &take, &Value::Null).refused(403, "Authorization_RequestDenied");
    site.graph(ADMIN, "DELETE", &take, &Value::Null).is(204);
    site.graph(ADMIN, "DELETE", &take, &Value::Null).refused(404, "Request_ResourceNotFound");
    assert_eq!(create(), 403);
    for path in [format!("/directoryRoles/{UNKNOWN}"), format!("/directoryRoles/{UNKNOWN}/members")] {
        site.graph(ADMIN, "GET", &path, &Value::Null).refused(404, "Request_ResourceNotFound");
    }
}

#[test]
fn the_last_global_administrator_can_not_go() {
    let site = Site::empty();
    let path = format!("/servicePrincipals/{ADMIN}");
    let held = get(&site, &format!("{ASSIGNMENTS}?$filter=principalId eq '{ADMIN}'"));
    for (method, path, body) in [
        ("DELETE", path.clone(), Value::Null),
        ("PATCH", path.clone(), json!({"accountEnabled": false})),
        ("DELETE", format!("{ASSIGNMENTS}/{}", ids(&held)[0]), Value::Null),
        ("DELETE", format!("/directoryRoles/{GLOBAL_ADMINISTRATOR}/members/{ADMIN}/$ref"), Value::Null),
    ] {
        let refused = site.graph(ADMIN, method, &path, &body);
        let said = "Nobody would be left who administers the directory";
        assert!(refused.message().starts_with(said), "{}", refused.message());
        refused.refused(400, "Request_BadRequest");
    }
    site.graph(ADMIN, "PATCH", &path, &json!({"description": "first"})).is(204);
    let group = post(&site, "/groups", &json!({"displayName": "nobody is in it"}));
    post(&site, ASSIGNMENTS, &role_assignment(GLOBAL_ADMINISTRATOR, id(&group)));
    let own = format!("{ASSIGNMENTS}/{}", ids(&held)[0]);
    site.graph(ADMIN, "DELETE", &own, &Value::Null).refused(400, "Request_BadRequest");
    let join = format!("/groups/{}/members/$ref", id(&group));
    site.graph(ADMIN, "POST", &join, &reference(&NOBODY.to_string())).is(204);
    site.graph(ADMIN, "DELETE", &own, &Value::Null).is(204);
    site.graph(ADMIN, "POST", "/groups", &json!({"displayName": "g"})).refused(403, "Authorization_RequestDenied");
}

#[test]
fn what_is_not_there_is_said_in_graphs_shape() {
    let site = Site::empty();
    let cases = [
        ("GET", "/me", 400, "BadRequest"),
        ("GET", "/me/ownedObjects", 400, "BadRequest"),
        ("GET", "/domains", 400, "BadRequest"),
        ("GET", "/users/ada@x/manager", 400, "BadRequest"),
        ("PUT", "/users", 405, "Request_BadRequest"),
        ("DELETE", "/directoryObjects/2", 405, "Request_BadRequest"),
        ("GET", "/directoryObjects", 400, "BadRequest"),
        ("GET", "/groups/nobody", 404, "Request_ResourceNotFound"),
    ];
    for (method, path, status, code) in cases {
        let answer = site.graph(ADMIN, method, path, &Value::Null).refused(status, code);
        assert!(answer.body["error"]["innerError"]["request-id"].is_string(), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}
