//! Commands on secrets: their options, their calls, and the files that values come from and go to.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use domain::ObjectKind;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::arguments::{Disabled, Enabled, ObjectArgs, Period, Tags, VersionArgs};
use super::error::{ClientError, local};
use super::files::{self, Existing};
use super::grammar::{Global, one_of};
use super::lifecycle::{self, LifeCommand};
use super::plan::Plan;
use super::session::Call;
use super::target::{self, ObjectRef, Suffixes};
use super::values::{period, put, tags, wrapped_base64};

/// Commands on secrets. Where `--version` is the secret's, the program's own must give way.
#[derive(Subcommand)]
pub enum SecretCommand {
    #[command(flatten)]
    Life(LifeCommand),
    /// Create a secret, or a new version of it
    Set(SetSecret),
    /// Change the attributes, the content type or the tags of a version
    #[command(disable_version_flag = true)]
    SetAttributes(ChangeSecret),
    /// Write the value of a secret to a file that only its owner can read
    #[command(disable_version_flag = true)]
    Download(DownloadSecret),
}

impl SecretCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        match self {
            SecretCommand::Life(command) => command.global(),
            SecretCommand::Set(args) => &args.global,
            SecretCommand::SetAttributes(args) => &args.global,
            SecretCommand::Download(args) => &args.global,
        }
    }
}

/// How text or bytes stand in a file, and how bytes become the text of a value.
const ENCODINGS: &[&str] = &["ascii", "base64", "hex", "utf-16be", "utf-16le", "utf-8"];
/// The tag that remembers it, so that a download gives the file back.
const ENCODING_TAG: &str = "file-encoding";

/// `secret set`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct SetSecret {
    #[command(flatten)]
    pub secret: ObjectArgs,
    /// The value; @FILE takes it from a file and @- from standard input, where no list of processes shows it
    #[arg(long, group = "source", allow_hyphen_values = true)]
    pub value: Option<String>,
    /// File with the value
    #[arg(long, short = 'f', group = "source")]
    pub file: Option<PathBuf>,
    /// What the file holds: text, or bytes of which base64 or hexadecimal becomes the value [default: utf-8]
    #[arg(long, short = 'e', value_parser = one_of(ENCODINGS), ignore_case = true)]
    pub encoding: Option<String>,
    /// What kind of value it is, for example a media type
    #[arg(long, visible_alias = "description")]
    pub content_type: Option<String>,
    #[command(flatten)]
    pub disabled: Disabled,
    #[command(flatten)]
    pub period: Period,
    #[command(flatten)]
    pub tags: Tags,
    #[command(flatten)]
    pub global: Global,
}

/// `secret set-attributes`.
#[derive(Args)]
pub struct ChangeSecret {
    #[command(flatten)]
    pub secret: VersionArgs,
    /// What kind of value it is, for example a media type
    #[arg(long, visible_alias = "description")]
    pub content_type: Option<String>,
    #[command(flatten)]
    pub enabled: Enabled,
    #[command(flatten)]
    pub period: Period,
    #[command(flatten)]
    pub tags: Tags,
    #[command(flatten)]
    pub global: Global,
}

/// `secret download`.
#[derive(Args)]
pub struct DownloadSecret {
    #[command(flatten)]
    pub secret: VersionArgs,
    /// File to write
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    /// How to turn the value into the file: as the tag file-encoding says if omitted, else as it is
    #[arg(long, short = 'e', value_parser = one_of(ENCODINGS), ignore_case = true)]
    pub encoding: Option<String>,
    /// Replace a file that exists
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub global: Global,
}

const KIND: ObjectKind = ObjectKind::Secret;

/// Finds the call for a command. The files that the command names are read here.
pub fn plan(command: &SecretCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    Ok(match command {
        SecretCommand::Life(command) => lifecycle::plan(KIND, command, suffixes)?,
        SecretCommand::Set(args) => {
            let secret = target::object(KIND, &args.secret, suffixes)?;
            Call::on(&secret, "PUT", ObjectRef::whole).with(set_body(args)?).show_object(KIND)
        }
        SecretCommand::SetAttributes(args) => {
            let secret = target::version(KIND, &args.secret, suffixes)?;
            Call::on(&secret, "PATCH", ObjectRef::one).with(change_body(args)?).show_object(KIND)
        }
        SecretCommand::Download(args) => {
            let existing = if args.overwrite { Existing::Replace } else { Existing::Keep };
            files::refuse_taken(&args.file, existing, "; --overwrite replaces it")?;
            let (file, encoding) = (args.file.clone(), args.encoding.clone());
            Call::on(&target::version(KIND, &args.secret, suffixes)?, "GET", ObjectRef::one).then(move |answer| {
                files::save(&file, &content(answer, encoding.as_deref())?, existing)?;
                Ok(Value::Null)
            })
        }
    })
}

fn set_body(args: &SetSecret) -> Result<Value, ClientError> {
    let encoding = args.encoding.as_deref().unwrap_or("utf-8");
    let value = match (&args.value, &args.file) {
        (Some(_), _) if args.encoding.is_some() => {
            return Err(ClientError::Usage("--encoding is about a --file, not about a --value.".into()));
        }
        (Some(value), _) => files::text(value)?,
        (None, file) => encoded(file.as_deref().unwrap_or(Path::new("")), encoding)?,
    };
    if value.is_empty() {
        return Err(ClientError::Usage("A secret needs a value: --value or --file.".into()));
    }
    let mut attributes = period(&args.period)?;
    put(&mut attributes, "enabled", args.disabled.disabled.map(|disabled| !disabled));
    let mut tags = tags(&args.tags).unwrap_or_else(|| json!({}));
    tags[ENCODING_TAG] = json!(encoding);
    let mut body = Map::from_iter([("value".to_owned(), json!(*value)), ("tags".to_owned(), tags)]);
    put(&mut body, "contentType", args.content_type.as_deref());
    put(&mut body, "attributes", Some(attributes).filter(|attributes| !attributes.is_empty()));
    Ok(Value::Object(body))
}

fn change_body(args: &ChangeSecret) -> Result<Value, ClientError> {
    let mut attributes = period(&args.period)?;
    put(&mut attributes, "enabled", args.enabled.enabled);
    let mut body = Map::new();
    put(&mut body, "contentType", args.content_type.as_deref());
    put(&mut body, "tags", tags(&args.tags));
    put(&mut body, "attributes", Some(attributes).filter(|attributes| !attributes.is_empty()));
    Ok(Value::Object(body))
}

/// The value that a file becomes. Text is read as UTF-8 whatever its name, as az does: in a value there are only
/// characters.
fn encoded(file: &Path, encoding: &str) -> Result<Zeroizing<String>, ClientError> {
    let bytes = Zeroizing::new(files::read(file)?);
    match encoding {
        "base64" => Ok(wrapped_base64(&bytes)),
        "hex" => Ok(Zeroizing::new(hex::encode(&*bytes))),
        text => match std::str::from_utf8(&bytes) {
            Ok(value) if text != "ascii" || value.is_ascii() => Ok(Zeroizing::new(value.to_owned())),
            _ => Err(local(file.display(), format!("this file is not text in {text}"))),
        },
    }
}

/// The file that a value becomes.
fn content(answer: &Value, encoding: Option<&str>) -> Result<Zeroizing<Vec<u8>>, ClientError> {
    let encoding = encoding.or_else(|| answer["tags"][ENCODING_TAG].as_str());
    let value =
        answer["value"].as_str().ok_or_else(|| ClientError::Local("The server's answer holds no value.".into()))?;
    let plain = || Zeroizing::new(value.chars().filter(|each| !each.is_whitespace()).collect::<String>());
    let decoded = match encoding {
        Some("base64") => STANDARD.decode(plain().as_bytes()).ok(),
        Some("hex") => hex::decode(plain().as_bytes()).ok(),
        _ => Some(value.as_bytes().to_vec()),
    };
    decoded.map(Zeroizing::new).ok_or_else(|| {
        let encoding = encoding.unwrap_or_default();
        ClientError::Local(format!("The value is not in {encoding}: --encoding says what else it is."))
    })
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
