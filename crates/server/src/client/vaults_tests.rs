//! Commands on vaults and managed HSMs against a scripted control plane.

use std::time::Duration;

use serde_json::json;

use super::super::grammar::Action;
use super::super::http::Response;
use super::super::testing::{Script, answer, settings, typed};
use super::*;

/// Types a command, runs it against the script, and gives what would be printed.
fn ran(line: &str, script: &Script) -> Result<Value, ClientError> {
    let Ok(Action::Vault(command)) = typed(line) else { panic!("'{line}' is not about vaults") };
    let settings = settings();
    carry_out(&mut Session::new(script, &settings), &command)
}

const GROUP: &str = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault";

fn resource(collection: &str, name: &str, state: &str) -> Value {
    json!({
        "id": format!("{GROUP}/{collection}/{name}"), "name": name, "location": "eastus",
        "properties": {"provisioningState": state},
    })
}

fn not_found() -> Response {
    answer(404, json!({"error": {"code": "ResourceNotFound", "message": "none"}}))
}

fn pending(path: &str) -> Response {
    let location = Some(format!("https://localhost:8443{path}"));
    Response { status: 202, location, retry_after: Some(Duration::ZERO), ..Response::default() }
}

fn empty() -> Response {
    Response { status: 200, ..Response::default() }
}

#[test]
fn a_managed_hsm_is_created_where_its_group_is_and_waited_for() {
    let script = Script::arm([
        answer(200, json!({"location": "westeurope"})),
        pending("/op/1"),
        answer(200, resource("managedHSMs", "h", "Succeeded")),
        answer(200, resource("managedHSMs", "h", "Succeeded")),
    ]);
    let shown = ran("keyvault create --hsm-name h -g rg --administrators o1 o2 --retention-days 7", &script).unwrap();
    assert_eq!((&shown["name"], &shown["resourceGroup"]), (&json!("h"), &json!("rg")));
    let asked = script.asked_of_arm();
    assert_eq!(asked[0], "GET+ /resourcegroups/rg?api-version=2024-11-01");
    assert_eq!(
        asked[1],
        r#"PUT+ /resourceGroups/rg~/managedHSMs/h {"location":"westeurope","properties":{"enableSoftDelete":true,"initialAdminObjectIds":["o1","o2"],"softDeleteRetentionInDays":7,"tenantId":"tenant"},"sku":{"family":"B","name":"Standard_B1"}}"#
    );
    assert_eq!(asked[2], "GET+ https://localhost:8443/op/1");
    assert_eq!(asked[3], "GET+ /resourceGroups/rg~/managedHSMs/h");
}

#[test]
fn a_vault_is_created_unless_it_exists_and_waited_for_until_its_name_is_known() {
    let script = Script::arm([
        not_found(),
        answer(200, resource("vaults", "v", "RegisteringDns")),
        answer(200, resource("vaults", "v", "RegisteringDns")),
        answer(200, resource("vaults", "v", "Succeeded")),
    ]);
    let line = "create -n v -g rg -l eastus --enable-purge-protection --sku premium --tags a=b";
    assert_eq!(ran(line, &script).unwrap()["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        script.asked_of_arm()[1],
        r#"PUT+ /resourceGroups/rg~/vaults/v {"location":"eastus","properties":{"accessPolicies":[],"enablePurgeProtection":true,"enableRbacAuthorization":true,"enableSoftDelete":true,"sku":{"family":"A","name":"premium"},"softDeleteRetentionInDays":90,"tenantId":"tenant"},"tags":{"a":"b"}}"#
    );
    assert_eq!(script.pauses.borrow().len(), 1);

    let script = Script::arm([answer(200, resource("vaults", "v", "Succeeded"))]);
    assert_eq!(ran("create -n v -g rg", &script).unwrap_err().exit_code(), 1);
    assert_eq!(script.asked.borrow().len(), 2, "nothing was changed");
}

#[test]
fn a_vault_with_access_policies_gives_its_maker_all_rights_unless_told_not_to() {
    for (option, policies) in [("", 1), (" --no-self-perms", 0)] {
        let script = Script::arm([not_found(), answer(200, resource("vaults", "v", "Succeeded"))]);
        let line = format!("create -n v -g rg -l eastus --no-wait --enable-rbac-authorization false{option}");
        assert_eq!(ran(&line, &script).unwrap(), Value::Null);
        let asked = script.asked_of_arm();
        let body: Value =
            serde_json::from_str(asked[1].split_once(" {").map(|(_, body)| format!("{{{body}")).unwrap().as_str())
                .unwrap();
        assert_eq!(body["properties"]["accessPolicies"].as_array().unwrap().len(), policies, "{option}");
    }
}

#[test]
fn a_managed_hsm_needs_administrators_and_retention_days() {
    for line in
        ["create --hsm-name h -g rg -l x --administrators o", "create --hsm-name h -g rg -l x --retention-days 7"]
    {
        assert_eq!(ran(line, &Script::arm([])).unwrap_err().exit_code(), 2, "{line}");
    }
    assert!(typed("create -n v --hsm-name h -g rg").is_err());
    assert!(typed("show").is_err());
}

#[test]
fn a_resource_group_that_is_not_named_is_looked_for() {
    let list = json!({"value": [resource("vaults", "other", "x"), resource("vaults", "V1", "x")]});
    let script = Script::arm([answer(200, list.clone()), answer(200, resource("vaults", "v1", "Succeeded"))]);
    ran("show --name v1", &script).unwrap();
    assert_eq!(script.asked_of_arm(), ["GET+ ~/vaults", "GET+ /resourceGroups/rg~/vaults/v1"]);

    let missing = ran("show --name v2", &Script::arm([answer(200, list)])).unwrap_err();
    assert_eq!(missing.exit_code(), 3);
}

#[test]
fn lists_hold_vaults_and_managed_hsms_or_one_kind() {
    let page = |collection| answer(200, json!({"value": [resource(collection, "x", "Succeeded")]}));
    let script = Script::arm([page("vaults"), page("managedHSMs")]);
    assert_eq!(ran("list", &script).unwrap().as_array().unwrap().len(), 2);
    assert_eq!(script.asked_of_arm(), ["GET+ ~/vaults", "GET+ ~/managedHSMs"]);

    let script = Script::arm([page("managedHSMs")]);
    ran("list -g rg --resource-type hsm", &script).unwrap();
    assert_eq!(script.asked_of_arm(), ["GET+ /resourceGroups/rg~/managedHSMs"]);

    let script = Script::arm([page("deletedVaults"), page("deletedManagedHSMs")]);
    ran("keyvault list-deleted", &script).unwrap();
    assert_eq!(script.asked_of_arm(), ["GET+ ~/deletedVaults", "GET+ ~/deletedManagedHSMs"]);
}

#[test]
fn a_deletion_is_waited_for_unless_told_not_to() {
    let script = Script::arm([pending("/op"), empty()]);
    assert_eq!(ran("delete --hsm-name h -g rg", &script).unwrap(), Value::Null);
    assert_eq!(script.asked_of_arm(), ["DELETE+ /resourceGroups/rg~/managedHSMs/h", "GET+ https://localhost:8443/op"]);

    let script = Script::arm([pending("/op")]);
    ran("delete --hsm-name h -g rg --no-wait", &script).unwrap();
}

fn deleted_hsms() -> Response {
    let properties = json!({"mhsmId": format!("{GROUP}/managedHSMs/h"), "location": "eastus"});
    answer(200, json!({"value": [{"name": "h", "properties": properties}]}))
}

#[test]
fn a_purge_finds_the_location_and_waits() {
    let done = answer(200, json!({"status": "Succeeded"}));
    let script = Script::arm([deleted_hsms(), pending("/op"), done]);
    assert_eq!(ran("purge --hsm-name h", &script).unwrap(), Value::Null);
    assert_eq!(
        script.asked_of_arm()[..2],
        ["GET+ ~/deletedManagedHSMs", "POST+ ~/locations/eastus/deletedManagedHSMs/h/purge"]
    );

    let script = Script::arm([empty()]);
    ran("purge --name v -l westeurope", &script).unwrap();
    assert_eq!(script.asked_of_arm(), ["POST+ ~/locations/westeurope/deletedVaults/v/purge"]);
}

#[test]
fn a_recovery_goes_back_to_where_the_managed_hsm_was() {
    let there = || answer(200, resource("managedHSMs", "h", "Succeeded"));
    let script = Script::arm([deleted_hsms(), pending("/op"), there(), there()]);
    assert_eq!(ran("recover --hsm-name h", &script).unwrap()["name"], "h");
    assert_eq!(
        script.asked_of_arm()[1],
        r#"PUT+ /resourceGroups/rg~/managedHSMs/h {"location":"eastus","properties":{"createMode":"Recover","tenantId":"tenant"},"sku":{"family":"B","name":"Standard_B1"}}"#
    );

    let elsewhere = ran("recover --hsm-name h -g other", &Script::arm([deleted_hsms()]));
    assert_eq!(elsewhere.unwrap_err().exit_code(), 2);
    let missing = ran("recover --hsm-name x", &Script::arm([deleted_hsms()]));
    assert_eq!(missing.unwrap_err().exit_code(), 3);
}

#[test]
fn an_update_sends_only_what_is_to_change() {
    let there = || answer(200, resource("managedHSMs", "h", "Succeeded"));
    let script = Script::arm([there(), there()]);
    ran("update-hsm --hsm-name h -g rg -e true --public-network-access disabled", &script).unwrap();
    assert_eq!(
        script.asked_of_arm()[0],
        r#"PATCH+ /resourceGroups/rg~/managedHSMs/h {"properties":{"enablePurgeProtection":true,"publicNetworkAccess":"Disabled"}}"#
    );
}

#[test]
fn a_resource_that_failed_to_settle_is_an_error_with_its_reason() {
    let mut failed = resource("managedHSMs", "h", "Failed");
    failed["properties"]["statusMessage"] = json!("no room");
    let script = Script::arm([answer(200, json!({})), answer(200, failed)]);
    let error = ran("update --hsm-name h -g rg -e", &script).unwrap_err();
    assert!(error.to_string().contains("no room"));
}

#[test]
fn without_a_subscription_the_control_plane_is_not_asked() {
    let Ok(Action::Vault(command)) = typed("list") else { panic!("list is not about vaults") };
    let script = Script::arm([]);
    let settings = super::super::settings::Settings { subscription: None, ..settings() };
    let error = carry_out(&mut Session::new(&script, &settings), &command).unwrap_err();
    assert_eq!((error.exit_code(), script.asked.borrow().len()), (2, 0));
}
