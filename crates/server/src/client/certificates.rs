//! Commands on certificates: their options and their calls.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use domain::ObjectKind;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value, json};

use super::arguments::{Disabled, Enabled, ObjectArgs, OneObject, Tags, VersionArgs};
use super::contacts::{self, ContactCommand};
use super::error::{ClientError, Refused, local};
use super::files::{self, Existing};
use super::grammar::{Global, one_of};
use super::issuers::{self, IssuerCommand};
use super::lifecycle::{self, LifeCommand, help_of};
use super::plan::Plan;
use super::session::{Call, Session};
use super::target::{self, ObjectRef, Suffixes};
use super::values::{put, tags, wrapped_base64};
use super::{policy, shape};

/// Commands on certificates. Where `--version` is the certificate's, the program's own must give way.
#[derive(Subcommand)]
pub enum CertificateCommand {
    #[command(flatten)]
    Life(LifeCommand),
    /// Create a certificate, or a new version of it, and wait for it unless the policy's issuer is Unknown
    Create(CreateCertificate),
    /// Import a certificate with its private key from a PFX or PEM file
    Import(ImportCertificate),
    /// Change whether a version is enabled, its tags, or the policy
    #[command(disable_version_flag = true)]
    SetAttributes(ChangeCertificate),
    /// Write a certificate without its private key to a new file
    #[command(disable_version_flag = true)]
    Download(DownloadCertificate),
    /// A policy to begin with
    GetDefaultPolicy(DefaultPolicy),
    /// Certificates that are being made
    #[command(subcommand, mut_subcommands = help_of(KIND))]
    Pending(PendingCommand),
    /// Who is told about certificates of a vault
    #[command(subcommand, mut_subcommands = help_of(KIND))]
    Contact(ContactCommand),
    /// Authorities that a vault can order certificates from
    #[command(subcommand, mut_subcommands = help_of(KIND))]
    Issuer(IssuerCommand),
}

/// Commands on certificates that are being made.
#[derive(Subcommand)]
pub enum PendingCommand {
    /// Show how far it is, with the signing request
    Show(OneObject),
    /// Complete it with a certificate that was signed elsewhere
    Merge(MergeCertificate),
    /// Give it up
    Delete(OneObject),
}

/// `certificate create`.
#[derive(Args)]
pub struct CreateCertificate {
    #[command(flatten)]
    pub certificate: ObjectArgs,
    /// The policy: JSON, or @FILE with it
    #[arg(long, short = 'p')]
    pub policy: String,
    /// How many months it is valid, whatever the policy says
    #[arg(long)]
    pub validity: Option<u32>,
    #[command(flatten)]
    pub disabled: Disabled,
    #[command(flatten)]
    pub tags: Tags,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate import`.
#[derive(Args)]
pub struct ImportCertificate {
    #[command(flatten)]
    pub certificate: ObjectArgs,
    /// PFX file, or PEM file with certificate and private key
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    /// Password of the file; @FILE takes it from a file and @- from standard input, where no list of processes shows it
    #[arg(long, allow_hyphen_values = true)]
    pub password: Option<String>,
    /// The policy: JSON, or @FILE with it; made from the certificate if omitted
    #[arg(long, short = 'p')]
    pub policy: Option<String>,
    #[command(flatten)]
    pub disabled: Disabled,
    #[command(flatten)]
    pub tags: Tags,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate set-attributes`.
#[derive(Args)]
pub struct ChangeCertificate {
    #[command(flatten)]
    pub certificate: VersionArgs,
    /// The policy: JSON, or @FILE with it
    #[arg(long, short = 'p')]
    pub policy: Option<String>,
    #[command(flatten)]
    pub enabled: Enabled,
    #[command(flatten)]
    pub tags: Tags,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate download`.
#[derive(Args)]
pub struct DownloadCertificate {
    #[command(flatten)]
    pub certificate: VersionArgs,
    /// File to write
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    /// Form of the file
    #[arg(long, short = 'e', value_parser = one_of(&["PEM", "DER"]), ignore_case = true, default_value = "PEM")]
    pub encoding: String,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate get-default-policy`.
#[derive(Args)]
pub struct DefaultPolicy {
    /// A template of all that a policy can say, to be filled in
    #[arg(long)]
    pub scaffold: bool,
    #[command(flatten)]
    pub global: Global,
}

/// `certificate pending merge`.
#[derive(Args)]
pub struct MergeCertificate {
    #[command(flatten)]
    pub certificate: ObjectArgs,
    /// PEM file with the certificate, or with its chain
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    #[command(flatten)]
    pub disabled: Disabled,
    #[command(flatten)]
    pub tags: Tags,
    #[command(flatten)]
    pub global: Global,
}

impl CertificateCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        use CertificateCommand as Certificate;
        match self {
            Certificate::Life(command) => command.global(),
            Certificate::Create(args) => &args.global,
            Certificate::Import(args) => &args.global,
            Certificate::SetAttributes(args) => &args.global,
            Certificate::Download(args) => &args.global,
            Certificate::GetDefaultPolicy(args) => &args.global,
            Certificate::Pending(PendingCommand::Show(args) | PendingCommand::Delete(args)) => &args.global,
            Certificate::Pending(PendingCommand::Merge(args)) => &args.global,
            Certificate::Contact(command) => command.global(),
            Certificate::Issuer(command) => command.global(),
        }
    }

    /// What a command prints that no server need be asked for.
    pub fn known(&self) -> Option<Value> {
        match self {
            CertificateCommand::GetDefaultPolicy(args) => Some(policy::proposed(args.scaffold)),
            _ => None,
        }
    }
}

const KIND: ObjectKind = ObjectKind::Certificate;

/// Finds the first call for a command. The files that the command names are read here.
pub fn plan(command: &CertificateCommand, suffixes: &Suffixes) -> Result<Plan, ClientError> {
    use CertificateCommand as Certificate;
    let certificate = |args| target::object(KIND, args, suffixes);
    Ok(match command {
        Certificate::Life(command) => lifecycle::plan(KIND, command, suffixes)?,
        Certificate::Create(args) => create(&certificate(&args.certificate)?, create_body(args)?),
        Certificate::Import(args) => {
            let certificate = certificate(&args.certificate)?;
            let call = Call::new("POST", &certificate.host, &format!("{}/import", certificate.whole()));
            call.with(import_body(args)?).show_object(KIND)
        }
        Certificate::SetAttributes(args) => change(&target::version(KIND, &args.certificate, suffixes)?, args)?,
        Certificate::Download(args) => download(&target::version(KIND, &args.certificate, suffixes)?, args)?,
        Certificate::GetDefaultPolicy(_) => {
            return Err(ClientError::Usage("The default policy is known without a server.".into()));
        }
        Certificate::Pending(PendingCommand::Show(args)) => {
            pending(&certificate(&args.object)?, "GET").show(shape::operation)
        }
        Certificate::Pending(PendingCommand::Delete(args)) => {
            pending(&certificate(&args.object)?, "DELETE").show(shape::operation)
        }
        Certificate::Pending(PendingCommand::Merge(args)) => {
            let certificate = certificate(&args.certificate)?;
            let call = Call::new("POST", &certificate.host, &format!("{}/pending/merge", certificate.whole()));
            let mut body = new_body(&args.disabled, &args.tags);
            body.insert("x5c".into(), chain(&args.file)?);
            call.with(Value::Object(body)).show_object(KIND)
        }
        Certificate::Contact(command) => contacts::plan(command, suffixes)?,
        Certificate::Issuer(command) => issuers::plan(command, suffixes)?,
    })
}

fn pending(certificate: &ObjectRef, method: &'static str) -> Call {
    Call::new(method, &certificate.host, &format!("{}/pending", certificate.whole()))
}

fn create(certificate: &ObjectRef, body: Value) -> Plan {
    let again = pending(certificate, "GET");
    let call = Call::new("POST", &certificate.host, &format!("{}/create", certificate.whole()));
    call.with(body).first(move |session, call| {
        session.data(call)?;
        let operation = made(session, &again)?;
        Ok(shape::operation(&operation))
    })
}

/// Waits until a certificate is there, or for ever to come: one of an unknown issuer is completed by its owner.
fn made(session: &mut Session<'_>, again: &Call) -> Result<Value, ClientError> {
    let unknown = |operation: &Value| {
        operation["issuer"]["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("Unknown"))
    };
    let over = |operation: &Value| unknown(operation) || operation["status"] != json!("inProgress");
    let operation = session.data_until(again, &over)?;
    if operation["error"].is_object() {
        let answer = json!({ "error": operation["error"] }).to_string();
        return Err(ClientError::Service(Refused::read(200, answer.as_bytes())));
    }
    Ok(operation)
}

/// A certificate's policy is changed by a call of its own, before the rest; if there is no rest, it is shown.
fn change(certificate: &ObjectRef, args: &ChangeCertificate) -> Result<Plan, ClientError> {
    let mut body = Map::new();
    put(&mut body, "attributes", args.enabled.enabled.map(|enabled| json!({ "enabled": enabled })));
    put(&mut body, "tags", tags(&args.tags));
    let last = if body.is_empty() {
        Call::new("GET", &certificate.host, &format!("{}/", certificate.whole()))
    } else {
        Call::on(certificate, "PATCH", ObjectRef::one).with(Value::Object(body))
    };
    let Some(policy) = &args.policy else { return Ok(last.show_object(KIND)) };
    let first = Call::new("PATCH", &certificate.host, &format!("{}/policy", certificate.whole()));
    Ok(first.with(Value::Object(policy::read(policy)?)).first(move |session, call| {
        session.data(call)?;
        Ok(shape::object(KIND, &session.data(&last)?))
    }))
}

fn download(certificate: &ObjectRef, args: &DownloadCertificate) -> Result<Plan, ClientError> {
    files::refuse_taken(&args.file, Existing::Keep, "")?;
    let (file, in_pem) = (args.file.clone(), args.encoding == "PEM");
    Ok(Call::on(certificate, "GET", ObjectRef::one).then(move |answer| {
        let der = answer["cer"].as_str().and_then(|text| STANDARD.decode(text).ok());
        let der = der.ok_or_else(|| ClientError::Local("There is no certificate yet: it is being made.".into()))?;
        let pem = || format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", *wrapped_base64(&der));
        let content = if in_pem { pem().into_bytes() } else { der };
        files::save(&file, &content, Existing::Keep)?;
        Ok(Value::Null)
    }))
}

fn create_body(args: &CreateCertificate) -> Result<Value, ClientError> {
    let mut policy = policy::read(&args.policy)?;
    if let Some(months) = args.validity {
        policy::set(&mut policy, "x509_props", "validity_months", json!(months));
    }
    let mut body = new_body(&args.disabled, &args.tags);
    body.insert("attributes".into(), json!({ "enabled": !args.disabled.disabled.unwrap_or(false) }));
    body.insert("policy".into(), Value::Object(policy));
    Ok(Value::Object(body))
}

fn import_body(args: &ImportCertificate) -> Result<Value, ClientError> {
    let content = zeroize::Zeroizing::new(files::read(&args.file)?);
    let mut body = new_body(&args.disabled, &args.tags);
    if let Some(policy) = &args.policy {
        let mut policy = policy::read(policy)?;
        if policy.get("secret_props").is_none() {
            let in_pem = CertificateDer::from_pem_slice(&content).is_ok();
            let media = if in_pem { "application/x-pem-file" } else { "application/x-pkcs12" };
            policy::set(&mut policy, "secret_props", "contentType", json!(media));
        }
        body.insert("policy".into(), Value::Object(policy));
    }
    body.insert("value".into(), json!(STANDARD.encode(&*content)));
    if let Some(password) = &args.password {
        body.insert("pwd".into(), json!(*files::text(password)?));
    }
    Ok(Value::Object(body))
}

fn new_body(disabled: &Disabled, given: &Tags) -> Map<String, Value> {
    let mut body = Map::new();
    put(&mut body, "attributes", disabled.disabled.map(|disabled| json!({ "enabled": !disabled })));
    put(&mut body, "tags", tags(given));
    body
}

/// The certificates of a PEM file, in their order.
fn chain(file: &Path) -> Result<Value, ClientError> {
    let content = files::read(file)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    let certificates = read.map_err(|error| local(file.display(), error))?;
    if certificates.is_empty() {
        return Err(local(file.display(), "there is no certificate in this file"));
    }
    Ok(certificates.iter().map(|each| json!(STANDARD.encode(each))).collect())
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
