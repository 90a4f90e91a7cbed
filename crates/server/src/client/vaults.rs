//! Commands on vaults and managed HSMs themselves: their options, and the calls to the control plane.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::error::ClientError;
use super::grammar::{Global, one_of};
use super::session::Session;
use super::shape;
use super::target::segment;
use super::values::tagged;

/// Commands on vaults and managed HSMs.
#[derive(Subcommand)]
pub enum VaultCommand {
    /// Create a vault or a managed HSM
    Create(Box<Create>),
    /// Show a vault or a managed HSM
    Show(One),
    /// List vaults and managed HSMs
    List(List),
    /// Change a vault or a managed HSM
    #[command(visible_alias = "update-hsm")]
    Update(Update),
    /// Delete a vault or a managed HSM; it can be recovered until it is purged
    Delete(One),
    /// List deleted vaults and managed HSMs
    ListDeleted(ListDeleted),
    /// Show a deleted vault or managed HSM
    ShowDeleted(OneDeleted),
    /// Bring a deleted vault or managed HSM back
    Recover(OneDeleted),
    /// Destroy a deleted vault or managed HSM for ever
    Purge(OneDeleted),
}

impl VaultCommand {
    /// The options that every command has.
    pub fn global(&self) -> &Global {
        match self {
            VaultCommand::Create(args) => &args.global,
            VaultCommand::Show(args) | VaultCommand::Delete(args) => &args.global,
            VaultCommand::List(args) => &args.global,
            VaultCommand::Update(args) => &args.global,
            VaultCommand::ListDeleted(args) => &args.global,
            VaultCommand::ShowDeleted(args) | VaultCommand::Recover(args) | VaultCommand::Purge(args) => &args.global,
        }
    }
}

/// Name of a vault or of a managed HSM.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("container").required(true).args(["name", "hsm_name"]))]
pub struct Name {
    /// Name of the vault
    #[arg(long, short = 'n')]
    pub name: Option<String>,
    /// Name of the managed HSM
    #[arg(long)]
    pub hsm_name: Option<String>,
}

/// `create`.
#[derive(Args)]
pub struct Create {
    #[command(flatten)]
    pub name: Name,
    /// Resource group
    #[arg(long, short = 'g')]
    pub resource_group: String,
    /// Location; that of the resource group if omitted
    #[arg(long, short = 'l')]
    pub location: Option<String>,
    /// Object ids of the first administrators (managed HSM)
    #[arg(long, num_args = 1..)]
    pub administrators: Vec<String>,
    /// Days that deleted things are kept: 7 to 90; 90 for a vault if omitted
    #[arg(long)]
    pub retention_days: Option<u32>,
    /// SKU: standard or premium for a vault; Standard_B1 and others for a managed HSM
    #[arg(long)]
    pub sku: Option<String>,
    /// Tags, as name=value
    #[arg(long, num_args = 0..)]
    pub tags: Option<Vec<String>>,
    /// Do not give the caller an access policy (vault without role-based access)
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub no_self_perms: Option<bool>,
    #[command(flatten)]
    pub switches: Switches,
    #[command(flatten)]
    pub global: Global,
}

/// What can be chosen at creation and changed later.
#[derive(Args)]
pub struct Switches {
    /// Nothing can be purged before its time; this cannot be undone
    #[arg(long, short = 'e', num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub enable_purge_protection: Option<bool>,
    /// Roles decide who may do what, not access policies (vault)
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub enable_rbac_authorization: Option<bool>,
    /// Whether the data plane answers clients on public networks
    #[arg(long, value_parser = one_of(&["Disabled", "Enabled"]), ignore_case = true)]
    pub public_network_access: Option<String>,
    /// Do not wait until the operation has ended
    #[arg(long)]
    pub no_wait: bool,
}

/// `update`.
#[derive(Args)]
pub struct Update {
    #[command(flatten)]
    pub name: Name,
    /// Resource group; looked up if omitted
    #[arg(long, short = 'g')]
    pub resource_group: Option<String>,
    /// Days that deleted things are kept; only the value chosen at creation is accepted
    #[arg(long)]
    pub retention_days: Option<u32>,
    #[command(flatten)]
    pub switches: Switches,
    #[command(flatten)]
    pub global: Global,
}

/// A command on a live vault or managed HSM.
#[derive(Args)]
pub struct One {
    #[command(flatten)]
    pub name: Name,
    /// Resource group; looked up if omitted
    #[arg(long, short = 'g')]
    pub resource_group: Option<String>,
    /// Do not wait until the operation has ended
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub global: Global,
}

/// A command on a deleted vault or managed HSM.
#[derive(Args)]
pub struct OneDeleted {
    #[command(flatten)]
    pub name: Name,
    /// Resource group it was in; recovery to another one is refused
    #[arg(long, short = 'g')]
    pub resource_group: Option<String>,
    /// Location; looked up if omitted
    #[arg(long, short = 'l')]
    pub location: Option<String>,
    /// Do not wait until the operation has ended
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub global: Global,
}

/// `list`.
#[derive(Args)]
pub struct List {
    /// Resource group
    #[arg(long, short = 'g')]
    pub resource_group: Option<String>,
    /// Only vaults, or only managed HSMs
    #[arg(long, value_parser = one_of(&["vault", "hsm"]), ignore_case = true)]
    pub resource_type: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// `list-deleted`.
#[derive(Args)]
pub struct ListDeleted {
    /// Only vaults, or only managed HSMs
    #[arg(long, value_parser = one_of(&["vault", "hsm"]), ignore_case = true)]
    pub resource_type: Option<String>,
    #[command(flatten)]
    pub global: Global,
}

/// What differs between vaults and managed HSMs on the control plane.
struct Kind {
    word: &'static str,
    option: &'static str,
    live: &'static str,
    deleted: &'static str,
    origin: &'static str,
    recover: &'static str,
}

const VAULT: Kind = Kind {
    word: "Vault",
    option: "vault",
    live: "vaults",
    deleted: "deletedVaults",
    origin: "vaultId",
    recover: "recover",
};
/// Azure is particular about the capital letter of this one's create mode.
const HSM: Kind = Kind {
    word: "HSM",
    option: "hsm",
    live: "managedHSMs",
    deleted: "deletedManagedHSMs",
    origin: "mhsmId",
    recover: "Recover",
};

impl Name {
    fn read(&self) -> (&'static Kind, &str) {
        match (&self.name, &self.hsm_name) {
            (Some(name), _) => (&VAULT, name),
            (None, name) => (&HSM, name.as_deref().unwrap_or_default()),
        }
    }
}

/// Carries a command out and gives what is to be printed.
pub fn carry_out(session: &mut Session<'_>, command: &VaultCommand) -> Result<Value, ClientError> {
    let mut plane = Plane { provider: provider(session)?, session };
    match command {
        VaultCommand::Create(args) => plane.create(args),
        VaultCommand::Show(args) => {
            let path = plane.path(&args.name, args.resource_group.as_deref())?;
            Ok(shape::container(&plane.session.arm_get(&path)?))
        }
        VaultCommand::List(args) => {
            let place = match &args.resource_group {
                Some(group) => group_provider(&subscription(plane.session)?, group),
                None => plane.provider.clone(),
            };
            plane.list(args.resource_type.as_deref(), &place, |kind| kind.live)
        }
        VaultCommand::Update(args) => plane.update(args),
        VaultCommand::Delete(args) => {
            let path = plane.path(&args.name, args.resource_group.as_deref())?;
            plane.remove("DELETE", &path, args.no_wait)
        }
        VaultCommand::ListDeleted(args) => {
            let place = plane.provider.clone();
            plane.list(args.resource_type.as_deref(), &place, |kind| kind.deleted)
        }
        VaultCommand::ShowDeleted(args) => Ok(shape::container(&plane.deleted(args)?)),
        VaultCommand::Recover(args) => plane.recover(args),
        VaultCommand::Purge(args) => {
            let (kind, name) = args.name.read();
            let location = segment(&plane.location(args)?);
            let path = format!("{}/locations/{location}/{}/{}/purge", plane.provider, kind.deleted, segment(name));
            plane.remove("POST", &path, args.no_wait)
        }
    }
}

pub fn subscription(session: &Session<'_>) -> Result<String, ClientError> {
    let id = session.settings().subscription.as_deref();
    id.map(|id| format!("/subscriptions/{}", segment(id))).ok_or_else(|| {
        ClientError::Usage(
            "Say which subscription: --subscription, or STRONGROOM_SUBSCRIPTION in the environment.".into(),
        )
    })
}

fn provider(session: &Session<'_>) -> Result<String, ClientError> {
    Ok(format!("{}/providers/Microsoft.KeyVault", subscription(session)?))
}

/// The control plane of one subscription.
struct Plane<'s, 'w> {
    session: &'s mut Session<'w>,
    provider: String,
}

impl Plane<'_, '_> {
    /// The path of a live vault or managed HSM. Without its resource group it is looked for by name, as az does.
    fn path(&mut self, name: &Name, group: Option<&str>) -> Result<String, ClientError> {
        let (kind, name) = name.read();
        let group = match group {
            Some(group) => group.to_owned(),
            None => self.group_of(kind, name)?,
        };
        Ok(resource_path(&subscription(self.session)?, &group, kind, name))
    }

    fn group_of(&mut self, kind: &Kind, name: &str) -> Result<String, ClientError> {
        let all = self.session.arm_list(&format!("{}/{}", self.provider, kind.live))?;
        let id = all.iter().filter_map(|each| each["id"].as_str()).find(|id| last(id).eq_ignore_ascii_case(name));
        id.and_then(shape::resource_group).map(str::to_owned).ok_or_else(|| {
            ClientError::NotFound(format!("The {} '{name}' was not found in the subscription.", kind.word))
        })
    }

    /// Lists a collection of vaults, of managed HSMs, or of both.
    fn list(&mut self, only: Option<&str>, place: &str, of: fn(&Kind) -> &'static str) -> Result<Value, ClientError> {
        let mut found = Vec::new();
        for kind in [&VAULT, &HSM] {
            if only.is_none_or(|only| only == kind.option) {
                found.extend(self.session.arm_list(&format!("{place}/{}", of(kind)))?);
            }
        }
        Ok(found.iter().map(shape::container).collect())
    }

    fn create(&mut self, args: &Create) -> Result<Value, ClientError> {
        let (kind, name) = args.name.read();
        let path = resource_path(&subscription(self.session)?, &args.resource_group, kind, name);
        if kind.live == VAULT.live {
            // A second PUT would silently replace the settings of the vault.
            match self.session.arm("GET", &path, None) {
                Ok(answer) if answer.status == 200 => {
                    return Err(ClientError::Local(format!("The vault '{name}' already exists.")));
                }
                Err(ClientError::Service(refused)) if refused.status == 404 => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        let location = match &args.location {
            Some(location) => location.clone(),
            None => self.location_of_group(&args.resource_group)?,
        };
        let body = self.create_body(args, &location)?;
        self.change("PUT", &path, &body, args.switches.no_wait)
    }

    fn create_body(&self, args: &Create, location: &str) -> Result<Value, ClientError> {
        let mut properties = properties(&args.switches);
        properties.insert("tenantId".into(), json!(self.tenant()?));
        properties.insert("enableSoftDelete".into(), json!(true));
        let mut body = Map::from_iter([("location".to_owned(), json!(location))]);
        if let Some(words) = &args.tags {
            body.insert("tags".into(), tagged(words));
        }
        if args.name.name.is_some() {
            let by_role = args.switches.enable_rbac_authorization.unwrap_or(true);
            properties.insert("enableRbacAuthorization".into(), json!(by_role));
            let alone = by_role || args.no_self_perms.unwrap_or(false);
            properties.insert("accessPolicies".into(), if alone { json!([]) } else { self.own_policy()? });
            properties.insert("softDeleteRetentionInDays".into(), json!(args.retention_days.unwrap_or(90)));
            let sku = args.sku.as_deref().unwrap_or("standard");
            properties.insert("sku".into(), json!({ "family": "A", "name": sku }));
        } else {
            let days = args.retention_days;
            let days = days.ok_or_else(|| ClientError::Usage("A managed HSM needs --retention-days.".into()))?;
            if args.administrators.is_empty() {
                return Err(ClientError::Usage("A managed HSM needs --administrators.".into()));
            }
            properties.insert("softDeleteRetentionInDays".into(), json!(days));
            properties.insert("initialAdminObjectIds".into(), json!(args.administrators));
            body.insert("sku".into(), hsm_sku(args.sku.as_deref().unwrap_or("Standard_B1")));
        }
        body.insert("properties".into(), Value::Object(properties));
        Ok(Value::Object(body))
    }

    /// An access policy that lets the caller do everything.
    fn own_policy(&self) -> Result<Value, ClientError> {
        let caller = self.session.settings().object_id.as_deref().ok_or_else(|| {
            ClientError::Usage(
                "The caller's object id is not known: add --no-self-perms, and grant access later.".into(),
            )
        })?;
        let all = json!({ "keys": ["all"], "secrets": ["all"], "certificates": ["all"], "storage": ["all"] });
        Ok(json!([{ "tenantId": self.tenant()?, "objectId": caller, "permissions": all }]))
    }

    fn update(&mut self, args: &Update) -> Result<Value, ClientError> {
        let path = self.path(&args.name, args.resource_group.as_deref())?;
        let mut properties = properties(&args.switches);
        if let Some(by_role) = args.switches.enable_rbac_authorization {
            properties.insert("enableRbacAuthorization".into(), json!(by_role));
        }
        if let Some(days) = args.retention_days {
            properties.insert("softDeleteRetentionInDays".into(), json!(days));
        }
        self.change("PATCH", &path, &json!({ "properties": properties }), args.switches.no_wait)
    }

    fn recover(&mut self, args: &OneDeleted) -> Result<Value, ClientError> {
        let (kind, name) = args.name.read();
        let deleted = self.deleted(args)?;
        let group = deleted["properties"][kind.origin].as_str().and_then(shape::resource_group).unwrap_or_default();
        if let Some(asked) = args.resource_group.as_deref().filter(|asked| !asked.eq_ignore_ascii_case(group)) {
            return Err(ClientError::Usage(format!(
                "The {} '{name}' can only be recovered to its resource group '{group}', not to '{asked}'.",
                kind.word
            )));
        }
        // The server knows tenant and SKU; the schema asks for them all the same.
        let mut properties = json!({ "tenantId": self.tenant()?, "createMode": kind.recover });
        let mut body = json!({ "location": deleted["properties"]["location"] });
        if kind.live == VAULT.live {
            properties["sku"] = json!({ "family": "A", "name": "standard" });
        } else {
            body["sku"] = hsm_sku("Standard_B1");
        }
        body["properties"] = properties;
        let path = resource_path(&subscription(self.session)?, group, kind, name);
        self.change("PUT", &path, &body, args.no_wait)
    }

    /// Changes a resource and, unless told otherwise, waits until it has settled.
    fn change(&mut self, method: &'static str, path: &str, body: &Value, no_wait: bool) -> Result<Value, ClientError> {
        let answer = self.session.arm(method, path, Some(body))?;
        if no_wait {
            return Ok(Value::Null);
        }
        self.session.finish(answer)?;
        Ok(shape::container(&self.session.settle(path)?))
    }

    /// Deletes or purges, and unless told otherwise waits for the end of it. There is nothing to print.
    fn remove(&mut self, method: &'static str, path: &str, no_wait: bool) -> Result<Value, ClientError> {
        let answer = self.session.arm(method, path, None)?;
        if !no_wait {
            self.session.finish(answer)?;
        }
        Ok(Value::Null)
    }

    fn deleted(&mut self, args: &OneDeleted) -> Result<Value, ClientError> {
        let (kind, name) = args.name.read();
        if let Some(location) = &args.location {
            let place = format!("{}/locations/{}/{}", self.provider, segment(location), kind.deleted);
            return self.session.arm_get(&format!("{place}/{}", segment(name)));
        }
        let all = self.session.arm_list(&format!("{}/{}", self.provider, kind.deleted))?;
        let origin = |each: &Value| each["properties"][kind.origin].as_str().map(last).unwrap_or_default().to_owned();
        all.into_iter()
            .find(|each| origin(each).eq_ignore_ascii_case(name))
            .ok_or_else(|| ClientError::NotFound(format!("No deleted {} with the name '{name}' was found.", kind.word)))
    }

    fn location(&mut self, args: &OneDeleted) -> Result<String, ClientError> {
        if let Some(location) = &args.location {
            return Ok(location.clone());
        }
        let deleted = self.deleted(args)?;
        Ok(deleted["properties"]["location"].as_str().unwrap_or_default().to_owned())
    }

    fn location_of_group(&mut self, group: &str) -> Result<String, ClientError> {
        let path = format!("{}/resourcegroups/{}", subscription(self.session)?, segment(group));
        Ok(self.session.arm_get(&path)?["location"].as_str().unwrap_or_default().to_owned())
    }

    fn tenant(&self) -> Result<&str, ClientError> {
        let tenant = self.session.settings().tenant.as_deref();
        tenant.ok_or_else(|| ClientError::Usage("Say which tenant: STRONGROOM_TENANT in the environment.".into()))
    }
}

fn group_provider(subscription: &str, group: &str) -> String {
    format!("{subscription}/resourceGroups/{}/providers/Microsoft.KeyVault", segment(group))
}

fn resource_path(subscription: &str, group: &str, kind: &Kind, name: &str) -> String {
    format!("{}/{}/{}", group_provider(subscription, group), kind.live, segment(name))
}

/// The last segment of a resource id: the name.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

/// The family of a managed HSM's SKU is the letter after the underscore.
fn hsm_sku(name: &str) -> Value {
    let family: String = name.split('_').nth(1).unwrap_or("B").chars().take(1).collect();
    json!({ "family": family, "name": name })
}

/// The switches that vaults and managed HSMs share.
fn properties(switches: &Switches) -> Map<String, Value> {
    let mut properties = Map::new();
    if let Some(protected) = switches.enable_purge_protection {
        properties.insert("enablePurgeProtection".into(), json!(protected));
    }
    if let Some(access) = &switches.public_network_access {
        properties.insert("publicNetworkAccess".into(), json!(access));
    }
    properties
}

#[cfg(test)]
#[path = "vaults_tests.rs"]
mod tests;
