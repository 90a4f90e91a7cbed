//! What can be done with keys, secrets and certificates alike: one set of commands, with the kind as a value.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use domain::ObjectKind;
use serde_json::{Value, json};

use super::arguments::{HostArgs, Limit, ListVersions, OneObject, OneVersion};
use super::error::ClientError;
use super::files;
use super::grammar::Global;
use super::plan::Plan;
use super::session::Call;
use super::shape;
use super::target::{self, ObjectRef, Suffixes};

/// Commands that every kind of object has. Where `--version` is the object's, the program's own must give way.
#[derive(Subcommand)]
pub enum LifeCommand {
    /// List the latest versions
    List(List),
    /// List the versions of one
    ListVersions(ListVersions),
    /// Show one, the latest version if none is named
    #[command(disable_version_flag = true)]
    Show(OneVersion),
    /// Delete one; it can be recovered until it is purged
    Delete(OneObject),
    /// List what is deleted
    ListDeleted(ListDeleted),
    /// Show what is deleted
    ShowDeleted(OneObject),
    /// Bring back what is deleted
    Recover(OneObject),
    /// Destroy what is deleted for ever
    Purge(OneObject),
    /// Save a backup of all versions to a file
    Backup(Backup),
    /// Restore from a backup file
    Restore(Restore),
}

/// `list`.
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    pub host: HostArgs,
    /// Also list what belongs to a certificate
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub include_managed: Option<bool>,
    #[command(flatten)]
    pub pending: Pending,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub global: Global,
}

/// `list-deleted`.
#[derive(Args)]
pub struct ListDeleted {
    #[command(flatten)]
    pub host: HostArgs,
    #[command(flatten)]
    pub pending: Pending,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub global: Global,
}

/// Whether certificates that are still to come are listed.
#[derive(Args)]
pub struct Pending {
    /// Also list certificates that are not complete yet
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub include_pending: Option<bool>,
}

/// `backup`.
#[derive(Args)]
pub struct Backup {
    #[command(flatten)]
    pub object: super::arguments::ObjectArgs,
    /// File to write
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    #[command(flatten)]
    pub global: Global,
}

/// `restore`.
#[derive(Args)]
pub struct Restore {
    #[command(flatten)]
    pub host: HostArgs,
    /// Name the backup is expected to hold; it is restored under its own name, whatever this says
    #[arg(long, short = 'n')]
    pub name: Option<String>,
    /// File to read
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    #[command(flatten)]
    pub global: Global,
}

impl LifeCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        match self {
            LifeCommand::List(args) => &args.global,
            LifeCommand::ListVersions(args) => &args.global,
            LifeCommand::Show(args) => &args.global,
            LifeCommand::ListDeleted(args) => &args.global,
            LifeCommand::Backup(args) => &args.global,
            LifeCommand::Restore(args) => &args.global,
            LifeCommand::Delete(args)
            | LifeCommand::ShowDeleted(args)
            | LifeCommand::Recover(args)
            | LifeCommand::Purge(args) => &args.global,
        }
    }
}

/// Leaves out of the help what a kind has no use for.
pub fn help_of(kind: ObjectKind) -> impl Fn(clap::Command) -> clap::Command {
    move |command| {
        command.mut_args(|option| if lacks(kind, option.get_id().as_str()) { option.hide(true) } else { option })
    }
}

/// Whether an option means nothing for a kind.
fn lacks(kind: ObjectKind, option: &str) -> bool {
    match option {
        "hsm_name" => kind != ObjectKind::Key,
        "include_managed" => kind == ObjectKind::Certificate,
        "include_pending" => kind != ObjectKind::Certificate,
        _ => false,
    }
}

/// The most entries that the wire allows in one page.
const LARGEST_PAGE: u32 = 25;

/// Finds the call for a command. A file that the command names is read here.
pub fn plan(kind: ObjectKind, command: &LifeCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    let object = |args| target::object(kind, args, suffixes);
    let host = |args| target::host(kind, args, suffixes);
    let entry = move |item: &Value| shape::item(kind, item);
    Ok(match command {
        LifeCommand::List(args) => {
            refuse(kind, "include_managed", args.include_managed)?;
            let managed = args.include_managed.unwrap_or(false);
            let wanted = move |item: &Value| managed || item["managed"] != json!(true);
            let query = pending(kind, &args.pending)?;
            list(&host(&args.host)?, &format!("/{}", kind.collection()), query, &args.limit, wanted, entry)
        }
        LifeCommand::ListVersions(args) => {
            let object = object(&args.object)?;
            list(&object.host, &format!("{}/versions", object.whole()), vec![], &args.limit, |_| true, entry)
        }
        LifeCommand::ListDeleted(args) => {
            let query = pending(kind, &args.pending)?;
            list(&host(&args.host)?, &format!("/deleted{}", kind.collection()), query, &args.limit, |_| true, entry)
        }
        LifeCommand::Show(args) => {
            Call::on(&target::version(kind, &args.object, suffixes)?, "GET", ObjectRef::one).show_object(kind)
        }
        LifeCommand::Delete(args) => Call::on(&object(&args.object)?, "DELETE", ObjectRef::whole).show_object(kind),
        LifeCommand::ShowDeleted(args) => Call::on(&object(&args.object)?, "GET", ObjectRef::deleted).show_object(kind),
        LifeCommand::Recover(args) => {
            let object = object(&args.object)?;
            Call::new("POST", &object.host, &format!("{}/recover", object.deleted())).show_object(kind)
        }
        LifeCommand::Purge(args) => Call::on(&object(&args.object)?, "DELETE", ObjectRef::deleted).done(),
        LifeCommand::Backup(args) => backup(&object(&args.object)?, args),
        LifeCommand::Restore(args) => {
            let backup = URL_SAFE_NO_PAD.encode(files::read(&args.file)?);
            let path = format!("/{}/restore", kind.collection());
            Call::new("POST", &host(&args.host)?, &path).with(json!({ "value": backup })).show_object(kind)
        }
    })
}

fn backup(object: &ObjectRef, args: &Backup) -> Plan {
    let file = args.file.clone();
    Call::new("POST", &object.host, &format!("{}/backup", object.whole())).then(move |answer| {
        let backup = shape::bytes(&answer["value"])
            .ok_or_else(|| ClientError::Local("The server's answer holds no backup.".into()))?;
        files::save(&file, &backup, files::Existing::Replace)?;
        Ok(Value::Null)
    })
}

/// A plan of a list: entries that are wanted, in their shape, until there are enough.
pub fn list(
    host: &str,
    path: &str,
    mut query: Vec<String>,
    limit: &Limit,
    wanted: impl Fn(&Value) -> bool + 'static,
    shape: impl Fn(&Value) -> Value + 'static,
) -> Plan {
    query.extend(limit.maxresults.map(|most| format!("maxresults={}", most.min(LARGEST_PAGE))));
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let limit = limit.maxresults.and_then(|most| usize::try_from(most).ok());
    Call::new("GET", host, &format!("{path}{query}")).first(move |session, call| {
        let items = session.data_list(call, limit, &wanted)?;
        Ok(items.iter().map(&shape).collect())
    })
}

/// What the query says of pending certificates.
fn pending(kind: ObjectKind, args: &Pending) -> Result<Vec<String>, ClientError> {
    refuse(kind, "include_pending", args.include_pending)?;
    Ok(args.include_pending.map(|include| format!("includePending={include}")).into_iter().collect())
}

/// Refuses an option that means nothing for a kind.
fn refuse(kind: ObjectKind, option: &str, given: Option<bool>) -> Result<(), ClientError> {
    if given.is_some() && lacks(kind, option) {
        let option = option.replace('_', "-");
        return Err(ClientError::Usage(format!("There is no --{option} for {}.", kind.collection())));
    }
    Ok(())
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
