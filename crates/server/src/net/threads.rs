//! Threads that serve connections, each with an event loop of its own.
//!
//! Threads that share their tasks wake each other whenever one has more than it can do at once, and that costs a tenth of a
//! small request. Connections have nothing to share: each stays with the thread that had the fewest when it came.

use crate::LAST_WORK;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A fixed number of threads.
pub(super) struct Threads(Vec<Thread>);

struct Thread {
    tasks: Handle,
    /// Shared by the connections that it serves.
    open: Arc<()>,
    end: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Threads {
    /// Starts so many.
    ///
    /// # Errors
    /// The operating system has no more to give.
    pub(super) fn start(count: NonZero<usize>) -> io::Result<Self> {
        (0..count.get()).map(Thread::start).collect::<io::Result<_>>().map(Self)
    }

    /// Serves a connection.
    pub(super) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let Some(thread) = self.0.iter().min_by_key(|thread| thread.connections()) else { return };
        let open = Arc::clone(&thread.open);
        thread.tasks.spawn(async move {
            connection.await;
            drop(open);
        });
    }

    /// How many connections each thread serves.
    #[cfg(test)]
    pub(super) fn connections(&self) -> Vec<usize> {
        self.0.iter().map(Thread::connections).collect()
    }

    /// Ends them. Connections that are still open are cut.
    pub(super) async fn end(self) {
        let running: Vec<_> = self
            .0
            .into_iter()
            .map(|thread| {
                // One that ended by itself does not hear it.
                let _ = thread.end.send(());
                thread.running
            })
            .collect();
        let ended = tokio::task::spawn_blocking(|| running.into_iter().try_for_each(JoinHandle::join));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::error!("a thread of connections panicked");
        }
    }
}

impl Thread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let tasks = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let run = move || {
            // An error means that nobody is left to end it.
            let _ = runtime.block_on(ended);
            runtime.shutdown_timeout(LAST_WORK);
        };
        let running = std::thread::Builder::new().name(format!("connections-{number}")).spawn(run)?;
        Ok(Self { tasks, open: Arc::default(), end, running })
    }

    fn connections(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::{mpsc, watch};

    #[tokio::test]
    async fn a_connection_goes_to_the_thread_that_has_the_fewest() {
        let threads = Threads::start(const { NonZero::new(3).unwrap() }).unwrap();
        let (names, mut told) = mpsc::unbounded_channel();
        let (hang_up, hung_up) = watch::channel(0);
        let connect = |number: usize| {
            let (names, mut hung_up) = (names.clone(), hung_up.clone());
            threads.serve(async move {
                names.send(std::thread::current().name().map(str::to_owned)).unwrap();
                hung_up.wait_for(|past| *past > number).await.unwrap();
                drop(names);
            });
        };
        let mut served_by = Vec::new();
        for number in 0..7 {
            connect(number);
            served_by.push(told.recv().await.unwrap().unwrap());
        }
        let expected = [0, 1, 2, 0, 1, 2, 0].map(|number| format!("connections-{number}"));
        assert_eq!((served_by, threads.connections()), (expected.to_vec(), vec![3, 2, 2]));

        hang_up.send(6).unwrap();
        while threads.connections().iter().sum::<usize>() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(threads.connections(), [1, 0, 0]);
        connect(7);
        assert_eq!(told.recv().await.unwrap().unwrap(), "connections-1");
        threads.end().await;
        drop(names);
        assert_eq!(told.recv().await, None, "the connections were not cut");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_done_before_the_end() {
        let threads = Threads::start(NonZero::<usize>::MIN).unwrap();
        let (done, told) = oneshot::channel();
        let (began, begun) = oneshot::channel();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        threads.serve(async move {
            drop(tokio::task::spawn_blocking(move || {
                began.send(()).unwrap();
                may_go.recv().unwrap();
                done.send("done").unwrap();
            }));
        });
        begun.await.unwrap();
        let end = tokio::spawn(threads.end());
        go.send(()).unwrap();
        end.await.unwrap();
        assert_eq!(told.await, Ok("done"));
    }
}
