//! What goes wrong with an ACME server, and whether it is for good.

use super::connection::Answer;
use domain::OperationError;
use serde::Deserialize;

const PREFIX: &str = "urn:ietf:params:acme:error:";
/// Longer texts of a server are cut: they are stored, and shown to whoever looks at the pending operation.
pub(super) const LONGEST_TEXT: usize = 500;
/// Of the problems with single names, so many are told.
const MOST_TOLD: usize = 5;

/// Why a step was not done.
pub enum Trouble {
    /// The server says no, in its own words.
    Problem(Problem),
    /// It can't be done, and never will.
    Refused(OperationError),
    /// The server did not answer sensibly.
    Unreachable(OperationError),
    /// The server did not answer.
    Silent(OperationError),
    /// So much was asked at once that the rest has to wait.
    Spent,
}

impl Trouble {
    pub fn refused(code: &str, message: String) -> Self {
        Self::Refused(OperationError { code: code.to_owned(), message })
    }

    pub fn unreachable(message: String) -> Self {
        Self::Unreachable(OperationError { code: "IssuerUnreachable".to_owned(), message })
    }

    pub fn silent(message: String) -> Self {
        Self::Silent(OperationError { code: "IssuerUnreachable".to_owned(), message })
    }
}

/// A problem document (RFC 8555 §6.7, RFC 7807), or what stands in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Problem {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    subproblems: Vec<Subproblem>,
    /// Of the answer that brought it; 0 if it stood inside of another document.
    #[serde(skip)]
    status: u16,
    #[serde(skip)]
    pub again_after_seconds: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Subproblem {
    #[serde(default)]
    detail: String,
    #[serde(default)]
    identifier: Option<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Named {
    #[serde(default)]
    value: String,
}

/// What is to be done about a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Refused,
    /// It may pass.
    Passing,
}

impl Problem {
    /// What an answer that is no success says.
    pub fn of(answer: &Answer) -> Self {
        let read: Self = serde_json::from_slice(&answer.body).unwrap_or_default();
        Self { status: answer.status, again_after_seconds: answer.again_after_seconds, ..read }
    }

    /// The type, without what all types of ACME begin with. Empty if it is of another kind.
    pub fn kind(&self) -> &str {
        self.kind.strip_prefix(PREFIX).unwrap_or_default()
    }

    /// Whether what was asked for is not there (any more).
    pub fn is_missing(&self) -> bool {
        matches!(self.status, 404 | 410)
    }

    /// What to do if a request was answered with it.
    pub fn verdict(&self) -> Verdict {
        match self.kind() {
            "badNonce" | "rateLimited" | "serverInternal" | "orderNotReady" | "accountDoesNotExist" => Verdict::Passing,
            // Where it would lead to is not followed, but whoever redirects may stop doing so.
            "" if self.status >= 500 || matches!(self.status, 0 | 300..400 | 408 | 425 | 429) => Verdict::Passing,
            _ => Verdict::Refused,
        }
    }

    /// What to do if an order has failed of it: whatever comes of the network may be mended by another order, and so may
    /// what we answered, or did not answer, while we were starting.
    pub fn verdict_on_order(&self) -> Verdict {
        match self.kind() {
            "connection" | "dns" | "tls" | "incorrectResponse" | "unauthorized" | "serverInternal" | "rateLimited" => {
                Verdict::Passing
            }
            "" => Verdict::Passing,
            _ => Verdict::Refused,
        }
    }

    /// As the pending operation shows it.
    pub fn error(&self, server: &str) -> OperationError {
        OperationError { code: self.code(), message: format!("{server}: {}", self.text()) }
    }

    /// The type as the service writes codes: `RejectedIdentifier`.
    fn code(&self) -> String {
        let kind = self.kind();
        let is_word = (1..=64).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match kind.split_at_checked(1) {
            Some((first, rest)) if is_word => format!("{}{rest}", first.to_ascii_uppercase()),
            _ if self.verdict() == Verdict::Passing => "IssuerUnreachable".to_owned(),
            _ => "IssuerRefused".to_owned(),
        }
    }

    fn text(&self) -> String {
        let mut text = match (self.detail.trim(), self.kind(), self.status) {
            ("", "", 0) => "no reason is given".to_owned(),
            ("", "", status) => format!("the answer is {status}"),
            ("", kind, _) => kind.to_owned(),
            (detail, ..) => detail.to_owned(),
        };
        for each in self.subproblems.iter().take(MOST_TOLD) {
            let name = each.identifier.as_ref().map_or("", |named| named.value.as_str());
            text = format!("{text}; {name}: {}", each.detail);
        }
        plain(&text)
    }
}

/// A foreign text, in one line and of bounded length.
pub fn plain(text: &str) -> String {
    let mut plain: String =
        text.chars().take(LONGEST_TEXT).map(|char| if char.is_control() { ' ' } else { char }).collect();
    if text.chars().nth(LONGEST_TEXT).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, body: &str) -> Problem {
        Problem::of(&Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() })
    }

    fn of_kind(kind: &str) -> Problem {
        problem(400, &format!("{{\"type\":\"{PREFIX}{kind}\",\"detail\":\"why\"}}"))
    }

    #[test]
    fn every_type_of_rfc_8555_is_for_good_or_passes() {
        for (kind, verdict, on_order) in [
            ("accountDoesNotExist", Verdict::Passing, Verdict::Refused),
            ("badCSR", Verdict::Refused, Verdict::Refused),
            ("badNonce", Verdict::Passing, Verdict::Refused),
            ("badPublicKey", Verdict::Refused, Verdict::Refused),
            ("badSignatureAlgorithm", Verdict::Refused, Verdict::Refused),
            ("caa", Verdict::Refused, Verdict::Refused),
            ("compound", Verdict::Refused, Verdict::Refused),
            ("connection", Verdict::Refused, Verdict::Passing),
            ("dns", Verdict::Refused, Verdict::Passing),
            ("externalAccountRequired", Verdict::Refused, Verdict::Refused),
            ("incorrectResponse", Verdict::Refused, Verdict::Passing),
            ("invalidContact", Verdict::Refused, Verdict::Refused),
            ("malformed", Verdict::Refused, Verdict::Refused),
            ("orderNotReady", Verdict::Passing, Verdict::Refused),
            ("rateLimited", Verdict::Passing, Verdict::Passing),
            ("rejectedIdentifier", Verdict::Refused, Verdict::Refused),
            ("serverInternal", Verdict::Passing, Verdict::Passing),
            ("tls", Verdict::Refused, Verdict::Passing),
            ("unauthorized", Verdict::Refused, Verdict::Passing),
            ("unsupportedContact", Verdict::Refused, Verdict::Refused),
            ("unsupportedIdentifier", Verdict::Refused, Verdict::Refused),
            ("userActionRequired", Verdict::Refused, Verdict::Refused),
        ] {
            let problem = of_kind(kind);
            assert_eq!((problem.verdict(), problem.verdict_on_order()), (verdict, on_order), "{kind}");
        }
    }

    #[test]
    fn an_answer_without_a_document_is_judged_by_its_status() {
        let passing = [502, 429, 307, 301].map(|status| (status, Verdict::Passing));
        for (status, verdict) in passing.into_iter().chain([(403, Verdict::Refused)]) {
            let problem = problem(status, "<html>");
            assert_eq!(problem.verdict(), verdict, "{status}");
            assert_eq!(problem.error("Example").message, format!("Example: the answer is {status}"));
        }
        assert!(problem(404, "").is_missing() && !problem(403, "").is_missing());
    }

    #[test]
    fn a_problem_is_told_in_the_server_s_words() {
        let text = format!(
            "{{\"type\":\"{PREFIX}rejectedIdentifier\",\"detail\":\"not\\nthese\",\"subproblems\":[{{\"detail\":\"no\",\
             \"identifier\":{{\"type\":\"dns\",\"value\":\"a.example\"}}}}]}}"
        );
        let error = problem(403, &text).error("Example");
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("RejectedIdentifier", "Example: not these; a.example: no")
        );
        let long = problem(500, &format!("{{\"detail\":\"{}\"}}", "x".repeat(5_000))).error("Example");
        assert_eq!((long.code.as_str(), long.message.chars().count()), ("IssuerUnreachable", 9 + LONGEST_TEXT + 1));
        assert_eq!(of_kind("not a word").error("Example").code, "IssuerRefused");
    }
}
