//! The names this installation answers to.

use crate::request::without_port;
use domain::{ContainerKind, Guid};

/// The base domain, the port clients see, and the tenant: what every address is made of.
///
/// Beside the installation's own names there are the literal Azure names, for clients that come through the
/// built-in proxy (contract: az-client §1 B).
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Without port: `localhost`.
    pub domain: String,
    /// `None`: 443, which is not written.
    pub port: Option<u16>,
    pub tenant: Guid,
    /// Every audience that a token may carry, without a slash at its end: made once, asked for with each request.
    vault_audiences: Vec<String>,
    hsm_audiences: Vec<String>,
    arm_audiences: Vec<String>,
    /// Where clients sign in, if not here.
    foreign_authority: Option<String>,
}

/// A container's host name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerHost<'host> {
    pub kind: ContainerKind,
    pub name: &'host str,
    /// What follows the name and its dot, port included: the host of the challenge's resource.
    pub suffix: &'host str,
}

const AZURE_SUFFIXES: [(ContainerKind, &str); 2] =
    [(ContainerKind::Vault, "vault.azure.net"), (ContainerKind::ManagedHsm, "managedhsm.azure.net")];
const KEY_VAULT_APPLICATION: &str = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093";
const AZURE_AUTHORITY: &str = "https://login.microsoftonline.com";

fn label(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "vault",
        ContainerKind::ManagedHsm => "managedhsm",
    }
}

impl Addresses {
    #[must_use]
    pub fn new(domain: String, port: Option<u16>, tenant: Guid) -> Self {
        let (vault_audiences, hsm_audiences, arm_audiences) = Default::default();
        let foreign_authority = None;
        let mut addresses =
            Self { domain, port, tenant, vault_audiences, hsm_audiences, arm_audiences, foreign_authority };
        addresses.vault_audiences = addresses.audiences_of(ContainerKind::Vault);
        addresses.hsm_audiences = addresses.audiences_of(ContainerKind::ManagedHsm);
        addresses.arm_audiences = vec![
            addresses.base_url(),
            format!("https://management.{}", addresses.authority()),
            "https://management.azure.com".to_owned(),
            "https://management.core.windows.net".to_owned(),
        ];
        addresses
    }

    /// The same, for an installation whose clients sign in at another authority than its own.
    #[must_use]
    pub fn with_authority(self, authority: String) -> Self {
        Self { foreign_authority: Some(authority), ..self }
    }

    /// `localhost:8443`.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.port {
            None => self.domain.clone(),
            Some(port) => format!("{}:{port}", self.domain),
        }
    }

    /// `https://localhost:8443`: resource manager, sign-in, directory.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("https://{}", self.authority())
    }

    /// `.vault.localhost:8443`, as clients append it to a name.
    #[must_use]
    pub fn suffix(&self, kind: ContainerKind) -> String {
        format!(".{}.{}", label(kind), self.authority())
    }

    /// The container a host name (lower case, with its port if it has one) means; `None` for every other host.
    #[must_use]
    pub fn container<'host>(&self, host: &'host str) -> Option<ContainerHost<'host>> {
        let (name, suffix) = host.split_once('.')?;
        let bare = without_port(suffix);
        let own = ContainerKind::ALL.into_iter().find(|kind| {
            bare.strip_prefix(label(*kind)).and_then(|rest| rest.strip_prefix('.')) == Some(self.domain.as_str())
        });
        let azure = || AZURE_SUFFIXES.into_iter().find(|(_, azure)| *azure == bare).map(|(kind, _)| kind);
        let kind = own.or_else(azure)?;
        Some(ContainerHost { kind, name, suffix })
    }

    /// The URL of a container, without a slash at its end, under the names that a request for `host` came by: the
    /// literal Azure names stay literal.
    #[must_use]
    pub fn container_url(&self, kind: ContainerKind, name: &str, host: &str) -> String {
        let name = name.to_ascii_lowercase();
        if is_azure_name(host) {
            let suffix = AZURE_SUFFIXES.iter().find(|(of, _)| *of == kind).map_or("", |(_, suffix)| suffix);
            return format!("https://{name}.{suffix}");
        }
        format!("https://{name}{}", self.suffix(kind))
    }

    /// The sign-in authority to name in an answer for `host`, with the tenant.
    #[must_use]
    pub fn authority_url(&self, host: &str) -> String {
        if let Some(authority) = &self.foreign_authority {
            return authority.clone();
        }
        let base = if is_azure_name(host) { AZURE_AUTHORITY.to_owned() } else { self.base_url() };
        format!("{base}/{}", self.tenant)
    }

    /// The foreign authority as clients want it that add the tenant by themselves: without the tenant, and without what
    /// stands behind it. `None`: clients sign in here.
    #[must_use]
    pub fn foreign_login(&self) -> Option<&str> {
        let authority = self.foreign_authority.as_deref()?;
        let tenant = format!("/{}", self.tenant);
        let ends = |rest: &str| rest.is_empty() || rest.starts_with('/');
        let head = authority.split_once(&tenant).filter(|(_, rest)| ends(rest)).map(|(head, _)| head);
        Some(head.unwrap_or(authority))
    }

    /// The resource (audience) that guards a kind of container, as a request for `host` has to be told.
    #[must_use]
    pub fn resource_url(&self, kind: ContainerKind, host: &str) -> String {
        match self.container(host) {
            Some(container) => format!("https://{}", container.suffix),
            None => format!("https://{}.{}", label(kind), self.authority()),
        }
    }

    /// Every audience that a token for this kind of container may carry.
    #[must_use]
    pub fn container_audiences(&self, kind: ContainerKind) -> &[String] {
        match kind {
            ContainerKind::Vault => &self.vault_audiences,
            ContainerKind::ManagedHsm => &self.hsm_audiences,
        }
    }

    /// Every audience that a token for the resource manager may carry.
    #[must_use]
    pub fn arm_audiences(&self) -> &[String] {
        &self.arm_audiences
    }

    fn audiences_of(&self, kind: ContainerKind) -> Vec<String> {
        let azure = AZURE_SUFFIXES.iter().filter(|(of, _)| *of == kind).map(|(_, suffix)| format!("https://{suffix}"));
        let own = [
            format!("https://{}.{}", label(kind), self.authority()),
            format!("https://{}.{}", label(kind), self.domain),
        ];
        // The application id of Key Vault, which some clients name instead (contract: key-vault §1.1).
        let application = (kind == ContainerKind::Vault).then(|| KEY_VAULT_APPLICATION.to_owned());
        azure.chain(own).chain(application).collect()
    }
}

/// Whether a host is one of Azure's own names, with or without a port.
#[must_use]
pub fn is_azure_name(host: &str) -> bool {
    let bare = without_port(host);
    [".azure.net", ".azure.com", ".microsoftonline.com", ".microsoft.com", ".windows.net"]
        .iter()
        .any(|suffix| bare.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> Addresses {
        Addresses::new("localhost".to_owned(), Some(8443), Guid::from_u128(1))
    }

    #[test]
    fn a_host_names_its_container_with_or_without_port() {
        let addresses = addresses();
        let found = addresses.container("kv1.vault.localhost:8443");
        assert_eq!(
            found,
            Some(ContainerHost { kind: ContainerKind::Vault, name: "kv1", suffix: "vault.localhost:8443" })
        );
        let found = addresses.container("contosohsm.managedhsm.azure.net");
        assert_eq!(found.map(|host| host.suffix), Some("managedhsm.azure.net"));
        assert_eq!(addresses.container("localhost:8443"), None);
        assert_eq!(addresses.container("vault.localhost:8443"), None);
        assert_eq!(addresses.container("a.b.vault.localhost"), None);
    }

    #[test]
    fn the_resource_keeps_the_port_of_the_request() {
        let addresses = addresses();
        assert_eq!(
            addresses.resource_url(ContainerKind::ManagedHsm, "h.managedhsm.localhost:8443"),
            "https://managedhsm.localhost:8443"
        );
        assert_eq!(addresses.resource_url(ContainerKind::Vault, "k.vault.azure.net"), "https://vault.azure.net");
    }

    #[test]
    fn a_foreign_authority_is_named_whatever_the_host() {
        let tenant = "00000000-0000-0000-0000-000000000001";
        let of_entra = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        for (authority, login) in [
            (of_entra.as_str(), "https://login.microsoftonline.com"),
            ("https://login.example.com/realms/keys", "https://login.example.com/realms/keys"),
            (
                "https://login.example.com/00000000-0000-0000-0000-0000000000010",
                "https://login.example.com/00000000-0000-0000-0000-0000000000010",
            ),
        ] {
            let addresses = addresses().with_authority(authority.to_owned());
            for host in ["k.vault.localhost:8443", "k.vault.azure.net", "localhost:8443"] {
                assert_eq!(addresses.authority_url(host), authority);
            }
            assert_eq!(addresses.foreign_login(), Some(login));
        }
        assert_eq!(addresses().foreign_login(), None);
        assert_eq!(addresses().authority_url("localhost:8443"), format!("https://localhost:8443/{tenant}"));
    }
}
