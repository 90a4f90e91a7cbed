//! Public keys as certificates hold them (RFC 5280 §4.1.2.7, RFC 3279 §2.3, RFC 5480).

use crate::{Fault, software::integer, x509::Parsed};
use der::{
    Any, Decode, Encode, Tag, Tagged,
    asn1::{BitString, ObjectIdentifier, UintRef},
};
use domain::{Curve, PublicKey, Refusal};
use pkcs1::RsaPublicKeyRef;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVES: [(Curve, ObjectIdentifier); 4] = [
    (Curve::P256, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    (Curve::P384, ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    (Curve::P521, ObjectIdentifier::new_unwrap("1.3.132.0.35")),
    (Curve::P256K, ObjectIdentifier::new_unwrap("1.3.132.0.10")),
];
/// The mark of a point with both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// # Errors
/// A fault for a symmetric key, which has no public part, or one that is not sound.
pub(super) fn encode(public: &PublicKey) -> Result<SubjectPublicKeyInfoOwned, Fault> {
    let unusable = |_| Fault::MaterialInvalid("the public key can't be encoded");
    let (algorithm, bits) = match public {
        PublicKey::Rsa { n, e } => {
            let modulus = UintRef::new(integer::strip(n)).map_err(unusable)?;
            let public_exponent = UintRef::new(integer::strip(e)).map_err(unusable)?;
            let parameters = Some(Any::null());
            let key = RsaPublicKeyRef { modulus, public_exponent }.to_der().map_err(unusable)?;
            (AlgorithmIdentifierOwned { oid: pkcs1::ALGORITHM_OID, parameters }, key)
        }
        PublicKey::Ec { curve, x, y } => {
            let oid = CURVES.iter().find(|(known, _)| known == curve).map(|(_, oid)| oid);
            let parameters = oid.map(Any::encode_from).transpose().map_err(unusable)?;
            let point = [&[UNCOMPRESSED], x.as_slice(), y].concat();
            (AlgorithmIdentifierOwned { oid: EC, parameters }, point)
        }
        PublicKey::Oct => return Err(Fault::MaterialInvalid("a symmetric key has no public part")),
    };
    let subject_public_key = BitString::from_bytes(&bits).map_err(unusable)?;
    Ok(SubjectPublicKeyInfoOwned { algorithm, subject_public_key })
}

/// # Errors
/// [`Refusal::CertificateInvalid`] for a key that a vault can't hold: of another type or curve.
pub(super) fn decode(info: &SubjectPublicKeyInfoOwned) -> Parsed<PublicKey> {
    let invalid = |reason| Refusal::CertificateInvalid { reason };
    let malformed = invalid("its public key is malformed");
    let bits = info.subject_public_key.as_bytes().ok_or(malformed.clone())?;
    if info.algorithm.oid == pkcs1::ALGORITHM_OID {
        let key = RsaPublicKeyRef::from_der(bits).map_err(|_| malformed)?;
        let (n, e) = (key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec());
        return Ok(PublicKey::Rsa { n, e });
    }
    let parameters = info.algorithm.parameters.as_ref().filter(|_| info.algorithm.oid == EC);
    if parameters.is_some_and(|parameters| parameters.tag() == Tag::Sequence) {
        return Err(invalid("the curve of its key is written out, which RFC 5480 does not allow, and not named"));
    }
    let named = parameters.and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    let unsupported = invalid("its key is neither RSA nor on a curve that is supported");
    let curve = CURVES.iter().find(|(_, oid)| named == Some(*oid)).map(|(curve, _)| *curve).ok_or(unsupported)?;
    if matches!(bits.first(), Some(2 | 3)) {
        return Err(invalid("the point of its key is compressed: it is taken with both coordinates only"));
    }
    let coordinates = bits.strip_prefix(&[UNCOMPRESSED]).filter(|rest| rest.len() == 2 * curve.coordinate_length());
    let (x, y) = coordinates.ok_or(malformed)?.split_at(curve.coordinate_length());
    Ok(PublicKey::Ec { curve, x: x.to_vec(), y: y.to_vec() })
}

/// Whether two keys are the same, however many zeros lead their numbers.
pub(crate) fn are_same(one: &PublicKey, other: &PublicKey) -> bool {
    let same = |one: &[u8], other: &[u8]| integer::strip(one) == integer::strip(other);
    match (one, other) {
        (PublicKey::Rsa { n, e }, PublicKey::Rsa { n: other_n, e: other_e }) => same(n, other_n) && same(e, other_e),
        (PublicKey::Ec { curve, x, y }, PublicKey::Ec { curve: other, x: other_x, y: other_y }) => {
            curve == other && same(x, other_x) && same(y, other_y)
        }
        _ => false,
    }
}
