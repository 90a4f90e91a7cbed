//! A connection that sends any bytes over TLS, also those that no HTTP client would, and reads what comes back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use crate::client::Facts;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    sync::Arc,
    time::Duration,
};

/// An answer that takes longer is a hang.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections to one server under one host name. One is kept open between requests.
pub struct Raw {
    config: Arc<ClientConfig>,
    host: String,
    port: u16,
    open: Option<StreamOwned<ClientConnection, TcpStream>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAnswer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RawAnswer {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl Raw {
    /// # Panics
    /// If the facts are not a server's.
    #[must_use]
    pub fn new(facts: &Facts, host: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(facts.get("CA_FILE")).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        Self { config: Arc::new(config), host: bare.to_owned(), port: facts.port(), open: None }
    }

    fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .unwrap_or_else(|error| panic!("the server takes no connection: {error}"));
        socket.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        socket.set_write_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from(self.host.clone()).unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        StreamOwned::new(connection, socket)
    }

    /// Closes the open connection: after a request that is hardly HTTP nobody knows where the next one begins.
    pub fn hang_up(&mut self) {
        self.open = None;
    }

    /// Sends the beginning of a request, and leaves it at that until it hangs up.
    ///
    /// # Panics
    /// If the server does not read it.
    pub fn begin(&mut self, request: &[u8]) {
        let mut stream = self.connect();
        stream.write_all(request).and_then(|()| stream.flush()).unwrap();
        self.open = Some(stream);
    }

    /// Sends a request as it is. `None`: the server closed the connection instead of answering.
    ///
    /// # Panics
    /// If there is no answer in time, or none in HTTP.
    pub fn exchange(&mut self, request: &[u8], has_body: bool) -> Option<RawAnswer> {
        let reused = self.open.take();
        let was_reused = reused.is_some();
        let stream = reused.unwrap_or_else(|| self.connect());
        match self.attempt(stream, request, has_body) {
            // The server may have closed it after the last answer.
            None if was_reused => {
                let stream = self.connect();
                self.attempt(stream, request, has_body)
            }
            answer => answer,
        }
    }

    fn attempt(
        &mut self,
        mut stream: StreamOwned<ClientConnection, TcpStream>,
        request: &[u8],
        has_body: bool,
    ) -> Option<RawAnswer> {
        // A server that has heard enough may answer and close before all is written.
        let written = stream.write_all(request).and_then(|()| stream.flush());
        assert!(!written.as_ref().is_err_and(is_timeout), "the server does not read");
        let answer = read_answer(&mut stream, has_body)?;
        if written.is_ok() && answer.header("connection") != Some("close") {
            self.open = Some(stream);
        }
        Some(answer)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Reads more; `false` at the end of the stream.
fn fill(stream: &mut StreamOwned<ClientConnection, TcpStream>, read: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 16 << 10];
    match stream.read(&mut chunk) {
        Ok(0) => false,
        Ok(length) => {
            read.extend_from_slice(chunk.get(..length).unwrap());
            true
        }
        Err(error) if is_timeout(&error) => panic!("no answer in {ANSWER_TIMEOUT:?}"),
        Err(_) => false,
    }
}

fn read_answer(stream: &mut StreamOwned<ClientConnection, TcpStream>, has_body: bool) -> Option<RawAnswer> {
    const END: &[u8] = b"\r\n\r\n";
    let mut read = Vec::new();
    let head_length = loop {
        if let Some(at) = read.windows(END.len()).position(|window| window == END) {
            break at + END.len();
        }
        if !fill(stream, &mut read) {
            assert!(read.is_empty(), "half an answer: {}", String::from_utf8_lossy(&read));
            return None;
        }
    };
    let head = String::from_utf8(read.drain(..head_length).collect()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers = lines.filter_map(header).collect();
    let mut answer = RawAnswer { status: status.unwrap(), headers, body: read };
    assert_eq!(answer.header("transfer-encoding"), None, "all answers are whole");
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    while has_body && answer.body.len() < length {
        assert!(fill(stream, &mut answer.body), "half a body");
    }
    Some(answer)
}
