//! The certificate of production: PEM files that someone else renews, read anew without a restart.

use super::{TlsError, provider};
use crate::private_file;
use parking_lot::{Mutex, RwLock};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A certificate chain and its key in two files, the newest of which serves new connections.
pub struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<[Stamp; 2]>,
}

/// What changes when a file is replaced: inode, length, time of change in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// A missing file, a key that others may read, PEM without a certificate or key, or a key of another certificate.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        // Stamps first: a file replaced meanwhile then counts as changed at the next look.
        let seen = stamps(certificate, key)?;
        let current = RwLock::new(read(certificate, key)?);
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Arc::new(Self { certificate, key, current, seen: Mutex::new(seen) }))
    }

    /// Reads both files again. On failure the old certificate goes on serving.
    ///
    /// # Errors
    /// As for [`CertificateFiles::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.seen.lock() = stamps(&self.certificate, &self.key)?;
        let fresh = read(&self.certificate, &self.key)?;
        *self.current.write() = fresh;
        Ok(())
    }

    /// Reads both files again if one of them was replaced since the last look, and says whether it did.
    ///
    /// A pair caught half replaced is an error once, and read again when its other half arrives.
    ///
    /// # Errors
    /// As for [`CertificateFiles::load`].
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        if *self.seen.lock() == stamps(&self.certificate, &self.key)? {
            return Ok(false);
        }
        self.reload().map(|()| true)
    }

    /// Looks after the files for ever: on SIGHUP, and every so often.
    pub async fn keep_fresh(self: Arc<Self>, every: Duration) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut look = tokio::time::interval(every);
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let outcome = tokio::select! {
                _ = asked => self.reload().map(|()| true),
                _ = look.tick() => self.reload_if_changed(),
            };
            match outcome {
                Ok(true) => tracing::info!(file = %self.certificate.display(), "certificate reloaded"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "certificate not reloaded; the old one goes on serving"),
            }
        }
    }
}

impl fmt::Debug for CertificateFiles {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CertificateFiles").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for CertificateFiles {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

fn stamps(certificate: &Path, key: &Path) -> Result<[Stamp; 2], TlsError> {
    let stamp = |path: &Path| {
        let about = std::fs::metadata(path).map_err(TlsError::file(path))?;
        Ok::<_, TlsError>((about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
    };
    Ok([stamp(certificate)?, stamp(key)?])
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    private_file::refuse_exposed(key)?;
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| TlsError::content(certificate, error))?;
    if chain.is_empty() {
        return Err(TlsError::content(certificate, "no certificate in PEM"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::content(key, error))?;
    let certified =
        CertifiedKey::from_der(chain, private, &provider()).map_err(|error| TlsError::content(key, error))?;
    Ok(Arc::new(certified))
}
