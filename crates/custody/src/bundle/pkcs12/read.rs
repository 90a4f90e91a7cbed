//! Reading.

use super::{
    encryption::{self, Password, UNSUPPORTED, WRONG_PASSWORD, Work},
    structures::{
        CERTIFICATE_BAG, CertificateBag, ContentInfo, DATA, ENCRYPTED_DATA, EncryptedData, EncryptedPrivateKey,
        KEY_BAG, Pfx, SHROUDED_KEY_BAG, SafeBag, VERSION, X509_CERTIFICATE,
    },
};
use crate::{
    bundle::{Bundle, invalid, keep, private},
    x509::{LARGEST, MOST_CERTIFICATES},
};
use der::{AnyRef, Decode, Encode, asn1::OctetStringRef};
use domain::{PrivateJwk, Refusal};
use zeroize::Zeroizing;

/// A file may have thousands of parts, and each takes the whole password in.
const LONGEST_PASSWORD: usize = 4096;

const MALFORMED: Refusal = invalid("it is not a PKCS#12 file in DER");

/// Reads the private key and the certificates of a file, whether it is protected by a password or not. No password and
/// an empty one are the same. Bags of other kinds, and what a file says about its bags, are looked past.
///
/// # Errors
/// [`Refusal::CertificateInvalid`] if it is no such file, the password is wrong, the protection is of a kind that is not
/// supported or asks for too much work, or there are several keys. That there is none is for the caller to judge.
pub fn read(bytes: &[u8], password: Option<&str>) -> Result<Bundle, Refusal> {
    read_within(bytes, password, &mut { Work::MOST })
}

/// The same with less work.
pub(in crate::bundle) fn read_within(bytes: &[u8], password: Option<&str>, work: &mut Work) -> Result<Bundle, Refusal> {
    if bytes.len() > LARGEST {
        return Err(invalid("it is larger than 1 MiB"));
    }
    check_password(password)?;
    let pfx = Pfx::from_der(bytes).map_err(|_| MALFORMED)?;
    if pfx.version != VERSION {
        return Err(MALFORMED);
    }
    let mut outcome = Err(WRONG_PASSWORD);
    for reading in Password::readings(password) {
        outcome = read_with(&pfx, &reading, work);
        if outcome.as_ref().err() != Some(&WRONG_PASSWORD) {
            break;
        }
    }
    outcome
}

fn check_password(password: Option<&str>) -> Result<(), Refusal> {
    match password {
        Some(password) if password.len() > LONGEST_PASSWORD => Err(invalid("the password is longer than 4096 bytes")),
        _ => Ok(()),
    }
}

/// A private key in encrypted PKCS#8 (RFC 5958 §3), which stands in PEM by itself.
pub(in crate::bundle) fn read_encrypted_key(
    der: &[u8],
    password: &str,
    work: &mut Work,
) -> Result<PrivateJwk, Refusal> {
    check_password(Some(password))?;
    let key = EncryptedPrivateKey::from_der(der).map_err(|_| invalid("the encrypted private key is malformed"))?;
    decrypt_key(&key, &Password::of(password), work)
}

fn decrypt_key(key: &EncryptedPrivateKey<'_>, password: &Password<'_>, work: &mut Work) -> Result<PrivateJwk, Refusal> {
    private::read_pkcs8(&encryption::decrypt(&key.algorithm, key.encrypted.as_bytes(), password, work)?)
}

fn read_with(pfx: &Pfx<'_>, password: &Password<'_>, work: &mut Work) -> Result<Bundle, Refusal> {
    let content = data(&pfx.safes)?;
    // Without a code the file is taken as well: whoever gives it to us could have written any other.
    if let Some(mac) = &pfx.mac {
        encryption::verify_mac(mac, content, password, work)?;
    }
    let mut bundle = Bundle { private: None, certificates: Vec::new() };
    for safe in Vec::<ContentInfo<'_>>::from_der(content).map_err(|_| MALFORMED)? {
        match safe.content_type {
            DATA => read_bags(data(&safe)?, &mut bundle, password, work)?,
            ENCRYPTED_DATA => {
                let content = safe.content.ok_or(MALFORMED)?;
                let EncryptedData { content, .. } = content.decode_as().map_err(|_| MALFORMED)?;
                let encrypted = content.encrypted.ok_or(MALFORMED)?;
                let bags = encryption::decrypt(&content.algorithm, encrypted.as_bytes(), password, work)?;
                read_bags(&bags, &mut bundle, password, work)?;
            }
            _ => return Err(UNSUPPORTED),
        }
    }
    Ok(bundle)
}

fn data<'a>(info: &ContentInfo<'a>) -> Result<&'a [u8], Refusal> {
    let content = info.content.filter(|_| info.content_type == DATA).ok_or(UNSUPPORTED)?;
    let octets: &OctetStringRef = content.decode_as().map_err(|_| MALFORMED)?;
    Ok(octets.as_bytes())
}

fn read_bags(bags: &[u8], bundle: &mut Bundle, password: &Password<'_>, work: &mut Work) -> Result<(), Refusal> {
    // Decrypted with a wrong password, a file without a code may look like anything.
    for bag in Vec::<SafeBag<'_>>::from_der(bags).map_err(|_| WRONG_PASSWORD)? {
        match bag.id {
            KEY_BAG => {
                work.take_key()?;
                keep(&mut bundle.private, private::read_pkcs8(&encoded(&bag.value)?)?)?;
            }
            SHROUDED_KEY_BAG => {
                work.take_key()?;
                let key: EncryptedPrivateKey<'_> = bag.value.decode_as().map_err(|_| MALFORMED)?;
                keep(&mut bundle.private, decrypt_key(&key, password, work)?)?;
            }
            CERTIFICATE_BAG => {
                let certificate: CertificateBag<'_> = bag.value.decode_as().map_err(|_| MALFORMED)?;
                if bundle.certificates.len() == MOST_CERTIFICATES {
                    return Err(invalid("there are more than 32 certificates"));
                }
                if certificate.id == X509_CERTIFICATE {
                    bundle.certificates.push(certificate.value.as_bytes().to_vec());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A value as it was encoded, wiped when dropped.
fn encoded(value: &AnyRef<'_>) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    value.to_der().map(Zeroizing::new).map_err(|_| MALFORMED)
}
