//! The signing key of the embedded issuer. It persists, so that tokens outlive a restart.

use crate::{Engine, Error};
use custody::{Context, KeyHandle, Purpose};
use domain::{Curve, KeySpec, PublicKey, Sealed, SignatureAlgorithm};
use serde::{Deserialize, Serialize};

/// An ES256 key: signs tokens, and checks that a token is its own.
pub struct IssuerKey {
    pub public: PublicKey,
    handle: Box<dyn KeyHandle>,
    entropy: std::sync::Arc<dyn custody::Entropy>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    public: PublicKey,
    material: Sealed,
}

const RECORD: &str = "issuer-key";
const SPEC: KeySpec = KeySpec::Ec { curve: Curve::P256 };

impl IssuerKey {
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
    /// The issuer's key, made at its first use.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Custody`].
    pub fn issuer_key(&self) -> Result<IssuerKey, Error> {
        let made = self.provider.generate(SPEC, &*self.entropy)?;
        let material = self.root.as_wrapping().seal(&context(), made.material.expose(), &*self.entropy)?;
        let fresh = Record { public: made.public, material };
        let fresh = serde_json::to_vec(&fresh).map_err(|_| Error::Broken(RECORD))?;
        let stored = self.store.transact("IssuerKey", |tx| match tx.system_record(RECORD)? {
            Some(found) => Ok::<_, Error>(found),
            None => {
                tx.put_system_record(RECORD, &fresh)?;
                Ok(fresh.clone())
            }
        })?;
        let record: Record = serde_json::from_slice(&stored).map_err(|_| Error::Broken(RECORD))?;
        let material = self.root.as_wrapping().open(&context(), &record.material)?;
        let handle = self.provider.open(SPEC, &record.public, &material)?;
        Ok(IssuerKey { public: record.public, handle, entropy: std::sync::Arc::clone(&self.entropy) })
    }
}

fn context() -> Context<'static> {
    Context { container: None, kind: "system", name: RECORD, version: None, purpose: Purpose::SystemKey }
}
