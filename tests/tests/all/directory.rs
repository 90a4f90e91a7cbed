//! What becomes of a token when its principal is deleted, disabled or taken out of a group: at once, everywhere, and
//! after a restart as well.

use crate::site::{ADMIN, ARM, DAY, HSM, NOBODY, SUBSCRIPTION, Site, VAULT, request, role, vault};
use bytes::Bytes;
use domain::Guid;
use e2e::{
    client::{Answer, Client},
    process::Server,
};
use serde_json::{Value, json};

const SIGN: &str = "/keys/k/sign?api-version=7.6";
const LOCAL: [u8; 4] = [127, 0, 0, 1];

fn digest() -> Vec<u8> {
    br#"{"alg":"ES256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#.to_vec()
}

/// Tokens for each kind of endpoint, and what each endpoint says to them now.
struct Tokens([String; 4]);

impl Tokens {
    fn of(site: &Site, who: Guid) -> Self {
        let audiences = [
            "https://vault.localhost:8443",
            "https://managedhsm.localhost:8443",
            "https://management.azure.com",
            "https://graph.microsoft.com",
        ];
        Self(audiences.map(|audience| site.token(who, audience)))
    }

    fn answers(&self, site: &Site) -> [crate::site::Answer; 4] {
        let [vaults, hsms, manager, graph] = &self.0;
        let show = format!("{}?api-version=2024-11-01", vault("kv1"));
        [
            site.data_plane(VAULT, request(VAULT, "POST", SIGN, Some(vaults), &digest())),
            site.data_plane(HSM, request(HSM, "POST", SIGN, Some(hsms), &digest())),
            site.resource_manager(request(ARM, "GET", &show, Some(manager), b"")),
            site.sign_in(request(ARM, "GET", "/v1.0/users", Some(graph), b""), LOCAL),
        ]
    }

    fn statuses(&self, site: &Site) -> [u16; 4] {
        self.answers(site).map(|answer| answer.status)
    }
}

fn assign(site: &Site, name: &str, scope: &str, role: Guid, principal: &str) {
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01");
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    site.put(&path, &json!({"properties": {"roleDefinitionId": role, "principalId": principal}})).is(201);
}

/// A site with a key in each container; a group may sign with both, and read the vault itself.
fn site_with_group() -> (Site, String) {
    let site = Site::new();
    for host in [VAULT, HSM] {
        site.call(host, "POST", "/keys/k/create", &json!({"kty": "EC", "crv": "P-256"})).is(200);
    }
    let group = site.graph(ADMIN, "POST", "/groups", &json!({"displayName": "Signers", "mailNickname": "signers"}));
    let group = group.is(201).body["id"].as_str().unwrap().to_owned();
    assign(&site, "00000000-0000-0000-0000-0000000000a1", &vault("kv1"), role("Key Vault Crypto User"), &group);
    assign(&site, "00000000-0000-0000-0000-0000000000a2", &vault("kv1"), role("Reader"), &group);
    let local = "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000a3";
    let crypto_user = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/\
                       21dbd100-6940-42c2-9190-5d6cb909625b";
    let body = json!({"properties": {"roleDefinitionId": crypto_user, "principalId": group}});
    site.call(HSM, "PUT", local, &body).is(201);
    (site, group)
}

fn join(site: &Site, group: &str, member: &str) {
    let member = format!("https://graph.microsoft.com/v1.0/directoryObjects/{member}");
    site.graph(ADMIN, "POST", &format!("/groups/{group}/members/$ref"), &json!({"@odata.id": member})).is(204);
}

fn leave(site: &Site, group: &str, member: &str) {
    site.graph(ADMIN, "DELETE", &format!("/groups/{group}/members/{member}/$ref"), &Value::Null).is(204);
}

#[test]
fn a_token_counts_for_the_groups_of_now() {
    let (site, group) = site_with_group();
    let tokens = Tokens::of(&site, NOBODY);
    assert_eq!(tokens.statuses(&site), [403, 403, 403, 200]);
    join(&site, &group, &NOBODY.to_string());
    assert_eq!(tokens.statuses(&site), [200, 200, 200, 200]);
    leave(&site, &group, &NOBODY.to_string());
    let answers = tokens.answers(&site);
    assert_eq!(answers[0].error(), (403, "Forbidden"));
    assert_eq!(answers[1].error(), (403, "AccessDenied"));
    assert_eq!(answers[2].error(), (403, "AuthorizationFailed"));

    let outer = site.graph(ADMIN, "POST", "/groups", &json!({"displayName": "All"})).is(201);
    let outer = outer.body["id"].as_str().unwrap();
    join(&site, &group, outer);
    join(&site, outer, &NOBODY.to_string());
    assert_eq!(tokens.statuses(&site), [200, 200, 200, 200], "through a group in the group");
    site.graph(ADMIN, "DELETE", &format!("/groups/{outer}"), &Value::Null).is(204);
    assert_eq!(tokens.statuses(&site), [403, 403, 403, 200]);
    join(&site, &group, &NOBODY.to_string());
    site.graph(ADMIN, "DELETE", &format!("/groups/{group}"), &Value::Null).is(204);
    assert_eq!(tokens.statuses(&site), [403, 403, 403, 200]);
}

#[test]
fn who_is_disabled_is_asked_for_a_new_token_and_gets_none() {
    let (site, group) = site_with_group();
    join(&site, &group, &NOBODY.to_string());
    let tokens = Tokens::of(&site, NOBODY);
    assert_eq!(tokens.statuses(&site), [200; 4]);
    let path = format!("/servicePrincipals/{NOBODY}");
    site.graph(ADMIN, "PATCH", &path, &json!({"accountEnabled": false})).is(204);
    for answer in tokens.answers(&site) {
        let answer = answer.is(401);
        assert!(answer.claims().contains("nbf"), "a challenge that clients act on");
    }
    let codes = tokens.answers(&site).map(|answer| answer.error().1.to_owned());
    let expected = ["Unauthorized", "Unauthorized", "AuthenticationFailed", "InvalidAuthenticationToken"];
    assert_eq!(codes, expected);
    let secret = crate::site::SECRET;
    assert_eq!(sign_in(&site, NOBODY, secret).is(400).body["error_codes"], json!([7_000_112]));
    assert_eq!(sign_in(&site, NOBODY, "wrong").is(401).body["error_codes"], json!([7_000_215]), "told to nobody else");
    site.graph(ADMIN, "PATCH", &path, &json!({"accountEnabled": true})).is(204);
    assert_eq!(tokens.statuses(&site), [200; 4]);
    sign_in(&site, NOBODY, secret).is(200);
}

#[test]
fn who_is_deleted_is_nobody() {
    let (site, group) = site_with_group();
    join(&site, &group, &NOBODY.to_string());
    let tokens = Tokens::of(&site, NOBODY);
    assert_eq!(tokens.statuses(&site), [200; 4]);
    site.graph(ADMIN, "DELETE", &format!("/servicePrincipals/{NOBODY}"), &Value::Null).is(204);
    assert_eq!(tokens.statuses(&site), [401; 4]);
    assert_eq!(sign_in(&site, NOBODY, crate::site::SECRET).is(400).body["error_codes"], json!([7_000_229]));
    // The application is still there, and its next service principal is somebody else.
    let again = site.graph(ADMIN, "POST", "/servicePrincipals", &json!({"appId": NOBODY})).is(201);
    assert_ne!(again.body["id"], json!(NOBODY));
    assert_eq!(tokens.statuses(&site), [401; 4]);
    assert_eq!(Tokens::of(&site, NOBODY).statuses(&site), [403, 403, 403, 200]);
    let application = site.graph(ADMIN, "GET", "/applications", &Value::Null).is(200);
    let all = application.body["value"].as_array().unwrap();
    let id = all.iter().find(|each| each["appId"] == json!(NOBODY)).unwrap()["id"].as_str().unwrap();
    site.graph(ADMIN, "DELETE", &format!("/applications/{id}"), &Value::Null).is(204);
    assert_eq!(sign_in(&site, NOBODY, crate::site::SECRET).is(400).body["error_codes"], json!([700_016]));
}

#[test]
fn nobody_is_let_in_by_a_directory_that_may_have_changed() {
    let (site, group) = site_with_group();
    join(&site, &group, &NOBODY.to_string());
    let tokens = Tokens::of(&site, NOBODY);
    assert_eq!(tokens.statuses(&site), [200; 4]);
    site.disk.fail_after("GroupMemberRemove");
    let leave = format!("/groups/{group}/members/{NOBODY}/$ref");
    site.graph(ADMIN, "DELETE", &leave, &Value::Null).refused(503, "ServiceNotAvailable");
    for _ in 0..2 {
        let codes = tokens.answers(&site).map(|answer| answer.error().1.to_owned());
        assert_eq!(codes, ["InternalServerError", "InternalServerError", "InternalServerError", "ServiceNotAvailable"]);
        assert_eq!(tokens.statuses(&site), [500, 500, 500, 503]);
        sign_in(&site, NOBODY, crate::site::SECRET).is(500);
    }
    site.disk.mend();
    assert_eq!(tokens.statuses(&site), [403, 403, 403, 200], "the change stands");
}

fn sign_in(site: &Site, app: Guid, secret: &str) -> crate::site::Answer {
    let secret = percent(secret);
    let body = format!(
        "grant_type=client_credentials&client_id={app}&client_secret={secret}&scope=https%3A%2F%2Fvault.azure.net%2F.default"
    );
    let path = format!("/{}/oauth2/v2.0/token", crate::site::TENANT);
    let mut asked: http::Request<Bytes> = request(ARM, "POST", &path, None, body.as_bytes());
    asked.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    site.sign_in(asked, LOCAL)
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_secret_signs_in_until_it_ends_or_is_removed() {
    let site = Site::new();
    let path = format!("/servicePrincipals/{NOBODY}");
    let end = domain::UnixTime(site.identity.now().0 + 2 * DAY).to_string();
    let body = json!({"passwordCredential": {"displayName": "rbac", "endDateTime": end}});
    let made = site.graph(ADMIN, "POST", &format!("{path}/addPassword"), &body).is(200).body;
    let (secret, key_id) = (made["secretText"].as_str().unwrap(), &made["keyId"]);
    sign_in(&site, NOBODY, secret).is(200);
    let shown = site.graph(ADMIN, "GET", &path, &Value::Null).is(200);
    assert!(!String::from_utf8_lossy(&shown.bytes).contains(secret), "its text is told once");
    assert_eq!(shown.body["passwordCredentials"].as_array().unwrap().len(), 2);
    site.clock.advance(2 * DAY);
    assert_eq!(sign_in(&site, NOBODY, secret).is(401).body["error_codes"], json!([7_000_222]));
    sign_in(&site, NOBODY, crate::site::SECRET).is(200);
    let remove = |id: &Value| site.graph(ADMIN, "POST", &format!("{path}/removePassword"), &json!({"keyId": id}));
    remove(key_id).is(204);
    assert_eq!(sign_in(&site, NOBODY, secret).is(401).body["error_codes"], json!([7_000_215]));
    remove(key_id).refused(400, "Request_BadRequest");
    let shown = site.graph(ADMIN, "GET", &path, &Value::Null).is(200).body;
    remove(&shown["passwordCredentials"][0]["keyId"]).is(204);
    assert_eq!(sign_in(&site, NOBODY, crate::site::SECRET).is(401).body["error_codes"], json!([7_000_215]));
}

#[test]
fn assignments_of_a_group_are_its_members_too() {
    let (site, group) = site_with_group();
    let list = |filter: &str| {
        let scope = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments");
        let filter = percent(filter);
        let body = site.get(&format!("{scope}?$filter={filter}&api-version=2022-04-01")).is(200).body;
        body["value"].as_array().unwrap().clone()
    };
    assert_eq!(list(&format!("assignedTo('{NOBODY}')")).len(), 0);
    join(&site, &group, &NOBODY.to_string());
    let found = list(&format!("assignedTo('{NOBODY}')"));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|each| each["properties"]["principalType"] == "Group"));
    assert_eq!(list(&format!("principalId eq '{NOBODY}'")).len(), 0);
    assert_eq!(list(&format!("principalId eq '{group}'")).len(), 2);
    site.graph(ADMIN, "DELETE", &format!("/groups/{group}"), &Value::Null).is(204);
    let left = list(&format!("principalId eq '{group}'"));
    assert_eq!(left.len(), 2, "they stay, and mean nobody");
    assert!(left.iter().all(|each| each["properties"]["principalType"] == "Unknown"));
}

/// An application with a service principal in a running server: object id, application id, secret.
fn robot(client: &Client, name: &str) -> [String; 3] {
    let arm = client.arm();
    let application =
        arm.call("POST", "/v1.0/applications", Some(&json!({"displayName": name}))).expect("an application");
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let app_id = text(&application, "appId");
    let made = arm.call("POST", "/v1.0/servicePrincipals", Some(&json!({"appId": app_id}))).expect("a principal");
    let path = format!("/v1.0/applications/{}/addPassword", text(&application, "id"));
    let secret = arm.call("POST", &path, None).expect("a secret");
    [text(&made, "id"), app_id, text(&secret, "secretText")]
}

#[test]
fn a_server_that_was_killed_still_knows_who_is_gone() {
    let mut server = Server::kept();
    let client = server.client().clone();
    let data = client.vault("devvault");
    data.create_key("k");
    let group = client.arm().call("POST", "/v1.0/groups", Some(&json!({"displayName": "Users"}))).expect("a group");
    let group = group["id"].as_str().unwrap().to_owned();
    let scope = format!("/subscriptions/{}", client.facts().get("SUBSCRIPTION"));
    let path =
        format!("{scope}/providers/Microsoft.Authorization/roleAssignments/5b3e1c9a-0d2f-4a6b-8c7d-9e0f1a2b3c4d");
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{}", role("Key Vault Crypto User"));
    let grant = json!({"properties": {"roleDefinitionId": role, "principalId": group, "principalType": "Group"}});
    let made = client.arm_authorization().call("PUT", &path, Some(&grant)).expect("a grant");
    assert_eq!(made["properties"]["principalType"], "Group");
    let robots = ["stays", "leaves", "disabled", "deleted"].map(|name| robot(&client, name));
    let tokens = robots.each_ref().map(|[id, app_id, secret]| {
        let member = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}")});
        client.arm().call("POST", &format!("/v1.0/groups/{group}/members/$ref"), Some(&member)).expect("joining");
        let told = client.sign_in(app_id, secret, data.resource()).unwrap().expect("a token");
        told["access_token"].as_str().unwrap().to_owned()
    });
    let read = |client: &Client, token: &String| -> Answer {
        client.vault("devvault").try_call_with(token, "GET", "/keys/k", None).unwrap()
    };
    assert_eq!(tokens.each_ref().map(|token| read(&client, token).status), [200; 4]);
    let [_, leaves, disabled, deleted] = robots.each_ref().map(|[id, ..]| id);
    let arm = client.arm();
    arm.call("DELETE", &format!("/v1.0/groups/{group}/members/{leaves}/$ref"), None).expect("leaving");
    let disable = json!({"accountEnabled": false});
    arm.call("PATCH", &format!("/v1.0/servicePrincipals/{disabled}"), Some(&disable)).expect("disabling");
    arm.call("DELETE", &format!("/v1.0/servicePrincipals/{deleted}"), None).expect("deleting");
    let expected = [200, 403, 401, 401];
    assert_eq!(tokens.each_ref().map(|token| read(&client, token).status), expected);
    server.restart();
    let client = server.client();
    assert_eq!(tokens.each_ref().map(|token| read(client, token).status), expected);
    let gone = read(client, &tokens[3]);
    assert!(gone.headers["www-authenticate"].to_str().unwrap().contains("insufficient_claims"));
    let [_, app_id, secret] = &robots[3];
    assert_eq!(client.sign_in(app_id, secret, data.resource()).unwrap().status, 400);
    server.assert_no_panic();
}
