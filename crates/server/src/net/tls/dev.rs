//! The certificates of development: an authority made once, and a leaf made whenever the old one does not serve.
//!
//! Time is an argument: the real time, never the movable clock of `strongroom dev`, for clients compare it with
//! theirs. Keys come from aws-lc's own random generator, which rcgen gives no way to replace.

use super::{TlsError, provider};
use crate::net::Names;
use crate::private_file;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const DAY: u64 = 86_400;
const AUTHORITY_DAYS: u64 = 3_650;
/// Some clients refuse more than 825 days, whoever signed.
const LEAF_DAYS: u64 = 820;
/// A certificate that ends sooner than this is replaced at the next start.
const RENEW_DAYS: u64 = 30;

/// The certificate that `strongroom dev` serves.
#[derive(Debug)]
pub struct DevCertificate {
    /// The file of the authority's certificate: what clients must be told to trust.
    pub authority: PathBuf,
    certified: Arc<CertifiedKey>,
}

impl ResolvesServerCert for DevCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.certified))
    }
}

/// Finds or makes the authority and the leaf in a folder (`ca.pem`, `ca.key`, `leaf.pem`, `leaf.key`).
///
/// The leaf is made anew when it is missing, ends within a month, or does not cover exactly the names asked for.
///
/// # Errors
/// The folder cannot be written, or holds damaged files.
pub fn in_folder(folder: &Path, names: &Names, now: u64) -> Result<DevCertificate, TlsError> {
    private_file::make_folder(folder).map_err(TlsError::file(folder))?;
    let authority = Authority::find_or_make(folder, now)?;
    let files = Files::new(folder, "leaf");
    let leaf = match files.read()? {
        Some(leaf) if authority.vouches(&leaf, names, now)? => leaf,
        _ => authority.issue(&files, names, now)?,
    };
    let key =
        PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).map_err(|error| TlsError::content(&files.key, error))?;
    let certified = CertifiedKey::from_der(vec![leaf.certificate()?], key, &provider())
        .map_err(|error| TlsError::content(&files.key, format!("{error}; delete it to have a new one")))?;
    Ok(DevCertificate { authority: authority.files.certificate, certified: Arc::new(certified) })
}

/// A certificate and its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
    path: PathBuf,
}

impl Pair {
    fn certificate(&self) -> Result<CertificateDer<'static>, TlsError> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|error| TlsError::content(&self.path, error))
    }
}

/// Where a certificate and its key are kept, and for a leaf the names it was made for.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    names: PathBuf,
}

impl Files {
    fn new(folder: &Path, stem: &str) -> Self {
        let [certificate, key, names] =
            ["pem", "key", "names"].map(|extension| folder.join(stem).with_extension(extension));
        Self { certificate, key, names }
    }

    fn read(&self) -> Result<Option<Pair>, TlsError> {
        if !self.certificate.exists() || !self.key.exists() {
            return Ok(None);
        }
        let text = |path: &Path| fs::read_to_string(path).map_err(TlsError::file(path));
        let (certificate, key) = (text(&self.certificate)?, text(&self.key)?);
        Ok(Some(Pair { certificate, key, path: self.certificate.clone() }))
    }

    fn write(&self, certificate: String, key: &KeyPair) -> Result<Pair, TlsError> {
        let key = key.serialize_pem();
        private_file::write(&self.key, key.as_bytes()).map_err(TlsError::file(&self.key))?;
        private_file::write_public(&self.certificate, certificate.as_bytes())
            .map_err(TlsError::file(&self.certificate))?;
        Ok(Pair { certificate, key, path: self.certificate.clone() })
    }
}

struct Authority {
    files: Files,
    pair: Pair,
}

impl Authority {
    fn find_or_make(folder: &Path, now: u64) -> Result<Self, TlsError> {
        let files = Files::new(folder, "ca");
        if let Some(pair) = files.read()? {
            let found = Self { files, pair };
            if found.lasts(now)? {
                return Ok(found);
            }
            return Self::make(found.files, now);
        }
        Self::make(files, now)
    }

    fn make(files: Files, now: u64) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = authority_parameters(&key);
        set_dates(&mut parameters, now, AUTHORITY_DAYS);
        let certificate = parameters.self_signed(&key)?;
        let pair = files.write(certificate.pem(), &key)?;
        tracing::info!(file = %files.certificate.display(), "made a certificate authority for development");
        Ok(Self { files, pair })
    }

    /// Whether the authority's own certificate is good for another month.
    ///
    /// The verifier takes a root's dates for granted, so it is shown the root as if it were a leaf: it looks at the
    /// dates before it objects to that.
    fn lasts(&self, now: u64) -> Result<bool, TlsError> {
        let verifier = self.verifier()?;
        let certificate = self.pair.certificate()?;
        let name = ServerName::try_from("localhost").map_err(|error| TlsError::content(&self.pair.path, error))?;
        Ok([now, now + RENEW_DAYS * DAY].into_iter().all(|at| {
            !matches!(
                verifier.verify_server_cert(&certificate, &[], &name, &[], unix(at)),
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::Expired
                        | CertificateError::ExpiredContext { .. }
                        | CertificateError::NotValidYet
                        | CertificateError::NotValidYetContext { .. }
                ))
            )
        }))
    }

    fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.pair.certificate()?)?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| TlsError::content(&self.pair.path, error))
    }

    /// Whether a leaf is ours, was made for exactly these names, and lasts another month: a client's own judgement.
    fn vouches(&self, leaf: &Pair, names: &Names, now: u64) -> Result<bool, TlsError> {
        let files = Files::new(self.files.certificate.parent().unwrap_or(Path::new("")), "leaf");
        let made_for = fs::read_to_string(&files.names).unwrap_or_default();
        if made_for != names.subject_alternatives().join("\n") {
            return Ok(false);
        }
        let verifier = self.verifier()?;
        let Ok(certificate) = leaf.certificate() else { return Ok(false) };
        Ok([now, now + RENEW_DAYS * DAY].into_iter().all(|at| {
            names.samples().into_iter().all(|host| {
                ServerName::try_from(host)
                    .is_ok_and(|host| verifier.verify_server_cert(&certificate, &[], &host, &[], unix(at)).is_ok())
            })
        }))
    }

    fn issue(&self, files: &Files, names: &Names, now: u64) -> Result<Pair, TlsError> {
        let authority_key =
            KeyPair::from_pem(&self.pair.key).map_err(|error| TlsError::content(&self.files.key, error))?;
        let issuer = Issuer::new(authority_parameters(&authority_key), authority_key);
        let alternatives = names.subject_alternatives();
        let mut parameters = CertificateParams::new(alternatives.clone())?;
        parameters.distinguished_name = common_name("Strongroom development server");
        set_dates(&mut parameters, now, LEAF_DAYS);
        // Said outright, for then rcgen also writes the subject key identifier that strict validators look for.
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = parameters.signed_by(&key, &issuer)?;
        let pair = files.write(certificate.pem(), &key)?;
        private_file::write_public(&files.names, alternatives.join("\n").as_bytes())
            .map_err(TlsError::file(&files.names))?;
        if self.vouches(&pair, names, now)? {
            return Ok(pair);
        }
        let problem = "does not belong to ca.key; delete both to have new ones, and trust the new ca.pem";
        Err(TlsError::content(&self.files.certificate, problem))
    }
}

/// What the authority's certificate says. Its name holds a piece of its key's identifier: two authorities of one name
/// in one trust store are a puzzle to some clients. It depends on the key alone, so that a stored key can issue again.
fn authority_parameters(key: &KeyPair) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let identifier = parameters.key_identifier(key);
    let short: String = identifier.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    parameters.distinguished_name = common_name(&format!("Strongroom development CA {short}"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn unix(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// The validity of a certificate. It begins a day early, for clocks that differ.
fn set_dates(parameters: &mut CertificateParams, now: u64, days: u64) {
    let moment = |seconds| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    parameters.not_before = moment(now.saturating_sub(DAY));
    parameters.not_after = moment(now + days * DAY);
}
