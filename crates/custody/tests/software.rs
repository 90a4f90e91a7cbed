//! The software provider against the suite that every provider must pass.

use custody::conformance::{SeededEntropy, keys};
use custody::{Decrypt, Encrypt, SoftwareProvider};
use domain::{EncryptionAlgorithm, SignatureAlgorithm};

custody::conformance_tests!(custody::SoftwareProvider);

/// Handles parse some of their parts at the first use, which may come from many threads at once.
#[test]
fn a_new_handle_is_used_first_by_many_threads_at_once() {
    let key = keys::rsa_keys(&SoftwareProvider).remove(0);
    let entropy = SeededEntropy::new(1);
    let algorithm = EncryptionAlgorithm::RsaOaep;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let request = Encrypt { algorithm, plaintext: b"text", iv: None, aad: None };
                let ciphertext = key.handle.encrypt(&request, &entropy).unwrap().value;
                let request = Decrypt { algorithm, ciphertext: &ciphertext, iv: None, aad: None, tag: None };
                assert_eq!(key.handle.decrypt(&request).unwrap().expose(), b"text");
                let signature = key.handle.sign(SignatureAlgorithm::Ps384, &[3; 48], &entropy).unwrap();
                assert_eq!(key.handle.verify(SignatureAlgorithm::Ps384, &[3; 48], &signature), Ok(true));
            });
        }
    });
}
