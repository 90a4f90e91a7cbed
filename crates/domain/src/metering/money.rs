//! Money as whole millionths, and the price table.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, iter::Sum};

/// An amount in millionths of a currency's unit, never negative. Sums beyond its range stay at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(u64);

const DECIMALS: usize = 6;
const MILLIONTHS: u64 = 1_000_000;

impl Money {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    #[must_use]
    pub const fn as_millionths(self) -> u64 {
        self.0
    }

    /// Reads a decimal number with up to six places: `3`, `0.03`, `0.000001`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(places) || places.len() > DECIMALS {
            return None;
        }
        let millionths = format!("{places:0<DECIMALS$}").parse::<u64>().ok()?;
        Some(Self(whole.parse::<u64>().ok()?.checked_mul(MILLIONTHS)?.checked_add(millionths)?))
    }

    /// What a quantity costs at this price for every `per` of it: exact, then rounded to the nearest millionth, a half
    /// up. This is the one place where money is rounded.
    #[must_use]
    pub fn of(self, quantity: u64, per: u64) -> Self {
        let (exact, per) = (u128::from(self.0) * u128::from(quantity), u128::from(per.max(1)));
        Self(u64::try_from((exact + per / 2) / per).unwrap_or(u64::MAX))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, each| Self(sum.0.saturating_add(each.0)))
    }
}

/// `0.03`, `3.20`, `0.000001`: at least two places.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = format!("{:0DECIMALS$}", self.0 % MILLIONTHS);
        let (cents, finer) = places.split_at(2);
        write!(f, "{}.{cents}{}", self.0 / MILLIONTHS, finer.trim_end_matches('0'))
    }
}

impl TryFrom<String> for Money {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an amount of money: write a decimal number with up to six places, in quotes")
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

/// What things cost. A thing without a price is counted and shown without a cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    pub currency: Currency,
    /// For every 10 000 operations in a vault.
    pub operations_per_10000: Option<Money>,
    /// For each HSM-protected key version of a vault and month.
    pub hsm_key_version_per_month: Option<Money>,
    /// For each hour of a managed HSM, by its sku.
    pub managed_hsm_per_hour: BTreeMap<String, Money>,
}

impl Prices {
    /// Skus compare without case.
    #[must_use]
    pub fn managed_hsm_hour(&self, sku: &str) -> Option<Money> {
        self.managed_hsm_per_hour.iter().find(|(name, _)| name.eq_ignore_ascii_case(sku)).map(|(_, price)| *price)
    }
}

/// A currency's three letters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency(String);

impl Currency {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self("USD".to_owned())
    }
}

impl TryFrom<String> for Currency {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then_some(Self(text)).ok_or("not a currency: write its three capital letters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_decimal_numbers_with_up_to_six_places() {
        for (text, millionths, shown) in [
            ("0", 0, "0.00"),
            ("3", 3_000_000, "3.00"),
            ("0.03", 30_000, "0.03"),
            ("3.2", 3_200_000, "3.20"),
            ("0.000001", 1, "0.000001"),
            ("18446744073709.551615", u64::MAX, "18446744073709.551615"),
        ] {
            assert_eq!(Money::parse(text), Some(Money(millionths)), "{text}");
            assert_eq!(Money(millionths).to_string(), shown);
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1,5", "1e3", "0.0000001", "18446744073709.551616", "1 "] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_cost_is_rounded_once_and_a_half_goes_up() {
        for (price, quantity, per, cost) in [
            ("0.03", 10_000, 10_000, "0.03"),
            ("0.03", 1, 10_000, "0.000003"),
            ("0.004999", 1, 10_000, "0.00"),
            ("0.005", 1, 10_000, "0.000001"),
            ("0.015", 1, 10_000, "0.000002"),
            ("3.20", 481, 1, "1539.20"),
            ("1", u64::MAX, 1, "18446744073709.551615"),
            ("1", 1, 0, "1.00"),
        ] {
            assert_eq!(money(price).of(quantity, per), money(cost), "{price} {quantity}/{per}");
        }
    }

    #[test]
    fn a_price_table_is_read_and_its_mistakes_are_named() {
        let read = |text: &str| serde_json::from_str::<Prices>(text).map_err(|error| error.to_string());
        let prices = read(r#"{"currency": "EUR", "managed_hsm_per_hour": {"Standard_B1": "3.20"}}"#).unwrap();
        assert_eq!(prices.managed_hsm_hour("standard_b1"), Some(money("3.20")));
        assert_eq!((prices.managed_hsm_hour("Custom_B32"), prices.operations_per_10000), (None, None));
        assert_eq!(read("{}").unwrap(), Prices::default());
        for (text, part) in [
            (r#"{"currency": "euro"}"#, "not a currency"),
            (r#"{"operations_per_10000": "a lot"}"#, "not an amount"),
            (r#"{"operations": "1"}"#, "unknown field"),
        ] {
            assert!(read(text).unwrap_err().contains(part), "{text}");
        }
    }

    proptest! {
        #[test]
        fn amounts_read_back_as_written(millionths: u64) {
            let amount = Money(millionths);
            prop_assert_eq!(Money::parse(&amount.to_string()), Some(amount));
        }

        #[test]
        fn a_cost_is_never_off_by_more_than_half_a_millionth(price in 0..1_u64 << 40, quantity in 0..1_u64 << 40, per in 1..100_000_u64) {
            let cost = u128::from(Money(price).of(quantity, per).as_millionths());
            let exact = u128::from(price) * u128::from(quantity);
            prop_assume!(exact / u128::from(per) < u128::from(u64::MAX));
            prop_assert!(2 * (cost * u128::from(per)).abs_diff(exact) <= u128::from(per));
        }
    }
}
