//! What the server knows, and what it does with it: accounts, orders, authorizations (RFC 8555 §7).

use super::{
    issuing::Authority,
    jws::{Signed, thumbprint},
    validation::validate,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use custody::x509;
use engine::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// How the server behaves, as the tests tell it: `POST /control` with some of these.
#[derive(Clone)]
pub struct Settings(pub Value);

impl Settings {
    pub fn new() -> Self {
        Self(json!({
            // Where names are looked at.
            "challengePort": 80,
            // External accounts: key id to HMAC key in base64url. If there are any, one is needed.
            "external": {},
            "termsOfService": null,
            // Names that the server does not certify, and whether it does addresses.
            "rejected": [],
            "addresses": false,
            // Where the directory says that orders are placed, if that is not here.
            "elsewhere": null,
            // So many requests are answered with badNonce.
            "badNonces": 0,
            // Names are not looked at until they are let go.
            "held": false,
            // Whoever fetches a certificate is given the first that was made.
            "mixedUp": false,
            // Names need not be looked at.
            "preauthorised": false,
            // So often an order is still being processed.
            "processing": 0,
            // What new orders are answered with, if not as usual: status, problem, retryAfter.
            "problem": null,
            // How far the server's clock is from the machine's, and how long certificates are valid.
            "aheadSeconds": 0,
            "days": 90,
        }))
    }

    pub fn change(&mut self, changes: &Value) {
        for (name, value) in changes.as_object().unwrap() {
            assert!(self.0.get(name).is_some(), "there is no setting {name}");
            self.0[name] = value.clone();
        }
    }

    fn number(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap()
    }

    fn is(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap()
    }

    /// Counts down what is there a number of times.
    fn takes_one(&mut self, name: &str) -> bool {
        let left = self.number(name);
        self.0[name] = json!((left - 1).max(0));
        left > 0
    }
}

struct Account {
    jwk: Value,
    contact: Value,
}

struct Authorization {
    account: usize,
    identifier: Value,
    is_wildcard: bool,
    status: &'static str,
    /// Whether the client wants it to be looked at.
    is_asked: bool,
    error: Value,
}

struct Order {
    account: usize,
    identifiers: Vec<Value>,
    authorizations: Vec<usize>,
    chain: Option<String>,
    polls_left: i64,
}

/// An answer: status, body, and what stands in its header.
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(&'static str, String)>,
}

pub struct Server {
    pub base: String,
    pub settings: Settings,
    pub authority: Authority,
    nonces: HashSet<String>,
    given: usize,
    accounts: Vec<Account>,
    authorizations: Vec<Authorization>,
    orders: Vec<Order>,
}

pub fn problem(kind: &str, detail: &str) -> Value {
    json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail })
}

fn refuse(status: u16, kind: &str, detail: &str) -> Answer {
    let mut body = problem(kind, detail);
    body["status"] = json!(status);
    Answer { headers: vec![("content-type", "application/problem+json".to_owned())], ..answer(status, &body) }
}

fn answer(status: u16, body: &Value) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, body: body.to_string(), headers }
}

impl Answer {
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Server {
    pub fn new(base: String) -> Self {
        Self {
            base,
            settings: Settings::new(),
            authority: Authority::new(),
            nonces: HashSet::new(),
            given: 0,
            accounts: Vec::new(),
            authorizations: Vec::new(),
            orders: Vec::new(),
        }
    }

    pub fn nonce(&mut self) -> String {
        self.given += 1;
        let nonce = BASE64URL.encode(format!("nonce {}", self.given));
        self.nonces.insert(nonce.clone());
        nonce
    }

    pub fn directory(&self) -> Answer {
        let at = |path: &str| format!("{}/{path}", self.base);
        let mut meta = json!({});
        if !self.settings.0["termsOfService"].is_null() {
            meta["termsOfService"] = self.settings.0["termsOfService"].clone();
        }
        if !self.external().is_empty() {
            meta["externalAccountRequired"] = json!(true);
        }
        let orders = match &self.settings.0["elsewhere"] {
            Value::Null => json!(at("new-order")),
            elsewhere => elsewhere.clone(),
        };
        let body = json!({
            "newNonce": at("new-nonce"), "newAccount": at("new-account"), "newOrder": orders,
            "revokeCert": at("revoke-cert"), "keyChange": at("key-change"), "meta": meta,
        });
        answer(200, &body)
    }

    /// What there is, for the tests to count.
    pub fn counts(&self) -> Answer {
        let contacts: Vec<_> = self.accounts.iter().map(|account| account.contact.clone()).collect();
        answer(200, &json!({ "accounts": contacts, "orders": self.orders.len(), "nonces": self.given }))
    }

    fn external(&self) -> serde_json::Map<String, Value> {
        self.settings.0["external"].as_object().cloned().unwrap_or_default()
    }

    /// Answers a signed request.
    pub fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        let signed = match Signed::read(body) {
            Ok(signed) => signed,
            Err(why) => return refuse(400, "malformed", why),
        };
        let is_known = signed.text("nonce").is_some_and(|nonce| self.nonces.remove(nonce));
        if !is_known || self.settings.takes_one("badNonces") {
            return refuse(400, "badNonce", "the nonce is not good");
        }
        if signed.text("url") != Some(&format!("{}{path}", self.base)) {
            return refuse(401, "unauthorized", "the request is for another address");
        }
        if path == "/new-account" {
            return self.new_account(&signed);
        }
        let account = match self.account_of(&signed) {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        let (kind, number) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        match (kind, number.parse::<usize>()) {
            ("/new-order", _) => self.new_order(account, signed.payload.as_ref()),
            ("order", Ok(number)) if self.has_order(account, number) => self.show_order(number),
            ("finalize", Ok(number)) if self.has_order(account, number) => self.finalize(number, &signed),
            ("certificate", Ok(number)) if self.has_order(account, number) => self.certificate(number),
            ("authorization", Ok(number)) if self.has_authorization(account, number) => {
                answer(200, &self.show_authorization(number))
            }
            ("challenge", Ok(number)) if self.has_authorization(account, number) => self.challenge(number, &signed),
            _ => refuse(404, "malformed", "there is no such thing"),
        }
    }

    fn has_order(&self, account: usize, number: usize) -> bool {
        self.orders.get(number).is_some_and(|order| order.account == account)
    }

    fn has_authorization(&self, account: usize, number: usize) -> bool {
        self.authorizations.get(number).is_some_and(|authorization| authorization.account == account)
    }

    fn account_of(&self, signed: &Signed) -> Result<usize, Answer> {
        let prefix = format!("{}/account/", self.base);
        let number = signed.text("kid").and_then(|kid| kid.strip_prefix(&prefix)?.parse().ok());
        let found = number.and_then(|number: usize| Some((number, self.accounts.get(number)?)));
        let Some((number, account)) = found.filter(|_| signed.header.get("jwk").is_none()) else {
            return Err(refuse(400, "accountDoesNotExist", "there is no such account"));
        };
        if signed.is_of(&account.jwk) {
            return Ok(number);
        }
        Err(refuse(401, "unauthorized", "the signature is not the account's"))
    }

    fn new_account(&mut self, signed: &Signed) -> Answer {
        let Some(jwk) = signed.header.get("jwk").filter(|jwk| signed.is_of(jwk)).cloned() else {
            return refuse(400, "malformed", "the request is not signed by the key in it");
        };
        let payload = signed.payload.clone().unwrap_or_default();
        let known = self.accounts.iter().position(|account| thumbprint(&account.jwk) == thumbprint(&jwk));
        if let Some(number) = known {
            return self.show_account(200, number);
        }
        if payload["onlyReturnExisting"] == json!(true) {
            return refuse(400, "accountDoesNotExist", "no account has this key");
        }
        if !self.settings.0["termsOfService"].is_null() && payload["termsOfServiceAgreed"] != json!(true) {
            return refuse(403, "userActionRequired", "the terms of service have to be agreed to");
        }
        if let Err(refusal) = self.check_binding(&payload, &jwk) {
            return refusal;
        }
        self.accounts.push(Account { jwk, contact: payload["contact"].clone() });
        self.show_account(201, self.accounts.len() - 1)
    }

    fn check_binding(&self, payload: &Value, jwk: &Value) -> Result<(), Answer> {
        let external = self.external();
        if external.is_empty() {
            return Ok(());
        }
        let Ok(binding) = Signed::of(&payload["externalAccountBinding"]) else {
            return Err(refuse(403, "externalAccountRequired", "an external account is needed"));
        };
        let mac = binding.text("kid").and_then(|id| external.get(id)?.as_str());
        let mac = mac.and_then(|text| BASE64URL.decode(text).ok());
        let holds = mac.is_some_and(|mac| binding.binds(jwk, &mac, &format!("{}/new-account", self.base)));
        if holds { Ok(()) } else { Err(refuse(403, "unauthorized", "the external account is not known")) }
    }

    fn show_account(&self, status: u16, number: usize) -> Answer {
        let body = json!({ "status": "valid", "contact": self.accounts[number].contact });
        answer(status, &body).with("location", format!("{}/account/{number}", self.base))
    }

    fn new_order(&mut self, account: usize, payload: Option<&Value>) -> Answer {
        if let Some(problem) = self.settings.0["problem"].as_object().cloned() {
            let status = u16::try_from(problem["status"].as_i64().unwrap()).unwrap();
            let refusal = answer(status, &problem["problem"]);
            return match problem.get("retryAfter").and_then(Value::as_str) {
                Some(after) => refusal.with("retry-after", after.to_owned()),
                None => refusal,
            };
        }
        let identifiers = payload.and_then(|payload| payload["identifiers"].as_array()).cloned().unwrap_or_default();
        for identifier in &identifiers {
            let name = identifier["value"].as_str().unwrap();
            if identifier["type"] != "dns" && !self.settings.is("addresses") {
                return refuse(400, "unsupportedIdentifier", &format!("{name} is no DNS name"));
            }
            if self.settings.0["rejected"].as_array().unwrap().contains(&json!(name)) {
                return refuse(403, "rejectedIdentifier", &format!("{name} is not certified here"));
            }
        }
        let authorizations = identifiers.iter().map(|identifier| self.authorize(account, identifier)).collect();
        let polls_left = self.settings.number("processing");
        self.orders.push(Order { account, identifiers, authorizations, chain: None, polls_left });
        let number = self.orders.len() - 1;
        Answer { status: 201, ..self.show_order(number) }.with("location", format!("{}/order/{number}", self.base))
    }

    fn authorize(&mut self, account: usize, identifier: &Value) -> usize {
        let name = identifier["value"].as_str().unwrap();
        let plain = name.strip_prefix("*.").unwrap_or(name);
        self.authorizations.push(Authorization {
            account,
            identifier: json!({ "type": identifier["type"], "value": plain }),
            is_wildcard: plain != name,
            status: if self.settings.is("preauthorised") { "valid" } else { "pending" },
            is_asked: false,
            error: Value::Null,
        });
        self.authorizations.len() - 1
    }

    fn status_of(&self, order: &Order) -> &'static str {
        let are = |status| order.authorizations.iter().all(|number| self.authorizations[*number].status == status);
        let is_lost = order.authorizations.iter().any(|number| self.authorizations[*number].status == "invalid");
        match &order.chain {
            _ if is_lost => "invalid",
            Some(_) if order.polls_left > 0 => "processing",
            Some(_) => "valid",
            None if are("valid") => "ready",
            None => "pending",
        }
    }

    fn show_order(&mut self, number: usize) -> Answer {
        let order = &self.orders[number];
        let (status, at) = (self.status_of(order), |path: &str| format!("{}/{path}/{number}", self.base));
        let authorizations: Vec<_> =
            order.authorizations.iter().map(|number| format!("{}/authorization/{number}", self.base)).collect();
        let mut body = json!({
            "status": status, "identifiers": order.identifiers, "authorizations": authorizations,
            "finalize": at("finalize"),
        });
        if status == "valid" {
            body["certificate"] = json!(at("certificate"));
        }
        let shown = answer(200, &body);
        if status == "processing" {
            self.orders[number].polls_left -= 1;
            return shown.with("retry-after", "1".to_owned());
        }
        shown
    }

    fn token(number: usize) -> String {
        BASE64URL.encode(custody::sha256(format!("token {number}").as_bytes()))
    }

    fn show_authorization(&self, number: usize) -> Value {
        let authorization = &self.authorizations[number];
        let challenge = |kind: &str| {
            let status = match authorization.status {
                "pending" if authorization.is_asked => "processing",
                status => status,
            };
            let mut challenge = json!({
                "type": kind, "url": format!("{}/challenge/{number}", self.base), "token": Self::token(number),
                "status": status,
            });
            if kind == "http-01" && !authorization.error.is_null() {
                challenge["error"] = authorization.error.clone();
            }
            challenge
        };
        let kinds: &[&str] = if authorization.is_wildcard { &["dns-01"] } else { &["dns-01", "http-01"] };
        let mut body = json!({
            "status": authorization.status, "identifier": authorization.identifier,
            "challenges": kinds.iter().map(|kind| challenge(kind)).collect::<Vec<_>>(),
        });
        if authorization.is_wildcard {
            body["wildcard"] = json!(true);
        }
        body
    }

    fn challenge(&mut self, number: usize, signed: &Signed) -> Answer {
        if signed.payload == Some(json!({})) && self.authorizations[number].status == "pending" {
            self.authorizations[number].is_asked = true;
            self.look();
        }
        let shown = self.show_authorization(number);
        let is_ours = |each: &&Value| each["type"] == "http-01";
        let challenge = shown["challenges"].as_array().unwrap().iter().find(is_ours).cloned().unwrap_or_default();
        let up = format!("<{}/authorization/{number}>;rel=\"up\"", self.base);
        answer(200, &challenge).with("link", up)
    }

    /// Looks at every name that somebody asked to look at, unless that is held up.
    pub fn look(&mut self) {
        if self.settings.is("held") {
            return;
        }
        let port = u16::try_from(self.settings.number("challengePort")).unwrap();
        for (number, authorization) in self.authorizations.iter_mut().enumerate() {
            if authorization.status != "pending" || !authorization.is_asked {
                continue;
            }
            let (name, token) = (authorization.identifier["value"].as_str().unwrap(), Self::token(number));
            let expected = format!("{token}.{}", thumbprint(&self.accounts[authorization.account].jwk));
            let found = validate(name, port, &token, &expected);
            authorization.status = if found.is_some() { "invalid" } else { "valid" };
            authorization.error = found.unwrap_or_default();
        }
    }

    fn finalize(&mut self, number: usize, signed: &Signed) -> Answer {
        let order = &self.orders[number];
        if self.status_of(order) != "ready" {
            return refuse(403, "orderNotReady", "the order is not ready");
        }
        let csr = signed.payload.as_ref().and_then(|payload| payload["csr"].as_str());
        let Some(csr) = csr.and_then(|text| BASE64URL.decode(text).ok()) else {
            return refuse(400, "badCSR", "there is no signing request");
        };
        let Ok(asked) = x509::requested(&csr) else {
            return refuse(400, "badCSR", "the signing request can't be read");
        };
        let names = asked.names.dns_names.iter().chain(&asked.common_names).chain(&asked.names.ip_addresses);
        let asked: BTreeSet<_> = names.map(|name| name.to_ascii_lowercase()).collect();
        let ordered: BTreeSet<_> =
            order.identifiers.iter().map(|each| each["value"].as_str().unwrap().to_owned()).collect();
        if asked != ordered {
            return refuse(400, "badCSR", &format!("{asked:?} are not the names of the order"));
        }
        let now = SystemClock.now().plus_seconds(self.settings.number("aheadSeconds"));
        let days = u32::try_from(self.settings.number("days")).unwrap();
        match self.authority.issue(&csr, now, days) {
            Ok(chain) => self.orders[number].chain = Some(chain),
            Err(why) => return refuse(400, "badCSR", &why),
        }
        self.show_order(number).with("location", format!("{}/order/{number}", self.base))
    }

    fn certificate(&self, number: usize) -> Answer {
        let order = &self.orders[if self.settings.is("mixedUp") { 0 } else { number }];
        match &order.chain {
            Some(chain) if self.status_of(order) == "valid" => Answer {
                status: 200,
                body: chain.clone(),
                headers: vec![("content-type", "application/pem-certificate-chain".to_owned())],
            },
            _ => refuse(404, "malformed", "there is no certificate yet"),
        }
    }
}
