//! Notices, from the change to a receiver that takes them: a real server, a real receiver, and what lies between.

use domain::ContainerKind;
use e2e::{
    client::{Answer, Client, Target},
    containers::Container,
    process::Server,
    receiver::{Manner, Received, Receiver},
    tls::Certificates,
};
use serde_json::{Value, json};
use std::fs;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A vault with an event subscription.
struct Scene {
    client: Client,
    vault: String,
    data: Target,
}

impl Scene {
    fn new(client: &Client) -> Self {
        let container = Container::made(client, ContainerKind::Vault, "telling");
        let (subscription, group) = (client.facts().get("SUBSCRIPTION"), client.facts().get("RESOURCE_GROUP"));
        let vault =
            format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/telling");
        Self { client: client.clone(), vault, data: container.data() }
    }

    fn subscribe(&self, receiver: &Receiver, properties: &Value) -> Answer {
        let mut all = json!({
            "destination": { "endpointType": "WebHook", "properties": { "endpointUrl": receiver.url() } },
            "eventDeliverySchema": "CloudEventSchemaV1_0",
        });
        for (name, value) in properties.as_object().unwrap() {
            all[name] = value.clone();
        }
        let path = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions/events", self.vault);
        self.client.arm_authorization().call("PUT", &path, Some(&json!({ "properties": all })))
    }

    /// Subscribes, and gives what the receiver was asked.
    fn subscribed(&self, receiver: &Receiver, properties: &Value) -> Received {
        self.subscribe(receiver, properties).expect("an event subscription");
        receiver.next()
    }

    fn set_secret(&self, name: &str, attributes: &Value) -> Value {
        let body = json!({ "value": "hush", "attributes": attributes });
        self.data.call("PUT", &format!("/secrets/{name}"), Some(&body)).expect("setting a secret")
    }

    /// How many attempts have had this outcome, as soon as there are at least so many.
    fn attempts(&self, after: &str, at_least: u64) -> u64 {
        let line = format!("strongroom_notice_attempts_total{{after=\"{after}\"}} ");
        let patience = self.client.clock().0 + 60;
        loop {
            let page = self.client.plain_text("/metrics");
            let count = page.lines().find_map(|found| found.strip_prefix(&line)).unwrap().parse().unwrap();
            if count >= at_least {
                return count;
            }
            assert!(self.client.clock().0 < patience, "{after}: never {at_least}\n{page}");
        }
    }
}

fn kind_of(received: &Received) -> &str {
    received.body["type"].as_str().unwrap().rsplit('.').next().unwrap()
}

fn id_of(received: &Received) -> String {
    received.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_change_is_told_over_https_to_who_has_agreed() {
    let certificates = Certificates::of(&["127.0.0.1"]);
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, &certificates.authority).unwrap();
    let server = Server::ephemeral_with(&["--notices-ca-file", ca_file.to_str().unwrap()]);
    let receiver = Receiver::start(Some(&certificates));
    let scene = Scene::new(server.client());
    receiver.allows("localhost");
    let asked = scene.subscribed(&receiver, &json!({ "filter": { "subjectBeginsWith": "sign" } }));
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("OPTIONS", "/in?code=s3cret"));
    assert_eq!(asked.header("webhook-request-origin"), "localhost");
    scene.data.create_key("other");
    let kid = scene.data.create_key("signer")["key"]["kid"].as_str().unwrap().to_owned();
    let told = receiver.next();
    assert_eq!((told.method.as_str(), told.target.as_str()), ("POST", "/in?code=s3cret"));
    assert_eq!(told.header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!((told.header("aeg-event-type"), told.header("aeg-subscription-name")), ("Notification", "events"));
    assert_eq!(told.header("aeg-delivery-count"), "0");
    let event = &told.body;
    assert_eq!((&event["specversion"], &event["source"]), (&json!("1.0"), &json!(scene.vault)));
    assert_eq!((kind_of(&told), &event["subject"]), ("KeyNewVersionCreated", &json!("signer")));
    let data = &event["data"];
    assert_eq!((&data["VaultName"], &data["ObjectType"]), (&json!("telling"), &json!("Key")));
    // The id of the object is its URL under the installation's own name.
    let (path, version) = (kid.splitn(4, '/').nth(3).unwrap(), kid.rsplit('/').next().unwrap());
    assert_eq!(
        (data["Id"].as_str().unwrap().splitn(4, '/').nth(3).unwrap(), &data["Version"]),
        (path, &json!(version))
    );
    assert_eq!(receiver.rest().len(), 0);
    server.assert_no_panic();
    assert!(!server.complaints().contains("s3cret"), "{}", server.complaints());
}

#[test]
fn who_wants_event_grids_own_schema_gives_back_a_code_and_gets_arrays() {
    let server = Server::ephemeral();
    let receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    let asked = scene.subscribed(&receiver, &json!({ "eventDeliverySchema": "EventGridSchema" }));
    assert_eq!((asked.method.as_str(), asked.header("aeg-event-type")), ("POST", "SubscriptionValidation"));
    scene.set_secret("password", &json!({}));
    let told = receiver.next();
    assert_eq!(told.header("content-type"), "application/json; charset=utf-8");
    let event = &told.body[0];
    assert_eq!(event["eventType"], "Microsoft.KeyVault.SecretNewVersionCreated");
    assert_eq!((&event["topic"], &event["subject"]), (&json!(scene.vault), &json!("password")));
    assert!(!told.body.to_string().contains("hush"), "a notice never has the value");
}

#[test]
fn who_does_not_agree_is_told_nothing() {
    let server = Server::ephemeral();
    let mut receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    receiver.allows("eventgrid.azure.net");
    let refused = scene.subscribe(&receiver, &json!({}));
    assert_eq!((refused.status, refused.code()), (400, "Url validation"), "{}", refused.body);
    receiver.go_down();
    let refused = scene.subscribe(&receiver, &json!({}));
    assert_eq!((refused.status, refused.code()), (400, "Url validation"), "{}", refused.body);
    receiver.allows("*");
    receiver.come_up();
    scene.set_secret("password", &json!({}));
    scene.subscribed(&receiver, &json!({}));
    scene.set_secret("other", &json!({}));
    assert_eq!(receiver.rest().iter().filter(|each| each.method == "POST").count(), 0);
    assert_eq!(receiver.next().body["subject"], "other", "and nothing that was before");
}

#[test]
fn a_receiver_that_was_down_for_an_hour_is_told_once() {
    let server = Server::ephemeral();
    let mut receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    scene.subscribed(&receiver, &json!({}));
    receiver.go_down();
    scene.set_secret("password", &json!({}));
    // Each attempt fails, and the next one is made when its time has come.
    let mut failed = 0;
    for seconds in [10, 30, 60, 300, 600, 1_800] {
        failed = scene.attempts("repeated", failed + 1);
        scene.client.advance_seconds(seconds);
    }
    failed = scene.attempts("repeated", failed + 1);
    assert_eq!(failed, 7, "the sixth retry came after {} seconds", 10 + 30 + 60 + 300 + 600 + 1_800);
    scene.client.advance_seconds(HOUR - 2_800);
    receiver.come_up();
    scene.client.advance_seconds(HOUR);
    let told = receiver.next();
    assert_eq!((kind_of(&told), told.header("aeg-delivery-count")), ("SecretNewVersionCreated", "7"));
    scene.attempts("delivered", 1);
    scene.client.advance_days(2);
    scene.set_secret("after", &json!({}));
    assert_eq!(receiver.next().body["subject"], "after", "the first came once");
    assert_eq!(receiver.rest().len(), 0);
}

#[test]
fn what_a_receiver_answers_decides_what_follows() {
    let server = Server::ephemeral();
    let receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    scene.subscribed(&receiver, &json!({}));
    for (before, status) in (0..).zip([503, 429, 302]) {
        receiver.answers_next(Manner::Status(status));
        scene.set_secret("again", &json!({}));
        let first = receiver.next();
        assert_eq!(first.header("aeg-delivery-count"), "0");
        scene.attempts("repeated", before + 1);
        scene.client.advance_seconds(30);
        let second = receiver.next();
        assert_eq!((id_of(&second), second.header("aeg-delivery-count")), (id_of(&first), "1"), "{status}");
        assert_eq!(second.body, first.body);
        scene.attempts("delivered", before + 1);
    }
    receiver.answers_next(Manner::Status(400));
    scene.set_secret("never", &json!({}));
    assert_eq!(receiver.next().body["subject"], "never");
    scene.attempts("dropped", 1);
    scene.client.advance_days(1);
    scene.set_secret("next", &json!({}));
    assert_eq!(receiver.next().body["subject"], "next", "what was refused for good does not come again");
}

#[test]
fn a_server_that_dies_before_it_knows_the_outcome_tells_again() {
    let mut server = Server::kept();
    let receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    scene.subscribed(&receiver, &json!({}));
    receiver.answers_next(Manner::Silence);
    scene.set_secret("password", &json!({}));
    let first = receiver.next();
    server.kill_9();
    server.restart();
    let second = receiver.next();
    assert_eq!(second.body, first.body, "the same id, and all else");
    assert_eq!(second.header("aeg-delivery-count"), "0", "nobody knows of the first attempt");
    Scene::new(server.client()).attempts("delivered", 1);
    server.restart();
    scene.set_secret("after", &json!({}));
    assert_eq!(receiver.next().body["subject"], "after", "what was taken does not come again");
    assert_eq!(receiver.rest().len(), 0);
}

#[test]
fn what_a_dead_server_had_not_told_the_next_one_tells() {
    let mut server = Server::kept();
    let mut receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    scene.subscribed(&receiver, &json!({}));
    receiver.go_down();
    let names = ["one", "two", "three"];
    names.iter().for_each(|name| drop(scene.set_secret(name, &json!({}))));
    scene.attempts("repeated", 1);
    server.kill_9();
    receiver.come_up();
    server.restart();
    scene.client.advance_seconds(60);
    let mut told = names.map(|_| receiver.next().body["subject"].as_str().unwrap().to_owned());
    told.sort_unstable();
    assert_eq!(told, ["one", "three", "two"]);
}

#[test]
fn an_end_is_told_of_before_it_comes_and_when_it_has_come() {
    let server = Server::ephemeral();
    let receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    let kinds = ["SecretNearExpiry", "SecretExpired"].map(|kind| format!("Microsoft.KeyVault.{kind}"));
    scene.subscribed(&receiver, &json!({ "filter": { "includedEventTypes": kinds } }));
    let (now, _) = scene.client.clock();
    let version = scene.set_secret("password", &json!({ "exp": now + 40 * DAY }))["id"].as_str().unwrap().to_owned();
    scene.client.advance_days(9);
    scene.client.advance_days(1);
    let near = receiver.next();
    assert_eq!((kind_of(&near), &near.body["data"]["EXP"]), ("SecretNearExpiry", &json!(now + 40 * DAY)));
    assert_eq!(near.body["data"]["Version"].as_str(), version.rsplit('/').next());
    scene.client.advance_days(30);
    assert_eq!(kind_of(&receiver.next()), "SecretExpired");
    scene.client.advance_days(400);
    assert_eq!(receiver.rest().len(), 0);
}

#[test]
fn a_renewed_certificate_is_told_of_to_a_receiver_that_was_down_for_an_hour() {
    let server = Server::ephemeral();
    let mut receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    let only = ["Microsoft.KeyVault.CertificateNewVersionCreated"];
    scene.subscribed(&receiver, &json!({ "filter": { "includedEventTypes": only } }));
    let policy = json!({ "issuer": { "name": "Self" }, "x509_props": { "subject": "CN=site" } });
    scene.data.call("POST", "/certificates/site/create", Some(&json!({ "policy": policy }))).expect("a certificate");
    let first = receiver.next().body["data"].clone();
    scene.attempts("delivered", 1);
    receiver.go_down();
    scene.client.advance_days(293);
    scene.attempts("repeated", 1);
    receiver.come_up();
    scene.client.advance_seconds(HOUR);
    let told = receiver.next();
    let renewed = &told.body["data"];
    assert_eq!((kind_of(&told), &renewed["ObjectName"]), ("CertificateNewVersionCreated", &json!("site")));
    assert_ne!(renewed["Version"], first["Version"]);
    let version = |path: &str| {
        let found = scene.data.call("GET", path, None).expect("a version");
        found["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(version("/certificates/site"), renewed["Version"].as_str().unwrap());
    let old = first["Version"].as_str().unwrap();
    assert_eq!(version(&format!("/certificates/site/{old}")), old, "the one before still works");
    scene.attempts("delivered", 2);
    assert_eq!(receiver.rest().len(), 0, "once, and nothing of its key and its secret");
}

#[test]
fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let server = Server::ephemeral();
    let (silent, other) = (Receiver::start(None), Receiver::start(None));
    let scene = Scene::new(server.client());
    scene.subscribed(&silent, &json!({}));
    let path = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions/others", scene.vault);
    let hook = json!({ "endpointType": "WebHook", "properties": { "endpointUrl": other.url() } });
    let body = json!({ "properties": { "destination": hook, "eventDeliverySchema": "CloudEventSchemaV1_0" } });
    scene.client.arm_authorization().call("PUT", &path, Some(&body)).expect("another event subscription");
    let _asked = other.next();
    (0..20).for_each(|_| silent.answers_next(Manner::Silence));
    let names: Vec<String> = (0..20).map(|number| format!("secret-{number:02}")).collect();
    names.iter().for_each(|name| drop(scene.set_secret(name, &json!({}))));
    let mut told: Vec<String> =
        names.iter().map(|_| other.next().body["subject"].as_str().unwrap().to_owned()).collect();
    told.sort_unstable();
    assert_eq!(told, names);
    assert!(silent.rest().len() <= 4, "few are on their way to one that does not answer");
}

#[test]
fn a_change_of_access_is_told() {
    let server = Server::ephemeral();
    let receiver = Receiver::start(None);
    let scene = Scene::new(server.client());
    scene.subscribed(&receiver, &json!({}));
    let client = server.client();
    let policy = json!({
        "tenantId": client.facts().get("TENANT"),
        "objectId": client.facts().get("NOBODY_OBJECT_ID"),
        "permissions": { "secrets": ["get"] },
    });
    let body = json!({ "properties": { "accessPolicies": [policy] } });
    client.arm().call("PUT", &format!("{}/accessPolicies/add", scene.vault), Some(&body)).expect("a policy");
    let told = receiver.next();
    assert_eq!((kind_of(&told), &told.body["subject"]), ("VaultAccessPolicyChanged", &json!("telling")));
}
