//! What was used and what it costs: `usageDetails` of Microsoft.Consumption.

use super::containers::sought;
use crate::arm::{
    Answer, Arm, Ask,
    error::{Failure, Problem},
    filter::{self, Bound, Condition},
    ok,
    paging::{self, List},
    route::UsagePlace,
    wire::usage::{self, UsageDetail},
};
use domain::{ContainerName, UnixTime, access::Caller, metering::Month};
use engine::{Engine, PageRequest, UsageQuery, UsageScope};

/// What a filter on usage asks for.
#[derive(Default)]
pub(in crate::arm) struct Wanted {
    name: Option<String>,
    from: Option<UnixTime>,
    until: Option<UnixTime>,
}

/// Every month that a day of the asked span is in: figures are kept by months. A span may be told by the beginning or
/// the end of usage, or by a day of it.
pub(in crate::arm) fn wanted(text: &str) -> Result<Wanted, Problem> {
    let mut wanted = Wanted::default();
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Equals { field, value } if matches!(bare(&field), "resourcename" | "instancename") => {
                wanted.name = Some(value);
            }
            Condition::Bounds { field, bound, value } if matches!(bare(&field), "usagestart" | "usageend" | "date") => {
                let time = UnixTime::parse(&value).ok_or_else(|| filter::bad(text))?;
                match bound {
                    Bound::AtLeast => wanted.from = Some(time),
                    Bound::MoreThan => wanted.from = Some(time.plus_seconds(1)),
                    Bound::AtMost => wanted.until = Some(time),
                    Bound::LessThan => wanted.until = Some(time.plus_seconds(-1)),
                }
            }
            _ => return Err(filter::bad(text)),
        }
    }
    if wanted.from.zip(wanted.until).is_some_and(|(from, until)| from > until) {
        return Err(filter::bad(text));
    }
    Ok(wanted)
}

fn bare(field: &str) -> &str {
    field.strip_prefix("properties/").unwrap_or(field)
}

impl Wanted {
    /// The first and the last month; without a span the present one. A period in the path narrows it.
    fn months(&self, period: Option<Month>, now: UnixTime) -> (Month, Month) {
        let (first, last) = match (self.from, self.until) {
            (None, None) => return period.map_or((Month::of(now), Month::of(now)), |month| (month, month)),
            (from, until) => (from.or(until).unwrap_or(now), until.unwrap_or(now)),
        };
        let (first, last) = (Month::of(first), Month::of(last));
        period.map_or((first, last), |month| (first.max(month), last.min(month)))
    }
}

fn scope(place: &UsagePlace) -> Result<UsageScope, Failure> {
    Ok(match place {
        UsagePlace::Subscription(id) => UsageScope::Subscription(*id),
        UsagePlace::Group(resource) => UsageScope::Group(resource.clone()),
        UsagePlace::Container(place) => UsageScope::Container(place.kind, place.resource.clone(), sought(place)?),
    })
}

pub(in crate::arm) async fn list(arm: &Arm, ask: &Ask, place: &UsagePlace, period: Option<Month>) -> Answer {
    let text = ask.request.query("$filter").unwrap_or_default();
    let wanted = wanted(text)?;
    let name = wanted.name.as_deref().map(|name| ContainerName::parse(name).ok_or_else(|| filter::bad(text)));
    let now = arm.door.engine().now();
    let query = UsageQuery { scope: scope(place)?, name: name.transpose()?, months: wanted.months(period, now) };
    let after = ask.request.query("$skiptoken").filter(|token| !token.is_empty()).map(str::to_owned);
    let page = PageRequest { after, limit: paging::limit_of(ask.request.query("$top"))? };
    let work = move |engine: &Engine, caller: &Caller| {
        Ok((engine.usage(caller, &query, &page)?, engine.prices().currency.clone()))
    };
    let (found, currency) = arm.engine(ask, work).await?;
    let subscription = usage::subscription_of(place);
    let shown = found.items.iter().map(|line| UsageDetail::new(line, subscription, &currency, now));
    let next_link = found.next.as_deref().map(|marker| paging::next_link(ask, marker));
    ok(&List { value: shown.collect(), next_link })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(text: &str, period: Option<&str>) -> Option<(String, String)> {
        let now = UnixTime::parse("2026-12-24T12:00:00Z").unwrap();
        let period = period.map(|period| Month::parse(period).unwrap());
        let (first, last) = wanted(text).ok()?.months(period, now);
        Some((first.to_string(), last.to_string()))
    }

    #[test]
    fn a_span_takes_every_month_that_a_day_of_it_is_in() {
        for (text, first, last) in [
            ("", "2026-12", "2026-12"),
            // As az asks for it.
            (
                "properties/usageEnd ge '2026-11-01T00:00:00Z' and properties/usageEnd le '2026-11-30T00:00:00Z'",
                "2026-11",
                "2026-11",
            ),
            ("properties/usageStart ge '2026-10-31' and properties/usageEnd le '2026-12-01'", "2026-10", "2026-12"),
            ("properties/usageStart ge '2026-11-01' and properties/usageEnd lt '2026-12-01'", "2026-11", "2026-11"),
            ("date gt '2026-10-31T23:59:59Z'", "2026-11", "2026-12"),
            ("date le '2026-08-15'", "2026-08", "2026-08"),
            ("properties/resourceName eq 'kv1'", "2026-12", "2026-12"),
        ] {
            assert_eq!(months(text, None), Some((first.to_owned(), last.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_period_is_a_month_and_narrows_a_span() {
        let november = Some(("2026-11".to_owned(), "2026-11".to_owned()));
        assert_eq!(months("", Some("2026-11")), november);
        assert_eq!(months("date ge '2026-01-01'", Some("2026-11")), november);
    }

    #[test]
    fn any_other_filter_is_refused() {
        for text in [
            "properties/usageEnd eq '2026-11-01'",
            "properties/usageEnd ge 'yesterday'",
            "properties/tags eq 'x'",
            "properties/resourceName ge 'a'",
            "date ge '2026-12-01' and date le '2026-11-01'",
            "atScope()",
        ] {
            assert_eq!(months(text, None), None, "{text}");
        }
    }
}
