//! From where a container may be used: its network rules, and whether it answers public networks at all.
//!
//! Contract: key-vault §4.2, `networkAcls`. Only addresses can be matched here: trusted services and virtual networks are
//! Azure's own, so what names them is kept and admits nobody.

use crate::{Container, Profile, Refusal};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};

/// Whether a container answers public networks. There are no private ones to it, so `Disabled` closes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicNetworkAccess {
    #[default]
    Enabled,
    Disabled,
}

/// What holds for an address that no rule names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefaultAction {
    #[default]
    Allow,
    Deny,
}

/// Who need not keep to the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bypass {
    /// Azure's trusted services, of which there are none here.
    #[default]
    AzureServices,
    Nobody,
}

/// The network rules of a container. The default is what holds where none are set: every address may come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkRules {
    pub bypass: Bypass,
    pub default_action: DefaultAction,
    pub ip_rules: IpRules,
    /// Kept as given.
    pub virtual_network_rules: Vec<VirtualNetworkRule>,
    /// Kept as given.
    pub service_tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualNetworkRule {
    pub id: String,
    pub ignore_missing_endpoint: Option<bool>,
}

impl NetworkRules {
    /// Whether the rules let an address in.
    ///
    /// # Errors
    /// [`Refusal::NetworkForbidden`].
    pub fn admits(&self, address: IpAddr) -> Result<(), Refusal> {
        // A socket for both families shows IPv4 addresses inside IPv6 ones.
        let address = address.to_canonical();
        match self.default_action {
            DefaultAction::Allow => Ok(()),
            DefaultAction::Deny if self.ip_rules.contain(address) => Ok(()),
            DefaultAction::Deny => Err(Refusal::NetworkForbidden { address }),
        }
    }
}

impl Container {
    /// Whether the container answers an address. `None` is the service itself, which comes from no network.
    ///
    /// # Errors
    /// [`Refusal::PublicNetworkDisabled`], which beats the rules; [`Refusal::NetworkForbidden`].
    pub fn admits(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        let (access, rules) = match &self.profile {
            Profile::Vault(vault) => (vault.public_network_access, &vault.network_rules),
            Profile::ManagedHsm(hsm) => (hsm.public_network_access, &hsm.network_rules),
        };
        match (address, access) {
            (None, _) => Ok(()),
            (Some(_), PublicNetworkAccess::Disabled) => Err(Refusal::PublicNetworkDisabled),
            (Some(address), PublicNetworkAccess::Enabled) => {
                rules.as_ref().map_or(Ok(()), |rules| rules.admits(address))
            }
        }
    }
}

/// The addresses and ranges that may come, in the order they were given in. A look-up takes the logarithm of their number:
/// it is part of every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<IpRange>", into = "Vec<IpRange>")]
pub struct IpRules {
    given: Vec<IpRange>,
    /// By first address, and none within another: of two ranges that meet, one is within the other.
    apart: Vec<IpRange>,
}

impl IpRules {
    pub fn iter(&self) -> impl Iterator<Item = IpRange> {
        self.given.iter().copied()
    }

    /// Whether one of the rules names the address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let after = self.apart.partition_point(|range| range.first <= address);
        self.apart.get(after.wrapping_sub(1)).is_some_and(|range| range.contains(address))
    }
}

impl From<Vec<IpRange>> for IpRules {
    fn from(given: Vec<IpRange>) -> Self {
        let mut apart = given.clone();
        apart.sort_unstable_by_key(|range| (range.first, range.length()));
        apart.dedup_by(|later, kept| kept.contains(later.first));
        Self { given, apart }
    }
}

impl From<IpRules> for Vec<IpRange> {
    fn from(rules: IpRules) -> Self {
        rules.given
    }
}

/// An address, or a range that begins at its first address. Shown with a prefix length only if it was given with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    first: IpAddr,
    prefix: Option<u8>,
}

impl IpRange {
    /// `None` for anything but an address, or a range in CIDR notation that begins at its first address. Neither names
    /// nor zones, nor IPv4 inside IPv6: callers are known by the plain form, so such a rule would admit nobody.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (first, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((first, prefix)) => (first, Some(prefix_length(prefix)?)),
        };
        let range = Self { first: first.parse().ok()?, prefix };
        let begins_there = match range.first {
            IpAddr::V4(first) => range.length() <= 32 && first.to_bits() & range.host_bits_v4() == 0,
            IpAddr::V6(first) => range.length() <= 128 && first.to_bits() & range.host_bits_v6() == 0,
        };
        (begins_there && range.first.to_canonical() == range.first).then_some(range)
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => address.to_bits() & !self.host_bits_v4() == first.to_bits(),
            (IpAddr::V6(first), IpAddr::V6(address)) => address.to_bits() & !self.host_bits_v6() == first.to_bits(),
            _ => false,
        }
    }

    fn length(&self) -> u8 {
        self.prefix.unwrap_or(if self.first.is_ipv4() { 32 } else { 128 })
    }

    fn host_bits_v4(&self) -> u32 {
        u32::MAX.checked_shr(self.length().into()).unwrap_or(0)
    }

    fn host_bits_v6(&self) -> u128 {
        u128::MAX.checked_shr(self.length().into()).unwrap_or(0)
    }
}

/// A number in its one form: no sign, no leading zero.
fn prefix_length(text: &str) -> Option<u8> {
    text.parse().ok().filter(|length: &u8| length.to_string() == text)
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            None => write!(f, "{}", self.first),
            Some(prefix) => write!(f, "{}/{prefix}", self.first),
        }
    }
}

impl TryFrom<String> for IpRange {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an IP address or range")
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
