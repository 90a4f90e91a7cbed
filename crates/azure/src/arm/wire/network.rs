//! `networkAcls` and `publicNetworkAccess` of vaults and managed HSMs.
//!
//! Schemas `NetworkRuleSet` and `MHSMNetworkRuleSet` of `arm-keyvault-2026-05-15.json`; contract: key-vault §4.2.

use crate::{arm::error::Problem, json::Object};
use domain::{Bypass, DefaultAction, IpRange, NetworkRules, PublicNetworkAccess};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkAcls {
    pub bypass: Option<String>,
    pub default_action: Option<String>,
    pub ip_rules: Option<Vec<Object<IpRule>>>,
    pub virtual_network_rules: Option<Vec<Object<VirtualNetworkRule>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tags: Option<Vec<Object<ServiceTag>>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IpRule {
    pub value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VirtualNetworkRule {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_missing_vnet_service_endpoint: Option<bool>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceTag {
    pub tag: String,
}

/// Documented as the most a vault takes; they also bound what the gate compares an address with.
const MOST_IP_RULES: usize = 1000;
const MOST_VIRTUAL_NETWORK_RULES: usize = 200;

impl NetworkAcls {
    /// Checks words and addresses. What is left out takes its documented default.
    pub(crate) fn into_rules(self) -> Result<NetworkRules, Problem> {
        let ip_rules = self.ip_rules.unwrap_or_default();
        let virtual_network_rules = self.virtual_network_rules.unwrap_or_default();
        let bypasses = [Bypass::AzureServices, Bypass::Nobody];
        let bypass = word(self.bypass.as_deref(), &bypasses, bypass_word, "networkAcls.bypass")?;
        let actions = [DefaultAction::Allow, DefaultAction::Deny];
        let default_action = word(self.default_action.as_deref(), &actions, action_word, "networkAcls.defaultAction")?;
        at_most(MOST_IP_RULES, ip_rules.len(), "networkAcls.ipRules")?;
        at_most(MOST_VIRTUAL_NETWORK_RULES, virtual_network_rules.len(), "networkAcls.virtualNetworkRules")?;
        Ok(NetworkRules {
            bypass: bypass.unwrap_or_default(),
            default_action: default_action.unwrap_or_default(),
            ip_rules: ip_rules.iter().map(|Object(rule)| rule.read()).collect::<Result<Vec<_>, _>>()?.into(),
            virtual_network_rules: virtual_network_rules.into_iter().map(|Object(rule)| rule.into()).collect(),
            service_tags: self.service_tags.into_iter().flatten().map(|Object(service)| service.tag).collect(),
        })
    }
}

impl From<&NetworkRules> for NetworkAcls {
    fn from(rules: &NetworkRules) -> Self {
        let service_tags = rules.service_tags.iter().map(|tag| Object(ServiceTag { tag: tag.clone() }));
        Self {
            bypass: Some(bypass_word(rules.bypass).to_owned()),
            default_action: Some(action_word(rules.default_action).to_owned()),
            ip_rules: Some(rules.ip_rules.iter().map(|range| Object(IpRule { value: range.to_string() })).collect()),
            virtual_network_rules: Some(
                rules.virtual_network_rules.iter().cloned().map(|rule| Object(rule.into())).collect(),
            ),
            service_tags: (!rules.service_tags.is_empty()).then(|| service_tags.collect()),
        }
    }
}

impl IpRule {
    fn read(&self) -> Result<IpRange, Problem> {
        IpRange::parse(&self.value).ok_or_else(|| {
            Problem::bad_request(format!(
                "An invalid value was provided for 'networkAcls.ipRules': '{}' is no IP address or range.",
                self.value
            ))
        })
    }
}

impl From<VirtualNetworkRule> for domain::VirtualNetworkRule {
    fn from(rule: VirtualNetworkRule) -> Self {
        // As recorded: ids are compared by whoever reads them, and have no case.
        Self { id: rule.id.to_ascii_lowercase(), ignore_missing_endpoint: rule.ignore_missing_vnet_service_endpoint }
    }
}

impl From<domain::VirtualNetworkRule> for VirtualNetworkRule {
    fn from(rule: domain::VirtualNetworkRule) -> Self {
        Self { id: rule.id, ignore_missing_vnet_service_endpoint: rule.ignore_missing_endpoint }
    }
}

pub(super) fn read_access(given: Option<&str>) -> Result<Option<PublicNetworkAccess>, Problem> {
    let known = [PublicNetworkAccess::Enabled, PublicNetworkAccess::Disabled];
    word(given, &known, access_word, "publicNetworkAccess")
}

pub(super) fn access_word(access: PublicNetworkAccess) -> &'static str {
    match access {
        PublicNetworkAccess::Enabled => "Enabled",
        PublicNetworkAccess::Disabled => "Disabled",
    }
}

fn bypass_word(bypass: Bypass) -> &'static str {
    match bypass {
        Bypass::AzureServices => "AzureServices",
        Bypass::Nobody => "None",
    }
}

fn action_word(action: DefaultAction) -> &'static str {
    match action {
        DefaultAction::Allow => "Allow",
        DefaultAction::Deny => "Deny",
    }
}

/// The value of an enumeration whose word is given, in any case.
pub(super) fn word<T: Copy>(
    given: Option<&str>,
    known: &[T],
    spelled: impl Fn(T) -> &'static str,
    name: &str,
) -> Result<Option<T>, Problem> {
    let Some(given) = given else {
        return Ok(None);
    };
    let found = known.iter().copied().find(|value| spelled(*value).eq_ignore_ascii_case(given));
    found.map(Some).ok_or_else(|| Problem::bad_request(format!("An invalid value was provided for '{name}'.")))
}

fn at_most(most: usize, given: usize, name: &str) -> Result<(), Problem> {
    if given <= most {
        return Ok(());
    }
    Err(Problem::bad_request(format!("An invalid value was provided for '{name}': there can be at most {most}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> Result<NetworkRules, Problem> {
        serde_json::from_str::<NetworkAcls>(json).unwrap().into_rules()
    }

    fn shown(json: &str) -> Result<String, &'static str> {
        rules(json)
            .map(|rules| serde_json::to_string(&NetworkAcls::from(&rules)).unwrap())
            .map_err(|problem| problem.code)
    }

    #[test]
    fn rules_take_their_one_form() {
        assert_eq!(
            shown(r#"{"defaultAction":"deny","ipRules":[{"value":"10.0.0.0/8"},{"value":"2001:DB8::1"}]}"#).as_deref(),
            Ok(
                r#"{"bypass":"AzureServices","defaultAction":"Deny","ipRules":[{"value":"10.0.0.0/8"},{"value":"2001:db8::1"}],"virtualNetworkRules":[]}"#
            )
        );
    }

    #[test]
    fn what_can_not_be_matched_is_shown_as_given_but_for_the_case_of_subnets() {
        let given = r#"{"bypass":"None","defaultAction":"Allow","ipRules":[],"virtualNetworkRules":[{"id":"/V","ignoreMissingVnetServiceEndpoint":true},{"id":"/w"}],"serviceTags":[{"tag":"AzureCloud"}]}"#;
        assert_eq!(shown(given).as_deref(), Ok(given.replace("/V", "/v").as_str()));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for json in [
            r#"{"defaultAction":"maybe"}"#,
            r#"{"bypass":"All"}"#,
            r#"{"ipRules":[{"value":"10.0.0.0/33"}]}"#,
            r#"{"ipRules":[{"value":"10.0.0.1/8"}]}"#,
            r#"{"ipRules":[{"value":"localhost"}]}"#,
            r#"{"ipRules":[{"value":"10.0.0.0/"}]}"#,
        ] {
            assert_eq!(shown(json), Err("BadRequest"), "{json}");
        }
        let problem = rules(r#"{"ipRules":[{"value":"10.0.0.1/8"}]}"#).unwrap_err();
        let words = "An invalid value was provided for 'networkAcls.ipRules': '10.0.0.1/8' is no IP address or range.";
        assert_eq!(problem.message, words);
    }

    #[test]
    fn there_are_as_many_rules_as_documented() {
        let many =
            |member: &str, rule: &str, count| shown(&format!("{{\"{member}\":[{}]}}", [rule].repeat(count).join(",")));
        let (address, network) = (r#"{"value":"10.0.0.1"}"#, r#"{"id":"/v"}"#);
        assert!(many("ipRules", address, 1000).is_ok());
        assert_eq!(many("ipRules", address, 1001), Err("BadRequest"));
        assert!(many("virtualNetworkRules", network, 200).is_ok());
        assert_eq!(many("virtualNetworkRules", network, 201), Err("BadRequest"));
    }
}
