//! Objects and versions against a model of maps: the same changes, the same answers.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, wherever in it")]

use domain::{Object, State, Tags, UnixTime, Version};
use proptest::prelude::*;
use std::collections::BTreeMap;
use store::{
    DueObject, Fault, Presence, Read, Store, StoredObject, StoredVersion, Tx, Verdict,
    conformance::fixtures::{
        KEY, container_id, deleted_until, object, object_name, proof, read, sealed, vault, version, version_id, write,
    },
    sqlite::SqliteStore,
};

/// Few names, in both cases, so that changes meet.
const NAMES: [&str; 8] = ["a", "A", "b", "B-1", "c", "C", "z9", "Z9"];

#[derive(Clone, Debug)]
enum Change {
    Insert { name: usize, id: u128 },
    Save { name: usize, current: u128, purge_at: Option<i64>, next_action: Option<i64> },
    Remove { name: usize },
    AddVersion { name: usize, id: u128 },
    SaveVersion { name: usize, id: u128, tag: u8 },
}

#[derive(Clone, Debug)]
enum Step {
    /// The transaction stops at the first change that is refused, and is then aborted.
    Transact {
        changes: Vec<Change>,
        verdict: bool,
    },
    Reopen,
}

fn change() -> impl Strategy<Value = Change> {
    let name = 0..NAMES.len();
    let id = 1..5_u128;
    let time = || proptest::option::of(0..40_i64);
    prop_oneof![
        3 => (name.clone(), id.clone()).prop_map(|(name, id)| Change::Insert { name, id }),
        3 => (name.clone(), id.clone(), time(), time()).prop_map(|(name, current, purge_at, next_action)| {
            Change::Save { name, current, purge_at, next_action }
        }),
        1 => name.clone().prop_map(|name| Change::Remove { name }),
        3 => (name.clone(), id.clone()).prop_map(|(name, id)| Change::AddVersion { name, id }),
        2 => (name, id, any::<u8>()).prop_map(|(name, id, tag)| Change::SaveVersion { name, id, tag }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (proptest::collection::vec(change(), 1..4), proptest::bool::weighted(0.9))
            .prop_map(|(changes, verdict)| Step::Transact { changes, verdict }),
        1 => Just(Step::Reopen),
    ]
}

/// Objects by folded name, each with its versions in order.
type Model = BTreeMap<String, (StoredObject, Vec<StoredVersion>)>;

fn saved(name: &str, current: u128, purge_at: Option<i64>, next_action: Option<i64>) -> Object {
    Object {
        state: purge_at.map_or(State::Live, |at| deleted_until(UnixTime(at))),
        next_action: next_action.map(UnixTime),
        ..object(name, version_id(current)).object
    }
}

fn tagged(id: u128, tag: u8) -> Version {
    Version { tags: Tags::from([("tag".to_owned(), tag.to_string())]), ..version(version_id(id)) }
}

/// What the port says the change does; `false` if a row is not as it has to be.
fn apply_to_model(model: &mut Model, change: &Change) -> bool {
    match *change {
        Change::Insert { name, id } => {
            let new = object(NAMES[name], version_id(id));
            let first = StoredVersion { version: version(version_id(id)), sequence: 1, material: sealed("first") };
            let is_new = !model.contains_key(&new.object.name.folded());
            if is_new {
                model.insert(new.object.name.folded(), (new, vec![first]));
            }
            is_new
        }
        Change::Save { name, current, purge_at, next_action } => {
            let Some((stored, _)) = model.get_mut(&object_name(NAMES[name]).folded()) else { return false };
            stored.object = saved(NAMES[name], current, purge_at, next_action);
            true
        }
        Change::Remove { name } => model.remove(&object_name(NAMES[name]).folded()).is_some(),
        Change::AddVersion { name, id } => {
            let Some((_, versions)) = model.get_mut(&object_name(NAMES[name]).folded()) else { return false };
            let is_new = versions.iter().all(|stored| stored.version.id != version_id(id));
            if is_new {
                let sequence = versions.last().map_or(0, |last| last.sequence) + 1;
                versions.push(StoredVersion { version: version(version_id(id)), sequence, material: sealed("next") });
            }
            is_new
        }
        Change::SaveVersion { name, id, tag } => {
            let Some((_, versions)) = model.get_mut(&object_name(NAMES[name]).folded()) else { return false };
            let found = versions.iter_mut().find(|stored| stored.version.id == version_id(id));
            found.map(|stored| stored.version = tagged(id, tag)).is_some()
        }
    }
}

fn apply_to_store(tx: &mut dyn Tx, change: &Change) -> Result<(), Fault> {
    let vault = container_id(1);
    match *change {
        Change::Insert { name, id } => {
            let id = version_id(id);
            tx.insert_object(vault, &object(NAMES[name], id), &version(id), &sealed("first"))
        }
        Change::Save { name, current, purge_at, next_action } => {
            tx.save_object(vault, &saved(NAMES[name], current, purge_at, next_action))
        }
        Change::Remove { name } => tx.remove_object(vault, KEY, &object_name(NAMES[name]), &proof()),
        Change::AddVersion { name, id } => {
            tx.insert_version(vault, KEY, &object_name(NAMES[name]), &version(version_id(id)), &sealed("next"))
        }
        Change::SaveVersion { name, id, tag } => {
            tx.save_version(vault, KEY, &object_name(NAMES[name]), &tagged(id, tag))
        }
    }
}

fn transact(store: &SqliteStore, model: &mut Model, changes: &[Change], verdict: bool) {
    let mut next = model.clone();
    let mut accepted = true;
    store
        .write("test", &mut |tx| {
            for change in changes {
                accepted = apply_to_model(&mut next, change);
                let result = apply_to_store(tx, change);
                assert_eq!(result.is_ok(), accepted, "{change:?}: {result:?}");
                if !accepted {
                    assert!(matches!(result, Err(Fault::UnexpectedRow { .. })), "{result:?}");
                    return Verdict::Abort;
                }
            }
            if verdict { Verdict::Commit } else { Verdict::Abort }
        })
        .unwrap();
    if accepted && verdict {
        *model = next;
    }
}

fn assert_same(store: &SqliteStore, model: &Model) {
    read(store, |tx| {
        for name in NAMES.map(object_name) {
            let expected = model.get(&name.folded());
            let versions = expected.map_or(&[][..], |(_, versions)| versions);
            assert_eq!(tx.object(container_id(1), KEY, &name)?.as_ref(), expected.map(|(stored, _)| stored));
            assert_eq!(tx.list_versions(container_id(1), KEY, &name, 0, 99)?, versions);
            assert_eq!(tx.count_versions(container_id(1), KEY, &name)?, versions.len());
            for id in (1..5).map(version_id) {
                let wanted = versions.iter().find(|stored| stored.version.id == id);
                assert_eq!(tx.version(container_id(1), KEY, &name, id)?.as_ref(), wanted);
            }
        }
        for presence in [Presence::Live, Presence::Deleted] {
            assert_same_list(tx, model, presence)?;
        }
        for now in [0, 10, 39, 40] {
            assert_same_due(tx, model, now)?;
        }
        Ok(())
    });
}

fn assert_same_list(tx: &mut dyn Read, model: &Model, presence: Presence) -> Result<(), Fault> {
    let live = presence == Presence::Live;
    let listed: Vec<_> = model.values().filter(|(stored, _)| stored.object.state.is_live() == live).collect();
    let expected: Option<Vec<(Object, Version)>> = listed
        .iter()
        .map(|(stored, versions)| {
            let current = versions.iter().find(|version| version.version.id == stored.object.current)?;
            Some((stored.object.clone(), current.version.clone()))
        })
        .collect();
    let list = tx.list_objects(container_id(1), KEY, presence, None, 99);
    match expected {
        Some(expected) => assert_eq!(list?, expected),
        None => assert!(matches!(list, Err(Fault::CorruptRecord { .. }))),
    }
    Ok(())
}

fn assert_same_due(tx: &mut dyn Read, model: &Model, now: i64) -> Result<(), Fault> {
    let due = |date: fn(&Object) -> Option<i64>| {
        let mut due: Vec<(i64, DueObject)> = model
            .values()
            .filter_map(|(stored, _)| {
                let object = &stored.object;
                let name = object.name.clone();
                Some((date(object)?, DueObject { container: container_id(1), kind: KEY, name }))
            })
            .filter(|(date, _)| *date <= now)
            .collect();
        // Among equal dates any order goes.
        due.sort_by_key(|(date, due)| (*date, due.name.folded()));
        due
    };
    let purge = due(|object| object.state.deletion().map(|deletion| deletion.scheduled_purge_at.0));
    let rotation = due(|object| object.next_action.filter(|_| object.state.is_live()).map(|at| at.0));
    for (expected, found) in
        [(purge, tx.due_objects(UnixTime(now), 99)?), (rotation, tx.due_actions(UnixTime(now), 99)?)]
    {
        let date = |due: &DueObject| expected.iter().find(|(_, other)| other == due).map(|(date, _)| *date);
        let dates: Vec<_> = found.iter().map(date).collect();
        assert!(dates.is_sorted() && !dates.contains(&None), "{found:?}");
        assert_eq!(found.len(), expected.len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_changes_does_to_the_store_what_it_does_to_the_model(
        steps in proptest::collection::vec(step(), 1..25)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let mut store = SqliteStore::open(&path).unwrap();
        write(&store, |tx| tx.insert_container(&vault(1, "one"), &sealed("key")));
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Transact { changes, verdict } => transact(&store, &mut model, &changes, verdict),
                Step::Reopen => {
                    drop(store);
                    store = SqliteStore::open(&path).unwrap();
                }
            }
            assert_same(&store, &model);
        }
    }
}
