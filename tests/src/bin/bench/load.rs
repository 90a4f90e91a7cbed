//! Load: keep-alive connections that each send the next request when the last is answered.

use crate::{
    Failure,
    process::{Place, Strongroom, versioned},
};
use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use std::{
    fmt,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

/// A request to repeat. `{n}` in the path becomes a number of its own for each.
pub struct Call {
    pub name: &'static str,
    place: Place,
    method: &'static str,
    path: String,
    body: String,
}

impl Call {
    pub fn new(name: &'static str, method: &'static str, path: String, body: String) -> Self {
        Self { name, place: Place::ManagedHsm, method, path, body }
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// The same to the bare server, which does the report's operation at this place.
    pub fn bare(&self, at: usize) -> Self {
        let (path, body) = (format!("/{at}{}", self.path), self.body.clone());
        Self { name: self.name, place: Place::Vault, method: self.method, path, body }
    }

    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

pub struct Load {
    pub connections: usize,
    pub time: Duration,
}

pub struct Found {
    pub per_second: f64,
    /// CPU of the server process per request.
    pub cpu_microseconds: f64,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Load {
    /// Runs the load and reads the server's CPU account around it. One answer that is not a success fails it all.
    pub fn run(&self, server: &Strongroom, call: &Call) -> Result<Found, Failure> {
        let stop = AtomicBool::new(false);
        let done = AtomicU64::new(0);
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            let mut connection = server.connect(&server.site(call.place).host)?;
            one(&mut connection, server, call)?;
            connections.push(connection);
        }
        let (began, cpu) = (Instant::now(), server.process.cpu_seconds()?);
        std::thread::scope(|scope| -> Result<(), Failure> {
            let workers: Vec<_> = connections
                .iter_mut()
                .map(|connection| {
                    scope.spawn(|| -> Result<(), Failure> {
                        while !stop.load(Ordering::Relaxed) {
                            one(connection, server, call)?;
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(())
                    })
                })
                .collect();
            // Nothing is ever sent: this waits for the time to pass.
            let (_silent, wait) = mpsc::channel::<()>();
            let _ = wait.recv_timeout(self.time);
            stop.store(true, Ordering::Relaxed);
            workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a connection's thread panicked")?)
        })?;
        let (elapsed, spent) = (began.elapsed().as_secs_f64(), server.process.cpu_seconds()? - cpu);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
        let requests = done.load(Ordering::Relaxed) as f64;
        Ok(Found { per_second: requests / elapsed, cpu_microseconds: spent * 1e6 / requests })
    }
}

pub fn one(connection: &mut Connection, server: &Strongroom, call: &Call) -> Result<(), Failure> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    let path = versioned(&call.path.replace("{n}", &number));
    let answer = connection.exchange(call.method, &path, &server.site(call.place).token, &call.body)?;
    if answer.status == 200 { Ok(()) } else { Err(format!("{}: {answer}", call.name).into()) }
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// A TLS connection that speaks just enough HTTP/1.1.
pub struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    host: String,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(port: u16, host: &str, tls: &Arc<ClientConfig>) -> Result<Self, Failure> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        let session = ClientConnection::new(Arc::clone(tls), ServerName::try_from(name)?)?;
        Ok(Self { stream: StreamOwned::new(session, socket), host: host.to_owned(), buffer: Vec::new() })
    }

    pub fn exchange(&mut self, method: &str, path: &str, token: &str, body: &str) -> Result<Answer, Failure> {
        self.send(method, path, &format!("Authorization: Bearer {token}\r\nContent-Type: application/json"), body)
    }

    pub fn post_form(&mut self, path: &str, body: &str) -> Result<Answer, Failure> {
        self.send("POST", path, "Content-Type: application/x-www-form-urlencoded", body)
    }

    fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer, Failure> {
        let (host, length) = (&self.host, body.len());
        let text =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{body}");
        self.stream.write_all(text.as_bytes())?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill()?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).ok_or("no status")?.parse()?;
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(Ok(0), |n| n.trim().parse())?;
        while self.buffer.len() < head + length {
            self.fill()?;
        }
        Ok(Answer { status, body: self.buffer[head..head + length].to_vec() })
    }

    fn fill(&mut self) -> Result<(), Failure> {
        let mut chunk = [0; 4096];
        let read = self.stream.read(&mut chunk)?;
        if read == 0 {
            return Err("the server closed the connection".into());
        }
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(())
    }
}
