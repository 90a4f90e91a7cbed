//! After the answer to a deletion, a disabling or a revocation nothing is signed and no secret is read any more, however
//! busy the object was. After the answer to a new value nobody is told the old one.

use domain::ContainerKind;
use e2e::{
    client::{Answer, Principal, Target},
    containers::Container,
    process::Server,
};
use serde_json::{Value, json};
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

const USERS: usize = 4;
/// Uses before the change, so that all users are at it.
const BEFORE: usize = 40;
/// Requests of each user that begin after the answer to the change.
const AFTER: usize = 5;
const ROUNDS: usize = 8;
/// Status and code.
type Refusal = (u16, &'static str);
/// Its own names, so that nothing has to wait for anything to be purged.
type Name = String;

#[derive(Clone, Copy)]
struct Algorithm {
    key_type: &'static str,
    name: &'static str,
}

/// Milliseconds and microseconds: the change meets the one in the middle of a signature and the other between two.
const ALGORITHMS: [Algorithm; 2] =
    [Algorithm { key_type: "RSA", name: "RS256" }, Algorithm { key_type: "EC", name: "ES256" }];

impl Algorithm {
    fn create(self, data: &Target, name: &str) {
        let body = json!({ "kty": self.key_type });
        data.call("POST", &format!("/keys/{name}/create"), Some(&body)).expect("creating a key");
    }

    fn request(self) -> Value {
        let mut body = e2e::client::es256(&[3; 32]);
        body["alg"] = json!(self.name);
        body
    }
}

/// How an object is used: a request, and what it is told once the change was answered.
struct Use {
    method: &'static str,
    path: String,
    body: Option<Value>,
    after: After,
}

enum After {
    Refused(Refusal),
    /// A secret's new value.
    Told(String),
}

impl Use {
    fn sign(key: &str, algorithm: Algorithm, refusal: Refusal) -> Self {
        let (path, body) = (format!("/keys/{key}/sign"), Some(algorithm.request()));
        Self { method: "POST", path, body, after: After::Refused(refusal) }
    }

    fn read(secret: &str, after: After) -> Self {
        Self { method: "GET", path: format!("/secrets/{secret}"), body: None, after }
    }

    /// Whether an answer is one that may only come once the change has been asked for.
    fn is_of_after(&self, answer: &Answer) -> bool {
        match &self.after {
            After::Refused(refusal) if !answer.is_success() => {
                assert_eq!((answer.status, answer.code()), *refusal, "{}", answer.body);
                true
            }
            After::Refused(_) => false,
            After::Told(value) => {
                assert!(answer.is_success(), "{}", answer.body);
                answer.body["value"] == json!(value)
            }
        }
    }
}

/// Users that do not pause.
struct Crowd<'a> {
    data: &'a Target,
    usage: Use,
    /// The change has been asked for.
    asked: AtomicBool,
    /// The change has been answered.
    answered: AtomicBool,
}

/// Tells the users that the change was answered, also if it failed: they would go on for ever.
struct Answered<'a>(&'a AtomicBool);

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Crowd<'_> {
    fn meets(self, change: impl FnOnce()) {
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..USERS {
                let (crowd, sender) = (&self, sender.clone());
                scope.spawn(move || crowd.go_on_without_pause(&sender));
            }
            drop(sender);
            let _answered = Answered(&self.answered);
            for _ in 0..BEFORE {
                receiver.recv().expect("the users use it");
            }
            self.asked.store(true, Ordering::SeqCst);
            change();
        });
    }

    fn go_on_without_pause(&self, used: &mpsc::Sender<()>) {
        let Use { method, path, body, .. } = &self.usage;
        let mut after = 0;
        while after < AFTER {
            // Read before the request is sent: what is sent afterwards began after the answer.
            let began_after = self.answered.load(Ordering::SeqCst);
            let answer = self.data.call(method, path, body.as_ref());
            if self.usage.is_of_after(&answer) {
                assert!(self.asked.load(Ordering::SeqCst), "changed before anything was asked for: {}", answer.body);
            } else {
                assert!(!began_after, "as before, after the change was answered");
                // Nobody counts any more once there have been enough.
                let _ = used.send(());
            }
            after += usize::from(began_after);
        }
    }
}

fn users(data: &Target, usage: Use) -> Crowd<'_> {
    Crowd { data, usage, asked: AtomicBool::new(false), answered: AtomicBool::new(false) }
}

fn crowd<'a>(data: &'a Target, key: &str, algorithm: Algorithm, refusal: Refusal) -> Crowd<'a> {
    users(data, Use::sign(key, algorithm, refusal))
}

/// Runs a contest for each algorithm and round, in each kind of container, with names of its own.
fn for_all(server: &Server, contest: impl Fn(ContainerKind, Algorithm, Name)) {
    for kind in ContainerKind::ALL {
        for algorithm in ALGORITHMS {
            for round in 0..ROUNDS {
                contest(kind, algorithm, format!("{}{round}", algorithm.key_type));
            }
        }
    }
    server.assert_no_panic();
}

#[test]
fn a_deleted_key_signs_nothing() {
    let server = Server::ephemeral();
    let [vault, hsm] =
        [ContainerKind::Vault, ContainerKind::ManagedHsm].map(|kind| Container::made(server.client(), kind, "crowded"));
    for_all(&server, |kind, algorithm, key| {
        let data = if kind == ContainerKind::Vault { vault.data() } else { hsm.data() };
        algorithm.create(&data, &key);
        crowd(&data, &key, algorithm, (404, "KeyNotFound"))
            .meets(|| drop(data.call("DELETE", &format!("/keys/{key}"), None).expect("deleting")));
    });
}

#[test]
fn a_disabled_key_signs_nothing() {
    let server = Server::ephemeral();
    let [vault, hsm] =
        [ContainerKind::Vault, ContainerKind::ManagedHsm].map(|kind| Container::made(server.client(), kind, "crowded"));
    for_all(&server, |kind, algorithm, key| {
        let data = if kind == ContainerKind::Vault { vault.data() } else { hsm.data() };
        algorithm.create(&data, &key);
        let disabled = json!({ "attributes": { "enabled": false } });
        crowd(&data, &key, algorithm, (403, "Forbidden"))
            .meets(|| drop(data.call("PATCH", &format!("/keys/{key}"), Some(&disabled)).expect("disabling")));
    });
}

fn set(data: &Target, secret: &str, value: &str) {
    data.call("PUT", &format!("/secrets/{secret}"), Some(&json!({ "value": value }))).expect("setting a secret");
}

#[test]
fn a_deleted_or_disabled_secret_is_not_read() {
    let server = Server::ephemeral();
    let vault = Container::made(server.client(), ContainerKind::Vault, "crowded").data();
    let disabled = json!({ "attributes": { "enabled": false } });
    let changes = [("DELETE", None, (404, "SecretNotFound")), ("PATCH", Some(&disabled), (403, "Forbidden"))];
    for (method, body, refusal) in changes {
        for round in 0..ROUNDS {
            let secret = format!("{method}{round}");
            set(&vault, &secret, "old");
            users(&vault, Use::read(&secret, After::Refused(refusal)))
                .meets(|| drop(vault.call(method, &format!("/secrets/{secret}"), body).expect("changing")));
        }
    }
    server.assert_no_panic();
}

#[test]
fn after_a_new_value_nobody_is_told_the_old_one() {
    let server = Server::ephemeral();
    let vault = Container::made(server.client(), ContainerKind::Vault, "crowded").data();
    set(&vault, "s", "value 0");
    for round in 1..=ROUNDS {
        let value = format!("value {round}");
        users(&vault, Use::read("s", After::Told(value.clone()))).meets(|| set(&vault, "s", &value));
    }
    server.assert_no_panic();
}

#[test]
fn what_a_certificate_brought_along_is_not_used_once_it_is_deleted_or_disabled() {
    let server = Server::ephemeral();
    let vault = Container::made(server.client(), ContainerKind::Vault, "crowded").data();
    let policy = json!({ "policy": {
        "key_props": { "kty": "EC", "crv": "P-256" },
        "x509_props": { "subject": "CN=crowded" },
        "issuer": { "name": "Self" },
    } });
    let disabled = json!({ "attributes": { "enabled": false } });
    let [_, ec] = ALGORITHMS;
    for (method, body) in [("DELETE", None), ("PATCH", Some(&disabled))] {
        let refused = |code: &'static str| if body.is_none() { (404, code) } else { (403, "Forbidden") };
        for round in 0..ROUNDS {
            for usage in ["key", "secret"] {
                let name = format!("{usage}{method}{round}");
                let path = format!("/certificates/{name}");
                vault.call("POST", &format!("{path}/create"), Some(&policy)).expect("a certificate");
                let usage = match usage {
                    "key" => Use::sign(&name, ec, refused("KeyNotFound")),
                    _ => Use::read(&name, After::Refused(refused("SecretNotFound"))),
                };
                users(&vault, usage).meets(|| drop(vault.call(method, &path, body).expect("changing")));
            }
        }
    }
    server.assert_no_panic();
}

#[test]
fn a_key_in_a_deleted_container_signs_nothing() {
    let server = Server::ephemeral();
    for_all(&server, |kind, algorithm, name| {
        let container = Container::made(server.client(), kind, &name);
        let data = container.data();
        algorithm.create(&data, "k");
        let code = if kind == ContainerKind::Vault { "VaultNotFound" } else { "ManagedHsmNotFound" };
        crowd(&data, "k", algorithm, (404, code)).meets(|| assert!(container.delete().is_success()));
    });
}

#[test]
fn a_role_that_was_taken_away_signs_nothing() {
    const CRYPTO_USER: &str = "21dbd100-6940-42c2-9190-5d6cb909625b";
    const ASSIGNMENT: &str = "/providers/Microsoft.Authorization/roleAssignments/5b3e1c9a-0d2f-4a6b-8c7d-9e0f1a2b3c4d";
    let server = Server::ephemeral();
    let hsm = Container::made(server.client(), ContainerKind::ManagedHsm, "crowded");
    let data = hsm.data();
    let role = format!("Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{CRYPTO_USER}");
    let somebody = server.client().facts().get("NOBODY_OBJECT_ID");
    let grant = json!({ "properties": { "roleDefinitionId": role, "principalId": somebody } });
    for algorithm in ALGORITHMS {
        algorithm.create(&data, algorithm.key_type);
        for _ in 0..ROUNDS {
            data.call("PUT", ASSIGNMENT, Some(&grant)).expect("granting");
            let theirs = data.by(Principal::Named("NOBODY"));
            crowd(&theirs, algorithm.key_type, algorithm, (403, "AccessDenied"))
                .meets(|| drop(data.call("DELETE", ASSIGNMENT, None).expect("revoking")));
        }
    }
    server.assert_no_panic();
}

/// A way to let somebody sign, and to end that; and what signers are told then.
struct Way<'a> {
    give: Box<dyn Fn() + 'a>,
    take: Box<dyn Fn() + 'a>,
    refusal: Refusal,
}

fn ways<'a>(ways: &'a [(ContainerKind, Way<'a>)], server: &Server) {
    for (kind, way) in ways {
        let data = match kind {
            ContainerKind::Vault => server.client().vault("crowded"),
            ContainerKind::ManagedHsm => server.client().hsm("crowded"),
        };
        let theirs = data.by(Principal::Named("NOBODY"));
        for algorithm in ALGORITHMS {
            algorithm.create(&data, algorithm.key_type);
            for _ in 0..ROUNDS {
                (way.give)();
                crowd(&theirs, algorithm.key_type, algorithm, way.refusal).meets(|| (way.take)());
            }
        }
    }
    server.assert_no_panic();
}

fn done(target: &Target, method: &str, path: &str, body: &Value) {
    target.call(method, path, Some(body).filter(|body| !body.is_null())).expect(path);
}

#[test]
fn whatever_takes_a_right_away_ends_signing_before_it_is_answered() {
    const CRYPTO_USER: &str = "12338af0-0e69-4776-bea7-57ae8d297424";
    const ROLES: &str = "/providers/Microsoft.Authorization";
    const ASSIGNED: &str = "roleAssignments/5b3e1c9a-0d2f-4a6b-8c7d-9e0f1a2b3c4d";
    const CUSTOM: &str = "6c4f2dab-1e3f-4b7c-9d8e-af102b3c4d5e";
    let server = Server::ephemeral();
    let client = server.client();
    let vault = Container::made(client, ContainerKind::Vault, "crowded");
    let hsm = Container::made(client, ContainerKind::ManagedHsm, "crowded").data();
    let (arm, roles) = (client.arm(), client.arm_authorization());
    let somebody = client.facts().get("NOBODY_OBJECT_ID");
    let (none, assignment) = (Value::Null, format!("{}{ROLES}/{ASSIGNED}", vault.id()));
    let role = json!({ "properties": { "roleDefinitionId": format!("{ROLES}/roleDefinitions/{CRYPTO_USER}"), "principalId": somebody } });
    let by_role = Way {
        give: Box::new(|| done(&roles, "PUT", &assignment, &role)),
        take: Box::new(|| done(&roles, "DELETE", &assignment, &none)),
        refusal: (403, "Forbidden"),
    };
    // The group keeps its role; who is in it changes.
    let group = arm.call("POST", "/v1.0/groups", Some(&json!({ "displayName": "Signers" }))).expect("a group");
    let group = group["id"].as_str().unwrap();
    let custom = |actions: &[&str]| {
        let permissions = json!([{ "dataActions": actions }]);
        json!({ "properties": { "roleName": "Signer", "type": "CustomRole", "permissions": permissions, "assignableScopes": ["/"] } })
    };
    let definition = format!("{ROLES}/roleDefinitions/{CUSTOM}");
    let (signs, reads) =
        (["Microsoft.KeyVault/managedHsm/keys/sign/action"], ["Microsoft.KeyVault/managedHsm/keys/read/action"]);
    done(&hsm, "PUT", &definition, &custom(&signs));
    let to_group = json!({ "properties": { "roleDefinitionId": definition, "principalId": group } });
    done(&hsm, "PUT", &format!("{ROLES}/{ASSIGNED}"), &to_group);
    let (members, member) =
        (format!("/v1.0/groups/{group}/members/$ref"), format!("/v1.0/groups/{group}/members/{somebody}/$ref"));
    let reference = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{somebody}") });
    let by_group = Way {
        give: Box::new(|| done(&arm, "POST", &members, &reference)),
        take: Box::new(|| done(&arm, "DELETE", &member, &none)),
        refusal: (403, "AccessDenied"),
    };
    ways(&[(ContainerKind::Vault, by_role), (ContainerKind::ManagedHsm, by_group)], &server);
    done(&arm, "POST", &members, &reference);
    let by_definition = Way {
        give: Box::new(|| done(&hsm, "PUT", &definition, &custom(&signs))),
        take: Box::new(|| done(&hsm, "PUT", &definition, &custom(&reads))),
        refusal: (403, "AccessDenied"),
    };
    let enabled = |enabled: bool| {
        done(&arm, "PATCH", &format!("/v1.0/servicePrincipals/{somebody}"), &json!({ "accountEnabled": enabled }))
    };
    let by_principal =
        Way { give: Box::new(|| enabled(true)), take: Box::new(|| enabled(false)), refusal: (401, "Unauthorized") };
    ways(&[(ContainerKind::ManagedHsm, by_definition)], &server);
    done(&hsm, "PUT", &definition, &custom(&signs));
    ways(&[(ContainerKind::ManagedHsm, by_principal)], &server);
}

#[test]
fn a_policy_that_was_taken_away_signs_nothing() {
    let server = Server::ephemeral();
    let client = server.client();
    let vault = Container::made(client, ContainerKind::Vault, "crowded");
    let arm = client.arm();
    let policy = |who: &str, keys: &[&str]| {
        let who = client.facts().get(who);
        json!({ "tenantId": client.facts().get("TENANT"), "objectId": who, "permissions": { "keys": keys } })
    };
    let body = json!({ "properties": { "enableRbacAuthorization": false, "accessPolicies": [policy("OBJECT_ID", &["all"])] } });
    done(&arm, "PATCH", &vault.id(), &body);
    let replaced = |keys: &[&str]| {
        let body = json!({ "properties": { "accessPolicies": [policy("NOBODY_OBJECT_ID", keys)] } });
        done(&arm, "PUT", &format!("{}/accessPolicies/replace", vault.id()), &body);
    };
    let way = Way {
        give: Box::new(|| replaced(&["sign"])),
        take: Box::new(|| replaced(&["get"])),
        refusal: (403, "Forbidden"),
    };
    ways(&[(ContainerKind::Vault, way)], &server);
}
