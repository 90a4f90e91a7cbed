//! Deletion, recovery, purge; backup and restore (contract: key-vault §3.1, §3.7).

use super::keys::{bundle, page_of};
use crate::{
    data_plane::{
        Answer, Call, DataPlane, KeyPath, body,
        page::{self, List},
        wire::{BackupKeyResult, Base64Url, DeletedKeyBundle, DeletedKeyItem},
    },
    reply,
};
use engine::{Cost, ObjectView};
use http::StatusCode;
use std::sync::Arc;

/// 200 with a deleted key bundle. Without soft delete the key is gone, and its bundle is that of a key.
fn deleted_bundle(view: &ObjectView, call: &Call) -> crate::Response {
    match view.object.state.deletion() {
        Some(deletion) => reply::json(StatusCode::OK, &DeletedKeyBundle::new(view, deletion, call.audience())),
        None => bundle(view, call),
    }
}

impl DataPlane {
    pub(in crate::data_plane) async fn delete_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let delete = self
            .run(call, Cost::Durable, move |engine, call| engine.delete_key(&call.caller, &call.container, &key.name));
        Ok(deleted_bundle(&delete.await?, call))
    }

    pub(in crate::data_plane) async fn get_deleted_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let get = self.run(call, Cost::Durable, move |engine, call| {
            engine.get_deleted_key(&call.caller, &call.container, &key.name)
        });
        Ok(deleted_bundle(&get.await?, call))
    }

    pub(in crate::data_plane) async fn list_deleted_keys(&self, call: &Arc<Call>) -> Answer {
        let page = page::read(&call.request, List::DeletedKeys)?;
        let asked = page.clone();
        let list = self.run(call, Cost::Durable, move |engine, call| {
            engine.list_deleted_keys(&call.caller, &call.container, &asked)
        });
        Ok(page_of(&list.await?, List::DeletedKeys, &page, call, DeletedKeyItem::new))
    }

    pub(in crate::data_plane) async fn recover_deleted_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let recover = self
            .run(call, Cost::Durable, move |engine, call| engine.recover_key(&call.caller, &call.container, &key.name));
        Ok(bundle(&recover.await?, call))
    }

    pub(in crate::data_plane) async fn purge_deleted_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let purge = self
            .run(call, Cost::Durable, move |engine, call| engine.purge_key(&call.caller, &call.container, &key.name));
        purge.await?;
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    pub(in crate::data_plane) async fn backup_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let backup = self
            .run(call, Cost::Durable, move |engine, call| engine.backup_key(&call.caller, &call.container, &key.name));
        Ok(reply::json(StatusCode::OK, &BackupKeyResult { value: Base64Url(&backup.await?) }))
    }

    pub(in crate::data_plane) async fn restore_key(&self, call: &Arc<Call>) -> Answer {
        let blob = body::restore(&call.request.body)?;
        let restore =
            self.run(call, Cost::Durable, move |engine, call| engine.restore_key(&call.caller, &call.container, &blob));
        Ok(bundle(&restore.await?, call))
    }
}
