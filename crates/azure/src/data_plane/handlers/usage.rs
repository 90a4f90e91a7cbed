//! Cryptographic operations and random bytes (contract: key-vault §3.8).

use crate::{
    Response,
    data_plane::{
        Answer, Call, DataPlane, ObjectPath, body,
        wire::{Base64Url, KeyVerifyResult, RandomBytes, key_operation_result},
    },
    reply,
};
use domain::KeyType;
use engine::{Cost, CryptoResult};
use http::StatusCode;
use std::sync::Arc;

fn result(result: &CryptoResult, algorithm: &'static str, call: &Call) -> Response {
    reply::json_text(StatusCode::OK, key_operation_result(result, algorithm, call.audience()))
}

/// From this size on a body is work for a thread of its own: a key wrap goes over its data six times.
const LARGE_BODY: usize = 16 << 10;

/// The cost of using the public part of a key, or a key of any type but RSA.
fn public_cost(call: &Call, key: &ObjectPath) -> Cost {
    match call.container.is_open(key.kind, &key.name, key.version) {
        true if call.request.body.len() < LARGE_BODY => Cost::Cheap,
        true => Cost::Compute,
        false => Cost::Durable,
    }
}

/// The cost of using the private part of a key whose type the algorithm tells.
fn private_cost(call: &Call, key: &ObjectPath, key_type: KeyType) -> Cost {
    match public_cost(call, key) {
        Cost::Cheap if key_type == KeyType::Rsa => Cost::Compute,
        cost => cost,
    }
}

impl DataPlane {
    pub(in crate::data_plane) async fn sign(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let body = body::sign(&call.request.body)?;
        let algorithm = body.algorithm;
        let cost = private_cost(call, &key, algorithm.key_type());
        let sign = self.run(call, cost, move |engine, call| {
            engine.sign(&call.caller, &call.container, &key.name, key.version, algorithm, &body.digest)
        });
        Ok(result(&sign.await?, algorithm.as_str(), call))
    }

    pub(in crate::data_plane) async fn verify(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let body = body::verify(&call.request.body)?;
        let verify = self.run(call, public_cost(call, &key), move |engine, call| {
            let (caller, target) = (&call.caller, &call.container);
            engine.verify(caller, target, &key.name, key.version, body.algorithm, &body.digest, &body.signature)
        });
        Ok(reply::json(StatusCode::OK, &KeyVerifyResult { value: verify.await? }))
    }

    pub(in crate::data_plane) async fn encrypt(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let request = body::encrypt(&call.request.body)?;
        let algorithm = request.algorithm;
        let encrypt = self.run(call, public_cost(call, &key), move |engine, call| {
            engine.encrypt(&call.caller, &call.container, &key.name, key.version, &request)
        });
        Ok(result(&encrypt.await?, algorithm.as_str(), call))
    }

    pub(in crate::data_plane) async fn decrypt(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let request = body::decrypt(&call.request.body)?;
        let algorithm = request.algorithm;
        let cost = private_cost(call, &key, algorithm.key_type());
        let decrypt = self.run(call, cost, move |engine, call| {
            engine.decrypt(&call.caller, &call.container, &key.name, key.version, &request)
        });
        Ok(result(&decrypt.await?, algorithm.as_str(), call))
    }

    pub(in crate::data_plane) async fn wrap_key(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let request = body::encrypt(&call.request.body)?;
        let algorithm = request.algorithm;
        let wrap = self.run(call, public_cost(call, &key), move |engine, call| {
            engine.wrap_key(&call.caller, &call.container, &key.name, key.version, &request)
        });
        Ok(result(&wrap.await?, algorithm.as_str(), call))
    }

    pub(in crate::data_plane) async fn unwrap_key(&self, call: &Arc<Call>, key: ObjectPath) -> Answer {
        let request = body::decrypt(&call.request.body)?;
        let algorithm = request.algorithm;
        let cost = private_cost(call, &key, algorithm.key_type());
        let unwrap = self.run(call, cost, move |engine, call| {
            engine.unwrap_key(&call.caller, &call.container, &key.name, key.version, &request)
        });
        Ok(result(&unwrap.await?, algorithm.as_str(), call))
    }

    pub(in crate::data_plane) async fn get_random_bytes(&self, call: &Arc<Call>) -> Answer {
        let count = body::random_count(&call.request.body)?;
        let draw =
            self.run(call, Cost::Cheap, move |engine, call| engine.random_bytes(&call.caller, &call.container, count));
        Ok(reply::json(StatusCode::OK, &RandomBytes { value: Base64Url(draw.await?.expose()) }))
    }
}
