//! Issuers outside: when they are asked, with what, and what becomes of what they say; and the keys of the installation
//! that their providers sign with.

use crate::{
    certificates::{create, signed_outside, status},
    rig::{ADMINISTRATOR, DAY, Rig, caller, key_name, root, start},
};
use domain::{
    CertificateOperation, ContainerKind, IssuerChanges, IssuerName, ObjectKind, OperationError, OperationStatus,
    Secret, UnixTime,
};
use engine::{CertificateAuthority, Clock, Order, OrderAnswer, SetIssuer};
use std::sync::{Arc, Mutex, mpsc};

const VAULT: ContainerKind = ContainerKind::Vault;

/// What a provider answers to an order.
type Answer = Box<dyn FnOnce(&Order<'_>) -> OrderAnswer + Send>;

/// A provider that says what it is told to say, and keeps what it was asked with.
#[derive(Clone, Default)]
struct Provider {
    answers: Arc<Mutex<Vec<Answer>>>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Provider {
    /// It is asked once more, and says this.
    fn will(&self, answer: impl FnOnce(&Order<'_>) -> OrderAnswer + Send + 'static) {
        self.answers.lock().unwrap().push(Box::new(answer));
    }

    /// With what progress it was asked, each time.
    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

impl CertificateAuthority for Provider {
    fn provider(&self) -> &'static str {
        "Elsewhere"
    }

    fn ask(&self, order: &Order<'_>) -> OrderAnswer {
        self.asked.lock().unwrap().push(order.progress.map(str::to_owned));
        let answer = self.answers.lock().unwrap().remove(0);
        answer(order)
    }
}

fn error(code: &str) -> OperationError {
    OperationError { code: code.to_owned(), message: "because".to_owned() }
}

/// A vault with an issuer of the provider, and a certificate that waits for it.
fn waiting() -> (Rig, Provider) {
    let provider = Provider::default();
    let rig = Rig::with(vec![Box::new(provider.clone())]);
    let changes = IssuerChanges {
        provider: Some("elseWHERE".to_owned()),
        account_id: Some("account".to_owned()),
        ..IssuerChanges::default()
    };
    let request = SetIssuer { changes, password: Some(Secret::new(b"password".to_vec())), key: None };
    let name = IssuerName::parse("theirs").unwrap();
    rig.engine.set_issuer(&caller(ADMINISTRATOR), &rig.open(VAULT), &name, &request).unwrap();
    create(&rig, "c", "theirs").unwrap();
    (rig, provider)
}

fn pending(rig: &Rig) -> CertificateOperation {
    rig.engine.pending_certificate(&caller(ADMINISTRATOR), &rig.open(VAULT), &key_name("c"), None).unwrap()
}

#[test]
fn an_issuer_is_asked_with_what_it_said_before_when_it_wants_to_be() {
    let (rig, provider) = waiting();
    provider.will(|order| {
        assert_eq!(order.password.map(Secret::expose), Some(b"password".as_slice()));
        assert_eq!(order.issuer.account_id.as_deref(), Some("account"));
        let again_at = order.now.plus_days(1);
        OrderAnswer::Waiting { progress: "half".to_owned(), details: Some("at work".to_owned()), again_at }
    });
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 1);
    assert_eq!((pending(&rig).details.as_deref(), rig.engine.ask_issuers(10).unwrap()), (Some("at work"), 0));
    rig.clock.advance(DAY);
    assert_eq!(rig.engine.act_on_due(10).unwrap(), 0, "that is for those who may wait");
    provider.will(|order| OrderAnswer::Issued(signed_outside(order.now, order.request)));
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 1);
    assert_eq!(status(&rig, "c"), OperationStatus::Completed);
    assert_eq!(provider.asked(), [None, Some("half".to_owned())]);
    rig.engine.get_object(&caller(ADMINISTRATOR), &rig.open(VAULT), ObjectKind::Key, &key_name("c"), None).unwrap();
}

#[test]
fn an_issuer_that_cannot_be_reached_is_asked_later_and_keeps_its_progress() {
    let (rig, provider) = waiting();
    let again_at = rig.clock.now();
    provider.will(move |_| OrderAnswer::Waiting { progress: "half".to_owned(), details: None, again_at });
    rig.engine.ask_issuers(10).unwrap();
    rig.clock.advance(1);
    provider.will(|_| OrderAnswer::Unreachable(error("Down")));
    rig.engine.ask_issuers(10).unwrap();
    let known = pending(&rig);
    assert_eq!(
        (known.attempts, known.details.as_deref(), known.progress.as_deref()),
        (1, Some("because"), Some("half"))
    );
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 0);
    rig.clock.advance(10);
    provider.will(|_| OrderAnswer::Refused(error("Never")));
    rig.engine.ask_issuers(10).unwrap();
    assert_eq!(status(&rig, "c"), OperationStatus::Failed(error("Never")));
}

#[test]
fn a_certificate_of_another_key_ends_the_operation() {
    let (rig, provider) = waiting();
    let other = create(&rig, "other", "Unknown").unwrap().object.course.unwrap().pending.unwrap().csr;
    provider.will(move |order| OrderAnswer::Issued(signed_outside(order.now, &other)));
    rig.engine.ask_issuers(10).unwrap();
    let OperationStatus::Failed(error) = status(&rig, "c") else { unreachable!("it can't be used") };
    assert_eq!(error.code, "IssuerAnswerInvalid");
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 0, "nobody brings the same again");
}

#[test]
fn a_certificate_that_has_expired_when_it_comes_ends_the_operation() {
    let (rig, provider) = waiting();
    provider.will(|order| OrderAnswer::Issued(signed_outside(order.now.plus_days(9), order.request)));
    rig.engine.ask_issuers(10).unwrap();
    assert_eq!(status(&rig, "c"), OperationStatus::Completed, "one from the future is its owner's affair");
    let (rig, provider) = waiting();
    let long_ago = UnixTime(0);
    provider.will(move |order| OrderAnswer::Issued(signed_outside(long_ago, order.request)));
    rig.engine.ask_issuers(10).unwrap();
    let OperationStatus::Failed(error) = status(&rig, "c") else { unreachable!("it can't be used") };
    assert_eq!(error.code, "IssuerAnswerInvalid");
}

#[test]
fn an_issuer_that_does_not_answer_for_one_certificate_keeps_no_other_waiting() {
    let (rig, provider) = waiting();
    for name in ["d", "e"] {
        create(&rig, name, "theirs").unwrap();
    }
    provider.will(|_| OrderAnswer::Silent(error("Down")));
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 3);
    assert_eq!(provider.asked().len(), 1, "the others are put off");
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 0);
    rig.clock.advance(60);
    for _ in 0..3 {
        provider.will(|order| OrderAnswer::Issued(signed_outside(order.now, order.request)));
    }
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 3);
    for name in ["c", "d", "e"] {
        assert_eq!(status(&rig, name), OperationStatus::Completed, "{name}");
    }
}

#[test]
fn a_vault_that_does_not_open_keeps_no_other_waiting() {
    let (rig, provider) = waiting();
    rig.add_broken_vault(ObjectKind::Certificate, "c");
    rig.clock.advance(1);
    create(&rig, "d", "theirs").unwrap();
    for _ in 0..2 {
        provider.will(|order| OrderAnswer::Issued(signed_outside(order.now, order.request)));
    }
    assert_eq!(rig.engine.ask_issuers(10).unwrap(), 2);
    assert_eq!(status(&rig, "d"), OperationStatus::Completed);
}

#[test]
fn two_who_ask_at_once_order_once() {
    let (rig, provider) = waiting();
    let (entered, inside) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    provider.will(move |order| {
        entered.send(()).unwrap();
        released.recv().unwrap();
        OrderAnswer::Issued(signed_outside(order.now, order.request))
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| rig.engine.ask_issuers(10).unwrap());
        inside.recv().unwrap();
        let second = scope.spawn(|| rig.engine.ask_issuers(10).unwrap());
        release.send(()).unwrap();
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (1, 0));
    });
    assert_eq!(provider.asked().len(), 1);
}

#[test]
fn a_key_of_the_installation_is_the_same_after_a_restart_and_another_under_another_name() {
    let rig = Rig::new();
    let key = rig.engine.system_key("acme-account:one").unwrap();
    let signature = key.sign(b"message").unwrap();
    let again = start(&rig.path(), &rig.clock, &root(128)).unwrap().system_key("acme-account:one").unwrap();
    assert_eq!(again.public, key.public);
    assert!(again.verify(b"message", &signature).unwrap());
    let other = rig.engine.system_key("acme-account:two").unwrap();
    assert!(other.public != key.public && !other.verify(b"message", &signature).unwrap());
    // Whoever swaps the records of two keys gets none: each is sealed under its name.
    let record = |name| rig.engine.system_record(name).unwrap().unwrap();
    let swapped = record("acme-account:two");
    rig.engine.put_system_record("acme-account:one", &swapped).unwrap();
    assert!(rig.engine.system_key("acme-account:one").is_err());
}
