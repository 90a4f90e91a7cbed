//! Role definitions and assignments.

use crate::{ContainerId, Guid, ObjectName, UnixTime};
use serde::{Deserialize, Serialize};

/// Actions that a role grants and withholds. `*` stands for any characters, slashes included; case does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolePermissions {
    pub actions: Vec<String>,
    pub not_actions: Vec<String>,
    pub data_actions: Vec<String>,
    pub not_data_actions: Vec<String>,
}

/// For a single question. What is asked again and again goes by [`Granted`].
impl RolePermissions {
    #[must_use]
    pub fn allows_action(&self, action: &str) -> bool {
        Granted::by(self).allows_action(action)
    }

    #[must_use]
    pub fn allows_data_action(&self, action: &str) -> bool {
        Granted::by(self).allows_data_action(action)
    }
}

/// What a role's permissions come to, sorted out once: it is asked for every request.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    actions: Patterns,
    not_actions: Patterns,
    data_actions: Patterns,
    not_data_actions: Patterns,
}

impl Granted {
    pub(super) fn by(permissions: &RolePermissions) -> Self {
        Self {
            actions: Patterns::new(&permissions.actions),
            not_actions: Patterns::new(&permissions.not_actions),
            data_actions: Patterns::new(&permissions.data_actions),
            not_data_actions: Patterns::new(&permissions.not_data_actions),
        }
    }

    pub(super) fn allows_action(&self, action: &str) -> bool {
        self.actions.match_one(action) && !self.not_actions.match_one(action)
    }

    pub(super) fn allows_data_action(&self, action: &str) -> bool {
        self.data_actions.match_one(action) && !self.not_data_actions.match_one(action)
    }
}

/// Most patterns are plain actions: only those of the right length are looked at.
#[derive(Clone, Debug)]
struct Patterns {
    /// In the order of their lengths.
    plain: Vec<String>,
    with_stars: Vec<String>,
}

impl Patterns {
    fn new(patterns: &[String]) -> Self {
        let (with_stars, mut plain): (_, Vec<String>) =
            patterns.iter().cloned().partition(|pattern| pattern.contains('*'));
        plain.sort_by_key(String::len);
        Self { plain, with_stars }
    }

    fn match_one(&self, action: &str) -> bool {
        let shorter = self.plain.partition_point(|plain| plain.len() < action.len());
        let mut as_long = self.plain[shorter..].iter().take_while(|plain| plain.len() == action.len());
        as_long.any(|plain| plain.eq_ignore_ascii_case(action))
            || self.with_stars.iter().any(|pattern| matches(pattern.as_bytes(), action.as_bytes()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleDefinition {
    pub id: Guid,
    pub name: String,
    pub description: String,
    pub permissions: RolePermissions,
    /// Where it may be assigned: there and below.
    pub assignable_scopes: Vec<Scope>,
    pub origin: RoleOrigin,
}

impl RoleDefinition {
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.origin == RoleOrigin::BuiltIn
    }

    /// Whether it may be assigned at a scope.
    #[must_use]
    pub fn is_assignable_at(&self, scope: &Scope) -> bool {
        self.assignable_scopes.iter().any(|assignable| assignable.covers(scope.as_str()))
    }
}

/// Whose a role definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleOrigin {
    /// Of the documents: never stored, never changed.
    BuiltIn,
    /// Of the installation.
    Custom { created: UnixTime, updated: UnixTime },
}

/// The space that an assignment's scope is a path in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Realm {
    /// Azure RBAC: scopes are ARM ids, `/` the root of all.
    Arm,
    /// Local RBAC of one managed HSM: scopes are `/`, `/keys`, `/keys/{name}`.
    Hsm(ContainerId),
    /// The roles of the directory. The scope is always `/`.
    Directory,
}

/// A path: it covers itself and everything below. Kept as given, compared without case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// Brings a path to its one form: begins with a slash, no slash at its end, none doubled.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        Self(format!("/{}", segments.join("/")))
    }

    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The scope of one key of a managed HSM.
    #[must_use]
    pub fn key(name: &ObjectName) -> Self {
        Self(format!("/keys/{name}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what lies at `path` (in one form, as [`Scope::new`] makes it) is this scope or below it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        if self.0 == "/" {
            return true;
        }
        let length = self.0.len();
        path.get(..length).is_some_and(|head| head.eq_ignore_ascii_case(&self.0))
            && matches!(path.as_bytes().get(length), None | Some(b'/'))
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Scope {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssignment {
    pub realm: Realm,
    pub name: Guid,
    pub scope: Scope,
    pub role: Guid,
    pub principal: Guid,
    pub created: UnixTime,
}

/// Wildcard match without case. Only the last star is ever reconsidered: what came before it has matched as early as
/// it can. Callers write patterns, so no pattern may take more than the product of the lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // After the last star: where the pattern goes on, and how far the star has reached.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, from));
            }
            Some(wanted) if wanted.eq_ignore_ascii_case(letter) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((behind, reached)) = star else { return false };
                star = Some((behind, reached + 1));
                (at, from) = (behind, reached + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cross_slashes() {
        assert!(matches(b"Microsoft.KeyVault/vaults/*/read", b"microsoft.keyvault/vaults/keys/read"));
        assert!(matches(b"*", b"anything/at/all"));
        assert!(!matches(b"Microsoft.KeyVault/vaults/*/read", b"Microsoft.KeyVault/vaults/read"));
        assert!(!matches(b"Microsoft.KeyVault/*", b"Microsoft.Key"));
    }

    #[test]
    fn a_star_stands_for_any_characters_and_for_none() {
        for (pattern, text) in
            [("*", ""), ("**", "a"), ("a*", "a"), ("*a", "ba"), ("*a*b", "xaxaxb"), ("*ab", "aab"), ("a*b*c", "abbcc")]
        {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", ""), ("*a", "ab"), ("a*", "ba"), ("*a*b", "ba"), ("a*b*c", "acb")] {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_no_burden() {
        // Trying every way to split the text would take longer than anybody lives.
        let pattern = "*a".repeat(1000) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(2000).as_bytes()));
    }

    #[test]
    fn a_scope_covers_itself_and_what_is_below() {
        let scope = Scope::new("//subscriptions/S/resourceGroups/g/");
        assert!(scope.covers("/subscriptions/s/resourcegroups/G/providers/x"));
        assert!(scope.covers("/subscriptions/s/resourceGroups/g"));
        assert!(!scope.covers("/subscriptions/s/resourceGroups/g2"));
        assert!(Scope::root().covers("/keys/a"));
        assert!(!Scope::new("/keys/a").covers("/keys/ab"));
    }
}
