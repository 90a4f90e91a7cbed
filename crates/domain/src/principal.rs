//! Who rights can be given to: users, service principals and groups; and what an application signs in with.
//!
//! An application and its service principal are one record. Without a service principal it is nobody: it can't sign in,
//! and no right is its own. A service principal that is made anew has a new object id, so that no right of its
//! predecessor comes back with it.

use crate::{Guid, Refusal, UnixTime};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PrincipalKind {
    User,
    ServicePrincipal,
    Group,
    /// An application without a service principal.
    Application,
}

/// Somebody that rights can be given to, by `object_id`. An application signs in with `app_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Principal {
    pub object_id: Guid,
    pub app_id: Option<Guid>,
    /// The object id of the application, which is not its service principal's.
    pub application: Option<Guid>,
    pub kind: PrincipalKind,
    pub display_name: String,
    /// A user's, and unique.
    pub user_principal_name: Option<String>,
    pub mail_nickname: Option<String>,
    pub description: Option<String>,
    pub enabled: bool,
    pub secrets: Vec<ClientSecret>,
    pub created: UnixTime,
}

/// One of the secrets by which an application proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    pub id: Guid,
    pub display_name: Option<String>,
    /// SHA-256. Secrets are long, random and of our making, so a plain hash is enough.
    pub hash: [u8; 32],
    pub starts: UnixTime,
    /// `None`: never.
    pub expires: Option<UnixTime>,
}

/// What to change of a principal. `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalChanges {
    pub display_name: Option<String>,
    pub user_principal_name: Option<String>,
    pub mail_nickname: Option<String>,
    /// An empty one takes it away.
    pub description: Option<String>,
    pub enabled: Option<bool>,
}

/// A rule of the directory forbids what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryRefusal {
    #[error("another principal has the object id")]
    ObjectIdTaken,
    #[error("another user has the user principal name")]
    UserNameTaken,
    #[error("no such application")]
    ApplicationNotFound,
    #[error("the application has a service principal")]
    ServicePrincipalExists,
    #[error("the principal is a member of the group already")]
    MemberExists,
    #[error("the principal is no member of the group")]
    MemberNotFound,
    #[error("a group can't be a member of itself, not even through others")]
    MembershipCycle,
    #[error("no such client secret")]
    SecretNotFound,
}

impl PrincipalKind {
    /// Whether it can be a member of a group.
    #[must_use]
    pub fn can_be_member(self) -> bool {
        self != Self::Application
    }
}

impl Principal {
    /// A principal of a name and nothing else.
    #[must_use]
    pub fn new(object_id: Guid, kind: PrincipalKind, display_name: &str, created: UnixTime) -> Self {
        Self {
            object_id,
            app_id: None,
            application: None,
            kind,
            display_name: display_name.to_owned(),
            user_principal_name: None,
            mail_nickname: None,
            description: None,
            enabled: true,
            secrets: Vec::new(),
            created,
        }
    }

    /// An application that has no service principal yet.
    #[must_use]
    pub fn application(object_id: Guid, app_id: Guid, display_name: &str, created: UnixTime) -> Self {
        let nobody = Self::new(object_id, PrincipalKind::Application, display_name, created);
        Self { app_id: Some(app_id), application: Some(object_id), ..nobody }
    }

    /// Whether somebody can act as it now, given what to sign in with.
    #[must_use]
    pub fn can_sign_in(&self) -> bool {
        self.enabled && matches!(self.kind, PrincipalKind::User | PrincipalKind::ServicePrincipal)
    }

    /// Whether it is an application, with a service principal or without.
    #[must_use]
    pub fn is_application(&self) -> bool {
        matches!(self.kind, PrincipalKind::Application | PrincipalKind::ServicePrincipal)
    }

    /// Gives an application its service principal.
    ///
    /// # Errors
    /// [`DirectoryRefusal::ServicePrincipalExists`].
    pub fn employ(self, object_id: Guid) -> Result<Self, DirectoryRefusal> {
        match self.kind {
            PrincipalKind::Application => Ok(Self { object_id, kind: PrincipalKind::ServicePrincipal, ..self }),
            _ => Err(DirectoryRefusal::ServicePrincipalExists),
        }
    }

    /// Takes the service principal from its application. Enabled or not was the service principal's.
    #[must_use]
    pub fn dismiss(self) -> Self {
        let object_id = self.application.unwrap_or_else(|| application_of(self.object_id));
        Self { object_id, application: Some(object_id), kind: PrincipalKind::Application, enabled: true, ..self }
    }

    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn change(mut self, changes: &PrincipalChanges) -> Result<Self, Refusal> {
        if let Some(name) = &changes.display_name {
            self.display_name.clone_from(name);
        }
        if let Some(name) = &changes.user_principal_name {
            self.user_principal_name = Some(name.clone());
        }
        if let Some(nickname) = &changes.mail_nickname {
            self.mail_nickname = Some(nickname.clone());
        }
        if let Some(description) = &changes.description {
            self.description = Some(description.clone()).filter(|text| !text.is_empty());
        }
        if let Some(enabled) = changes.enabled {
            self.enabled = enabled;
        }
        self.check()?;
        Ok(self)
    }

    /// Whether every part of it is what its kind may have.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn check(&self) -> Result<(), Refusal> {
        let is_user = self.kind == PrincipalKind::User;
        if self.user_principal_name.is_some() != is_user {
            let reason = if is_user { "a user has one" } else { "only users have one" };
            return Err(Refusal::ParameterInvalid { parameter: "userPrincipalName", reason });
        }
        if !self.enabled && !matches!(self.kind, PrincipalKind::User | PrincipalKind::ServicePrincipal) {
            let reason = "only who can sign in can be disabled";
            return Err(Refusal::ParameterInvalid { parameter: "accountEnabled", reason });
        }
        check_text("displayName", &self.display_name, 256)?;
        if let Some(name) = &self.user_principal_name {
            check_text("userPrincipalName", name, 113)?;
            check_user_name(name)?;
        }
        if let Some(nickname) = &self.mail_nickname {
            check_text("mailNickname", nickname, 64)?;
        }
        self.description.as_ref().map_or(Ok(()), |text| check_text("description", text, 1024))
    }

    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn add_secret(mut self, secret: ClientSecret) -> Result<Self, Refusal> {
        if let Some(name) = &secret.display_name {
            check_text("displayName", name, 256)?;
        }
        self.secrets.push(secret);
        Ok(self)
    }

    /// # Errors
    /// [`DirectoryRefusal::SecretNotFound`].
    pub fn remove_secret(mut self, id: Guid) -> Result<Self, DirectoryRefusal> {
        let before = self.secrets.len();
        self.secrets.retain(|secret| secret.id != id);
        if self.secrets.len() == before { Err(DirectoryRefusal::SecretNotFound) } else { Ok(self) }
    }
}

impl ClientSecret {
    /// How far its beginning may lie in the future: clients date it by their own clocks.
    const LEEWAY_SECONDS: i64 = 300;

    #[must_use]
    pub fn is_valid(&self, now: UnixTime) -> bool {
        self.starts <= now.plus_seconds(Self::LEEWAY_SECONDS) && self.expires.is_none_or(|end| now < end)
    }
}

/// Names are shown on terminals and put into lists: one line of visible text.
fn check_text(parameter: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    let invalid = |reason| Err(Refusal::ParameterInvalid { parameter, reason });
    match text.chars().count() {
        0 => invalid("it is empty"),
        length if length > most => invalid("it is too long"),
        _ if text.trim() != text => invalid("it begins or ends with a blank"),
        _ if text.chars().any(char::is_control) => invalid("it has control characters"),
        _ => Ok(()),
    }
}

/// `name@domain`, of characters that need no quoting anywhere.
fn check_user_name(name: &str) -> Result<(), Refusal> {
    let fits = |text: &str, more: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte))
    };
    match name.split_once('@') {
        Some((local, domain)) if fits(local, "'.-_!#^~") && fits(domain, ".-") => Ok(()),
        _ => {
            let reason = "it is not a name, an @ and a domain";
            Err(Refusal::ParameterInvalid { parameter: "userPrincipalName", reason })
        }
    }
}

/// The object id of the application of a service principal that was made before applications had one: another id,
/// always the same.
fn application_of(service_principal: Guid) -> Guid {
    const NODE: u128 = 0xffff_ffff_ffff;
    Guid::from_u128(service_principal.as_u128() ^ NODE)
}

/// A record as it may be stored. Those of the first schema hold hashes of secrets and nothing more about them.
#[derive(Deserialize)]
struct Kept {
    object_id: Guid,
    app_id: Option<Guid>,
    #[serde(default)]
    application: Option<Guid>,
    kind: PrincipalKind,
    display_name: String,
    #[serde(default)]
    user_principal_name: Option<String>,
    #[serde(default)]
    mail_nickname: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default = "enabled")]
    enabled: bool,
    #[serde(default)]
    secrets: Vec<ClientSecret>,
    #[serde(default)]
    secret_hashes: Vec<[u8; 32]>,
    created: UnixTime,
}

fn enabled() -> bool {
    true
}

impl From<Kept> for Principal {
    fn from(kept: Kept) -> Self {
        // An id has to be another only within its application.
        let numbered = (1..).map(Guid::from_u128).zip(kept.secret_hashes);
        let old = numbered.map(|(id, hash)| ClientSecret {
            id,
            display_name: None,
            hash,
            starts: kept.created,
            expires: None,
        });
        let derived = || (kept.kind == PrincipalKind::ServicePrincipal).then(|| application_of(kept.object_id));
        Self {
            object_id: kept.object_id,
            app_id: kept.app_id,
            application: kept.application.or_else(derived),
            kind: kept.kind,
            display_name: kept.display_name,
            user_principal_name: kept.user_principal_name,
            mail_nickname: kept.mail_nickname,
            description: kept.description,
            enabled: kept.enabled,
            secrets: old.chain(kept.secrets).collect(),
            created: kept.created,
        }
    }
}

#[cfg(test)]
mod tests;
