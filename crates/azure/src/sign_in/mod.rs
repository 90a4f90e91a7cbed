//! Sign-in: an Entra-shaped authority, the directory around it, and the managed-identity endpoint.
//!
//! All of it answers by path on the bare host, and under the names that clients know (contract: az-client §1 C, §2).
//! Only applications sign in: by client secret, or as the configured managed identity. Other grants are refused with
//! a sentence that says so. With the embedded issuer off, nobody signs in here, and the answer says where.

mod authority;
mod form;
#[doc(hidden)]
pub mod fuzz;
mod graph;
mod managed_identity;
mod oauth_error;
mod route;
mod token;

#[cfg(test)]
mod tests;

use crate::{Addresses, Request, Response, reply};
use domain::Guid;
use engine::Door;
use http::{StatusCode, header};
use identity::Identity;
use oauth_error::{OAuthError, Stamp};
use route::Route;
use std::sync::Arc;

/// Answers for the sign-in authority, the directory around it, and the managed-identity endpoint.
pub struct SignIn {
    pub door: Door,
    pub identity: Arc<Identity>,
    pub addresses: Arc<Addresses>,
    /// The application that processes of this machine are by asking the managed-identity endpoint. `None`: there is
    /// none, and the endpoint says what a machine without identity says.
    pub managed_identity: Option<Guid>,
    /// What an App Service style client must send in `X-IDENTITY-HEADER`; `None` refuses that style.
    pub identity_header: Option<String>,
}

impl SignIn {
    pub async fn handle(&self, request: Request) -> Response {
        let Some(route) = Route::of(&request, &self.addresses.domain) else {
            return reply::error(StatusCode::NOT_FOUND, "NotFound", None, "There is nothing at this path.");
        };
        if let Some(method) = route.only_method()
            && request.method != method
        {
            let text = "The HTTP method is not supported at this path.";
            let mut response = reply::error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", None, text);
            reply::set(&mut response, header::ALLOW, method.as_str());
            return response;
        }
        let answer = match route {
            Route::Configuration { .. }
            | Route::Keys { .. }
            | Route::Instance
            | Route::Token { .. }
            | Route::UserFlow
                if !self.identity.issues_tokens() =>
            {
                Err(OAuthError::no_sign_in(&self.addresses.authority_url(&request.host)))
            }
            Route::Configuration { tenant, dialect } => self.configuration(&request, tenant, dialect),
            Route::Keys { tenant } => self.keys(tenant),
            Route::Instance => self.instance(&request),
            Route::Token { tenant, dialect } => self.token(&request, tenant, dialect).await,
            Route::UserFlow => Err(OAuthError::user_flow()),
            Route::Machine(style) => return self.machine_token(&request, style).await,
            Route::Graph(path) => return self.graph(&request, &path).await,
        };
        answer.unwrap_or_else(|error| error.response(&self.stamp(&request)))
    }

    fn stamp(&self, request: &Request) -> Stamp {
        let sent = request.header("client-request-id").and_then(Guid::parse);
        Stamp { now: self.identity.now(), trace_id: request.id, correlation_id: sent.unwrap_or(request.id) }
    }
}

/// Keeps tokens, and what is said of them, out of caches (RFC 6749 §5.1).
fn not_stored(mut response: Response) -> Response {
    reply::set(&mut response, header::CACHE_CONTROL, "no-store");
    reply::set(&mut response, header::PRAGMA, "no-cache");
    response
}

/// A host without its port.
fn bare_host(host: &str) -> &str {
    match host.find(']') {
        Some(end) if host.starts_with('[') => host.get(1..end).unwrap_or_default(),
        _ => host.split_once(':').map_or(host, |(bare, _)| bare),
    }
}
