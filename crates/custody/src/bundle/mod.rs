//! Certificates together with their private key, as files hold them: PKCS#12 (RFC 7292) and PEM (RFC 7468).
//!
//! Reading takes what others write, old encryption included, and does bounded work whatever it is given. Writing makes
//! files without a password: they are secrets of a vault, which protects them. A private key comes out as a
//! [`PrivateJwk`], so that [`crate::Provider::import`] checks it in full, and goes in as a provider exports it.
//!
//! This module does not know which version of what it reads or writes, nor whether a key may leave.

pub mod fuzz;
mod pem;
mod pkcs12;
mod private;

pub use pem::{read as read_pem, write as write_pem};
pub use pkcs12::{read as read_pkcs12, write as write_pkcs12};

use crate::x509::{Order, are_same, arrange};
use domain::{PrivateJwk, PublicKey, Refusal};

#[cfg(feature = "conformance")]
pub(crate) use private::read_pkcs8;

/// What a file holds. Nothing of it was compared with anything else yet.
pub struct Bundle {
    pub private: Option<PrivateJwk>,
    /// In DER, as they came.
    pub certificates: Vec<Vec<u8>>,
}

/// A private key and its certificate's chain, which begins with the certificate of the key.
pub struct Credential {
    pub private: PrivateJwk,
    pub certificates: Vec<Vec<u8>>,
}

impl Bundle {
    /// What can be imported: the key, and the certificates with that of the key first.
    ///
    /// # Errors
    /// [`Refusal::CertificateInvalid`] if there is no key, no certificate of it, or a certificate that can't be read.
    pub fn with_key(self, order: Order) -> Result<Credential, Refusal> {
        let private = self.private.ok_or(invalid("there is no private key"))?;
        let certificates = arrange(self.certificates, &claimed_public(&private), order)?;
        Ok(Credential { private, certificates })
    }
}

/// The public part that a private key claims to be of. Whether it is shows at its import.
fn claimed_public(private: &PrivateJwk) -> PublicKey {
    match private {
        PrivateJwk::Rsa { n, e, .. } => PublicKey::Rsa { n: n.clone(), e: e.clone() },
        PrivateJwk::Ec { curve, x, y, .. } => PublicKey::Ec { curve: *curve, x: x.clone(), y: y.clone() },
        PrivateJwk::Oct { .. } => PublicKey::Oct,
    }
}

const fn invalid(reason: &'static str) -> Refusal {
    Refusal::CertificateInvalid { reason }
}

/// Keeps a key that was found, if it is the first, or the first once more: some files have one in two forms.
fn keep(private: &mut Option<PrivateJwk>, found: PrivateJwk) -> Result<(), Refusal> {
    match private {
        None => *private = Some(found),
        Some(first) if are_same(&claimed_public(first), &claimed_public(&found)) => {}
        Some(_) => return Err(invalid("there is more than one private key")),
    }
    Ok(())
}
