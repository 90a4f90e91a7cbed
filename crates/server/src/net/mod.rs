//! The network: one port that takes TLS, a proxy's `CONNECT` and, for managed identities, plain HTTP.
//!
//! Nothing here knows what a vault is. A [`Handler`] gets whole requests and gives whole answers.

mod bare;
mod drain;
pub(crate) mod fuzz;
mod http;
mod listen;
mod names;
pub(crate) mod plain;
mod proxy;
mod threads;
pub mod tls;
mod watch;

#[cfg(test)]
mod tests;

pub use drain::{Drained, stop_signal};
pub use listen::{Listen, Listeners};
pub use names::Names;
pub use plain::{PlainLimits, serve_plainly};

use ::http::{Request, Response, request::Parts};
use bytes::Bytes;
use rustls::ServerConfig;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use threads::{Running, Threads};
use tokio::sync::Semaphore;

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the connection.
    pub address: SocketAddr,
    /// Whether it came over TLS. Without, only the managed-identity paths are served.
    pub tls: bool,
}

/// Why a request is answered without the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// 413: the body exceeds [`Limits::body`].
    BodyTooLarge,
    /// 431: the head, the target in it included, exceeds [`Limits::head`].
    HeadersTooLarge,
    /// 400: a malformed head, no host or two of them, `CONNECT` where it makes no sense, or a body that breaks off.
    BadRequest,
    /// 408: the body took longer than [`Limits::body_time`].
    BodyTooSlow,
    /// 500: the handler panicked.
    Panicked,
}

/// What becomes of a large body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargeBody {
    /// It is too large.
    Refused,
    /// It may be up to [`Limits::large_body`].
    Taken,
    /// As much of it is heard out, but not kept: the request is answered without, whatever it says.
    Passed,
}

/// The front's side: answers requests whose body has been read whole.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request. The future is dropped if an HTTP/2 client takes it back, or if the server has waited long enough
    /// when it stops: what must happen as a whole belongs in a task of its own.
    fn handle(&self, request: Request<Bytes>, peer: Peer) -> impl Future<Output = Response<Bytes>> + Send;

    /// What becomes of a body beyond [`Limits::body`]. Asked before it is read.
    fn large_body(&self, _head: &Parts, _peer: Peer) -> impl Future<Output = LargeBody> + Send {
        std::future::ready(LargeBody::Refused)
    }

    /// Shapes the answer to a request that does not come to [`Handler::handle`].
    fn refuse(&self, reason: Refused) -> Response<Bytes>;
}

/// What a client may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of the body of a request that may bring a large one, and announces its length.
    pub large_body: usize,
    /// Large bodies at a time, for they are held in memory; more wait.
    pub large_bodies: usize,
    /// Bytes of a request's head. Over HTTP/2, past twice as many the answer is a bare 431 or a reset stream.
    pub head: usize,
    /// Time for the TLS handshake, and for the head of a proxy request.
    pub opening_time: Duration,
    /// Time for the head of a request, from its first byte on; enforced at steps of half of it.
    pub head_time: Duration,
    /// Time for the body of a request.
    pub body_time: Duration,
    /// Time a connection may stay open without a request.
    pub idle_time: Duration,
    /// Time the requests under way have to finish when the server stops.
    pub drain_time: Duration,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            large_body: 16 << 20,
            large_bodies: 4,
            head: 32 << 10,
            opening_time: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(180),
            drain_time: Duration::from_secs(20),
            connections: 10_000,
        }
    }
}

/// What else a server does.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What a client may use up.
    pub limits: Limits,
    /// The hosts that the built-in proxy lets through to this server; no proxy without.
    pub proxy: Option<Names>,
    /// Whether managed-identity requests are taken over plain HTTP.
    pub plain_identity: bool,
    /// Threads that serve connections, and nothing else. 0: they are served where they are accepted.
    pub threads: usize,
}

/// A server: a handler behind TLS.
pub struct Server<H> {
    shared: Arc<Shared<H>>,
    threads: Running,
}

/// What all connections have in common.
struct Shared<H> {
    handler: H,
    tls: tokio_rustls::TlsAcceptor,
    settings: Settings,
    http: http::Protocols,
    threads: Threads,
    /// Room for large bodies.
    large_bodies: Semaphore,
}

impl<H: Handler> Server<H> {
    /// Puts a handler behind TLS.
    ///
    /// # Errors
    /// There are no more threads to be had.
    pub fn new(handler: H, tls: Arc<ServerConfig>, settings: Settings) -> std::io::Result<Self> {
        let (threads, running) = Threads::start(settings.threads)?;
        let http = http::Protocols::new(&settings.limits, &threads);
        let large_bodies = Semaphore::new(settings.limits.large_bodies);
        let shared = Shared { handler, tls: tls.into(), settings, http, threads, large_bodies };
        Ok(Self { shared: Arc::new(shared), threads: running })
    }

    /// Serves until `stop` completes, then lets the requests under way finish.
    ///
    /// # Errors
    /// The sockets cannot be handed to the runtime.
    pub async fn run(self, listeners: Listeners, stop: impl Future<Output = ()>) -> std::io::Result<Drained> {
        let (drain, phase) = drain::Drain::new();
        listen::accept_on(listeners, &self.shared, &phase)?;
        drop(phase);
        stop.await;
        tracing::info!("stopping: finishing the requests under way");
        let drained = drain.finish(self.shared.settings.limits.drain_time).await;
        self.threads.end().await;
        Ok(drained)
    }
}
