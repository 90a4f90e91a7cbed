//! From a command on keys to its one call, and from the answer to what is printed.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::arguments::*;
use super::error::{ClientError, local};
use super::grammar::{KeyCommand, PolicyCommand};
use super::session::{Call, Session};
use super::target::{self, KeyRef, Suffixes};
use super::{pem, shape};

/// A command, ready to be carried out.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Plan {
    /// The call.
    pub call: Call,
    /// What to make of its answer.
    pub then: Then,
}

/// What to make of an answer.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub enum Then {
    /// Print a key.
    Key,
    /// Print a list of keys: at most so many, with or without those of certificates.
    Keys(Option<usize>, bool),
    /// Write a backup to a file.
    Save(PathBuf),
    /// Print random bytes.
    Random,
    /// Print a rotation policy.
    Policy,
    /// Print a ciphertext made with an algorithm.
    Encrypted(String),
    /// Print a plaintext, as text if told so.
    Decrypted(String, bool),
    /// Print a signature made with an algorithm.
    Signed(String),
    /// Print whether a signature of an algorithm and a key is valid.
    Verified(String, String),
    /// Print nothing.
    Nothing,
}

/// The most entries that the wire allows in one page.
const LARGEST_PAGE: u32 = 25;

/// Finds the call for a command. The files that the command names are read here.
pub fn plan(command: &KeyCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    let key = |args: &KeyArgs| target::key(args, suffixes);
    let version = |args: &VersionArgs| target::version(args, suffixes);
    let host = |args: &HostArgs| target::host(args, suffixes);
    Ok(match command {
        KeyCommand::Create(args) => {
            let key = key(&args.key)?;
            call("POST", &key.host, &format!("{}/create", key.whole())).with(create_body(args)?).then(Then::Key)
        }
        KeyCommand::Import(args) => on(&key(&args.key)?, "PUT", KeyRef::whole).with(import_body(args)?).then(Then::Key),
        KeyCommand::List(args) => list(&host(&args.host)?, "/keys", &args.limit, args.include_managed.unwrap_or(false)),
        KeyCommand::ListVersions(args) => {
            let key = key(&args.key)?;
            list(&key.host, &format!("{}/versions", key.whole()), &args.limit, true)
        }
        KeyCommand::ListDeleted(args) => list(&host(&args.host)?, "/deletedkeys", &args.limit, true),
        KeyCommand::Show(args) => on(&version(&args.key)?, "GET", KeyRef::one).then(Then::Key),
        KeyCommand::Delete(args) => on(&key(&args.key)?, "DELETE", KeyRef::whole).then(Then::Key),
        KeyCommand::ShowDeleted(args) => on(&key(&args.key)?, "GET", KeyRef::deleted).then(Then::Key),
        KeyCommand::Recover(args) => {
            let key = key(&args.key)?;
            call("POST", &key.host, &format!("{}/recover", key.deleted())).then(Then::Key)
        }
        KeyCommand::Purge(args) => on(&key(&args.key)?, "DELETE", KeyRef::deleted).then(Then::Nothing),
        KeyCommand::Backup(args) => {
            let key = key(&args.key)?;
            call("POST", &key.host, &format!("{}/backup", key.whole())).then(Then::Save(args.file.clone()))
        }
        KeyCommand::Restore(args) => {
            let backup = URL_SAFE_NO_PAD.encode(read(&args.file)?);
            call("POST", &host(&args.host)?, "/keys/restore").with(json!({ "value": backup })).then(Then::Key)
        }
        KeyCommand::Rotate(args) => {
            let key = key(&args.key)?;
            call("POST", &key.host, &format!("{}/rotate", key.whole())).then(Then::Key)
        }
        KeyCommand::Random(args) => {
            call("POST", &host(&args.host)?, "/rng").with(json!({ "count": args.count })).then(Then::Random)
        }
        KeyCommand::SetAttributes(args) => {
            on(&version(&args.key)?, "PATCH", KeyRef::one).with(change_body(args)?).then(Then::Key)
        }
        KeyCommand::RotationPolicy(PolicyCommand::Show(args)) => policy(&key(&args.key)?, "GET").then(Then::Policy),
        KeyCommand::RotationPolicy(PolicyCommand::Update(args)) => {
            policy(&key(&args.key)?, "PUT").with(policy_body(&args.value)?).then(Then::Policy)
        }
        KeyCommand::Encrypt(_) | KeyCommand::Decrypt(_) | KeyCommand::Sign(_) | KeyCommand::Verify(_) => {
            use_plan(command, &version)?
        }
    })
}

/// The commands that use a key.
fn use_plan(
    command: &KeyCommand,
    version: &dyn Fn(&VersionArgs) -> Result<KeyRef, ClientError>,
) -> Result<Plan, ClientError> {
    let using = |key: &KeyRef, operation: &str| call("POST", &key.host, &format!("{}/{operation}", key.one()));
    Ok(match command {
        KeyCommand::Encrypt(args) => {
            let value = match args.data.data_type.as_str() {
                "plaintext" => URL_SAFE_NO_PAD.encode(&args.value),
                _ => from_base64("--value", &args.value)?,
            };
            let mut body =
                Map::from_iter([("alg".to_owned(), json!(args.algorithm)), ("value".to_owned(), json!(value))]);
            put_hexadecimal(&mut body, "iv", args.iv.as_deref())?;
            put_hexadecimal(&mut body, "aad", args.aad.as_deref())?;
            using(&version(&args.key)?, "encrypt")
                .with(Value::Object(body))
                .then(Then::Encrypted(args.algorithm.clone()))
        }
        KeyCommand::Decrypt(args) => {
            let value = from_base64("--value", &args.value)?;
            let mut body =
                Map::from_iter([("alg".to_owned(), json!(args.algorithm)), ("value".to_owned(), json!(value))]);
            put_hexadecimal(&mut body, "iv", args.iv.as_deref())?;
            put_hexadecimal(&mut body, "aad", args.aad.as_deref())?;
            put_hexadecimal(&mut body, "tag", args.tag.as_deref())?;
            let as_text = args.data.data_type == "plaintext";
            let then = Then::Decrypted(args.algorithm.clone(), as_text);
            using(&version(&args.key)?, "decrypt").with(Value::Object(body)).then(then)
        }
        KeyCommand::Sign(args) => {
            let body = json!({ "alg": args.algorithm, "value": from_base64("--digest", &args.digest)? });
            using(&version(&args.key)?, "sign").with(body).then(Then::Signed(args.algorithm.clone()))
        }
        KeyCommand::Verify(args) => {
            let body = json!({
                "alg": args.algorithm,
                "digest": from_base64("--digest", &args.digest)?,
                "value": from_base64("--signature", &args.signature)?,
            });
            let key = version(&args.key)?;
            let then = Then::Verified(args.algorithm.clone(), key.id());
            using(&key, "verify").with(body).then(then)
        }
        _ => return Err(ClientError::Usage("This command does not use a key.".into())),
    })
}

/// Carries a plan out and gives what is to be printed.
pub fn carry_out(session: &mut Session<'_>, plan: &Plan) -> Result<Value, ClientError> {
    if let Then::Keys(limit, managed) = plan.then {
        let wanted = |item: &Value| managed || item["managed"] != json!(true);
        let items = session.data_list(&plan.call, limit, &wanted)?;
        return Ok(items.iter().map(shape::key_item).collect());
    }
    let answer = session.data(&plan.call)?;
    Ok(match &plan.then {
        Then::Key => shape::key(&answer),
        Then::Random => shape::random(&answer),
        Then::Policy => shape::rotation_policy(&answer),
        Then::Encrypted(algorithm) => shape::encrypted(&answer, algorithm),
        Then::Decrypted(algorithm, as_text) => shape::decrypted(&answer, algorithm, *as_text)?,
        Then::Signed(algorithm) => shape::signed(&answer, algorithm),
        Then::Verified(algorithm, key) => shape::verified(&answer, algorithm, key),
        Then::Save(file) => {
            let backup = shape::bytes(&answer["value"])
                .ok_or_else(|| ClientError::Local("The server's answer holds no backup.".into()))?;
            std::fs::write(file, backup).map_err(|error| local(file.display(), error))?;
            Value::Null
        }
        Then::Keys(..) | Then::Nothing => Value::Null,
    })
}

fn call(method: &'static str, host: &str, path: &str) -> Call {
    Call { method, url: format!("https://{host}{path}"), body: None }
}

fn on(key: &KeyRef, method: &'static str, path: fn(&KeyRef) -> String) -> Call {
    call(method, &key.host, &path(key))
}

fn policy(key: &KeyRef, method: &'static str) -> Call {
    call(method, &key.host, &format!("{}/rotationpolicy", key.whole()))
}

fn list(host: &str, path: &str, limit: &Limit, managed: bool) -> Plan {
    let page = limit.maxresults.map_or(String::new(), |most| format!("?maxresults={}", most.min(LARGEST_PAGE)));
    let limit = limit.maxresults.and_then(|most| usize::try_from(most).ok());
    call("GET", host, &format!("{path}{page}")).then(Then::Keys(limit, managed))
}

impl Call {
    fn with(self, body: Value) -> Call {
        Call { body: Some(body), ..self }
    }

    fn then(self, then: Then) -> Plan {
        Plan { call: self, then }
    }
}

fn create_body(args: &CreateKey) -> Result<Value, ClientError> {
    let mut kty = args.kty.clone().unwrap_or_else(|| if args.curve.is_some() { "EC" } else { "RSA" }.to_owned());
    match args.new.protection.as_deref() {
        Some("hsm") if !kty.ends_with("-HSM") => kty.push_str("-HSM"),
        Some("software") if kty.ends_with("-HSM") => {
            return Err(ClientError::Usage(format!("A key of type {kty} cannot have --protection software.")));
        }
        _ => {}
    }
    let mut body = new_body(&args.new)?;
    body.insert("kty".into(), json!(kty));
    put(&mut body, "key_size", args.size);
    put(&mut body, "crv", args.curve.as_deref());
    put(&mut body, "key_ops", args.new.traits.ops.as_ref());
    Ok(Value::Object(body))
}

fn import_body(args: &ImportKey) -> Result<Value, ClientError> {
    let text = match (&args.pem_file, &args.pem_string) {
        (Some(file), _) => Zeroizing::new(read(file)?),
        (None, text) => Zeroizing::new(text.clone().unwrap_or_default().into_bytes()),
    };
    let mut key = pem::jwk(&text)?;
    put(&mut key, "key_ops", args.new.traits.ops.as_ref());
    let mut body = new_body(&args.new)?;
    body.insert("key".into(), Value::Object(key));
    body.insert("Hsm".into(), json!(args.new.protection.as_deref() == Some("hsm")));
    Ok(Value::Object(body))
}

fn new_body(args: &NewTraits) -> Result<Map<String, Value>, ClientError> {
    let mut attributes = attributes(&args.traits)?;
    attributes.insert("enabled".into(), json!(!args.disabled.unwrap_or(false)));
    put(&mut attributes, "exportable", args.exportable);
    let mut body = common_body(&args.traits)?;
    body.insert("attributes".into(), Value::Object(attributes));
    Ok(body)
}

fn change_body(args: &SetAttributes) -> Result<Value, ClientError> {
    let mut attributes = attributes(&args.traits)?;
    put(&mut attributes, "enabled", args.enabled);
    let mut body = common_body(&args.traits)?;
    put(&mut body, "key_ops", args.traits.ops.as_ref());
    put(&mut body, "attributes", Some(attributes).filter(|attributes| !attributes.is_empty()));
    Ok(Value::Object(body))
}

fn common_body(traits: &Traits) -> Result<Map<String, Value>, ClientError> {
    let mut body = Map::new();
    put(&mut body, "tags", traits.tags.as_deref().map(tags));
    if let Some(policy) = &traits.policy {
        let rules = serde_json::to_vec(&json_or_file("--policy", policy)?).map_err(|error| local("--policy", error))?;
        let mut policy = Map::from_iter([("data".to_owned(), json!(URL_SAFE_NO_PAD.encode(rules)))]);
        put(&mut policy, "immutable", traits.immutable);
        body.insert("release_policy".into(), Value::Object(policy));
    }
    Ok(body)
}

fn attributes(traits: &Traits) -> Result<Map<String, Value>, ClientError> {
    let mut attributes = Map::new();
    put(&mut attributes, "exp", traits.expires.as_deref().map(|text| seconds("--expires", text)).transpose()?);
    put(&mut attributes, "nbf", traits.not_before.as_deref().map(|text| seconds("--not-before", text)).transpose()?);
    Ok(attributes)
}

/// Tags as `name=value` or `name`; an empty word is how az clears them.
pub fn tags(words: &[String]) -> Value {
    let pairs = words.iter().filter(|word| !word.is_empty()).map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name.to_owned(), json!(value))
    });
    Value::Object(pairs.collect())
}

/// A rotation policy as az reads it, in snake case or camel case, into the form of the wire.
fn policy_body(text: &str) -> Result<Value, ClientError> {
    let policy = json_or_file("--value", text)?;
    let either = |value: &Value, snake: &str, camel: &str| {
        Some(&value[snake]).filter(|found| !found.is_null()).unwrap_or(&value[camel]).clone()
    };
    let actions = either(&policy, "lifetime_actions", "lifetimeActions");
    let mut lifetime = Vec::new();
    for each in actions.as_array().map(Vec::as_slice).unwrap_or_default() {
        let kind = if each["action"].is_string() { &each["action"] } else { &each["action"]["type"] };
        let place = if each["trigger"].is_object() { &each["trigger"] } else { each };
        let mut trigger = Map::new();
        for (snake, camel) in [("time_after_create", "timeAfterCreate"), ("time_before_expiry", "timeBeforeExpiry")] {
            put(&mut trigger, camel, Some(either(place, snake, camel)).filter(|time| !time.is_null()));
        }
        lifetime.push(json!({ "action": { "type": kind }, "trigger": trigger }));
    }
    let place = if policy["attributes"].is_object() { &policy["attributes"] } else { &policy };
    let expiry = [("expires_in", "expiresIn"), ("expiry_time", "expiryTime")];
    let expiry = expiry.iter().map(|(snake, camel)| either(place, snake, camel)).find(|time| !time.is_null());
    let mut attributes = Map::new();
    put(&mut attributes, "expiryTime", expiry);
    Ok(json!({ "lifetimeActions": lifetime, "attributes": attributes }))
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

/// Base64 of either alphabet, with or without padding, as the wire's base64url.
fn from_base64(option: &str, text: &str) -> Result<String, ClientError> {
    let plain: String = text
        .chars()
        .filter(|each| !each.is_whitespace())
        .map(|each| match each {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let bytes = STANDARD_NO_PAD.decode(plain.trim_end_matches('='));
    let bytes = bytes.map_err(|_| ClientError::Usage(format!("The value of {option} is not base64.")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn put_hexadecimal(body: &mut Map<String, Value>, name: &str, text: Option<&str>) -> Result<(), ClientError> {
    if let Some(text) = text {
        let bytes =
            hex::decode(text).map_err(|_| ClientError::Usage(format!("The value of --{name} is not hexadecimal.")))?;
        body.insert(name.to_owned(), json!(URL_SAFE_NO_PAD.encode(bytes)));
    }
    Ok(())
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), json!(value));
    }
}

fn json_or_file(option: &str, text: &str) -> Result<Value, ClientError> {
    let file = Path::new(text);
    let content = if file.is_file() { read(file)? } else { text.as_bytes().to_vec() };
    serde_json::from_slice(&content)
        .map_err(|error| ClientError::Usage(format!("{option} is neither JSON nor a file of it: {error}.")))
}

fn read(file: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(file).map_err(|error| local(file.display(), error))
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
