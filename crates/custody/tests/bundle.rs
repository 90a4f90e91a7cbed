//! Files of keys and certificates: those that OpenSSL makes, ours, and those that nobody should have made.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use custody::{
    Error, Provider, SoftwareProvider,
    bundle::{Bundle, read_pem, read_pkcs12, write_pem, write_pkcs12},
    conformance::{
        SeededEntropy,
        keys::{Key, ec_keys, rsa_keys},
    },
    x509::{Certificate, Order, Signer, Validity, self_signed},
};
use domain::{
    AlternativeNames, Curve, KeySpec, KeyUsage, PrivateJwk, PublicKey, Refusal, Secret, UnixTime, X509Properties,
};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("certificates/", $name)).as_slice()
    };
}

const PASSWORD: Option<&str> = Some("password");
const WRONG: &str = "the password is wrong, or the file was changed";

fn reason<T>(result: Result<T, Refusal>) -> &'static str {
    match result {
        Err(Refusal::CertificateInvalid { reason }) => reason,
        Err(other) => unreachable!("another refusal: {other}"),
        Ok(_) => unreachable!("nothing was refused"),
    }
}

/// What is imported of a file: the key in custody, and the subjects of its certificates.
fn imported(bundle: Bundle, order: Order) -> (KeySpec, PublicKey, Vec<String>) {
    let credential = bundle.with_key(order).unwrap();
    let spec = credential.private.spec();
    let public = SoftwareProvider.import(&credential.private).unwrap().public;
    let read: Vec<_> = credential.certificates.iter().map(|der| Certificate::read(der).unwrap()).collect();
    assert!(read.first().unwrap().has_key(&public));
    (spec, public, read.into_iter().map(|certificate| certificate.subject).collect())
}

const RSA: KeySpec = KeySpec::Rsa { bits: 2048 };
const P256: KeySpec = KeySpec::Ec { curve: Curve::P256 };

/// The subjects of a chain whose leaf has this common name.
fn chain(leaf: &str) -> Vec<String> {
    let above = ["CN=Contoso Issuing, O=Contoso, C=US", "CN=Contoso Root, O=Contoso, C=US"];
    let leaf = match leaf {
        "rsa" => "CN=www.contoso.com, O=\"Contoso, Ltd\", L=Redmond, S=WA, C=US".to_owned(),
        curve => format!("CN={curve}.contoso.com"),
    };
    [leaf].into_iter().chain(above.map(ToOwned::to_owned)).collect()
}

#[test]
fn files_that_openssl_makes_are_read() {
    let curve = |curve| KeySpec::Ec { curve };
    for (file, password, spec, leaf) in [
        (fixture!("modern-rsa.pfx"), PASSWORD, RSA, "rsa"),
        (fixture!("modern-prime256v1.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("modern-secp384r1.pfx"), PASSWORD, curve(Curve::P384), "secp384r1"),
        (fixture!("modern-secp521r1.pfx"), PASSWORD, curve(Curve::P521), "secp521r1"),
        (fixture!("modern-secp256k1.pfx"), PASSWORD, curve(Curve::P256K), "secp256k1"),
        (fixture!("modern-empty.pfx"), None, RSA, "rsa"),
        (fixture!("legacy-rsa.pfx"), PASSWORD, RSA, "rsa"),
        (fixture!("legacy-ec.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("legacy-empty.pfx"), None, P256, "prime256v1"),
        (fixture!("legacy-wide.pfx"), Some("pässwörd 🔑"), P256, "prime256v1"),
        (fixture!("windows.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("rc2-128.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("pbes2-others.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("aes-192.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("no-code.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("legacy-no-code.pfx"), PASSWORD, P256, "prime256v1"),
        (fixture!("open.pfx"), None, P256, "prime256v1"),
    ] {
        let (found, _, subjects) = imported(read_pkcs12(file, password).unwrap(), Order::LeafFirst);
        assert_eq!((found, subjects), (spec, chain(leaf)));
        if password.is_none() {
            imported(read_pkcs12(file, Some("")).unwrap(), Order::LeafFirst);
        } else {
            for wrong in [None, Some(""), Some("Password"), Some("password ")] {
                assert_eq!(reason(read_pkcs12(file, wrong)), WRONG);
            }
        }
    }
    let (spec, _, subjects) = imported(read_pkcs12(fixture!("no-bytes.pfx"), None).unwrap(), Order::LeafFirst);
    assert_eq!((spec, subjects), (P256, chain("prime256v1")[..1].to_vec()));
}

#[test]
fn a_file_without_protection_is_read_with_any_password() {
    imported(read_pkcs12(fixture!("open.pfx"), Some("whatever")).unwrap(), Order::LeafFirst);
    for file in [fixture!("modern-empty.pfx"), fixture!("legacy-empty.pfx"), fixture!("no-bytes.pfx")] {
        assert_eq!(reason(read_pkcs12(file, PASSWORD)), WRONG, "an empty password is one");
    }
}

#[test]
fn pem_texts_are_read_in_each_form_that_keys_have() {
    let curve = |curve| KeySpec::Ec { curve };
    for (text, spec, subjects) in [
        (include_str!("certificates/rsa-any-order.pem"), RSA, &chain("rsa")[..]),
        (include_str!("certificates/bag-attributes.pem"), RSA, &chain("rsa")),
        (include_str!("certificates/rsa-pkcs1.pem"), RSA, &chain("rsa")[..1]),
        (include_str!("certificates/ec-sec1.pem"), P256, &chain("prime256v1")[..1]),
        (include_str!("certificates/ec-no-point.pem"), curve(Curve::P256K), &chain("secp256k1")[..1]),
    ] {
        let (found, _, read) = imported(read_pem(text, None).unwrap(), Order::LeafFirst);
        assert_eq!((found, read.as_slice()), (spec, subjects));
    }
    let text = include_str!("certificates/rsa-any-order.pem");
    let [leaf, issuing, root] = chain("rsa").try_into().unwrap();
    let (_, _, kept) = imported(read_pem(text, None).unwrap(), Order::AsGiven);
    assert_eq!(kept, [leaf, issuing, root], "issuing, root, leaf: only the leaf has moved");
}

#[test]
fn a_key_that_is_there_twice_is_one() {
    let (pkcs1, pkcs8) = (include_str!("certificates/rsa-pkcs1.pem"), include_str!("certificates/rsa-any-order.pem"));
    for text in [format!("{pkcs1}{pkcs1}"), format!("{pkcs1}{pkcs8}"), format!("{pkcs8}{pkcs1}")] {
        let (found, _, subjects) = imported(read_pem(&text, None).unwrap(), Order::LeafFirst);
        assert_eq!((found, &subjects[0]), (RSA, &chain("rsa")[0]));
    }
    let elliptic = include_str!("certificates/ec-no-point.pem");
    let (found, ..) = imported(read_pem(&format!("{elliptic}{elliptic}"), None).unwrap(), Order::LeafFirst);
    assert_eq!(found, KeySpec::Ec { curve: Curve::P256K });
    assert_eq!(reason(read_pem(&format!("{elliptic}{pkcs1}"), None)), "there is more than one private key");
}

#[test]
fn a_file_that_is_full_of_keys_is_not_read_to_its_end() {
    let file = include_str!("certificates/ec-no-point.pem");
    let (key, _) = file.split_once("-----BEGIN CERTIFICATE").unwrap();
    let times = |times| read_pem(&key.repeat(times), None);
    assert!(times(8).is_ok());
    assert_eq!(reason(times(9)), "there are more than 8 private keys");
    let Key { generated, spec, .. } = &ec_keys(&SoftwareProvider)[0];
    let private = SoftwareProvider.export(*spec, &generated.public, &generated.material).unwrap();
    assert_eq!(reason(read_pkcs12(&keys_in_the_clear(&private, 9), None)), "there are more than 8 private keys");
    assert!(read_pkcs12(&keys_in_the_clear(&private, 8), None).is_ok());
}

/// A PKCS#12 file of nothing but one key, so many times, and no password.
fn keys_in_the_clear(private: &Secret, times: usize) -> Vec<u8> {
    const DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    const KEY_BAG: &[u8] = &[6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 1];
    let tagged = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length = match length {
            [0, short @ 0..0x80] => vec![short],
            [0, long] => vec![0x81, long],
            long => [&[0x82], long.as_slice()].concat(),
        };
        [&[tag], length.as_slice(), content].concat()
    };
    let data = |content: &[u8]| tagged(0x30, &[DATA, &tagged(0xa0, &tagged(4, content))].concat());
    let bag = tagged(0x30, &[KEY_BAG, &tagged(0xa0, private.expose())].concat());
    let bags = tagged(0x30, &bag.repeat(times));
    tagged(0x30, &[&[2, 1, 3], data(&tagged(0x30, &data(&bags))).as_slice()].concat())
}

#[test]
fn a_key_that_is_encrypted_as_pkcs8_is_read_from_pem_with_its_password() {
    let plain = imported(read_pem(include_str!("certificates/rsa-pkcs1.pem"), PASSWORD).unwrap(), Order::LeafFirst);
    for text in [include_str!("certificates/encrypted.pem"), include_str!("certificates/encrypted-legacy.pem")] {
        assert_eq!(imported(read_pem(text, PASSWORD).unwrap(), Order::LeafFirst), plain);
        assert_eq!(reason(read_pem(text, Some("another"))), WRONG);
        assert_eq!(reason(read_pem(text, None)), "the private key is encrypted, and there is no password");
    }
    let malformed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    assert_eq!(reason(read_pem(malformed, PASSWORD)), "the encrypted private key is malformed");
}

#[test]
fn what_can_t_be_imported_is_refused_with_its_reason() {
    let with_key = |read: Result<Bundle, Refusal>| reason(read.and_then(|bundle| bundle.with_key(Order::LeafFirst)));
    let pem = |text: &str| with_key(read_pem(text, None));
    assert_eq!(with_key(read_pkcs12(fixture!("no-key.pfx"), PASSWORD)), "there is no private key");
    assert_eq!(with_key(read_pkcs12(fixture!("no-certificate.pfx"), PASSWORD)), "there is no certificate");
    for garbage in [b"".as_slice(), b"text", fixture!("rsa.der"), include_bytes!("certificates/rsa-pkcs1.pem")] {
        assert_eq!(with_key(read_pkcs12(garbage, None)), "it is not a PKCS#12 file in DER");
    }
    let of_another = "no certificate is of the private key";
    assert_eq!(pem(include_str!("certificates/other-key.pem")), of_another);
    assert_eq!(pem(include_str!("certificates/two-keys.pem")), "there is more than one private key");
    let compressed = "the point of its key is compressed: it is taken with both coordinates only";
    assert_eq!(pem(include_str!("certificates/compressed.pem")), compressed);
    let written_out = "the curve of its key is written out, which RFC 5480 does not allow, and not named";
    assert_eq!(pem(include_str!("certificates/explicit.pem")), written_out);
    let encrypted = include_str!("certificates/encrypted.pem");
    let old = include_str!("certificates/encrypted-pkcs1.pem");
    assert_eq!(reason(read_pem(old, PASSWORD)), "the private key is encrypted, but not as PKCS#8");
    let unsupported = "the private key is neither RSA nor on a curve that is supported";
    assert_eq!(pem(include_str!("certificates/ed25519.pem")), unsupported);
    assert_eq!(pem(""), "there is no section of PEM");
    assert_eq!(pem("-----BEGIN CERTIFICATE-----\nAAAA\n"), "a section of PEM is not closed");
    assert_eq!(pem("-----BEGIN CERTIFICATE"), "a section of PEM is not closed");
    assert_eq!(pem("-----BEGIN A-----\n-----END B-----"), "a section of PEM is not closed");
    assert_eq!(pem("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"), "a section of PEM is not base64");
    assert_eq!(pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), "the private key is malformed");
    assert_eq!(pem("-----BEGIN X-----\n!\n-----END X-----"), "there is no private key", "others are looked past");
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(pem(&certificate.repeat(33)), "there are more than 32 certificates");
    let large = "it is larger than 1 MiB";
    assert_eq!(pem(&" ".repeat((1 << 20) + 1)), large);
    assert_eq!(with_key(read_pkcs12(&vec![0; (1 << 20) + 1], None)), large);
    let long = "a".repeat(4097);
    for read in [read_pkcs12(fixture!("once.pfx"), Some(&long)), read_pem(encrypted, Some(&long))] {
        assert_eq!(reason(read), "the password is longer than 4096 bytes");
    }
    assert_eq!(reason(read_pkcs12(fixture!("once.pfx"), Some(&long[1..]))), WRONG);
}

/// The file with the iterations of its last derivation changed, but no length: the salt before them gets shorter.
fn with_iterations(file: &[u8], iterations: u32) -> Vec<u8> {
    let mut file = file.to_vec();
    let is_derivation = |window: &[u8]| window.starts_with(&[4, 8]) && window.ends_with(&[2, 2, 8, 0]);
    let at = (0..=file.len() - 14).rfind(|at| is_derivation(&file[*at..at + 14])).unwrap();
    file[at + 1] = 6;
    file[at + 8..at + 10].copy_from_slice(&[2, 4]);
    file[at + 10..at + 14].copy_from_slice(&iterations.to_be_bytes());
    file
}

/// Each of these would take minutes at least. The last derivation is the code's, and the key's where there is no code.
#[test]
fn a_file_that_asks_for_too_much_work_is_refused_at_once() {
    for file in [
        fixture!("modern-prime256v1.pfx"),
        fixture!("legacy-ec.pfx"),
        fixture!("no-code.pfx"),
        fixture!("legacy-no-code.pfx"),
    ] {
        let asks = |iterations| reason(read_pkcs12(&with_iterations(file, iterations), PASSWORD));
        for iterations in [0x7fff_ffff, 1_000_000_000, 0x80_0000] {
            assert_eq!(asks(iterations), "it asks for too many iterations");
        }
        for iterations in [0, 0x8000_0001, 0xffff_ffff] {
            let malformed = "the parameters of its encryption are malformed";
            assert!([malformed, "it is not a PKCS#12 file in DER"].contains(&asks(iterations)), "no number of them");
        }
    }
    let (_, rest) = include_str!("certificates/encrypted-legacy.pem").split_once("KEY-----").unwrap();
    let (digits, _) = rest.split_once("-----END").unwrap();
    let der = STANDARD.decode(digits.split_whitespace().collect::<String>()).unwrap();
    let greedy = STANDARD.encode(with_iterations(&der, 0x7fff_ffff));
    let text = format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{greedy}\n-----END ENCRYPTED PRIVATE KEY-----\n");
    assert_eq!(reason(read_pem(&text, PASSWORD)), "it asks for too many iterations");
}

#[test]
fn a_changed_file_is_refused_or_says_the_same() {
    let file = fixture!("once.pfx");
    let original = read_pkcs12(file, PASSWORD).unwrap().certificates;
    let mut unnoticed = 0;
    for at in 0..file.len() {
        assert!(read_pkcs12(&file[..at], PASSWORD).is_err(), "cut at {at}");
        let mut changed = file.to_vec();
        changed[at] ^= 1;
        if let Ok(bundle) = read_pkcs12(&changed, PASSWORD) {
            assert_eq!(bundle.certificates, original, "changed at {at}");
            unnoticed += 1;
        }
    }
    assert!(unnoticed < 10, "{unnoticed} changes outside of what the code covers");
    assert!(read_pkcs12(&[file, b"\0"].concat(), PASSWORD).is_err());
    assert!(read_pkcs12(&vec![0x30; 100_000], None).is_err(), "a sequence in a sequence in a sequence …");
}

/// RSA-2048 and -3072, and one key on each curve.
fn keys() -> Vec<Key> {
    let mut keys = rsa_keys(&SoftwareProvider);
    keys.truncate(2);
    keys.extend(ec_keys(&SoftwareProvider));
    keys
}

fn entropy() -> SeededEntropy {
    SeededEntropy::new(50)
}

fn certificate(key: &Key) -> Vec<u8> {
    let properties = X509Properties {
        subject: "CN=contoso.com".to_owned(),
        names: AlternativeNames::default(),
        ekus: Vec::new(),
        key_usage: vec![KeyUsage::DigitalSignature],
        validity_months: 12,
        is_authority: false,
    };
    let validity = Validity { not_before: UnixTime(0), not_after: UnixTime(1_000_000_000) };
    let signer = Signer { key: &*key.handle, public: &key.generated.public };
    self_signed(&properties, validity, signer, &entropy()).unwrap()
}

fn exported(key: &Key) -> Secret {
    SoftwareProvider.export(key.spec, &key.generated.public, &key.generated.material).unwrap()
}

fn scalar_or_exponent(jwk: &PrivateJwk) -> &[u8] {
    match jwk {
        PrivateJwk::Rsa { d, .. } | PrivateJwk::Ec { d, .. } => d.expose(),
        PrivateJwk::Oct { k } => k.expose(),
    }
}

#[test]
fn what_we_write_reads_back_with_every_key() {
    for key in keys() {
        let (private, own) = (exported(&key), certificate(&key));
        let certificates = [own.clone(), fixture!("issuing.der").to_vec(), fixture!("root.der").to_vec()];
        let pfx = write_pkcs12(Some(&private), &certificates, &entropy()).unwrap();
        let pem = write_pem(Some(&private), &certificates);
        let pem = std::str::from_utf8(pem.expose()).unwrap();
        for bundle in [read_pkcs12(pfx.expose(), None), read_pkcs12(pfx.expose(), Some("")), read_pem(pem, None)] {
            let bundle = bundle.unwrap();
            assert_eq!(bundle.certificates, certificates);
            let read = bundle.private.as_ref().unwrap();
            let again = write_pkcs12(Some(&private), &certificates, &entropy()).unwrap();
            let other = read_pkcs12(again.expose(), None).unwrap().private.unwrap();
            assert!(scalar_or_exponent(read) == scalar_or_exponent(&other));
            let (spec, public, _) = imported(bundle, Order::AsGiven);
            assert_eq!((spec, public), (key.spec, key.generated.public.clone()));
        }
    }
}

#[test]
fn files_without_a_key_hold_certificates_only() {
    let certificates = [fixture!("rsa.der").to_vec(), fixture!("issuing.der").to_vec()];
    let pfx = write_pkcs12(None, &certificates, &entropy()).unwrap();
    let pem = write_pem(None, &certificates);
    let text = std::str::from_utf8(pem.expose()).unwrap();
    assert!(!text.contains("PRIVATE"));
    for bundle in [read_pkcs12(pfx.expose(), None).unwrap(), read_pem(text, None).unwrap()] {
        assert!(bundle.private.is_none());
        assert_eq!(bundle.certificates, certificates);
    }
}

#[test]
fn written_files_differ_by_the_randomness_they_are_given_only() {
    let key = &ec_keys(&SoftwareProvider)[0];
    let certificates = [fixture!("prime256v1.der").to_vec()];
    let written = |seed| write_pkcs12(Some(&exported(key)), &certificates, &SeededEntropy::new(seed)).unwrap();
    assert!(written(1).expose() == written(1).expose());
    assert!(written(1).expose() != written(2).expose());
    let broken = write_pkcs12(None, &[vec![1, 2, 3]], &entropy());
    assert!(matches!(broken, Err(Error::Refused(Refusal::CertificateInvalid { .. }))));
}

#[test]
fn pem_is_written_in_lines_of_64_with_the_key_first() {
    let key = &ec_keys(&SoftwareProvider)[0];
    let text = write_pem(Some(&exported(key)), &[fixture!("prime256v1.der").to_vec()]);
    let text = std::str::from_utf8(text.expose()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.first(), Some(&"-----BEGIN PRIVATE KEY-----"));
    assert_eq!(lines.iter().filter(|line| **line == "-----BEGIN CERTIFICATE-----").count(), 1);
    assert_eq!((lines.last(), text.ends_with('\n')), (Some(&"-----END CERTIFICATE-----"), true));
    assert!(lines.iter().all(|line| line.len() <= 64));
}
