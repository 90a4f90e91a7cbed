//! Locks.

use crate::{
    arm::{
        Answer, Arm, Ask,
        filter::{self, Condition},
        ok,
        paging::List,
        wire::locks::{self, LockOut},
    },
    reply,
};
use domain::{Refusal, access::Scope, lock::LockName};
use engine::Error;
use http::StatusCode;

/// Locks at, above and below a scope; `$filter=atScope()` leaves out those below.
pub(super) async fn list(arm: &Arm, ask: &Ask, scope: &Scope) -> Answer {
    let text = ask.request.query("$filter").unwrap_or_default();
    let mut not_below = false;
    for condition in filter::of(Some(text))? {
        match condition {
            Condition::Call { name, .. } if name == "atscope" => not_below = true,
            _ => return Err(filter::bad(text).into()),
        }
    }
    let asked = scope.clone();
    let found = arm.engine(ask, move |engine, caller| engine.locks(caller, &asked)).await?;
    let shown = found.iter().filter(|lock| !not_below || lock.counts_for(scope.as_str()));
    ok(&List::whole(shown.map(LockOut::from).collect()))
}

/// The name in a path that looks for a lock. What can't be a name is the name of nothing.
fn sought(name: &str) -> Result<LockName, Refusal> {
    LockName::parse(name).ok_or_else(|| Refusal::LockNotFound { name: name.to_owned() })
}

pub(super) async fn show(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let (scope, name) = (scope.clone(), sought(name)?);
    let found = arm.engine(ask, move |engine, caller| engine.lock(caller, &scope, &name)).await?;
    ok(&LockOut::from(&found))
}

pub(super) async fn put(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let asked = locks::read(scope, name, &ask.request.body)?;
    let (lock, created) = arm.engine(ask, move |engine, caller| engine.put_lock(caller, &asked)).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reply::json(status, &LockOut::from(&lock)))
}

/// 204 where there is nothing to remove.
pub(super) async fn delete(arm: &Arm, ask: &Ask, scope: &Scope, name: &str) -> Answer {
    let Ok(name) = sought(name) else {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    let scope = scope.clone();
    let work = move |engine: &engine::Engine, caller: &domain::access::Caller| match engine
        .delete_lock(caller, &scope, &name)
    {
        Ok(()) => Ok(StatusCode::OK),
        Err(Error::Refused(Refusal::LockNotFound { .. })) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error),
    };
    Ok(reply::empty(arm.engine(ask, work).await?))
}
