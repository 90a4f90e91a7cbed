//! The authority behind the server: a root, an authority below it, and the certificates that this one issues.

use custody::{Generated, KeyHandle, Provider as _, SoftwareProvider, SystemEntropy, x509};
use domain::{Curve, KeySpec, PublicKey, UnixTime};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SignatureAlgorithm, date_time_ymd,
};

pub struct Authority {
    pub root: String,
    intermediate: String,
    intermediate_der: Vec<u8>,
    key: Box<dyn KeyHandle>,
}

/// A public key of custody's, as the library takes it that makes the certificate of the authority.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    // Whatever the tests take for now.
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2090, 1, 1));
    params
}

impl Authority {
    pub fn new() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let spec = KeySpec::Ec { curve: Curve::P256 };
        let Generated { public, material } = SoftwareProvider.generate(spec, &SystemEntropy).unwrap();
        let key = SoftwareProvider.open(spec, &public, &material).unwrap();
        let PublicKey::Ec { x, y, .. } = public else { unreachable!("it is on P-256") };
        let point = Point([&[4], x.as_slice(), y.as_slice()].concat());
        let root_params = params("ACME root");
        let root = root_params.self_signed(&root_key).unwrap();
        let issuer = Issuer::from_params(&root_params, root_key);
        let intermediate = params("ACME authority").signed_by(&point, &issuer).unwrap();
        Self { root: root.pem(), intermediate: intermediate.pem(), intermediate_der: intermediate.der().to_vec(), key }
    }

    /// The chain of a certificate for a request, as PEM; or what is wrong with the request.
    pub fn issue(&self, request: &[u8], now: UnixTime, days: u32) -> Result<String, String> {
        let validity = x509::Validity { not_before: now.plus_seconds(-3_600), not_after: now.plus_days(days) };
        let leaf = x509::issue(request, &self.intermediate_der, &*self.key, validity, &SystemEntropy);
        let leaf = leaf.map_err(|error| error.to_string())?;
        let leaf = custody::bundle::write_pem(None, &[leaf]);
        Ok(format!("{}{}", String::from_utf8_lossy(leaf.expose()), self.intermediate))
    }
}
