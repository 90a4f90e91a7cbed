//! What is said where a lock stands in the way.
//!
//! Contract: key-vault §4, "Neighbouring calls".

use crate::arm::error::Problem;
use domain::lock::Act;
use http::StatusCode;

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
