//! The pure rules of Strongroom.
//!
//! What a container or an object may go through (lifecycle), which operation works in which state
//! (attributes), who may do it (access), from where (network), what is kept from everybody (lock), who is told (notice),
//! and what it costs (metering). Nothing here reads a clock, draws randomness, or does I/O: time and random bytes are
//! arguments, so that every rule can be tested with plain values.
//!
//! This crate does not know how anything is stored, encrypted, or spelled on a wire.

pub mod access;
mod attributes;
mod audit;
mod base64url;
mod certificate;
mod container;
mod directory;
mod id;
mod json_line;
mod jwk;
mod key;
pub mod lifecycle;
pub mod lock;
pub mod metering;
mod name;
mod network;
pub mod notice;
mod object;
mod operation;
mod plain_text;
mod post;
mod principal;
mod principals;
mod refusal;
mod rotation;
mod sealed;
mod secret;
mod time;

pub use attributes::{Attributes, KeyUse, permits};
pub use audit::{AuditRecord, Event, Identity, OtherEvent, Outcome, beginning, time_of_leaf};
pub use certificate::{
    Administrator, AlternativeNames, CertificateBody, CertificateContent, CertificateCourse, CertificateLife,
    CertificateOperation, CertificatePolicy, CertificateRefusal, Contact, Contacts, Errand, IssuedCertificate, Issuer,
    IssuerChanges, IssuerChoice, IssuerReference, IssuerRequest, KeyProperties, KeyRequest, KeyUsage, LifetimeStep,
    LifetimeStepKind, LifetimeStepRequest, LifetimeTrigger, NextAction, OperationError, OperationStatus, PolicyRequest,
    PrivateAuthority, RequestId, StepsDone, X509Properties, key_operations,
};
pub use container::{
    AccessPolicy, Activation, Container, ContainerKind, HsmProfile, PermissionModel, Profile, ResourceId, Sku,
    VaultProfile,
};
pub use directory::{OperationResult, ResourceGroup, Subscription};
pub use id::{ContainerId, Guid, VersionId};
pub use json_line::JsonLine;
pub use jwk::{PrivateJwk, PublicKey};
pub use key::{Curve, DigestLength, EncryptionAlgorithm, KeyBody, KeyOperation, KeySpec, KeyType, SignatureAlgorithm};
pub use lifecycle::State;
pub use name::{ContainerName, EventSubscriptionName, IssuerName, ObjectName};
pub use network::{Bypass, DefaultAction, IpRange, IpRules, NetworkRules, PublicNetworkAccess, VirtualNetworkRule};
pub use object::{Body, Object, ObjectAct, ObjectKind, SecretBody, Tags, Version};
pub use operation::Operation;
pub use plain_text::push_address;
pub use post::{Held, Post};
pub use principal::{ClientSecret, DirectoryRefusal, Principal, PrincipalChanges, PrincipalKind};
pub use principals::{Directory, Standing, closure};
pub use refusal::Refusal;
pub use rotation::{LifetimeAction, RotationPolicy, RotationTrigger};
pub use sealed::Sealed;
pub use secret::Secret;
pub use time::{CalendarDuration, UnixTime};
