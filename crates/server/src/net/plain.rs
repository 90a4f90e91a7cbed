//! Small ports that speak plain HTTP and have one thing to say: metrics, challenges of ACME servers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::ready, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};

/// What whoever asks may use up.
#[derive(Clone, Copy)]
pub struct PlainLimits {
    /// Time for a connection, all in all. There is one request on each.
    pub time: Duration,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Time between two connections: when nobody can be let in, trying again at once would only spin.
    pub pace: Duration,
}

const LARGEST_HEAD: usize = 16 << 10;

/// Serves answers at an address in a task of its own, as long as the process lives.
///
/// # Errors
/// The address is taken or not ours.
pub async fn serve_plainly(
    address: SocketAddr,
    what: &'static str,
    limits: PlainLimits,
    answer: impl Fn(&Request<Incoming>) -> Response<Bytes> + Send + Sync + 'static,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "{what}");
    tokio::spawn(serve(listener, limits, answer));
    Ok(())
}

pub(crate) async fn serve(
    listener: TcpListener,
    limits: PlainLimits,
    answer: impl Fn(&Request<Incoming>) -> Response<Bytes> + Send + Sync + 'static,
) {
    let answer = Arc::new(answer);
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut pace = tokio::time::interval(limits.pace);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        pace.tick().await;
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let _permit = permit;
            let service = service_fn(|request| ready(Ok::<_, Infallible>(answer(&request).map(Full::new))));
            let mut http = http1::Builder::new();
            http.keep_alive(false).max_buf_size(LARGEST_HEAD);
            let connection = http.serve_connection(TokioIo::new(stream), service);
            // A request that breaks off is for whoever made it to notice.
            let _ended = tokio::time::timeout(limits.time, connection).await;
        });
    }
}
