//! What adding, replacing and removing do to a vault's access policies.
//!
//! A policy speaks of one principal of a tenant, or of one acting through one application: those three are its identity.
//! Source: contract key-vault §4.2, "Access policies", which leaves the details open; the choices are in
//! DIVERGENCES.md.

use super::route::PolicyChange;
use domain::AccessPolicy;

/// The policies after a change by those given.
pub(crate) fn changed(
    change: PolicyChange,
    mut existing: Vec<AccessPolicy>,
    given: &[AccessPolicy],
) -> Vec<AccessPolicy> {
    for policy in given {
        let found = existing.iter_mut().find(|held| same_principal(held, policy));
        match (change, found) {
            (PolicyChange::Add, Some(held)) => each(held, policy, add),
            (PolicyChange::Replace, Some(held)) => policy.clone_into(held),
            (PolicyChange::Remove, Some(held)) => each(held, policy, remove),
            (PolicyChange::Add | PolicyChange::Replace, None) => existing.push(policy.clone()),
            (PolicyChange::Remove, None) => {}
        }
    }
    if change == PolicyChange::Remove {
        existing.retain(|held| !given.iter().any(|policy| same_principal(held, policy)) || !is_empty(held));
    }
    existing
}

fn same_principal(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let application = |policy: &AccessPolicy| policy.application_id.as_deref().map(str::to_ascii_lowercase);
    one.tenant == other.tenant
        && one.object_id.eq_ignore_ascii_case(&other.object_id)
        && application(one) == application(other)
}

fn each(held: &mut AccessPolicy, given: &AccessPolicy, change: fn(&mut Vec<String>, &[String])) {
    change(&mut held.keys, &given.keys);
    change(&mut held.secrets, &given.secrets);
    change(&mut held.certificates, &given.certificates);
    change(&mut held.storage, &given.storage);
}

fn add(held: &mut Vec<String>, given: &[String]) {
    for word in given {
        if !held.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            held.push(word.clone());
        }
    }
}

/// Removing `all` removes everything.
fn remove(held: &mut Vec<String>, given: &[String]) {
    held.retain(|word| !given.iter().any(|gone| gone.eq_ignore_ascii_case(word) || gone.eq_ignore_ascii_case("all")));
}

fn is_empty(policy: &AccessPolicy) -> bool {
    policy.keys.is_empty() && policy.secrets.is_empty() && policy.certificates.is_empty() && policy.storage.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Guid;

    fn policy(object_id: &str, keys: &[&str]) -> AccessPolicy {
        AccessPolicy {
            tenant: Guid::from_u128(1),
            object_id: object_id.to_owned(),
            application_id: None,
            keys: keys.iter().map(|word| (*word).to_owned()).collect(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            storage: Vec::new(),
        }
    }

    #[test]
    fn adding_unites_per_principal_without_case() {
        let held = vec![policy("A", &["get"])];
        let after = changed(PolicyChange::Add, held, &[policy("a", &["GET", "list"]), policy("b", &["sign"])]);
        assert_eq!(after, vec![policy("A", &["get", "list"]), policy("b", &["sign"])]);
    }

    #[test]
    fn replacing_leaves_other_principals_alone() {
        let held = vec![policy("a", &["get"]), policy("b", &["sign"])];
        let after = changed(PolicyChange::Replace, held, &[policy("a", &["list"]), policy("c", &["wrapKey"])]);
        assert_eq!(after, vec![policy("a", &["list"]), policy("b", &["sign"]), policy("c", &["wrapKey"])]);
    }

    #[test]
    fn removing_drops_a_policy_that_grants_nothing_more() {
        let held = vec![policy("a", &["get", "list"]), policy("b", &["sign"]), policy("c", &[])];
        let after = changed(PolicyChange::Remove, held, &[policy("a", &["Get"]), policy("b", &["all"])]);
        assert_eq!(after, vec![policy("a", &["list"]), policy("c", &[])]);
    }

    #[test]
    fn a_policy_through_an_application_is_another_policy() {
        let compound = AccessPolicy { application_id: Some("app".to_owned()), ..policy("a", &["list"]) };
        let after = changed(PolicyChange::Add, vec![policy("a", &["get"])], std::slice::from_ref(&compound));
        assert_eq!(after, vec![policy("a", &["get"]), compound]);
    }

    #[test]
    fn a_policy_of_another_tenant_is_another_policy() {
        let foreign = |keys| AccessPolicy { tenant: Guid::from_u128(2), ..policy("a", keys) };
        let held = vec![policy("a", &["get"]), foreign(&["sign"])];
        let after = |change, given| changed(change, held.clone(), &[given]);
        assert_eq!(after(PolicyChange::Add, foreign(&["list"])), [policy("a", &["get"]), foreign(&["sign", "list"])]);
        assert_eq!(after(PolicyChange::Replace, foreign(&["list"])), [policy("a", &["get"]), foreign(&["list"])]);
        assert_eq!(after(PolicyChange::Remove, foreign(&["all"])), [policy("a", &["get"])]);
    }
}
