//! Requests whose client hangs up before they are answered.

use domain::Event;
use engine::{Asker, Ending, Engine, Subject, Told};

/// Nginx's status for it; no client ever sees it.
const CLIENT_CLOSED_REQUEST: Ending<'static> = Ending { status: 499, code: Some("ClientClosedRequest") };

/// A request under way. If it is dropped before its answer is there, the audit log is told of the request all the same:
/// its work goes on, and nobody shall use a key unrecorded by hanging up. What a change did is in the change's own
/// record.
pub(crate) struct Unanswered<'a> {
    engine: &'a Engine,
    told: Told<'a>,
    is_answered: bool,
}

impl<'a> Unanswered<'a> {
    pub(crate) fn new(engine: &'a Engine, event: Event, by: Asker<'a>, subject: Subject<'a>) -> Self {
        Self { engine, told: Told { event, by, subject, ending: CLIENT_CLOSED_REQUEST }, is_answered: false }
    }

    /// Tells the log how it ended.
    ///
    /// # Errors
    /// Those of [`Engine::tell`]: then it must not be answered as done.
    pub(crate) fn answered(mut self, ending: Ending<'_>) -> Result<(), engine::Error> {
        self.is_answered = true;
        let Told { event, by, subject, .. } = self.told;
        self.engine.tell(&Told { event, by, subject, ending })
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        if let Err(error) = self.engine.tell(&self.told) {
            tracing::error!(%error, "the audit log has no room for a request whose client hung up");
        }
    }
}
