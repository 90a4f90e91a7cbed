//! Keys of an external issuer, and tokens that it, or somebody who pretends to be it, signs with them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use custody::{KeyHandle, Provider as _, SoftwareProvider, SystemEntropy};
use domain::{Curve, KeySpec, PrivateJwk, PublicKey, Secret, SignatureAlgorithm};
use serde_json::{Value, json};

/// Keys that were made long ago: making one takes as long as many tests do.
const RSA: [&str; 3] = [
    include_str!("../../crates/custody/src/conformance/keys/rsa-2048.txt"),
    include_str!("../../crates/custody/src/conformance/keys/rsa-3072.txt"),
    include_str!("../../crates/custody/src/conformance/keys/rsa-4096.txt"),
];

/// A key that signs tokens.
pub struct TokenKey {
    pub id: String,
    pub algorithm: SignatureAlgorithm,
    public: PublicKey,
    handle: Box<dyn KeyHandle>,
}

impl TokenKey {
    /// One of the RSA keys that there are, by its number.
    ///
    /// # Panics
    /// If the key can't be read.
    #[must_use]
    pub fn rsa(id: &str, algorithm: SignatureAlgorithm, number: usize) -> Self {
        let text = RSA[number % RSA.len()];
        let part = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
            URL_SAFE_NO_PAD.decode(line).unwrap()
        };
        let secret = |name| Secret::new(part(name));
        let jwk = PrivateJwk::Rsa {
            n: part("n"),
            e: part("e"),
            d: secret("d"),
            p: secret("p"),
            q: secret("q"),
            dp: secret("dp"),
            dq: secret("dq"),
            qi: secret("qi"),
        };
        let made = SoftwareProvider.import(&jwk).unwrap();
        let handle = SoftwareProvider.open(jwk.spec(), &made.public, &made.material).unwrap();
        Self { id: id.to_owned(), algorithm, public: made.public, handle }
    }

    /// A new EC key.
    ///
    /// # Panics
    /// If none can be made.
    #[must_use]
    pub fn ec(id: &str, curve: Curve) -> Self {
        let spec = KeySpec::Ec { curve };
        let made = SoftwareProvider.generate(spec, &SystemEntropy).unwrap();
        let handle = SoftwareProvider.open(spec, &made.public, &made.material).unwrap();
        Self { id: id.to_owned(), algorithm: curve.algorithm(), public: made.public, handle }
    }

    /// The public part as it is published (RFC 7517, RFC 7518 §6).
    ///
    /// # Panics
    /// Never: these keys are RSA and EC.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.public {
            PublicKey::Rsa { n, e } => {
                json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e) })
            }
            PublicKey::Ec { curve, x, y } => {
                let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
                json!({ "kty": "EC", "crv": curve.as_str(), "x": x, "y": y })
            }
            PublicKey::Oct => panic!("a token key has a public part"),
        };
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.as_str());
        jwk
    }

    /// A token over these claims, with the header that belongs to the key.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "typ": "JWT", "alg": self.algorithm.as_str(), "kid": self.id }), claims)
    }

    /// A token with any header, signed by this key all the same.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_over(&header.to_string(), &claims.to_string())
    }

    /// A token of any two texts.
    ///
    /// # Panics
    /// If the key can't sign.
    #[must_use]
    pub fn token_over(&self, header: &str, claims: &str) -> String {
        let message = signing_input(header, claims);
        let hash = match self.algorithm.digest_length() {
            Some(32) => &digest::SHA256,
            Some(48) => &digest::SHA384,
            _ => &digest::SHA512,
        };
        let digest = digest::digest(hash, message.as_bytes());
        let signature = self.handle.sign(self.algorithm, digest.as_ref(), &SystemEntropy).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The modulus, or the point: what a confused verifier takes for an HMAC's secret.
    #[must_use]
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.public {
            PublicKey::Rsa { n, .. } => n.clone(),
            PublicKey::Ec { x, y, .. } => [x.as_slice(), y.as_slice()].concat(),
            PublicKey::Oct => Vec::new(),
        }
    }
}

/// A JWK set of these keys.
#[must_use]
pub fn key_set(keys: &[&TokenKey]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string()
}

/// A token whose signature is an HMAC.
#[must_use]
pub fn hmac_token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = signing_input(&header.to_string(), &claims.to_string());
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes())))
}

/// A token without a signature.
#[must_use]
pub fn unsigned_token(header: &Value, claims: &Value) -> String {
    format!("{}.", signing_input(&header.to_string(), &claims.to_string()))
}

fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
