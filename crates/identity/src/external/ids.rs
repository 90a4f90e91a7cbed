//! GUIDs for principals that a provider names in another way.
//!
//! The derivation is part of the product: role assignments hold its results. It is version 5 of RFC 9562, in the namespace
//! of URLs, so that an administrator can compute it with any tool. Subjects, groups and applications have spaces of their
//! own, so that nobody gets the rights of a group by taking its name. An issuer has no `#` in it, so no two issuers meet.

use domain::Guid;

/// The object id of a subject: itself if it is a GUID, otherwise the version 5 GUID of `{issuer}#{subject}`.
#[must_use]
pub fn subject_id(issuer: &str, subject: &str) -> Guid {
    as_it_is(subject).unwrap_or_else(|| Guid::of_url(&format!("{issuer}#{subject}")))
}

/// The object id of a group: itself if it is a GUID, otherwise the version 5 GUID of `{issuer}/groups#{group}`.
#[must_use]
pub fn group_id(issuer: &str, group: &str) -> Guid {
    as_it_is(group).unwrap_or_else(|| Guid::of_url(&format!("{issuer}/groups#{group}")))
}

/// The id of an application: itself if it is a GUID, otherwise the version 5 GUID of `{issuer}/applications#{client}`.
pub(super) fn application_id(issuer: &str, client: &str) -> Guid {
    as_it_is(client).unwrap_or_else(|| Guid::of_url(&format!("{issuer}/applications#{client}")))
}

/// A GUID in its one usual form, with hyphens. Thirty-two digits in a row are just a name.
fn as_it_is(text: &str) -> Option<Guid> {
    const HYPHENATED_LENGTH: usize = 36;
    Guid::parse(text).filter(|_| text.len() == HYPHENATED_LENGTH)
}
