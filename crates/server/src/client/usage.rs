//! `strongroom usage`: what was used and what it costs, as the control plane tells it.

use clap::Args;
use domain::metering::{Money, Month};
use serde_json::{Value, json};

use super::error::ClientError;
use super::grammar::Global;
use super::output::Format;
use super::session::Session;
use super::shape;
use super::target::segment;
use super::vaults::subscription;

/// `usage`.
#[derive(Args)]
pub struct Usage {
    /// Month in UTC, as in 2026-11; the present one if omitted
    #[arg(long, value_parser = month)]
    pub month: Option<Month>,
    /// Only vaults and managed HSMs of this name; deleted and purged ones too
    #[arg(long, conflicts_with_all = ["vault_name", "hsm_name"])]
    pub container: Option<String>,
    /// Only the vaults of this name
    #[arg(long, conflicts_with = "hsm_name")]
    pub vault_name: Option<String>,
    /// Only the managed HSMs of this name
    #[arg(long)]
    pub hsm_name: Option<String>,
    /// Only this resource group: a right to read it is enough
    #[arg(long, short = 'g')]
    pub resource_group: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "write year and month, as in 2026-11".to_owned())
}

/// Asks for the lines of the bill and gives what is to be printed: a table ends with their sum.
pub fn carry_out(session: &mut Session<'_>, args: &Usage, format: Format) -> Result<Value, ClientError> {
    let found = session.arm_list(&path(session, args)?)?;
    let wanted = match (&args.vault_name, &args.hsm_name) {
        (Some(_), _) => Some("vault"),
        (None, Some(_)) => Some("managedHsm"),
        (None, None) => None,
    };
    let mut lines: Vec<Value> = found.iter().map(line).collect();
    lines.retain(|line| wanted.is_none_or(|kind| line["kind"] == kind));
    lines.sort_by_key(|line| [&line["month"], &line["container"], &line["kind"]].map(Value::to_string));
    if format == Format::Table {
        lines.extend(total(&lines));
    }
    Ok(Value::Array(lines))
}

fn path(session: &Session<'_>, args: &Usage) -> Result<String, ClientError> {
    let mut path = subscription(session)?;
    if let Some(group) = &args.resource_group {
        path = format!("{path}/resourceGroups/{}", segment(group));
    }
    if let Some(month) = args.month {
        let digits = month.to_string().replace('-', "");
        path = format!("{path}/providers/Microsoft.Billing/billingPeriods/{digits}");
    }
    path.push_str("/providers/Microsoft.Consumption/usageDetails");
    let name = args.container.as_ref().or(args.vault_name.as_ref()).or(args.hsm_name.as_ref());
    if let Some(name) = name {
        let literal = name.replace('\'', "''");
        path = format!("{path}?$filter={}", segment(&format!("properties/resourceName eq '{literal}'")));
    }
    Ok(path)
}

/// One usage detail, flat: a row of a table or of a spreadsheet.
fn line(detail: &Value) -> Value {
    let properties = &detail["properties"];
    let id = properties["resourceId"].as_str().unwrap_or_default();
    let is_vault = id.split('/').any(|segment| segment.eq_ignore_ascii_case("vaults"));
    let begin = properties["billingPeriodStartDate"].as_str().unwrap_or_default();
    json!({
        "month": begin.get(..7).unwrap_or_default(),
        "container": properties["resourceName"],
        "kind": if is_vault { "vault" } else { "managedHsm" },
        "resourceGroup": shape::resource_group(id),
        "meter": properties["meterDetails"]["meterName"],
        "quantity": properties["quantity"],
        "unit": properties["meterDetails"]["unitOfMeasure"],
        "unitPrice": properties["unitPrice"].as_f64().map(|price| price.to_string()),
        "cost": properties["cost"].as_f64().map(|cost| money(cost).to_string()),
        "currency": properties["billingCurrency"],
        "resourceId": id,
    })
}

/// The wire's number, which is exact to the millionth, as money.
fn money(cost: f64) -> Money {
    const MILLIONTHS: f64 = 1e6;
    Money::from_millionths((cost * MILLIONTHS).round() as u64)
}

/// The sum, unless there is nothing to sum up or something has no price.
fn total(lines: &[Value]) -> Option<Value> {
    let cost = |line: &Value| line["cost"].as_str().and_then(Money::parse);
    let sum: Money = lines.iter().map(cost).sum::<Option<Money>>()?;
    let first = lines.first()?;
    Some(json!({ "meter": "Total", "cost": sum.to_string(), "currency": first["currency"] }))
}

#[cfg(test)]
mod tests {
    use super::super::grammar::Action;
    use super::super::output::render;
    use super::super::testing::{Script, answer, settings, typed};
    use super::*;

    fn ran(words: &str, format: Format, script: &Script) -> Result<Value, ClientError> {
        let Ok(Action::Usage(args)) = typed(words) else { panic!("'{words}' does not ask for usage") };
        let settings = settings();
        carry_out(&mut Session::new(script, &settings), &args, format)
    }

    fn detail(kind: &str, name: &str, meter: &str, quantity: u64, cost: Option<f64>) -> Value {
        json!({"name": "n", "properties": {
            "billingPeriodStartDate": "2026-11-01T00:00:00Z",
            "resourceName": name,
            "resourceId": format!("/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/{kind}/{name}"),
            "meterDetails": {"meterName": meter, "unitOfMeasure": "1 Operation"},
            "quantity": quantity, "unitPrice": cost.map(|_| 3e-6), "cost": cost, "billingCurrency": "EUR",
        }})
    }

    fn page(details: &[Value]) -> Value {
        json!({ "value": details })
    }

    #[test]
    fn months_and_names_go_to_the_server() {
        for (words, path) in [
            ("usage", "/providers/Microsoft.Consumption/usageDetails?"),
            (
                "usage --month 2026-11",
                "/providers/Microsoft.Billing/billingPeriods/202611/providers/Microsoft.Consumption/usageDetails?",
            ),
            ("usage -g rg", "/resourceGroups/rg/providers/Microsoft.Consumption/usageDetails?"),
            (
                "usage --hsm-name hsm1",
                "/providers/Microsoft.Consumption/usageDetails?$filter=properties%2FresourceName%20eq%20%27hsm1%27&",
            ),
        ] {
            let script = Script::arm([answer(200, page(&[]))]);
            ran(words, Format::Json, &script).unwrap();
            let expected = format!("GET+ {path}api-version=2023-11-01");
            assert_eq!(script.asked_of_arm(), [expected], "{words}");
        }
        for words in ["usage --month 2026", "usage --month 2026-13", "usage --vault-name a --hsm-name b"] {
            assert!(typed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn a_table_has_a_row_for_each_meter_and_their_sum() {
        let script = Script::arm([answer(
            200,
            page(&[
                detail("vaults", "kv", "KeySign", 20_001, Some(0.060003)),
                detail("managedHSMs", "hsm", "Standard_B1 hours", 481, Some(1539.2)),
            ]),
        )]);
        let shown = ran("usage", Format::Table, &script).unwrap();
        let expected = "\
Month    Container  Meter              Quantity  Unit         UnitPrice  Cost         Currency
-------  ---------  -----------------  --------  -----------  ---------  -----------  --------
2026-11  hsm        Standard_B1 hours  481       1 Operation  0.000003   1539.20      EUR
2026-11  kv         KeySign            20001     1 Operation  0.000003   0.060003     EUR
                    Total                                                1539.260003  EUR
";
        assert_eq!(render(&shown, Format::Table), expected);
    }

    #[test]
    fn there_is_no_sum_where_a_price_is_missing() {
        let details = [detail("vaults", "kv", "KeySign", 1, Some(0.03)), detail("vaults", "kv", "KeyGet", 1, None)];
        let script = Script::arm([answer(200, page(&details))]);
        let shown = ran("usage", Format::Table, &script).unwrap();
        assert_eq!(shown.as_array().map(Vec::len), Some(2));
        let nothing = ran("usage", Format::Table, &Script::arm([answer(200, page(&[]))])).unwrap();
        assert_eq!(nothing, json!([]));
    }

    #[test]
    fn what_is_exported_are_the_lines_alone_of_all_pages() {
        let next = "https://localhost:8443/subscriptions/sub/next?api-version=2023-11-01";
        let first = json!({"value": [detail("vaults", "a,b", "KeySign", 2, Some(0.000006))], "nextLink": next});
        let second = page(&[detail("managedHSMs", "hsm", "KeySign", 1, None)]);
        let script = Script::arm([answer(200, first), answer(200, second)]);
        let shown = ran("usage", Format::Csv, &script).unwrap();
        let id = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault";
        let expected = format!(
            "container,cost,currency,kind,meter,month,quantity,resourceGroup,resourceId,unit,unitPrice\r\n\
             \"a,b\",0.000006,EUR,vault,KeySign,2026-11,2,rg,\"{id}/vaults/a,b\",1 Operation,0.000003\r\n\
             hsm,,EUR,managedHsm,KeySign,2026-11,1,rg,{id}/managedHSMs/hsm,1 Operation,\r\n"
        );
        assert_eq!(render(&shown, Format::Csv), expected);
    }

    #[test]
    fn a_vault_and_a_managed_hsm_of_one_name_are_told_apart() {
        let details = [detail("vaults", "x", "KeySign", 1, None), detail("managedHSMs", "x", "KeySign", 2, None)];
        for (words, quantities) in
            [("--vault-name x", vec![1]), ("--hsm-name x", vec![2]), ("--container x", vec![2, 1])]
        {
            let script = Script::arm([answer(200, page(&details))]);
            let shown = ran(&format!("usage {words}"), Format::Json, &script).unwrap();
            let found: Vec<_> =
                shown.as_array().unwrap().iter().map(|line| line["quantity"].as_i64().unwrap()).collect();
            assert_eq!(found, quantities, "{words}");
        }
    }
}
