//! Locks, and what is said where one stands in the way.
//!
//! Schema `ManagementLockObject` of `arm-locks-2020-05-01.json`; contract: key-vault §4, "Neighbouring calls".

use crate::{
    arm::error::{Failure, Problem},
    json::{self, Object},
};
use domain::{
    access::Scope,
    lock::{Act, Level, Lock, LockName},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct LockOut {
    id: String,
    name: String,
    r#type: &'static str,
    properties: LockProperties,
}

#[derive(Serialize)]
struct LockProperties {
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owners: Vec<Owner>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    application_id: String,
}

impl From<&Lock> for LockOut {
    fn from(lock: &Lock) -> Self {
        let name = lock.name.as_str().to_owned();
        Self {
            id: format!("{}/providers/Microsoft.Authorization/locks/{name}", lock.scope.as_str()),
            name,
            r#type: "Microsoft.Authorization/locks",
            properties: LockProperties {
                level: lock.level.as_str(),
                notes: lock.notes.clone(),
                owners: lock.owners.iter().map(|id| Owner { application_id: id.clone() }).collect(),
            },
        }
    }
}

#[derive(Deserialize)]
struct LockBody {
    properties: Option<Object<LockIn>>,
}

#[derive(Deserialize)]
struct LockIn {
    level: Option<String>,
    notes: Option<String>,
    owners: Option<Vec<Object<Owner>>>,
}

/// The lock that a PUT asks for.
pub(crate) fn read(scope: &Scope, name: &str, body: &[u8]) -> Result<Lock, Failure> {
    let name = LockName::parse(name).ok_or_else(|| {
        invalid("lockName", "it has to have 1 to 260 characters, and none of '<', '>', '%', '&', ':', '\\', '?', '/'")
    })?;
    let body: LockBody = json::parse(body)?;
    let Object(asked) = body.properties.ok_or_else(|| invalid("properties", "they are missing"))?;
    let level = asked.level.as_deref().and_then(Level::parse);
    let level = level.ok_or_else(|| invalid("level", "it has to be 'CanNotDelete' or 'ReadOnly'"))?;
    let owners = asked.owners.unwrap_or_default().into_iter().map(|Object(owner)| owner.application_id);
    Ok(Lock { scope: scope.clone(), name, level, notes: asked.notes, owners: owners.collect() })
}

fn invalid(what: &str, why: &str) -> Problem {
    Problem::bad_request(format!("An invalid value was provided for '{what}': {why}."))
}

pub(crate) fn not_found(name: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "LockNotFound", format!("The lock '{name}' could not be found."))
}

/// What locks say to who would change or delete something.
pub(crate) fn scope_locked(act: Act, scope: &str, locked: &[String]) -> Problem {
    let operation = match act {
        Act::Write => "write",
        Act::Delete => "delete",
    };
    let message = format!(
        "The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: '{}'. Please \
         remove the lock and try again.",
        locked.join(",")
    );
    Problem::new(StatusCode::CONFLICT, "ScopeLocked", message)
}
