//! Event subscriptions in the bodies of `Microsoft.EventGrid/eventSubscriptions`, 2022-06-15 (Microsoft Learn, REST
//! reference): PUT takes the resource, PATCH its properties bare.
//!
//! What is documented and not there is refused by name: nothing is kept that would not be done.

use crate::{
    arm::{
        error::{Failure, Problem},
        filter,
    },
    json::{self, Object},
    notices::Disagreement,
};
use domain::{
    EventSubscriptionName, Guid, UnixTime,
    notice::{
        Endpoint, EventSubscription, EventSubscriptionChanges, FilterChanges, NoticeKind, NoticeRefusal, NoticeSchema,
        RetryPolicy,
    },
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What single events are told with; other sizes would ask for batches.
const MOST_EVENTS_PER_BATCH: i64 = 1;
const BATCH_KILOBYTES: i64 = 64;

#[derive(Serialize)]
pub(crate) struct SubscriptionOut {
    id: String,
    name: String,
    r#type: &'static str,
    properties: PropertiesOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PropertiesOut {
    topic: String,
    provisioning_state: &'static str,
    destination: DestinationOut,
    filter: FilterOut,
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_time_utc: Option<String>,
    event_delivery_schema: &'static str,
    retry_policy: RetryOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DestinationOut {
    endpoint_type: &'static str,
    properties: WebHookOut,
}

/// Never the whole URL.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebHookOut {
    endpoint_base_url: String,
    max_events_per_batch: i64,
    preferred_batch_size_in_kilobytes: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilterOut {
    included_event_types: Vec<&'static str>,
    subject_begins_with: String,
    subject_ends_with: String,
    is_subject_case_sensitive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RetryOut {
    max_delivery_attempts: u32,
    event_time_to_live_in_minutes: u32,
}

/// `EventSubscriptionFullUrl`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FullUrl<'a> {
    pub endpoint_url: &'a str,
}

fn schema_word(schema: NoticeSchema) -> &'static str {
    match schema {
        NoticeSchema::CloudEvents => "CloudEventSchemaV1_0",
        NoticeSchema::EventGrid => "EventGridSchema",
    }
}

/// How far an event subscription is. It is there at once; but clients read the answer to a change as Azure gives it, and
/// then ask for the result (az shows no destination otherwise).
#[derive(Clone, Copy)]
pub(crate) enum State {
    Creating,
    Updating,
    Succeeded,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Succeeded => "Succeeded",
        }
    }
}

impl SubscriptionOut {
    pub(crate) fn new(vault: &str, subscription: &EventSubscription, state: State) -> Self {
        let EventSubscription { name, endpoint_base_url, filter, schema, retry, labels, expires, .. } = subscription;
        Self {
            id: format!("{vault}/providers/Microsoft.EventGrid/eventSubscriptions/{name}"),
            name: name.to_string(),
            r#type: "Microsoft.EventGrid/eventSubscriptions",
            properties: PropertiesOut {
                topic: vault.to_owned(),
                provisioning_state: state.word(),
                destination: DestinationOut {
                    endpoint_type: "WebHook",
                    properties: WebHookOut {
                        endpoint_base_url: endpoint_base_url.clone(),
                        max_events_per_batch: MOST_EVENTS_PER_BATCH,
                        preferred_batch_size_in_kilobytes: BATCH_KILOBYTES,
                    },
                },
                filter: FilterOut {
                    included_event_types: filter.kinds.iter().map(|kind| kind.as_str()).collect(),
                    subject_begins_with: filter.subject_begins_with.clone(),
                    subject_ends_with: filter.subject_ends_with.clone(),
                    is_subject_case_sensitive: filter.is_subject_case_sensitive,
                },
                labels: labels.clone(),
                expiration_time_utc: expires.map(|expires| expires.to_string()),
                event_delivery_schema: schema_word(*schema),
                retry_policy: RetryOut {
                    max_delivery_attempts: retry.most_attempts(),
                    event_time_to_live_in_minutes: retry.time_to_live_minutes(),
                },
            },
        }
    }
}

#[derive(Deserialize)]
struct PutBody {
    properties: Option<Object<Properties>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    destination: Option<Object<Destination>>,
    filter: Option<Object<Filter>>,
    labels: Option<Vec<String>>,
    expiration_time_utc: Option<String>,
    event_delivery_schema: Option<String>,
    retry_policy: Option<Object<Retry>>,
    dead_letter_destination: Option<Value>,
    dead_letter_with_resource_identity: Option<Value>,
    delivery_with_resource_identity: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    endpoint_type: Option<String>,
    #[serde(default)]
    properties: Option<Object<WebHook>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebHook {
    endpoint_url: Option<String>,
    max_events_per_batch: Option<i64>,
    preferred_batch_size_in_kilobytes: Option<i64>,
    azure_active_directory_tenant_id: Option<Value>,
    azure_active_directory_application_id_or_uri: Option<Value>,
    delivery_attribute_mappings: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    included_event_types: Option<Vec<String>>,
    subject_begins_with: Option<String>,
    subject_ends_with: Option<String>,
    is_subject_case_sensitive: Option<bool>,
    advanced_filters: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retry {
    max_delivery_attempts: Option<i64>,
    event_time_to_live_in_minutes: Option<i64>,
}

/// What a body asks for.
pub(crate) struct Asked {
    pub endpoint: Option<Endpoint>,
    pub changes: EventSubscriptionChanges,
}

/// Reads the body of a PUT or, if it updates, of a PATCH.
pub(crate) fn read(name: &str, body: &[u8], is_update: bool) -> Result<Asked, Failure> {
    if EventSubscriptionName::parse(name).is_none() {
        return Err(invalid("the name has to have 3 to 64 letters, digits and hyphens").into());
    }
    let Object(properties) = match is_update {
        true => Object(json::parse(body)?),
        false => json::parse::<PutBody>(body)?.properties.unwrap_or_default(),
    };
    Ok(properties.read()?)
}

fn invalid(why: &str) -> Problem {
    let message = format!("Invalid event subscription request: {why}.");
    Problem::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}

impl Properties {
    fn read(self) -> Result<Asked, Problem> {
        for (given, what) in [
            (self.dead_letter_destination, "dead letters of event subscriptions"),
            (self.dead_letter_with_resource_identity, "dead letters of event subscriptions"),
            (self.delivery_with_resource_identity, "event subscriptions with an identity"),
        ] {
            if given.is_some() {
                return Err(Problem::not_supported(what));
            }
        }
        let endpoint = match self.destination {
            Some(Object(destination)) => destination.read()?,
            None => None,
        };
        let expires = |text: String| {
            UnixTime::parse(&text).ok_or_else(|| invalid("expirationTimeUtc is no time such as 2026-11-20T18:12:00Z"))
        };
        let changes = EventSubscriptionChanges {
            filter: self.filter.map(|Object(filter)| filter.read()).transpose()?.unwrap_or_default(),
            schema: self.event_delivery_schema.as_deref().map(schema).transpose()?,
            retry: self.retry_policy.map(|Object(retry)| retry.read()).transpose()?,
            labels: self.labels,
            expires: self.expiration_time_utc.map(expires).transpose()?,
        };
        Ok(Asked { endpoint, changes })
    }
}

fn schema(word: &str) -> Result<NoticeSchema, Problem> {
    let known = [NoticeSchema::CloudEvents, NoticeSchema::EventGrid];
    let found = known.into_iter().find(|schema| schema_word(*schema).eq_ignore_ascii_case(word));
    found.ok_or_else(|| invalid("eventDeliverySchema has to be CloudEventSchemaV1_0 or EventGridSchema"))
}

impl Destination {
    /// `None` leaves the endpoint as it is: clients that update give back what they were shown, which is not all of it.
    fn read(self) -> Result<Option<Endpoint>, Problem> {
        if !self.endpoint_type.unwrap_or_default().eq_ignore_ascii_case("WebHook") {
            return Err(Problem::not_supported("event subscriptions to other endpoints than webhooks"));
        }
        let Object(hook) = self.properties.unwrap_or_default();
        let is_batch = |given: Option<i64>, single| given.is_some_and(|given| given != single);
        if is_batch(hook.max_events_per_batch, MOST_EVENTS_PER_BATCH)
            || is_batch(hook.preferred_batch_size_in_kilobytes, BATCH_KILOBYTES)
        {
            return Err(Problem::not_supported("several events in one delivery"));
        }
        if hook.azure_active_directory_tenant_id.is_some()
            || hook.azure_active_directory_application_id_or_uri.is_some()
        {
            return Err(Problem::not_supported("event subscriptions that sign in to their receiver"));
        }
        if hook.delivery_attribute_mappings.is_some_and(|mappings| !mappings.is_empty()) {
            return Err(Problem::not_supported("delivery attributes of event subscriptions"));
        }
        let Some(url) = hook.endpoint_url else { return Ok(None) };
        Ok(Some(Endpoint::parse(&url).ok_or_else(endpoint_invalid)?))
    }
}

impl Filter {
    fn read(self) -> Result<FilterChanges, Problem> {
        if self.advanced_filters.is_some_and(|filters| !filters.is_empty()) {
            return Err(Problem::not_supported("advanced filters of event subscriptions"));
        }
        let kind = |word: &String| NoticeKind::parse(word).ok_or_else(|| event_unknown(word));
        let kinds = self.included_event_types.map(|words| words.iter().map(kind).collect());
        Ok(FilterChanges {
            kinds: kinds.transpose()?,
            subject_begins_with: self.subject_begins_with,
            subject_ends_with: self.subject_ends_with,
            is_subject_case_sensitive: self.is_subject_case_sensitive,
        })
    }
}

impl Retry {
    fn read(self) -> Result<RetryPolicy, Problem> {
        let usual = RetryPolicy::default();
        let attempts = self.max_delivery_attempts.unwrap_or_else(|| usual.most_attempts().into());
        let minutes = self.event_time_to_live_in_minutes.unwrap_or_else(|| usual.time_to_live_minutes().into());
        let bounds = "maxDeliveryAttempts has to be 1 to 30, and eventTimeToLiveInMinutes 1 to 1440";
        RetryPolicy::new(attempts, minutes).ok_or_else(|| invalid(bounds))
    }
}

/// Lists are short: whoever filters gets all of it, or a word.
pub(crate) fn refuse_filter(filter: Option<&str>) -> Result<(), Problem> {
    filter.filter(|filter| !filter.is_empty()).map_or(Ok(()), |filter| Err(filter::bad(filter)))
}

fn event_unknown(event: &str) -> Problem {
    invalid(&format!("the event type {event:?} is not one of a vault"))
}

/// The service's own words.
fn endpoint_invalid() -> Problem {
    invalid(
        "Supplied URL is invalid. It cannot be null or empty and should be a proper HTTPS URL like https://www.example.com",
    )
}

pub(crate) fn refusal(refusal: &NoticeRefusal) -> Problem {
    match refusal {
        NoticeRefusal::NotFound { name } => {
            let message = format!("The event subscription '{name}' does not exist.");
            Problem::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
        }
        NoticeRefusal::TooMany { limit } => invalid(&format!("a vault has at most {limit} event subscriptions")),
        NoticeRefusal::EndpointInvalid => endpoint_invalid(),
        NoticeRefusal::EndpointForbidden { reason } => invalid(reason),
    }
}

/// What a failed handshake says: in the service's words, without the part of the URL that may be secret. Why there was
/// no answer is for the log: the caller may be looking for what answers on networks of ours.
pub(crate) fn not_agreed(
    subscription: &EventSubscription,
    disagreement: &Disagreement,
    (activity, now): (Guid, UnixTime),
) -> Problem {
    let Disagreement { method, status, why } = disagreement;
    let url = &subscription.endpoint_base_url;
    tracing::info!(subscription = %subscription.name, why, %activity, "a receiver has not agreed");
    let method = if *method == http::Method::OPTIONS { "OPTIONS" } else { "POST" };
    let outcome = match status {
        None => "request failed with response code Unknown".to_owned(),
        Some(200) => "request was answered 200, but not with the agreement of the endpoint".to_owned(),
        Some(status) => format!("request failed with response code {status}"),
    };
    let message = format!(
        "Webhook validation handshake failed for {url}. Http {method} {outcome}. For troubleshooting, visit \
         https://aka.ms/esvalidation. Activity id:{activity}, timestamp: {now} (UTC)."
    );
    Problem::new(StatusCode::BAD_REQUEST, "Url validation", message)
}
