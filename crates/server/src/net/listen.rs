//! The port: binding it, accepting connections, and telling by their first byte what they are.

use super::drain::{Phase, Stage};
use super::http::{self, Protocol};
use super::{Handler, Peer, Shared, proxy};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const BACKLOG: i32 = 1024;
/// The first byte of a TLS handshake record.
const HANDSHAKE: u8 = 0x16;
/// The first byte of `CONNECT`.
const CONNECT: u8 = b'C';

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On this machine only, by both of its addresses. Port 0 is any free one, the same for both.
    Loopback {
        /// The port.
        port: u16,
    },
    /// On these addresses.
    Addresses(Vec<SocketAddr>),
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the operating system says.
    pub cause: io::Error,
}

/// Bound sockets, not yet served. Clients that connect already wait in the backlog.
#[derive(Debug)]
pub struct Listeners(Vec<(std::net::TcpListener, SocketAddr)>);

impl Listeners {
    /// Binds sockets.
    ///
    /// # Errors
    /// An address is taken or not ours. On loopback, IPv6 may be absent.
    pub fn bind(listen: &Listen) -> Result<Self, ListenError> {
        match listen {
            Listen::Loopback { port } => Self::bind_loopback(*port),
            Listen::Addresses(addresses) => {
                addresses.iter().map(|&address| bind(address)).collect::<Result<_, _>>().map(Self)
            }
        }
    }

    fn bind_loopback(port: u16) -> Result<Self, ListenError> {
        let mut attempts = if port == 0 { 16 } else { 1 };
        loop {
            let four = bind((Ipv4Addr::LOCALHOST, port).into())?;
            attempts -= 1;
            match bind((Ipv6Addr::LOCALHOST, four.1.port()).into()) {
                Ok(six) => return Ok(Self(vec![four, six])),
                // The free port of one family may be taken in the other: then another one.
                Err(error) if error.cause.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
                Err(error) if error.cause.kind() == io::ErrorKind::AddrInUse => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "serving IPv4 only");
                    return Ok(Self(vec![four]));
                }
            }
        }
    }

    /// The addresses bound, with their real ports.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(_, address)| *address).collect()
    }
}

fn bind(address: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), ListenError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = std::net::TcpListener::from(socket);
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    open().map_err(|cause| ListenError { address, cause })
}

/// Starts to accept on every socket, each in a task of its own that ends when the server drains.
pub(super) fn accept_on<H: Handler>(listeners: Listeners, shared: &Arc<Shared<H>>, phase: &Phase) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(shared.settings.limits.connections));
    for (listener, address) in listeners.0 {
        let listener = TcpListener::from_std(listener)?;
        tracing::info!(%address, "listening");
        tokio::spawn(accept(listener, Arc::clone(shared), phase.clone(), Arc::clone(&room)));
    }
    Ok(())
}

async fn accept<H: Handler>(listener: TcpListener, shared: Arc<Shared<H>>, phase: Phase, room: Arc<Semaphore>) {
    let mut draining = phase.clone();
    let loop_forever = async {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    // Room is looked for after accepting: a socket nobody connects to must not hold any.
                    let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
                    let (served, phase) = (Arc::clone(&shared), phase.clone());
                    // Loose, so that the loop that serves it can take it up.
                    let stream = stream.into_std();
                    let connection = async move {
                        match stream.and_then(TcpStream::from_std) {
                            Ok(stream) => open(stream, address, served, phase).await,
                            Err(error) => tracing::warn!(%address, %error, "cannot serve a connection"),
                        }
                        drop(permit);
                    };
                    shared.threads.serve(connection);
                }
                // A connection that failed before we took it is the client's affair; out of descriptors is ours, and
                // then trying again at once would only spin.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    let mut pause = phase.clone();
                    let _ = tokio::time::timeout(Duration::from_millis(50), pause.reaches(Stage::Draining)).await;
                }
            }
        }
    };
    tokio::select! {
        () = draining.reaches(Stage::Draining) => {}
        () = loop_forever => {}
    }
    // In this order: the drain is not over before the socket is closed.
    drop(listener);
    drop(phase);
}

/// What a connection turns out to be.
enum Opened {
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Plain(TcpStream),
    Over,
}

async fn open<H: Handler>(stream: TcpStream, address: SocketAddr, shared: Arc<Shared<H>>, mut phase: Phase) {
    let opened = tokio::select! {
        opened = recognise(stream, &shared) => opened,
        // Nobody waits for an answer yet.
        () = phase.reaches(Stage::Draining) => return,
    };
    match opened {
        Ok(Opened::Tls(stream)) => {
            let protocol = match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => Protocol::Http2,
                _ => Protocol::Http1,
            };
            http::serve(*stream, protocol, Peer { address, tls: true }, shared, phase).await;
        }
        Ok(Opened::Plain(stream)) => {
            http::serve(stream, Protocol::Http1, Peer { address, tls: false }, shared, phase).await;
        }
        Ok(Opened::Over) => {}
        Err(error) => tracing::debug!(%address, %error, "connection failed before its first request"),
    }
}

async fn recognise<H: Handler>(mut stream: TcpStream, shared: &Shared<H>) -> io::Result<Opened> {
    let time = shared.settings.limits.opening_time;
    stream.set_nodelay(true)?;
    let first = tokio::time::timeout(time, first_byte(&stream)).await??;
    let first = match (first, &shared.settings.proxy) {
        (Some(CONNECT), Some(names)) => {
            let answer = match tokio::time::timeout(time, proxy::read(&mut stream, names)).await {
                Ok(answer) => answer?,
                Err(_) => Some(proxy::Answer::too_slow()),
            };
            let Some(answer) = answer else { return Ok(Opened::Over) };
            tracing::debug!(?answer, "proxy request");
            tokio::time::timeout(time, proxy::send(&mut stream, &answer)).await??;
            if answer != proxy::Answer::Established {
                return Ok(Opened::Over);
            }
            tokio::time::timeout(time, first_byte(&stream)).await??
        }
        (first, _) => first,
    };
    match first {
        None => Ok(Opened::Over),
        Some(HANDSHAKE) => {
            let stream = tokio::time::timeout(time, shared.tls.accept(stream)).await??;
            Ok(Opened::Tls(Box::new(stream)))
        }
        Some(_) => Ok(Opened::Plain(stream)),
    }
}

/// The first byte a client sends, left where it is; none if it goes away instead.
async fn first_byte(stream: &TcpStream) -> io::Result<Option<u8>> {
    let mut byte = [0];
    Ok((stream.peek(&mut byte).await? > 0).then_some(byte[0]))
}
