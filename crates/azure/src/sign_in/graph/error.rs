//! Refusals in Graph's words.
//!
//! Source: Microsoft Graph "Error responses and resource types"; texts as the service writes them where a client's
//! documents or code quote them (azure-cli 2.91 looks for some), else chosen.

use super::{SignIn, not_stored};
use crate::{Request, Response, bearer::Unauthenticated, json::BadBody, reply};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{DirectoryRefusal, Refusal};
use engine::Error;
use http::{StatusCode, header};
use serde_json::json;

/// Graph's own application id, which may stand for its name as an audience.
pub(super) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// The value of `WWW-Authenticate`.
    challenge: Option<String>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), challenge: None }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    pub(super) fn unsupported_query() -> Self {
        let message = "Unsupported or invalid query filter clause.";
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    /// No object of this id where it was looked for.
    pub(super) fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{}' does not exist or one of its queried reference-property objects are not present.",
            quoted(id)
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    pub(super) fn no_segment(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{}'.", quoted(segment));
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn method(method: &str) -> Self {
        let message = format!("The HTTP method '{method}' is not supported here.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message)
    }

    /// Something Graph has and the directory here has not. Accepted, it would be a false promise.
    pub(super) fn not_kept(what: &str) -> Self {
        Self::bad(format!("Not supported yet: '{}'.", quoted(what)))
    }
}

impl From<BadBody> for Refused {
    fn from(BadBody(what): BadBody) -> Self {
        Self::bad(what)
    }
}

/// What a caller wrote, fit to be repeated: short and printable.
fn quoted(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(128).collect()
}

/// What the engine refused or failed, of a request about `id`.
pub(super) fn of_engine(error: &Error, id: &str) -> Refused {
    match error {
        Error::Refused(refusal) => of_refusal(refusal, id),
        Error::Busy | Error::Store(_) | Error::Custody(_) | Error::Broken(_) => {
            if !matches!(error, Error::Busy) {
                tracing::error!(%error, "the directory failed");
            }
            let message = "The service is temporarily unavailable.";
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceNotAvailable", message)
        }
    }
}

pub(crate) fn of_refusal(refusal: &Refusal, id: &str) -> Refused {
    match refusal {
        Refusal::Forbidden { .. } => {
            let message = "Insufficient privileges to complete the operation.";
            Refused::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
        }
        Refusal::PrincipalNotFound | Refusal::RoleAssignmentNotFound => Refused::not_found(id),
        Refusal::RoleDefinitionNotFound => Refused::bad("The role definition is not one of this directory."),
        Refusal::RoleAssignmentExists => Refused::bad(
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ),
        Refusal::ParameterInvalid { parameter, reason } => {
            Refused::bad(format!("Invalid value specified for property '{parameter}': {reason}."))
        }
        Refusal::Directory(refusal) => of_directory(refusal, id),
        Refusal::LastAdministrator { of } => {
            Refused::bad(format!("Nobody would be left who administers {of}: give somebody else that role first."))
        }
        // No operation on the directory ends so.
        other => Refused::bad(format!("Refused: {other}.")),
    }
}

fn of_directory(refusal: &DirectoryRefusal, id: &str) -> Refused {
    let taken = |property| format!("Another object with the same value for property {property} already exists.");
    let reference = |text: &str| format!("One or more {text} for the following modified properties: 'members'.");
    match refusal {
        DirectoryRefusal::ObjectIdTaken => Refused::bad(taken("id")),
        DirectoryRefusal::UserNameTaken => Refused::bad(taken("userPrincipalName")),
        DirectoryRefusal::ApplicationNotFound => Refused::bad(format!(
            "The appId '{}' of the service principal does not reference a valid application object.",
            quoted(id)
        )),
        DirectoryRefusal::ServicePrincipalExists => Refused::new(
            StatusCode::CONFLICT,
            "Request_MultipleObjectsWithSameKeyValue",
            format!(
                "The service principal cannot be created, updated, or restored because the service principal name {} \
                 is already in use.",
                quoted(id)
            ),
        ),
        DirectoryRefusal::MemberExists => Refused::bad(reference("added object references already exist")),
        DirectoryRefusal::MemberNotFound => Refused::not_found(id),
        DirectoryRefusal::MembershipCycle => {
            Refused::bad("A group can't be a member of itself, not even through other groups.")
        }
        DirectoryRefusal::SecretNotFound => Refused::bad("No password credential found with keyId."),
    }
}

impl SignIn {
    pub(super) fn graph_unauthenticated(&self, request: &Request, reason: &Unauthenticated) -> Refused {
        let authority = self.addresses.authority_url(&request.host);
        let challenge = format!(
            "Bearer realm=\"\", authorization_uri=\"{authority}/oauth2/authorize\", client_id=\"{GRAPH_APP_ID}\""
        );
        let (message, challenge) = match reason {
            Unauthenticated::Missing => ("Access token is empty.".to_owned(), challenge),
            Unauthenticated::Rejected(error) => {
                // Makes a client drop the token it has and fetch a new one (contract: az-client §4.7).
                let now = self.identity.now().0;
                let claims = json!({ "access_token": { "nbf": { "essential": true, "value": now.to_string() } } });
                let claims = STANDARD.encode(claims.to_string());
                let challenge = format!("{challenge}, error=\"insufficient_claims\", claims=\"{claims}\"");
                (format!("Access token validation failure: {error}."), challenge)
            }
        };
        let refused = Refused::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        Refused { challenge: Some(challenge), ..refused }
    }

    pub(super) fn graph_error(&self, request: &Request, refused: &Refused) -> Response {
        let stamp = self.stamp(request);
        let date = stamp.now.to_string();
        let body = json!({ "error": {
            "code": refused.code,
            "message": refused.message,
            "innerError": {
                "date": date.trim_end_matches('Z'),
                "request-id": stamp.trace_id,
                "client-request-id": stamp.correlation_id,
            },
        } });
        let mut response = not_stored(reply::json(refused.status, &body));
        if let Some(challenge) = &refused.challenge {
            reply::set(&mut response, header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
