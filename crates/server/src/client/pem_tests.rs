//! Private keys made on the spot, in every form that an import may bring.

use super::*;
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use base64::engine::general_purpose::STANDARD;

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

#[test]
fn an_rsa_key_is_the_same_in_both_of_its_forms() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pkcs1 = PrivateKeyInfoRef::try_from(pkcs8.as_ref()).unwrap().private_key.as_bytes();
    let key = jwk(pem("PRIVATE KEY", pkcs8.as_ref()).as_bytes()).unwrap();
    assert_eq!(key, jwk(pem("RSA PRIVATE KEY", pkcs1).as_bytes()).unwrap());
    assert_eq!(key["kty"], "RSA");
    assert_eq!(bytes(&key, "n"), pair.public_key().modulus().big_endian_without_leading_zero());
    assert_eq!(key["e"], "AQAB");
    for (name, length) in [("n", 256), ("p", 128), ("q", 128)] {
        assert_eq!(bytes(&key, name).len(), length, "{name}");
    }
    assert!(["d", "dp", "dq", "qi"].iter().all(|name| !bytes(&key, name).is_empty()));
}

#[test]
fn a_key_on_a_curve_is_the_same_in_both_of_its_forms_and_keeps_its_leading_zeros() {
    for ((curve, algorithm), length) in CURVES.into_iter().zip([32, 48, 66, 32]) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
        let parameters = pem("EC PARAMETERS", b"ignored");
        let key = jwk(format!("{parameters}{}", pem("EC PRIVATE KEY", sec1.as_ref())).as_bytes()).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        assert_eq!(key, jwk(pem("PRIVATE KEY", pkcs8.as_ref()).as_bytes()).unwrap(), "{curve}");
        assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("EC"), Some(curve)));
        for name in ["x", "y", "d"] {
            assert_eq!(bytes(&key, name).len(), length, "{curve} {name}");
        }
        let point = [&[4][..], &bytes(&key, "x"), &bytes(&key, "y")].concat();
        assert_eq!(point, pair.public_key().as_ref(), "{curve}");
    }
}

#[test]
fn an_encrypted_key_is_refused_with_what_to_do_about_it() {
    let pkcs8 = pem("ENCRYPTED PRIVATE KEY", b"x");
    let traditional =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for text in [pkcs8.as_str(), traditional] {
        assert!(jwk(text.as_bytes()).unwrap_err().to_string().contains("openssl pkey"));
    }
}

#[test]
fn a_certificate_garbage_or_an_ed25519_key_is_refused() {
    let ed25519 = "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
    let ed25519 = pem("PRIVATE KEY", &hex::decode(ed25519).unwrap());
    for text in [pem("CERTIFICATE", b"x"), pem("PRIVATE KEY", b"x"), String::from("hello"), ed25519] {
        assert!(matches!(jwk(text.as_bytes()), Err(ClientError::Local(_))), "{text}");
    }
}
