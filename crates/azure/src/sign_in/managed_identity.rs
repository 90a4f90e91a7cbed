//! The managed-identity endpoint: a token for a process of this machine, without a secret of its own.
//!
//! Two styles: a virtual machine's (Azure Instance Metadata Service, api-version 2018-02-01) and App Service's
//! (api-version 2019-08-01). Source: Microsoft's "How to use managed identities … to acquire an access token" and
//! "REST endpoint reference"; contract: az-client §1 C, "managed identity". Who may reach this endpoint is the
//! identity, so it answers this machine only, and nothing a browser can be led to send.

use super::{SignIn, bare_host, not_stored, token::checked};
use crate::{Addresses, Request, Response, reply};
use domain::Guid;
use engine::{Cost, hash_client_secret};
use http::StatusCode;
use identity::{ClientError, Grant, Identity, Issued, Proof};
use serde_json::json;
use std::{net::IpAddr, sync::Arc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    VirtualMachine,
    AppService,
}

/// Why there is no token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub status: StatusCode,
    pub error: &'static str,
    pub message: &'static str,
}

const fn refused(message: &'static str) -> Refused {
    Refused { status: StatusCode::BAD_REQUEST, error: "invalid_request", message }
}

const NOT_FOUND: Refused = refused("Identity not found");

impl Refused {
    fn response(&self, style: Style) -> Response {
        let body = match style {
            Style::VirtualMachine => json!({ "error": self.error, "error_description": self.message }),
            Style::AppService => json!({ "statusCode": self.status.as_u16(), "message": self.message }),
        };
        not_stored(reply::json(self.status, &body))
    }
}

impl SignIn {
    pub(super) async fn machine_token(&self, request: &Request, style: Style) -> Response {
        let answer = async {
            let resource = allowed(request, style, &self.addresses, self.identity_header.as_deref())?;
            let app_id = self.managed_identity.filter(|_| self.identity.issues_tokens()).ok_or(NOT_FOUND)?;
            let chosen = Chosen::read(request)?;
            let identity = Arc::clone(&self.identity);
            let audience = resource.clone();
            let work = move |_: &engine::Engine| Ok(by_platform(&identity, app_id, &chosen, &audience));
            let issued = self.door.run(Cost::Durable, work).await.map_err(|error| failed(&error))??;
            Ok::<_, Refused>(token_body(&issued, app_id, &resource))
        };
        answer.await.unwrap_or_else(|refused| refused.response(style))
    }
}

fn failed(error: &engine::Error) -> Refused {
    tracing::error!(%error, "a managed identity got no token");
    Refused { status: StatusCode::SERVICE_UNAVAILABLE, error: "server_error", message: "Try again later" }
}

fn by_platform(identity: &Identity, app_id: Guid, chosen: &Chosen, audience: &str) -> Result<Issued, Refused> {
    let principal = identity.application(app_id).map_err(|error| match error {
        ClientError::Engine(error) => failed(&error),
        ClientError::UnknownApplication
        | ClientError::NoServicePrincipal
        | ClientError::Disabled
        | ClientError::WrongSecret
        | ClientError::SecretOutOfDate => NOT_FOUND,
    })?;
    if chosen.app_id.is_some_and(|asked| asked != app_id)
        || chosen.object_id.is_some_and(|asked| asked != principal.object_id)
    {
        return Err(NOT_FOUND);
    }
    let grant = Grant { principal: &principal, proof: Proof::Platform, audience, capabilities: Vec::new() };
    identity.issue(&grant).map_err(|error| failed(&error))
}

/// Every number is a string here (contract: az-client §1 C).
fn token_body(issued: &Issued, app_id: Guid, resource: &str) -> Response {
    let lifetime = Issued::LIFETIME_SECONDS.to_string();
    let body = json!({
        "access_token": issued.token,
        "client_id": app_id,
        "expires_in": lifetime,
        "expires_on": issued.expires.0.to_string(),
        "ext_expires_in": lifetime,
        "not_before": issued.issued.0.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    not_stored(reply::json(StatusCode::OK, &body))
}

/// Which identity of the machine is asked for; none: the only one.
#[derive(Debug)]
struct Chosen {
    app_id: Option<Guid>,
    object_id: Option<Guid>,
}

impl Chosen {
    fn read(request: &Request) -> Result<Self, Refused> {
        let guid = |name| request.query(name).map(|text| Guid::parse(text).ok_or(NOT_FOUND)).transpose();
        // By resource id: there are no such resources.
        if ["mi_res_id", "msi_res_id"].iter().any(|name| request.query(name).is_some()) {
            return Err(NOT_FOUND);
        }
        Ok(Self { app_id: guid("client_id")?, object_id: guid("object_id")?.or(guid("principal_id")?) })
    }
}

/// The resource asked for, if the request may ask.
pub(super) fn allowed(
    request: &Request,
    style: Style,
    addresses: &Addresses,
    identity_header: Option<&str>,
) -> Result<String, Refused> {
    let forbidden = |message| Refused { status: StatusCode::FORBIDDEN, error: "forbidden", message };
    if !request.address.to_canonical().is_loopback() {
        return Err(forbidden("The managed identity endpoint answers this machine only"));
    }
    // A forwarded request comes from somebody else; a strange host is a name somebody pointed at us (DNS rebinding).
    if request.header("x-forwarded-for").is_some() || !is_machine_host(bare_host(&request.host), addresses) {
        return Err(forbidden("The managed identity endpoint answers this machine only"));
    }
    match style {
        Style::VirtualMachine => {
            let is_meant = request.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true"));
            if !is_meant {
                return Err(refused("Required metadata header not specified"));
            }
        }
        Style::AppService => {
            let expected = identity_header.ok_or(NOT_FOUND)?;
            let sent = request.header("x-identity-header").unwrap_or_default();
            // Hashes, so that the time this takes says nothing of the secret.
            if hash_client_secret(sent) != hash_client_secret(expected) {
                let message = "The X-IDENTITY-HEADER is missing or wrong";
                return Err(Refused { status: StatusCode::UNAUTHORIZED, error: "unauthorized", message });
            }
        }
    }
    if request.api_version().is_none() {
        return Err(refused("Required query variable 'api-version' is missing"));
    }
    let resource = request.query("resource").ok_or(refused("Required audience parameter not specified"))?;
    checked(resource).ok_or(refused("The audience parameter is not valid"))
}

fn is_machine_host(host: &str, addresses: &Addresses) -> bool {
    // The address a machine of Azure's asks; it arrives by proxy or by a local route.
    const METADATA_ADDRESS: &str = "169.254.169.254";
    host == addresses.domain
        || host == "localhost"
        || host == METADATA_ADDRESS
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
