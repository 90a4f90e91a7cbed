//! The door between asynchronous fronts and the synchronous engine: where work runs, and how much of it at once.

use crate::{Engine, Error, Shares};
use domain::{ContainerId, Directory};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What a piece of work costs, hence where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Microseconds of CPU, no disk: cached reads, EC and AES operations. Runs where it is asked for.
    Cheap,
    /// CPU for up to milliseconds: RSA private operations. On as many threads as there are cores.
    Compute,
    /// CPU for up to seconds: generation of RSA keys. On a thread of its own, so that nothing else waits behind it.
    Generation,
    /// Waits for another server. One at a time: those who wait mostly want what the first one brings.
    Remote,
    /// Waits for the disk: reads that miss the cache, durable writes. Many wait at once and share commits.
    Durable,
}

/// Lets work into the engine. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    engine: Arc<Engine>,
    compute: Lane,
    generation: Lane,
    durable: Lane,
    remote: Lane,
    receiver: Lane,
    /// Of the receivers' lane, how much may be under way and wait for one container.
    receiver_working: Arc<Shares>,
    receiver_admitted: Arc<Shares>,
}

/// A bounded number of places to work and to wait.
#[derive(Clone)]
struct Lane {
    working: Arc<Semaphore>,
    /// Places to work and to wait together.
    admitted: Arc<Semaphore>,
    /// How many there are of each.
    places: (usize, usize),
}

impl Lane {
    fn new(working: usize, waiting: usize) -> Self {
        let places = (working, working + waiting);
        Self { working: Arc::new(Semaphore::new(places.0)), admitted: Arc::new(Semaphore::new(places.1)), places }
    }

    fn in_use(&self) -> (usize, usize) {
        let working = self.places.0.saturating_sub(self.working.available_permits());
        (working, self.places.1.saturating_sub(self.admitted.available_permits()).saturating_sub(working))
    }
}

/// How much is under way in each lane, and how much waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    pub compute: (usize, usize),
    pub generation: (usize, usize),
    pub durable: (usize, usize),
    pub remote: (usize, usize),
    pub receiver: (usize, usize),
}

impl Door {
    /// Waiting compute work per core: about a second of RSA-2048 signatures.
    const COMPUTE_QUEUE_PER_CORE: usize = 512;
    /// Waiting generations per core: at a second or so each, longer than that nobody waits.
    const GENERATION_QUEUE_PER_CORE: usize = 16;
    const DURABLE_THREADS: usize = 64;
    const DURABLE_QUEUE: usize = 1024;
    const REMOTE_QUEUE: usize = 1024;
    const RECEIVERS: usize = 16;
    const RECEIVER_QUEUE: usize = 32;
    const RECEIVERS_OF_CONTAINER: usize = 2;
    const RECEIVER_QUEUE_OF_CONTAINER: usize = 8;

    #[must_use]
    pub fn new(engine: Arc<Engine>, cores: usize) -> Self {
        let compute = Lane::new(cores, cores * Self::COMPUTE_QUEUE_PER_CORE);
        let generators = cores.div_ceil(2);
        let generation = Lane::new(generators, cores * Self::GENERATION_QUEUE_PER_CORE);
        let durable = Lane::new(Self::DURABLE_THREADS, Self::DURABLE_QUEUE);
        let remote = Lane::new(1, Self::REMOTE_QUEUE);
        let receiver = Lane::new(Self::RECEIVERS, Self::RECEIVER_QUEUE);
        let receiver_working = Arc::new(Shares::new(Self::RECEIVERS_OF_CONTAINER));
        let admitted = Self::RECEIVERS_OF_CONTAINER + Self::RECEIVER_QUEUE_OF_CONTAINER;
        let receiver_admitted = Arc::new(Shares::new(admitted));
        Self { engine, compute, generation, durable, remote, receiver, receiver_working, receiver_admitted }
    }

    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The directory as it counts now. It is nearly always in memory; where it is not, it is loaded where waiting for the
    /// disk is allowed.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Busy`].
    pub async fn directory(&self) -> Result<Arc<Directory>, Error> {
        match self.engine.directory_at_hand() {
            Some(now) => Ok(now),
            None => self.run(Cost::Durable, Engine::directory).await,
        }
    }

    /// Asks the directory as it counts now: for what every request asks.
    ///
    /// # Errors
    /// As [`Door::directory`].
    pub async fn ask_directory<V>(&self, question: impl Fn(&Directory) -> V) -> Result<V, Error> {
        match self.engine.ask_directory_at_hand(&question) {
            Some(answer) => Ok(answer),
            None => Ok(question(&*self.directory().await?)),
        }
    }

    /// What is in use now.
    #[must_use]
    pub fn lanes(&self) -> Lanes {
        Lanes {
            compute: self.compute.in_use(),
            generation: self.generation.in_use(),
            durable: self.durable.in_use(),
            remote: self.remote.in_use(),
            receiver: self.receiver.in_use(),
        }
    }

    /// Runs `work` on the engine.
    ///
    /// # Errors
    /// [`Error::Busy`] at once if the lane is full; otherwise what `work` returns.
    pub async fn run<T: Send + 'static>(
        &self,
        cost: Cost,
        work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let lane = match cost {
            Cost::Cheap => return work(&self.engine),
            Cost::Compute => &self.compute,
            Cost::Generation => &self.generation,
            Cost::Durable => &self.durable,
            Cost::Remote => &self.remote,
        };
        self.run_in(lane, work).await
    }

    /// Runs `work` that waits for a receiver of a container's notices, up to half a minute. Few at once, and fewer of one
    /// container, which waits outside of the lane: whoever names slow ones holds up nobody else.
    ///
    /// # Errors
    /// [`Error::Busy`] at once if there are too many; otherwise what `work` returns.
    pub async fn run_for_receiver<T: Send + 'static>(
        &self,
        container: ContainerId,
        work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let admitted = self.receiver_admitted.of(container).try_acquire_owned().map_err(|_| Error::Busy)?;
        let working = self.receiver_working.of(container).acquire_owned().await.map_err(|_| Error::Busy)?;
        let places = (admitted, working);
        let work = move |engine: &Engine| {
            let outcome = work(engine);
            drop(places);
            outcome
        };
        self.run_in(&self.receiver, work).await
    }

    async fn run_in<T: Send + 'static>(
        &self,
        lane: &Lane,
        work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let admitted = Arc::clone(&lane.admitted).try_acquire_owned().map_err(|_| Error::Busy)?;
        let working = Arc::clone(&lane.working).acquire_owned().await.map_err(|_| Error::Busy)?;
        // The places belong to the work, which goes on when the client hangs up and this future is dropped.
        let places = (admitted, working);
        self.run_apart(move |engine| {
            let outcome = work(engine);
            drop(places);
            outcome
        })
        .await
    }

    /// Runs the service's own work outside of the lanes: it must not wait behind requests, nor be refused.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn run_apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let engine = Arc::clone(&self.engine);
        let work = move || work(&engine);
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Broken("an operation panicked")))
    }
}
