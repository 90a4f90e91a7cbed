//! Commands on issuers, and on the administrators of the organization that an issuer knows.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use domain::ObjectKind;
use serde_json::{Map, Value, json};

use super::arguments::{HostArgs, Limit};
use super::error::ClientError;
use super::files;
use super::grammar::Global;
use super::lifecycle::{self, help_of};
use super::plan::Plan;
use super::session::{Call, Session};
use super::shape;
use super::target::{self, Suffixes, segment};
use super::values::put;

/// Commands on issuers.
#[derive(Subcommand)]
pub enum IssuerCommand {
    /// Create an issuer, or replace it
    Create(CreateIssuer),
    /// Show an issuer, without its password
    Show(OneIssuer),
    /// List the issuers
    List(ListIssuers),
    /// Change an issuer
    Update(UpdateIssuer),
    /// Delete an issuer
    Delete(OneIssuer),
    /// Administrators of the organization
    #[command(subcommand, mut_subcommands = help_of(ObjectKind::Certificate))]
    Admin(AdminCommand),
}

/// Commands on administrators.
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Add an administrator
    Add(AddAdmin),
    /// List the administrators
    List(OneIssuer),
    /// Remove an administrator
    Delete(DeleteAdmin),
}

/// The issuer that a command is about.
#[derive(Args)]
pub struct IssuerArgs {
    #[command(flatten)]
    pub host: HostArgs,
    /// Name of the issuer
    #[arg(long)]
    pub issuer_name: String,
}

/// A command on one issuer.
#[derive(Args)]
pub struct OneIssuer {
    #[command(flatten)]
    pub issuer: IssuerArgs,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate issuer list`.
#[derive(Args)]
pub struct ListIssuers {
    #[command(flatten)]
    pub host: HostArgs,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub global: Global,
}

/// How an issuer knows its customer.
#[derive(Args)]
pub struct Account {
    /// Account with the issuer
    #[arg(long)]
    pub account_id: Option<String>,
    /// Its password; @FILE takes it from a file and @- from standard input, where no list of processes shows it
    #[arg(long, allow_hyphen_values = true)]
    pub password: Option<String>,
    /// Id of the organization
    #[arg(long)]
    pub organization_id: Option<String>,
}

/// `certificate issuer create`.
#[derive(Args)]
pub struct CreateIssuer {
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// Name of the provider, as the server knows it
    #[arg(long)]
    pub provider_name: String,
    #[command(flatten)]
    pub account: Account,
    #[command(flatten)]
    pub disabled: super::arguments::Disabled,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate issuer update`.
#[derive(Args)]
pub struct UpdateIssuer {
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// Name of the provider, as the server knows it
    #[arg(long)]
    pub provider_name: Option<String>,
    #[command(flatten)]
    pub account: Account,
    /// Enable or disable the issuer
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub enabled: Option<bool>,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate issuer admin add`.
#[derive(Args)]
pub struct AddAdmin {
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// E-mail address
    #[arg(long)]
    pub email: String,
    /// First name
    #[arg(long)]
    pub first_name: Option<String>,
    /// Last name
    #[arg(long)]
    pub last_name: Option<String>,
    /// Phone number
    #[arg(long)]
    pub phone: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate issuer admin delete`.
#[derive(Args)]
pub struct DeleteAdmin {
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// E-mail address
    #[arg(long)]
    pub email: String,
    #[command(flatten)]
    pub global: Global,
}

impl IssuerCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        match self {
            IssuerCommand::Create(args) => &args.global,
            IssuerCommand::List(args) => &args.global,
            IssuerCommand::Update(args) => &args.global,
            IssuerCommand::Show(args)
            | IssuerCommand::Delete(args)
            | IssuerCommand::Admin(AdminCommand::List(args)) => &args.global,
            IssuerCommand::Admin(AdminCommand::Add(args)) => &args.global,
            IssuerCommand::Admin(AdminCommand::Delete(args)) => &args.global,
        }
    }
}

const PATH: &str = "/certificates/issuers";

/// Finds the first call for a command.
pub fn plan(command: &IssuerCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    let at = |method, args: &IssuerArgs| {
        let host = target::host(ObjectKind::Certificate, &args.host, suffixes)?;
        Ok::<Call, ClientError>(Call::new(method, &host, &format!("{PATH}/{}", segment(&args.issuer_name))))
    };
    Ok(match command {
        IssuerCommand::Create(args) => {
            let mut body = account(&args.account)?;
            put(&mut body, "provider", Some(&args.provider_name));
            put(&mut body, "attributes", Some(json!({ "enabled": !args.disabled.disabled.unwrap_or(false) })));
            at("PUT", &args.issuer)?.with(Value::Object(body)).show(shape::issuer)
        }
        IssuerCommand::Update(args) => {
            let mut body = account(&args.account)?;
            put(&mut body, "provider", args.provider_name.as_ref());
            put(&mut body, "attributes", args.enabled.map(|enabled| json!({ "enabled": enabled })));
            at("PATCH", &args.issuer)?.with(Value::Object(body)).show(shape::issuer)
        }
        IssuerCommand::List(args) => {
            let host = target::host(ObjectKind::Certificate, &args.host, suffixes)?;
            lifecycle::list(&host, PATH, vec![], &args.limit, |_| true, shape::issuer_item)
        }
        IssuerCommand::Show(args) => at("GET", &args.issuer)?.show(shape::issuer),
        IssuerCommand::Delete(args) => at("DELETE", &args.issuer)?.show(shape::issuer),
        IssuerCommand::Admin(AdminCommand::List(args)) => at("GET", &args.issuer)?.show(shape::admins),
        IssuerCommand::Admin(AdminCommand::Add(args)) => add(at("GET", &args.issuer)?, args),
        IssuerCommand::Admin(AdminCommand::Delete(args)) => remove(at("GET", &args.issuer)?, args),
    })
}

fn account(args: &Account) -> Result<Map<String, Value>, ClientError> {
    let mut credentials = Map::new();
    put(&mut credentials, "account_id", args.account_id.as_deref());
    let password = args.password.as_deref().map(files::text).transpose()?;
    put(&mut credentials, "pwd", password.as_deref());
    let mut body = Map::new();
    put(&mut body, "credentials", Some(credentials).filter(|credentials| !credentials.is_empty()));
    put(&mut body, "org_details", args.organization_id.as_deref().map(|id| json!({ "id": id })));
    Ok(body)
}

fn add(issuer: Call, args: &AddAdmin) -> Plan {
    let mut admin = Map::from_iter([("email".to_owned(), json!(args.email))]);
    put(&mut admin, "first_name", args.first_name.as_deref());
    put(&mut admin, "last_name", args.last_name.as_deref());
    put(&mut admin, "phone", args.phone.as_deref());
    let email = args.email.clone();
    issuer.first(move |session, call| {
        let mut admins = admins(session, call)?;
        if admins.iter().any(|each| each["email"] == json!(email)) {
            return Err(ClientError::Local(format!("The administrator '{email}' already exists.")));
        }
        let admin = Value::Object(admin);
        let shown = shape::admin(&admin);
        admins.push(admin);
        replace(session, call, &admins)?;
        Ok(shown)
    })
}

fn remove(issuer: Call, args: &DeleteAdmin) -> Plan {
    let email = args.email.clone();
    issuer.first(move |session, call| {
        let mut admins = admins(session, call)?;
        let before = admins.len();
        admins.retain(|each| each["email"] != json!(email));
        if admins.len() == before {
            return Err(ClientError::NotFound(format!("The issuer has no administrator '{email}'.")));
        }
        replace(session, call, &admins)?;
        Ok(Value::Null)
    })
}

fn admins(session: &mut Session<'_>, issuer: &Call) -> Result<Vec<Value>, ClientError> {
    Ok(session.data(issuer)?["org_details"]["admin_details"].as_array().cloned().unwrap_or_default())
}

fn replace(session: &mut Session<'_>, issuer: &Call, admins: &[Value]) -> Result<(), ClientError> {
    let body = json!({ "org_details": { "admin_details": admins } });
    session.data(&Call { method: "PATCH", url: issuer.url.clone(), body: Some(body) })?;
    Ok(())
}
