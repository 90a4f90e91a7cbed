//! Certificates from ACME servers (RFC 8555): what a vault's issuer with such a provider is asked with.
//!
//! An issuer names a configured server as its provider, or says `ACME` where there is only one. Here is what is said to the
//! server and what comes of it; when an order is made, tried again or given up is the engine's affair. The protocol is
//! written out here, as the key of an account has to stay in custody: clients from elsewhere want it in the clear.
//!
//! Addresses to talk to come from the configuration alone, never from a vault.

mod account;
mod challenges;
mod connection;
pub(crate) mod fuzz;
mod jws;
mod names;
mod order;
mod problem;

pub use challenges::Challenges;

use crate::{
    Failure,
    config::{AcmeServer, AcmeSettings},
};
use account::{Account, ExternalAccount};
use connection::{Connection, Talk};
use domain::{OperationError, UnixTime};
use engine::{CertificateAuthority, Order, OrderAnswer};
use names::Allowed;
use order::{Attempt, Progress, Step};
use parking_lot::Mutex;
use problem::{Trouble, Verdict};
use std::{collections::HashMap, sync::Arc};

/// The provider of issuers that do not say which server, where there is one only.
const ANY: &str = "ACME";
/// After trouble, a server is left alone for this long at least.
const LEAST_WAIT_SECONDS: i64 = 10;
/// What is known of an order that nobody has asked about for longer is forgotten.
const MEMORY_DAYS: u32 = 30;

/// Opens nothing yet: makes the authorities that an engine may ask. Nobody orders names within `own_domain`.
///
/// # Errors
/// There is nobody to vouch for a server.
pub fn authorities(
    settings: &AcmeSettings,
    own_domain: &str,
    challenges: &Challenges,
) -> Result<Vec<Box<dyn CertificateAuthority>>, Failure> {
    let answers = settings.http_challenges.map(|_| challenges.clone());
    let mut servers = Vec::new();
    for config in &settings.servers.0 {
        servers.push(Arc::new(Server::new(config, own_domain, answers.clone())?));
    }
    let mut authorities: Vec<Box<dyn CertificateAuthority>> = Vec::new();
    for server in &servers {
        authorities.push(Box::new(Provider { name: server.connection.name.clone(), server: Arc::clone(server) }));
    }
    // A server of this very name comes first.
    match servers.as_slice() {
        [] => {}
        [server] => authorities.push(Box::new(Provider { name: ANY.to_owned(), server: Arc::clone(server) })),
        several => {
            let names = several.iter().map(|server| server.connection.name.clone()).collect();
            authorities.push(Box::new(Undecided { names }));
        }
    }
    Ok(authorities)
}

/// A server under one of its names.
struct Provider {
    name: String,
    server: Arc<Server>,
}

impl CertificateAuthority for Provider {
    fn provider(&self) -> &str {
        &self.name
    }

    fn ask(&self, order: &Order<'_>) -> OrderAnswer {
        self.server.ask(order)
    }
}

/// `ACME`, where there are several servers.
struct Undecided {
    names: Vec<String>,
}

impl CertificateAuthority for Undecided {
    fn provider(&self) -> &str {
        ANY
    }

    fn ask(&self, order: &Order<'_>) -> OrderAnswer {
        let names = self.names.join(", ");
        let message = format!("The provider of the issuer {} has to name one of: {names}.", order.issuer.name);
        OrderAnswer::Refused(OperationError { code: "ProviderAmbiguous".to_owned(), message })
    }
}

/// A configured server, and what this process knows of its accounts and orders.
struct Server {
    connection: Connection,
    contact: Vec<String>,
    terms_agreed: bool,
    allowed: Allowed,
    challenges: Option<Challenges>,
    /// By the names of their keys.
    accounts: Mutex<HashMap<String, Arc<Account>>>,
    /// How many authorizations were dealt with, by the addresses of their orders.
    visited: Mutex<HashMap<String, (usize, UnixTime)>>,
}

impl Server {
    fn new(config: &AcmeServer, own_domain: &str, challenges: Option<Challenges>) -> Result<Self, Failure> {
        Ok(Self {
            connection: Connection::new(config)?,
            contact: config.contact.iter().map(|contact| contact.as_str().to_owned()).collect(),
            terms_agreed: config.terms_agreed,
            allowed: Allowed {
                domains: config.domains.iter().map(|domain| domain.as_str().to_owned()).collect(),
                own: own_domain.to_ascii_lowercase(),
            },
            challenges,
            accounts: Mutex::default(),
            visited: Mutex::default(),
        })
    }

    fn ask(&self, order: &Order<'_>) -> OrderAnswer {
        let before = Progress::read(order.progress);
        let mut progress = before.clone();
        let outcome = self.advance(order, &mut progress);
        if let (Some(url), true) = (&before.order, progress.order != before.order) {
            self.forget(url);
        }
        let waiting = |seconds: i64, details| OrderAnswer::Waiting {
            progress: progress.text(),
            details,
            again_at: order.now.plus_seconds(seconds),
        };
        let passing = |error: OperationError, again_after_seconds: Option<i64>| match again_after_seconds {
            Some(seconds) => waiting(seconds.max(LEAST_WAIT_SECONDS), Some(error.message)),
            // The order that was placed before it must not be lost.
            None if progress != before => waiting(LEAST_WAIT_SECONDS, Some(error.message)),
            None => OrderAnswer::Unreachable(error),
        };
        let answer = match outcome {
            Ok(Step::Issued(chain)) => OrderAnswer::Issued(chain),
            Ok(Step::Wait { seconds, details }) => waiting(seconds, details),
            Err(Trouble::Spent) => waiting(1, None),
            Err(Trouble::Refused(error)) => OrderAnswer::Refused(error),
            Err(Trouble::Unreachable(error)) => passing(error, None),
            Err(Trouble::Silent(error)) if progress == before => OrderAnswer::Silent(error),
            Err(Trouble::Silent(error)) => passing(error, None),
            Err(Trouble::Problem(problem)) => match problem.verdict() {
                Verdict::Refused => OrderAnswer::Refused(problem.error(&self.connection.name)),
                Verdict::Passing => passing(problem.error(&self.connection.name), problem.again_after_seconds),
            },
        };
        if let (OrderAnswer::Issued(_) | OrderAnswer::Refused(_), Some(url)) = (&answer, &progress.order) {
            self.forget(url);
        }
        answer
    }

    fn advance(&self, order: &Order<'_>, progress: &mut Progress) -> Result<Step, Trouble> {
        let identifiers = self.allowed.identifiers(order.request)?;
        let external = ExternalAccount::of(order.issuer, order.password)?;
        let key_name = account::key_name(&self.connection.directory_url, external.as_ref());
        let mut talk = self.connection.talk();
        let account = self.account(&mut talk, order, &key_name, external.as_ref())?;
        let mut visited = self.visited(progress, order.now);
        let outcome = Attempt {
            talk: &mut talk,
            account: &account,
            challenges: self.challenges.as_ref(),
            server: &self.connection.name,
            progress,
            visited: &mut visited,
            now: order.now,
        }
        .go(&identifiers, order.request);
        if let Some(url) = &progress.order {
            self.visited.lock().insert(url.clone(), (visited, order.now.plus_days(MEMORY_DAYS)));
        }
        if let Err(Trouble::Problem(problem)) = &outcome
            && problem.kind() == "accountDoesNotExist"
        {
            self.accounts.lock().remove(&key_name);
        }
        outcome
    }

    fn account(
        &self,
        talk: &mut Talk<'_>,
        order: &Order<'_>,
        key_name: &str,
        external: Option<&ExternalAccount>,
    ) -> Result<Arc<Account>, Trouble> {
        if let Some(known) = self.accounts.lock().get(key_name) {
            return Ok(Arc::clone(known));
        }
        let terms = account::Terms {
            server: &self.connection.name,
            contact: self.contact.iter().map(String::as_str).collect(),
            agreed: self.terms_agreed,
        };
        let account = Arc::new(account::open(talk, order, key_name, external, &terms)?);
        self.accounts.lock().insert(key_name.to_owned(), Arc::clone(&account));
        Ok(account)
    }

    fn visited(&self, progress: &Progress, now: UnixTime) -> usize {
        let mut visited = self.visited.lock();
        visited.retain(|_, (_, until)| *until > now);
        let known = progress.order.as_ref().and_then(|url| visited.get(url));
        known.map_or(0, |(count, _)| *count)
    }

    fn forget(&self, order: &str) {
        self.visited.lock().remove(order);
        if let Some(challenges) = &self.challenges {
            challenges.forget(order);
        }
    }
}
