//! What the issuer publishes about itself: OpenID configuration and keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Guid, PublicKey};
use serde::Serialize;

/// Which family of paths a client speaks (contract: az-client §1 C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/{tenant}/oauth2/token`, with `resource`.
    V1,
    /// `/{tenant}/oauth2/v2.0/token`, with `scope`.
    V2,
    /// `/adfs/oauth2/token`, with either.
    AdFs,
}

/// OpenID provider metadata (OpenID Connect Discovery 1.0 §3; RFC 8414 §2, RFC 8628 §4). Two endpoints are named
/// although they only refuse: MSAL does not read on without `authorization_endpoint`, and without
/// `device_authorization_endpoint` az never gets the refusal that says what is wrong.
#[derive(Debug, Serialize)]
pub struct OpenIdConfiguration {
    pub issuer: String,
    /// AD FS's word for the `iss` of access tokens, where it differs from `issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_issuer: Option<String>,
    pub authorization_endpoint: String,
    pub device_authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub token_endpoint_auth_methods_supported: [&'static str; 2],
    pub grant_types_supported: [&'static str; 1],
    pub response_types_supported: [&'static str; 0],
    pub subject_types_supported: [&'static str; 1],
    pub id_token_signing_alg_values_supported: [&'static str; 1],
}

/// The `iss` of every token, as Entra's v1 tokens have it.
pub(crate) fn token_issuer(tenant: Guid) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// The document for a client that came by `base` (`https://localhost:8443`) and wrote `tenant_word` for the tenant.
///
/// MSAL compares `issuer` with the authority: the same scheme, host and port pass, and so do Entra's own hosts
/// (msal 1.39 `Authority.has_valid_issuer`, msal-common 16 `validateIssuer`). In v2.0 it differs from the tokens'
/// `iss`, as Entra's does for v1 tokens.
#[must_use]
pub fn openid_configuration(base: &str, tenant_word: &str, dialect: Dialect, tenant: Guid) -> OpenIdConfiguration {
    let (issuer, version) = match dialect {
        Dialect::V1 => (token_issuer(tenant), ""),
        Dialect::V2 => (format!("{base}/{tenant}/v2.0"), "/v2.0"),
        Dialect::AdFs => (format!("{base}/adfs"), ""),
    };
    let word = if dialect == Dialect::AdFs { "adfs" } else { tenant_word };
    OpenIdConfiguration {
        issuer,
        access_token_issuer: (dialect == Dialect::AdFs).then(|| token_issuer(tenant)),
        authorization_endpoint: format!("{base}/{word}/oauth2{version}/authorize"),
        device_authorization_endpoint: format!("{base}/{word}/oauth2{version}/devicecode"),
        token_endpoint: format!("{base}/{word}/oauth2{version}/token"),
        jwks_uri: format!("{base}/{word}/discovery{version}/keys"),
        token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
        grant_types_supported: ["client_credentials"],
        response_types_supported: [],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
    }
}

/// A JWK set (RFC 7517 §5).
#[derive(Debug, Serialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// A public P-256 key (RFC 7518 §6.2.1).
#[derive(Debug, Serialize)]
pub struct Jwk {
    pub kty: &'static str,
    #[serde(rename = "use")]
    pub key_use: &'static str,
    pub alg: &'static str,
    pub kid: String,
    pub crv: &'static str,
    pub x: String,
    pub y: String,
}

pub(crate) fn jwks(key: &PublicKey, key_id: &str) -> Jwks {
    let jwk = |(x, y)| Jwk { kty: "EC", key_use: "sig", alg: "ES256", kid: key_id.to_owned(), crv: "P-256", x, y };
    Jwks { keys: coordinates(key).map(jwk).into_iter().collect() }
}

fn coordinates(key: &PublicKey) -> Option<(String, String)> {
    match key {
        PublicKey::Ec { curve: domain::Curve::P256, x, y } => {
            Some((URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
        }
        _ => None,
    }
}

/// The id of a key: its JWK thumbprint (RFC 7638 §3). `None` if it is not a P-256 key.
pub(crate) fn thumbprint(key: &PublicKey) -> Option<String> {
    let (x, y) = coordinates(key)?;
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some(URL_SAFE_NO_PAD.encode(engine::sha256(canonical.as_bytes())))
}
