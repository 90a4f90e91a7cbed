//! Status, codes and text of every refusal. Both matches are exhaustive: a new refusal does not compile without them.

use super::{Place, texts};
use domain::{
    CertificateRefusal, ContainerKind, ObjectKind, Refusal as R,
    access::{Model, RoleRefusal},
};
use http::StatusCode;

/// Status, code, and inner code.
type Meaning = (StatusCode, &'static str, Option<&'static str>);

/// What a refusal means to a program.
pub(super) fn meaning(refusal: &R, place: &Place<'_>) -> Meaning {
    const BAD_PARAMETER: Meaning = (StatusCode::BAD_REQUEST, "BadParameter", None);
    const NOT_SUPPORTED: Meaning = (StatusCode::BAD_REQUEST, "NotSupported", None);
    const CONFLICT: Meaning = (StatusCode::CONFLICT, "Conflict", None);
    let not_found = |code| (StatusCode::NOT_FOUND, code, None);
    let forbidden = |inner| (StatusCode::FORBIDDEN, "Forbidden", Some(inner));
    match refusal {
        R::NotFound | R::DeletedNotFound => not_found(absent_object(place.object)),
        R::ContainerNotFound | R::ContainerDeleted { .. } | R::DeletedContainerNotFound => {
            not_found(absent_container(place.kind))
        }
        R::RoleAssignmentNotFound => not_found("RoleAssignmentNotFound"),
        R::RoleDefinitionNotFound => not_found("RoleDefinitionNotFound"),
        R::SubscriptionNotFound | R::ResourceGroupNotFound | R::OperationNotFound => not_found("NotFound"),
        R::PrincipalNotFound | R::LockNotFound { .. } => not_found("NotFound"),
        R::NotActivated => (StatusCode::FORBIDDEN, "ManagedHsmNotActivated", None),
        R::NameHeldByDeleted => (StatusCode::CONFLICT, "Conflict", Some("ObjectIsDeletedButRecoverable")),
        R::RoleAssignmentExists => (StatusCode::CONFLICT, "RoleAssignmentExists", None),
        R::LastAdministrator { .. }
        | R::ScopeLocked { .. }
        | R::Role(RoleRefusal::NameTaken | RoleRefusal::Assigned)
        | R::RestoreConflict { .. }
        | R::ContainerNameTaken
        | R::ContainerNameHeldByDeleted
        | R::ResourceGroupNotEmpty => CONFLICT,

        R::PurgeProtected { .. } => (StatusCode::FORBIDDEN, "Forbidden", None),
        R::SoftDeleteDisabled | R::NotSupportedYet { .. } => NOT_SUPPORTED,
        R::BackupInvalid => (StatusCode::BAD_REQUEST, malformed_backup(place.kind), None),

        R::SecretDisabled => forbidden("SecretDisabled"),
        R::Certificate(refusal) => of_certificates(refusal),
        R::KeyDisabled { .. } => forbidden("KeyDisabled"),
        R::KeyNotYetValid { .. } => forbidden("KeyNotYetValid"),
        R::KeyExpired { .. } => forbidden("KeyExpired"),
        R::KeyOperationForbidden { .. } => forbidden("KeyOperationForbidden"),
        R::NetworkForbidden { .. } => forbidden("ForbiddenByFirewall"),
        R::PublicNetworkDisabled => forbidden("ForbiddenByConnection"),
        R::Forbidden { model, .. } => match model {
            Model::VaultRbac | Model::ControlPlane | Model::Directory => forbidden("ForbiddenByRbac"),
            Model::VaultPolicy => forbidden("AccessDenied"),
            Model::HsmLocal => (StatusCode::FORBIDDEN, "AccessDenied", None),
        },

        R::Role(_) | R::Notice(_) | R::Directory(_) | R::NameInvalid { .. } | R::BackupTooLarge => BAD_PARAMETER,
        R::ExtendedToRegions { .. }
        | R::RetentionOutOfRange { .. }
        | R::RetentionImmutable
        | R::PurgeProtectionIrreversible
        | R::PurgeProtectionNeedsSoftDelete
        | R::SoftDeleteIrreversible
        | R::TenantInvalid
        | R::LocationImmutable
        | R::GroupLocationImmutable
        | R::SignatureAlgorithmMismatch { .. }
        | R::EncryptionAlgorithmMismatch { .. }
        | R::DigestLengthWrong { .. }
        | R::KeySizeUnsupported { .. }
        | R::KeyTypeUnsupported { .. }
        | R::KeyPairInvalid { .. }
        | R::DecryptionFailed
        | R::ParameterInvalid { .. }
        | R::RotationPolicyInvalid { .. }
        | R::RotationPolicyMissing
        | R::TooManyVersions { .. }
        | R::CertificateInvalid { .. }
        | R::ReleasePolicyMissing => BAD_PARAMETER,
    }
}

fn absent_object(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Key => "KeyNotFound",
        ObjectKind::Secret => "SecretNotFound",
        ObjectKind::Certificate => "CertificateNotFound",
    }
}

/// As recorded for all kinds of objects of vaults.
fn malformed_backup(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "Malformed backup blob",
        ContainerKind::ManagedHsm => "BadParameter",
    }
}

fn absent_container(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "VaultNotFound",
        ContainerKind::ManagedHsm => "ManagedHsmNotFound",
    }
}

fn of_certificates(refusal: &CertificateRefusal) -> Meaning {
    use CertificateRefusal as R;
    let not_found = |code| (StatusCode::NOT_FOUND, code, None);
    let forbidden = |inner| (StatusCode::FORBIDDEN, "Forbidden", inner);
    match refusal {
        R::PendingNotFound => not_found("PendingCertificateNotFound"),
        R::IssuerNotFound { .. } => not_found("CertificateIssuerNotFound"),
        R::ContactsNotFound => not_found("ContactsNotFound"),
        R::InProgress | R::NoVersion | R::NameHeld { .. } => (StatusCode::CONFLICT, "Conflict", None),
        R::NameHeldByDeleted { .. } => (StatusCode::CONFLICT, "Conflict", Some("ObjectIsDeletedButRecoverable")),
        R::NotInProgress { .. } | R::KeyMismatch => (StatusCode::BAD_REQUEST, "BadParameter", None),
        R::IssuerDriven => forbidden(None),
        R::Managed { kind: ObjectKind::Secret, .. } => forbidden(Some("SecretManagedByKeyVault")),
        R::Managed { .. } => forbidden(Some("KeyManagedByKeyVault")),
    }
}

/// What a refusal means to a person.
pub(super) fn text(refusal: &R, place: &Place<'_>) -> String {
    match refusal {
        R::NotFound => texts::not_found(place),
        R::DeletedNotFound => format!("Deleted {} not found: {}", texts::title(place.object), place.name),
        R::ContainerNotFound => texts::container_not_found(place),
        R::ContainerDeleted { scheduled_purge_at } => texts::container_deleted(*scheduled_purge_at, place),
        R::NotActivated => "The managed HSM is not activated. Download its security domain first.".to_owned(),
        R::RoleAssignmentNotFound => "Requested role assignment not found".to_owned(),
        R::RoleDefinitionNotFound => "Requested role definition not found".to_owned(),
        R::RoleAssignmentExists => "The role assignment already exists.".to_owned(),
        R::LastAdministrator { .. } => "The last Administrator of the managed HSM cannot be removed.".to_owned(),
        R::Role(refusal) => texts::role(refusal),
        R::NameInvalid { name } => format!("The request URI contains an invalid name: {name}"),
        R::NameHeldByDeleted => texts::name_held_by_deleted(place.object, place.name),
        R::RestoreConflict { kind, name } => texts::restore_conflict(*kind, name, place),
        R::SecretDisabled => "Operation get is not allowed on a disabled secret.".to_owned(),
        R::PurgeProtected { .. } => texts::purge_protected(place),
        R::SoftDeleteDisabled => "Operation \"purge\" is not enabled for this vault.".to_owned(),
        R::KeyDisabled { operation } => format!("Operation {operation} is not allowed on a disabled key."),
        R::KeyNotYetValid { operation, .. } => texts::not_yet_valid(*operation),
        R::KeyExpired { operation, .. } => format!("Operation {operation} is not allowed on an expired key."),
        R::KeyOperationForbidden { operation } => format!("Operation {operation} is not permitted on this key."),
        R::SignatureAlgorithmMismatch { algorithm, key } => texts::signature_mismatch(*algorithm, *key, place),
        R::EncryptionAlgorithmMismatch { algorithm, key, key_use } => {
            texts::encryption_mismatch(*algorithm, *key, *key_use)
        }
        R::DigestLengthWrong { algorithm, expected, actual } => {
            texts::digest_length(*algorithm, *expected, *actual, place)
        }
        R::KeySizeUnsupported { key_type, bits } => texts::key_size_unsupported(*key_type, *bits),
        R::KeyTypeUnsupported { key_type, hsm } => texts::key_type_unsupported(*key_type, *hsm),
        R::KeyPairInvalid { .. } => "JSON Web Key: the parts of the key do not belong together.".to_owned(),
        R::DecryptionFailed => "The value cannot be decrypted with this key and these parameters.".to_owned(),
        R::ParameterInvalid { parameter, reason } => texts::parameter_invalid(parameter, reason),
        R::RotationPolicyInvalid { reason } => format!("The rotation policy is invalid: {reason}."),
        R::RotationPolicyMissing => "A rotation policy has to be set before the key can be rotated.".to_owned(),
        R::TooManyVersions { limit } => format!("The key has {limit} versions, the most a key can have."),
        R::BackupInvalid => texts::backup_invalid(place.kind),
        R::BackupTooLarge => "All versions together are too large for a backup.".to_owned(),
        R::CertificateInvalid { reason } => format!("The certificate cannot be used: {reason}."),
        R::ReleasePolicyMissing => "Exportable keys must have release policy".to_owned(),
        R::Certificate(refusal) => texts::of_certificates(refusal, place.name),
        R::NetworkForbidden { address } => texts::network_forbidden(*address, place),
        R::PublicNetworkDisabled => texts::public_network_disabled(place),
        R::Forbidden { action, scope, model } => texts::forbidden(action, scope, *model, place),
        R::NotSupportedYet { what } => texts::not_supported(what),
        // Of the control plane: no operation here meets them, and their own words will do.
        R::DeletedContainerNotFound
        | R::SubscriptionNotFound
        | R::ResourceGroupNotFound
        | R::OperationNotFound
        | R::PrincipalNotFound
        | R::LockNotFound { .. }
        | R::ScopeLocked { .. }
        | R::ContainerNameTaken
        | R::ContainerNameHeldByDeleted
        | R::ResourceGroupNotEmpty
        | R::ExtendedToRegions { .. }
        | R::RetentionOutOfRange { .. }
        | R::RetentionImmutable
        | R::PurgeProtectionIrreversible
        | R::PurgeProtectionNeedsSoftDelete
        | R::SoftDeleteIrreversible
        | R::TenantInvalid
        | R::LocationImmutable
        | R::GroupLocationImmutable
        | R::Notice(_)
        | R::Directory(_) => format!("Refused: {refusal}."),
    }
}
