//! Discovery: what an authority says of itself before anybody signs in (contract: az-client §1 C).

use super::{SignIn, bare_host, oauth_error::OAuthError};
use crate::{Addresses, Request, Response, addresses::is_azure_name, reply};
use domain::Guid;
use http::StatusCode;
use identity::{Dialect, openid_configuration};
use serde_json::{Value, json};
use std::net::IpAddr;

/// Entra's own hosts, which are one authority (msal 1.39, `authority.py`).
const ENTRA_HOSTS: [&str; 4] =
    ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];

impl SignIn {
    pub(super) fn configuration(
        &self,
        request: &Request,
        tenant: &str,
        dialect: Dialect,
    ) -> Result<Response, OAuthError> {
        self.known_tenant(tenant)?;
        let base = base(&self.addresses, &request.host);
        let document = openid_configuration(&base, tenant, dialect, self.addresses.tenant);
        Ok(reply::json(StatusCode::OK, &document))
    }

    pub(super) fn keys(&self, tenant: &str) -> Result<Response, OAuthError> {
        self.known_tenant(tenant)?;
        Ok(reply::json(StatusCode::OK, &self.identity.jwks()))
    }

    pub(super) fn instance(&self, request: &Request) -> Result<Response, OAuthError> {
        let endpoint = request.query("authorization_endpoint").unwrap_or_default();
        let body = instance(&self.addresses, endpoint).ok_or_else(OAuthError::unknown_instance)?;
        Ok(reply::json(StatusCode::OK, &body))
    }

    pub(super) fn known_tenant(&self, word: &str) -> Result<(), OAuthError> {
        if is_known_tenant(&self.addresses, word) { Ok(()) } else { Err(OAuthError::unknown_tenant(word)) }
    }
}

/// Our one tenant, by its id or domain, or one of the words that leave the tenant open.
pub(super) fn is_known_tenant(addresses: &Addresses, word: &str) -> bool {
    let open = ["common", "organizations", "adfs"].iter().any(|open| word.eq_ignore_ascii_case(open));
    open || word.eq_ignore_ascii_case(&addresses.domain) || Guid::parse(word) == Some(addresses.tenant)
}

/// The scheme and host to name endpoints under: those the request came by, so that a client stays with the name it
/// knows and trusts. A host that is none of ours is not repeated.
pub(super) fn base(addresses: &Addresses, host: &str) -> String {
    if is_our_host(addresses, host) { format!("https://{host}") } else { addresses.base_url() }
}

fn is_our_host(addresses: &Addresses, host: &str) -> bool {
    let bare = bare_host(host);
    let is_below = |domain: &str| bare.strip_suffix(domain).is_some_and(|name| name.ends_with('.'));
    let is_loopback = || bare == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    is_plain && (bare == addresses.domain || is_below(&addresses.domain) || is_azure_name(host) || is_loopback())
}

/// Instance discovery: which hosts share tokens, and where the authority of an authorization endpoint describes
/// itself. `None` if that authority is not ours. MSAL for Python asks by host name, MSAL for JavaScript by host and
/// port, so both are named.
pub(super) fn instance(addresses: &Addresses, authorization_endpoint: &str) -> Option<Value> {
    let rest = authorization_endpoint.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let tenant = path.split('/').next().filter(|tenant| is_known_tenant(addresses, tenant))?;
    if !is_our_host(addresses, &host) {
        return None;
    }
    let entra = json!({
        "preferred_network": "login.microsoftonline.com",
        "preferred_cache": "login.windows.net",
        "aliases": ENTRA_HOSTS,
    });
    let bare = bare_host(&host);
    let mut metadata = vec![entra];
    if !ENTRA_HOSTS.contains(&bare) {
        let aliases = if bare == host { vec![bare] } else { vec![host.as_str(), bare] };
        metadata.push(json!({ "preferred_network": host, "preferred_cache": host, "aliases": aliases }));
    }
    let version = if tenant.eq_ignore_ascii_case("adfs") { "" } else { "/v2.0" };
    Some(json!({
        "tenant_discovery_endpoint": format!("https://{host}/{tenant}{version}/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": metadata,
    }))
}
