//! The keys that the suite runs on, and ways to open them.

use super::SeededEntropy;
use crate::{Error, Generated, KeyHandle, Provider};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Curve, KeySpec, PrivateJwk, Refusal, Secret};

/// A test key and values another implementation made with it, as lines `name base64url`.
pub struct RsaFixture {
    pub bits: u32,
    text: &'static str,
}

/// One key of each supported size.
pub const RSA: [RsaFixture; 3] = [
    RsaFixture { bits: 2048, text: include_str!("keys/rsa-2048.txt") },
    RsaFixture { bits: 3072, text: include_str!("keys/rsa-3072.txt") },
    RsaFixture { bits: 4096, text: include_str!("keys/rsa-4096.txt") },
];

/// Its parts agree, but one of its primes is none.
pub const RSA_COMPOSITE: RsaFixture = RsaFixture { bits: 2048, text: include_str!("keys/rsa-composite.txt") };

impl RsaFixture {
    /// A part of the key or a value, such as `n` or `RS256`.
    #[must_use]
    pub fn value(&self, name: &str) -> Vec<u8> {
        let line = self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        URL_SAFE_NO_PAD.decode(line.unwrap_or_default()).unwrap()
    }

    /// The key with each part passed through `change`, which gets the part's name.
    pub fn jwk(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> PrivateJwk {
        let part = |name: &str| change(name, self.value(name));
        let secret = |name: &str| Secret::new(part(name));
        PrivateJwk::Rsa {
            n: part("n"),
            e: part("e"),
            d: secret("d"),
            p: secret("p"),
            q: secret("q"),
            dp: secret("dp"),
            dq: secret("dq"),
            qi: secret("qi"),
        }
    }
}

/// A private EC key; numbers as hexadecimal of any length.
pub struct EcFixture {
    pub curve: Curve,
    pub d: &'static str,
    pub x: &'static str,
    pub y: &'static str,
}

/// Keys whose scalar is short and whose `x` begins with a zero byte.
pub const EC_SHORT: [EcFixture; 4] = [
    EcFixture {
        curve: Curve::P256,
        d: "017b",
        x: "5543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a",
        y: "bb4c85a3d8ea29efaafa24406912dd84d5b14dc32bf656ef6c6bd58a5d943f92",
    },
    EcFixture {
        curve: Curve::P384,
        d: "c5",
        x: "4d104b26ee5671f72c10c986841d3e65d285e2516161b7baa341b12631b9e32b6f0d5896d8431c51d5d93a37cbc90e",
        y: "f11a1e3f8b7b90538ee42cc00ee934a6e2ee25541607d8fb65c7a8b11e2f886853886eef3865ec933200b9f25599f29f",
    },
    EcFixture {
        curve: Curve::P521,
        d: "02",
        x: "433c219024277e7e682fcb288148c282747403279b1ccc06352c6e5505d769be97b3b204da6ef55507aa104a3a35c5af\
            41cf2fa364d60fd967f43e3933ba6d783d",
        y: "f4bb8cc7f86db26700a7f3eceeeed3f0b5c6b5107c4da97740ab21a29906c42dbbb3e377de9f251f6b93937fa99a3248\
            f4eafcbe95edc0f4f71be356d661f41b02",
    },
    EcFixture {
        curve: Curve::P256K,
        d: "99",
        x: "e3ae1974566ca06cc516d47e0fb165a674a3dabcfca15e722f0e3450f45889",
        y: "2aeabe7e4531510116217f07bf4d07300de97e4874f81f533420a72eeb0bd6a4",
    },
];

impl EcFixture {
    #[must_use]
    pub fn jwk(&self) -> PrivateJwk {
        PrivateJwk::Ec { curve: self.curve, x: hex(self.x), y: hex(self.y), d: Secret::new(hex(self.d)) }
    }
}

/// Bytes of hexadecimal text; an odd number of digits gets a zero in front.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    digits.rchunks(2).rev().map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)).collect()
}

/// An opened key and what it is.
pub struct Key {
    pub spec: KeySpec,
    pub generated: Generated,
    pub handle: Box<dyn KeyHandle>,
}

/// Imports and opens.
pub fn import(provider: &dyn Provider, jwk: &PrivateJwk, spec: KeySpec) -> Key {
    let generated = provider.import(jwk).unwrap();
    let handle = provider.open(spec, &generated.public, &generated.material).unwrap();
    Key { spec, generated, handle }
}

/// One RSA key of every size.
pub fn rsa_keys(provider: &dyn Provider) -> Vec<Key> {
    let import = |key: &RsaFixture| import(provider, &key.jwk(|_, part| part), KeySpec::Rsa { bits: key.bits });
    RSA.iter().map(import).collect()
}

/// One EC key of every curve.
pub fn ec_keys(provider: &dyn Provider) -> Vec<Key> {
    let import = |key: &EcFixture| import(provider, &key.jwk(), KeySpec::Ec { curve: key.curve });
    EC_SHORT.iter().map(import).collect()
}

/// One oct key of every size of AES.
pub fn aes_keys(provider: &dyn Provider) -> Vec<Key> {
    [128, 192, 256].map(|bits| oct_key(provider, bits, bits.into())).into()
}

/// An oct key of any size, of bytes drawn from `seed`.
pub fn oct_key(provider: &dyn Provider, bits: u32, seed: u64) -> Key {
    let k = bytes(usize::try_from(bits / 8).unwrap(), seed);
    import(provider, &PrivateJwk::Oct { k: Secret::new(k) }, KeySpec::Oct { bits })
}

/// Every key above, and short and long ones for HMAC.
pub fn all_keys(provider: &dyn Provider) -> Vec<Key> {
    let mut keys = rsa_keys(provider);
    keys.extend(ec_keys(provider));
    keys.extend(aes_keys(provider));
    keys.extend([oct_key(provider, 8, 1), oct_key(provider, 512, 2)]);
    keys
}

/// Predictable bytes.
#[must_use]
pub fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    crate::Entropy::fill(&SeededEntropy::new(seed), &mut bytes);
    bytes
}

/// The refusal that an operation must have answered.
pub fn refusal<T>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        Err(Error::Fault(fault)) => unreachable!("a fault where a refusal was due: {fault}"),
        Ok(_) => unreachable!("a result where a refusal was due"),
    }
}
