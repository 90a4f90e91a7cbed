//! Every operation of the documents in `specs`, as nobody, as somebody who has every right but its own, and as somebody
//! who has its right and no other, over HTTP. An operation that the tables here do not know fails the test.

mod control;
mod data;
mod directory;
pub mod needs;
pub mod objects;

pub use data::filled;

use domain::{Guid, Operation};
use e2e::{
    client::{Answer, Client, NoAnswer, Principal, Target},
    openapi::Document,
    process::Server,
};
use needs::Need;
use serde_json::{Value, json};

const NOBODY: Principal = Principal::Named("NOBODY");

/// What was looked at, and what nobody has thought of.
#[derive(Default)]
struct Coverage {
    by_right: usize,
    by_list: usize,
    by_token: usize,
    not_there: usize,
    uncovered: Vec<String>,
    complaints: Vec<String>,
}

impl Coverage {
    fn add(&mut self, need: Need) {
        match need {
            Need::Right(_) => self.by_right += 1,
            Need::Sight(_) => self.by_list += 1,
            Need::Token => self.by_token += 1,
            Need::NotThere => self.not_there += 1,
        }
    }

    fn complain(&mut self, what: &str, who: &str, answer: &Answer) {
        self.complaints.push(format!("{what} as {who}: {} {}", answer.status, answer.body));
    }

    /// # Panics
    /// With everything that was not as it has to be.
    #[expect(clippy::print_stdout, reason = "the count is for who reads the test's output")]
    fn report(self, of: &str) {
        let Self { by_right, by_list, by_token, not_there, uncovered, complaints } = self;
        println!(
            "{of}: {by_right} operations by right, {by_list} by what they show, {by_token} by token, {not_there} that are \
             not there; uncovered: {uncovered:?}"
        );
        assert!(complaints.is_empty(), "{of}:\n{}", complaints.join("\n"));
        assert!(uncovered.is_empty(), "{of}: {uncovered:?}");
    }
}

/// A request that is right but for who makes it.
#[derive(Clone)]
struct Ask {
    method: String,
    path: String,
    body: Option<Value>,
}

impl Ask {
    fn new(method: &str, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method: method.to_owned(), path: path.into(), body }
    }

    fn by(&self, target: &Target, who: Principal) -> Answer {
        target.by(who).call(&self.method, &self.path, self.body.as_ref())
    }

    fn with_token(&self, target: &Target, token: &str) -> Answer {
        let answer = target.try_call_with(token, &self.method, &self.path, self.body.as_ref());
        answer.unwrap_or_else(|NoAnswer(error)| panic!("{} {}: {error}", self.method, self.path))
    }
}

/// Gives [`NOBODY`] rights and takes them: everywhere with immediate effect.
trait Grants {
    /// Every right but this one.
    fn give_all_but(&self, right: Operation);
    /// This right and no other.
    fn give_only(&self, right: Operation);
    fn take_all(&self);
}

fn guid(number: u128) -> String {
    Guid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0000 + number).to_string()
}

fn operations_of(documents: &[&str]) -> Vec<e2e::openapi::Operation> {
    documents.iter().flat_map(|document| Document::azure(document).operations()).collect()
}

/// Asks without a token, and with one that is none.
fn strangers_are_challenged(coverage: &mut Coverage, what: &str, ask: &Ask, target: &Target) {
    for token in ["", "a.b.c"] {
        let answer = ask.with_token(target, token);
        if answer.status != 401 || answer.headers.get("www-authenticate").is_none() {
            coverage.complain(what, "a stranger", &answer);
        }
    }
}

/// A right is needed, is enough, and counts at once.
fn one_right_decides(
    coverage: &mut Coverage,
    what: &str,
    ask: &Ask,
    target: &Target,
    grants: &dyn Grants,
    right: Operation,
) {
    for (who, give) in [("nobody", None), ("one without its right", Some(()))] {
        if give.is_some() {
            grants.give_all_but(right);
        }
        let answer = ask.by(target, NOBODY);
        let hidden = answer.status == 404 && answer.code() == "SubscriptionNotFound";
        if answer.status != 403 && !(give.is_none() && hidden) {
            coverage.complain(what, who, &answer);
        }
    }
    grants.give_only(right);
    let answer = ask.by(target, NOBODY);
    if !answer.is_success() {
        coverage.complain(what, "one with its right alone", &answer);
    }
    grants.take_all();
    let answer = ask.by(target, NOBODY);
    if answer.is_success() {
        coverage.complain(what, "one whose right was taken", &answer);
    }
}

fn server_facts(client: &Client) -> (String, String) {
    (client.facts().get("SUBSCRIPTION").to_owned(), client.facts().get("NOBODY_OBJECT_ID").to_owned())
}

/// The body of a custom role of the resource manager.
fn arm_role(scope: &str, permissions: &Value) -> Value {
    json!({ "properties": {
        "roleName": "who may",
        "type": "CustomRole",
        "permissions": [permissions],
        "assignableScopes": [scope],
    } })
}

fn assignment(role: &str, principal: &str) -> Value {
    json!({ "properties": { "roleDefinitionId": role, "principalId": principal } })
}

/// A server with nobody's rights on it.
fn server() -> Server {
    Server::ephemeral()
}
