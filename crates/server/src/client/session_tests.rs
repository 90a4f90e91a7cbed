//! Calls against a scripted server: challenges, tokens, patience and pages.

use super::super::testing::{Script, answer, challenge, settings, token};
use super::*;
use serde_json::json;

const HSM: &str = "https://h.managedhsm.localhost:8443";

fn create() -> Call {
    Call { method: "POST", url: format!("{HSM}/keys/k/create"), body: Some(json!({"kty": "RSA"})) }
}

#[test]
fn the_first_request_says_nothing_and_the_second_says_it_with_a_token() {
    let script = Script::new([
        challenge("https://managedhsm.localhost:8443"),
        token(),
        answer(200, json!({"key": {}})),
        answer(200, json!({"key": {}})),
    ]);
    let settings = settings();
    let mut session = Session::new(&script, &settings);
    session.data(&create()).unwrap();
    session.data(&create()).unwrap();
    let asked = script.asked.borrow();
    assert_eq!(asked[0], format!("POST {HSM}/keys/k/create?api-version=2026-04-01"));
    assert_eq!(
        asked[1],
        "POST https://login.localhost:8443/tenant/oauth2/v2.0/token grant_type=client_credentials&client_id=app\
         &client_secret=s%26cret&scope=https%3A%2F%2Fmanagedhsm.localhost%3A8443%2F.default"
    );
    assert_eq!(asked[2], format!("POST+ {HSM}/keys/k/create?api-version=2026-04-01 {{\"kty\":\"RSA\"}}"));
    assert_eq!(asked.len(), 4, "one token is enough for two calls");
}

#[test]
fn the_secret_goes_to_the_configured_authority_whatever_the_challenge_names() {
    let script = Script::new([challenge("https://managedhsm.localhost:8443"), token(), answer(200, json!({}))]);
    let settings = settings();
    Session::new(&script, &settings).data(&create()).unwrap();
    assert!(script.asked.borrow().iter().all(|line| !line.contains("evil.example")));
}

#[test]
fn a_host_gets_no_token_for_an_audience_it_does_not_belong_to() {
    for resource in
        ["https://vault.azure.net", "https://localhost:9443", "https://anagedhsm.localhost:8443", "nonsense"]
    {
        let script = Script::new([challenge(resource), token()]);
        let settings = settings();
        assert!(Session::new(&script, &settings).data(&create()).is_err(), "{resource}");
        assert_eq!(script.asked.borrow().len(), 1, "{resource}");
    }
}

#[test]
fn the_bare_host_may_speak_for_its_default_vault() {
    let script = Script::new([challenge("https://vault.localhost:8443"), token(), answer(200, json!({}))]);
    let settings = settings();
    let call = Call { method: "GET", url: "https://localhost:8443/keys/k/".into(), body: None };
    assert!(Session::new(&script, &settings).data(&call).is_ok());
}

#[test]
fn a_scope_in_the_challenge_is_an_audience_too() {
    assert_eq!(audience(r#"Bearer scope="https://a/.default", resource=b"#).as_deref(), Some("https://a"));
    assert_eq!(audience(r#"Bearer authorization="https://l/t", resource=https://a"#).as_deref(), Some("https://a"));
    assert_eq!(audience("Basic realm=x"), None);
}

#[test]
fn without_credentials_the_error_says_what_to_set() {
    let script = Script::new([challenge("https://managedhsm.localhost:8443")]);
    let settings = Settings { credentials: None, ..settings() };
    let error = Session::new(&script, &settings).data(&create()).unwrap_err();
    assert!(error.to_string().contains("STRONGROOM_CLIENT_SECRET"));
}

#[test]
fn a_busy_server_is_asked_again_when_it_says_but_not_for_ever() {
    let busy = || Response { status: 429, retry_after: Some(Duration::from_secs(900)), ..Response::default() };
    let script = Script::arm([busy(), answer(200, json!({"value": []}))]);
    let settings = settings();
    assert!(Session::new(&script, &settings).arm_list("/subscriptions/sub/providers/x").is_ok());
    assert_eq!(*script.pauses.borrow(), [LONGEST_PAUSE]);

    let script = Script::arm([busy(), busy(), busy(), busy(), busy()]);
    assert!(Session::new(&script, &settings).arm_list("/subscriptions/sub/providers/x").is_err());
    assert_eq!(script.asked.borrow().len(), 1 + ATTEMPTS);
}

#[test]
fn pages_are_followed_through_empty_ones_to_the_limit() {
    let page = |names: &[&str], next: Value| answer(200, json!({"value": names, "nextLink": next}));
    let next = || json!(format!("{HSM}/keys?api-version=2026-04-01&$skiptoken=x"));
    let pages = || [page(&["a", "no"], next()), page(&[], next()), page(&["b", "c"], Value::Null)];
    let start = [challenge("https://managedhsm.localhost:8443"), token()];
    let call = Call { method: "GET", url: format!("{HSM}/keys?maxresults=2"), body: None };
    let settings = settings();
    let wanted = |value: &Value| value != "no";

    let script = Script::new(start.into_iter().chain(pages()));
    let all = Session::new(&script, &settings).data_list(&call, None, &wanted).unwrap();
    assert_eq!(all, ["a", "b", "c"]);
    assert_eq!(script.asked.borrow()[0], format!("GET {HSM}/keys?maxresults=2&api-version=2026-04-01"));

    let script = Script::new([challenge("https://managedhsm.localhost:8443"), token()].into_iter().chain(pages()));
    let some = Session::new(&script, &settings).data_list(&call, Some(2), &wanted).unwrap();
    assert_eq!(some, ["a", "b"]);
}

fn pending(location: Option<&str>, seconds: Option<u64>) -> Response {
    let location = location.map(|path| format!("https://localhost:8443{path}"));
    Response { status: 202, location, retry_after: seconds.map(Duration::from_secs), ..Response::default() }
}

#[test]
fn a_long_operation_is_followed_from_place_to_place_at_the_server_s_pace() {
    let script = Script::arm([
        pending(Some("/a"), Some(0)),
        pending(Some("/b"), Some(5)),
        pending(None, None),
        answer(200, json!({"status": "Succeeded"})),
    ]);
    let settings = settings();
    let mut session = Session::new(&script, &settings);
    let first = session.arm("DELETE", "/subscriptions/sub/x", None).unwrap();
    assert_eq!(session.finish(first).unwrap()["status"], "Succeeded");
    let places: Vec<String> = script.asked.borrow()[2..].to_vec();
    assert_eq!(
        places,
        ["GET+ https://localhost:8443/a", "GET+ https://localhost:8443/b", "GET+ https://localhost:8443/b"]
    );
    assert_eq!(*script.pauses.borrow(), [0, 5, 1].map(Duration::from_secs));
}

#[test]
fn a_long_operation_that_failed_is_an_error_with_its_reason() {
    let failed = json!({"status": "Failed", "error": {"code": "Broken", "message": "It broke."}});
    let script = Script::arm([pending(Some("/a"), Some(0)), answer(200, failed)]);
    let settings = settings();
    let mut session = Session::new(&script, &settings);
    let first = session.arm("DELETE", "/subscriptions/sub/x", None).unwrap();
    assert_eq!(session.finish(first).unwrap_err().to_string(), "(Broken) It broke.");
}

#[test]
fn a_long_operation_that_never_ends_is_given_up() {
    let script = Script::arm((0..1000).map(|_| pending(Some("/a"), Some(3600))));
    let settings = settings();
    let mut session = Session::new(&script, &settings);
    let first = session.arm("DELETE", "/subscriptions/sub/x", None).unwrap();
    assert!(session.finish(first).is_err());
    assert_eq!(script.pauses.borrow().iter().sum::<Duration>(), LONGEST_WAIT);
}

#[test]
fn the_audience_of_the_control_plane_is_its_url_with_the_slash() {
    let script = Script::arm([answer(200, json!({"location": "eastus"}))]);
    let settings = settings();
    Session::new(&script, &settings).arm_get("/subscriptions/sub/resourcegroups/rg").unwrap();
    let asked = script.asked.borrow();
    assert!(asked[0].ends_with("scope=https%3A%2F%2Flocalhost%3A8443%2F%2F.default"), "{}", asked[0]);
    assert_eq!(asked[1], "GET+ https://localhost:8443/subscriptions/sub/resourcegroups/rg?api-version=2024-11-01");
}
