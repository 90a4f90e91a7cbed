//! Every refusal and every fault, as the resource manager says it.

use crate::arm::error::{Failure, Subject, of_refusal, response};
use domain::{
    CertificateRefusal, ContainerKind, Curve, DirectoryRefusal, EncryptionAlgorithm, Guid, KeyOperation, KeySpec,
    KeyType, KeyUse, ObjectKind, ObjectName, Post, Refusal, SignatureAlgorithm, UnixTime,
    access::{Model, RoleRefusal, Scope},
    lock::Act,
    notice::NoticeRefusal,
};
use engine::Error;

fn subject(kind: ContainerKind, recovers: bool) -> Subject {
    Subject {
        caller_app: Some(Guid::from_u128(0xa)),
        caller_object: Guid::from_u128(0xb),
        kind,
        subscription: Some(Guid::from_u128(1)),
        group: "rg".to_owned(),
        name: "contoso".to_owned(),
        recovers,
    }
}

const TIME: UnixTime = UnixTime(1_700_000_000);

/// The refusal after one, in the order of their declaration. A new variant does not compile until it has its place.
fn after(refusal: &Refusal) -> Option<Refusal> {
    Some(match refusal {
        Refusal::NotFound => Refusal::DeletedNotFound,
        Refusal::DeletedNotFound => Refusal::ContainerNotFound,
        Refusal::ContainerNotFound => Refusal::DeletedContainerNotFound,
        Refusal::DeletedContainerNotFound => Refusal::ContainerDeleted { scheduled_purge_at: TIME },
        Refusal::ContainerDeleted { .. } => Refusal::NotActivated,
        Refusal::NotActivated => Refusal::SubscriptionNotFound,
        Refusal::SubscriptionNotFound => Refusal::ResourceGroupNotFound,
        Refusal::ResourceGroupNotFound => Refusal::RoleAssignmentNotFound,
        Refusal::RoleAssignmentNotFound => Refusal::RoleDefinitionNotFound,
        Refusal::RoleDefinitionNotFound => Refusal::OperationNotFound,
        Refusal::OperationNotFound => Refusal::PrincipalNotFound,
        Refusal::PrincipalNotFound => Refusal::LockNotFound { name: "keep".to_owned() },
        Refusal::LockNotFound { .. } => Refusal::NameInvalid { name: "contoso".to_owned() },
        Refusal::NameInvalid { .. } => Refusal::NameHeldByDeleted,
        Refusal::NameHeldByDeleted => {
            Refusal::RestoreConflict { kind: ObjectKind::Key, name: ObjectName::parse("k").unwrap() }
        }
        Refusal::RestoreConflict { .. } => Refusal::ContainerNameTaken,
        Refusal::ContainerNameTaken => Refusal::ContainerNameHeldByDeleted,
        Refusal::ContainerNameHeldByDeleted => Refusal::ResourceGroupNotEmpty,
        Refusal::ResourceGroupNotEmpty => Refusal::RoleAssignmentExists,
        Refusal::RoleAssignmentExists => Refusal::LastAdministrator { of: Post::ControlPlane { scope: Scope::root() } },
        Refusal::LastAdministrator { .. } => Refusal::Role(RoleRefusal::NameTaken),
        Refusal::Role(role) => after_role(role).map_or(Refusal::RetentionOutOfRange { days: 91 }, Refusal::Role),
        Refusal::RetentionOutOfRange { .. } => Refusal::RetentionImmutable,
        Refusal::RetentionImmutable => Refusal::PurgeProtectionIrreversible,
        Refusal::PurgeProtectionIrreversible => Refusal::PurgeProtectionNeedsSoftDelete,
        Refusal::PurgeProtectionNeedsSoftDelete => Refusal::SoftDeleteIrreversible,
        Refusal::SoftDeleteIrreversible => Refusal::PurgeProtected { until: TIME },
        Refusal::PurgeProtected { .. } => Refusal::SoftDeleteDisabled,
        Refusal::SoftDeleteDisabled => extended(),
        Refusal::ExtendedToRegions { .. } => Refusal::TenantInvalid,
        Refusal::TenantInvalid => Refusal::LocationImmutable,
        Refusal::LocationImmutable
        | Refusal::GroupLocationImmutable
        | Refusal::SecretDisabled
        | Refusal::KeyDisabled { .. }
        | Refusal::KeyNotYetValid { .. }
        | Refusal::KeyExpired { .. }
        | Refusal::KeyOperationForbidden { .. }
        | Refusal::SignatureAlgorithmMismatch { .. }
        | Refusal::EncryptionAlgorithmMismatch { .. }
        | Refusal::DigestLengthWrong { .. }
        | Refusal::KeySizeUnsupported { .. }
        | Refusal::KeyTypeUnsupported { .. }
        | Refusal::KeyPairInvalid { .. }
        | Refusal::DecryptionFailed
        | Refusal::ParameterInvalid { .. }
        | Refusal::RotationPolicyInvalid { .. }
        | Refusal::RotationPolicyMissing
        | Refusal::TooManyVersions { .. }
        | Refusal::BackupInvalid
        | Refusal::BackupTooLarge
        | Refusal::ReleasePolicyMissing
        | Refusal::CertificateInvalid { .. }
        | Refusal::NetworkForbidden { .. }
        | Refusal::PublicNetworkDisabled
        | Refusal::ScopeLocked { .. }
        | Refusal::Forbidden { .. }
        | Refusal::NotSupportedYet { .. }
        | Refusal::Certificate(_)
        | Refusal::Directory(_)
        | Refusal::Notice(_) => return after_use(refusal),
    })
}

fn after_role(refusal: &RoleRefusal) -> Option<RoleRefusal> {
    Some(match refusal {
        RoleRefusal::NameTaken => RoleRefusal::Reserved,
        RoleRefusal::Reserved => RoleRefusal::BuiltIn,
        RoleRefusal::BuiltIn => RoleRefusal::Assigned,
        RoleRefusal::Assigned => RoleRefusal::TooMany { limit: 5000 },
        RoleRefusal::TooMany { .. } => RoleRefusal::ActionUnknown { action: "a b".to_owned() },
        RoleRefusal::ActionUnknown { .. } => return None,
    })
}

/// The refusal after one of those that using a key meets, and after those.
fn after_use(refusal: &Refusal) -> Option<Refusal> {
    let operation = KeyOperation::Sign;
    Some(match refusal {
        Refusal::LocationImmutable => Refusal::GroupLocationImmutable,
        Refusal::GroupLocationImmutable => Refusal::SecretDisabled,
        Refusal::SecretDisabled => Refusal::KeyDisabled { operation },
        Refusal::KeyDisabled { .. } => Refusal::KeyNotYetValid { operation, not_before: TIME },
        Refusal::KeyNotYetValid { .. } => Refusal::KeyExpired { operation, expires: TIME },
        Refusal::KeyExpired { .. } => Refusal::KeyOperationForbidden { operation },
        Refusal::KeyOperationForbidden { .. } => {
            Refusal::SignatureAlgorithmMismatch { algorithm: SIGNATURE, key: KeySpec::Ec { curve: Curve::P256 } }
        }
        Refusal::SignatureAlgorithmMismatch { .. } => Refusal::EncryptionAlgorithmMismatch {
            algorithm: EncryptionAlgorithm::RsaOaep,
            key: KeySpec::Ec { curve: Curve::P256 },
            key_use: KeyUse::Encrypt,
        },
        Refusal::EncryptionAlgorithmMismatch { .. } => {
            Refusal::DigestLengthWrong { algorithm: SIGNATURE, expected: 32, actual: 31 }
        }
        Refusal::DigestLengthWrong { .. } => Refusal::KeySizeUnsupported { key_type: KeyType::Rsa, bits: 1024 },
        Refusal::KeySizeUnsupported { .. } => Refusal::KeyTypeUnsupported { key_type: KeyType::Oct, hsm: false },
        Refusal::KeyTypeUnsupported { .. } => Refusal::KeyPairInvalid { curve: None },
        Refusal::KeyPairInvalid { .. } => Refusal::DecryptionFailed,
        Refusal::DecryptionFailed => Refusal::ParameterInvalid { parameter: "expiryTime", reason: "it is in the past" },
        Refusal::ParameterInvalid { .. } => Refusal::RotationPolicyInvalid { reason: "it has no trigger" },
        Refusal::RotationPolicyInvalid { .. } => Refusal::RotationPolicyMissing,
        Refusal::RotationPolicyMissing => Refusal::TooManyVersions { limit: 100 },
        Refusal::TooManyVersions { .. } => Refusal::BackupInvalid,
        Refusal::BackupInvalid => Refusal::BackupTooLarge,
        Refusal::BackupTooLarge => Refusal::ReleasePolicyMissing,
        Refusal::ReleasePolicyMissing => Refusal::CertificateInvalid { reason: "there is no private key" },
        Refusal::CertificateInvalid { .. } => {
            Refusal::NetworkForbidden { address: std::net::Ipv4Addr::LOCALHOST.into() }
        }
        Refusal::NetworkForbidden { .. } => Refusal::PublicNetworkDisabled,
        Refusal::PublicNetworkDisabled => scope_locked(Act::Delete),
        Refusal::ScopeLocked { act: Act::Delete, .. } => scope_locked(Act::Write),
        Refusal::ScopeLocked { act: Act::Write, .. } => forbidden(),
        Refusal::Forbidden { .. } => Refusal::NotSupportedYet { what: "key release" },
        Refusal::NotSupportedYet { .. } => Refusal::Directory(DirectoryRefusal::MemberExists),
        Refusal::Directory(_) => Refusal::Certificate(CertificateRefusal::PendingNotFound),
        Refusal::Certificate(refusal) => match next_of_certificates(refusal) {
            Some(refusal) => Refusal::Certificate(refusal),
            None => Refusal::Notice(NoticeRefusal::NotFound { name: "events".to_owned() }),
        },
        Refusal::Notice(refusal) => Refusal::Notice(after_notice(refusal)?),
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

fn after_notice(refusal: &NoticeRefusal) -> Option<NoticeRefusal> {
    Some(match refusal {
        NoticeRefusal::NotFound { .. } => NoticeRefusal::TooMany { limit: 500 },
        NoticeRefusal::TooMany { .. } => NoticeRefusal::EndpointInvalid,
        NoticeRefusal::EndpointInvalid => NoticeRefusal::EndpointForbidden { reason: "the endpoint is not https" },
        NoticeRefusal::EndpointForbidden { .. } => return None,
    })
}

fn forbidden() -> Refusal {
    let (action, scope) = ("Microsoft.KeyVault/vaults/write", "/subscriptions/s".to_owned());
    Refusal::Forbidden { action, scope, model: Model::ControlPlane }
}

fn extended() -> Refusal {
    Refusal::ExtendedToRegions { name: "contoso".to_owned(), regions: vec!["uksouth".to_owned()] }
}

fn scope_locked(act: Act) -> Refusal {
    let locked = vec!["/subscriptions/s".to_owned(), "/subscriptions/s/resourceGroups/rg".to_owned()];
    Refusal::ScopeLocked { act, scope: "/subscriptions/s/resourceGroups/rg".to_owned(), locked }
}

const SIGNATURE: SignatureAlgorithm = SignatureAlgorithm::Es256;

fn line(refusal: &Refusal, subject: &Subject) -> String {
    let problem = of_refusal(refusal, subject);
    format!("{} {}\n    {}", problem.status.as_u16(), problem.code, problem.message)
}

#[test]
fn every_refusal_has_its_words() {
    let mut text = String::new();
    let vault = subject(ContainerKind::Vault, false);
    for refusal in std::iter::successors(Some(Refusal::NotFound), after) {
        let name = format!("{refusal:?}").split([' ', '{']).next().unwrap().to_owned();
        let mut lines = vec![line(&refusal, &vault)];
        for (kind, recovers) in
            [(ContainerKind::Vault, true), (ContainerKind::ManagedHsm, false), (ContainerKind::ManagedHsm, true)]
        {
            let other = line(&refusal, &subject(kind, recovers));
            if !lines.contains(&other) {
                lines.push(other);
            }
        }
        text = format!("{text}{name}\n  {}\n", lines.join("\n  "));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn faults_tell_nothing_and_a_full_house_says_when_to_come_back() {
    let vault = subject(ContainerKind::Vault, false);
    let broken = response(Failure::Engine(Error::Broken("row 17")), &vault);
    assert_eq!(broken.status().as_u16(), 500);
    let body = String::from_utf8_lossy(broken.body());
    assert!(body.contains("InternalServerError") && !body.contains("17"), "{body}");
    let busy = response(Failure::Engine(Error::Busy), &vault);
    assert_eq!(busy.status().as_u16(), 429);
    assert_eq!(busy.headers()["retry-after"], "1");
}
