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
    access::{Scope, azure_roles},
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
}

/// Makes the root key, if the configuration names a key file that is not there yet, the database, a subscription, a
/// resource group and an administrator, whose secret is printed this once.
///
/// # Errors
/// The state exists already, or a file can't be written.
pub fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(&args.config)?;
    let database = config.database();
    if database.exists() {
        return Err(format!("{} exists: init never touches an existing installation", database.display()).into());
    }
    private_file::make_folder(&config.state).map_err(|error| format!("{}: {error}", config.state.display()))?;
    let _lock = wiring::lock(&database)?;
    make_root(&config)?;
    let root = serve::root_key(&config)?;
    let engine = wiring::engine(&database, root, Arc::new(SystemClock), serve::HSM_DEFAULTS)?;
    let secret = secret();
    let (foundation, administrator) = foundation(&args, &config, &engine, &secret);
    engine.lay_foundation(&foundation)?;
    let subscription = foundation.subscriptions.first().map(|subscription| subscription.id);
    console::line(&format!(
        "\
{database} is made. Keep the root key and a copy of the state apart: one is worth nothing without the other.

The administrator signs in with (the secret is shown this once):
TENANT='{tenant}'
SUBSCRIPTION='{subscription}'
APP_ID='{app}'
OBJECT_ID='{object}'
APP_SECRET='{secret}'",
        database = database.display(),
        tenant = config.tenant,
        subscription = subscription.map(|id| id.to_string()).unwrap_or_default(),
        app = administrator.app_id,
        object = administrator.object_id,
    ));
    Ok(())
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

fn foundation(args: &Args, config: &Config, engine: &Engine, secret: &str) -> (Foundation, NewPrincipal) {
    let administrator = NewPrincipal {
        object_id: engine.new_guid(),
        app_id: engine.new_guid(),
        display_name: "Administrator".to_owned(),
        secret_hash: hash_client_secret(secret),
    };
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
    let owner = azure_roles().iter().find(|role| role.name == "Owner");
    let foundation = Foundation {
        subscriptions: vec![subscription],
        resource_groups: vec![group],
        principals: vec![administrator.clone()],
        grants: owner.map(|role| (administrator.object_id, role.id, Scope::root())).into_iter().collect(),
    };
    (foundation, administrator)
}

fn secret() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
