//! `KeyRotationPolicy`, in and out (contract: key-vault §3.6 and §3.8, "Rotation policy"; managed-hsm §3.3).

use super::{
    body::{bad, parse, required},
    error::Problem,
    wire::Audience,
};
use crate::json::Object;
use domain::{CalendarDuration, ContainerKind, ObjectName, RotationPolicy, RotationTrigger, UnixTime};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyIn {
    lifetime_actions: Option<Vec<Object<ActionIn>>>,
    attributes: Option<Object<AttributesIn>>,
}

#[derive(Deserialize)]
struct ActionIn {
    trigger: Option<Object<TriggerIn>>,
    action: Option<Object<TypeIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TriggerIn {
    time_after_create: Option<String>,
    time_before_expiry: Option<String>,
}

#[derive(Deserialize)]
struct TypeIn {
    r#type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttributesIn {
    expiry_time: Option<String>,
}

/// Reads a policy. At most one action of each type, one trigger for each; the type is compared without case.
pub(super) fn read(body: &[u8]) -> Result<RotationPolicy, Problem> {
    let body: PolicyIn = parse(body)?;
    let mut policy = RotationPolicy::default();
    for Object(entry) in body.lifetime_actions.unwrap_or_default() {
        let kind = required(entry.action.and_then(|Object(action)| action.r#type), "type")?;
        let slot = match kind.to_ascii_lowercase().as_str() {
            "rotate" => &mut policy.rotate,
            "notify" => &mut policy.notify,
            _ => return Err(bad("type", "must be Rotate or Notify")),
        };
        if slot.replace(trigger(required(entry.trigger, "trigger")?.0)?).is_some() {
            return Err(bad("lifetimeActions", "has more than one action of a type"));
        }
    }
    let expiry = body.attributes.and_then(|Object(attributes)| attributes.expiry_time);
    policy.expiry = expiry.map(|text| duration(&text, "expiryTime")).transpose()?;
    Ok(policy)
}

fn trigger(trigger: TriggerIn) -> Result<RotationTrigger, Problem> {
    match (trigger.time_after_create, trigger.time_before_expiry) {
        (Some(after), None) => Ok(RotationTrigger::AfterCreate(duration(&after, "timeAfterCreate")?)),
        (None, Some(before)) => Ok(RotationTrigger::BeforeExpiry(duration(&before, "timeBeforeExpiry")?)),
        _ => Err(bad("trigger", "must have one of timeAfterCreate and timeBeforeExpiry")),
    }
}

fn duration(text: &str, property: &str) -> Result<CalendarDuration, Problem> {
    CalendarDuration::parse(text).ok_or_else(|| bad(property, "is not an ISO 8601 duration"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyRotationPolicy<'a> {
    attributes: KeyRotationPolicyAttributes<'a>,
    id: String,
    lifetime_actions: Vec<LifetimeActions>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyRotationPolicyAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_time: Option<&'a CalendarDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<UnixTime>,
}

#[derive(Serialize)]
struct LifetimeActions {
    action: LifetimeActionsType,
    trigger: LifetimeActionsTrigger,
}

#[derive(Serialize)]
struct LifetimeActionsType {
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LifetimeActionsTrigger {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_after_create: Option<CalendarDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_before_expiry: Option<CalendarDuration>,
}

impl<'a> KeyRotationPolicy<'a> {
    /// How a policy, or that there is none, is shown. A vault always shows a Notify action: its own, 30 days before
    /// expiry, if none was set (contract: key-vault §7.12).
    pub(super) fn new(policy: &'a RotationPolicy, name: &ObjectName, audience: Audience<'_>) -> Self {
        let notify = policy.notify.clone().or_else(|| {
            (audience.kind == ContainerKind::Vault)
                .then(|| RotationTrigger::BeforeExpiry(CalendarDuration::days(DEFAULT_NOTIFY_DAYS)))
        });
        let rotate = policy.rotate.clone().map(|trigger| LifetimeActions::new("Rotate", trigger));
        let notify = notify.map(|trigger| LifetimeActions::new("Notify", trigger));
        Self {
            attributes: KeyRotationPolicyAttributes {
                created: policy.created,
                expiry_time: policy.expiry.as_ref(),
                updated: policy.updated,
            },
            id: format!("https://{}/keys/{name}/rotationpolicy", audience.host),
            lifetime_actions: rotate.into_iter().chain(notify).collect(),
        }
    }
}

const DEFAULT_NOTIFY_DAYS: u16 = 30;

impl LifetimeActions {
    fn new(r#type: &'static str, trigger: RotationTrigger) -> Self {
        let trigger = match trigger {
            RotationTrigger::AfterCreate(after) => {
                LifetimeActionsTrigger { time_after_create: Some(after), time_before_expiry: None }
            }
            RotationTrigger::BeforeExpiry(before) => {
                LifetimeActionsTrigger { time_after_create: None, time_before_expiry: Some(before) }
            }
        };
        Self { action: LifetimeActionsType { r#type }, trigger }
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
