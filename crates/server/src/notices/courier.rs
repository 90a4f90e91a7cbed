//! Messages to receivers, over HTTP.
//!
//! Over https, from whom the system's certificate authorities or the configured ones vouch for; in the clear only to this
//! machine where the configuration lists it, or in development. No redirection is followed, an answer is waited for half a minute, and its body is
//! read only where it says something, up to a bound.
//! Each message has its own connection: one that is kept may have been closed at the other end, and would cost an attempt.
//! What is on this machine is never asked for through a proxy: the message would leave it, in the clear perhaps. A URL may
//! hold a secret: nothing here tells it, in no log and no error.

use crate::{Failure, https};
use azure::notices::{Courier, Message, Reply};
use domain::notice::{Endpoint, NoticeRefusal};
use serde::Deserialize;
use std::{path::PathBuf, sync::OnceLock, time::Duration};
use ureq::{Agent, Proxy, http::Request, tls::Certificate};

/// Source: Microsoft Learn, "Event Grid message delivery and retry": it waits 30 seconds for a response.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than any agreement.
const LARGEST_ANSWER: u64 = 64 << 10;

/// Where messages may go, and whom to believe there.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// Files of certificate authorities that count beside the system's; each with the name of its setting.
    pub ca_files: Vec<(&'static str, PathBuf)>,
    /// `None`: any host.
    pub receivers: Option<Vec<ReceiverHost>>,
    /// Also in the clear, and never through a proxy.
    pub is_dev: bool,
}

/// A host, or with `*.` before it every host below it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ReceiverHost(String);

impl TryFrom<String> for ReceiverHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let host = text.strip_prefix("*.").unwrap_or(&text);
        let is_host = Endpoint::parse(&format!("https://{host}/")).is_some_and(|endpoint| endpoint.host() == host);
        let expected =
            || format!("{text:?} is not a host: expected one such as `hooks.example.com` or `*.example.com`");
        if is_host { Ok(Self(text.to_ascii_lowercase())) } else { Err(expected()) }
    }
}

impl ReceiverHost {
    fn admits(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self.0.strip_prefix('*') {
            Some(domain) => host.ends_with(domain),
            None => host == self.0,
        }
    }
}

/// The HTTP client for receivers.
pub struct HttpCourier {
    sending: Sending,
    authorities: Vec<Certificate<'static>>,
    proxy: Option<Proxy>,
    /// Made when something is sent for the first time: most installations tell nobody, and the system's authorities take
    /// their time and their room.
    agents: OnceLock<Agents>,
}

struct Agents {
    /// Through the proxy, if there is one.
    outward: Agent,
    /// To this machine.
    inward: Agent,
}

impl HttpCourier {
    /// # Errors
    /// A file of certificate authorities can't be read.
    pub fn new(sending: Sending) -> Result<Self, Failure> {
        let mut authorities = Vec::new();
        for (field, file) in &sending.ca_files {
            authorities.extend(https::roots_of(field, file)?);
        }
        // What a developer has set for clients is not for the server.
        let proxy = if sending.is_dev { None } else { Proxy::try_from_env() };
        Ok(Self { sending, authorities, proxy, agents: OnceLock::new() })
    }

    fn agent(&self, endpoint: &Endpoint) -> &Agent {
        let agents = self.agents.get_or_init(|| {
            let mut roots = https::system_roots();
            roots.extend(self.authorities.iter().cloned());
            let settings = || https::settings(roots.clone(), PATIENCE).max_idle_connections(0);
            let agent = |proxy| settings().proxy(proxy).build().new_agent();
            Agents { outward: agent(self.proxy.clone()), inward: agent(None) }
        });
        if endpoint.is_loopback() { &agents.inward } else { &agents.outward }
    }
}

impl Courier for HttpCourier {
    fn admit(&self, endpoint: &Endpoint) -> Result<(), NoticeRefusal> {
        let forbidden = |reason| Err(NoticeRefusal::EndpointForbidden { reason });
        let is_listed = |hosts: &Vec<ReceiverHost>| hosts.iter().any(|host| host.admits(endpoint.host()));
        let listed = self.sending.receivers.as_ref().map(is_listed);
        // What listens on this machine may trust whoever reaches it: an operator has to say that notices may.
        let may_be_clear = self.sending.is_dev || (endpoint.is_loopback() && listed == Some(true));
        if !endpoint.is_encrypted() && !may_be_clear {
            return forbidden("the endpoint has to be https");
        }
        match listed {
            Some(false) => forbidden("this installation does not send notices to the host of the endpoint"),
            _ => Ok(()),
        }
    }

    fn carry(&self, message: &Message<'_>) -> Result<Reply, String> {
        let mut request = Request::builder().method(&message.method).uri(message.endpoint.expose());
        for (name, value) in &message.headers {
            request = request.header(*name, value);
        }
        let malformed = |_| "the message can't be written".to_owned();
        let agent = self.agent(message.endpoint);
        let answer = if message.body.is_empty() {
            agent.run(request.body(()).map_err(malformed)?)
        } else {
            agent.run(request.body(message.body.as_slice()).map_err(malformed)?)
        };
        let (head, mut body) = answer.map_err(|error| words(&error))?.into_parts();
        let body = match message.wants_body {
            true => body.with_config().limit(LARGEST_ANSWER).read_to_vec().map_err(|error| words(&error))?,
            false => Vec::new(),
        };
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }
}

/// What went wrong. Some errors would write the URL out.
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "there was no answer in time".to_owned(),
        ureq::Error::HostNotFound => "the host has no address".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Tls(what) => format!("TLS: {what}"),
        ureq::Error::Protocol(error) => format!("the answer is not HTTP: {error}"),
        ureq::Error::BodyExceedsLimit(_) => "the answer is too long".to_owned(),
        ureq::Error::ConnectionFailed => "no connection could be made".to_owned(),
        _ => "the message could not be sent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    fn courier(receivers: Option<&[&str]>, is_dev: bool) -> HttpCourier {
        let parse = |host: &&str| ReceiverHost::try_from((*host).to_owned()).unwrap();
        let receivers = receivers.map(|hosts| hosts.iter().map(parse).collect());
        HttpCourier::new(Sending { ca_files: Vec::new(), receivers, is_dev }).unwrap()
    }

    fn admits(courier: &HttpCourier, url: &str) -> bool {
        courier.admit(&Endpoint::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn in_the_clear_only_to_this_machine_where_it_is_listed_or_in_development() {
        let (production, dev) = (courier(None, false), courier(None, true));
        let listing = courier(Some(&["127.0.0.1", "localhost", "[::1]", "hooks.example.com"]), false);
        for (url, by_default, listed) in [
            ("https://hooks.example.com/", true, true),
            ("https://127.0.0.1:9000/", true, true),
            ("http://127.0.0.1:9000/", false, true),
            ("http://localhost:9000/", false, true),
            ("http://[::1]:9000/", false, true),
            ("http://127.0.0.2:9000/", false, false),
            ("http://hooks.example.com/", false, false),
            ("http://localhost.example.com/", false, false),
            ("http://169.254.169.254/", false, false),
        ] {
            assert_eq!((admits(&production, url), admits(&listing, url)), (by_default, listed), "{url}");
            assert!(admits(&dev, url), "{url}");
        }
    }

    #[test]
    fn an_installation_may_name_its_receivers() {
        let some = courier(Some(&["hooks.example.com", "*.internal.example.com", "127.0.0.1"]), false);
        for (url, may) in [
            ("https://Hooks.Example.com:8443/x", true),
            ("https://a.b.internal.example.com/", true),
            ("http://127.0.0.1:9000/", true),
            ("https://internal.example.com/", false),
            ("https://evil-internal.example.com/", false),
            ("https://hooks.example.com.evil.test/", false),
            ("http://localhost:9000/", false),
        ] {
            assert_eq!(admits(&some, url), may, "{url}");
        }
        assert!(!admits(&courier(Some(&[]), true), "https://hooks.example.com/"), "none at all");
        for bad in ["", "*", "*.", "https://x", "a/b", "a:443", "*.*.example.com", "a b"] {
            assert!(ReceiverHost::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    /// Takes one request, up to how it ends, and answers it; gives the request.
    fn answering(answer: &'static str, end: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/in?code=s3cret", listener.local_addr().unwrap());
        let taken = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(end.as_bytes()) {
                let read = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, taken)
    }

    fn message(endpoint: &Endpoint, method: Method, body: &str) -> Result<Reply, String> {
        carried(endpoint, method, body, true)
    }

    fn carried(endpoint: &Endpoint, method: Method, body: &str, wants_body: bool) -> Result<Reply, String> {
        let headers = vec![("aeg-event-type", "Notification".to_owned())];
        courier(None, true).carry(&Message { method, endpoint, headers, body: body.as_bytes().to_vec(), wants_body })
    }

    #[test]
    fn a_receiver_that_closes_after_each_answer_takes_the_next_message() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (closed, is_closed) = std::sync::mpsc::channel();
        let serving = thread::spawn(move || {
            for _ in 0..3 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.ends_with(b"[1]") {
                    let read = stream.read(&mut buffer).unwrap();
                    request.extend_from_slice(&buffer[..read]);
                }
                // It does not say that it will close.
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                drop(stream);
                closed.send(()).unwrap();
            }
        });
        let (courier, endpoint) = (courier(None, true), Endpoint::parse(&url).unwrap());
        for _ in 0..3 {
            let body = b"[1]".to_vec();
            let message =
                Message { method: Method::POST, endpoint: &endpoint, headers: vec![], body, wants_body: true };
            assert_eq!(courier.carry(&message).map(|reply| reply.status), Ok(200));
            is_closed.recv().unwrap();
        }
        serving.join().unwrap();
    }

    #[test]
    fn what_is_on_this_machine_is_not_asked_for_through_a_proxy() {
        let (proxy, at_proxy) = answering("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "\r\n\r\n");
        let mut courier = courier(None, false);
        courier.proxy = Some(Proxy::new(proxy.split("/in").next().unwrap()).unwrap());
        let carry = |url: &str| {
            let endpoint = Endpoint::parse(url).unwrap();
            let body = b"[1]".to_vec();
            let message =
                Message { method: Method::POST, endpoint: &endpoint, headers: vec![], body, wants_body: false };
            courier.carry(&message).map(|reply| reply.status)
        };
        let (url, _taken) = answering("HTTP/1.1 204 No Content\r\n\r\n", "[1]");
        assert_eq!(carry(&url), Ok(204));
        assert!(carry("https://hooks.example.com/").is_err());
        assert!(at_proxy.join().unwrap().starts_with("CONNECT hooks.example.com:443 "), "the proxy saw this one only");
    }

    #[test]
    fn a_body_that_is_not_wanted_can_not_fail() {
        let large = format!("HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n{}", "x".repeat(70_000));
        for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", large.leak()] {
            let (url, _taken) = answering(answer, "[1]");
            let reply = carried(&Endpoint::parse(&url).unwrap(), Method::POST, "[1]", false).unwrap();
            assert_eq!((reply.status, reply.body.len()), (200, 0));
            let (url, _taken) = answering(answer, "[1]");
            assert!(carried(&Endpoint::parse(&url).unwrap(), Method::POST, "[1]", true).is_err());
        }
    }

    #[test]
    fn a_message_goes_as_it_is_and_the_answer_comes_as_it_is() {
        for (method, body, answer) in [
            (Method::OPTIONS, "", "HTTP/1.1 200 OK\r\nwebhook-allowed-origin: *\r\ncontent-length: 0\r\n\r\n"),
            (Method::POST, "[1]", "HTTP/1.1 200 OK\r\nwebhook-allowed-origin: *\r\ncontent-length: 2\r\n\r\n{}"),
        ] {
            let (url, taken) = answering(answer, if body.is_empty() { "\r\n\r\n" } else { body });
            let reply = message(&Endpoint::parse(&url).unwrap(), method.clone(), body).unwrap();
            assert_eq!((reply.status, reply.header("WebHook-Allowed-Origin")), (200, "*"));
            let request = taken.join().unwrap();
            assert!(request.starts_with(&format!("{method} /in?code=s3cret HTTP/1.1\r\n")), "{request}");
            assert!(request.contains("aeg-event-type: Notification\r\n"), "{request}");
            assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        }
    }

    #[test]
    fn a_redirection_is_an_answer_and_not_followed() {
        for status in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
            let answer = format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
            let (url, _taken) = answering(answer.leak(), "[1]");
            let reply = message(&Endpoint::parse(&url).unwrap(), Method::POST, "[1]").unwrap();
            assert_eq!(reply.status.to_string(), status[..3]);
        }
    }

    #[test]
    fn a_failure_does_not_tell_the_url() {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (url, _taken) = answering("no HTTP at all\r\n\r\n", "[1]");
        for url in [format!("http://{gone}/in?code=s3cret"), url, "http://nowhere.invalid/?code=s3cret".to_owned()] {
            let why = message(&Endpoint::parse(&url).unwrap(), Method::POST, "[1]").err().unwrap();
            assert!(!why.contains("s3cret") && !why.contains("/in"), "{why}");
        }
    }
}
