//! The 401 of the resource manager.
//!
//! Contract: az-client §2 ("Missing bearer on ARM") and §4.7: a token that was good once, signed by a key we no longer
//! have, of an issuer that we do not trust, or past its time, is answered with a claims challenge, so that clients fetch a
//! new one by themselves.

use super::error::Problem;
use crate::{Response, bearer::Unauthenticated, reply};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::UnixTime;
use http::{StatusCode, header};
use identity::TokenError;

pub(crate) fn response(why: &Unauthenticated, authority: &str, now: UnixTime) -> Response {
    let (error, code, description, message) = match why {
        Unauthenticated::Missing => (
            "invalid_token",
            "AuthenticationFailed",
            "The authentication failed because of missing 'Authorization' header.".to_owned(),
            "Authentication failed. The 'Authorization' header is missing.".to_owned(),
        ),
        Unauthenticated::Rejected(reason) => {
            let (error, code) = rejected(reason);
            (
                error,
                code,
                format!("The access token is invalid: {reason}."),
                format!("Authentication failed: {reason}."),
            )
        }
    };
    let mut challenge =
        format!("Bearer authorization_uri=\"{authority}\", error=\"{error}\", error_description=\"{description}\"");
    if error == "insufficient_claims" {
        let claims = format!("{{\"access_token\":{{\"nbf\":{{\"essential\":true,\"value\":\"{}\"}}}}}}", now.0);
        challenge = format!("{challenge}, claims=\"{}\"", STANDARD.encode(claims));
    }
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, code, message).response();
    reply::set(&mut response, header::WWW_AUTHENTICATE, &challenge);
    response
}

/// The challenge's word and the body's code.
fn rejected(reason: &TokenError) -> (&'static str, &'static str) {
    match reason {
        TokenError::UnknownKey | TokenError::MissingKey | TokenError::Gone => {
            ("insufficient_claims", "AuthenticationFailed")
        }
        TokenError::Issuer { .. } => ("insufficient_claims", "InvalidAuthenticationToken"),
        TokenError::Expired => ("insufficient_claims", "ExpiredAuthenticationToken"),
        TokenError::Audience { .. } => ("invalid_token", "InvalidAuthenticationTokenAudience"),
        TokenError::Malformed
        | TokenError::NoKeys
        | TokenError::Algorithm
        | TokenError::Tenant
        | TokenError::NotYetValid => ("invalid_token", "InvalidAuthenticationToken"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(why: &Unauthenticated) -> (StatusCode, String) {
        let response = response(why, "https://localhost:8443/t", UnixTime(1_700_000_000));
        let header = response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
        (response.status(), header)
    }

    #[test]
    fn a_missing_token_names_the_authority() {
        let (status, header) = challenge(&Unauthenticated::Missing);
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            header,
            "Bearer authorization_uri=\"https://localhost:8443/t\", error=\"invalid_token\", \
             error_description=\"The authentication failed because of missing 'Authorization' header.\""
        );
    }

    #[test]
    fn a_token_of_an_old_key_is_answered_with_claims() {
        let (_, header) = challenge(&Unauthenticated::Rejected(TokenError::UnknownKey));
        let claims = header.split("claims=\"").nth(1).unwrap().trim_end_matches('"');
        let claims = String::from_utf8(STANDARD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims, r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#);
        assert!(header.contains("error=\"insufficient_claims\""));
        let (_, header) = challenge(&Unauthenticated::Rejected(TokenError::Malformed));
        assert!(!header.contains("claims="));
    }
}
