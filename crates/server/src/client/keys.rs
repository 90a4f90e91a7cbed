//! From a command on keys to its one call, and from the answer to what is printed.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::ObjectKind;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::arguments::*;
use super::error::{ClientError, local};
use super::grammar::{KeyCommand, PolicyCommand};
use super::plan::Plan;
use super::session::Call;
use super::target::{self, ObjectRef, Suffixes};
use super::values::{json_or_file, period, put, tags};
use super::{files, lifecycle, pem, shape};

const KIND: ObjectKind = ObjectKind::Key;

/// Finds the call for a command. The files that the command names are read here.
pub fn plan(command: &KeyCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    let key = |args: &ObjectArgs| target::object(KIND, args, suffixes);
    let version = |args: &VersionArgs| target::version(KIND, args, suffixes);
    Ok(match command {
        KeyCommand::Life(command) => lifecycle::plan(KIND, command, suffixes)?,
        KeyCommand::Create(args) => {
            let key = key(&args.key)?;
            let call = Call::new("POST", &key.host, &format!("{}/create", key.whole()));
            call.with(create_body(args)?).show_object(KIND)
        }
        KeyCommand::Import(args) => {
            Call::on(&key(&args.key)?, "PUT", ObjectRef::whole).with(import_body(args)?).show_object(KIND)
        }
        KeyCommand::Rotate(args) => {
            let key = key(&args.object)?;
            Call::new("POST", &key.host, &format!("{}/rotate", key.whole())).show_object(KIND)
        }
        KeyCommand::Random(args) => {
            let host = target::host(KIND, &args.host, suffixes)?;
            Call::new("POST", &host, "/rng").with(json!({ "count": args.count })).show(shape::random)
        }
        KeyCommand::SetAttributes(args) => {
            Call::on(&version(&args.key)?, "PATCH", ObjectRef::one).with(change_body(args)?).show_object(KIND)
        }
        KeyCommand::RotationPolicy(PolicyCommand::Show(args)) => {
            policy(&key(&args.object)?, "GET").show(shape::rotation_policy)
        }
        KeyCommand::RotationPolicy(PolicyCommand::Update(args)) => {
            policy(&key(&args.key)?, "PUT").with(policy_body(&args.value)?).show(shape::rotation_policy)
        }
        KeyCommand::Encrypt(_) | KeyCommand::Decrypt(_) | KeyCommand::Sign(_) | KeyCommand::Verify(_) => {
            use_plan(command, &version)?
        }
    })
}

/// The commands that use a key.
fn use_plan(
    command: &KeyCommand,
    version: &dyn Fn(&VersionArgs) -> Result<ObjectRef, ClientError>,
) -> Result<Plan, ClientError> {
    let using = |key: &ObjectRef, operation: &str| Call::new("POST", &key.host, &format!("{}/{operation}", key.one()));
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
            let algorithm = args.algorithm.clone();
            let call = using(&version(&args.key)?, "encrypt").with(Value::Object(body));
            call.then(move |answer| Ok(shape::encrypted(answer, &algorithm)))
        }
        KeyCommand::Decrypt(args) => {
            let value = from_base64("--value", &args.value)?;
            let mut body =
                Map::from_iter([("alg".to_owned(), json!(args.algorithm)), ("value".to_owned(), json!(value))]);
            put_hexadecimal(&mut body, "iv", args.iv.as_deref())?;
            put_hexadecimal(&mut body, "aad", args.aad.as_deref())?;
            put_hexadecimal(&mut body, "tag", args.tag.as_deref())?;
            let as_text = args.data.data_type == "plaintext";
            let algorithm = args.algorithm.clone();
            let call = using(&version(&args.key)?, "decrypt").with(Value::Object(body));
            call.then(move |answer| shape::decrypted(answer, &algorithm, as_text))
        }
        KeyCommand::Sign(args) => {
            let body = json!({ "alg": args.algorithm, "value": from_base64("--digest", &args.digest)? });
            let algorithm = args.algorithm.clone();
            let call = using(&version(&args.key)?, "sign").with(body);
            call.then(move |answer| Ok(shape::signed(answer, &algorithm)))
        }
        KeyCommand::Verify(args) => {
            let body = json!({
                "alg": args.algorithm,
                "digest": from_base64("--digest", &args.digest)?,
                "value": from_base64("--signature", &args.signature)?,
            });
            let key = version(&args.key)?;
            let (algorithm, id) = (args.algorithm.clone(), key.id());
            using(&key, "verify").with(body).then(move |answer| Ok(shape::verified(answer, &algorithm, &id)))
        }
        _ => return Err(ClientError::Usage("This command does not use a key.".into())),
    })
}

fn policy(key: &ObjectRef, method: &'static str) -> Call {
    Call::new(method, &key.host, &format!("{}/rotationpolicy", key.whole()))
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
        (Some(file), _) => Zeroizing::new(files::read(file)?),
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
    let mut attributes = period(&args.traits.period)?;
    attributes.insert("enabled".into(), json!(!args.disabled.disabled.unwrap_or(false)));
    put(&mut attributes, "exportable", args.exportable);
    let mut body = common_body(&args.traits)?;
    body.insert("attributes".into(), Value::Object(attributes));
    Ok(body)
}

fn change_body(args: &SetAttributes) -> Result<Value, ClientError> {
    let mut attributes = period(&args.traits.period)?;
    put(&mut attributes, "enabled", args.enabled.enabled);
    let mut body = common_body(&args.traits)?;
    put(&mut body, "key_ops", args.traits.ops.as_ref());
    put(&mut body, "attributes", Some(attributes).filter(|attributes| !attributes.is_empty()));
    Ok(Value::Object(body))
}

fn common_body(traits: &Traits) -> Result<Map<String, Value>, ClientError> {
    let mut body = Map::new();
    put(&mut body, "tags", tags(&traits.tags));
    if let Some(policy) = &traits.policy {
        let rules = serde_json::to_vec(&json_or_file("--policy", policy)?).map_err(|error| local("--policy", error))?;
        let mut policy = Map::from_iter([("data".to_owned(), json!(URL_SAFE_NO_PAD.encode(rules)))]);
        put(&mut policy, "immutable", traits.immutable);
        body.insert("release_policy".into(), Value::Object(policy));
    }
    Ok(body)
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

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
