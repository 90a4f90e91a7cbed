//! Garbage at the sign-in front: the token endpoint, the managed-identity endpoint, and the documents around them.

use super::probe::{Probe, Range, Shape, Verdict};
use e2e::{client::Facts, process::Server};

const WORDS: [&str; 4] = ["%5B%5D", "%7B%7D", "..%2F..", "%0d%0aSet-Cookie:x"];
const FORM: &str = "application/x-www-form-urlencoded";

fn endpoints(facts: &Facts) -> [String; 4] {
    let tenant = facts.get("TENANT");
    [
        format!("/{tenant}/oauth2/v2.0/token"),
        format!("/{tenant}/oauth2/token"),
        "/adfs/oauth2/token".to_owned(),
        "/organizations/oauth2/v2.0/token".to_owned(),
    ]
}

/// A right request as pairs.
fn right(facts: &Facts) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", facts.get("APP_ID").to_owned()),
        ("client_secret", facts.get("APP_SECRET").to_owned()),
        ("scope", "https%3A%2F%2Fvault.azure.net%2F.default".to_owned()),
    ]
}

fn form(pairs: &[(&str, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Forms that are wrong all over, or in one parameter.
fn wrong_forms(facts: &Facts) -> Vec<Vec<u8>> {
    let right = right(facts);
    let whole = form(&right);
    let mut wrong: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{}".to_vec(),
        b"null".to_vec(),
        b"\xff\xfe".to_vec(),
        b"&&&&===&".to_vec(),
        b"grant_type".to_vec(),
        b"%".to_vec(),
        b"%zz=%zz".to_vec(),
        format!("{whole}&x=%ff").into_bytes(),
        format!("{whole}&{whole}").into_bytes(),
        vec![b'['; 10_000],
        "a=1&".repeat(10_000).into_bytes(),
        (0..10_000).map(|number| format!("a{number}=1&")).collect::<String>().into_bytes(),
    ];
    let values =
        ["", "%00", "%ff", "%F0%9F%98%80", "a%20b", WORDS[0], WORDS[1], WORDS[2], WORDS[3], &"a".repeat(5_000)];
    for at in 0..right.len() {
        let mut without = right.clone();
        without.remove(at);
        wrong.push(form(&without).into_bytes());
        // A resource may be any word in the older dialects: whether it means anything is for the one who gets the token.
        for value in values.into_iter().filter(|value| right[at].0 != "scope" || !WORDS.contains(value)) {
            let mut changed = right.clone();
            changed[at].1 = value.to_owned();
            wrong.push(form(&changed).into_bytes());
        }
    }
    for grant in
        ["password", "refresh_token", "authorization_code", "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"]
    {
        let mut changed = right.clone();
        changed[0].1 = grant.to_owned();
        wrong.push(form(&changed).into_bytes());
    }
    wrong
}

#[test]
fn the_token_endpoint_survives_garbage() {
    let server = Server::ephemeral();
    let facts = server.client().facts();
    let bare = server.client().arm();
    let mut range = Range::new(facts, bare.host(), None, Shape::OAuth);
    for endpoint in endpoints(facts) {
        for body in wrong_forms(facts) {
            let what = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
            range.fire(
                &what,
                &Probe::new("POST", endpoint.as_str()).header("content-type", FORM).body(body),
                Verdict::Refused,
            );
        }
        let right = form(&right(facts));
        let post = || Probe::new("POST", endpoint.as_str()).body(right.as_str());
        for claims in ["%7B", "null", "%5B%5D", "%7B%22access_token%22%3A5%7D", &"%5B".repeat(5_000)] {
            let probe = post().body(format!("{right}&claims={claims}")).header("content-type", FORM);
            range.fire("claims", &probe, Verdict::Handled);
        }
        for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x", ";"] {
            range.fire(content_type, &post().header("content-type", content_type), Verdict::Handled);
        }
        for authorization in ["Basic", "Basic !!!", "Basic Og==", "Basic /w==", "Bearer x", "Negotiate"] {
            let probe = post().header("content-type", FORM).header("authorization", authorization);
            range.fire(authorization, &probe, Verdict::Refused);
        }
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let probe = Probe::new(method, endpoint.as_str()).header("content-type", FORM).body(right.as_str());
            range.fire("wrong method", &probe, Verdict::Bare);
        }
    }
    range.finish(200);
    let token = server.client().try_token(e2e::client::Principal::Administrator, "https://vault.azure.net");
    assert!(!token.unwrap().is_empty());
    server.assert_no_panic();
}

#[test]
fn a_token_request_that_is_too_large_is_refused() {
    let server = Server::ephemeral();
    let facts = server.client().facts();
    let bare = server.client().arm();
    // The limit is the network's, and so is the shape of its refusal.
    let mut range = Range::new(facts, bare.host(), None, Shape::Azure);
    for endpoint in endpoints(facts) {
        let probe = Probe::new("POST", endpoint).header("content-type", FORM).body(vec![b'a'; 2 << 20]);
        range.fire("two mebibytes", &probe, Verdict::Exactly(413));
    }
    range.finish(4);
}

#[test]
fn everything_else_on_the_bare_host_survives_garbage() {
    let server = Server::ephemeral();
    let facts = server.client().facts();
    let bare = server.client().arm();
    let mut range = Range::new(facts, bare.host(), None, Shape::Any);
    let tenant = facts.get("TENANT");
    let long = "a".repeat(20_000);
    let paths = [
        "/metadata/endpoints".to_owned(),
        "/metadata/identity/oauth2/token".to_owned(),
        "/msi/token".to_owned(),
        "/common/discovery/instance".to_owned(),
        format!("/{tenant}/v2.0/.well-known/openid-configuration"),
        format!("/{tenant}/discovery/v2.0/keys"),
        format!("/{tenant}/oauth2/v2.0/authorize"),
        "/v1.0/me".to_owned(),
        "/v1.0/servicePrincipals".to_owned(),
        "/v1.0/directoryObjects/getByIds".to_owned(),
        "/dev/clock".to_owned(),
        "/dev/clock/advance".to_owned(),
        "/health".to_owned(),
        "/%00".to_owned(),
        format!("/{long}"),
        format!("/v1.0/{long}"),
    ];
    let queries = [
        "",
        "?%ff",
        "?$filter=%27%27%27",
        "?$filter=((((((",
        "?resource=%ff",
        "?resource=%00&api-version=x",
        "?api-version=99999999999999999999",
    ];
    let bodies: [&[u8]; 6] =
        [b"", b"{", b"[]", b"{\"seconds\":\"many\"}", b"{\"seconds\":-9223372036854775808}", b"\xff"];
    for path in &paths {
        for query in queries {
            for method in ["GET", "POST", "PUT", "DELETE", "BREW"] {
                let body = bodies[range_index(path, query, method) % bodies.len()];
                let probe = Probe::new(method, format!("{path}{query}")).body(body).header("metadata", "true");
                range.fire("bare host", &probe, Verdict::Handled);
            }
        }
        for body in bodies {
            range.fire("bare host", &Probe::new("POST", path.as_str()).body(body), Verdict::Handled);
        }
    }
    range.finish(600);
    server.assert_no_panic();
}

/// Which of several bodies goes with which request: any, but each time the same.
fn range_index(path: &str, query: &str, method: &str) -> usize {
    path.len() + 3 * query.len() + 7 * method.len()
}
