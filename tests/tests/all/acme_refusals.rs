//! What an ACME server, or this installation, says no to, and where it is read: in the pending operation.

use crate::acme::World;
use e2e::{acme::AcmeServer, process::free_port, production::Installation};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// How a certificate has failed: code and message.
fn failure(world: &World, name: &str) -> (String, String) {
    let pending = world.settled(name);
    assert_eq!(pending["status"], "failed", "{pending}");
    let text = |member: &str| pending["error"][member].as_str().unwrap().to_owned();
    (text("code"), text("message"))
}

#[test]
fn what_the_server_refuses_is_read_in_the_pending_operation_in_its_words() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    world.acme.tell(&json!({ "rejected": ["bank.test"] }));
    world.begin("bank", "public", &["bank.test"]);
    let expected = ("RejectedIdentifier".to_owned(), "Example: bank.test is not certified here".to_owned());
    assert_eq!(failure(&world, "bank"), expected);
    let address = json!({ "subject": "CN=www.contoso.test", "sans": { "ipAddresses": ["10.0.0.1"] } });
    world.begin_with("address", "public", &address);
    let expected = ("UnsupportedIdentifier".to_owned(), "Example: 10.0.0.1 is no DNS name".to_owned());
    assert_eq!(failure(&world, "address"), expected);
    world.acme.tell(&json!({ "termsOfService": "https://acme.example/terms" }));
    world.acme.tell(&json!({ "addresses": true }));
    world.begin_with("both", "public", &address);
    world.complete("both");
}

#[test]
fn a_certificate_of_other_names_than_were_ordered_is_none() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    world.begin("web", "public", &["www.contoso.test"]);
    world.complete("web");
    world.acme.tell(&json!({ "mixedUp": true }));
    world.begin("shop", "public", &["shop.contoso.test"]);
    let message = "Example: the certificate is not about the names that were ordered.";
    assert_eq!(failure(&world, "shop"), ("IssuerAnswerInvalid".to_owned(), message.to_owned()));
}

#[test]
fn credentials_that_the_server_has_no_use_for_are_refused() {
    let world = World::new();
    world.issuer("brings", "ACME", &json!({ "account_id": "customer", "pwd": "c2VjcmV0" }));
    world.begin("web", "brings", &["www.contoso.test"]);
    let (code, message) = failure(&world, "web");
    assert_eq!(code, "CredentialsInvalid");
    assert!(message.contains("takes no external accounts"), "{message}");
    assert_eq!(world.acme.counts()["accounts"], json!([]), "nobody has an account");
}

#[test]
fn what_cannot_be_ordered_is_refused_before_anybody_is_asked() {
    let world = World::with("domains = [\"contoso.test\", \"localhost\"]\n");
    world.issuer("public", "ACME", &Value::Null);
    let dns = |name: &str| json!({ "subject": "CN=x", "sans": { "dns_names": [name] } });
    let titled =
        |title: &str| json!({ "subject": format!("CN={title}"), "sans": { "dns_names": ["www.contoso.test"] } });
    let emails = json!({ "subject": "CN=www.contoso.test", "sans": { "emails": ["ops@contoso.test"] } });
    for (name, x509, code, part) in [
        ("mail", emails, "UnsupportedIdentifier", "not addresses of e-mail"),
        ("title", json!({ "subject": "CN=Contoso Web" }), "NoIdentifier", "no DNS name"),
        ("own", dns("login.localhost"), "NameNotAllowed", "login.localhost may not be ordered here"),
        ("title-own", titled("login.localhost."), "NameNotAllowed", "login.localhost may not be ordered here"),
        ("foreign", dns("www.fabrikam.test"), "NameNotAllowed", "none of the domains"),
    ] {
        world.begin_with(name, "public", &x509);
        let (found, message) = failure(&world, name);
        assert!(found == code && message.contains(part), "{name}: {found}: {message}");
    }
    assert_eq!(world.acme.counts()["accounts"], json!([]), "nobody was asked");
    // The server insists that names are shown by DNS, but for those that it knows already.
    world.begin("wild", "public", &["*.contoso.test"]);
    let (code, message) = failure(&world, "wild");
    assert_eq!(code, "NoChallenge");
    assert_eq!(message, "Example: contoso.test can't be proven by http-01, only by dns-01.");
    world.acme.tell(&json!({ "preauthorised": true }));
    world.begin("wild-again", "public", &["*.contoso.test"]);
    world.complete("wild-again");
}

#[test]
fn an_external_account_is_needed_and_its_secret_is_told_to_nobody() {
    const KEY: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I";
    const WRONG: &str = "d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmctd3I";
    let world = World::new();
    world.acme.tell(&json!({ "external": { "customer": KEY } }));
    world.issuer("none", "ACME", &Value::Null);
    world.issuer("half", "ACME", &json!({ "account_id": "customer" }));
    world.issuer("wrong", "ACME", &json!({ "account_id": "customer", "pwd": WRONG }));
    world.issuer("garbled", "ACME", &json!({ "account_id": "customer", "pwd": "not base64!" }));
    for (issuer, code, message) in [
        ("none", "ExternalAccountRequired", "Example: an external account is needed"),
        ("half", "CredentialsInvalid", "half: an external account has both an id and a password"),
        ("wrong", "Unauthorized", "Example: the external account is not known"),
        ("garbled", "CredentialsInvalid", "garbled: the password is not an HMAC key in base64url"),
    ] {
        world.begin(issuer, issuer, &["www.contoso.test"]);
        assert_eq!(failure(&world, issuer), (code.to_owned(), message.to_owned()));
    }
    world.issuer("right", "ACME", &json!({ "account_id": "customer", "pwd": KEY }));
    for name in ["web", "web-again"] {
        world.begin(name, "right", &["www.contoso.test"]);
        world.complete(name);
    }
    assert_eq!(world.acme.counts()["accounts"].as_array().map(Vec::len), Some(1));
    let shown = world.vault().get("/certificates/issuers/right").expect("right");
    assert!(!shown.to_string().contains(KEY) && !world.server.complaints().contains(KEY));
    // Whoever has the id alone does not come in through the account that is there.
    world.begin("thief", "wrong", &["www.contoso.test"]);
    assert_eq!(failure(&world, "thief").0, "Unauthorized");
}

#[test]
fn an_issuer_says_which_server_if_there_are_several() {
    let other = AcmeServer::start(env!("CARGO_BIN_EXE_acme"));
    let (directory, ca_file) = (other.directory(), other.ca_file());
    let second =
        format!("[[acme]]\nname = \"Other\"\ndirectory = \"{directory}\"\nca_file = \"{}\"\n", ca_file.display());
    let world = World::with(&second);
    other.tell(&json!({ "challengePort": world.challenge_port }));
    for (issuer, provider) in [("any", "ACME"), ("other", "OTHER"), ("foreign", "Elsewhere")] {
        world.issuer(issuer, provider, &Value::Null);
        world.begin(issuer, issuer, &["www.contoso.test"]);
    }
    let (code, message) = failure(&world, "any");
    assert_eq!(code, "ProviderAmbiguous");
    assert_eq!(message, "The provider of the issuer any has to name one of: Example, Other.");
    assert_eq!(failure(&world, "foreign").0, "ProviderUnknown");
    world.complete("other");
    assert_eq!((other.counts()["orders"].as_u64(), world.acme.counts()["orders"].as_u64()), (Some(1), Some(0)));
}

#[test]
fn a_server_cannot_make_us_ask_somebody_else() {
    let world = World::new();
    let other = AcmeServer::start(env!("CARGO_BIN_EXE_acme"));
    world.issuer("public", "ACME", &Value::Null);
    let elsewhere = other.directory().replace("/directory", "/new-order");
    world.acme.tell(&json!({ "elsewhere": elsewhere }));
    world.begin("web", "public", &["www.contoso.test"]);
    let details = world.details("web");
    assert_eq!(details, format!("Example: it names an address that is not its own: {elsewhere}"));
    assert_eq!(other.counts()["nonces"].as_u64(), Some(0));
}

#[test]
fn terms_are_agreed_to_by_the_operator_and_cancelled_orders_end() {
    let world = World::new();
    world.issuer("public", "ACME", &Value::Null);
    world.acme.tell(&json!({ "termsOfService": "https://acme.example/terms" }));
    world.begin("terms", "public", &["www.contoso.test"]);
    let (code, message) = failure(&world, "terms");
    assert!(code == "TermsNotAgreed" && message.ends_with("https://acme.example/terms"), "{code}: {message}");
    world.acme.tell(&json!({ "termsOfService": null, "held": true }));
    world.begin("web", "public", &["www.contoso.test"]);
    world.client().advance_seconds(5);
    let cancelled =
        world.vault().call("PATCH", "/certificates/web/pending", Some(&json!({ "cancellation_requested": true })));
    cancelled.expect("cancelling");
    assert_eq!(world.settled("web")["status"], "cancelled");
}

#[test]
fn in_production_the_challenges_have_a_port_of_their_own_with_nothing_else() {
    let port = free_port();
    let acme = AcmeServer::start(env!("CARGO_BIN_EXE_acme"));
    let (directory, ca_file) = (acme.directory(), acme.ca_file());
    let more = format!(
        "http_challenges = \"127.0.0.1:{port}\"\n[[acme]]\nname = \"Example\"\ndirectory = \"{directory}\"\n\
         ca_file = \"{}\"\n",
        ca_file.display()
    );
    let mut installation = Installation::configured(&more);
    assert!(installation.init(&[]).status.success());
    installation.serve();
    for path in ["/", "/keys?api-version=7.5", "/metrics", "/.well-known/acme-challenge/token"] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: keys.example\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
    assert_eq!(acme.counts()["nonces"].as_u64(), Some(0), "nobody is asked before something is ordered");
}
