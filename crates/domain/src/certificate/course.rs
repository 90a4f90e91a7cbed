//! What a certificate carries beside its versions: its policy, the version that is being made, and which lifetime actions
//! were done.
//!
//! One question decides when somebody has to look at it: [`CertificateCourse::next_action`].

use super::{CertificateOperation, CertificatePolicy, CertificateRefusal, LifetimeStepKind, OperationStatus};
use crate::{Refusal, UnixTime, VersionId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateCourse {
    pub policy: CertificatePolicy,
    /// The last version that was begun, until it is deleted: in progress, or as it ended.
    pub pending: Option<CertificateOperation>,
    pub done: Option<StepsDone>,
}

/// What was done of the lifetime actions for one version. Another version begins with nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepsDone {
    pub version: VersionId,
    pub steps: Vec<LifetimeStepKind>,
    /// When a renewal could not be begun, if that was the last that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbegun: Option<UnixTime>,
}

/// The life of a certificate's newest version that has a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateLife {
    pub version: VersionId,
    /// When it was begun here.
    pub created: UnixTime,
    pub not_before: UnixTime,
    pub not_after: UnixTime,
    /// A disabled one waits until it is enabled again.
    pub enabled: bool,
}

/// What has to be done with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// The pending version's issuer is to be asked, or told to stop.
    Attempt,
    Lifetime(LifetimeStepKind),
}

impl CertificateCourse {
    #[must_use]
    pub fn new(policy: CertificatePolicy) -> Self {
        Self { policy, pending: None, done: None }
    }

    /// Begins a version.
    ///
    /// # Errors
    /// [`CertificateRefusal::InProgress`].
    pub fn begin(self, operation: CertificateOperation) -> Result<Self, Refusal> {
        self.check_free()?;
        let done = self.done.map(|done| StepsDone { unbegun: None, ..done });
        Ok(Self { pending: Some(operation), done, ..self })
    }

    /// Whether a version may be begun or imported.
    ///
    /// # Errors
    /// [`CertificateRefusal::InProgress`] while one is being made.
    pub fn check_free(&self) -> Result<(), Refusal> {
        match &self.pending {
            Some(pending) if pending.is_in_progress() => Err(CertificateRefusal::InProgress.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// The pending operation that a request means, by its id if it gives one.
    ///
    /// # Errors
    /// [`CertificateRefusal::PendingNotFound`].
    pub fn pending(&self, request_id: Option<&str>) -> Result<&CertificateOperation, Refusal> {
        let pending = self.pending.as_ref().filter(|pending| pending.is_meant_by(request_id));
        pending.ok_or(CertificateRefusal::PendingNotFound.into())
    }

    /// Takes the pending operation away, however far it is.
    ///
    /// # Errors
    /// [`CertificateRefusal::PendingNotFound`].
    pub fn abandon(self, request_id: Option<&str>) -> Result<(Self, CertificateOperation), Refusal> {
        match self.pending {
            Some(pending) if pending.is_meant_by(request_id) => Ok((Self { pending: None, ..self }, pending)),
            Some(_) | None => Err(CertificateRefusal::PendingNotFound.into()),
        }
    }

    /// Remembers that a lifetime action was done for a version.
    #[must_use]
    pub fn record(self, version: VersionId, step: LifetimeStepKind) -> Self {
        let known = self.done.filter(|done| done.version == version);
        let mut done = known.unwrap_or(StepsDone { version, steps: Vec::new(), unbegun: None });
        if !done.steps.contains(&step) {
            done.steps.push(step);
        }
        Self { done: Some(done), ..self }
    }

    /// Remembers that a renewal of a version could not be begun.
    #[must_use]
    pub fn record_unbegun(self, version: VersionId, now: UnixTime) -> Self {
        let recorded = self.record(version, LifetimeStepKind::AutoRenew);
        let done = recorded.done.map(|done| StepsDone { unbegun: Some(now), ..done });
        Self { done, ..recorded }
    }

    /// When something has to be done with it, and what: the sooner of the pending version's next attempt and the next
    /// lifetime action. `life` is `None` as long as no version has a certificate.
    #[must_use]
    pub fn next_action(&self, life: Option<&CertificateLife>) -> Option<(UnixTime, NextAction)> {
        let attempt = self.pending.as_ref().and_then(|pending| pending.next_attempt);
        let attempt = attempt.map(|at| (at, NextAction::Attempt));
        let step = life.filter(|life| life.enabled).and_then(|life| self.next_step(life));
        let step = step.map(|(at, kind)| (at, NextAction::Lifetime(kind)));
        attempt.into_iter().chain(step).min_by_key(|(at, _)| *at)
    }

    fn next_step(&self, life: &CertificateLife) -> Option<(UnixTime, LifetimeStepKind)> {
        let mut done = self.steps_done(life.version).to_vec();
        if self.check_free().is_err() {
            // A version is being made: there is nothing to renew. If none comes of it, there is again.
            done.push(LifetimeStepKind::AutoRenew);
        }
        let next = self.policy.next_step(life.not_before, life.not_after, &done);
        let next = next.map(|(at, step)| (at.max(life.earliest(step)), step));
        let again = self.renews_again(life);
        next.into_iter().chain(again).min_by_key(|(at, _)| *at)
    }

    /// A renewal that failed, or could not be begun, is begun again a day after that. One that was cancelled is not wanted.
    fn renews_again(&self, life: &CertificateLife) -> Option<(UnixTime, LifetimeStepKind)> {
        const RENEWAL: LifetimeStepKind = LifetimeStepKind::AutoRenew;
        let failed = self.pending.as_ref().filter(|pending| matches!(pending.status, OperationStatus::Failed(_)));
        let unbegun = self.done.as_ref().filter(|done| done.version == life.version).and_then(|done| done.unbegun);
        let last = failed.map(|failed| failed.created).max(unbegun)?;
        let was_tried = self.steps_done(life.version).contains(&RENEWAL);
        (was_tried && self.policy.renews() && self.check_free().is_ok()).then(|| (last.plus_days(1), RENEWAL))
    }

    fn steps_done(&self, version: VersionId) -> &[LifetimeStepKind] {
        self.done.as_ref().filter(|done| done.version == version).map_or(&[], |done| done.steps.as_slice())
    }
}

impl CertificateLife {
    /// How long a certificate is left alone at least, however much of its life was over when it came: its issuer may have
    /// nothing better, and would be asked again and again.
    const LEAST_SECONDS: i64 = 3_600;

    fn earliest(&self, step: LifetimeStepKind) -> UnixTime {
        match step {
            LifetimeStepKind::AutoRenew => self.created.plus_seconds(Self::LEAST_SECONDS),
            LifetimeStepKind::EmailContacts => self.created,
        }
    }
}

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
