//! Writing, without a password.
//!
//! Readers expect key and certificates encrypted and the file authenticated, also where the password is empty: many open
//! nothing else. So that is what is written, with the algorithms and the effort of OpenSSL 3. It protects nothing.

use super::{
    encryption::{self, AES_256_CBC, Digest, HMAC_SHA256, PBES2, PBKDF2, Password, SHA256, Work},
    structures::{
        CERTIFICATE_BAG, CertificateBag, ContentInfo, DATA, DigestInfo, ENCRYPTED_DATA, EncryptedContentInfo,
        EncryptedData, EncryptedPrivateKey, LOCAL_KEY_ID, MacData, Pbes2Parameters, Pbkdf2Parameters, Pfx,
        SHROUDED_KEY_BAG, SafeBag, VERSION, X509_CERTIFICATE,
    },
};
use crate::{Entropy, Error, Fault, entropy::draw, x509::Certificate};
use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    hmac, pbkdf2,
};
use der::{
    Any, AnyRef, Decode, Encode, Tag,
    asn1::{ObjectIdentifier, OctetString, OctetStringRef, SetOfVec},
};
use domain::Secret;
use std::num::NonZeroU32;
use x509_cert::{attr::Attribute, spki::AlgorithmIdentifierRef};
use zeroize::Zeroizing;

const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2047);
const BLOCK: usize = 16;

/// With an empty password whoever has an encrypted part has what is in it, so every part is wiped.
type Encoded = Zeroizing<Vec<u8>>;

/// A file of a private key in PKCS#8, if there is one, and certificates. The first is that of the key.
///
/// # Errors
/// [`domain::Refusal::CertificateInvalid`] if the first certificate can't be read, or a fault of the backend.
pub fn write(private: Option<&Secret>, certificates: &[Vec<u8>], entropy: &dyn Entropy) -> Result<Secret, Error> {
    let first = certificates.first().map(|der| Certificate::read(der)).transpose()?;
    // What ties a key to its certificate among several: any bytes will do; the thumbprint is customary.
    let key_id = first.filter(|_| private.is_some()).map(|first| first.thumbprint);
    let key_id = key_id.map(|thumbprint| key_id_attribute(&thumbprint)).transpose().map_err(encoding)?;
    let mut safes = Vec::new();
    if !certificates.is_empty() {
        safes.push(certificate_safe(certificates, key_id.as_ref(), entropy)?);
    }
    if let Some(key) = private {
        safes.push(key_safe(key, key_id.as_ref(), entropy)?);
    }
    let content = sequence(&safes).map_err(encoding)?;
    let salt = draw::<16>(entropy);
    let mut work = Work::of(ITERATIONS.get());
    let key = encryption::mac_key(Digest::Sha256, &salt, ITERATIONS.get(), &Password::none(), &mut work)?;
    let code = hmac::sign(&key, &content);
    let file = assemble(&content, &salt, code.as_ref()).map_err(encoding)?;
    Ok(Secret::new(file.to_vec()))
}

fn encoding(_: der::Error) -> Fault {
    Fault::Backend("encoding a PKCS#12 file")
}

fn encode<T: Encode>(value: &T) -> der::Result<Encoded> {
    value.to_der().map(Zeroizing::new)
}

/// A sequence of what is encoded already.
fn sequence(items: &[Encoded]) -> der::Result<Encoded> {
    encode(&items.iter().map(|item| AnyRef::from_der(item)).collect::<der::Result<Vec<_>>>()?)
}

fn assemble(content: &[u8], salt: &[u8], code: &[u8]) -> der::Result<Encoded> {
    let algorithm = AlgorithmIdentifierRef { oid: SHA256, parameters: Some(AnyRef::NULL) };
    let mac = DigestInfo { algorithm, digest: OctetStringRef::new(code)? };
    let mac = MacData { mac, salt: OctetStringRef::new(salt)?, iterations: ITERATIONS.get() };
    let safes = ContentInfo { content_type: DATA, content: Some(AnyRef::new(Tag::OctetString, content)?) };
    encode(&Pfx { version: VERSION, safes, mac: Some(mac) })
}

fn key_id_attribute(id: &[u8]) -> der::Result<SetOfVec<Attribute>> {
    let values = SetOfVec::from_iter([Any::encode_from(&OctetString::new(id)?)?])?;
    SetOfVec::from_iter([Attribute { oid: LOCAL_KEY_ID, values }])
}

/// The certificates, encrypted together. The first has the attributes.
fn certificate_safe(
    certificates: &[Vec<u8>],
    key_id: Option<&SetOfVec<Attribute>>,
    entropy: &dyn Entropy,
) -> Result<Encoded, Fault> {
    let mut bags = Vec::new();
    for (at, der) in certificates.iter().enumerate() {
        let value = OctetStringRef::new(der).and_then(|value| encode(&CertificateBag { id: X509_CERTIFICATE, value }));
        bags.push(bag(CERTIFICATE_BAG, &value.map_err(encoding)?, key_id.filter(|_| at == 0)).map_err(encoding)?);
    }
    let (parameters, encrypted) = encrypt(&sequence(&bags).map_err(encoding)?, entropy)?;
    let assembled = AnyRef::from_der(&parameters).and_then(|parameters| {
        let algorithm = AlgorithmIdentifierRef { oid: PBES2, parameters: Some(parameters) };
        let content =
            EncryptedContentInfo { content_type: DATA, algorithm, encrypted: Some(OctetStringRef::new(&encrypted)?) };
        let data = encode(&EncryptedData { version: 0, content, unprotected: None })?;
        encode(&ContentInfo { content_type: ENCRYPTED_DATA, content: Some(AnyRef::from_der(&data)?) })
    });
    assembled.map_err(encoding)
}

/// The key, encrypted by itself.
fn key_safe(key: &Secret, key_id: Option<&SetOfVec<Attribute>>, entropy: &dyn Entropy) -> Result<Encoded, Fault> {
    let (parameters, encrypted) = encrypt(key.expose(), entropy)?;
    let assembled = AnyRef::from_der(&parameters).and_then(|parameters| {
        let algorithm = AlgorithmIdentifierRef { oid: PBES2, parameters: Some(parameters) };
        let shrouded = encode(&EncryptedPrivateKey { algorithm, encrypted: OctetStringRef::new(&encrypted)? })?;
        let bags = sequence(&[bag(SHROUDED_KEY_BAG, &shrouded, key_id)?])?;
        encode(&ContentInfo { content_type: DATA, content: Some(AnyRef::new(Tag::OctetString, &bags)?) })
    });
    assembled.map_err(encoding)
}

fn bag(id: ObjectIdentifier, value: &[u8], attributes: Option<&SetOfVec<Attribute>>) -> der::Result<Encoded> {
    let attributes = attributes.map(encode).transpose()?;
    let attributes = attributes.as_deref().map(|der| AnyRef::from_der(der)).transpose()?;
    encode(&SafeBag { id, value: AnyRef::from_der(value)?, attributes })
}

/// AES-256 in CBC under a key that PBKDF2 derives from the empty password: the encoded parameters, and the ciphertext.
fn encrypt(plaintext: &[u8], entropy: &dyn Entropy) -> Result<(Encoded, Encoded), Fault> {
    let fault = |_| Fault::Backend("AES-CBC encryption");
    let (salt, iv) = (draw::<16>(entropy), draw::<BLOCK>(entropy));
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, b"", key.as_mut_slice());
    // Room for the padding at once: growing would leave a copy of the plaintext behind.
    let mut encrypted = Zeroizing::new(Vec::with_capacity(plaintext.len() + BLOCK));
    encrypted.extend_from_slice(plaintext);
    let cipher = UnboundCipherKey::new(&AES_256, key.as_slice()).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
    let context = EncryptionContext::Iv128((&iv).into());
    cipher.map_err(fault)?.less_safe_encrypt(&mut *encrypted, context).map_err(fault)?;
    Ok((encode_parameters(&salt, &iv).map_err(encoding)?, encrypted))
}

fn encode_parameters(salt: &[u8], iv: &[u8]) -> der::Result<Encoded> {
    let function = AlgorithmIdentifierRef { oid: HMAC_SHA256, parameters: Some(AnyRef::NULL) };
    let derivation = encode(&Pbkdf2Parameters {
        salt: OctetStringRef::new(salt)?,
        iterations: ITERATIONS.get(),
        key_length: None,
        function: Some(function),
    })?;
    let derivation = AlgorithmIdentifierRef { oid: PBKDF2, parameters: Some(AnyRef::from_der(&derivation)?) };
    let iv = AnyRef::new(Tag::OctetString, iv)?;
    let encryption = AlgorithmIdentifierRef { oid: AES_256_CBC, parameters: Some(iv) };
    encode(&Pbes2Parameters { derivation, encryption })
}
