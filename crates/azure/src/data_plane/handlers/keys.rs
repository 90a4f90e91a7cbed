//! Making, reading, changing and listing keys (contract: key-vault §3.1).

use crate::{
    Response,
    data_plane::{
        Answer, Call, DataPlane, KeyPath, body,
        page::{self, List},
        wire::{Audience, KeyBundle, KeyItem, KeyListResult},
    },
    reply,
};
use domain::KeyType;
use engine::{Cost, ObjectView, Page, PageRequest};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;

/// 200 with a key bundle.
pub(super) fn bundle(view: &ObjectView, call: &Call) -> Response {
    reply::json(StatusCode::OK, &KeyBundle::new(view, call.audience()))
}

/// 200 with a page of a list.
pub(super) fn page_of<'a, T: Serialize>(
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
    reply::json(StatusCode::OK, &KeyListResult { next_link, value })
}

impl DataPlane {
    pub(in crate::data_plane) async fn create_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let request = body::create_key(&call.request.body)?;
        let cost = if request.spec.key_type() == KeyType::Rsa { Cost::Generation } else { Cost::Durable };
        let create = self
            .run(call, cost, move |engine, call| engine.create_key(&call.caller, &call.container, &key.name, &request));
        Ok(bundle(&create.await?, call))
    }

    pub(in crate::data_plane) async fn import_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let request = body::import_key(&call.request.body)?;
        let import = self.run(call, Cost::Durable, move |engine, call| {
            engine.import_key(&call.caller, &call.container, &key.name, &request)
        });
        Ok(bundle(&import.await?, call))
    }

    pub(in crate::data_plane) async fn get_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let is_open = call.container.is_open(&key.name, key.version);
        let cost = if is_open { Cost::Cheap } else { Cost::Durable };
        let get = self
            .run(call, cost, move |engine, call| engine.get_key(&call.caller, &call.container, &key.name, key.version));
        Ok(bundle(&get.await?, call))
    }

    pub(in crate::data_plane) async fn update_key(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let changes = body::update_key(&call.request.body)?;
        let update = self.run(call, Cost::Durable, move |engine, call| {
            engine.update_key(&call.caller, &call.container, &key.name, key.version, &changes)
        });
        Ok(bundle(&update.await?, call))
    }

    pub(in crate::data_plane) async fn list_keys(&self, call: &Arc<Call>) -> Answer {
        let page = page::read(&call.request, List::Keys)?;
        let asked = page.clone();
        let list =
            self.run(call, Cost::Durable, move |engine, call| engine.list_keys(&call.caller, &call.container, &asked));
        Ok(page_of(&list.await?, List::Keys, &page, call, KeyItem::of_key))
    }

    pub(in crate::data_plane) async fn list_key_versions(&self, call: &Arc<Call>, key: KeyPath) -> Answer {
        let name = key.name.clone();
        let list = List::Versions(&name);
        let page = page::read(&call.request, list)?;
        let asked = page.clone();
        let found = self.run(call, Cost::Durable, move |engine, call| {
            engine.list_key_versions(&call.caller, &call.container, &key.name, &asked)
        });
        Ok(page_of(&found.await?, list, &page, call, KeyItem::of_version))
    }
}
