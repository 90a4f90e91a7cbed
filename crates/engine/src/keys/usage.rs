//! Using keys: sign, verify, encrypt, decrypt, wrap, unwrap; and random bytes.

use super::key_body;
use crate::{
    Engine, Error, OpenContainer,
    open::{OpenVersion, Opened},
};
use custody::{Decrypt, Encrypt, KeyHandle};
use domain::{
    EncryptionAlgorithm, KeyBody, KeyUse, ObjectKind, ObjectName, Operation, Refusal, Secret, SignatureAlgorithm,
    VersionId, access::Caller, permits,
};

/// The result of a cryptographic operation, and the version that made it.
pub struct CryptoResult {
    pub version: VersionId,
    /// The name in the case it was created with.
    pub name: ObjectName,
    pub value: Secret,
    pub iv: Option<Vec<u8>>,
    pub tag: Option<Vec<u8>>,
    pub aad: Option<Vec<u8>>,
}

/// What to encrypt or wrap. `iv` only for CBC; `aad` for GCM, and passed over by CBC.
pub struct EncryptRequest {
    pub algorithm: EncryptionAlgorithm,
    pub plaintext: Secret,
    pub iv: Option<Vec<u8>>,
    pub aad: Option<Vec<u8>>,
}

/// What to decrypt or unwrap.
pub struct DecryptRequest {
    pub algorithm: EncryptionAlgorithm,
    pub ciphertext: Vec<u8>,
    pub iv: Option<Vec<u8>>,
    pub aad: Option<Vec<u8>>,
    pub tag: Option<Vec<u8>>,
}

/// Most random bytes in one request (contract: key-vault §2, rng).
const MAX_RANDOM_BYTES: usize = 128;

impl Engine {
    /// Signs a digest.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], the refusals of [`permits`],
    /// [`Refusal::SignatureAlgorithmMismatch`], [`Refusal::DigestLengthWrong`].
    pub fn sign(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
    ) -> Result<CryptoResult, Error> {
        self.exercise(caller, KeyUse::Sign, target, name, version, |target, key, body| {
            body.spec.check_signature(algorithm, digest)?;
            let signature = self.handle(target, key)?.sign(algorithm, digest, &*self.entropy)?;
            Ok(result(key, Secret::new(signature)))
        })
    }

    /// Whether a signature over a digest is the key's.
    ///
    /// # Errors
    /// As [`Engine::sign`]; a signature that does not verify is no error.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the request")]
    pub fn verify(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        self.exercise(caller, KeyUse::Verify, target, name, version, |target, key, body| {
            body.spec.check_signature(algorithm, digest)?;
            Ok(self.handle(target, key)?.verify(algorithm, digest, signature)?)
        })
    }

    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::NotFound`], the refusals of [`permits`],
    /// [`Refusal::EncryptionAlgorithmMismatch`], [`Refusal::ParameterInvalid`].
    pub fn encrypt(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        request: &EncryptRequest,
    ) -> Result<CryptoResult, Error> {
        self.protect(caller, KeyUse::Encrypt, target, name, version, request)
    }

    /// # Errors
    /// As [`Engine::encrypt`], and [`Refusal::DecryptionFailed`].
    pub fn decrypt(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        request: &DecryptRequest,
    ) -> Result<CryptoResult, Error> {
        self.unprotect(caller, KeyUse::Decrypt, target, name, version, request)
    }

    /// # Errors
    /// As [`Engine::encrypt`].
    pub fn wrap_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        request: &EncryptRequest,
    ) -> Result<CryptoResult, Error> {
        self.protect(caller, KeyUse::Wrap, target, name, version, request)
    }

    /// # Errors
    /// As [`Engine::decrypt`].
    pub fn unwrap_key(
        &self,
        caller: &Caller,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        request: &DecryptRequest,
    ) -> Result<CryptoResult, Error> {
        self.unprotect(caller, KeyUse::Unwrap, target, name, version, request)
    }

    /// Random bytes of a managed HSM: 1 to 128.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::ParameterInvalid`].
    pub fn random_bytes(&self, caller: &Caller, target: &OpenContainer, count: i64) -> Result<Secret, Error> {
        self.authorised(caller, Operation::RandomGet, target, "/", |entry| Ok(entry.check_active()?))?;
        let count = usize::try_from(count).ok().filter(|count| (1..=MAX_RANDOM_BYTES).contains(count));
        let count = count.ok_or(Refusal::ParameterInvalid {
            parameter: "count",
            reason: "cannot be greater than 128 or less than 1",
        })?;
        let mut bytes = vec![0; count];
        self.entropy.fill(&mut bytes);
        Ok(Secret::new(bytes))
    }

    fn protect(
        &self,
        caller: &Caller,
        key_use: KeyUse,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        request: &EncryptRequest,
    ) -> Result<CryptoResult, Error> {
        self.exercise(caller, key_use, target, name, version, |target, key, body| {
            body.spec.check_encryption(request.algorithm, key_use)?;
            let work = Encrypt {
                algorithm: request.algorithm,
                plaintext: request.plaintext.expose(),
                iv: request.iv.as_deref(),
                aad: request.aad.as_deref(),
            };
            let made = self.handle(target, key)?.encrypt(&work, &*self.entropy)?;
            let mut result = result(key, Secret::new(made.value));
            result.iv = made.iv;
            result.tag = made.tag;
            result.aad = request.aad.clone().filter(|_| request.algorithm.is_gcm());
            Ok(result)
        })
    }

    fn unprotect(
        &self,
        caller: &Caller,
        key_use: KeyUse,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        request: &DecryptRequest,
    ) -> Result<CryptoResult, Error> {
        self.exercise(caller, key_use, target, name, version, |target, key, body| {
            body.spec.check_encryption(request.algorithm, key_use)?;
            let work = Decrypt {
                algorithm: request.algorithm,
                ciphertext: &request.ciphertext,
                iv: request.iv.as_deref(),
                aad: request.aad.as_deref(),
                tag: request.tag.as_deref(),
            };
            let plaintext = self.handle(target, key)?.decrypt(&work)?;
            Ok(result(key, plaintext))
        })
    }

    /// Works with a version of a key if it may be used so now. What was done with it is noted, for it may cost.
    fn exercise<T>(
        &self,
        caller: &Caller,
        key_use: KeyUse,
        target: &OpenContainer,
        name: &ObjectName,
        version: Option<VersionId>,
        work: impl Fn(&OpenContainer, &OpenVersion, &KeyBody) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let key = (ObjectKind::Key, name);
        self.use_version(caller, operation_of(key_use), target, key, version, |target, key| {
            let body = key_body(&key.version)?;
            permits(&key.version.attributes, &body.key_ops, key_use, self.now())?;
            let done = work(target, key, body)?;
            self.note_use(target, key);
            Ok(done)
        })
    }

    /// The usable key.
    pub(crate) fn handle<'open>(
        &self,
        target: &OpenContainer,
        key: &'open OpenVersion,
    ) -> Result<&'open dyn KeyHandle, Error> {
        let body = key_body(&key.version)?;
        let parse = |material: Secret| Ok(Opened::Key(self.provider.open(body.spec, &body.public, &material)?));
        match self.opened(target, key, parse)? {
            Opened::Key(handle) => Ok(handle.as_ref()),
            Opened::Secret(_) => Err(Error::Broken("a version of a key is something else")),
        }
    }
}

fn operation_of(key_use: KeyUse) -> Operation {
    match key_use {
        KeyUse::Encrypt => Operation::KeyEncrypt,
        KeyUse::Decrypt => Operation::KeyDecrypt,
        KeyUse::Sign => Operation::KeySign,
        KeyUse::Verify => Operation::KeyVerify,
        KeyUse::Wrap => Operation::KeyWrap,
        KeyUse::Unwrap => Operation::KeyUnwrap,
    }
}

fn result(key: &OpenVersion, value: Secret) -> CryptoResult {
    CryptoResult { version: key.version.id, name: key.object.name.clone(), value, iv: None, tag: None, aad: None }
}
