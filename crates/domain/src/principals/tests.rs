//! Transitive membership against a naive closure, and what the directory says of those who may not act.

use super::*;
use crate::UnixTime;
use proptest::prelude::*;
use std::collections::BTreeSet;

const NOBODY: Guid = Guid::from_u128(99);

fn guid(number: u8) -> Guid {
    Guid::from_u128(u128::from(number))
}

fn group(number: u8) -> Principal {
    Principal::new(guid(number), PrincipalKind::Group, "g", UnixTime(0))
}

fn groups_of(directory: &Directory, number: u8) -> BTreeSet<Guid> {
    directory.groups_of(guid(number)).into_iter().collect()
}

/// Pairs of whoever is in a group, directly or not: joined with themselves until nothing is added.
fn naive(memberships: &[(u8, u8)]) -> BTreeSet<(u8, u8)> {
    let mut all: BTreeSet<(u8, u8)> = memberships.iter().copied().collect();
    loop {
        let joined = all.iter().flat_map(|(outer, inner)| {
            all.iter().filter(move |(group, _)| group == inner).map(move |(_, member)| (*outer, *member))
        });
        let next: BTreeSet<_> = all.iter().copied().chain(joined).collect();
        if next == all {
            // Nobody is in themselves, whatever a cycle says.
            return all.into_iter().filter(|(group, member)| group != member).collect();
        }
        all = next;
    }
}

proptest! {
    #[test]
    fn membership_is_the_transitive_closure_of_what_was_added(
        memberships in proptest::collection::vec((0..8_u8, 0..8_u8), 0..24)
    ) {
        let pairs: Vec<_> = memberships.iter().map(|(group, member)| (guid(*group), guid(*member))).collect();
        let directory = Directory::new((0..8).map(group).collect(), &pairs);
        let expected = naive(&memberships);
        for one in 0..8 {
            let groups: BTreeSet<_> = expected.iter().filter(|(_, member)| *member == one).map(|(of, _)| guid(*of)).collect();
            let members: BTreeSet<_> = expected.iter().filter(|(of, _)| *of == one).map(|(_, member)| guid(*member)).collect();
            prop_assert_eq!(&groups_of(&directory, one), &groups);
            prop_assert_eq!(directory.all_members_of(guid(one)).into_iter().collect::<BTreeSet<_>>(), members);
            let Standing::Enabled { groups: standing, .. } = directory.standing(guid(one)) else { panic!("it is enabled") };
            prop_assert_eq!(standing.len(), groups.len(), "each group once");
            prop_assert_eq!(standing.iter().copied().collect::<BTreeSet<_>>(), groups);
        }
    }
}

#[test]
fn only_those_who_are_there_and_enabled_stand() {
    let user = |number| Principal {
        user_principal_name: Some(format!("u{number}@x")),
        ..Principal::new(guid(number), PrincipalKind::User, "u", UnixTime(0))
    };
    let application = Principal::application(guid(4), guid(14), "app", UnixTime(0));
    let employed = Principal::application(guid(5), guid(15), "app", UnixTime(0)).employ(guid(6)).unwrap();
    let principals =
        vec![user(1), Principal { enabled: false, ..user(2) }, group(3), application.clone(), employed.clone()];
    let directory = Directory::new(principals, &[(guid(3), guid(1)), (guid(3), guid(2)), (guid(3), NOBODY)]);
    assert_eq!(directory.standing(guid(1)), Standing::Enabled { kind: PrincipalKind::User, groups: &[guid(3)] });
    assert_eq!(directory.standing(guid(2)), Standing::Disabled);
    assert_eq!(directory.groups_of(guid(2)), [guid(3)], "it stays a member");
    assert_eq!(directory.standing(guid(4)), Standing::Disabled, "an application is nobody");
    assert_eq!(directory.standing(guid(6)), Standing::Enabled { kind: PrincipalKind::ServicePrincipal, groups: &[] });
    assert_eq!(directory.standing(NOBODY), Standing::Unknown, "a group does not make somebody of a member's id");
    assert_eq!(directory.by_app(guid(14)), Some(&application));
    assert_eq!(directory.by_app(guid(15)), Some(&employed));
    assert_eq!(directory.by_app(guid(1)), None);
    assert_eq!(directory.by_application(guid(4)), Some(&application));
    assert_eq!(directory.by_application(guid(5)), Some(&employed));
    assert_eq!(directory.by_application(guid(6)), None);
    assert_eq!(directory.principal(guid(5)), None, "that is the application's id, not its principal's");
    let order: Vec<_> = directory.principals().map(|each| each.object_id).collect();
    assert_eq!(order, [1, 2, 3, 4, 6].map(guid));
}
