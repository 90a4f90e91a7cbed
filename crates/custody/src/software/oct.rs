//! Symmetric keys: AES in its modes, AES key wrap, HMAC. Material: the raw bytes.

use super::{given, refuse};
use crate::entropy::draw;
use crate::{Ciphertext, Decrypt, Encrypt, Entropy, Error, Fault, Generated, KeyHandle};
use aes_kw::{IV_LEN as SEMIBLOCK, KeyInit, KwAes128, KwAes192, KwAes256, KwpAes128, KwpAes192, KwpAes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use domain::{EncryptionAlgorithm, KeySpec, KeyType, KeyUse, PublicKey, Refusal, Secret, SignatureAlgorithm};
use std::sync::OnceLock;
use zeroize::Zeroizing;

const BLOCK: usize = 16;
const GCM_IV: usize = 12;
const GCM_TAG: usize = 16;
const LONGEST_KEY: usize = 64;

/// The ways to encrypt with AES, whatever the size of the key.
enum Mode {
    Gcm,
    Cbc {
        padded: bool,
    },
    /// RFC 3394, or RFC 5649 if padded.
    Wrap {
        padded: bool,
    },
}

fn mode(spec: KeySpec, algorithm: EncryptionAlgorithm, key_use: KeyUse) -> Result<Mode, Error> {
    use EncryptionAlgorithm as A;
    spec.check_encryption(algorithm, key_use)?;
    match algorithm {
        A::A128Gcm | A::A192Gcm | A::A256Gcm => Ok(Mode::Gcm),
        A::A128Cbc | A::A192Cbc | A::A256Cbc => Ok(Mode::Cbc { padded: false }),
        A::A128CbcPad | A::A192CbcPad | A::A256CbcPad => Ok(Mode::Cbc { padded: true }),
        A::A128Kw | A::A192Kw | A::A256Kw | A::AesKeyWrap => Ok(Mode::Wrap { padded: false }),
        A::AesKeyWrapPad => Ok(Mode::Wrap { padded: true }),
        A::Rsa15 | A::RsaOaep | A::RsaOaep256 => {
            Err(Refusal::EncryptionAlgorithmMismatch { algorithm, key: spec, key_use }.into())
        }
    }
}

pub(super) fn generate(bits: u32, entropy: &dyn Entropy) -> Result<Generated, Error> {
    let unsupported = Refusal::KeySizeUnsupported { key_type: KeyType::Oct, bits };
    let length = usize::try_from(bits / 8).map_err(|_| unsupported)?;
    let mut bytes = vec![0; length];
    entropy.fill(&mut bytes);
    Ok(Generated { public: PublicKey::Oct, material: Secret::new(bytes) })
}

pub(super) fn import(k: &Secret) -> Result<Generated, Error> {
    let length = k.expose().len();
    if !(1..=LONGEST_KEY).contains(&length) {
        let bits = u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(8);
        return Err(Refusal::KeySizeUnsupported { key_type: KeyType::Oct, bits }.into());
    }
    Ok(Generated { public: PublicKey::Oct, material: Secret::new(k.expose().to_vec()) })
}

pub(super) struct OctHandle {
    spec: KeySpec,
    key: Secret,
    /// The expanded key with GCM's tables, made at the first use.
    gcm: OnceLock<LessSafeKey>,
}

impl OctHandle {
    pub(super) fn open(bits: u32, material: &Secret) -> Result<Self, Error> {
        let key = material.expose();
        if u32::try_from(key.len()).ok().and_then(|bytes| bytes.checked_mul(8)) != Some(bits) || key.is_empty() {
            return Err(Fault::MaterialInvalid("an oct key of another size").into());
        }
        Ok(Self { spec: KeySpec::Oct { bits }, key: Secret::new(key.to_vec()), gcm: OnceLock::new() })
    }

    fn gcm(&self) -> Result<&LessSafeKey, Fault> {
        if let Some(key) = self.gcm.get() {
            return Ok(key);
        }
        let fault = Fault::Backend("expanding an AES key");
        let algorithm = match self.key.expose().len() {
            16 => &AES_128_GCM,
            24 => &AES_192_GCM,
            32 => &AES_256_GCM,
            _ => return Err(fault),
        };
        let unbound = UnboundKey::new(algorithm, self.key.expose()).map_err(|_| fault)?;
        Ok(self.gcm.get_or_init(|| LessSafeKey::new(unbound)))
    }

    fn encrypt_gcm(&self, request: &Encrypt<'_>, entropy: &dyn Entropy) -> Result<Ciphertext, Error> {
        // A caller's nonce, used twice, would give the key away.
        if given(request.iv).is_some() {
            return Err(Error::parameter("iv", "the service makes it for GCM"));
        }
        let iv = draw::<GCM_IV>(entropy);
        let aad = Aad::from(request.aad.unwrap_or_default());
        let mut value = request.plaintext.to_vec();
        let tag = self
            .gcm()?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), aad, &mut value)
            .map_err(|_| Fault::Backend("AES-GCM encryption"))?;
        Ok(Ciphertext { value, iv: Some(iv.to_vec()), tag: Some(tag.as_ref().to_vec()) })
    }

    fn decrypt_gcm(&self, request: &Decrypt<'_>) -> Result<Secret, Error> {
        let iv: [u8; GCM_IV] = exactly("iv", request.iv, "GCM needs one of 12 bytes")?;
        let tag: [u8; GCM_TAG] = exactly("tag", request.tag, "GCM needs one of 16 bytes")?;
        let aad = Aad::from(request.aad.unwrap_or_default());
        let mut value = Zeroizing::new(request.ciphertext.to_vec());
        self.gcm()?
            .open_in_place_separate_tag(Nonce::assume_unique_for_key(iv), aad, &tag, &mut value)
            .map_err(|_| Refusal::DecryptionFailed)?;
        Ok(Secret::new(value.to_vec()))
    }

    fn cbc_key(&self) -> Result<UnboundCipherKey, Fault> {
        let fault = Fault::Backend("expanding an AES key");
        let algorithm = match self.key.expose().len() {
            16 => &AES_128,
            24 => &AES_192,
            32 => &AES_256,
            _ => return Err(fault),
        };
        UnboundCipherKey::new(algorithm, self.key.expose()).map_err(|_| fault)
    }

    fn encrypt_cbc(&self, request: &Encrypt<'_>, padded: bool) -> Result<Ciphertext, Error> {
        let iv: [u8; BLOCK] = exactly("iv", request.iv, "CBC needs one of 16 bytes")?;
        let fault = |_| Fault::Backend("AES-CBC encryption");
        let context = EncryptionContext::Iv128((&iv).into());
        // Room for the padding at once: growing would leave a copy of the plaintext behind.
        let mut value = Vec::with_capacity(request.plaintext.len() + BLOCK);
        value.extend_from_slice(request.plaintext);
        let key = self.cbc_key()?;
        if padded {
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(fault)?;
            key.less_safe_encrypt(&mut value, context).map_err(fault)?;
        } else {
            // As recorded; the caller knows how long it was.
            value.resize(value.len().next_multiple_of(BLOCK), 0);
            EncryptingKey::cbc(key).map_err(fault)?.less_safe_encrypt(&mut value, context).map_err(fault)?;
        }
        Ok(Ciphertext { value, iv: Some(iv.to_vec()), tag: None })
    }

    fn decrypt_cbc(&self, request: &Decrypt<'_>, padded: bool) -> Result<Secret, Error> {
        let iv: [u8; BLOCK] = exactly("iv", request.iv, "CBC needs one of 16 bytes")?;
        refuse("tag", request.tag)?;
        let fault = |_| Fault::Backend("expanding an AES key");
        let context = DecryptionContext::Iv128((&iv).into());
        let mut buffer = Zeroizing::new(request.ciphertext.to_vec());
        let key = self.cbc_key()?;
        let plaintext = if padded {
            PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(fault)?.decrypt(&mut buffer, context)
        } else {
            DecryptingKey::cbc(key).map_err(fault)?.decrypt(&mut buffer, context)
        }
        .map_err(|_| Refusal::DecryptionFailed)?;
        Ok(Secret::new(plaintext.to_vec()))
    }

    fn wrap(&self, request: &Encrypt<'_>, padded: bool) -> Result<Ciphertext, Error> {
        refuse("iv", request.iv)?;
        refuse("aad", request.aad)?;
        let (key, plaintext) = (self.key.expose(), request.plaintext);
        if padded && plaintext.is_empty() {
            return Err(Error::parameter("value", "it is empty"));
        }
        if !padded && (plaintext.len() < 2 * SEMIBLOCK || !plaintext.len().is_multiple_of(SEMIBLOCK)) {
            return Err(Error::parameter("value", "key wrap needs a multiple of 8 bytes, 16 at least"));
        }
        let mut value = vec![0; (plaintext.len().div_ceil(SEMIBLOCK) + 1) * SEMIBLOCK];
        /// The six ciphers are six types with the same two methods.
        macro_rules! wrap_with {
            ($cipher:ty) => {
                <$cipher>::new_from_slice(key)
                    .ok()
                    .and_then(|cipher| cipher.wrap_key(plaintext, &mut value).ok().map(<[u8]>::len))
            };
        }
        match (key.len(), padded) {
            (16, false) => wrap_with!(KwAes128),
            (24, false) => wrap_with!(KwAes192),
            (32, false) => wrap_with!(KwAes256),
            (16, true) => wrap_with!(KwpAes128),
            (24, true) => wrap_with!(KwpAes192),
            (32, true) => wrap_with!(KwpAes256),
            _ => None,
        }
        .ok_or(Fault::Backend("AES key wrap"))?;
        Ok(Ciphertext { value, iv: None, tag: None })
    }

    fn unwrap(&self, request: &Decrypt<'_>, padded: bool) -> Result<Secret, Error> {
        refuse("iv", request.iv)?;
        refuse("aad", request.aad)?;
        refuse("tag", request.tag)?;
        let (key, wrapped) = (self.key.expose(), request.ciphertext);
        let shortest = if padded { 2 } else { 3 } * SEMIBLOCK;
        if wrapped.len() < shortest || !wrapped.len().is_multiple_of(SEMIBLOCK) {
            return Err(Refusal::DecryptionFailed.into());
        }
        let mut buffer = Zeroizing::new(vec![0; wrapped.len() - SEMIBLOCK]);
        macro_rules! unwrap_with {
            ($cipher:ty) => {
                <$cipher>::new_from_slice(key)
                    .ok()
                    .and_then(|cipher| cipher.unwrap_key(wrapped, &mut buffer).ok().map(<[u8]>::to_vec))
            };
        }
        let plaintext = match (key.len(), padded) {
            (16, false) => unwrap_with!(KwAes128),
            (24, false) => unwrap_with!(KwAes192),
            (32, false) => unwrap_with!(KwAes256),
            (16, true) => unwrap_with!(KwpAes128),
            (24, true) => unwrap_with!(KwpAes192),
            (32, true) => unwrap_with!(KwpAes256),
            _ => None,
        };
        Ok(Secret::new(plaintext.ok_or(Refusal::DecryptionFailed)?))
    }

    fn hmac_key(&self, algorithm: SignatureAlgorithm, value: &[u8]) -> Result<hmac::Key, Error> {
        self.spec.check_signature(algorithm, value)?;
        let digest = match algorithm {
            SignatureAlgorithm::Hs256 => hmac::HMAC_SHA256,
            SignatureAlgorithm::Hs384 => hmac::HMAC_SHA384,
            SignatureAlgorithm::Hs512 => hmac::HMAC_SHA512,
            _ => return Err(Refusal::SignatureAlgorithmMismatch { algorithm, key: self.spec }.into()),
        };
        Ok(hmac::Key::new(digest, self.key.expose()))
    }
}

fn exactly<const N: usize>(
    name: &'static str,
    parameter: Option<&[u8]>,
    reason: &'static str,
) -> Result<[u8; N], Error> {
    parameter.and_then(|bytes| bytes.try_into().ok()).ok_or(Error::parameter(name, reason))
}

impl KeyHandle for OctHandle {
    fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8], _: &dyn Entropy) -> Result<Vec<u8>, Error> {
        let key = self.hmac_key(algorithm, digest)?;
        Ok(hmac::sign(&key, digest).as_ref().to_vec())
    }

    fn verify(&self, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool, Error> {
        let key = self.hmac_key(algorithm, digest)?;
        Ok(hmac::verify(&key, digest, signature).is_ok())
    }

    fn encrypt(&self, request: &Encrypt<'_>, entropy: &dyn Entropy) -> Result<Ciphertext, Error> {
        match mode(self.spec, request.algorithm, KeyUse::Encrypt)? {
            Mode::Gcm => self.encrypt_gcm(request, entropy),
            Mode::Cbc { padded } => self.encrypt_cbc(request, padded),
            Mode::Wrap { padded } => self.wrap(request, padded),
        }
    }

    fn decrypt(&self, request: &Decrypt<'_>) -> Result<Secret, Error> {
        match mode(self.spec, request.algorithm, KeyUse::Decrypt)? {
            Mode::Gcm => self.decrypt_gcm(request),
            Mode::Cbc { padded } => self.decrypt_cbc(request, padded),
            Mode::Wrap { padded } => self.unwrap(request, padded),
        }
    }
}
