//! Certificates from an ACME server, which is a process of its own: ordered, proven, issued, renewed, whatever is started
//! again in between.

use e2e::{
    acme::AcmeServer,
    client::{Answer, Client, Target},
    process::{Server, free_port},
};
use serde_json::{Value, json};
use std::{fs, process::Command};

const VAULT: &str = "devvault";
/// Long enough for an order to be looked at again, whoever chose when.
const A_WHILE: i64 = 30;
/// More steps than any order here has.
const STEPS: usize = 20;

/// A development server beside an ACME server that it is to use.
pub struct World {
    pub acme: AcmeServer,
    pub server: Server,
    pub challenge_port: u16,
}

impl World {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With more said about the ACME server in the configuration.
    pub fn with(more: &str) -> Self {
        let acme = AcmeServer::start(env!("CARGO_BIN_EXE_acme"));
        let challenge_port = free_port();
        let configuration = acme.configuration("Example", challenge_port, more);
        let server = Server::kept_with(&["--acme", configuration.to_str().unwrap()]);
        let world = Self { acme, server, challenge_port };
        world.acme.tell(&json!({ "challengePort": challenge_port }));
        world
    }

    pub fn client(&self) -> &Client {
        self.server.client()
    }

    pub fn vault(&self) -> Target {
        self.client().vault(VAULT)
    }

    /// Sets an issuer of the vault.
    pub fn issuer(&self, name: &str, provider: &str, credentials: &Value) {
        let body = json!({ "provider": provider, "credentials": credentials });
        self.vault().call("PUT", &format!("/certificates/issuers/{name}"), Some(&body)).expect(name);
    }

    /// Begins a certificate of an issuer for these DNS names, the first of which is its subject.
    pub fn begin(&self, name: &str, issuer: &str, names: &[&str]) {
        self.begin_with(
            name,
            issuer,
            &json!({ "subject": format!("CN={}", names[0]), "sans": { "dns_names": names } }),
        );
    }

    pub fn begin_with(&self, name: &str, issuer: &str, x509: &Value) {
        let body = json!({ "policy": {
            "issuer": { "name": issuer }, "x509_props": x509, "key_props": { "kty": "EC", "crv": "P-256" },
            "secret_props": { "contentType": "application/x-pem-file" },
        } });
        let path = format!("/certificates/{name}/create");
        let begun = self.vault().call("POST", &path, Some(&body));
        assert_eq!(begun.status, 202, "{}", begun.body);
    }

    pub fn pending(&self, name: &str) -> Value {
        self.vault().get(&format!("/certificates/{name}/pending")).expect(name)
    }

    /// The pending operation when it has ended; time passes.
    pub fn settled(&self, name: &str) -> Value {
        for _ in 0..STEPS {
            let pending = self.pending(name);
            if pending["status"] != "inProgress" {
                return pending;
            }
            self.client().advance_seconds(A_WHILE);
        }
        panic!("{name} has no end: {}", self.pending(name));
    }

    pub fn complete(&self, name: &str) {
        let pending = self.settled(name);
        assert_eq!(pending["status"], "completed", "{pending}");
    }

    /// What the pending operation says of itself after one more step.
    pub fn details(&self, name: &str) -> String {
        self.client().advance_seconds(1);
        let pending = self.pending(name);
        assert_eq!(pending["status"], "inProgress", "{pending}");
        pending["status_details"].as_str().unwrap().to_owned()
    }

    fn secret(&self, name: &str) -> String {
        let secret = self.vault().get(&format!("/secrets/{name}")).expect(name);
        secret["value"].as_str().unwrap().to_owned()
    }

    /// Has OpenSSL verify the chain that a certificate came with, for a name. What the clock says does not count: ours has
    /// moved.
    fn verify(&self, name: &str, host: &str) {
        let file = self.server.folder().join(format!("{name}.pem"));
        fs::write(&file, self.secret(name)).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-no_check_time", "-purpose", "sslserver", "-verify_hostname", host, "-CAfile"]);
        let said = openssl.arg(self.acme.root_file()).arg("-untrusted").arg(&file).arg(&file).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    fn versions(&self, name: &str) -> Vec<Value> {
        let answer: Answer = self.vault().get(&format!("/certificates/{name}/versions"));
        answer.expect(name)["value"].as_array().unwrap().clone()
    }

    fn orders(&self) -> u64 {
        self.acme.counts()["orders"].as_u64().unwrap()
    }
}

#[test]
fn a_certificate_is_ordered_proven_and_comes_with_its_chain() {
    let world = World::with("contact = [\"mailto:ops@example.com\"]\nterms_agreed = true\n");
    world.acme.tell(&json!({ "badNonces": 1, "processing": 2, "termsOfService": "https://acme.example/terms" }));
    world.issuer("public", "acme", &Value::Null);
    world.begin("web", "public", &["www.contoso.test", "API.contoso.test"]);
    world.complete("web");
    world.verify("web", "www.contoso.test");
    world.verify("web", "api.contoso.test");
    let pem = world.secret("web");
    assert!(pem.contains("PRIVATE KEY") && pem.matches("BEGIN CERTIFICATE").count() == 2, "the leaf and who signed it");
    assert_eq!(world.acme.counts()["accounts"], json!([["mailto:ops@example.com"]]));
    world.server.assert_no_panic();
}

#[test]
fn more_names_than_are_asked_about_at_once_are_proven_one_after_the_other() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    let names: Vec<String> = (0..40).map(|number| format!("host{number}.contoso.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.begin("web", "public", &names);
    world.complete("web");
    world.verify("web", "host39.contoso.test");
    assert_eq!(world.orders(), 1);
}

#[test]
fn one_account_and_one_order_outlive_a_restart() {
    let mut world = World::new();
    world.issuer("public", "Example", &Value::Null);
    world.begin("first", "public", &["first.contoso.test"]);
    world.complete("first");

    world.acme.tell(&json!({ "held": true }));
    world.begin("second", "public", &["second.contoso.test"]);
    world.client().advance_seconds(A_WHILE);
    assert_eq!(world.orders(), 2);
    world.server.restart();
    world.client().advance_seconds(A_WHILE);
    // Only now the name is looked at, and the new process answers.
    world.acme.tell(&json!({ "held": false }));
    world.complete("second");
    world.verify("second", "second.contoso.test");
    let counts = world.acme.counts();
    assert_eq!((counts["orders"].as_u64(), counts["accounts"].as_array().map(Vec::len)), (Some(2), Some(1)));
}

#[test]
fn an_order_that_nobody_answered_for_is_followed_by_another_up_to_three() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    let nowhere = free_port();
    world.acme.tell(&json!({ "challengePort": nowhere }));
    world.begin("web", "public", &["www.contoso.test"]);
    // Once to answer, once to see what has become of it.
    world.client().advance_seconds(A_WHILE);
    world.client().advance_seconds(A_WHILE);
    world.client().advance_seconds(A_WHILE);
    let details = world.details("web");
    assert!(details.starts_with("Example: www.contoso.test: ") && details.contains("refused"), "{details}");
    world.acme.tell(&json!({ "challengePort": world.challenge_port }));
    world.complete("web");
    assert_eq!(world.orders(), 2);

    world.acme.tell(&json!({ "challengePort": nowhere }));
    world.begin("never", "public", &["never.contoso.test"]);
    let failed = world.settled("never");
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("Connection")), "{failed}");
    assert_eq!(world.orders(), 5);
}

#[test]
fn a_server_that_is_down_is_asked_until_it_is_up_even_if_it_has_forgotten_us() {
    let mut world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    world.begin("before", "public", &["www.contoso.test"]);
    world.complete("before");
    world.acme.stop();
    world.begin("web", "public", &["www.contoso.test"]);
    let details = world.details("web");
    assert!(details.starts_with("Example: ") && details.contains("refused"), "{details}");
    world.client().advance_seconds(3_600);
    world.acme.restart();
    world.acme.tell(&json!({ "challengePort": world.challenge_port }));
    world.client().advance_seconds(3_600);
    world.client().advance_seconds(3_600);
    world.complete("web");
    world.verify("web", "www.contoso.test");
    assert_eq!(world.acme.counts()["accounts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_server_says_when_it_wants_to_be_asked_again() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    let limited = json!({ "type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many orders" });
    world.acme.tell(&json!({ "problem": { "status": 429, "problem": limited, "retryAfter": "7200" } }));
    world.begin("web", "public", &["www.contoso.test"]);
    assert_eq!(world.details("web"), "Example: too many orders");
    world.acme.tell(&json!({ "problem": null }));
    world.client().advance_seconds(7_000);
    assert_eq!((world.pending("web")["status"].clone(), world.orders()), (json!("inProgress"), 0), "not yet");
    world.client().advance_seconds(200);
    world.complete("web");
}

#[test]
fn at_80_percent_of_its_life_a_certificate_is_ordered_again() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    world.acme.tell(&json!({ "days": 90 }));
    world.begin("web", "public", &["www.contoso.test"]);
    world.complete("web");
    let ahead = |days: i64| world.acme.tell(&json!({ "aheadSeconds": days * 86_400 }));
    ahead(71);
    world.client().advance_days(71);
    world.client().advance_seconds(A_WHILE);
    assert_eq!((world.versions("web").len(), world.orders()), (1, 1), "not yet");
    ahead(73);
    world.client().advance_days(2);
    for _ in 0..STEPS {
        world.client().advance_seconds(A_WHILE);
    }
    let versions = world.versions("web");
    assert_eq!((versions.len(), world.orders()), (2, 2), "once");
    world.complete("web");
    world.verify("web", "www.contoso.test");
    let expiries: Vec<_> = versions.iter().map(|version| version["attributes"]["exp"].as_i64().unwrap()).collect();
    assert!((expiries[0] - expiries[1]).abs() > 70 * 86_400, "{expiries:?}");
    for version in &versions {
        let path = version["id"].as_str().unwrap().splitn(4, '/').nth(3).unwrap().to_owned();
        world.vault().get(&format!("/{}", path.replacen("certificates", "secrets", 1))).expect("both work");
    }
}
