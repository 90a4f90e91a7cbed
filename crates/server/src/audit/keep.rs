//! What a running server does for its audit log: signs it, keeps the newest checkpoint outside of the database, hands
//! records on, and lets old ones go.

use super::deliver::{Delivery, Syslog};
use crate::{private_file, wiring::chain};
use engine::{Door, Engine, Error, audit::Standing};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// How often what is unsigned is signed, and the file outside follows.
const SIGNING_INTERVAL: Duration = Duration::from_secs(1);
/// How often records are handed on.
const DELIVERY_INTERVAL: Duration = Duration::from_secs(1);
/// How often old records and checkpoints are looked for.
const PRUNING_INTERVAL: Duration = Duration::from_secs(60);
/// The newest checkpoint, beside the database and not in it.
pub const CHECKPOINT_FILE: &str = "audit.checkpoint";

/// How the log of a server is kept.
#[derive(Debug, Default)]
pub struct Keeping {
    pub checkpoint_file: PathBuf,
    pub retention_days: Option<u32>,
    pub export_file: Option<PathBuf>,
    pub syslog: Option<Syslog>,
}

impl Keeping {
    /// For ever, in the state folder and nowhere else.
    pub fn in_folder(folder: &Path) -> Self {
        Self { checkpoint_file: folder.join(CHECKPOINT_FILE), ..Self::default() }
    }
}

/// Keeps the log from its start on.
pub struct Keeper {
    door: Door,
    outside: Arc<Mutex<Outside>>,
    delivery: Arc<Mutex<Delivery>>,
    retention_days: Option<u32>,
}

impl Keeper {
    /// Compares the log with the checkpoint outside, and signs what the process before has left unsigned.
    pub fn new(door: &Door, keeping: Keeping) -> Self {
        let Keeping { checkpoint_file, retention_days, export_file, syslog } = keeping;
        let outside = Outside::resume(checkpoint_file, door.engine());
        let keeper = Self {
            door: door.clone(),
            outside: Arc::new(Mutex::new(outside)),
            delivery: Arc::new(Mutex::new(Delivery::new(export_file, syslog))),
            retention_days,
        };
        report(keeper.signing()(door.engine()), "the audit log could not be signed");
        keeper
    }

    /// Begins what has to be done again and again.
    pub fn start(&self, running: &mut JoinSet<()>) {
        let (door, signing) = (self.door.clone(), self.signing());
        running.spawn(async move {
            let mut ticks = ticks(SIGNING_INTERVAL);
            loop {
                ticks.tick().await;
                report(door.run_apart(signing.clone()).await, "the audit log could not be signed");
            }
        });
        let (door, delivering) = (self.door.clone(), self.delivering());
        running.spawn(async move {
            let mut ticks = ticks(DELIVERY_INTERVAL);
            loop {
                ticks.tick().await;
                report(door.run_apart(delivering.clone()).await, "audit records could not be handed on; they wait");
            }
        });
        let (door, pruning) = (self.door.clone(), self.pruning());
        running.spawn(async move {
            let mut ticks = ticks(PRUNING_INTERVAL);
            loop {
                ticks.tick().await;
                report(door.run_apart(pruning.clone()).await, "old audit records could not be dropped");
            }
        });
    }

    /// Signs and hands on what is left, when nothing more will come.
    pub async fn end(self) {
        report(self.door.run_apart(self.signing()).await, "the audit log could not be signed");
        report(self.door.run_apart(self.delivering()).await, "audit records could not be handed on; they wait");
    }

    fn signing(&self) -> impl Fn(&Engine) -> Result<(), Error> + Clone + Send + use<> {
        let outside = Arc::clone(&self.outside);
        move |engine| {
            engine.sign_audit()?;
            outside.lock().unwrap_or_else(PoisonError::into_inner).follow(engine)
        }
    }

    fn delivering(&self) -> impl Fn(&Engine) -> Result<(), Error> + Clone + Send + use<> {
        let delivery = Arc::clone(&self.delivery);
        move |engine| delivery.lock().unwrap_or_else(PoisonError::into_inner).hand_on(engine)
    }

    fn pruning(&self) -> impl Fn(&Engine) -> Result<(), Error> + Clone + Send + use<> {
        let (delivery, retention_days) = (Arc::clone(&self.delivery), self.retention_days);
        move |engine| {
            if let Some(days) = retention_days {
                let handed_on = delivery.lock().unwrap_or_else(PoisonError::into_inner).handed_on(engine)?;
                while engine.prune_audit(days, handed_on)? {}
            }
            engine.thin_audit_checkpoints()
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn report(outcome: Result<(), Error>, message: &'static str) {
    if let Err(error) = outcome {
        tracing::error!(error = chain(&error), "{message}");
    }
}

/// The file outside of the database. Who brings back an older database is found out by it.
struct Outside {
    path: PathBuf,
    /// The size that the file is of.
    size: u64,
    /// The file speaks against the database: it is evidence, and stays as it is.
    is_held: bool,
}

impl Outside {
    fn resume(path: PathBuf, engine: &Engine) -> Self {
        let mut outside = Self { path, size: 0, is_held: false };
        let against = match fs::read_to_string(&outside.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return outside,
            Err(error) => Some(error.to_string()),
            Ok(note) => match engine.audit_standing(&note) {
                Ok(Standing::Continued) => {
                    outside.size = engine.audit_verifier().open_checkpoint(&note).map_or(0, |signed| signed.size);
                    None
                }
                Ok(Standing::Behind { signed, has }) => {
                    Some(format!("the database is older: it has {has} signed records, and there were {signed}"))
                }
                Ok(Standing::Parted { signed }) => Some(format!(
                    "the database is another: among its first {signed} records are others than were signed"
                )),
                Ok(Standing::Foreign(why)) => Some(why.to_string()),
                Err(error) => Some(chain(&error)),
            },
        };
        if let Some(why) = against {
            outside.is_held = true;
            tracing::error!(
                file = %outside.path.display(),
                why,
                "the audit log does not go together with its checkpoint outside; see `strongroom audit verify`. The file stays \
                 as it is: if the database was restored on purpose, move the file away and start again"
            );
        }
        outside
    }

    /// Writes the newest checkpoint, if there is a newer one.
    fn follow(&mut self, engine: &Engine) -> Result<(), Error> {
        if self.is_held {
            return Ok(());
        }
        let Some(newest) = engine.last_audit_checkpoint()?.filter(|newest| newest.size > self.size) else {
            return Ok(());
        };
        match private_file::write_public(&self.path, newest.note.as_bytes()) {
            Ok(()) => self.size = newest.size,
            Err(error) => {
                tracing::error!(file = %self.path.display(), %error, "the checkpoint outside could not be written");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "keep_tests.rs"]
mod tests;
