//! Event subscriptions: their paths and their bodies.

use crate::{
    arm::{
        error::{Failure, Problem},
        route::{NoRoute, Place, Route, resolve},
        wire::notices::{self, Asked, State, SubscriptionOut},
    },
    notices::Disagreement,
};
use domain::{
    ContainerKind, EventSubscriptionName, Guid, ResourceId, UnixTime,
    notice::{EventSubscription, NoticeKind, NoticeSchema, RetryPolicy},
};
use serde_json::{Value, json};

const SUBSCRIPTION: &str = "/subscriptions/11111111-2222-3333-4444-555555555555";
const NOW: UnixTime = UnixTime(1_800_000_000);

fn vault() -> String {
    format!("{SUBSCRIPTION}/resourceGroups/Rg/providers/Microsoft.KeyVault/vaults/Kv")
}

fn resolved(path: &str) -> Result<Route, NoRoute> {
    let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    resolve(&path)
}

fn place() -> Place {
    let subscription = Guid::parse("11111111-2222-3333-4444-555555555555").unwrap();
    let resource = ResourceId { subscription, resource_group: "Rg".to_owned() };
    Place { kind: ContainerKind::Vault, resource, name: "Kv".to_owned() }
}

#[test]
fn event_subscriptions_are_below_vaults_in_the_forms_of_clients() {
    for written in
        [vault(), vault().to_lowercase().replace("/rg/", "/Rg/").replace("/kv", "/Kv"), format!("/{}", vault())]
    {
        let all = format!("{written}/providers/Microsoft.EventGrid/eventSubscriptions");
        assert_eq!(resolved(&all), Ok(Route::EventSubscriptions(place())));
        assert_eq!(resolved(&format!("{all}/Hook")), Ok(Route::EventSubscription(place(), "Hook".to_owned())));
        let url = format!("{all}/Hook/getFullUrl").to_uppercase().replace("/KV/", "/Kv/").replace("/RG/", "/Rg/");
        let Ok(Route::EventSubscriptionUrl(_, name)) = resolved(&url) else { panic!("{url}") };
        assert_eq!(name, "HOOK");
    }
}

#[test]
fn what_is_not_of_a_vault_is_not_supported_by_name() {
    let of = |scope: &str| format!("{scope}/providers/Microsoft.EventGrid/eventSubscriptions");
    let hsm = vault().replace("vaults", "managedHSMs");
    for path in [
        of(SUBSCRIPTION),
        of(&format!("{SUBSCRIPTION}/resourceGroups/rg")),
        of(&hsm),
        format!("{SUBSCRIPTION}/providers/Microsoft.EventGrid/locations/eastus/eventSubscriptions"),
        format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.EventGrid/systemTopics/t/eventSubscriptions/s"),
        format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.EventGrid/topics"),
        format!("{}/Hook/getDeliveryAttributes", of(&vault())),
    ] {
        assert!(matches!(resolved(&path), Ok(Route::NotSupported(_))), "{path}: {:?}", resolved(&path));
    }
    let unknown = resolved(&format!("{}/a/b/c/d", of(&vault())));
    assert!(matches!(unknown, Err(NoRoute::TypeUnknown { .. })), "{unknown:?}");
    let elsewhere = resolved(&of(&format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/x/y")));
    assert_eq!(elsewhere, Err(NoRoute::NamespaceUnknown("Microsoft.Storage".to_owned())));
    let provider = resolved(&format!("{SUBSCRIPTION}/providers/Microsoft.EventGrid"));
    assert!(matches!(provider, Ok(Route::Provider { .. })), "{provider:?}");
}

fn read(name: &str, body: &Value, is_update: bool) -> Result<Asked, Problem> {
    notices::read(name, body.to_string().as_bytes(), is_update).map_err(|failure| match failure {
        Failure::Problem(problem) => problem,
        Failure::Engine(error) => panic!("{error:?}"),
    })
}

fn hook(url: &str) -> Value {
    json!({"endpointType": "WebHook", "properties": {"endpointUrl": url}})
}

#[test]
fn a_put_has_properties_and_a_patch_is_bare() {
    let properties = json!({
        "destination": hook("https://example.com/in?code=1"),
        "filter": {
            "includedEventTypes": ["microsoft.keyvault.KeyExpired"], "subjectBeginsWith": "a", "subjectEndsWith": "b",
            "isSubjectCaseSensitive": true, "advancedFilters": [], "enableAdvancedFilteringOnArrays": null,
        },
        "eventDeliverySchema": "cloudeventschemav1_0",
        "retryPolicy": {"maxDeliveryAttempts": 5, "eventTimeToLiveInMinutes": null},
        "labels": ["l"],
        "expirationTimeUtc": "2027-11-20T18:12:00.000Z",
        "deadLetterDestination": null,
    });
    for (body, is_update) in [(json!({"properties": properties}), false), (properties, true)] {
        let Asked { endpoint, changes } = read("hook", &body, is_update).unwrap();
        assert_eq!(endpoint.unwrap().expose(), "https://example.com/in?code=1");
        assert_eq!(changes.filter.kinds, Some(vec![NoticeKind::KeyExpired]));
        assert_eq!(changes.filter.subject_begins_with.as_deref(), Some("a"));
        assert_eq!(changes.filter.is_subject_case_sensitive, Some(true));
        assert_eq!(changes.schema, Some(NoticeSchema::CloudEvents));
        assert_eq!(changes.retry, RetryPolicy::new(5, 1440));
        assert_eq!(changes.expires, UnixTime::parse("2027-11-20T18:12:00Z"));
    }
    // What az sends back of what it was shown: the endpoint stays.
    let shown = json!({"destination": {"endpointType": "WebHook", "properties": {
        "maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": 64,
    }}});
    assert!(read("hook", &shown, true).unwrap().endpoint.is_none());
    assert!(read("hook", &json!({}), false).unwrap().endpoint.is_none());
}

#[test]
fn what_would_not_be_done_is_refused() {
    let destination = |properties: Value| json!({"destination": {"endpointType": "WebHook", "properties": properties}});
    for (properties, code) in [
        (json!({"destination": hook("ftp://example.com")}), "InvalidRequest"),
        (json!({"destination": hook("")}), "InvalidRequest"),
        (json!({"destination": {"endpointType": "EventHub"}}), "NotSupported"),
        (destination(json!({"maxEventsPerBatch": 10})), "NotSupported"),
        (destination(json!({"preferredBatchSizeInKilobytes": 512})), "NotSupported"),
        (destination(json!({"azureActiveDirectoryTenantId": "t"})), "NotSupported"),
        (destination(json!({"deliveryAttributeMappings": [{"name": "x"}]})), "NotSupported"),
        (json!({"filter": {"includedEventTypes": ["Microsoft.Storage.BlobCreated"]}}), "InvalidRequest"),
        (json!({"filter": {"includedEventTypes": ["All"]}}), "InvalidRequest"),
        (json!({"filter": {"advancedFilters": [{"operatorType": "StringIn"}]}}), "NotSupported"),
        (json!({"eventDeliverySchema": "CustomInputSchema"}), "InvalidRequest"),
        (json!({"retryPolicy": {"maxDeliveryAttempts": 31}}), "InvalidRequest"),
        (json!({"retryPolicy": {"eventTimeToLiveInMinutes": 0}}), "InvalidRequest"),
        (json!({"expirationTimeUtc": "soon"}), "InvalidRequest"),
        (json!({"deadLetterDestination": {"endpointType": "StorageBlob"}}), "NotSupported"),
        (json!({"deliveryWithResourceIdentity": {}}), "NotSupported"),
        (json!({"labels": "l"}), "InvalidRequestContent"),
        (json!([]), "InvalidRequestContent"),
    ] {
        let problem = read("hook", &json!({"properties": properties}), false).err().unwrap();
        assert_eq!((problem.status.as_u16(), problem.code), (400, code), "{properties}: {}", problem.message);
    }
    for name in ["ab", "a_b", "a b", &"a".repeat(65)] {
        assert_eq!(read(name, &json!({}), false).err().unwrap().code, "InvalidRequest", "{name}");
    }
}

#[test]
fn a_refused_body_does_not_come_back() {
    for url in ["https://user:pass@example.com/?code=s3cret", "https://example.com/#s3cret", "s3cret"] {
        let problem = read("hook", &json!({"properties": {"destination": hook(url)}}), false).err().unwrap();
        assert!(!problem.message.contains("s3cret") && !problem.message.contains("pass"), "{}", problem.message);
    }
}

fn subscription() -> EventSubscription {
    let mut subscription = EventSubscription::new(EventSubscriptionName::parse("Hook").unwrap(), NOW);
    subscription.endpoint_base_url = "https://example.com".to_owned();
    subscription
}

#[test]
fn an_event_subscription_in_the_words_of_the_wire() {
    let ends = EventSubscription { expires: Some(NOW), schema: NoticeSchema::CloudEvents, ..subscription() };
    let shown = [subscription(), ends]
        .map(|subscription| json!(SubscriptionOut::new(&vault(), &subscription, State::Succeeded)));
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
}

#[test]
fn a_failed_handshake_says_how_the_receiver_answered_and_not_why_it_did_not() {
    let mut text = String::new();
    for (method, status) in
        [(http::Method::OPTIONS, Some(200)), (http::Method::POST, Some(500)), (http::Method::OPTIONS, None)]
    {
        let why = "the address 10.0.0.1 refuses connections".to_owned();
        let disagreement = Disagreement { method, status, why };
        let problem = notices::not_agreed(&subscription(), &disagreement, (Guid::from_u128(7), NOW));
        text = format!("{text}{} {}\n  {}\n", problem.status.as_u16(), problem.code, problem.message);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn lists_are_not_filtered() {
    assert!(notices::refuse_filter(None).is_ok() && notices::refuse_filter(Some("")).is_ok());
    assert_eq!(notices::refuse_filter(Some("name eq 'x'")).unwrap_err().code, "InvalidFilterInQueryString");
}
