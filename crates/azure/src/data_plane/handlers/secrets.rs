//! Setting a secret, and reading its value (contract: key-vault §3.2).

use super::objects::reading_cost;
use crate::{
    Response,
    data_plane::{
        Answer, Call, DataPlane, ObjectPath,
        body::{self, bad},
        error::Problem,
        wire::Bundle,
    },
    reply,
};
use domain::CertificateContent;
use engine::{Cost, SecretView};
use http::StatusCode;
use std::sync::Arc;

fn with_value(secret: &SecretView, call: &Call) -> Response {
    reply::json(StatusCode::OK, &Bundle::of_secret(secret, call.audience()))
}

fn out_content_type(text: Option<&str>) -> Result<Option<CertificateContent>, Problem> {
    let known = |text: &str| CertificateContent::parse(text).ok_or_else(|| bad("outContentType", "is not known"));
    text.filter(|text| !text.is_empty()).map(known).transpose()
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
        let wanted = out_content_type(call.request.query("outContentType"))?;
        let cost = if wanted.is_some() { Cost::Durable } else { reading_cost(call, &path) };
        let get = self.run(call, cost, move |engine, call| {
            let (caller, container) = (&call.caller, &call.container);
            match wanted {
                None => engine.get_secret(caller, container, &path.name, path.version),
                Some(content) => engine.get_secret_as(caller, container, &path.name, path.version, content),
            }
        });
        Ok(with_value(&get.await?, call))
    }
}
