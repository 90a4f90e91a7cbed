//! `strongroom init`: makes the state that `strongroom serve` needs.

use crate::{
    Failure,
    config::{Config, Root},
    console, private_file, serve, wiring,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use custody::{Entropy as _, PassphraseParameters, RootKey, SystemEntropy};
use domain::{
    Guid, ResourceGroup, Subscription, Tags,
    access::{GLOBAL_ADMINISTRATOR, Scope, azure_roles},
    metering::Prices,
};
use engine::{Engine, Foundation, NewPrincipal, SystemClock, hash_client_secret};
use std::{path::PathBuf, sync::Arc};

/// The options of `strongroom init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "PATH")]
    pub config: PathBuf,
    /// The name of the first resource group
    #[arg(long, default_value = "default")]
    pub resource_group: String,
    /// The location that the first resource group is given
    #[arg(long, default_value = "local")]
    pub location: String,
    /// What is deleted in this installation only the scheduler purges
    #[arg(long)]
    pub undeletable: bool,
    /// Somebody who becomes Owner and Global Administrator: the object id that the external issuer's tokens say
    #[arg(long, value_name = "OBJECT_ID", value_parser = guid)]
    pub administrator: Option<Guid>,
    /// The same, by the subject (`sub`) that the external issuer's tokens say
    #[arg(long, value_name = "SUB", conflicts_with = "administrator")]
    pub administrator_subject: Option<String>,
}

fn guid(text: &str) -> Result<Guid, String> {
    Guid::parse(text).ok_or_else(|| "expected a GUID: 11111111-2222-3333-4444-555555555555".to_owned())
}

/// Makes the root key, if the configuration names a key file that is not there yet, the database, a subscription, a
/// resource group and an administrator: an application of the embedded issuer's, whose secret is printed this once, and
/// whoever of the external issuer's is named.
///
/// # Errors
/// The state exists already, nobody could administer it, or a file can't be written.
pub fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    let named = named_administrator(&args, &config)?;
    let database = config.database();
    if database.exists() {
        return Err(format!("{} exists: init never touches an existing installation", database.display()).into());
    }
    private_file::make_folder(&config.state).map_err(|error| format!("{}: {error}", config.state.display()))?;
    let _lock = wiring::lock(&database)?;
    make_root(&config)?;
    let root = serve::root_key(&config)?;
    let engine =
        wiring::engine(&database, root, Arc::new(SystemClock), serve::HSM_DEFAULTS, Prices::default(), Vec::new())?;
    let application = config.identity.embedded.then(|| Application::new(&engine));
    let foundation = foundation(&args, &config, &engine, application.as_ref(), named);
    engine.lay_foundation(&foundation)?;
    let subscription = foundation.subscriptions.first().map(|subscription| subscription.id.to_string());
    console::line(&format!(
        "\
{database} is made. Keep the root key and a copy of the state apart: one is worth nothing without the other.

The audit log's checkpoints are verified with this key. Write it down where nobody can change it:
{key}

TENANT='{tenant}'
SUBSCRIPTION='{subscription}'",
        database = database.display(),
        key = engine.audit_verifier(),
        tenant = config.tenant,
        subscription = subscription.unwrap_or_default(),
    ));
    if let Some(Application { principal, secret }) = &application {
        console::line(&format!(
            "
The administrator signs in with (the secret is shown this once):
APP_ID='{app}'
OBJECT_ID='{object}'
APP_SECRET='{secret}'",
            app = principal.app_id,
            object = principal.object_id,
        ));
    }
    if let Some(object) = named {
        console::line(&format!(
            "\nOwner and Global Administrator, with tokens of the external issuer:\nADMINISTRATOR_OBJECT_ID='{object}'"
        ));
    }
    Ok(())
}

/// Who of the external issuer's is to be Owner and Global Administrator.
fn named_administrator(args: &Args, config: &Config) -> Result<Option<Guid>, Failure> {
    let external = config.identity.external.as_ref();
    let named = match (args.administrator, &args.administrator_subject, external) {
        (Some(object), _, Some(_)) => Some(object),
        (None, Some(subject), Some(external)) => Some(identity::subject_id(external.issuer.as_str(), subject)),
        (None, None, _) => None,
        (Some(_), _, None) | (None, Some(_), None) => {
            let message = "an administrator can be named only with an [identity.external]: without it, the one that init \
                           makes is the only one who can sign in";
            return Err(message.into());
        }
    };
    if named.is_none() && !config.identity.embedded {
        let message = "with `embedded = false` init makes no administrator who could sign in: name one with \
                       --administrator OBJECT_ID or --administrator-subject SUB";
        return Err(message.into());
    }
    Ok(named)
}

fn make_root(config: &Config) -> Result<(), Failure> {
    match &config.root {
        Root::KeyFile(path) if path.exists() => private_file::refuse_exposed(path)?,
        Root::KeyFile(path) => {
            let (_, text) = RootKey::new_key_file(&SystemEntropy)?;
            private_file::write(path, text.expose()).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Root::PassphraseFile(path) => {
            private_file::refuse_exposed(path)?;
            let parameters = serde_json::to_vec_pretty(&PassphraseParameters::recommended(&SystemEntropy))?;
            private_file::write(&serve::parameters_file(config), &parameters)?;
        }
    }
    Ok(())
}

/// An application that signs in with the embedded issuer, and its secret.
struct Application {
    principal: NewPrincipal,
    secret: String,
}

impl Application {
    fn new(engine: &Engine) -> Self {
        let secret = secret();
        let principal = NewPrincipal {
            object_id: engine.new_guid(),
            app_id: engine.new_guid(),
            display_name: "Administrator".to_owned(),
            secret_hash: hash_client_secret(&secret),
        };
        Self { principal, secret }
    }
}

fn foundation(
    args: &Args,
    config: &Config,
    engine: &Engine,
    application: Option<&Application>,
    named: Option<Guid>,
) -> Foundation {
    let subscription = Subscription {
        id: engine.new_guid(),
        tenant: Guid::from_u128(config.tenant.as_u128()),
        display_name: "Default".to_owned(),
        undeletable: args.undeletable,
    };
    let group = ResourceGroup {
        subscription: subscription.id,
        name: args.resource_group.clone(),
        location: args.location.clone(),
        tags: Tags::new(),
    };
    let principals: Vec<NewPrincipal> =
        application.map(|application| application.principal.clone()).into_iter().collect();
    let administrators = || principals.iter().map(|principal| principal.object_id).chain(named);
    let owner = azure_roles().iter().find(|role| role.name == "Owner");
    let grants = administrators().filter_map(|object| Some((object, owner?.id, Scope::root()))).collect();
    let directory_grants = administrators().map(|object| (object, GLOBAL_ADMINISTRATOR)).collect();
    let (subscriptions, resource_groups) = (vec![subscription], vec![group]);
    Foundation { subscriptions, resource_groups, principals, grants, directory_grants }
}

fn secret() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
