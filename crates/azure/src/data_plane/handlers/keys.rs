//! Making and importing keys (contract: key-vault §3.1).

use super::objects::bundle;
use crate::data_plane::{Answer, Call, DataPlane, ObjectPath, body};
use domain::KeyType;
use engine::Cost;
use std::sync::Arc;

impl DataPlane {
    pub(in crate::data_plane) async fn create_key(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let request = body::create_key(&call.request.body)?;
        let cost = if request.spec.key_type() == KeyType::Rsa { Cost::Generation } else { Cost::Durable };
        let create = self
            .run(call, cost, move |engine, call| engine.create_key(&call.caller, &call.container, &key.name, &request));
        Ok(bundle(&create.await?, call))
    }

    pub(in crate::data_plane) async fn import_key(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let request = body::import_key(&call.request.body)?;
        let import = self.run(call, Cost::Durable, move |engine, call| {
            engine.import_key(&call.caller, &call.container, &key.name, &request)
        });
        Ok(bundle(&import.await?, call))
    }
}
