//! Keys come, stay and go: on schedule, on demand, and when the provider can't be reached.

use super::{NOW, Provider, judged, refused};
use crate::{
    TokenError,
    external::Occasion::{Demand, Schedule},
    tokens::Tokens,
};
use domain::UnixTime;
use std::sync::Arc;

const HOUR: i64 = 3600;

fn after(seconds: i64) -> UnixTime {
    NOW.plus_seconds(seconds)
}

#[test]
fn before_the_first_fetch_nothing_is_believed() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    assert_eq!(refused(&issuer, "rs256 a", NOW), Some(TokenError::NoKeys));
    assert!(issuer.may_refresh(Schedule, NOW) && issuer.may_refresh(Demand, NOW));
    issuer.refresh(Demand, NOW);
    assert!(judged(&issuer, "rs256 a", NOW).is_ok());
    assert_eq!(provider.last_news(), "Learned { keys: 1, new: 1, withdrawn: 0, unusable: [] }");
    assert_eq!(provider.fetches(), 1);
}

#[test]
fn a_new_key_is_learned_on_demand_and_the_old_one_goes() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    provider.publish(&["b"]);
    assert_eq!(refused(&issuer, "rs256 b", after(1)), Some(TokenError::MissingKey));
    assert!(issuer.may_refresh(Demand, after(1)), "the fetch on schedule does not count");
    assert!(issuer.refresh(Demand, after(1)), "a key was withdrawn");
    assert!(judged(&issuer, "rs256 b", after(1)).is_ok());
    assert_eq!(refused(&issuer, "rs256 a", after(1)), Some(TokenError::MissingKey));
    assert_eq!(provider.last_news(), "Learned { keys: 1, new: 1, withdrawn: 1, unusable: [] }");
}

#[test]
fn made_up_keys_do_not_hammer_the_provider() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    assert_eq!(provider.fetches(), 1);
    for second in 0..60 {
        for _ in 0..20 {
            assert_eq!(refused(&issuer, "rs256 b", after(second)), Some(TokenError::MissingKey));
            if issuer.may_refresh(Demand, after(second)) {
                issuer.refresh(Demand, after(second));
            }
            // Who does not ask first gets no more.
            issuer.refresh(Demand, after(second));
        }
    }
    assert_eq!(provider.fetches(), 6);
    // A clock that went back does not lock everybody out.
    assert!(issuer.may_refresh(Demand, after(-HOUR)));
}

#[test]
fn a_known_key_with_a_wrong_signature_is_no_reason_to_ask() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    assert_eq!(refused(&issuer, "rs256 a signed by b", NOW), Some(TokenError::UnknownKey));
}

#[test]
fn keys_are_refreshed_when_the_provider_says_so_within_bounds() {
    for (max_age, due) in [(None, 3600), (Some(600), 600), (Some(0), 60), (Some(-5), 60), (Some(86_400), 3600)] {
        let provider = Provider::with(&["a"]);
        *provider.max_age_seconds.lock() = max_age;
        let issuer = provider.issuer();
        issuer.refresh(Schedule, NOW);
        assert!(!issuer.may_refresh(Schedule, after(due - 1)), "{max_age:?}");
        assert!(issuer.may_refresh(Schedule, after(due)), "{max_age:?}");
        provider.publish(&["b"]);
        issuer.refresh(Schedule, after(due - 1));
        assert!(judged(&issuer, "rs256 a", after(0)).is_ok(), "it was not due");
        issuer.refresh(Schedule, after(due));
        assert_eq!(refused(&issuer, "rs256 a", after(0)), Some(TokenError::MissingKey));
    }
}

#[test]
fn keys_outlive_the_providers_absence_for_a_day_and_not_a_second_longer() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    let verified = judged(&issuer, "rs256 a", NOW).unwrap();
    let key = Arc::clone(verified.key.as_ref().unwrap());
    provider.go_down();
    issuer.refresh(Schedule, after(HOUR));
    let until = "usable_until: Some(UnixTime(1700086400))";
    assert_eq!(provider.last_news(), format!("Failed {{ why: \"connection refused\", {until} }}"));
    assert!(!issuer.may_refresh(Schedule, after(HOUR + 29)) && issuer.may_refresh(Schedule, after(HOUR + 30)));
    assert!(judged(&issuer, "rs256 a", after(24 * HOUR - 1)).is_ok());
    assert_eq!(key.check(after(24 * HOUR - 1)), Ok(()));
    assert_eq!(refused(&issuer, "rs256 a", after(24 * HOUR)), Some(TokenError::NoKeys));
    assert_eq!(key.check(after(24 * HOUR)), Err(TokenError::NoKeys), "a remembered token is no better");
    issuer.refresh(Schedule, after(24 * HOUR));
    assert_eq!(provider.last_news(), "Blind { why: \"connection refused\" }");

    provider.publish(&["a"]);
    assert!(issuer.may_refresh(Demand, after(25 * HOUR)));
    issuer.refresh(Demand, after(25 * HOUR));
    assert!(judged(&issuer, "rs256 a", after(25 * HOUR)).is_ok());
    assert_eq!(key.check(after(25 * HOUR)), Ok(()), "it is the same key, and trusted again");
}

#[test]
fn documents_that_are_none_change_nothing() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    let good = provider.discovery.lock().clone();
    for (second, (discovery, jwks)) in (1_i64..).zip([
        (Err("not found".to_owned()), Ok(String::new())),
        (
            Ok(r#"{"issuer":"https://evil.example","jwks_uri":"https://keys.example.com/jwks"}"#.to_owned()),
            Ok(String::new()),
        ),
        (good.clone(), Ok("<html>".to_owned())),
        (good.clone(), Ok(r#"{"keys":[{"kid":"a","kid":"a"}]}"#.to_owned())),
        (good.clone(), Err("timeout".to_owned())),
    ]) {
        *provider.discovery.lock() = discovery;
        *provider.jwks.lock() = jwks;
        let now = after(10 * second);
        issuer.refresh(Demand, now);
        assert!(provider.last_news().starts_with("Failed"), "{}", provider.last_news());
        assert!(judged(&issuer, "rs256 a", now).is_ok());
    }
    // An empty set is one: the provider says that it has no keys.
    *provider.discovery.lock() = good;
    provider.publish(&[]);
    issuer.refresh(Demand, after(HOUR));
    assert_eq!(refused(&issuer, "rs256 a", after(HOUR)), Some(TokenError::MissingKey));
}

#[test]
fn a_key_that_changed_under_its_name_is_another_key() {
    let provider = Provider::with(&["a"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    let key = judged(&issuer, "rs256 a", NOW).unwrap().key.unwrap();
    let set = provider.jwks.lock().clone().unwrap();
    let other = super::fixture("key b").replace(r#""kid":"b""#, r#""kid":"a""#);
    *provider.jwks.lock() = Ok(format!(r#"{{"keys":[{other}]}}"#));
    issuer.refresh(Demand, after(1));
    assert_eq!(key.check(after(1)), Err(TokenError::MissingKey));
    assert_eq!(refused(&issuer, "rs256 a", after(1)), Some(TokenError::UnknownKey));
    assert!(judged(&issuer, "rs256 a signed by b", after(1)).is_ok());
    *provider.jwks.lock() = Ok(set);
    issuer.refresh(Demand, after(20));
    assert_eq!(key.check(after(20)), Err(TokenError::MissingKey), "what was withdrawn does not come back by itself");
    assert!(judged(&issuer, "rs256 a", after(20)).is_ok());
}

#[test]
fn remembered_tokens_go_with_their_key() {
    let provider = Provider::with(&["a", "b"]);
    let issuer = provider.issuer();
    issuer.refresh(Schedule, NOW);
    let tokens = Tokens::default();
    for name in ["rs256 a", "rs256 b"] {
        tokens.remember(name.as_bytes(), Arc::new(judged(&issuer, name, NOW).unwrap()), NOW);
    }
    provider.publish(&["b"]);
    assert!(issuer.refresh(Demand, NOW));
    // Even before they are forgotten they open nothing.
    let remembered = tokens.find(b"rs256 a").unwrap();
    assert_eq!(remembered.check(&[super::VAULT.to_owned()], NOW), Err(TokenError::MissingKey));
    tokens.forget_withdrawn();
    assert!(tokens.find(b"rs256 a").is_none());
    assert!(tokens.find(b"rs256 b").is_some());
    // One that was being checked meanwhile.
    tokens.remember(b"rs256 a", remembered, NOW);
    let late = tokens.find(b"rs256 a").unwrap();
    assert_eq!(late.check(&[super::VAULT.to_owned()], NOW), Err(TokenError::MissingKey));
}

#[test]
fn one_fetches_at_a_time_and_others_wait_for_it() {
    let issuer = Provider::with(&["a"]).issuer();
    let fetching = issuer.ring.begin(Schedule, NOW).unwrap();
    assert!(issuer.ring.begin(Demand, NOW).is_none() && issuer.ring.begin(Schedule, after(HOUR)).is_none());
    assert!(issuer.may_refresh(Demand, NOW), "it is worth waiting for");
    assert!(!issuer.may_refresh(Schedule, after(HOUR)));
    // However it ends.
    drop(fetching);
    assert!(issuer.ring.begin(Demand, NOW).is_some());
    assert!(issuer.ring.begin(Schedule, after(HOUR)).is_some());
}
