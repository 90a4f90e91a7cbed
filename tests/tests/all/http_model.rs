//! Random sequences on a server over HTTPS: what the model says must come of them, does.

use domain::ContainerKind;
use e2e::{
    client::{Answer, SECONDS_PER_DAY},
    containers::{Container, Making},
    model::{KEYS, Model, Op, Outcome, Settings, ops, settings},
    process::Server,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap};

const SEQUENCES: u32 = 12;
const LONGEST: usize = 30;
const DIGEST: [u8; 32] = [7; 32];

/// A container of its own on a server that other sequences have used before.
struct Rig<'server> {
    server: &'server mut Server,
    container: Container,
    making: Making,
    backups: BTreeMap<usize, Value>,
}

impl Rig<'_> {
    fn apply(&mut self, op: Op) -> Outcome {
        match op {
            Op::AdvanceDays(days) => {
                self.server.client().advance_days(days);
                Outcome::Done
            }
            Op::Restart => {
                self.server.restart();
                self.container = self.container.through(self.server.client());
                Outcome::Done
            }
            Op::CreateContainer | Op::DeleteContainer | Op::RecoverContainer | Op::PurgeContainer => {
                self.of_container(op)
            }
            _ => self.of_key(op),
        }
    }

    fn of_container(&self, op: Op) -> Outcome {
        let answer = match op {
            Op::CreateContainer => self.container.put(self.making),
            Op::DeleteContainer => self.container.delete(),
            Op::RecoverContainer => self.container.recover(),
            _ => self.container.purge(),
        };
        match (op, answer.status, answer.code()) {
            // Deleting what is not there is no error of the resource manager's.
            (Op::DeleteContainer, 204, _) => Outcome::ContainerNotFound,
            (_, 200..=202, _) => Outcome::Done,
            (Op::PurgeContainer, 404, "DeletedVaultNotFound" | "DeletedManagedHsmNotFound") => {
                Outcome::DeletedContainerNotFound
            }
            (Op::RecoverContainer, 400, "SoftDeletedVaultDoesNotExist" | "SoftDeletedManagedHsmDoesNotExist") => {
                Outcome::DeletedContainerNotFound
            }
            (Op::PurgeContainer, 405, "MethodNotAllowed") => Outcome::PurgeProtected,
            (Op::CreateContainer, 409, "ConflictError") => Outcome::ContainerNameHeldByDeleted,
            (Op::CreateContainer, 409, "VaultAlreadyExists") => Outcome::ContainerNameTaken,
            _ => panic!("no rule of the model answers {op:?} so: {} {}", answer.status, answer.body),
        }
    }

    fn of_key(&mut self, op: Op) -> Outcome {
        let data = self.container.data();
        let answer = match op {
            Op::Create(key) => {
                data.call("POST", &format!("/keys/{}/create", KEYS[key]), Some(&json!({ "kty": "EC-HSM" })))
            }
            Op::Get(key) => data.get(&format!("/keys/{}", KEYS[key])),
            Op::Sign(key) => data.sign(KEYS[key], &DIGEST),
            Op::Delete(key) => data.call("DELETE", &format!("/keys/{}", KEYS[key]), None),
            Op::GetDeleted(key) => data.get(&format!("/deletedkeys/{}", KEYS[key])),
            Op::Recover(key) => data.call("POST", &format!("/deletedkeys/{}/recover", KEYS[key]), None),
            Op::Purge(key) => data.call("DELETE", &format!("/deletedkeys/{}", KEYS[key]), None),
            Op::Backup(key) => data.call("POST", &format!("/keys/{}/backup", KEYS[key]), None),
            Op::Restore(key) => data.call("POST", "/keys/restore", self.backups.get(&key)),
            _ => panic!("not an operation on keys: {op:?}"),
        };
        if answer.is_success() {
            self.check_success(op, &answer);
            return Outcome::Done;
        }
        of_refusal(op, &answer)
    }

    fn check_success(&mut self, op: Op, answer: &Answer) {
        let status = if matches!(op, Op::Purge(_)) { 204 } else { 200 };
        assert_eq!(answer.status, status, "{op:?}");
        match op {
            Op::Backup(key) => drop(self.backups.insert(key, answer.body.clone())),
            Op::Delete(_) | Op::GetDeleted(_) => {
                let number = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_i64).unwrap();
                assert_eq!(number("/attributes/recoverableDays"), self.making.retention_days);
                let retention = self.making.retention_days * SECONDS_PER_DAY;
                assert_eq!(number("/scheduledPurgeDate"), number("/deletedDate") + retention);
            }
            _ => {}
        }
    }

    fn listed(&self, deleted: bool) -> Option<Vec<String>> {
        let found = self.container.data().list(if deleted { "/deletedkeys" } else { "/keys" });
        found.map_err(|answer| assert_eq!(answer.status, 404, "{}", answer.body)).ok()
    }
}

/// Status, code and inner code of a refused operation on a key, in the model's words.
fn of_refusal(op: Op, answer: &Answer) -> Outcome {
    let is_deleted_only = matches!(op, Op::GetDeleted(_) | Op::Recover(_) | Op::Purge(_));
    match (answer.status, answer.code()) {
        (404, "KeyNotFound") if is_deleted_only => Outcome::DeletedNotFound,
        (404, "KeyNotFound") => Outcome::NotFound,
        (404, "VaultNotFound" | "ManagedHsmNotFound") if answer.message().contains("is deleted") => {
            Outcome::ContainerDeleted
        }
        (404, "VaultNotFound" | "ManagedHsmNotFound") => Outcome::ContainerNotFound,
        (409, "Conflict") if matches!(op, Op::Restore(_)) => Outcome::RestoreConflict,
        (409, "Conflict") if matches!(op, Op::Create(_)) => {
            assert_eq!(answer.inner_code(), "ObjectIsDeletedButRecoverable");
            assert!(answer.message().contains("in a deleted but recoverable state"), "{}", answer.message());
            Outcome::NameHeldByDeleted
        }
        (403, "Forbidden") if answer.message().contains("purge protection is enabled") => Outcome::PurgeProtected,
        _ => panic!("no rule of the model answers {op:?} so: {} {}", answer.status, answer.body),
    }
}

fn agree(
    server: &mut Server,
    name: &str,
    kind: ContainerKind,
    settings: Settings,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let Settings { retention_days, purge_protection } = settings;
    let mut model = Model::new(settings, kind == ContainerKind::Vault);
    let container = Container::new(server.client(), kind, name);
    let making = Making { retention_days, purge_protection };
    let mut rig = Rig { server, container, making, backups: BTreeMap::new() };
    prop_assert_eq!(rig.apply(Op::CreateContainer), Outcome::Done);
    for (step, op) in ops.iter().enumerate() {
        let expected = model.expect(*op);
        if expected == Outcome::Skipped {
            continue;
        }
        let found = rig.apply(*op);
        prop_assert_eq!(found, expected, "step {} of {:?} with {:?}", step, ops, settings);
        for deleted in [false, true] {
            let found = rig.listed(deleted);
            let found = found.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(found, model.listed(deleted), "lists after step {} of {:?}", step, ops);
        }
    }
    rig.server.assert_no_panic();
    Ok(())
}

/// All sequences of a kind share a server, one after the other, each with a container of its own.
fn keeps_the_promise(kind: ContainerKind, test_name: &'static str) {
    let server = RefCell::new((Server::kept(), 0_u32));
    let config = ProptestConfig {
        cases: SEQUENCES,
        max_shrink_iters: 200,
        source_file: Some(file!()),
        test_name: Some(test_name),
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&(settings(), ops(LONGEST)), |(settings, ops)| {
        let (server, count) = &mut *server.borrow_mut();
        *count += 1;
        agree(server, &format!("sequence{count}"), kind, settings, &ops)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_vault_keeps_the_promise_over_https() {
    keeps_the_promise(ContainerKind::Vault, concat!(module_path!(), "::a_vault_keeps_the_promise_over_https"));
}

#[test]
fn a_managed_hsm_keeps_the_promise_over_https() {
    let name = concat!(module_path!(), "::a_managed_hsm_keeps_the_promise_over_https");
    keeps_the_promise(ContainerKind::ManagedHsm, name);
}
