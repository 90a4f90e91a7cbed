//! Issuers and contacts of a vault (contract: key-vault §3.3).

use crate::{
    data_plane::{
        Answer, Call, DataPlane, body,
        error::Problem,
        page::{self, List},
        route::Route,
        wire::{ContactList, IssuerBundle, IssuerItem, ListResult},
    },
    reply,
};
use domain::{Contacts, Issuer, IssuerName, Refusal};
use engine::Cost;
use http::StatusCode;
use std::sync::Arc;

fn name(route: &Route<'_>) -> Result<IssuerName, Problem> {
    let name = route.name.unwrap_or_default();
    Ok(IssuerName::parse(name).ok_or_else(|| Refusal::NameInvalid { name: name.to_owned() })?)
}

fn bundle(issuer: &Issuer, call: &Call) -> Answer {
    Ok(reply::json(StatusCode::OK, &IssuerBundle::new(issuer, call.audience())))
}

fn list(contacts: &Contacts, call: &Call) -> Answer {
    Ok(reply::json(StatusCode::OK, &ContactList::new(contacts, call.audience())))
}

impl DataPlane {
    pub(in crate::data_plane) async fn list_issuers(&self, call: &Arc<Call>) -> Answer {
        let page = page::read(&call.request, List::Issuers)?;
        let asked = page.clone();
        let list = self
            .run(call, Cost::Durable, move |engine, call| engine.list_issuers(&call.caller, &call.container, &asked));
        let found = list.await?;
        let audience = call.audience();
        let link = |marker: &String| page::next_link(audience.host, audience.version, List::Issuers, &page, marker);
        let next_link = found.next.as_ref().and_then(link);
        let value: Vec<_> = found.items.iter().map(|issuer| IssuerItem::new(issuer, audience)).collect();
        Ok(reply::json(StatusCode::OK, &ListResult::new(next_link, value, audience.kind)))
    }

    pub(in crate::data_plane) async fn get_issuer(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let name = name(route)?;
        let get =
            self.run(call, Cost::Durable, move |engine, call| engine.get_issuer(&call.caller, &call.container, &name));
        bundle(&get.await?, call)
    }

    pub(in crate::data_plane) async fn set_issuer(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let (name, request) = (name(route)?, body::issuer(&call.request.body, &self.addresses)?);
        let set = self.run(call, Cost::Durable, move |engine, call| {
            engine.set_issuer(&call.caller, &call.container, &name, &request)
        });
        bundle(&set.await?, call)
    }

    pub(in crate::data_plane) async fn update_issuer(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let (name, request) = (name(route)?, body::issuer(&call.request.body, &self.addresses)?);
        let update = self.run(call, Cost::Durable, move |engine, call| {
            engine.update_issuer(&call.caller, &call.container, &name, &request)
        });
        bundle(&update.await?, call)
    }

    pub(in crate::data_plane) async fn delete_issuer(&self, call: &Arc<Call>, route: &Route<'_>) -> Answer {
        let name = name(route)?;
        let delete = self
            .run(call, Cost::Durable, move |engine, call| engine.delete_issuer(&call.caller, &call.container, &name));
        bundle(&delete.await?, call)
    }

    pub(in crate::data_plane) async fn get_contacts(&self, call: &Arc<Call>) -> Answer {
        let get = self.run(call, Cost::Durable, move |engine, call| engine.get_contacts(&call.caller, &call.container));
        list(&get.await?, call)
    }

    pub(in crate::data_plane) async fn set_contacts(&self, call: &Arc<Call>) -> Answer {
        let contacts = body::contacts(&call.request.body)?;
        let set = self.run(call, Cost::Durable, move |engine, call| {
            engine.set_contacts(&call.caller, &call.container, &contacts)?;
            Ok(contacts)
        });
        list(&set.await?, call)
    }

    pub(in crate::data_plane) async fn delete_contacts(&self, call: &Arc<Call>) -> Answer {
        let delete =
            self.run(call, Cost::Durable, move |engine, call| engine.delete_contacts(&call.caller, &call.container));
        list(&delete.await?, call)
    }
}
