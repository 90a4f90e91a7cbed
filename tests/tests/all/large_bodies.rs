//! Bodies that are larger than others may be: those of restorations.

use e2e::{client::Principal, process::Server, raw::Raw};
use serde_json::json;

const LARGE: usize = 2 << 20;

#[test]
fn who_may_not_restore_takes_no_room_for_large_bodies() {
    let server = Server::ephemeral();
    let client = server.client();
    let vault = client.vault("devvault");
    let host = vault.host();
    let raw = || Raw::new(client.facts(), host);
    let theirs = client.try_token(Principal::Named("NOBODY"), vault.resource()).unwrap();
    let known = format!("Authorization: Bearer {theirs}\r\n");
    let head = |who: &str| {
        format!("POST /keys/restore?api-version=7.5 HTTP/1.1\r\nHost: {host}\r\n{who}Content-Length: {LARGE}\r\n\r\n")
    };
    let mut others: Vec<Raw> = (0..16).map(|_| raw()).collect();
    for (number, other) in others.iter_mut().enumerate() {
        other.begin(head(if number % 2 == 0 { "" } else { &known }).as_bytes());
    }
    // The client does not wait for as long as a body may take.
    let backup = json!({ "value": "A".repeat(LARGE) });
    let answer = vault.call("POST", "/keys/restore", Some(&backup));
    assert_eq!(answer.status, 400, "it was read: {}", answer.body);
    let whole = |who: &str| [head(who).into_bytes(), vec![b'x'; LARGE]].concat();
    assert_eq!(raw().exchange(&whole(""), true).unwrap().status, 401, "that nobody knows who asks comes first");
    assert_eq!(raw().exchange(&whole(&known), true).unwrap().status, 403, "then what they may not do");
}
