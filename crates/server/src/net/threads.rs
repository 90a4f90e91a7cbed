//! Threads that serve connections, each with an event loop of its own.
//!
//! Threads that share their tasks wake each other whenever one has more than it can do at once: up to a tenth of a small
//! request. Connections have nothing to share: each stays with the thread that had the fewest when it came. Only of
//! many requests at once on one connection some are served elsewhere, or one client would have one thread.

use crate::LAST_WORK;
use hyper::rt::Executor;
use std::io;
use std::sync::Arc;
use std::thread::{JoinHandle, ThreadId};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// What can be given to them. Without any, everything is served where it is given.
#[derive(Clone)]
pub(super) struct Threads(Arc<[Thread]>);

struct Thread {
    id: ThreadId,
    tasks: Handle,
    connections: Count,
    /// Of HTTP/2 connections.
    requests: Count,
}

/// How many there are: they share it.
#[derive(Default)]
struct Count(Arc<()>);

/// The threads themselves. They end when this is dropped.
pub(super) struct Running(Vec<Loop>);

/// An event loop. It runs for as long as `end` is there.
struct Loop {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Threads {
    /// Starts so many.
    ///
    /// # Errors
    /// The operating system has no more to give.
    pub(super) fn start(count: usize) -> io::Result<(Self, Running)> {
        let started: Vec<_> = (0..count).map(Thread::start).collect::<io::Result<_>>()?;
        let (threads, running): (Vec<_>, _) = started.into_iter().unzip();
        Ok((Self(threads.into()), Running(running)))
    }

    /// Serves a connection.
    pub(super) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        match self.0.iter().min_by_key(|thread| thread.connections.now()) {
            Some(thread) => thread.spawn(&thread.connections, connection),
            None => drop(tokio::spawn(connection)),
        }
    }
}

/// For the requests of an HTTP/2 connection.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Threads {
    fn execute(&self, request: F) {
        let here = std::thread::current().id();
        // Beside its connection, unless another has fewer: for one request after the other nobody is woken.
        let rank = |thread: &&Thread| (thread.requests.now(), thread.id != here);
        match self.0.iter().min_by_key(rank) {
            Some(thread) => thread.spawn(&thread.requests, request),
            None => drop(tokio::spawn(request)),
        }
    }
}

impl Running {
    /// Ends them. What they still serve is cut; work that nobody waits for any more has some time.
    pub(super) async fn end(self) {
        let (ends, threads): (Vec<_>, Vec<_>) = self.0.into_iter().map(|Loop { end, thread }| (end, thread)).unzip();
        drop(ends);
        let ended = tokio::task::spawn_blocking(|| threads.into_iter().try_for_each(JoinHandle::join));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::error!("a thread of connections panicked");
        }
    }
}

impl Thread {
    fn start(number: usize) -> io::Result<(Self, Loop)> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let tasks = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let run = move || {
            // Nothing is ever sent: this waits until the sender is dropped.
            let _ = runtime.block_on(ended);
            runtime.shutdown_timeout(LAST_WORK);
        };
        let thread = std::thread::Builder::new().name(format!("connections-{number}")).spawn(run)?;
        let (connections, requests) = Default::default();
        Ok((Self { id: thread.thread().id(), tasks, connections, requests }, Loop { end, thread }))
    }

    fn spawn(&self, count: &Count, work: impl Future<Output = ()> + Send + 'static) {
        let counted = Arc::clone(&count.0);
        self.tasks.spawn(async move {
            work.await;
            drop(counted);
        });
    }
}

impl Count {
    fn now(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::{mpsc, watch};

    fn name() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    impl Threads {
        fn connections(&self) -> Vec<usize> {
            self.0.iter().map(|thread| thread.connections.now()).collect()
        }

        fn requests(&self) -> Vec<usize> {
            self.0.iter().map(|thread| thread.requests.now()).collect()
        }
    }

    #[tokio::test]
    async fn a_connection_goes_to_the_thread_that_has_the_fewest() {
        let (threads, running) = Threads::start(3).unwrap();
        let (names, mut told) = mpsc::unbounded_channel();
        let (hang_up, hung_up) = watch::channel(0);
        let connect = |number: usize| {
            let (names, mut hung_up) = (names.clone(), hung_up.clone());
            threads.serve(async move {
                names.send(name()).unwrap();
                hung_up.wait_for(|past| *past > number).await.unwrap();
                drop(names);
            });
        };
        let mut served_by = Vec::new();
        for number in 0..7 {
            connect(number);
            served_by.push(told.recv().await.unwrap());
        }
        let expected = [0, 1, 2, 0, 1, 2, 0].map(|number| format!("connections-{number}"));
        assert_eq!((served_by, threads.connections()), (expected.to_vec(), vec![3, 2, 2]));

        hang_up.send(6).unwrap();
        while threads.connections().iter().sum::<usize>() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(threads.connections(), [1, 0, 0]);
        connect(7);
        assert_eq!(told.recv().await.unwrap(), "connections-1");
        running.end().await;
        drop(names);
        assert_eq!(told.recv().await, None, "the connections were not cut");
    }

    #[tokio::test]
    async fn requests_stay_with_their_connection_until_there_are_many() {
        let (threads, running) = Threads::start(2).unwrap();
        // Connections that ask for nothing are no reason to go elsewhere.
        (0..4).for_each(|_| threads.serve(std::future::pending()));
        let (names, mut told) = mpsc::unbounded_channel();
        let requests = threads.clone();
        threads.serve(async move {
            let (done, mut next) = mpsc::channel(1);
            for _ in 0..3 {
                let (names, done) = (names.clone(), done.clone());
                requests.execute(async move {
                    names.send(name()).unwrap();
                    drop(names);
                    done.send(()).await.unwrap();
                });
                next.recv().await.unwrap();
                while requests.requests() != [0, 0] {
                    tokio::task::yield_now().await;
                }
            }
            for _ in 0..5 {
                let names = names.clone();
                requests.execute(async move {
                    names.send(name()).unwrap();
                    std::future::pending().await
                });
            }
            assert_eq!(requests.requests(), [3, 2]);
        });
        let mut served_by = Vec::new();
        for _ in 0..8 {
            served_by.push(told.recv().await.unwrap());
        }
        let (one_by_one, at_once) = served_by.split_at(3);
        assert_eq!(one_by_one, ["connections-0"; 3]);
        assert_eq!(at_once.iter().filter(|name| *name == "connections-1").count(), 2, "{at_once:?}");
        running.end().await;
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_done_before_the_end() {
        let (threads, running) = Threads::start(1).unwrap();
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
        let end = tokio::spawn(running.end());
        go.send(()).unwrap();
        end.await.unwrap();
        assert_eq!(told.await, Ok("done"));
    }
}
