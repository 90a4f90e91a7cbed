//! A record of the directory as a collection shows it. An application with a service principal has two faces, each with
//! its own id; everybody else has one.
//!
//! What Graph knows and we do not keep is left out, or shown empty where clients look for it.

use super::{
    filter::{Filtered, Property},
    page::Listed,
    route::Collection,
};
use domain::{ClientSecret, Directory, Guid, Principal, PrincipalKind};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Face<'directory> {
    Principal(&'directory Principal),
    Application(&'directory Principal),
}

impl<'directory> Face<'directory> {
    /// Every face in a collection, in the order of the records.
    pub(super) fn all(
        directory: &'directory Directory,
        collection: Collection,
    ) -> impl Iterator<Item = Face<'directory>> {
        directory.principals().flat_map(Self::of).filter(move |face| face.is_in(collection))
    }

    /// The faces of one record.
    fn of(record: &'directory Principal) -> impl Iterator<Item = Face<'directory>> {
        let application = record.is_application().then_some(Face::Application(record));
        let principal = (record.kind != PrincipalKind::Application).then_some(Face::Principal(record));
        application.into_iter().chain(principal)
    }

    fn is_in(self, collection: Collection) -> bool {
        match collection {
            Collection::DirectoryObjects => true,
            Collection::Applications => matches!(self, Self::Application(_)),
            Collection::Users => self.is(PrincipalKind::User),
            Collection::Groups => self.is(PrincipalKind::Group),
            Collection::ServicePrincipals => self.is(PrincipalKind::ServicePrincipal),
        }
    }

    fn is(self, kind: PrincipalKind) -> bool {
        matches!(self, Self::Principal(record) if record.kind == kind)
    }

    /// One object of a collection, by its id; a user also by name, an application by the id it signs in with.
    pub(super) fn find(directory: &'directory Directory, collection: Collection, id: &str) -> Option<Self> {
        if let Some(app_id) = id.strip_prefix("appId='") {
            let record = Guid::parse(app_id).and_then(|app_id| directory.by_app(app_id))?;
            return Self::of(record).find(|face| face.is_in(collection));
        }
        let Some(id) = Guid::parse(id) else {
            return Self::all(directory, Collection::Users)
                .find(|face| face.is_in(collection) && face.user_name().is_some_and(|name| same(name, id)));
        };
        let principal = directory.principal(id).map(Self::Principal).filter(|_| directory.by_application(id).is_none());
        let found = principal.or_else(|| directory.by_application(id).map(Self::Application));
        found.filter(|face| face.is_in(collection))
    }

    pub(super) fn record(self) -> &'directory Principal {
        match self {
            Self::Principal(record) | Self::Application(record) => record,
        }
    }

    pub(super) fn id(self) -> Guid {
        match self {
            Self::Principal(record) => record.object_id,
            Self::Application(record) => record.application.unwrap_or(record.object_id),
        }
    }

    pub(super) fn user_name(self) -> Option<&'directory str> {
        self.record().user_principal_name.as_deref()
    }

    /// The last word of its `@odata.type`.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Application(_) => "application",
            Self::Principal(record) => match record.kind {
                PrincipalKind::User => "user",
                PrincipalKind::Group => "group",
                PrincipalKind::ServicePrincipal | PrincipalKind::Application => "servicePrincipal",
            },
        }
    }

    /// It on the wire.
    pub(crate) fn shown(self, tenant: Guid) -> Value {
        match self {
            Self::Application(record) => application(record, self.id()),
            Self::Principal(record) => match record.kind {
                PrincipalKind::User => user(record),
                PrincipalKind::Group => group(record),
                PrincipalKind::ServicePrincipal | PrincipalKind::Application => service_principal(record, tenant),
            },
        }
    }

    /// It where objects of several types may stand together: it names its own.
    pub(crate) fn typed(self, tenant: Guid) -> Value {
        let mut shown = self.shown(tenant);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("@odata.type".to_owned(), format!("#microsoft.graph.{}", self.type_name()).into());
        }
        shown
    }
}

impl Filtered for Face<'_> {
    const PROPERTIES: &'static [Property] = &[
        Property::Id,
        Property::AppId,
        Property::DisplayName,
        Property::UserPrincipalName,
        Property::MailNickname,
        Property::Mail,
        Property::ServicePrincipalNames,
        Property::IdentifierUris,
    ];

    fn value(&self, property: Property) -> Option<String> {
        let record = self.record();
        match property {
            Property::Id => Some(self.id().to_string()),
            Property::AppId | Property::ServicePrincipalNames => record.app_id.map(|id| id.to_string()),
            Property::DisplayName => Some(record.display_name.clone()),
            Property::UserPrincipalName => record.user_principal_name.clone(),
            Property::MailNickname => record.mail_nickname.clone(),
            // Nobody has any.
            Property::Mail
            | Property::IdentifierUris
            | Property::TemplateId
            | Property::PrincipalId
            | Property::RoleDefinitionId => None,
        }
    }
}

impl Listed for Face<'_> {
    fn key(&self) -> Guid {
        self.record().object_id
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn user(record: &Principal) -> Value {
    json!({
        "id": record.object_id,
        "accountEnabled": record.enabled,
        "businessPhones": [],
        "createdDateTime": record.created.to_string(),
        "displayName": record.display_name,
        "givenName": null,
        "jobTitle": null,
        "mail": null,
        "mailNickname": record.mail_nickname,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
        "surname": null,
        "userPrincipalName": record.user_principal_name,
    })
}

fn group(record: &Principal) -> Value {
    json!({
        "id": record.object_id,
        "createdDateTime": record.created.to_string(),
        "description": record.description,
        "displayName": record.display_name,
        "groupTypes": [],
        "mail": null,
        "mailEnabled": false,
        "mailNickname": record.mail_nickname,
        "securityEnabled": true,
    })
}

fn service_principal(record: &Principal, tenant: Guid) -> Value {
    json!({
        "id": record.object_id,
        "accountEnabled": record.enabled,
        "appDisplayName": record.display_name,
        "appId": record.app_id,
        "appOwnerOrganizationId": tenant,
        "appRoles": [],
        "createdDateTime": record.created.to_string(),
        "description": record.description,
        "displayName": record.display_name,
        "keyCredentials": [],
        "passwordCredentials": passwords(record),
        "servicePrincipalNames": record.app_id.into_iter().collect::<Vec<_>>(),
        "servicePrincipalType": "Application",
        "tags": [],
    })
}

fn application(record: &Principal, id: Guid) -> Value {
    json!({
        "id": id,
        "appId": record.app_id,
        "appRoles": [],
        "createdDateTime": record.created.to_string(),
        "description": record.description,
        "displayName": record.display_name,
        "identifierUris": [],
        "keyCredentials": [],
        "passwordCredentials": passwords(record),
        "requiredResourceAccess": [],
        "signInAudience": "AzureADMyOrg",
        "tags": [],
    })
}

fn passwords(record: &Principal) -> Vec<Value> {
    record.secrets.iter().map(|secret| password(secret, None)).collect()
}

/// A client secret; its text when it is new, and never again. There is no hint: it would be a part of the secret.
pub(super) fn password(secret: &ClientSecret, text: Option<&str>) -> Value {
    json!({
        "customKeyIdentifier": null,
        "displayName": secret.display_name,
        "endDateTime": secret.expires.map(|end| end.to_string()),
        "hint": null,
        "keyId": secret.id,
        "secretText": text,
        "startDateTime": secret.starts.to_string(),
    })
}
