//! From refusals and faults to the resource manager's errors: one exhaustive match.
//!
//! Texts marked MATCH in the contract are literal. Source: contract key-vault §4.2 and §1.3, az-client §2.
//! What no document gives is chosen here, and listed in DIVERGENCES.md.

use super::{
    ids, version,
    wire::{definitions, locks, notices},
};
use crate::{Response, json::BadBody, reply};
use domain::{CertificateRefusal, ContainerKind, Guid, Refusal, access::Model};
use engine::Error;
use http::{StatusCode, header};

/// An error as the wire shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

/// Why a handler has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Engine(Error),
    Problem(Problem),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(refusal.into())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<BadBody> for Failure {
    fn from(BadBody(what): BadBody) -> Self {
        let message = format!("The request content was invalid and could not be deserialized: '{what}'.");
        Self::Problem(Problem::new(StatusCode::BAD_REQUEST, "InvalidRequestContent", message))
    }
}

/// What a request is about: the names that messages quote.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub caller_app: Option<Guid>,
    pub caller_object: Guid,
    pub kind: ContainerKind,
    pub subscription: Option<Guid>,
    pub group: String,
    pub name: String,
    /// The request brings something deleted back: what is missing is said differently then.
    pub recovers: bool,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(crate) fn not_supported(what: &str) -> Self {
        let message = format!("Not supported yet: {what}.");
        Self::new(StatusCode::BAD_REQUEST, "NotSupported", message)
    }

    pub(crate) fn version_missing() -> Self {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        Self::new(StatusCode::BAD_REQUEST, "MissingApiVersionParameter", message)
    }

    pub(crate) fn version_malformed(asked: &str) -> Self {
        let message = format!(
            "The api-version '{asked}' is invalid. It must be a date like '2024-11-01', or a date followed by '-preview'."
        );
        Self::new(StatusCode::BAD_REQUEST, "InvalidApiVersionParameter", message)
    }

    pub(crate) fn version_unknown(asked: &str) -> Self {
        let known = version::KEY_VAULT.join(", ");
        let message = format!(
            "No registered resource provider found for API version '{asked}' in the namespace 'Microsoft.KeyVault'. \
             The supported api-versions are '{known}'."
        );
        Self::new(StatusCode::BAD_REQUEST, "NoRegisteredProviderFound", message)
    }

    pub(crate) fn method_not_allowed(method: &str) -> Self {
        let message = format!("The requested resource does not support http method '{method}'.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// A thing of a kind we know and have none of: private endpoint connections.
    pub(crate) fn absent(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn response(self) -> Response {
        reply::error(self.status, self.code, None, self.message)
    }
}

impl super::route::NoRoute {
    pub(crate) fn problem(&self, version: Option<&str>) -> Problem {
        match self {
            Self::Unknown => {
                Problem::new(StatusCode::NOT_FOUND, "NotFound", "No resource is found at the requested path.")
            }
            Self::SubscriptionMalformed(id) => {
                let message = format!("The provided subscription identifier '{id}' is malformed or invalid.");
                Problem::new(StatusCode::BAD_REQUEST, "InvalidSubscriptionId", message)
            }
            Self::NamespaceUnknown(namespace) => {
                let message = format!("The resource namespace '{namespace}' is invalid.");
                Problem::new(StatusCode::NOT_FOUND, "InvalidResourceNamespace", message)
            }
            Self::TypeUnknown { namespace, resource_type } => {
                let version = version.unwrap_or_default();
                let message = format!(
                    "The resource type '{resource_type}' could not be found in the namespace '{namespace}' for api \
                     version '{version}'."
                );
                Problem::new(StatusCode::NOT_FOUND, "InvalidResourceType", message)
            }
        }
    }
}

/// The response to a failed request.
pub(crate) fn response(failure: Failure, subject: &Subject) -> Response {
    match failure {
        Failure::Problem(problem) => problem.response(),
        Failure::Engine(Error::Refused(refusal)) => of_refusal(&refusal, subject).response(),
        Failure::Engine(error) => failed(&error),
    }
}

/// The response to a request that no rule refused. Faults tell the caller nothing but that there was one; the log says
/// which. When the installation is busy, a second between tries is enough.
pub(crate) fn failed(error: &Error) -> Response {
    if matches!(error, Error::Busy) {
        let message = "The server is busy. Please retry after a second.";
        let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).response();
        reply::set(&mut response, header::RETRY_AFTER, "1");
        return response;
    }
    tracing::error!(?error, "a control-plane operation failed");
    let message = "The server encountered an internal error. Please retry the request.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message).response()
}

/// Every refusal, by what it speaks of.
pub(crate) fn of_refusal(refusal: &Refusal, subject: &Subject) -> Problem {
    let said = |status, code| Problem::new(status, code, sentence(refusal));
    match refusal {
        Refusal::ContainerNotFound => container_not_found(subject),
        Refusal::DeletedContainerNotFound => deleted_not_found(subject),
        Refusal::SubscriptionNotFound
        | Refusal::ResourceGroupNotFound
        | Refusal::RoleAssignmentNotFound
        | Refusal::RoleDefinitionNotFound
        | Refusal::OperationNotFound
        | Refusal::PrincipalNotFound => other_not_found(refusal, subject),
        Refusal::LockNotFound { name } => locks::not_found(name),
        Refusal::ScopeLocked { act, scope, locked } => locks::scope_locked(*act, scope, locked),
        Refusal::NameInvalid { .. } => name_invalid(subject),
        Refusal::ContainerNameTaken => name_taken(subject),
        Refusal::ContainerNameHeldByDeleted => name_held_by_deleted(subject),
        Refusal::Role(refusal) => definitions::refused(refusal),
        Refusal::Notice(refusal) => notices::refusal(refusal),
        Refusal::ResourceGroupNotEmpty
        | Refusal::RoleAssignmentExists
        | Refusal::LocationImmutable
        | Refusal::GroupLocationImmutable => conflict(refusal, subject),
        Refusal::RetentionOutOfRange { .. }
        | Refusal::RetentionImmutable
        | Refusal::PurgeProtectionIrreversible
        | Refusal::PurgeProtectionNeedsSoftDelete
        | Refusal::SoftDeleteIrreversible
        | Refusal::TenantInvalid => Problem::bad_request(bad_setting(refusal)),
        Refusal::ParameterInvalid { parameter, reason } => {
            Problem::bad_request(format!("An invalid value was provided for '{parameter}': {reason}."))
        }
        Refusal::PurgeProtected { .. } | Refusal::SoftDeleteDisabled => purge_not_allowed(subject),
        Refusal::ExtendedToRegions { name, regions } => extended_to_regions(name, regions),
        Refusal::Forbidden { action, scope, model } => forbidden(action, scope, *model, subject),
        Refusal::NotSupportedYet { what } => Problem::not_supported(what),
        // The directory is changed through Graph, which has its own words.
        Refusal::Directory(_) => Problem::bad_request(sentence(refusal)),
        // Network rules are of the data plane: the control plane answers from everywhere.
        Refusal::NetworkForbidden { .. } | Refusal::PublicNetworkDisabled => said(StatusCode::FORBIDDEN, "Forbidden"),
        // A container that is there but can't be used, or something in it: the control plane meets neither.
        Refusal::ContainerDeleted { .. } | Refusal::NotActivated => said(StatusCode::CONFLICT, "ConflictError"),
        Refusal::Certificate(of) => certificate(of, sentence(refusal)),
        Refusal::NotFound | Refusal::DeletedNotFound => said(StatusCode::NOT_FOUND, "NotFound"),
        Refusal::NameHeldByDeleted | Refusal::RestoreConflict { .. } => said(StatusCode::CONFLICT, "Conflict"),
        Refusal::LastAdministrator { .. } => last_administrator(),
        Refusal::SecretDisabled
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
        | Refusal::RotationPolicyInvalid { .. }
        | Refusal::RotationPolicyMissing
        | Refusal::TooManyVersions { .. }
        | Refusal::BackupInvalid
        | Refusal::BackupTooLarge
        | Refusal::CertificateInvalid { .. }
        | Refusal::ReleasePolicyMissing => Problem::bad_request(sentence(refusal)),
    }
}

/// Certificates are of the data plane; a key or secret that is written here may be one's.
fn certificate(refusal: &CertificateRefusal, message: String) -> Problem {
    use CertificateRefusal as R;
    let (status, code) = match refusal {
        R::Managed { .. } | R::IssuerDriven => (StatusCode::FORBIDDEN, "Forbidden"),
        R::PendingNotFound | R::IssuerNotFound { .. } | R::ContactsNotFound => (StatusCode::NOT_FOUND, "NotFound"),
        R::InProgress | R::NoVersion | R::NameHeld { .. } | R::NameHeldByDeleted { .. } => {
            (StatusCode::CONFLICT, "Conflict")
        }
        R::NotInProgress { .. } | R::KeyMismatch => (StatusCode::BAD_REQUEST, "BadRequest"),
    };
    Problem::new(status, code, message)
}

/// As clients report it of a subscription's last Owner.
fn last_administrator() -> Problem {
    let message = "Cannot delete the last RBAC admin assignment";
    Problem::new(StatusCode::PRECONDITION_FAILED, "CannotDeleteLastRbacAdminAssignment", message)
}

/// A refusal's own words as a sentence.
fn sentence(refusal: &Refusal) -> String {
    let words = refusal.to_string();
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

fn noun(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "vault",
        ContainerKind::ManagedHsm => "managed HSM",
    }
}

/// Contract: az-client §2, "Real errors".
fn container_not_found(subject: &Subject) -> Problem {
    let message = format!(
        "The Resource '{}/{}' under resource group '{}' was not found. For more details please go to \
         https://aka.ms/ARMResourceNotFoundFix",
        ids::resource_type(subject.kind),
        subject.name,
        subject.group
    );
    Problem::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
}

/// Contract: key-vault §4.2, "Recover" and "Purge". The HSM's codes are chosen by analogy.
fn deleted_not_found(subject: &Subject) -> Problem {
    let (status, code, message) = match (subject.kind, subject.recovers) {
        (ContainerKind::Vault, true) => (
            StatusCode::BAD_REQUEST,
            "SoftDeletedVaultDoesNotExist",
            "A soft deleted vault with the given name does not exist. Ensure that the name for the vault that is being \
             attempted to recover is in a recoverable state. For more information on soft delete please follow this \
             link https://go.microsoft.com/fwlink/?linkid=2149745"
                .to_owned(),
        ),
        (ContainerKind::Vault, false) => (
            StatusCode::NOT_FOUND,
            "DeletedVaultNotFound",
            format!("The specified deleted vault '{}' does not exist.", subject.name),
        ),
        (ContainerKind::ManagedHsm, true) => (
            StatusCode::BAD_REQUEST,
            "SoftDeletedManagedHsmDoesNotExist",
            "A soft deleted managed HSM with the given name does not exist.".to_owned(),
        ),
        (ContainerKind::ManagedHsm, false) => (
            StatusCode::NOT_FOUND,
            "DeletedManagedHsmNotFound",
            format!("The specified deleted managed HSM '{}' does not exist.", subject.name),
        ),
    };
    Problem::new(status, code, message)
}

fn other_not_found(refusal: &Refusal, subject: &Subject) -> Problem {
    let (status, code, message) = match refusal {
        Refusal::SubscriptionNotFound => {
            let id = subject.subscription.map(|id| id.to_string()).unwrap_or_default();
            (StatusCode::NOT_FOUND, "SubscriptionNotFound", format!("The subscription '{id}' could not be found."))
        }
        Refusal::ResourceGroupNotFound => (
            StatusCode::NOT_FOUND,
            "ResourceGroupNotFound",
            format!("Resource group '{}' could not be found.", subject.group),
        ),
        Refusal::RoleAssignmentNotFound => (
            StatusCode::NOT_FOUND,
            "RoleAssignmentNotFound",
            format!("The role assignment '{}' is not found.", subject.name),
        ),
        Refusal::RoleDefinitionNotFound => (
            StatusCode::NOT_FOUND,
            "RoleDefinitionDoesNotExist",
            "The specified role definition does not exist.".to_owned(),
        ),
        Refusal::PrincipalNotFound => {
            (StatusCode::BAD_REQUEST, "PrincipalNotFound", "The principal does not exist in the directory.".to_owned())
        }
        _ => (StatusCode::NOT_FOUND, "OperationNotFound", "The operation result is not found.".to_owned()),
    };
    Problem::new(status, code, message)
}

/// The text for a name that breaks the rule of names; also the answer of a name check.
pub(crate) fn name_rule(kind: ContainerKind, name: &str) -> String {
    format!(
        "The {what} name '{name}' is invalid. A {what}'s name must be between 3-24 alphanumeric characters. The name \
         must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link \
         for more information: https://go.microsoft.com/fwlink/?linkid=2147742",
        what = noun(kind)
    )
}

fn name_invalid(subject: &Subject) -> Problem {
    let code = match subject.kind {
        ContainerKind::Vault => "VaultNameNotValid",
        ContainerKind::ManagedHsm => "ManagedHsmNameNotValid",
    };
    Problem::new(StatusCode::BAD_REQUEST, code, name_rule(subject.kind, &subject.name))
}

/// The text for a name that somebody has; also the answer of a name check. "Globaly" is the service's spelling.
pub(crate) fn taken_text(kind: ContainerKind, name: &str) -> String {
    let (what, title) = match kind {
        ContainerKind::Vault => ("vault", "Vault"),
        ContainerKind::ManagedHsm => ("managed HSM", "Managed HSM"),
    };
    format!(
        "The {what} name '{name}' is already in use. {title} names are globaly unique so it is possible that the name \
         is already taken. If you are sure that the {what} name was not taken then it is possible that a {what} with \
         the same name was recently deleted but not purged after being placed in a recoverable state. If the {what} is \
         in a recoverable state then the {what} will need to be purged before reusing the name. For more information \
         on soft delete and purging a {what} follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
    )
}

fn name_taken(subject: &Subject) -> Problem {
    let code = match subject.kind {
        ContainerKind::Vault => "VaultAlreadyExists",
        ContainerKind::ManagedHsm => "ManagedHsmAlreadyExists",
    };
    Problem::new(StatusCode::CONFLICT, code, taken_text(subject.kind, &subject.name))
}

fn name_held_by_deleted(subject: &Subject) -> Problem {
    let (what, existing) = match subject.kind {
        ContainerKind::Vault => ("vault", "key vault"),
        ContainerKind::ManagedHsm => ("managed HSM", "managed HSM"),
    };
    let message = format!(
        "A {what} with the same name already exists in deleted state. You need to either recover or purge existing \
         {existing}. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft \
         delete."
    );
    Problem::new(StatusCode::CONFLICT, "ConflictError", message)
}

/// Code and text as recorded.
fn extended_to_regions(name: &str, regions: &[String]) -> Problem {
    let regions = regions.join(", ");
    let message = format!("Soft delete of a pool {name} that is extended to regions ({regions}) is not allowed.");
    Problem::new(StatusCode::BAD_REQUEST, "400", message)
}

fn conflict(refusal: &Refusal, subject: &Subject) -> Problem {
    let Subject { group, name, .. } = subject;
    let (code, message) = match refusal {
        Refusal::RoleAssignmentExists => ("RoleAssignmentExists", "The role assignment already exists.".to_owned()),
        Refusal::ResourceGroupNotEmpty => (
            "ResourceGroupDeletionBlocked",
            format!("Deletion of resource group '{group}' failed as it still contains resources."),
        ),
        Refusal::GroupLocationImmutable => (
            "InvalidResourceGroupLocation",
            format!(
                "Invalid resource group location. The resource group '{group}' already exists in another location."
            ),
        ),
        _ => (
            "InvalidResourceLocation",
            format!(
                "The resource '{name}' already exists in another location in resource group '{group}'. A resource with \
                 the same name cannot be created in the requested location. Please select a new resource name."
            ),
        ),
    };
    Problem::new(StatusCode::CONFLICT, code, message)
}

/// Contract: key-vault §4.2, "Immutability". All of these are literal but the first and the fourth.
fn bad_setting(refusal: &Refusal) -> String {
    match refusal {
        Refusal::RetentionOutOfRange { days } => {
            format!("An invalid value was provided for 'softDeleteRetentionInDays': {days} is not between 7 and 90.")
        }
        Refusal::RetentionImmutable => {
            "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.".to_owned()
        }
        Refusal::PurgeProtectionIrreversible => {
            "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault \
             is an irreversible action."
                .to_owned()
        }
        Refusal::PurgeProtectionNeedsSoftDelete => {
            "The property \"enablePurgeProtection\" can be set to true only where soft delete is enabled.".to_owned()
        }
        Refusal::SoftDeleteIrreversible => {
            "The property \"enableSoftDelete\" can be set to false only for creating new vault. Enabling the 'soft \
             delete' functionality is an irreversible action."
                .to_owned()
        }
        _ => "An invalid value was provided for 'tenantId'.".to_owned(),
    }
}

fn purge_not_allowed(subject: &Subject) -> Problem {
    let operation = match subject.kind {
        ContainerKind::Vault => "DeletedVaultPurge",
        ContainerKind::ManagedHsm => "DeletedManagedHsmPurge",
    };
    let message = format!("Operation '{operation}' is not allowed.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
}

fn forbidden(action: &str, scope: &str, model: Model, subject: &Subject) -> Problem {
    let app = subject.caller_app.unwrap_or(subject.caller_object);
    let message = match model {
        Model::ControlPlane => format!(
            "The client '{app}' with object id '{}' does not have authorization to perform action '{action}' over \
             scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            subject.caller_object
        ),
        // The other models have their own words on their own wires.
        Model::VaultRbac | Model::VaultPolicy | Model::HsmLocal | Model::Directory => {
            format!("The client '{app}' is not authorized to perform '{action}' on '{scope}'.")
        }
    };
    Problem::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message)
}
