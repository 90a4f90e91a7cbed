//! Making, importing and completing certificates, and their policy (contract: key-vault §3.3, §3.9).

use super::objects::bundle;
use crate::{
    Response,
    data_plane::{
        Answer, Call, DataPlane, ObjectPath, body,
        wire::{Bundle, Pending, Policy},
    },
    reply,
};
use domain::{CertificateOperation, CertificatePolicy, ObjectName, Refusal};
use engine::{Cost, ObjectView};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;

/// A pending operation. While it is in progress the client may ask again at once.
fn pending(status: StatusCode, name: &ObjectName, pending: &CertificateOperation, call: &Call) -> Response {
    let mut response = reply::json(status, &Pending::new(name, pending, call.audience()));
    if pending.is_in_progress() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
    }
    response
}

fn policy_of(view: &ObjectView) -> Result<&CertificatePolicy, Refusal> {
    view.object.course.as_ref().map(|course| &course.policy).ok_or(Refusal::NotFound)
}

fn policy(view: &ObjectView, call: &Call) -> Answer {
    let policy = Policy::new(&view.object.name, policy_of(view)?, call.audience());
    Ok(reply::json(StatusCode::OK, &policy))
}

impl DataPlane {
    pub(in crate::data_plane) async fn create_certificate(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let request = body::create_certificate(&call.request.body)?;
        // The key may be RSA: what it is, the policy that is there may say.
        let create = self.run(call, Cost::Generation, move |engine, call| {
            engine.create_certificate(&call.caller, &call.container, &path.name, &request)
        });
        let view = create.await?;
        let name = &view.object.name;
        let begun = view.object.course.as_ref().and_then(|course| course.pending.as_ref()).ok_or(Refusal::NotFound)?;
        let mut response = pending(StatusCode::ACCEPTED, name, begun, call);
        let (host, version, id) = (&call.request.host, call.version.as_str(), begun.request_id);
        let location = format!("https://{host}/certificates/{name}/pending?api-version={version}&request_id={id}");
        reply::set(&mut response, header::LOCATION, &location);
        Ok(response)
    }

    pub(in crate::data_plane) async fn import_certificate(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let request = body::import_certificate(&call.request.body)?;
        let import = self.run(call, Cost::Generation, move |engine, call| {
            engine.import_certificate(&call.caller, &call.container, &path.name, &request)
        });
        Ok(bundle(&import.await?, call))
    }

    pub(in crate::data_plane) async fn merge_certificate(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let request = body::merge_certificate(&call.request.body)?;
        let merge = self.run(call, Cost::Durable, move |engine, call| {
            engine.merge_certificate(&call.caller, &call.container, &path.name, &request)
        });
        let view = merge.await?;
        let mut response = reply::json(StatusCode::CREATED, &Bundle::new(&view, call.audience()));
        let (host, version) = (&call.request.host, call.version.as_str());
        let location = format!("https://{host}/certificates/{}?api-version={version}", view.object.name);
        reply::set(&mut response, header::LOCATION, &location);
        Ok(response)
    }

    pub(in crate::data_plane) async fn get_pending(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let name = path.name.clone();
        let get = self.run(call, Cost::Durable, move |engine, call| {
            let request_id = call.request.query("request_id");
            engine.pending_certificate(&call.caller, &call.container, &path.name, request_id)
        });
        Ok(pending(StatusCode::OK, &name, &get.await?, call))
    }

    pub(in crate::data_plane) async fn cancel_pending(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        body::update_pending(&call.request.body)?;
        let name = path.name.clone();
        let cancel = self.run(call, Cost::Durable, move |engine, call| {
            engine.cancel_pending_certificate(&call.caller, &call.container, &path.name)
        });
        Ok(pending(StatusCode::OK, &name, &cancel.await?, call))
    }

    pub(in crate::data_plane) async fn delete_pending(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let name = path.name.clone();
        let delete = self.run(call, Cost::Durable, move |engine, call| {
            engine.delete_pending_certificate(&call.caller, &call.container, &path.name)
        });
        Ok(pending(StatusCode::OK, &name, &delete.await?, call))
    }

    pub(in crate::data_plane) async fn get_policy(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let get = self.run(call, Cost::Durable, move |engine, call| {
            engine.certificate_policy(&call.caller, &call.container, &path.name)
        });
        policy(&get.await?, call)
    }

    pub(in crate::data_plane) async fn update_policy(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let request = body::policy(&call.request.body, call.version)?;
        let update = self.run(call, Cost::Durable, move |engine, call| {
            engine.update_certificate_policy(&call.caller, &call.container, &path.name, &request)
        });
        policy(&update.await?, call)
    }
}
