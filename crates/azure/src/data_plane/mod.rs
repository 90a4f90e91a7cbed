//! The data plane: keys of vaults and managed HSMs.

use crate::{Addresses, Request, Response};
use domain::ContainerKind;
use engine::Door;
use identity::Identity;
use std::sync::Arc;

/// Answers for the containers of an installation.
pub struct DataPlane {
    pub door: Door,
    pub identity: Arc<Identity>,
    pub addresses: Arc<Addresses>,
}

impl DataPlane {
    /// Answers a request to a container. `kind` and `name` come from the host name, or from the default container.
    pub async fn handle(&self, _kind: ContainerKind, _name: &str, _request: Request) -> Response {
        crate::reply::empty(http::StatusCode::NOT_FOUND)
    }
}
