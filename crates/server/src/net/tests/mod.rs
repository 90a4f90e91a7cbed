//! The network, from outside: real sockets, real TLS, and a handler that can be told what to do.

mod conversation;
mod ending;
mod opening;
mod tls;

use super::*;
use ::http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

/// Answers with what it was asked, and on some paths does worse.
struct Told {
    /// A request to `/wait` announces itself here, then waits for a permit of `go`.
    arrived: Arc<Semaphore>,
    go: Arc<Semaphore>,
}

impl Told {
    fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), go: Arc::new(Semaphore::new(0)) }
    }
}

impl Handler for Told {
    async fn handle(&self, request: Request<Bytes>, peer: Peer) -> Response<Bytes> {
        match request.uri().path() {
            "/panic" => panic!("told to"),
            "/wait" | "/large/wait" => {
                self.arrived.add_permits(1);
                self.go.acquire().await.unwrap().forget();
            }
            _ => {}
        }
        let host = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
        let host = host.or(request.uri().authority().map(ToString::to_string)).unwrap_or_default();
        let length = request.body().len();
        let text = format!("{} {host} {} tls={} body={length}", request.method(), request.uri().path(), peer.tls);
        Response::new(text.into())
    }

    async fn large_body(&self, head: &Parts, _: Peer) -> LargeBody {
        match head.uri.path() {
            "/large/passed" => LargeBody::Passed,
            "/large/panic" => panic!("told to"),
            path if path.starts_with("/large") => LargeBody::Taken,
            _ => LargeBody::Refused,
        }
    }

    fn refuse(&self, reason: Refused) -> Response<Bytes> {
        let status = match reason {
            Refused::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refused::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refused::BadRequest => StatusCode::BAD_REQUEST,
            Refused::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Refused::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = Response::new(format!("refused: {reason:?}").into());
        *response.status_mut() = status;
        response
    }
}

/// A server under test.
struct Running {
    address: SocketAddr,
    client: Arc<ClientConfig>,
    arrived: Arc<Semaphore>,
    go: Arc<Semaphore>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<Drained>>,
    _folder: tempfile::TempDir,
}

fn settings() -> Settings {
    let limits = Limits { body: 64 << 10, large_body: 256 << 10, head: 8 << 10, ..Limits::default() };
    Settings { limits, proxy: Some(Names::dev("localhost")), plain_identity: true, threads: 0 }
}

fn start() -> Running {
    start_with(settings())
}

fn start_with(settings: Settings) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let certificate = super::tls::dev::in_folder(folder.path(), &Names::dev("localhost"), NOW).unwrap();
    let client = client_config(&certificate.authority, &[]);
    let tls = super::tls::server_config(Arc::new(certificate)).unwrap();
    let handler = Told::new();
    let (arrived, go) = (Arc::clone(&handler.arrived), Arc::clone(&handler.go));
    let listeners = Listeners::bind(&Listen::Loopback { port: 0 }).unwrap();
    let address = listeners.addresses()[0];
    let (stop, stopped) = oneshot::channel();
    let server = Server::new(handler, tls, settings).unwrap();
    let ended = tokio::spawn(server.run(listeners, async move {
        let _ = stopped.await;
    }));
    Running { address, client, arrived, go, stop, ended, _folder: folder }
}

/// A client that trusts one authority and lives in [`NOW`].
fn client_config(authority: &std::path::Path, alpn: &[&[u8]]) -> Arc<ClientConfig> {
    #[derive(Debug)]
    struct Fixed;
    impl TimeProvider for Fixed {
        fn current_time(&self) -> Option<UnixTime> {
            Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW)))
        }
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_details(super::tls::provider(), Arc::new(Fixed))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

impl Running {
    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn tls(&self, host: &str) -> TlsStream<TcpStream> {
        over(self.tcp().await, host, &self.client).await.unwrap()
    }

    async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        let (sender, connection) = http1::handshake(TokioIo::new(self.tls("localhost").await)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn http2(&self) -> http2::SendRequest<Full<Bytes>> {
        let mut config = (*self.client).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = over(self.tcp().await, "a.vault.localhost", &Arc::new(config)).await.unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Sends bytes without TLS and reads all that comes until the server closes.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.tcp().await;
        stream.write_all(bytes).await.unwrap();
        read_to_end(&mut stream).await
    }

    async fn finish(self) -> Drained {
        let _ = self.stop.send(());
        self.ended.await.unwrap().unwrap()
    }
}

async fn over(tcp: TcpStream, host: &str, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, tcp).await
}

async fn read_to_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // A TLS stream that is cut ends in an error; what came before counts.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

fn get(target: &str) -> Request<Full<Bytes>> {
    Request::get(target).header("host", "localhost").body(Full::default()).unwrap()
}

fn post(target: &str, length: usize) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::from(vec![b'x'; length]));
    Request::post(target).header("host", "localhost").body(body).unwrap()
}

async fn text(response: hyper::Result<Response<hyper::body::Incoming>>) -> (u16, String) {
    let (head, body) = response.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
}
