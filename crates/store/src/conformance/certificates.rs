//! Issuers and contacts of a vault, and objects that a certificate manages.

use super::{Harness, fixtures::*};
use crate::{Store, StoredIssuer};
use domain::{Contact, Contacts, Issuer, IssuerChanges, IssuerName, ObjectKind, PrivateAuthority, State, UnixTime};

fn name(name: &str) -> IssuerName {
    IssuerName::parse(name).unwrap()
}

pub(super) fn issuer(of: &str, password: Option<&str>) -> StoredIssuer {
    let changes = IssuerChanges { provider: Some("p".to_owned()), ..IssuerChanges::default() };
    StoredIssuer {
        issuer: Issuer::set(name(of), changes, None, NOW).unwrap(),
        authority: None,
        password: password.map(sealed),
    }
}

fn found(store: &dyn Store, of: &str) -> Option<StoredIssuer> {
    read(store, |tx| tx.issuer(container_id(1), &name(of)))
}

fn contacts(email: &str) -> Contacts {
    Contacts::new(vec![Contact { email: email.to_owned(), name: None, phone: None }]).unwrap()
}

pub fn an_issuer_is_put_over_the_one_of_its_name_without_case(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    let authority = PrivateAuthority {
        container: container_id(1),
        key: object_name("k"),
        version: version_id(3),
        certificate: vec![4],
    };
    let ours = StoredIssuer { authority: Some(authority), ..issuer("Ours", None) };
    write(store, |tx| tx.put_issuer(container_id(1), &issuer("ours", Some("one"))));
    assert_eq!(found(store, "OURS"), Some(issuer("ours", Some("one"))));
    write(store, |tx| tx.put_issuer(container_id(1), &ours));
    assert_eq!(found(store, "ours"), Some(ours));
    assert_eq!(read(store, |tx| tx.issuer(container_id(2), &name("ours"))), None);
}

pub fn issuers_page_in_the_order_of_their_names(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for of in ["b", "C", "a"] {
        write(store, |tx| tx.put_issuer(container_id(1), &issuer(of, None)));
    }
    let list = |after: Option<&str>, limit| {
        let page = read(store, |tx| tx.list_issuers(container_id(1), after, limit));
        page.iter().map(|issuer| issuer.name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((list(None, 9), list(None, 2), list(Some("B"), 9)), ("a b C".into(), "a b".into(), "C".into()));
}

pub fn an_issuer_that_is_not_there_cannot_be_removed(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| tx.put_issuer(container_id(1), &issuer("a", Some("one"))));
    write(store, |tx| tx.remove_issuer(container_id(1), &name("A")));
    assert_eq!(found(store, "a"), None);
    assert_unexpected(store, |tx| tx.remove_issuer(container_id(1), &name("a")));
    assert_unexpected(store, |tx| tx.put_issuer(container_id(7), &issuer("a", None)));
}

pub fn contacts_are_put_over_each_other_and_removed_once(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for email in ["a@example.com", "b@example.com"] {
        write(store, |tx| tx.put_contacts(container_id(1), &contacts(email)));
    }
    assert_eq!(read(store, |tx| tx.contacts(container_id(1))), Some(contacts("b@example.com")));
    write(store, |tx| tx.remove_contacts(container_id(1)));
    assert_eq!(read(store, |tx| tx.contacts(container_id(1))), None);
    assert_unexpected(store, |tx| tx.remove_contacts(container_id(1)));
}

pub fn a_removed_container_takes_its_issuers_and_contacts(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    write(store, |tx| {
        tx.put_issuer(container_id(1), &issuer("a", Some("one")))?;
        tx.put_contacts(container_id(1), &contacts("a@example.com"))
    });
    write(store, |tx| tx.remove_container(container_id(1), proof()));
    assert_eq!((found(store, "a"), read(store, |tx| tx.contacts(container_id(1)))), (None, None));
}

pub fn what_a_certificate_manages_is_not_due_by_itself(harness: &mut dyn Harness) {
    let store = with_vault(harness);
    for kind in [ObjectKind::Certificate, ObjectKind::Secret] {
        let mut stored = object("a", version_id(1));
        stored.object.kind = kind;
        stored.object.managed = kind == ObjectKind::Secret;
        stored.object.state = deleted_until(UnixTime(5));
        write(store, |tx| tx.insert_object(container_id(1), &stored, &version(version_id(1)), &sealed("m")));
    }
    let due = |now| -> Vec<_> {
        read(store, |tx| tx.due_objects(UnixTime(now), 9)).into_iter().map(|due| due.kind).collect()
    };
    assert_eq!((due(4), due(5)), (vec![], vec![ObjectKind::Certificate]));
    let mut follower =
        read(store, |tx| tx.object(container_id(1), ObjectKind::Secret, &object_name("a"))).unwrap().object;
    follower.state = State::Live;
    write(store, |tx| tx.save_object(container_id(1), &follower));
    assert_eq!(due(5), [ObjectKind::Certificate]);
}
