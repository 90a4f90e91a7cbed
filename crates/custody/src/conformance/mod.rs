//! What every [`crate::Provider`] must do, as tests that are functions over `&dyn Provider`.
//!
//! A provider's own test file holds one line, `custody::conformance_tests!(provider)`. The expected values come from
//! OpenSSL (`keys/`) and from RFC 6979, so that a provider is not only held against itself. This module does not
//! know how a provider keeps its keys: material is opaque here too.

#![expect(clippy::unwrap_used, reason = "these are tests, compiled as a library so that every provider can run them")]

pub mod encryption;
pub mod import;
pub mod keys;
pub mod signatures;

use crate::Entropy;
use std::sync::atomic::{AtomicU64, Ordering};

/// One `#[test]` for each rule. The argument is a path-free expression for the provider, evaluated in each test
/// inside a module: write `custody::SoftwareProvider`, not a name that was imported.
#[macro_export]
macro_rules! conformance_tests {
    ($provider:expr) => {
        $crate::conformance_tests!($provider, signatures:
            every_algorithm_signs_and_verifies_with_every_key_that_has_it
            signatures_of_another_implementation_verify
            a_deterministic_signature_equals_that_of_another_implementation
            a_changed_digest_or_signature_does_not_verify
            a_signature_of_another_key_does_not_verify
            a_signature_of_the_wrong_length_is_not_a_signature
            a_digest_of_the_wrong_length_is_refused
            an_algorithm_of_another_key_is_refused
        );
        $crate::conformance_tests!($provider, encryption:
            every_algorithm_decrypts_what_it_encrypted
            ciphertexts_of_another_implementation_decrypt
            an_algorithm_of_another_key_is_refused
            another_key_does_not_decrypt
            a_changed_ciphertext_does_not_decrypt
            a_ciphertext_of_any_wrong_length_is_refused_alike
            gcm_makes_a_new_iv_each_time_and_takes_none
            gcm_needs_the_same_iv_tag_and_associated_data
            gcm_needs_an_iv_and_a_tag_of_full_length
            cbc_needs_an_iv_of_one_block
            unpadded_key_wrap_takes_whole_blocks_only
            unpadded_cbc_fills_the_last_block_with_zeros
            padded_cbc_adds_a_block_to_whole_blocks
            rsa_takes_what_fits_and_no_more
            parameters_that_would_be_ignored_are_refused
        );
        $crate::conformance_tests!($provider, import:
            generated_keys_reopen_and_are_fresh
            a_generated_rsa_key_works
            sizes_that_are_not_generated_are_refused
            imported_keys_keep_their_public_part
            stripped_and_added_leading_zeros_do_not_matter
            an_rsa_key_whose_parts_disagree_is_refused
            an_rsa_key_whose_prime_is_none_is_refused
            an_ec_key_whose_parts_disagree_is_refused
            sizes_that_are_not_imported_are_refused
            material_of_another_key_does_not_open
            an_exported_key_is_the_one_that_was_imported
            material_of_another_key_is_not_exported
        );
    };
    ($provider:expr, $module:ident: $($name:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::conformance::$module::$name(&$provider);
                }
            )+
        }
    };
}

/// Predictable randomness: SplitMix64 from a seed. For tests only.
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut word = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (word ^ (word >> 31)).to_be_bytes();
            chunk.copy_from_slice(word.get(..chunk.len()).unwrap_or_default());
        }
    }
}
