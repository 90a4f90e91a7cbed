//! Every route of every front under garbage: it is refused in the documented way, never with a status of the five
//! hundreds, and the server goes on as if nothing had been.
//!
//! Made from the documents in `specs`: each operation with wrong bodies, each documented member with wrong values.

mod bodies;
mod directory;
mod event_subscriptions;
mod http_level;
mod objects;
mod probe;
mod sign_in;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bodies::Bad;
use domain::ContainerKind;
use e2e::{
    client::{Facts, Principal, Target},
    containers::Container,
    openapi::{Document, Operation},
    process::Server,
};
use probe::{Probe, Range, Shape, Verdict};
use serde_json::{Value, json};

const KEYS_DOCUMENT: &str = "data-plane-keys-2026-04-01.json";
const VAULTS_DOCUMENT: &str = "arm-keyvault-2026-05-15.json";
const DATA_VERSION: &str = "2026-04-01";
const ARM_VERSION: &str = "2026-05-15";
/// The most bytes of a body that the server reads: of one, and of one that holds a backup.
const BODY_LIMIT: usize = 1 << 20;
const BACKUP_LIMIT: usize = 16 << 20;
const METHODS: [&str; 9] = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// What is wrong and may pass, as `what` begins: it has no effect.
const WITHOUT_EFFECT: [&str; 12] = [
    // A client's own name for what it imports.
    "key.kid is ",
    // Of other types of keys than the one imported. They must be texts, but are not looked into.
    "key.n is \"",
    "key.e is \"",
    "key.p is \"",
    "key.q is \"",
    "key.dp is \"",
    "key.dq is \"",
    "key.qi is \"",
    "key.k is \"",
    // What the resource manager says and does not hear, and what it does not keep.
    "properties.vaultUri is ",
    "properties.provisioningState is ",
    "identity.userAssignedIdentities is ",
];

/// A front with a document: how its paths are filled in, and what a right body is.
struct Front<'a> {
    document: Document,
    version: &'static str,
    path: Box<dyn Fn(&Operation) -> String + 'a>,
    body: Box<dyn Fn(&Operation) -> Value + 'a>,
}

impl Front<'_> {
    fn target(&self, operation: &Operation) -> String {
        format!("{}?api-version={}", (self.path)(operation), self.version)
    }

    fn fire(&self, range: &mut Range) {
        let operations = self.document.operations();
        for operation in &operations {
            self.fire_bodies(range, operation);
            self.fire_queries(range, operation);
            self.fire_headers(range, operation);
        }
        self.fire_methods(range, &operations);
    }

    fn fire_bodies(&self, range: &mut Range, operation: &Operation) {
        let target = self.target(operation);
        let right = (self.body)(operation);
        let mut bad = bodies::wrong_in_one_member(&self.document, operation, &right);
        let limit = if operation.path.ends_with("/restore") { BACKUP_LIMIT } else { BODY_LIMIT };
        bad.extend(bodies::wrong_all_over(&right, limit));
        for Bad { what, body, verdict } in bad {
            let is_read = operation.body.is_some() || verdict == Verdict::Exactly(413);
            // What takes no body need not look at one; but then nothing may be destroyed by mistake.
            if !is_read && operation.method == "DELETE" {
                continue;
            }
            let may_pass = WITHOUT_EFFECT.iter().any(|start| what.starts_with(start));
            let verdict = if is_read && !may_pass { verdict } else { Verdict::Handled };
            range.fire(&what, &Probe::new(&operation.method, target.as_str()).body(body), verdict);
        }
    }

    fn fire_queries(&self, range: &mut Range, operation: &Operation) {
        let path = (self.path)(operation);
        let version = self.version;
        let right = (self.body)(operation).to_string();
        let long = "a".repeat(60 << 10);
        // The list of all resources belongs to no provider; of others than our own we take any version.
        let any_version = path.ends_with("/resources") || path.contains("/Microsoft.EventGrid/");
        let mut wrong = vec![
            (path.clone(), Verdict::Refused),
            (format!("{path}?api-version="), Verdict::Refused),
            (format!("{path}?api-version=1999-01-01"), if any_version { Verdict::Handled } else { Verdict::Refused }),
            (format!("{path}?api-version=%ff%fe"), Verdict::Refused),
            (format!("{path}?api-version={version}%00"), Verdict::Refused),
            (format!("{path}?api-version={version}&x=%c3%28"), Verdict::Refused),
            (format!("{path}/%ff?api-version={version}"), Verdict::Refused),
            (format!("{path}/{long}?api-version={version}"), Verdict::Refused),
            (format!("{path}?api-version={version}&x={long}"), Verdict::Refused),
        ];
        for name in operation.query.iter().filter(|name| *name != "$filter") {
            for value in ["0", "-1", "many", "99999999999999999999", "1.5", "%20"] {
                // What is not true is false.
                let verdict = if name == "includePending" { Verdict::Handled } else { Verdict::Refused };
                wrong.push((format!("{path}?api-version={version}&{name}={value}"), verdict));
            }
        }
        if operation.method == "GET" {
            let many: String = (0..2_500).map(|number| format!("&a{number}=1")).collect();
            let harmless = ["%24skiptoken=%21%21%21", "x=%F0%9F%98%80", "%24filter=%27%27%27", "%00=%00"];
            wrong.extend(harmless.map(|pair| (format!("{path}?api-version={version}&{pair}"), Verdict::Handled)));
            wrong.push((format!("{path}?api-version={version}{many}"), Verdict::Handled));
        }
        for (target, verdict) in wrong {
            range.fire("query", &Probe::new(&operation.method, target).body(right.as_str()), verdict);
        }
    }

    fn fire_headers(&self, range: &mut Range, operation: &Operation) {
        if operation.method == "DELETE" {
            return;
        }
        let target = self.target(operation);
        let right = (self.body)(operation).to_string();
        let probe = || Probe::new(&operation.method, target.as_str()).body(right.as_str());
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "\u{e9}", ";;;"] {
            range.fire(content_type, &probe().header("content-type", content_type), Verdict::Handled);
        }
        let form = probe().body("a=b&c=d").header("content-type", "application/x-www-form-urlencoded");
        range.fire("a form", &form, if operation.body.is_some() { Verdict::Refused } else { Verdict::Handled });
        let twice = probe().header("content-type", "application/json").header("content-type", "text/plain");
        range.fire("two content types", &twice, Verdict::Handled);
        let twice = probe().header("x-ms-client-request-id", "\u{ff}").header("x-ms-client-request-id", "b");
        range.fire("two request ids", &twice, Verdict::Handled);
        range.fire("two hosts", &probe().header("host", "a").header("host", "b"), Verdict::Refused);
        let compressed = probe().header("content-encoding", "gzip");
        range.fire("a content encoding", &compressed, Verdict::Handled);
        if operation.method == "POST" {
            for method in ["BREW", "\u{ff}", "GET /", ""] {
                range.fire(method, &probe().header("x-http-method", method), Verdict::Handled);
            }
        }
    }

    /// Each path with each method that the document does not have there.
    fn fire_methods(&self, range: &mut Range, operations: &[Operation]) {
        for operation in operations {
            for method in METHODS {
                let is_documented =
                    operations.iter().any(|other| other.path == operation.path && other.method == method);
                // The version may be left out, so the path of an object is also that of its current version.
                let is_alias = is_of_an_object(&operation.path) && ["GET", "PATCH"].contains(&method);
                if is_documented || is_alias {
                    continue;
                }
                let verdict = if method == "HEAD" { Verdict::Handled } else { Verdict::Refused };
                let target = self.target(operation);
                range.fire("wrong method", &Probe::new(method, target.as_str()), verdict);
                range.fire("wrong method, body", &Probe::new(method, target).body("{}"), verdict);
            }
        }
    }
}

/// Whether a path is that of a live object as a whole.
fn is_of_an_object(path: &str) -> bool {
    ["/keys/{key-name}", "/secrets/{secret-name}", "/certificates/{certificate-name}"].contains(&path)
}

/// Names and versions that no object can have.
fn fire_names(range: &mut Range, document: &Document, version: &str) {
    let long = "a".repeat(128);
    let names = ["a%20b", "%C3%A9", "%2e%2e", "a%2Fb", "a_b", "%00", "a.b", "%25", "%F0%9F%98%80", "-%0d%0a", &long];
    let versions = ["x", "%FF", "%00", "..", &long, &"g".repeat(32), &"0".repeat(33), &"0".repeat(32)];
    let wrong: [(&str, &str, &[&str]); 2] = [("name", "-name}", &names), ("version", "-version}", &versions)];
    for operation in document.operations() {
        for (what, ending, values) in wrong {
            if !operation.path.split('/').any(|segment| segment.ends_with(ending)) {
                continue;
            }
            for value in values {
                let segment = |segment: &str| match segment {
                    segment if segment.ends_with(ending) => (*value).to_owned(),
                    segment if segment.ends_with("-version}") => "0".repeat(32),
                    segment if segment.ends_with("-name}") => "probe".to_owned(),
                    segment => segment.to_owned(),
                };
                let path = operation.path.split('/').map(segment).collect::<Vec<_>>().join("/");
                let target = format!("{path}?api-version={version}");
                range.fire(what, &Probe::new(&operation.method, target).body("{}"), Verdict::Refused);
            }
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A right body for an operation of the data plane.
fn data_body(operation: &Operation, backup: &str) -> Value {
    let word = operation.path.rsplit('/').next().unwrap_or_default();
    match (operation.method.as_str(), word) {
        ("POST", "create") => json!({ "kty": "EC", "crv": "P-256" }),
        // The key of RFC 7515 §A.3.
        ("PUT", "{key-name}") => json!({ "key": {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        } }),
        ("POST", "sign") => json!({ "alg": "RS256", "value": encoded(&[1; 32]) }),
        ("POST", "verify") => json!({ "alg": "RS256", "digest": encoded(&[1; 32]), "value": encoded(&[1; 256]) }),
        ("POST", "encrypt" | "wrapkey") => json!({ "alg": "RSA-OAEP-256", "value": encoded(&[1; 32]) }),
        ("POST", "decrypt" | "unwrapkey") => json!({ "alg": "RSA-OAEP-256", "value": encoded(&[1; 256]) }),
        ("POST", "restore") => json!({ "value": backup }),
        ("POST", "rng") => json!({ "count": 8 }),
        ("PUT", "rotationpolicy") => json!({
            "lifetimeActions": [{ "trigger": { "timeAfterCreate": "P30D" }, "action": { "type": "Rotate" } }],
            "attributes": { "expiryTime": "P90D" },
        }),
        ("PATCH", _) => json!({ "attributes": { "enabled": true } }),
        _ => json!({}),
    }
}

/// A right body for an operation of the resource manager.
fn arm_body(operation: &Operation, facts: &Facts) -> Value {
    let (tenant, location) = (facts.get("TENANT"), facts.get("LOCATION"));
    let vault = json!({ "tenantId": tenant, "sku": { "family": "A", "name": "standard" }, "accessPolicies": [] });
    let word = operation.path.rsplit('/').next().unwrap_or_default();
    match (operation.method.as_str(), word) {
        ("PUT", "{vaultName}") => json!({ "location": location, "properties": vault }),
        ("PATCH", "{vaultName}") => json!({ "properties": { "enabledForDeployment": true } }),
        ("PUT", "{name}") => json!({
            "location": location,
            "sku": { "family": "B", "name": "Standard_B1" },
            "properties": { "tenantId": tenant, "initialAdminObjectIds": [facts.get("OBJECT_ID")] },
        }),
        ("PATCH", "{name}") => json!({ "tags": { "a": "b" } }),
        ("PUT", "{operationKind}") => json!({ "properties": { "accessPolicies": [{
            "tenantId": tenant,
            "objectId": facts.get("OBJECT_ID"),
            "permissions": { "keys": ["get"] },
        }] } }),
        ("POST", "checkNameAvailability") => json!({ "name": "aName", "type": "Microsoft.KeyVault/vaults" }),
        ("POST", "checkMhsmNameAvailability") => json!({ "name": "aName" }),
        _ => json!({}),
    }
}

/// What came before has not hurt: the old key signs, and a new one can be made.
fn assert_well(server: &Server, data: &Target) {
    let signed = data.call("POST", "/keys/stays/sign", Some(&json!({ "alg": "RS256", "value": encoded(&[1; 32]) })));
    signed.expect("signing after all that");
    data.create_key("another");
    server.assert_no_panic();
}

fn token(server: &Server, target: &Target) -> Option<String> {
    Some(server.client().try_token(Principal::Administrator, target.resource()).unwrap())
}

/// The data plane of a kind of container, with keys to aim at.
fn data_plane_survives(kind: ContainerKind) {
    let server = Server::ephemeral();
    let data = Container::made(server.client(), kind, "target").data();
    for name in ["probe", "stays"] {
        data.call("POST", &format!("/keys/{name}/create"), Some(&json!({ "kty": "RSA" }))).expect("creating a key");
    }
    let bundle = data.get("/keys/probe").body;
    let kid = bundle.pointer("/key/kid").and_then(Value::as_str).unwrap();
    let key_version = kid.rsplit('/').next().unwrap().to_owned();
    let backup = data.call("POST", "/keys/stays/backup", None).expect("a backup");
    let backup = backup.get("value").and_then(Value::as_str).unwrap();
    let path = |operation: &Operation| {
        // What creates or destroys keys gets names of its own, and leaves the probe as it is.
        let name = match (operation.method.as_str(), operation.path.as_str()) {
            ("DELETE", _) => "absent",
            ("PUT" | "POST", path) if path.ends_with("}") || path.ends_with("create") || path.ends_with("rotate") => {
                "made"
            }
            _ => "probe",
        };
        operation.path.replace("{key-name}", name).replace("{key-version}", &key_version)
    };
    let front = Front {
        document: Document::azure(KEYS_DOCUMENT),
        version: DATA_VERSION,
        path: Box::new(path),
        body: Box::new(|operation| data_body(operation, backup)),
    };
    let mut range = Range::new(server.client().facts(), data.host(), token(&server, &data), Shape::Azure);
    front.fire(&mut range);
    fire_names(&mut range, &front.document, DATA_VERSION);
    assert_well(&server, &data);
    range.finish(2_500);
}

#[test]
fn a_vault_survives_garbage() {
    data_plane_survives(ContainerKind::Vault);
}

#[test]
fn a_managed_hsm_survives_garbage() {
    data_plane_survives(ContainerKind::ManagedHsm);
}

#[test]
fn the_right_bodies_are_right() {
    // Otherwise a wrong member would be refused for another reason than that it is wrong.
    let server = Server::ephemeral();
    let data = Container::made(server.client(), ContainerKind::ManagedHsm, "target").data();
    data.call("POST", "/keys/probe/create", Some(&json!({ "kty": "RSA" }))).expect("creating a key");
    let document = Document::azure(KEYS_DOCUMENT);
    for operation in document.operations().iter().filter(|operation| operation.body.is_some()) {
        let word = operation.path.rsplit('/').next().unwrap_or_default();
        // Not built; needs a backup of something gone; needs a ciphertext of the key.
        if ["release", "securewrapkey", "secureunwrapkey", "restore", "decrypt", "unwrapkey"].contains(&word) {
            continue;
        }
        let name = if ["create", "{key-name}"].contains(&word) { "made" } else { "probe" };
        let path = operation.path.replace("{key-name}", name).replace("/{key-version}", "");
        data.call(&operation.method, &path, Some(&data_body(operation, ""))).expect(&operation.path);
    }
    let arm = server.client().arm();
    for kind in ContainerKind::ALL {
        drop(Container::made(server.client(), kind, "armtarget"));
    }
    for operation in Document::azure(VAULTS_DOCUMENT).operations() {
        let body = arm_body(&operation, server.client().facts());
        if body != json!({}) {
            let path = arm_path(&operation, server.client().facts());
            arm.call(&operation.method, &path, Some(&body)).expect(&operation.path);
        }
    }
}

/// A path of the resource manager. What could destroy gets a name that nobody has.
fn arm_path(operation: &Operation, facts: &Facts) -> String {
    let is_harmless = operation.method != "DELETE" && !operation.path.ends_with("/purge");
    let name = if is_harmless { "armtarget" } else { "armabsent" };
    let filled = [
        ("{subscriptionId}", facts.get("SUBSCRIPTION")),
        ("{resourceGroupName}", facts.get("RESOURCE_GROUP")),
        ("{location}", facts.get("LOCATION")),
        ("{vaultName}", name),
        ("{name}", name),
        ("{operationKind}", "add"),
    ];
    let path = filled.iter().fold(operation.path.clone(), |path, (from, to)| path.replace(from, to));
    // The names of things inside a container.
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "thing" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn the_resource_manager_survives_garbage() {
    let server = Server::ephemeral();
    let vault = Container::made(server.client(), ContainerKind::Vault, "target");
    let data = vault.data();
    data.call("POST", "/keys/stays/create", Some(&json!({ "kty": "RSA" }))).expect("creating a key");
    for kind in ContainerKind::ALL {
        drop(Container::made(server.client(), kind, "armtarget"));
    }
    let facts = server.client().facts();
    let arm = server.client().arm();
    let front = Front {
        document: Document::azure(VAULTS_DOCUMENT),
        version: ARM_VERSION,
        path: Box::new(|operation| arm_path(operation, facts)),
        body: Box::new(|operation| arm_body(operation, facts)),
    };
    let mut range = Range::new(facts, arm.host(), token(&server, &arm), Shape::Azure);
    front.fire(&mut range);
    assert_well(&server, &data);
    range.finish(4_000);
}
