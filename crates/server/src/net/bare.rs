//! The answers that hyper gives by itself, to heads it can't or won't read: brought into the front's shape.
//!
//! hyper refuses a target beyond 64 KiB, a head beyond its buffer and a malformed one before any service hears of them,
//! with a bare status, and then closes while the client may still be sending: over TLS that often reaches the client as
//! a reset and no answer at all. This layer lies under hyper. It knows such an answer by its bareness, writes the front's
//! in its place, and takes in what the client still sends before it lets the connection go.

use super::watch::Activity;
use super::{Handler, Refused};
use ::http::Response;
use bytes::{Buf as _, Bytes, BytesMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much of what a refused client still sends is taken in.
const MOST_DRAINED: usize = 4 << 20;

/// What the layer asks its connection.
pub(super) trait Front {
    /// Whether bytes have come since the last request began or ended.
    fn has_part_of_head(&self) -> bool;
    /// The front's answer in the place of a bare one.
    fn shape(&self, reason: Refused) -> Response<Bytes>;
}

impl<H: Handler> Front for super::http::Connection<H> {
    fn has_part_of_head(&self) -> bool {
        AsRef::<Activity>::as_ref(self).has_part_of_head()
    }

    fn shape(&self, reason: Refused) -> Response<Bytes> {
        self.refuse(reason)
    }
}

/// A stream under hyper.
pub(super) struct Shaped<S, F> {
    stream: S,
    front: Arc<F>,
    /// What is still to be written of an answer of the front's. Once there is one, the connection is over.
    answer: Option<Bytes>,
    closed: bool,
    drained: usize,
}

impl<S, F: Front> Shaped<S, F> {
    pub(super) fn new(stream: S, front: Arc<F>) -> Self {
        Self { stream, front, answer: None, closed: false, drained: 0 }
    }

    /// Takes a bare answer out of hyper's hands.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        let reason = bare_refusal(bytes).filter(|_| self.answer.is_none() && self.front.has_part_of_head());
        if let Some(reason) = reason {
            self.answer = Some(on_the_wire(&self.front.shape(reason)));
        }
        reason.is_some()
    }
}

/// Why hyper refused, if that is what the bytes say: a status and nothing but what every answer has.
fn bare_refusal(bytes: &[u8]) -> Option<Refused> {
    let answer = bytes.strip_prefix(b"HTTP/1.1 ")?;
    // First, for nearly all answers end here.
    let reason = match answer.get(..3)? {
        b"400" => Refused::BadRequest,
        b"414" | b"431" => Refused::HeadersTooLarge,
        _ => return None,
    };
    let head = str::from_utf8(answer).ok()?.strip_suffix("\r\n\r\n")?;
    let plain = |line: &str| {
        let name = line.split(':').next().unwrap_or_default();
        ["connection", "content-length", "date"].iter().any(|plain| name.eq_ignore_ascii_case(plain))
    };
    head.split("\r\n").skip(1).all(plain).then_some(reason)
}

fn on_the_wire(response: &Response<Bytes>) -> Bytes {
    let status = response.status();
    let mut wire = BytesMut::with_capacity(512);
    wire.extend_from_slice(
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default()).as_bytes(),
    );
    for (name, value) in response.headers() {
        wire.extend_from_slice(name.as_str().as_bytes());
        wire.extend_from_slice(b": ");
        wire.extend_from_slice(value.as_bytes());
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(
        format!("content-length: {}\r\nconnection: close\r\n\r\n", response.body().len()).as_bytes(),
    );
    wire.extend_from_slice(response.body());
    wire.freeze()
}

impl<S: AsyncRead + Unpin, F> AsyncRead for Shaped<S, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, F: Front> Shaped<S, F> {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.answer.as_mut().filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            rest.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes in what still comes, up to a measure; who watches the connection ends it if nothing does.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scrap = [0; 8 << 10];
        while self.drained < MOST_DRAINED {
            let mut into = ReadBuf::new(&mut scrap);
            // A client that is gone has taken its answer or never will.
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut into)).map(|()| into.filled().len());
            match read {
                Ok(0) | Err(_) => break,
                Ok(more) => self.drained += more,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, F: Front> AsyncWrite for Shaped<S, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.answer.is_some() || self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bytes.iter().find(|slice| !slice.is_empty());
        if self.answer.is_some() || first.is_some_and(|first| self.replaces(first)) {
            return Poll::Ready(Ok(bytes.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        if !self.closed {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.closed = true;
        }
        if self.answer.is_some() { self.poll_drain(cx) } else { Poll::Ready(Ok(())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_refusal_is_replaced() {
        let bare = |status: &str, more: &str| {
            bare_refusal(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{more}date: today\r\n\r\n").as_bytes())
        };
        assert_eq!(bare("414 URI Too Long", "connection: close\r\n"), Some(Refused::HeadersTooLarge));
        assert_eq!(bare("431 Request Header Fields Too Large", ""), Some(Refused::HeadersTooLarge));
        assert_eq!(bare("400 Bad Request", ""), Some(Refused::BadRequest));
        assert_eq!(bare("400 Bad Request", "content-type: text/plain\r\n"), None);
        assert_eq!(bare("401 Unauthorized", ""), None);
        assert_eq!(bare("200 OK", ""), None);
        assert_eq!(bare_refusal(b"\x00\x00\x04"), None);
    }
}
