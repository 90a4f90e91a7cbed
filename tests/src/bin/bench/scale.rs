//! A vault that grows: what listing a page of secrets, reading and setting one takes beside a thousand others, a hundred
//! thousand and a million, and how large the database becomes. Latencies are wall time in one process, without HTTP.

use crate::{Failure, median, rig};
use domain::{ContainerKind, ObjectKind, ObjectName, Secret, Tags, access::Caller};
use engine::{Engine, NewAttributes, OpenContainer, PageRequest, Presence, SetSecret};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Threads that set secrets together, and share the disk's commits.
const SETTERS: u64 = 64;
/// Operations that a latency is the median of.
const SAMPLES: u64 = 200;

/// Grows a vault to each of the sizes and measures it there.
pub fn measure(sizes: &[u64]) -> Result<(), Failure> {
    let folder = tempfile::TempDir::new()?;
    let engine = rig::engine(folder.path())?;
    let place = Place { caller: rig::caller(), vault: rig::open(&engine, ContainerKind::Vault)?, engine };
    println!(
        "secrets in one vault: medians of {SAMPLES} in µs of wall time; the database with its log, in bytes a secret"
    );
    println!(
        "{:>10}{:>12}{:>12}{:>12}{:>12}{:>14}{:>12}",
        "secrets", "list of 25", "get, cold", "get, again", "set, alone", "set together/s", "bytes each"
    );
    let mut there = 0;
    for size in sizes {
        let per_second = fill(&place, there, *size)?;
        there = *size;
        place.engine.flush_audit()?;
        let bytes = size_of(folder.path())? / size;
        let spread = |at: u64| at * (size / SAMPLES).max(1) % size;
        let page = |at| list(&place, spread(at));
        let [listed, cold, again, set] = [
            timed(page)?,
            timed(|at| get(&place, spread(at)))?,
            timed(|at| get(&place, spread(at)))?,
            timed(|at| put(&place, spread(at)))?,
        ];
        println!("{size:>10}{listed:>12.1}{cold:>12.1}{again:>12.1}{set:>12.1}{per_second:>14.0}{bytes:>12}");
    }
    Ok(())
}

struct Place {
    engine: Engine,
    caller: Caller,
    vault: std::sync::Arc<OpenContainer>,
}

/// Names in an order that is not that of their making, as an application's are.
fn name(number: u64) -> Result<ObjectName, Failure> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ObjectName::parse(&format!("app-{mixed:016x}-password")).ok_or_else(|| "a name".into())
}

fn put(place: &Place, number: u64) -> Result<(), Failure> {
    let request = SetSecret {
        value: Secret::new(format!("correct horse battery staple {number}").into_bytes()),
        content_type: Some("password".to_owned()),
        attributes: NewAttributes::default(),
        tags: Tags::new(),
    };
    place.engine.set_secret(&place.caller, &place.vault, &name(number)?, request)?;
    Ok(())
}

fn get(place: &Place, number: u64) -> Result<(), Failure> {
    place.engine.get_secret(&place.caller, &place.vault, &name(number)?, None)?;
    Ok(())
}

fn list(place: &Place, number: u64) -> Result<(), Failure> {
    let page = PageRequest { after: Some(name(number)?.folded()), limit: 25 };
    place.engine.list_objects(&place.caller, &place.vault, ObjectKind::Secret, Presence::Live, false, &page)?;
    Ok(())
}

/// Sets the secrets of these numbers. Returns how many a second.
fn fill(place: &Place, from: u64, to: u64) -> Result<f64, Failure> {
    let (next, began) = (AtomicU64::new(from), Instant::now());
    let work = || -> Result<(), Failure> {
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                number if number < to => put(place, number)?,
                _ => return Ok(()),
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SETTERS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 secrets")]
    Ok((to - from) as f64 / began.elapsed().as_secs_f64())
}

/// Median microseconds.
fn timed(operation: impl Fn(u64) -> Result<(), Failure>) -> Result<f64, Failure> {
    let mut times = Vec::new();
    for at in 0..SAMPLES {
        let began = Instant::now();
        operation(at)?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}

fn size_of(folder: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
