//! `networkAcls` of vaults and managed HSMs, brought to their one form.
//!
//! Schemas `NetworkRuleSet` and `MHSMNetworkRuleSet` of `arm-keyvault-2026-05-15.json`; contract: key-vault §4.2.

use crate::arm::error::Problem;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkAcls {
    pub bypass: Option<String>,
    pub default_action: Option<String>,
    pub ip_rules: Option<Vec<IpRule>>,
    pub virtual_network_rules: Option<Vec<VirtualNetworkRule>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tags: Option<Vec<ServiceTag>>,
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

impl NetworkAcls {
    /// What holds where nothing is set: everything may come in.
    pub(crate) fn open() -> Self {
        Self { bypass: None, default_action: None, ip_rules: None, virtual_network_rules: None, service_tags: None }
            .filled()
    }

    fn filled(self) -> Self {
        Self {
            bypass: self.bypass.or_else(|| Some("AzureServices".to_owned())),
            default_action: self.default_action.or_else(|| Some("Allow".to_owned())),
            ip_rules: self.ip_rules.or_else(|| Some(Vec::new())),
            virtual_network_rules: self.virtual_network_rules.or_else(|| Some(Vec::new())),
            service_tags: self.service_tags,
        }
    }

    /// Checks words and addresses, fills in the documented defaults, and gives the JSON text to keep.
    pub(crate) fn into_text(mut self) -> Result<String, Problem> {
        word(&mut self.bypass, &["AzureServices", "None"], "networkAcls.bypass")?;
        word(&mut self.default_action, &["Allow", "Deny"], "networkAcls.defaultAction")?;
        let rules = self.ip_rules.iter().flatten();
        if let Some(bad) = rules.map(|rule| rule.value.as_str()).find(|value| !is_address_or_range(value)) {
            return Err(Problem::bad_request(format!(
                "An invalid value was provided for 'networkAcls.ipRules': '{bad}' is no IP address or range."
            )));
        }
        serde_json::to_string(&self.filled()).map_err(|_| Problem::bad_request("The network rules can't be kept."))
    }
}

/// Brings a word of an enumeration to its documented case.
pub(crate) fn word(field: &mut Option<String>, known: &[&str], name: &str) -> Result<(), Problem> {
    let Some(given) = field else {
        return Ok(());
    };
    match known.iter().find(|word| word.eq_ignore_ascii_case(given)) {
        Some(word) => *given = (*word).to_owned(),
        None => return Err(Problem::bad_request(format!("An invalid value was provided for '{name}'."))),
    }
    Ok(())
}

fn is_address_or_range(text: &str) -> bool {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|bits| bits <= longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Result<String, &'static str> {
        serde_json::from_str::<NetworkAcls>(json).unwrap().into_text().map_err(|problem| problem.code)
    }

    #[test]
    fn rules_take_their_one_form() {
        assert_eq!(
            text(r#"{"defaultAction":"deny","ipRules":[{"value":"10.0.0.0/8"}]}"#).as_deref(),
            Ok(
                r#"{"bypass":"AzureServices","defaultAction":"Deny","ipRules":[{"value":"10.0.0.0/8"}],"virtualNetworkRules":[]}"#
            )
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for json in [
            r#"{"defaultAction":"maybe"}"#,
            r#"{"bypass":"All"}"#,
            r#"{"ipRules":[{"value":"10.0.0.0/33"}]}"#,
            r#"{"ipRules":[{"value":"localhost"}]}"#,
            r#"{"ipRules":[{"value":"10.0.0.0/"}]}"#,
        ] {
            assert_eq!(text(json), Err("BadRequest"), "{json}");
        }
    }
}
