//! A notice as its receiver gets it.

use super::Message;
use crate::Addresses;
use domain::{
    ContainerKind, Guid, ObjectKind, UnixTime,
    notice::{Delivery, Endpoint, EventSubscription, Notice, NoticeSchema},
};
use http::Method;
use serde::Serialize;

/// The schema of all data here. Of the two shapes only one writes it.
const DATA_VERSION: &str = "1";
const METADATA_VERSION: &str = "1";
const SPEC_VERSION: &str = "1.0";

/// `KeyVault…EventData` of the documents.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data<'a> {
    id: String,
    vault_name: &'a str,
    object_type: &'static str,
    object_name: &'a str,
    version: Option<String>,
    #[serde(rename = "NBF")]
    nbf: Option<i64>,
    #[serde(rename = "EXP")]
    exp: Option<i64>,
}

/// CloudEvents 1.0, in structured mode.
#[derive(Serialize)]
struct CloudEvent<'a> {
    id: Guid,
    source: &'a str,
    specversion: &'static str,
    r#type: &'static str,
    subject: &'a str,
    time: String,
    data: Data<'a>,
}

/// Event Grid's own schema: also that of the event that asks a receiver for its agreement.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GridEvent<'a, T> {
    pub id: Guid,
    pub topic: &'a str,
    pub subject: &'a str,
    pub event_type: &'static str,
    pub event_time: String,
    pub data: T,
    pub data_version: &'static str,
    pub metadata_version: &'static str,
}

impl<'a, T> GridEvent<'a, T> {
    pub(super) fn new(id: Guid, topic: &'a str, event_type: &'static str, time: UnixTime, data: T) -> Self {
        Self {
            id,
            topic,
            subject: "",
            event_type,
            event_time: time.to_string(),
            data,
            data_version: DATA_VERSION,
            metadata_version: METADATA_VERSION,
        }
    }
}

/// The word that notices have for a kind of object.
fn object_type(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Key => "Key",
        ObjectKind::Secret => "Secret",
        ObjectKind::Certificate => "Certificate",
    }
}

fn data<'a>(addresses: &Addresses, notice: &'a Notice) -> Data<'a> {
    let vault_name = notice.vault.as_str();
    let url = addresses.container_url(ContainerKind::Vault, vault_name, "");
    let Some(about) = &notice.about else {
        let object_name = vault_name;
        return Data { id: url, vault_name, object_type: "Vault", object_name, version: None, nbf: None, exp: None };
    };
    Data {
        id: format!("{url}/{}/{}/{}", about.kind.collection(), about.name, about.version),
        vault_name,
        object_type: object_type(about.kind),
        object_name: about.name.as_str(),
        version: Some(about.version.to_string()),
        nbf: about.not_before.map(|time| time.0),
        exp: about.expires.map(|time| time.0),
    }
}

/// The attempt to tell a receiver of a notice.
#[must_use]
pub fn delivery<'a>(
    addresses: &Addresses,
    subscription: &EventSubscription,
    endpoint: &'a Endpoint,
    delivery: &Delivery,
) -> Message<'a> {
    let notice = &delivery.notice;
    let mut headers = headers(subscription, "Notification");
    headers.push(("aeg-delivery-count", delivery.attempts.to_string()));
    headers.push(("aeg-output-event-id", notice.id.to_string()));
    let body = match subscription.schema {
        NoticeSchema::CloudEvents => {
            headers.push(("content-type", "application/cloudevents+json; charset=utf-8".to_owned()));
            headers.push(("webhook-request-origin", addresses.domain.clone()));
            json(&CloudEvent {
                id: notice.id,
                source: &notice.source,
                specversion: SPEC_VERSION,
                r#type: notice.kind.as_str(),
                subject: notice.subject(),
                time: notice.time.to_string(),
                data: data(addresses, notice),
            })
        }
        NoticeSchema::EventGrid => {
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
            headers.push(("aeg-data-version", DATA_VERSION.to_owned()));
            let data = data(addresses, notice);
            let event = GridEvent::new(notice.id, &notice.source, notice.kind.as_str(), notice.time, data);
            json(&[GridEvent { subject: notice.subject(), ..event }])
        }
    };
    Message { method: Method::POST, endpoint, headers, body, wants_body: false }
}

/// What goes with everything that an event subscription's receiver gets.
pub(super) fn headers(subscription: &EventSubscription, event_type: &str) -> Vec<(&'static str, String)> {
    let metadata = match subscription.schema {
        NoticeSchema::CloudEvents => SPEC_VERSION,
        NoticeSchema::EventGrid => METADATA_VERSION,
    };
    vec![
        ("aeg-event-type", event_type.to_owned()),
        ("aeg-subscription-name", subscription.name.to_string()),
        ("aeg-metadata-version", metadata.to_owned()),
    ]
}

/// These structs always have a form in JSON.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
