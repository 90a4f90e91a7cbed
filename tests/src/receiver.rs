//! A receiver of notices: a small web server that takes what it is sent, answers as it is told, and can be down.

#![expect(clippy::unwrap_used, reason = "a harness of tests fails by panicking")]

use crate::tls::Certificates;
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver as Inbox, Sender},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;

/// Longer than it takes until something that is due is sent, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    /// With its query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Received {
    /// # Panics
    /// If there is no such header.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

/// How a notice is answered.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    Status(u16),
    /// Not at all.
    Silence,
}

struct State {
    /// What the next notices are answered; after that, 204.
    manners: Mutex<VecDeque<Manner>>,
    /// What `OPTIONS` is answered in `WebHook-Allowed-Origin`.
    allowed_origin: Mutex<String>,
    arrived: Sender<Received>,
}

/// A running receiver.
pub struct Receiver {
    state: Arc<State>,
    inbox: Inbox<Received>,
    tls: Option<TlsAcceptor>,
    port: u16,
    running: Option<Runtime>,
}

impl Receiver {
    /// One in the clear, or with a certificate for 127.0.0.1.
    ///
    /// # Panics
    /// If it can't start.
    #[must_use]
    pub fn start(certificates: Option<&Certificates>) -> Self {
        let (arrived, inbox) = mpsc::channel();
        let state = State { manners: Mutex::default(), allowed_origin: Mutex::new("*".to_owned()), arrived };
        let tls = certificates.map(Certificates::acceptor);
        let mut receiver = Self { state: Arc::new(state), inbox, tls, port: 0, running: None };
        receiver.come_up();
        receiver
    }

    /// # Panics
    /// If its port was taken meanwhile.
    pub fn come_up(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", self.port))).unwrap();
        self.port = listener.local_addr().unwrap().port();
        runtime.spawn(serve(listener, self.tls.clone(), Arc::clone(&self.state)));
        self.running = Some(runtime);
    }

    /// Closes its port and all connections.
    pub fn go_down(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_timeout(PATIENCE);
        }
    }

    /// Where it takes notices, with a key in the query.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/in?code=s3cret", self.port)
    }

    /// # Panics
    /// If another test has panicked.
    pub fn answers_next(&self, manner: Manner) {
        self.state.manners.lock().unwrap().push_back(manner);
    }

    /// # Panics
    /// If another test has panicked.
    pub fn allows(&self, origin: &str) {
        origin.clone_into(&mut self.state.allowed_origin.lock().unwrap());
    }

    /// Waits for what comes next.
    ///
    /// # Panics
    /// If nothing does.
    #[must_use]
    pub fn next(&self) -> Received {
        self.inbox.recv_timeout(PATIENCE).unwrap()
    }

    /// What has come and was not looked at.
    #[must_use]
    pub fn rest(&self) -> Vec<Received> {
        self.inbox.try_iter().collect()
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(converse(socket, tls.clone(), Arc::clone(&state)));
    }
}

/// A sender that hangs up is none of our business.
async fn converse(socket: TcpStream, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let service = service_fn(|request| answer(&state, request));
    let http = hyper::server::conn::http1::Builder::new();
    match tls {
        None => drop(http.serve_connection(TokioIo::new(socket), service).await),
        Some(tls) => {
            if let Ok(stream) = tls.accept(socket).await {
                let _ended = http.serve_connection(TokioIo::new(stream), service).await;
            }
        }
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let received = Received {
        method: head.method.clone(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: body.clone(),
    };
    let asks = body[0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent";
    // Nobody may be waiting any more.
    let _heard = state.arrived.send(received);
    let mut response = Response::new(String::new());
    if head.method == Method::OPTIONS {
        let allowed = state.allowed_origin.lock().unwrap().parse().unwrap();
        response.headers_mut().insert("webhook-allowed-origin", allowed);
        return Ok(response);
    }
    if asks {
        *response.body_mut() = json!({ "validationResponse": body[0]["data"]["validationCode"] }).to_string();
        return Ok(response);
    }
    let manner = state.manners.lock().unwrap().pop_front();
    match manner.unwrap_or(Manner::Status(204)) {
        Manner::Status(status) => *response.status_mut() = StatusCode::from_u16(status).unwrap(),
        Manner::Silence => std::future::pending().await,
    }
    Ok(response)
}
