//! Sign-in, in process: tokens by client secret and for the machine, what they open, and for how long.

use super::site::{ADMIN, ARM, HSM, NOBODY, SECRET, Site, TENANT, VAULT, request, vault};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

const LOCAL: [u8; 4] = [127, 0, 0, 1];

/// Percent-encodes everything.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn posted(path: &str, parameters: &[(&str, &str)]) -> http::Request<Bytes> {
    request(ARM, "POST", &format!("/{TENANT}{path}"), None, form(parameters).as_bytes())
}

/// A sign-in of the administrator's for a scope.
fn asked<'form>(id: &'form str, secret: &'form str, scope: &'form str) -> [(&'form str, &'form str); 4] {
    [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", scope)]
}

fn token(site: &Site, scope: &str) -> String {
    let answer = site.sign_in(posted("/oauth2/v2.0/token", &asked(&ADMIN.to_string(), SECRET, scope)), LOCAL).is(200);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.body["access_token"].as_str().unwrap().to_owned()
}

fn list_keys(host: &str, token: &str) -> http::Request<Bytes> {
    request(host, "GET", "/keys?api-version=7.6", Some(token), b"")
}

fn show_vault(token: &str) -> http::Request<Bytes> {
    request(ARM, "GET", &format!("{}?api-version=2024-11-01", vault("kv1")), Some(token), b"")
}

#[test]
fn a_client_secret_opens_what_the_token_is_for_and_nothing_else() {
    let site = Site::new();
    let vaults = token(&site, "https://vault.localhost:8443/.default");
    let hsms = token(&site, "https://managedhsm.azure.net/.default openid profile");
    let manager = token(&site, "https://management.core.windows.net//.default");
    for (token, expected) in [(&vaults, [200, 401, 401]), (&hsms, [401, 200, 401]), (&manager, [401, 401, 200])] {
        let found = [
            site.data_plane(VAULT, list_keys(VAULT, token)).status,
            site.data_plane(HSM, list_keys(HSM, token)).status,
            site.resource_manager(show_vault(token)).status,
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn the_older_dialect_writes_numbers_as_text_and_basic_will_do() {
    let site = Site::new();
    let (id, resource) = (ADMIN.to_string(), "https://vault.localhost:8443/");
    let body = [("grant_type", "client_credentials"), ("resource", resource)];
    let mut asked = posted("/oauth2/token", &body);
    let credentials = STANDARD.encode(format!("{}:{}", encoded(&id), encoded(SECRET)));
    asked.headers_mut().insert("authorization", format!("Basic {credentials}").parse().unwrap());
    let answer = site.sign_in(asked, LOCAL).is(200).body;
    assert_eq!((&answer["expires_in"], &answer["resource"]), (&json!("3600"), &json!(resource)));
    assert!(answer["expires_on"].as_str().unwrap().parse::<i64>().unwrap() > site.identity.now().0 + 3500);
    let opened = site.data_plane(VAULT, list_keys(VAULT, answer["access_token"].as_str().unwrap()));
    opened.is(200);
}

/// A form, and the status, the error and the number that answer it.
type Refused<'form> = (&'form [(&'form str, &'form str)], u16, &'static str, u32);

#[test]
fn who_may_not_sign_in_is_told_in_entras_words() {
    let site = Site::new();
    let scope = "https://vault.azure.net/.default";
    let (admin, unknown) = (ADMIN.to_string(), "00000000-0000-0000-0000-0000000000ff");
    let cases: &[Refused<'_>] = &[
        (&asked(&admin, "wrong", scope), 401, "invalid_client", 7_000_215),
        (&asked(unknown, SECRET, scope), 400, "unauthorized_client", 700_016),
        (&asked("nobody", SECRET, scope), 400, "unauthorized_client", 700_016),
        (&asked(&admin, "", scope), 401, "invalid_client", 7_000_216),
        (&asked(&admin, SECRET, ""), 400, "invalid_request", 90_014),
        (&asked(&admin, SECRET, "https://vault.azure.net"), 400, "invalid_scope", 1_002_012),
        (&[("grant_type", "password"), ("client_id", &admin)], 400, "unsupported_grant_type", 70_003),
        (&[("client_id", &admin)], 400, "invalid_request", 900_144),
        (&[("client_id", "a"), ("client_id", "b")], 400, "invalid_request", 9_002_313),
    ];
    for (parameters, status, error, code) in cases {
        let answer = site.sign_in(posted("/oauth2/v2.0/token", parameters), LOCAL).is(*status);
        assert_eq!((&answer.body["error"], &answer.body["error_codes"]), (&json!(error), &json!([code])));
        let description = answer.body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert!(!description.contains(SECRET), "{description}");
    }
    let elsewhere = request(ARM, "POST", &format!("/{NOBODY}/oauth2/v2.0/token"), None, b"");
    assert_eq!(site.sign_in(elsewhere, LOCAL).is(400).body["error_codes"], json!([90_002]));
    let read = request(ARM, "GET", &format!("/{TENANT}/oauth2/v2.0/token"), None, b"");
    site.sign_in(read, LOCAL).is(405);
}

#[test]
fn an_hour_later_a_token_is_answered_with_a_claims_challenge() {
    let site = Site::new();
    let audiences = ["https://vault.azure.net", "https://managedhsm.azure.net", "https://management.azure.com"];
    let tokens = audiences.map(|audience| token(&site, &format!("{audience}/.default")));
    let answers = |tokens: &[String; 3]| {
        [
            site.data_plane(VAULT, list_keys(VAULT, &tokens[0])),
            site.data_plane(HSM, list_keys(HSM, &tokens[1])),
            site.resource_manager(show_vault(&tokens[2])),
        ]
    };
    assert_eq!(answers(&tokens).map(|answer| answer.status), [200; 3]);
    site.clock.advance(3400);
    assert_eq!(answers(&tokens).map(|answer| answer.status), [200; 3]);
    site.clock.advance(200);
    let expired = answers(&tokens).map(|answer| answer.is(401));
    let codes = expired.each_ref().map(|answer| answer.error().1.to_owned());
    assert_eq!(codes, ["Unauthorized", "Unauthorized", "ExpiredAuthenticationToken"]);
    for answer in &expired {
        assert!(answer.header("www-authenticate").contains("error=\"insufficient_claims\""));
        let claims: Value = serde_json::from_str(&answer.claims()).unwrap();
        let not_before = &claims["access_token"]["nbf"];
        assert_eq!(not_before["essential"], true);
        let not_before: i64 = not_before["value"].as_str().unwrap().parse().unwrap();
        assert!((site.identity.now().0 - not_before).abs() < 60);
    }
    let fresh = audiences.map(|audience| token(&site, &format!("{audience}/.default")));
    assert_eq!(answers(&fresh).map(|answer| answer.status), [200; 3]);
}

#[test]
fn forgotten_tokens_are_void_and_new_ones_valid() {
    let site = Site::new();
    let scope = "https://vault.azure.net/.default";
    let old = token(&site, scope);
    site.data_plane(VAULT, list_keys(VAULT, &old)).is(200);
    site.identity.forget_tokens_of(ADMIN);
    let refused = site.data_plane(VAULT, list_keys(VAULT, &old)).refused(401, "Unauthorized");
    assert!(refused.claims().contains("nbf"));
    site.data_plane(VAULT, list_keys(VAULT, &token(&site, scope))).is(200);
}

/// A request for a virtual machine's token, with other headers.
fn machine(query: &str, headers: &[(&'static str, &str)]) -> http::Request<Bytes> {
    let uri = format!("/metadata/identity/oauth2/token?{query}");
    let mut asked = request(ARM, "GET", &uri, None, b"");
    for (name, value) in headers {
        asked.headers_mut().insert(*name, value.parse().unwrap());
    }
    asked
}

#[test]
fn a_process_of_this_machine_gets_a_token_without_a_secret() {
    let site = Site::new();
    let query = "api-version=2018-02-01&resource=https://vault.azure.net";
    let answer = site.sign_in(machine(query, &[("metadata", "true")]), LOCAL).is(200).body;
    assert_eq!(answer["client_id"], json!(ADMIN));
    assert_eq!((&answer["expires_in"], &answer["token_type"]), (&json!("3600"), &json!("Bearer")));
    site.data_plane(VAULT, list_keys(VAULT, answer["access_token"].as_str().unwrap())).is(200);
    let mut service = request(ARM, "GET", &format!("/msi/token?{query}&client_id={ADMIN}"), None, b"");
    service.headers_mut().insert("x-identity-header", "header secret".parse().unwrap());
    let answer = site.sign_in(service, LOCAL).is(200).body;
    site.data_plane(VAULT, list_keys(VAULT, answer["access_token"].as_str().unwrap())).is(200);
}

#[test]
fn nobody_else_gets_the_machines_token() {
    let site = Site::new();
    let query = "api-version=2018-02-01&resource=https://vault.azure.net";
    let metadata = ("metadata", "true");
    let refused = |asked, from, status, error: &str| {
        let answer = site.sign_in(asked, from).is(status).body;
        assert_eq!(answer["error"], error);
        assert_eq!(answer.get("access_token"), None);
    };
    refused(machine(query, &[]), LOCAL, 400, "invalid_request");
    refused(machine(query, &[metadata]), [192, 0, 2, 1], 403, "forbidden");
    refused(machine(query, &[metadata, ("x-forwarded-for", "192.0.2.1")]), LOCAL, 403, "forbidden");
    refused(machine(query, &[metadata, ("host", "rebound.example:8443")]), LOCAL, 403, "forbidden");
    refused(machine("api-version=2018-02-01", &[metadata]), LOCAL, 400, "invalid_request");
    refused(machine("resource=https://vault.azure.net", &[metadata]), LOCAL, 400, "invalid_request");
    refused(machine(&format!("{query}&client_id={NOBODY}"), &[metadata]), LOCAL, 400, "invalid_request");
    refused(machine(&format!("{query}&object_id={NOBODY}"), &[metadata]), LOCAL, 400, "invalid_request");
    let service = request(ARM, "GET", &format!("/msi/token?{query}"), None, b"");
    assert_eq!(site.sign_in(service, LOCAL).is(401).body["statusCode"], 401);
}
