//! The token endpoint: client credentials (RFC 6749 §4.4; contract: az-client §1 C).

use super::{
    SignIn,
    form::{Form, basic},
    not_stored,
    oauth_error::OAuthError,
};
use crate::{Request, Response, reply};
use domain::Guid;
use engine::Cost;
use http::{StatusCode, header};
use identity::{ClientError, Dialect, Grant, Identity, Issued, Proof};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// What a client asks for. It holds the client's secret, so it has no `Debug`.
pub(super) struct Asked {
    pub app_id: String,
    pub secret: String,
    pub audience: String,
    pub capabilities: Vec<String>,
}

impl SignIn {
    pub(super) async fn token(
        &self,
        request: &Request,
        tenant: &str,
        dialect: Dialect,
    ) -> Result<Response, OAuthError> {
        self.known_tenant(tenant)?;
        let asked = Asked::read(request, dialect)?;
        let Some(app_id) = Guid::parse(&asked.app_id) else {
            return Err(OAuthError::unknown_application(&asked.app_id, self.addresses.tenant));
        };
        let (name, audience) = (asked.app_id.clone(), asked.audience.clone());
        let identity = Arc::clone(&self.identity);
        let work = move |_: &engine::Engine| Ok(by_secret(&identity, app_id, &asked));
        match self.door.run(Cost::Durable, work).await {
            Ok(Ok(issued)) => Ok(answer(&issued, &audience, dialect)),
            Ok(Err(reason)) => Err(self.not_let_in(&name, &reason)),
            Err(error) => Err(OAuthError::of_engine(&error)),
        }
    }

    fn not_let_in(&self, app_id: &str, reason: &ClientError) -> OAuthError {
        match reason {
            ClientError::UnknownApplication => OAuthError::unknown_application(app_id, self.addresses.tenant),
            ClientError::NoServicePrincipal => OAuthError::no_service_principal(app_id, self.addresses.tenant),
            ClientError::Disabled => OAuthError::disabled(app_id),
            ClientError::WrongSecret => OAuthError::wrong_secret(app_id),
            ClientError::SecretOutOfDate => OAuthError::expired_secret(app_id),
            ClientError::Engine(error) => OAuthError::of_engine(error),
        }
    }
}

fn by_secret(identity: &Identity, app_id: Guid, asked: &Asked) -> Result<Issued, ClientError> {
    let principal = identity.authenticate(app_id, &asked.secret)?;
    let capabilities = asked.capabilities.clone();
    let grant = Grant { principal: &principal, proof: Proof::ClientSecret, audience: &asked.audience, capabilities };
    Ok(identity.issue(&grant)?)
}

/// The answer; v1 writes its numbers as strings and says more.
pub(super) fn answer(issued: &Issued, audience: &str, dialect: Dialect) -> Response {
    let lifetime = Issued::LIFETIME_SECONDS;
    let body = match dialect {
        Dialect::V1 => json!({
            "token_type": "Bearer",
            "expires_in": lifetime.to_string(),
            "ext_expires_in": lifetime.to_string(),
            "expires_on": issued.expires.0.to_string(),
            "not_before": issued.issued.0.to_string(),
            "resource": audience,
            "access_token": issued.token,
        }),
        Dialect::V2 | Dialect::AdFs => json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": issued.token,
        }),
    };
    not_stored(reply::json(StatusCode::OK, &body))
}

impl Asked {
    pub(super) fn read(request: &Request, dialect: Dialect) -> Result<Self, OAuthError> {
        let form = Form::read(&request.body).ok_or_else(OAuthError::malformed)?;
        let grant = form.value("grant_type").ok_or_else(|| OAuthError::missing("grant_type"))?;
        if grant != "client_credentials" {
            return Err(OAuthError::grant_type(grant));
        }
        let (app_id, secret) = client(request, &form)?;
        let audience = audience(&form, dialect)?;
        let capabilities = form.value("claims").map(capabilities).unwrap_or_default();
        Ok(Self { app_id, secret, audience, capabilities })
    }
}

/// Who the client says it is, from the body or from HTTP Basic, but not from both (RFC 6749 §2.3).
fn client(request: &Request, form: &Form) -> Result<(String, String), OAuthError> {
    let header = request.headers.get(header::AUTHORIZATION);
    let in_header = match header.map(|value| value.to_str().ok().and_then(basic)) {
        None => None,
        Some(None) => return Err(OAuthError::malformed()),
        Some(Some(found)) => Some(found),
    };
    let (id, secret) = (form.value("client_id"), form.value("client_secret"));
    match in_header {
        Some((header_id, _)) if secret.is_some() || id.is_some_and(|id| id != header_id) => {
            Err(OAuthError::malformed())
        }
        Some(found) => Ok(found),
        None => {
            let id = id.ok_or_else(|| OAuthError::missing("client_id"))?;
            match secret {
                Some(secret) => Ok((id.to_owned(), secret.to_owned())),
                None if form.value("client_assertion").is_some() => Err(OAuthError::assertion()),
                None => Err(OAuthError::missing_secret()),
            }
        }
    }
}

/// What the token is for: `resource` in v1, `scope` with `/.default` in v2, either of them in AD FS.
fn audience(form: &Form, dialect: Dialect) -> Result<String, OAuthError> {
    let resource = form.value("resource").filter(|_| dialect != Dialect::V2);
    if let Some(resource) = resource {
        return checked(resource).ok_or_else(|| OAuthError::scope(resource));
    }
    let scope = form.value("scope").ok_or_else(OAuthError::missing_audience)?;
    let mut resources = scope.split_whitespace().filter(|each| !is_openid_scope(each));
    let (Some(only), None) = (resources.next(), resources.next()) else {
        return Err(OAuthError::scope(scope));
    };
    // A resource that ends in a slash gives `//.default`, and keeps it (contract: az-client §1 C).
    let resource = match only.strip_suffix("/.default") {
        Some(resource) => resource,
        None if dialect == Dialect::V2 => return Err(OAuthError::scope(scope)),
        None => only,
    };
    checked(resource).ok_or_else(|| OAuthError::scope(scope))
}

fn is_openid_scope(scope: &str) -> bool {
    ["openid", "profile", "email", "offline_access"].contains(&scope)
}

/// A resource that can stand in a token: any name at all, as long as it is one short word of printable ASCII. Whether
/// it means anything is for the one who receives the token.
pub(super) fn checked(resource: &str) -> Option<String> {
    let is_word = resource.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    (is_word && (1..=512).contains(&resource.len())).then(|| resource.to_owned())
}

/// The claims parameter (OpenID Connect Core 1.0 §5.5), as far as it says what the client can do.
#[derive(Deserialize, Default)]
struct ClaimsRequest {
    #[serde(default)]
    access_token: AccessTokenClaims,
}

#[derive(Deserialize, Default)]
struct AccessTokenClaims {
    #[serde(default)]
    xms_cc: Capabilities,
}

#[derive(Deserialize, Default)]
struct Capabilities {
    #[serde(default)]
    values: Vec<String>,
}

/// The capabilities that are known: `CP1` is the only one there is. All else in the parameter asks for a fresh token,
/// which is what the client gets anyway; so a parameter that can't be read loses nothing.
pub(super) fn capabilities(claims: &str) -> Vec<String> {
    let claims: ClaimsRequest = serde_json::from_str(claims).unwrap_or_default();
    let is_known = claims.access_token.xms_cc.values.iter().any(|value| value.eq_ignore_ascii_case("CP1"));
    if is_known { vec!["CP1".to_owned()] } else { Vec::new() }
}
