//! The directory as Microsoft Graph v1.0 shows it: users, groups, applications and their service principals.
//!
//! Source: Microsoft Graph REST API v1.0 reference; contract: az-client §2, "Graph v1.0"; the calls are those of
//! azure-cli 2.91. Whoever has a token for the directory may read all of it: names of principals are no secret here.
//! Who may change it the engine decides, before a body is judged or an object is said to be missing.

pub(super) mod body;
pub(super) mod error;
pub(super) mod face;
pub(super) mod filter;
pub(super) mod fuzz;
mod handlers;
mod page;
mod roles;
mod route;
#[cfg(test)]
mod tests;

use super::{SignIn, not_stored};
use crate::{
    Addresses, Request, Response,
    bearer::{self, NoCaller},
    reply,
};
use domain::{Directory, Operation, access::Caller};
use engine::{Cost, Engine, Error};
use error::{GRAPH_APP_ID, Refused};
use face::Face;
use http::StatusCode;
use route::{Collection, Route};
use serde_json::Value;
use std::sync::Arc;

/// A request of somebody who has a token for the directory.
struct Ask<'request> {
    front: &'request SignIn,
    request: &'request Request,
    caller: Caller,
    /// As it was when the request came.
    directory: Arc<Directory>,
}

/// What a handler gives.
enum Answer {
    Found(Value),
    Created(Value),
    /// Done, and there is nothing to say.
    Done,
}

type Outcome = Result<Answer, Refused>;

impl SignIn {
    pub(super) async fn graph(&self, request: &Request, path: &[&str]) -> Response {
        let path = match path {
            ["v1.0" | "beta", rest @ ..] => rest,
            path => path,
        };
        match self.graph_answer(request, path).await {
            Ok(Answer::Found(body)) => not_stored(reply::json(StatusCode::OK, &body)),
            Ok(Answer::Created(body)) => not_stored(reply::json(StatusCode::CREATED, &body)),
            Ok(Answer::Done) => not_stored(reply::empty(StatusCode::NO_CONTENT)),
            Err(refused) => self.graph_error(request, &refused),
        }
    }

    async fn graph_answer(&self, request: &Request, path: &[&str]) -> Outcome {
        let caller =
            bearer::caller(&self.door, &self.identity, request, &audiences(&self.addresses)).await.map_err(|why| {
                match why {
                    NoCaller::Unauthenticated(why) => self.graph_unauthenticated(request, &why),
                    NoCaller::Failed(error) => error::of_engine(&error, ""),
                }
            })?;
        let directory = self.door.directory().await.map_err(|error| error::of_engine(&error, ""))?;
        let ask = Ask { front: self, request, caller, directory };
        match Route::of(path) {
            Some(route) => handlers::dispatch(&ask, route).await,
            None => Err(Refused::no_segment(path.last().copied().unwrap_or_default())),
        }
    }
}

impl Ask<'_> {
    fn base(&self) -> String {
        super::authority::base(&self.front.addresses, &self.request.host)
    }

    /// Asks the engine for a change. What is wrong with the request is told only to those who may make the change.
    /// `id` is what the request is about, for the refusals that name it.
    async fn change<B: Send + 'static, T: Send + 'static>(
        &self,
        operation: Operation,
        id: &str,
        asked: Result<B, Refused>,
        work: impl FnOnce(&Engine, &Caller, B) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Refused> {
        let caller = self.caller.clone();
        let judged = move |engine: &Engine| match asked {
            Ok(asked) => work(engine, &caller, asked).map(Ok),
            Err(refused) => engine.check_directory_access(&caller, operation).map(|()| Err(refused)),
        };
        let outcome = self.front.door.run(Cost::Durable, judged).await;
        outcome.map_err(|error| error::of_engine(&error, id))?
    }

    /// One object of a collection, with what it is.
    fn entity(&self, face: Face<'_>, collection: Collection) -> Value {
        let tenant = self.front.addresses.tenant;
        let is_of_any_type = collection == Collection::DirectoryObjects;
        let shown = if is_of_any_type { face.typed(tenant) } else { face.shown(tenant) };
        self.single(shown, collection.name())
    }

    /// One thing of a list of this name.
    fn single(&self, mut shown: Value, list: &str) -> Value {
        if let Some(shown) = shown.as_object_mut() {
            let context = format!("{}/v1.0/$metadata#{list}/$entity", self.base());
            shown.insert("@odata.context".to_owned(), context.into());
        }
        shown
    }
}

/// Every audience that a token for the directory may carry, without a slash at its end.
fn audiences(addresses: &Addresses) -> Vec<String> {
    vec![
        "https://graph.microsoft.com".to_owned(),
        addresses.base_url(),
        format!("https://graph.{}", addresses.authority()),
        GRAPH_APP_ID.to_owned(),
    ]
}
