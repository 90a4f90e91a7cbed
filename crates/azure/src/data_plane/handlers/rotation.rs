//! Rotation and its policy (contract: key-vault §3.8, "Rotation policy").

use super::objects::bundle;
use crate::{
    data_plane::{
        Answer, Call, DataPlane, ObjectPath,
        rotation::{self, KeyRotationPolicy},
    },
    reply,
};
use engine::Cost;
use http::StatusCode;
use std::sync::Arc;

impl DataPlane {
    pub(in crate::data_plane) async fn rotate_key(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        // The key may be RSA: what it is, is known only inside.
        let rotate = self.run(call, Cost::Generation, move |engine, call| {
            engine.rotate_key(&call.caller, &call.container, &key.name)
        });
        Ok(bundle(&rotate.await?, call))
    }

    pub(in crate::data_plane) async fn get_rotation_policy(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let name = key.name.clone();
        let get = self.run(call, Cost::Durable, move |engine, call| {
            engine.rotation_policy(&call.caller, &call.container, &key.name)
        });
        let policy = get.await?.unwrap_or_default();
        Ok(reply::json(StatusCode::OK, &KeyRotationPolicy::new(&policy, &name, call.audience())))
    }

    pub(in crate::data_plane) async fn set_rotation_policy(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let policy = rotation::read(&call.request.body)?;
        let name = key.name.clone();
        let set = self.run(call, Cost::Durable, move |engine, call| {
            engine.set_rotation_policy(&call.caller, &call.container, &key.name, &policy)
        });
        let policy = set.await?;
        Ok(reply::json(StatusCode::OK, &KeyRotationPolicy::new(&policy, &name, call.audience())))
    }
}
