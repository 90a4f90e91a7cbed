//! Sign-in.

use crate::{Addresses, Request, Response};
use engine::Door;
use identity::Identity;
use std::sync::Arc;

/// Answers for the sign-in authority, the directory around it, and the managed-identity endpoint.
pub struct SignIn {
    pub door: Door,
    pub identity: Arc<Identity>,
    pub addresses: Arc<Addresses>,
}

impl SignIn {
    pub async fn handle(&self, _request: Request) -> Response {
        crate::reply::empty(http::StatusCode::NOT_FOUND)
    }
}
