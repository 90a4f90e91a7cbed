//! Setting a secret, and reading its value (contract: key-vault §3.2).

use super::objects::reading_cost;
use crate::{
    Response,
    data_plane::{Answer, Call, DataPlane, ObjectPath, body, wire::Bundle},
    reply,
};
use engine::{Cost, SecretView};
use http::StatusCode;
use std::sync::Arc;

fn with_value(secret: &SecretView, call: &Call) -> Response {
    reply::json(StatusCode::OK, &Bundle::of_secret(secret, call.audience()))
}

impl DataPlane {
    pub(in crate::data_plane) async fn set_secret(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let request = body::set_secret(&call.request.body)?;
        let set = self.run(call, Cost::Durable, move |engine, call| {
            engine.set_secret(&call.caller, &call.container, &path.name, request)
        });
        Ok(with_value(&set.await?, call))
    }

    pub(in crate::data_plane) async fn get_secret(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let get = self.run(call, reading_cost(call, &path), move |engine, call| {
            engine.get_secret(&call.caller, &call.container, &path.name, path.version)
        });
        Ok(with_value(&get.await?, call))
    }
}
