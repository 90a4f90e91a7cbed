//! What a command is about: names or a URL on the command line, turned into a host and a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

use super::arguments::{HostArgs, KeyArgs, VersionArgs};
use super::error::ClientError;

/// What follows the name of a vault or a managed HSM in its host name, with the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suffixes {
    /// For example `.vault.localhost:8443`.
    pub vault: String,
    /// For example `.managedhsm.localhost:8443`.
    pub hsm: String,
}

/// A key of a vault or a managed HSM.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyRef {
    /// Host name with the port.
    pub host: String,
    /// Name of the key.
    pub name: String,
    /// Version of the key; empty for the latest.
    pub version: String,
}

/// Everything in a path segment but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes one segment of a path, or one value of a query.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The host name and port of an https URL, in lower case.
pub fn authority(url: &str) -> Result<String, ClientError> {
    let wrong = |why: &str| ClientError::Usage(format!("'{url}' is not the URL of a server: {why}."));
    let uri: Uri = url.parse().map_err(|_| wrong("it cannot be read"))?;
    if uri.scheme_str() != Some("https") {
        return Err(wrong("it must begin with https://"));
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => Err(wrong("it may not hold a user name")),
        Some(authority) => Ok(authority.as_str().to_ascii_lowercase()),
        None => Err(wrong("it has no host name")),
    }
}

/// The host that a command on a whole vault or managed HSM names.
pub fn host(args: &HostArgs, suffixes: &Suffixes) -> Result<String, ClientError> {
    match (&args.id, &args.hsm_name, &args.vault_name) {
        (Some(id), _, _) => authority(id),
        (None, hsm, vault) => named_host(hsm.as_deref(), vault.as_deref(), suffixes),
    }
}

/// The key that a command names.
pub fn key(args: &KeyArgs, suffixes: &Suffixes) -> Result<KeyRef, ClientError> {
    if let Some(id) = &args.id {
        return key_id(id);
    }
    let host = named_host(args.hsm_name.as_deref(), args.vault_name.as_deref(), suffixes)?;
    let name = args.name.clone().ok_or_else(|| ClientError::Usage("Say which key: --name or --id.".into()))?;
    Ok(KeyRef { host, name, version: String::new() })
}

/// The key version that a command names. A version in the id wins, as in az.
pub fn version(args: &VersionArgs, suffixes: &Suffixes) -> Result<KeyRef, ClientError> {
    let mut key = key(&args.key, suffixes)?;
    if key.version.is_empty() {
        key.version = args.version.clone().unwrap_or_default();
    }
    Ok(key)
}

fn named_host(hsm: Option<&str>, vault: Option<&str>, suffixes: &Suffixes) -> Result<String, ClientError> {
    let (name, suffix) = match (hsm, vault) {
        (Some(name), _) => (name, &suffixes.hsm),
        (None, Some(name)) => (name, &suffixes.vault),
        (None, None) => {
            return Err(ClientError::Usage("Say which vault or managed HSM: --vault-name, --hsm-name or --id.".into()));
        }
    };
    // The name becomes part of a host name: nothing in it may end that host name early.
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(ClientError::Usage(format!(
            "'{name}' is not the name of a vault or a managed HSM: only letters, digits and hyphens are allowed."
        )));
    }
    Ok(format!("{}{}", name.to_ascii_lowercase(), suffix.to_ascii_lowercase()))
}

/// Reads a key id. Which of the two collections it names does not matter: the command says what it is about.
fn key_id(id: &str) -> Result<KeyRef, ClientError> {
    let host = authority(id)?;
    let path = id.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let collection = |segment: &&str| ["keys", "deletedkeys"].iter().any(|known| segment.eq_ignore_ascii_case(known));
    let name = segments.find(collection).and_then(|_| segments.next()).ok_or_else(|| {
        ClientError::Usage(format!("'{id}' is not the id of a key: it should read https://HOST/keys/NAME[/VERSION]."))
    })?;
    Ok(KeyRef { host, name: name.to_owned(), version: segments.next().unwrap_or_default().to_owned() })
}

impl KeyRef {
    /// The path of the key, all its versions together.
    pub fn whole(&self) -> String {
        format!("/keys/{}", segment(&self.name))
    }

    /// The path of the key version. An empty version stays an empty segment, as Azure's clients send it.
    pub fn one(&self) -> String {
        format!("{}/{}", self.whole(), segment(&self.version))
    }

    /// The path of the key among the deleted ones.
    pub fn deleted(&self) -> String {
        format!("/deletedkeys/{}", segment(&self.name))
    }

    /// The id of the key version.
    pub fn id(&self) -> String {
        format!("https://{}{}", self.host, self.one().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: &str) -> (String, String, String) {
        let key = key_id(id).unwrap();
        (key.host, key.name, key.version)
    }

    #[test]
    fn a_key_id_gives_host_name_and_version() {
        let id = "https://ContosoMHSM.managedhsm.localhost:8443/keys/myrsakey/0123";
        assert_eq!(read(id), ("contosomhsm.managedhsm.localhost:8443".into(), "myrsakey".into(), "0123".into()));
    }

    #[test]
    fn the_id_of_a_deleted_key_is_read_in_any_case() {
        for id in ["https://h/deletedKeys/k", "https://h/deletedkeys/k/", "https://h//keys/k?x=1"] {
            assert_eq!(read(id), ("h".into(), "k".into(), String::new()), "{id}");
        }
    }

    #[test]
    fn an_id_that_names_no_key_or_no_tls_is_refused() {
        for id in ["https://h/", "https://h/secrets/s", "http://h/keys/k", "h/keys/k", "https://a@h/keys/k"] {
            assert!(matches!(key_id(id), Err(ClientError::Usage(_))), "{id}");
        }
    }

    #[test]
    fn a_vault_name_cannot_lead_to_another_host() {
        let suffixes = Suffixes { vault: ".vault.localhost:8443".into(), hsm: ".managedhsm.localhost:8443".into() };
        for name in ["evil.example/", "a.b", "a:1", "a@b", ""] {
            assert!(matches!(named_host(None, Some(name), &suffixes), Err(ClientError::Usage(_))), "{name}");
        }
        assert_eq!(named_host(Some("HSM1"), None, &suffixes).unwrap(), "hsm1.managedhsm.localhost:8443");
    }

    #[test]
    fn a_key_name_cannot_leave_its_segment() {
        let key = KeyRef { host: "h".into(), name: "../x?y".into(), version: String::new() };
        assert_eq!(key.whole(), "/keys/..%2Fx%3Fy");
    }
}
