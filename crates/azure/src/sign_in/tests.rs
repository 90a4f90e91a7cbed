//! What is pure in sign-in. Whole flows are tested with real clients, in the e2e crate.

use super::{
    authority, form, fuzz,
    managed_identity::{self, Style},
    oauth_error::{OAuthError, Stamp},
    route::Route,
    token::{self, Asked},
};
use crate::{Addresses, Request};
use bytes::Bytes;
use domain::{Guid, UnixTime};
use identity::{Dialect, Issued, openid_configuration};
use serde_json::Value;
use std::net::IpAddr;

const TENANT: Guid = Guid::from_u128(1);
const APP: &str = "00000000-0000-0000-0000-000000000003";

fn addresses() -> Addresses {
    Addresses::new("localhost".to_owned(), Some(8443), TENANT)
}

fn request(uri: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let mut request = http::Request::builder().uri(uri);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost:8443");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    Request::read(request, IpAddr::from([127, 0, 0, 1]), Guid::from_u128(7)).unwrap()
}

fn pretty(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn every_path_of_the_contract_has_its_route() {
    let (v1, v2, adfs) = (Dialect::V1, Dialect::V2, Dialect::AdFs);
    let (virtual_machine, app_service) = (Route::Machine(Style::VirtualMachine), Route::Machine(Style::AppService));
    let cases = [
        ("/t/.well-known/openid-configuration", Some(Route::Configuration { tenant: "t", dialect: v1 })),
        ("/t/v2.0/.well-known/openid-configuration", Some(Route::Configuration { tenant: "t", dialect: v2 })),
        ("/adfs/.well-known/openid-configuration", Some(Route::Configuration { tenant: "adfs", dialect: adfs })),
        ("/adfs/t/.well-known/openid-configuration", Some(Route::Configuration { tenant: "adfs", dialect: adfs })),
        ("/adfs/v2.0/.well-known/openid-configuration", Some(Route::Configuration { tenant: "adfs", dialect: adfs })),
        ("/common/discovery/instance?api-version=1.0", Some(Route::Instance)),
        ("/t/discovery/v2.0/keys", Some(Route::Keys { tenant: "t" })),
        ("/adfs/discovery/keys", Some(Route::Keys { tenant: "adfs" })),
        ("/t/oauth2/token", Some(Route::Token { tenant: "t", dialect: v1 })),
        ("//t/oauth2/v2.0/token", Some(Route::Token { tenant: "t", dialect: v2 })),
        ("/adfs/oauth2/token/", Some(Route::Token { tenant: "adfs", dialect: adfs })),
        ("/organizations/oauth2/v2.0/authorize", Some(Route::UserFlow)),
        ("/organizations/oauth2/v2.0/devicecode", Some(Route::UserFlow)),
        ("/metadata/identity/oauth2/token", Some(virtual_machine)),
        ("/msi/token", Some(app_service)),
        ("/v1.0/users", Some(Route::Graph(vec!["users"]))),
        ("/metadata/endpoints", None),
        ("/subscriptions/s", None),
        ("/common/userrealm/u", None),
        ("/", None),
    ];
    for (uri, expected) in cases {
        assert_eq!(Route::of(&request(uri, &[], ""), "localhost"), expected, "{uri}");
    }
    for host in ["graph.microsoft.com", "graph.localhost:8443"] {
        let graph = request("/v1.0/me", &[("host", host)], "");
        assert_eq!(Route::of(&graph, "localhost"), Some(Route::Graph(vec!["me"])), "{host}");
    }
    let sign_in = request("/t/oauth2/token", &[("host", "graph.example")], "");
    assert_eq!(Route::of(&sign_in, "graph.example"), Some(Route::Token { tenant: "t", dialect: v1 }));
}

#[test]
fn openid_configuration_names_the_host_the_request_came_by() {
    let base = authority::base(&addresses(), "login.microsoftonline.com");
    let document = openid_configuration(&base, "organizations", Dialect::V2, TENANT);
    insta::assert_snapshot!("openid_v2", serde_json::to_string_pretty(&document).unwrap());
    let base = authority::base(&addresses(), "localhost:8443");
    let document = openid_configuration(&base, "common", Dialect::V1, TENANT);
    insta::assert_snapshot!("openid_v1", serde_json::to_string_pretty(&document).unwrap());
    let document = openid_configuration(&base, "adfs", Dialect::AdFs, TENANT);
    insta::assert_snapshot!("openid_adfs", serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn a_strange_host_is_not_repeated() {
    let base = |host| authority::base(&addresses(), host);
    assert_eq!(base("login.localhost:8443"), "https://login.localhost:8443");
    assert_eq!(base("127.0.0.1:9000"), "https://127.0.0.1:9000");
    assert_eq!(base("[::1]:8443"), "https://[::1]:8443");
    for strange in ["evil.example", "evillocalhost", "localhost.evil.example", "x\".localhost", "a@localhost", ""] {
        assert_eq!(base(strange), "https://localhost:8443", "{strange}");
    }
}

#[test]
fn tenants_are_ours_or_open() {
    for word in ["common", "Organizations", "adfs", "localhost", "00000000-0000-0000-0000-000000000001"] {
        assert!(authority::is_known_tenant(&addresses(), word), "{word}");
    }
    for word in ["consumers", "contoso.example", "00000000-0000-0000-0000-000000000002", ""] {
        assert!(!authority::is_known_tenant(&addresses(), word), "{word}");
    }
}

#[test]
fn instance_discovery_knows_our_authorities_only() {
    let of = |endpoint| authority::instance(&addresses(), endpoint);
    let found = of("https://localhost:8443/organizations/oauth2/v2.0/authorize").unwrap();
    insta::assert_snapshot!("instance", serde_json::to_string_pretty(&found).unwrap());
    let found = of("https://login.microsoftonline.com/common/oauth2/authorize").unwrap();
    assert_eq!(found["metadata"].as_array().map(Vec::len), Some(1));
    for strange in ["", "https://evil.example/common/", "http://localhost:8443/common/", "https://localhost/x/"] {
        assert_eq!(of(strange), None, "{strange}");
    }
}

fn asked(headers: &[(&str, &str)], body: &str, dialect: Dialect) -> Result<Asked, OAuthError> {
    Asked::read(&request("/t/oauth2/v2.0/token", headers, body), dialect)
}

#[test]
fn what_msal_sends_is_read() {
    let body = format!(
        "client_id={APP}&grant_type=client_credentials&client_info=1&client_secret=a%2Bb+c%7E&claims=%7B%22access_token\
         %22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D&scope=https%3A%2F%2Fvault.localhost%3A8443\
         %2F%2F.default+openid+profile+offline_access"
    );
    let Ok(asked) = asked(&[], &body, Dialect::V2) else { panic!("refused") };
    assert_eq!((asked.app_id.as_str(), asked.secret.as_str()), (APP, "a+b c~"));
    assert_eq!(asked.audience, "https://vault.localhost:8443/");
    assert_eq!(asked.capabilities, ["CP1"]);
}

#[test]
fn credentials_come_by_http_basic_too_but_not_twice() {
    // The secret is `p:%`, form-encoded inside.
    let basic = [("authorization", "Basic YXBwOnA6JTI1")];
    let body = "grant_type=client_credentials&resource=https://x/";
    let Ok(found) = asked(&basic, body, Dialect::V1) else { panic!("refused") };
    assert_eq!((found.app_id.as_str(), found.secret.as_str(), found.audience.as_str()), ("app", "p:%", "https://x/"));
    let error = |body: &str| asked(&basic, body, Dialect::V1).err();
    assert_eq!(error(&format!("{body}&client_secret=s")), Some(OAuthError::malformed()));
    assert_eq!(error(&format!("{body}&client_id=other")), Some(OAuthError::malformed()));
    assert_eq!(asked(&[("authorization", "Bearer x")], body, Dialect::V1).err(), Some(OAuthError::malformed()));
}

#[test]
fn what_can_not_be_granted_is_refused_by_name() {
    let client = "grant_type=client_credentials&client_id=app&client_secret=s";
    let cases = [
        (String::new(), "invalid_request", 900_144),
        ("grant_type=".to_owned(), "invalid_request", 900_144),
        ("grant_type=password&username=u&password=p".to_owned(), "unsupported_grant_type", 70_003),
        ("grant_type=refresh_token&refresh_token=r".to_owned(), "unsupported_grant_type", 70_003),
        ("grant_type=client_credentials".to_owned(), "invalid_request", 900_144),
        ("grant_type=client_credentials&client_id=app".to_owned(), "invalid_client", 7_000_216),
        ("grant_type=client_credentials&client_id=app&client_assertion=j".to_owned(), "invalid_client", 700_027),
        (client.to_owned(), "invalid_request", 90_014),
        (format!("{client}&resource=https://x"), "invalid_request", 90_014),
        (format!("{client}&scope=https://x"), "invalid_scope", 1_002_012),
        (format!("{client}&scope=openid"), "invalid_scope", 1_002_012),
        (format!("{client}&scope=/.default"), "invalid_scope", 1_002_012),
        (format!("{client}&scope=https://x/.default+https://y/.default"), "invalid_scope", 1_002_012),
        (format!("{client}&scope=https://%22x/.default"), "invalid_scope", 1_002_012),
        (format!("{client}&scope={}/.default", "x".repeat(513)), "invalid_scope", 1_002_012),
        (format!("{client}&client_id=other"), "invalid_request", 9_002_313),
        ("grant_type=%ff".to_owned(), "invalid_request", 9_002_313),
        ("a&".repeat(65), "invalid_request", 9_002_313),
    ];
    for (body, error, code) in cases {
        let Some(found) = asked(&[], &body, Dialect::V2).err() else { panic!("granted: {body}") };
        assert_eq!((found.error, found.code), (error, code), "{body}");
    }
}

#[test]
fn form_garbage_is_read_or_refused() {
    let read = |text: &str| form::Form::read(text.as_bytes()).map(|form| form.value("a").map(str::to_owned));
    assert_eq!(read("&&a=1&&"), Some(Some("1".to_owned())));
    assert_eq!(read("a"), Some(None));
    assert_eq!(read("=1"), Some(None));
    assert_eq!(read("a=%"), Some(Some("%".to_owned())));
    assert_eq!(read("a=%zz%2"), Some(Some("%zz%2".to_owned())));
    assert_eq!(read("a=b=c"), Some(Some("b=c".to_owned())));
    assert_eq!(read("a=1&%61=2"), None);
    assert_eq!(read("a=%c3%28"), None);
    assert!(form::Form::read(&[0xff]).is_none());
    for text in ["", "Basic", "Basic !", "Basic YQ==", "Bearer YTpi", "Basic /w==", "Basic  YTpi "] {
        fuzz::basic(text.as_bytes());
    }
    assert!(form::basic("basic YTpi").is_some());
    assert!(form::basic("Basic YQ==").is_none());
}

#[test]
fn capabilities_are_found_and_garbage_has_none() {
    assert_eq!(token::capabilities(r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#), ["CP1"]);
    let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["CP1","x"]}}}"#;
    assert_eq!(token::capabilities(challenge), ["CP1"]);
    for garbage in ["", "{", "[]", "{}", r#"{"access_token":null}"#, r#"{"access_token":{"xms_cc":{"values":[1]}}}"#] {
        assert!(token::capabilities(garbage).is_empty(), "{garbage}");
    }
}

#[test]
fn errors_speak_as_entra_does() {
    let stamp =
        Stamp { now: UnixTime(1_700_000_000), trace_id: Guid::from_u128(7), correlation_id: Guid::from_u128(8) };
    let answers = [
        OAuthError::wrong_secret(APP),
        OAuthError::unknown_application("no\nguid'", TENANT),
        OAuthError::no_service_principal(APP, TENANT),
        OAuthError::disabled(APP),
        OAuthError::expired_secret(APP),
        OAuthError::unknown_tenant("contoso.example"),
        OAuthError::grant_type("password"),
        OAuthError::user_flow(),
        OAuthError::no_sign_in("https://login.example.com/realms/keys"),
    ];
    let mut text = String::new();
    for error in answers {
        let response = error.response(&stamp);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers().contains_key("www-authenticate"), response.status() == 401);
        text += &format!("{}\n{}\n", response.status(), pretty(response.body()));
    }
    insta::assert_snapshot!("oauth_errors", text);
}

#[test]
fn v1_writes_numbers_as_strings() {
    let issued = Issued { token: "t".to_owned(), issued: UnixTime(1_700_000_000), expires: UnixTime(1_700_003_600) };
    let v1 = token::answer(&issued, "https://x/", Dialect::V1);
    assert_eq!(v1.headers()["cache-control"], "no-store");
    let v2 = token::answer(&issued, "https://x/", Dialect::V2);
    insta::assert_snapshot!("token_answers", format!("{}\n{}", pretty(v1.body()), pretty(v2.body())));
}

#[test]
fn the_managed_identity_answers_this_machine_and_no_browser() {
    let uri = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.localhost%3A8443";
    let metadata = ("Metadata", "true");
    let ask = |request: &Request| {
        managed_identity::allowed(request, Style::VirtualMachine, &addresses(), None)
            .map_err(|refused| refused.status.as_u16())
    };
    assert_eq!(ask(&request(uri, &[metadata], "")), Ok("https://vault.localhost:8443".to_owned()));
    assert!(ask(&request(uri, &[metadata, ("host", "169.254.169.254")], "")).is_ok());
    assert!(ask(&request(uri, &[metadata, ("host", "[::1]:8443")], "")).is_ok());
    assert_eq!(ask(&request(uri, &[], "")), Err(400));
    assert_eq!(ask(&request("/metadata/identity/oauth2/token?resource=x", &[metadata], "")), Err(400));
    assert_eq!(ask(&request("/metadata/identity/oauth2/token?api-version=1", &[metadata], "")), Err(400));
    assert_eq!(ask(&request(uri, &[metadata, ("host", "evil.example")], "")), Err(403));
    assert_eq!(ask(&request(uri, &[metadata, ("X-Forwarded-For", "10.0.0.1")], "")), Err(403));
    let mut remote = request(uri, &[metadata], "");
    remote.address = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(ask(&remote), Err(403));
}

#[test]
fn app_service_style_needs_its_header() {
    let uri = "/msi/token?api-version=2019-08-01&resource=x";
    let ask = |sent: &[(&str, &str)], expected| {
        managed_identity::allowed(&request(uri, sent, ""), Style::AppService, &addresses(), expected)
            .map_err(|refused| refused.status.as_u16())
    };
    assert_eq!(ask(&[("X-IDENTITY-HEADER", "h")], Some("h")), Ok("x".to_owned()));
    assert_eq!(ask(&[("X-IDENTITY-HEADER", "g")], Some("h")), Err(401));
    assert_eq!(ask(&[], Some("h")), Err(401));
    assert_eq!(ask(&[("X-IDENTITY-HEADER", "")], None), Err(400));
}
