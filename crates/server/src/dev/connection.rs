//! How to reach a development server: for people, and as shell assignments for scripts.

use super::seed::{self, Seed};
use azure::Addresses;
use domain::{ContainerKind, Guid};
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, path::PathBuf};

/// What a principal signs in with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub app_id: Guid,
    pub object_id: Guid,
    pub secret: String,
}

/// The facts of a running development server.
pub struct Connection<'a> {
    pub addresses: &'a Addresses,
    pub seed: &'a Seed,
    pub ca_file: PathBuf,
    pub port: u16,
}

impl Connection<'_> {
    fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Shell assignments, one a line, safe to `source`.
    pub fn assignments(&self) -> String {
        let administrator = &self.seed.administrator;
        let mut facts = vec![
            ("BASE_URL".to_owned(), self.addresses.base_url()),
            ("AUTHORITY".to_owned(), self.addresses.base_url()),
            ("VAULT_SUFFIX".to_owned(), self.addresses.suffix(ContainerKind::Vault)),
            ("HSM_SUFFIX".to_owned(), self.addresses.suffix(ContainerKind::ManagedHsm)),
            ("CA_FILE".to_owned(), self.ca_file.display().to_string()),
            ("TENANT".to_owned(), self.seed.tenant.to_string()),
            ("APP_ID".to_owned(), administrator.app_id.to_string()),
            ("APP_SECRET".to_owned(), administrator.secret.clone()),
            ("OBJECT_ID".to_owned(), administrator.object_id.to_string()),
            ("SUBSCRIPTION".to_owned(), self.seed.subscription.to_string()),
            ("CLIENT_PROXY".to_owned(), self.proxy()),
            ("MANAGED_IDENTITY_ENDPOINT".to_owned(), format!("{}/msi/token", self.proxy())),
            ("MANAGED_IDENTITY_HEADER".to_owned(), self.seed.identity_header.clone()),
            ("RESOURCE_GROUP".to_owned(), seed::RESOURCE_GROUP.to_owned()),
            ("LOCATION".to_owned(), seed::LOCATION.to_owned()),
        ];
        for (name, credentials) in &self.seed.principals {
            facts.push((format!("{name}_APP_ID"), credentials.app_id.to_string()));
            facts.push((format!("{name}_APP_SECRET"), credentials.secret.clone()));
            facts.push((format!("{name}_OBJECT_ID"), credentials.object_id.to_string()));
        }
        facts.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name}='{}'", value.replace('\'', r"'\''"));
            text
        })
    }

    /// The lines to paste, for az, the SDKs and curl. `env_file` holds the assignments.
    pub fn instructions(&self, env_file: &str) -> String {
        let base = self.addresses.base_url();
        let (vault, hsm) = (seed::VAULT, seed::HSM);
        let vault_url = self.addresses.container_url(ContainerKind::Vault, vault, "");
        let hsm_url = self.addresses.container_url(ContainerKind::ManagedHsm, hsm, "");
        let (group, location) = (seed::RESOURCE_GROUP, seed::LOCATION);
        format!(
            "\
Strongroom is ready at {base}
  vault        {vault_url}
  managed HSM  {hsm_url}
  facts        {env_file}   (ids, secrets and addresses, as shell assignments)

Every shell begins with
  set -a; . {env_file}; set +a

az, with the names of Azure (through the built-in proxy; only for this shell):
  export HTTPS_PROXY=$CLIENT_PROXY REQUESTS_CA_BUNDLE=$CA_FILE AZURE_CONFIG_DIR=$(mktemp -d)
  az login --service-principal -u $APP_ID -p $APP_SECRET --tenant $TENANT
  az keyvault create --hsm-name contosohsm -g {group} -l {location} --administrators $OBJECT_ID --retention-days 7
  az keyvault key create --hsm-name contosohsm -n mykey --kty RSA-HSM --size 3072 --ops wrapKey unwrapKey

az, as a cloud of its own:
  export HTTPS_PROXY=$CLIENT_PROXY REQUESTS_CA_BUNDLE=$CA_FILE AZURE_CONFIG_DIR=$(mktemp -d)
  az cloud register -n Strongroom --endpoint-resource-manager $BASE_URL && az cloud set -n Strongroom
  az login --service-principal -u $APP_ID -p $APP_SECRET --tenant $TENANT
  az keyvault key create --vault-name {vault} -n mykey --kty EC --curve P-256

SDKs:
  export HTTPS_PROXY=$CLIENT_PROXY REQUESTS_CA_BUNDLE=$CA_FILE SSL_CERT_FILE=$CA_FILE NODE_EXTRA_CA_CERTS=$CA_FILE
  export AZURE_AUTHORITY_HOST=$AUTHORITY AZURE_TENANT_ID=$TENANT AZURE_CLIENT_ID=$APP_ID AZURE_CLIENT_SECRET=$APP_SECRET
  (give the credential disable_instance_discovery=True, or disableInstanceDiscovery: true)
  or, as a managed identity: export AZURE_POD_IDENTITY_AUTHORITY_HOST=$CLIENT_PROXY
  or, in App Service's style: export IDENTITY_ENDPOINT=$MANAGED_IDENTITY_ENDPOINT IDENTITY_HEADER=$MANAGED_IDENTITY_HEADER

curl:
  TOKEN=$(curl -s --cacert $CA_FILE $AUTHORITY/$TENANT/oauth2/v2.0/token -d grant_type=client_credentials \\
    -d client_id=$APP_ID -d client_secret=$APP_SECRET -d scope=https://managedhsm.azure.net/.default \\
    | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')
  curl -s --cacert $CA_FILE -H \"Authorization: Bearer $TOKEN\" '{hsm_url}/keys?api-version=7.5'
"
        )
    }
}
