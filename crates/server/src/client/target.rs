//! What a command is about: names or a URL on the command line, turned into a host and a path.

use domain::ObjectKind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

use super::arguments::{HostArgs, ObjectArgs, VersionArgs};
use super::error::ClientError;

/// What follows the name of a vault or a managed HSM in its host name, with the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suffixes {
    /// For example `.vault.localhost:8443`.
    pub vault: String,
    /// For example `.managedhsm.localhost:8443`.
    pub hsm: String,
}

/// A key, a secret or a certificate.
#[derive(Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// What it is.
    pub kind: ObjectKind,
    /// Host name with the port.
    pub host: String,
    /// Its name.
    pub name: String,
    /// Its version; empty for the latest.
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
pub fn host(kind: ObjectKind, args: &HostArgs, suffixes: &Suffixes) -> Result<String, ClientError> {
    match (&args.id, &args.hsm_name, &args.vault_name) {
        (Some(id), _, _) => authority(id),
        (None, hsm, vault) => named_host(kind, hsm.as_deref(), vault.as_deref(), suffixes),
    }
}

/// The object that a command names.
pub fn object(kind: ObjectKind, args: &ObjectArgs, suffixes: &Suffixes) -> Result<ObjectRef, ClientError> {
    if let Some(id) = &args.id {
        return object_id(kind, id);
    }
    let host = named_host(kind, args.hsm_name.as_deref(), args.vault_name.as_deref(), suffixes)?;
    let name = args.name.clone().ok_or_else(|| ClientError::Usage(format!("Say which {kind}: --name or --id.")))?;
    Ok(ObjectRef { kind, host, name, version: String::new() })
}

/// The version of an object that a command names. A version in the id wins, as in az.
pub fn version(kind: ObjectKind, args: &VersionArgs, suffixes: &Suffixes) -> Result<ObjectRef, ClientError> {
    let mut object = object(kind, &args.object, suffixes)?;
    if object.version.is_empty() {
        object.version = args.version.clone().unwrap_or_default();
    }
    Ok(object)
}

fn named_host(
    kind: ObjectKind,
    hsm: Option<&str>,
    vault: Option<&str>,
    suffixes: &Suffixes,
) -> Result<String, ClientError> {
    let in_hsm = kind == ObjectKind::Key;
    let (name, suffix) = match (hsm, vault) {
        (Some(name), _) if in_hsm => (name, &suffixes.hsm),
        (None, Some(name)) => (name, &suffixes.vault),
        (None, None) if in_hsm => {
            return Err(ClientError::Usage("Say which vault or managed HSM: --vault-name, --hsm-name or --id.".into()));
        }
        (Some(_), _) | (None, None) => {
            return Err(ClientError::Usage(format!("Say which vault the {kind} is in: --vault-name or --id.")));
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

/// Reads an id. Whether it is that of a live or a deleted object does not matter: the command says what it is about.
fn object_id(kind: ObjectKind, id: &str) -> Result<ObjectRef, ClientError> {
    let host = authority(id)?;
    let path = id.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let (live, deleted) = (kind.collection(), format!("deleted{}", kind.collection()));
    let collection = |segment: &&str| segment.eq_ignore_ascii_case(live) || segment.eq_ignore_ascii_case(&deleted);
    let name = segments.find(collection).and_then(|_| segments.next()).ok_or_else(|| {
        ClientError::Usage(format!(
            "'{id}' is not the id of a {kind}: it should read https://HOST/{live}/NAME[/VERSION]."
        ))
    })?;
    let version = segments.next().unwrap_or_default().to_owned();
    Ok(ObjectRef { kind, host, name: name.to_owned(), version })
}

impl ObjectRef {
    /// The path of the object, all its versions together.
    pub fn whole(&self) -> String {
        format!("/{}/{}", self.kind.collection(), segment(&self.name))
    }

    /// The path of the version. An empty version stays an empty segment, as Azure's clients send it.
    pub fn one(&self) -> String {
        format!("{}/{}", self.whole(), segment(&self.version))
    }

    /// The path of the object among the deleted ones.
    pub fn deleted(&self) -> String {
        format!("/deleted{}/{}", self.kind.collection(), segment(&self.name))
    }

    /// The id of the version.
    pub fn id(&self) -> String {
        format!("https://{}{}", self.host, self.one().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: &str) -> (String, String, String) {
        let key = object_id(ObjectKind::Key, id).unwrap();
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
            assert!(matches!(object_id(ObjectKind::Key, id), Err(ClientError::Usage(_))), "{id}");
        }
    }

    #[test]
    fn a_vault_name_cannot_lead_to_another_host() {
        let suffixes = Suffixes { vault: ".vault.localhost:8443".into(), hsm: ".managedhsm.localhost:8443".into() };
        for name in ["evil.example/", "a.b", "a:1", "a@b", ""] {
            assert!(
                matches!(named_host(ObjectKind::Key, None, Some(name), &suffixes), Err(ClientError::Usage(_))),
                "{name}"
            );
        }
        assert_eq!(
            named_host(ObjectKind::Key, Some("HSM1"), None, &suffixes).unwrap(),
            "hsm1.managedhsm.localhost:8443"
        );
    }

    #[test]
    fn a_key_name_cannot_leave_its_segment() {
        let key = ObjectRef { kind: ObjectKind::Key, host: "h".into(), name: "../x?y".into(), version: String::new() };
        assert_eq!(key.whole(), "/keys/..%2Fx%3Fy");
    }

    #[test]
    fn an_id_is_read_for_the_kind_that_the_command_is_about() {
        let id = "https://h/deletedSecrets/s/01";
        let secret = object_id(ObjectKind::Secret, id).unwrap();
        assert_eq!((secret.whole().as_str(), secret.deleted().as_str()), ("/secrets/s", "/deletedsecrets/s"));
        assert_eq!(secret.id(), "https://h/secrets/s/01");
        assert!(matches!(object_id(ObjectKind::Certificate, id), Err(ClientError::Usage(_))));
    }

    #[test]
    fn only_keys_are_in_managed_hsms() {
        let suffixes = Suffixes { vault: ".vault.localhost:8443".into(), hsm: ".managedhsm.localhost:8443".into() };
        for kind in [ObjectKind::Secret, ObjectKind::Certificate] {
            assert!(matches!(named_host(kind, Some("hsm1"), None, &suffixes), Err(ClientError::Usage(_))), "{kind}");
        }
    }
}
