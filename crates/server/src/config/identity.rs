//! `[identity]`: whose tokens an installation takes.

use http::Uri;
use identity::{Algorithm, ClaimNames, ExternalSettings};
use serde::Deserialize;
use std::path::PathBuf;

/// Whose tokens are taken: those of the embedded issuer, of an external one, or of both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Issuers")]
pub struct IdentityConfig {
    /// Whether applications sign in here.
    pub embedded: bool,
    /// An OpenID Connect provider.
    pub external: Option<ExternalConfig>,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self { embedded: true, external: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Issuers {
    embedded: bool,
    external: Option<ExternalConfig>,
}

impl Default for Issuers {
    fn default() -> Self {
        Self { embedded: true, external: None }
    }
}

impl TryFrom<Issuers> for IdentityConfig {
    type Error = &'static str;

    fn try_from(issuers: Issuers) -> Result<Self, Self::Error> {
        let Issuers { embedded, external } = issuers;
        if !embedded && external.is_none() {
            return Err("`embedded = false` needs an [identity.external], or nobody could ever sign in");
        }
        Ok(Self { embedded, external })
    }
}

impl IdentityConfig {
    /// The authority that clients are told to sign in at, if it is not the embedded one. Beside the embedded issuer the
    /// external one is named only if the configuration says so: clients take the tenant from the name.
    #[must_use]
    pub fn foreign_authority(&self) -> Option<String> {
        let external = self.external.as_ref()?;
        let named = external.authority.as_ref();
        named.or((!self.embedded).then_some(&external.issuer)).map(|authority| authority.0.clone())
    }
}

/// An OpenID Connect provider, and what its tokens are held to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalConfig {
    /// Its name, which is also where it describes itself.
    pub issuer: HttpsUrl,
    /// Audiences that are taken everywhere.
    #[serde(default)]
    audiences: Vec<Audience>,
    #[serde(default)]
    algorithms: Algorithms,
    #[serde(default)]
    clock_skew_seconds: Skew,
    #[serde(default)]
    claims: Claims,
    /// Whom to believe that the provider is who it is; none: whom the system believes.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Where clients are told to sign in, if that is not the issuer.
    #[serde(default)]
    authority: Option<HttpsUrl>,
}

impl ExternalConfig {
    /// What the tokens are held to.
    #[must_use]
    pub fn settings(&self) -> ExternalSettings {
        let Claims { object_id, tenant, application, groups } = self.claims.clone();
        ExternalSettings {
            issuer: self.issuer.0.clone(),
            audiences: self.audiences.iter().map(|audience| audience.0.clone()).collect(),
            algorithms: self.algorithms.0.clone(),
            clock_skew_seconds: self.clock_skew_seconds.0,
            claims: ClaimNames {
                object_id: object_id.0,
                tenant: tenant.0,
                application: application.into_iter().map(|name| name.0).collect(),
                groups: groups.0,
            },
        }
    }
}

/// An https URL that can stand in a challenge, and that names are derived from: without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpsUrl(String);

impl HttpsUrl {
    /// The URL, exactly as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HttpsUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !br#""<>\^`{|}?#@,"#.contains(&byte));
        let uri = text.parse::<Uri>().ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
        if !is_plain || !text.starts_with("https://") || uri.is_none() {
            return Err(format!(
                "{text:?} is not a URL such as `https://login.example.com/realms/keys`: https, without user, query, \
                 fragment or comma"
            ));
        }
        Ok(Self(text))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Audience(String);

impl TryFrom<String> for Audience {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim_end_matches('/').is_empty() {
            return Err("an audience must not be empty: every token without one would be taken");
        }
        Ok(Self(text))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Algorithm>")]
struct Algorithms(Vec<Algorithm>);

impl Default for Algorithms {
    fn default() -> Self {
        Self(Algorithm::USUAL.to_vec())
    }
}

impl TryFrom<Vec<Algorithm>> for Algorithms {
    type Error = &'static str;

    fn try_from(algorithms: Vec<Algorithm>) -> Result<Self, Self::Error> {
        (!algorithms.is_empty()).then_some(Self(algorithms)).ok_or("`algorithms` needs at least one")
    }
}

/// A checked clock skew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
struct Skew(i64);

impl Skew {
    const MOST_SECONDS: i64 = 600;
}

impl Default for Skew {
    fn default() -> Self {
        Self(300)
    }
}

impl TryFrom<i64> for Skew {
    type Error = String;

    fn try_from(seconds: i64) -> Result<Self, String> {
        let most = Self::MOST_SECONDS;
        (0..=most).contains(&seconds).then_some(Self(seconds)).ok_or(format!("expected 0 to {most} seconds"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Claims {
    object_id: ClaimName,
    tenant: ClaimName,
    application: Vec<ClaimName>,
    groups: ClaimName,
}

impl Default for Claims {
    fn default() -> Self {
        let ClaimNames { object_id, tenant, application, groups } = ClaimNames::default();
        Self {
            object_id: ClaimName(object_id),
            tenant: ClaimName(tenant),
            application: application.into_iter().map(ClaimName).collect(),
            groups: ClaimName(groups),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct ClaimName(String);

impl TryFrom<String> for ClaimName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        (!text.is_empty()).then_some(Self(text)).ok_or("the name of a claim must not be empty")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<IdentityConfig, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    fn external(more: &str) -> Result<IdentityConfig, String> {
        parse(&format!("[external]\nissuer = \"https://login.example.com/realms/keys\"\n{more}"))
    }

    #[test]
    fn what_is_not_said_is_strict_and_usual() {
        assert_eq!(parse("").unwrap(), IdentityConfig::default());
        let external = external("").unwrap().external.unwrap();
        let settings = external.settings();
        assert_eq!(settings.issuer, "https://login.example.com/realms/keys");
        assert_eq!(settings.algorithms, [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256]);
        assert_eq!((settings.clock_skew_seconds, settings.audiences.len()), (300, 0));
        assert_eq!(settings.claims, ClaimNames::default());
    }

    #[test]
    fn challenges_name_the_provider_where_nobody_else_is_left_or_where_they_are_told_to() {
        let issuer = "https://login.example.com/realms/keys".to_owned();
        let authority = "authority = \"https://login.example.com/sign-in\"";
        let off = |more: &str| {
            parse(&format!("embedded = false\n[external]\nissuer = \"{issuer}\"\n{more}")).unwrap().foreign_authority()
        };
        assert_eq!(IdentityConfig::default().foreign_authority(), None);
        assert_eq!(external("").unwrap().foreign_authority(), None);
        assert_eq!(off(""), Some(issuer.clone()));
        for told in [external(authority).unwrap().foreign_authority(), off(authority)] {
            assert_eq!(told.as_deref(), Some("https://login.example.com/sign-in"));
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, part) in [
            ("embedded = false", "nobody could ever sign in"),
            ("embeded = false", "unknown field `embeded`"),
            ("[external]", "missing field `issuer`"),
            ("external.issuer = \"http://login.example.com\"", "not a URL such as"),
            ("external.issuer = \"login.example.com\"", "not a URL such as"),
            ("external.issuer = \"https://\"", "not a URL such as"),
            ("external.issuer = \"https://x/?a=b\"", "not a URL such as"),
            ("external.issuer = \"https://x/#y\"", "not a URL such as"),
            ("external.issuer = \"https://user@x/\"", "not a URL such as"),
            ("external.issuer = \"https://x/a,b\"", "not a URL such as"),
            ("external.issuer = \"https://x/\\\"y\"", "not a URL such as"),
            ("external.issuer = \"https://x/a b\"", "not a URL such as"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.contains(part), "{text}: {problem}");
        }
        for (more, part) in [
            ("algorithms = [\"HS256\"]", "unknown variant `HS256`"),
            ("algorithms = [\"none\"]", "unknown variant `none`"),
            ("algorithms = []", "at least one"),
            ("clock_skew_seconds = 601", "expected 0 to 600 seconds"),
            ("clock_skew_seconds = -1", "expected 0 to 600 seconds"),
            ("audiences = [\"\"]", "must not be empty"),
            ("audiences = [\"/\"]", "must not be empty"),
            ("authority = \"http://x\"", "not a URL such as"),
            ("claims.groups = \"\"", "must not be empty"),
            ("claims.subject = \"sub\"", "unknown field `subject`"),
            ("secret = \"x\"", "unknown field `secret`"),
        ] {
            let problem = external(more).expect_err(more);
            assert!(problem.contains(part), "{more}: {problem}");
        }
    }
}
