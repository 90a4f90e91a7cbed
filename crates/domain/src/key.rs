//! Keys as data: types, curves, sizes, operations and algorithms, and which go together.
//!
//! Source: contract managed-hsm §3.1, key-vault §3.8.

use crate::{KeyUse, PublicKey, Refusal};
use serde::{Deserialize, Serialize};

/// An enum whose variants are spelled in one place, for the wire and for the store.
macro_rules! spelled_enum {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $type { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The spelling of JSON Web Key and of the Key Vault API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// `None` for an unknown word. Case matters, as in the documents.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use spelled_enum as spelled;

spelled! {
    /// The family of a key. Whether an HSM protects it is a property beside it ([`KeyBody::hsm`]).
    KeyType { Rsa = "RSA", Ec = "EC", Oct = "oct" }
}

spelled! {
    Curve { P256 = "P-256", P384 = "P-384", P521 = "P-521", P256K = "P-256K" }
}

spelled! {
    KeyOperation {
        Encrypt = "encrypt", Decrypt = "decrypt", Sign = "sign", Verify = "verify",
        WrapKey = "wrapKey", UnwrapKey = "unwrapKey", Import = "import", Export = "export",
    }
}

spelled! {
    SignatureAlgorithm {
        Rs256 = "RS256", Rs384 = "RS384", Rs512 = "RS512",
        Ps256 = "PS256", Ps384 = "PS384", Ps512 = "PS512",
        Es256 = "ES256", Es384 = "ES384", Es512 = "ES512", Es256K = "ES256K",
        Hs256 = "HS256", Hs384 = "HS384", Hs512 = "HS512",
    }
}

spelled! {
    /// Algorithms of encrypt, decrypt, wrapKey and unwrapKey.
    EncryptionAlgorithm {
        Rsa15 = "RSA1_5", RsaOaep = "RSA-OAEP", RsaOaep256 = "RSA-OAEP-256",
        A128Gcm = "A128GCM", A192Gcm = "A192GCM", A256Gcm = "A256GCM",
        A128Cbc = "A128CBC", A192Cbc = "A192CBC", A256Cbc = "A256CBC",
        A128CbcPad = "A128CBCPAD", A192CbcPad = "A192CBCPAD", A256CbcPad = "A256CBCPAD",
        A128Kw = "A128KW", A192Kw = "A192KW", A256Kw = "A256KW",
        /// RFC 3394 with a key of any size.
        AesKeyWrap = "CKM_AES_KEY_WRAP",
        /// RFC 5649 with a key of any size.
        AesKeyWrapPad = "CKM_AES_KEY_WRAP_PAD",
    }
}

/// Bytes of a digest.
pub type DigestLength = usize;

impl Curve {
    /// Bytes of a coordinate, of the private scalar, and of each half of a signature.
    #[must_use]
    pub fn coordinate_length(self) -> usize {
        match self {
            Self::P256 | Self::P256K => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The size of its keys.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::P256 | Self::P256K => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// The one algorithm a curve signs with.
    #[must_use]
    pub fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::P256 => SignatureAlgorithm::Es256,
            Self::P384 => SignatureAlgorithm::Es384,
            Self::P521 => SignatureAlgorithm::Es512,
            Self::P256K => SignatureAlgorithm::Es256K,
        }
    }
}

impl SignatureAlgorithm {
    #[must_use]
    pub fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyType::Rsa,
            Self::Es256 | Self::Es384 | Self::Es512 | Self::Es256K => KeyType::Ec,
            Self::Hs256 | Self::Hs384 | Self::Hs512 => KeyType::Oct,
        }
    }

    /// The exact length of the value to sign; `None` where any length goes (HMAC).
    #[must_use]
    pub fn digest_length(self) -> Option<DigestLength> {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Es256K => Some(32),
            Self::Rs384 | Self::Ps384 | Self::Es384 => Some(48),
            Self::Rs512 | Self::Ps512 | Self::Es512 => Some(64),
            Self::Hs256 | Self::Hs384 | Self::Hs512 => None,
        }
    }
}

impl EncryptionAlgorithm {
    #[must_use]
    pub fn key_type(self) -> KeyType {
        match self {
            Self::Rsa15 | Self::RsaOaep | Self::RsaOaep256 => KeyType::Rsa,
            _ => KeyType::Oct,
        }
    }

    /// The size in bits that the key must have; `None` where the name of the algorithm does not fix it.
    #[must_use]
    pub fn key_bits(self) -> Option<u32> {
        match self {
            Self::A128Gcm | Self::A128Cbc | Self::A128CbcPad | Self::A128Kw => Some(128),
            Self::A192Gcm | Self::A192Cbc | Self::A192CbcPad | Self::A192Kw => Some(192),
            Self::A256Gcm | Self::A256Cbc | Self::A256CbcPad | Self::A256Kw => Some(256),
            Self::Rsa15 | Self::RsaOaep | Self::RsaOaep256 | Self::AesKeyWrap | Self::AesKeyWrapPad => None,
        }
    }

    /// Authenticated: the service makes the nonce and returns it with a tag.
    #[must_use]
    pub fn is_gcm(self) -> bool {
        matches!(self, Self::A128Gcm | Self::A192Gcm | Self::A256Gcm)
    }

    /// Block-chained: the caller supplies the 16-byte initialisation vector.
    #[must_use]
    pub fn is_cbc(self) -> bool {
        matches!(
            self,
            Self::A128Cbc | Self::A192Cbc | Self::A256Cbc | Self::A128CbcPad | Self::A192CbcPad | Self::A256CbcPad
        )
    }

    /// GCM and CBC protect data and not keys; RSA and key wrap do both
    /// (contract: key-vault §3.8, table of algorithms).
    #[must_use]
    pub fn serves(self, key_use: KeyUse) -> bool {
        match key_use {
            KeyUse::Encrypt | KeyUse::Decrypt => true,
            KeyUse::Wrap | KeyUse::Unwrap => !self.is_gcm() && !self.is_cbc(),
            KeyUse::Sign | KeyUse::Verify => false,
        }
    }
}

/// What to generate: family and size or curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeySpec {
    Rsa {
        bits: u32,
    },
    Ec {
        curve: Curve,
    },
    /// A generated key has 128, 192 or 256 bits; an imported one (for HMAC) any whole number of bytes up to 64.
    Oct {
        bits: u32,
    },
}

impl KeySpec {
    /// The size of generated RSA keys when the request names none (contract: key-vault §3.8).
    pub const DEFAULT_RSA: Self = Self::Rsa { bits: 2048 };
    pub const DEFAULT_EC: Self = Self::Ec { curve: Curve::P256 };
    pub const DEFAULT_OCT: Self = Self::Oct { bits: 256 };

    #[must_use]
    pub fn key_type(self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::Ec { .. } => KeyType::Ec,
            Self::Oct { .. } => KeyType::Oct,
        }
    }

    /// # Errors
    /// [`Refusal::KeySizeUnsupported`] for a size that is not generated.
    pub fn check_generated(self) -> Result<(), Refusal> {
        match self {
            Self::Rsa { bits: 2048 | 3072 | 4096 } | Self::Ec { .. } | Self::Oct { bits: 128 | 192 | 256 } => Ok(()),
            Self::Rsa { bits } | Self::Oct { bits } => {
                Err(Refusal::KeySizeUnsupported { key_type: self.key_type(), bits })
            }
        }
    }

    /// The operations of a key whose creation names none (contract: key-vault §3.8).
    #[must_use]
    pub fn default_operations(self) -> Vec<KeyOperation> {
        use KeyOperation as Op;
        match self {
            Self::Rsa { .. } => {
                vec![Op::Encrypt, Op::Decrypt, Op::Sign, Op::Verify, Op::WrapKey, Op::UnwrapKey]
            }
            Self::Ec { .. } => vec![Op::Sign, Op::Verify],
            Self::Oct { .. } => vec![Op::WrapKey, Op::UnwrapKey, Op::Decrypt, Op::Encrypt],
        }
    }

    /// A key that imports others does nothing else (contract: key-vault §3.8, "BYOK KEK").
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn check_operations(self, key_ops: &[KeyOperation]) -> Result<(), Refusal> {
        let imports = key_ops.contains(&KeyOperation::Import);
        if imports && (key_ops.len() > 1 || self.key_type() != KeyType::Rsa) {
            let reason = "import cannot be combined with other operations, and needs an RSA key";
            return Err(Refusal::ParameterInvalid { parameter: "key_ops", reason });
        }
        Ok(())
    }

    /// # Errors
    /// [`Refusal::SignatureAlgorithmMismatch`] or [`Refusal::DigestLengthWrong`].
    pub fn check_signature(self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<(), Refusal> {
        let fits = match self {
            Self::Ec { curve } => curve.algorithm() == algorithm,
            Self::Rsa { .. } | Self::Oct { .. } => algorithm.key_type() == self.key_type(),
        };
        if !fits {
            return Err(Refusal::SignatureAlgorithmMismatch { algorithm, key: self });
        }
        match algorithm.digest_length() {
            Some(expected) if expected != digest.len() => {
                Err(Refusal::DigestLengthWrong { algorithm, expected, actual: digest.len() })
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// [`Refusal::EncryptionAlgorithmMismatch`] if the algorithm wants another type or size of key, or does not
    /// serve this use.
    pub fn check_encryption(self, algorithm: EncryptionAlgorithm, key_use: KeyUse) -> Result<(), Refusal> {
        let size_fits = match (algorithm.key_bits(), self) {
            (Some(wanted), Self::Oct { bits }) => wanted == bits,
            (None, Self::Oct { bits }) => matches!(bits, 128 | 192 | 256),
            _ => true,
        };
        if algorithm.key_type() == self.key_type() && size_fits && algorithm.serves(key_use) {
            Ok(())
        } else {
            Err(Refusal::EncryptionAlgorithmMismatch { algorithm, key: self, key_use })
        }
    }
}

/// What a version of a key is, beside its attributes. Its material is elsewhere, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBody {
    pub spec: KeySpec,
    /// Protected by an HSM: spelled `RSA-HSM`, `EC-HSM`, `oct-HSM`.
    pub hsm: bool,
    pub key_ops: Vec<KeyOperation>,
    pub public: PublicKey,
}
