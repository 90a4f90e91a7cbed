//! The headers of every answer, by kind.

use super::*;
use crate::data_plane::testkit::request;
use http::StatusCode;

fn stamped(kind: ContainerKind, location: Option<&str>) -> String {
    let mut request = request("GET", "/keys");
    request.headers.insert(X_MS_CLIENT_REQUEST_ID, HeaderValue::from_static("mine"));
    let mut response = reply::empty(StatusCode::OK);
    stamp(&mut response, kind, location, &request);
    let mut lines: Vec<String> =
        response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn of_a_vault() {
    insta::assert_snapshot!(stamped(ContainerKind::Vault, Some("eastus")));
}

#[test]
fn of_a_managed_hsm() {
    insta::assert_snapshot!(stamped(ContainerKind::ManagedHsm, None));
}
