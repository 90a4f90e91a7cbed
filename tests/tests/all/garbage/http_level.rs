//! Garbage below the fronts: tokens that are none, and requests that are hardly HTTP.

use super::{
    ARM_VERSION, DATA_VERSION, assert_well, encoded,
    probe::{Probe, Range, Shape, Verdict},
    token,
};
use domain::ContainerKind;
use e2e::{client::Target, containers::Container, process::Server};
use serde_json::json;

/// A path of each front, with its host.
fn fronts(server: &Server) -> Vec<(Target, String)> {
    let client = server.client();
    let mut fronts: Vec<(Target, String)> = ContainerKind::ALL
        .map(|kind| (Container::made(client, kind, "target").data(), format!("/keys?api-version={DATA_VERSION}")))
        .into();
    fronts.push((client.arm(), format!("/subscriptions?api-version={ARM_VERSION}")));
    for (data, _) in &fronts[..2] {
        data.call("POST", "/keys/stays/create", Some(&json!({ "kty": "RSA" }))).expect("creating a key");
    }
    fronts
}

fn bad_authorizations(right: &str) -> Vec<Vec<u8>> {
    let parts: Vec<&str> = right.split('.').collect();
    let token = |head: &str| format!("Bearer {}.{}.{}", encoded(head.as_bytes()), parts[1], parts[2]).into_bytes();
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let flipped: String = right.chars().rev().collect();
    vec![
        b"".to_vec(),
        b"Bearer".to_vec(),
        b"Bearer ".to_vec(),
        b"Bearer ..".to_vec(),
        b"Bearer a.b.c".to_vec(),
        b"Bearer \xff\xfe".to_vec(),
        b"Basic YTpi".to_vec(),
        b"PoP x".to_vec(),
        format!("Bearer {right}.{right}").into_bytes(),
        format!("Bearer {flipped}").into_bytes(),
        format!("Bearer {}.{}.", parts[0], parts[1]).into_bytes(),
        format!("Bearer {}", &right[..right.len() - 5]).into_bytes(),
        format!("Bearer {}", "a".repeat(20_000)).into_bytes(),
        format!("Bearer {}", ".".repeat(20_000)).into_bytes(),
        token("{\"alg\":\"none\",\"typ\":\"JWT\"}"),
        token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
        token("{\"alg\":[],\"kid\":{}}"),
        token("null"),
        token(&deep),
        format!("Bearer {}.{}.{}", parts[0], encoded(deep.as_bytes()), parts[2]).into_bytes(),
    ]
}

#[test]
fn a_token_that_is_none_is_answered_with_a_challenge() {
    let server = Server::ephemeral();
    for (target, path) in fronts(&server) {
        let right = token(&server, &target).unwrap();
        let mut range = Range::new(server.client().facts(), target.host(), None, Shape::Azure);
        range.fire("no token", &Probe::new("GET", path.as_str()), Verdict::Exactly(401));
        for authorization in bad_authorizations(&right) {
            let what = String::from_utf8_lossy(&authorization).chars().take(40).collect::<String>();
            let probe = Probe::new("GET", path.as_str()).header("authorization", authorization);
            range.fire(&what, &probe, Verdict::Exactly(401));
        }
        // Before a token is seen, nothing else counts.
        for (method, target) in [("BREW", "/nowhere"), ("POST", "/keys/a/create"), ("PUT", "/%20/%20")] {
            range.fire("no token", &Probe::new(method, target).body("{"), Verdict::Bare);
        }
        range.finish(20);
    }
    server.assert_no_panic();
}

#[test]
fn what_is_hardly_http_is_cut_off() {
    let server = Server::ephemeral();
    let fronts = fronts(&server);
    for (target, path) in &fronts {
        let mut range = Range::new(server.client().facts(), target.host(), token(&server, target), Shape::Azure);
        let get = || Probe::new("GET", path.as_str());
        let post = || Probe::new("POST", path.as_str()).body("{}");
        let cut = [
            get().header("content-length", "-1"),
            get().header("content-length", "99999999999999999999999"),
            post().header("content-length", "2").header("content-length", "3"),
            post().header("transfer-encoding", "chunked"),
            post().header("transfer-encoding", "chunked").header("content-length", "2"),
            post().header("transfer-encoding", "gzip"),
            post().header("transfer-encoding", "chunked").body("fffffffffffffffff\r\n"),
            post().header("transfer-encoding", "chunked").body("-1\r\n{}\r\n0\r\n\r\n"),
            get().header("x\r\ny", "z"),
            get().header("a b", "c"),
            get().header("", "c"),
            get().header("x", "a\rb"),
            get().header("x", b"a\0b".to_vec()),
            get().header("host", b"\xff".to_vec()),
            Probe::new("", path.as_str()),
            Probe::new("G\0T", path.as_str()),
            Probe::new("GET", ""),
            Probe::new("GET", "keys"),
            Probe::new("GET", format!("{path} x")),
            Probe::new("GET", [path.as_bytes(), b"&x=\xff"].concat()),
            Probe::new("GET", [b"/\xff\xfe", path.as_bytes()].concat()),
            Probe::new("GET", [b"/\0", path.as_bytes()].concat()),
            Probe::new("CONNECT", "example.com:443"),
            Probe::new("GET", "https://example.com/keys"),
            Probe::new("OPTIONS", "*"),
        ];
        for (number, probe) in cut.iter().enumerate() {
            range.fire(&format!("number {number}"), probe, Verdict::Cut);
        }
        for kibibytes in [33, 66, 100, 200, 1024] {
            let huge = "a".repeat(kibibytes << 10);
            range.fire("a huge path", &Probe::new("GET", format!("/{huge}{path}")), Verdict::Exactly(431));
            range.fire("a huge header", &get().header("x", huge.as_str()), Verdict::Exactly(431));
        }
        let many = (0..300).fold(get(), |probe, _| probe.header("x-many", "1"));
        range.fire("many headers", &many, Verdict::Cut);
        range.fire(
            "a body by pieces",
            &post().header("transfer-encoding", "chunked").body("2\r\n{}\r\n0\r\n\r\n"),
            Verdict::Handled,
        );
        range.finish(37);
        // No front answers for such hosts but the resource manager's.
        let mut range = Range::new(server.client().facts(), target.host(), token(&server, target), Shape::Any);
        for host in ["", "a b"] {
            range.fire(host, &get().header("host", host), Verdict::Handled);
        }
        range.finish(2);
    }
    assert_well(&server, &fronts[0].0);
}

#[test]
fn a_host_that_is_none_of_ours_is_refused() {
    let server = Server::ephemeral();
    let facts = server.client().facts();
    let bare = server.client().arm();
    let mut range = Range::new(facts, bare.host(), None, Shape::Azure);
    let hosts = [
        "example.com",
        ".vault.localhost",
        "vault.localhost",
        "a.b.vault.localhost",
        "..",
        "localhost:99999",
        "[::1]",
        "xn--.vault.localhost",
    ];
    for host in hosts {
        for path in ["/keys?api-version=7.4", "/", "/subscriptions", "/%2e%2e/%2e%2e", "//", "/dev/clock/advance"] {
            for method in ["GET", "POST", "DELETE"] {
                range.fire(host, &Probe::new(method, path).header("host", host), Verdict::Bare);
            }
        }
    }
    range.finish(100);
    server.assert_no_panic();
}
