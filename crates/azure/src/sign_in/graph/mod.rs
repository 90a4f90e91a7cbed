//! The directory as Microsoft Graph v1.0 shows it: the principals that can sign in here, to be read and not changed.
//!
//! Source: Microsoft Graph REST API v1.0 reference; contract: az-client §2, "Graph v1.0". Whoever has a token for the
//! directory may read all of it: names of principals are no secret here.

pub(super) mod filter;

use super::{SignIn, not_stored};
use crate::{Addresses, Request, Response, bearer, json::parse, reply};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bearer::Unauthenticated;
use domain::{Guid, Principal, PrincipalKind};
use engine::{Cost, Error};
use filter::Filter;
use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Graph's own application id, which may stand for its name as an audience.
const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
/// `getByIds` takes no more (Graph reference, "directoryObject: getByIds").
const MOST_IDS: usize = 1000;

/// Why there is no answer.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// The value of `WWW-Authenticate`.
    challenge: Option<String>,
}

fn refused(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refused {
    Refused { status, code, message: message.into(), challenge: None }
}

impl SignIn {
    pub(super) async fn graph(&self, request: &Request, path: &[&str]) -> Response {
        let path = match path {
            ["v1.0" | "beta", rest @ ..] => rest,
            path => path,
        };
        match self.graph_answer(request, path).await {
            Ok(body) => not_stored(reply::json(StatusCode::OK, &body)),
            Err(refused) => self.graph_error(request, &refused),
        }
    }

    async fn graph_answer(&self, request: &Request, path: &[&str]) -> Result<Value, Refused> {
        bearer::caller(&self.door, &self.identity, request, &audiences(&self.addresses))
            .await
            .map_err(|reason| self.unauthenticated(request, &reason))?;
        let (service_principal, user) = (PrincipalKind::ServicePrincipal, PrincipalKind::User);
        match (&request.method, path) {
            (&Method::GET, ["me"]) => {
                let message = "/me request is only valid with delegated authentication flow.";
                Err(refused(StatusCode::BAD_REQUEST, "BadRequest", message))
            }
            (&Method::GET, ["users"]) => self.list(request, user).await,
            (&Method::GET, ["servicePrincipals"]) => self.list(request, service_principal).await,
            (&Method::GET, ["groups"]) => Ok(self.collection(request, "groups", Vec::new())),
            (&Method::GET, ["users", id]) => self.one(id, Some(user)).await,
            (&Method::GET, ["servicePrincipals", id]) => self.one(id, Some(service_principal)).await,
            (&Method::GET, ["groups", id]) => Err(not_found(id)),
            (&Method::GET, ["directoryObjects", id]) => self.one(id, None).await,
            (&Method::POST, ["directoryObjects", action]) if is_get_by_ids(action) => self.by_ids(request).await,
            (&Method::GET, [segment, ..]) => {
                let message = format!("Resource not found for the segment '{segment}'.");
                Err(refused(StatusCode::BAD_REQUEST, "BadRequest", message))
            }
            _ => {
                let message = "The directory can be read here, not changed.";
                Err(refused(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message))
            }
        }
    }

    async fn list(&self, request: &Request, kind: PrincipalKind) -> Result<Value, Refused> {
        let unsupported = || {
            refused(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause.")
        };
        let filter = match request.query("$filter") {
            None => None,
            Some(text) => Some(Filter::read(text).ok_or_else(unsupported)?),
        };
        let found = self.principals().await?;
        let is_wanted =
            |each: &&Principal| each.kind == kind && filter.as_ref().is_none_or(|filter| filter.holds(each));
        let found = found.iter().filter(is_wanted).map(|each| self.shown(each, false)).collect();
        let name = if kind == PrincipalKind::User { "users" } else { "servicePrincipals" };
        Ok(self.collection(request, name, found))
    }

    /// One principal by object id; a user also by its name.
    async fn one(&self, id: &str, kind: Option<PrincipalKind>) -> Result<Value, Refused> {
        let found = self.principals().await?;
        let object_id = Guid::parse(id);
        let is_named =
            |each: &Principal| each.kind == PrincipalKind::User && each.display_name.eq_ignore_ascii_case(id);
        let found = found.iter().find(|each| {
            kind.is_none_or(|kind| each.kind == kind) && (Some(each.object_id) == object_id || is_named(each))
        });
        Ok(self.shown(found.ok_or_else(|| not_found(id))?, true))
    }

    async fn by_ids(&self, request: &Request) -> Result<Value, Refused> {
        #[derive(Deserialize)]
        struct Body {
            ids: Vec<String>,
            #[serde(default)]
            types: Vec<String>,
        }
        let bad = |message: String| refused(StatusCode::BAD_REQUEST, "Request_BadRequest", message);
        let body: Body = parse(&request.body).map_err(|error| bad(error.0))?;
        if body.ids.len() > MOST_IDS {
            return Err(bad(format!("Too many ids: {MOST_IDS} at once are the most.")));
        }
        let ids: HashSet<Guid> = body.ids.iter().filter_map(|id| Guid::parse(id)).collect();
        let is_type = |each: &Principal| {
            let is_wanted = |wanted: &String| wanted.eq_ignore_ascii_case(type_of(each)) || wanted == "directoryObject";
            body.types.is_empty() || body.types.iter().any(is_wanted)
        };
        let found = self.principals().await?;
        let found = found.iter().filter(|each| ids.contains(&each.object_id) && is_type(each));
        let found = found.map(|each| self.shown(each, true)).collect();
        Ok(self.collection(request, "directoryObjects", found))
    }

    async fn principals(&self) -> Result<Vec<Principal>, Refused> {
        self.door.run(Cost::Durable, engine::Engine::principals).await.map_err(|error| {
            if !matches!(error, Error::Busy) {
                tracing::error!(%error, "the directory could not be read");
            }
            refused(StatusCode::SERVICE_UNAVAILABLE, "ServiceNotAvailable", "The service is temporarily unavailable.")
        })
    }

    fn collection(&self, request: &Request, name: &str, value: Vec<Value>) -> Value {
        let base = super::authority::base(&self.addresses, &request.host);
        json!({ "@odata.context": format!("{base}/v1.0/$metadata#{name}"), "value": value })
    }

    fn shown(&self, principal: &Principal, with_type: bool) -> Value {
        shown(principal, self.addresses.tenant, with_type)
    }

    fn unauthenticated(&self, request: &Request, reason: &Unauthenticated) -> Refused {
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
        let refused = refused(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        Refused { challenge: Some(challenge), ..refused }
    }

    fn graph_error(&self, request: &Request, refused: &Refused) -> Response {
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

/// Every audience that a token for the directory may carry, without a slash at its end.
fn audiences(addresses: &Addresses) -> Vec<String> {
    vec![
        "https://graph.microsoft.com".to_owned(),
        addresses.base_url(),
        format!("https://graph.{}", addresses.authority()),
        GRAPH_APP_ID.to_owned(),
    ]
}

fn is_get_by_ids(action: &str) -> bool {
    let name = action.strip_prefix("microsoft.graph.").unwrap_or(action);
    name.eq_ignore_ascii_case("getByIds")
}

fn not_found(id: &str) -> Refused {
    let message =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    refused(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
}

fn type_of(principal: &Principal) -> &'static str {
    match principal.kind {
        PrincipalKind::User => "user",
        PrincipalKind::ServicePrincipal => "servicePrincipal",
    }
}

/// A principal on the wire. Where objects of several types may stand together, each names its own.
pub(super) fn shown(principal: &Principal, tenant: Guid, with_type: bool) -> Value {
    let mut body = match principal.kind {
        PrincipalKind::User => json!({
            "id": principal.object_id,
            "displayName": principal.display_name,
            "userPrincipalName": principal.display_name,
            "mail": null,
        }),
        PrincipalKind::ServicePrincipal => json!({
            "id": principal.object_id,
            "appId": principal.app_id,
            "displayName": principal.display_name,
            "appDisplayName": principal.display_name,
            "servicePrincipalNames": principal.app_id.into_iter().collect::<Vec<_>>(),
            "servicePrincipalType": "Application",
            "accountEnabled": true,
            "appOwnerOrganizationId": tenant,
            "createdDateTime": principal.created.to_string(),
        }),
    };
    if let (true, Some(body)) = (with_type, body.as_object_mut()) {
        body.insert("@odata.type".to_owned(), format!("#microsoft.graph.{}", type_of(principal)).into());
    }
    body
}
