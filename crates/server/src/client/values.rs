//! Values that options of several commands have in common: dates, tags, JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::arguments::{Period, Tags};
use super::error::ClientError;
use super::files;

/// The attributes that say between which moments something can be used.
pub fn period(args: &Period) -> Result<Map<String, Value>, ClientError> {
    let mut attributes = Map::new();
    put(&mut attributes, "exp", args.expires.as_deref().map(|text| seconds("--expires", text)).transpose()?);
    put(&mut attributes, "nbf", args.not_before.as_deref().map(|text| seconds("--not-before", text)).transpose()?);
    Ok(attributes)
}

/// The tags that are given, if any.
pub fn tags(args: &Tags) -> Option<Value> {
    args.tags.as_deref().map(tagged)
}

/// Tags as `name=value` or `name`; an empty word is how az clears them.
pub fn tagged(words: &[String]) -> Value {
    let pairs = words.iter().filter(|word| !word.is_empty()).map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name.to_owned(), json!(value))
    });
    Value::Object(pairs.collect())
}

/// Unix seconds of a date in UTC, in the forms that az takes.
fn seconds(option: &str, text: &str) -> Result<i64, ClientError> {
    // A date that stops early means the first moment of what it names.
    let full = match text.strip_suffix('Z').map_or((text, false), |text| (text, true)) {
        (date, false) if date.len() == 10 => format!("{date}T00:00:00"),
        (hour, true) if hour.len() == 13 => format!("{hour}:00:00"),
        (minute, true) if minute.len() == 16 => format!("{minute}:00"),
        (second, true) => second.to_owned(),
        (other, false) => format!("{other}?"),
    };
    let moment = DateTime::strptime("%Y-%m-%dT%H:%M:%S", &full).and_then(|date| date.to_zoned(TimeZone::UTC));
    moment.map(|moment| moment.timestamp().as_second()).map_err(|_| {
        ClientError::Usage(format!("{option} '{text}' is not a date in UTC. It should look like 2030-12-31T23:59:59Z."))
    })
}

/// Puts a member into a body if there is one.
pub fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), json!(value));
    }
}

/// Base64 in lines of 76 characters, as az writes it.
pub fn wrapped_base64(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 57 * 77 + 80));
    for line in bytes.chunks(57) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text
}

/// Reads JSON, given as it is or in a file.
pub fn json_or_file(option: &str, text: &str) -> Result<Value, ClientError> {
    let content = match files::existing(text.strip_prefix('@').unwrap_or(text)) {
        Some(file) => files::read(&file)?,
        None => text.as_bytes().to_vec(),
    };
    serde_json::from_slice(&content)
        .map_err(|error| ClientError::Usage(format!("{option} is neither JSON nor a file of it: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_four_forms_of_az_and_no_other() {
        for (text, expected) in [
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2027-01-15T08:00Z", 1_800_000_000),
            ("2027-01-15T08Z", 1_800_000_000),
            ("2027-01-15", 1_799_971_200),
        ] {
            assert_eq!(seconds("--expires", text).unwrap(), expected, "{text}");
        }
        for text in ["2027-01-15T08:00:00", "2027-01-15Z", "2027-02-30", "2027-01-15T08:00:00+02:00", "", "soon"] {
            assert!(matches!(seconds("--expires", text), Err(ClientError::Usage(_))), "{text}");
        }
    }
}
