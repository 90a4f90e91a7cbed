//! What all kinds of objects have: reading, changing, deletion, backup (contract: key-vault §3.1 to §3.3, §3.7).

use crate::{
    Response,
    data_plane::{
        Answer, Call, DataPlane, ObjectPath, body,
        page::{self, List},
        wire::{Audience, BackupResult, Base64Url, Bundle, ListResult},
    },
    reply,
};
use domain::ObjectKind;
use engine::{Cost, ObjectView, Page, PageRequest, Presence};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;

/// 200 with an object.
pub(super) fn bundle(view: &ObjectView, call: &Call) -> Response {
    reply::json(StatusCode::OK, &Bundle::new(view, call.audience()))
}

/// 200 with a page of a list.
fn page_of<'a, T: Serialize>(
    found: &'a Page<ObjectView>,
    list: List<'_>,
    page: &PageRequest,
    call: &'a Call,
    item: impl Fn(&'a ObjectView, Audience<'a>) -> T,
) -> Response {
    let audience = call.audience();
    let next_link =
        found.next.as_ref().and_then(|marker| page::next_link(audience.host, audience.version, list, page, marker));
    let value = found.items.iter().map(|view| item(view, audience)).collect();
    reply::json(StatusCode::OK, &ListResult::new(next_link, value, audience.kind))
}

/// What reading a version costs.
pub(super) fn reading_cost(call: &Call, path: &ObjectPath) -> Cost {
    if call.container.is_open(path.kind, &path.name, path.version) { Cost::Cheap } else { Cost::Durable }
}

impl DataPlane {
    pub(in crate::data_plane) async fn get_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        if path.kind == ObjectKind::Secret {
            return self.get_secret(call, path).await;
        }
        let shape = if path.version.is_some() { Bundle::of_version_alone } else { Bundle::new };
        let get = self.run(call, reading_cost(call, &path), move |engine, call| {
            engine.get_object(&call.caller, &call.container, path.kind, &path.name, path.version)
        });
        Ok(reply::json(StatusCode::OK, &shape(&get.await?, call.audience())))
    }

    pub(in crate::data_plane) async fn list_objects(
        &self,
        call: &Arc<Call>,
        kind: ObjectKind,
        presence: Presence,
    ) -> Answer {
        let list = List::Objects(kind, presence);
        let page = page::read(&call.request, list)?;
        let asked = page.clone();
        let pending = call.request.query("includePending").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let found = self.run(call, Cost::Durable, move |engine, call| {
            engine.list_objects(&call.caller, &call.container, kind, presence, pending, &asked)
        });
        Ok(page_of(&found.await?, list, &page, call, Bundle::of_object))
    }

    pub(in crate::data_plane) async fn list_versions(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let name = path.name.clone();
        let list = List::Versions(path.kind, &name);
        let page = page::read(&call.request, list)?;
        let asked = page.clone();
        let found = self.run(call, Cost::Durable, move |engine, call| {
            engine.list_versions(&call.caller, &call.container, path.kind, &path.name, &asked)
        });
        Ok(page_of(&found.await?, list, &page, call, Bundle::of_version))
    }

    pub(in crate::data_plane) async fn update_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let changes = body::update(path.kind, &call.request.body, call.version)?;
        let shape = if path.version.is_some() { Bundle::of_changed_version } else { Bundle::new };
        let update = self.run(call, Cost::Durable, move |engine, call| {
            engine.update_object(&call.caller, &call.container, path.kind, &path.name, path.version, &changes)
        });
        Ok(reply::json(StatusCode::OK, &shape(&update.await?, call.audience())))
    }

    pub(in crate::data_plane) async fn delete_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let delete = self.run(call, Cost::Durable, move |engine, call| {
            engine.delete_object(&call.caller, &call.container, path.kind, &path.name)
        });
        Ok(bundle(&delete.await?, call))
    }

    pub(in crate::data_plane) async fn get_deleted_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let get = self.run(call, Cost::Durable, move |engine, call| {
            engine.get_deleted_object(&call.caller, &call.container, path.kind, &path.name)
        });
        Ok(bundle(&get.await?, call))
    }

    pub(in crate::data_plane) async fn recover_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let recover = self.run(call, Cost::Durable, move |engine, call| {
            engine.recover_object(&call.caller, &call.container, path.kind, &path.name)
        });
        Ok(bundle(&recover.await?, call))
    }

    pub(in crate::data_plane) async fn purge_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let purge = self.run(call, Cost::Durable, move |engine, call| {
            engine.purge_object(&call.caller, &call.container, path.kind, &path.name)
        });
        purge.await?;
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    pub(in crate::data_plane) async fn backup_object(&self, call: &Arc<Call>, path: ObjectPath) -> Answer {
        let backup = self.run(call, Cost::Durable, move |engine, call| {
            engine.backup_object(&call.caller, &call.container, path.kind, &path.name)
        });
        Ok(reply::json(StatusCode::OK, &BackupResult { value: Base64Url(&backup.await?) }))
    }

    pub(in crate::data_plane) async fn restore_object(&self, call: &Arc<Call>, kind: ObjectKind) -> Answer {
        // The body is read there as well: it may be so large that others would wait for it here.
        let restore = self.run(call, Cost::Durable, move |engine, call| match body::restore(&call.request.body) {
            Ok(blob) => engine.restore_object(&call.caller, &call.container, kind, &blob).map(Ok),
            Err(problem) => Ok(Err(problem)),
        });
        Ok(bundle(&restore.await??, call))
    }
}
