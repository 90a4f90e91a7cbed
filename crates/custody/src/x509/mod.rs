//! Certificates and certification requests: made, read, and put in order (RFC 5280, RFC 2986).
//!
//! What is signed here is signed by a [`KeyHandle`], so that the key may be with any provider. Structures come from
//! `der` and `x509-cert`; every digest and every verification is the cryptographic library's.
//!
//! This module does not judge whom to trust: what an owner brings is read, ordered and kept. It does not know policies
//! beyond their contents, issuers beyond their certificate and key, or where anything is stored. It reads no clock:
//! validity is an argument.

mod alternative;
mod build;
mod certificate;
mod chain;
mod distinguished_name;
mod extensions;
mod public_key;
mod signature;

pub use build::{authority, certification_request, issue, self_signed};
pub use certificate::{Certificate, Requested, requested};
pub use chain::{MOST_CERTIFICATES, Order, arrange};

pub(crate) use public_key::are_same;

use crate::{Error, Fault, KeyHandle};
use der::{
    Choice, DateTime, Sequence,
    asn1::{GeneralizedTime, UtcTime},
};
use domain::{PublicKey, Refusal, UnixTime, X509Properties};
use std::time::Duration;

/// The size of the largest certificate, request or file that is read: hundreds of times that of those in use.
pub const LARGEST: usize = 1 << 20;

/// What reading answers: others made it, so that everything wrong with it is for the caller to mend.
type Parsed<T> = Result<T, Refusal>;

/// Who signs: a key, wherever it is, and its public part.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    pub key: &'a dyn KeyHandle,
    pub public: &'a PublicKey,
}

/// From when until when a certificate is valid, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub not_before: UnixTime,
    pub not_after: UnixTime,
}

/// Whether certificates and requests can be made of these properties.
///
/// # Errors
/// [`Refusal::ParameterInvalid`], by the name of the member on the wire.
pub fn check_properties(properties: &X509Properties) -> Result<(), Refusal> {
    let subject = distinguished_name::parse(&properties.subject)?;
    let names = alternative::encode(&properties.names)?;
    extensions::usages(&properties.ekus)?;
    if subject.is_empty() && names.is_empty() {
        let reason = "a certificate needs a subject or an alternative name";
        return Err(Refusal::ParameterInvalid { parameter: "subject", reason });
    }
    Ok(())
}

/// Whether certificates and requests can be made of what differs from the properties before.
///
/// # Errors
/// [`Refusal::ParameterInvalid`], by the name of the member on the wire.
pub fn check_changes(before: &X509Properties, properties: &X509Properties) -> Result<(), Refusal> {
    if properties.subject != before.subject {
        distinguished_name::parse(&properties.subject)?;
    }
    if properties.names != before.names {
        alternative::encode(&properties.names)?;
    }
    if properties.ekus != before.ekus {
        extensions::usages(&properties.ekus)?;
    }
    Ok(())
}

/// A moment as a certificate holds it: in two digits for the year as long as that is unambiguous (RFC 5280 §4.1.2.5).
#[derive(Choice, Clone, Copy)]
enum Time {
    #[asn1(type = "UTCTime")]
    Utc(UtcTime),
    #[asn1(type = "GeneralizedTime")]
    General(GeneralizedTime),
}

#[derive(Sequence)]
struct Period {
    not_before: Time,
    not_after: Time,
}

impl Time {
    fn of(time: UnixTime) -> Option<Self> {
        let since = Duration::from_secs(u64::try_from(time.0).ok()?);
        let date = DateTime::from_unix_duration(since).ok()?;
        Some(match UtcTime::from_date_time(date) {
            Ok(short) => Self::Utc(short),
            Err(_) => Self::General(GeneralizedTime::from_date_time(date)),
        })
    }

    fn unix(self) -> UnixTime {
        let since = match self {
            Self::Utc(time) => time.to_unix_duration(),
            Self::General(time) => time.to_unix_duration(),
        };
        UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

impl Period {
    fn of(validity: Validity) -> Result<Self, Error> {
        let invalid = Error::parameter("validity_months", "the certificate would end before it begins, or never");
        let times = Time::of(validity.not_before).zip(Time::of(validity.not_after));
        match times {
            Some((not_before, not_after)) if validity.not_before <= validity.not_after => {
                Ok(Self { not_before, not_after })
            }
            _ => Err(invalid),
        }
    }
}

fn encoding(_: der::Error) -> Fault {
    Fault::Backend("encoding a certificate")
}
