//! The order of a certificate's chain.
//!
//! A chain is kept for the owner, not judged: who trusts it decides that for themselves. So nothing is refused here for
//! want of a signature, and nothing is left out. But where several certificates might be a certificate's issuer, by name
//! and key identifier, one whose key did not sign it is not, as far as that can be told.

use super::Certificate;
use domain::{PublicKey, Refusal};

/// More certificates than any chain in use. It bounds the work of putting them in order.
pub const MOST_CERTIFICATES: usize = 32;

/// How the certificates of a chain are kept (contract: key-vault §3.9, `preserveCertOrder`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each before its issuer; those that are not of the chain at the end, as they came. One that is there twice is kept
    /// once.
    LeafFirst,
    /// As they came, but for the leaf, which is first.
    AsGiven,
}

/// Puts certificates in order, beginning with the one that is of the key.
///
/// # Errors
/// [`Refusal::CertificateInvalid`] if one can't be read, none is of the key, or there are too many.
pub fn arrange(certificates: Vec<Vec<u8>>, key: &PublicKey, order: Order) -> Result<Vec<Vec<u8>>, Refusal> {
    let invalid = |reason| Refusal::CertificateInvalid { reason };
    if certificates.is_empty() {
        return Err(invalid("there is no certificate"));
    }
    if certificates.len() > MOST_CERTIFICATES {
        return Err(invalid("there are more than 32 certificates"));
    }
    let mut rest = Vec::new();
    for der in certificates {
        let certificate = Certificate::read(&der)?;
        if order == Order::AsGiven || rest.iter().all(|(other, _)| *other != der) {
            rest.push((der, certificate));
        }
    }
    let leaf = take_leaf(&mut rest, key).ok_or_else(|| no_leaf(&rest))?;
    let mut arranged = vec![leaf];
    while order == Order::LeafFirst
        && let Some((_, last)) = arranged.last()
        && let Some(issuer) = take_issuer(&mut rest, last)
    {
        arranged.push(issuer);
    }
    arranged.extend(rest);
    Ok(arranged.into_iter().map(|(der, _)| der).collect())
}

type Read = (Vec<u8>, Certificate);

/// The certificate of the key. A key may have several: one that is no authority's is rather meant.
fn take_leaf(rest: &mut Vec<Read>, key: &PublicKey) -> Option<Read> {
    let holder = rest.iter().position(|(_, certificate)| certificate.has_key(key) && !certificate.is_authority);
    let any = || rest.iter().position(|(_, certificate)| certificate.has_key(key));
    holder.or_else(any).map(|at| rest.remove(at))
}

/// Why none is of the key: perhaps because the key of one can't be read.
fn no_leaf(certificates: &[Read]) -> Refusal {
    let unread = |authority| {
        let alike = certificates.iter().filter(move |(_, certificate)| certificate.is_authority == authority);
        alike.filter_map(|(_, certificate)| certificate.public_key().err()).next()
    };
    // Where there are others, an authority's is not the one that is meant.
    let has_holder = certificates.iter().any(|(_, certificate)| !certificate.is_authority);
    unread(!has_holder).unwrap_or(Refusal::CertificateInvalid { reason: "no certificate is of the private key" })
}

fn take_issuer(rest: &mut Vec<Read>, of: &Certificate) -> Option<Read> {
    let is_root = of.names_issuer(of) && of.is_signed_by(of) != Some(false);
    let found = rest.iter().position(|(_, issuer)| of.names_issuer(issuer) && of.is_signed_by(issuer) != Some(false));
    found.filter(|_| !is_root).map(|at| rest.remove(at))
}
