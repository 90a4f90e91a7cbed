//! Commands on the contacts of a vault. The wire has only the whole list: az reads it, changes it and writes it back.

use clap::{Args, Subcommand};
use domain::ObjectKind;
use serde_json::{Map, Value, json};

use super::arguments::HostArgs;
use super::error::ClientError;
use super::grammar::Global;
use super::plan::Plan;
use super::session::{Call, Session};
use super::shape;
use super::target::{self, Suffixes};
use super::values::put;

/// Commands on contacts.
#[derive(Subcommand)]
pub enum ContactCommand {
    /// Add a contact
    Add(AddContact),
    /// List the contacts
    List(ListContacts),
    /// Remove a contact
    Delete(DeleteContact),
}

/// `certificate contact add`.
#[derive(Args)]
pub struct AddContact {
    #[command(flatten)]
    pub host: HostArgs,
    /// E-mail address
    #[arg(long)]
    pub email: String,
    /// Full name
    #[arg(long)]
    pub name: Option<String>,
    /// Phone number
    #[arg(long)]
    pub phone: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate contact list`.
#[derive(Args)]
pub struct ListContacts {
    #[command(flatten)]
    pub host: HostArgs,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate contact delete`.
#[derive(Args)]
pub struct DeleteContact {
    #[command(flatten)]
    pub host: HostArgs,
    /// E-mail address
    #[arg(long)]
    pub email: String,
    #[command(flatten)]
    pub global: Global,
}

impl ContactCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        match self {
            ContactCommand::Add(args) => &args.global,
            ContactCommand::List(args) => &args.global,
            ContactCommand::Delete(args) => &args.global,
        }
    }
}

const PATH: &str = "/certificates/contacts";

/// Finds the first call for a command.
pub fn plan(command: &ContactCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    let host = |args: &HostArgs| target::host(ObjectKind::Certificate, args, suffixes);
    Ok(match command {
        ContactCommand::List(args) => Call::new("GET", &host(&args.host)?, PATH).show(shape::contacts),
        ContactCommand::Add(args) => {
            let host = host(&args.host)?;
            let mut contact = Map::from_iter([("email".to_owned(), json!(args.email))]);
            put(&mut contact, "name", args.name.as_deref());
            put(&mut contact, "phone", args.phone.as_deref());
            let email = args.email.clone();
            Call::new("GET", &host, PATH).first(move |session, call| {
                let mut contacts = present(session, call)?;
                if contacts.iter().any(|each| each["email"] == json!(email)) {
                    return Err(ClientError::Local(format!("The contact '{email}' already exists.")));
                }
                contacts.push(Value::Object(contact));
                replace(session, &host, &contacts)
            })
        }
        ContactCommand::Delete(args) => {
            let (host, email) = (host(&args.host)?, args.email.clone());
            Call::new("GET", &host, PATH).first(move |session, call| {
                let mut contacts = present(session, call)?;
                let before = contacts.len();
                contacts.retain(|each| each["email"] != json!(email));
                if contacts.len() == before {
                    return Err(ClientError::NotFound(format!("There is no contact '{email}' in the vault.")));
                }
                if contacts.is_empty() {
                    session.data(&Call::new("DELETE", &host, PATH))?;
                    return Ok(shape::contacts(&json!({ "id": call.url })));
                }
                replace(session, &host, &contacts)
            })
        }
    })
}

/// The contacts that there are. A vault that never had one answers that it has not found any.
fn present(session: &mut Session<'_>, call: &Call) -> Result<Vec<Value>, ClientError> {
    match session.data(call) {
        Ok(answer) => Ok(answer["contacts"].as_array().cloned().unwrap_or_default()),
        Err(ClientError::Service(refused)) if refused.code == "ContactsNotFound" => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn replace(session: &mut Session<'_>, host: &str, contacts: &[Value]) -> Result<Value, ClientError> {
    let call = Call::new("PUT", host, PATH).with(json!({ "contacts": contacts }));
    Ok(shape::contacts(&session.data(&call)?))
}
