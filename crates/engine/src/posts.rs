//! Who holds the posts that somebody has to hold, and whether a change would leave one worse held than it was.
//!
//! Assignments alone do not count: what counts is a user or a service principal of the directory, enabled, whom one names
//! or who is in a group that one names. Secrets do not count either: a principal without any is given one by whoever
//! may, and users sign in elsewhere. It does not know who asks, nor why something is taken away.

use crate::{Error, access::HSM_ADMINISTRATOR};
use domain::{
    ContainerId, ContainerKind, ContainerName, Guid, Held, Post, PrincipalKind, Refusal,
    access::{GLOBAL_ADMINISTRATOR, Realm, RoleAssignment, Scope},
    closure,
};
use std::collections::{HashMap, hash_map::Entry};
use store::{ContainerFilter, Fault, Presence, Tx};

/// The roles "Owner" and "User Access Administrator".
const SCOPE_ADMINISTRATORS: [Guid; 2] = [
    Guid::from_u128(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635),
    Guid::from_u128(0x18d7_d88d_d35e_4fb5_a5c3_7773_c20a_72d9),
];

/// A post, and which assignments make somebody hold it. Of managed HSMs: contract managed-hsm §1.4, "Last-admin rule"; of
/// scopes: Azure's "Troubleshoot Azure RBAC", which has it for subscriptions.
struct Watched {
    post: Post,
    realm: Realm,
    scope: Scope,
    roles: &'static [Guid],
}

impl Watched {
    fn is_held_by(&self, assignment: &RoleAssignment) -> bool {
        self.roles.contains(&assignment.role) && assignment.scope.covers(self.scope.as_str())
    }
}

/// Removes an assignment, unless it is what holds a post.
pub(crate) fn remove_assignment(tx: &mut dyn Tx, assignment: &RoleAssignment) -> Result<(), Error> {
    let mut posts = match assignment.realm {
        Realm::Arm => of_control_plane(tx)?,
        Realm::Hsm(id) => of_hsm(tx, id)?.into_iter().collect(),
        Realm::Directory => vec![of_directory()],
    };
    posts.retain(|watched| watched.is_held_by(assignment));
    keeping(tx, &posts, |tx| Ok(tx.remove_role_assignment(assignment.realm, assignment.name)?))
}

/// Takes something from the directory, unless a post would be lost with it.
pub(crate) fn reduce_directory<T>(
    tx: &mut dyn Tx,
    work: impl FnOnce(&mut dyn Tx) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut posts = vec![of_directory()];
    posts.extend(of_control_plane(tx)?);
    posts.extend(of_hsms(tx)?);
    keeping(tx, &posts, work)
}

/// Refuses what leaves a post worse held than it was.
fn keeping<T>(
    tx: &mut dyn Tx,
    posts: &[Watched],
    work: impl FnOnce(&mut dyn Tx) -> Result<T, Error>,
) -> Result<T, Error> {
    let before = held(tx, posts)?;
    let outcome = work(tx)?;
    let after = held(tx, posts)?;
    match posts.iter().zip(before.iter().zip(&after)).find(|(_, (before, after))| after < before) {
        Some((lost, _)) => Err(Refusal::LastAdministrator { of: lost.post.clone() }.into()),
        None => Ok(outcome),
    }
}

fn of_directory() -> Watched {
    let roles = std::slice::from_ref(&GLOBAL_ADMINISTRATOR);
    Watched { post: Post::Directory, realm: Realm::Directory, scope: Scope::root(), roles }
}

fn of_control_plane(tx: &mut dyn Tx) -> Result<Vec<Watched>, Fault> {
    let subscriptions = tx.subscriptions()?.into_iter().map(|each| Scope::new(&format!("/subscriptions/{}", each.id)));
    let watched = |scope: Scope| Watched {
        post: Post::ControlPlane { scope: scope.clone() },
        realm: Realm::Arm,
        scope,
        roles: &SCOPE_ADMINISTRATORS,
    };
    Ok(std::iter::once(Scope::root()).chain(subscriptions).map(watched).collect())
}

fn of_hsm(tx: &mut dyn Tx, id: ContainerId) -> Result<Option<Watched>, Fault> {
    Ok(tx.container_by_id(id)?.map(|found| watched_hsm(id, found.container.name)))
}

/// Of the live managed HSMs: in a deleted one nobody can give the role to another.
fn of_hsms(tx: &mut dyn Tx) -> Result<Vec<Watched>, Fault> {
    /// More than there will be.
    const ALL: usize = 100_000;
    let filter = ContainerFilter {
        kind: Some(ContainerKind::ManagedHsm),
        presence: Some(Presence::Live),
        ..ContainerFilter::default()
    };
    let found = tx.list_containers(&filter, None, ALL)?.into_iter().map(|stored| stored.container);
    Ok(found.map(|hsm| watched_hsm(hsm.id, hsm.name)).collect())
}

fn watched_hsm(id: ContainerId, hsm: ContainerName) -> Watched {
    let roles = std::slice::from_ref(&HSM_ADMINISTRATOR);
    Watched { post: Post::ManagedHsm { hsm }, realm: Realm::Hsm(id), scope: Scope::root(), roles }
}

/// How well each post is held.
fn held(tx: &mut dyn Tx, posts: &[Watched]) -> Result<Vec<Held>, Fault> {
    let mut assignments: HashMap<Realm, Vec<RoleAssignment>> = HashMap::new();
    let mut holders: HashMap<Guid, Held> = HashMap::new();
    let mut all = Vec::new();
    for watched in posts {
        let assignments = match assignments.entry(watched.realm) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(tx.role_assignments(watched.realm)?),
        };
        let mut best = Held::ByNobody;
        for assignment in assignments.iter().filter(|assignment| watched.is_held_by(assignment)) {
            best = best.max(match holders.entry(assignment.principal) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(what_holds(tx, assignment.principal)?),
            });
            if best == Held::BySomebody {
                break;
            }
        }
        all.push(best);
    }
    Ok(all)
}

/// How well somebody would hold a post that is theirs.
fn what_holds(tx: &mut dyn Tx, holder: Guid) -> Result<Held, Fault> {
    let Some(found) = tx.principal_by_object(holder)? else { return Ok(Held::ByStranger) };
    if found.can_sign_in() {
        return Ok(Held::BySomebody);
    }
    if found.kind == PrincipalKind::Group {
        for member in closure(holder, |group| tx.members_of(group))? {
            if tx.principal_by_object(member)?.is_some_and(|member| member.can_sign_in()) {
                return Ok(Held::BySomebody);
            }
        }
    }
    Ok(Held::ByNobody)
}
