//! Why the vault says no, in the field's words. Each front maps every refusal to its wire in one exhaustive match.

use crate::{
    CertificateRefusal, Curve, DirectoryRefusal, EncryptionAlgorithm, KeyOperation, KeySpec, KeyType, KeyUse,
    ObjectKind, ObjectName, Post, SignatureAlgorithm, UnixTime, access::RoleRefusal, notice::NoticeRefusal,
};
use std::net::IpAddr;

/// A rule of the domain forbids what was asked. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // Existence
    #[error("no such object")]
    NotFound,
    #[error("no such deleted object")]
    DeletedNotFound,
    #[error("no such container")]
    ContainerNotFound,
    #[error("no such deleted container")]
    DeletedContainerNotFound,
    #[error("the container is deleted")]
    ContainerDeleted { scheduled_purge_at: UnixTime },
    #[error("the managed HSM is not activated")]
    NotActivated,
    #[error("no such subscription")]
    SubscriptionNotFound,
    #[error("no such resource group")]
    ResourceGroupNotFound,
    #[error("no such role assignment")]
    RoleAssignmentNotFound,
    #[error("no such role definition")]
    RoleDefinitionNotFound,
    #[error("no such operation result")]
    OperationNotFound,
    #[error("no such principal")]
    PrincipalNotFound,
    #[error("no such lock")]
    LockNotFound { name: String },

    // Names
    #[error("the name is invalid")]
    NameInvalid { name: String },
    #[error("the name is held by a deleted object")]
    NameHeldByDeleted,
    #[error("a restore meets an object, live or deleted, of the same name")]
    RestoreConflict { kind: ObjectKind, name: ObjectName },
    #[error("the name is held by another container")]
    ContainerNameTaken,
    #[error("the name is held by a deleted container")]
    ContainerNameHeldByDeleted,
    #[error("the resource group still holds resources")]
    ResourceGroupNotEmpty,
    #[error("the role assignment exists")]
    RoleAssignmentExists,
    #[error("nobody would be left who administers {of}")]
    LastAdministrator { of: Post },

    // Lifecycle
    #[error("retention must be 7 to 90 days")]
    RetentionOutOfRange { days: i64 },
    #[error("retention was chosen at creation")]
    RetentionImmutable,
    #[error("purge protection can't be turned off")]
    PurgeProtectionIrreversible,
    #[error("purge protection needs soft delete")]
    PurgeProtectionNeedsSoftDelete,
    #[error("soft delete can't be turned off")]
    SoftDeleteIrreversible,
    #[error("purge protection is on")]
    PurgeProtected { until: UnixTime },
    #[error("soft delete is off")]
    SoftDeleteDisabled,
    #[error("it is extended to further regions")]
    ExtendedToRegions { name: String, regions: Vec<String> },
    #[error("the tenant can't be changed to a foreign one")]
    TenantInvalid,
    #[error("the location can't be changed")]
    LocationImmutable,
    #[error("the location of a resource group can't be changed")]
    GroupLocationImmutable,

    #[error("the secret is disabled")]
    SecretDisabled,

    // Use of keys
    #[error("the key is disabled")]
    KeyDisabled { operation: KeyOperation },
    #[error("the key is not yet valid")]
    KeyNotYetValid { operation: KeyOperation, not_before: UnixTime },
    #[error("the key has expired")]
    KeyExpired { operation: KeyOperation, expires: UnixTime },
    #[error("the operation is not among key_ops")]
    KeyOperationForbidden { operation: KeyOperation },
    #[error("the signature algorithm does not fit the key")]
    SignatureAlgorithmMismatch { algorithm: SignatureAlgorithm, key: KeySpec },
    #[error("the encryption algorithm does not fit the key")]
    EncryptionAlgorithmMismatch { algorithm: EncryptionAlgorithm, key: KeySpec, key_use: KeyUse },
    #[error("the digest has the wrong length")]
    DigestLengthWrong { algorithm: SignatureAlgorithm, expected: usize, actual: usize },
    #[error("the key size is not supported")]
    KeySizeUnsupported { key_type: KeyType, bits: u32 },
    #[error("the key type is not supported here")]
    KeyTypeUnsupported { key_type: KeyType, hsm: bool },
    #[error("the point is not on the curve, or is not that of the private key")]
    KeyPairInvalid { curve: Option<Curve> },
    /// Wrong key, wrong tag, wrong padding: one refusal, so that none of them can be told from another.
    #[error("the ciphertext can't be decrypted")]
    DecryptionFailed,
    #[error("a parameter is invalid")]
    ParameterInvalid { parameter: &'static str, reason: &'static str },
    #[error("the rotation policy is invalid")]
    RotationPolicyInvalid { reason: &'static str },
    #[error("a managed HSM rotates only keys that have a rotation policy")]
    RotationPolicyMissing,
    #[error("the key has its maximum number of versions")]
    TooManyVersions { limit: usize },
    #[error("the backup does not belong here or was changed")]
    BackupInvalid,
    #[error("the object is too large for a backup")]
    BackupTooLarge,
    #[error("exportable keys must have a release policy")]
    ReleasePolicyMissing,

    // Certificates
    /// A certificate, a request, or the file that they or their key came in.
    #[error("the certificate is invalid: {reason}")]
    CertificateInvalid { reason: &'static str },

    // Access
    #[error("the container does not answer this address")]
    NetworkForbidden { address: IpAddr },
    #[error("the container does not answer public networks")]
    PublicNetworkDisabled,
    /// `locked` has the scopes of the locks that say no.
    #[error("a lock forbids it")]
    ScopeLocked { act: crate::lock::Act, scope: String, locked: Vec<String> },
    #[error("the caller may not do this")]
    Forbidden { action: &'static str, scope: String, model: crate::access::Model },
    #[error("not supported yet")]
    NotSupportedYet { what: &'static str },
    #[error(transparent)]
    Directory(#[from] DirectoryRefusal),
    #[error(transparent)]
    Role(#[from] RoleRefusal),
    #[error(transparent)]
    Certificate(#[from] CertificateRefusal),
    #[error(transparent)]
    Notice(#[from] NoticeRefusal),
}
