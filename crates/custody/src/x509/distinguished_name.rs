//! Distinguished names: from the text of a policy to X.501 and back.
//!
//! The text is the one that .NET and RFC 4514 write: the innermost part first (`CN=www.contoso.com, O=Contoso, C=US`), so
//! that the encoded order is the reverse of the written one. Read is whatever such a text may hold: any case of the
//! attributes' names, `,` and `;` between parts, `+` within one, values in quotes, with escapes, or as hexadecimal.

use der::{Any, Decode, Encode, Tag, asn1::ObjectIdentifier};
use domain::Refusal;
use x509_cert::{
    attr::AttributeTypeAndValue,
    name::{Name, RdnSequence, RelativeDistinguishedName},
};

/// More parts than any name in use.
const MOST_PARTS: usize = 64;
/// What bounds a value whose attribute has no bound of its own: RFC 5280's `ub-name`.
const LONGEST_VALUE: usize = 32_768;

/// What an attribute's value may hold and is encoded as (RFC 5280 appendix A.1).
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Directory,
    Printable,
    Ascii,
}

struct Attribute {
    oid: ObjectIdentifier,
    /// The first is the one that is written, as .NET does.
    names: &'static [&'static str],
    kind: Kind,
    /// The upper bound of RFC 5280 appendix A.1, in characters.
    longest: usize,
}

const fn attribute(oid: &str, names: &'static [&'static str], kind: Kind, longest: usize) -> Attribute {
    Attribute { oid: ObjectIdentifier::new_unwrap(oid), names, kind, longest }
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

const ATTRIBUTES: [Attribute; 18] = [
    attribute("2.5.4.3", &["CN", "commonName"], Kind::Directory, 64),
    attribute("2.5.4.10", &["O", "organizationName", "organization"], Kind::Directory, 64),
    attribute("2.5.4.11", &["OU", "organizationalUnitName", "organizationalUnit"], Kind::Directory, 64),
    attribute("2.5.4.7", &["L", "localityName", "locality"], Kind::Directory, 128),
    attribute("2.5.4.8", &["S", "ST", "stateOrProvinceName", "state"], Kind::Directory, 128),
    attribute("2.5.4.6", &["C", "countryName", "country"], Kind::Printable, 2),
    attribute("1.2.840.113549.1.9.1", &["E", "emailAddress", "email"], Kind::Ascii, 255),
    attribute("0.9.2342.19200300.100.1.25", &["DC", "domainComponent"], Kind::Ascii, 63),
    attribute("0.9.2342.19200300.100.1.1", &["UID", "userId"], Kind::Directory, 256),
    attribute("2.5.4.5", &["SERIALNUMBER"], Kind::Printable, 64),
    attribute("2.5.4.9", &["STREET", "streetAddress"], Kind::Directory, 128),
    attribute("2.5.4.17", &["PostalCode"], Kind::Directory, 40),
    attribute("2.5.4.12", &["T", "title"], Kind::Directory, 64),
    attribute("2.5.4.42", &["G", "GN", "givenName"], Kind::Directory, LONGEST_VALUE),
    attribute("2.5.4.43", &["I", "initials"], Kind::Directory, LONGEST_VALUE),
    attribute("2.5.4.4", &["SN", "surname"], Kind::Directory, LONGEST_VALUE),
    attribute("2.5.4.46", &["dnQualifier"], Kind::Printable, LONGEST_VALUE),
    attribute("2.5.4.13", &["Description"], Kind::Directory, 1024),
];

const fn refuse(reason: &'static str) -> Refusal {
    Refusal::ParameterInvalid { parameter: "subject", reason }
}

/// Reads a name. An empty text is the empty name.
///
/// # Errors
/// [`Refusal::ParameterInvalid`] for `subject`.
pub(super) fn parse(text: &str) -> Result<Name, Refusal> {
    let mut reader = Reader { rest: text.trim_start() };
    let mut parts = Vec::new();
    while !reader.rest.is_empty() {
        if parts.len() == MOST_PARTS {
            return Err(refuse("it has too many parts"));
        }
        let mut values = vec![reader.pair()?];
        while reader.skip('+') {
            values.push(reader.pair()?);
        }
        parts.push(RelativeDistinguishedName::try_from(values).map_err(|_| refuse("a part can't be encoded"))?);
        if (reader.skip(',') || reader.skip(';')) && reader.rest.is_empty() {
            return Err(refuse("it ends with a separator"));
        }
    }
    parts.reverse();
    named(parts)
}

/// The name that has one part, `CN`.
///
/// # Errors
/// [`Refusal::ParameterInvalid`] for `subject`.
pub(super) fn of_common_name(value: &str) -> Result<Name, Refusal> {
    let known = ATTRIBUTES.iter().find(|known| known.oid == COMMON_NAME);
    let pair = AttributeTypeAndValue { oid: COMMON_NAME, value: encode(value, known)? };
    let part = RelativeDistinguishedName::try_from(vec![pair]).map_err(|_| refuse("a part can't be encoded"))?;
    named(vec![part])
}

fn named(parts: Vec<RelativeDistinguishedName>) -> Result<Name, Refusal> {
    let encoded = RdnSequence::from(parts).to_der();
    encoded.and_then(|der| Name::from_der(&der)).map_err(|_| refuse("it can't be encoded"))
}

/// The rest of a text that is being read, without spaces in front.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip(&mut self, separator: char) -> bool {
        let rest = self.rest.strip_prefix(separator).map(str::trim_start);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// `name=value`, and the spaces behind it.
    fn pair(&mut self) -> Result<AttributeTypeAndValue, Refusal> {
        let (name, rest) = self.rest.split_once('=').ok_or(refuse("a part has no '='"))?;
        let name = name.trim();
        self.rest = rest.trim_start();
        let known = ATTRIBUTES.iter().find(|known| known.names.iter().any(|other| other.eq_ignore_ascii_case(name)));
        let oid = match known {
            Some(known) => known.oid,
            None => oid(name).ok_or(refuse("a part begins with an attribute that is not known"))?,
        };
        let known = known.or_else(|| ATTRIBUTES.iter().find(|known| known.oid == oid));
        let value = match self.rest.strip_prefix('#') {
            Some(digits) => {
                let length = digits.find(|char: char| !char.is_ascii_hexdigit()).unwrap_or(digits.len());
                let encoded = hexadecimal(digits.get(..length).unwrap_or_default());
                self.advance(1 + length);
                let value = encoded.and_then(|der| Any::from_der(&der).ok());
                let value = value.ok_or(refuse("a value behind '#' is not encoded"))?;
                // Characters are held to the same as those that are written plainly.
                string(&value).map_or(Ok(value), |text| encode(&text, known))?
            }
            None => encode(&self.value()?, known)?,
        };
        self.rest = self.rest.trim_start();
        if self.rest.starts_with([',', ';', '+']) || self.rest.is_empty() {
            return Ok(AttributeTypeAndValue { oid, value });
        }
        Err(refuse("something follows a value in quotes or in hexadecimal"))
    }

    /// A value with its quotes and escapes undone.
    fn value(&mut self) -> Result<String, Refusal> {
        let is_quoted = self.rest.starts_with('"');
        let mut value = Vec::new();
        // How much of the value stays whatever it ends in: spaces that are escaped or quoted are meant.
        let mut kept = 0;
        self.advance(usize::from(is_quoted));
        loop {
            let Some(char) = self.rest.chars().next() else {
                if is_quoted {
                    return Err(refuse("a quote is not closed"));
                }
                break;
            };
            match char {
                '\\' => {
                    self.escape(&mut value)?;
                    kept = value.len();
                    continue;
                }
                // A quote inside quotes is written twice.
                '"' if is_quoted && self.rest.starts_with("\"\"") => self.advance(1),
                '"' if is_quoted => {
                    self.advance(1);
                    kept = value.len();
                    break;
                }
                '"' => return Err(refuse("a quote in the middle of a value")),
                ',' | ';' | '+' if !is_quoted => break,
                _ => {}
            }
            let length = char.len_utf8();
            value.extend_from_slice(self.rest.as_bytes().get(..length).unwrap_or_default());
            self.advance(length);
            if !char.is_whitespace() {
                kept = value.len();
            }
        }
        value.truncate(kept);
        String::from_utf8(value).map_err(|_| refuse("an escaped value is not UTF-8"))
    }

    /// `\` and a byte in two hexadecimal digits, or a character that stands for itself.
    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), Refusal> {
        self.advance(1);
        if let Some([byte]) = self.rest.get(..2).and_then(hexadecimal).as_deref() {
            value.push(*byte);
            self.advance(2);
            return Ok(());
        }
        let char = self.rest.chars().next().ok_or(refuse("it ends with an escape"))?;
        value.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        self.advance(char.len_utf8());
        Ok(())
    }
}

/// A dotted object identifier, with or without `OID.` before it.
fn oid(name: &str) -> Option<ObjectIdentifier> {
    let dotted = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("oid.") => name.get(4..)?,
        _ => name,
    };
    ObjectIdentifier::new(dotted).ok()
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    if digits.is_empty() {
        return None;
    }
    digits.as_bytes().chunks(2).map(pair).collect()
}

fn encode(value: &str, known: Option<&Attribute>) -> Result<Any, Refusal> {
    let (kind, longest) = known.map_or((Kind::Directory, LONGEST_VALUE), |known| (known.kind, known.longest));
    let is_country = known.is_some_and(|known| known.names.contains(&"C"));
    if value.is_empty() {
        return Err(refuse("a value is empty"));
    }
    if is_country && (value.len() != 2 || !value.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        return Err(refuse("a country is written with two letters"));
    }
    if value.chars().count() > longest {
        return Err(refuse("a value is longer than its attribute may be (RFC 5280 appendix A.1)"));
    }
    if value.contains(char::is_control) {
        return Err(refuse("a value has a control character in it"));
    }
    let tag = match kind {
        Kind::Directory if value.chars().all(is_printable) => Tag::PrintableString,
        Kind::Directory => Tag::Utf8String,
        Kind::Printable if value.chars().all(is_printable) => Tag::PrintableString,
        Kind::Ascii if value.is_ascii() => Tag::Ia5String,
        Kind::Printable | Kind::Ascii => return Err(refuse("a value has characters that its attribute can't hold")),
    };
    Any::new(tag, value.as_bytes()).map_err(|_| refuse("a value can't be encoded"))
}

/// The characters of ASN.1's PrintableString.
fn is_printable(char: char) -> bool {
    char.is_ascii_alphanumeric() || " '()+,-./:=?".contains(char)
}

/// The text of a name.
pub(super) fn text(name: &Name) -> String {
    let rdns: Vec<&RelativeDistinguishedName> = name.iter_rdn().collect();
    let part = |rdn: &&RelativeDistinguishedName| rdn.iter().map(pair_text).collect::<Vec<_>>().join(" + ");
    rdns.iter().rev().map(part).collect::<Vec<_>>().join(", ")
}

/// The values of `CN`, the outermost first.
pub(super) fn common_names(name: &Name) -> Vec<String> {
    let pairs = name.iter_rdn().flat_map(RelativeDistinguishedName::iter);
    pairs.filter(|pair| pair.oid == COMMON_NAME).filter_map(|pair| string(&pair.value)).collect()
}

fn pair_text(pair: &AttributeTypeAndValue) -> String {
    let name = match ATTRIBUTES.iter().find(|known| known.oid == pair.oid) {
        Some(Attribute { names: [name, ..], .. }) => (*name).to_owned(),
        _ => format!("OID.{}", pair.oid),
    };
    match string(&pair.value) {
        Some(value) => format!("{name}={}", quoted(&value)),
        None => {
            let encoded = pair.value.to_der().unwrap_or_default();
            format!("{name}=#{}", encoded.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
        }
    }
}

/// The characters of a value of any of the string types that names have had.
fn string(value: &Any) -> Option<String> {
    let bytes = value.value();
    let text = match value.header().tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            String::from_utf8(bytes.to_vec()).ok()
        }
        // What calls itself Teletex is Latin 1 in practice.
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units = bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).ok().map(u16::from_be_bytes));
            String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
        }
        _ => None,
    };
    text.filter(|text| !text.is_empty())
}

/// In quotes if it would otherwise read as something else.
fn quoted(value: &str) -> String {
    let is_special = |char| ",;+=\"\\<>#\n\r".contains(char);
    if value.trim().len() == value.len() && !value.contains(is_special) {
        return value.to_owned();
    }
    // Inside the quotes a backslash still escapes, so it is written twice, like the quote.
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\"\""))
}
