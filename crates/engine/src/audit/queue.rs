//! Records that wait to become durable together.

use crate::{Error, metering::Count};
use parking_lot::Mutex;
use std::{
    mem,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

/// What waits of one request: the record, and what of it is to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub leaf: &'a str,
    pub count: Option<Count>,
}

/// Entries, their leaves one behind the other: thousands come in a second, and each would be memory that one thread takes
/// and another gives back.
#[derive(Default)]
struct Batch {
    leaves: String,
    /// Where in `leaves` each ends.
    entries: Vec<(usize, Option<Count>)>,
}

impl Batch {
    /// Leaves for which memory is kept from one flush to the next. Getting it anew costs more than writing to it.
    const MOST_KEPT: usize = 4 << 20;

    /// An empty one, in the memory of this one.
    fn emptied(mut self) -> Self {
        if self.leaves.capacity() > Self::MOST_KEPT {
            return Self::default();
        }
        self.leaves.clear();
        self.entries.clear();
        self
    }

    fn push(&mut self, entry: Entry<'_>) {
        self.leaves.push_str(entry.leaf);
        self.entries.push((self.leaves.len(), entry.count));
    }

    /// Where the leaf of the entry begins that has so many before it.
    fn begin(&self, entries: usize) -> usize {
        entries.checked_sub(1).map_or(0, |last| self.entries[last].0)
    }

    /// How many entries there are from one on, and the bytes of their leaves.
    fn amount_from(&self, entry: usize) -> (usize, usize) {
        (self.entries.len() - entry, self.leaves.len() - self.begin(entry))
    }

    fn entries(&self, of: Range<usize>) -> impl Iterator<Item = Entry<'_>> {
        let begin = self.begin(of.start);
        self.entries[of].iter().scan(begin, |begin, (end, count)| {
            let leaf = &self.leaves[std::mem::replace(begin, *end)..*end];
            Some(Entry { leaf, count: *count })
        })
    }
}

/// What is being written down, and how many of its entries are durable.
#[derive(Default)]
struct Writing {
    batch: Batch,
    durable: usize,
}

/// Entries in the order they came in. Those being written stay here until they are durable, so that a failed write loses
/// none and a repeated one doubles none.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Batch>,
    /// Held by the one who writes.
    writing: Mutex<Writing>,
    /// What of `writing` is not durable. Raised by whoever holds `waiting`.
    unwritten: Amount,
}

#[derive(Default)]
struct Amount {
    entries: AtomicUsize,
    /// Of leaves.
    bytes: AtomicUsize,
}

impl Amount {
    fn set(&self, (entries, bytes): (usize, usize)) {
        self.entries.store(entries, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}

impl Queue {
    /// At about 700 bytes each, some 45 MB: seconds of everything a machine can do.
    const MOST_WAITING: usize = 65_536;
    /// Leaves can be made longer than they usually are.
    const MOST_BYTES: usize = 64 << 20;
    /// Entries in a portion.
    const PORTION: usize = 4_096;

    pub(crate) fn enter(&self, entry: Entry<'_>) -> Result<(), Error> {
        let mut waiting = self.waiting.lock();
        let (entries, bytes) = self.ahead(&waiting);
        if entries >= Self::MOST_WAITING || bytes >= Self::MOST_BYTES {
            return Err(Error::Busy);
        }
        waiting.push(entry);
        Ok(())
    }

    /// How many entries wait or are being written, and the bytes of their leaves.
    fn ahead(&self, waiting: &Batch) -> (usize, usize) {
        let Amount { entries, bytes } = &self.unwritten;
        let (waiting_entries, waiting_bytes) = waiting.amount_from(0);
        (waiting_entries + entries.load(Ordering::Relaxed), waiting_bytes + bytes.load(Ordering::Relaxed))
    }

    /// How many entries wait or are being written.
    pub(crate) fn length(&self) -> usize {
        self.ahead(&self.waiting.lock()).0
    }

    /// Hands everything that waits at the call to `write`, in portions: other writers come in between. What a portion
    /// that fails holds waits on, and all behind it. What comes meanwhile is for the next flush: under load a flush
    /// would otherwise never end, with a wait for the disk for every few records.
    pub(crate) fn flush(&self, write: impl Fn(&[Entry<'_>]) -> Result<(), Error>) -> Result<(), Error> {
        let mut writing = self.writing.lock();
        // What an earlier failure left goes first.
        self.write_all(&mut writing, &write)?;
        let empty = mem::take(&mut writing.batch).emptied();
        {
            let mut waiting = self.waiting.lock();
            self.unwritten.set(waiting.amount_from(0));
            *writing = Writing { batch: mem::replace(&mut *waiting, empty), durable: 0 };
        }
        self.write_all(&mut writing, &write)
    }

    fn write_all(
        &self,
        Writing { batch, durable }: &mut Writing,
        write: impl Fn(&[Entry<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while *durable < batch.entries.len() {
            let end = batch.entries.len().min(*durable + Self::PORTION);
            let portion: Vec<_> = batch.entries(*durable..end).collect();
            write(&portion)?;
            *durable = end;
            self.unwritten.set(batch.amount_from(end));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(leaf: &str) -> Entry<'_> {
        Entry { leaf, count: None }
    }

    fn leaves(queue: &Queue) -> Vec<String> {
        let written = Mutex::new(Vec::new());
        queue
            .flush(|portion| {
                written.lock().extend(portion.iter().map(|entry| entry.leaf.to_owned()));
                Ok(())
            })
            .unwrap();
        written.into_inner()
    }

    #[test]
    fn a_failed_write_loses_nothing_and_keeps_the_order() {
        let queue = Queue::default();
        for leaf in ["a", "b"] {
            queue.enter(entry(leaf)).unwrap();
        }
        assert!(queue.flush(|_| Err(Error::Busy)).is_err());
        queue.enter(entry("c")).unwrap();
        assert_eq!(leaves(&queue), ["a", "b", "c"]);
        assert_eq!(leaves(&queue), [""; 0]);
    }

    #[test]
    fn a_failed_portion_waits_on_with_all_behind_it() {
        let queue = Queue::default();
        let all: Vec<String> = (0..2 * Queue::PORTION + 1).map(|number| number.to_string()).collect();
        all.iter().for_each(|leaf| queue.enter(entry(leaf)).unwrap());
        let first = Mutex::new(Vec::new());
        let failed = queue.flush(|portion| {
            let mut first = first.lock();
            if first.is_empty() {
                first.extend(portion.iter().map(|entry| entry.leaf.to_owned()));
                return Ok(());
            }
            Err(Error::Busy)
        });
        assert!(failed.is_err());
        assert_eq!(first.lock().len(), Queue::PORTION);
        assert_eq!(queue.length(), Queue::PORTION + 1);
        assert_eq!([first.into_inner(), leaves(&queue)].concat(), all);
    }

    #[test]
    fn what_comes_during_a_flush_is_for_the_next() {
        let queue = Queue::default();
        queue.enter(entry("first")).unwrap();
        queue.flush(|_| queue.enter(entry("meanwhile"))).unwrap();
        assert_eq!(queue.length(), 1);
        assert_eq!(leaves(&queue), ["meanwhile"]);
    }

    #[test]
    fn a_full_queue_refuses_until_it_is_flushed() {
        let queue = Queue::default();
        for _ in 0..Queue::MOST_WAITING {
            queue.enter(entry("")).unwrap();
        }
        assert!(matches!(queue.enter(entry("")), Err(Error::Busy)));
        assert_eq!(leaves(&queue).len(), Queue::MOST_WAITING);
        queue.enter(entry("after")).unwrap();
        assert_eq!(leaves(&queue), ["after"]);
    }

    #[test]
    fn a_queue_is_full_of_long_records_sooner() {
        let (queue, mebibyte) = (Queue::default(), "x".repeat(1 << 20));
        let taken = (0..100).filter(|_| queue.enter(entry(&mebibyte)).is_ok()).count();
        assert_eq!(taken, Queue::MOST_BYTES >> 20);
        assert_eq!(leaves(&queue).len(), taken);
        queue.enter(entry(&mebibyte)).unwrap();
    }
}
