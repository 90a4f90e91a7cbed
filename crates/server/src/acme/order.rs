//! One order at an ACME server (RFC 8555 §7.4), taken as far as it goes now.
//!
//! What has to outlive the process is the order's address and how many orders there were. Which challenges this process
//! answers is in its memory: after a restart they are looked at, and answered, again.

use super::{
    account::Account,
    challenges::Challenges,
    connection::Talk,
    names::{self, Identifier},
    problem::{Problem, Trouble, Verdict},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use domain::UnixTime;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Orders for one certificate, if they fail of what may be mended.
const MOST_ORDERS: u32 = 3;
/// After which the next one is placed; twice as long after the second.
const NEXT_ORDER_SECONDS: i64 = 60;
/// When the server does not say when it wants to be asked again: at first, after so many times twice as long, and so on.
const FIRST_WAIT_SECONDS: i64 = 3;
const WAITS_ALIKE: u32 = 5;
const LONGEST_WAIT_SECONDS: i64 = 600;
pub(super) const MOST_CERTIFICATES: usize = 16;

/// What is kept of an order between attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The address of the account that the present order is with. Another one knows nothing of it.
    #[serde(default)]
    account: String,
    /// The address of the present order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// How many have been placed.
    #[serde(default)]
    pub orders: u32,
    /// How often the present one was not done yet.
    #[serde(default)]
    waits: u32,
}

impl Progress {
    /// As it was kept. What can't be read counts as nothing: a new order does no harm.
    pub fn read(kept: Option<&str>) -> Self {
        kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The order is not done yet.
    fn wait(&mut self, again_after_seconds: Option<i64>) -> Step {
        let doublings = (self.waits / WAITS_ALIKE).min(16);
        let usual = (FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS);
        self.waits = self.waits.saturating_add(1);
        Step::Wait { seconds: again_after_seconds.unwrap_or(usual), details: None }
    }
}

/// How far an order went.
pub enum Step {
    /// The chain in DER, the certificate first.
    Issued(Vec<Vec<u8>>),
    Wait {
        seconds: i64,
        details: Option<String>,
    },
}

/// One attempt at an order.
pub struct Attempt<'t, 'c> {
    pub talk: &'t mut Talk<'c>,
    pub account: &'t Account,
    pub challenges: Option<&'t Challenges>,
    pub server: &'t str,
    pub progress: &'t mut Progress,
    /// How many authorizations of the present order this process has dealt with.
    pub visited: &'t mut usize,
    pub now: UnixTime,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
    Deactivated,
    Expired,
    Revoked,
}

#[derive(Deserialize)]
pub(super) struct State {
    status: Status,
    #[serde(default)]
    authorizations: Vec<String>,
    #[serde(default)]
    pub(super) error: Option<Problem>,
    finalize: String,
    #[serde(default)]
    certificate: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Authorization {
    status: Status,
    identifier: Name,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Name {
    value: String,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    #[serde(default)]
    token: String,
    status: Status,
    #[serde(default)]
    error: Option<Problem>,
}

impl Attempt<'_, '_> {
    /// Goes on with the present order, or places the first.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn go(&mut self, identifiers: &[Identifier], request: &[u8]) -> Result<Step, Trouble> {
        if self.progress.order.is_some() && self.progress.account != self.account.url() {
            *self.progress = Progress::default();
        }
        let answer = match self.progress.order.clone() {
            // Its address is kept before anything comes of it: who places another one is issued another certificate.
            None => {
                self.place(identifiers)?;
                return Ok(Step::Wait { seconds: 1, details: None });
            }
            Some(url) => match self.talk.post(self.account.signer(), &url, None) {
                Err(Trouble::Problem(problem)) if problem.is_missing() => return self.failed(problem),
                answer => answer?,
            },
        };
        let mut again = answer.again_after_seconds;
        let mut state: State = self.talk.read(&answer)?;
        if matches!(state.status, Status::Pending) {
            if let Some(problem) = self.prove(&state)? {
                return self.failed(problem);
            }
            return Ok(self.progress.wait(again));
        }
        if matches!(state.status, Status::Ready) {
            let payload = json!({ "csr": BASE64URL.encode(request) });
            let answer = self.talk.post(self.account.signer(), &state.finalize, Some(&payload))?;
            again = answer.again_after_seconds;
            state = self.talk.read(&answer)?;
        }
        match (state.status, &state.certificate) {
            (Status::Valid, Some(url)) => self.download(url, identifiers, request),
            (Status::Pending | Status::Ready | Status::Processing | Status::Valid, _) => Ok(self.progress.wait(again)),
            _ => {
                let cause = self.cause(&state)?;
                self.failed(cause)
            }
        }
    }

    fn place(&mut self, identifiers: &[Identifier]) -> Result<(), Trouble> {
        let url = self.talk.directory()?.new_order;
        let payload = json!({ "identifiers": identifiers });
        let answer = self.talk.post(self.account.signer(), &url, Some(&payload))?;
        let order = answer.location.clone().ok_or_else(|| self.talk.strange("it does not say where the order is"))?;
        tracing::info!(server = self.server, order, "a certificate is ordered");
        self.progress.orders = self.progress.orders.saturating_add(1);
        self.progress.order = Some(order);
        self.account.url().clone_into(&mut self.progress.account);
        self.progress.waits = 0;
        *self.visited = 0;
        Ok(())
    }

    /// Answers the challenges of an order, as far as this process does not do so already. A problem if one of them has
    /// failed.
    fn prove(&mut self, state: &State) -> Result<Option<Problem>, Trouble> {
        for url in state.authorizations.iter().skip(*self.visited) {
            let authorization = self.authorization(url)?;
            match authorization.status {
                Status::Valid => {}
                Status::Pending => self.answer(&authorization)?,
                _ => return Ok(Some(authorization.problem())),
            }
            *self.visited += 1;
        }
        Ok(None)
    }

    fn answer(&mut self, authorization: &Authorization) -> Result<(), Trouble> {
        let (server, name) = (self.server, &authorization.identifier.value);
        let Some(challenge) = authorization.challenges.iter().find(|challenge| challenge.kind == "http-01") else {
            let offered: Vec<_> = authorization.challenges.iter().map(|each| each.kind.as_str()).collect();
            let message = format!("{server}: {name} can't be proven by http-01, only by {}.", offered.join(", "));
            return Err(Trouble::refused("NoChallenge", super::problem::plain(&message)));
        };
        let challenges = self.challenges.ok_or_else(|| {
            let message =
                format!("{server}: {name} has to be proven by http-01, and http_challenges is not configured.");
            Trouble::refused("NoChallenge", super::problem::plain(&message))
        })?;
        let token = &challenge.token;
        let is_sound = (1..=256).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_sound {
            return Err(self.talk.strange("a token is not base64url"));
        }
        let order = self.progress.order.as_deref().unwrap_or_default();
        challenges.expect(token, format!("{token}.{}", self.account.thumbprint), order, self.now);
        if matches!(challenge.status, Status::Pending) {
            self.talk.post(self.account.signer(), &challenge.url, Some(&json!({})))?;
        }
        Ok(())
    }

    fn authorization(&mut self, url: &str) -> Result<Authorization, Trouble> {
        let answer = self.talk.post(self.account.signer(), url, None)?;
        self.talk.read(&answer)
    }

    /// Why an order has failed: it says so itself, or one of its authorizations does.
    fn cause(&mut self, state: &State) -> Result<Problem, Trouble> {
        if let Some(problem) = &state.error {
            return Ok(problem.clone());
        }
        for url in &state.authorizations {
            let authorization = match self.authorization(url) {
                // Among that many names it is not looked for without end.
                Err(Trouble::Spent) => break,
                answer => answer?,
            };
            if !matches!(authorization.status, Status::Valid | Status::Pending) {
                return Ok(authorization.problem());
            }
        }
        Ok(Problem::default())
    }

    /// After an order that has failed: another one, unless that would fail of the same.
    fn failed(&mut self, problem: Problem) -> Result<Step, Trouble> {
        let error = problem.error(self.server);
        let may_be_mended = problem.is_missing() || problem.verdict_on_order() == Verdict::Passing;
        if !may_be_mended || self.progress.orders >= MOST_ORDERS {
            return Err(Trouble::Refused(error));
        }
        tracing::info!(server = self.server, why = error.message, "an order has failed; another one follows");
        self.progress.order = None;
        let seconds = NEXT_ORDER_SECONDS.saturating_mul(i64::from(self.progress.orders.max(1)));
        Ok(Step::Wait { seconds, details: Some(error.message) })
    }

    fn download(&mut self, url: &str, identifiers: &[Identifier], request: &[u8]) -> Result<Step, Trouble> {
        let answer = self.talk.post(self.account.signer(), url, None)?;
        let chain = chain_of(&answer.body).map_err(|why| self.talk.strange(why))?;
        if !chain.first().is_some_and(|leaf| names::are_as_ordered(leaf, request, identifiers)) {
            let message = format!("{}: the certificate is not about the names that were ordered.", self.server);
            return Err(Trouble::refused("IssuerAnswerInvalid", message));
        }
        tracing::info!(server = self.server, order = self.progress.order, "a certificate is issued");
        Ok(Step::Issued(chain))
    }
}

/// The certificates of a PEM text, in DER.
pub(super) fn chain_of(pem: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(MOST_CERTIFICATES).collect();
    let chain = chain.map_err(|_| "the certificate is not PEM")?;
    if chain.is_empty() {
        return Err("there is no certificate in the answer");
    }
    Ok(chain.iter().map(|der| der.to_vec()).collect())
}

impl Authorization {
    /// Why it is not valid.
    pub(super) fn problem(self) -> Problem {
        self.challenges.into_iter().find_map(|challenge| challenge.error).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read_as_it_was_written_and_anything_else_begins_anew() {
        let account = "https://acme.example/account/1".to_owned();
        let order = Some("https://acme.example/order/1".to_owned());
        let progress = Progress { account, order, orders: 2, waits: 3 };
        assert_eq!(Progress::read(Some(&progress.text())), progress);
        for nothing in [None, Some(""), Some("{}"), Some("another provider's")] {
            assert_eq!(Progress::read(nothing), Progress::default());
        }
    }

    #[test]
    fn an_order_that_takes_its_time_is_asked_about_less_and_less_often() {
        let mut progress = Progress::default();
        let mut waited = |again| match progress.wait(again) {
            Step::Wait { seconds, .. } => seconds,
            Step::Issued(_) => unreachable!("it waits"),
        };
        let usual: Vec<i64> = (0..60).map(|_| waited(None)).collect();
        assert_eq!((usual[0], usual[4], usual[5], usual[10], usual[59]), (3, 3, 6, 12, LONGEST_WAIT_SECONDS));
        assert_eq!(waited(Some(7)), 7, "as the server says, if it says");
    }
}
