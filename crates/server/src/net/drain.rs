//! Stopping without breaking off what is under way.

use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How far the server is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Serving,
    Draining,
    Over,
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    Clean,
    /// The time ran out, and this many connections were cut.
    Cut(usize),
}

/// The hand on the switch.
pub(super) struct Drain {
    stage: watch::Sender<Stage>,
}

/// One connection's view of the switch. While it lives, the connection counts as open.
#[derive(Clone)]
pub(super) struct Phase {
    stage: watch::Receiver<Stage>,
}

impl Drain {
    pub(super) fn new() -> (Self, Phase) {
        let (sender, stage) = watch::channel(Stage::Serving);
        (Self { stage: sender }, Phase { stage })
    }

    /// Asks every connection to end, waits, and cuts those that have not.
    pub(super) async fn finish(self, time: Duration) -> Drained {
        self.stage.send_replace(Stage::Draining);
        if tokio::time::timeout(time, self.stage.closed()).await.is_ok() {
            return Drained::Clean;
        }
        let left = self.stage.receiver_count();
        self.stage.send_replace(Stage::Over);
        self.stage.closed().await;
        Drained::Cut(left)
    }
}

impl Phase {
    /// Completes when the server has come as far as `stage`, or is gone.
    pub(super) async fn reaches(&mut self, stage: Stage) {
        // An error means that the server was dropped: the same thing to a connection.
        let _ = self.stage.wait_for(|now| *now >= stage).await;
    }
}

/// Completes when the process is asked to end: by SIGTERM or by ctrl-c.
pub async fn stop_signal() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
