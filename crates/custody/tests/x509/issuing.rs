//! Requests, and the certificates that an authority issues on them: what holds for a browser, and what is refused.

use super::{DECADE, VALIDITY, entropy, fixture, keys, of_authority, properties, request, signer, texts};
use custody::{
    Error, Fault, SoftwareProvider,
    conformance::keys::{Key, ec_keys, refusal},
    x509::{Certificate, Validity, issue, requested, self_signed},
};
use domain::{AlternativeNames, Curve, KeySpec, KeyUsage, Refusal, UnixTime, X509Properties};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use std::{sync::Arc, time::Duration};

fn invalid<T>(result: Result<T, Error>) -> &'static str {
    match refusal(result) {
        Refusal::CertificateInvalid { reason } => reason,
        other => unreachable!("another refusal: {other}"),
    }
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
