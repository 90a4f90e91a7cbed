//! The fronts in process, without a network: a real engine, the embedded store, software custody, and tokens of the
//! embedded issuer. Containers are made as clients make them, through the resource manager.

use crate::disk::Disk;
use azure::{
    Addresses, Arm, DataPlane, Request, Response, SignIn,
    notices::{Courier, Message, Reply},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use custody::{RootKey, SoftwareProvider};
use domain::{
    Activation, AuditRecord, ContainerKind, Guid, ResourceGroup, Subscription, Tags,
    access::{GLOBAL_ADMINISTRATOR, Scope, azure_roles, hsm_roles},
    notice::{Endpoint, NoticeRefusal},
};
use engine::{
    Door, Engine, EngineParts, Foundation, HsmDefaults, MovableClock, NewPrincipal, SystemClock, SystemEntropy,
    hash_client_secret,
};
use identity::{Grant, Identity, Proof, Trust};
use serde_json::{Value, json};
use std::{
    net::IpAddr,
    sync::{Arc, mpsc},
    task::Poll,
};
use store::sqlite::SqliteStore;

pub const VAULT: &str = "kv1.vault.localhost:8443";
/// Made without soft delete.
pub const LEGACY: &str = "kvold.vault.localhost:8443";
pub const HSM: &str = "hsm1.managedhsm.localhost:8443";
pub const TENANT: Guid = Guid::from_u128(1);
/// May do everything, in the directory too, but use the keys of vaults with access policies.
pub const ADMIN: Guid = Guid::from_u128(2);
/// Has no role.
pub const NOBODY: Guid = Guid::from_u128(3);
pub const SUBSCRIPTION: Guid = Guid::from_u128(4);
pub const OTHER_SUBSCRIPTION: Guid = Guid::from_u128(5);
/// The client secret of every principal here.
pub const SECRET: &str = "s3cret ~+&";
pub const DAY: i64 = 86_400;
pub const ARM: &str = "localhost:8443";
const ARM_AUDIENCE: &str = "https://management.azure.com";
const ARM_VERSION: &str = "2024-11-01";

/// Resource groups: two in one subscription, one in another.
pub fn group(name: &str) -> String {
    let subscription = if name == "elsewhere" { OTHER_SUBSCRIPTION } else { SUBSCRIPTION };
    format!("/subscriptions/{subscription}/resourceGroups/{name}")
}

pub fn vault(name: &str) -> String {
    format!("{}/providers/Microsoft.KeyVault/vaults/{name}", group("rg"))
}

pub fn hsm(name: &str) -> String {
    format!("{}/providers/Microsoft.KeyVault/managedHSMs/{name}", group("rg"))
}

pub fn deleted(collection: &str, name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/eastus/{collection}/{name}")
}

pub fn new_vault() -> Value {
    json!({"location": "eastus", "properties": {
        "tenantId": TENANT, "sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": true,
    }})
}

pub fn new_hsm() -> Value {
    json!({"location": "eastus", "sku": {"family": "B", "name": "Standard_B1"}, "properties": {
        "tenantId": TENANT, "initialAdminObjectIds": [ADMIN],
    }})
}

/// A body with other properties: each replaces the one of its name.
pub fn with(mut body: Value, properties: &Value) -> Value {
    for (name, value) in properties.as_object().unwrap() {
        body["properties"][name] = value.clone();
    }
    body
}

pub fn role(name: &str) -> Guid {
    azure_roles().iter().find(|role| role.name == name).unwrap().id
}

/// Receivers of notices. They agree, but for those whose hosts say otherwise.
struct Receivers;

impl Courier for Receivers {
    fn admit(&self, endpoint: &Endpoint) -> Result<(), NoticeRefusal> {
        match endpoint.host() {
            "barred.example.com" => Err(NoticeRefusal::EndpointForbidden { reason: "the host is barred" }),
            _ => Ok(()),
        }
    }

    fn carry(&self, message: &Message<'_>) -> Result<Reply, String> {
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-allowed-origin", http::HeaderValue::from_static("localhost"));
        let asked: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        let body = json!({"validationResponse": asked[0]["data"]["validationCode"]}).to_string().into_bytes();
        match message.endpoint.host() {
            "down.example.com" => Err("it is down".to_owned()),
            "refuses.example.com" => Ok(Reply { status: 405, headers, body }),
            _ => Ok(Reply { status: 200, headers, body }),
        }
    }
}

pub struct Site {
    runtime: tokio::runtime::Runtime,
    plane: DataPlane,
    arm: Arm,
    sign_in: SignIn,
    pub identity: Arc<Identity>,
    pub clock: Arc<MovableClock<SystemClock>>,
    pub disk: Arc<Disk>,
    _folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    /// Null where it is not JSON.
    pub body: Value,
    pub bytes: Bytes,
}

impl Answer {
    fn of(response: Response) -> Self {
        let (head, bytes) = response.into_parts();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self { status: head.status.as_u16(), headers: head.headers, body, bytes }
    }

    /// Status and code of an error.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }

    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The path and query of a URL on the resource manager's host.
    pub fn path_in(&self, header: &str) -> String {
        self.header(header).strip_prefix(&format!("https://{ARM}")).unwrap().to_owned()
    }

    /// What a claims challenge asks for; empty without one.
    pub fn claims(&self) -> String {
        let encoded = self.header("www-authenticate").split_once("claims=\"").map_or("", |(_, rest)| rest);
        String::from_utf8(STANDARD.decode(encoded.trim_end_matches('"')).unwrap()).unwrap()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(self.error(), (status, code), "{}", String::from_utf8_lossy(&self.bytes));
        self
    }
}

impl Site {
    /// An installation without containers.
    pub fn empty() -> Self {
        Self::trusting(Trust::default(), addresses())
    }

    /// One that takes tokens of other issuers too, under these addresses.
    pub fn trusting(trust: Trust, addresses: Addresses) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, _) = RootKey::new_key_file(&SystemEntropy).unwrap();
        let clock = Arc::new(MovableClock::new(SystemClock, 0));
        let disk = Arc::new(Disk::new(SqliteStore::open(&folder.path().join("db")).unwrap()));
        let engine = Engine::start(EngineParts {
            store: Arc::clone(&disk) as Arc<dyn store::Store>,
            provider: Box::new(SoftwareProvider),
            root,
            clock: Arc::clone(&clock) as Arc<dyn engine::Clock>,
            entropy: Arc::new(SystemEntropy),
            hsm_defaults: HsmDefaults {
                activation: Activation::Active,
                grants: hsm_roles().iter().map(|role| (ADMIN, role.id)).collect(),
            },
        })
        .unwrap();
        engine.lay_foundation(&foundation()).unwrap();
        let engine = Arc::new(engine);
        let identity = Arc::new(Identity::trusting(Arc::clone(&engine), TENANT, trust).unwrap());
        let addresses = Arc::new(addresses);
        let door = Door::new(engine, 2);
        let parts = || (door.clone(), Arc::clone(&identity), Arc::clone(&addresses));
        let (door_of_plane, identity_of_plane, addresses_of_plane) = parts();
        let (door_of_arm, identity_of_arm, addresses_of_arm) = parts();
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            plane: DataPlane { door: door_of_plane, identity: identity_of_plane, addresses: addresses_of_plane },
            arm: Arm {
                door: door_of_arm,
                identity: identity_of_arm,
                addresses: addresses_of_arm,
                courier: Arc::new(Receivers),
            },
            sign_in: SignIn {
                door: door.clone(),
                identity: Arc::clone(&identity),
                addresses: Arc::clone(&addresses),
                managed_identity: Some(ADMIN),
                identity_header: Some("header secret".into()),
            },
            identity,
            clock,
            disk,
            _folder: folder,
        }
    }

    /// One with a vault, a vault without soft delete, and a managed HSM.
    pub fn new() -> Self {
        let site = Self::empty();
        site.put(&vault("kv1"), &new_vault()).is(200);
        let legacy = with(new_vault(), &json!({"enableSoftDelete": false}));
        site.put(&format!("{}?api-version=2016-10-01", vault("kvold")), &legacy).is(200);
        site.put(&hsm("hsm1"), &with(new_hsm(), &json!({"softDeleteRetentionInDays": 7}))).is(202);
        site
    }

    pub fn token(&self, app: Guid, audience: &str) -> String {
        let principal = self.identity.application(app).unwrap();
        let grant =
            Grant { principal: &principal, proof: Proof::ClientSecret, audience, capabilities: vec!["CP1".into()] };
        self.identity.issue(&grant).unwrap().token
    }

    /// A request to a container, with a token for it if somebody asks.
    pub fn key(&self, who: Option<Guid>, host: &str, method: &str, uri: &str, body: &[u8]) -> Answer {
        let audience = format!("https://{}", host.split_once('.').unwrap().1);
        let token = who.map(|who| self.token(who, &audience));
        self.data_plane(host, request(host, method, uri, token.as_deref(), body))
    }

    /// A request of the administrator's to a container, in a recent API version unless it names one.
    pub fn call(&self, host: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.key(Some(ADMIN), host, method, &versioned(path, "7.6"), &body)
    }

    pub fn data_plane(&self, host: &str, request: http::Request<Bytes>) -> Answer {
        let kind = if host.contains("managedhsm") { ContainerKind::ManagedHsm } else { ContainerKind::Vault };
        let name = host.split('.').next().unwrap();
        Answer::of(self.runtime.block_on(self.plane.handle(kind, name, &Arc::new(read(request, [127, 0, 0, 1])))))
    }

    /// A request of the administrator's whose client hangs up while its work waits.
    pub fn hang_up(&self, host: &str, method: &str, path: &str, body: &Value) {
        let (name, domain) = host.split_once('.').unwrap();
        let kind = if domain.starts_with("managedhsm") { ContainerKind::ManagedHsm } else { ContainerKind::Vault };
        let token = self.token(ADMIN, &format!("https://{domain}"));
        let body = body.to_string().into_bytes();
        let request = request(host, method, &versioned(path, "7.6"), Some(&token), &body);
        let request = Arc::new(read(request, [127, 0, 0, 1]));
        // Its one thread for blocking work is taken, so that no answer can be there at once.
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (free, taken) = mpsc::channel::<()>();
        runtime.spawn_blocking(move || taken.recv());
        runtime.block_on(async {
            let mut answer = Box::pin(self.plane.handle(kind, name, &request));
            let first = std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
            assert!(first.is_pending(), "answered at once: {first:?}");
        });
        drop(free);
    }

    /// A request to the resource manager, in an API version of 2024 unless it names one.
    pub fn manage(&self, who: Guid, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let token = self.token(who, ARM_AUDIENCE);
        self.resource_manager(request(ARM, method, &versioned(path, ARM_VERSION), Some(&token), &body))
    }

    pub fn resource_manager(&self, request: http::Request<Bytes>) -> Answer {
        Answer::of(self.runtime.block_on(self.arm.handle(read(request, [127, 0, 0, 1]))))
    }

    pub fn sign_in(&self, request: http::Request<Bytes>, from: [u8; 4]) -> Answer {
        Answer::of(self.runtime.block_on(self.sign_in.handle(read(request, from))))
    }

    /// One run of the purge scheduler.
    pub fn sweep(&self) {
        self.plane.door.engine().sweep(100).unwrap();
    }

    /// The audit log, with what waits to become durable.
    pub fn log(&self) -> Vec<AuditRecord<'static>> {
        let engine = self.plane.door.engine();
        engine.flush_audit().unwrap();
        let leaves = engine.audit_log(0, usize::MAX).unwrap();
        leaves.iter().map(|(_, leaf)| AuditRecord::read(leaf).unwrap()).collect()
    }

    /// How many records of the log the last checkpoint covers.
    pub fn signed(&self) -> usize {
        let last = self.plane.door.engine().last_audit_checkpoint().unwrap();
        last.map_or(0, |last| usize::try_from(last.size).unwrap())
    }

    /// A request to the directory.
    pub fn graph(&self, who: Guid, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let token = self.token(who, "https://graph.microsoft.com");
        self.sign_in(request(ARM, method, &format!("/v1.0{path}"), Some(&token), &body), [127, 0, 0, 1])
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.manage(ADMIN, "PUT", path, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.manage(ADMIN, "GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.manage(ADMIN, "POST", path, body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.manage(ADMIN, "DELETE", path, &Value::Null)
    }
}

pub fn addresses() -> Addresses {
    Addresses::new("localhost".to_owned(), Some(8443), TENANT)
}

pub fn request(host: &str, method: &str, uri: &str, token: Option<&str>, body: &[u8]) -> http::Request<Bytes> {
    let mut request = http::Request::builder().method(method).uri(uri).header("host", host);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.header("x-ms-client-request-id", "c1").body(Bytes::copy_from_slice(body)).unwrap()
}

fn read(request: http::Request<Bytes>, from: [u8; 4]) -> Request {
    Request::read(request, IpAddr::from(from), Guid::from_u128(99)).unwrap()
}

fn versioned(path: &str, version: &str) -> String {
    if path.contains("api-version=") {
        return path.to_owned();
    }
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}api-version={version}")
}

fn foundation() -> Foundation {
    let subscription = |id| Subscription { id, tenant: TENANT, display_name: "s".into(), undeletable: false };
    let group = |subscription, name: &str| ResourceGroup {
        subscription,
        name: name.into(),
        location: "eastus".into(),
        tags: Tags::new(),
    };
    let grants = [SUBSCRIPTION, OTHER_SUBSCRIPTION].into_iter().flat_map(|subscription| {
        let scope = Scope::new(&format!("/subscriptions/{subscription}"));
        [(ADMIN, role("Owner"), scope.clone()), (ADMIN, role("Key Vault Administrator"), scope)]
    });
    Foundation {
        subscriptions: vec![subscription(SUBSCRIPTION), subscription(OTHER_SUBSCRIPTION)],
        resource_groups: vec![
            group(SUBSCRIPTION, "rg"),
            group(SUBSCRIPTION, "rg2"),
            group(OTHER_SUBSCRIPTION, "elsewhere"),
        ],
        principals: [ADMIN, NOBODY]
            .map(|id| NewPrincipal {
                object_id: id,
                app_id: id,
                display_name: "p".into(),
                secret_hash: hash_client_secret(SECRET),
            })
            .into(),
        grants: grants.collect(),
        directory_grants: vec![(ADMIN, GLOBAL_ADMINISTRATOR)],
    }
}
