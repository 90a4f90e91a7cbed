//! What each operation is told in each state. Sections are those of the contract, `key-vault`; what it leaves open is as
//! DIVERGENCES.md says.

use domain::{ObjectAct, ObjectKind, Operation};

/// What the object of the name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Live,
    Deleted,
    Disabled,
    /// Its dates have passed. It was never renewed or rotated.
    Expired,
    /// A certificate waits for its merge, and has no version yet. There is no key and no secret of its name.
    Pending,
    /// A key or secret that a certificate of its name brought along.
    Managed,
    /// The same, and the certificate is deleted.
    ManagedDeleted,
}

impl State {
    /// Whether objects of a kind, or their names, can be in it.
    pub fn is_of(self, kind: ObjectKind) -> bool {
        kind != ObjectKind::Certificate || !matches!(self, Self::Managed | Self::ManagedDeleted)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub status: u16,
    pub code: &'static str,
    pub inner: &'static str,
}

const fn refused(status: u16, code: &'static str, inner: &'static str) -> Told {
    Told { status, code, inner }
}

const fn done(status: u16) -> Told {
    refused(status, "", "")
}

const OK: Told = done(200);

/// Documented, not there yet, whatever is asked of it (DIVERGENCES, "Data plane").
pub const NOT_THERE: Told = refused(400, "NotSupported", "");

/// §2, "Key missing or soft-deleted", "Secret / certificate missing", "Deleted object missing".
fn missing(kind: ObjectKind) -> Told {
    let code = match kind {
        ObjectKind::Key => "KeyNotFound",
        ObjectKind::Secret => "SecretNotFound",
        ObjectKind::Certificate => "CertificateNotFound",
    };
    refused(404, code, "")
}

/// §2, "Delete/update of key or secret that backs a certificate".
fn managed(kind: ObjectKind) -> Told {
    refused(
        403,
        "Forbidden",
        if kind == ObjectKind::Secret { "SecretManagedByKeyVault" } else { "KeyManagedByKeyVault" },
    )
}

/// §2, "Create/import/set on a soft-deleted name".
const NAME_HELD_BY_DELETED: Told = refused(409, "Conflict", "ObjectIsDeletedButRecoverable");
/// §2, "Restore onto an existing or soft-deleted name", "Create/import certificate while one is pending".
const CONFLICT: Told = refused(409, "Conflict", "");

/// What is made under the name of a pending certificate: it holds its name among keys and secrets as it does when it is
/// made (DIVERGENCES, "another version of it").
fn under_pending(kind: ObjectKind) -> Told {
    if kind == ObjectKind::Certificate { CONFLICT } else { managed(kind) }
}

/// `None` for an operation that nobody has thought of.
pub fn told(kind: ObjectKind, operation: Operation, state: State) -> Option<Told> {
    let act = ACTS.iter().find(|act| act.on(kind) == operation);
    act.map(|act| of_every_kind(*act, kind, state)).or_else(|| of_making(operation, kind, state)).or_else(|| match kind
    {
        ObjectKind::Key => of_keys(operation, state),
        ObjectKind::Secret => None,
        ObjectKind::Certificate => of_certificates(operation, state),
    })
}

const ACTS: [ObjectAct; 11] = [
    ObjectAct::Get,
    ObjectAct::List,
    ObjectAct::ListVersions,
    ObjectAct::Update,
    ObjectAct::Delete,
    ObjectAct::GetDeleted,
    ObjectAct::ListDeleted,
    ObjectAct::Recover,
    ObjectAct::Purge,
    ObjectAct::Backup,
    ObjectAct::Restore,
];

/// Whether there is a live object of the kind under the name.
fn is_there(kind: ObjectKind, state: State) -> bool {
    match state {
        State::Live | State::Disabled | State::Expired | State::Managed => true,
        State::Pending => kind == ObjectKind::Certificate,
        State::Deleted | State::ManagedDeleted => false,
    }
}

fn of_every_kind(act: ObjectAct, kind: ObjectKind, state: State) -> Told {
    use ObjectAct as Act;
    match (act, state) {
        // What is not there has no versions; that is no error.
        (Act::List | Act::ListDeleted | Act::ListVersions, _) => OK,
        (Act::GetDeleted, State::Deleted | State::ManagedDeleted) | (Act::Recover, State::Deleted) => OK,
        (Act::Purge, State::Deleted) => done(204),
        // §3.7, "Delete": recover and purge go through the certificate.
        (Act::Recover | Act::Purge, State::ManagedDeleted) => managed(kind),
        (Act::GetDeleted | Act::Recover | Act::Purge, _) => missing(kind),
        (Act::Restore, State::Pending) => under_pending(kind),
        (Act::Restore, _) => CONFLICT,
        _ if !is_there(kind, state) => missing(kind),
        // §3.7, "Backup/restore", for the backup.
        (Act::Update | Act::Delete | Act::Backup, State::Managed) => managed(kind),
        // DIVERGENCES, "backup of a certificate that has no version yet".
        (Act::Backup, State::Pending) => CONFLICT,
        // §2, "Disabled secret get". Keys and certificates show themselves ("Disabled key").
        (Act::Get, State::Disabled) if kind == ObjectKind::Secret => refused(403, "Forbidden", "SecretDisabled"),
        // §2, "Expired secret get"; §3.7, "Time window".
        (Act::Get | Act::Update | Act::Delete | Act::Backup, _) => OK,
    }
}

/// A version of an object that may be there already (§3.7, "Create on an existing name").
fn of_making(operation: Operation, kind: ObjectKind, state: State) -> Option<Told> {
    use Operation as Op;
    let success = match operation {
        Op::KeyCreate | Op::KeyImport | Op::SecretSet | Op::CertificateImport => OK,
        // §3.5.
        Op::CertificateCreate => done(202),
        _ => return None,
    };
    Some(match state {
        State::Live | State::Disabled | State::Expired => success,
        State::Deleted | State::ManagedDeleted => NAME_HELD_BY_DELETED,
        State::Pending => under_pending(kind),
        // DIVERGENCES, "another version of it".
        State::Managed => managed(kind),
    })
}

fn of_keys(operation: Operation, state: State) -> Option<Told> {
    use Operation as Op;
    const KEY: ObjectKind = ObjectKind::Key;
    let is_use = match operation {
        Op::KeyEncrypt | Op::KeyDecrypt | Op::KeySign | Op::KeyVerify | Op::KeyWrap | Op::KeyUnwrap => true,
        Op::KeyRotate | Op::KeyRotationPolicyGet | Op::KeyRotationPolicySet => false,
        _ => return None,
    };
    Some(match (operation, state) {
        _ if !is_there(KEY, state) => missing(KEY),
        // §2, "Disabled key (crypto…)".
        (_, State::Disabled) if is_use => refused(403, "Forbidden", "KeyDisabled"),
        // §2, "Expired / not-yet-valid key on encrypt, sign, wrapKey"; §3.7, "Time window": the others go on.
        (Op::KeyEncrypt | Op::KeySign | Op::KeyWrap, State::Expired) => refused(403, "Forbidden", "KeyExpired"),
        // DIVERGENCES, "rotation of its key".
        (Op::KeyRotate | Op::KeyRotationPolicySet, State::Managed) => managed(KEY),
        _ => OK,
    })
}

fn of_certificates(operation: Operation, state: State) -> Option<Told> {
    use Operation as Op;
    const CERTIFICATE: ObjectKind = ObjectKind::Certificate;
    let is_pending = state == State::Pending;
    let told = match operation {
        Op::CertificatePolicyGet | Op::CertificatePolicyUpdate => OK,
        // A pending operation that has ended is shown until it is deleted (§3.9, "Pending states").
        Op::CertificatePendingGet | Op::CertificatePendingDelete => OK,
        Op::CertificatePendingUpdate if is_pending => OK,
        // §2, "Cancel a pending that is not inProgress".
        Op::CertificatePendingUpdate => refused(400, "BadParameter", ""),
        // §3.5.
        Op::CertificatePendingMerge if is_pending => done(201),
        // §2, "Merge on an issuer-driven pending certificate": these were signed with their own keys.
        Op::CertificatePendingMerge => refused(403, "Forbidden", ""),
        _ => return None,
    };
    Some(if is_there(CERTIFICATE, state) { told } else { missing(CERTIFICATE) })
}
