//! Usage: the paths that ask for it, and the bodies that tell it.

use crate::arm::{
    route::{NoRoute, Route, UsagePlace, resolve},
    wire::usage::UsageDetail,
};
use domain::{
    ContainerId, ContainerKind, ContainerName, Guid, Operation, Outcome, UnixTime,
    metering::{Charge, Currency, Lifetime, Line, Meter, Money, Month},
};
use engine::UsageLine;
use std::sync::Arc;

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
const USAGE: &str = "providers/Microsoft.Consumption/usageDetails";

fn resolved(path: &str) -> Result<Route, NoRoute> {
    resolve(&path.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>())
}

#[test]
fn usage_is_asked_for_at_a_place_and_for_a_billing_period() {
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    let group = format!("{subscription}/resourceGroups/rg");
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kv");
    let november = Month::parse("2026-11");
    for (scope, period) in [
        ("", None),
        ("/providers/Microsoft.Billing/billingPeriods/202611", november),
        ("/providers/microsoft.billing/BILLINGPERIODS/202611-1", november),
    ] {
        let place = |at: &str| match resolved(&format!("{at}{scope}/{USAGE}")) {
            Ok(Route::Usage(place, found)) if found == period => Some(place),
            other => panic!("{at}{scope}: {other:?}"),
        };
        assert!(matches!(place(&subscription), Some(UsagePlace::Subscription(_))));
        assert!(matches!(place(&group), Some(UsagePlace::Group(resource)) if resource.resource_group == "rg"));
        assert!(matches!(place(&vault), Some(UsagePlace::Container(place)) if place.name == "kv"));
    }
}

#[test]
fn usage_of_nothing_says_why() {
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    let account = "/providers/Microsoft.Billing/billingAccounts/1";
    assert!(matches!(resolved(&format!("{subscription}/locations/{USAGE}")), Ok(Route::NotSupported(_))));
    assert!(resolved(&format!("{account}/{USAGE}")).is_err());
    assert!(matches!(resolved(&format!("/subscriptions/x/{USAGE}")), Err(NoRoute::SubscriptionMalformed(_))));
    let period =
        |word: &str| resolved(&format!("{subscription}/providers/Microsoft.Billing/billingPeriods/{word}/{USAGE}"));
    for word in ["2026-11", "202613", "11", "x"] {
        assert_eq!(period(word), Err(NoRoute::Unknown), "{word}");
    }
    let budgets = resolved(&format!("{subscription}/providers/Microsoft.Consumption/budgets"));
    assert!(matches!(budgets, Err(NoRoute::TypeUnknown { .. })), "{budgets:?}");
    let provider = resolved(&format!("{subscription}/providers/Microsoft.Consumption"));
    assert!(matches!(provider, Ok(Route::Provider { .. })), "{provider:?}");
}

fn shown(kind: ContainerKind, meter: Meter, quantity: u64, charge: Charge, now: &str) -> UsageDetail {
    let lifetime = Lifetime {
        container: ContainerId(Guid::from_u128(7)),
        kind,
        name: ContainerName::parse("Kv-1").unwrap(),
        arm_id: format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/{}/Kv-1",
            kind.resource_type()
        ),
        location: "eastus".to_owned(),
        sku: "Standard_B1".to_owned(),
        created: UnixTime(0),
        ends: None,
    };
    let line = Line { meter, quantity, charge };
    let line = UsageLine { lifetime: Arc::new(lifetime), month: Month::parse("2026-11").unwrap(), line };
    let now = UnixTime::parse(now).unwrap();
    UsageDetail::new(&line, Guid::parse(SUBSCRIPTION).unwrap(), &Currency::default(), now)
}

fn priced(price: &str, quantity: u64, per: u64) -> Charge {
    let price = Money::parse(price).unwrap();
    Charge::Priced { price, per, cost: price.of(quantity, per) }
}

#[test]
fn a_line_of_a_bill_in_azures_shape_and_for_az() {
    let sign = Meter::Operations { operation: Operation::KeySign, outcome: Outcome::Done };
    let charge = priced("0.03", 20_001, 10_000);
    let detail = shown(ContainerKind::Vault, sign, 20_001, charge, "2026-12-01");
    insta::assert_snapshot!(serde_json::to_string_pretty(&detail).unwrap());
}

#[test]
fn what_is_free_and_what_has_no_price_are_told_apart() {
    let number = |detail: &UsageDetail, pointer: &str| {
        serde_json::to_value(detail).unwrap().pointer(&format!("/properties/{pointer}")).cloned()
    };
    let refused = Meter::Operations { operation: Operation::KeySign, outcome: Outcome::Refused };
    let free = shown(ContainerKind::Vault, refused, 7, Charge::Free, "2026-11-30");
    assert_eq!(number(&free, "cost"), Some(0.0.into()));
    assert_eq!((number(&free, "quantity"), number(&free, "billableQuantity")), (Some(7.into()), Some(0.into())));
    assert_eq!(number(&free, "meterDetails/meterName"), Some("KeySign (refused)".into()));
    assert_eq!(number(&free, "isEstimated"), Some(true.into()), "November is not over");
    let unpriced = shown(ContainerKind::ManagedHsm, Meter::ManagedHsmHours, 720, Charge::Unpriced, "2026-12-01");
    assert_eq!((number(&unpriced, "cost"), number(&unpriced, "unitPrice")), (None, None));
    assert_eq!(number(&unpriced, "meterDetails/meterName"), Some("Standard_B1 hours".into()));
    let versions = shown(ContainerKind::Vault, Meter::HsmKeyVersions, 3, priced("1", 3, 1), "2026-12-01");
    assert_eq!((number(&versions, "cost"), number(&versions, "unitPrice")), (Some(3.0.into()), Some(1.0.into())));
}
