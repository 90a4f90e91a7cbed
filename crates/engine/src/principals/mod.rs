//! The directory: who there is, kept in memory as it counts now, and changed by who has a role in it that lets them.
//!
//! A change is answered only after the directory in memory is that of after the change. Fronts ask it of every request,
//! so whoever was deleted, disabled or taken out of a group is so from their next request on.

mod applications;
mod groups;
mod roles;
mod succession;
mod users;

pub use applications::{
    AddedSecret, Application, NewApplication, NewPrincipal, NewSecret, SecretVerdict, hash_client_secret,
};
pub use groups::NewGroup;
pub use users::NewUser;

use crate::{Engine, Error, Subject, posts};
use domain::{
    Directory, Guid, Operation, Principal, PrincipalKind, Refusal, UnixTime,
    access::{Caller, Realm},
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
    pub(crate) fn directory_at_hand(&self) -> Option<Arc<Directory>> {
        self.directory.at_hand()
    }

    /// The same for a question, which is quicker.
    pub(crate) fn ask_directory_at_hand<V>(&self, question: impl FnOnce(&Directory) -> V) -> Option<V> {
        self.directory.ask_at_hand(question)
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

    /// Changes the directory, for a caller who may. `path` is what is changed, for the log.
    fn change_directory<T>(
        &self,
        caller: &Caller,
        operation: Operation,
        path: &str,
        work: impl FnMut(&mut dyn Tx, UnixTime) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_directory_access(caller, operation)?;
        let subject = Subject { container: None, resource: &directory_id(caller.tenant), path };
        let changed = self.settle_directory(self.change(operation, Some(caller), &subject, work));
        // Whoever is removed has no roles any more.
        let outcome = self.settle_access(Realm::Directory, changed)?;
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
        self.change_directory(caller, operation, path, |tx, now| posts::reduce_directory(tx, |tx| work(tx, now)))
    }

    /// A principal of some kind that a change is about, if the caller may change that one.
    fn known(
        &self,
        tx: &mut dyn Tx,
        caller: &Caller,
        kind: PrincipalKind,
        object_id: Guid,
    ) -> Result<Principal, Error> {
        let found = tx.principal_by_object(object_id)?.filter(|found| found.kind == kind);
        let found = found.ok_or(Refusal::PrincipalNotFound)?;
        self.check_privilege(tx, caller, object_id)?;
        Ok(found)
    }
}

/// As Entra's own audit log names its directory (Azure Monitor, "Microsoft Entra activity logs").
pub(crate) fn directory_id(tenant: Guid) -> String {
    format!("/tenants/{tenant}/providers/Microsoft.aadiam")
}
