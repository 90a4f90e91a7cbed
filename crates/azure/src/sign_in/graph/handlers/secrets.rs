//! Client secrets. An application and its service principal have the same ones: they are one record.

use super::changes::found;
use crate::sign_in::graph::{Answer, Ask, Outcome, body, error::Refused, face, route::Collection};
use domain::Operation;
use engine::Application;
use http::StatusCode;
use serde_json::Value;

/// Which application a path means.
fn application(ask: &Ask<'_>, collection: Collection, id: &str) -> Result<Application, Refused> {
    let id = found(ask, collection, id)?;
    Ok(if collection == Collection::Applications { Application::Registered(id) } else { Application::Principal(id) })
}

/// Makes a secret. The answer is the only place where its text ever is.
pub(super) async fn add(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let asked = application(ask, collection, id).and_then(|of| Ok((of, body::secret(&ask.request.body)?)));
    let work = |engine: &engine::Engine, caller: &_, (of, new)| engine.add_client_secret(caller, of, &new);
    let added = ask.change(Operation::ClientSecretAdd, id, asked, work).await?;
    let unreadable =
        |_| Refused::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceNotAvailable", "The secret can't be written.");
    let text = std::str::from_utf8(added.text.expose()).map_err(unreadable)?;
    let mut shown = face::password(&added.secret, Some(text));
    if let Some(shown) = shown.as_object_mut() {
        let context = format!("{}/v1.0/$metadata#microsoft.graph.passwordCredential", ask.base());
        shown.insert("@odata.context".to_owned(), Value::from(context));
    }
    Ok(Answer::Found(shown))
}

pub(super) async fn remove(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let asked = application(ask, collection, id).and_then(|of| Ok((of, body::key_id(&ask.request.body)?)));
    let work = |engine: &engine::Engine, caller: &_, (of, id)| engine.remove_client_secret(caller, of, id);
    ask.change(Operation::ClientSecretRemove, id, asked, work).await?;
    Ok(Answer::Done)
}
