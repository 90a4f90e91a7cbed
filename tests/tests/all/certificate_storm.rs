//! Several at once make, cancel, merge, disable, delete, recover and purge the same certificate. Whoever comes when, there
//! is a certificate with its key and its secret in the end, or none of the three.

use super::who_may::objects::signed_outside;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use custody::x509;
use domain::{ContainerKind, Curve, ObjectKind, PublicKey};
use e2e::{
    client::{Answer, Target},
    containers::Container,
    process::Server,
    random::Random,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, thread};

const PEOPLE: u64 = 4;
const ROUNDS: u64 = 8;
/// Of each. Versions are fewer than fit on a page.
const ACTS: usize = 24;
/// What may be said when somebody else was faster; 429 asks to try again.
const REFUSALS: [u16; 5] = [400, 403, 404, 409, 429];

/// Somebody at work on a certificate.
struct Person<'a> {
    data: &'a Target,
    name: &'a str,
    random: Random,
}

impl Person<'_> {
    fn call(&self, method: &str, collection: &str, below: &str, body: &Value) -> Answer {
        let path = format!("/{collection}/{}{below}", self.name);
        self.data.call(method, &path, Some(body).filter(|body| !body.is_null()))
    }

    fn act(&mut self) -> Answer {
        const LIVE: &str = "certificates";
        const DELETED: &str = "deletedcertificates";
        match self.random.below(12) {
            0 | 1 => self.create("Self"),
            2 | 3 => self.create("Unknown"),
            4 => self.call("PATCH", LIVE, "/pending", &json!({ "cancellation_requested": true })),
            5 => self.call("DELETE", LIVE, "/pending", &Value::Null),
            6 | 7 => self.merge(),
            8 => {
                let enabled = self.random.below(2) == 0;
                self.call("PATCH", LIVE, "", &json!({ "attributes": { "enabled": enabled } }))
            }
            9 => self.call("DELETE", LIVE, "", &Value::Null),
            10 => self.call("POST", DELETED, "/recover", &Value::Null),
            _ => self.call("DELETE", DELETED, "", &Value::Null),
        }
    }

    fn create(&self, issuer: &str) -> Answer {
        let policy = json!({
            "key_props": { "kty": "EC", "crv": "P-256", "reuse_key": true },
            "secret_props": { "contentType": "application/x-pem-file" },
            "x509_props": { "subject": "CN=storm" },
            "issuer": { "name": issuer },
        });
        self.call("POST", "certificates", "/create", &json!({ "policy": policy }))
    }

    fn merge(&self) -> Answer {
        let pending = self.call("GET", "certificates", "/pending", &Value::Null);
        let Some(csr) = pending.body.get("csr").and_then(Value::as_str) else { return pending };
        let chain = signed_outside(&STANDARD.decode(csr).unwrap()).map(|der| STANDARD.encode(der));
        self.call("POST", "certificates", "/pending/merge", &json!({ "x5c": chain }))
    }
}

/// How the three stand when nobody is at work any more.
struct Aftermath<'a> {
    data: &'a Target,
    name: &'a str,
}

impl Aftermath<'_> {
    fn one(&self, kind: ObjectKind, deleted: &str) -> Option<Value> {
        let answer = self.data.get(&format!("/{deleted}{}/{}", kind.collection(), self.name));
        assert!(answer.is_success() || answer.status == 404, "{kind}: {} {}", answer.status, answer.body);
        answer.is_success().then_some(answer.body)
    }

    /// Whether there is a whole one.
    fn check(&self) -> bool {
        let enable = json!({ "attributes": { "enabled": true } });
        let enabled = self.data.call("PATCH", &format!("/certificates/{}", self.name), Some(&enable));
        assert!(enabled.is_success() || enabled.status == 404, "{}", enabled.body);
        let live = self.one(ObjectKind::Certificate, "");
        let deleted = self.one(ObjectKind::Certificate, "deleted");
        assert!(live.is_none() || deleted.is_none(), "it is live and deleted");
        for (state, certificate) in [("", &live), ("deleted", &deleted)] {
            let is_whole = certificate.as_ref().is_some_and(|certificate| certificate.get("sid").is_some());
            for kind in ObjectKind::Certificate.followers() {
                assert_eq!(self.one(*kind, state).is_some(), is_whole, "{state} {kind} of {certificate:?}");
            }
        }
        let whole = live.filter(|certificate| certificate.get("sid").is_some());
        if let Some(certificate) = &whole {
            self.check_three(certificate);
        }
        whole.is_some()
    }

    fn check_three(&self, certificate: &Value) {
        let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let key = self.one(ObjectKind::Key, "").unwrap();
        let secret = self.one(ObjectKind::Secret, "").unwrap();
        assert_eq!((&key["managed"], &secret["managed"]), (&json!(true), &json!(true)));
        assert_eq!((&certificate["kid"], &certificate["sid"]), (&key["key"]["kid"], &secret["id"]));
        assert!(text(certificate, "/id").ends_with(&version_of(&secret["id"])));
        let cer = text(certificate, "/cer");
        let [x, y] = ["/key/x", "/key/y"].map(|part| base64url(&text(&key, part)));
        let read = x509::Certificate::read(&STANDARD.decode(&cer).unwrap()).unwrap();
        assert!(read.has_key(&PublicKey::Ec { curve: Curve::P256, x, y }), "the certificate is of another key");
        let file = text(&secret, "/value").replace('\n', "");
        assert!(file.contains("BEGIN PRIVATE KEY") && file.contains(&cer), "the secret is of another certificate");
        let whole = self.versions(ObjectKind::Certificate, |version| version.get("x5t").is_some());
        assert!(whole.contains(&version_of(&secret["id"])));
        for kind in ObjectKind::Certificate.followers() {
            assert_eq!(self.versions(*kind, |_| true), whole, "versions of the {kind}");
        }
    }

    fn versions(&self, kind: ObjectKind, is_meant: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let page = self.data.get(&format!("/{}/{}/versions", kind.collection(), self.name)).expect("versions");
        assert_eq!(page["nextLink"], Value::Null, "more versions than a page has");
        let versions = page["value"].as_array().unwrap().iter().filter(|version| is_meant(version));
        versions.map(|version| version_of(version.get("id").or(version.get("kid")).unwrap())).collect()
    }
}

fn version_of(id: &Value) -> String {
    id.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn base64url(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn however_many_make_a_certificate_its_key_and_secret_are_its_own() {
    let server = Server::ephemeral();
    let data = Container::made(server.client(), ContainerKind::Vault, "storm").data();
    for round in 0..ROUNDS {
        let name = format!("c{round}");
        thread::scope(|scope| {
            for person in 0..PEOPLE {
                let random = Random::new(1 + round * PEOPLE + person);
                let mut person = Person { data: &data, name: &name, random };
                scope.spawn(move || {
                    for _ in 0..ACTS {
                        let answer = person.act();
                        let is_known = answer.is_success() || REFUSALS.contains(&answer.status);
                        assert!(is_known, "{} {}", answer.status, answer.body);
                    }
                });
            }
        });
        let aftermath = Aftermath { data: &data, name: &name };
        aftermath.check();
        // Whatever was left, the next one can be made of it.
        let last = Person { data: &data, name: &name, random: Random::new(0) };
        for (method, collection, below) in
            [("POST", "deletedcertificates", "/recover"), ("DELETE", "certificates", "/pending")]
        {
            last.call(method, collection, below, &Value::Null);
        }
        last.create("Self").expect("another version");
        assert!(aftermath.check());
    }
    server.assert_no_panic();
}
