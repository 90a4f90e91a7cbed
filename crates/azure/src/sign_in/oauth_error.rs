//! Errors of the token endpoint, in Entra's words.
//!
//! Source: RFC 6749 §5.2 for `error`; Entra's "Authentication and authorization error codes" for the numbers and
//! texts; contract: az-client §1 C for those recorded.

use super::not_stored;
use crate::{Response, reply};
use domain::{Guid, UnixTime};
use engine::Error;
use http::{StatusCode, header};
use serde_json::json;

/// What every error says of its request.
pub(super) struct Stamp {
    pub now: UnixTime,
    pub trace_id: Guid,
    pub correlation_id: Guid,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub status: StatusCode,
    pub error: &'static str,
    /// The number behind `AADSTS`.
    pub code: u32,
    pub message: String,
}

/// What a caller wrote, fit to be repeated to it: short, on one line, printable.
fn quoted(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() && *char != '\'').take(128).collect()
}

impl OAuthError {
    fn new(status: StatusCode, error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { status, error, code, message: message.into() }
    }

    fn bad(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, message)
    }

    pub(super) fn malformed() -> Self {
        Self::bad("invalid_request", 9_002_313, "Invalid request. Request is malformed or invalid.")
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::bad("invalid_request", 900_144, message)
    }

    pub(super) fn unknown_tenant(word: &str) -> Self {
        let message = format!(
            "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the \
             correct cloud. Check with your subscription administrator, this may happen if there are no active \
             subscriptions for the tenant.",
            quoted(word)
        );
        Self::bad("invalid_request", 90_002, message)
    }

    /// Entra has no such case; the number is that of a tenant that does not sign in here.
    pub(super) fn no_sign_in(authority: &str) -> Self {
        let message = format!("Nobody signs in here: this installation takes tokens of '{}'.", quoted(authority));
        Self::bad("invalid_request", 90_002, message)
    }

    pub(super) fn unknown_application(app_id: &str, tenant: Guid) -> Self {
        let message = format!(
            "Application with identifier '{}' was not found in the directory '{tenant}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in \
             the tenant. You may have sent your authentication request to the wrong tenant.",
            quoted(app_id)
        );
        Self::bad("unauthorized_client", 700_016, message)
    }

    pub(super) fn no_service_principal(app_id: &str, tenant: Guid) -> Self {
        let message = format!(
            "The client application '{}' is missing service principal in the tenant '{tenant}'.",
            quoted(app_id)
        );
        Self::bad("unauthorized_client", 7_000_229, message)
    }

    pub(super) fn disabled(app_id: &str) -> Self {
        let message = format!("Application '{}' is disabled.", quoted(app_id));
        Self::bad("unauthorized_client", 7_000_112, message)
    }

    pub(super) fn expired_secret(app_id: &str) -> Self {
        let message = format!(
            "The provided client secret keys for app '{}' are expired. Create new keys for the app.",
            quoted(app_id)
        );
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_222, message)
    }

    pub(super) fn wrong_secret(app_id: &str) -> Self {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
             value, not the client secret ID, for a secret added to app '{}'.",
            quoted(app_id)
        );
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, message)
    }

    pub(super) fn missing_secret() -> Self {
        let message =
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_216, message)
    }

    pub(super) fn assertion() -> Self {
        let message = "Client assertions (certificates and federated tokens) are not supported yet. Sign in with a \
                       client secret.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 700_027, message)
    }

    pub(super) fn grant_type(asked: &str) -> Self {
        let message = format!(
            "The grant type '{}' is not supported yet. Sign in as a service principal, with 'client_credentials'.",
            quoted(asked)
        );
        Self::bad("unsupported_grant_type", 70_003, message)
    }

    pub(super) fn user_flow() -> Self {
        let message = "Signing in as a user is not supported yet. Sign in as a service principal: az login \
                       --service-principal.";
        Self::bad("unsupported_response_type", 70_005, message)
    }

    pub(super) fn scope(asked: &str) -> Self {
        let message = format!(
            "The provided value for scope {} is not valid. Client credential flows must have a scope value with \
             /.default suffixed to the resource identifier (application ID URI).",
            quoted(asked)
        );
        Self::bad("invalid_scope", 1_002_012, message)
    }

    pub(super) fn missing_audience() -> Self {
        let message = "The required field 'scope' is missing from the credential. Ensure that you have all the \
                       necessary parameters for the login request.";
        Self::bad("invalid_request", 90_014, message)
    }

    pub(super) fn unknown_instance() -> Self {
        Self::bad("invalid_instance", 50_049, "Unknown or invalid instance.")
    }

    /// The machinery failed, or has too much to do: the client may come again.
    pub(super) fn of_engine(error: &Error) -> Self {
        if matches!(error, Error::Busy) {
            let message = "A transient error has occurred. Please try again.";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", 90_033, message);
        }
        tracing::error!(%error, "a token could not be issued");
        let message = "There was an error issuing a token or an issue with our sign-in service.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", 50_000, message)
    }

    pub(super) fn response(&self, stamp: &Stamp) -> Response {
        let timestamp = stamp.now.to_string().replace('T', " ");
        let description = format!(
            "AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {timestamp}",
            self.code, self.message, stamp.trace_id, stamp.correlation_id
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": stamp.trace_id,
            "correlation_id": stamp.correlation_id,
        });
        let mut response = not_stored(reply::json(self.status, &body));
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6749 §5.2: a client that came by HTTP Basic must see its scheme. It is true for the others too.
            reply::set(&mut response, header::WWW_AUTHENTICATE, "Basic realm=\"token\"");
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            reply::set(&mut response, header::RETRY_AFTER, "1");
        }
        response
    }
}
