//! Reading signed requests (RFC 8555 §6.2): who signed them, and that the signature holds.

use aws_lc_rs::{hmac, signature};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

/// A signed request, taken apart.
pub struct Signed {
    pub header: Value,
    /// `None` if it is empty: a request for what is there.
    pub payload: Option<Value>,
    message: String,
    signature: Vec<u8>,
}

impl Signed {
    /// What is wrong with it otherwise.
    pub fn read(body: &[u8]) -> Result<Self, &'static str> {
        let document: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
        Self::of(&document)
    }

    pub fn of(document: &Value) -> Result<Self, &'static str> {
        let members = document.as_object().ok_or("the body is no JWS")?;
        let part = |name: &str| members.get(name).and_then(Value::as_str).ok_or("a part of the JWS is missing");
        let (protected, payload) = (part("protected")?, part("payload")?);
        let bytes = |text: &str| BASE64URL.decode(text).map_err(|_| "a part of the JWS is not base64url");
        let json = |text: &str| serde_json::from_slice(&bytes(text)?).map_err(|_| "a part of the JWS is not JSON");
        Ok(Self {
            header: json(protected)?,
            payload: if payload.is_empty() { None } else { Some(json(payload)?) },
            message: format!("{protected}.{payload}"),
            signature: bytes(part("signature")?)?,
        })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Whether this key signed it, by the algorithm that the header names.
    pub fn is_of(&self, jwk: &Value) -> bool {
        let part = |name: &str| jwk.get(name).and_then(Value::as_str).and_then(|text| BASE64URL.decode(text).ok());
        let (message, signature) = (self.message.as_bytes(), self.signature.as_slice());
        match (self.text("alg"), jwk.get("kty").and_then(Value::as_str)) {
            (Some("ES256"), Some("EC")) => part("x").zip(part("y")).is_some_and(|(x, y)| {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
                x.len() == 32 && key.verify(message, signature).is_ok()
            }),
            (Some("RS256"), Some("RSA")) => part("n").zip(part("e")).is_some_and(|(n, e)| {
                let key = signature::RsaPublicKeyComponents { n, e };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }),
            _ => false,
        }
    }

    /// Whether it is an external account's word that this key is its own (RFC 8555 §7.3.4).
    pub fn binds(&self, jwk: &Value, mac: &[u8], url: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, mac);
        let is_meant = self.text("alg") == Some("HS256") && self.text("url") == Some(url);
        let holds = hmac::verify(&key, self.message.as_bytes(), &self.signature).is_ok();
        is_meant && holds && self.header.get("nonce").is_none() && self.payload.as_ref() == Some(jwk)
    }
}

/// A key's thumbprint (RFC 7638).
pub fn thumbprint(jwk: &Value) -> String {
    let required = match jwk["kty"].as_str() {
        Some("RSA") => json!({ "e": jwk["e"], "kty": "RSA", "n": jwk["n"] }),
        _ => json!({ "crv": jwk["crv"], "kty": "EC", "x": jwk["x"], "y": jwk["y"] }),
    };
    BASE64URL.encode(custody::sha256(required.to_string().as_bytes()))
}
