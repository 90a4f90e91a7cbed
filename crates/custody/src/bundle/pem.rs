//! PEM (RFC 7468): keys and certificates as base64 between lines that say what they are.

use super::{
    Bundle, invalid, keep,
    pkcs12::{Work, read_encrypted_key},
    private,
};
use crate::x509::{LARGEST, MOST_CERTIFICATES};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Refusal, Secret};
use zeroize::Zeroizing;

const LINE: usize = 64;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Reads the private key and the certificates of a text. Whatever stands around them is looked past, and so are sections
/// of other kinds. The password is of the key, if that is encrypted.
///
/// # Errors
/// [`Refusal::CertificateInvalid`] if a section is damaged, a key is encrypted with no password given or another one, or
/// there are several keys. That there is none is for the caller to judge.
pub fn read(text: &str, password: Option<&str>) -> Result<Bundle, Refusal> {
    read_within(text, password, &mut { Work::MOST })
}

/// The same with less work.
pub(super) fn read_within(text: &str, password: Option<&str>, work: &mut Work) -> Result<Bundle, Refusal> {
    if text.len() > LARGEST {
        return Err(invalid("it is larger than 1 MiB"));
    }
    let mut bundle = Bundle { private: None, certificates: Vec::new() };
    let mut rest = text;
    let mut has_section = false;
    while let Some((section, after)) = next_section(rest)? {
        has_section = true;
        rest = after;
        if section.label.ends_with("PRIVATE KEY") {
            work.take_key()?;
        }
        match section.label {
            "CERTIFICATE" | "X509 CERTIFICATE" if bundle.certificates.len() < MOST_CERTIFICATES => {
                bundle.certificates.push(section.decode()?.to_vec());
            }
            "CERTIFICATE" | "X509 CERTIFICATE" => return Err(invalid("there are more than 32 certificates")),
            "PRIVATE KEY" => keep(&mut bundle.private, private::read_pkcs8(&section.decode()?)?)?,
            "RSA PRIVATE KEY" => keep(&mut bundle.private, private::read_pkcs1(&section.decode()?)?)?,
            "EC PRIVATE KEY" => keep(&mut bundle.private, private::read_elliptic(&section.decode()?)?)?,
            "ENCRYPTED PRIVATE KEY" => {
                let password = password.ok_or(NO_PASSWORD)?;
                keep(&mut bundle.private, read_encrypted_key(&section.decode()?, password, work)?)?;
            }
            _ => {}
        }
    }
    if has_section { Ok(bundle) } else { Err(invalid("there is no section of PEM")) }
}

const NO_PASSWORD: Refusal = invalid("the private key is encrypted, and there is no password");
/// What came before PKCS#8: a key derived from the password with MD5.
const OLD_ENCRYPTION: Refusal = invalid("the private key is encrypted, but not as PKCS#8");

struct Section<'t> {
    label: &'t str,
    body: &'t str,
}

/// The first section of a text, and what is behind it.
fn next_section(text: &str) -> Result<Option<(Section<'_>, &str)>, Refusal> {
    let Some((_, rest)) = text.split_once(BEGIN) else { return Ok(None) };
    let damaged = invalid("a section of PEM is not closed");
    let (label, rest) = rest.split_once(DASHES).ok_or(damaged.clone())?;
    let (body, rest) = rest.split_once(END).ok_or(damaged.clone())?;
    let rest = rest.strip_prefix(label).and_then(|rest| rest.strip_prefix(DASHES)).ok_or(damaged)?;
    Ok(Some((Section { label, body }, rest)))
}

impl Section<'_> {
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        if self.body.contains("ENCRYPTED") {
            return Err(OLD_ENCRYPTION);
        }
        let mut digits = Zeroizing::new(Vec::with_capacity(self.body.len()));
        digits.extend(self.body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        // Sized at once: growing would leave a copy of a key behind.
        let mut decoded = Zeroizing::new(vec![0; digits.len().div_ceil(4) * 3]);
        let written =
            STANDARD.decode_slice(&*digits, &mut decoded).map_err(|_| invalid("a section of PEM is not base64"))?;
        decoded.truncate(written);
        Ok(decoded)
    }
}

/// A private key in PKCS#8, if there is one, and certificates, each as a section, in this order.
#[must_use]
pub fn write(private: Option<&Secret>, certificates: &[Vec<u8>]) -> Secret {
    let sections = private.map(|key| ("PRIVATE KEY", key.expose()));
    let sections = sections.into_iter().chain(certificates.iter().map(|der| ("CERTIFICATE", der.as_slice())));
    let sections: Vec<_> = sections.collect();
    let room = sections.iter().map(|(label, der)| 2 * label.len() + 40 + der.len() * 3 / 2 + 8).sum();
    let mut text = Zeroizing::new(String::with_capacity(room));
    for (label, der) in sections {
        text.extend([BEGIN, label, DASHES, "\n"]);
        let mut digits = Zeroizing::new(String::with_capacity(der.len().div_ceil(3) * 4));
        STANDARD.encode_string(der, &mut digits);
        for line in digits.as_bytes().chunks(LINE) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text.extend([END, label, DASHES, "\n"]);
    }
    Secret::new(text.as_bytes().to_vec())
}
