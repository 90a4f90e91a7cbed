//! The options of each command on keys.

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

/// The key that a command is about.
#[derive(Args)]
pub struct KeyArgs {
    /// Name of the managed HSM
    #[arg(long, conflicts_with_all = ["vault_name", "id"])]
    pub hsm_name: Option<String>,
    /// Name of the vault
    #[arg(long, conflicts_with = "id")]
    pub vault_name: Option<String>,
    /// Name of the key
    #[arg(long, short = 'n', conflicts_with = "id")]
    pub name: Option<String>,
    /// URL of the key (for a deleted one also its recovery id), instead of the names
    #[arg(long)]
    pub id: Option<String>,
}

/// The key version that a command is about.
#[derive(Args)]
pub struct VersionArgs {
    #[command(flatten)]
    pub key: KeyArgs,
    /// Version of the key; the latest if omitted
    #[arg(long, short = 'v')]
    pub version: Option<String>,
}

/// What a new key and a changed key have in common.
#[derive(Args)]
pub struct Traits {
    /// Operations the key may be used for
    #[arg(long, num_args = 0.., value_parser = one_of(OPERATIONS), ignore_case = true)]
    pub ops: Option<Vec<String>>,
    /// When the key expires, in UTC: 2030-12-31T23:59:59Z
    #[arg(long)]
    pub expires: Option<String>,
    /// When the key becomes usable, in UTC
    #[arg(long)]
    pub not_before: Option<String>,
    /// Tags, as name=value; none at all clears them
    #[arg(long, num_args = 0..)]
    pub tags: Option<Vec<String>>,
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
    /// Start with the key disabled
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub disabled: Option<bool>,
    /// The private key can be released
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub exportable: Option<bool>,
    #[command(flatten)]
    pub traits: Traits,
}

/// A command on a key, all its versions together.
#[derive(Args)]
pub struct OneKey {
    #[command(flatten)]
    pub key: KeyArgs,
    #[command(flatten)]
    pub global: Global,
}

/// A command on one version of a key.
#[derive(Args)]
pub struct OneVersion {
    #[command(flatten)]
    pub key: VersionArgs,
    #[command(flatten)]
    pub global: Global,
}

/// `key create`.
#[derive(Args)]
pub struct CreateKey {
    #[command(flatten)]
    pub key: KeyArgs,
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
    pub key: KeyArgs,
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

/// `key list`.
#[derive(Args)]
pub struct ListKeys {
    #[command(flatten)]
    pub host: HostArgs,
    /// Also list keys that belong to a certificate
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub include_managed: Option<bool>,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub global: Global,
}

/// `key list-versions`.
#[derive(Args)]
pub struct ListVersions {
    #[command(flatten)]
    pub key: KeyArgs,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub global: Global,
}

/// `key list-deleted`.
#[derive(Args)]
pub struct ListDeleted {
    #[command(flatten)]
    pub host: HostArgs,
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

/// `key backup`.
#[derive(Args)]
pub struct BackupKey {
    #[command(flatten)]
    pub key: KeyArgs,
    /// File to write
    #[arg(long, short = 'f')]
    pub file: PathBuf,
    #[command(flatten)]
    pub global: Global,
}

/// `key restore`.
#[derive(Args)]
pub struct RestoreKey {
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
    /// Enable or disable the key
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub enabled: Option<bool>,
    #[command(flatten)]
    pub traits: Traits,
    #[command(flatten)]
    pub global: Global,
}

/// `key rotation-policy update`.
#[derive(Args)]
pub struct UpdatePolicy {
    #[command(flatten)]
    pub key: KeyArgs,
    /// The policy: JSON, or a file of it
    #[arg(long)]
    pub value: String,
    #[command(flatten)]
    pub global: Global,
}
