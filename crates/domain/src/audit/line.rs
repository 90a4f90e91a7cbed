//! A record's line of JSON.

use super::{AuditRecord, Event, OtherEvent, Outcome};
use crate::json_line::JsonLine;

const USUAL_BYTES: usize = 768;

pub(super) fn of(record: &AuditRecord<'_>) -> String {
    let AuditRecord { identity, properties, .. } = record;
    let mut line = JsonLine::with_capacity(USUAL_BYTES);
    line.display("time", record.time);
    line.text("resourceId", &record.resource_id);
    line.word("category", "AuditEvent");
    line.word("operationName", event_name(record.event));
    record.operation_version.iter().for_each(|version| line.text("operationVersion", version));
    line.word("resultType", outcome_name(record.outcome));
    line.text("resultSignature", &record.result_signature);
    line.number("durationMs", record.duration_ms);
    record.caller_address.iter().for_each(|address| line.address("callerIpAddress", *address));
    line.guid("correlationId", record.correlation_id);
    line.open("identity");
    line.open("claim");
    identity.claim.object_id.iter().for_each(|id| line.guid("oid", *id));
    identity.claim.app_id.iter().for_each(|id| line.guid("appid", *id));
    line.close();
    line.close();
    line.open("properties");
    line.text("id", &properties.id);
    properties.container.iter().for_each(|container| line.guid("containerId", container.0));
    properties.request_uri.iter().for_each(|uri| line.text("requestUri", uri));
    properties.client_info.iter().for_each(|client| line.text("clientInfo", client));
    properties.http_status_code.iter().for_each(|status| line.number("httpStatusCode", (*status).into()));
    line.close();
    line.finish()
}

fn event_name(event: Event) -> &'static str {
    match event {
        Event::Operation(operation) => operation.name(),
        Event::Other(OtherEvent::Authentication) => "Authentication",
        Event::Other(OtherEvent::Unknown) => "Unknown",
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "Success",
        Outcome::Refused => "Failure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContainerId, Guid, Operation, UnixTime};
    use proptest::prelude::*;

    /// Texts with everything in them that could need an escape.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z/]{0,40}", r#"[\x00-\x7f"\\ü🔑]{0,20}"#]
    }

    proptest! {
        #[test]
        fn a_line_is_what_serde_writes(
            texts in prop::collection::vec(text(), 6),
            there in any::<[bool; 8]>(),
            event in prop::sample::select(vec![
                Event::Other(OtherEvent::Authentication),
                Event::Other(OtherEvent::Unknown),
                Event::Operation(Operation::KeySign),
                Event::Operation(Operation::AuditPrune),
            ]),
            number: u64,
            ids: [u128; 4],
            address: std::net::IpAddr,
            time in 0..4_000_000_000_i64,
        ) {
            let kept = |at: usize| there[at].then(|| texts[at].as_str().into());
            let mut record = AuditRecord::new(UnixTime(time), event, Guid::from_u128(ids[0]), &texts[4], &texts[5]);
            record.operation_version = kept(0);
            record.outcome = if there[1] { Outcome::Done } else { Outcome::Refused };
            record.result_signature = texts[1].as_str().into();
            record.duration_ms = number;
            record.caller_address = there[4].then_some(address);
            record.identity.claim.object_id = there[5].then_some(Guid::from_u128(ids[1]));
            record.identity.claim.app_id = there[6].then_some(Guid::from_u128(ids[2]));
            record.properties.container = there[7].then_some(ContainerId(Guid::from_u128(ids[3])));
            record.properties.request_uri = kept(2);
            record.properties.client_info = kept(3);
            record.properties.http_status_code = there[0].then_some(u16::try_from(number % 600).unwrap());
            prop_assert_eq!(of(&record), serde_json::to_string(&record).unwrap());
        }
    }

    #[test]
    fn every_operation_is_named_as_it_is_read() {
        for operation in Operation::ALL.iter().copied() {
            let event = Event::Operation(operation);
            assert_eq!(serde_json::to_value(event).unwrap(), event_name(event));
        }
        for (outcome, event) in [(Outcome::Done, OtherEvent::Unknown), (Outcome::Refused, OtherEvent::Authentication)] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome_name(outcome));
            assert_eq!(serde_json::to_value(event).unwrap(), event_name(Event::Other(event)));
        }
    }
}
