//! Bodies about issuers and contacts.

use super::{Object, parse, required, secret::Text};
use crate::{
    addresses::{Addresses, ContainerHost},
    data_plane::error::Problem,
};
use domain::{Administrator, Contact, Contacts, IssuerChanges, ObjectName, VersionId};
use engine::{KeyReference, SetIssuer};
use serde::Deserialize;

/// `CertificateIssuerSetParameters`, `CertificateIssuerUpdateParameters` (contract: key-vault §3.6).
#[derive(Deserialize)]
struct CertificateIssuerParameters {
    provider: Option<String>,
    credentials: Option<Object<IssuerCredentials>>,
    org_details: Option<Object<OrganizationDetails>>,
    attributes: Option<Object<IssuerAttributes>>,
}

#[derive(Default, Deserialize)]
struct IssuerCredentials {
    account_id: Option<String>,
    pwd: Option<Text>,
}

#[derive(Default, Deserialize)]
struct OrganizationDetails {
    id: Option<String>,
    admin_details: Option<Vec<Object<AdministratorDetails>>>,
}

#[derive(Default, Deserialize)]
struct AdministratorDetails {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Default, Deserialize)]
struct IssuerAttributes {
    enabled: Option<bool>,
}

pub(in crate::data_plane) fn issuer(body: &[u8], addresses: &Addresses) -> Result<SetIssuer, Problem> {
    let body: CertificateIssuerParameters = parse(body)?;
    let Object(credentials) = body.credentials.unwrap_or_default();
    let Object(organization) = body.org_details.unwrap_or_default();
    let administrator = |Object(details): Object<AdministratorDetails>| Administrator {
        first_name: details.first_name,
        last_name: details.last_name,
        email: details.email,
        phone: details.phone,
    };
    Ok(SetIssuer {
        key: credentials.account_id.as_deref().and_then(|id| key_reference(id, addresses)),
        changes: IssuerChanges {
            provider: body.provider,
            account_id: credentials.account_id,
            has_password: credentials.pwd.is_some(),
            organization_id: organization.id,
            administrators: organization.admin_details.map(|all| all.into_iter().map(administrator).collect()),
            enabled: body.attributes.and_then(|Object(attributes)| attributes.enabled),
        },
        password: credentials.pwd.map(|Text(password)| password),
    })
}

/// The key that an id names, `https://{container}…/keys/{name}[/{version}]`, if it is one of a container here.
fn key_reference(id: &str, addresses: &Addresses) -> Option<KeyReference> {
    let (host, path) = id.strip_prefix("https://")?.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let ContainerHost { kind, name: container, .. } = addresses.container(&host)?;
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    if segments.next()? != "keys" {
        return None;
    }
    let key = ObjectName::parse(segments.next()?)?;
    let version = segments.next().map(|text| VersionId::parse(text).ok_or(())).transpose().ok()?;
    match segments.next() {
        None => Some(KeyReference { kind, container: container.to_owned(), key, version }),
        Some(_) => None,
    }
}

#[derive(Deserialize)]
struct ContactsParameters {
    contacts: Option<Vec<Object<ContactParameters>>>,
}

#[derive(Deserialize)]
struct ContactParameters {
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
}

pub(in crate::data_plane) fn contacts(body: &[u8]) -> Result<Contacts, Problem> {
    let body: ContactsParameters = parse(body)?;
    let contact = |Object(contact): Object<ContactParameters>| {
        let email = required(contact.email, "email")?;
        Ok::<_, Problem>(Contact { email, name: contact.name, phone: contact.phone })
    };
    let contacts: Vec<_> = required(body.contacts, "contacts")?.into_iter().map(contact).collect::<Result<_, _>>()?;
    Ok(Contacts::new(contacts)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ContainerKind, Guid};

    #[test]
    fn an_account_id_may_name_a_key() {
        let version = "0123456789abcdef0123456789abcdef";
        let addresses = Addresses::new("localhost".to_owned(), Some(8443), Guid::from_u128(1));
        let read = |id: &str| key_reference(id, &addresses);
        let key = KeyReference {
            kind: ContainerKind::Vault,
            container: "kv1".to_owned(),
            key: ObjectName::parse("ca").unwrap(),
            version: None,
        };
        assert_eq!(read("https://kv1.vault.localhost:8443/keys/ca"), Some(key.clone()));
        assert_eq!(read("https://KV1.vault.localhost:8443/keys/ca"), Some(key.clone()));
        // Clients that come through the proxy know no other name.
        assert_eq!(read("https://kv1.vault.azure.net/keys/ca/"), Some(key.clone()));
        let hsm = KeyReference { kind: ContainerKind::ManagedHsm, version: VersionId::parse(version), ..key };
        assert_eq!(read(&format!("https://kv1.managedhsm.localhost:8443/keys/ca/{version}")), Some(hsm));
        for other in [
            "",
            "customer-42",
            "http://kv1.vault.localhost/keys/ca",
            "https://kv1.vault.localhost/secrets/ca",
            "https://kv1.vault.localhost/keys",
            "https://kv1.vault.localhost/keys/ca/1",
            "https://kv1.vault.localhost/keys/ca/0123456789abcdef0123456789abcdef/sign",
            "https://example.com/keys/ca",
            "https://kv1.vault.example.com/keys/ca",
            "https://kv1.vault.localhost.example.com/keys/ca",
            "https://kv1.managedhsm.azure.com/keys/ca",
            "https://kv1.vault.azure.net.example.com/keys/ca",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
