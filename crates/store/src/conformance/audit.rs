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
        tx.append_audit(&audit(2))?;
        tx.put_audit_tile(0, 0, &[1; 32])?;
        tx.insert_audit_checkpoint(&checkpoint(1))
    });
    let aborted = store.write("test", &mut |tx| {
        tx.drop_audit(1, 9).unwrap();
        tx.put_audit_tile(0, 0, &[2; 64]).unwrap();
        tx.remove_audit_checkpoint(1).unwrap();
        tx.insert_audit_checkpoint(&checkpoint(2)).unwrap();
        assert_eq!(tx.audit_bounds().unwrap(), Some((2, 2)));
        crate::Verdict::Abort
    });
    assert!(aborted.is_ok());
    assert_eq!(read(store, |tx| tx.audit_bounds()), Some((1, 2)));
    assert_eq!(read(store, |tx| tx.audit_tile(0, 0)), Some(vec![1; 32]));
    assert_eq!(read(store, |tx| tx.audit_checkpoints(0, 9)), [checkpoint(1)]);
}
