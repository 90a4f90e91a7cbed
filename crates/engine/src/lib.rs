//! The vault itself: one function per operation, behind one gate.
//!
//! Every operation has one order: authorise → load → decide (domain) → custody → save → audit. A change, its audit
//! record and its purge schedule commit in one transaction. All code here is synchronous; [`Door`] is where the
//! asynchronous fronts come in.
//!
//! This crate does not know any wire: it speaks in the domain's types and refuses in the domain's words.

mod access;
mod act;
pub mod audit;
mod certificates;
mod changes;
mod clock;
mod containers;
mod directory;
mod door;
mod error;
mod guids;
mod in_force;
mod keys;
mod locks;
mod metering;
mod metrics;
mod notices;
mod objects;
mod open;
mod page;
mod posts;
mod principals;
mod retries;
mod roles;
mod secrets;
mod setup;
mod shares;
mod sweep;
mod system_key;

pub use access::RoleAssignmentRequest;
pub use audit::{Asker, Ending, Subject, Told};
pub use certificates::{
    CertificateAuthority, CertificateFile, CreateCertificate, ImportCertificate, KeyReference, MergeCertificate, Order,
    OrderAnswer, PRIVATE_CA, SetIssuer,
};
pub use clock::{Clock, MovableClock, SystemClock};
pub use containers::{
    ContainerPatch, ContainerRequest, CreationTerms, HsmSettings, NameAvailability, ProfileRequest, VaultSettings,
};
pub use custody::{Entropy, SystemEntropy, VerifyingKey, sha256};
pub use directory::ContainerListing;
pub use door::{Cost, Door, Lanes};
pub use error::Error;
pub use keys::{CreateKey, CryptoResult, DecryptRequest, EncryptRequest, ImportKey};
pub use metering::{UsageLine, UsageQuery, UsageScope};
pub use metrics::{Answered, Attempts, Metrics};
pub use notices::{EventSubscriptionPlace, EventSubscriptionRequest, Generation, Outgoing, PreparedSubscription};
pub use objects::{AttributeChanges, NewAttributes, ObjectChanges, ObjectView};
pub use open::OpenContainer;
pub use page::{Page, PageRequest};
pub use principals::{
    AddedSecret, Application, NewApplication, NewGroup, NewPrincipal, NewSecret, NewUser, SecretVerdict,
    hash_client_secret,
};
pub use secrets::{SecretView, SetSecret};
pub use setup::{EngineParts, Foundation, HsmDefaults};
pub use shares::Shares;
pub use store::{Receiver, StoredDelivery};
pub use sweep::Swept;
pub use system_key::SystemKey;

use custody::{Provider, RootKey};
use domain::{Guid, UnixTime, VersionId};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
pub use store::Presence;
use store::Store;

/// The vault. Shared by all fronts and loops of a process.
pub struct Engine {
    store: Arc<dyn Store>,
    provider: Box<dyn Provider>,
    root: RootKey,
    clock: Arc<dyn Clock>,
    /// Seconds since 1970: see [`Engine::now`].
    latest_seen: AtomicI64,
    latest_kept: AtomicI64,
    entropy: Arc<dyn Entropy>,
    guids: guids::Guids,
    hsm_defaults: HsmDefaults,
    open: open::OpenContainers,
    /// Who may do what in the control plane, and in vaults that go by roles.
    arm_access: in_force::InForce<domain::access::Assignments>,
    audit: audit::Queue,
    key_uses: metering::KeyUses,
    counters: metrics::Counters,
    prices: domain::metering::Prices,
    notary: audit::Notary,
    directory: in_force::InForce<domain::Directory>,
    /// Who may do what in the directory.
    directory_access: in_force::InForce<domain::access::Assignments>,
    authorities: Vec<Box<dyn CertificateAuthority>>,
    /// Held by whoever asks issuers: two who ask at once would order the same certificate twice.
    asking: parking_lot::Mutex<()>,
    /// What is tried again by each loop: the one that acts, the one that asks issuers, and the one that tells.
    acting_retries: retries::Retries,
    asking_retries: retries::Retries,
    telling_retries: retries::Retries,
}

impl Engine {
    /// The time: the clock's, but never earlier than the latest seen on this state, in this process or one before it. A
    /// clock that was lost and comes up in 1970 must not date deletions so that they are due at once.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        let (now, latest) = (self.clock.now().0, self.latest_seen.load(Ordering::Relaxed));
        if now > latest {
            self.latest_seen.fetch_max(now, Ordering::Relaxed);
        }
        UnixTime(now.max(latest))
    }

    /// A fresh GUID, for callers that have to name something: a correlation, an assignment.
    #[must_use]
    pub fn new_guid(&self) -> Guid {
        self.guids.next(&*self.entropy)
    }

    fn new_version_id(&self) -> VersionId {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        VersionId::from_random(bytes)
    }
}
