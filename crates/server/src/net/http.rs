//! HTTP/1.1 and HTTP/2 on an opened connection: limits, whole bodies, panics, and the end.

use super::bare::Shaped;
use super::drain::{Phase, Stage};
use super::threads::Threads;
use super::watch::{Activity, Verdict, Watch, Watched};
use super::{Handler, LargeBody, Limits, Peer, Refused, Shared};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::SemaphorePermit;

/// The answer to plain HTTP.
pub(super) const NOT_TLS: &str = "this port speaks TLS: use https://";
const PLAIN_PATHS: [&str; 2] = ["/metadata/identity", "/msi/token"];
/// What hyper needs at least, for a buffer.
const SMALLEST_BUFFER: usize = 8 << 10;
/// How much more than its limit we take in of a body, so that the client, who is still sending, hears our answer.
const PATIENCE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// hyper, set up once.
pub(super) struct Protocols {
    one: http1::Builder,
    two: http2::Builder<Threads>,
}

impl Protocols {
    pub(super) fn new(limits: &Limits, threads: &Threads) -> Self {
        let hard_limit = limits.head.saturating_mul(2).max(SMALLEST_BUFFER);
        let mut one = http1::Builder::new();
        // hyper's own timer would be armed for every request; see `watch`. Its `pipeline_flush` loses the answer to a
        // malformed head.
        one.max_buf_size(hard_limit.max(64 << 10)).max_header_size(hard_limit);
        // Who has asked may close their side and still be answered. Otherwise hyper looks, while a request is worked on,
        // whether the client is still there, and takes a fresh buffer for that each time.
        one.half_close(true);
        let mut two = http2::Builder::new(threads.clone());
        two.max_concurrent_streams(128).max_header_list_size(u32::try_from(hard_limit).unwrap_or(u32::MAX));
        Self { one, two }
    }
}

/// One connection: who it is, and how busy.
pub(super) struct Connection<H> {
    shared: Arc<Shared<H>>,
    peer: Peer,
    activity: Activity,
}

impl<H: Handler> Connection<H> {
    /// The front's answer to what does not get to it.
    pub(super) fn refuse(&self, reason: Refused) -> Response<Bytes> {
        self.shared.handler.refuse(reason)
    }
}

impl<H> AsRef<Activity> for Connection<H> {
    fn as_ref(&self) -> &Activity {
        &self.activity
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<H, S>(stream: S, protocol: Protocol, peer: Peer, shared: Arc<Shared<H>>, phase: Phase)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = Arc::new(Connection { shared, peer, activity: Activity::default() });
    let watched = Watched::new(stream, Arc::clone(&connection));
    let io = TokioIo::new(Shaped::new(watched, Arc::clone(&connection)));
    let service = {
        let connection = Arc::clone(&connection);
        service_fn(move |request| answer(Arc::clone(&connection), request))
    };
    let (limits, protocols) = (&connection.shared.settings.limits, &connection.shared.http);
    let outcome = match protocol {
        Protocol::Http1 => {
            let watch = Watch::new(Some(limits.head_time), limits.idle_time);
            let running = protocols.one.serve_connection(io, service);
            attend(running, http1::Connection::graceful_shutdown, watch, &connection.activity, phase).await
        }
        Protocol::Http2 => {
            let watch = Watch::new(None, limits.idle_time);
            let running = protocols.two.serve_connection(io, service);
            attend(running, http2::Connection::graceful_shutdown, watch, &connection.activity, phase).await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(address = %peer.address, %error, "connection ended early");
    }
}

/// Runs a connection, watches it, and ends it when the server does.
async fn attend<C>(
    running: C,
    finish: fn(Pin<&mut C>),
    mut watch: Watch,
    activity: &Activity,
    mut phase: Phase,
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut running = pin!(running);
    let mut beat = tokio::time::interval(watch.beat());
    // The first tick is immediate and says nothing.
    beat.tick().await;
    let mut stage = Stage::Draining;
    let mut finishing = false;
    loop {
        tokio::select! {
            biased;
            outcome = running.as_mut() => return outcome,
            () = phase.reaches(stage) => match stage {
                Stage::Over => return Ok(()),
                _ => {
                    finish(running.as_mut());
                    (stage, finishing) = (Stage::Over, true);
                }
            },
            _ = beat.tick() => match watch.look(activity) {
                Verdict::Fine => {}
                Verdict::SlowHead => return Ok(()),
                // Asked once already, and still nothing: the other end is gone.
                Verdict::Idle if finishing => return Ok(()),
                Verdict::Idle => {
                    finish(running.as_mut());
                    finishing = true;
                }
            },
        }
    }
}

/// Answers one request.
async fn answer<H: Handler>(
    connection: Arc<Connection<H>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let _busy = connection.activity.request();
    let logged =
        tracing::enabled!(tracing::Level::DEBUG).then(|| (request.method().clone(), request.uri().path().to_owned()));
    let response = if connection.peer.tls || is_plain_path(&connection.shared, &request) {
        answer_whole(&connection, request).await
    } else {
        not_tls()
    };
    if let Some((method, path)) = logged {
        // Never the query: a token may be in it.
        tracing::debug!(peer = %connection.peer.address, %method, path, status = response.status().as_u16(), "request");
    }
    Ok(response.map(Full::new))
}

async fn answer_whole<H: Handler>(connection: &Connection<H>, request: Request<Incoming>) -> Response<Bytes> {
    let Connection { shared, peer, .. } = connection;
    let limits = &shared.settings.limits;
    if let Err(reason) = check_head(&request, limits.head) {
        return connection.refuse(reason);
    }
    let (head, body) = request.into_parts();
    let announced = body.size_hint().lower();
    // In a box: every request's future is moved about, and few have large bodies.
    let taken = match announced > limits.body as u64 {
        true => Box::pin(take_large(connection, &head, announced)).await,
        false => Ok((Intake { limit: limits.body, kept: limits.body }, None)),
    };
    let body = match &taken {
        Err(reason) => Err(*reason),
        Ok(_) if body.is_end_stream() => Ok(Bytes::new()),
        Ok((intake, _)) => collect(body, &head.headers, limits, *intake).await,
    };
    match body {
        Ok(body) => guarded(pin!(shared.handler.handle(Request::from_parts(head, body), *peer)))
            .await
            .unwrap_or_else(|Panicked| connection.refuse(Refused::Panicked)),
        Err(reason) => connection.refuse(reason),
    }
}

fn is_plain_path<H>(shared: &Shared<H>, request: &Request<Incoming>) -> bool {
    shared.settings.plain_identity
        && request.method() != Method::CONNECT
        && PLAIN_PATHS.iter().any(|path| request.uri().path().starts_with(path))
}

fn not_tls() -> Response<Bytes> {
    let mut response = Response::new(format!("{NOT_TLS}\n").into());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn check_head(request: &Request<Incoming>, limit: usize) -> Result<(), Refused> {
    if request.uri().path().len() + request.uri().query().map_or(0, str::len) + size(request.headers()) > limit {
        return Err(Refused::HeadersTooLarge);
    }
    // Two hosts are two opinions on whose key this is.
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().is_some() || request.uri().authority().is_some();
    if !host || hosts.next().is_some() || request.method() == Method::CONNECT {
        return Err(Refused::BadRequest);
    }
    Ok(())
}

/// The length of header lines on HTTP/1's wire.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// How many bytes of a body are read.
#[derive(Clone, Copy)]
struct Intake {
    /// A longer one is refused.
    limit: usize,
    /// One that is longer than this is heard out, but not kept.
    kept: usize,
}

/// What is taken of a large body, and the room for it, held until the answer is there.
async fn take_large<'a, H: Handler>(
    connection: &'a Connection<H>,
    head: &Parts,
    announced: u64,
) -> Result<(Intake, Option<SemaphorePermit<'a>>), Refused> {
    let Connection { shared, peer, .. } = connection;
    let limits = &shared.settings.limits;
    let large = guarded(pin!(shared.handler.large_body(head, *peer))).await.map_err(|Panicked| Refused::Panicked)?;
    let limit = if large == LargeBody::Refused { limits.body } else { limits.large_body };
    if large != LargeBody::Taken || announced > limit as u64 {
        return Ok((Intake { limit, kept: 0 }, None));
    }
    let room = tokio::time::timeout(limits.body_time, shared.large_bodies.acquire()).await;
    let room = room.ok().and_then(Result::ok).ok_or(Refused::BodyTooSlow)?;
    Ok((Intake { limit, kept: limit }, Some(room)))
}

/// Reads a body whole, within the limits of size and time, and keeps it unless it is larger than that.
async fn collect(body: Incoming, headers: &HeaderMap, limits: &Limits, intake: Intake) -> Result<Bytes, Refused> {
    // A client that asks before it sends needs no patience.
    let patience = if headers.contains_key(header::EXPECT) { 1 } else { PATIENCE };
    let mut reading = pin!(read_whole(body, intake, intake.limit.saturating_mul(patience)));
    // Most bodies come with their head, and need no timer.
    match poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        Poll::Ready(body) => body,
        Poll::Pending => tokio::time::timeout(limits.body_time, reading).await.unwrap_or(Err(Refused::BodyTooSlow)),
    }
}

async fn read_whole(mut body: Incoming, intake: Intake, patience: usize) -> Result<Bytes, Refused> {
    let Intake { limit, kept } = intake;
    let announced = body.size_hint().lower();
    if announced > patience as u64 {
        return Err(Refused::BodyTooLarge);
    }
    let first = next(&mut body).await?.unwrap_or_default();
    if body.is_end_stream() && first.len() <= kept {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(kept.min(usize::try_from(announced).unwrap_or(limit)));
    let (mut length, mut piece) = (0, Some(first));
    while let Some(bytes) = piece {
        length += bytes.len();
        if length > patience {
            break;
        }
        if length <= kept {
            whole.extend_from_slice(&bytes);
        }
        piece = next(&mut body).await?;
    }
    if length > limit { Err(Refused::BodyTooLarge) } else { Ok(whole.freeze()) }
}

/// The next bytes of a body; trailers are passed over.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refused> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Refused::BadRequest)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

struct Panicked;

/// Runs a handler's future, where it is: it is large. A panic ends that request and nothing else.
async fn guarded<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Panicked> {
    poll_fn(|cx: &mut Context<'_>| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        // The panic hook has logged where and why.
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
