//! Garbage at the event subscriptions of a vault.

use super::{
    Front, assert_well,
    probe::{Range, Shape},
    token,
};
use domain::ContainerKind;
use e2e::{
    client::Target,
    containers::Container,
    openapi::{Document, Operation},
    process::Server,
    receiver::Receiver,
};
use serde_json::{Value, json};

const EVENTS_VERSION: &str = "2022-06-15";

/// Event subscriptions, from Microsoft Learn, REST reference, Microsoft.EventGrid 2022-06-15.
fn event_subscriptions() -> Document {
    let text = || json!({ "type": "string" });
    let integer = || json!({ "type": "integer" });
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let word = |word: &str| json!({ "type": "string", "enum": [word] });
    let properties = object(json!({
        "destination": object(json!({
            "endpointType": word("WebHook"),
            "properties": object(json!({
                "endpointUrl": text(),
                "endpointBaseUrl": { "type": "string", "readOnly": true },
                "maxEventsPerBatch": integer(),
                "preferredBatchSizeInKilobytes": integer(),
            })),
        })),
        "filter": object(json!({
            "includedEventTypes": { "type": "array", "items": word("Microsoft.KeyVault.KeyExpired") },
            "subjectBeginsWith": text(),
            "subjectEndsWith": text(),
            "isSubjectCaseSensitive": { "type": "boolean" },
            "advancedFilters": { "type": "array", "items": object(json!({})) },
        })),
        "labels": texts(),
        "expirationTimeUtc": word("2099-01-01T00:00:00Z"),
        "eventDeliverySchema": word("CloudEventSchemaV1_0"),
        "retryPolicy": object(json!({ "maxDeliveryAttempts": integer(), "eventTimeToLiveInMinutes": integer() })),
        "topic": { "type": "string", "readOnly": true },
        "provisioningState": { "type": "string", "readOnly": true },
    }));
    let takes = |schema: &Value| json!({ "requestBody": { "content": { "application/json": { "schema": schema } } } });
    let filter = json!({ "parameters": [{ "in": "query", "name": "$filter" }] });
    Document::written(json!({ "paths": {
        "/eventSubscriptions": { "get": filter },
        "/eventSubscriptions/{name}": {
            "get": {},
            "put": takes(&object(json!({ "properties": properties }))),
            "patch": takes(&properties),
            "delete": {},
        },
        "/eventSubscriptions/{name}/getFullUrl": { "post": {} },
    } }))
}

/// What is there of event subscriptions: one, and somebody who takes what it tells.
struct Hook {
    arm: Target,
    vault: Container,
    receiver: Receiver,
}

impl Hook {
    fn new(server: &Server) -> Self {
        let vault = Container::made(server.client(), ContainerKind::Vault, "target");
        let hook = Self { arm: server.client().arm_authorization(), vault, receiver: Receiver::start(None) };
        let put = format!("{}/hook", hook.base());
        hook.arm.call("PUT", &put, Some(&json!({ "properties": hook.properties() }))).expect("an event subscription");
        hook
    }

    fn base(&self) -> String {
        format!("{}/providers/Microsoft.EventGrid/eventSubscriptions", self.vault.id())
    }

    fn properties(&self) -> Value {
        json!({
            "destination": { "endpointType": "WebHook", "properties": { "endpointUrl": self.receiver.url() } },
            "eventDeliverySchema": "CloudEventSchemaV1_0",
        })
    }

    fn path(&self, operation: &Operation) -> String {
        let name = if operation.method == "DELETE" { "absent" } else { "hook" };
        let below = operation.path.trim_start_matches("/eventSubscriptions").replace("{name}", name);
        format!("{}{below}", self.base())
    }

    fn body(&self, operation: &Operation) -> Value {
        match operation.method.as_str() {
            "PUT" => json!({ "properties": self.properties() }),
            "PATCH" => json!({ "labels": ["a"] }),
            _ => json!({}),
        }
    }
}

#[test]
fn event_subscriptions_survive_garbage() {
    let server = Server::ephemeral();
    let hook = Hook::new(&server);
    let data = hook.vault.data();
    data.call("POST", "/keys/stays/create", Some(&json!({ "kty": "RSA" }))).expect("creating a key");
    let front = Front {
        document: event_subscriptions(),
        version: EVENTS_VERSION,
        path: Box::new(|operation| hook.path(operation)),
        body: Box::new(|operation| hook.body(operation)),
    };
    let mut range = Range::new(server.client().facts(), hook.arm.host(), token(&server, &hook.arm), Shape::Azure);
    front.fire(&mut range);
    assert_well(&server, &data);
    range.finish(400);
}

#[test]
fn the_right_bodies_are_right() {
    // Otherwise a wrong member would be refused for another reason than that it is wrong.
    let server = Server::ephemeral();
    let hook = Hook::new(&server);
    for operation in event_subscriptions().operations() {
        let body = hook.body(&operation);
        let body = Some(&body).filter(|_| operation.body.is_some());
        hook.arm.call(&operation.method, &hook.path(&operation), body).expect(&operation.path);
    }
}
