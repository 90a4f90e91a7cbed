//! Installations from before there were directory roles: whoever administered the directory then goes on to, once.
//!
//! In those the directory was changed by whoever might give rights in the control plane, at the root of all scopes or on
//! every subscription of a tenant. They become Global Administrators the first time that this program is started.

use super::directory_id;
use crate::{Engine, Error, Subject};
use domain::{
    Directory, Guid, Operation, Subscription,
    access::{self, Assignments, Caller, GLOBAL_ADMINISTRATOR, Realm, RoleAssignment, Scope},
};
use std::collections::BTreeSet;
use store::Tx;

/// Says that this was done, or that there was nothing to do.
const DONE: &str = "directory-roles";

/// What somebody had to be allowed who could get everything else done.
const FORMER_RIGHTS: [&str; 4] = [
    "Microsoft.Authorization/applications/write",
    "Microsoft.Authorization/servicePrincipals/write",
    "Microsoft.Authorization/applications/passwords/write",
    "Microsoft.Authorization/groups/members/write",
];

impl Engine {
    pub(crate) fn succeed_former_administrators(&self) -> Result<(), Error> {
        if self.system_record(DONE)?.is_some() {
            return Ok(());
        }
        let changed = self.store.transact("SucceedFormerAdministrators", |tx| {
            let (now, operation) = (self.now(), Operation::DirectoryRoleAssignmentPut);
            for (tenant, principal) in former_administrators(tx)? {
                let assignment = RoleAssignment {
                    realm: Realm::Directory,
                    name: self.new_guid(),
                    scope: Scope::root(),
                    role: GLOBAL_ADMINISTRATOR,
                    principal,
                    created: now,
                };
                tx.put_role_assignment(&assignment)?;
                let path = format!("/roleManagement/directory/roleAssignments/{}", assignment.name);
                let subject = Subject { container: None, resource: &directory_id(tenant), path: &path };
                self.append_record(tx, operation, None, &subject, now)?;
            }
            Ok(tx.put_system_record(DONE, b"1")?)
        });
        self.settle_access(Realm::Directory, changed)
    }
}

/// With the tenant that each of them is of. Of a group that is one its members are not named again.
fn former_administrators(tx: &mut dyn Tx) -> Result<Vec<(Guid, Guid)>, Error> {
    let (assigned, customs) = (tx.role_assignments(Realm::Arm)?, tx.role_definitions(Realm::Arm)?);
    let named: BTreeSet<Guid> = assigned.iter().map(|assignment| assignment.principal).collect();
    let assignments = Assignments::new(assigned, access::built_in_roles(Realm::Arm).iter().chain(&customs));
    let directory = Directory::new(tx.principals()?, &tx.memberships()?);
    let subscriptions = tx.subscriptions()?;
    let tenants: BTreeSet<Guid> = subscriptions.iter().map(|subscription| subscription.tenant).collect();
    let mut found: Vec<(Guid, Guid)> = Vec::new();
    // Those that assignments name come first: groups among them.
    for principal in named.iter().copied().chain(directory.principals().map(|known| known.object_id)) {
        let groups = directory.groups_of(principal);
        if found.iter().any(|(_, known)| *known == principal || groups.contains(known)) {
            continue;
        }
        let caller = |tenant| somebody(tenant, principal, groups.clone());
        let administers = |tenant: &&Guid| may_all(&assignments, &caller(**tenant), &subscriptions);
        if let Some(tenant) = tenants.iter().find(administers) {
            found.push((*tenant, principal));
        }
    }
    Ok(found)
}

fn may_all(assignments: &Assignments, caller: &Caller, subscriptions: &[Subscription]) -> bool {
    let own: Vec<String> = subscriptions
        .iter()
        .filter(|subscription| subscription.tenant == caller.tenant)
        .map(|subscription| format!("/subscriptions/{}", subscription.id))
        .collect();
    FORMER_RIGHTS.iter().all(|action| {
        let holds_at = |scope: &str| assignments.action(caller, action, scope).is_some();
        holds_at("/") || own.iter().all(|scope| holds_at(scope))
    })
}

/// A principal, as they would ask.
fn somebody(tenant: Guid, object_id: Guid, groups: Vec<Guid>) -> Caller {
    Caller { groups, ..Caller::new(tenant, object_id, object_id) }
}
