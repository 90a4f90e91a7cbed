//! Who may change the directory, and whether anybody may: that, and what else nobody could ever get back.
//!
//! Secrets do not count here: a principal without any is given one by whoever may, and users sign in elsewhere.

use crate::Error;
use domain::{
    Guid, Operation, PrincipalKind, Subscription,
    access::{self, Assignments, Caller, Realm},
    closure,
};
use std::sync::Arc;
use store::Tx;

/// What an administrator of the directory may do, if nothing else: whoever can do these can get everything else done.
const ESSENTIAL: [Operation; 4] = [
    Operation::ApplicationCreate,
    Operation::ServicePrincipalCreate,
    Operation::ClientSecretAdd,
    Operation::GroupMemberAdd,
];

/// Whether a caller holds an action for the whole of their tenant.
pub(super) fn may(assignments: &Assignments, caller: &Caller, action: &str, subscriptions: &[Subscription]) -> bool {
    let holds_at = |scope: &str| assignments.action(caller, action, scope).is_some();
    let mut own = subscriptions.iter().filter(|each| each.tenant == caller.tenant).peekable();
    holds_at("/") || (own.peek().is_some() && own.all(|each| holds_at(&format!("/subscriptions/{}", each.id))))
}

pub(crate) fn is_directory_administered(tx: &mut dyn Tx, tenant: Guid) -> Result<bool, Error> {
    let (assignments, customs) = (tx.role_assignments(Realm::Arm)?, tx.role_definitions(Realm::Arm)?);
    let assignments = Assignments::new(assignments, access::built_in_roles(Realm::Arm).iter().chain(&customs));
    let subscriptions = tx.subscriptions()?;
    let actions: Vec<_> = ESSENTIAL.iter().filter_map(|operation| operation.arm_action()).collect();
    let Some(first) = actions.first() else { return Ok(false) };
    let may_all = |caller: &Caller| actions.iter().all(|action| may(&assignments, caller, action, &subscriptions));
    for holder in assignments.holders(first) {
        if is_any(tx, tenant, holder, &may_all)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a principal, or somebody in it if it is a group, can sign in and is such a caller.
fn is_any(tx: &mut dyn Tx, tenant: Guid, holder: Guid, fits: &dyn Fn(&Caller) -> bool) -> Result<bool, Error> {
    let mut candidates = vec![holder];
    candidates.extend(closure(holder, |group| tx.members_of(group))?);
    for candidate in candidates {
        if somebody(tx, tenant, candidate)?.is_some_and(|caller| fits(&caller)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A principal who can sign in, as they would ask.
fn somebody(tx: &mut dyn Tx, tenant: Guid, object_id: Guid) -> Result<Option<Caller>, Error> {
    let signs_in = [PrincipalKind::User, PrincipalKind::ServicePrincipal];
    let found = tx.principal_by_object(object_id)?;
    let Some(found) = found.filter(|found| found.enabled && signs_in.contains(&found.kind)) else { return Ok(None) };
    Ok(Some(Caller {
        tenant,
        object_id,
        app_id: found.app_id,
        groups: closure(object_id, |member| tx.groups_of(member))?,
        issuer: String::new(),
        address: None,
        correlation_id: object_id,
        origin: Arc::default(),
    }))
}
