//! Who may be a contact.

use super::*;
use crate::certificate::testkit::parameter;

fn contact(email: &str) -> Contact {
    Contact { email: email.to_owned(), name: None, phone: None }
}

#[test]
fn contacts_have_an_address_and_are_not_too_many() {
    let full = Contact { name: Some("Grün".to_owned()), phone: Some(String::new()), ..contact("a@contoso.com") };
    assert!(Contacts::new(vec![full.clone(), contact("b@contoso.com")]).is_ok());
    assert!(Contacts::new(vec![full.clone(); Contacts::MOST]).is_ok());
    for (contacts, wrong) in [
        (Vec::new(), "contacts"),
        (vec![full.clone(); Contacts::MOST + 1], "contacts"),
        (vec![full.clone(), contact("")], "email"),
        (vec![contact("contoso.com")], "email"),
        (vec![Contact { name: Some("n".repeat(256)), ..full.clone() }], "contacts"),
        (vec![Contact { phone: Some("1\n2".to_owned()), ..full.clone() }], "contacts"),
    ] {
        assert_eq!(parameter(Contacts::new(contacts)), wrong);
    }
}

#[test]
fn contacts_read_back_as_stored() {
    let contacts = Contacts::new(vec![contact("a@contoso.com")]).unwrap();
    let stored = serde_json::to_string(&contacts).unwrap();
    assert_eq!(serde_json::from_str::<Contacts>(&stored).unwrap(), contacts);
    assert_eq!(contacts.as_slice(), [contact("a@contoso.com")]);
    let later = r#"[{"email":"a@contoso.com","pager":"1"}]"#;
    assert_eq!(serde_json::from_str::<Contacts>(later).unwrap(), contacts);
}
