//! The longer texts, and those with something to look up. Contract: key-vault §2.

use super::Place;
use domain::{
    CertificateRefusal, Container, ContainerKind, Curve, EncryptionAlgorithm, KeyOperation, KeySpec, KeyType, KeyUse,
    ObjectKind, ObjectName, SignatureAlgorithm, UnixTime,
    access::{Model, RoleRefusal},
};
use std::net::IpAddr;

const RECOVERY_HELP: &str = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182";
const ACCESS_HELP: &str = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287";

pub(super) fn not_supported(what: &str) -> String {
    format!("Not supported yet: {what}.")
}

pub(super) fn not_found(place: &Place<'_>) -> String {
    let between = match place.object {
        ObjectKind::Certificate => "/versions/",
        ObjectKind::Key | ObjectKind::Secret => "/",
    };
    let version = place.version.map(|version| format!("{between}{version}")).unwrap_or_default();
    format!(
        "A {kind} with (name/id) {}{version} was not found in this key vault. If you recently deleted this {kind} you \
         may be able to recover it using the correct recovery command. {RECOVERY_HELP}",
        place.name,
        kind = place.object
    )
}

pub(super) fn container_not_found(place: &Place<'_>) -> String {
    format!("There is no {} '{}'.", noun(place.kind), place.container_name)
}

pub(super) fn container_deleted(scheduled_purge_at: UnixTime, place: &Place<'_>) -> String {
    format!(
        "The {} '{}' is deleted. It can be recovered until {scheduled_purge_at}, when it will be purged.",
        noun(place.kind),
        place.container_name
    )
}

fn noun(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "vault",
        ContainerKind::ManagedHsm => "managed HSM",
    }
}

/// The name of a kind where a sentence begins.
pub(super) fn title(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Key => "Key",
        ObjectKind::Secret => "Secret",
        ObjectKind::Certificate => "Certificate",
    }
}

pub(super) fn name_held_by_deleted(kind: ObjectKind, name: &str) -> String {
    format!(
        "{} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the \
         {kind} can only be recovered or purged.",
        title(kind)
    )
}

pub(super) fn restore_conflict(kind: ObjectKind, name: &ObjectName, place: &Place<'_>) -> String {
    let (host, collection) = (place.host, kind.collection());
    format!(
        "There was a conflict restoring the {kind} 'https://{host}/{collection}/{name}'. This can happen if a {kind} \
         of the same name exists, live or deleted."
    )
}

pub(super) fn backup_invalid(kind: ContainerKind) -> String {
    match kind {
        ContainerKind::Vault => "Backup blob contains invalid or corrupt version.".to_owned(),
        ContainerKind::ManagedHsm => "The backup is malformed, was changed, or belongs to another place.".to_owned(),
    }
}

pub(super) fn purge_protected(place: &Place<'_>) -> String {
    let what = noun(place.kind);
    let service = match place.kind {
        ContainerKind::Vault => "Key Vault",
        ContainerKind::ManagedHsm => "Managed HSM",
    };
    format!(
        "Operation \"purge\" is not allowed because purge protection is enabled for this {what}. {service} service \
         will automatically purge it after the retention period has passed.\r\n{}",
        vault_line(place)
    )
}

/// `Vault: {name};location={location}`.
fn vault_line(place: &Place<'_>) -> String {
    let label = match place.kind {
        ContainerKind::Vault => "Vault",
        ContainerKind::ManagedHsm => "Managed HSM",
    };
    format!("{label}: {}", name_and_location(place))
}

fn name_and_location(place: &Place<'_>) -> String {
    match place.container {
        None => place.container_name.to_owned(),
        Some(container) => format!("{};location={}", container.name, container.location),
    }
}

pub(super) fn network_forbidden(address: IpAddr, place: &Place<'_>) -> String {
    [
        "Client address is not authorized and caller is not a trusted service.",
        &format!("Client address: {address}"),
        &format!("Caller: {}", caller(place)),
        &vault_line(place),
    ]
    .join("\r\n")
}

pub(super) fn public_network_disabled(place: &Place<'_>) -> String {
    [
        "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
        &format!("Caller: {}", caller(place)),
        &vault_line(place),
    ]
    .join("\r\n")
}

pub(super) fn forbidden(action: &str, scope: &str, model: Model, place: &Place<'_>) -> String {
    let caller = caller(place);
    match model {
        Model::HsmLocal => format!("Not authorized to access {action} on '{scope}'"),
        Model::VaultPolicy => format!(
            "The user, group or application '{caller}' does not have {} {action} permission on key vault '{}'. \
             {ACCESS_HELP}",
            collection(scope, place),
            name_and_location(place)
        ),
        Model::VaultRbac | Model::ControlPlane | Model::Directory => [
            "Caller is not authorized to perform action on resource.",
            "If role assignments, deny assignments or role definitions were changed recently, please observe \
             propagation time.",
            &format!("Caller: {caller}"),
            &format!("Action: '{action}'"),
            &format!("Resource: '{}'", resource(scope, place.container)),
            "Assignment: (not found)",
            "DenyAssignmentId: null",
            "DecisionReason: 'DeniedWithNoValidRBAC' ",
            &vault_line(place),
            "",
        ]
        .join("\r\n"),
    }
}

/// What a permission is about is what the scope is of, below the eight parts of the vault's own id: whoever sets an
/// issuer may lack a permission on keys.
fn collection<'a>(scope: &'a str, place: &Place<'_>) -> &'a str {
    scope.split('/').nth(9).unwrap_or(place.object.collection())
}

/// Why role definitions are not changed. That of reserved ids is as recorded.
pub(super) fn role(refusal: &RoleRefusal) -> String {
    match refusal {
        RoleRefusal::Reserved => {
            "Cannot re-use the name/GUID matching that of a built-in role. Please use a unique role ID.".to_owned()
        }
        RoleRefusal::BuiltIn => "A built-in role definition cannot be deleted.".to_owned(),
        RoleRefusal::TooMany { limit } => {
            format!("The managed HSM has {limit} custom role definitions, the most it can have.")
        }
        RoleRefusal::ActionUnknown { action } => format!("'{action}' is not an action of a managed HSM."),
        RoleRefusal::NameTaken | RoleRefusal::Assigned => format!("Refused: {refusal}."),
    }
}

/// Of certificates, and of the keys and secrets that belong to one. `name` is that of the certificate.
pub(super) fn of_certificates(refusal: &CertificateRefusal, name: &str) -> String {
    use CertificateRefusal as R;
    match refusal {
        R::PendingNotFound => format!("Pending certificate not found: {name}"),
        R::InProgress => {
            "A new key vault certificate can not be created or imported while a pending key vault certificate's status \
             is inProgress."
                .to_owned()
        }
        R::NoVersion => format!("Certificate {name} has no version yet: there is nothing to back up."),
        R::NotInProgress { status } => format!("The status of the pending certificate is {status}, not inProgress."),
        R::IssuerDriven => {
            "A certificate can be merged only if the issuer of the pending certificate is 'Unknown'.".to_owned()
        }
        R::KeyMismatch => "The public key of the end-entity certificate in the specified X.509 certificate content does \
                           not match the public part of the specified private key. Please check if certificate is valid."
            .to_owned(),
        R::IssuerNotFound { .. } => "Issuer not found".to_owned(),
        R::ContactsNotFound => "Contacts not found".to_owned(),
        R::NameHeld { kind } => {
            format!("There is already a {kind} with the name {name} that does not belong to a certificate.")
        }
        R::NameHeldByDeleted { kind } => name_held_by_deleted(*kind, name),
        R::Managed { operation, .. } => {
            format!("Operation \"{operation}\" is not allowed as this object's lifetime is managed by Key Vault.")
        }
    }
}

/// `appid=…;oid=…;iss=…`.
fn caller(place: &Place<'_>) -> String {
    let Some(caller) = place.caller else {
        return String::new();
    };
    let app_id = caller.app_id.map(|id| id.to_string()).unwrap_or_default();
    format!("appid={app_id};oid={};iss={}", caller.object_id, caller.issuer)
}

/// The ARM id in lower case, and the path of the object as it is.
fn resource(scope: &str, container: Option<&Container>) -> String {
    let id = container.map(Container::arm_id).unwrap_or_default();
    match scope.strip_prefix(id.as_str()) {
        Some(path) => format!("{}{path}", id.to_ascii_lowercase()),
        None => scope.to_owned(),
    }
}

pub(super) fn signature_mismatch(algorithm: SignatureAlgorithm, key: KeySpec, place: &Place<'_>) -> String {
    let uses = match key {
        KeySpec::Ec { curve } => format!("uses curve '{curve}'"),
        KeySpec::Rsa { .. } | KeySpec::Oct { .. } => format!("is of type '{}'", key.key_type()),
    };
    let fits = match Curve::ALL.iter().find(|curve| curve.algorithm() == algorithm) {
        Some(curve) => format!("curve '{curve}'"),
        None => format!("keys of type '{}'", algorithm.key_type()),
    };
    let version = place.version.map(|version| format!("/{version}")).unwrap_or_default();
    let kid = format!("https://{}/keys/{}{version}", place.host, place.name);
    format!(
        "Key and signing algorithm are incompatible. Key {kid} {uses}, and algorithm '{algorithm}' can only be used \
         with {fits}."
    )
}

pub(super) fn encryption_mismatch(algorithm: EncryptionAlgorithm, key: KeySpec, key_use: KeyUse) -> String {
    let operation = key_use.operation();
    if !algorithm.serves(key_use) {
        return format!("Algorithm '{algorithm}' cannot be used for operation {operation}.");
    }
    let is = match key {
        KeySpec::Ec { curve } => format!("an EC key on curve '{curve}'"),
        KeySpec::Rsa { .. } => "an RSA key".to_owned(),
        KeySpec::Oct { bits } => format!("a symmetric key of {bits} bits"),
    };
    format!("Key and algorithm are incompatible: algorithm '{algorithm}' cannot be used with {is}.")
}

pub(super) fn not_yet_valid(operation: KeyOperation) -> String {
    format!("Operation {operation} is not allowed on a key that is not yet valid.")
}

pub(super) fn digest_length(
    algorithm: SignatureAlgorithm,
    expected: usize,
    actual: usize,
    place: &Place<'_>,
) -> String {
    let property = place.digest_property;
    format!(
        "Invalid length of '{property}': {actual} bytes. {algorithm} requires {expected} bytes, encoded with base64url."
    )
}

pub(super) fn key_size_unsupported(key_type: KeyType, bits: u32) -> String {
    match key_type {
        KeyType::Oct if bits > 64 * 8 => {
            "JSON Web Key: k property of oct key is too large, maximum size is 64".to_owned()
        }
        _ => format!("The key size {bits} is not supported for key type '{key_type}'."),
    }
}

pub(super) fn key_type_unsupported(key_type: KeyType, hsm: bool) -> String {
    let suffix = if hsm { "-HSM" } else { "" };
    format!("Keys of type '{key_type}{suffix}' are not supported in this vault.")
}

pub(super) fn parameter_invalid(parameter: &str, reason: &str) -> String {
    match parameter {
        // Documented as it is, without a full stop.
        "count" => format!("GetRandomBytesRequest: count {reason}"),
        "subject" => {
            format!("Property policy.x509_props has invalid value. Invalid X.500 distinguished name\r\n{reason}.")
        }
        _ => format!("Property '{parameter}': {reason}."),
    }
}
