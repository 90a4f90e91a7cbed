//! RSA keys: signatures over given digests, and encryption. Material: PKCS#8 DER (RFC 5958, version 1).

use super::{integer, refuse};
use crate::{Ciphertext, Decrypt, Encrypt, Entropy, Error, Fault, Generated, KeyHandle};
use aws_lc_rs::digest::{Algorithm, Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeyPair, KeyPairComponents, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey, PublicKeyComponents,
};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaParameters, RsaSignatureEncoding,
};
use domain::{EncryptionAlgorithm, KeySpec, KeyType, KeyUse, PublicKey, Refusal, Secret, SignatureAlgorithm};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// One signature algorithm in the library's terms. PSS salts are as long as the digest: the library's default.
struct Scheme {
    encoding: &'static RsaSignatureEncoding,
    parameters: &'static RsaParameters,
    digest: &'static Algorithm,
    /// Where [`RsaPublic`] keeps the key that was parsed for it.
    index: usize,
}

fn scheme(algorithm: SignatureAlgorithm) -> Option<Scheme> {
    use SignatureAlgorithm as A;
    let (encoding, parameters, digest, index) = match algorithm {
        A::Rs256 => (&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256, &SHA256, 0),
        A::Rs384 => (&RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384, &SHA384, 1),
        A::Rs512 => (&RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512, &SHA512, 2),
        A::Ps256 => (&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256, &SHA256, 3),
        A::Ps384 => (&RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384, &SHA384, 4),
        A::Ps512 => (&RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512, &SHA512, 5),
        A::Es256 | A::Es384 | A::Es512 | A::Es256K | A::Hs256 | A::Hs384 | A::Hs512 => return None,
    };
    Some(Scheme { encoding, parameters, digest, index })
}

/// How an encryption algorithm pads, and how many bytes of the modulus that takes.
#[derive(Clone, Copy)]
enum Padding {
    Pkcs1,
    Oaep(&'static OaepAlgorithm, usize),
}

impl Padding {
    fn overhead(self) -> usize {
        match self {
            Self::Pkcs1 => 11,
            Self::Oaep(_, digest) => 2 * digest + 2,
        }
    }
}

fn padding(spec: KeySpec, algorithm: EncryptionAlgorithm, key_use: KeyUse) -> Result<Padding, Error> {
    match algorithm {
        EncryptionAlgorithm::Rsa15 => Ok(Padding::Pkcs1),
        EncryptionAlgorithm::RsaOaep => Ok(Padding::Oaep(&OAEP_SHA1_MGF1SHA1, 20)),
        EncryptionAlgorithm::RsaOaep256 => Ok(Padding::Oaep(&OAEP_SHA256_MGF1SHA256, 32)),
        _ => Err(Refusal::EncryptionAlgorithmMismatch { algorithm, key: spec, key_use }.into()),
    }
}

/// The size of a modulus, if keys of that size are supported.
fn supported_bits(n: &[u8]) -> Result<u32, Error> {
    match integer::bit_length(n) {
        bits @ (2048 | 3072 | 4096) => Ok(bits),
        bits => Err(Refusal::KeySizeUnsupported { key_type: KeyType::Rsa, bits }.into()),
    }
}

/// The public half. What an algorithm needs is parsed at its first use: most keys are used with one.
pub(super) struct RsaPublic {
    bits: u32,
    n: Vec<u8>,
    e: Vec<u8>,
    verifying: [OnceLock<ParsedPublicKey>; 6],
    encrypting: OnceLock<Encrypting>,
}

struct Encrypting {
    oaep: OaepPublicEncryptingKey,
    pkcs1: Pkcs1PublicEncryptingKey,
}

impl RsaPublic {
    pub(super) fn new(bits: u32, n: &[u8], e: &[u8]) -> Self {
        let (n, e) = (integer::strip(n).to_vec(), integer::strip(e).to_vec());
        Self { bits, n, e, verifying: Default::default(), encrypting: OnceLock::new() }
    }

    fn spec(&self) -> KeySpec {
        KeySpec::Rsa { bits: self.bits }
    }

    fn components(&self) -> PublicKeyComponents<&[u8]> {
        PublicKeyComponents { n: &self.n, e: &self.e }
    }

    /// The scheme of an algorithm and the digest in the library's terms, both checked.
    fn prepare(&self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<(Scheme, Digest), Error> {
        self.spec().check_signature(algorithm, digest)?;
        let scheme = scheme(algorithm)
            .ok_or(Error::Refused(Refusal::SignatureAlgorithmMismatch { algorithm, key: self.spec() }))?;
        let digest =
            Digest::import_less_safe(digest, scheme.digest).map_err(|_| Fault::Backend("importing a digest"))?;
        Ok((scheme, digest))
    }

    pub(super) fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error> {
        let (scheme, digest) = self.prepare(algorithm, digest)?;
        let invalid = Error::Refused(Refusal::KeyPairInvalid { curve: None });
        let Some(slot) = self.verifying.get(scheme.index) else { return Err(invalid) };
        let key = match slot.get() {
            Some(key) => key,
            None => {
                let parsed = self.components().to_parsed_public_key(scheme.parameters).map_err(|_| invalid)?;
                slot.get_or_init(|| parsed)
            }
        };
        Ok(key.verify_digest_sig(&digest, signature).is_ok())
    }

    /// Refuses what can't be a public key: a modulus or an exponent that is even, an exponent that changes nothing or is
    /// longer than any in use. The library would find out at the first signature.
    pub(super) fn check(&self) -> Result<(), Error> {
        const LONGEST_EXPONENT: usize = 4;
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        if is_odd(&self.n) && is_odd(&self.e) && self.e != [1] && self.e.len() <= LONGEST_EXPONENT {
            return Ok(());
        }
        Err(Refusal::KeyPairInvalid { curve: None }.into())
    }

    fn encrypting(&self) -> Result<&Encrypting, Fault> {
        if let Some(key) = self.encrypting.get() {
            return Ok(key);
        }
        let fault = || Fault::Backend("opening an RSA public key");
        let key: PublicEncryptingKey = self.components().try_into().map_err(|_| fault())?;
        let oaep = OaepPublicEncryptingKey::new(key.clone()).map_err(|_| fault())?;
        let pkcs1 = Pkcs1PublicEncryptingKey::new(key).map_err(|_| fault())?;
        Ok(self.encrypting.get_or_init(|| Encrypting { oaep, pkcs1 }))
    }

    fn encrypt(&self, request: &Encrypt<'_>) -> Result<Ciphertext, Error> {
        let padding = padding(self.spec(), request.algorithm, KeyUse::Encrypt)?;
        refuse("iv", request.iv)?;
        refuse("aad", request.aad)?;
        if request.plaintext.len() + padding.overhead() > self.n.len() {
            return Err(Error::parameter("value", "it is too long for the key and the algorithm"));
        }
        let key = self.encrypting()?;
        let mut value = vec![0; self.n.len()];
        let written = match padding {
            Padding::Pkcs1 => key.pkcs1.encrypt(request.plaintext, &mut value),
            Padding::Oaep(oaep, _) => key.oaep.encrypt(oaep, request.plaintext, &mut value, None),
        }
        .map_err(|_| Fault::Backend("RSA encryption"))?
        .len();
        value.truncate(written);
        Ok(Ciphertext { value, iv: None, tag: None })
    }
}

fn generated(pair: &KeyPair) -> Result<Generated, Error> {
    let components: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let document = pair.as_der().map_err(|_| Fault::Backend("writing an RSA key"))?;
    let public = PublicKey::Rsa { n: components.n, e: components.e };
    Ok(Generated { public, material: Secret::new(document.as_ref().to_vec()) })
}

pub(super) fn generate(bits: u32) -> Result<Generated, Error> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(Refusal::KeySizeUnsupported { key_type: KeyType::Rsa, bits }.into()),
    };
    generated(&KeyPair::generate(size).map_err(|_| Fault::Backend("RSA key generation"))?)
}

/// The parts of a private RSA key (RFC 7518 §6.3).
pub(super) struct Parts<'a> {
    pub n: &'a [u8],
    pub e: &'a [u8],
    pub d: &'a Secret,
    pub p: &'a Secret,
    pub q: &'a Secret,
    pub dp: &'a Secret,
    pub dq: &'a Secret,
    pub qi: &'a Secret,
}

pub(super) fn import(parts: &Parts<'_>) -> Result<Generated, Error> {
    supported_bits(parts.n)?;
    let invalid = || Error::Refused(Refusal::KeyPairInvalid { curve: None });
    let public_key = PublicKeyComponents { n: integer::strip(parts.n), e: integer::strip(parts.e) };
    // Checks every relation between the parts, but not that `p` and `q` are prime …
    let pair = KeyPair::from_components(&KeyPairComponents {
        public_key,
        d: parts.d.expose(),
        p: parts.p.expose(),
        q: parts.q.expose(),
        dP: parts.dp.expose(),
        dQ: parts.dq.expose(),
        qInv: parts.qi.expose(),
    })
    .map_err(|_| invalid())?;
    // … so use it once: the library checks its own signature, which fails if they are not.
    let probe = aws_lc_rs::digest::digest(&SHA256, b"strongroom: pairwise consistency");
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(&RSA_PKCS1_SHA256, &probe, &mut signature).map_err(|_| invalid())?;
    generated(&pair)
}

pub(super) struct RsaHandle {
    public: RsaPublic,
    signing: KeyPair,
    /// The library wants another type of key for decryption; made at the first use, as many keys only sign.
    decrypting: OnceLock<Decrypting>,
}

/// Both share one parsed key.
struct Decrypting {
    oaep: OaepPrivateDecryptingKey,
    pkcs1: Pkcs1PrivateDecryptingKey,
}

impl RsaHandle {
    pub(super) fn open(bits: u32, n: &[u8], e: &[u8], material: &Secret) -> Result<Self, Error> {
        let signing =
            KeyPair::from_pkcs8(material.expose()).map_err(|_| Fault::MaterialInvalid("no PKCS#8 RSA key"))?;
        let own: PublicKeyComponents<Vec<u8>> = signing.public_key().into();
        let public = RsaPublic::new(bits, n, e);
        if own.n != public.n || own.e != public.e || integer::bit_length(n) != bits {
            return Err(Fault::MaterialInvalid("the RSA key is not that of the public key").into());
        }
        Ok(Self { public, signing, decrypting: OnceLock::new() })
    }

    fn decrypting(&self) -> Result<&Decrypting, Fault> {
        if let Some(key) = self.decrypting.get() {
            return Ok(key);
        }
        let fault = || Fault::Backend("opening an RSA key for decryption");
        let document = self.signing.as_der().map_err(|_| fault())?;
        let key = PrivateDecryptingKey::from_pkcs8(document.as_ref()).map_err(|_| fault())?;
        let oaep = OaepPrivateDecryptingKey::new(key.clone()).map_err(|_| fault())?;
        let pkcs1 = Pkcs1PrivateDecryptingKey::new(key).map_err(|_| fault())?;
        Ok(self.decrypting.get_or_init(|| Decrypting { oaep, pkcs1 }))
    }
}

impl KeyHandle for RsaHandle {
    fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8], _: &dyn Entropy) -> Result<Vec<u8>, Error> {
        let (scheme, digest) = self.public.prepare(algorithm, digest)?;
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign_digest(scheme.encoding, &digest, &mut signature)
            .map_err(|_| Fault::Backend("RSA signing"))?;
        Ok(signature)
    }

    fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error> {
        self.public.verify(algorithm, digest, signature)
    }

    fn encrypt(&self, request: &Encrypt<'_>, _: &dyn Entropy) -> Result<Ciphertext, Error> {
        self.public.encrypt(request)
    }

    fn decrypt(&self, request: &Decrypt<'_>) -> Result<Secret, Error> {
        let padding = padding(self.public.spec(), request.algorithm, KeyUse::Decrypt)?;
        refuse("iv", request.iv)?;
        refuse("aad", request.aad)?;
        refuse("tag", request.tag)?;
        let key = self.decrypting()?;
        let mut buffer = Zeroizing::new(vec![0; self.public.n.len()]);
        // One answer for everything: which check failed must not be seen (Bleichenbacher, Manger).
        let plaintext = match padding {
            Padding::Pkcs1 => key.pkcs1.decrypt(request.ciphertext, &mut buffer),
            Padding::Oaep(oaep, _) => key.oaep.decrypt(oaep, request.ciphertext, &mut buffer, None),
        }
        .map_err(|_| Refusal::DecryptionFailed)?;
        Ok(Secret::new(plaintext.to_vec()))
    }
}
