//! `UsageDetail` of Microsoft.Consumption: one line of a bill.
//!
//! The shape is that of "legacy" usage details (api-versions since 2019-10-01). Beside its members stand those that
//! older versions had under other names, for `az consumption usage list` reads no others.

use crate::arm::route::UsagePlace;
use domain::{
    ContainerKind, Guid, Outcome, UnixTime,
    metering::{Charge, Currency, Meter, Money, Month},
};
use engine::UsageLine;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct UsageDetail {
    id: String,
    name: String,
    r#type: &'static str,
    kind: &'static str,
    properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    billing_period_start_date: String,
    billing_period_end_date: String,
    subscription_id: String,
    date: String,
    product: &'static str,
    meter_details: MeterDetails,
    quantity: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_price: Option<f64>,
    /// Absent where the price table is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
    billing_currency: String,
    resource_location: String,
    consumed_service: &'static str,
    resource_id: String,
    resource_name: String,
    resource_group: String,
    charge_type: &'static str,
    frequency: &'static str,
    /// The month is not over.
    is_estimated: bool,
    #[serde(flatten)]
    older: OlderNames,
}

/// What versions before 2019-10-01 called some of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OlderNames {
    billing_period_id: String,
    usage_start: String,
    usage_end: String,
    usage_quantity: u64,
    billable_quantity: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pretax_cost: Option<f64>,
    currency: String,
    instance_id: String,
    instance_name: String,
    instance_location: String,
    subscription_guid: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MeterDetails {
    meter_name: String,
    meter_category: &'static str,
    meter_sub_category: &'static str,
    unit_of_measure: &'static str,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pretax_standard_rate: Option<f64>,
}

pub(crate) fn subscription_of(place: &UsagePlace) -> Guid {
    match place {
        UsagePlace::Subscription(id) => *id,
        UsagePlace::Group(resource) => resource.subscription,
        UsagePlace::Container(place) => place.resource.subscription,
    }
}

impl UsageDetail {
    pub(crate) fn new(line: &UsageLine, subscription: Guid, currency: &Currency, now: UnixTime) -> Self {
        let name = line.name();
        let period = period_id(subscription, line.month);
        let scope = &line.lifetime.arm_id;
        let id = format!("{scope}{}/providers/Microsoft.Consumption/usageDetails/{name}", provider_of(&period));
        let properties = Properties::new(line, subscription, currency, period, now);
        Self { id, name, r#type: "Microsoft.Consumption/usageDetails", kind: "legacy", properties }
    }
}

impl Properties {
    fn new(line: &UsageLine, subscription: Guid, currency: &Currency, period: String, now: UnixTime) -> Self {
        let (lifetime, month) = (&line.lifetime, line.month);
        let (begin, last_day) = (month.begin(), month.end().plus_seconds(-UnixTime::DAY_SECONDS));
        let (unit_price, cost) = (unit_price(line.line.charge), line.line.cost().map(amount));
        let quantity = line.line.quantity;
        Self {
            billing_period_start_date: begin.to_string(),
            billing_period_end_date: last_day.to_string(),
            subscription_id: subscription.to_string(),
            date: begin.to_string(),
            product: product(lifetime.kind),
            meter_details: MeterDetails::new(line, unit_price),
            quantity,
            unit_price,
            effective_price: unit_price,
            cost,
            billing_currency: currency.as_str().to_owned(),
            resource_location: lifetime.location.clone(),
            consumed_service: "Microsoft.KeyVault",
            resource_id: lifetime.arm_id.clone(),
            resource_name: lifetime.name.to_string(),
            resource_group: group_of(&lifetime.arm_id).to_owned(),
            charge_type: "Usage",
            frequency: "UsageBased",
            is_estimated: now < month.end(),
            older: OlderNames {
                billing_period_id: period,
                usage_start: begin.to_string(),
                usage_end: month.end().plus_seconds(-1).to_string(),
                usage_quantity: quantity,
                billable_quantity: if line.line.charge == Charge::Free { 0 } else { quantity },
                pretax_cost: cost,
                currency: currency.as_str().to_owned(),
                instance_id: lifetime.arm_id.clone(),
                instance_name: lifetime.name.to_string(),
                instance_location: lifetime.location.clone(),
                subscription_guid: subscription.to_string(),
            },
        }
    }
}

impl MeterDetails {
    fn new(line: &UsageLine, pretax_standard_rate: Option<f64>) -> Self {
        let (meter_name, unit) = match line.line.meter {
            Meter::Operations { operation, outcome: Outcome::Done } => (operation.name().to_owned(), "1 Operation"),
            Meter::Operations { operation, outcome: Outcome::Refused } => {
                (format!("{} (refused)", operation.name()), "1 Operation")
            }
            Meter::HsmKeyVersions => ("HSM-protected key versions".to_owned(), "1 Key Version/Month"),
            Meter::ManagedHsmHours => (format!("{} hours", line.lifetime.sku), "1 Hour"),
        };
        Self {
            meter_name,
            meter_category: "Key Vault",
            meter_sub_category: product(line.lifetime.kind),
            unit_of_measure: unit,
            unit,
            pretax_standard_rate,
        }
    }
}

fn product(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "Key Vault",
        ContainerKind::ManagedHsm => "Managed HSM",
    }
}

/// The wire's numbers are floating; costs are rounded before they come here and are exact in their six places.
fn amount(money: Money) -> f64 {
    const MILLIONTHS: f64 = 1e6;
    money.as_millionths() as f64 / MILLIONTHS
}

/// The price of one.
fn unit_price(charge: Charge) -> Option<f64> {
    match charge {
        Charge::Free => Some(0.0),
        Charge::Unpriced => None,
        Charge::Priced { price, per, .. } => Some(amount(price) / per as f64),
    }
}

/// `/subscriptions/{s}/providers/Microsoft.Billing/billingPeriods/202611`.
fn period_id(subscription: Guid, month: Month) -> String {
    let digits = month.to_string().replace('-', "");
    format!("/subscriptions/{subscription}/providers/Microsoft.Billing/billingPeriods/{digits}")
}

fn provider_of(period_id: &str) -> &str {
    period_id.find("/providers/").and_then(|at| period_id.get(at..)).unwrap_or_default()
}

fn group_of(arm_id: &str) -> &str {
    arm_id.split('/').nth(4).unwrap_or_default()
}
