//! What an order is for: the DNS names and addresses of a request (RFC 8555 §9.7.7, RFC 8738), as far as they may be
//! ordered here.

use super::problem::{Trouble, plain};
use custody::x509::{self, Certificate, Requested};
use domain::{AlternativeNames, Refusal};
use serde::Serialize;
use std::net::IpAddr;

/// As many as the largest public servers take.
const MOST: usize = 100;

/// What a server is asked to certify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identifier {
    #[serde(rename = "type")]
    kind: &'static str,
    pub value: String,
}

impl Identifier {
    fn dns(name: &str) -> Self {
        Self { kind: "dns", value: name.to_ascii_lowercase() }
    }

    fn ip(address: IpAddr) -> Self {
        Self { kind: "ip", value: address.to_string() }
    }
}

/// Which names may be ordered.
pub struct Allowed {
    /// At and below these; none: everywhere.
    pub domains: Vec<String>,
    /// The installation's own domain. Whoever has a certificate for a name in it can pose as the installation, so that
    /// nobody who may only create certificates gets one.
    pub own: String,
}

impl Allowed {
    /// The identifiers of a signing request in DER.
    ///
    /// # Errors
    /// [`Trouble::Refused`].
    pub fn identifiers(&self, request: &[u8]) -> Result<Vec<Identifier>, Trouble> {
        let asked = x509::requested(request)
            .map_err(|refusal: Refusal| Trouble::refused("BadCSR", format!("The signing request: {refusal}")))?;
        let identifiers = identifiers(&asked)?;
        identifiers.iter().try_for_each(|identifier| self.check(identifier))?;
        // Not ordered, but in the request all the same, and a server may take it over.
        for name in &asked.common_names {
            self.check_own(&Identifier::dns(name.trim().trim_end_matches('.')))?;
        }
        Ok(identifiers)
    }

    fn check(&self, identifier: &Identifier) -> Result<(), Trouble> {
        self.check_own(identifier)?;
        let listed = self.domains.is_empty() || self.domains.iter().any(|domain| identifier.is_within(domain));
        if listed { Ok(()) } else { Err(identifier.refused("it is in none of the domains of the configuration")) }
    }

    fn check_own(&self, identifier: &Identifier) -> Result<(), Trouble> {
        let is_own = identifier.is_within(&self.own) || identifier.covers(&self.own);
        if is_own { Err(identifier.refused("it is a name of this installation")) } else { Ok(()) }
    }
}

impl Identifier {
    fn refused(&self, why: &str) -> Trouble {
        Trouble::refused("NameNotAllowed", plain(&format!("{} may not be ordered here: {why}", self.value)))
    }

    fn is_within(&self, domain: &str) -> bool {
        let name = self.value.strip_prefix("*.").unwrap_or(&self.value);
        self.kind == "dns" && name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether it is a wildcard that stands for this name too.
    fn covers(&self, name: &str) -> bool {
        let above = name.split_once('.').map(|(_, above)| above);
        above.is_some() && self.value.strip_prefix("*.") == above
    }
}

fn identifiers(asked: &Requested) -> Result<Vec<Identifier>, Trouble> {
    let names = &asked.names;
    if !names.emails.is_empty() || !names.upns.is_empty() || !names.uris.is_empty() {
        let message = "ACME certifies DNS names and addresses, not addresses of e-mail, principal names or URIs.";
        return Err(Trouble::refused("UnsupportedIdentifier", message.to_owned()));
    }
    let mut found = of_alternative_names(names);
    // A common name that is none of these is a title; what the server thinks of it is the server's to say.
    found.extend(asked.common_names.iter().filter_map(|name| common_name(name)));
    let mut identifiers: Vec<Identifier> = Vec::with_capacity(found.len());
    for identifier in found {
        if !identifiers.contains(&identifier) {
            identifiers.push(identifier);
        }
    }
    match identifiers.len() {
        0 => Err(Trouble::refused("NoIdentifier", "The policy has no DNS name that could be certified.".to_owned())),
        1..=MOST => Ok(identifiers),
        more => Err(Trouble::refused("TooManyIdentifiers", format!("{more} names are more than {MOST}."))),
    }
}

/// Whether a certificate in DER is about the alternative names of a request, and about no names but those that were
/// ordered: whoever looks at it goes by them. A common name that was ordered may have become one, or not.
pub fn are_as_ordered(certificate: &[u8], request: &[u8], ordered: &[Identifier]) -> bool {
    let (Ok(certificate), Ok(asked)) = (Certificate::read(certificate), x509::requested(request)) else { return false };
    let about = of_alternative_names(&certificate.properties().names);
    of_alternative_names(&asked.names).iter().all(|name| about.contains(name))
        && about.iter().all(|name| ordered.contains(name))
}

fn of_alternative_names(names: &AlternativeNames) -> Vec<Identifier> {
    let addresses = names.ip_addresses.iter().filter_map(|text| text.parse().ok()).map(Identifier::ip);
    names.dns_names.iter().map(|name| Identifier::dns(name)).chain(addresses).collect()
}

/// The identifier that a common name is, if it is one.
fn common_name(name: &str) -> Option<Identifier> {
    if let Ok(address) = name.parse() {
        return Some(Identifier::ip(address));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let labels = name.strip_prefix("*.").unwrap_or(name);
    (labels.len() <= 253 && labels.contains('.') && labels.split('.').all(is_label)).then(|| Identifier::dns(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(common_name: &str, names: AlternativeNames) -> Result<Vec<String>, String> {
        let asked = Requested { common_names: vec![common_name.to_owned()], names };
        let told = |identifier: Identifier| format!("{}:{}", identifier.kind, identifier.value);
        match identifiers(&asked) {
            Ok(identifiers) => Ok(identifiers.into_iter().map(told).collect()),
            Err(Trouble::Refused(error)) => Err(error.code),
            Err(_) => unreachable!("nobody else is asked"),
        }
    }

    fn dns(names: &[&str]) -> AlternativeNames {
        let dns_names = names.iter().map(|name| (*name).to_owned()).collect();
        AlternativeNames { dns_names, ..AlternativeNames::default() }
    }

    #[test]
    fn names_and_addresses_are_ordered_once_each() {
        let names = AlternativeNames { ip_addresses: vec!["10.0.0.1".to_owned()], ..dns(&["B.example", "a.example"]) };
        assert_eq!(asked("a.example", names).unwrap(), ["dns:b.example", "dns:a.example", "ip:10.0.0.1"]);
        assert_eq!(asked("*.a.example", dns(&[])).unwrap(), ["dns:*.a.example"]);
        assert_eq!(asked("::1", dns(&["a.example"])).unwrap(), ["dns:a.example", "ip:::1"]);
        assert_eq!(asked("Contoso Web", dns(&["a.example"])).unwrap(), ["dns:a.example"]);
    }

    #[test]
    fn what_acme_does_not_certify_is_refused() {
        let text = || vec!["x@a.example".to_owned()];
        for names in [
            AlternativeNames { emails: text(), ..dns(&["a.example"]) },
            AlternativeNames { upns: text(), ..dns(&["a.example"]) },
            AlternativeNames { uris: text(), ..dns(&["a.example"]) },
        ] {
            assert_eq!(asked("a.example", names).unwrap_err(), "UnsupportedIdentifier");
        }
        for title in ["Contoso Web", "contoso", "a..example", "a_b.example"] {
            assert_eq!(asked(title, dns(&[])).unwrap_err(), "NoIdentifier", "{title}");
        }
        let many: Vec<String> = (0..=MOST).map(|number| format!("{number}.example")).collect();
        let many = AlternativeNames { dns_names: many, ..AlternativeNames::default() };
        assert_eq!(asked("0.example", many).unwrap_err(), "TooManyIdentifiers");
    }

    #[test]
    fn nobody_orders_a_name_of_the_installation_or_one_that_is_not_listed() {
        let allows = |domains: &[&str], identifier: Identifier| {
            let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
            Allowed { domains, own: "keys.example.com".to_owned() }.check(&identifier).is_ok()
        };
        let listed: &[&str] = &["example.com"];
        for own in ["keys.example.com", "a.vault.keys.example.com", "*.keys.example.com", "*.example.com"] {
            for domains in [&[], listed, &["keys.example.com"]] {
                assert!(!allows(domains, Identifier::dns(own)), "{own}");
            }
        }
        for (name, everywhere, within) in [
            ("example.com", true, true),
            ("www.example.com", true, true),
            ("*.www.example.com", true, true),
            ("otherkeys.example.com", true, true),
            ("badexample.com", true, false),
            ("*.com", true, false),
        ] {
            assert_eq!(
                (allows(&[], Identifier::dns(name)), allows(listed, Identifier::dns(name))),
                (everywhere, within),
                "{name}"
            );
        }
        let address = Identifier::ip(IpAddr::from([10, 0, 0, 1]));
        assert!(allows(&[], address.clone()) && !allows(listed, address));
    }
}
