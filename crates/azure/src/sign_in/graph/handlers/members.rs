//! Who is in a group, and in which groups somebody is.

use super::changes::found;
use crate::sign_in::graph::{Answer, Ask, Outcome, body, error::Refused, page, route::Collection};
use domain::{Guid, Operation};
use serde_json::Value;

pub(super) fn list(ask: &Ask<'_>, group: &str, transitive: bool) -> Outcome {
    let group = found(ask, Collection::Groups, group)?;
    let directory = &ask.directory;
    let members = if transitive { directory.all_members_of(group) } else { directory.members_of(group).to_vec() };
    page::of_principals(ask, directory, members).map(Answer::Found)
}

pub(super) async fn add(ask: &Ask<'_>, group: &str) -> Outcome {
    let asked =
        found(ask, Collection::Groups, group).and_then(|group| Ok((group, body::reference(&ask.request.body)?)));
    let member = asked.as_ref().map(|(_, member)| member.to_string()).unwrap_or_default();
    let work = |engine: &engine::Engine, caller: &_, (group, member)| engine.add_group_member(caller, group, member);
    ask.change(Operation::GroupMemberAdd, &member, asked, work).await?;
    Ok(Answer::Done)
}

pub(super) async fn remove(ask: &Ask<'_>, group: &str, member: &str) -> Outcome {
    let asked = found(ask, Collection::Groups, group)
        .and_then(|group| Ok((group, Guid::parse(member).ok_or_else(|| Refused::not_found(member))?)));
    let work = |engine: &engine::Engine, caller: &_, (group, member)| engine.remove_group_member(caller, group, member);
    ask.change(Operation::GroupMemberRemove, member, asked, work).await?;
    Ok(Answer::Done)
}

/// The groups that somebody is in, as objects.
pub(super) fn groups(ask: &Ask<'_>, collection: Collection, id: &str, transitive: bool) -> Outcome {
    let id = found(ask, collection, id)?;
    let directory = &ask.directory;
    let mut groups = directory.groups_of(id);
    if !transitive {
        groups.retain(|group| directory.members_of(*group).contains(&id));
    }
    page::of_principals(ask, directory, groups).map(Answer::Found)
}

/// The ids of every group that somebody is in. All of them are for rights, so `securityEnabledOnly` changes nothing.
pub(super) fn all_group_ids(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let groups = ask.directory.groups_of(found(ask, collection, id)?);
    Ok(ids(ask, groups))
}

/// Those of some groups that somebody is in.
pub(super) fn check(ask: &Ask<'_>, collection: Collection, id: &str) -> Outcome {
    let asked = body::group_ids(&ask.request.body)?;
    let mut groups = ask.directory.groups_of(found(ask, collection, id)?);
    let asked: Vec<Guid> = asked.iter().filter_map(|id| Guid::parse(id)).collect();
    groups.retain(|group| asked.contains(group));
    Ok(ids(ask, groups))
}

fn ids(ask: &Ask<'_>, mut groups: Vec<Guid>) -> Answer {
    groups.sort_unstable();
    Answer::Found(ask.list("Collection(Edm.String)", groups.iter().map(|id| Value::from(id.to_string())).collect()))
}
