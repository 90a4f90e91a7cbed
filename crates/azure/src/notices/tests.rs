//! What receivers get, byte for byte, and what counts as their agreement.

use super::*;
use crate::Addresses;
use domain::{
    ContainerName, EventSubscriptionName, Guid, ObjectKind, ObjectName, UnixTime, VersionId,
    notice::{Delivery, EventSubscription, Notice, NoticeKind, NoticeSchema, NoticedVersion},
};
use std::{fmt::Write as _, sync::Mutex};

const NOW: UnixTime = UnixTime(1_800_000_000);
const CODE: Guid = Guid::from_u128(0xc0de);
const VAULT: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/Contoso";

fn addresses() -> Addresses {
    Addresses::new("keys.example.com".to_owned(), None, Guid::from_u128(1))
}

fn endpoint() -> Endpoint {
    Endpoint::parse("https://hooks.example.com/in?code=s3cret").unwrap()
}

fn subscription(schema: NoticeSchema) -> EventSubscription {
    let name = EventSubscriptionName::parse("audit-hook").unwrap();
    EventSubscription { schema, ..EventSubscription::new(name, NOW) }
}

fn notice(kind: NoticeKind, about: Option<NoticedVersion>) -> Delivery {
    let vault = ContainerName::parse("Contoso").unwrap();
    let notice = Notice { id: Guid::from_u128(7), kind, time: NOW, vault, source: VAULT.to_owned(), about };
    Delivery { attempts: 2, ..Delivery::new(notice) }
}

fn of_key(expires: Option<UnixTime>) -> Option<NoticedVersion> {
    Some(NoticedVersion {
        kind: ObjectKind::Key,
        name: ObjectName::parse("Signer").unwrap(),
        version: VersionId::from_bytes([0xab; 16]),
        not_before: None,
        expires,
    })
}

fn written(message: &Message<'_>) -> String {
    let mut text = format!("{}\n", message.method);
    for (name, value) in &message.headers {
        writeln!(text, "{name}: {value}").unwrap();
    }
    let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
    format!("{text}\n{}\n\n", serde_json::to_string_pretty(&body).unwrap())
}

#[test]
fn a_notice_in_both_schemas() {
    let (endpoint, addresses) = (endpoint(), addresses());
    let mut text = String::new();
    for schema in [NoticeSchema::CloudEvents, NoticeSchema::EventGrid] {
        for notice in [
            notice(NoticeKind::KeyNearExpiry, of_key(Some(UnixTime(1_802_000_000)))),
            notice(NoticeKind::KeyNewVersionCreated, of_key(None)),
            notice(NoticeKind::VaultAccessPolicyChanged, None),
        ] {
            text += &written(&delivery(&addresses, &subscription(schema), &endpoint, &notice));
        }
    }
    insta::assert_snapshot!(text);
}

/// Answers everything in one way, and remembers what it was asked.
struct Receiver {
    status: u16,
    allowed: Option<&'static str>,
    body: &'static str,
    asked: Mutex<String>,
}

impl Receiver {
    fn new(status: u16, allowed: Option<&'static str>, body: &'static str) -> Self {
        Self { status, allowed, body, asked: Mutex::default() }
    }
}

impl Courier for Receiver {
    fn admit(&self, _endpoint: &Endpoint) -> Result<(), NoticeRefusal> {
        Ok(())
    }

    fn carry(&self, message: &Message<'_>) -> Result<Reply, String> {
        let mut asked = self.asked.lock().unwrap();
        write!(asked, "{} {}", message.method, message.endpoint.expose()).unwrap();
        for (name, value) in &message.headers {
            write!(asked, "\n{name}: {value}").unwrap();
        }
        write!(asked, "\n{}", String::from_utf8_lossy(&message.body)).unwrap();
        let mut headers = HeaderMap::new();
        if let Some(allowed) = self.allowed {
            headers.insert("WebHook-Allowed-Origin", allowed.parse().unwrap());
        }
        let body = self.body.replace("CODE", &CODE.to_string()).into_bytes();
        if self.status == 0 { Err("it is down".to_owned()) } else { Ok(Reply { status: self.status, headers, body }) }
    }
}

fn asked(schema: NoticeSchema, receiver: &Receiver) -> Result<(), Disagreement> {
    agree(receiver, &addresses(), (&subscription(schema), &endpoint()), VAULT, (CODE, NOW))
}

#[test]
fn a_receiver_of_cloud_events_lets_our_origin_in_or_any() {
    let schema = NoticeSchema::CloudEvents;
    for allowed in ["keys.example.com", "Keys.Example.com", " * "] {
        let receiver = Receiver::new(200, Some(allowed), "");
        assert_eq!(asked(schema, &receiver), Ok(()));
        let expected = "OPTIONS https://hooks.example.com/in?code=s3cret\nwebhook-request-origin: keys.example.com\n";
        assert_eq!(*receiver.asked.lock().unwrap(), expected);
    }
    for (status, allowed) in [
        (200, None),
        (200, Some("")),
        (200, Some("eventgrid.azure.net")),
        (200, Some("*.example.com")),
        (200, Some("https://keys.example.com")),
        (204, Some("*")),
        (405, Some("*")),
        (302, Some("*")),
    ] {
        let why = asked(schema, &Receiver::new(status, allowed, "")).unwrap_err();
        assert_eq!((why.method, why.status), (Method::OPTIONS, Some(status)), "{status} {allowed:?}");
    }
    let why = asked(schema, &Receiver::new(0, None, "")).unwrap_err();
    assert_eq!((why.status, why.why.as_str()), (None, "it is down"));
}

#[test]
fn a_receiver_of_event_grids_schema_gives_back_the_code() {
    let schema = NoticeSchema::EventGrid;
    let receiver = Receiver::new(200, None, r#"{"validationResponse":"CODE"}"#);
    assert_eq!(asked(schema, &receiver), Ok(()));
    insta::assert_snapshot!(*receiver.asked.lock().unwrap());
    for (status, body) in [
        (200, r#"{"validationResponse":"another"}"#),
        (200, r#"{"validationResponse":""}"#),
        (200, "{}"),
        (200, ""),
        (202, r#"{"validationResponse":"CODE"}"#),
        (500, ""),
    ] {
        let why = asked(schema, &Receiver::new(status, Some("*"), body)).unwrap_err();
        assert_eq!((why.method, why.status), (Method::POST, Some(status)), "{body}");
    }
}
