//! Containers in the control plane: create, change, delete, recover, purge, list.

mod lifecycle;
mod list;
mod put;

pub(crate) use lifecycle::delete;
pub use list::NameAvailability;
pub use put::{ContainerPatch, ContainerRequest, CreationTerms, HsmSettings, ProfileRequest, VaultSettings};
pub(crate) use put::{arm_id, is_live_at, same_location};

use crate::{Engine, Error, OpenContainer};
use custody::{Context, Purpose, WrappingKey};
use domain::{
    Activation, Container, ContainerId, ContainerKind, ContainerName, Operation, Profile, Refusal, Sealed, State,
    access::{Assignments, Realm},
};
use std::sync::Arc;
use store::{StoredContainer, Tx};

/// The operations of a kind of container: their names and rights differ, the rules don't.
pub(crate) struct ContainerOperations {
    pub read: Operation,
    pub put: Operation,
    pub delete: Operation,
    pub recover: Operation,
    pub read_deleted: Operation,
    pub purge: Operation,
    pub check_name: Operation,
}

pub(crate) fn operations(kind: ContainerKind) -> &'static ContainerOperations {
    match kind {
        ContainerKind::Vault => &ContainerOperations {
            read: Operation::VaultRead,
            put: Operation::VaultPut,
            delete: Operation::VaultDelete,
            recover: Operation::VaultRecover,
            read_deleted: Operation::VaultReadDeleted,
            purge: Operation::VaultPurge,
            check_name: Operation::VaultCheckName,
        },
        ContainerKind::ManagedHsm => &ContainerOperations {
            read: Operation::ManagedHsmRead,
            put: Operation::ManagedHsmPut,
            delete: Operation::ManagedHsmDelete,
            recover: Operation::ManagedHsmRecover,
            read_deleted: Operation::ManagedHsmReadDeleted,
            purge: Operation::ManagedHsmPurge,
            check_name: Operation::ManagedHsmCheckName,
        },
    }
}

impl OpenContainer {
    /// # Errors
    /// [`Refusal::NotActivated`] for a managed HSM whose security domain nobody has taken over.
    pub(crate) fn check_active(&self) -> Result<(), Refusal> {
        match &self.container.profile {
            Profile::ManagedHsm(hsm) if hsm.activation == Activation::NotActivated => Err(Refusal::NotActivated),
            _ => Ok(()),
        }
    }
}

impl Engine {
    /// The container if it is open already: costs no disk read.
    #[must_use]
    pub fn opened_container(&self, kind: ContainerKind, name: &str) -> Option<Arc<OpenContainer>> {
        self.open.get(kind, name)
    }

    /// Opens a live container for use, by the name in a host name. From memory if it is open.
    ///
    /// # Errors
    /// [`Refusal::ContainerNotFound`], [`Refusal::ContainerDeleted`].
    pub fn open_container(&self, kind: ContainerKind, name: &str) -> Result<Arc<OpenContainer>, Error> {
        let name = ContainerName::parse(name).ok_or(Refusal::ContainerNotFound)?;
        if let Some(open) = self.open.get(kind, name.as_str()) {
            return Ok(open);
        }
        self.open.get_or_open(kind, &name, || {
            let stored = self.store.query(|read| read.container(kind, &name))?.ok_or(Refusal::ContainerNotFound)?;
            match stored.container.state.as_of(self.now()) {
                None => Err(Refusal::ContainerNotFound.into()),
                Some(State::Deleted(deletion)) => {
                    Err(Refusal::ContainerDeleted { scheduled_purge_at: deletion.scheduled_purge_at }.into())
                }
                Some(State::Live) => self.unseal_container(stored),
            }
        })
    }

    pub(crate) fn open_container_by_id(&self, id: ContainerId) -> Result<Option<Arc<OpenContainer>>, Error> {
        let found = self.store.query(|read| read.container_by_id(id))?;
        let Some(container) = found.map(|stored| stored.container).filter(|container| container.state.is_live()) else {
            return Ok(None);
        };
        match self.open_container(container.kind(), container.name.as_str()) {
            Ok(open) => Ok(Some(open)),
            // Deleted since it was looked for.
            Err(Error::Refused(Refusal::ContainerNotFound | Refusal::ContainerDeleted { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn unseal_container(&self, stored: StoredContainer) -> Result<OpenContainer, Error> {
        let StoredContainer { container, sealed_key } = stored;
        let key = self.root.as_wrapping().open_key(&key_context(&container), &sealed_key)?;
        let access = match container.kind() {
            ContainerKind::Vault => Assignments::default(),
            ContainerKind::ManagedHsm => self.load_access(Realm::Hsm(container.id))?,
        };
        Ok(OpenContainer::new(container, key, access))
    }

    fn new_container_key(&self, container: &Container) -> Result<Sealed, Error> {
        let key = WrappingKey::generate(&*self.entropy)?;
        Ok(self.root.as_wrapping().seal_key(&key_context(container), &key, &*self.entropy)?)
    }

    /// Looks a container up for a change. One past its scheduled purge is purged here and now, as the scheduler would.
    fn take_container(
        &self,
        tx: &mut dyn Tx,
        kind: ContainerKind,
        name: &ContainerName,
    ) -> Result<Option<Container>, Error> {
        let now = self.now();
        let Some(found) = tx.container(kind, name)? else {
            return Ok(None);
        };
        let container = found.container;
        let Some(proof) = container.state.deletion().and_then(|deletion| deletion.expire(now)) else {
            return Ok(Some(container));
        };
        tx.remove_container(container.id, proof)?;
        let purge = operations(kind).purge;
        self.append_expiry(tx, purge, &container, "", now)?;
        Ok(None)
    }
}

fn key_context(container: &Container) -> Context<'_> {
    Context {
        container: Some(container.id),
        kind: container.kind().as_str(),
        // The id alone names it: a container's name is free again after its purge, its id never is.
        name: "",
        version: None,
        purpose: Purpose::ContainerKey,
    }
}
