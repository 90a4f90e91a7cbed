//! Bringing an engine up, and the first facts of an installation.

use crate::{
    Clock, Engine, Error, NewPrincipal,
    audit::{Notary, Queue},
    guids::Guids,
    in_force::InForce,
    metering::KeyUses,
    metrics::Counters,
    open::OpenContainers,
    retries::Retries,
};
use custody::{Entropy, Provider, RootKey};
use domain::{
    Activation, Guid, ResourceGroup, Sealed, Subscription,
    access::{Realm, RoleAssignment, Scope},
    metering::Prices,
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use store::{Store, Tx};

/// What an engine is made of.
pub struct EngineParts {
    pub store: Arc<dyn Store>,
    pub provider: Box<dyn Provider>,
    pub root: RootKey,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub hsm_defaults: HsmDefaults,
}

/// What every new managed HSM begins with.
#[derive(Clone, Debug)]
pub struct HsmDefaults {
    pub activation: Activation,
    /// Principals that get a local role at `/` in every new HSM: principal, role.
    pub grants: Vec<(Guid, Guid)>,
}

/// The first facts of an installation.
#[derive(Clone, Debug, Default)]
pub struct Foundation {
    pub subscriptions: Vec<Subscription>,
    pub resource_groups: Vec<ResourceGroup>,
    pub principals: Vec<NewPrincipal>,
    /// Control-plane grants: principal, role, scope.
    pub grants: Vec<(Guid, Guid, Scope)>,
    /// Directory roles: principal, role.
    pub directory_grants: Vec<(Guid, Guid)>,
}

const LATEST_TIME: &str = "latest-time";
const ROOT_CHECK: &str = "root-check";

impl Engine {
    /// Brings an engine up on a store. The first time, the root key is tied to the store; ever after, another root
    /// key is refused before it can do harm.
    ///
    /// # Errors
    /// [`Error::Custody`] with [`custody::Fault::WrongRoot`]; [`Error::Store`].
    pub fn start(parts: EngineParts) -> Result<Self, Error> {
        let EngineParts { store, provider, root, clock, entropy, hsm_defaults } = parts;
        tie_root(&*store, &root, &*entropy)?;
        let notary = Notary::open(&*store, &root, &*entropy)?;
        let engine = Self {
            store,
            provider,
            root,
            clock,
            latest_seen: AtomicI64::new(0),
            latest_kept: AtomicI64::new(0),
            entropy,
            guids: Guids::default(),
            hsm_defaults,
            open: OpenContainers::default(),
            arm_access: InForce::default(),
            audit: Queue::default(),
            key_uses: KeyUses::default(),
            counters: Counters::default(),
            prices: Prices::default(),
            notary,
            directory: InForce::default(),
            directory_access: InForce::default(),
            authorities: Vec::new(),
            asking: parking_lot::Mutex::default(),
            acting_retries: Retries::default(),
            asking_retries: Retries::default(),
            telling_retries: Retries::default(),
        };
        engine.resume_time()?;
        engine.arm_assignments()?;
        engine.directory()?;
        engine.succeed_former_administrators()?;
        engine.directory_assignments()?;
        Ok(engine)
    }

    fn resume_time(&self) -> Result<(), Error> {
        let Some(kept) = self.system_record(LATEST_TIME)? else {
            return Ok(());
        };
        let kept = <[u8; 8]>::try_from(kept.as_slice()).map_err(|_| Error::Broken(LATEST_TIME))?;
        self.latest_seen.store(i64::from_be_bytes(kept), Ordering::Relaxed);
        Ok(())
    }

    /// Keeps the latest time seen, now and then, for the process after this one.
    pub(crate) fn keep_time(&self) -> Result<(), Error> {
        const EVERY_SECONDS: i64 = 60;
        let latest = self.now().0;
        if latest - self.latest_kept.load(Ordering::Relaxed) < EVERY_SECONDS {
            return Ok(());
        }
        self.put_system_record(LATEST_TIME, &latest.to_be_bytes())?;
        self.latest_kept.store(latest, Ordering::Relaxed);
        Ok(())
    }

    /// Lays down the first facts of an installation. What is there already is left as it is.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn lay_foundation(&self, foundation: &Foundation) -> Result<(), Error> {
        let laid = self.store.transact("LayFoundation", |tx| {
            let known = tx.subscriptions()?;
            for subscription in &foundation.subscriptions {
                if !known.iter().any(|each| each.id == subscription.id) {
                    tx.put_subscription(subscription)?;
                }
            }
            for group in &foundation.resource_groups {
                if tx.resource_group(group.subscription, &group.name)?.is_none() {
                    tx.put_resource_group(group)?;
                }
            }
            for new in &foundation.principals {
                if tx.principal_by_object(new.object_id)?.is_none() {
                    tx.put_principal(&self.principal_of(new))?;
                }
            }
            for (principal, role, scope) in &foundation.grants {
                self.grant(tx, Realm::Arm, *principal, *role, scope)?;
            }
            for (principal, role) in &foundation.directory_grants {
                self.grant(tx, Realm::Directory, *principal, *role, &Scope::root())?;
            }
            Ok::<_, Error>(())
        });
        let laid = self.settle_access(Realm::Directory, laid);
        self.settle_access(Realm::Arm, self.settle_directory(laid))
    }

    /// Assigns a role, unless that is done already.
    fn grant(
        &self,
        tx: &mut dyn Tx,
        realm: Realm,
        principal: Guid,
        role: Guid,
        scope: &Scope,
    ) -> Result<(), store::Fault> {
        let held = |each: &RoleAssignment| each.principal == principal && each.role == role && each.scope == *scope;
        if tx.role_assignments(realm)?.iter().any(held) {
            return Ok(());
        }
        let (name, created) = (self.new_guid(), self.now());
        tx.put_role_assignment(&RoleAssignment { realm, name, scope: scope.clone(), role, principal, created })
    }

    /// A small record of the service itself, kept under a fixed name. Not for secrets.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn system_record(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store.query(|read| read.system_record(name))?)
    }

    /// # Errors
    /// [`Error::Store`].
    pub fn put_system_record(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        Ok(self.store.transact("PutSystemRecord", |tx| tx.put_system_record(name, value))?)
    }
}

fn tie_root(store: &dyn Store, root: &RootKey, entropy: &dyn Entropy) -> Result<(), Error> {
    let fresh = root.seal_check(entropy)?;
    let check = store.transact("TieRoot", |tx| match tx.system_record(ROOT_CHECK)? {
        Some(found) => Ok::<_, Error>(Sealed(found)),
        None => {
            tx.put_system_record(ROOT_CHECK, &fresh.0)?;
            Ok(fresh.clone())
        }
    })?;
    Ok(root.verify_check(&check)?)
}
