//! Certificates and requests: made and read back, judged by a verifier that is not ours, and compared with OpenSSL's.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use custody::{
    Error, Fault, SoftwareProvider,
    conformance::{
        SeededEntropy,
        keys::{Key, ec_keys, refusal, rsa_keys},
    },
    x509::{
        Certificate, Order, Signer, Validity, arrange, authority, certification_request, check_changes,
        check_properties, issue, requested, self_signed,
    },
};
use domain::{AlternativeNames, Curve, KeySpec, KeyUsage, PublicKey, Refusal, UnixTime, X509Properties};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use std::{sync::Arc, time::Duration};

/// 2026-01-01, and 90 days later.
const VALIDITY: Validity = Validity { not_before: UnixTime(1_767_225_600), not_after: UnixTime(1_775_001_600) };
const DECADE: Validity = Validity { not_before: UnixTime(1_735_689_600), not_after: UnixTime(2_051_222_400) };

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("certificates/", $name))
    };
}

fn entropy() -> SeededEntropy {
    SeededEntropy::new(40)
}

/// RSA-2048 and -3072, and one key on each curve.
fn keys() -> Vec<Key> {
    let mut keys = rsa_keys(&SoftwareProvider);
    keys.truncate(2);
    keys.extend(ec_keys(&SoftwareProvider));
    keys
}

fn signer(key: &Key) -> Signer<'_> {
    Signer { key: &*key.handle, public: &key.generated.public }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn properties() -> X509Properties {
    X509Properties {
        subject: "CN=www.contoso.com, O=\"Contoso, Ltd\", C=US".to_owned(),
        names: AlternativeNames {
            emails: texts(&["admin@contoso.com"]),
            dns_names: texts(&["www.contoso.com", "*.contoso.net"]),
            upns: texts(&["grüße@contoso.com"]),
            uris: texts(&["https://contoso.com/a?b=c"]),
            ip_addresses: texts(&["10.0.0.1", "2001:db8::1"]),
        },
        ekus: texts(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.10.3.4"]),
        key_usage: vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment, KeyUsage::DecipherOnly],
        validity_months: 3,
        is_authority: false,
    }
}

fn with_subject(subject: &str) -> X509Properties {
    X509Properties { subject: subject.to_owned(), ..properties() }
}

fn without_names(subject: &str) -> X509Properties {
    X509Properties { names: AlternativeNames::default(), ..with_subject(subject) }
}

fn of_authority(key: &Key, subject: &str) -> Vec<u8> {
    authority(subject, DECADE, signer(key), &entropy()).unwrap()
}

fn request(key: &Key, properties: &X509Properties) -> Vec<u8> {
    certification_request(properties, signer(key), &entropy()).unwrap()
}

fn invalid<T>(result: Result<T, Error>) -> &'static str {
    match refusal(result) {
        Refusal::CertificateInvalid { reason } => reason,
        other => unreachable!("another refusal: {other}"),
    }
}

/// The parameter that was refused.
fn refused(properties: &X509Properties) -> Option<&'static str> {
    match check_properties(properties) {
        Err(Refusal::ParameterInvalid { parameter, .. }) => Some(parameter),
        Err(other) => unreachable!("another refusal: {other}"),
        Ok(()) => None,
    }
}

/// How a subject comes back from a certificate, and its encoding.
fn written(subject: &str) -> (String, Vec<u8>) {
    let key = &ec_keys(&SoftwareProvider)[0];
    let der = self_signed(&with_subject(subject), VALIDITY, signer(key), &entropy()).unwrap();
    (Certificate::read(&der).unwrap().subject, der)
}

#[test]
fn subjects_are_read_as_people_write_them() {
    for (subject, normal) in [
        ("CN=contoso.com", "CN=contoso.com"),
        ("cn=contoso.com,o=Contoso", "CN=contoso.com, O=Contoso"),
        ("  CN = contoso.com ;  O = Contoso  Group ", "CN=contoso.com, O=Contoso  Group"),
        ("CN=a, OU=b, O=c, L=Redmond, ST=WA, C=US", "CN=a, OU=b, O=c, L=Redmond, S=WA, C=US"),
        ("C=US, S=WA, CN=a", "C=US, S=WA, CN=a"),
        ("emailAddress=a@b.c, CN=x", "E=a@b.c, CN=x"),
        ("E=a@b.c,CN=x", "E=a@b.c, CN=x"),
        ("CN=x, DC=contoso, DC=com", "CN=x, DC=contoso, DC=com"),
        ("serialNumber=12-34, CN=x", "SERIALNUMBER=12-34, CN=x"),
        ("2.5.4.3=x", "CN=x"),
        ("OID.2.5.4.97=VATDE-1, CN=x", "OID.2.5.4.97=VATDE-1, CN=x"),
        ("oid.1.2.840.113549.1.9.2=n", "OID.1.2.840.113549.1.9.2=n"),
        (r#"O="Contoso, Ltd""#, r#"O="Contoso, Ltd""#),
        (r#"O="a ""b"" c""#, r#"O="a ""b"" c""#),
        (r"O=Contoso\, Ltd", r#"O="Contoso, Ltd""#),
        (r"O=Contoso\2C Ltd", r#"O="Contoso, Ltd""#),
        (r"O=\C3\BCber", "O=über"),
        (r"CN=a\\b", r#"CN="a\\b""#),
        (r"CN=\ a\ ", "CN=\" a \""),
        ("CN=\"a \"", "CN=\"a \""),
        ("CN=#0C0161", "CN=a"),
        ("CN=#1E020061", "CN=a"),
        ("CN=#020101", "CN=#020101"),
        ("CN=a=b", "CN=\"a=b\""),
        ("CN=über, O=日本", "CN=über, O=日本"),
        ("CN=a+OU=b, O=c", "CN=a + OU=b, O=c"),
    ] {
        let (read, _) = written(subject);
        assert_eq!(read, normal, "{subject}");
        assert_eq!(written(&read).0, normal, "what is written reads the same");
    }
}

#[test]
fn the_innermost_part_of_a_subject_is_written_first_and_encoded_last() {
    let (_, der) = written("CN=leaf, O=group, C=US");
    let at = |text: &[u8]| der.windows(text.len()).position(|window| window == text).unwrap();
    assert!(at(b"US") < at(b"group") && at(b"group") < at(b"leaf"));
    // PrintableString for all that it can write, UTF8String for the others.
    at(b"\x06\x03\x55\x04\x06\x13\x02US");
    at(b"\x06\x03\x55\x04\x03\x13\x04leaf");
    for (subject, value) in [
        ("CN=a.b-c (d)", b"\x06\x03\x55\x04\x03\x13\x09a.b-c (d)".as_slice()),
        ("CN=*.a", b"\x06\x03\x55\x04\x03\x0c\x03*.a"),
        ("O=\u{fc}", b"\x06\x03\x55\x04\x0a\x0c\x02\xc3\xbc"),
    ] {
        let (_, der) = written(subject);
        assert!(der.windows(value.len()).any(|window| window == value), "{subject}");
    }
}

#[test]
fn subjects_that_are_none_are_refused() {
    for subject in [
        "contoso.com",
        "CN",
        "CN=",
        "CN=a,",
        "CN=a,,O=b",
        ",CN=a",
        "XY=a",
        "=a",
        "1.2.a=b",
        "9.9=a",
        "/CN=a/O=b",
        "CN=\"a",
        "CN=\"a\"b",
        "CN=a\"b",
        "CN=a\\",
        "CN=\\ff",
        "CN=#",
        "CN=#0",
        "CN=#0c05aa",
        "CN=#zz",
        "CN=a\0",
        "CN=a\nb",
        "CN=\\0Aa",
        "C=USA",
        "C=#0C03555341",
        "C=1",
        "C=ü",
        "E=ü@b.c",
        "serialNumber=a_b",
        "CN=a+",
        "CN=a+b",
    ] {
        assert_eq!(refused(&with_subject(subject)), Some("subject"), "{subject}");
    }
    assert_eq!(refused(&with_subject(&format!("CN={}", "é".repeat(64)))), None);
    assert_eq!(refused(&with_subject(&format!("CN={}", "é".repeat(65)))), Some("subject"), "ub-common-name");
    assert_eq!(refused(&with_subject(&vec!["CN=a"; 64].join(","))), None);
    assert_eq!(refused(&with_subject(&vec!["CN=a"; 65].join(","))), Some("subject"));
    assert_eq!(refused(&without_names("")), Some("subject"), "neither subject nor names");
}

#[test]
fn alternative_names_and_usages_that_are_none_are_refused() {
    type Member = fn(&mut X509Properties) -> &mut Vec<String>;
    let members: [(&str, Member, &[&str], &[&str]); 6] = [
        (
            "dns_names",
            |properties| &mut properties.names.dns_names,
            &["localhost", "*.a.b", "xn--bcher-kva.example", "_dmarc.a", "1.2.3.4.in-addr.arpa"],
            &["", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "*", "a.*.b", "*a.b", "ü.de", "a b", "a,b", "a\0.b"],
        ),
        (
            "emails",
            |properties| &mut properties.names.emails,
            &["a@b", "first.last+tag@contoso.com"],
            &["", "a", "@b", "a@", "a@b@c", "a b@c", "ü@b.c", "a@b..c"],
        ),
        (
            "upns",
            |properties| &mut properties.names.upns,
            &["a@b", "ü@contoso"],
            &["", "a", "@b", "a@", "a b@c", "a\n@b"],
        ),
        (
            "uris",
            |properties| &mut properties.names.uris,
            &["https://a/b", "urn:uuid:1", "spiffe://a/b"],
            &["", "a", "/a", ":a", "1a:b", "https:", "https://a b", "https://ü"],
        ),
        (
            "ipAddresses",
            |properties| &mut properties.names.ip_addresses,
            &["1.2.3.4", "::1"],
            &["", "1.2.3", "1.2.3.4/8", "a", "[::1]"],
        ),
        (
            "ekus",
            |properties| &mut properties.ekus,
            &["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"],
            &["", "a", "1", "1.", ".1", "1..2", "3.1", "1.40", "serverAuth", "1.2.x"],
        ),
    ];
    for (name, member, good, bad) in members {
        for value in good {
            let mut properties = properties();
            *member(&mut properties) = texts(&[value]);
            assert_eq!(refused(&properties), None, "{name} {value}");
        }
        for value in bad {
            let mut properties = properties();
            member(&mut properties).push((*value).to_owned());
            assert_eq!(refused(&properties), Some(name), "{name} {value}");
        }
    }
    let long = format!("{}.{}", "a".repeat(63), "b".repeat(63));
    let with = |name: String| X509Properties {
        names: AlternativeNames { dns_names: vec![name], ..AlternativeNames::default() },
        ..properties()
    };
    assert_eq!(refused(&with(format!("{long}.{long}"))), Some("dns_names"), "255 characters");
    assert_eq!(refused(&with(long)), None);
    assert_eq!(refused(&with("a".repeat(64))), Some("dns_names"));
}

/// A line of what OpenSSL says of a certificate.
fn said<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap()
}

#[test]
fn certificates_are_read_as_openssl_reads_them() {
    let fixtures: [(&[u8], &str, &str, &str, u32); 4] = [
        (
            fixture!("root.der"),
            include_str!("certificates/root.txt"),
            "CN=Contoso Root, O=Contoso, C=US",
            "CN=Contoso Root, O=Contoso, C=US",
            240,
        ),
        (
            fixture!("issuing.der"),
            include_str!("certificates/issuing.txt"),
            "CN=Contoso Issuing, O=Contoso, C=US",
            "CN=Contoso Root, O=Contoso, C=US",
            120,
        ),
        (
            fixture!("rsa.der"),
            include_str!("certificates/rsa.txt"),
            "CN=www.contoso.com, O=\"Contoso, Ltd\", L=Redmond, S=WA, C=US",
            "CN=Contoso Issuing, O=Contoso, C=US",
            12,
        ),
        (
            fixture!("prime256v1.der"),
            include_str!("certificates/prime256v1.txt"),
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
fn self_signed_certificates_have_what_their_policy_says() {
    for key in keys() {
        let der = self_signed(&properties(), VALIDITY, signer(&key), &entropy()).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!(read.properties(), properties());
        assert_eq!((read.not_before, read.not_after), (VALIDITY.not_before, VALIDITY.not_after));
        assert_eq!(read.issuer, read.subject);
        assert_eq!(read.public_key().as_ref(), Ok(&key.generated.public));
        assert!(read.has_key(&key.generated.public) && !read.is_authority);
        assert_eq!(read.is_signed_by(&read), Some(true), "{:?}", key.spec);
        assert_eq!(read.serial.len(), 16);
        assert!((0x40..0x80).contains(&read.serial[0]), "positive");
    }
}

#[test]
fn what_signs_itself_is_no_authority_whatever_its_usages() {
    let key = &ec_keys(&SoftwareProvider)[0];
    for key_usage in [vec![], vec![KeyUsage::DigitalSignature, KeyUsage::KeyCertSign, KeyUsage::CrlSign]] {
        let properties = X509Properties { key_usage: key_usage.clone(), ..properties() };
        let der = self_signed(&properties, VALIDITY, signer(key), &entropy()).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!((read.is_authority, read.properties().key_usage), (false, key_usage));
    }
}

/// RFC 5280 §4.2.1.6: the extension is critical if, and only if, there is no subject.
#[test]
fn alternative_names_are_critical_without_a_subject() {
    const NOT_CRITICAL: &[u8] = b"\x06\x03\x55\x1d\x11\x04";
    const CRITICAL: &[u8] = b"\x06\x03\x55\x1d\x11\x01\x01\xff\x04";
    let has = |der: &[u8], part: &[u8]| der.windows(part.len()).any(|window| window == part);
    let (_, named) = written("CN=a");
    assert!(has(&named, NOT_CRITICAL) && !has(&named, CRITICAL));
    let key = &ec_keys(&SoftwareProvider)[0];
    let root = of_authority(key, "CN=root");
    let unnamed = issue(&request(key, &with_subject("")), &root, &*key.handle, VALIDITY, &entropy()).unwrap();
    assert!(Certificate::read(&unnamed).unwrap().subject.is_empty() && has(&unnamed, CRITICAL));
}

/// RFC 5280 §4.1.2.4: an issuer has a name.
#[test]
fn what_signs_itself_without_a_subject_is_called_by_an_alternative_name() {
    let key = &ec_keys(&SoftwareProvider)[0];
    let signed = |names| {
        let properties = X509Properties { names, ..with_subject("") };
        let der = self_signed(&properties, VALIDITY, signer(key), &entropy())?;
        let read = Certificate::read(&der)?;
        assert_eq!((&read.issuer, &read.properties().names), (&read.subject, &properties.names));
        Ok::<_, Error>(read.subject)
    };
    let none = AlternativeNames::default();
    assert_eq!(signed(properties().names).unwrap(), "CN=www.contoso.com");
    assert_eq!(
        signed(AlternativeNames { upns: texts(&["a+b@contoso.com"]), ..none.clone() }).unwrap(),
        "CN=\"a+b@contoso.com\""
    );
    let long = format!("{}.contoso.com", "a".repeat(60));
    let dns_names = texts(&[&long]);
    let other = AlternativeNames { dns_names, ip_addresses: texts(&["10.0.0.1"]), ..none };
    assert_eq!(signed(other.clone()).unwrap(), "CN=10.0.0.1");
    let refusal = refusal(signed(AlternativeNames { ip_addresses: Vec::new(), ..other }));
    assert!(matches!(refusal, Refusal::ParameterInvalid { parameter: "subject", .. }));
}

#[test]
fn only_what_is_changed_is_to_be_encodable() {
    let odd = X509Properties {
        subject: "no name".to_owned(),
        names: AlternativeNames { dns_names: texts(&["no name"]), ..AlternativeNames::default() },
        ekus: texts(&["no identifier"]),
        ..properties()
    };
    assert_eq!(check_changes(&odd, &X509Properties { validity_months: 7, ..odd.clone() }), Ok(()));
    for (changed, wrong) in [
        (X509Properties { subject: "none either".to_owned(), ..odd.clone() }, "subject"),
        (X509Properties { ekus: texts(&["none either"]), ..odd.clone() }, "ekus"),
        (
            X509Properties {
                names: AlternativeNames { emails: texts(&["ä@b"]), ..AlternativeNames::default() },
                ..odd.clone()
            },
            "emails",
        ),
    ] {
        let refusal = check_changes(&odd, &changed).unwrap_err();
        assert!(matches!(refusal, Refusal::ParameterInvalid { parameter, .. } if parameter == wrong), "{wrong}");
    }
}

#[test]
fn times_are_written_in_every_year_there_is() {
    // The end of 2049 is the last that is written with two digits for the year; the end of 9999 the last there is.
    const END_OF_2049: i64 = 2_524_607_999;
    const END_OF_9999: i64 = 253_402_300_799;
    let key = &ec_keys(&SoftwareProvider)[0];
    for (from, to) in [(0, END_OF_2049), (END_OF_2049, END_OF_2049 + 1), (1_772_282_201, END_OF_9999)] {
        let validity = Validity { not_before: UnixTime(from), not_after: UnixTime(to) };
        let der = self_signed(&properties(), validity, signer(key), &entropy()).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!((read.not_before, read.not_after), (validity.not_before, validity.not_after));
    }
    for (from, to) in [(2, 1), (-1, 1), (1, i64::MAX), (0, END_OF_9999 + 1)] {
        let validity = Validity { not_before: UnixTime(from), not_after: UnixTime(to) };
        let refused = refusal(self_signed(&properties(), validity, signer(key), &entropy()));
        assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "validity_months", .. }));
    }
}

#[test]
fn every_month_of_validity_that_has_begun_counts() {
    let key = &ec_keys(&SoftwareProvider)[0];
    for (days, months) in
        [(0, 1), (1, 1), (31, 1), (32, 2), (59, 2), (60, 3), (365, 12), (366, 13), (398, 14), (730, 24)]
    {
        let not_after = VALIDITY.not_before.plus_days(days);
        let der = self_signed(&properties(), Validity { not_after, ..VALIDITY }, signer(key), &entropy()).unwrap();
        assert_eq!(Certificate::read(&der).unwrap().properties().validity_months, months, "{days} days");
    }
}

#[test]
fn nothing_is_signed_with_the_key_of_another() {
    for pair in keys().chunks(2) {
        let [one, other] = pair else { unreachable!("an even number of keys") };
        let mixed = Signer { key: &*one.handle, public: &other.generated.public };
        assert!(self_signed(&properties(), VALIDITY, mixed, &entropy()).is_err());
    }
    let key = &ec_keys(&SoftwareProvider)[0];
    let other = custody::Provider::generate(&SoftwareProvider, key.spec, &entropy()).unwrap();
    let mixed = Signer { key: &*key.handle, public: &other.public };
    let failed = certification_request(&properties(), mixed, &entropy());
    assert!(matches!(failed, Err(Error::Fault(Fault::MaterialInvalid(_)))));
    let oct = Signer { key: &*key.handle, public: &PublicKey::Oct };
    assert!(matches!(self_signed(&properties(), VALIDITY, oct, &entropy()), Err(Error::Fault(_))));
}

/// Whether webpki takes a server's certificate of this chain for the name.
fn accepts(leaf: &[u8], root: &[u8], name: &str, time: UnixTime) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let time = rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(time.0.unsigned_abs()));
    let name = ServerName::try_from(name).unwrap();
    verifier.verify_server_cert(&CertificateDer::from(leaf), &[], &name, &[], time).map(|_| ())
}

/// Whether webpki has the algorithm: not P-256K.
fn is_known_to_browsers(key: &Key) -> bool {
    key.spec != KeySpec::Ec { curve: Curve::P256K }
}

#[test]
fn chains_of_every_pair_of_keys_hold() {
    for root in keys() {
        let authority = of_authority(&root, "CN=Strongroom Root, O=Contoso");
        let issuer = Certificate::read(&authority).unwrap();
        assert!(issuer.is_authority && issuer.is_signed_by(&issuer) == Some(true));
        for key in keys() {
            let der = issue(&request(&key, &properties()), &authority, &*root.handle, VALIDITY, &entropy()).unwrap();
            let leaf = Certificate::read(&der).unwrap();
            assert_eq!(leaf.properties(), properties());
            assert_eq!((leaf.issuer.as_str(), leaf.is_authority), ("CN=Strongroom Root, O=Contoso", false));
            assert_eq!(leaf.is_signed_by(&issuer), Some(true), "{:?} by {:?}", key.spec, root.spec);
            assert!(leaf.has_key(&key.generated.public));
            if is_known_to_browsers(&root) && is_known_to_browsers(&key) {
                let time = UnixTime(VALIDITY.not_before.0 + 1);
                assert_eq!(accepts(&der, &authority, "www.contoso.com", time), Ok(()));
                assert_eq!(accepts(&der, &authority, "any.contoso.net", time), Ok(()));
                assert!(accepts(&der, &authority, "contoso.com", time).is_err());
                assert!(accepts(&der, &authority, "www.contoso.com", VALIDITY.not_after.plus_seconds(1)).is_err());
            }
        }
    }
}

#[test]
fn a_certificate_ends_with_its_issuer_s_at_the_latest() {
    let [root, key] = [0, 1].map(|at| ec_keys(&SoftwareProvider).remove(at));
    let authority = of_authority(&root, "CN=root");
    let request = request(&key, &properties());
    let issued = |not_before, not_after| {
        issue(&request, &authority, &*root.handle, Validity { not_before, not_after }, &entropy())
    };
    let read = Certificate::read(&issued(UnixTime(0), UnixTime(i64::MAX)).unwrap()).unwrap();
    assert_eq!((read.not_before, read.not_after), (DECADE.not_before, DECADE.not_after));
    let over = issued(DECADE.not_after, DECADE.not_after.plus_days(1));
    assert_eq!(invalid(over), "the issuer's certificate is not valid at that time");
}

/// It asks to be an authority, to sign certificates, and for an extension that is not understood.
#[test]
fn a_request_never_makes_an_authority() {
    let root = ec_keys(&SoftwareProvider).remove(1);
    let authority = of_authority(&root, "CN=root");
    let der = issue(fixture!("greedy.csr"), &authority, &*root.handle, VALIDITY, &entropy()).unwrap();
    let leaf = Certificate::read(&der).unwrap();
    assert!(!leaf.is_authority);
    let expected = X509Properties {
        subject: "CN=greedy.contoso.com, O=Contoso".to_owned(),
        names: AlternativeNames {
            dns_names: texts(&["greedy.contoso.com"]),
            ip_addresses: texts(&["10.0.0.2"]),
            ..AlternativeNames::default()
        },
        ekus: texts(&["1.3.6.1.5.5.7.3.1"]),
        key_usage: vec![KeyUsage::DigitalSignature],
        validity_months: 3,
        is_authority: false,
    };
    assert_eq!(leaf.properties(), expected);
    let name_constraints = b"\x06\x03\x55\x1d\x1e";
    assert!(!der.windows(5).any(|window| window == name_constraints));
    assert_eq!(accepts(&der, &authority, "greedy.contoso.com", VALIDITY.not_before), Ok(()));
}

#[test]
fn a_request_tells_what_it_wants_to_be_certified_as() {
    let asked = requested(fixture!("greedy.csr")).unwrap();
    assert_eq!(asked.common_names, ["greedy.contoso.com"]);
    assert_eq!(
        (asked.names.dns_names, asked.names.ip_addresses),
        (texts(&["greedy.contoso.com"]), texts(&["10.0.0.2"]))
    );
    let key = ec_keys(&SoftwareProvider).remove(0);
    let subject = "CN=first, O=Contoso + CN=second".to_owned();
    let asked = requested(&request(&key, &X509Properties { subject, ..properties() })).unwrap();
    assert_eq!(asked.common_names.len(), 2, "wherever they stand: {:?}", asked.common_names);
    assert_eq!(asked.names, properties().names);
    invalid(requested(b"").map_err(Error::from));
}

#[test]
fn an_issuer_that_is_none_is_refused() {
    let [root, key] = [0, 1].map(|at| ec_keys(&SoftwareProvider).remove(at));
    let request = request(&key, &properties());
    let holder = self_signed(&properties(), DECADE, signer(&root), &entropy()).unwrap();
    let by = |certificate: &[u8], key: &Key| issue(&request, certificate, &*key.handle, VALIDITY, &entropy());
    assert_eq!(invalid(by(&holder, &root)), "the issuer's certificate is not that of an authority");
    assert_eq!(invalid(by(b"", &root)), "it is not a certificate in DER");
    let authority = of_authority(&root, "CN=root");
    let other = custody::Provider::generate(&SoftwareProvider, root.spec, &entropy()).unwrap();
    let other = custody::Provider::open(&SoftwareProvider, root.spec, &other.public, &other.material).unwrap();
    let failed = issue(&request, &authority, &*other, VALIDITY, &entropy());
    assert!(matches!(failed, Err(Error::Fault(Fault::MaterialInvalid(_)))), "the key of another authority");
    let unnamed = refusal(custody::x509::authority(" ", DECADE, signer(&root), &entropy()));
    assert!(matches!(unnamed, Refusal::ParameterInvalid { parameter: "subject", .. }));
}

#[test]
fn a_request_that_was_changed_is_refused_wherever_it_was() {
    let [root, key] = [0, 1].map(|at| ec_keys(&SoftwareProvider).remove(at));
    let authority = of_authority(&root, "CN=root");
    let request = request(&key, &properties());
    for at in 0..request.len() {
        let mut changed = request.clone();
        changed[at] ^= 1;
        invalid(issue(&changed, &authority, &*root.handle, VALIDITY, &entropy()));
        invalid(issue(&request[..at], &authority, &*root.handle, VALIDITY, &entropy()));
    }
    let longer = [request.as_slice(), b"\0"].concat();
    invalid(issue(&longer, &authority, &*root.handle, VALIDITY, &entropy()));
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

/// A root, an authority below it made by hand of what the module has, and a leaf: here all from OpenSSL.
fn chain() -> [Vec<u8>; 3] {
    [fixture!("rsa.der").to_vec(), fixture!("issuing.der").to_vec(), fixture!("root.der").to_vec()]
}

fn arranged(certificates: &[&Vec<u8>], order: Order) -> Result<Vec<Vec<u8>>, Refusal> {
    let key = Certificate::read(fixture!("rsa.der")).unwrap().public_key().unwrap();
    arrange(certificates.iter().map(|der| (*der).clone()).collect(), &key, order)
}

#[test]
fn a_chain_is_put_in_order_however_it_comes() {
    let [leaf, issuing, root] = &chain();
    let expected = Ok(chain().to_vec());
    for given in [
        [leaf, issuing, root],
        [leaf, root, issuing],
        [issuing, leaf, root],
        [issuing, root, leaf],
        [root, leaf, issuing],
        [root, issuing, leaf],
    ] {
        assert_eq!(arranged(&given, Order::LeafFirst), expected);
    }
    let kept = |certificates: &[&Vec<u8>]| certificates.iter().map(|der| (*der).clone()).collect::<Vec<_>>();
    assert_eq!(arranged(&[root, issuing, leaf], Order::AsGiven), Ok(kept(&[leaf, root, issuing])));
    assert_eq!(arranged(&[leaf, root, issuing], Order::AsGiven), Ok(kept(&[leaf, root, issuing])));
    assert_eq!(arranged(&[leaf, root, leaf], Order::AsGiven), Ok(kept(&[leaf, root, leaf])));
    assert_eq!(arranged(&[leaf, root, leaf, root], Order::LeafFirst), Ok(kept(&[leaf, root])), "without its middle");
    let other = &fixture!("ed25519.der").to_vec();
    assert_eq!(arranged(&[other, root, issuing, leaf], Order::LeafFirst), Ok(kept(&[leaf, issuing, root, other])));
}

#[test]
fn chains_without_their_leaf_are_refused() {
    let [leaf, issuing, root] = &chain();
    for order in [Order::LeafFirst, Order::AsGiven] {
        let reason = |given: &[&Vec<u8>]| match arranged(given, order) {
            Err(Refusal::CertificateInvalid { reason }) => reason,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(reason(&[]), "there is no certificate");
        assert_eq!(reason(&[issuing, root]), "no certificate is of the private key");
        assert_eq!(reason(&[leaf, &vec![0x30, 0]]), "it is not a certificate in DER");
        assert_eq!(reason(&[leaf; 33]), "there are more than 32 certificates");
    }
}

/// Two authorities of one name, neither with an identifier that tells: their signatures do.
#[test]
fn of_two_issuers_with_one_name_the_one_that_signed_is_next() {
    let keys = ec_keys(&SoftwareProvider);
    let [one, other, key] = [&keys[0], &keys[1], &keys[2]];
    let (first, second) = (of_authority(one, "CN=root"), of_authority(other, "CN=root"));
    let leaf = issue(&request(key, &properties()), &second, &*other.handle, VALIDITY, &entropy()).unwrap();
    let ordered = arrange(vec![first.clone(), second.clone(), leaf.clone()], &key.generated.public, Order::LeafFirst);
    assert_eq!(ordered, Ok(vec![leaf, second, first]));
}

/// A key that signs certificates may have one that it signed itself, and one from above.
#[test]
fn of_two_certificates_of_a_key_the_holder_s_is_the_leaf() {
    let keys = ec_keys(&SoftwareProvider);
    let own = of_authority(&keys[0], "CN=root");
    let leaf = issue(&request(&keys[0], &properties()), &own, &*keys[0].handle, VALIDITY, &entropy()).unwrap();
    let ordered = arrange(vec![own.clone(), leaf.clone()], &keys[0].generated.public, Order::LeafFirst);
    assert_eq!(ordered, Ok(vec![leaf, own.clone()]));
    assert_eq!(arrange(vec![own.clone()], &keys[0].generated.public, Order::LeafFirst), Ok(vec![own]));
}
