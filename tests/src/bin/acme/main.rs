//! A small ACME server (RFC 8555) for the tests: https, nonces that are good once, accounts with and without external ones,
//! `http-01` against a port of this machine, orders that take their time, and problems on demand. Every signature, nonce
//! and address is checked. The client tests run a public ACME client against it, so that it is no one's invention.
//!
//! It keeps its certificates for TLS in the current folder (`ca.pem` is for clients), writes the root of what it issues to
//! `root.pem`, and says `ready DIRECTORY`. The port is its argument; 0 takes any.

#![expect(clippy::unwrap_used, reason = "a harness of tests fails by panicking")]

mod issuing;
mod jws;
mod server;
mod validation;

use e2e::tls::Certificates;
use http_body_util::BodyExt as _;
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::TokioIo;
use server::{Answer, Server};
use std::{
    convert::Infallible,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

fn main() {
    if !Path::new("ca.pem").exists() {
        let certificates = Certificates::of(&["127.0.0.1", "localhost"]);
        fs::write("tls.pem", &certificates.certificate).unwrap();
        fs::write("tls.key", &certificates.key).unwrap();
        fs::write("ca.pem", &certificates.authority).unwrap();
    }
    let read = |name: &str| fs::read_to_string(name).unwrap();
    let certificates = Certificates { authority: read("ca.pem"), certificate: read("tls.pem"), key: read("tls.key") };
    let port = std::env::args().nth(1).map_or(0, |port| port.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(serve(port, certificates.acceptor()));
}

#[expect(clippy::print_stdout, reason = "the parent waits for this line")]
async fn serve(port: u16, tls: tokio_rustls::TlsAcceptor) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let base = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let server = Server::new(base.clone());
    fs::write("root.pem", &server.authority.root).unwrap();
    let server = Arc::new(Mutex::new(server));
    println!("ready {base}/directory");
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (tls, server) = (tls.clone(), Arc::clone(&server));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(socket).await else { return };
            let service = service_fn(|request| answer(&server, request));
            // A client that hangs up is none of our business.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(server: &Arc<Mutex<Server>>, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let server = Arc::clone(server);
    let respond = move || {
        let mut server = server.lock().unwrap();
        let answer = act(&mut server, &head, &body);
        let mut response = Response::new(answer.body);
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
        for (name, value) in answer.headers {
            response.headers_mut().append(name, value.parse().unwrap());
        }
        let nonce = server.nonce();
        response.headers_mut().insert("replay-nonce", nonce.parse().unwrap());
        let index = format!("<{}/directory>;rel=\"index\"", server.base);
        response.headers_mut().append(header::LINK, index.parse().unwrap());
        response
    };
    // Names are looked at on the way.
    Ok(tokio::task::spawn_blocking(respond).await.unwrap())
}

fn act(server: &mut Server, head: &hyper::http::request::Parts, body: &[u8]) -> Answer {
    let nothing = |status| Answer { status, body: String::new(), headers: Vec::new() };
    let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match (&head.method, head.uri.path()) {
        (&Method::GET, "/directory") => server.directory(),
        (&Method::HEAD, "/new-nonce") => nothing(200),
        (&Method::GET, "/new-nonce") => nothing(204),
        (&Method::GET, "/control") => server.counts(),
        (&Method::POST, "/control") => {
            server.settings.change(&serde_json::from_slice(body).unwrap());
            server.look();
            nothing(204)
        }
        (&Method::POST, path) if media_type == Some("application/jose+json") => server.post(path, body),
        (&Method::POST, _) => nothing(415),
        _ => nothing(404),
    }
}
