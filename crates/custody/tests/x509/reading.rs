//! Certificates of others: read as OpenSSL reads them, and refused if they are none.

use super::{fixture, keys, texts};
use custody::x509::{Certificate, check_properties};
use domain::{AlternativeNames, KeyUsage, PublicKey, Refusal, UnixTime, X509Properties};

/// A line of what OpenSSL says of a certificate.
fn said<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap()
}

#[test]
fn certificates_are_read_as_openssl_reads_them() {
    let fixtures: [(&[u8], &str, &str, &str, u32); 4] = [
        (
            fixture!("root.der"),
            include_str!("../certificates/root.txt"),
            "CN=Contoso Root, O=Contoso, C=US",
            "CN=Contoso Root, O=Contoso, C=US",
            240,
        ),
        (
            fixture!("issuing.der"),
            include_str!("../certificates/issuing.txt"),
            "CN=Contoso Issuing, O=Contoso, C=US",
            "CN=Contoso Root, O=Contoso, C=US",
            120,
        ),
        (
            fixture!("rsa.der"),
            include_str!("../certificates/rsa.txt"),
            "CN=www.contoso.com, O=\"Contoso, Ltd\", L=Redmond, S=WA, C=US",
            "CN=Contoso Issuing, O=Contoso, C=US",
            12,
        ),
        (
            fixture!("prime256v1.der"),
            include_str!("../certificates/prime256v1.txt"),
            "CN=prime256v1.contoso.com",
            "CN=Contoso Issuing, O=Contoso, C=US",
            3,
        ),
    ];
    for (der, expected, subject, issuer, months) in fixtures {
        let read = Certificate::read(der).unwrap();
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), (subject, issuer));
        assert_eq!(hex::encode_upper(&read.serial), said(expected, "serial"));
        let fingerprint = hex::encode_upper(read.thumbprint);
        assert_eq!(fingerprint, said(expected, "sha1 Fingerprint").replace(':', ""));
        let time = |name| UnixTime::parse(&said(expected, name).replace(' ', "T")).unwrap();
        assert_eq!((read.not_before, read.not_after), (time("notBefore"), time("notAfter")));
        assert_eq!(read.properties().validity_months, months);
    }
}

#[test]
fn the_policy_of_a_certificate_is_read_from_it() {
    let read = Certificate::read(fixture!("rsa.der")).unwrap();
    let expected = X509Properties {
        subject: read.subject.clone(),
        names: AlternativeNames {
            emails: texts(&["admin@contoso.com"]),
            dns_names: texts(&["www.contoso.com", "*.contoso.com"]),
            upns: texts(&["user@contoso.com"]),
            uris: texts(&["https://contoso.com/a"]),
            ip_addresses: texts(&["10.0.0.1", "2001:db8::1"]),
        },
        ekus: texts(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.10.3.4"]),
        key_usage: vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment, KeyUsage::DecipherOnly],
        validity_months: 12,
        is_authority: false,
    };
    assert_eq!(read.properties(), expected);
    assert_eq!(check_properties(&read.properties()), Ok(()));
    assert!(!read.is_authority);
    assert!(matches!(read.public_key(), Ok(PublicKey::Rsa { n, e }) if n.len() == 256 && e == [1, 0, 1]));
    let root = Certificate::read(fixture!("root.der")).unwrap();
    assert!(root.is_authority);
    assert_eq!(root.properties().key_usage, [KeyUsage::KeyCertSign, KeyUsage::CrlSign]);
    let bare = Certificate::read(fixture!("prime256v1.der")).unwrap().properties();
    assert!(bare.key_usage.is_empty() && bare.ekus.is_empty() && bare.names == AlternativeNames::default());
}

#[test]
fn a_certificate_with_a_key_of_another_kind_is_read_but_not_its_key() {
    let read = Certificate::read(fixture!("ed25519.der")).unwrap();
    assert_eq!(read.subject, "CN=ed25519.contoso.com");
    assert!(matches!(read.public_key(), Err(Refusal::CertificateInvalid { .. })));
    assert_eq!(read.is_signed_by(&read), None);
    assert!(!read.has_key(&keys()[0].generated.public));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let der: &[u8] = fixture!("rsa.der");
    let malformed = |bytes: &[u8]| matches!(Certificate::read(bytes).err(), Some(Refusal::CertificateInvalid { .. }));
    for at in 0..der.len() {
        assert!(malformed(&der[..at]), "cut at {at}");
    }
    assert!(malformed(&[der, b"\0"].concat()));
    assert!(malformed(fixture!("greedy.csr")));
    assert!(malformed(fixture!("modern-rsa.pfx")));
    assert!(malformed(&vec![0x30; 100_000]), "a sequence in a sequence in a sequence …");
    assert!(malformed(&[&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], der].concat()), "a length beyond the end");
    let large = vec![0; custody::x509::LARGEST + 1];
    assert_eq!(
        Certificate::read(&large).err(),
        Some(Refusal::CertificateInvalid { reason: "it is larger than 1 MiB" })
    );
}
