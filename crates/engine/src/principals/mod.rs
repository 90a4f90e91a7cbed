//! The directory: who there is, kept in memory as it counts now, and changed by whoever may.
//!
//! A change is answered only after the directory in memory is that of after the change. Fronts ask it of every request,
//! so whoever was deleted, disabled or taken out of a group is so from their next request on.

pub(crate) mod administrators;
mod applications;
mod groups;
mod users;

pub use applications::{
    AddedSecret, Application, NewApplication, NewPrincipal, NewSecret, SecretVerdict, hash_client_secret,
};
pub use groups::NewGroup;
pub use users::NewUser;

use crate::{Engine, Error, Subject, posts};
use domain::{
    Directory, Guid, Operation, Principal, PrincipalKind, Refusal, UnixTime,
    access::{Caller, Model},
};
use std::sync::Arc;
use store::{Fault, Tx};

impl Engine {
    /// The directory as it counts now: from memory, unless a change could not be taken into use.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn directory(&self) -> Result<Arc<Directory>, Error> {
        Ok(self.directory.get_or_load(|| self.load_directory())?)
    }

    /// The directory, if it is in memory: asking costs no look at the store.
    #[must_use]
    pub fn directory_at_hand(&self) -> Option<Arc<Directory>> {
        self.directory.at_hand()
    }

    fn load_directory(&self) -> Result<Directory, Fault> {
        let (principals, memberships) =
            self.store.query(|read| Ok::<_, Fault>((read.principals()?, read.memberships()?)))?;
        Ok(Directory::new(principals, &memberships))
    }

    /// Takes a change of the directory into use before it is answered.
    pub(crate) fn settle_directory<T>(&self, changed: Result<T, Error>) -> Result<T, Error> {
        self.directory.settle(changed, || self.load_directory())
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
        if administrators::may(&*self.arm_assignments()?, caller, action, &subscriptions) {
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
        let outcome = self.settle_directory(self.change(operation, Some(caller), &subject, work))?;
        self.cover(operation)?;
        Ok(outcome)
    }

    /// Takes something from the directory. Every post that somebody held before, somebody holds after.
    fn reduce_directory<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        path: &str,
        mut work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.change_directory(caller, operation, path, |tx, now| {
            posts::reduce_directory(tx, caller.tenant, |tx| work(tx, now))
        })
    }
}

/// A principal of some kind that a change is about.
fn known(tx: &mut dyn Tx, kind: PrincipalKind, object_id: Guid) -> Result<Principal, Error> {
    let found = tx.principal_by_object(object_id)?.filter(|found| found.kind == kind);
    Ok(found.ok_or(Refusal::PrincipalNotFound)?)
}
