//! Options that commands share, and those of the commands on keys.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::grammar::{Global, one_of};

const KEY_TYPES: &[&str] = &["EC", "EC-HSM", "RSA", "RSA-HSM", "oct", "oct-HSM"];
const CURVES: &[&str] = &["P-256", "P-256K", "P-384", "P-521"];
const OPERATIONS: &[&str] = &["decrypt", "encrypt", "export", "import", "sign", "unwrapKey", "verify", "wrapKey"];
const CIPHERS: &[&str] = &[
    "A128CBC",
    "A128CBCPAD",
    "A128GCM",
    "A192CBC",
    "A192CBCPAD",
    "A192GCM",
    "A256CBC",
    "A256CBCPAD",
    "A256GCM",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA1_5",
];
const SIGNATURES: &[&str] = &[
    "ES256", "ES256K", "ES384", "ES512", "HS256", "HS384", "HS512", "PS256", "PS384", "PS512", "RS256", "RS384",
    "RS512",
];

/// The vault or managed HSM that a command is about.
#[derive(Args)]
pub struct HostArgs {
    /// Name of the managed HSM
    #[arg(long, conflicts_with_all = ["vault_name", "id"])]
    pub hsm_name: Option<String>,
    /// Name of the vault
    #[arg(long, conflicts_with = "id")]
    pub vault_name: Option<String>,
    /// URL of the vault or managed HSM, instead of its name
    #[arg(long)]
    pub id: Option<String>,
}

/// The key, secret or certificate that a command is about.
#[derive(Args)]
pub struct ObjectArgs {
    /// Name of the managed HSM
    #[arg(long, conflicts_with_all = ["vault_name", "id"])]
    pub hsm_name: Option<String>,
    /// Name of the vault
    #[arg(long, conflicts_with = "id")]
    pub vault_name: Option<String>,
    /// Its name
    #[arg(long, short = 'n', conflicts_with = "id")]
    pub name: Option<String>,
    /// Its URL (if deleted also its recovery id), instead of the names
    #[arg(long)]
    pub id: Option<String>,
}

/// The version that a command is about.
#[derive(Args)]
pub struct VersionArgs {
    #[command(flatten)]
    pub object: ObjectArgs,
    /// Version; the latest if omitted
    #[arg(long, short = 'v')]
    pub version: Option<String>,
}

/// Between which moments something can be used.
#[derive(Args)]
pub struct Period {
    /// When it expires, in UTC: 2030-12-31T23:59:59Z
    #[arg(long)]
    pub expires: Option<String>,
    /// When it becomes usable, in UTC
    #[arg(long)]
    pub not_before: Option<String>,
}

/// Tags.
#[derive(Args)]
pub struct Tags {
    /// Tags, as name=value; none at all clears them
    #[arg(long, num_args = 0..)]
    pub tags: Option<Vec<String>>,
}

/// Whether something starts disabled.
#[derive(Args)]
pub struct Disabled {
    /// Start with it disabled
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub disabled: Option<bool>,
}

/// Whether something is enabled from now on.
#[derive(Args)]
pub struct Enabled {
    /// Enable or disable it
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub enabled: Option<bool>,
}

/// What a new key and a changed key have in common.
#[derive(Args)]
pub struct Traits {
    /// Operations the key may be used for
    #[arg(long, num_args = 0.., value_parser = one_of(OPERATIONS), ignore_case = true)]
    pub ops: Option<Vec<String>>,
    #[command(flatten)]
    pub period: Period,
    #[command(flatten)]
    pub tags: Tags,
    /// Rules under which the key can be released: JSON, or a file of it
    #[arg(long)]
    pub policy: Option<String>,
    /// The release policy can never be changed
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new(), requires = "policy")]
    pub immutable: Option<bool>,
}

/// What only a new key can be told.
#[derive(Args)]
pub struct NewTraits {
    /// Protection of the key
    #[arg(long, short = 'p', value_parser = one_of(&["hsm", "software"]), ignore_case = true)]
    pub protection: Option<String>,
    #[command(flatten)]
    pub disabled: Disabled,
    /// The private key can be released
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub exportable: Option<bool>,
    #[command(flatten)]
    pub traits: Traits,
}

/// A command on a key, secret or certificate, all its versions together.
#[derive(Args)]
pub struct OneObject {
    #[command(flatten)]
    pub object: ObjectArgs,
    #[command(flatten)]
    pub global: Global,
}

/// A command on one version.
#[derive(Args)]
pub struct OneVersion {
    #[command(flatten)]
    pub object: VersionArgs,
    #[command(flatten)]
    pub global: Global,
}

/// `key create`.
#[derive(Args)]
pub struct CreateKey {
    #[command(flatten)]
    pub key: ObjectArgs,
    /// Type of the key: RSA if omitted, EC if there is a curve
    #[arg(long, value_parser = one_of(KEY_TYPES), ignore_case = true)]
    pub kty: Option<String>,
    /// Size in bits: 2048, 3072 or 4096 for RSA; 128, 192 or 256 for oct
    #[arg(long)]
    pub size: Option<u32>,
    /// Elliptic curve
    #[arg(long, value_parser = one_of(CURVES), ignore_case = true)]
    pub curve: Option<String>,
    #[command(flatten)]
    pub new: NewTraits,
    #[command(flatten)]
    pub global: Global,
}

/// `key import`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct ImportKey {
    #[command(flatten)]
    pub key: ObjectArgs,
    /// PEM file with an unencrypted private key (PKCS#8, PKCS#1 or SEC 1)
    #[arg(long, group = "source")]
    pub pem_file: Option<PathBuf>,
    /// The same as text
    #[arg(long, group = "source", allow_hyphen_values = true)]
    pub pem_string: Option<String>,
    #[command(flatten)]
    pub new: NewTraits,
    #[command(flatten)]
    pub global: Global,
}

/// `list-versions`.
#[derive(Args)]
pub struct ListVersions {
    #[command(flatten)]
    pub object: ObjectArgs,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub global: Global,
}

/// How much of a list to print.
#[derive(Args)]
pub struct Limit {
    /// The most entries to print
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub maxresults: Option<u32>,
}

/// `key encrypt`.
#[derive(Args)]
pub struct Encrypt {
    #[command(flatten)]
    pub key: VersionArgs,
    /// Algorithm
    #[arg(long, short = 'a', value_parser = one_of(CIPHERS), ignore_case = true)]
    pub algorithm: String,
    /// What to encrypt
    #[arg(long)]
    pub value: String,
    #[command(flatten)]
    pub data: DataType,
    /// Initialization vector in hexadecimal: required for AES-CBC, refused for AES-GCM
    #[arg(long)]
    pub iv: Option<String>,
    /// Data authenticated but not encrypted, in hexadecimal: AES-GCM only
    #[arg(long)]
    pub aad: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// `key decrypt`.
#[derive(Args)]
pub struct Decrypt {
    #[command(flatten)]
    pub key: VersionArgs,
    /// Algorithm
    #[arg(long, short = 'a', value_parser = one_of(CIPHERS), ignore_case = true)]
    pub algorithm: String,
    /// What to decrypt, in base64
    #[arg(long)]
    pub value: String,
    #[command(flatten)]
    pub data: DataType,
    /// Initialization vector in hexadecimal
    #[arg(long)]
    pub iv: Option<String>,
    /// Data that was authenticated but not encrypted, in hexadecimal
    #[arg(long)]
    pub aad: Option<String>,
    /// Authentication tag of AES-GCM, in hexadecimal
    #[arg(long)]
    pub tag: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// In which form an unencrypted value is given or printed.
#[derive(Args)]
pub struct DataType {
    /// Form of the unencrypted value
    #[arg(long, value_parser = one_of(&["base64", "plaintext"]), ignore_case = true, default_value = "base64")]
    pub data_type: String,
}

/// `key sign`.
#[derive(Args)]
pub struct Sign {
    #[command(flatten)]
    pub key: VersionArgs,
    /// Algorithm
    #[arg(long, short = 'a', value_parser = one_of(SIGNATURES), ignore_case = true)]
    pub algorithm: String,
    /// Digest to sign, in base64
    #[arg(long)]
    pub digest: String,
    #[command(flatten)]
    pub global: Global,
}

/// `key verify`.
#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    pub key: VersionArgs,
    /// Algorithm
    #[arg(long, short = 'a', value_parser = one_of(SIGNATURES), ignore_case = true)]
    pub algorithm: String,
    /// Digest that was signed, in base64
    #[arg(long)]
    pub digest: String,
    /// Signature, in base64
    #[arg(long)]
    pub signature: String,
    #[command(flatten)]
    pub global: Global,
}

/// `key random`.
#[derive(Args)]
pub struct Random {
    #[command(flatten)]
    pub host: HostArgs,
    /// How many bytes
    #[arg(long)]
    pub count: u32,
    #[command(flatten)]
    pub global: Global,
}

/// `key set-attributes`.
#[derive(Args)]
pub struct SetAttributes {
    #[command(flatten)]
    pub key: VersionArgs,
    #[command(flatten)]
    pub enabled: Enabled,
    #[command(flatten)]
    pub traits: Traits,
    #[command(flatten)]
    pub global: Global,
}

/// `key rotation-policy update`.
#[derive(Args)]
pub struct UpdatePolicy {
    #[command(flatten)]
    pub key: ObjectArgs,
    /// The policy: JSON, or a file of it
    #[arg(long)]
    pub value: String,
    #[command(flatten)]
    pub global: Global,
}
