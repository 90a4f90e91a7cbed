//! What claims say, and which of them are refused.

use super::{ISSUER, NOW, TENANT, VAULT, settings};
use crate::{
    ClaimNames, ExternalSettings, TokenError,
    external::{claims, ids},
    group_id, subject_id,
    tokens::Verified,
};
use domain::{Guid, UnixTime};
use serde_json::{Value, json};

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": VAULT, "sub": "alice", "iat": NOW.0, "nbf": NOW.0, "exp": NOW.0 + 3600 })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn read(claims: &Value) -> Result<Verified, TokenError> {
    claims::read(claims.to_string().as_bytes(), &settings(), TENANT)
}

fn judged(claims: &Value, seconds: i64) -> Option<TokenError> {
    read(claims).and_then(|verified| verified.check(&[VAULT.to_owned()], NOW.plus_seconds(seconds))).err()
}

/// The results were computed by Python's `uuid.uuid5(uuid.NAMESPACE_URL, …)`.
#[test]
fn names_become_the_guids_that_any_tool_computes() {
    assert_eq!(subject_id(ISSUER, "alice").to_string(), "028575cf-c27d-5e73-8238-a2414c33fb0d");
    assert_eq!(subject_id(ISSUER, "zoë").to_string(), "52161706-efcf-5b58-a2d5-c6c22cddf852");
    assert_eq!(group_id(ISSUER, "alice").to_string(), "63676f2f-f5f9-5792-8135-bae77408357b");
    assert_eq!(ids::application_id(ISSUER, "alice").to_string(), "3194f43b-660e-5fef-a219-a3267df6e1f7");
    let guid = Guid::from_u128(7);
    for id in [subject_id, group_id, ids::application_id] {
        assert_eq!(id(ISSUER, &guid.to_string()), guid);
        assert_eq!(
            id(ISSUER, "0000000A-0000-0000-0000-00000000000B").to_string(),
            "0000000a-0000-0000-0000-00000000000b"
        );
        // Only the usual form is an id; these are names.
        for name in ["00000000000000000000000000000007", "{00000000-0000-0000-0000-000000000007}"] {
            assert_ne!(id(ISSUER, name), guid, "{name}");
        }
    }
}

#[test]
fn a_token_says_who_somebody_is() {
    let said = |claims: &Value| read(claims).unwrap().claims;
    let alice = said(&claims());
    assert_eq!((alice.tenant, &*alice.issuer), (TENANT, ISSUER));
    assert_eq!((alice.object_id, alice.app_id), (subject_id(ISSUER, "alice"), None));
    assert!(alice.groups.is_empty());
    let oid = "00000000-0000-0000-0000-00000000000a";
    let of_entra = with("oid", json!(oid));
    assert_eq!(said(&of_entra).object_id, Guid::from_u128(10));
    assert_eq!(said(&with("oid", json!("bob"))).object_id, subject_id(ISSUER, "bob"));
    assert_eq!(said(&with("oid", Value::Null)).object_id, subject_id(ISSUER, "alice"));
    assert_eq!(said(&with("sub", json!(oid))).object_id, Guid::from_u128(10));

    let groups = said(&with("groups", json!([oid, "admins"]))).groups.clone();
    assert_eq!(groups, [Guid::from_u128(10), group_id(ISSUER, "admins")]);
    assert_eq!(said(&with("groups", json!("admins"))).groups, [group_id(ISSUER, "admins")]);
    assert_ne!(group_id(ISSUER, "alice"), subject_id(ISSUER, "alice"), "nobody is a group by having its name");

    let app = |claims: Value| said(&claims).app_id;
    assert_eq!(app(with("azp", json!(oid))), Some(Guid::from_u128(10)));
    assert_eq!(app(with("client_id", json!("cli"))), Some(ids::application_id(ISSUER, "cli")));
    let both = json!({ "azp": "b", "appid": "a" });
    let mut all = claims();
    all.as_object_mut().unwrap().extend(both.as_object().unwrap().clone());
    assert_eq!(app(all), Some(ids::application_id(ISSUER, "a")));
}

#[test]
fn claims_have_other_names_if_the_configuration_says_so() {
    let names = ClaimNames {
        object_id: "uid".to_owned(),
        tenant: "org".to_owned(),
        application: vec!["app".to_owned()],
        groups: "roles".to_owned(),
    };
    let settings = ExternalSettings { claims: names, ..settings() };
    let mut claims = claims();
    let more =
        json!({ "uid": "u", "org": TENANT, "app": "x", "roles": ["r"], "oid": 5, "tid": 5, "azp": 5, "groups": 5 });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let said = claims::read(claims.to_string().as_bytes(), &settings, TENANT).unwrap().claims;
    assert_eq!(said.object_id, subject_id(ISSUER, "u"));
    assert_eq!(said.app_id, Some(ids::application_id(ISSUER, "x")));
    assert_eq!(said.groups, [group_id(ISSUER, "r")]);
    claims["org"] = json!(Guid::from_u128(2));
    let refused = claims::read(claims.to_string().as_bytes(), &settings, TENANT).err();
    assert_eq!(refused, Some(TokenError::Tenant));
}

#[test]
fn the_tenant_is_ours_or_left_out() {
    assert_eq!(judged(&with("tid", json!(TENANT)), 0), None);
    assert_eq!(judged(&with("tid", json!(Guid::from_u128(2))), 0), Some(TokenError::Tenant));
    assert_eq!(judged(&with("tid", json!("contoso")), 0), Some(TokenError::Tenant));
    assert_eq!(judged(&with("tid", json!("")), 0), Some(TokenError::Tenant));
}

#[test]
fn times_are_checked_with_the_configured_skew() {
    assert_eq!(judged(&claims(), 0), None);
    assert_eq!(judged(&claims(), 3899), None);
    assert_eq!(judged(&claims(), 3900), Some(TokenError::Expired));
    assert_eq!(judged(&claims(), -300), None);
    assert_eq!(judged(&claims(), -301), Some(TokenError::NotYetValid));
    let early = with("nbf", json!(NOW.0 + 301));
    assert_eq!(judged(&early, 0), Some(TokenError::NotYetValid));
    assert_eq!(judged(&with("iat", json!(NOW.0 + 301)), 0), Some(TokenError::NotYetValid));
    assert_eq!(judged(&without("nbf"), -301), Some(TokenError::NotYetValid));
    assert_eq!(judged(&without("iat"), 0), None);
    assert_eq!(judged(&with("exp", json!(NOW.0 as f64 + 0.5)), 299), None);
    assert_eq!(judged(&with("exp", json!(NOW.0 as f64 + 0.5)), 300), Some(TokenError::Expired));
    assert_eq!(judged(&with("exp", json!(i64::MAX)), 0), None);
    assert_eq!(judged(&with("exp", json!(i64::MIN)), 0), Some(TokenError::Expired));
    let none = ExternalSettings { clock_skew_seconds: 0, ..settings() };
    let exact = claims::read(claims().to_string().as_bytes(), &none, TENANT).unwrap();
    let at = |seconds| exact.check(&[VAULT.to_owned()], NOW.plus_seconds(seconds)).err();
    assert_eq!(
        [at(-1), at(0), at(3599), at(3600)],
        [Some(TokenError::NotYetValid), None, None, Some(TokenError::Expired)]
    );
}

#[test]
fn one_of_the_audiences_has_to_be_meant() {
    let found = |found: &str| Some(TokenError::Audience { found: found.to_owned() });
    assert_eq!(judged(&with("aud", json!(["https://other", "https://vault.example.com/"])), 0), None);
    assert_eq!(
        judged(&with("aud", json!("https://managedhsm.example.com")), 0),
        found("https://managedhsm.example.com")
    );
    assert_eq!(judged(&with("aud", json!(["a", "b/"])), 0), found("a, b"));
    assert_eq!(judged(&with("aud", json!([])), 0), found(""));
    let settings = ExternalSettings { audiences: vec!["api://strongroom/".to_owned()], ..settings() };
    let said = claims::read(with("aud", json!("api://strongroom")).to_string().as_bytes(), &settings, TENANT).unwrap();
    assert_eq!(said.check(&[], NOW), Ok(()));
    let said = claims::read(with("aud", json!("api://strongroom2")).to_string().as_bytes(), &settings, TENANT).unwrap();
    assert!(said.check(&[], NOW).is_err());
}

#[test]
fn claims_of_another_shape_are_refused() {
    for malformed in [
        without("iss"),
        without("aud"),
        without("exp"),
        without("sub"),
        with("iss", json!([ISSUER])),
        with("aud", json!(5)),
        with("aud", json!([VAULT, 5])),
        with("aud", json!({})),
        with("exp", json!("1700003600")),
        with("exp", json!(1e300)),
        with("nbf", json!(true)),
        with("iat", json!([])),
        with("sub", json!("")),
        with("sub", json!(5)),
        with("oid", json!(5)),
        with("oid", json!("")),
        with("tid", json!(5)),
        with("azp", json!({})),
        with("groups", json!({ "a": 1 })),
        with("groups", json!([5])),
        with("groups", json!(true)),
        json!([]),
        json!(null),
        json!("text"),
    ] {
        assert_eq!(judged(&malformed, 0), Some(TokenError::Malformed), "{malformed}");
    }
    let issuer = |found: &str| Some(TokenError::Issuer { expected: ISSUER.to_owned(), found: found.to_owned() });
    assert_eq!(judged(&with("iss", json!("https://evil.example")), 0), issuer("https://evil.example"));
}

#[test]
fn a_claim_that_is_there_twice_is_there_for_somebody_else() {
    let text = claims().to_string();
    for twice in [
        r#""sub":"mallory","#,
        r#""su\u0062":"mallory","#,
        r#""x":1,"x":1,"#,
        r#""exp":9999999999,"#,
        r#""groups":[],"groups":["admins"],"#,
    ] {
        let doubled = text.replacen('{', &format!("{{{twice}"), 1);
        let refused = claims::read(doubled.as_bytes(), &settings(), TENANT).err();
        assert_eq!(refused, Some(TokenError::Malformed), "{twice}");
    }
}

#[test]
fn what_is_not_read_may_be_anything() {
    for (name, value) in [("email", json!({ "deep": [[[]]] })), ("scp", json!(null)), ("amr", json!([1]))] {
        assert_eq!(judged(&with(name, value), 0), None, "{name}");
    }
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    assert_eq!(claims::read(deep.as_bytes(), &settings(), TENANT).err(), Some(TokenError::Malformed));
    assert_eq!(read(&without("iat")).unwrap().issued, UnixTime(i64::MIN));
}
