//! Names of containers, objects and event subscriptions: kept in the case they were created with, compared without it.

use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $valid:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// `None` if the name breaks the rule above.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                $valid(text).then(|| Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form that names are ordered and looked up by: upper case (contract: key-vault §1, "Case").
            #[must_use]
            pub fn folded(&self) -> String {
                self.0.to_ascii_uppercase()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl Eq for $type {}

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                // In pieces: a hasher is slow with single bytes.
                let mut folded = [0; 32];
                for piece in self.0.as_bytes().chunks(folded.len()) {
                    let folded = &mut folded[..piece.len()];
                    folded.copy_from_slice(piece);
                    folded.make_ascii_uppercase();
                    state.write(folded);
                }
                state.write_u8(0xff);
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> Ordering {
                self.folded().cmp(&other.folded())
            }
        }

        impl TryFrom<String> for $type {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text).ok_or($what)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name!(
    /// The name of a key, secret or certificate: `^[0-9a-zA-Z-]{1,127}$` (contract: key-vault §3.7).
    ObjectName,
    is_object_name,
    "not an object name"
);

name!(
    /// The name of a vault or managed HSM: 3–24 letters, digits and hyphens; begins with a letter, ends with a
    /// letter or digit, no two hyphens together (contract: key-vault §4.2, "Names"). Global.
    ContainerName,
    is_container_name,
    "not a container name"
);

name!(
    /// The name of an issuer of certificates: an object's alphabet, without `Self` and `Unknown`, which policies use for
    /// whoever is no issuer of the vault (contract: key-vault §3.9).
    IssuerName,
    is_issuer_name,
    "not the name of an issuer"
);

name!(
    /// The name of an event subscription: 3–64 letters, digits and hyphens (Microsoft Learn, "Naming rules and
    /// restrictions for Azure resources", Microsoft.EventGrid). Unique in its vault.
    EventSubscriptionName,
    is_event_subscription_name,
    "not the name of an event subscription"
);

fn is_event_subscription_name(text: &str) -> bool {
    (3..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_object_name(text: &str) -> bool {
    (1..=127).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_issuer_name(text: &str) -> bool {
    is_object_name(text) && !["self", "unknown"].iter().any(|reserved| reserved.eq_ignore_ascii_case(text))
}

fn is_container_name(text: &str) -> bool {
    (3..=24).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with('-')
        && !text.contains("--")
}
