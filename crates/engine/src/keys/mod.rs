//! Keys: making, reading, changing, rotating, backing up and using them.

mod backup;
mod create;
mod read;
mod rotate;
mod usage;

pub use create::{CreateKey, ImportKey, NewAttributes};
pub use read::{AttributeChanges, KeyChanges};
pub use usage::{CryptoResult, DecryptRequest, EncryptRequest};

use crate::objects::ObjectOperations;
use domain::{ObjectKind, Operation};

/// How keys take part in what all objects share.
pub(crate) const KEYS: ObjectOperations = ObjectOperations {
    kind: ObjectKind::Key,
    collection: "keys",
    list: Operation::KeyList,
    list_versions: Operation::KeyListVersions,
    delete: Operation::KeyDelete,
    get_deleted: Operation::KeyGetDeleted,
    list_deleted: Operation::KeyListDeleted,
    recover: Operation::KeyRecover,
    purge: Operation::KeyPurge,
};
