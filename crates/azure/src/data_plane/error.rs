//! How requests fail on the wire: the one place where the engine's refusals become status, code and text.
//!
//! Codes and statuses are exact, texts are those of contract key-vault §2 where it has them. A managed HSM ends every
//! text with the request's id and has no inner codes (contract: key-vault §1.3).

mod texts;
mod words;

use super::route::NoRoute;
use crate::{Response, json::BadBody, reply};
use domain::{Container, ContainerKind, Guid, ObjectKind, Refusal, access::Caller};
use engine::Error;
use http::{HeaderValue, StatusCode, header};

/// Why a request to the data plane is not answered as asked.
#[derive(Debug)]
pub(super) enum Problem {
    Engine(Error),
    /// The request is not as documented. Never quotes what may be secret.
    BadParameter(String),
    /// Documented, and not there yet.
    NotSupported(&'static str),
    NoRoute(NoRoute),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(Error::Refused(refusal))
    }
}

impl From<BadBody> for Problem {
    fn from(BadBody(reason): BadBody) -> Self {
        Self::BadParameter(reason)
    }
}

/// What error texts mention.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub kind: ContainerKind,
    /// As the request's host has it.
    pub container_name: &'a str,
    /// `None` as long as it is not found, or if it is not live.
    pub container: Option<&'a Container>,
    pub caller: Option<&'a Caller>,
    pub host: &'a str,
    pub method: &'a str,
    pub request_id: Guid,
    /// The kind of object that the request is about.
    pub object: ObjectKind,
    /// Of the object, as the path has it.
    pub name: &'a str,
    pub version: Option<&'a str>,
    /// What the digest of a signature is called in the request: `value`, but `digest` where `value` is the signature.
    pub digest_property: &'static str,
}

impl Problem {
    /// The answer to the request that failed so.
    pub(super) fn response(&self, place: &Place<'_>) -> Response {
        match self {
            Self::Engine(Error::Refused(refusal)) => {
                let (status, code, inner) = words::meaning(refusal, place);
                error(place, status, code, inner, words::text(refusal, place))
            }
            Self::Engine(Error::Busy) => busy(place),
            Self::Engine(fault @ (Error::Store(_) | Error::Custody(_) | Error::Broken(_))) => broken(fault, place),
            Self::BadParameter(reason) => error(place, StatusCode::BAD_REQUEST, "BadParameter", None, reason.clone()),
            // 400 and not 501: clients retry what is in the five hundreds (contract: az-client §4.3).
            Self::NotSupported(what) => {
                error(place, StatusCode::BAD_REQUEST, "NotSupported", None, texts::not_supported(what))
            }
            Self::NoRoute(NoRoute::NotFound) => {
                error(place, StatusCode::NOT_FOUND, "NotFound", None, "There is nothing at this path.".to_owned())
            }
            Self::NoRoute(NoRoute::MethodNotAllowed(allowed)) => method_not_allowed(allowed, place),
        }
    }
}

fn error(
    place: &Place<'_>,
    status: StatusCode,
    code: &'static str,
    inner: Option<&'static str>,
    text: String,
) -> Response {
    match place.kind {
        ContainerKind::Vault => reply::error(status, code, inner, text),
        ContainerKind::ManagedHsm => {
            reply::error(status, code, inner, format!("{text} (Activity ID: {})", place.request_id))
        }
    }
}

fn busy(place: &Place<'_>) -> Response {
    let text =
        "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached";
    let mut response = error(place, StatusCode::TOO_MANY_REQUESTS, "Throttled", None, text.to_owned());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn broken(fault: &Error, place: &Place<'_>) -> Response {
    let source = std::error::Error::source(fault);
    tracing::error!(request = %place.request_id, error = %fault, source, "a request could not be answered");
    let text = "The service could not process the request.".to_owned();
    error(place, StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", None, text)
}

fn method_not_allowed(allowed: &[&str], place: &Place<'_>) -> Response {
    let text = format!("HTTP {} not allowed", place.method);
    let mut response = error(place, StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", None, text);
    reply::set(&mut response, header::ALLOW, &allowed.join(", "));
    response
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
