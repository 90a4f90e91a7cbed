//! Every operation on an object that the documents in `specs` have, in every state that the object can be in, over HTTP.
//! What it is told is in one table for all kinds; an operation that the table does not know fails the test.

mod scene;
mod table;

use crate::who_may::{
    filled,
    needs::{self, Need},
};
use domain::{ContainerKind, ObjectKind};
use e2e::{
    client::Answer,
    containers::Container,
    openapi::{Document, Operation},
    process::Server,
};
use scene::Stage;
use table::{State, Told};

/// Longer than anything lives that is to expire.
const DAYS: i64 = 40;

/// A request that is ready to be sent, and what it is to be told.
struct Case {
    what: String,
    operation: Operation,
    name: String,
    body: Option<serde_json::Value>,
    told: Told,
}

/// The operations on a kind of object, but for those on what a vault has beside its objects.
fn operations(kind: ObjectKind) -> Vec<Operation> {
    let document = Document::azure(&format!("data-plane-{}-2026-04-01.json", kind.collection()));
    let is_on_objects = |operation: &Operation| {
        let first = operation.path.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        let beside = ["/certificates/contacts", "/certificates/issuers"];
        first.ends_with(kind.collection()) && !beside.iter().any(|path| operation.path.starts_with(path))
    };
    let mut operations = document.operations();
    operations.retain(|operation| is_on_objects(operation));
    operations.retain(|operation| needs::exists_in(ContainerKind::Vault, &operation.path));
    operations
}

/// Makes what each operation on a kind begins from in a state. The names tell the operations apart.
fn cases(stage: &Stage, kind: ObjectKind, state: State, uncovered: &mut Vec<String>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, operation) in operations(kind).into_iter().enumerate() {
        let what = format!("{} {}, {state:?}", operation.method, operation.path);
        let need = needs::data_plane(&operation.method, &operation.path);
        let right = match need {
            Some(Need::Right(right)) => Some(right),
            Some(Need::NotThere) => None,
            Some(Need::Token | Need::Sight(_)) | None => {
                uncovered.push(what);
                continue;
            }
        };
        let Some(told) = right.map_or(Some(table::NOT_THERE), |right| table::told(kind, right, state)) else {
            uncovered.push(what);
            continue;
        };
        let name = format!("{kind}{number}");
        let body = stage.set(kind, right, state, &name);
        cases.push(Case { what, operation, name, body, told });
    }
    cases
}

fn complaint(case: &Case, answer: &Answer) -> Option<String> {
    let Told { status, code, inner } = case.told;
    let is_right = answer.status == status && answer.code() == code && answer.inner_code() == inner;
    let (found, body) = (answer.status, &answer.body);
    (!is_right).then(|| format!("{}: {found} {body}, and not {status} {code} {inner}", case.what))
}

/// One vault, in which everything that is asked for is in one state.
#[expect(clippy::print_stdout, reason = "the count is for who reads the test's output")]
fn holds_in(state: State) {
    let server = Server::ephemeral();
    let vault = Container::made(server.client(), ContainerKind::Vault, "states");
    let stage = Stage { data: vault.data(), expires: server.client().clock().0 + e2e::client::SECONDS_PER_DAY };
    let mut uncovered = Vec::new();
    let kinds = ObjectKind::ALL.iter().filter(|kind| state.is_of(**kind));
    let cases: Vec<_> = kinds.flat_map(|kind| cases(&stage, *kind, state, &mut uncovered)).collect();
    if state == State::Expired {
        server.client().advance_days(DAYS);
    }
    let complaints: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            // Without a version: the current one.
            let path = filled(&case.operation.path, &case.name, "");
            complaint(case, &stage.data.call(&case.operation.method, &path, case.body.as_ref()))
        })
        .collect();
    println!("{state:?}: {} operations; uncovered: {uncovered:?}", cases.len());
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), cases.len(), complaints.join("\n"));
    assert!(uncovered.is_empty(), "{uncovered:?}");
    server.assert_no_panic();
}

#[test]
fn every_operation_on_what_is_live() {
    holds_in(State::Live);
}

#[test]
fn every_operation_on_what_is_deleted() {
    holds_in(State::Deleted);
}

#[test]
fn every_operation_on_what_is_disabled() {
    holds_in(State::Disabled);
}

#[test]
fn every_operation_on_what_has_expired() {
    holds_in(State::Expired);
}

#[test]
fn every_operation_on_a_pending_certificate_and_its_name() {
    holds_in(State::Pending);
}

#[test]
fn every_operation_on_what_a_certificate_manages() {
    holds_in(State::Managed);
}

#[test]
fn every_operation_on_what_was_deleted_with_its_certificate() {
    holds_in(State::ManagedDeleted);
}
