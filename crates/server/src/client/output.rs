//! The one place that writes: results to standard output, errors to standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::Value;

use super::error::ClientError;

/// How to print a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Indented JSON with sorted names.
    Json,
    /// One line for each entry, for people.
    Table,
    /// Tab-separated values, sorted by their names, for scripts.
    Tsv,
    /// Comma-separated values under their names, for spreadsheets (RFC 4180).
    Csv,
    /// Nothing.
    None,
}

impl Format {
    /// The format asked for, or the one that suits where the output goes.
    pub fn choose(asked: Option<&str>) -> Format {
        match asked {
            Some("table") => Format::Table,
            Some("tsv") => Format::Tsv,
            Some("csv") => Format::Csv,
            Some("none") => Format::None,
            // Colour is a matter for the program that reads the JSON.
            Some(_) => Format::Json,
            None if io::stdout().is_terminal() => Format::Table,
            None => Format::Json,
        }
    }
}

/// Prints a result. A reader that went away early is no error.
pub fn print(result: &Value, format: Format) -> Result<(), ClientError> {
    let written = io::stdout().lock().write_all(render(result, format).as_bytes());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(ClientError::Local(format!("Standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Reports an error, a line for each thing there is to say.
pub fn report(error: &ClientError) {
    let lines = error.lines().join("\n");
    // Nobody is left to tell if this fails; the exit code still speaks.
    let _told = writeln!(io::stderr().lock(), "ERROR: {lines}");
}

/// A result as text. A command without a result prints nothing.
pub fn render(result: &Value, format: Format) -> String {
    if result.is_null() {
        return String::new();
    }
    match format {
        Format::None => String::new(),
        Format::Json => serde_json::to_string_pretty(result).map_or_else(|error| error.to_string(), |text| text + "\n"),
        Format::Tsv => entries(result).into_iter().map(|entry| tsv_row(entry) + "\n").collect(),
        Format::Csv => csv(&entries(result)),
        // Contacts come as a list with an id around it.
        Format::Table => {
            let text = table(&entries(result.get("contactList").unwrap_or(result)));
            // What consists of parts only, like a policy, has no columns. It would be lost on a terminal.
            if text.is_empty() && result.is_object() { render(result, Format::Json) } else { text }
        }
    }
}

/// Columns that tell keys, vaults and managed HSMs apart at a glance, in the order they are shown.
const COLUMNS: &[(&str, &str)] = &[
    ("Name", "/name"),
    ("ResourceGroup", "/resourceGroup"),
    ("Location", "/location"),
    ("Location", "/properties/location"),
    ("State", "/properties/provisioningState"),
    ("Activation", "/properties/securityDomainProperties/activationStatus"),
    ("Uri", "/properties/vaultUri"),
    ("Uri", "/properties/hsmUri"),
    ("DeletionDate", "/properties/deletionDate"),
    ("ScheduledPurgeDate", "/properties/scheduledPurgeDate"),
    ("Kty", "/key/kty"),
    ("Crv", "/key/crv"),
    ("Enabled", "/attributes/enabled"),
    ("Created", "/attributes/created"),
    ("Expires", "/attributes/expires"),
    ("DeletedDate", "/deletedDate"),
    ("ScheduledPurgeDate", "/scheduledPurgeDate"),
    ("Kid", "/kid"),
    ("Kid", "/key/kid"),
];

/// The columns of secrets, certificates and issuers, in the order they are shown.
const OBJECT_COLUMNS: &[(&str, &str)] = &[
    ("Name", "/name"),
    ("Value", "/value"),
    ("Provider", "/provider"),
    ("AccountId", "/credentials/accountId"),
    ("ContentType", "/contentType"),
    ("Subject", "/policy/x509CertificateProperties/subject"),
    ("Issuer", "/policy/issuerParameters/name"),
    ("Enabled", "/attributes/enabled"),
    ("Expires", "/attributes/expires"),
    ("DeletedDate", "/deletedDate"),
    ("ScheduledPurgeDate", "/scheduledPurgeDate"),
    ("Thumbprint", "/x509ThumbprintHex"),
    ("Id", "/id"),
];

/// The columns of a certificate that is being made.
const OPERATION_COLUMNS: &[(&str, &str)] = &[
    ("Name", "/name"),
    ("Issuer", "/issuerParameters/name"),
    ("Status", "/status"),
    ("StatusDetails", "/statusDetails"),
    ("Error", "/error/message"),
    ("Target", "/target"),
    ("Id", "/id"),
];

/// The columns of a bill, in the order they are shown.
const BILL_COLUMNS: &[(&str, &str)] = &[
    ("Month", "/month"),
    ("Container", "/container"),
    ("Meter", "/meter"),
    ("Quantity", "/quantity"),
    ("Unit", "/unit"),
    ("UnitPrice", "/unitPrice"),
    ("Cost", "/cost"),
    ("Currency", "/currency"),
];

/// The columns of what is in the directory.
const DIRECTORY_COLUMNS: &[(&str, &str)] = &[
    ("Type", "/@odata.type"),
    ("DisplayName", "/displayName"),
    ("UserPrincipalName", "/userPrincipalName"),
    ("Description", "/description"),
    ("AppId", "/appId"),
    ("Id", "/id"),
    ("Enabled", "/accountEnabled"),
    ("KeyId", "/keyId"),
    ("Secret", "/secretText"),
    ("Ends", "/endDateTime"),
    ("Created", "/createdDateTime"),
];

fn entries(result: &Value) -> Vec<&Value> {
    match result {
        Value::Array(entries) => entries.iter().collect(),
        one => vec![one],
    }
}

fn table(entries: &[&Value]) -> String {
    let known = |entry: &&Value| entry["attributes"].is_object() || entry["properties"].is_object();
    let object =
        |entry: &&Value| entry["attributes"].is_object() && entry["id"].is_string() && entry["properties"].is_null();
    let columns = if entries.iter().all(object) {
        known_columns(entries, OBJECT_COLUMNS)
    } else if entries.iter().all(known) {
        known_columns(entries, COLUMNS)
    } else if entries.iter().all(|entry| entry.get("cancellationRequested").is_some()) {
        known_columns(entries, OPERATION_COLUMNS)
    } else if entries.iter().all(|entry| entry["meter"].is_string()) {
        known_columns(entries, BILL_COLUMNS)
    } else if entries.iter().all(|entry| entry.get("displayName").is_some()) {
        known_columns(entries, DIRECTORY_COLUMNS)
    } else {
        plain_columns(entries)
    };
    let mut lines = vec![String::new(); entries.len() + 2];
    for (title, cells) in columns {
        let width = cells.iter().map(|cell| cell.chars().count()).chain([title.chars().count()]).max().unwrap_or(0);
        let rows = [title, "-".repeat(width)].into_iter().chain(cells);
        for (line, cell) in lines.iter_mut().zip(rows) {
            line.push_str(&format!("{cell:width$}  "));
        }
    }
    if lines.iter().all(String::is_empty) {
        return String::new();
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The columns that any entry has something for; two of one title are one column.
fn known_columns(entries: &[&Value], known: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
    let mut columns: Vec<(String, Vec<String>)> = Vec::new();
    for (title, pointer) in known {
        let cells: Vec<String> =
            entries.iter().map(|entry| entry.pointer(pointer).map_or(String::new(), cell)).collect();
        match columns.iter_mut().find(|(known, _)| known == title) {
            Some((_, before)) => {
                for (old, new) in before.iter_mut().zip(cells) {
                    if old.is_empty() {
                        *old = new;
                    }
                }
            }
            None => columns.push(((*title).to_owned(), cells)),
        }
    }
    columns.retain(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
    columns
}

/// The members of the entries that fit into a cell, as az chooses them.
fn plain_columns(entries: &[&Value]) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<&String> =
        entries.iter().filter_map(|entry| entry.as_object()).flat_map(|map| map.keys()).collect();
    names.sort();
    names.dedup();
    let columns = names.into_iter().map(|name| {
        let title: String = name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
        (title, entries.iter().map(|entry| cell(&entry[name.as_str()])).collect::<Vec<String>>())
    });
    columns.filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        // A value from the server must not move the cursor of the terminal it is shown on.
        Value::String(text) => text.chars().map(|each| if each.is_control() { ' ' } else { each }).collect(),
        Value::Number(number) => number.to_string(),
    }
}

/// A line of tab-separated values: Python's words for nothing, true and false, the length of a list, and an empty
/// field for an object, since scripts written for az count on all of them.
fn tsv_row(entry: &Value) -> String {
    let field = |value: &Value| match value {
        Value::Null => "None".to_owned(),
        Value::Array(list) => list.len().to_string(),
        Value::String(text) => text.clone(),
        other => cell(other),
    };
    match entry {
        Value::Object(map) => map.values().map(field).collect::<Vec<_>>().join("\t"),
        Value::Array(list) => list.iter().map(field).collect::<Vec<_>>().join("\t"),
        Value::Bool(truth) => truth.to_string(),
        other => field(other),
    }
}

/// Comma-separated values: a line of names, then one for each entry. What has parts is written as JSON.
fn csv(entries: &[&Value]) -> String {
    let mut names: Vec<&str> =
        entries.iter().filter_map(|entry| entry.as_object()).flat_map(|map| map.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let field = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |fields: &[String]| fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(",") + "\r\n";
    let header: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let rows = entries.iter().map(|entry| match entry {
        Value::Object(_) => row(&names.iter().map(|name| field(&entry[*name])).collect::<Vec<_>>()),
        plain => row(&[field(plain)]),
    });
    let header = if names.is_empty() { String::new() } else { row(&header) };
    [header].into_iter().chain(rows).collect()
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_indented_and_sorted_by_name() {
        let text = render(&json!({"b": [], "a": {"d": null, "c": "é"}}), Format::Json);
        assert_eq!(text, "{\n  \"a\": {\n    \"c\": \"é\",\n    \"d\": null\n  },\n  \"b\": []\n}\n");
    }

    #[test]
    fn a_command_without_a_result_prints_nothing_in_any_format() {
        for format in [Format::Json, Format::Table, Format::Tsv, Format::None] {
            assert_eq!(render(&Value::Null, format), "");
        }
    }

    #[test]
    fn tab_separated_values_have_az_s_words_for_what_has_no_text() {
        let result = json!([{"b": true, "a": "x", "c": null, "d": [1, 2], "e": {"f": 1}, "g": 7}]);
        assert_eq!(render(&result, Format::Tsv), "x\tTrue\tNone\t2\t\t7\n");
    }

    #[test]
    fn comma_separated_values_stand_under_their_names_and_are_quoted_where_need_be() {
        let result = json!([{"b": true, "a": "x,\"y\""}, {"c": {"d": 1}, "a": null}]);
        assert_eq!(render(&result, Format::Csv), "a,b,c\r\n\"x,\"\"y\"\"\",true,\r\n,,\"{\"\"d\"\":1}\"\r\n");
        assert_eq!(render(&json!([]), Format::Csv), "");
        assert_eq!(render(&json!(["x"]), Format::Csv), "x\r\n");
    }

    #[test]
    fn a_table_of_keys_shows_names_and_dates_and_leaves_empty_columns_out() {
        let key = |name: &str, expires: Value| {
            json!({"name": name, "kid": format!("https://h/keys/{name}"), "managed": null,
                "attributes": {"enabled": true, "expires": expires}})
        };
        let text = render(&json!([key("a", Value::Null), key("longer", json!("2030-01-01"))]), Format::Table);
        let expected = "\
Name    Enabled  Expires     Kid
------  -------  ----------  ---------------------
a       True                 https://h/keys/a
longer  True     2030-01-01  https://h/keys/longer
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_table_of_the_directory_tells_who_is_who() {
        let result = json!([
            {"@odata.type": "#microsoft.graph.user", "displayName": "Ada", "id": "1", "userPrincipalName": "ada@x",
             "accountEnabled": false, "jobTitle": null},
            {"@odata.type": "#microsoft.graph.group", "displayName": "Signers", "id": "2", "groupTypes": []},
        ]);
        let expected = "\
Type                    DisplayName  UserPrincipalName  Id  Enabled
----------------------  -----------  -----------------  --  -------
#microsoft.graph.user   Ada          ada@x              1   False
#microsoft.graph.group  Signers                         2
";
        assert_eq!(render(&result, Format::Table), expected);
    }

    #[test]
    fn a_table_of_secrets_has_az_s_columns_and_one_of_a_secret_its_value() {
        let secret = |value: Value| {
            json!({"name": "a", "id": "https://h/secrets/a", "contentType": "text/plain", "kid": null, "value": value,
                "attributes": {"enabled": true, "expires": null}})
        };
        let listed = render(&json!([secret(Value::Null)]), Format::Table);
        assert!(listed.starts_with("Name  ContentType  Enabled  Id\n"), "{listed}");
        let shown = render(&secret(json!("hush")), Format::Table);
        assert!(shown.starts_with("Name  Value  ContentType  Enabled  Id\n"), "{shown}");
    }

    #[test]
    fn a_table_of_a_certificate_s_making_leaves_its_request_out() {
        let operation = json!({"name": "c", "csr": "MII", "status": "inProgress", "cancellationRequested": false,
            "error": {"message": "no"}, "issuerParameters": {"name": "Self"}, "id": "https://h/certificates/c/pending"});
        let text = render(&operation, Format::Table);
        assert!(text.starts_with("Name  Issuer  Status      Error  Id\n") && !text.contains("MII"), "{text}");
    }

    #[test]
    fn a_table_of_contacts_has_a_line_for_each() {
        let contacts = json!({"id": "i", "contactList": [{"emailAddress": "a@b", "name": "A", "phone": null}]});
        assert_eq!(render(&contacts, Format::Table), "EmailAddress  Name\n------------  ----\na@b           A\n");
    }

    #[test]
    fn what_has_no_column_is_printed_as_json() {
        let policy = json!({"keyProperties": {"keyType": "RSA"}});
        assert_eq!(render(&policy, Format::Table), render(&policy, Format::Json));
    }

    #[test]
    fn vaults_and_managed_hsms_share_a_table() {
        let result = json!([
            {"name": "v", "location": "eastus", "properties": {"vaultUri": "https://v/"}},
            {"name": "h", "location": "eastus", "properties": {"hsmUri": "https://h/"}},
        ]);
        let text = render(&result, Format::Table);
        assert!(text.starts_with("Name  Location  Uri\n"), "{text}");
        assert!(text.contains("https://v/") && text.contains("https://h/"));
    }

    #[test]
    fn other_results_become_tables_of_their_plain_members() {
        let text = render(&json!({"isValid": true, "algorithm": "ES256", "list": [1]}), Format::Table);
        assert_eq!(text, "Algorithm  IsValid\n---------  -------\nES256      True\n");
    }

    #[test]
    fn an_empty_list_is_an_empty_table_and_two_brackets_of_json() {
        assert_eq!(render(&json!([]), Format::Table), "");
        assert_eq!(render(&json!([]), Format::Json), "[]\n");
    }

    #[test]
    fn a_value_cannot_send_escape_sequences_to_the_terminal() {
        assert!(!render(&json!({"a": "\u{1b}[2J"}), Format::Table).contains('\u{1b}'));
    }
}
