//! From the key usage of a certificate to what its key may do. Source: contract key-vault §3.9.

use super::KeyUsage;
use crate::{KeyOperation, KeyType};

/// The operations of the key of a certificate: what each use stands for, as far as a key of this type can do it, each once.
/// A certificate that names no use restricts none (RFC 5280 §4.2.1.3).
///
/// An EC key has no other than sign and verify: one whose certificate is for key agreement alone has none here.
#[must_use]
pub fn key_operations(usage: &[KeyUsage], key_type: KeyType) -> Vec<KeyOperation> {
    let can = |operation: &KeyOperation| match key_type {
        KeyType::Rsa => true,
        KeyType::Ec => matches!(operation, KeyOperation::Sign | KeyOperation::Verify),
        // There are no certificates about symmetric keys.
        KeyType::Oct => false,
    };
    const EVERY_USE: &[KeyUsage] = &[KeyUsage::DataEncipherment, KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment];
    let usage = if usage.is_empty() { EVERY_USE } else { usage };
    let mut operations = Vec::new();
    for operation in usage.iter().flat_map(|usage| operations_of(*usage)).filter(can) {
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    operations
}

fn operations_of(usage: KeyUsage) -> Vec<KeyOperation> {
    use KeyOperation as Op;
    match usage {
        KeyUsage::DigitalSignature | KeyUsage::NonRepudiation | KeyUsage::KeyCertSign | KeyUsage::CrlSign => {
            vec![Op::Sign, Op::Verify]
        }
        KeyUsage::KeyEncipherment => vec![Op::WrapKey, Op::UnwrapKey],
        KeyUsage::DataEncipherment => vec![Op::Encrypt, Op::Decrypt],
        KeyUsage::EncipherOnly => vec![Op::Encrypt],
        KeyUsage::DecipherOnly => vec![Op::Decrypt],
        // Not in the table, and no operation of a vault's keys.
        KeyUsage::KeyAgreement => Vec::new(),
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
