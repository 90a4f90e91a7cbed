//! Certificates that sign themselves: what is in them, for how long they are valid, and that only their own key signs.

use super::{VALIDITY, entropy, keys, properties, signer};
use custody::{
    Error, Fault, SoftwareProvider,
    conformance::keys::{ec_keys, refusal},
    x509::{Certificate, Signer, Validity, certification_request, self_signed},
};
use domain::{KeyUsage, PublicKey, Refusal, UnixTime, X509Properties};

#[test]
fn self_signed_certificates_have_what_their_policy_says() {
    for key in keys() {
        let der = self_signed(&properties(), VALIDITY, signer(&key), &entropy()).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!(read.properties(), properties());
        assert_eq!((read.not_before, read.not_after), (VALIDITY.not_before, VALIDITY.not_after));
        assert_eq!(read.issuer, read.subject);
        assert_eq!(read.public_key().as_ref(), Ok(&key.generated.public));
        assert!(read.has_key(&key.generated.public) && !read.is_authority);
        assert_eq!(read.is_signed_by(&read), Some(true), "{:?}", key.spec);
        assert_eq!(read.serial.len(), 16);
        assert!((0x40..0x80).contains(&read.serial[0]), "positive");
    }
}

#[test]
fn what_signs_itself_is_no_authority_whatever_its_usages() {
    let key = &ec_keys(&SoftwareProvider)[0];
    for key_usage in [vec![], vec![KeyUsage::DigitalSignature, KeyUsage::KeyCertSign, KeyUsage::CrlSign]] {
        let properties = X509Properties { key_usage: key_usage.clone(), ..properties() };
        let der = self_signed(&properties, VALIDITY, signer(key), &entropy()).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!((read.is_authority, read.properties().key_usage), (false, key_usage));
    }
}

#[test]
fn times_are_written_in_every_year_there_is() {
    // The end of 2049 is the last that is written with two digits for the year; the end of 9999 the last there is.
    const END_OF_2049: i64 = 2_524_607_999;
    const END_OF_9999: i64 = 253_402_300_799;
    let key = &ec_keys(&SoftwareProvider)[0];
    for (from, to) in [(0, END_OF_2049), (END_OF_2049, END_OF_2049 + 1), (1_772_282_201, END_OF_9999)] {
        let validity = Validity { not_before: UnixTime(from), not_after: UnixTime(to) };
        let der = self_signed(&properties(), validity, signer(key), &entropy()).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!((read.not_before, read.not_after), (validity.not_before, validity.not_after));
    }
    for (from, to) in [(2, 1), (-1, 1), (1, i64::MAX), (0, END_OF_9999 + 1)] {
        let validity = Validity { not_before: UnixTime(from), not_after: UnixTime(to) };
        let refused = refusal(self_signed(&properties(), validity, signer(key), &entropy()));
        assert!(matches!(refused, Refusal::ParameterInvalid { parameter: "validity_months", .. }));
    }
}

#[test]
fn every_month_of_validity_that_has_begun_counts() {
    let key = &ec_keys(&SoftwareProvider)[0];
    for (days, months) in
        [(0, 1), (1, 1), (31, 1), (32, 2), (59, 2), (60, 3), (365, 12), (366, 13), (398, 14), (730, 24)]
    {
        let not_after = VALIDITY.not_before.plus_days(days);
        let der = self_signed(&properties(), Validity { not_after, ..VALIDITY }, signer(key), &entropy()).unwrap();
        assert_eq!(Certificate::read(&der).unwrap().properties().validity_months, months, "{days} days");
    }
}

#[test]
fn nothing_is_signed_with_the_key_of_another() {
    for pair in keys().chunks(2) {
        let [one, other] = pair else { unreachable!("an even number of keys") };
        let mixed = Signer { key: &*one.handle, public: &other.generated.public };
        assert!(self_signed(&properties(), VALIDITY, mixed, &entropy()).is_err());
    }
    let key = &ec_keys(&SoftwareProvider)[0];
    let other = custody::Provider::generate(&SoftwareProvider, key.spec, &entropy()).unwrap();
    let mixed = Signer { key: &*key.handle, public: &other.public };
    let failed = certification_request(&properties(), mixed, &entropy());
    assert!(matches!(failed, Err(Error::Fault(Fault::MaterialInvalid(_)))));
    let oct = Signer { key: &*key.handle, public: &PublicKey::Oct };
    assert!(matches!(self_signed(&properties(), VALIDITY, oct, &entropy()), Err(Error::Fault(_))));
}
