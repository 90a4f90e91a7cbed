//! The handshake: nobody is told anything who has not agreed to it.
//!
//! Under CloudEvents the receiver answers OPTIONS with the origin that it lets in; under Event Grid's own schema it gives
//! back a code that it was sent. Agreement at a later time, through a URL, is not there.

use super::{
    Courier, Message,
    render::{GridEvent, headers, json},
};
use crate::Addresses;
use domain::{
    Guid, UnixTime,
    notice::{Endpoint, EventSubscription, NoticeSchema},
};
use http::Method;
use serde::{Deserialize, Serialize};

const VALIDATION_EVENT: &str = "Microsoft.EventGrid.SubscriptionValidationEvent";

/// Why a receiver has not agreed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    pub method: Method,
    /// `None` if there was no answer.
    pub status: Option<u16>,
    /// For the log.
    pub why: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    validation_code: Guid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ValidationAnswer {
    validation_response: String,
}

/// Asks the receiver of an event subscription whether it wants to be told. `code` is random, and new each time.
pub(crate) fn agree(
    courier: &dyn Courier,
    addresses: &Addresses,
    (subscription, endpoint): (&EventSubscription, &Endpoint),
    topic: &str,
    (code, now): (Guid, UnixTime),
) -> Result<(), Disagreement> {
    let (method, body) = match subscription.schema {
        NoticeSchema::CloudEvents => (Method::OPTIONS, Vec::new()),
        NoticeSchema::EventGrid => {
            let data = Validation { validation_code: code };
            (Method::POST, json(&[GridEvent::new(code, topic, VALIDATION_EVENT, now, data)]))
        }
    };
    let headers = match subscription.schema {
        NoticeSchema::CloudEvents => vec![("webhook-request-origin", addresses.domain.clone())],
        NoticeSchema::EventGrid => {
            let mut headers = headers(subscription, "SubscriptionValidation");
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
            headers
        }
    };
    let disagreement = |status, why| Disagreement { method: method.clone(), status, why };
    let wants_body = subscription.schema == NoticeSchema::EventGrid;
    let message = Message { method: method.clone(), endpoint, headers, body, wants_body };
    let reply = courier.carry(&message).map_err(|why| disagreement(None, why))?;
    let no = |why: &str| Err(disagreement(Some(reply.status), why.to_owned()));
    if reply.status != 200 {
        return no("the status is not 200");
    }
    match subscription.schema {
        NoticeSchema::CloudEvents => {
            let allowed = reply.header("webhook-allowed-origin").trim();
            if allowed == "*" || allowed.eq_ignore_ascii_case(&addresses.domain) {
                Ok(())
            } else {
                no("WebHook-Allowed-Origin is neither the origin that was asked for nor *")
            }
        }
        NoticeSchema::EventGrid => match serde_json::from_slice::<ValidationAnswer>(&reply.body) {
            Ok(answer) if answer.validation_response.eq_ignore_ascii_case(&code.to_string()) => Ok(()),
            Ok(_) => no("validationResponse is not the code that was sent"),
            Err(_) => no("the body has no validationResponse"),
        },
    }
}
