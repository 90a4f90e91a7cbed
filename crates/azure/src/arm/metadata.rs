//! `GET /metadata/endpoints`: the addresses of this installation, for `az cloud register` and others. Needs no token.
//!
//! Two shapes: an array of clouds for 2019-05-01 and 2020-06-01, one cloud for everything else
//! (contract: az-client §1 A and §2).

use crate::{Addresses, Request, Response, addresses::is_azure_name, reply};
use domain::ContainerKind;
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cloud {
    name: &'static str,
    authentication: Authentication,
    resource_manager: String,
    graph: String,
    graph_audience: String,
    microsoft_graph_resource_id: String,
    portal: String,
    suffixes: Suffixes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    login_endpoint: String,
    audiences: Vec<String>,
    tenant: String,
    identity_provider: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Suffixes {
    key_vault_dns: String,
    mhsm_dns: String,
}

const ARRAY_VERSIONS: [&str; 3] = ["2018-05-01", "2019-05-01", "2020-06-01"];

pub(crate) fn is_asked_by(request: &Request) -> bool {
    match request.segments().as_slice() {
        [one, two] => one.eq_ignore_ascii_case("metadata") && two.eq_ignore_ascii_case("endpoints"),
        _ => false,
    }
}

pub(crate) fn endpoints(addresses: &Addresses, request: &Request) -> Response {
    let cloud = if is_azure_name(&request.host) { azure_cloud(addresses) } else { own_cloud(addresses) };
    if request.api_version().is_some_and(|version| ARRAY_VERSIONS.contains(&version)) {
        return reply::json(StatusCode::OK, &[cloud]);
    }
    reply::json(StatusCode::OK, &cloud)
}

/// The login endpoint is the `/adfs` authority: with it `az` asks nobody else whether the authority is genuine, so
/// that no further setting is needed (contract: az-client §1 C). Both kinds of authority exist. Where clients sign in
/// elsewhere, it is what they add the tenant to.
fn own_cloud(addresses: &Addresses) -> Cloud {
    let base = addresses.base_url();
    let graph = format!("{base}/");
    Cloud {
        name: "Strongroom",
        authentication: Authentication {
            login_endpoint: addresses.foreign_login().map_or_else(|| format!("{base}/adfs"), str::to_owned),
            audiences: vec![format!("{base}/"), base.clone()],
            tenant: addresses.tenant.to_string(),
            identity_provider: "AAD",
        },
        resource_manager: format!("{base}/"),
        graph: graph.clone(),
        graph_audience: graph.clone(),
        microsoft_graph_resource_id: graph,
        portal: base,
        suffixes: Suffixes {
            key_vault_dns: addresses.suffix(ContainerKind::Vault),
            mhsm_dns: addresses.suffix(ContainerKind::ManagedHsm),
        },
    }
}

/// For clients that came by Azure's own names: they stay there.
fn azure_cloud(addresses: &Addresses) -> Cloud {
    let graph = "https://graph.microsoft.com/".to_owned();
    Cloud {
        name: "AzureCloud",
        authentication: Authentication {
            login_endpoint: addresses.foreign_login().unwrap_or("https://login.microsoftonline.com").to_owned(),
            audiences: vec![
                "https://management.core.windows.net/".to_owned(),
                "https://management.azure.com/".to_owned(),
            ],
            tenant: addresses.tenant.to_string(),
            identity_provider: "AAD",
        },
        resource_manager: "https://management.azure.com/".to_owned(),
        graph: graph.clone(),
        graph_audience: graph.clone(),
        microsoft_graph_resource_id: graph,
        portal: "https://portal.azure.com".to_owned(),
        suffixes: Suffixes { key_vault_dns: "vault.azure.net".to_owned(), mhsm_dns: "managedhsm.azure.net".to_owned() },
    }
}
