//! The resource manager.

use crate::{Addresses, Request, Response};
use engine::Door;
use identity::Identity;
use std::sync::Arc;

/// Answers for the control plane of an installation.
pub struct Arm {
    pub door: Door,
    pub identity: Arc<Identity>,
    pub addresses: Arc<Addresses>,
}

impl Arm {
    pub async fn handle(&self, _request: Request) -> Response {
        crate::reply::empty(http::StatusCode::NOT_FOUND)
    }
}
