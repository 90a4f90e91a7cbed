//! Signing and verifying.

use super::SeededEntropy;
use super::keys::{EcFixture, Key, RSA, all_keys, bytes, ec_keys, hex, import, oct_key, refusal, rsa_keys};
use crate::Provider;
use aws_lc_rs::digest;
use domain::{Curve, KeySpec, Refusal, SignatureAlgorithm as A};

fn algorithms(spec: KeySpec) -> Vec<A> {
    let fits = |algorithm: &&A| {
        let digest = vec![0; algorithm.digest_length().unwrap_or(32)];
        spec.check_signature(**algorithm, &digest).is_ok()
    };
    A::ALL.iter().filter(fits).copied().collect()
}

fn digest_for(algorithm: A, seed: u64) -> Vec<u8> {
    bytes(algorithm.digest_length().unwrap_or(47), seed)
}

fn signature_length(key: &Key, algorithm: A) -> usize {
    match (key.spec, algorithm) {
        (KeySpec::Rsa { bits }, _) => usize::try_from(bits / 8).unwrap(),
        (KeySpec::Ec { curve }, _) => 2 * curve.coordinate_length(),
        (_, A::Hs256) => 32,
        (_, A::Hs384) => 48,
        _ => 64,
    }
}

fn hash(algorithm: A, message: &[u8]) -> Vec<u8> {
    let hash = match algorithm.digest_length() {
        Some(32) => &digest::SHA256,
        Some(48) => &digest::SHA384,
        _ => &digest::SHA512,
    };
    digest::digest(hash, message).as_ref().to_vec()
}

pub fn every_algorithm_signs_and_verifies_with_every_key_that_has_it(provider: &dyn Provider) {
    let mut pairs = 0;
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec) {
            for seed in 0..2 {
                let digest = digest_for(algorithm, seed);
                let signature = key.handle.sign(algorithm, &digest, &SeededEntropy::new(seed)).unwrap();
                assert_eq!(signature.len(), signature_length(&key, algorithm), "{algorithm} {:?}", key.spec);
                assert_eq!(key.handle.verify(algorithm, &digest, &signature), Ok(true), "{algorithm}");
            }
            pairs += 1;
        }
    }
    // Three RSA keys by six algorithms, four curves by one, five oct keys by three.
    assert_eq!(pairs, 3 * 6 + 4 + 5 * 3);
}

/// RFC 6979 §A.2.5–A.2.7, message "sample", and OpenSSL's signatures of the RSA keys.
pub fn signatures_of_another_implementation_verify(provider: &dyn Provider) {
    for (fixture, r, s) in rfc_6979() {
        let spec = KeySpec::Ec { curve: fixture.curve };
        let key = import(provider, &fixture.jwk(), spec);
        let length = fixture.curve.coordinate_length();
        let mut signature = Vec::new();
        for half in [hex(r), hex(s)] {
            signature.extend(vec![0; length - half.len()]);
            signature.extend(half);
        }
        let algorithm = fixture.curve.algorithm();
        assert_eq!(key.handle.verify(algorithm, &hash(algorithm, b"sample"), &signature), Ok(true), "{algorithm}");
    }
    for (fixture, key) in RSA.iter().zip(rsa_keys(provider)) {
        for algorithm in algorithms(key.spec) {
            let signature = fixture.value(algorithm.as_str());
            let verified = key.handle.verify(algorithm, &hash(algorithm, b"sample"), &signature);
            assert_eq!(verified, Ok(true), "{algorithm} {}", fixture.bits);
        }
    }
}

/// RS* (RFC 8017 §8.2 has no randomness) against OpenSSL; HS* against RFC 4231 §4.2 and §4.3.
pub fn a_deterministic_signature_equals_that_of_another_implementation(provider: &dyn Provider) {
    for (fixture, key) in RSA.iter().zip(rsa_keys(provider)) {
        for algorithm in [A::Rs256, A::Rs384, A::Rs512] {
            let digest = hash(algorithm, b"sample");
            let signature = key.handle.sign(algorithm, &digest, &SeededEntropy::new(0)).unwrap();
            assert!(signature == fixture.value(algorithm.as_str()), "{algorithm} {}", fixture.bits);
        }
    }
    for (k, data, tags) in rfc_4231() {
        let spec = KeySpec::Oct { bits: u32::try_from(k.len() * 8).unwrap() };
        let key = import(provider, &domain::PrivateJwk::Oct { k: domain::Secret::new(k) }, spec);
        for (algorithm, tag) in [A::Hs256, A::Hs384, A::Hs512].into_iter().zip(tags) {
            assert_eq!(key.handle.sign(algorithm, data, &SeededEntropy::new(0)), Ok(hex(tag)), "{algorithm}");
        }
    }
}

pub fn a_changed_digest_or_signature_does_not_verify(provider: &dyn Provider) {
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec) {
            let digest = digest_for(algorithm, 3);
            let signature = key.handle.sign(algorithm, &digest, &SeededEntropy::new(3)).unwrap();
            for position in [0, 1, digest.len() / 2, digest.len() - 1] {
                let mut changed = digest.clone();
                *changed.get_mut(position).unwrap() ^= 1;
                assert_eq!(key.handle.verify(algorithm, &changed, &signature), Ok(false), "{algorithm}");
            }
            for position in [0, signature.len() / 2, signature.len() - 1] {
                let mut changed = signature.clone();
                *changed.get_mut(position).unwrap() ^= 0x80;
                assert_eq!(key.handle.verify(algorithm, &digest, &changed), Ok(false), "{algorithm}");
            }
        }
    }
}

pub fn a_signature_of_another_key_does_not_verify(provider: &dyn Provider) {
    for spec in [Curve::P256, Curve::P384, Curve::P521, Curve::P256K].map(|curve| KeySpec::Ec { curve }) {
        let other = provider.generate(spec, &SeededEntropy::new(1)).unwrap();
        let other = provider.open(spec, &other.public, &other.material).unwrap();
        for key in ec_keys(provider).iter().filter(|key| key.spec == spec) {
            let algorithm = algorithms(spec)[0];
            let digest = digest_for(algorithm, 4);
            let signature = other.sign(algorithm, &digest, &SeededEntropy::new(4)).unwrap();
            assert_eq!(key.handle.verify(algorithm, &digest, &signature), Ok(false), "{algorithm}");
        }
    }
    let (one, two) = (oct_key(provider, 256, 1), oct_key(provider, 256, 2));
    let tag = one.handle.sign(A::Hs256, b"value", &SeededEntropy::new(4)).unwrap();
    assert_eq!(two.handle.verify(A::Hs256, b"value", &tag), Ok(false));
}

pub fn a_signature_of_the_wrong_length_is_not_a_signature(provider: &dyn Provider) {
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec) {
            let digest = digest_for(algorithm, 5);
            let signature = key.handle.sign(algorithm, &digest, &SeededEntropy::new(5)).unwrap();
            let longer = [signature.as_slice(), &[0]].concat();
            let padded = [&[0], signature.as_slice()].concat();
            let shorter = signature.get(..signature.len() - 1).unwrap();
            for wrong in [&[][..], &[0], shorter, &longer, &padded] {
                assert_eq!(key.handle.verify(algorithm, &digest, wrong), Ok(false), "{algorithm}");
            }
        }
    }
}

pub fn a_digest_of_the_wrong_length_is_refused(provider: &dyn Provider) {
    for key in all_keys(provider) {
        for algorithm in algorithms(key.spec) {
            let Some(expected) = algorithm.digest_length() else { continue };
            for actual in [0, 20, 32, 48, 64, 65, 1000].into_iter().filter(|actual| *actual != expected) {
                let due = Refusal::DigestLengthWrong { algorithm, expected, actual };
                let digest = bytes(actual, 6);
                assert_eq!(refusal(key.handle.sign(algorithm, &digest, &SeededEntropy::new(6))), due);
                assert_eq!(refusal(key.handle.verify(algorithm, &digest, &[0; 64])), due);
            }
        }
    }
}

pub fn an_algorithm_of_another_key_is_refused(provider: &dyn Provider) {
    for key in all_keys(provider) {
        let own = algorithms(key.spec);
        for algorithm in A::ALL.iter().filter(|algorithm| !own.contains(algorithm)).copied() {
            let due = Refusal::SignatureAlgorithmMismatch { algorithm, key: key.spec };
            let digest = digest_for(algorithm, 7);
            assert_eq!(refusal(key.handle.sign(algorithm, &digest, &SeededEntropy::new(7))), due);
            assert_eq!(refusal(key.handle.verify(algorithm, &digest, &[0; 64])), due);
        }
    }
}

fn rfc_6979() -> [(EcFixture, &'static str, &'static str); 3] {
    let p256 = EcFixture {
        curve: Curve::P256,
        d: "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        x: "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
        y: "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
    };
    let p384 = EcFixture {
        curve: Curve::P384,
        d: "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        x: "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
        y: "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
    };
    let p521 = EcFixture {
        curve: Curve::P521,
        d: "0FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1\
            466F6D8FBEC67DB89EC0C08B0E996B83538",
        x: "1894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD371123D46E45DB6B5D5370A7F20FB6331\
            55D38FFA16D2BD761DCAC474B9A2F5023A4",
        y: "0493101C962CD4D2FDDF782285E64584139C2F91B47F87FF82354D6630F746A28A0DB25741B5B34A828008B22ACC23F9\
            24FAAFBD4D33F81EA66956DFEAA2BFDFCF5",
    };
    [
        (
            p256,
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            p384,
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
            "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
        ),
        (
            p521,
            "0C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534\
             931D7D4E8455CC91F9B15BF05EC36E377FA",
            "0617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777\
             B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
        ),
    ]
}

type HmacVector = (Vec<u8>, &'static [u8], [&'static str; 3]);

/// RFC 4231, test cases 1 and 2.
fn rfc_4231() -> [HmacVector; 2] {
    [
        (
            vec![0x0b; 20],
            b"Hi There",
            [
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
                 daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ],
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?",
            [
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ],
        ),
    ]
}
