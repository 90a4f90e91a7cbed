//! Event subscriptions through the resource manager, in process: the handshake is answered, nothing is sent.

use super::site::{ADMIN, NOBODY, SUBSCRIPTION, Site, group, hsm, new_vault, role, vault, with};
use domain::{Guid, Operation, Outcome};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;

fn of(vault: &str, name: &str) -> String {
    format!("{vault}/providers/Microsoft.EventGrid/eventSubscriptions/{name}?api-version=2022-06-15")
}

fn events() -> String {
    of(&vault("kv1"), "events")
}

fn full_url() -> String {
    events().replace('?', "/getFullUrl?")
}

fn to(url: &str) -> Value {
    json!({"properties": {
        "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}},
        "eventDeliverySchema": "CloudEventSchemaV1_0",
    }})
}

fn hook() -> Value {
    to("https://hooks.example.com/in?code=s3cret")
}

/// Names of the event subscriptions of a vault, as its list shows them.
fn listed(site: &Site, vault: &str) -> Vec<String> {
    let list = of(vault, "").replace("/?", "?");
    let found = site.get(&list).is(200).body;
    let names = found["value"].as_array().unwrap().iter().map(|each| each["name"].as_str().unwrap().to_owned());
    names.collect()
}

#[test]
fn an_event_subscription_comes_changes_and_goes() {
    let site = Site::new();
    let mut made = site.put(&events(), &hook()).is(201).body;
    assert_eq!(made["id"], events().split('?').next().unwrap());
    assert_eq!(std::mem::replace(&mut made["properties"]["provisioningState"], json!("Succeeded")), "Creating");
    let properties = &made["properties"];
    assert_eq!(properties["topic"], vault("kv1"));
    assert_eq!(properties["destination"]["properties"]["endpointBaseUrl"], "https://hooks.example.com");
    assert_eq!(properties["filter"]["includedEventTypes"].as_array().unwrap().len(), 10);
    assert_eq!(site.get(&events()).is(200).body, made);
    assert_eq!(site.get(&events().replace("events?", "EVENTS?")).is(200).body, made);
    assert!(!made.to_string().contains("s3cret"));
    assert_eq!(
        site.post(&full_url(), NONE).is(200).body,
        json!({"endpointUrl": "https://hooks.example.com/in?code=s3cret"})
    );
    // What az sends: all that it was shown, and the change.
    let mut shown = properties.clone();
    shown["destination"]["properties"].as_object_mut().unwrap().remove("endpointBaseUrl");
    shown["labels"] = json!(["audit"]);
    shown["filter"]["subjectBeginsWith"] = json!("prod-");
    let changed = site.manage(ADMIN, "PATCH", &events(), &shown).is(201).body;
    assert_eq!(
        (&changed["properties"]["labels"], &changed["properties"]["filter"]["subjectBeginsWith"]),
        (&json!(["audit"]), &json!("prod-"))
    );
    assert_eq!(changed["properties"]["provisioningState"], "Updating");
    assert_eq!(site.post(&full_url(), NONE).is(200).body["endpointUrl"], "https://hooks.example.com/in?code=s3cret");
    let replaced = site.put(&events(), &hook()).is(201).body;
    assert_eq!(replaced["properties"]["labels"], json!([]), "a PUT replaces");
    assert_eq!(listed(&site, &vault("kv1")), ["events"]);
    assert!(site.delete(&events()).is(200).bytes.is_empty());
    assert!(site.delete(&events()).is(204).bytes.is_empty());
    site.get(&events()).refused(404, "ResourceNotFound");
    assert_eq!(listed(&site, &vault("kv1")), [""; 0]);
}

#[test]
fn whoever_asks_for_nothing_gets_event_grids_own_schema() {
    let site = Site::new();
    let mut body = hook();
    body["properties"].as_object_mut().unwrap().remove("eventDeliverySchema");
    let made = site.put(&events(), &body).is(201).body;
    assert_eq!(made["properties"]["eventDeliverySchema"], "EventGridSchema");
}

#[test]
fn a_receiver_that_does_not_agree_is_told_nothing() {
    let site = Site::new();
    for schema in ["CloudEventSchemaV1_0", "EventGridSchema"] {
        for (host, why) in [("refuses", "failed with response code 405"), ("down", "failed with response code Unknown")]
        {
            let url = format!("https://{host}.example.com/in?code=s3cret");
            let body = with(to(&url), &json!({"eventDeliverySchema": schema}));
            let refused = site.put(&events(), &body).refused(400, "Url validation");
            let begin = format!("Webhook validation handshake failed for https://{host}.example.com. Http ");
            assert!(refused.message().starts_with(&begin) && refused.message().contains(why), "{}", refused.message());
            assert!(!refused.message().contains("s3cret") && !refused.message().contains("it is down"));
        }
    }
    site.put(&events(), &to("https://barred.example.com/")).refused(400, "InvalidRequest");
    assert_eq!(listed(&site, &vault("kv1")), [""; 0]);
    site.put(&events(), &hook()).is(201);
    let elsewhere = to("https://refuses.example.com/")["properties"].clone();
    site.manage(ADMIN, "PATCH", &events(), &elsewhere).refused(400, "Url validation");
    assert_eq!(site.post(&full_url(), NONE).is(200).body["endpointUrl"], "https://hooks.example.com/in?code=s3cret");
}

#[test]
fn what_can_not_be_is_refused() {
    let site = Site::new();
    site.put(&events(), &json!({"properties": {}})).refused(400, "InvalidRequest");
    site.put(&of(&vault("kv1"), "ab"), &hook()).refused(400, "InvalidRequest");
    site.manage(ADMIN, "PATCH", &events(), &json!({"labels": []})).refused(404, "ResourceNotFound");
    site.post(&full_url(), NONE).refused(404, "ResourceNotFound");
    site.put(&of(&vault("nothing"), "events"), &hook()).refused(404, "ResourceNotFound");
    site.put(&of(&vault("kv1").replace("/rg/", "/gone/"), "events"), &hook()).refused(404, "ResourceGroupNotFound");
    for scope in [hsm("hsm1"), group("rg"), format!("/subscriptions/{SUBSCRIPTION}")] {
        site.put(&of(&scope, "events"), &hook()).refused(400, "NotSupported");
        site.get(&of(&scope, "").replace("/?", "?")).refused(400, "NotSupported");
    }
    site.put(&of(&vault("kv1"), ""), &hook()).refused(405, "MethodNotAllowed");
    site.get(&full_url()).refused(405, "MethodNotAllowed");
    let filtered = of(&vault("kv1"), "").replace("/?", "?") + "&$filter=name%20eq%20'x'";
    site.get(&filtered).refused(400, "InvalidFilterInQueryString");
}

#[test]
fn rights_on_event_subscriptions_are_their_own() {
    let site = Site::new();
    site.put(&events(), &hook()).is(201);
    let list = of(&vault("kv1"), "").replace("/?", "?");
    let each = [
        ("GET", events(), NONE.clone()),
        ("GET", list, NONE.clone()),
        ("PUT", events(), hook()),
        ("PATCH", events(), json!({"labels": []})),
        ("POST", full_url(), NONE.clone()),
        ("DELETE", events(), NONE.clone()),
    ];
    for (method, path, body) in &each {
        site.manage(NOBODY, method, path, body).refused(403, "AuthorizationFailed");
    }
    let assignment =
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", vault("kv1"), Guid::from_u128(7));
    let reader = json!({"properties": {"roleDefinitionId": role("Reader"), "principalId": NOBODY}});
    site.put(&assignment, &reader).is(201);
    for (method, path, body) in &each {
        let answer = site.manage(NOBODY, method, path, body);
        if *method == "GET" {
            answer.is(200)
        } else {
            answer.refused(403, "AuthorizationFailed")
        };
    }
    let refused = site.manage(NOBODY, "POST", &full_url(), NONE).refused(403, "AuthorizationFailed");
    assert!(refused.message().contains("'Microsoft.EventGrid/eventSubscriptions/getFullUrl/action'"));
}

#[test]
fn locks_keep_event_subscriptions_too() {
    let site = Site::new();
    site.put(&events(), &hook()).is(201);
    let lock = format!("{}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01", vault("kv1"));
    site.put(&lock, &json!({"properties": {"level": "CanNotDelete"}})).is(201);
    site.delete(&events()).refused(409, "ScopeLocked");
    site.put(&events(), &hook()).is(201);
    site.put(&lock, &json!({"properties": {"level": "ReadOnly"}})).is(200);
    site.put(&events(), &hook()).refused(409, "ScopeLocked");
    site.get(&events()).is(200);
    site.delete(&lock).is(200);
    site.delete(&events()).is(200);
}

#[test]
fn a_vault_that_comes_back_tells_nobody() {
    let site = Site::new();
    site.put(&events(), &hook()).is(201);
    site.delete(&vault("kv1")).is(200);
    site.get(&events()).refused(404, "ResourceNotFound");
    site.put(&vault("kv1"), &with(new_vault(), &json!({"createMode": "recover"}))).is(200);
    assert_eq!(listed(&site, &vault("kv1")), [""; 0]);
    site.put(&of(&vault("kvold"), "events"), &hook()).is(201);
    site.delete(&vault("kvold")).is(200);
    site.put(&vault("kvold"), &new_vault()).is(200);
    assert_eq!(listed(&site, &vault("kvold")), [""; 0], "also where deletion is for good");
}

#[test]
fn event_subscriptions_and_what_they_are_refused_are_in_the_log() {
    let site = Site::new();
    site.put(&events(), &to("https://refuses.example.com/?code=s3cret")).refused(400, "Url validation");
    site.put(&events(), &hook()).is(201);
    site.manage(NOBODY, "POST", &full_url(), NONE).refused(403, "AuthorizationFailed");
    site.post(&full_url(), NONE).is(200);
    site.delete(&events()).is(200);
    let log = site.log();
    let told = |operation: Operation| -> Vec<(Outcome, String, u16, String)> {
        let of = log.iter().filter(|record| record.operation() == Some(operation));
        let told = |record: &domain::AuditRecord<'_>| {
            let status = record.properties.http_status_code.unwrap();
            (record.outcome, record.result_signature.to_string(), status, record.resource_id.to_string())
        };
        of.map(told).collect()
    };
    let path = events().split('?').next().unwrap().to_owned();
    let put = told(Operation::EventSubscriptionPut);
    assert_eq!(put.len(), 2);
    assert!(put.contains(&(Outcome::Refused, "Url validation".to_owned(), 400, path.clone())), "{put:?}");
    assert!(put.contains(&(Outcome::Done, "OK".to_owned(), 201, path.clone())), "{put:?}");
    assert_eq!(told(Operation::EventSubscriptionReadUrl).len(), 2);
    assert_eq!(told(Operation::EventSubscriptionDelete), [(Outcome::Done, "OK".to_owned(), 200, path)]);
    assert!(!format!("{log:?}").contains("s3cret"));
}
