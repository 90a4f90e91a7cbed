//! `[[acme]]` and `http_challenges`: the ACME servers that vaults may order certificates from.

use super::{Domain, HttpsUrl};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};

/// The servers, each under a name of its own, and where their challenges are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcmeSettings {
    /// As `[[acme]]`.
    #[serde(rename = "acme")]
    pub servers: AcmeServers,
    /// Nowhere without.
    pub http_challenges: Option<SocketAddr>,
}

impl AcmeServers {
    /// The files that they name.
    pub fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.0.iter_mut().filter_map(|server| server.ca_file.as_mut())
    }
}

/// Servers whose names differ, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<AcmeServer>")]
pub struct AcmeServers(pub Vec<AcmeServer>);

impl TryFrom<Vec<AcmeServer>> for AcmeServers {
    type Error = String;

    fn try_from(servers: Vec<AcmeServer>) -> Result<Self, String> {
        for (at, server) in servers.iter().enumerate() {
            let name = &server.name;
            if servers.iter().take(at).any(|before| before.name.0.eq_ignore_ascii_case(&name.0)) {
                return Err(format!("two ACME servers are called {:?}", name.0));
            }
        }
        Ok(Self(servers))
    }
}

/// An ACME server (RFC 8555).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeServer {
    /// What issuers call it: their provider.
    pub name: ServerName,
    /// Where it describes itself.
    pub directory: HttpsUrl,
    /// Whom it may write to about the account.
    #[serde(default)]
    pub contact: Vec<Contact>,
    /// Whether the operator has agreed to its terms of service.
    #[serde(default)]
    pub terms_agreed: bool,
    /// Whom to believe that the server is who it is; none: whom the system believes.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How it is shown that a name is ours.
    #[serde(default)]
    pub challenge: Challenge,
    /// At and below these, names may be ordered; none: everywhere.
    #[serde(default)]
    pub domains: Vec<Domain>,
}

/// How it is shown to a server that a name is ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Challenge {
    /// By a file at the name, over plain HTTP (RFC 8555 §8.3).
    #[default]
    #[serde(rename = "http-01")]
    Http,
}

/// A name that can be the provider of an issuer, and is that of no other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServerName(String);

impl ServerName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServerName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_sound =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if !(1..=64).contains(&text.len()) || !is_sound(&text) {
            return Err(format!("{text:?} is no name for an ACME server: 1 to 64 letters, digits, '-', '_' and '.'"));
        }
        if text.eq_ignore_ascii_case(engine::PRIVATE_CA) {
            return Err(format!("{text:?} is the provider of issuers that sign with a key of ours"));
        }
        Ok(Self(text))
    }
}

/// An address of e-mail, as a URL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Contact(String);

impl Contact {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Contact {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.strip_prefix("mailto:").and_then(|address| address.split_once('@'));
        let is_sound = address.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b",?".contains(&byte));
        if is_sound {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not a contact such as `mailto:ops@example.com`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "[[acme]]\nname = \"Example\"\ndirectory = \"https://acme.example.com/directory\"\n";

    fn parse(text: &str) -> Result<AcmeSettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn what_is_not_said_agrees_to_nothing() {
        assert_eq!(parse("").unwrap(), AcmeSettings::default());
        let settings = parse(SERVER).unwrap();
        let [server] = settings.servers.0.as_slice() else { unreachable!("there is one") };
        assert_eq!((server.name.as_str(), server.challenge), ("Example", Challenge::Http));
        assert!(!server.terms_agreed && server.ca_file.is_none() && settings.http_challenges.is_none());
        assert!(server.contact.is_empty() && server.domains.is_empty());
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, part) in [
            (SERVER.replace("name = \"Example\"\n", ""), "missing field `name`"),
            (SERVER.replace("Example", "an example"), "is no name for an ACME server"),
            (SERVER.replace("Example", ""), "is no name for an ACME server"),
            (SERVER.replace("Example", "privateca"), "a key of ours"),
            (SERVER.replace("https:", "http:"), "not a URL such as"),
            (format!("{SERVER}{}", SERVER.replace("Ex", "eX")), "two ACME servers are called \"eXample\""),
            (format!("{SERVER}contact = [\"ops@example.com\"]"), "not a contact such as"),
            (format!("{SERVER}contact = [\"mailto:ops\"]"), "not a contact such as"),
            (format!("{SERVER}challenge = \"dns-01\""), "unknown variant `dns-01`, expected `http-01`"),
            (format!("{SERVER}domains = [\"*.example.com\"]"), "not a domain name"),
            (format!("{SERVER}secret = \"x\""), "unknown field `secret`"),
            ("http_challenges = \"port 80\"".to_owned(), "socket address"),
        ] {
            let problem = parse(&text).expect_err(&text);
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
