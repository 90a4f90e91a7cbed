//! Durable state behind one transaction port.
//!
//! [`Store`] runs transactions; [`Read`] and [`Tx`] say what can be asked and changed inside one, in the field's
//! verbs. Each engine ([`sqlite`] so far) implements the three, and the suite in [`conformance`] defines what an
//! engine must do.
//!
//! This crate does not know any rule of the domain: it keeps what it is given. It sees key material only as
//! [`domain::Sealed`] bytes, and destroys rows only against a [`domain::lifecycle::Purged`].

#[cfg(feature = "conformance")]
pub mod conformance;
mod port;
pub mod sqlite;

pub use port::{
    ContainerFilter, DueObject, Fault, LifetimeFilter, Presence, Read, Receiver, Store, StoredCheckpoint,
    StoredContainer, StoredDelivery, StoredEventSubscription, StoredIssuer, StoredObject, StoredVersion, Tx, Verdict,
};
