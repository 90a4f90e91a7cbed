//! The built-in proxy: `CONNECT` to a name of ours is answered by this very server, and to any other name refused.
//!
//! Clients that cannot resolve `contoso.vault.localhost`, or that insist on `contoso.vault.azure.net`, reach us with
//! nothing but `HTTPS_PROXY` set. No second socket is opened, so nothing can be tunnelled onward.

use super::Names;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEAD_LIMIT: usize = 8 << 10;
const LINE_LIMIT: usize = 64;
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// What came of a proxy request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Established,
    Refused { status: &'static str, text: String },
}

impl Answer {
    fn bad(text: &str) -> Self {
        Self::Refused { status: "400 Bad Request", text: text.to_owned() }
    }

    /// The answer to a head that did not come in time.
    pub(super) fn too_slow() -> Self {
        Self::Refused { status: "408 Request Timeout", text: "the request's head did not come in time".to_owned() }
    }
}

/// Reads the head of a proxy request, and not one byte more: what follows it is the client's TLS.
///
/// `None` when the connection ended first.
pub(super) async fn read(stream: &mut TcpStream, names: &Names) -> std::io::Result<Option<Answer>> {
    let mut head = Vec::with_capacity(512);
    let mut window = [0; 2048];
    loop {
        let seen = stream.peek(&mut window).await?;
        if seen == 0 {
            return Ok(None);
        }
        let before = head.len();
        head.extend_from_slice(&window[..seen]);
        let end = end_of_head(&head, before);
        head.truncate(end.unwrap_or(head.len()));
        // Peeked bytes are there for the taking.
        stream.read_exact(&mut window[..head.len() - before]).await?;
        if head.len() > HEAD_LIMIT {
            let status = "431 Request Header Fields Too Large";
            return Ok(Some(Answer::Refused { status, text: "the request's head is too large".to_owned() }));
        }
        if end.is_some() {
            return Ok(Some(judge(&head, names)));
        }
    }
}

/// Sends the answer; a refusal also ends the connection.
pub(super) async fn send(stream: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    match answer {
        Answer::Established => stream.write_all(ESTABLISHED).await,
        Answer::Refused { status, text } => {
            let length = text.len() + 1;
            let head = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nCache-Control: no-store";
            let whole = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{text}\n");
            stream.write_all(whole.as_bytes()).await?;
            linger(stream).await
        }
    }
}

/// Closes our side and takes in what the client still sends: closing over unread bytes would reset the connection, and
/// the client might never see the answer.
async fn linger(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut window = [0; 2048];
    for _ in 0..32 {
        if stream.read(&mut window).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// The length of a head that ends in an empty line; the search begins a little before the bytes that are new.
fn end_of_head(bytes: &[u8], new: usize) -> Option<usize> {
    let start = new.saturating_sub(3);
    let tail = bytes.get(start..)?;
    let proper = tail.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    // Not HTTP, but complete: better refused at once than waited for.
    let sloppy = tail.windows(2).position(|window| window == b"\n\n").map(|at| at + 2);
    proper.into_iter().chain(sloppy).min().map(|at| start + at)
}

/// Decides on a whole head.
pub(super) fn judge(head: &[u8], names: &Names) -> Answer {
    let Some(lines) = head.strip_suffix(b"\r\n\r\n").and_then(|head| std::str::from_utf8(head).ok()) else {
        return Answer::bad("malformed request");
    };
    let mut lines = lines.split("\r\n");
    let request: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = request[..] else { return Answer::bad("malformed request line") };
    if method != "CONNECT" {
        return Answer::bad(super::http::NOT_TLS);
    }
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Answer::bad("malformed HTTP version");
    }
    let mut count = 0;
    for line in lines {
        count += 1;
        if count > LINE_LIMIT {
            return Answer::bad("too many header lines");
        }
        if !is_header(line) {
            return Answer::bad("malformed header line");
        }
    }
    match host_of(target) {
        None => Answer::bad("malformed host: CONNECT needs HOST:PORT"),
        Some(host) if names.covers(host) => Answer::Established,
        Some(host) => Answer::Refused {
            status: "403 Forbidden",
            text: format!("this proxy leads only to this server, never onward, and {host} is not one of its names"),
        },
    }
}

/// The host of `HOST:PORT`. The port says nothing: whatever it is, the client means us.
fn host_of(target: &str) -> Option<&str> {
    let (host, port) = target.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (inner, bracketed) = match host.strip_prefix('[') {
        Some(rest) => (rest.strip_suffix(']')?, true),
        None => (host, false),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte) || (bracketed && byte == b':');
    let fine = !inner.is_empty() && inner.len() <= 253 && inner.bytes().all(allowed);
    fine.then_some(inner)
}

fn is_header(line: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    line.split_once(':').is_some_and(|(name, value)| {
        !name.is_empty()
            && name.bytes().all(is_token)
            && value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> &'static str {
        match judge(head.as_bytes(), &Names::dev("localhost")) {
            Answer::Established => "200",
            Answer::Refused { status, .. } => status.split(' ').next().unwrap(),
        }
    }

    #[test]
    fn heads_are_judged_by_this_table() {
        let many = format!("CONNECT a.vault.localhost:443 HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        let long = format!("CONNECT {}.vault.localhost:443 HTTP/1.1\r\n\r\n", "a".repeat(64));
        for (head, expected) in [
            ("CONNECT a.vault.localhost:443 HTTP/1.1\r\n\r\n", "200"),
            ("CONNECT a.vault.localhost:8443 HTTP/1.0\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n", "200"),
            ("CONNECT login.microsoftonline.com:443 HTTP/1.1\r\nUser-Agent: x/1 (\u{e9})\r\n\r\n", "200"),
            ("CONNECT [::1]:8443 HTTP/1.1\r\n\r\n", "200"),
            ("CONNECT 127.0.0.1:1 HTTP/1.1\r\nEmpty:\r\n\r\n", "200"),
            ("CONNECT azcliprod.blob.core.windows.net:443 HTTP/1.1\r\n\r\n", "403"),
            ("CONNECT example.com:443 HTTP/1.1\r\n\r\n", "403"),
            ("CONNECT [::2]:443 HTTP/1.1\r\n\r\n", "403"),
            (&long, "403"),
            ("CONNECT a.vault.localhost HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost: HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:+443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:65536 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT :443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT [::1:443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT ::1:443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT http://a.vault.localhost:443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT u@a.vault.localhost:443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT  a.vault.localhost:443 HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/2\r\n\r\n", "400"),
            ("connect a.vault.localhost:443 HTTP/1.1\r\n\r\n", "400"),
            ("COPY / HTTP/1.1\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/1.1\r\nno colon\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/1.1\r\n: empty\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/1.1\r\na b: c\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/1.1\r\n folded: c\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/1.1\r\na: \u{1}\r\n\r\n", "400"),
            ("CONNECT a.vault.localhost:443 HTTP/1.1\n\n", "400"),
            (&many, "400"),
            ("\r\n\r\n", "400"),
        ] {
            assert_eq!(status(head), expected, "{head:?}");
        }
    }

    #[test]
    fn the_end_of_a_head_is_found_across_pieces() {
        let head = b"CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03";
        for split in 1..head.len() - 2 {
            assert_eq!(end_of_head(&head[..split.min(23)], 0), None);
            assert_eq!(end_of_head(head, split.min(23)), Some(24), "{split}");
        }
        assert_eq!(end_of_head(b"CONNECT a\n\n\x16", 0), Some(11));
    }
}
