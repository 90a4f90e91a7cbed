//! Who dawdles: finds connections that send nothing, or a head that never ends, without a timer for each request.
//!
//! Requests and reads only set flags; a slow beat for each connection looks at them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What has happened on a connection since the last beat.
#[derive(Default)]
pub(super) struct Activity {
    under_way: AtomicU32,
    had_request: AtomicBool,
    /// Bytes have come since the last request began or ended: a part of a head.
    part_of_head: AtomicBool,
}

/// Held while a request is under way.
pub(super) struct Busy<'a>(&'a Activity);

impl Activity {
    pub(super) fn request(&self) -> Busy<'_> {
        self.under_way.fetch_add(1, Relaxed);
        self.had_request.store(true, Relaxed);
        self.part_of_head.store(false, Relaxed);
        Busy(self)
    }
}

impl Activity {
    /// Whether bytes have come since the last request began or ended.
    pub(super) fn has_part_of_head(&self) -> bool {
        self.part_of_head.load(Relaxed)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.part_of_head.store(false, Relaxed);
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

/// What to do about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    Idle,
    SlowHead,
}

/// Counts the beats a connection has spent without a request.
pub(super) struct Watch {
    beat: Duration,
    idle_limit: u32,
    /// None over HTTP/2, whose frames between requests are no part of a head.
    head_limit: Option<u32>,
    idle: u32,
    head: u32,
}

impl Watch {
    pub(super) fn new(head_time: Option<Duration>, idle_time: Duration) -> Self {
        let beat = head_time.unwrap_or(idle_time).min(idle_time) / 2;
        let beat = beat.max(Duration::from_millis(1));
        let beats = |time: Duration| u32::try_from(time.as_millis() / beat.as_millis()).unwrap_or(u32::MAX);
        Self { beat, idle_limit: beats(idle_time), head_limit: head_time.map(beats), idle: 0, head: 0 }
    }

    pub(super) fn beat(&self) -> Duration {
        self.beat
    }

    /// Judges a connection, once for each beat.
    pub(super) fn look(&mut self, activity: &Activity) -> Verdict {
        let had_request = activity.had_request.swap(false, Relaxed);
        if had_request || activity.under_way.load(Relaxed) > 0 {
            (self.idle, self.head) = (0, 0);
            return Verdict::Fine;
        }
        self.idle += 1;
        self.head = if activity.has_part_of_head() { self.head + 1 } else { 0 };
        // The first beat may have come right after the last byte: only whole beats count.
        match self.head_limit {
            Some(limit) if self.head > limit => Verdict::SlowHead,
            _ if self.idle > self.idle_limit => Verdict::Idle,
            _ => Verdict::Fine,
        }
    }
}

/// A stream that notes when bytes come in.
pub(super) struct Watched<S, A> {
    stream: S,
    activity: Arc<A>,
}

impl<S, A: AsRef<Activity>> Watched<S, A> {
    pub(super) fn new(stream: S, activity: Arc<A>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin, A: AsRef<Activity>> AsyncRead for Watched<S, A> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, into);
        if into.filled().len() > before {
            (*self.activity).as_ref().part_of_head.store(true, Relaxed);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin, A> AsyncWrite for Watched<S, A> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::new(Some(Duration::from_secs(10)), Duration::from_secs(60))
    }

    #[test]
    fn a_silent_connection_becomes_idle_only_after_its_time() {
        let (mut watch, activity) = (watch(), Activity::default());
        assert_eq!(watch.beat(), Duration::from_secs(5));
        for _ in 0..12 {
            assert_eq!(watch.look(&activity), Verdict::Fine);
        }
        assert_eq!(watch.look(&activity), Verdict::Idle);
    }

    #[test]
    fn a_head_that_never_ends_is_found_sooner() {
        let (mut watch, activity) = (watch(), Activity::default());
        activity.part_of_head.store(true, Relaxed);
        assert_eq!([(); 3].map(|()| watch.look(&activity)), [Verdict::Fine, Verdict::Fine, Verdict::SlowHead]);
    }

    #[test]
    fn a_request_under_way_is_never_hurried_and_starts_the_count_anew() {
        let (mut watch, activity) = (watch(), Activity::default());
        let busy = activity.request();
        for _ in 0..100 {
            assert_eq!(watch.look(&activity), Verdict::Fine);
        }
        drop(busy);
        for _ in 0..12 {
            assert_eq!(watch.look(&activity), Verdict::Fine);
        }
        assert_eq!(watch.look(&activity), Verdict::Idle);
    }
}
