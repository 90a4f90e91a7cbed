//! Garbage at the directory, from somebody who may change it.

use super::probe::{Probe, Range, Shape, Verdict};
use e2e::{client::Principal, process::Server};

const UNKNOWN: &str = "00000000-0000-0000-0000-0000000000ff";

/// Every kind of path there is, about a group and about things that do not exist.
fn paths(group: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for collection in [
        "users",
        "groups",
        "applications",
        "servicePrincipals",
        "directoryObjects",
        "directoryRoles",
        "roleManagement/directory/roleAssignments",
        "me",
        "devices",
    ] {
        paths.push(format!("/v1.0/{collection}"));
        for id in [group, UNKNOWN, "%00", "%C3%A9", "('')", "$ref", "'", "..", &"a".repeat(5_000)] {
            for rest in ["", "/owners", "/members", "/members/$ref", "/addPassword", "/checkMemberGroups", "/memberOf"]
            {
                paths.push(format!("/v1.0/{collection}/{id}{rest}"));
            }
            paths.push(format!("/v1.0/{collection}('{id}')"));
            paths.push(format!("/v1.0/groups/{id}/members/{id}/$ref"));
        }
    }
    paths.push("/v1.0/directoryObjects/getByIds".to_owned());
    paths
}

fn bodies(group: &str) -> Vec<Vec<u8>> {
    let deep = [vec![b'['; 5_000], vec![b']'; 5_000]].concat();
    let mut bodies: Vec<Vec<u8>> =
        vec![Vec::new(), b"{".to_vec(), b"[]".to_vec(), b"null".to_vec(), b"\xff".to_vec(), deep];
    for text in [
        r#"{"displayName":"\u0000","userPrincipalName":"u@x"}"#,
        r#"{"displayName":"é","userPrincipalName":"é@x"}"#,
        r#"{"displayName":"a","userPrincipalName":"a@x","id":7}"#,
        r#"{"displayName":["a"],"appId":{}}"#,
        r#"{"displayName":"a","displayName":"b","mailNickname":"\ud83d"}"#,
        r#"{"appId":"not a guid","accountEnabled":"yes"}"#,
        r#"{"passwordCredential":[]}"#,
        r#"{"passwordCredential":{"endDateTime":"9999-12-31T23:59:59Z","startDateTime":"-009999-01-01T00:00:00Z"}}"#,
        r#"{"passwordCredential":{"endDateTime":"99999-12-31T23:59:59Z"}}"#,
        r#"{"keyId":"{","groupIds":[1],"ids":{},"types":"user"}"#,
        r#"{"groupIds":["x",null]}"#,
        r#"{"ids":[],"types":[]}"#,
        r#"{"@odata.id":"https://x/y/"}"#,
        r#"{"roleDefinitionId":"x","principalId":{},"directoryScopeId":7}"#,
        r#"{"roleDefinitionId":null,"principalId":"","directoryScopeId":"/"}"#,
        r#"{"accountEnabled":null,"description":null}"#,
    ] {
        bodies.push(text.into());
    }
    bodies.push(format!(r#"{{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/{group}"}}"#).into());
    bodies.push(format!(r#"{{"displayName":"{}"}}"#, "a".repeat(100_000)).into());
    bodies
}

#[test]
fn the_directory_survives_garbage() {
    let server = Server::ephemeral();
    let client = server.client();
    let arm = client.arm();
    let group = arm.call("POST", "/v1.0/groups", Some(&serde_json::json!({"displayName": "g"}))).expect("a group");
    let group = group["id"].as_str().unwrap().to_owned();
    let token = client.try_token(Principal::Administrator, arm.resource()).unwrap();
    let mut range = Range::new(client.facts(), arm.host(), Some(token), Shape::Any);
    let bodies = bodies(&group);
    for (number, path) in paths(&group).iter().enumerate() {
        for (turn, method) in ["GET", "POST", "PATCH", "DELETE", "PUT"].into_iter().enumerate() {
            let body = bodies[(number * 7 + turn * 3) % bodies.len()].clone();
            range.fire("directory", &Probe::new(method, path.as_str()).body(body), Verdict::Handled);
        }
    }
    for collection in ["users", "groups", "applications", "servicePrincipals"] {
        for body in &bodies {
            range.fire(
                "made of garbage",
                &Probe::new("POST", format!("/v1.0/{collection}")).body(body.clone()),
                Verdict::Handled,
            );
            let path = format!("/v1.0/{collection}/{UNKNOWN}");
            range.fire("changed to garbage", &Probe::new("PATCH", path).body(body.clone()), Verdict::Refused);
        }
        for query in
            ["$top=-1", "$top=1e9", "$skiptoken=%00", "$filter=%27", "$filter=a/any(b:b%20eq%20'", "$top=1&$top=x"]
        {
            range.fire("query", &Probe::new("GET", format!("/v1.0/{collection}?{query}")), Verdict::Handled);
        }
    }
    range.finish(2_000);
    arm.get("/v1.0/servicePrincipals").expect("the directory is as it was");
    server.assert_no_panic();
}
