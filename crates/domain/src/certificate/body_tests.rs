//! What is stored of a version reads back.

use super::*;
use crate::{KeySpec, PublicKey, certificate::testkit::reread, key_operations};

fn body(issued: Option<IssuedCertificate>) -> CertificateBody {
    let usage = [crate::KeyUsage::DigitalSignature];
    let key = KeyBody {
        spec: KeySpec::DEFAULT_RSA,
        hsm: false,
        key_ops: key_operations(&usage, crate::KeyType::Rsa),
        public: PublicKey::Rsa { n: vec![0xc5; 256], e: vec![1, 0, 1] },
    };
    CertificateBody { key, exportable: true, content: CertificateContent::Pkcs12, preserve_order: false, issued }
}

fn issued(chain: Vec<Vec<u8>>) -> IssuedCertificate {
    let thumbprint = std::array::from_fn(|index| u8::try_from(index).unwrap());
    IssuedCertificate { der: vec![0x30, 0x82, 0xff], chain, thumbprint, subject: "CN=contoso.com".to_owned() }
}

#[test]
fn pending_or_issued_a_version_reads_back_as_stored() {
    for issued in [None, Some(issued(Vec::new())), Some(issued(vec![vec![0x30; 700], Vec::new(), vec![0xfb, 0xef]]))] {
        let body = body(issued);
        assert_eq!(reread(&body), body);
    }
}

#[test]
fn bytes_are_stored_as_text() {
    let stored = serde_json::to_value(issued(vec![vec![0xfb, 0xef]])).unwrap();
    assert_eq!(stored["der"], "MIL_");
    assert_eq!(stored["chain"], serde_json::json!(["--8"]));
    assert_eq!(stored["thumbprint"], "AAECAwQFBgcICQoLDA0ODxAREhM");
}

#[test]
fn a_thumbprint_of_another_length_is_no_thumbprint() {
    let mut stored = serde_json::to_value(issued(Vec::new())).unwrap();
    for wrong in ["", "AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMU", "not base64url!"] {
        stored["thumbprint"] = wrong.into();
        assert!(serde_json::from_value::<IssuedCertificate>(stored.clone()).is_err(), "{wrong}");
    }
}
