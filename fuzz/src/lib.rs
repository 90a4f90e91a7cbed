//! Fuzz entries: one per parser of text or bytes that come from outside.
//!
//! An entry takes any bytes and checks what must hold for all of them. A parser that panics has failed; so has one that
//! accepts what its own rule forbids, or whose output it does not read back as the same thing.
//! cargo-fuzz drives these from `fuzz_targets/`; `tests/tests/fuzz.rs` includes this file and runs each on random input.

mod seeds;

use azure::{Addresses, Request};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use custody::{
    KeyHandle, Provider, RootKey, SoftwareProvider, SystemEntropy,
    note::{Checkpoint, NoteError, NoteVerifier},
    x509::{self, Certificate, Signer, Validity},
};
use domain::{
    AlternativeNames, CalendarDuration, ContainerName, Curve, EventSubscriptionName, Guid, IssuerName, KeySpec,
    ObjectName, PrivateJwk, PublicKey, Refusal, Secret, UnixTime, VersionId, X509Properties, notice::Endpoint,
};
use std::sync::OnceLock;

pub use azure::arm::fuzz::{
    filter as arm_filter, hsm_body as arm_hsm_body, other_body as arm_other_body, query as arm_query,
    route as arm_route, scope as arm_scope, vault_body as arm_vault_body,
};
pub use azure::data_plane::fuzz::{
    certificate_body, create_body as key_create_body, import_body as key_import_body, issuer_body,
    operation_body as key_operation_body, other_body, role_assignment_body as hsm_role_assignment_body,
    rotation_policy_body as key_rotation_policy_body, secret_body, signature_body as key_signature_body,
    target as data_plane_target, update_body,
};
pub use azure::notices::fuzz::agreement as receiver_agreement;
pub use azure::sign_in::fuzz::{
    claims as sign_in_claims, directory_body, directory_path, filter as directory_filter, form as sign_in_form,
};
pub use custody::bundle::fuzz::{pem as pem_text, pkcs12 as pkcs12_file};
pub use server::fuzz::{acme_address, acme_chain, acme_document, acme_retry_after, proxy_head, receiver_answer};

/// An entry, its name, and inputs worth beginning from.
pub struct Entry {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: &'static [&'static [u8]],
}

pub const ENTRIES: &[Entry] = &[
    Entry { name: "guid", run: guid, seeds: seeds::GUID },
    Entry { name: "object_name", run: object_name, seeds: seeds::OBJECT_NAME },
    Entry { name: "other_name", run: other_name, seeds: seeds::OTHER_NAME },
    Entry { name: "container_name", run: container_name, seeds: seeds::CONTAINER_NAME },
    Entry { name: "version_id", run: version_id, seeds: seeds::VERSION_ID },
    Entry { name: "calendar_duration", run: calendar_duration, seeds: seeds::CALENDAR_DURATION },
    Entry { name: "moment", run: moment, seeds: seeds::MOMENT },
    Entry { name: "key_import", run: key_import, seeds: seeds::KEY_IMPORT },
    Entry { name: "backup_blob", run: backup_blob, seeds: seeds::BACKUP_BLOB },
    Entry { name: "certificate", run: certificate, seeds: seeds::CERTIFICATE },
    Entry { name: "certification_request", run: certification_request, seeds: seeds::CERTIFICATION_REQUEST },
    Entry { name: "certificate_subject", run: certificate_subject, seeds: seeds::CERTIFICATE_SUBJECT },
    Entry { name: "pkcs12_file", run: pkcs12_file, seeds: seeds::PKCS12_FILE },
    Entry { name: "pem_text", run: pem_text, seeds: seeds::PEM_TEXT },
    Entry { name: "signed_note", run: signed_note, seeds: seeds::SIGNED_NOTE },
    Entry { name: "verifier_key", run: verifier_key, seeds: seeds::VERIFIER_KEY },
    Entry { name: "log_checkpoint", run: log_checkpoint, seeds: seeds::LOG_CHECKPOINT },
    Entry { name: "audit_export", run: audit_export, seeds: seeds::AUDIT_EXPORT },
    Entry { name: "request_target", run: request_target, seeds: seeds::REQUEST_TARGET },
    Entry { name: "host_name", run: host_name, seeds: seeds::HOST_NAME },
    Entry { name: "arm_route", run: arm_route, seeds: seeds::ARM_ROUTE },
    Entry { name: "arm_scope", run: arm_scope, seeds: seeds::ARM_SCOPE },
    Entry { name: "arm_filter", run: arm_filter, seeds: seeds::ARM_FILTER },
    Entry { name: "arm_query", run: arm_query, seeds: seeds::ARM_QUERY },
    Entry { name: "arm_vault_body", run: arm_vault_body, seeds: seeds::ARM_VAULT_BODY },
    Entry { name: "arm_hsm_body", run: arm_hsm_body, seeds: seeds::ARM_HSM_BODY },
    Entry { name: "arm_other_body", run: arm_other_body, seeds: seeds::ARM_OTHER_BODY },
    Entry { name: "data_plane_target", run: data_plane_target, seeds: seeds::DATA_PLANE_TARGET },
    Entry { name: "key_create_body", run: key_create_body, seeds: seeds::KEY_CREATE_BODY },
    Entry { name: "key_import_body", run: key_import_body, seeds: seeds::KEY_IMPORT_BODY },
    Entry { name: "update_body", run: update_body, seeds: seeds::UPDATE_BODY },
    Entry { name: "key_operation_body", run: key_operation_body, seeds: seeds::KEY_OPERATION_BODY },
    Entry { name: "key_signature_body", run: key_signature_body, seeds: seeds::KEY_SIGNATURE_BODY },
    Entry { name: "other_body", run: other_body, seeds: seeds::OTHER_BODY },
    Entry { name: "secret_body", run: secret_body, seeds: seeds::SECRET_BODY },
    Entry { name: "certificate_body", run: certificate_body, seeds: seeds::CERTIFICATE_BODY },
    Entry { name: "issuer_body", run: issuer_body, seeds: seeds::ISSUER_BODY },
    Entry { name: "key_rotation_policy_body", run: key_rotation_policy_body, seeds: seeds::KEY_ROTATION_POLICY_BODY },
    Entry { name: "hsm_role_assignment_body", run: hsm_role_assignment_body, seeds: seeds::HSM_ROLE_ASSIGNMENT_BODY },
    Entry { name: "skip_token", run: skip_token, seeds: seeds::SKIP_TOKEN },
    Entry { name: "sign_in_form", run: sign_in_form, seeds: seeds::SIGN_IN_FORM },
    Entry { name: "sign_in_basic", run: sign_in_basic, seeds: seeds::SIGN_IN_BASIC },
    Entry { name: "sign_in_claims", run: sign_in_claims, seeds: seeds::SIGN_IN_CLAIMS },
    Entry { name: "directory_filter", run: directory_filter, seeds: seeds::DIRECTORY_FILTER },
    Entry { name: "directory_path", run: directory_path, seeds: seeds::DIRECTORY_PATH },
    Entry { name: "directory_body", run: directory_body, seeds: seeds::DIRECTORY_BODY },
    Entry { name: "bearer_token", run: bearer_token, seeds: seeds::BEARER_TOKEN },
    Entry { name: "external_claims", run: external_claims, seeds: seeds::EXTERNAL_CLAIMS },
    Entry { name: "issuer_discovery", run: issuer_discovery, seeds: seeds::ISSUER_DISCOVERY },
    Entry { name: "issuer_key_set", run: issuer_key_set, seeds: seeds::ISSUER_KEY_SET },
    Entry { name: "acme_document", run: acme_document, seeds: seeds::ACME_DOCUMENT },
    Entry { name: "acme_chain", run: acme_chain, seeds: seeds::ACME_CHAIN },
    Entry { name: "acme_address", run: acme_address, seeds: seeds::ACME_ADDRESS },
    Entry { name: "acme_retry_after", run: acme_retry_after, seeds: seeds::ACME_RETRY_AFTER },
    Entry { name: "notice_endpoint", run: notice_endpoint, seeds: seeds::NOTICE_ENDPOINT },
    Entry { name: "receiver_agreement", run: receiver_agreement, seeds: seeds::RECEIVER_AGREEMENT },
    Entry { name: "receiver_answer", run: receiver_answer, seeds: seeds::RECEIVER_ANSWER },
    Entry { name: "proxy_head", run: proxy_head, seeds: seeds::PROXY_HEAD },
];

/// Runs `check` on inputs that are text; the wire's decoder refuses the others before a parser sees them.
fn text(input: &[u8], check: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(input) {
        check(text);
    }
}

fn is_letter_digit_or_hyphen(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-'
}

pub fn guid(input: &[u8]) {
    text(input, |text| {
        if let Some(guid) = Guid::parse(text) {
            let digits = |text: &str| {
                let bare = text.to_ascii_lowercase();
                let bare = bare.strip_prefix("urn:uuid:").unwrap_or(&bare);
                bare.chars().filter(char::is_ascii_hexdigit).collect::<String>()
            };
            assert_eq!(digits(&guid.to_string()), digits(text), "{text:?}");
            assert_eq!(Guid::parse(&guid.to_string()), Some(guid), "{text:?}");
        }
    });
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

/// The names of issuers and event subscriptions.
pub fn other_name(input: &[u8]) {
    text(input, |text| {
        let length = text.chars().count();
        let is_plain = text.chars().all(is_letter_digit_or_hyphen);
        let is_reserved = ["self", "unknown"].contains(&text.to_lowercase().as_str());
        let issuer = IssuerName::parse(text);
        assert_eq!(issuer.is_some(), is_plain && (1..=127).contains(&length) && !is_reserved, "{text:?}");
        assert!(issuer.is_none_or(|name| IssuerName::parse(&name.folded()).as_ref() == Some(&name)));
        let subscription = EventSubscriptionName::parse(text);
        assert_eq!(subscription.is_some(), is_plain && (3..=64).contains(&length), "{text:?}");
        assert!(subscription.is_none_or(|name| EventSubscriptionName::parse(&name.folded()).as_ref() == Some(&name)));
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

/// A moment or a day. What is read is written so that it reads as the same.
pub fn moment(input: &[u8]) {
    text(input, |text| {
        if let Some(time) = UnixTime::parse(text) {
            assert_eq!(UnixTime::parse(&time.to_string()), Some(time), "{text:?}");
        }
    });
}

/// Where notices are to be sent. What is read is what our client will call: no part of it says another host to one of us
/// than to the other, and the part that may be seen ends before the secret.
pub fn notice_endpoint(input: &[u8]) {
    text(input, |text| {
        let Some(endpoint) = Endpoint::parse(text) else { return };
        assert_eq!(endpoint.expose(), text);
        assert!(text.starts_with(endpoint.base_url()) && !endpoint.base_url().contains('?'), "{text:?}");
        if let Ok(uri) = text.parse::<http::Uri>() {
            assert_eq!(uri.host(), Some(endpoint.host()), "{text:?}");
            assert_eq!(uri.scheme_str() == Some("https"), endpoint.is_encrypted(), "{text:?}");
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
        assert!(*kind != 1 || input != seeds::P256_KEY, "the key of the standard was refused");
    }
}

/// A backup from anyone but us is refused, and always in the same way.
pub fn backup_blob(input: &[u8]) {
    let root = RootKey::from_key_file(b"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let opened = root.and_then(|root| root.backup_key("vault")).map(|key| custody::open_backup(&key, "vault", input));
    let is_refused = matches!(opened, Ok(Err(custody::Error::Refused(Refusal::BackupInvalid))));
    assert!(is_refused, "not refused as an invalid backup");
}

/// An authority of the entries' own.
struct Authority {
    key: Box<dyn KeyHandle>,
    public: PublicKey,
    certificate: Vec<u8>,
}

const VALIDITY: Validity = Validity { not_before: UnixTime(0), not_after: UnixTime(1_000_000_000) };

fn authority() -> &'static Authority {
    fn made() -> Result<Authority, custody::Error> {
        let generated = SoftwareProvider.generate(KeySpec::DEFAULT_EC, &SystemEntropy)?;
        let key = SoftwareProvider.open(KeySpec::DEFAULT_EC, &generated.public, &generated.material)?;
        let signer = Signer { key: &*key, public: &generated.public };
        let certificate = x509::authority("CN=root", VALIDITY, signer, &SystemEntropy)?;
        Ok(Authority { key, public: generated.public, certificate })
    }
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| made().unwrap_or_else(|error| unreachable!("no authority: {error}")))
}

/// A certificate in DER. What is read can be asked everything.
pub fn certificate(input: &[u8]) {
    let Ok(read) = Certificate::read(input) else { return };
    assert!(read.properties().validity_months > 0);
    let _ = x509::check_properties(&read.properties());
    let _ = read.is_signed_by(&read);
    if let Ok(public) = read.public_key() {
        assert!(read.has_key(&public));
        let chain = x509::arrange(vec![input.to_vec(); 3], &public, x509::Order::LeafFirst);
        assert_eq!(chain, Ok(vec![input.to_vec()]));
    }
}

/// A certification request. Whatever it asks for, it is issued for a holder and by its issuer, or refused.
pub fn certification_request(input: &[u8]) {
    let Authority { key, certificate, .. } = authority();
    let validity = Validity { not_before: UnixTime(-1), not_after: UnixTime(i64::MAX) };
    let issued = x509::issue(input, certificate, &**key, validity, &SystemEntropy);
    if let Err(error) = &issued {
        assert!(matches!(error, custody::Error::Refused(_)), "{error}");
    }
    let Ok(Ok(issued)) = issued.map(|der| Certificate::read(&der)) else { return };
    let issuer = Certificate::read(certificate);
    assert!(issuer.is_ok_and(|issuer| {
        !issued.is_authority
            && issued.is_signed_by(&issuer) == Some(true)
            && issued.not_before >= issuer.not_before
            && issued.not_after <= issuer.not_after
    }));
}

/// The subject of a certificate of a subject, if there can be one.
fn certified(subject: &str) -> Option<String> {
    let Authority { key, public, .. } = authority();
    let properties = X509Properties {
        subject: subject.to_owned(),
        names: AlternativeNames { dns_names: vec!["a".to_owned()], ..AlternativeNames::default() },
        ekus: Vec::new(),
        key_usage: Vec::new(),
        validity_months: 1,
        is_authority: false,
    };
    x509::check_properties(&properties).ok()?;
    let signer = Signer { key: &**key, public };
    let signed = x509::self_signed(&properties, VALIDITY, signer, &SystemEntropy);
    let read = signed.map(|der| Certificate::read(&der));
    assert!(matches!(read, Ok(Ok(_))), "{subject:?} was checked, but can't be certified");
    Some(read.ok()?.ok()?.subject)
}

/// A subject as text. What is accepted comes back from a certificate as a text that says the same.
pub fn certificate_subject(input: &[u8]) {
    text(input, |subject| {
        if let Some(read) = certified(subject) {
            assert_eq!(certified(&read).as_ref(), Some(&read), "{subject:?}");
        }
    });
}

/// The example of C2SP signed-note.
const NOTE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// A signed note. What is accepted is the text that was signed, whatever stands around it.
pub fn signed_note(input: &[u8]) {
    text(input, |note| {
        let opened = NOTE_KEY.parse().and_then(|key: NoteVerifier| Ok(key.open(note)?.to_owned()));
        assert!(!matches!(opened, Err(NoteError::NotVerifier(_))));
        if let Ok(signed) = opened {
            assert_eq!(signed, "This is an example message.\n");
            assert!(note.starts_with(&signed));
        }
    });
}

/// A verifier key. What is read is written the same.
pub fn verifier_key(input: &[u8]) {
    text(input, |key| {
        if let Ok(read) = key.parse::<NoteVerifier>() {
            assert_eq!(read.to_string(), key);
        }
    });
}

/// A checkpoint. What is read is written the same, but for lines that an extension has added.
pub fn log_checkpoint(input: &[u8]) {
    text(input, |checkpoint| {
        if let Ok(read) = checkpoint.parse::<Checkpoint>() {
            assert!(checkpoint.starts_with(&read.to_string()));
        }
    });
}

/// An export of an audit log. Nothing in it is signed by the key, so nothing counts as signed.
pub fn audit_export(input: &[u8]) {
    let key = NOTE_KEY.parse::<NoteVerifier>();
    assert!(key.is_ok());
    if let Ok(Ok(report)) = key.map(|key| engine::audit::verify_export(&mut &*input, &key, &[])) {
        assert!(report.checkpoints == 0 && report.signed < report.first.max(1));
    }
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
    assert!(request.segments().iter().all(|segment| !segment.is_empty()));
    assert!(!request.host.contains(|char: char| char.is_ascii_uppercase()));
    let escape = |byte: u8| format!("%{byte:02x}");
    let written: String =
        request.segments().iter().map(|part| format!("/{}", part.bytes().map(escape).collect::<String>())).collect();
    let again = read(if written.is_empty() { b"/" } else { written.as_bytes() });
    assert_eq!(again.as_ref().map(Request::segments), Some(request.segments()));
}

/// The host a request names: taken apart into a name and a suffix, or no container's.
pub fn host_name(input: &[u8]) {
    text(input, |host| {
        let addresses = Addresses::new("localhost".to_owned(), Some(8443), Guid::from_u128(1));
        if let Some(container) = addresses.container(host) {
            assert_eq!(format!("{}.{}", container.name, container.suffix), host);
            assert!(!container.name.contains('.'), "{host:?}");
        }
    });
}

/// A skip token as it came, and one of ours with any content.
pub fn skip_token(input: &[u8]) {
    azure::data_plane::fuzz::skip_token(input);
    azure::data_plane::fuzz::skip_token(URL_SAFE_NO_PAD.encode(input).as_bytes());
}

/// An `Authorization` header as it came, and HTTP Basic with any content.
pub fn sign_in_basic(input: &[u8]) {
    azure::sign_in::fuzz::basic(input);
    azure::sign_in::fuzz::basic(format!("Basic {}", STANDARD.encode(input)).as_bytes());
}

/// A token as it came; and one with a whole signature, whose header is the input's first line and whose claims are
/// the rest.
pub fn bearer_token(input: &[u8]) {
    identity::fuzz::token(input);
    let (header, claims) = match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[][..]),
    };
    let [header, claims, signature] = [header, claims, &[0; 64]].map(|part| URL_SAFE_NO_PAD.encode(part));
    identity::fuzz::token(format!("{header}.{claims}.{signature}").as_bytes());
}

pub fn external_claims(input: &[u8]) {
    identity::fuzz::external_claims(input);
}

pub fn issuer_discovery(input: &[u8]) {
    identity::fuzz::discovery(input);
}

pub fn issuer_key_set(input: &[u8]) {
    identity::fuzz::key_set(input);
}
