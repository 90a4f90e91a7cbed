//! Alternative names of a subject (RFC 5280 §4.2.1.6): checked as text, encoded, and read back.

use der::{
    Any, AnyRef, Decode, Encode, Tag,
    asn1::{Ia5String, ObjectIdentifier, OctetString, Utf8StringRef},
};
use domain::{AlternativeNames, Refusal};
use std::net::IpAddr;
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames, OtherName};

/// Microsoft's user principal name.
const UPN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.20.2.3");

const LONGEST_DNS_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// RFC 5321 §4.5.3.1: local part, `@`, domain.
const LONGEST_ADDRESS: usize = 64 + 1 + 255;
const LONGEST_URI: usize = 8192;

/// The names as they are encoded, or what is wrong with the first that can't be one.
///
/// # Errors
/// [`Refusal::ParameterInvalid`], by the member's name on the wire.
pub(super) fn encode(names: &AlternativeNames) -> Result<GeneralNames, Refusal> {
    let mut encoded = Vec::new();
    for name in &names.dns_names {
        encoded.push(dns_name(name).ok_or(refuse("dns_names", "a DNS name is labels of letters, digits and hyphens"))?);
    }
    for email in &names.emails {
        encoded.push(email_address(email).ok_or(refuse("emails", "an email address has a local part and a domain"))?);
    }
    for upn in &names.upns {
        encoded.push(principal(upn).ok_or(refuse("upns", "a user principal name has a name and a suffix"))?);
    }
    for uri in &names.uris {
        encoded.push(absolute_uri(uri).ok_or(refuse("uris", "a URI begins with its scheme and is all ASCII"))?);
    }
    for address in &names.ip_addresses {
        let address: IpAddr =
            address.parse().map_err(|_| refuse("ipAddresses", "neither an IPv4 nor an IPv6 address"))?;
        encoded.push(GeneralName::from(address));
    }
    Ok(encoded)
}

const fn refuse(parameter: &'static str, reason: &'static str) -> Refusal {
    Refusal::ParameterInvalid { parameter, reason }
}

/// Underscores are not for host names, but for other names that are in certificates all the same.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= LONGEST_DNS_NAME && name.split('.').all(is_label)
}

fn dns_name(name: &str) -> Option<GeneralName> {
    let domain = name.strip_prefix("*.").unwrap_or(name);
    let is_sound = name.len() <= LONGEST_DNS_NAME && is_domain(domain);
    is_sound.then(|| Ia5String::new(name).ok().map(GeneralName::DnsName))?
}

fn email_address(address: &str) -> Option<GeneralName> {
    let (local, domain) = address.rsplit_once('@')?;
    let is_sound = address.len() <= LONGEST_ADDRESS
        && !local.is_empty()
        && local.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@')
        && is_domain(domain);
    is_sound.then(|| Ia5String::new(address).ok().map(GeneralName::Rfc822Name))?
}

/// `name@suffix`, in any letters.
fn principal(upn: &str) -> Option<GeneralName> {
    let (name, suffix) = upn.rsplit_once('@')?;
    let is_sound = !name.is_empty()
        && !suffix.is_empty()
        && upn.len() <= 1024
        && !upn.contains(|char: char| char.is_control() || char.is_whitespace());
    let value = Any::new(Tag::Utf8String, upn.as_bytes()).ok()?;
    is_sound.then_some(GeneralName::OtherName(OtherName { type_id: UPN, value }))
}

fn absolute_uri(uri: &str) -> Option<GeneralName> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_sound = uri.len() <= LONGEST_URI
        && scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic());
    is_sound.then(|| Ia5String::new(uri).ok().map(GeneralName::UniformResourceIdentifier))?
}

/// Reads the names of the kinds above from an extension's value, and looks past all others. Names of foreign certificates
/// need not pass our checks: they are shown, not made. `None` if the value is no list of names.
pub(super) fn read(value: &[u8]) -> Option<AlternativeNames> {
    let mut names = AlternativeNames::default();
    for item in Vec::<AnyRef<'_>>::from_der(value).ok()? {
        let Ok(name) = item.to_der().and_then(|der| GeneralName::from_der(&der)) else { continue };
        match name {
            GeneralName::DnsName(name) => names.dns_names.push(name.to_string()),
            GeneralName::Rfc822Name(email) => names.emails.push(email.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => names.uris.push(uri.to_string()),
            GeneralName::IpAddress(octets) => names.ip_addresses.extend(address(&octets)),
            GeneralName::OtherName(OtherName { type_id: UPN, value }) => {
                names.upns.extend(value.decode_as::<Utf8StringRef<'_>>().ok().map(|upn| upn.as_str().to_owned()));
            }
            _ => {}
        }
    }
    Some(names)
}

fn address(octets: &OctetString) -> Option<String> {
    let bytes = octets.as_bytes();
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.ok().map(|address| address.to_string())
}
