//! Fuzz entries: one per parser of text or bytes that come from outside.
//!
//! An entry takes any bytes and checks what must hold for all of them. A parser that panics has failed; so has one that
//! accepts what its own rule forbids, or whose output it does not read back as the same thing.
//! cargo-fuzz drives these from `fuzz_targets/`; `tests/tests/fuzz.rs` includes this file and runs each on random input.

use azure::{Addresses, Request};
use custody::{Provider, RootKey, SoftwareProvider};
use domain::{
    CalendarDuration, ContainerName, Curve, Guid, KeySpec, ObjectName, PrivateJwk, Refusal, Secret, UnixTime, VersionId,
};

/// An entry, its name, and inputs worth beginning from.
pub struct Entry {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: &'static [&'static [u8]],
}

pub const ENTRIES: &[Entry] = &[
    Entry { name: "object_name", run: object_name, seeds: &[b"k", b"My-Key-1", b"-", b"0"] },
    Entry { name: "container_name", run: container_name, seeds: &[b"abc", b"Contoso-HSM-1", b"a-b-c", b"a--b"] },
    Entry {
        name: "version_id",
        run: version_id,
        seeds: &[b"0123456789abcdef0123456789abcdef", b"0123456789ABCDEF0123456789ABCDEF"],
    },
    Entry {
        name: "calendar_duration",
        run: calendar_duration,
        seeds: &[b"P30D", b"P18M", b"P2Y", b"P1Y2M3W4DT5H6M7.8S", b"PT0S", b"P1.5D", b"-P1D"],
    },
    Entry {
        name: "key_import",
        run: key_import,
        seeds: &[b"\0\x10sixteen byte key", P256_KEY, b"\x05\x01n\x01e\x01d\x01p\x01q\x01p\x01q\x01i"],
    },
    Entry {
        name: "backup_blob",
        run: backup_blob,
        seeds: &[b"SRBK\x01\0\x05vault\x01twelve bytes ciphertext and a tag of 16"],
    },
    Entry {
        name: "request_target",
        run: request_target,
        seeds: &[
            b"/keys/k/0123456789abcdef0123456789abcdef/sign?api%2Dversion=7.4",
            b"//keys//?$skiptoken=a%20b&maxresults=25",
            b"https://kv.vault.localhost:8443/keys/%41?x",
        ],
    },
    Entry {
        name: "host_name",
        run: host_name,
        seeds: &[
            b"kv.vault.localhost:8443",
            b"hsm.managedhsm.localhost",
            b"kv.vault.azure.net",
            b"hsm.managedhsm.azure.net:443",
            b"a.b.vault.localhost:8443",
        ],
    },
];

/// The key of RFC 6979 A.2.5, in the form [`key_import`] reads.
const P256_KEY: &[u8] = b"\x01\
    \x20\x60\xfe\xd4\xba\x25\x5a\x9d\x31\xc9\x61\xeb\x74\xc6\x35\x6d\x68\
    \xc0\x49\xb8\x92\x3b\x61\xfa\x6c\xe6\x69\x62\x2e\x60\xf2\x9f\xb6\
    \x20\x79\x03\xfe\x10\x08\xb8\xbc\x99\xa4\x1a\xe9\xe9\x56\x28\xbc\x64\
    \xf2\xf1\xb2\x0c\x2d\x7e\x9f\x51\x77\xa3\xc2\x94\xd4\x46\x22\x99\
    \x20\xc9\xaf\xa9\xd8\x45\xba\x75\x16\x6b\x5c\x21\x57\x67\xb1\xd6\x93\
    \x4e\x50\xc3\xdb\x36\xe8\x9b\x12\x7b\x8a\x62\x2b\x12\x0f\x67\x21";

/// Runs `check` on inputs that are text; the wire's decoder refuses the others before a parser sees them.
fn text(input: &[u8], check: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(input) {
        check(text);
    }
}

fn is_letter_digit_or_hyphen(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-'
}

pub fn object_name(input: &[u8]) {
    text(input, |text| {
        let is_valid = (1..=127).contains(&text.chars().count()) && text.chars().all(is_letter_digit_or_hyphen);
        let parsed = ObjectName::parse(text);
        assert_eq!(parsed.is_some(), is_valid, "{text:?}");
        if let Some(name) = parsed {
            assert_eq!(name.as_str(), text);
            assert_eq!(ObjectName::parse(&name.folded()).as_ref(), Some(&name));
        }
    });
}

pub fn container_name(input: &[u8]) {
    text(input, |text| {
        if let Some(name) = ContainerName::parse(text) {
            assert!((3..=24).contains(&text.chars().count()), "{text:?}");
            assert!(text.chars().all(is_letter_digit_or_hyphen), "{text:?}");
            assert!(text.split('-').all(|part| !part.is_empty()), "{text:?}");
            assert!(!text.starts_with(|first: char| first.is_ascii_digit()), "{text:?}");
            assert_eq!(name.as_str(), text);
            assert_eq!(ContainerName::parse(&name.folded()).as_ref(), Some(&name));
        }
    });
}

pub fn version_id(input: &[u8]) {
    text(input, |text| {
        let is_valid = text.len() == 32 && text.chars().all(|char| char.is_ascii_hexdigit());
        let parsed = VersionId::parse(text);
        assert_eq!(parsed.is_some(), is_valid, "{text:?}");
        if let Some(id) = parsed {
            assert_eq!(id.to_string(), text.to_ascii_lowercase());
        }
    });
}

pub fn calendar_duration(input: &[u8]) {
    text(input, |text| {
        let Some(duration) = CalendarDuration::parse(text) else { return };
        let written = duration.to_string();
        assert_eq!(CalendarDuration::parse(&written), Some(duration.clone()), "{text:?} was written as {written:?}");
        for from in [UnixTime(0), UnixTime(1_763_661_600), UnixTime(i64::MAX), UnixTime(i64::MIN)] {
            if let Some(later) = from.plus(&duration) {
                assert!(later >= from, "{text:?} goes back in time");
            }
            if let Some(earlier) = from.minus(&duration) {
                assert!(earlier <= from, "{text:?} goes forward in time");
            }
            assert!(duration.days_from(from).is_none_or(|days| days >= 0), "{text:?} is negative");
        }
    });
}

/// Takes a part of a key from the input: its length in one byte, then that many bytes or what is left.
fn part(input: &mut &[u8]) -> Vec<u8> {
    let Some((&length, rest)) = input.split_first() else { return Vec::new() };
    let (part, rest) = rest.split_at(rest.len().min(usize::from(length)));
    *input = rest;
    part.to_vec()
}

/// A key from parts of any length and content. What is accepted can be opened.
pub fn key_import(input: &[u8]) {
    let Some((kind, mut rest)) = input.split_first() else { return };
    let rest = &mut rest;
    let secret = |rest: &mut &[u8]| Secret::new(part(rest));
    let jwk = match usize::from(*kind) {
        0 => PrivateJwk::Oct { k: secret(rest) },
        curve @ 1..=4 => {
            let Some(&curve) = Curve::ALL.get(curve - 1) else { return };
            PrivateJwk::Ec { curve, x: part(rest), y: part(rest), d: secret(rest) }
        }
        _ => PrivateJwk::Rsa {
            n: part(rest),
            e: part(rest),
            d: secret(rest),
            p: secret(rest),
            q: secret(rest),
            dp: secret(rest),
            dq: secret(rest),
            qi: secret(rest),
        },
    };
    let spec = jwk.spec();
    if let Ok(key) = SoftwareProvider.import(&jwk) {
        assert!(SoftwareProvider.open(spec, &key.public, &key.material).is_ok(), "a key of {spec:?} does not open");
        assert!(spec != KeySpec::Oct { bits: 0 }, "an empty key was accepted");
    } else {
        assert!(*kind != 1 || input != P256_KEY, "the key of the standard was refused");
    }
}

/// A backup from anyone but us is refused, and always in the same way.
pub fn backup_blob(input: &[u8]) {
    let root = RootKey::from_key_file(b"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let opened = root.and_then(|root| root.backup_key("vault")).map(|key| custody::open_backup(&key, "vault", input));
    let is_refused = matches!(opened, Ok(Err(custody::Error::Refused(Refusal::BackupInvalid))));
    assert!(is_refused, "not refused as an invalid backup");
}

/// A request line's target. What is read has no empty segment, and reads the same when written out and sent again.
pub fn request_target(input: &[u8]) {
    let read = |target: &[u8]| {
        let mut request = http::Request::new(bytes::Bytes::new());
        *request.uri_mut() = http::Uri::try_from(target).ok()?;
        request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("KV.vault.localhost:8443"));
        Request::read(request, std::net::IpAddr::from([127, 0, 0, 1]), Guid::from_u128(1))
    };
    let Some(request) = read(input) else { return };
    assert!(request.path.iter().all(|segment| !segment.is_empty()));
    assert!(!request.host.contains(|char: char| char.is_ascii_uppercase()));
    let escape = |byte: u8| format!("%{byte:02x}");
    let written: String =
        request.path.iter().map(|part| format!("/{}", part.bytes().map(escape).collect::<String>())).collect();
    let again = read(if written.is_empty() { b"/" } else { written.as_bytes() });
    assert_eq!(again.map(|again| again.path), Some(request.path));
}

/// The host a request names: taken apart into a name and a suffix, or no container's.
pub fn host_name(input: &[u8]) {
    text(input, |host| {
        let addresses = Addresses { domain: "localhost".to_owned(), port: Some(8443), tenant: Guid::from_u128(1) };
        if let Some(container) = addresses.container(host) {
            assert_eq!(format!("{}.{}", container.name, container.suffix), host);
            assert!(!container.name.contains('.'), "{host:?}");
        }
    });
}
