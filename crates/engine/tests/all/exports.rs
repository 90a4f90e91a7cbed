//! Proofs and exports: what somebody can check who has neither the store nor any trust in it.

use crate::rig::{DAY, Rig};
use custody::{
    merkle::{
        decode, leaf_hash,
        proof::{is_consistent, is_included},
    },
    note::NoteVerifier,
};
use engine::audit::{
    self, ExportError, Finding, Kept, KeptFault, NoProof, Report, prove_consistency, prove_inclusion, verify_export,
};
use store::{Read, Store, sqlite::SqliteStore};

/// A log of `sizes.len()` checkpoints, each of so many records more.
fn log(rig: &Rig, sizes: &[u64]) -> SqliteStore {
    let own = SqliteStore::open(&rig.path()).unwrap();
    let store: &dyn Store = &own;
    for count in sizes {
        let append = |tx: &mut dyn store::Tx| {
            for number in 0..*count {
                tx.append_audit(&format!("{{\"record\":{number},\"of\":{count}}}"))?;
            }
            Ok::<_, store::Fault>(())
        };
        store.transact("test", append).unwrap();
        rig.engine.sign_audit().unwrap();
    }
    own
}

fn with<T>(store: &SqliteStore, work: impl FnMut(&mut dyn Read) -> T) -> T {
    let store: &dyn Store = store;
    let mut work = work;
    store.query(|read| Ok::<_, store::Fault>(work(read))).unwrap()
}

fn hashes(texts: &[String]) -> Vec<[u8; 32]> {
    texts.iter().map(|text| decode(text).unwrap()).collect()
}

fn exported(store: &SqliteStore, verifier: &NoteVerifier) -> String {
    let mut out = Vec::new();
    with(store, |read| audit::export(read, verifier, &mut out)).unwrap();
    String::from_utf8(out).unwrap()
}

fn checked(text: &str, verifier: &NoteVerifier, kept: &[Kept]) -> Report {
    verify_export(&mut text.as_bytes(), verifier, kept).unwrap()
}

#[test]
fn every_record_is_proven_in_every_checkpoint_that_covers_it() {
    let rig = Rig::new();
    let store = log(&rig, &[1, 2, 5, 250, 40, 300]);
    let verifier = rig.engine.audit_verifier();
    let sizes: Vec<u64> =
        with(&store, |read| read.audit_checkpoints(0, 99)).unwrap().iter().map(|each| each.size).collect();
    for size in &sizes {
        for position in (1..=*size).filter(|position| position % 37 == 1 || position.abs_diff(*size) < 3) {
            let proof = with(&store, |read| prove_inclusion(read, verifier, position, Some(*size))).unwrap();
            let signed = verifier.open_checkpoint(&proof.checkpoint).unwrap();
            assert_eq!((signed.size, proof.size, proof.index + 1), (*size, *size, position));
            assert_eq!(decode(&proof.root), Some(signed.root));
            let leaf = leaf_hash(proof.leaf.as_bytes());
            assert!(is_included(&leaf, proof.index, proof.size, &hashes(&proof.hashes), &signed.root));
        }
        for from in sizes.iter().filter(|from| *from <= size) {
            let proof = with(&store, |read| prove_consistency(read, verifier, *from, Some(*size))).unwrap();
            let (old, new) = (proof.from_checkpoint.unwrap(), proof.to_checkpoint);
            let (old, new) = (verifier.open_checkpoint(&old).unwrap(), verifier.open_checkpoint(&new).unwrap());
            assert!(is_consistent(old.size, new.size, &hashes(&proof.hashes), &old.root, &new.root));
        }
    }
}

#[test]
fn what_cannot_be_proven_is_said() {
    let rig = Rig::new();
    let store = log(&rig, &[10, 10]);
    let verifier = rig.engine.audit_verifier();
    let inclusion = |position, size| with(&store, |read| prove_inclusion(read, verifier, position, size)).err();
    let consistency = |from, to| with(&store, |read| prove_consistency(read, verifier, from, to)).err();
    assert!(matches!(inclusion(0, None), Some(NoProof::NoRecord(0))));
    assert!(matches!(inclusion(99, None), Some(NoProof::NoRecord(99))));
    assert!(matches!(inclusion(20, Some(12)), Some(NoProof::NotCovered { position: 20, size: 12 })));
    assert!(matches!(inclusion(1, Some(13)), Some(NoProof::NoCheckpoint { size: 13, next: 22 })));
    assert!(matches!(inclusion(1, Some(23)), Some(NoProof::Beyond { signed: 22 })));
    assert!(matches!(consistency(0, None), Some(NoProof::WrongOrder)));
    assert!(matches!(consistency(22, Some(12)), Some(NoProof::WrongOrder)));
    let thinned = with(&store, |read| prove_consistency(read, verifier, 5, None)).unwrap();
    assert_eq!((thinned.from_checkpoint, thinned.from, thinned.to), (None, 5, 22));
    let (foreign, empty) = (Rig::new(), SqliteStore::open(&rig.path().with_extension("empty")).unwrap());
    let other_key = foreign.engine.audit_verifier();
    assert!(matches!(with(&store, |read| prove_inclusion(read, other_key, 1, None)), Err(NoProof::Disproved)));
    assert!(matches!(with(&empty, |read| prove_inclusion(read, verifier, 1, None)), Err(NoProof::NothingSigned)));
    // Records or hashes that were changed prove nothing.
    let tile = with(&store, |read| read.audit_tile(0, 0)).unwrap().unwrap();
    let writer: &dyn Store = &store;
    writer.transact("test", |tx| tx.put_audit_tile(0, 0, &[&tile[32..64], &tile[32..]].concat())).unwrap();
    assert!(inclusion(1, None).is_none(), "a record's own hash is no part of its proof");
    assert!(matches!(inclusion(2, None), Some(NoProof::Disproved)));
    assert!(matches!(inclusion(22, None), Some(NoProof::Disproved)));
    assert!(matches!(consistency(12, None), Some(NoProof::Disproved)));
    writer.transact("test", |tx| tx.put_audit_tile(0, 0, &tile[..64])).unwrap();
    assert!(matches!(inclusion(1, None), Some(NoProof::Disproved)));
}

#[test]
fn an_export_verifies_without_the_store() {
    let rig = Rig::new();
    let store = log(&rig, &[3, 300, 1, 1_200]);
    let writer: &dyn Store = &store;
    writer.transact("test", |tx| tx.append_audit("{\"not\":\"signed\"}")).unwrap();
    let verifier = rig.engine.audit_verifier();
    let text = exported(&store, verifier);
    let report = checked(&text, verifier, &[]);
    assert_eq!(report, with(&store, |read| audit::verify(read, verifier, &[])).unwrap());
    assert_eq!((report.findings.as_slice(), report.unsigned(), report.last), (&[][..], 1, 1_507));
    let foreign = Rig::new();
    let wrong = checked(&text, foreign.engine.audit_verifier(), &[]).findings;
    assert!(wrong.contains(&Finding::Key) && wrong.iter().any(|each| matches!(each, Finding::Checkpoint { .. })));
}

#[test]
fn an_export_of_what_is_left_after_dropping_verifies() {
    let rig = Rig::new();
    let store = log(&rig, &[]);
    for number in 0..9 {
        rig.create_ec_key(domain::ContainerKind::Vault, &format!("k{number}"));
        rig.clock.advance(DAY);
    }
    rig.clock.advance(DAY / 2);
    rig.engine.sign_audit().unwrap();
    let early = rig.engine.last_audit_checkpoint().unwrap().unwrap().note;
    let verifier = rig.engine.audit_verifier();
    while rig.engine.prune_audit(3, u64::MAX).unwrap() {}
    let text = exported(&store, verifier);
    let report = checked(&text, verifier, &[Kept { name: "early".to_owned(), note: early }]);
    assert_eq!((report.findings.as_slice(), report.first), (&[][..], 10));
    // Without the record that says so, or with other hashes of what went before.
    let unsaid: String =
        text.lines().filter(|line| !line.contains("AuditPrune")).map(|line| format!("{line}\n")).collect();
    assert!(checked(&unsaid, verifier, &[]).findings.contains(&Finding::HeadMissing { last: 9 }));
    let peak = text.split("\"peaks\":[\"").nth(1).unwrap().get(..1).unwrap();
    let other = if peak == "A" { "B" } else { "A" };
    let forged = text.replacen(&format!("\"peaks\":[\"{peak}"), &format!("\"peaks\":[\"{other}"), 1);
    assert!(matches!(checked(&forged, verifier, &[]).findings.as_slice(), [Finding::NotSigned(_)]));
    let two = Kept { name: "two".to_owned(), note: first_note(&store) };
    let before = KeptFault::Before { signed: 1, first: 10 };
    assert_eq!(checked(&text, verifier, &[two]).findings, [Finding::Kept { name: "two".to_owned(), why: before }]);
}

fn first_note(store: &SqliteStore) -> String {
    with(store, |read| read.audit_checkpoints(0, 1)).unwrap().remove(0).note
}

#[test]
fn what_was_done_to_an_export_is_found() {
    let rig = Rig::new();
    let store = log(&rig, &[3, 20]);
    let verifier = rig.engine.audit_verifier();
    let text = exported(&store, verifier);
    let lines: Vec<&str> = text.lines().collect();
    let found = |lines: &[String]| -> Vec<String> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        checked(&text, verifier, &[]).findings.iter().map(ToString::to_string).collect()
    };
    let own = || lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let record = |position: usize| {
        lines.iter().position(|line| line.starts_with(&format!("{{\"position\":{position},"))).unwrap()
    };
    assert_eq!(found(&own()), [""; 0]);

    let mut changed = own();
    changed[record(9)] = changed[record(9)].replace("\\\"of\\\":20", "\\\"of\\\":21");
    assert_eq!(found(&changed).len(), 1);
    assert!(found(&changed)[0].starts_with("among the records 6 to 25 "), "{:?}", found(&changed));

    let mut without = own();
    without.remove(record(9));
    assert_eq!(found(&without), ["record 9 is missing"]);

    let mut twice = own();
    twice.insert(record(9), lines[record(9)].to_owned());
    assert_eq!(found(&twice), [format!("line {} of the export is damaged", record(9) + 2)]);

    let damaged: Vec<String> = own().iter().map(|line| line.replace("\"position\":9,", "\"position\":9;")).collect();
    let line = format!("line {} of the export is damaged", record(9) + 1);
    assert_eq!(found(&damaged), [line.as_str(), "record 9 is missing"]);

    let cut = own()[..record(20)].to_vec();
    assert_eq!(found(&cut), ["the export was cut off: its last line is missing"]);

    let unsigned: Vec<String> = own().iter().map(|line| line.replace("\"size\":5,", "\"size\":4,")).collect();
    assert!(found(&unsigned)[0].ends_with("of the export is damaged"), "{:?}", found(&unsigned));
}

#[test]
fn kept_checkpoints_are_compared_with_an_export() {
    let rig = Rig::new();
    let store = log(&rig, &[3, 20]);
    let verifier = rig.engine.audit_verifier();
    let text = exported(&store, verifier);
    let note = |engine: &engine::Engine| engine.last_audit_checkpoint().unwrap().unwrap().note;
    let kept = |note: String| [Kept { name: "kept".to_owned(), note }];
    assert_eq!(checked(&text, verifier, &kept(note(&rig.engine))).findings, []);
    let why = |found: Report| {
        let [Finding::Kept { why, .. }] = found.findings.as_slice() else { return None };
        Some(*why)
    };
    log(&rig, &[1]);
    let behind = checked(&text, verifier, &kept(note(&rig.engine)));
    assert_eq!(why(behind), Some(KeptFault::Behind { signed: 26, has: 25 }));
    let foreign = checked(&text, verifier, &kept(note(&Rig::new().engine)));
    assert!(matches!(why(foreign), Some(KeptFault::Foreign(_))));
}

#[test]
fn what_is_not_an_export_is_refused() {
    let rig = Rig::new();
    let verifier = rig.engine.audit_verifier();
    for text in [
        "",
        "{}\n",
        "{\"strongroomAuditExport\":2,\"key\":\"\",\"first\":1,\"peaks\":[]}\n",
        "{\"strongroomAuditExport\":1,\"key\":\"\",\"first\":0,\"peaks\":[]}\n",
        "{\"strongroomAuditExport\":1,\"key\":\"\",\"first\":2,\"peaks\":[]}\n",
        "{\"strongroomAuditExport\":1,\"key\":\"\",\"first\":2,\"peaks\":[\"AA==\"]}\n",
    ] {
        let refused = verify_export(&mut text.as_bytes(), verifier, &[]);
        assert!(matches!(refused, Err(ExportError::NotExport(_))), "{text}");
    }
}
