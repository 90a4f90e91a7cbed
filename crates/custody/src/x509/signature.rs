//! Signatures on certificates and requests: made by a [`crate::KeyHandle`], so that the key may be with any provider, and
//! verified with its public key.

use super::{Parsed, Signer};
use crate::{Entropy, Error, Fault, VerifyingKey, digest, software::integer};
use der::{
    Any, Decode, Encode, Sequence,
    asn1::{BitString, ObjectIdentifier, UintRef},
};
use domain::{PublicKey, Refusal, SignatureAlgorithm};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// How each algorithm that is used here is named in a certificate (RFC 4055, RFC 5758). The curve is not part of the
/// name, so P-256 and P-256K share one.
const NAMES: [(SignatureAlgorithm, ObjectIdentifier); 7] = [
    (SignatureAlgorithm::Rs256, ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11")),
    (SignatureAlgorithm::Rs384, ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12")),
    (SignatureAlgorithm::Rs512, ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13")),
    (SignatureAlgorithm::Es256, ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2")),
    (SignatureAlgorithm::Es256K, ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2")),
    (SignatureAlgorithm::Es384, ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3")),
    (SignatureAlgorithm::Es512, ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4")),
];

/// An ECDSA signature as certificates hold it (RFC 3279 §2.2.3).
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// Whatever is signed, and its signature: a certificate (RFC 5280 §4.1) or a request (RFC 2986 §4.2).
#[derive(Sequence)]
pub(super) struct Signed {
    pub(super) content: Any,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: BitString,
}

/// What the key of a certificate signs certificates with.
fn algorithm_of(public: &PublicKey) -> Result<SignatureAlgorithm, Fault> {
    match public {
        PublicKey::Rsa { .. } => Ok(SignatureAlgorithm::Rs256),
        PublicKey::Ec { curve, .. } => Ok(curve.algorithm()),
        PublicKey::Oct => Err(Fault::MaterialInvalid("a symmetric key does not sign certificates")),
    }
}

/// The identifier that a certificate has twice: outside, and in what is signed.
pub(super) fn identifier(public: &PublicKey) -> Result<AlgorithmIdentifierOwned, Fault> {
    let algorithm = algorithm_of(public)?;
    let name = NAMES.iter().find(|(known, _)| *known == algorithm).map(|(_, oid)| *oid);
    let oid = name.ok_or(Fault::Backend("naming a signature algorithm"))?;
    // RSA has a NULL here, ECDSA nothing.
    let parameters = matches!(public, PublicKey::Rsa { .. }).then(Any::null);
    Ok(AlgorithmIdentifierOwned { oid, parameters })
}

/// Signs what is encoded already, and encodes both.
///
/// # Errors
/// [`Fault::MaterialInvalid`] if the key is not that of the public key. Those of [`crate::KeyHandle::sign`].
pub(super) fn sign(content: &[u8], signer: &Signer<'_>, entropy: &dyn Entropy) -> Result<Vec<u8>, Error> {
    let encoding = |_| Fault::Backend("encoding a signature");
    let algorithm = algorithm_of(signer.public)?;
    let digest = digest::of_message(algorithm, content);
    let raw = signer.key.sign(algorithm, digest.as_ref(), entropy)?;
    // One verification is cheap beside what a certificate that nobody accepts costs its owner.
    if !VerifyingKey::parse(signer.public)?.verify(algorithm, digest.as_ref(), &raw)? {
        return Err(Fault::MaterialInvalid("the signing key is not that of the public key").into());
    }
    let signature = match signer.public {
        PublicKey::Ec { .. } => {
            let (r, s) = raw.split_at(raw.len() / 2);
            let [r, s] = [r, s].map(|half| UintRef::new(integer::strip(half)));
            EcdsaSignature { r: r.map_err(encoding)?, s: s.map_err(encoding)? }.to_der().map_err(encoding)?
        }
        PublicKey::Rsa { .. } | PublicKey::Oct => raw,
    };
    let signed = Signed {
        content: Any::from_der(content).map_err(encoding)?,
        algorithm: identifier(signer.public)?,
        signature: BitString::from_bytes(&signature).map_err(encoding)?,
    };
    Ok(signed.to_der().map_err(encoding)?)
}

impl Signed {
    /// # Errors
    /// [`Refusal::CertificateInvalid`].
    pub(super) fn read(der: &[u8], reason: &'static str) -> Parsed<Self> {
        if der.len() > super::LARGEST {
            return Err(Refusal::CertificateInvalid { reason: "it is larger than 1 MiB" });
        }
        Self::from_der(der).map_err(|_| Refusal::CertificateInvalid { reason })
    }

    /// Whether the signature is one of this key; `None` if that can't be told here: the algorithm or the key is of a
    /// kind that is not used here.
    pub(super) fn is_of(&self, public: &PublicKey) -> Option<bool> {
        let fits = |algorithm: &SignatureAlgorithm| match public {
            PublicKey::Rsa { .. } => algorithm.key_type() == domain::KeyType::Rsa,
            PublicKey::Ec { curve, .. } => curve.algorithm() == *algorithm,
            PublicKey::Oct => false,
        };
        let named = NAMES.iter().filter(|(_, oid)| *oid == self.algorithm.oid);
        let algorithm = named.map(|(algorithm, _)| *algorithm).find(fits)?;
        let key = VerifyingKey::parse(public).ok()?;
        let content = self.content.to_der().ok()?;
        let signature = self.signature.as_bytes()?;
        let raw = match public {
            PublicKey::Ec { curve, .. } => match fixed(signature, curve.coordinate_length()) {
                Some(raw) => raw,
                None => return Some(false),
            },
            PublicKey::Rsa { .. } | PublicKey::Oct => signature.to_vec(),
        };
        key.verify_message(algorithm, &content, &raw).ok()
    }
}

/// `r ‖ s`, each of the curve's length.
fn fixed(signature: &[u8], length: usize) -> Option<Vec<u8>> {
    let EcdsaSignature { r, s } = EcdsaSignature::from_der(signature).ok()?;
    let (r, s) = (integer::fixed(r.as_bytes(), length)?, integer::fixed(s.as_bytes(), length)?);
    Some([r.as_slice(), &s].concat())
}
