//! Secrets and certificates under garbage: the operations that their documents have, each on an object made for it.

use super::probe::{Range, Shape};
use super::{DATA_VERSION, Front, assert_well, fire_names, token};
use crate::who_may::{
    filled,
    needs::{self, Need},
    objects,
};
use domain::{ContainerKind, ObjectKind};
use e2e::{
    client::Target,
    containers::Container,
    openapi::{Document, Operation},
    process::Server,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Path and right body of an operation, by its method and its path in the document.
type Requests = BTreeMap<(String, String), (String, Value)>;

fn document_of(kind: ObjectKind) -> Document {
    Document::azure(&format!("data-plane-{}-2026-04-01.json", kind.collection()))
}

/// A right request for every operation, with what it acts on.
fn requests(data: &Target, kind: ObjectKind) -> Requests {
    let operations = document_of(kind).operations();
    let made = operations.iter().enumerate().map(|(number, operation)| {
        let Some(Need::Right(right)) = needs::data_plane(&operation.method, &operation.path) else {
            panic!("nobody knows what {} {} needs", operation.method, operation.path);
        };
        let name = format!("g{number}");
        let body = match kind {
            ObjectKind::Certificate => objects::of_certificate(data, right, &name),
            _ => objects::of_secret(data, right, &name),
        };
        // Of what is there, the current version; it may not be left out, as other methods mean the whole object then.
        let live = data.get(&format!("/{}/{name}", kind.collection()));
        let id = live.body.get("id").and_then(Value::as_str).unwrap_or_default();
        let path = filled(&operation.path, &name, id.rsplit('/').next().unwrap_or_default());
        (key(operation), (path, body.unwrap_or_else(|| json!({}))))
    });
    made.collect()
}

fn key(operation: &Operation) -> (String, String) {
    (operation.method.clone(), operation.path.clone())
}

fn survives_garbage(kind: ObjectKind, at_least: usize) {
    let server = Server::ephemeral();
    let data = Container::made(server.client(), ContainerKind::Vault, "target").data();
    data.call("POST", "/keys/stays/create", Some(&json!({ "kty": "RSA" }))).expect("creating a key");
    let requests = requests(&data, kind);
    let front = Front {
        document: document_of(kind),
        version: DATA_VERSION,
        path: Box::new(|operation| requests[&key(operation)].0.clone()),
        body: Box::new(|operation| requests[&key(operation)].1.clone()),
    };
    let mut range = Range::new(server.client().facts(), data.host(), token(&server, &data), Shape::Azure);
    front.fire(&mut range);
    fire_names(&mut range, &front.document, DATA_VERSION);
    assert_well(&server, &data);
    range.finish(at_least);
}

#[test]
fn secrets_survive_garbage() {
    survives_garbage(ObjectKind::Secret, 1_000);
}

#[test]
fn certificates_survive_garbage() {
    survives_garbage(ObjectKind::Certificate, 5_000);
}

#[test]
fn the_right_requests_are_right() {
    // Otherwise a wrong member would be refused for another reason than that it is wrong.
    let server = Server::ephemeral();
    for kind in [ObjectKind::Secret, ObjectKind::Certificate] {
        let data = Container::made(server.client(), ContainerKind::Vault, kind.collection()).data();
        for ((method, template), (path, body)) in requests(&data, kind) {
            // Contacts are one thing for the whole vault: who takes them away leaves none to look at.
            if template.ends_with("/contacts") && method != "PUT" {
                continue;
            }
            data.call(&method, &path, Some(&body).filter(|_| method != "GET" && method != "DELETE")).expect(&template);
        }
    }
}
