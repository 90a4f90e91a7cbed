//! A small OpenID Connect provider for the tests: https on a free port, RS256 and ES256, keys that change when it is told
//! to. It signs whatever it is asked to sign, so that a server can be shown tokens that it must refuse, and publishes its
//! keys in wrong ways, if it is told to.
//!
//! It writes its certificate authority to `ca.pem` in the current folder and says `ready ISSUER`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use domain::{Curve, SignatureAlgorithm};
use e2e::{
    tls::Certificates,
    token_key::{TokenKey, key_set, unsigned_token},
};
use engine::{Clock as _, SystemClock};
use http_body_util::BodyExt as _;
use hyper::{Method, Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fs,
    sync::{Arc, Mutex},
};

const TOKEN_SECONDS: i64 = 3600;

/// The keys of one time.
struct Keys {
    rsa: TokenKey,
    ec: TokenKey,
}

impl Keys {
    fn of(generation: usize) -> Self {
        Self {
            rsa: TokenKey::rsa(&format!("rsa-{generation}"), SignatureAlgorithm::Rs256, generation),
            ec: TokenKey::ec(&format!("ec-{generation}"), Curve::P256),
        }
    }
}

struct State {
    generation: usize,
    current: Keys,
    previous: Option<Keys>,
    fetches: u64,
    /// How the keys are published, if not as they should be.
    fault: Option<String>,
}

struct Provider {
    issuer: String,
    stranger: TokenKey,
    state: Mutex<State>,
}

impl Provider {
    fn answer(&self, method: &Method, path: &str, body: &[u8]) -> Option<String> {
        let path = path.strip_prefix("/realms/test")?;
        match (method, path) {
            (&Method::GET, "/.well-known/openid-configuration") => Some(self.description()),
            (&Method::GET, "/keys") => Some(self.keys()),
            (&Method::GET, "/moved") => {
                let state = self.state.lock().unwrap();
                Some(key_set(&[&state.current.rsa, &state.current.ec]))
            }
            (&Method::POST, "/fault") => {
                self.state.lock().unwrap().fault = Some(String::from_utf8_lossy(body).into_owned());
                Some(String::new())
            }
            (&Method::POST, "/token") => Some(self.token(&serde_json::from_slice(body).ok()?)),
            (&Method::POST, "/rotate") => {
                let mut state = self.state.lock().unwrap();
                state.generation += 1;
                let next = Keys::of(state.generation);
                state.previous = Some(std::mem::replace(&mut state.current, next));
                Some(String::new())
            }
            (&Method::POST, "/fetches") => Some(self.state.lock().unwrap().fetches.to_string()),
            _ => None,
        }
    }

    fn fault(&self) -> Option<String> {
        self.state.lock().unwrap().fault.clone()
    }

    fn keys(&self) -> String {
        let mut state = self.state.lock().unwrap();
        state.fetches += 1;
        let keys = key_set(&[&state.current.rsa, &state.current.ec]);
        match state.fault.as_deref() {
            Some("huge") => format!("{}{keys}", " ".repeat(300 << 10)),
            Some("secret") => keys.replace("\"kty\"", "\"d\":\"AQ\",\"kty\""),
            Some("text") => "<html>".to_owned(),
            _ => keys,
        }
    }

    fn description(&self) -> String {
        let issuer = &self.issuer;
        let name = if self.fault().as_deref() == Some("name") { "https://another.example" } else { issuer };
        json!({
            "issuer": name,
            "jwks_uri": format!("{issuer}/keys"),
            "token_endpoint": format!("{issuer}/token"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        })
        .to_string()
    }

    fn token(&self, asked: &Value) -> String {
        let now = SystemClock.now().0;
        let mut claims = json!({
            "iss": self.issuer,
            "aud": asked["audience"],
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
        });
        for (name, value) in asked["claims"].as_object().unwrap() {
            match (name.as_str(), value.as_i64()) {
                // Times are told from now.
                ("iat" | "nbf" | "exp", Some(seconds)) => claims[name] = json!(now + seconds),
                _ => claims[name] = value.clone(),
            }
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let state = self.state.lock().unwrap();
        match asked["key"].as_str().unwrap() {
            "rsa" => state.current.rsa.token(&claims),
            "ec" => state.current.ec.token(&claims),
            "previous" => state.previous.as_ref().unwrap().rsa.token(&claims),
            "stranger" => self.stranger.token(&claims),
            "none" => unsigned_token(&json!({ "alg": "none", "kid": state.current.rsa.id }), &claims),
            other => panic!("no key {other}"),
        }
    }
}

fn main() {
    let certificates = Certificates::of(&["127.0.0.1"]);
    fs::write("ca.pem", &certificates.authority).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(serve(certificates.acceptor()));
}

#[expect(clippy::print_stdout, reason = "the parent waits for this line")]
async fn serve(tls: tokio_rustls::TlsAcceptor) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let issuer = format!("https://127.0.0.1:{}/realms/test", listener.local_addr().unwrap().port());
    println!("ready {issuer}");
    let state = State { generation: 0, current: Keys::of(0), previous: None, fetches: 0, fault: None };
    let stranger = TokenKey::ec("stranger", Curve::P256);
    let provider = Arc::new(Provider { issuer, stranger, state: Mutex::new(state) });
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (tls, provider) = (tls.clone(), Arc::clone(&provider));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(socket).await else { return };
            let service = service_fn(|request| answer(&provider, request));
            // A client that hangs up is none of our business.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(provider: &Provider, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let text = provider.answer(&head.method, head.uri.path(), &body);
    let status = if text.is_some() { 200 } else { 404 };
    let mut response = Response::new(text.unwrap_or_default());
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
    if head.uri.path().ends_with("/keys") && provider.fault().as_deref() == Some("moved") {
        *response.status_mut() = hyper::StatusCode::FOUND;
        let elsewhere = format!("{}/moved", provider.issuer).parse().unwrap();
        response.headers_mut().insert(hyper::header::LOCATION, elsewhere);
    }
    Ok(response)
}
