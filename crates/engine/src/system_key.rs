//! Keys of the installation itself, by name: what the embedded issuer signs tokens with, what a provider of certificates
//! signs its requests with. They persist, so that what depends on one outlives a restart. What a name means, and what is
//! signed, is not known here.

use crate::{Engine, Error};
use custody::{Context, KeyHandle, Purpose};
use domain::{Curve, KeySpec, PublicKey, Sealed, SignatureAlgorithm};
use serde::{Deserialize, Serialize};

/// An ES256 key that signs, and checks that a signature is its own.
pub struct SystemKey {
    pub public: PublicKey,
    handle: Box<dyn KeyHandle>,
    entropy: std::sync::Arc<dyn custody::Entropy>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    public: PublicKey,
    material: Sealed,
}

/// The embedded issuer's.
const ISSUER: &str = "issuer-key";
const BROKEN: Error = Error::Broken("the record of a system key");
const SPEC: KeySpec = KeySpec::Ec { curve: Curve::P256 };

impl SystemKey {
    /// Signs a message: `r‖s`, 64 bytes (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`Error::Custody`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.handle.sign(SignatureAlgorithm::Es256, &custody::sha256(message), &*self.entropy)?)
    }

    /// # Errors
    /// [`Error::Custody`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<bool, Error> {
        Ok(self.handle.verify(SignatureAlgorithm::Es256, &custody::sha256(message), signature)?)
    }
}

impl Engine {
    /// The key of the embedded issuer.
    ///
    /// # Errors
    /// Those of [`Engine::system_key`].
    pub fn issuer_key(&self) -> Result<SystemKey, Error> {
        self.system_key(ISSUER)
    }

    /// A key of the installation, made at its first use. Names of keys and of other system records are in one space.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Custody`].
    pub fn system_key(&self, name: &str) -> Result<SystemKey, Error> {
        let made = self.provider.generate(SPEC, &*self.entropy)?;
        let material = self.root.as_wrapping().seal(&context(name), made.material.expose(), &*self.entropy)?;
        let fresh = Record { public: made.public, material };
        let fresh = serde_json::to_vec(&fresh).map_err(|_| BROKEN)?;
        let stored = self.store.transact("SystemKey", |tx| match tx.system_record(name)? {
            Some(found) => Ok::<_, Error>(found),
            None => {
                tx.put_system_record(name, &fresh)?;
                Ok(fresh.clone())
            }
        })?;
        let record: Record = serde_json::from_slice(&stored).map_err(|_| BROKEN)?;
        let material = self.root.as_wrapping().open(&context(name), &record.material)?;
        let handle = self.provider.open(SPEC, &record.public, &material)?;
        Ok(SystemKey { public: record.public, handle, entropy: std::sync::Arc::clone(&self.entropy) })
    }
}

fn context(name: &str) -> Context<'_> {
    Context { container: None, kind: "system", name, version: None, purpose: Purpose::SystemKey }
}
