//! The table of key usages, and what of it a type of key can do.

use super::*;
use proptest::{collection::vec, prelude::*, sample::select};

#[test]
fn each_usage_stands_for_its_operations() {
    use KeyUsage as U;
    let table = [
        (U::DigitalSignature, "sign verify", "sign verify"),
        (U::NonRepudiation, "sign verify", "sign verify"),
        (U::KeyEncipherment, "wrapKey unwrapKey", ""),
        (U::DataEncipherment, "encrypt decrypt", ""),
        (U::KeyAgreement, "", ""),
        (U::KeyCertSign, "sign verify", "sign verify"),
        (U::CrlSign, "sign verify", "sign verify"),
        (U::EncipherOnly, "encrypt", ""),
        (U::DecipherOnly, "decrypt", ""),
    ];
    assert_eq!(table.map(|(usage, ..)| usage), KeyUsage::ALL, "the whole table");
    let words = |usage, key_type| {
        let operations = key_operations(&[usage], key_type);
        operations.into_iter().map(KeyOperation::as_str).collect::<Vec<_>>().join(" ")
    };
    for (usage, rsa, ec) in table {
        assert_eq!(words(usage, KeyType::Rsa), rsa, "{usage}");
        assert_eq!(words(usage, KeyType::Ec), ec, "{usage}");
        assert_eq!(words(usage, KeyType::Oct), "", "{usage}");
    }
}

#[test]
fn no_usage_is_no_restriction() {
    assert_eq!(key_operations(&[], KeyType::Rsa), crate::KeySpec::DEFAULT_RSA.default_operations());
    assert_eq!(key_operations(&[], KeyType::Ec), crate::KeySpec::DEFAULT_EC.default_operations());
    assert_eq!(key_operations(&[KeyUsage::KeyAgreement], KeyType::Ec), []);
}

proptest! {
    #[test]
    fn several_usages_are_what_each_of_them_is_and_nothing_twice(
        usage in vec(select(KeyUsage::ALL), 1..12),
        key_type in select(KeyType::ALL),
    ) {
        let operations = key_operations(&usage, key_type);
        for operation in KeyOperation::ALL {
            let times = operations.iter().filter(|each| *each == operation).count();
            let of_one = usage.iter().any(|usage| key_operations(&[*usage], key_type).contains(operation));
            prop_assert_eq!(times, usize::from(of_one), "{}", operation);
        }
    }
}
