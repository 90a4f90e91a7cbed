//! Receivers that hang, fail and come back, and what each of them gets.

use super::post::{Post, lanes};
use azure::{
    Addresses,
    notices::{Courier, Message, Reply},
};
use custody::{RootKey, SoftwareProvider, SystemEntropy};
use domain::{
    AccessPolicy, ContainerKind, ContainerName, EventSubscriptionName, Guid, ObjectKind, ObjectName, ResourceGroup,
    ResourceId, Sku, Subscription, Tags, UnixTime, VersionId,
    access::{Caller, Scope, azure_roles},
    lifecycle::PolicyAmendment,
    notice::{Delivery, Endpoint, EventSubscriptionChanges, Notice, NoticeKind, NoticeRefusal, NoticedVersion},
};
use engine::{
    Clock, ContainerRequest, CreationTerms, Door, Engine, EngineParts, EventSubscriptionPlace,
    EventSubscriptionRequest, Foundation, MovableClock, ProfileRequest, Receiver, StoredDelivery, SystemClock,
    VaultSettings,
};
use http::HeaderMap;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use store::sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const ADMINISTRATOR: Guid = Guid::from_u128(0xad);
const TENANT: Guid = Guid::from_u128(0x7e);
const SUBSCRIPTION: Guid = Guid::from_u128(0x5b);

/// How a host answers.
enum Manner {
    Status(u16),
    /// As soon as it is let.
    Hangs(Mutex<mpsc::Receiver<()>>),
    /// Not at all, which takes half a minute to find out.
    Silence,
    /// The installation does not send there.
    Forbidden,
}

/// Time stands still, until a test moves it.
struct HandClock {
    now: MovableClock<SystemClock>,
    elapsed_seconds: AtomicU64,
}

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        self.now.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.elapsed_seconds.load(Ordering::SeqCst))
    }
}

impl HandClock {
    fn measure(&self, seconds: u64) {
        self.elapsed_seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// Receivers by their hosts, up to the hyphen. Tells which of them is sent something, when it begins.
struct Receivers {
    manners: HashMap<&'static str, Manner>,
    sent: UnboundedSender<String>,
    clock: Arc<HandClock>,
}

impl Receivers {
    fn manner(&self, endpoint: &Endpoint) -> &Manner {
        &self.manners[endpoint.host().split('-').next().unwrap()]
    }
}

impl Courier for Receivers {
    fn admit(&self, endpoint: &Endpoint) -> Result<(), NoticeRefusal> {
        match self.manner(endpoint) {
            Manner::Forbidden => Err(NoticeRefusal::EndpointForbidden { reason: "a rule" }),
            _ => Ok(()),
        }
    }

    fn carry(&self, message: &Message<'_>) -> Result<Reply, String> {
        let host = message.endpoint.host();
        self.sent.send(host.to_owned()).unwrap();
        let status = match self.manner(message.endpoint) {
            Manner::Status(status) => *status,
            Manner::Hangs(free) => {
                let _free = free.lock().unwrap().recv();
                200
            }
            Manner::Silence => {
                self.clock.measure(30);
                return Err("there was no answer in time".to_owned());
            }
            Manner::Forbidden => panic!("it was not admitted"),
        };
        Ok(Reply { status, headers: HeaderMap::new(), body: Vec::new() })
    }
}

struct Rig {
    door: Door,
    clock: Arc<HandClock>,
    _folder: TempDir,
}

fn caller() -> Caller {
    Caller::new(TENANT, ADMINISTRATOR, Guid::from_u128(1))
}

fn resource() -> ResourceId {
    ResourceId { subscription: SUBSCRIPTION, resource_group: "rg".to_owned() }
}

const VAULT: &str = "contoso";

fn named(vault: &str) -> ContainerName {
    ContainerName::parse(vault).unwrap()
}

fn place(vault: &str, name: &str) -> EventSubscriptionPlace {
    let name = EventSubscriptionName::parse(name).unwrap();
    EventSubscriptionPlace { resource: resource(), vault: named(vault), name }
}

fn foundation() -> Foundation {
    let owner = azure_roles().iter().find(|role| role.name == "Owner").unwrap().id;
    let (tenant, display_name) = (TENANT, "s".to_owned());
    Foundation {
        subscriptions: vec![Subscription { id: SUBSCRIPTION, tenant, display_name, undeletable: false }],
        resource_groups: vec![ResourceGroup {
            subscription: SUBSCRIPTION,
            name: "rg".to_owned(),
            location: "eastus".to_owned(),
            tags: Tags::new(),
        }],
        principals: Vec::new(),
        grants: vec![(ADMINISTRATOR, owner, Scope::root())],
        directory_grants: Vec::new(),
    }
}

impl Rig {
    /// With a vault that has an event subscription for each of these hosts.
    fn new(hosts: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let now = MovableClock::new(SystemClock, 0);
        let clock = Arc::new(HandClock { now, elapsed_seconds: AtomicU64::new(0) });
        let parts = EngineParts {
            store: Arc::new(SqliteStore::open(&folder.path().join("db")).unwrap()),
            provider: Box::new(SoftwareProvider),
            root: RootKey::new_key_file(&SystemEntropy).unwrap().0,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SystemEntropy),
            hsm_defaults: crate::serve::HSM_DEFAULTS,
        };
        let engine = Engine::start(parts).unwrap();
        engine.lay_foundation(&foundation()).unwrap();
        let rig = Self { door: Door::new(Arc::new(engine), 1), clock, _folder: folder };
        rig.make_vault(VAULT);
        hosts.iter().for_each(|host| rig.subscribe(VAULT, host));
        rig
    }

    fn make_vault(&self, vault: &str) {
        let request = ContainerRequest {
            name: named(vault),
            resource: resource(),
            location: "eastus".to_owned(),
            tenant: None,
            tags: Tags::new(),
            sku: Sku { family: "A".to_owned(), name: "standard".to_owned() },
            policy: PolicyAmendment::default(),
            profile: ProfileRequest::Vault(VaultSettings::default()),
            creation: CreationTerms::default(),
        };
        self.engine().put_container(&caller(), &request).unwrap();
    }

    fn engine(&self) -> &Engine {
        self.door.engine()
    }

    fn subscribe(&self, vault: &str, host: &str) {
        self.direct(&place(vault, host), host);
    }

    /// Makes or changes an event subscription: from now on it is for this host.
    fn direct(&self, place: &EventSubscriptionPlace, host: &str) {
        let request = EventSubscriptionRequest {
            place: place.clone(),
            endpoint: Endpoint::parse(&format!("https://{host}/")),
            changes: EventSubscriptionChanges::default(),
            is_update: false,
        };
        let prepared = self.engine().prepare_event_subscription(&caller(), request).unwrap();
        self.engine().save_event_subscription(&caller(), &prepared).unwrap();
    }

    /// Changes the vault's access so many times.
    fn tell(&self, count: u128) {
        self.tell_of(VAULT, count);
    }

    fn tell_of(&self, vault: &str, count: u128) {
        for number in 0..count {
            let toggle = |mut policies: Vec<AccessPolicy>| {
                if policies.pop().is_none() {
                    policies.push(AccessPolicy {
                        tenant: TENANT,
                        object_id: Guid::from_u128(number).to_string(),
                        application_id: None,
                        keys: Vec::new(),
                        secrets: Vec::new(),
                        certificates: Vec::new(),
                        storage: Vec::new(),
                    });
                }
                policies
            };
            self.engine().change_access_policies(&caller(), &resource(), &named(vault), toggle).unwrap();
        }
    }

    fn post(&self, manners: Vec<(&'static str, Manner)>) -> (Post, UnboundedReceiver<String>) {
        let (sent, arriving) = unbounded_channel();
        let courier =
            Arc::new(Receivers { manners: manners.into_iter().collect(), sent, clock: Arc::clone(&self.clock) });
        let addresses = Arc::new(Addresses::new("localhost".to_owned(), None, TENANT));
        (Post::new(self.door.clone(), courier, addresses), arriving)
    }

    fn receiver(&self, host: &str) -> Receiver {
        let container = self.engine().open_container(ContainerKind::Vault, VAULT).unwrap().id();
        Receiver { container, name: EventSubscriptionName::parse(host).unwrap() }
    }

    /// What is due for a host.
    fn waiting(&self, host: &str) -> usize {
        self.engine()
            .due_deliveries(&self.receiver(host), usize::MAX)
            .unwrap()
            .map_or(0, |outgoing| outgoing.deliveries.len())
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let rig = Rig::new(&["hangs", "works"]);
    rig.tell(200);
    let (free, hanging) = mpsc::channel();
    let (post, mut arriving) =
        rig.post(vec![("hangs", Manner::Hangs(Mutex::new(hanging))), ("works", Manner::Status(204))]);
    let post = post.start();
    let mut arrived: HashMap<String, usize> = HashMap::new();
    while arrived.get("works") != Some(&200) {
        *arrived.entry(arriving.recv().await.unwrap()).or_default() += 1;
    }
    assert!(arrived.get("hangs").is_none_or(|count| *count == 1), "{arrived:?}");
    drop(free);
    post.end().await;
    assert_eq!(rig.waiting("works"), 0);
}

#[tokio::test]
async fn receivers_that_hang_hold_up_nobody_else_however_many_they_are() {
    let rig = Rig::new(&["works"]);
    let (free, hanging) = mpsc::channel();
    let (post, mut arriving) =
        rig.post(vec![("hangs", Manner::Hangs(Mutex::new(hanging))), ("works", Manner::Status(204))]);
    let post = post.start();
    // One that has taken something is told on, whatever others of its vault do.
    rig.tell(1);
    assert_eq!(arriving.recv().await.unwrap(), "works");
    (0..80).for_each(|number| rig.subscribe(VAULT, &format!("hangs-{number}")));
    rig.tell(20);
    for vault in ["others", "victim"] {
        rig.make_vault(vault);
        (0..80).filter(|_| vault == "others").for_each(|number| rig.subscribe(vault, &format!("hangs-{number}")));
        rig.subscribe(vault, &format!("works-in-{vault}"));
        rig.tell_of(vault, 1);
    }
    let mut arrived: HashMap<String, usize> = HashMap::new();
    while arrived.get("works") != Some(&20) || !arrived.contains_key("works-in-victim") {
        *arrived.entry(arriving.recv().await.unwrap()).or_default() += 1;
    }
    let hanging = arrived.iter().filter(|(host, _)| host.starts_with("hangs")).map(|(_, count)| count).sum::<usize>();
    assert!(hanging <= 8, "four to each vault: {arrived:?}");
    drop(free);
    post.end().await;
}

#[tokio::test]
async fn a_receiver_does_not_rest_for_the_one_before_it() {
    let rig = Rig::new(&["silence", "works"]);
    rig.tell(1);
    let (post, _arriving) = rig.post(vec![("silence", Manner::Silence), ("works", Manner::Status(204))]);
    let post = Arc::new(post);
    let (_running, stopped) = tokio::sync::watch::channel(false);
    let [silence, works] = ["silence", "works"].map(|name| rig.receiver(name));
    for receiver in [&silence, &works] {
        post.serve(receiver, &stopped).await;
    }
    rig.clock.now.advance(60);
    assert_eq!(post.due().await, []);
    rig.direct(&place(VAULT, "silence"), "works");
    assert_eq!(post.due().await, std::slice::from_ref(&silence), "another endpoint");
    post.serve(&silence, &stopped).await;
    assert_eq!(rig.waiting("silence"), 0);
    rig.engine().delete_event_subscription(&caller(), &place(VAULT, "works")).unwrap();
    for _ in 0..60 {
        post.due().await;
    }
    let remembered: Vec<_> = post.remembered(|_| true).into_iter().map(|(receiver, _)| receiver).collect();
    assert_eq!(remembered, [silence], "what is gone is forgotten");
}

#[tokio::test]
async fn what_was_not_told_when_a_receiver_was_replaced_is_told_to_the_new_one() {
    let rig = Rig::new(&["hangs"]);
    rig.tell(3);
    let (free, hanging) = mpsc::channel();
    let (post, mut arriving) =
        rig.post(vec![("hangs", Manner::Hangs(Mutex::new(hanging))), ("works", Manner::Status(204))]);
    let post = post.start();
    assert_eq!(arriving.recv().await.unwrap(), "hangs");
    rig.direct(&place(VAULT, "hangs"), "works");
    drop(free);
    for _ in 0..3 {
        assert_eq!(arriving.recv().await.unwrap(), "works");
    }
    post.end().await;
    assert!(arriving.try_recv().is_err());
    assert_eq!((rig.waiting("hangs"), rig.engine().metrics().attempts.delivered), (0, 3));
}

#[tokio::test]
async fn a_receiver_that_was_removed_gets_nothing_more() {
    let rig = Rig::new(&["hangs"]);
    rig.tell(3);
    let (free, hanging) = mpsc::channel();
    let (post, mut arriving) = rig.post(vec![("hangs", Manner::Hangs(Mutex::new(hanging)))]);
    let post = post.start();
    assert_eq!(arriving.recv().await.unwrap(), "hangs");
    rig.engine().delete_event_subscription(&caller(), &place(VAULT, "hangs")).unwrap();
    drop(free);
    post.end().await;
    assert!(arriving.try_recv().is_err());
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_left_alone_at_once() {
    let rig = Rig::new(&["silence"]);
    rig.tell(5);
    let (post, mut arriving) = rig.post(vec![("silence", Manner::Silence)]);
    let post = Arc::new(post);
    let (_running, stopped) = tokio::sync::watch::channel(false);
    post.serve(&rig.receiver("silence"), &stopped).await;
    assert_eq!(post.due().await, []);
    rig.clock.now.advance(3_600);
    assert_eq!(post.due().await, [], "a clock that is set ends no rest");
    rig.clock.measure(10);
    assert_eq!(post.due().await, [rig.receiver("silence")]);
    assert_eq!(std::iter::from_fn(|| arriving.try_recv().ok()).count(), 1);
}

#[tokio::test]
async fn a_receiver_gets_each_notice_once_while_it_answers() {
    let rig = Rig::new(&["works"]);
    rig.tell(3);
    let (post, mut arriving) = rig.post(vec![("works", Manner::Status(200))]);
    let post = post.start();
    for _ in 0..3 {
        arriving.recv().await.unwrap();
    }
    post.end().await;
    assert_eq!(rig.waiting("works"), 0, "what is on its way is settled before the end");
    assert!(arriving.try_recv().is_err());
    let attempts = rig.engine().metrics().attempts;
    assert_eq!((attempts.delivered, attempts.repeated, attempts.dropped), (3, 0, 0));
}

#[tokio::test]
async fn a_receiver_that_fails_is_left_alone_after_a_while() {
    let rig = Rig::new(&["fails"]);
    rig.tell(40);
    let (post, mut arriving) = rig.post(vec![("fails", Manner::Status(500))]);
    let post = post.start();
    for _ in 0..10 {
        arriving.recv().await.unwrap();
    }
    post.end().await;
    let mut more = 0;
    while arriving.try_recv().is_ok() {
        more += 1;
    }
    assert_eq!(more, 0, "one lane, in order, and ten failures in a row are enough");
    assert_eq!(rig.waiting("fails"), 30, "the others were not tried");
}

#[tokio::test]
async fn what_is_too_old_goes_when_its_receiver_fails_and_not_before() {
    let rig = Rig::new(&["fails", "works"]);
    rig.tell(5);
    rig.clock.now.advance(2 * 86_400);
    let (post, mut arriving) = rig.post(vec![("fails", Manner::Status(500)), ("works", Manner::Status(200))]);
    let post = post.start();
    let mut arrived = HashMap::<String, usize>::new();
    while arrived.values().sum::<usize>() < 10 {
        *arrived.entry(arriving.recv().await.unwrap()).or_default() += 1;
    }
    post.end().await;
    assert_eq!((arrived["works"], arrived["fails"]), (5, 5), "each is tried once at least");
    assert_eq!((rig.waiting("works"), rig.waiting("fails")), (0, 0));
    let attempts = rig.engine().metrics().attempts;
    assert_eq!((attempts.delivered, attempts.repeated, attempts.dropped), (5, 0, 5));
}

#[tokio::test]
async fn what_is_too_old_is_not_even_tried_once_its_receiver_fails() {
    let rig = Rig::new(&["fails"]);
    rig.tell(25);
    let (post, mut arriving) = rig.post(vec![("fails", Manner::Status(500))]);
    let (post, receiver) = (Arc::new(post), rig.receiver("fails"));
    let (_running, stopped) = tokio::sync::watch::channel(false);
    post.serve(&receiver, &stopped).await;
    assert_eq!(rig.waiting("fails"), 15);
    rig.clock.now.advance(2 * 86_400);
    post.serve(&receiver, &stopped).await;
    assert_eq!(rig.waiting("fails"), 0);
    let attempts = rig.engine().metrics().attempts;
    assert_eq!((attempts.repeated, attempts.dropped), (10, 25), "those that were to be repeated are too old as well");
    assert_eq!(std::iter::from_fn(|| arriving.try_recv().ok()).count(), 10);
}

#[tokio::test]
async fn a_receiver_that_may_no_longer_be_told_counts_as_failing() {
    let rig = Rig::new(&["barred", "works"]);
    rig.tell(1);
    let (post, mut arriving) = rig.post(vec![("barred", Manner::Forbidden), ("works", Manner::Status(200))]);
    let post = post.start();
    assert_eq!(arriving.recv().await.unwrap(), "works");
    post.end().await;
    assert!(arriving.try_recv().is_err());
    assert_eq!(rig.engine().metrics().attempts.delivered, 1);
}

fn stored(position: u64, name: &str) -> StoredDelivery {
    let about = NoticedVersion {
        kind: ObjectKind::Key,
        name: ObjectName::parse(name).unwrap(),
        version: VersionId::from_bytes([1; 16]),
        not_before: None,
        expires: None,
    };
    let notice = Notice {
        id: Guid::from_u128(u128::from(position)),
        kind: NoticeKind::KeyExpired,
        time: UnixTime(1),
        vault: named(VAULT),
        source: String::new(),
        about: Some(about),
    };
    StoredDelivery { position, delivery: Delivery::new(notice) }
}

#[test]
fn notices_of_one_object_stay_in_one_lane_in_their_order() {
    let names = ["a", "B", "c", "d", "e", "f"];
    // What is due the longest comes first: not always what was written first.
    let deliveries: Vec<_> =
        (0..60_u64).map(|at| (at * 37) % 60).map(|at| stored(at, names[at as usize % 6])).collect();
    for count in [1, 4, 100] {
        let lanes = lanes(deliveries.clone(), count);
        assert!(lanes.len() <= count && lanes.iter().map(Vec::len).sum::<usize>() == 60);
        for name in names {
            let of_name = |stored: &&StoredDelivery| stored.delivery.notice.subject().eq_ignore_ascii_case(name);
            let found: Vec<Vec<u64>> = lanes
                .iter()
                .map(|lane| lane.iter().filter(of_name).map(|stored| stored.position).collect())
                .filter(|found: &Vec<u64>| !found.is_empty())
                .collect();
            assert_eq!((found.len(), found[0].len()), (1, 10), "{name}");
            assert!(found[0].is_sorted(), "{found:?}");
        }
    }
}
