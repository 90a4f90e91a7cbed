//! Locks: making, removing and listing them, and asking them before a change.
//!
//! Changes ask inside their own transaction, and a lock is made only on what is there in its own: of a lock and a change
//! that meet, one comes first, and the other knows. What is locked can't be deleted, so no lock outlives its scope. Locks
//! themselves are not subject to locks, or none could be taken away.

use crate::{Engine, Error, Subject};
use domain::{
    Operation, Refusal,
    access::{Caller, Realm, Scope},
    lock::{self, Act, Lock, LockName, Place},
};
use store::{Read, Tx};

impl Engine {
    /// Locks at a scope, above it and below it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], or that there is no such scope.
    pub fn locks(&self, caller: &Caller, scope: &Scope) -> Result<Vec<Lock>, Error> {
        self.authorise_arm(caller, Operation::LockRead, scope.as_str())?;
        self.store.query(|read| {
            if let Some(place) = Place::of(scope) {
                find_place(read, &place)?;
            }
            let mut found = locks_at_and_above(read, scope.as_str())?;
            found.extend(read.locks_below(scope)?);
            Ok(found)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::LockNotFound`].
    pub fn lock(&self, caller: &Caller, scope: &Scope, name: &LockName) -> Result<Lock, Error> {
        self.authorise_arm(caller, Operation::LockRead, scope.as_str())?;
        let found = self.store.query(|read| find_lock(read, scope, name))?;
        Ok(found.ok_or_else(|| not_found(name))?)
    }

    /// Makes a lock, or changes the one of its name at its scope. Returns it, and whether it is new.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`], or that there is no such scope.
    pub fn put_lock(&self, caller: &Caller, asked: &Lock) -> Result<(Lock, bool), Error> {
        let operation = Operation::LockPut;
        self.authorise_arm(caller, operation, asked.scope.as_str())?;
        asked.check()?;
        let (parameter, reason) = ("scope", "a lock is on a subscription, a resource group, a vault or a managed HSM");
        let place = Place::of(&asked.scope).ok_or(Refusal::ParameterInvalid { parameter, reason })?;
        let path = lock_path(&asked.scope, &asked.name);
        self.change(operation, Some(caller), &Subject::resource(&path), |tx, _| {
            let scope = find_place(tx, &place)?;
            let found = find_lock(tx, &scope, &asked.name)?;
            let created = found.is_none();
            let name = found.map_or_else(|| asked.name.clone(), |found| found.name);
            let lock = Lock { scope, name, ..asked.clone() };
            tx.put_lock(&lock)?;
            Ok((lock, created))
        })
    }

    /// Removes a lock.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::LockNotFound`].
    pub fn delete_lock(&self, caller: &Caller, scope: &Scope, name: &LockName) -> Result<(), Error> {
        let operation = Operation::LockDelete;
        self.authorise_arm(caller, operation, scope.as_str())?;
        self.change(operation, Some(caller), &Subject::resource(&lock_path(scope, name)), |tx, _| {
            find_lock(tx, scope, name)?.ok_or_else(|| not_found(name))?;
            tx.remove_lock(scope, name)?;
            Ok(())
        })
    }
}

/// Asks the locks whether this may happen to what lies at `path`. Belongs in the transaction of the change.
///
/// # Errors
/// [`Refusal::ScopeLocked`].
pub(crate) fn check_locks(read: &mut (impl Read + ?Sized), act: Act, path: &str) -> Result<(), Error> {
    let mut found = locks_at_and_above(read, path)?;
    if act == Act::Delete {
        found.extend(read.locks_below(&Scope::new(path))?);
    }
    Ok(lock::check(act, path, &found)?)
}

/// [`check_locks`] for roles: those within a managed HSM are of its data plane, and those of the directory are no resources:
/// there locks do not count.
pub(crate) fn check_locks_in(tx: &mut dyn Tx, realm: Realm, act: Act, path: &str) -> Result<(), Error> {
    match realm {
        Realm::Arm => check_locks(tx, act, path),
        Realm::Hsm(_) | Realm::Directory => Ok(()),
    }
}

fn locks_at_and_above(read: &mut (impl Read + ?Sized), path: &str) -> Result<Vec<Lock>, Error> {
    let mut found = Vec::new();
    for scope in lock::scopes_at_and_above(path) {
        found.extend(read.locks_at(&scope)?);
    }
    Ok(found)
}

fn find_lock(read: &mut (impl Read + ?Sized), scope: &Scope, name: &LockName) -> Result<Option<Lock>, Error> {
    Ok(read.locks_at(scope)?.into_iter().find(|lock| lock.name == *name))
}

fn not_found(name: &LockName) -> Refusal {
    Refusal::LockNotFound { name: name.as_str().to_owned() }
}

/// The scope of a place that exists, as what is there spells it.
fn find_place(read: &mut (impl Read + ?Sized), place: &Place) -> Result<Scope, Error> {
    let (subscription, group) = match place {
        Place::Subscription(subscription) => (*subscription, None),
        Place::ResourceGroup(resource) | Place::Container { resource, .. } => {
            (resource.subscription, Some(&resource.resource_group))
        }
    };
    if !read.subscriptions()?.iter().any(|each| each.id == subscription) {
        return Err(Refusal::SubscriptionNotFound.into());
    }
    let above = format!("/subscriptions/{subscription}");
    let Some(group) = group else { return Ok(Scope::new(&above)) };
    let group = read.resource_group(subscription, group)?.ok_or(Refusal::ResourceGroupNotFound)?;
    let Place::Container { kind, resource, name } = place else {
        return Ok(Scope::new(&format!("{above}/resourceGroups/{}", group.name)));
    };
    let found = read.container(*kind, name)?.map(|stored| stored.container);
    let found = found.filter(|found| {
        found.state.is_live()
            && found.resource.subscription == subscription
            && found.resource.resource_group.eq_ignore_ascii_case(&resource.resource_group)
    });
    Ok(Scope::new(&found.ok_or(Refusal::ContainerNotFound)?.arm_id()))
}

fn lock_path(scope: &Scope, name: &LockName) -> String {
    format!("{}/providers/Microsoft.Authorization/locks/{}", scope.as_str(), name.as_str())
}
