//! Commands on the directory against a scripted server.

use super::super::http::Response;
use super::super::testing::{Script, answer, settings, typed_identity};
use super::*;

const GROUP: &str = "00000000-0000-0000-0000-000000000007";

fn run(script: &Script, line: &str) -> Result<Value, ClientError> {
    let settings = settings();
    carry_out(&mut Session::new(script, &settings), &typed_identity(line).unwrap())
}

fn done() -> Response {
    Response { status: 204, ..Response::default() }
}

fn list(entries: Value) -> Response {
    answer(200, json!({ "value": entries }))
}

#[test]
fn a_user_is_made_with_the_id_that_the_issuer_knows() {
    let script = Script::arm([answer(201, json!({"@odata.context": "x", "id": "1"}))]);
    let line = "user create --display-name Ada --user-principal-name ada@x --object-id 1";
    assert_eq!(run(&script, line).unwrap(), json!({"id": "1"}));
    assert_eq!(
        script.asked_of_graph(),
        [r#"POST+ /users {"accountEnabled":true,"displayName":"Ada","id":"1","userPrincipalName":"ada@x"}"#]
    );
}

#[test]
fn a_user_is_disabled_and_shown() {
    let script = Script::arm([done(), answer(200, json!({"id": "1", "accountEnabled": false}))]);
    let shown = run(&script, "user update --id ada@x --enabled false").unwrap();
    assert_eq!(shown["accountEnabled"], false);
    assert_eq!(script.asked_of_graph(), [r#"PATCH+ /users/ada%40x {"accountEnabled":false}"#, "GET+ /users/ada%40x"]);
    assert!(typed_identity("user update --id ada@x").is_err(), "there has to be something to change");
}

#[test]
fn a_group_may_be_called_by_its_name_if_only_one_has_it() {
    let script = Script::arm([list(json!([{"id": GROUP}])), done()]);
    assert_eq!(run(&script, "group member add -g O'Brien --member-id 6").unwrap(), Value::Null);
    assert_eq!(
        script.asked_of_graph(),
        [
            "GET+ /groups?$filter=displayName%20eq%20%27O%27%27Brien%27".to_owned(),
            format!(
                r#"POST+ /groups/{GROUP}/members/$ref {{"@odata.id":"https://localhost:8443/v1.0/directoryObjects/6"}}"#
            ),
        ]
    );
    let two = run(&Script::arm([list(json!([{"id": "1"}, {"id": "2"}]))]), "group show --group g");
    assert_eq!(two.unwrap_err().exit_code(), 2);
    let none = run(&Script::arm([list(json!([]))]), "group show --group g");
    assert_eq!(none.unwrap_err().exit_code(), 3);
}

#[test]
fn members_are_listed_to_the_last_page() {
    let next = "https://localhost:8443/v1.0/more";
    let first = answer(200, json!({"value": [{"id": "1"}], "@odata.nextLink": next}));
    let script = Script::arm([first, list(json!([{"id": "2"}]))]);
    let found = run(&script, &format!("group member list --group {GROUP} --transitive")).unwrap();
    assert_eq!(found, json!([{"id": "1"}, {"id": "2"}]));
    assert_eq!(script.asked_of_graph(), [format!("GET+ /groups/{GROUP}/transitiveMembers"), "GET+ /more".to_owned()]);
}

#[test]
fn a_service_principal_is_made_with_its_application() {
    let script =
        Script::arm([answer(201, json!({"appId": "3", "id": "4"})), answer(201, json!({"appId": "3", "id": "2"}))]);
    assert_eq!(run(&script, "sp create --display-name robot").unwrap()["id"], "2");
    assert_eq!(
        script.asked_of_graph(),
        [
            r#"POST+ /applications {"displayName":"robot"}"#,
            r#"POST+ /servicePrincipals {"accountEnabled":true,"appId":"3"}"#
        ]
    );
}

#[test]
fn a_new_secret_is_printed_with_the_id_to_use_it_with() {
    let principal = json!([{"appId": "3", "id": "2", "passwordCredentials": [{"keyId": "9"}]}]);
    let script = Script::arm([list(principal.clone()), answer(200, json!({"secretText": "s", "keyId": "8"}))]);
    let added = run(&script, "sp secret add --id 3 --end-date 2030-12-31T23:59:59Z").unwrap();
    assert_eq!(added, json!({"appId": "3", "keyId": "8", "secretText": "s"}));
    assert_eq!(
        script.asked_of_graph()[1],
        r#"POST+ /servicePrincipals/2/addPassword {"passwordCredential":{"displayName":null,"endDateTime":"2030-12-31T23:59:59Z"}}"#
    );
    let script = Script::arm([list(principal.clone())]);
    assert_eq!(run(&script, "sp secret list --id 3").unwrap(), json!([{"keyId": "9"}]));
    let script = Script::arm([list(principal.clone()), done()]);
    run(&script, "sp secret remove --id 3 --key-id 9").unwrap();
    assert_eq!(script.asked_of_graph()[1], r#"POST+ /servicePrincipals/2/removePassword {"keyId":"9"}"#);
    let script = Script::arm([list(principal), done()]);
    run(&script, "sp delete --id 3").unwrap();
    assert_eq!(script.asked_of_graph()[1], "DELETE+ /applications(appId='3')");
}

#[test]
fn an_id_that_is_no_applications_is_a_service_principals() {
    let missing = json!({"error": {"code": "Request_ResourceNotFound", "message": "Resource '2' does not exist."}});
    let script = Script::arm([list(json!([])), answer(404, missing)]);
    let refused = run(&script, "sp show --id 2").unwrap_err();
    assert_eq!(refused.exit_code(), 3);
    assert_eq!(refused.to_string(), "(Request_ResourceNotFound) Resource '2' does not exist.");
    assert_eq!(script.asked_of_graph()[1], "GET+ /servicePrincipals/2");
}

#[test]
fn every_command_takes_the_global_options() {
    for line in [
        "user create --display-name a --user-principal-name a@x",
        "user list",
        "user show --id 1",
        "user update --id 1 --display-name a",
        "user delete --id 1",
        "group create --display-name g --description d",
        "group list",
        "group show --group g",
        "group delete -g g",
        "group member add --group g --member-id 1",
        "group member list --group g",
        "group member remove --group g --member-id 1",
        "sp create --display-name a",
        "sp list",
        "sp show --id 1",
        "sp update --id 1 --enabled true",
        "sp delete --id 1",
        "sp secret add --id 1 --display-name a",
        "sp secret list --id 1",
        "sp secret remove --id 1 --key-id 2",
    ] {
        let command = typed_identity(&format!("{line} -o table --url https://x")).unwrap();
        let global = command.global();
        assert_eq!((global.output.as_deref(), global.url.as_deref()), (Some("table"), Some("https://x")), "{line}");
    }
}
