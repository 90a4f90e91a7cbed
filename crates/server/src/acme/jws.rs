//! How requests to an ACME server are signed (RFC 8555 §6.2): JSON Web Signatures in their flattened form.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use domain::PublicKey;
use engine::SystemKey;
use serde_json::{Value, json};

/// Who signs.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    /// A key, which shows itself: as long as the server has not told the address of its account.
    Key(&'a SystemKey),
    /// The key of an account, by the account's address.
    Account(&'a SystemKey, &'a str),
}

/// The body of a request to `url`. Without a payload it asks for what is there (RFC 8555 §6.3).
///
/// # Errors
/// [`engine::Error::Custody`].
pub fn request(signer: Signer<'_>, nonce: &str, url: &str, payload: Option<&Value>) -> Result<String, engine::Error> {
    let (key, header) = match signer {
        Signer::Key(key) => (key, json!({ "alg": "ES256", "nonce": nonce, "url": url, "jwk": jwk(&key.public) })),
        Signer::Account(key, account) => (key, json!({ "alg": "ES256", "nonce": nonce, "url": url, "kid": account })),
    };
    let (header, payload) = encoded(&header, payload);
    let signature = key.sign(format!("{header}.{payload}").as_bytes())?;
    Ok(flattened(&header, &payload, &signature).to_string())
}

/// That a key is to be the account's of an external account (RFC 8555 §7.3.4).
pub fn binding(key_id: &str, mac: &hmac::Key, url: &str, public: &PublicKey) -> Value {
    let header = json!({ "alg": "HS256", "kid": key_id, "url": url });
    let (header, payload) = encoded(&header, Some(&jwk(public)));
    let signature = hmac::sign(mac, format!("{header}.{payload}").as_bytes());
    flattened(&header, &payload, signature.as_ref())
}

/// A key's thumbprint (RFC 7638).
pub fn thumbprint(public: &PublicKey) -> String {
    // Required members only, in the order of their names: as `serde_json` writes them.
    BASE64URL.encode(engine::sha256(jwk(public).to_string().as_bytes()))
}

fn encoded(header: &Value, payload: Option<&Value>) -> (String, String) {
    let payload = payload.map(|payload| BASE64URL.encode(payload.to_string())).unwrap_or_default();
    (BASE64URL.encode(header.to_string()), payload)
}

fn flattened(header: &str, payload: &str, signature: &[u8]) -> Value {
    json!({ "protected": header, "payload": payload, "signature": BASE64URL.encode(signature) })
}

/// The key as others see it (RFC 7518 §6.2.1). Keys of the installation are on P-256.
fn jwk(public: &PublicKey) -> Value {
    match public {
        PublicKey::Ec { curve, x, y } => {
            json!({ "crv": curve.as_str(), "kty": "EC", "x": BASE64URL.encode(x), "y": BASE64URL.encode(y) })
        }
        PublicKey::Rsa { .. } | PublicKey::Oct => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Curve;

    /// The key of RFC 7517 appendix A.1.
    fn public() -> PublicKey {
        let part = |text: &str| BASE64URL.decode(text).unwrap();
        PublicKey::Ec {
            curve: Curve::P256,
            x: part("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"),
            y: part("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"),
        }
    }

    #[test]
    fn a_thumbprint_is_taken_of_the_required_members_in_order() {
        assert_eq!(
            jwk(&public()).to_string(),
            "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\
             \"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}"
        );
        assert_eq!(thumbprint(&public()), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    }

    #[test]
    fn a_binding_is_of_the_key_at_the_address_by_the_external_account() {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let bound = binding("external", &mac, "https://acme.example/new-account", &public());
        let part = |name: &str| bound[name].as_str().unwrap().to_owned();
        let read = |name| serde_json::from_slice::<Value>(&BASE64URL.decode(part(name)).unwrap()).unwrap();
        let expected = json!({ "alg": "HS256", "kid": "external", "url": "https://acme.example/new-account" });
        assert_eq!((read("protected"), read("payload")), (expected, jwk(&public())));
        let signed = format!("{}.{}", part("protected"), part("payload"));
        hmac::verify(&mac, signed.as_bytes(), &BASE64URL.decode(part("signature")).unwrap()).unwrap();
    }
}
