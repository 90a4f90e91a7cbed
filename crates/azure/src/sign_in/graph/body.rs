//! Bodies of changes, read strictly: what has a meaning and is not kept here is refused by name.
//!
//! Clients send much that says nothing: nulls, empty lists, defaults. That is passed over. A body may hold a password,
//! so none of it is repeated but the names of its members.

use super::error::Refused;
use crate::json::parse;
use domain::{Guid, PrincipalChanges, UnixTime};
use engine::{NewApplication, NewGroup, NewSecret, NewUser};
use serde_json::{Map, Value};

/// The members of a body that have not been read yet.
struct Members(Map<String, Value>);

impl Members {
    fn read(body: &[u8]) -> Result<Self, Refused> {
        Ok(Self(parse(body)?))
    }

    fn take<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Option<T>) -> Result<Option<T>, Refused> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(Refused::bad(format!("Invalid value specified for property '{name}'."))),
            },
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        self.take(name, |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    fn required(&mut self, name: &str, resource: &str) -> Result<String, Refused> {
        let missing = || Refused::bad(format!("A value is required for property '{name}' of resource '{resource}'."));
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(missing)
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        self.take(name, |value| value.as_bool())
    }

    fn guid(&mut self, name: &str) -> Result<Option<Guid>, Refused> {
        self.take(name, |value| Guid::parse(value.as_str()?))
    }

    fn date(&mut self, name: &str) -> Result<Option<UnixTime>, Refused> {
        self.take(name, |value| UnixTime::parse(value.as_str()?))
    }

    /// A member that may be there with this one value.
    fn only(&mut self, name: &str, value: &Value) -> Result<(), Refused> {
        match self.0.remove(name) {
            Some(found) if found != *value && !says_nothing(&found) => Err(Refused::not_kept(name)),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Refused> {
        let left = self.0.iter().find(|(name, value)| !name.starts_with('@') && !says_nothing(value));
        left.map_or(Ok(()), |(name, _)| Err(Refused::not_kept(name)))
    }
}

/// Whether leaving a value out would come to the same.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(says_nothing),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// A user's password is read over: whoever is a user here signs in through an external issuer.
const PASSWORD_PROFILE: &str = "passwordProfile";

pub(crate) fn user(body: &[u8]) -> Result<NewUser, Refused> {
    let mut members = Members::read(body)?;
    members.0.remove(PASSWORD_PROFILE);
    let new = NewUser {
        object_id: members.guid("id")?,
        display_name: members.required("displayName", "User")?,
        user_principal_name: members.required("userPrincipalName", "User")?,
        mail_nickname: members.text("mailNickname")?,
        enabled: members.flag("accountEnabled")?.unwrap_or(true),
    };
    members.finish()?;
    Ok(new)
}

pub(crate) fn group(body: &[u8]) -> Result<NewGroup, Refused> {
    let mut members = Members::read(body)?;
    let new = NewGroup {
        display_name: members.required("displayName", "Group")?,
        mail_nickname: members.text("mailNickname")?,
        description: members.text("description")?.filter(|text| !text.is_empty()),
    };
    security_group(&mut members)?;
    members.finish()?;
    Ok(new)
}

/// Every group is one for rights; none has mail.
fn security_group(members: &mut Members) -> Result<(), Refused> {
    match members.flag("securityEnabled")? {
        Some(false) => Err(Refused::not_kept("securityEnabled")),
        _ => members.only("mailEnabled", &Value::Bool(false)),
    }
}

/// Who may use an application: principals of this tenant.
const OWN_TENANT: &str = "AzureADMyOrg";

pub(crate) fn application(body: &[u8]) -> Result<NewApplication, Refused> {
    let mut members = Members::read(body)?;
    let new = NewApplication {
        display_name: members.required("displayName", "Application")?,
        description: members.text("description")?.filter(|text| !text.is_empty()),
    };
    members.only("signInAudience", &Value::from(OWN_TENANT))?;
    members.finish()?;
    Ok(new)
}

/// The application that is to get a service principal, and whether that is enabled.
pub(crate) fn service_principal(body: &[u8]) -> Result<(Guid, bool), Refused> {
    let mut members = Members::read(body)?;
    let app_id = members.required("appId", "ServicePrincipal")?;
    let app_id = Guid::parse(&app_id).ok_or_else(|| Refused::bad("Invalid value specified for property 'appId'."))?;
    let enabled = members.flag("accountEnabled")?.unwrap_or(true);
    members.finish()?;
    Ok((app_id, enabled))
}

/// What to change of a user, a group, a service principal or an application.
pub(crate) fn changes(body: &[u8], kind: Changing) -> Result<PrincipalChanges, Refused> {
    let mut members = Members::read(body)?;
    let mut changes = PrincipalChanges { display_name: members.text("displayName")?, ..PrincipalChanges::default() };
    if kind == Changing::User {
        members.0.remove(PASSWORD_PROFILE);
        changes.user_principal_name = members.text("userPrincipalName")?;
    } else {
        let is_taken_away = members.0.get("description").is_some_and(Value::is_null);
        changes.description = members.text("description")?.or(is_taken_away.then(String::new));
    }
    match kind {
        Changing::User | Changing::ServicePrincipal => changes.enabled = members.flag("accountEnabled")?,
        Changing::Group => security_group(&mut members)?,
        Changing::Application => members.only("signInAudience", &Value::from(OWN_TENANT))?,
    }
    if matches!(kind, Changing::User | Changing::Group) {
        changes.mail_nickname = members.text("mailNickname")?;
    }
    members.finish()?;
    Ok(changes)
}

/// What is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changing {
    User,
    Group,
    ServicePrincipal,
    Application,
}

pub(crate) fn secret(body: &[u8]) -> Result<NewSecret, Refused> {
    let mut outer = Members::read(body)?;
    let inner = outer.take("passwordCredential", |value| match value {
        Value::Object(members) => Some(Members(members)),
        _ => None,
    })?;
    outer.finish()?;
    let Some(mut members) = inner else { return Ok(NewSecret::default()) };
    let new = NewSecret {
        display_name: members.text("displayName")?.filter(|name| !name.is_empty()),
        starts: members.date("startDateTime")?,
        expires: members.date("endDateTime")?,
    };
    members.finish()?;
    Ok(new)
}

pub(crate) fn key_id(body: &[u8]) -> Result<Guid, Refused> {
    let mut members = Members::read(body)?;
    let id = members.guid("keyId")?;
    members.finish()?;
    id.ok_or_else(|| Refused::bad("A value is required for property 'keyId'."))
}

/// The object that a reference means: the last segment of its address, whatever host and collection that names.
pub(crate) fn reference(body: &[u8]) -> Result<Guid, Refused> {
    let mut members = Members::read(body)?;
    let wrong = || Refused::bad("Invalid URL format specified in @odata.id for a reference.");
    let address = members.text("@odata.id")?.ok_or_else(wrong)?;
    members.finish()?;
    let last = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let id = last.strip_suffix("')").and_then(|open| open.rsplit('\'').next()).unwrap_or(last);
    Guid::parse(id).ok_or_else(wrong)
}

/// A directory role and who is to have it, everywhere in the directory.
pub(crate) fn role_assignment(body: &[u8]) -> Result<(Guid, Guid), Refused> {
    let mut members = Members::read(body)?;
    let missing =
        |name| Refused::bad(format!("A value is required for property '{name}' of resource 'RoleAssignment'."));
    let [role, principal] = ["roleDefinitionId", "principalId"]
        .map(|name| members.guid(name).and_then(|id| id.ok_or_else(|| missing(name))));
    let scope = members.text("directoryScopeId")?.ok_or_else(|| missing("directoryScopeId"))?;
    if scope != "/" {
        return Err(Refused::not_kept("directoryScopeId"));
    }
    members.finish()?;
    Ok((role?, principal?))
}

/// The groups of a question whether somebody is in them.
pub(crate) fn group_ids(body: &[u8]) -> Result<Vec<String>, Refused> {
    const MOST: usize = 20;
    let mut members = Members::read(body)?;
    let ids = members.take("groupIds", texts)?.unwrap_or_default();
    if ids.len() > MOST {
        return Err(Refused::bad(format!("Too many groupIds: {MOST} at once are the most.")));
    }
    Ok(ids)
}

pub(crate) fn ids_and_types(body: &[u8]) -> Result<(Vec<String>, Vec<String>), Refused> {
    /// `getByIds` takes no more (Graph reference, "directoryObject: getByIds").
    const MOST: usize = 1000;
    let mut members = Members::read(body)?;
    let missing = || Refused::bad("A value is required for property 'ids'.");
    let ids = members.take("ids", texts)?.ok_or_else(missing)?;
    if ids.len() > MOST {
        return Err(Refused::bad(format!("Too many ids: {MOST} at once are the most.")));
    }
    Ok((ids, members.take("types", texts)?.unwrap_or_default()))
}

fn texts(value: Value) -> Option<Vec<String>> {
    let Value::Array(items) = value else { return None };
    items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect()
}
