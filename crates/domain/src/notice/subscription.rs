//! Event subscriptions: who is told of what.

use super::{Endpoint, Notice, NoticeKind, RetryPolicy};
use crate::{EventSubscriptionName, Refusal, UnixTime};
use serde::{Deserialize, Serialize};

/// Of one vault. Source: Microsoft Learn, "Azure Event Grid quotas and limits", event subscriptions per topic.
pub const MOST_EVENT_SUBSCRIPTIONS: usize = 500;
const MOST_LABELS: usize = 100;
/// Of all labels together: each is read with every list, and lies in the way of every notice.
const MOST_LABEL_BYTES: usize = 4096;
const LONGEST_TEXT: usize = 1024;

/// Why an event subscription is not made, changed or found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeRefusal {
    #[error("no such event subscription")]
    NotFound { name: String },
    #[error("there are as many event subscriptions as there can be")]
    TooMany { limit: usize },
    #[error("the endpoint is missing, or no URL of a receiver")]
    EndpointInvalid,
    /// The words say which rule of the installation.
    #[error("notices may not be sent there")]
    EndpointForbidden { reason: &'static str },
}

/// In which of the documented shapes notices are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeSchema {
    CloudEvents,
    /// What a client gets that asks for nothing.
    #[default]
    EventGrid,
}

/// Of which notices a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFilter {
    pub kinds: Vec<NoticeKind>,
    pub subject_begins_with: String,
    pub subject_ends_with: String,
    pub is_subject_case_sensitive: bool,
}

impl Default for NoticeFilter {
    /// Lets everything pass.
    fn default() -> Self {
        Self {
            kinds: NoticeKind::ALL.to_vec(),
            subject_begins_with: String::new(),
            subject_ends_with: String::new(),
            is_subject_case_sensitive: false,
        }
    }
}

impl NoticeFilter {
    #[must_use]
    pub fn matches(&self, notice: &Notice) -> bool {
        let folded = |text: &str| if self.is_subject_case_sensitive { text.to_owned() } else { text.to_lowercase() };
        let subject = folded(notice.subject());
        self.kinds.contains(&notice.kind)
            && subject.starts_with(&folded(&self.subject_begins_with))
            && subject.ends_with(&folded(&self.subject_ends_with))
    }
}

/// Somebody who is told of what happens in a vault. The whole URL of the receiver is kept apart, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSubscription {
    pub name: EventSubscriptionName,
    /// Of the receiver's URL what may be seen.
    pub endpoint_base_url: String,
    pub filter: NoticeFilter,
    pub schema: NoticeSchema,
    pub retry: RetryPolicy,
    pub labels: Vec<String>,
    /// From then on nothing is told.
    pub expires: Option<UnixTime>,
    pub created: UnixTime,
    pub updated: UnixTime,
}

/// What of an event subscription decides whether it is told of something. Stored records of one can be read as this.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listener {
    pub name: EventSubscriptionName,
    filter: NoticeFilter,
    expires: Option<UnixTime>,
}

impl Listener {
    /// Whether it is there, and asks for a notice.
    #[must_use]
    pub fn wants(&self, notice: &Notice, now: UnixTime) -> bool {
        is_there(self.expires, now) && self.filter.matches(notice)
    }
}

fn is_there(expires: Option<UnixTime>, now: UnixTime) -> bool {
    expires.is_none_or(|expires| now < expires)
}

/// What a change asks for; `None` leaves a setting as it is.
#[derive(Clone, Debug, Default)]
pub struct EventSubscriptionChanges {
    pub filter: FilterChanges,
    pub schema: Option<NoticeSchema>,
    pub retry: Option<RetryPolicy>,
    pub labels: Option<Vec<String>>,
    pub expires: Option<UnixTime>,
}

#[derive(Clone, Debug, Default)]
pub struct FilterChanges {
    pub kinds: Option<Vec<NoticeKind>>,
    pub subject_begins_with: Option<String>,
    pub subject_ends_with: Option<String>,
    pub is_subject_case_sensitive: Option<bool>,
}

impl EventSubscription {
    /// One that tells everything to a receiver.
    #[must_use]
    pub fn new(name: EventSubscriptionName, now: UnixTime) -> Self {
        Self {
            name,
            endpoint_base_url: String::new(),
            filter: NoticeFilter::default(),
            schema: NoticeSchema::default(),
            retry: RetryPolicy::default(),
            labels: Vec::new(),
            expires: None,
            created: now,
            updated: now,
        }
    }

    /// Whether it is there: one that has come to its end counts as gone.
    #[must_use]
    pub fn is_there(&self, now: UnixTime) -> bool {
        is_there(self.expires, now)
    }

    /// What a change makes of it, for a receiver at this endpoint.
    ///
    /// # Errors
    /// [`Refusal::ParameterInvalid`].
    pub fn changed(
        self,
        changes: EventSubscriptionChanges,
        endpoint: &Endpoint,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let EventSubscriptionChanges { filter, schema, retry, labels, expires } = changes;
        let changed = Self {
            endpoint_base_url: endpoint.base_url().to_owned(),
            filter: self.filter.changed(filter),
            schema: schema.unwrap_or(self.schema),
            retry: retry.unwrap_or(self.retry),
            labels: labels.unwrap_or(self.labels),
            expires: expires.or(self.expires),
            updated: now,
            name: self.name,
            created: self.created,
        };
        changed.check(now)?;
        Ok(changed)
    }

    fn check(&self, now: UnixTime) -> Result<(), Refusal> {
        let invalid = |parameter, reason| Err(Refusal::ParameterInvalid { parameter, reason });
        let is_long = |text: &String| text.chars().count() > LONGEST_TEXT;
        if !self.is_there(now) {
            return invalid("expirationTimeUtc", "it is not in the future");
        }
        let label_bytes: usize = self.labels.iter().map(String::len).sum();
        if self.labels.len() > MOST_LABELS || self.labels.iter().any(is_long) || label_bytes > MOST_LABEL_BYTES {
            return invalid("labels", "there are at most 100, of at most 1024 characters, and of 4096 bytes together");
        }
        if is_long(&self.filter.subject_begins_with) || is_long(&self.filter.subject_ends_with) {
            return invalid("filter", "what subjects begin or end with has at most 1024 characters");
        }
        Ok(())
    }
}

impl NoticeFilter {
    fn changed(self, changes: FilterChanges) -> Self {
        let FilterChanges { kinds, subject_begins_with, subject_ends_with, is_subject_case_sensitive } = changes;
        let kinds = match kinds {
            None => self.kinds,
            Some(none) if none.is_empty() => NoticeKind::ALL.to_vec(),
            Some(mut kinds) => {
                kinds.sort_unstable();
                kinds.dedup();
                kinds
            }
        };
        Self {
            kinds,
            subject_begins_with: subject_begins_with.unwrap_or(self.subject_begins_with),
            subject_ends_with: subject_ends_with.unwrap_or(self.subject_ends_with),
            is_subject_case_sensitive: is_subject_case_sensitive.unwrap_or(self.is_subject_case_sensitive),
        }
    }
}
