//! The host names this server answers to: one list for the certificate and for the proxy.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The names of the public service that `strongroom dev` also answers to, so that clients need no setting at all.
const AZURE_HOSTS: [&str; 5] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "sts.windows.net",
    "management.azure.com",
    "graph.microsoft.com",
];
const AZURE_PARENTS: [&str; 2] = ["vault.azure.net", "managedhsm.azure.net"];

/// A set of host names: exact ones, wildcards of one label, and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    hosts: Vec<String>,
    parents: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// The names under a domain of our own.
    ///
    /// There is never a wildcard of the domain itself: clients refuse `*.localhost`, and a vault's name must not be
    /// able to pass for `login` or `management`.
    #[must_use]
    pub fn of_domain(domain: &str) -> Self {
        let domain = domain.to_ascii_lowercase();
        let services = ["login", "management", "uko"].map(|service| format!("{service}.{domain}"));
        let parents = ["vault", "managedhsm"].map(|kind| format!("{kind}.{domain}"));
        Self { hosts: [domain].into_iter().chain(services).collect(), parents: parents.into(), addresses: Vec::new() }
    }

    /// All that `strongroom dev` answers to: the domain, this machine, and the literal Azure names.
    #[must_use]
    pub fn dev(domain: &str) -> Self {
        let mut names = Self::of_domain(domain);
        if !names.hosts.iter().any(|host| host == "localhost") {
            names.hosts.push("localhost".to_owned());
        }
        names.hosts.extend(AZURE_HOSTS.map(str::to_owned));
        names.parents.extend(AZURE_PARENTS.map(str::to_owned));
        names.addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        names
    }

    /// Whether a host, without its port, is one of these.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = address.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
            || host.split_once('.').is_some_and(|(label, rest)| {
                is_label(label) && self.parents.iter().any(|known| known.eq_ignore_ascii_case(rest))
            })
    }

    /// The names as a certificate lists them.
    #[must_use]
    pub fn subject_alternatives(&self) -> Vec<String> {
        let wildcards = self.parents.iter().map(|parent| format!("*.{parent}"));
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.hosts.iter().cloned().chain(wildcards).chain(addresses).collect()
    }

    /// One host for each name: what a client might ask a certificate for.
    #[must_use]
    pub(super) fn samples(&self) -> Vec<String> {
        self.subject_alternatives().into_iter().map(|name| name.replace('*', "any")).collect()
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_development_server_are_covered_and_nothing_else() {
        let names = Names::dev("localhost");
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "contoso.vault.localhost",
            "contoso.managedhsm.localhost",
            "login.localhost",
            "management.localhost",
            "uko.localhost",
            "127.0.0.1",
            "::1",
            "[::1]",
            "contosohsm.managedhsm.azure.net",
            "Contoso.Vault.Azure.NET",
            "login.microsoftonline.com",
            "management.azure.com",
            "graph.microsoft.com",
        ] {
            assert!(names.covers(host), "{host}");
        }
        for host in [
            "",
            ".",
            "azcliprod.blob.core.windows.net",
            "other.localhost",
            "vault.localhost",
            ".vault.localhost",
            "a.b.vault.localhost",
            "a/b.vault.localhost",
            "evilvault.localhost",
            "login.microsoftonline.com.evil.example",
            "127.0.0.2",
            "169.254.169.254",
        ] {
            assert!(!names.covers(host), "{host}");
        }
    }

    #[test]
    fn no_wildcard_stands_directly_under_the_domain() {
        for domain in ["localhost", "example.com"] {
            assert!(!Names::dev(domain).subject_alternatives().contains(&format!("*.{domain}")));
        }
    }

    #[test]
    fn a_domain_in_production_has_neither_loopback_nor_azure_names() {
        let names = Names::of_domain("keys.example.com");
        assert!(names.covers("a.vault.keys.example.com"));
        assert!(!names.covers("localhost") && !names.covers("127.0.0.1") && !names.covers("management.azure.com"));
    }
}
