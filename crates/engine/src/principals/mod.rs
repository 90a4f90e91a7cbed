//! The directory: who there is, kept in memory as it counts now, and changed by whoever may.
//!
//! A change is answered only after the directory in memory is that of after the change. Fronts ask it of every request,
//! so whoever was deleted, disabled or taken out of a group is so from their next request on.

mod administrators;
mod applications;
mod groups;
mod users;

pub use applications::{
    AddedSecret, Application, NewApplication, NewPrincipal, NewSecret, SecretVerdict, hash_client_secret,
};
pub use groups::NewGroup;
pub use users::NewUser;

use crate::{Engine, Error, Subject};
use administrators::Administered;
use domain::{
    Directory, Guid, Operation, Principal, PrincipalKind, Refusal, UnixTime,
    access::{Caller, Model},
};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use store::Tx;

/// The directory as it counts now.
#[derive(Default)]
pub(crate) struct DirectoryNow {
    now: RwLock<Arc<Directory>>,
    /// Held while a newer one is loaded: of two changes the later one stays, and readers do not wait for the load.
    loading: Mutex<()>,
}

impl Engine {
    /// The directory as it counts now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.now.read())
    }

    /// Takes a changed directory into use.
    pub(crate) fn refresh_directory(&self) -> Result<(), Error> {
        let _loading = self.directory.loading.lock();
        let (principals, memberships) = self.store.query(|read| {
            let principals = read.principals()?;
            Ok::<_, Error>((principals, read.memberships()?))
        })?;
        *self.directory.now.write() = Arc::new(Directory::new(principals, &memberships));
        Ok(())
    }

    /// Whether the caller may do this to the directory. It belongs to the whole tenant, and so must the right: held at
    /// the root of all scopes, or on every subscription there is.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] with the action that is missing.
    pub fn check_directory_access(&self, caller: &Caller, operation: Operation) -> Result<(), Error> {
        let Some(action) = operation.arm_action() else {
            return Err(Refusal::NotSupportedYet { what: operation.name() }.into());
        };
        let subscriptions = self.store.query(|read| read.subscriptions())?;
        if administrators::may(&self.arm_access.snapshot(), caller, action, &subscriptions) {
            return Ok(());
        }
        Err(Refusal::Forbidden { action, scope: "/".to_owned(), model: Model::ControlPlane }.into())
    }

    /// Changes the directory, for a caller who may. `path` is what is changed, for the log.
    fn change_directory<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        path: &str,
        work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_directory_access(caller, operation)?;
        // As Entra's own audit log names its directory (Azure Monitor, "Microsoft Entra activity logs").
        let directory = format!("/tenants/{}/providers/Microsoft.aadiam", caller.tenant);
        let subject = Subject { container: None, resource: &directory, path };
        let outcome = self.change(operation, Some(caller), &subject, work)?;
        self.refresh_directory()?;
        self.cover(operation)?;
        Ok(outcome)
    }

    /// Takes something from the directory. Whatever somebody could administer before, somebody can after.
    fn reduce_directory<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        path: &str,
        mut work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.change_directory(caller, operation, path, |tx, now| {
            let before = Administered::now(tx, caller.tenant)?;
            let outcome = work(tx, now)?;
            match before.lost(&Administered::now(tx, caller.tenant)?) {
                None => Ok(outcome),
                Some(lost) => Err(Refusal::from(lost).into()),
            }
        })
    }
}

/// A principal of some kind that a change is about.
fn known(tx: &mut dyn Tx, kind: PrincipalKind, object_id: Guid) -> Result<Principal, Error> {
    let found = tx.principal_by_object(object_id)?.filter(|found| found.kind == kind);
    Ok(found.ok_or(Refusal::PrincipalNotFound)?)
}
