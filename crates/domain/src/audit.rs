//! The audit log's records: one for each request that reached a container, and one for each thing the service did by
//! itself.
//!
//! A record's text is a leaf of the log, byte for byte. It has the shape of Azure's AuditEvent (Azure Monitor, resource
//! logs of Key Vault: "Key Vault logging, interpret your logs"), so what reads Azure's logs reads ours. It never holds
//! a secret: neither bodies nor query strings are part of it.

mod line;

use crate::{ContainerId, Guid, Operation, UnixTime};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, net::IpAddr};

/// What happened, as `operationName` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Operation(Operation),
    Other(OtherEvent),
}

/// Requests that are no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherEvent {
    /// No token, or one that is not valid: 401.
    Authentication,
    /// A path, a method or an API version that does not exist, or one that is not there yet.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    #[serde(rename = "Success")]
    Done,
    #[serde(rename = "Failure")]
    Refused,
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord<'a> {
    #[serde(with = "iso")]
    pub time: UnixTime,
    /// The ARM id of the container, or of what else in the control plane was acted on.
    pub resource_id: Cow<'a, str>,
    category: Category,
    #[serde(rename = "operationName")]
    pub event: Event,
    /// The API version asked for. None: the service itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operation_version: Option<Cow<'a, str>>,
    #[serde(rename = "resultType")]
    pub outcome: Outcome,
    /// `OK`, or the error's code: the inner one where there is one.
    pub result_signature: Cow<'a, str>,
    /// Whole milliseconds, from the request's arrival to this record.
    pub duration_ms: u64,
    #[serde(rename = "callerIpAddress", skip_serializing_if = "Option::is_none", default)]
    pub caller_address: Option<IpAddr>,
    pub correlation_id: Guid,
    pub identity: Identity,
    pub properties: Properties<'a>,
}

/// AuditEvent's category: it has no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
enum Category {
    AuditEvent,
}

/// Who asked, as the token says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub struct Identity {
    pub claim: Claim,
}

/// Both absent: nobody known, or the service itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub struct Claim {
    #[serde(rename = "oid", skip_serializing_if = "Option::is_none", default)]
    pub object_id: Option<Guid>,
    #[serde(rename = "appid", skip_serializing_if = "Option::is_none", default)]
    pub app_id: Option<Guid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(rename_all = "camelCase")]
pub struct Properties<'a> {
    /// The path of what was acted on inside the resource: `/keys/{name}/{version}`.
    pub id: Cow<'a, str>,
    /// Tells apart containers that had one name after each other.
    #[serde(rename = "containerId", skip_serializing_if = "Option::is_none", default)]
    pub container: Option<ContainerId>,
    /// Host and path; never the query.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_uri: Option<Cow<'a, str>>,
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_info: Option<Cow<'a, str>>,
    /// None: the service itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_status_code: Option<u16>,
}

impl<'a> AuditRecord<'a> {
    /// A record of something done by the service itself, for the caller to complete. Of what a client wrote into a
    /// path it keeps the beginning.
    #[must_use]
    pub fn new(time: UnixTime, event: Event, correlation_id: Guid, resource_id: &'a str, path: &'a str) -> Self {
        Self {
            time,
            resource_id: Cow::Borrowed(beginning(resource_id)),
            category: Category::AuditEvent,
            event,
            operation_version: None,
            outcome: Outcome::Done,
            result_signature: Cow::Borrowed("OK"),
            duration_ms: 0,
            caller_address: None,
            correlation_id,
            identity: Identity::default(),
            properties: Properties {
                id: Cow::Borrowed(beginning(path)),
                container: None,
                request_uri: None,
                client_info: None,
                http_status_code: None,
            },
        }
    }

    /// The operation done or refused; `None` for a request that was none.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        match self.event {
            Event::Operation(operation) => Some(operation),
            Event::Other(_) => None,
        }
    }

    /// The leaf: one line of JSON.
    #[must_use]
    pub fn leaf(&self) -> String {
        line::of(self)
    }

    /// Reads a leaf back.
    ///
    /// # Errors
    /// The text is not a record of ours.
    pub fn read(leaf: &str) -> serde_json::Result<AuditRecord<'static>> {
        serde_json::from_str(leaf)
    }
}

/// Bytes of what a client wrote, in each part of a record: more than any path has that names something. So a record fits
/// into a datagram of syslog.
const LONGEST_TEXT: usize = 1024;

/// As much of a client's text as a record keeps.
#[must_use]
pub fn beginning(text: &str) -> &str {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    &text[..end]
}

/// What of a leaf its age is told by. Leaves of a newer version are read as well.
#[derive(Deserialize)]
struct Dated {
    #[serde(with = "iso")]
    time: UnixTime,
}

/// When the record of a leaf was made; `None` if the text is not a record.
#[must_use]
pub fn time_of_leaf(leaf: &str) -> Option<UnixTime> {
    serde_json::from_str::<Dated>(leaf).ok().map(|dated| dated.time)
}

/// ISO 8601 in UTC. Records of the first schema have seconds since the epoch.
mod iso {
    use crate::UnixTime;
    use serde::{Deserialize, Deserializer, de::Error as _};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Seconds(i64),
    }

    #[cfg(test)]
    pub(super) fn serialize<S: serde::Serializer>(time: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => Ok(UnixTime(seconds)),
            Written::Text(text) => {
                text.parse::<jiff::Timestamp>().map(|time| UnixTime(time.as_second())).map_err(D::Error::custom)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_the_shape_of_azures_audit_event_and_reads_back() {
        let event = Event::Operation(Operation::KeySign);
        let mut record =
            AuditRecord::new(UnixTime(1_700_000_000), event, Guid::from_u128(7), "/subscriptions/s", "/keys/k");
        record.operation_version = Some("7.4".into());
        record.outcome = Outcome::Refused;
        record.result_signature = "KeyDisabled".into();
        record.caller_address = Some(IpAddr::from([10, 0, 0, 1]));
        record.identity.claim.object_id = Some(Guid::from_u128(1));
        record.properties.container = Some(ContainerId(Guid::from_u128(9)));
        record.properties.request_uri = Some("https://kv1.vault.localhost:8443/keys/k//sign".into());
        record.properties.http_status_code = Some(403);
        let leaf = record.leaf();
        insta::assert_snapshot!(leaf);
        assert_eq!(AuditRecord::read(&leaf).unwrap(), record);
        assert_eq!(time_of_leaf(&leaf), Some(record.time));
        let other = AuditRecord { event: Event::Other(OtherEvent::Authentication), ..record };
        assert_eq!(AuditRecord::read(&other.leaf()).unwrap(), other);
        assert_eq!(time_of_leaf(r#"{"time":"2026-11-20T18:12:00Z","more":1}"#), Some(UnixTime(1_795_198_320)));
        assert_eq!(time_of_leaf(r#"{"time":1700000000,"operation":"KeyCreate"}"#), Some(UnixTime(1_700_000_000)));
        assert_eq!(time_of_leaf("{}"), None);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(beginning("short"), "short");
        let long = format!("a{}", "ü".repeat(LONGEST_TEXT));
        assert_eq!(beginning(&long).len(), LONGEST_TEXT - 1);
    }

    #[test]
    fn a_leaf_is_never_longer_than_a_datagram() {
        let long = "\u{1}".repeat(1 << 20);
        let event = Event::Operation(Operation::KeyGet);
        let mut record = AuditRecord::new(UnixTime(0), event, Guid::from_u128(7), &long, &long);
        let origin = &long[..LONGEST_TEXT];
        record.operation_version = Some(origin.into());
        record.properties.request_uri = Some(origin.into());
        record.properties.client_info = Some(origin.into());
        assert!(record.leaf().len() < 60_000);
    }
}
