//! Random sequences on a server over HTTPS: what the model says must come of them, does.

use crate::who_may::objects::signed_outside;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{ContainerKind, ObjectKind};
use e2e::{
    client::{Answer, SECONDS_PER_DAY, Target},
    containers::{Container, Making},
    model::{Model, Op, Outcome, Settings, Thing, ops, settings},
    process::Server,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap};

const SEQUENCES: u32 = 12;
const LONGEST: usize = 45;
const DIGEST: [u8; 32] = [7; 32];

/// A container of its own on a server that other sequences have used before.
struct Rig<'server> {
    server: &'server mut Server,
    container: Container,
    making: Making,
    backups: BTreeMap<(&'static str, usize), Value>,
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
            _ => self.of_object(op),
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

    fn of_object(&mut self, op: Op) -> Outcome {
        let data = self.container.data();
        let live = |thing: Thing| format!("/{}/{}", thing.kind.collection(), thing.name());
        let deleted = |thing: Thing| format!("/deleted{}/{}", thing.kind.collection(), thing.name());
        let answer = match op {
            Op::Create(thing) => create(&data, thing, &live(thing)),
            Op::Begin(thing) => certify(&data, &live(thing), "Unknown"),
            Op::Merge(thing) => merge(&data, &live(thing)),
            Op::Cancel(thing) => {
                let cancelled = json!({ "cancellation_requested": true });
                data.call("PATCH", &format!("{}/pending", live(thing)), Some(&cancelled))
            }
            Op::Abandon(thing) => data.call("DELETE", &format!("{}/pending", live(thing)), None),
            Op::Versions(thing) => data.get(&format!("{}/versions", live(thing))),
            Op::Update(thing) => data.call("PATCH", &live(thing), Some(&json!({ "tags": {} }))),
            Op::Get(thing) => data.get(&live(thing)),
            Op::Sign(thing) if thing.kind == ObjectKind::Secret => data.get(&live(thing)),
            Op::Sign(thing) => {
                // A certificate is made use of by its key, if it has one.
                let found = data.get(&live(thing));
                if found.is_success() { data.sign(thing.name(), &DIGEST) } else { found }
            }
            Op::Delete(thing) => data.call("DELETE", &live(thing), None),
            Op::GetDeleted(thing) => data.get(&deleted(thing)),
            Op::Recover(thing) => data.call("POST", &format!("{}/recover", deleted(thing)), None),
            Op::Purge(thing) => data.call("DELETE", &deleted(thing), None),
            Op::Backup(thing) => data.call("POST", &format!("{}/backup", live(thing)), None),
            Op::Restore(thing) => {
                let path = format!("/{}/restore", thing.kind.collection());
                data.call("POST", &path, self.backups.get(&thing.id()))
            }
            _ => panic!("not an operation on objects: {op:?}"),
        };
        if answer.is_success() {
            self.check_success(op, &answer);
            return Outcome::Done;
        }
        of_refusal(op, &answer)
    }

    fn check_success(&mut self, op: Op, answer: &Answer) {
        let status = match op {
            Op::Purge(_) => 204,
            Op::Create(thing) if thing.kind == ObjectKind::Certificate => 202,
            Op::Begin(_) => 202,
            Op::Merge(_) => 201,
            _ => 200,
        };
        assert_eq!(answer.status, status, "{op:?}");
        match op {
            Op::Backup(thing) => drop(self.backups.insert(thing.id(), answer.body.clone())),
            Op::Delete(_) | Op::GetDeleted(_) => {
                let number = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_i64).unwrap();
                assert_eq!(number("/attributes/recoverableDays"), self.making.retention_days);
                let retention = self.making.retention_days * SECONDS_PER_DAY;
                assert_eq!(number("/scheduledPurgeDate"), number("/deletedDate") + retention);
            }
            _ => {}
        }
    }

    /// A certificate's key and secret have its version and its dates.
    fn check_trios(&self) {
        let data = self.container.data();
        for (deleted, prefix) in [(false, ""), (true, "deleted")] {
            for name in self.listed(ObjectKind::Certificate, deleted).unwrap_or_default() {
                let [certificate, key, secret] = ["certificates", "keys", "secrets"]
                    .map(|collection| data.get(&format!("/{prefix}{collection}/{name}")).expect(&name));
                assert_eq!(certificate["kid"], key["key"]["kid"]);
                assert_eq!(certificate["sid"], secret["id"]);
                for brought in [&key, &secret] {
                    assert_eq!(brought["managed"], json!(true));
                    assert_eq!(brought["deletedDate"], certificate["deletedDate"]);
                    assert_eq!(brought["scheduledPurgeDate"], certificate["scheduledPurgeDate"]);
                    assert_eq!(brought["attributes"]["exp"], certificate["attributes"]["exp"]);
                }
            }
        }
    }

    fn versions(&self, thing: Thing) -> usize {
        let path = format!("/{}/{}/versions", thing.kind.collection(), thing.name());
        self.container.data().list(&path).unwrap().len()
    }

    fn listed(&self, kind: ObjectKind, deleted: bool) -> Option<Vec<String>> {
        let found =
            self.container.data().list(&format!("/{}{}", if deleted { "deleted" } else { "" }, kind.collection()));
        found.map_err(|answer| assert_eq!(answer.status, 404, "{}", answer.body)).ok()
    }
}

fn create(data: &Target, thing: Thing, path: &str) -> Answer {
    match thing.kind {
        ObjectKind::Key => data.call("POST", &format!("{path}/create"), Some(&json!({ "kty": "EC-HSM" }))),
        ObjectKind::Secret => data.call("PUT", path, Some(&json!({ "value": thing.name() }))),
        ObjectKind::Certificate => certify(data, path, "Self"),
    }
}

fn certify(data: &Target, path: &str, issuer: &str) -> Answer {
    let policy = json!({
        "key_props": { "kty": "EC" },
        "x509_props": { "subject": "CN=model" },
        "issuer": { "name": issuer },
    });
    data.call("POST", &format!("{path}/create"), Some(&json!({ "policy": policy })))
}

/// Has what is pending signed outside, and brings it.
fn merge(data: &Target, path: &str) -> Answer {
    let pending = data.get(&format!("{path}/pending"));
    let Some(csr) = pending.body.get("csr").and_then(Value::as_str) else { return pending };
    let chain = signed_outside(&STANDARD.decode(csr).unwrap()).map(|der| STANDARD.encode(der));
    data.call("POST", &format!("{path}/pending/merge"), Some(&json!({ "x5c": chain })))
}

/// Status, code and inner code of a refused operation on an object, in the model's words.
fn of_refusal(op: Op, answer: &Answer) -> Outcome {
    let is_of_deleted = answer.message().starts_with("Deleted ");
    match (answer.status, answer.code()) {
        (404, "KeyNotFound" | "SecretNotFound" | "CertificateNotFound") if is_of_deleted => Outcome::DeletedNotFound,
        (404, "KeyNotFound" | "SecretNotFound" | "CertificateNotFound") => Outcome::NotFound,
        (403, "Forbidden") if answer.inner_code().ends_with("ManagedByKeyVault") => Outcome::Managed,
        (409, "Conflict") if answer.message().contains("pending key vault certificate's status is") => Outcome::Pending,
        (409, "Conflict") if answer.message().contains("has no version yet") => Outcome::NoVersion,
        (404, "PendingCertificateNotFound") => Outcome::NothingPending,
        (400, "BadParameter") | (403, "Forbidden") if matches!(op, Op::Merge(_) | Op::Cancel(_)) => {
            Outcome::NothingPending
        }
        (409, "Conflict") if answer.message().contains("that does not belong to a certificate") => {
            Outcome::NameHeldByOther
        }
        (404, "VaultNotFound" | "ManagedHsmNotFound") if answer.message().contains("is deleted") => {
            Outcome::ContainerDeleted
        }
        (404, "VaultNotFound" | "ManagedHsmNotFound") => Outcome::ContainerNotFound,
        (409, "Conflict") if matches!(op, Op::Restore(_)) && answer.inner_code().is_empty() => Outcome::RestoreConflict,
        // What is deleted may be a key or a secret that has a certificate's name.
        (409, "Conflict")
            if matches!(op, Op::Create(thing) | Op::Begin(thing) if thing.kind == ObjectKind::Certificate)
                && !answer.message().starts_with("Certificate ") =>
        {
            assert_eq!(answer.inner_code(), "ObjectIsDeletedButRecoverable");
            Outcome::NameHeldByOther
        }
        (409, "Conflict") if matches!(op, Op::Create(_) | Op::Begin(_) | Op::Restore(_)) => {
            assert_eq!(answer.inner_code(), "ObjectIsDeletedButRecoverable");
            assert!(answer.message().contains("in a deleted but recoverable state"), "{}", answer.message());
            Outcome::NameHeldByDeleted
        }
        (403, "Forbidden") if answer.message().contains("purge protection is enabled") => Outcome::PurgeProtected,
        _ => panic!("no rule of the model answers {op:?} so: {} {}", answer.status, answer.body),
    }
}

/// The kinds of object that a kind of container has.
fn kinds_in(kind: ContainerKind) -> &'static [ObjectKind] {
    match kind {
        ContainerKind::Vault => ObjectKind::ALL,
        ContainerKind::ManagedHsm => &[ObjectKind::Key],
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
        for kind in kinds_in(kind) {
            for deleted in [false, true] {
                let found = rig.listed(*kind, deleted);
                let found = found.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
                prop_assert_eq!(found, model.listed(*kind, deleted), "{}s after step {} of {:?}", kind, step, ops);
            }
        }
        if let (Op::Versions(thing), Outcome::Done) = (*op, found) {
            let (found, made) = (rig.versions(thing), model.versions(thing));
            let may_be_more = model.is_of_certificate(thing);
            prop_assert!(found == made || may_be_more && found > made, "{} versions, not {}: {:?}", found, made, ops);
        }
        if kind == ContainerKind::Vault {
            rig.check_trios();
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
    let outcome = TestRunner::new(config).run(&(settings(), ops(kinds_in(kind), LONGEST)), |(settings, ops)| {
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
