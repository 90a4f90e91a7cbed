//! The making of one version of a certificate, from the signing request to the certificate: the pending operation.
//!
//! A state machine whose transitions consume the old state. It ends once, and stays as it ended until it is deleted or the
//! next one takes its place. What an issuer's provider does is not known here, only when it is asked again.
//! Source: contract key-vault §3.9, §2.

use super::{CertificateRefusal, IssuerChoice, IssuerReference};
use crate::{Refusal, UnixTime, VersionId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names one pending operation. Of the same form as a version's id, and never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(VersionId);

impl RequestId {
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(VersionId::from_random(bytes))
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        VersionId::parse(text).map(Self)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateOperation {
    pub request_id: RequestId,
    /// The version that is being made.
    pub version: VersionId,
    /// The signing request (PKCS#10) in DER.
    #[serde(with = "crate::base64url")]
    pub csr: Vec<u8>,
    pub issuer: IssuerReference,
    pub status: OperationStatus,
    /// What the issuer last said of it, or why it did not answer.
    pub details: Option<String>,
    pub cancellation_requested: bool,
    pub preserve_order: bool,
    /// Attempts in a row that did not get through.
    pub attempts: u32,
    /// When the issuer is to be asked. `None` once it has ended, and while it waits for a merge.
    pub next_attempt: Option<UnixTime>,
    /// Where the issuer's provider is with it. Means something to that provider only.
    pub progress: Option<String>,
    pub created: UnixTime,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationStatus {
    InProgress,
    Completed,
    Cancelled,
    Failed(OperationError),
}

/// Why no certificate came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationError {
    pub code: String,
    pub message: String,
}

/// What somebody who looks at an operation that is due has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Ask the issuer.
    Ask,
    /// Let the cancellation take effect.
    Cancel,
}

impl OperationStatus {
    /// The word of the wire.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress => "inProgress",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "failed",
        }
    }
}

impl CertificateOperation {
    /// Attempts in a row after which it has failed: with the schedule, a day of them.
    pub const MAX_ATTEMPTS: u32 = 30;
    /// Days after which it has failed even if the issuer is still at it.
    pub const MAX_DAYS: u32 = 30;
    const FIRST_DELAY_SECONDS: i64 = 10;
    const LONGEST_DELAY_SECONDS: i64 = 3600;

    /// An issuer is asked at once; a merge is waited for.
    #[must_use]
    pub fn begin(
        request_id: RequestId,
        version: VersionId,
        csr: Vec<u8>,
        issuer: IssuerReference,
        preserve_order: bool,
        now: UnixTime,
    ) -> Self {
        let next_attempt = (issuer.name != IssuerChoice::Unknown).then_some(now);
        Self {
            request_id,
            version,
            csr,
            issuer,
            status: OperationStatus::InProgress,
            details: None,
            cancellation_requested: false,
            preserve_order,
            attempts: 0,
            next_attempt,
            progress: None,
            created: now,
        }
    }

    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.status == OperationStatus::InProgress
    }

    /// What is to be done with it by `now`, if it is its time.
    #[must_use]
    pub fn errand(&self, now: UnixTime) -> Option<Errand> {
        let due = self.next_attempt.is_some_and(|at| at <= now);
        due.then_some(if self.cancellation_requested { Errand::Cancel } else { Errand::Ask })
    }

    /// Its owner wants it no more. What waits for a merge ends at once; an issuer that is at work is told when it is next
    /// looked at, which is now.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn request_cancellation(self, now: UnixTime) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        let waits_for_merge = self.issuer.name == IssuerChoice::Unknown;
        let requested = Self { cancellation_requested: true, next_attempt: Some(now), ..self };
        Ok(if waits_for_merge { requested.ended(OperationStatus::Cancelled) } else { requested })
    }

    /// The cancellation takes effect.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn cancel(self) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        Ok(Self { cancellation_requested: true, ..self }.ended(OperationStatus::Cancelled))
    }

    /// The certificate is there. One that came in spite of a cancellation came nevertheless.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn complete(self) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        Ok(self.ended(OperationStatus::Completed))
    }

    /// The issuer has said no, for good.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn fail(self, error: OperationError) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        Ok(self.ended(OperationStatus::Failed(error)))
    }

    /// The issuer is at work, and is asked again at a time of its choice: in a second at the earliest, in a day at the latest.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn wait(
        self,
        progress: Option<String>,
        details: Option<String>,
        again_at: UnixTime,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        if self.is_overdue(now) {
            let message = format!("The issuer has made no certificate in {} days.", Self::MAX_DAYS);
            return self.fail(OperationError { code: "Timeout".to_owned(), message });
        }
        let again_at = again_at.clamp(now.plus_seconds(1), now.plus_days(1));
        Ok(Self { progress, details, attempts: 0, ..self }.due_at(again_at))
    }

    /// Nothing was asked: it is its turn again at another time.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn defer(self, again_at: UnixTime) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        Ok(self.due_at(again_at))
    }

    /// An attempt has not got through. It is made again, later each time; after too many the operation has failed of the
    /// last one's error.
    ///
    /// # Errors
    /// [`CertificateRefusal::NotInProgress`].
    pub fn postpone(self, error: OperationError, now: UnixTime) -> Result<Self, Refusal> {
        self.check_in_progress()?;
        let attempts = self.attempts.saturating_add(1);
        if attempts >= Self::MAX_ATTEMPTS || self.is_overdue(now) {
            return Self { attempts, ..self }.fail(error);
        }
        let again_at = now.plus_seconds(Self::delay_seconds(attempts));
        Ok(Self { attempts, details: Some(error.message), ..self }.due_at(again_at))
    }

    /// How long to wait after that many attempts: twice as long each time, up to an hour.
    #[must_use]
    pub fn delay_seconds(attempts: u32) -> i64 {
        let doublings = attempts.saturating_sub(1).min(16);
        (Self::FIRST_DELAY_SECONDS << doublings).min(Self::LONGEST_DELAY_SECONDS)
    }

    /// Whether its owner may bring the certificate.
    ///
    /// # Errors
    /// [`CertificateRefusal::IssuerDriven`] if that is for the issuer, [`CertificateRefusal::NotInProgress`].
    pub fn mergeable(&self) -> Result<(), Refusal> {
        match self.issuer.name {
            IssuerChoice::Unknown => self.check_in_progress(),
            IssuerChoice::Own | IssuerChoice::Named(_) => Err(CertificateRefusal::IssuerDriven.into()),
        }
    }

    /// Whether a request means this one: the id that it gives, if it gives one, is its own.
    #[must_use]
    pub fn is_meant_by(&self, request_id: Option<&str>) -> bool {
        request_id.is_none_or(|given| RequestId::parse(given) == Some(self.request_id))
    }

    fn check_in_progress(&self) -> Result<(), Refusal> {
        match self.status {
            OperationStatus::InProgress => Ok(()),
            _ => Err(CertificateRefusal::NotInProgress { status: self.status.as_str() }.into()),
        }
    }

    fn is_overdue(&self, now: UnixTime) -> bool {
        now >= self.created.plus_days(Self::MAX_DAYS)
    }

    /// A cancellation that was requested in the meantime does not wait for the issuer.
    fn due_at(self, at: UnixTime) -> Self {
        let next_attempt = if self.cancellation_requested { self.next_attempt } else { Some(at) };
        Self { next_attempt, ..self }
    }

    fn ended(self, status: OperationStatus) -> Self {
        Self { status, details: None, next_attempt: None, progress: None, ..self }
    }
}

#[cfg(test)]
#[path = "operation_tests.rs"]
mod tests;
