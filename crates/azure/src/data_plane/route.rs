//! Which operation a method and a path mean.
//!
//! Source: contract key-vault §1 ("Reserved second segments"), §3.1, §3.4, §3.5; managed-hsm §1.3.

use domain::{ContainerKind, Event, KeyUse, ObjectAct, ObjectKind, OtherEvent, access::Scope};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// What all kinds of objects have.
    Object(ObjectKind, ObjectAct),
    CreateKey,
    ImportKey,
    RotateKey,
    GetRotationPolicy,
    SetRotationPolicy,
    UseKey(KeyUse),
    SetSecret,
    Certificate(CertificateOperation),
    GetRandomBytes,
    ListRoleDefinitions,
    GetRoleDefinition,
    PutRoleDefinition,
    DeleteRoleDefinition,
    ListRoleAssignments,
    GetRoleAssignment,
    PutRoleAssignment,
    DeleteRoleAssignment,
    ListSettings,
    GetSetting,
    /// Documented, and not there yet. Says what.
    NotSupported(&'static str),
}

/// What only certificates have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertificateOperation {
    Create,
    Import,
    Merge,
    GetPending,
    CancelPending,
    DeletePending,
    GetPolicy,
    UpdatePolicy,
    GetContacts,
    SetContacts,
    DeleteContacts,
    ListIssuers,
    GetIssuer,
    SetIssuer,
    UpdateIssuer,
    DeleteIssuer,
}

impl CertificateOperation {
    fn guarded(self) -> domain::Operation {
        use domain::Operation as Op;
        match self {
            Self::Create => Op::CertificateCreate,
            Self::Import => Op::CertificateImport,
            Self::Merge => Op::CertificatePendingMerge,
            Self::GetPending => Op::CertificatePendingGet,
            Self::CancelPending => Op::CertificatePendingUpdate,
            Self::DeletePending => Op::CertificatePendingDelete,
            Self::GetPolicy => Op::CertificatePolicyGet,
            Self::UpdatePolicy => Op::CertificatePolicyUpdate,
            Self::GetContacts => Op::CertificateContactsGet,
            Self::SetContacts => Op::CertificateContactsSet,
            Self::DeleteContacts => Op::CertificateContactsDelete,
            Self::ListIssuers => Op::CertificateIssuersList,
            Self::GetIssuer => Op::CertificateIssuerGet,
            Self::SetIssuer => Op::CertificateIssuerSet,
            Self::UpdateIssuer => Op::CertificateIssuerUpdate,
            Self::DeleteIssuer => Op::CertificateIssuerDelete,
        }
    }

    /// Where what is no certificate lies.
    fn collection(self) -> &'static str {
        match self {
            Self::GetContacts | Self::SetContacts | Self::DeleteContacts => "certificates/contacts",
            Self::ListIssuers | Self::GetIssuer | Self::SetIssuer | Self::UpdateIssuer | Self::DeleteIssuer => {
                "certificates/issuers"
            }
            _ => "certificates",
        }
    }
}

impl Operation {
    /// What the engine calls it; `None` for what the engine does not guard by itself.
    pub(super) fn guarded(self) -> Option<domain::Operation> {
        use domain::Operation as Op;
        Some(match self {
            Self::Object(kind, act) => act.on(kind),
            Self::CreateKey => Op::KeyCreate,
            Self::ImportKey => Op::KeyImport,
            Self::RotateKey => Op::KeyRotate,
            Self::GetRotationPolicy => Op::KeyRotationPolicyGet,
            Self::SetRotationPolicy => Op::KeyRotationPolicySet,
            Self::UseKey(KeyUse::Encrypt) => Op::KeyEncrypt,
            Self::UseKey(KeyUse::Decrypt) => Op::KeyDecrypt,
            Self::UseKey(KeyUse::Sign) => Op::KeySign,
            Self::UseKey(KeyUse::Verify) => Op::KeyVerify,
            Self::UseKey(KeyUse::Wrap) => Op::KeyWrap,
            Self::UseKey(KeyUse::Unwrap) => Op::KeyUnwrap,
            Self::SetSecret => Op::SecretSet,
            Self::Certificate(operation) => operation.guarded(),
            Self::GetRandomBytes => Op::RandomGet,
            Self::ListRoleDefinitions | Self::GetRoleDefinition => Op::HsmRoleDefinitionRead,
            Self::PutRoleDefinition => Op::HsmRoleDefinitionPut,
            Self::DeleteRoleDefinition => Op::HsmRoleDefinitionDelete,
            Self::ListRoleAssignments | Self::GetRoleAssignment => Op::HsmRoleAssignmentRead,
            Self::PutRoleAssignment => Op::HsmRoleAssignmentPut,
            Self::DeleteRoleAssignment => Op::HsmRoleAssignmentDelete,
            Self::ListSettings | Self::GetSetting => Op::HsmSettingRead,
            Self::NotSupported(_) => return None,
        })
    }

    fn collection(self) -> &'static str {
        match self {
            Self::Certificate(operation) => operation.collection(),
            other => other.kind().collection(),
        }
    }

    /// The kind of object that it is about.
    pub(super) fn kind(self) -> ObjectKind {
        match self {
            Self::Object(kind, _) => kind,
            Self::SetSecret => ObjectKind::Secret,
            Self::Certificate(_) => ObjectKind::Certificate,
            _ => ObjectKind::Key,
        }
    }
}

impl Route<'_> {
    /// The path that the engine's gate decides by: an object, a scope, or all objects of a kind.
    pub(super) fn guarded_path(&self) -> String {
        self.guarded_path_and(["", ""])
    }

    fn guarded_path_and(&self, [separator, below]: [&str; 2]) -> String {
        match (&self.scope, self.operation, self.name) {
            (Some(scope), ..) => [scope.as_str(), separator, below].concat(),
            (None, Operation::GetRandomBytes, _) => ["/", separator, below].concat(),
            (None, operation, Some(name)) => ["/", operation.collection(), "/", name, separator, below].concat(),
            (None, operation, None) => ["/", operation.collection(), separator, below].concat(),
        }
    }
}

impl Route<'_> {
    /// What the audit log calls it.
    pub(super) fn event(&self) -> Event {
        self.operation.guarded().map_or(Event::Other(OtherEvent::Unknown), Event::Operation)
    }

    /// What is acted on, as the audit log names it: [`Route::guarded_path`] with what the path names below it.
    pub(super) fn subject_path(&self) -> String {
        let (separator, below) = match &self.scope {
            Some(_) => ("/providers/Microsoft.Authorization/", self.name),
            None => ("/", self.version),
        };
        self.guarded_path_and(below.map_or(["", ""], |below| [separator, below]))
    }
}

/// An operation with what its path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route<'path> {
    pub operation: Operation,
    /// Of the object, role definition, role assignment or setting.
    pub name: Option<&'path str>,
    pub version: Option<&'path str>,
    /// Of role definitions and assignments; the root everywhere else.
    pub scope: Option<Scope>,
}

/// Why a method and a path mean nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    NotFound,
    /// The path exists; these are its methods.
    MethodNotAllowed(Vec<&'static str>),
}

/// A path and what its methods mean. Segments in braces stand for any one segment, `**` for one or more.
struct Resource {
    path: &'static [&'static str],
    methods: &'static [(&'static str, Operation)],
}

const fn resource(path: &'static [&'static str], methods: &'static [(&'static str, Operation)]) -> Resource {
    Resource { path, methods }
}

const NAME: &str = "{name}";
const VERSION: &str = "{version}";
const REST: &str = "**";

const RELEASE: Operation = Operation::NotSupported("Key release");
const ATTESTATION: Operation = Operation::NotSupported("Key attestation");
const SECURE_WRAP: Operation = Operation::NotSupported("Secure key wrap");
const SELECTIVE_RESTORE: Operation = Operation::NotSupported("Selective key restore");
const FULL_BACKUP: Operation = Operation::NotSupported("Full backup");
const FULL_RESTORE: Operation = Operation::NotSupported("Full restore");
const SECURITY_DOMAIN: Operation = Operation::NotSupported("The security domain");
const EKM: Operation = Operation::NotSupported("External key management");
const UPDATE_SETTING: Operation = Operation::NotSupported("Changing settings");
const STORAGE: Operation = Operation::NotSupported("Storage accounts");

/// The resources that all kinds of objects have, with a kind's own before those whose placeholders they would fit. The
/// first resource whose path fits is the one meant, so reserved words come before the names they shadow.
macro_rules! objects {
    ($kind:ident, $live:literal, $deleted:literal, [$($method:expr),*], [$($own:expr),* $(,)?]) => {{
        use ObjectAct as Act;
        const fn on(act: Act) -> Operation {
            Operation::Object(ObjectKind::$kind, act)
        }
        &[
            resource(&[$live], &[("GET", on(Act::List))]),
            resource(&[$live, "restore"], &[("POST", on(Act::Restore))]),
            $($own,)*
            resource(
                &[$live, NAME],
                &[("GET", on(Act::Get)), $($method,)* ("PATCH", on(Act::Update)), ("DELETE", on(Act::Delete))],
            ),
            resource(&[$live, NAME, "versions"], &[("GET", on(Act::ListVersions))]),
            resource(&[$live, NAME, "backup"], &[("POST", on(Act::Backup))]),
            resource(&[$live, NAME, VERSION], &[("GET", on(Act::Get)), ("PATCH", on(Act::Update))]),
            resource(&[$deleted], &[("GET", on(Act::ListDeleted))]),
            resource(&[$deleted, NAME], &[("GET", on(Act::GetDeleted)), ("DELETE", on(Act::Purge))]),
            resource(&[$deleted, NAME, "recover"], &[("POST", on(Act::Recover))]),
        ]
    }};
}

const KEYS: &[Resource] = {
    use Operation as Op;
    objects!(
        Key,
        "keys",
        "deletedkeys",
        [("PUT", Op::ImportKey)],
        [
            resource(&["keys", NAME, "create"], &[("POST", Op::CreateKey)]),
            resource(&["keys", NAME, "rotate"], &[("POST", Op::RotateKey)]),
            resource(
                &["keys", NAME, "rotationpolicy"],
                &[("GET", Op::GetRotationPolicy), ("PUT", Op::SetRotationPolicy)]
            ),
            // Without a version: the current one (contract: key-vault §1, "Double and trailing slashes").
            resource(&["keys", NAME, "encrypt"], &[("POST", Op::UseKey(KeyUse::Encrypt))]),
            resource(&["keys", NAME, "decrypt"], &[("POST", Op::UseKey(KeyUse::Decrypt))]),
            resource(&["keys", NAME, "sign"], &[("POST", Op::UseKey(KeyUse::Sign))]),
            resource(&["keys", NAME, "verify"], &[("POST", Op::UseKey(KeyUse::Verify))]),
            resource(&["keys", NAME, "wrapkey"], &[("POST", Op::UseKey(KeyUse::Wrap))]),
            resource(&["keys", NAME, "unwrapkey"], &[("POST", Op::UseKey(KeyUse::Unwrap))]),
            resource(&["keys", NAME, "release"], &[("POST", RELEASE)]),
            resource(&["keys", NAME, "attestation"], &[("GET", ATTESTATION)]),
            resource(&["keys", NAME, "securewrapkey"], &[("POST", SECURE_WRAP)]),
            resource(&["keys", NAME, "secureunwrapkey"], &[("POST", SECURE_WRAP)]),
            resource(&["keys", NAME, "restore"], &[("PUT", SELECTIVE_RESTORE)]),
            resource(&["keys", NAME, VERSION, "encrypt"], &[("POST", Op::UseKey(KeyUse::Encrypt))]),
            resource(&["keys", NAME, VERSION, "decrypt"], &[("POST", Op::UseKey(KeyUse::Decrypt))]),
            resource(&["keys", NAME, VERSION, "sign"], &[("POST", Op::UseKey(KeyUse::Sign))]),
            resource(&["keys", NAME, VERSION, "verify"], &[("POST", Op::UseKey(KeyUse::Verify))]),
            resource(&["keys", NAME, VERSION, "wrapkey"], &[("POST", Op::UseKey(KeyUse::Wrap))]),
            resource(&["keys", NAME, VERSION, "unwrapkey"], &[("POST", Op::UseKey(KeyUse::Unwrap))]),
            resource(&["keys", NAME, VERSION, "release"], &[("POST", RELEASE)]),
            resource(&["keys", NAME, VERSION, "attestation"], &[("GET", ATTESTATION)]),
            resource(&["keys", NAME, VERSION, "securewrapkey"], &[("POST", SECURE_WRAP)]),
            resource(&["keys", NAME, VERSION, "secureunwrapkey"], &[("POST", SECURE_WRAP)]),
        ]
    )
};

const SECRETS: &[Resource] = objects!(Secret, "secrets", "deletedsecrets", [("PUT", Operation::SetSecret)], []);

const CERTIFICATES: &[Resource] = {
    use CertificateOperation as Op;
    const fn of(operation: Op) -> Operation {
        Operation::Certificate(operation)
    }
    objects!(
        Certificate,
        "certificates",
        "deletedcertificates",
        [],
        [
            resource(
                &["certificates", "contacts"],
                &[("GET", of(Op::GetContacts)), ("PUT", of(Op::SetContacts)), ("DELETE", of(Op::DeleteContacts))],
            ),
            resource(&["certificates", "issuers"], &[("GET", of(Op::ListIssuers))]),
            resource(
                &["certificates", "issuers", NAME],
                &[
                    ("GET", of(Op::GetIssuer)),
                    ("PUT", of(Op::SetIssuer)),
                    ("PATCH", of(Op::UpdateIssuer)),
                    ("DELETE", of(Op::DeleteIssuer)),
                ],
            ),
            resource(&["certificates", NAME, "create"], &[("POST", of(Op::Create))]),
            resource(&["certificates", NAME, "import"], &[("POST", of(Op::Import))]),
            resource(
                &["certificates", NAME, "pending"],
                &[("GET", of(Op::GetPending)), ("PATCH", of(Op::CancelPending)), ("DELETE", of(Op::DeletePending))],
            ),
            resource(&["certificates", NAME, "pending", "merge"], &[("POST", of(Op::Merge))]),
            resource(&["certificates", NAME, "policy"], &[("GET", of(Op::GetPolicy)), ("PATCH", of(Op::UpdatePolicy))]),
        ]
    )
};

const VAULT_ONLY: &[Resource] = &[resource(&["storage"], &[("GET", STORAGE)])];

const HSM_ONLY: &[Resource] = &[
    resource(&["rng"], &[("POST", Operation::GetRandomBytes)]),
    resource(&["settings"], &[("GET", Operation::ListSettings)]),
    resource(&["settings", NAME], &[("GET", Operation::GetSetting), ("PATCH", UPDATE_SETTING)]),
    resource(&["backup"], &[("POST", FULL_BACKUP)]),
    resource(&["backup", NAME, "pending"], &[("GET", FULL_BACKUP)]),
    resource(&["prebackup"], &[("POST", FULL_BACKUP)]),
    resource(&["restore"], &[("PUT", FULL_RESTORE)]),
    resource(&["restore", NAME, "pending"], &[("GET", FULL_RESTORE)]),
    resource(&["prerestore"], &[("PUT", FULL_RESTORE)]),
    resource(&["securitydomain", "download"], &[("POST", SECURITY_DOMAIN)]),
    resource(&["securitydomain", "download", "pending"], &[("GET", SECURITY_DOMAIN)]),
    resource(&["securitydomain", "upload"], &[("GET", SECURITY_DOMAIN), ("POST", SECURITY_DOMAIN)]),
    resource(&["securitydomain", "upload", "pending"], &[("GET", SECURITY_DOMAIN)]),
    resource(&["ekm"], &[("GET", EKM), ("PATCH", EKM), ("DELETE", EKM)]),
    resource(&["ekm", REST], &[("GET", EKM), ("POST", EKM), ("DELETE", EKM)]),
];

/// Below `{scope}/providers/Microsoft.Authorization`.
const ROLES: &[Resource] = {
    use Operation as Op;
    &[
        resource(&["roledefinitions"], &[("GET", Op::ListRoleDefinitions)]),
        resource(
            &["roledefinitions", NAME],
            &[("GET", Op::GetRoleDefinition), ("PUT", Op::PutRoleDefinition), ("DELETE", Op::DeleteRoleDefinition)],
        ),
        resource(&["roleassignments"], &[("GET", Op::ListRoleAssignments)]),
        resource(
            &["roleassignments", NAME],
            &[("GET", Op::GetRoleAssignment), ("PUT", Op::PutRoleAssignment), ("DELETE", Op::DeleteRoleAssignment)],
        ),
    ]
};

/// Finds the operation that a method and a path (percent-decoded segments, none empty) mean in a kind of container.
pub(super) fn resolve<'path>(kind: ContainerKind, method: &str, path: &[&'path str]) -> Result<Route<'path>, NoRoute> {
    if kind == ContainerKind::ManagedHsm
        && let Some((scope, rest)) = role_scope(path)
    {
        let mut route = find(&[ROLES], method, rest)?;
        route.scope = Some(scope);
        return Ok(route);
    }
    match kind {
        ContainerKind::Vault => find(&[KEYS, SECRETS, CERTIFICATES, VAULT_ONLY], method, path),
        ContainerKind::ManagedHsm => find(&[KEYS, HSM_ONLY], method, path),
    }
}

fn find<'path>(tables: &[&[Resource]], method: &str, path: &[&'path str]) -> Result<Route<'path>, NoRoute> {
    let resource = tables.iter().flat_map(|table| table.iter()).find(|resource| fits(resource.path, path));
    let resource = resource.ok_or(NoRoute::NotFound)?;
    let found = resource.methods.iter().find(|(allowed, _)| *allowed == method);
    let Some((_, operation)) = found else {
        return Err(NoRoute::MethodNotAllowed(resource.methods.iter().map(|(allowed, _)| *allowed).collect()));
    };
    let segment = |placeholder: &str| {
        let at = resource.path.iter().position(|part| *part == placeholder)?;
        path.get(at).copied()
    };
    Ok(Route { operation: *operation, name: segment(NAME), version: segment(VERSION), scope: None })
}

fn fits(template: &[&str], path: &[&str]) -> bool {
    let length_fits = path.len() == template.len() || (path.len() > template.len() && template.last() == Some(&REST));
    // From the end, where templates differ most.
    length_fits
        && (template.iter().zip(path).rev())
            .all(|(part, segment)| matches!(*part, NAME | VERSION | REST) || segment.eq_ignore_ascii_case(part))
}

/// Takes `{scope}/providers/Microsoft.Authorization` off a path. The scope is `/`, `/keys` or `/keys/{name}`.
fn role_scope<'a, 'path>(path: &'a [&'path str]) -> Option<(Scope, &'a [&'path str])> {
    let at = path.windows(2).take(3).position(|pair| {
        matches!(pair, [first, second]
            if first.eq_ignore_ascii_case("providers") && second.eq_ignore_ascii_case("Microsoft.Authorization"))
    })?;
    let (scope, rest) = path.split_at_checked(at)?;
    if scope.first().is_some_and(|collection| !collection.eq_ignore_ascii_case("keys")) {
        return None;
    }
    Some((Scope::new(&scope.join("/")), rest.get(2..)?))
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
