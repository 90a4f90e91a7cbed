//! Taking turns: those who need the same work done, at some time after they came, share one run of it.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Work on `S` that one does at a time.
#[derive(Default)]
pub(super) struct Turns<S> {
    /// Runs begun so far.
    begun: AtomicU64,
    /// Held by the one who works.
    desk: Mutex<Desk<S>>,
}

#[derive(Default)]
struct Desk<S> {
    /// Which run, of those begun, was the last to succeed.
    done: u64,
    state: S,
}

/// When somebody came: how many runs had begun by then.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

impl<S> Turns<S> {
    /// To be taken when there is something to be worked on: any run that begins later sees it.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.begun.load(Ordering::SeqCst))
    }

    /// Returns when a run that began after the ticket was taken has succeeded: another's, or else one's own. The wait is
    /// for the desk, and at most for two runs.
    pub(super) fn redeem<E>(&self, ticket: Ticket, work: impl FnOnce(&mut S) -> Result<(), E>) -> Result<(), E> {
        let mut desk = self.desk.lock();
        if desk.done > ticket.0 {
            return Ok(());
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        work(&mut desk.state)?;
        desk.done = number;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that counts how often it is done.
    fn count(runs: &mut usize) -> Result<(), ()> {
        *runs += 1;
        Ok(())
    }

    fn runs(turns: &Turns<usize>) -> usize {
        turns.desk.lock().state
    }

    #[test]
    fn those_who_come_during_a_run_share_the_next() {
        let turns = Turns::default();
        let mut late = Vec::new();
        let first = turns.redeem(turns.ticket(), |runs| {
            late.extend([turns.ticket(), turns.ticket(), turns.ticket()]);
            count(runs)
        });
        assert_eq!((first, runs(&turns)), (Ok(()), 1));
        for ticket in late {
            assert_eq!(turns.redeem(ticket, count), Ok(()));
        }
        assert_eq!(runs(&turns), 2, "the run that was under way may have missed them; one more has not");
    }

    #[test]
    fn a_run_that_failed_serves_nobody() {
        let turns = Turns::default();
        let (one, other) = (turns.ticket(), turns.ticket());
        assert_eq!(turns.redeem(one, |_| Err("the disk is full")), Err("the disk is full"));
        assert_eq!(turns.redeem(other, |runs| count(runs).map_err(|()| "")), Ok(()));
        assert_eq!(turns.redeem(one, |_| Err("not run")), Ok(()), "a later one has served it");
        assert_eq!(runs(&turns), 1);
    }

    #[test]
    fn who_comes_after_a_run_needs_another() {
        let turns = Turns::default();
        for run in 1..=3 {
            assert_eq!(turns.redeem(turns.ticket(), count), Ok(()));
            assert_eq!(runs(&turns), run);
        }
    }
}
