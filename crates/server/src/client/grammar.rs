//! The command line of the client: the options of `az keyvault`, by the same names.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use domain::ObjectKind;

use super::arguments::*;
use super::certificates::CertificateCommand;
use super::identity::IdentityCommand;
use super::lifecycle::{LifeCommand, help_of};
use super::secrets::SecretCommand;
use super::usage::Usage;
use super::vaults::VaultCommand;

/// Commands of the client.
#[derive(Subcommand)]
pub enum Command {
    /// The commands for vaults, managed HSMs and what is in them, as az spells them
    Keyvault(Group),
    #[command(flatten)]
    Direct(Action),
    /// The directory: users, groups, service principals and their secrets
    #[command(subcommand)]
    Identity(Box<IdentityCommand>),
}

/// Everything that may follow the word `keyvault`.
#[derive(Args)]
pub struct Group {
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with a vault, a managed HSM or what is in it.
#[derive(Subcommand)]
pub enum Action {
    /// Keys of a vault or a managed HSM
    #[command(subcommand, mut_subcommands = help_of(ObjectKind::Key))]
    Key(Box<KeyCommand>),
    /// Secrets of a vault
    #[command(subcommand, mut_subcommands = help_of(ObjectKind::Secret))]
    Secret(Box<SecretCommand>),
    /// Certificates of a vault
    #[command(subcommand, mut_subcommands = help_of(ObjectKind::Certificate))]
    Certificate(Box<CertificateCommand>),
    #[command(flatten)]
    Vault(Box<VaultCommand>),
    /// What was used in a month and what it costs
    Usage(Box<Usage>),
}

/// How to print, and which server to ask. Every command takes these.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Global")]
pub struct Global {
    /// Output format; a table on a terminal, JSON otherwise. There is no --query: pipe the JSON into jq
    #[arg(long, short = 'o', value_parser = one_of(FORMATS), ignore_case = true)]
    pub output: Option<String>,
    /// Base URL of the server [env: STRONGROOM_URL] [default: https://localhost:8443]
    #[arg(long)]
    pub url: Option<String>,
    /// PEM file with the certificate authority to trust [env: STRONGROOM_CA]
    #[arg(long)]
    pub ca_file: Option<PathBuf>,
    /// Connection file, as `strongroom dev` writes it [env: STRONGROOM_ENV_FILE] [default: .strongroom/dev.env]
    #[arg(long)]
    pub env_file: Option<PathBuf>,
    /// Subscription id
    #[arg(long)]
    pub subscription: Option<String>,
    /// Accepted because az has it: nothing but errors is printed to standard error anyway
    #[arg(long, hide = true)]
    pub only_show_errors: bool,
}

const FORMATS: &[&str] = &["json", "jsonc", "table", "tsv", "csv", "none"];

/// One of a list, in any case; the answer has the case of the list, since the wire is particular about it.
pub fn one_of(list: &'static [&'static str]) -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(list).map(move |given| {
        list.iter().find(|known| known.eq_ignore_ascii_case(&given)).map_or(given.clone(), |known| (*known).to_owned())
    })
}

/// Commands on keys. Where `--version` is the key's, the program's own must give way.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Create a key, or a new version of it
    Create(CreateKey),
    /// Import a private key from a PEM file
    Import(ImportKey),
    #[command(flatten)]
    Life(LifeCommand),
    /// Encrypt a short value; the server does it
    #[command(disable_version_flag = true)]
    Encrypt(Encrypt),
    /// Decrypt a value
    #[command(disable_version_flag = true)]
    Decrypt(Decrypt),
    /// Sign a digest
    #[command(disable_version_flag = true)]
    Sign(Sign),
    /// Verify the signature of a digest
    #[command(disable_version_flag = true)]
    Verify(Verify),
    /// Make a new version by the key's rotation policy
    Rotate(OneObject),
    /// Random bytes from a managed HSM
    Random(Random),
    /// Change a key's attributes, operations or tags
    #[command(disable_version_flag = true)]
    SetAttributes(SetAttributes),
    /// The rotation policy of a key
    #[command(subcommand)]
    RotationPolicy(PolicyCommand),
}

impl KeyCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        use KeyCommand as Key;
        use PolicyCommand as Policy;
        match self {
            Key::Life(command) => command.global(),
            Key::Rotate(args) => &args.global,
            Key::RotationPolicy(Policy::Show(args)) => &args.global,
            Key::RotationPolicy(Policy::Update(args)) => &args.global,
            Key::Create(args) => &args.global,
            Key::Import(args) => &args.global,
            Key::Encrypt(args) => &args.global,
            Key::Decrypt(args) => &args.global,
            Key::Sign(args) => &args.global,
            Key::Verify(args) => &args.global,
            Key::Random(args) => &args.global,
            Key::SetAttributes(args) => &args.global,
        }
    }
}

/// Commands on rotation policies.
#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Show the rotation policy of a key
    Show(OneObject),
    /// Replace the rotation policy of a key
    Update(UpdatePolicy),
}
