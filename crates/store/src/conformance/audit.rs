//! The audit log: what is dropped of it, its tiles and checkpoints.

use super::{Harness, fixtures::*};
use crate::StoredCheckpoint;
use domain::UnixTime;

fn checkpoint(size: u64) -> StoredCheckpoint {
    let time = UnixTime(NOW.0 + i64::try_from(size).unwrap());
    StoredCheckpoint { size, time, note: format!("origin\n{size}\nroot\n\n\u{2014} signature\n") }
}

pub fn the_log_is_bounded_by_its_first_and_last_position(harness: &mut dyn Harness) {
    let store = harness.store();
    assert_eq!(read(store, |tx| tx.audit_bounds()), None);
    for number in 1..=3 {
        write(store, |tx| tx.append_audit(&audit(number)));
        assert_eq!(read(store, |tx| tx.audit_bounds()), Some((1, number)));
    }
}

pub fn records_that_come_together_are_kept_one_behind_the_other(harness: &mut dyn Harness) {
    let store = harness.store();
    let long = "long ".repeat(50_000);
    let texts = ["", "a", "a", "line\nbreak", "\u{1f511}", "\0", &long, "after", &long, &long, ""].map(str::to_owned);
    let mut kept: Vec<String> = Vec::new();
    for some in [&texts[..], &[], &texts[4..5], &texts] {
        write(store, |tx| tx.append_audit_all(&some.iter().map(String::as_str).collect::<Vec<_>>()));
        kept.extend_from_slice(some);
        assert_eq!(write(store, |tx| tx.append_audit("alone")), u64::try_from(kept.len()).unwrap() + 1);
        kept.push("alone".to_owned());
    }
    harness.reopen();
    let store = harness.store();
    let kept: Vec<_> = (1..).zip(kept).collect();
    assert_eq!(read(store, |tx| tx.audit_bounds()), Some((1, kept.last().unwrap().0)));
    for limit in 1..=kept.len() {
        let page = |after: Option<u64>, limit| read(store, |tx| tx.audit(after.unwrap_or(0), limit));
        assert_eq!(pages(limit, |(position, _): &(u64, String)| *position, page), kept, "pages of {limit}");
    }
}

pub fn records_that_came_together_are_dropped_one_by_one(harness: &mut dyn Harness) {
    let texts: Vec<String> = (1..=20).map(audit).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (through, limit) in (0..=21).flat_map(|through| [(through, 1), (through, 5), (through, 99)]) {
        let store = harness.store();
        let before = read(store, |tx| tx.audit_bounds()).map_or(0, |(_, last)| last);
        write(store, |tx| tx.append_audit_all(&texts[..1]));
        write(store, |tx| tx.append_audit_all(&texts[1..12]));
        write(store, |tx| tx.append_audit_all(&texts[12..]));
        write(store, |tx| tx.drop_audit(before, usize::MAX));
        let expected = usize::min(through, limit).min(19);
        let through = u64::try_from(through).unwrap();
        assert_eq!(write(store, |tx| tx.drop_audit(before + through, limit)), expected);
        harness.reopen();
        let left = read(harness.store(), |tx| tx.audit(0, 99));
        let all: Vec<_> = (before + 1..).zip(texts.iter().map(|&text| text.to_owned())).collect();
        assert_eq!(left, all[expected..], "through {through}, at most {limit}");
        assert_eq!(read(harness.store(), |tx| tx.audit_bounds()), Some((left[0].0, before + 20)));
    }
}

pub fn records_are_dropped_from_the_beginning_and_never_the_last(harness: &mut dyn Harness) {
    let store = harness.store();
    assert_eq!(write(store, |tx| tx.drop_audit(9, 9)), 0);
    for number in 1..=10 {
        write(store, |tx| tx.append_audit(&audit(number)));
    }
    assert_eq!(write(store, |tx| tx.drop_audit(0, 9)), 0);
    assert_eq!(write(store, |tx| tx.drop_audit(5, 3)), 3, "no more than the limit");
    assert_eq!(read(store, |tx| tx.audit_bounds()), Some((4, 10)));
    assert_eq!(write(store, |tx| tx.drop_audit(5, 9)), 2, "no further than the position");
    assert_eq!(read(store, |tx| tx.audit(0, 2)), [(6, audit(6)), (7, audit(7))]);
    assert_eq!(write(store, |tx| tx.drop_audit(u64::MAX, 99)), 4, "the last one stays");
    harness.reopen();
    let store = harness.store();
    assert_eq!(write(store, |tx| tx.append_audit(&audit(11))), 11, "positions go on");
    assert_eq!(read(store, |tx| tx.audit(0, 9)), [(10, audit(10)), (11, audit(11))]);
}

pub fn tiles_are_put_over_each_other(harness: &mut dyn Harness) {
    let store = harness.store();
    assert_eq!(read(store, |tx| tx.audit_tile(0, 0)), None);
    write(store, |tx| {
        tx.put_audit_tile(0, 0, &[1; 32])?;
        tx.put_audit_tile(1, 0, &[2; 32])?;
        tx.put_audit_tile(0, 1 << 40, &[3; 8192])
    });
    write(store, |tx| tx.put_audit_tile(0, 0, &[4; 64]));
    harness.reopen();
    let store = harness.store();
    assert_eq!(read(store, |tx| tx.audit_tile(0, 0)), Some(vec![4; 64]));
    assert_eq!(read(store, |tx| tx.audit_tile(1, 0)), Some(vec![2; 32]));
    assert_eq!(read(store, |tx| tx.audit_tile(0, 1 << 40)), Some(vec![3; 8192]));
    assert_eq!(read(store, |tx| tx.audit_tile(0, 1)), None);
}

pub fn checkpoints_page_by_size(harness: &mut dyn Harness) {
    let store = harness.store();
    assert_eq!(read(store, |tx| tx.last_audit_checkpoint()), None);
    // Not in the order of their sizes.
    for size in [5, 3, 900, 4] {
        write(store, |tx| tx.insert_audit_checkpoint(&checkpoint(size)));
    }
    assert_eq!(read(store, |tx| tx.last_audit_checkpoint()), Some(checkpoint(900)));
    for limit in 1..=5 {
        let all = pages(
            limit,
            |found: &StoredCheckpoint| found.size,
            |after, limit| read(store, |tx| tx.audit_checkpoints(after.unwrap_or(0), limit)),
        );
        assert_eq!(all, [3, 4, 5, 900].map(checkpoint), "pages of {limit}");
    }
    assert_unexpected(store, |tx| tx.insert_audit_checkpoint(&checkpoint(4)));
}

pub fn a_checkpoint_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| tx.insert_audit_checkpoint(&checkpoint(7)));
    assert_unexpected(store, |tx| tx.remove_audit_checkpoint(8));
    write(store, |tx| tx.remove_audit_checkpoint(7));
    assert_unexpected(store, |tx| tx.remove_audit_checkpoint(7));
    assert_eq!(read(store, |tx| tx.audit_checkpoints(0, 9)), []);
}

pub fn an_abort_undoes_what_was_done_to_the_log(harness: &mut dyn Harness) {
    let store = harness.store();
    write(store, |tx| {
        tx.append_audit(&audit(1))?;
        tx.append_audit_all(&[&audit(2), &audit(3), &audit(4)])?;
        tx.put_audit_tile(0, 0, &[1; 32])?;
        tx.insert_audit_checkpoint(&checkpoint(1))
    });
    let aborted = store.write("test", &mut |tx| {
        tx.drop_audit(2, 9).unwrap();
        tx.append_audit_all(&["undone", "undone"]).unwrap();
        tx.put_audit_tile(0, 0, &[2; 64]).unwrap();
        tx.remove_audit_checkpoint(1).unwrap();
        tx.insert_audit_checkpoint(&checkpoint(2)).unwrap();
        assert_eq!(tx.audit_bounds().unwrap(), Some((3, 6)));
        crate::Verdict::Abort
    });
    assert!(aborted.is_ok());
    assert_eq!(read(store, |tx| tx.audit(0, 9)), (1..5).map(|number| (number, audit(number))).collect::<Vec<_>>());
    assert_eq!(read(store, |tx| tx.audit_tile(0, 0)), Some(vec![1; 32]));
    assert_eq!(read(store, |tx| tx.audit_checkpoints(0, 9)), [checkpoint(1)]);
}
