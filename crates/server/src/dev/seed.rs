//! What a development installation begins with.

use super::connection::Credentials;
use crate::{Failure, private_file};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    ContainerKind, ContainerName, Guid, ResourceGroup, ResourceId, Sku, Subscription, Tags,
    access::{Caller, GLOBAL_ADMINISTRATOR, RoleDefinition, Scope, azure_roles, directory_roles, hsm_roles},
    lifecycle::PolicyAmendment,
};
use engine::{
    ContainerRequest, CreationTerms, Engine, Entropy, Error, Foundation, HsmSettings, NewPrincipal, ProfileRequest,
    VaultSettings, hash_client_secret,
};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// Names, ids and secrets of a development installation, kept in its folder so that they survive a restart.
#[derive(Serialize, Deserialize)]
pub struct Seed {
    pub tenant: Guid,
    pub subscription: Guid,
    pub administrator: Credentials,
    /// What a client of the managed-identity endpoint has to show, in the style of App Service.
    pub identity_header: String,
    /// One principal per role, under the role's name in capitals; `NOBODY` holds none.
    pub principals: Vec<(String, Credentials)>,
}

pub const RESOURCE_GROUP: &str = "dev";
pub const LOCATION: &str = "eastus";
pub const VAULT: &str = "devvault";
pub const HSM: &str = "devhsm";
/// The system record that marks a state as a development server's.
pub const PLANTED: &str = "dev-planted";

impl Seed {
    /// Reads the seed of a folder, or makes one.
    pub fn load_or_make(path: &Path, entropy: &dyn Entropy) -> Result<Self, Failure> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .map_err(|error| format!("{} is not a seed of this program: {error}", path.display()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let seed = Self::make(entropy);
                let text = serde_json::to_vec_pretty(&seed)?;
                private_file::write(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(seed)
            }
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    fn make(entropy: &dyn Entropy) -> Self {
        let roles = azure_roles().iter().chain(hsm_roles()).chain(directory_roles()).map(|role| shell_name(&role.name));
        let names = roles.chain(["NOBODY".to_owned()]);
        Self {
            tenant: guid(entropy),
            subscription: guid(entropy),
            administrator: credentials(entropy),
            identity_header: secret(entropy),
            principals: names.map(|name| (name, credentials(entropy))).collect(),
        }
    }

    /// Local roles that hold in every managed HSM of this installation: each role's own principal, and for the
    /// administrator what the tutorial asks somebody to have: Administrator, Crypto Officer, Crypto User.
    pub fn hsm_grants(&self) -> Vec<(Guid, Guid)> {
        let own = self.holders(hsm_roles());
        let tutorial = ["Managed HSM Administrator", "Managed HSM Crypto Officer", "Managed HSM Crypto User"];
        let administrator = hsm_roles()
            .iter()
            .filter(|role| tutorial.contains(&role.name.as_str()))
            .map(|role| (self.administrator.object_id, role.id));
        own.chain(administrator).collect()
    }

    fn holders<'a>(&'a self, roles: &'a [RoleDefinition]) -> impl Iterator<Item = (Guid, Guid)> + 'a {
        roles.iter().filter_map(|role| {
            let name = shell_name(&role.name);
            let (_, holder) = self.principals.iter().find(|(of, _)| *of == name)?;
            Some((holder.object_id, role.id))
        })
    }

    fn foundation(&self) -> Foundation {
        let scope = Scope::new(&format!("/subscriptions/{}", self.subscription));
        let administrator = azure_roles()
            .iter()
            .filter(|role| ["Owner", "Key Vault Administrator"].contains(&role.name.as_str()))
            .map(|role| (self.administrator.object_id, role.id));
        let grants = self.holders(azure_roles()).chain(administrator);
        let global_administrator = (self.administrator.object_id, GLOBAL_ADMINISTRATOR);
        let named = self.principals.iter().map(|(name, credentials)| (name.as_str(), credentials));
        Foundation {
            subscriptions: vec![Subscription {
                id: self.subscription,
                tenant: self.tenant,
                display_name: "Development".to_owned(),
                undeletable: false,
            }],
            resource_groups: vec![ResourceGroup {
                subscription: self.subscription,
                name: RESOURCE_GROUP.to_owned(),
                location: LOCATION.to_owned(),
                tags: Tags::new(),
            }],
            principals: named.chain([("Administrator", &self.administrator)]).map(principal).collect(),
            grants: grants.map(|(principal, role)| (principal, role, scope.clone())).collect(),
            directory_grants: self.holders(directory_roles()).chain([global_administrator]).collect(),
        }
    }

    /// Lays the seed into an engine. What is there already stays as it is; what was deleted stays deleted.
    pub fn plant(&self, engine: &Engine) -> Result<(), Error> {
        if engine.system_record(PLANTED)?.is_some() {
            return Ok(());
        }
        engine.lay_foundation(&self.foundation())?;
        for kind in ContainerKind::ALL {
            let request = self.container(kind);
            if let Some(request) = request {
                engine.put_container(&self.caller(engine), &request)?;
            }
        }
        engine.put_system_record(PLANTED, b"1")
    }

    fn container(&self, kind: ContainerKind) -> Option<ContainerRequest> {
        let (name, family, sku, profile) = match kind {
            ContainerKind::Vault => (VAULT, "A", "premium", ProfileRequest::Vault(VaultSettings::default())),
            ContainerKind::ManagedHsm => {
                let admins = Some(vec![self.administrator.object_id.to_string()]);
                let settings = HsmSettings { initial_admins: admins, ..HsmSettings::default() };
                (HSM, "B", "Standard_B1", ProfileRequest::ManagedHsm(settings))
            }
        };
        Some(ContainerRequest {
            name: ContainerName::parse(name)?,
            resource: ResourceId { subscription: self.subscription, resource_group: RESOURCE_GROUP.to_owned() },
            location: LOCATION.to_owned(),
            tenant: Some(self.tenant),
            tags: Tags::new(),
            sku: Sku { family: family.to_owned(), name: sku.to_owned() },
            policy: PolicyAmendment::default(),
            profile,
            creation: CreationTerms::default(),
        })
    }

    fn caller(&self, engine: &Engine) -> Caller {
        let who = &self.administrator;
        Caller { app_id: Some(who.app_id), ..Caller::new(self.tenant, who.object_id, engine.new_guid()) }
    }
}

fn principal((name, credentials): (&str, &Credentials)) -> NewPrincipal {
    NewPrincipal {
        object_id: credentials.object_id,
        app_id: credentials.app_id,
        display_name: name.to_owned(),
        secret_hash: hash_client_secret(&credentials.secret),
    }
}

fn credentials(entropy: &dyn Entropy) -> Credentials {
    Credentials { app_id: guid(entropy), object_id: guid(entropy), secret: secret(entropy) }
}

fn secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn guid(entropy: &dyn Entropy) -> Guid {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    Guid::from_random(bytes)
}

/// `Key Vault Crypto User` as a shell variable's name.
fn shell_name(role: &str) -> String {
    role.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' }).collect()
}
