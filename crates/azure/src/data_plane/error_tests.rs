//! Every refusal, as each kind of container words it.

use super::*;
use crate::data_plane::testkit::{NOW, REQUEST_ID, caller, container};
use domain::{
    CertificateRefusal, ContainerName, Curve, DirectoryRefusal, EncryptionAlgorithm, KeyOperation, KeySpec, KeyType,
    KeyUse, ObjectKind, ObjectName, Post, SignatureAlgorithm,
    access::{Model, RoleRefusal},
    lock::Act,
    notice::NoticeRefusal,
};
use std::{fmt::Write as _, net::Ipv4Addr};

/// The refusal after this one. Exhaustive, so that a new one cannot be forgotten here.
fn next(refusal: &Refusal) -> Option<Refusal> {
    use Refusal as R;
    Some(match refusal {
        R::NotFound => R::DeletedNotFound,
        R::DeletedNotFound => R::ContainerNotFound,
        R::ContainerNotFound => R::DeletedContainerNotFound,
        R::DeletedContainerNotFound => R::ContainerDeleted { scheduled_purge_at: NOW },
        R::ContainerDeleted { .. } => R::NotActivated,
        R::NotActivated => R::SubscriptionNotFound,
        R::SubscriptionNotFound => R::ResourceGroupNotFound,
        R::ResourceGroupNotFound => R::RoleAssignmentNotFound,
        R::RoleAssignmentNotFound => R::RoleDefinitionNotFound,
        R::RoleDefinitionNotFound => R::OperationNotFound,
        R::OperationNotFound => R::PrincipalNotFound,
        R::PrincipalNotFound => R::LockNotFound { name: "keep".to_owned() },
        R::LockNotFound { .. } => R::NameInvalid { name: "a_b".to_owned() },
        R::NameInvalid { .. } => R::NameHeldByDeleted,
        R::NameHeldByDeleted => R::RestoreConflict { kind: ObjectKind::Key, name: ObjectName::parse("k").unwrap() },
        R::RestoreConflict { .. } => R::ContainerNameTaken,
        R::ContainerNameTaken => R::ContainerNameHeldByDeleted,
        R::ContainerNameHeldByDeleted => R::ResourceGroupNotEmpty,
        R::ResourceGroupNotEmpty => R::RoleAssignmentExists,
        R::RoleAssignmentExists => {
            R::LastAdministrator { of: Post::ManagedHsm { hsm: ContainerName::parse("contoso").unwrap() } }
        }
        R::LastAdministrator { .. } => R::Role(RoleRefusal::NameTaken),
        R::Role(role) => next_of_roles(role).map_or(R::RetentionOutOfRange { days: 6 }, R::Role),
        R::RetentionOutOfRange { .. } => R::RetentionImmutable,
        R::RetentionImmutable => R::PurgeProtectionIrreversible,
        R::PurgeProtectionIrreversible => R::PurgeProtectionNeedsSoftDelete,
        R::PurgeProtectionNeedsSoftDelete => R::SoftDeleteIrreversible,
        R::SoftDeleteIrreversible => R::PurgeProtected { until: NOW },
        R::PurgeProtected { .. } => R::SoftDeleteDisabled,
        R::SoftDeleteDisabled => {
            R::ExtendedToRegions { name: "contoso".to_owned(), regions: vec!["uksouth".to_owned()] }
        }
        R::ExtendedToRegions { .. } => R::TenantInvalid,
        R::TenantInvalid => R::LocationImmutable,
        R::LocationImmutable => R::GroupLocationImmutable,
        R::GroupLocationImmutable => R::SecretDisabled,
        R::SecretDisabled => R::KeyDisabled { operation: KeyOperation::Sign },
        R::KeyDisabled { .. }
        | R::KeyNotYetValid { .. }
        | R::KeyExpired { .. }
        | R::KeyOperationForbidden { .. }
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
        | R::BackupInvalid
        | R::BackupTooLarge
        | R::ReleasePolicyMissing
        | R::CertificateInvalid { .. }
        | R::NotSupportedYet { .. }
        | R::Directory(_)
        | R::Certificate(_)
        | R::Notice(_)
        | R::NetworkForbidden { .. }
        | R::PublicNetworkDisabled
        | R::ScopeLocked { .. }
        | R::Forbidden { .. } => return next_use(refusal),
    })
}

fn next_of_roles(refusal: &RoleRefusal) -> Option<RoleRefusal> {
    Some(match refusal {
        RoleRefusal::NameTaken => RoleRefusal::Reserved,
        RoleRefusal::Reserved => RoleRefusal::BuiltIn,
        RoleRefusal::BuiltIn => RoleRefusal::Assigned,
        RoleRefusal::Assigned => RoleRefusal::TooMany { limit: 50 },
        RoleRefusal::TooMany { .. } => {
            RoleRefusal::ActionUnknown { action: "Microsoft.KeyVault/managedHsm/keys/fly".to_owned() }
        }
        RoleRefusal::ActionUnknown { .. } => return None,
    })
}

/// The refusal after one of those that using a key meets.
fn next_use(refusal: &Refusal) -> Option<Refusal> {
    use Refusal as R;
    let operation = KeyOperation::Sign;
    let forbidden = |action, scope: &str, model| R::Forbidden { action, scope: scope.to_owned(), model };
    let vault_scope = "/subscriptions/00000000-0000-0000-0000-000000000008/resourceGroups/RG/providers/\
                       Microsoft.KeyVault/vaults/kv1/keys/Key-1";
    Some(match refusal {
        R::KeyDisabled { .. } => R::KeyNotYetValid { operation, not_before: NOW },
        R::KeyNotYetValid { .. } => R::KeyExpired { operation, expires: NOW },
        R::KeyExpired { .. } => R::KeyOperationForbidden { operation: KeyOperation::WrapKey },
        R::KeyOperationForbidden { .. } => R::SignatureAlgorithmMismatch {
            algorithm: SignatureAlgorithm::Es256,
            key: KeySpec::Ec { curve: Curve::P256K },
        },
        R::SignatureAlgorithmMismatch { key: KeySpec::Ec { .. }, .. } => {
            R::SignatureAlgorithmMismatch { algorithm: SignatureAlgorithm::Hs256, key: KeySpec::DEFAULT_RSA }
        }
        R::SignatureAlgorithmMismatch { .. } => R::EncryptionAlgorithmMismatch {
            algorithm: EncryptionAlgorithm::A128Gcm,
            key: KeySpec::DEFAULT_OCT,
            key_use: KeyUse::Encrypt,
        },
        R::EncryptionAlgorithmMismatch { key_use: KeyUse::Encrypt, .. } => R::EncryptionAlgorithmMismatch {
            algorithm: EncryptionAlgorithm::A256Gcm,
            key: KeySpec::DEFAULT_OCT,
            key_use: KeyUse::Wrap,
        },
        R::EncryptionAlgorithmMismatch { .. } => {
            R::DigestLengthWrong { algorithm: SignatureAlgorithm::Es256K, expected: 32, actual: 31 }
        }
        R::DigestLengthWrong { .. } => R::KeySizeUnsupported { key_type: KeyType::Rsa, bits: 1024 },
        R::KeySizeUnsupported { key_type: KeyType::Rsa, .. } => {
            R::KeySizeUnsupported { key_type: KeyType::Oct, bits: 520 }
        }
        R::KeySizeUnsupported { .. } => R::KeyTypeUnsupported { key_type: KeyType::Rsa, hsm: true },
        R::KeyTypeUnsupported { .. } => R::KeyPairInvalid { curve: Some(Curve::P256) },
        R::KeyPairInvalid { .. } => R::DecryptionFailed,
        R::DecryptionFailed => R::ParameterInvalid { parameter: "iv", reason: "the service makes it for GCM" },
        R::ParameterInvalid { parameter: "iv", .. } => {
            R::ParameterInvalid { parameter: "count", reason: "cannot be greater than 128 or less than 1" }
        }
        R::ParameterInvalid { .. } => R::RotationPolicyInvalid { reason: "expiryTime must be at least 28 days" },
        R::RotationPolicyInvalid { .. } => R::RotationPolicyMissing,
        R::RotationPolicyMissing => R::TooManyVersions { limit: 100 },
        R::TooManyVersions { .. } => R::BackupInvalid,
        R::BackupInvalid => R::BackupTooLarge,
        R::BackupTooLarge => R::ReleasePolicyMissing,
        R::ReleasePolicyMissing => R::CertificateInvalid { reason: "there is no private key" },
        R::CertificateInvalid { .. } => R::Certificate(CertificateRefusal::PendingNotFound),
        R::Certificate(refusal) => match next_of_certificates(refusal) {
            Some(refusal) => R::Certificate(refusal),
            None => R::NotSupportedYet { what: "Everything" },
        },
        R::NotSupportedYet { .. } => R::Directory(DirectoryRefusal::MemberExists),
        R::Directory(_) => R::Notice(NoticeRefusal::EndpointInvalid),
        R::Notice(_) => R::NetworkForbidden { address: Ipv4Addr::new(203, 0, 113, 9).into() },
        R::NetworkForbidden { .. } => R::PublicNetworkDisabled,
        R::PublicNetworkDisabled => {
            R::ScopeLocked { act: Act::Write, scope: vault_scope.to_owned(), locked: vec![vault_scope.to_owned()] }
        }
        R::ScopeLocked { .. } => forbidden("Microsoft.KeyVault/vaults/keys/read", vault_scope, Model::VaultRbac),
        R::Forbidden { model: Model::VaultRbac, .. } => forbidden("wrapKey", vault_scope, Model::VaultPolicy),
        R::Forbidden { model: Model::VaultPolicy, .. } => {
            forbidden("Microsoft.KeyVault/managedHsm/keys/create", "/keys", Model::HsmLocal)
        }
        _ => return None,
    })
}

/// The refusal of certificates after this one.
fn next_of_certificates(refusal: &CertificateRefusal) -> Option<CertificateRefusal> {
    use CertificateRefusal as R;
    Some(match refusal {
        R::PendingNotFound => R::InProgress,
        R::InProgress => R::NoVersion,
        R::NoVersion => R::NotInProgress { status: "completed" },
        R::NotInProgress { .. } => R::IssuerDriven,
        R::IssuerDriven => R::KeyMismatch,
        R::KeyMismatch => R::IssuerNotFound { name: "our-ca".to_owned() },
        R::IssuerNotFound { .. } => R::ContactsNotFound,
        R::ContactsNotFound => R::NameHeld { kind: ObjectKind::Key },
        R::NameHeld { .. } => R::NameHeldByDeleted { kind: ObjectKind::Secret },
        R::NameHeldByDeleted { .. } => R::Managed { kind: ObjectKind::Key, operation: "delete" },
        R::Managed { kind: ObjectKind::Key, .. } => R::Managed { kind: ObjectKind::Secret, operation: "delete" },
        R::Managed { .. } => return None,
    })
}

fn place<'a>(container: &'a Container, caller: &'a Caller) -> Place<'a> {
    Place {
        kind: container.kind(),
        container_name: "kv1",
        container: Some(container),
        caller: Some(caller),
        host: "kv1.vault.localhost:8443",
        method: "POST",
        request_id: REQUEST_ID,
        object: ObjectKind::Key,
        name: "Key-1",
        version: Some("0123456789abcdef0123456789abcdef"),
        digest_property: "value",
    }
}

fn described(problem: &Problem, place: &Place<'_>) -> String {
    let response = problem.response(place);
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let (error, status) = (&body["error"], response.status().as_u16());
    let code = error["code"].as_str().unwrap();
    let inner = error["innererror"]["code"].as_str().map(|inner| format!(" / {inner}")).unwrap_or_default();
    let message = error["message"].as_str().unwrap().replace("\r\n", "\\r\\n\n    ");
    format!("{status} {code}{inner}\n    {message}\n")
}

fn all(kind: ContainerKind) -> String {
    let (container, caller) = (container(kind), caller());
    let mut table = String::new();
    let mut refusal = Some(Refusal::NotFound);
    while let Some(current) = refusal {
        refusal = next(&current);
        writeln!(table, "{current:?}").unwrap();
        table += &described(&Problem::from(current), &place(&container, &caller));
    }
    table
}

#[test]
fn every_refusal_of_a_vault() {
    insta::assert_snapshot!(all(ContainerKind::Vault));
}

#[test]
fn what_is_not_there_is_named_by_its_kind() {
    let (container, caller) = (container(ContainerKind::Vault), caller());
    let mut table = String::new();
    for kind in [ObjectKind::Secret, ObjectKind::Certificate] {
        let place = Place { object: kind, ..place(&container, &caller) };
        for refusal in [Refusal::NotFound, Refusal::DeletedNotFound, Refusal::NameHeldByDeleted] {
            table += &described(&Problem::from(refusal), &place);
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_missing_permission_is_named_with_what_it_is_about() {
    let (container, caller) = (container(ContainerKind::Vault), caller());
    // The request is about a certificate's issuer, and needs more than permissions on certificates.
    let place = Place { object: ObjectKind::Certificate, ..place(&container, &caller) };
    for (path, words) in [
        ("/certificates/issuers/ours", "does not have certificates setissuers permission"),
        ("/secrets", "does not have secrets setissuers permission"),
        ("/keys/ca", "does not have keys setissuers permission"),
        ("", "does not have certificates setissuers permission"),
    ] {
        let scope = format!("{}{path}", container.arm_id());
        let refusal = Refusal::Forbidden { action: "setissuers", scope, model: Model::VaultPolicy };
        let text = described(&Problem::from(refusal), &place);
        assert!(text.contains(words), "{path}: {text}");
    }
}

#[test]
fn every_refusal_of_a_managed_hsm() {
    insta::assert_snapshot!(all(ContainerKind::ManagedHsm));
}

#[test]
fn every_other_problem() {
    let caller = caller();
    let mut table = String::new();
    for kind in ContainerKind::ALL {
        let container = container(kind);
        let place = place(&container, &caller);
        for problem in [
            Problem::Engine(Error::Busy),
            Problem::Engine(Error::Broken("a record with secrets in it")),
            Problem::BadParameter("Property 'kty' is missing.".to_owned()),
            Problem::NotSupported("Key release"),
            Problem::NoRoute(NoRoute::NotFound),
            Problem::NoRoute(NoRoute::MethodNotAllowed(vec!["GET", "PUT"])),
        ] {
            table += &described(&problem, &place);
            assert!(!table.contains("secrets in it"));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn headers_say_when_to_come_back_and_what_is_allowed() {
    let (container, caller) = (container(ContainerKind::Vault), caller());
    let place = place(&container, &caller);
    let busy = Problem::Engine(Error::Busy).response(&place);
    assert_eq!(busy.headers()[header::RETRY_AFTER], "1");
    let allowed = Problem::NoRoute(NoRoute::MethodNotAllowed(vec!["GET", "PUT"])).response(&place);
    assert_eq!(allowed.headers()[header::ALLOW], "GET, PUT");
}
