//! Which notices pass a filter, when attempts are repeated, and what is a receiver's URL.

use super::*;
use crate::{EventSubscriptionName, Refusal};
use proptest::prelude::*;

const T0: UnixTime = UnixTime(1_800_000_000);
const MINUTE: i64 = 60;

fn notice(kind: NoticeKind, name: &str) -> Notice {
    let about = NoticedVersion {
        kind: ObjectKind::Key,
        name: ObjectName::parse(name).unwrap(),
        version: VersionId::from_bytes([7; 16]),
        not_before: None,
        expires: None,
    };
    Notice {
        id: Guid::from_u128(1),
        kind,
        time: T0,
        vault: ContainerName::parse("contoso").unwrap(),
        source: "/s".to_owned(),
        about: Some(about),
    }
}

fn status(status: u16) -> ReceiverAnswer {
    ReceiverAnswer { status: Some(status), retry_after_seconds: None }
}

/// Seconds from the publication to each attempt, if the receiver answers all of them in the same way, at once.
fn attempts(policy: RetryPolicy, answer: ReceiverAnswer) -> Vec<i64> {
    let mut now = T0;
    let mut made = Vec::new();
    loop {
        made.push(now.0 - T0.0);
        match policy.after(T0, u32::try_from(made.len()).unwrap(), answer, now) {
            AfterAttempt::Again(next) => now = next,
            AfterAttempt::Dropped | AfterAttempt::Delivered => return made,
        }
    }
}

#[test]
fn kinds_are_the_ten_of_the_documents() {
    let words: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(words.len(), 10);
    assert!(words.contains(&"Microsoft.KeyVault.SecretNearExpiry"));
    for kind in NoticeKind::ALL {
        assert_eq!(NoticeKind::parse(&kind.as_str().to_uppercase()), Some(*kind));
    }
    assert_eq!(NoticeKind::parse("All"), None);
}

#[test]
fn thirty_days_before_its_end_a_version_is_near_it() {
    assert_eq!(near_expiry(T0), UnixTime(T0.0 - 30 * 86_400));
}

#[test]
fn the_subject_is_the_object_or_the_vault() {
    let of_key = notice(NoticeKind::KeyExpired, "Signer");
    assert_eq!(of_key.subject(), "Signer");
    assert_eq!(Notice { about: None, ..of_key }.subject(), "contoso");
}

#[test]
fn a_filter_asks_for_kind_beginning_and_end() {
    let everything = NoticeFilter::default();
    let filter = |begin: &str, end: &str, is_subject_case_sensitive| NoticeFilter {
        subject_begins_with: begin.to_owned(),
        subject_ends_with: end.to_owned(),
        is_subject_case_sensitive,
        ..NoticeFilter::default()
    };
    let key = notice(NoticeKind::KeyNewVersionCreated, "Prod-Signer");
    for (filter, passes) in [
        (everything.clone(), true),
        (NoticeFilter { kinds: vec![NoticeKind::KeyNewVersionCreated], ..everything.clone() }, true),
        (NoticeFilter { kinds: vec![NoticeKind::SecretNewVersionCreated], ..everything }, false),
        (filter("prod-", "SIGNER", false), true),
        (filter("prod-", "", true), false),
        (filter("Prod-", "Signer", true), true),
        (filter("", "x", false), false),
        (filter("Prod-Signer", "Prod-Signer", true), true),
        (filter("Prod-Signer-2", "", false), false),
    ] {
        assert_eq!(filter.matches(&key), passes, "{filter:?}");
    }
}

#[test]
fn a_receiver_that_is_down_is_tried_as_documented() {
    let day = attempts(RetryPolicy::default(), ReceiverAnswer::default());
    assert_eq!(day, [0, 10, 40, 100, 400, 1_000, 2_800, 6_400, 17_200, 38_800, 82_000]);
    // "A maximum of 6 delivery attempts happen before 30 minutes TTL is reached."
    assert_eq!(attempts(RetryPolicy::new(10, 30).unwrap(), status(500)).len(), 6);
    assert_eq!(attempts(RetryPolicy::new(3, 1440).unwrap(), status(500)), [0, 10, 40]);
    assert_eq!(attempts(RetryPolicy::new(1, 1440).unwrap(), status(500)), [0]);
}

#[test]
fn each_status_has_its_own_consequence() {
    let policy = RetryPolicy::default();
    let after = |answer| policy.after(T0, 1, answer, T0);
    for taken in [200, 201, 202, 203, 204] {
        assert_eq!(after(status(taken)), AfterAttempt::Delivered, "{taken}");
    }
    for last in [400, 401, 403, 413] {
        assert_eq!(after(status(last)), AfterAttempt::Dropped, "{last}");
    }
    for (again, wait) in [(205, 10), (302, 10), (404, 300), (408, 120), (410, 10), (429, 10), (500, 10), (503, 30)] {
        assert_eq!(after(status(again)), AfterAttempt::Again(T0.plus_seconds(wait)), "{again}");
    }
    let asked = |of, seconds| after(ReceiverAnswer { status: Some(of), retry_after_seconds: Some(seconds) });
    assert_eq!(asked(429, 600), AfterAttempt::Again(T0.plus_seconds(600)));
    assert_eq!(asked(503, 5), AfterAttempt::Again(T0.plus_seconds(30)), "never sooner than the schedule");
    assert_eq!(asked(500, 600), AfterAttempt::Again(T0.plus_seconds(10)));
    assert_eq!(asked(429, 90_000), AfterAttempt::Dropped, "later than the notice lives");
}

#[test]
fn a_policy_keeps_to_its_bounds() {
    for (attempts, minutes) in [(0, 1), (31, 1), (1, 0), (1, 1441), (-1, 5), (i64::MAX, 5)] {
        assert_eq!(RetryPolicy::new(attempts, minutes), None);
    }
    let least = RetryPolicy::new(1, 1).unwrap();
    assert!(!least.is_over(T0, T0.plus_seconds(60)) && least.is_over(T0, T0.plus_seconds(61)));
}

#[test]
fn the_path_and_the_query_of_an_endpoint_are_not_shown() {
    let endpoint = Endpoint::parse("https://Hooks.example.com:8443/a/b?code=s3cret&x=1").unwrap();
    assert_eq!(endpoint.base_url(), "https://Hooks.example.com:8443");
    for url in ["https://[::1]", "https://[::1]/", "https://[::1]?code=s3cret"] {
        assert_eq!(Endpoint::parse(url).unwrap().base_url(), "https://[::1]");
    }
    assert_eq!(endpoint.host(), "Hooks.example.com");
    assert_eq!(endpoint.expose(), "https://Hooks.example.com:8443/a/b?code=s3cret&x=1");
    assert!(endpoint.is_encrypted() && !endpoint.is_loopback());
}

#[test]
fn an_endpoint_is_http_or_https_and_a_host() {
    for (text, host, is_loopback) in [
        ("http://127.0.0.1:9000", "127.0.0.1", true),
        ("HTTP://[::1]:9000/x", "[::1]", true),
        ("http://LOCALHOST?x", "LOCALHOST", true),
        ("https://127.0.0.1.example.com/", "127.0.0.1.example.com", false),
        ("https://[2001:db8::1]/", "[2001:db8::1]", false),
        ("https://localhost.example.com", "localhost.example.com", false),
        ("https://10.0.0.1/?url=http://127.0.0.1/", "10.0.0.1", false),
    ] {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!((endpoint.host(), endpoint.is_loopback()), (host, is_loopback), "{text}");
    }
    let long = format!("https://example.com/{}", "a".repeat(2048));
    for bad in [
        "",
        "https://",
        "https:///x",
        "https://:8443/",
        "ftp://example.com",
        "//example.com",
        "example.com",
        "https://user:password@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:+1/",
        "https://example.com:/",
        "https://[::1/",
        "https://[127.0.0.1]/",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://exämple.com/",
        "https://example.com/\r\nx: y",
        "https://example.com\\@127.0.0.1/",
        &long,
    ] {
        assert!(Endpoint::parse(bad).is_none(), "{bad}");
    }
}

fn subscription() -> EventSubscription {
    EventSubscription::new(EventSubscriptionName::parse("audit-hook").unwrap(), T0)
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let endpoint = Endpoint::parse("https://example.com/?key=1").unwrap();
    let first = EventSubscriptionChanges {
        filter: FilterChanges {
            kinds: Some(vec![NoticeKind::KeyExpired, NoticeKind::KeyNearExpiry, NoticeKind::KeyExpired]),
            subject_begins_with: Some("a".to_owned()),
            ..FilterChanges::default()
        },
        retry: RetryPolicy::new(5, 5),
        ..EventSubscriptionChanges::default()
    };
    let made = subscription().changed(first, &endpoint, T0).unwrap();
    assert_eq!(made.endpoint_base_url, "https://example.com");
    assert_eq!(made.filter.kinds, [NoticeKind::KeyNearExpiry, NoticeKind::KeyExpired]);
    let labels = EventSubscriptionChanges { labels: Some(vec!["l".to_owned()]), ..Default::default() };
    let changed = made.clone().changed(labels, &endpoint, T0.plus_seconds(1)).unwrap();
    let expected = EventSubscription { labels: vec!["l".to_owned()], updated: T0.plus_seconds(1), ..made };
    assert_eq!(changed, expected);
    let all = FilterChanges { kinds: Some(Vec::new()), ..FilterChanges::default() };
    let all = EventSubscriptionChanges { filter: all, ..EventSubscriptionChanges::default() };
    assert_eq!(changed.changed(all, &endpoint, T0).unwrap().filter.kinds, NoticeKind::ALL);
}

#[test]
fn what_can_not_be_kept_is_refused() {
    let endpoint = Endpoint::parse("https://example.com/").unwrap();
    let long = "x".repeat(1025);
    let none = EventSubscriptionChanges::default;
    for changes in [
        EventSubscriptionChanges { expires: Some(T0), ..none() },
        EventSubscriptionChanges { labels: Some(vec![long.clone()]), ..none() },
        EventSubscriptionChanges { labels: Some(vec![String::new(); 101]), ..none() },
        EventSubscriptionChanges {
            labels: Some(vec!["\u{e9}".repeat(1024), "x".repeat(1024), "x".repeat(1024), "x".to_owned()]),
            ..none()
        },
        EventSubscriptionChanges {
            filter: FilterChanges { subject_ends_with: Some(long), ..FilterChanges::default() },
            ..none()
        },
    ] {
        let refused = subscription().changed(changes, &endpoint, T0);
        assert!(matches!(refused, Err(Refusal::ParameterInvalid { .. })), "{refused:?}");
    }
}

#[test]
fn a_listener_is_what_a_stored_event_subscription_asks_for() {
    let mut stored = EventSubscription { expires: Some(T0.plus_seconds(5)), ..subscription() };
    stored.filter.subject_begins_with = "prod-".to_owned();
    let listener: Listener = serde_json::from_value(serde_json::to_value(&stored).unwrap()).unwrap();
    assert_eq!(listener.name, stored.name);
    let [wanted, other] = ["prod-signer", "signer"].map(|name| notice(NoticeKind::KeyExpired, name));
    assert!(listener.wants(&wanted, T0.plus_seconds(4)) && !listener.wants(&wanted, T0.plus_seconds(5)));
    assert!(!listener.wants(&other, T0));
}

#[test]
fn one_that_has_come_to_its_end_is_gone() {
    let ends = EventSubscription { expires: Some(T0.plus_seconds(5)), ..subscription() };
    assert!(subscription().is_there(UnixTime(i64::MAX)) && ends.is_there(T0.plus_seconds(4)));
    assert!(!ends.is_there(T0.plus_seconds(5)));
}

proptest! {
    #[test]
    fn attempts_end_and_keep_to_the_policy(
        most in 1_i64..=30,
        minutes in 1_i64..=1440,
        answers in proptest::collection::vec((proptest::option::of(100_u16..600), 0_i64..100_000, 0_i64..40), 1..40),
    ) {
        let policy = RetryPolicy::new(most, minutes).unwrap();
        let (mut now, mut made) = (T0, 0_u32);
        for (status, retry_after, took) in answers.iter().cycle() {
            made += 1;
            prop_assert!(i64::from(made) <= most);
            prop_assert!(now.0 - T0.0 <= minutes * MINUTE, "none is begun after its time");
            let answered = now.plus_seconds(*took);
            let answer = ReceiverAnswer { status: *status, retry_after_seconds: Some(*retry_after) };
            match policy.after(T0, made, answer, answered) {
                AfterAttempt::Again(next) => {
                    prop_assert!(!answer.is_taken() && next >= answered.plus_seconds(10));
                    now = next;
                }
                AfterAttempt::Delivered => {
                    prop_assert!(answer.is_taken());
                    break;
                }
                AfterAttempt::Dropped => {
                    prop_assert!(!answer.is_taken());
                    break;
                }
            }
        }
    }

    #[test]
    fn any_text_is_an_endpoint_of_its_own_words_or_none(text in "(https?://)?[ -~]{0,40}") {
        if let Some(endpoint) = Endpoint::parse(&text) {
            prop_assert_eq!(endpoint.expose(), &text);
            prop_assert!(text.starts_with(endpoint.base_url()) && text.contains(endpoint.host()));
            prop_assert!(!endpoint.base_url()["https://".len()..].contains(['/', '?']) && !endpoint.host().is_empty());
        }
    }

    #[test]
    fn a_filter_without_case_passes_whatever_one_with_case_passes(
        name in "[A-Za-z0-9-]{1,12}", begin in "[A-Za-z-]{0,3}", end in "[A-Za-z-]{0,3}",
    ) {
        let strict = NoticeFilter {
            subject_begins_with: begin,
            subject_ends_with: end,
            is_subject_case_sensitive: true,
            ..NoticeFilter::default()
        };
        let lenient = NoticeFilter { is_subject_case_sensitive: false, ..strict.clone() };
        let notice = notice(NoticeKind::KeyExpired, &name);
        prop_assert!(lenient.matches(&notice) || !strict.matches(&notice));
    }
}
