//! The headers of every answer (contract: key-vault §1.2).

use crate::{Request, Response, reply};
use domain::{ContainerKind, push_address};
use http::{HeaderName, HeaderValue, header};
use std::net::IpAddr;

const X_MS_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const X_MS_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const X_MS_KEYVAULT_REGION: HeaderName = HeaderName::from_static("x-ms-keyvault-region");
const X_MS_KEYVAULT_NETWORK_INFO: HeaderName = HeaderName::from_static("x-ms-keyvault-network-info");

/// A vault's. The version is ours, not Azure's.
const VAULT: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
    (header::EXPIRES, HeaderValue::from_static("-1")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000;includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("x-ms-keyvault-service-version"), HeaderValue::from_static(env!("CARGO_PKG_VERSION"))),
];

/// A managed HSM's.
const MANAGED_HSM: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("x-ms-build-version"), HeaderValue::from_static(env!("CARGO_PKG_VERSION"))),
];

/// Puts a kind's headers on an answer. `location` is the container's, if the request found one and came that far.
pub(super) fn stamp(response: &mut Response, kind: ContainerKind, location: Option<&str>, request: &Request) {
    let headers = response.headers_mut();
    let fixed = match kind {
        ContainerKind::Vault => VAULT,
        ContainerKind::ManagedHsm => MANAGED_HSM,
    };
    headers.extend(fixed);
    if let Some(asked) = request.headers.get(&X_MS_CLIENT_REQUEST_ID) {
        headers.insert(X_MS_CLIENT_REQUEST_ID, asked.clone());
    }
    reply::set(response, X_MS_REQUEST_ID, request.id.to_string());
    if let Some(location) = location {
        reply::set(response, X_MS_KEYVAULT_REGION, location);
        reply::set(response, X_MS_KEYVAULT_NETWORK_INFO, network_info(request.address));
    }
}

fn network_info(address: IpAddr) -> String {
    let (connection, family) = match address {
        IpAddr::V4(_) => ("Ipv4", "InterNetwork"),
        IpAddr::V6(_) => ("Ipv6", "InterNetworkV6"),
    };
    let mut text = String::with_capacity(96);
    text.extend(["conn_type=", connection, ";addr="]);
    push_address(&mut text, address);
    text.extend([";act_addr_fam=", family, ";"]);
    text
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
