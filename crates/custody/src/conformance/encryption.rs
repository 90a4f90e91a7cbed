//! Encrypting and decrypting, wrapping and unwrapping.

use super::SeededEntropy;
use super::keys::{Key, RSA, aes_keys, all_keys, bytes, oct_key, refusal, rsa_keys};
use crate::{Ciphertext, Decrypt, Encrypt, Error, KeyHandle, Provider};
use domain::{EncryptionAlgorithm as A, KeySpec, KeyUse, Refusal, Secret};

const IV: [u8; 16] = [7; 16];
const AAD: &[u8] = b"associated";

fn algorithms(spec: KeySpec) -> Vec<A> {
    A::ALL.iter().filter(|algorithm| spec.check_encryption(**algorithm, KeyUse::Encrypt).is_ok()).copied().collect()
}

/// A request with every parameter that the algorithm takes.
fn full(algorithm: A, plaintext: &[u8]) -> Encrypt<'_> {
    let iv = algorithm.is_cbc().then_some(&IV[..]);
    Encrypt { algorithm, plaintext, iv, aad: algorithm.is_gcm().then_some(AAD) }
}

fn encrypt(handle: &dyn KeyHandle, algorithm: A, plaintext: &[u8]) -> Ciphertext {
    handle.encrypt(&full(algorithm, plaintext), &SeededEntropy::new(9)).unwrap()
}

/// The request that reverses [`encrypt`].
fn reversed(algorithm: A, ciphertext: &Ciphertext) -> Decrypt<'_> {
    Decrypt {
        algorithm,
        ciphertext: &ciphertext.value,
        iv: ciphertext.iv.as_deref(),
        aad: algorithm.is_gcm().then_some(AAD),
        tag: ciphertext.tag.as_deref(),
    }
}

/// Lengths of plaintext that the algorithm takes.
fn lengths(algorithm: A, spec: KeySpec) -> Vec<usize> {
    let modulus = match spec {
        KeySpec::Rsa { bits } => usize::try_from(bits / 8).unwrap(),
        _ => 0,
    };
    match algorithm {
        A::Rsa15 => vec![0, 1, 32, modulus - 11],
        A::RsaOaep => vec![0, 1, 32, modulus - 42],
        A::RsaOaep256 => vec![0, 1, 32, modulus - 66],
        A::A128Kw | A::A192Kw | A::A256Kw | A::AesKeyWrap => vec![16, 24, 32, 64, 512],
        A::AesKeyWrapPad => (1..=33).chain([512, 513]).collect(),
        A::A128Cbc | A::A192Cbc | A::A256Cbc => vec![0, 16, 32, 1024],
        _ => (0..=33).chain([1000]).collect(),
    }
}

fn padded_cbc(algorithm: A) -> bool {
    matches!(algorithm, A::A128CbcPad | A::A192CbcPad | A::A256CbcPad)
}

fn authenticated(algorithm: A) -> bool {
    !algorithm.is_cbc()
}

/// What a tampered or foreign ciphertext must answer. CBC has no integrity: it may answer something else instead.
fn assert_not_decrypted(algorithm: A, result: Result<Secret, Error>, plaintext: &[u8]) {
    match result {
        Ok(decrypted) => {
            // RSA1_5 under another key can look well-formed by chance, about once in 2^16.
            assert!(!authenticated(algorithm) || algorithm == A::Rsa15, "{algorithm}");
            assert!(decrypted.expose() != plaintext, "{algorithm}");
        }
        other => assert_eq!(refusal(other), Refusal::DecryptionFailed, "{algorithm}"),
    }
}

pub fn every_algorithm_decrypts_what_it_encrypted(provider: &dyn Provider) {
    let mut pairs = 0;
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec) {
            for length in lengths(algorithm, key.spec) {
                let plaintext = bytes(length, 1);
                let ciphertext = encrypt(&*key.handle, algorithm, &plaintext);
                let decrypted = key.handle.decrypt(&reversed(algorithm, &ciphertext)).unwrap();
                assert!(decrypted.expose() == plaintext, "{algorithm} {length} {:?}", key.spec);
            }
            pairs += 1;
        }
    }
    // Three RSA keys by three algorithms, three AES keys by four of their size and two of any.
    assert_eq!(pairs, 3 * 3 + 3 * 6);
}

/// OpenSSL's ciphertexts of "sample". (Symmetric algorithms: the Wycheproof tests.)
pub fn ciphertexts_of_another_implementation_decrypt(provider: &dyn Provider) {
    for (fixture, key) in RSA.iter().zip(rsa_keys(provider)) {
        for algorithm in algorithms(key.spec) {
            let ciphertext = Ciphertext { value: fixture.value(algorithm.as_str()), iv: None, tag: None };
            let decrypted = key.handle.decrypt(&reversed(algorithm, &ciphertext)).unwrap();
            assert_eq!(decrypted.expose(), b"sample", "{algorithm} {}", fixture.bits);
        }
    }
}

pub fn an_algorithm_of_another_key_is_refused(provider: &dyn Provider) {
    for key in all_keys(provider) {
        let own = algorithms(key.spec);
        for algorithm in A::ALL.iter().filter(|algorithm| !own.contains(algorithm)).copied() {
            let mismatch = |key_use| Refusal::EncryptionAlgorithmMismatch { algorithm, key: key.spec, key_use };
            let plaintext = [0; 16];
            let encrypted = key.handle.encrypt(&full(algorithm, &plaintext), &SeededEntropy::new(1));
            assert_eq!(refusal(encrypted), mismatch(KeyUse::Encrypt));
            let ciphertext = Ciphertext { value: vec![0; 32], iv: Some(IV.to_vec()), tag: Some(IV.to_vec()) };
            assert_eq!(
                refusal(key.handle.decrypt(&reversed(algorithm, &ciphertext))),
                mismatch(KeyUse::Decrypt),
                "{algorithm}"
            );
        }
    }
}

pub fn another_key_does_not_decrypt(provider: &dyn Provider) {
    let plaintext = bytes(32, 2);
    for key in aes_keys(provider) {
        let KeySpec::Oct { bits } = key.spec else { continue };
        let other = oct_key(provider, bits, 99);
        for algorithm in algorithms(key.spec) {
            let ciphertext = encrypt(&*key.handle, algorithm, &plaintext);
            assert_not_decrypted(algorithm, other.handle.decrypt(&reversed(algorithm, &ciphertext)), &plaintext);
        }
    }
    let spec = KeySpec::Rsa { bits: 2048 };
    let other = provider.generate(spec, &SeededEntropy::new(3)).unwrap();
    let other = provider.open(spec, &other.public, &other.material).unwrap();
    for key in rsa_keys(provider).iter().filter(|key| key.spec == spec) {
        for algorithm in algorithms(spec) {
            let ciphertext = encrypt(&*key.handle, algorithm, &plaintext);
            assert_not_decrypted(algorithm, other.decrypt(&reversed(algorithm, &ciphertext)), &plaintext);
        }
    }
}

pub fn a_changed_ciphertext_does_not_decrypt(provider: &dyn Provider) {
    let plaintext = bytes(32, 3);
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec) {
            let ciphertext = encrypt(&*key.handle, algorithm, &plaintext);
            for position in [0, 1, ciphertext.value.len() / 2, ciphertext.value.len() - 1] {
                let mut changed = ciphertext.clone();
                *changed.value.get_mut(position).unwrap() ^= 1;
                let result = key.handle.decrypt(&reversed(algorithm, &changed));
                assert_not_decrypted(algorithm, result, &plaintext);
            }
        }
    }
}

pub fn a_ciphertext_of_any_wrong_length_is_refused_alike(provider: &dyn Provider) {
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec).into_iter().filter(|algorithm| !algorithm.is_gcm()) {
            let mut ciphertext = encrypt(&*key.handle, algorithm, &[5; 32]);
            let right = ciphertext.value.len();
            for length in [1, 7, 8, 15, right - 1, right + 1] {
                ciphertext.value = vec![0; length];
                let result = key.handle.decrypt(&reversed(algorithm, &ciphertext));
                assert_eq!(refusal(result), Refusal::DecryptionFailed, "{algorithm} {length}");
            }
            // Nothing decrypts to nothing where nothing was added.
            ciphertext.value = Vec::new();
            let result = key.handle.decrypt(&reversed(algorithm, &ciphertext));
            if algorithm.is_cbc() && !padded_cbc(algorithm) {
                assert!(result.unwrap().expose().is_empty());
            } else {
                assert_eq!(refusal(result), Refusal::DecryptionFailed, "{algorithm} 0");
            }
        }
    }
}

fn gcm_key(provider: &dyn Provider) -> (Key, A) {
    (oct_key(provider, 256, 4), A::A256Gcm)
}

pub fn gcm_makes_a_new_iv_each_time_and_takes_none(provider: &dyn Provider) {
    let (key, algorithm) = gcm_key(provider);
    let entropy = SeededEntropy::new(5);
    let request = full(algorithm, b"text");
    let one = key.handle.encrypt(&request, &entropy).unwrap();
    let two = key.handle.encrypt(&request, &entropy).unwrap();
    assert_eq!(one.iv.as_ref().map(Vec::len), Some(12));
    assert_eq!(one.tag.as_ref().map(Vec::len), Some(16));
    assert!(one.iv != two.iv && one.value != two.value);
    for iv in [&[1; 12][..], &[1; 16], &[1]] {
        let refused = refusal(key.handle.encrypt(&Encrypt { iv: Some(iv), ..request }, &entropy));
        assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "iv", .. }));
    }
    assert!(key.handle.encrypt(&Encrypt { iv: Some(&[]), ..request }, &entropy).is_ok());
}

pub fn gcm_needs_the_same_iv_tag_and_associated_data(provider: &dyn Provider) {
    let (key, algorithm) = gcm_key(provider);
    let ciphertext = encrypt(&*key.handle, algorithm, b"text");
    let right = reversed(algorithm, &ciphertext);
    assert!(key.handle.decrypt(&right).is_ok());
    for aad in [None, Some(&b""[..]), Some(b"Associated"), Some(b"associated ")] {
        assert_eq!(refusal(key.handle.decrypt(&Decrypt { aad, ..right })), Refusal::DecryptionFailed);
    }
    for position in 0..12 {
        let mut changed = ciphertext.clone();
        *changed.iv.as_mut().unwrap().get_mut(position).unwrap() ^= 1;
        assert_eq!(refusal(key.handle.decrypt(&reversed(algorithm, &changed))), Refusal::DecryptionFailed);
    }
    for position in 0..16 {
        let mut changed = ciphertext.clone();
        *changed.tag.as_mut().unwrap().get_mut(position).unwrap() ^= 0x80;
        assert_eq!(refusal(key.handle.decrypt(&reversed(algorithm, &changed))), Refusal::DecryptionFailed);
    }
}

pub fn gcm_needs_an_iv_and_a_tag_of_full_length(provider: &dyn Provider) {
    let (key, algorithm) = gcm_key(provider);
    let ciphertext = encrypt(&*key.handle, algorithm, b"text");
    let right = reversed(algorithm, &ciphertext);
    for iv in [None, Some(&[][..]), Some(&[1; 11]), Some(&[1; 13]), Some(&[1; 16])] {
        let refused = refusal(key.handle.decrypt(&Decrypt { iv, ..right }));
        assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "iv", .. }));
    }
    for tag in [None, Some(&[][..]), ciphertext.tag.as_deref().and_then(|tag| tag.get(..12)), Some(&[1; 17])] {
        let refused = refusal(key.handle.decrypt(&Decrypt { tag, ..right }));
        assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "tag", .. }));
    }
}

pub fn cbc_needs_an_iv_of_one_block(provider: &dyn Provider) {
    for key in aes_keys(provider) {
        for algorithm in algorithms(key.spec).into_iter().filter(|algorithm| algorithm.is_cbc()) {
            let request = full(algorithm, &[1; 16]);
            let ciphertext = key.handle.encrypt(&request, &SeededEntropy::new(1)).unwrap();
            assert_eq!(ciphertext.iv.as_deref(), Some(&IV[..]));
            for iv in [None, Some(&[][..]), Some(&[1; 12]), Some(&[1; 15]), Some(&[1; 17])] {
                let encrypted = key.handle.encrypt(&Encrypt { iv, ..request }, &SeededEntropy::new(1));
                let decrypted = key.handle.decrypt(&Decrypt { iv, ..reversed(algorithm, &ciphertext) });
                for refused in [refusal(encrypted), refusal(decrypted)] {
                    assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "iv", .. }), "{algorithm}");
                }
            }
        }
    }
}

pub fn unpadded_key_wrap_takes_whole_blocks_only(provider: &dyn Provider) {
    for key in aes_keys(provider) {
        for algorithm in algorithms(key.spec) {
            let wrong: &[usize] = match algorithm {
                A::A128Kw | A::A192Kw | A::A256Kw | A::AesKeyWrap => &[0, 1, 8, 15, 17, 31],
                A::AesKeyWrapPad => &[0],
                _ => &[],
            };
            for length in wrong {
                let plaintext = bytes(*length, 1);
                let refused = refusal(key.handle.encrypt(&full(algorithm, &plaintext), &SeededEntropy::new(1)));
                assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "value", .. }), "{algorithm}");
            }
        }
    }
}

pub fn unpadded_cbc_fills_the_last_block_with_zeros(provider: &dyn Provider) {
    for key in aes_keys(provider) {
        let unpadded = |algorithm: &A| algorithm.is_cbc() && !padded_cbc(*algorithm);
        for algorithm in algorithms(key.spec).into_iter().filter(unpadded) {
            for length in [1_usize, 15, 17, 31] {
                let plaintext = bytes(length, 1);
                let mut filled = plaintext.clone();
                filled.resize(length.next_multiple_of(16), 0);
                let encrypted = encrypt(&*key.handle, algorithm, &plaintext);
                assert_eq!(encrypted, encrypt(&*key.handle, algorithm, &filled), "{algorithm}");
                let back = key.handle.decrypt(&reversed(algorithm, &encrypted)).unwrap();
                assert_eq!(back.expose(), filled, "{algorithm}");
            }
        }
    }
}

pub fn padded_cbc_adds_a_block_to_whole_blocks(provider: &dyn Provider) {
    for key in aes_keys(provider) {
        for algorithm in algorithms(key.spec).into_iter().filter(|algorithm| padded_cbc(*algorithm)) {
            for (plain, cipher) in [(0, 16), (1, 16), (15, 16), (16, 32), (17, 32)] {
                assert_eq!(encrypt(&*key.handle, algorithm, &bytes(plain, 1)).value.len(), cipher);
            }
        }
    }
}

pub fn rsa_takes_what_fits_and_no_more(provider: &dyn Provider) {
    for key in rsa_keys(provider) {
        for algorithm in algorithms(key.spec) {
            let longest = lengths(algorithm, key.spec).last().copied().unwrap_or_default();
            for length in [longest + 1, longest + 100, 10_000] {
                let plaintext = bytes(length, 1);
                let refused = refusal(key.handle.encrypt(&full(algorithm, &plaintext), &SeededEntropy::new(1)));
                assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "value", .. }), "{algorithm}");
            }
        }
    }
}

pub fn parameters_that_would_be_ignored_are_refused(provider: &dyn Provider) {
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec).into_iter().filter(|algorithm| !algorithm.is_gcm()) {
            let request = full(algorithm, &[1; 16]);
            let encrypted = key.handle.encrypt(&request, &SeededEntropy::new(1)).unwrap();
            let reversed = reversed(algorithm, &encrypted);
            let with_tag = key.handle.decrypt(&Decrypt { tag: Some(&[1; 16]), ..reversed });
            assert!(matches!(refusal(with_tag), Refusal::ParameterInvalid { parameter: "tag", .. }), "{algorithm}");
            let with_aad = key.handle.encrypt(&Encrypt { aad: Some(b"x"), ..request }, &SeededEntropy::new(1));
            let back = key.handle.decrypt(&Decrypt { aad: Some(b"x"), ..reversed });
            if algorithm.is_cbc() {
                assert_eq!(with_aad.unwrap(), encrypted, "{algorithm}: as recorded");
                assert!(back.is_ok(), "{algorithm}");
            } else {
                for refused in [refusal(with_aad), refusal(back)] {
                    assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "aad", .. }), "{algorithm}");
                }
            }
            let empty = Decrypt { aad: Some(&[]), tag: Some(&[]), ..reversed };
            assert!(key.handle.decrypt(&empty).is_ok(), "{algorithm}: empty is absent");
        }
    }
}
