//! Records as lines: of JSON for programs, of a table for people.

use domain::UnixTime;
use serde::Deserialize;

/// A record with its position as one line of JSON. The record stands in it byte for byte; what is not one line of JSON, as
/// records are, becomes a text.
pub fn json_line(position: u64, leaf: &str) -> String {
    let is_sound = !leaf.contains('\n') && serde_json::from_str::<serde::de::IgnoredAny>(leaf).is_ok();
    if is_sound {
        return format!("{{\"position\":{position},\"record\":{leaf}}}");
    }
    format!("{{\"position\":{position},\"record\":{}}}", serde_json::Value::from(leaf))
}

/// What people want to see of a record. Members that are missing are empty: records of other versions are shown too.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Shown {
    #[serde(skip)]
    pub at: Option<UnixTime>,
    time: String,
    pub resource_id: String,
    pub operation_name: String,
    pub result_type: String,
    pub result_signature: String,
    caller_ip_address: String,
    identity: Identity,
    properties: Properties,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Identity {
    claim: Claim,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claim {
    oid: String,
    appid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    id: String,
    container_id: String,
}

impl Shown {
    /// Reads what it can of a leaf.
    pub fn of(leaf: &str) -> Self {
        let mut shown: Self = serde_json::from_str(leaf).unwrap_or_default();
        shown.at = domain::time_of_leaf(leaf);
        shown
    }

    /// The name at the end of the resource's id.
    fn container(&self) -> &str {
        self.resource_id.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it was done to the container of this name or id.
    pub fn is_in(&self, container: &str) -> bool {
        [self.container(), self.properties.container_id.as_str(), self.resource_id.as_str()]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(container))
    }

    /// Whether it was done by the principal or the application of this id.
    pub fn is_by(&self, id: &str) -> bool {
        [&self.identity.claim.oid, &self.identity.claim.appid].iter().any(|known| known.eq_ignore_ascii_case(id))
    }

    fn cells(&self, position: u64) -> [String; COLUMNS.len()] {
        let caller =
            if self.identity.claim.oid.is_empty() { &self.identity.claim.appid } else { &self.identity.claim.oid };
        [
            position.to_string(),
            self.time.clone(),
            self.operation_name.clone(),
            self.result_signature.clone(),
            self.container().to_owned(),
            self.properties.id.clone(),
            caller.clone(),
            self.caller_ip_address.clone(),
        ]
    }
}

/// Titles, and how wide a column is at least: rows may come one by one.
const COLUMNS: [(&str, usize); 8] = [
    ("Position", 8),
    ("Time", 20),
    ("Operation", 20),
    ("Result", 12),
    ("Container", 12),
    ("Path", 24),
    ("Caller", 36),
    ("Address", 7),
];

/// A table that is printed as its rows come, in portions.
pub struct Table {
    widths: [usize; COLUMNS.len()],
    has_head: bool,
}

impl Table {
    pub fn new() -> Self {
        Self { widths: COLUMNS.map(|(_, width)| width), has_head: false }
    }

    /// The next rows. A column that has become wider stays so.
    pub fn rows(&mut self, records: &[(u64, Shown)]) -> String {
        let rows: Vec<_> =
            records.iter().map(|(position, shown)| shown.cells(*position).map(|cell| plain(&cell))).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        if !self.has_head && !rows.is_empty() {
            self.has_head = true;
            self.line(&mut text, &COLUMNS.map(|(title, _)| title.to_owned()));
            self.line(&mut text, &self.widths.map(|width| "-".repeat(width)));
        }
        for row in &rows {
            self.line(&mut text, row);
        }
        text
    }

    fn line(&self, text: &mut String, cells: &[String; COLUMNS.len()]) {
        let padded: Vec<String> = cells.iter().zip(self.widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
}

/// A record must not move the cursor of the terminal it is shown on.
fn plain(cell: &str) -> String {
    cell.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: &str = r#"{"time":"2026-11-20T18:12:00Z","resourceId":"/subscriptions/s/providers/Microsoft.KeyVault/vaults/KV1","operationName":"KeySign","resultType":"Success","resultSignature":"OK","callerIpAddress":"127.0.0.1","identity":{"claim":{"oid":"aa"}},"properties":{"id":"/keys/k","containerId":"cc"}}"#;

    #[test]
    fn a_record_stands_in_its_line_as_it_is() {
        assert_eq!(json_line(7, LEAF), format!("{{\"position\":7,\"record\":{LEAF}}}"));
        assert_eq!(json_line(7, "{"), "{\"position\":7,\"record\":\"{\"}");
        assert_eq!(json_line(7, "{\n}"), "{\"position\":7,\"record\":\"{\\n}\"}");
    }

    #[test]
    fn a_record_is_found_by_container_and_caller() {
        let shown = Shown::of(LEAF);
        assert!(["kv1", "KV1", "cc"].iter().all(|name| shown.is_in(name)));
        assert!(!shown.is_in("kv") && !shown.is_in("vaults"));
        assert!(shown.is_by("AA") && !shown.is_by("bb"));
        assert_eq!(shown.at, Some(UnixTime(1_795_198_320)));
    }

    #[test]
    fn a_table_has_one_head_however_its_rows_come() {
        let mut table = Table::new();
        assert_eq!(table.rows(&[]), "");
        let first = table.rows(&[(9, Shown::of(LEAF))]);
        let lines: Vec<&str> = first.lines().collect();
        assert!(lines[0].starts_with("Position  Time                  Operation"), "{first}");
        assert!(
            lines[2].starts_with("9         2026-11-20T18:12:00Z  KeySign               OK            KV1"),
            "{first}"
        );
        assert_eq!(table.rows(&[(10, Shown::of(LEAF))]).lines().count(), 1);
    }

    #[test]
    fn what_is_not_a_record_is_shown_empty_and_cannot_move_the_cursor() {
        assert_eq!(Table::new().rows(&[(1, Shown::of("damaged"))]).lines().nth(2), Some("1"));
        let hostile = LEAF.replace("/keys/k", "\\u001b[2J");
        assert!(!Table::new().rows(&[(1, Shown::of(&hostile))]).contains('\u{1b}'));
    }
}
