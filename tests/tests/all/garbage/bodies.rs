//! Bodies that are wrong: all over, or in one documented member.

use super::probe::Verdict;
use e2e::openapi::{Document, Member, Operation, Step, Type, put};
use serde_json::{Value, json};

/// Deeper than any parser may follow by recursion.
const DEEP: usize = 10_000;

pub struct Bad {
    pub what: String,
    pub body: Vec<u8>,
    pub verdict: Verdict,
}

impl Bad {
    fn new(what: impl Into<String>, body: impl Into<Vec<u8>>, verdict: Verdict) -> Self {
        Self { what: what.into(), body: body.into(), verdict }
    }
}

/// Bodies that are wrong whatever is asked. `whole` is right, and `limit` the most bytes that the server reads.
pub fn wrong_all_over(whole: &Value, limit: usize) -> Vec<Bad> {
    let right = whole.to_string();
    let open = right.trim_end_matches('}');
    let refused = |what: &str, body: Vec<u8>| Bad::new(what, body, Verdict::Refused);
    let skipped = |what: &str, body: Vec<u8>| Bad::new(what, body, Verdict::Handled);
    let mut bad: Vec<Bad> = [
        "{", "}", "nul", "[]", "[1,2]", "\"text\"", "null", "true", "42", "{]", "{\"a\"}", "{\"a\":}", "{'a':1}",
        "{a:1}",
    ]
    .iter()
    .map(|text| refused(&format!("body {text}"), text.as_bytes().to_vec()))
    .collect();
    bad.extend([
        refused("cut off", right.as_bytes()[..right.len() - 1].to_vec()),
        refused("something behind it", format!("{right}{right}").into_bytes()),
        refused("a name in invalid UTF-8", [open.as_bytes(), b",\"\xff\xfe\":1}"].concat()),
        refused("an unpaired surrogate", format!("{open},\"a\":\"\\ud800\"").into_bytes()),
        refused("a control character", [open.as_bytes(), b",\"a\":\"\x01\"}"].concat()),
        refused("UTF-16", right.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        refused("deep arrays", vec![b'['; DEEP]),
        refused("deep objects", "{\"a\":".repeat(DEEP).into_bytes()),
        refused("deep in the tags", format!("{{\"tags\":{{\"a\":{}", "[".repeat(DEEP)).into_bytes()),
        Bad::new("a byte more than the limit", vec![b' '; limit + 1], Verdict::Exactly(413)),
        // Members that nobody knows are skipped, whatever they are.
        skipped("a text in invalid UTF-8", [open.as_bytes(), b",\"a\":\"\xff\xfe\"}"].concat()),
        skipped("a number beyond all", format!("{open},\"a\":1e99999}}").into_bytes()),
        skipped("deep and closed", format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)).into_bytes()),
        skipped("deep in a member", format!("{open},\"a\":{}1{}}}", "[".repeat(DEEP), "]".repeat(DEEP)).into_bytes()),
        Bad::new("a byte order mark", [b"\xef\xbb\xbf", right.as_bytes()].concat(), Verdict::Handled),
        Bad::new("no body", Vec::new(), Verdict::Handled),
        Bad::new("an empty object", b"{}".to_vec(), Verdict::Handled),
    ]);
    let nulls = (1..20).map(|length| format!("[{}null]", "null,".repeat(length - 1)));
    bad.extend(nulls.map(|body| refused(&format!("body {body}"), body.into_bytes())));
    bad
}

/// Bodies that are right but for one documented member.
pub fn wrong_in_one_member(document: &Document, operation: &Operation, whole: &Value) -> Vec<Bad> {
    let Some(schema) = &operation.body else { return Vec::new() };
    document.members(schema).iter().flat_map(|member| wrong_member(whole, member)).collect()
}

fn wrong_member(whole: &Value, member: &Member) -> Vec<Bad> {
    let verdict = if member.read_only { Verdict::Handled } else { Verdict::Refused };
    let wrong = wrong_values(member.holds).into_iter().map(|value| (value, verdict));
    // Null often counts as left out.
    let values = wrong.chain([(Value::Null, Verdict::Handled)]);
    let made = |(value, verdict): (Value, Verdict)| {
        let mut body = whole.clone();
        let what = format!("{} is {}", written(&member.path), shortened(&value));
        put(&mut body, &member.path, value);
        Bad::new(what, body.to_string(), verdict)
    };
    values.map(made).collect()
}

/// `attributes.list[0]`.
fn written(path: &[Step]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Member(name) => format!(".{name}"),
        Step::First => "[0]".to_owned(),
    });
    steps.collect::<String>().trim_start_matches('.').to_owned()
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

fn wrong_values(holds: Type) -> Vec<Value> {
    let text = || vec![json!(42), json!(true), json!([]), json!({}), json!(["a"]), json!({ "a": "b" })];
    let nulls = (1..20).map(|length| Value::Array(vec![Value::Null; length]));
    match holds {
        Type::Text => text(),
        Type::Word => [text(), vec![json!("no such word"), json!(""), json!("\0"), json!("x".repeat(10_000))]].concat(),
        Type::Base64Url => {
            [text(), vec![json!("not base64 at all!"), json!("a"), json!("a+/="), json!("\u{e9}")]].concat()
        }
        Type::Integer => {
            vec![json!("many"), json!(1.5), json!(true), json!([]), json!({}), json!(u64::MAX), json!(-1e300)]
        }
        Type::Boolean => vec![json!("yes"), json!(1), json!([]), json!({})],
        Type::Array => {
            vec![json!("a"), json!({}), json!({ "0": "a" }), json!(7), json!(true), json!([[[]]]), json!([7])]
        }
        Type::Object => nulls.chain([json!("a"), json!(7), json!(true), json!([]), json!([{}])]).collect(),
        Type::Texts => {
            vec![
                json!("a"),
                json!(7),
                json!(true),
                json!([]),
                json!({ "a": 1 }),
                json!({ "a": {} }),
                json!([["a", "b"]]),
            ]
        }
    }
}
