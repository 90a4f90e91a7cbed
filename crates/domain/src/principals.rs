//! The directory at one moment, in the shape that questions of it need: who somebody is, whether they may still act, and
//! which groups they are in.
//!
//! Membership is transitive: whoever is in a group is in every group that one is in. Cycles are refused where they would
//! be made; one that came about all the same does no harm here.

use crate::{Guid, Principal, PrincipalKind};
use foldhash::{HashMap, HashMapExt as _};
use std::{
    collections::{BTreeMap, HashSet},
    convert::Infallible,
};

/// What the directory says of somebody who shows a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'directory> {
    /// It knows nobody of this object id.
    Unknown,
    Disabled,
    /// With every group they are in.
    Enabled {
        kind: PrincipalKind,
        groups: &'directory [Guid],
    },
}

/// All principals and memberships. Made once, then only read: [`Directory::standing`] is asked for every request.
#[derive(Debug, Default)]
pub struct Directory {
    principals: BTreeMap<Guid, Principal>,
    /// Object ids of the records of applications, by the id they sign in with and by their own object id.
    applications: HashMap<Guid, Guid>,
    registrations: HashMap<Guid, Guid>,
    /// The members of each group, not those of groups in it.
    members: HashMap<Guid, Vec<Guid>>,
    /// The groups that name somebody themselves.
    groups: HashMap<Guid, Vec<Guid>>,
    /// Who may act, each with all groups they are in.
    enabled: HashMap<Guid, (PrincipalKind, Box<[Guid]>)>,
}

impl Directory {
    /// Memberships are pairs of group and member.
    #[must_use]
    pub fn new(principals: Vec<Principal>, memberships: &[(Guid, Guid)]) -> Self {
        let mut members: HashMap<Guid, Vec<Guid>> = HashMap::new();
        let mut groups: HashMap<Guid, Vec<Guid>> = HashMap::new();
        for (group, member) in memberships {
            members.entry(*group).or_default().push(*member);
            groups.entry(*member).or_default().push(*group);
        }
        let principals: BTreeMap<_, _> = principals.into_iter().map(|each| (each.object_id, each)).collect();
        let acts = |each: &&Principal| each.enabled && each.kind != PrincipalKind::Application;
        let enabled = principals.values().filter(acts);
        let enabled =
            enabled.map(|each| (each.object_id, (each.kind, reached(&groups, each.object_id).into()))).collect();
        let applications = principals.values().filter_map(|each| Some((each.app_id?, each.object_id))).collect();
        let registrations = principals.values().filter_map(|each| Some((each.application?, each.object_id))).collect();
        Self { principals, applications, registrations, members, groups, enabled }
    }

    #[must_use]
    pub fn standing(&self, object_id: Guid) -> Standing<'_> {
        match self.enabled.get(&object_id) {
            Some((kind, groups)) => Standing::Enabled { kind: *kind, groups },
            None if self.principals.contains_key(&object_id) => Standing::Disabled,
            None => Standing::Unknown,
        }
    }

    #[must_use]
    pub fn principal(&self, object_id: Guid) -> Option<&Principal> {
        self.principals.get(&object_id)
    }

    /// The record of an application, by the id it signs in with.
    #[must_use]
    pub fn by_app(&self, app_id: Guid) -> Option<&Principal> {
        self.applications.get(&app_id).and_then(|object_id| self.principals.get(object_id))
    }

    /// The record of an application, by the application's object id.
    #[must_use]
    pub fn by_application(&self, application: Guid) -> Option<&Principal> {
        self.registrations.get(&application).and_then(|object_id| self.principals.get(object_id))
    }

    /// Everybody, in the order of object ids.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.values()
    }

    /// Every group somebody is in, enabled or not.
    #[must_use]
    pub fn groups_of(&self, object_id: Guid) -> Vec<Guid> {
        reached(&self.groups, object_id)
    }

    /// The members of a group, without those of groups in it.
    #[must_use]
    pub fn members_of(&self, group: Guid) -> &[Guid] {
        self.members.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The members of a group, of groups in it, and so on; the groups too.
    #[must_use]
    pub fn all_members_of(&self, group: Guid) -> Vec<Guid> {
        reached(&self.members, group)
    }
}

fn reached(steps: &HashMap<Guid, Vec<Guid>>, start: Guid) -> Vec<Guid> {
    let step = |id| Ok::<_, Infallible>(steps.get(&id).cloned().unwrap_or_default());
    let Ok(found) = closure(start, step);
    found
}

/// Everything that steps lead to from `start`, each once, without `start` itself. Ends whatever the steps are.
///
/// # Errors
/// What a step returned.
pub fn closure<E>(start: Guid, mut step: impl FnMut(Guid) -> Result<Vec<Guid>, E>) -> Result<Vec<Guid>, E> {
    let mut seen = HashSet::from([start]);
    let mut found = Vec::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        for next in step(id)? {
            if seen.insert(next) {
                found.push(next);
                open.push(next);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
