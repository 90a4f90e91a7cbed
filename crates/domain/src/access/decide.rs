//! The decisions.

use super::{Caller, RoleAssignment, RoleDefinition, Scope, role::Granted};
use crate::{AccessPolicy, Guid, Operation};
use foldhash::{HashMap, HashMapExt as _};
use std::sync::Arc;

/// The assignments of one realm, by principal, each with the role it assigns: what a decision needs, and nothing it has
/// to look up elsewhere. Its cost grows with the caller's own assignments, not with everybody's.
#[derive(Clone, Debug, Default)]
pub struct Assignments(HashMap<Guid, Vec<(RoleAssignment, Arc<Granted>)>>);

impl Assignments {
    /// Joins assignments with the definitions they name. An assignment of a role that is not there (any more) grants
    /// nothing.
    #[must_use]
    pub fn new<'roles>(
        assignments: Vec<RoleAssignment>,
        definitions: impl IntoIterator<Item = &'roles RoleDefinition>,
    ) -> Self {
        let roles: HashMap<Guid, Arc<Granted>> =
            definitions.into_iter().map(|role| (role.id, Arc::new(Granted::by(&role.permissions)))).collect();
        let mut by_principal: HashMap<Guid, Vec<_>> = HashMap::new();
        for assignment in assignments {
            if let Some(role) = roles.get(&assignment.role) {
                by_principal.entry(assignment.principal).or_default().push((assignment, Arc::clone(role)));
            }
        }
        Self(by_principal)
    }

    /// The assignment by which the caller may take a data action at `path`, if one lets them.
    #[must_use]
    pub fn data_action(&self, caller: &Caller, action: &str, path: &str) -> Option<&RoleAssignment> {
        self.find(caller, |assignment, role| assignment.scope.covers(path) && role.allows_data_action(action))
    }

    /// The assignment by which the caller may take a control-plane action at `path`, if one lets them.
    #[must_use]
    pub fn action(&self, caller: &Caller, action: &str, path: &str) -> Option<&RoleAssignment> {
        self.find(caller, |assignment, role| assignment.scope.covers(path) && role.allows_action(action))
    }

    /// Principals who hold a control-plane action somewhere.
    pub fn holders(&self, action: &str) -> impl Iterator<Item = Guid> {
        let holding =
            self.0.iter().filter(move |(_, granted)| granted.iter().any(|(_, role)| role.allows_action(action)));
        holding.map(|(principal, _)| *principal)
    }

    /// Whether the caller has an assignment of any role at a scope, above or below it.
    #[must_use]
    pub fn within(&self, caller: &Caller, scope: &Scope) -> bool {
        let near = |other: &Scope| scope.covers(other.as_str()) || other.covers(scope.as_str());
        self.find(caller, |assignment, _| near(&assignment.scope)).is_some()
    }

    fn find(&self, caller: &Caller, fits: impl Fn(&RoleAssignment, &Granted) -> bool) -> Option<&RoleAssignment> {
        std::iter::once(&caller.object_id)
            .chain(&caller.groups)
            .filter_map(|principal| self.0.get(principal))
            .flatten()
            .find(|(assignment, role)| fits(assignment, role))
            .map(|(assignment, _)| assignment)
    }
}

/// Whether one of a vault's access policies lets the caller do this.
///
/// `all` grants every permission, purge included: the documents differ (contract: key-vault §4.2), and the choice
/// is written in DIVERGENCES.md.
#[must_use]
pub fn allows_policy(policies: &[AccessPolicy], caller: &Caller, operation: Operation) -> bool {
    let Some((collection, permission)) = operation.policy_permission() else {
        return false;
    };
    // Contract: key-vault §3.3, below the table.
    let is_managed = matches!(operation, Operation::CertificateIssuerGet | Operation::CertificateIssuerDelete);
    let enough = [Some(permission), Some("all"), is_managed.then_some("manageissuers")];
    policies
        .iter()
        .filter(|policy| applies(policy, caller))
        .flat_map(|policy| match collection {
            "keys" => &policy.keys,
            "secrets" => &policy.secrets,
            _ => &policy.certificates,
        })
        .any(|granted| enough.iter().flatten().any(|word| granted.eq_ignore_ascii_case(word)))
}

fn applies(policy: &AccessPolicy, caller: &Caller) -> bool {
    let is_caller =
        policy.tenant == caller.tenant && Guid::parse(&policy.object_id).is_some_and(|object_id| caller.is(object_id));
    let application = policy.application_id.as_deref().map(Guid::parse);
    // A compound policy speaks of a user acting through one application.
    is_caller && application.is_none_or(|application| application == caller.app_id && application.is_some())
}
