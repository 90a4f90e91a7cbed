//! Bodies that are larger than others may be: those of restorations.

use e2e::{process::Server, raw::Raw};
use serde_json::json;

const LARGE: usize = 2 << 20;

#[test]
fn who_is_not_known_takes_no_room_for_large_bodies() {
    let server = Server::ephemeral();
    let vault = server.client().vault("devvault");
    let raw = || Raw::new(server.client().facts(), vault.host());
    let head = |length: usize| {
        let host = vault.host();
        format!("POST /keys/restore?api-version=7.5 HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n")
    };
    let mut strangers: Vec<Raw> = (0..8).map(|_| raw()).collect();
    for stranger in &mut strangers {
        stranger.begin(head(LARGE).as_bytes());
    }
    // The client does not wait for as long as a body may take.
    let backup = json!({ "value": "A".repeat(LARGE) });
    let answer = vault.call("POST", "/keys/restore", Some(&backup));
    assert_eq!(answer.status, 400, "it was read: {}", answer.body);
    let whole = [head(LARGE).into_bytes(), vec![b'x'; LARGE]].concat();
    assert_eq!(raw().exchange(&whole, true).unwrap().status, 401, "that nobody knows who asks comes first");
}
