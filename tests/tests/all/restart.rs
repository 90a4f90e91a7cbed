//! What a server knew before it was killed, the one that comes after it knows.

use domain::ContainerKind;
use e2e::{
    client::{Principal, SECONDS_PER_DAY},
    containers::{Container, Making},
    process::Server,
};
use serde_json::{Value, json};

const NOBODY: Principal = Principal::Named("NOBODY");
const CRYPTO_USER: &str = "21dbd100-6940-42c2-9190-5d6cb909625b";
const KEY_VAULT_READER: &str = "21090545-7ca7-4776-b22c-e363652d74d2";
const ASSIGNMENT: &str = "5b3e1c9a-0d2f-4a6b-8c7d-9e0f1a2b3c4d";

#[test]
fn keys_come_back_as_they_were() {
    let mut server = Server::kept();
    for kind in ContainerKind::ALL {
        let container = Container::made(server.client(), kind, "before");
        let data = container.data();
        data.create_key("one");
        data.create_key("one");
        let attributes = json!({ "attributes": { "enabled": false }, "tags": { "colour": "blue" } });
        data.create_key("two");
        data.call("PATCH", "/keys/two", Some(&attributes)).expect("updating a key");
        let everything = || ["/keys/one", "/keys/one/versions", "/keys/two", "/keys"].map(|path| data.get(path).body);
        let before = everything();
        server.restart();
        let data = container.through(server.client()).data();
        let after = ["/keys/one", "/keys/one/versions", "/keys/two", "/keys"].map(|path| data.get(path).body);
        assert_eq!(before, after);
        data.sign("one", &[1; 32]).expect("signing after a restart");
    }
}

#[test]
fn deleted_keys_keep_their_dates() {
    let mut server = Server::kept();
    for kind in ContainerKind::ALL {
        let container = Container::made(server.client(), kind, "dates");
        container.data().create_key("gone");
        let answer = container.data().call("DELETE", "/keys/gone", None);
        let promised = ["deletedDate", "scheduledPurgeDate"].map(|name| answer.body.get(name).cloned());
        assert!(promised.iter().all(Option::is_some), "{}", answer.body);
        server.restart();
        let data = container.through(server.client()).data();
        let kept = data.get("/deletedkeys/gone").expect("a deleted key");
        assert_eq!(promised, ["deletedDate", "scheduledPurgeDate"].map(|name| kept.get(name).cloned()));
        data.call("POST", "/deletedkeys/gone/recover", None).expect("recovering");
        data.sign("gone", &[1; 32]).expect("signing with what was recovered");
    }
}

#[test]
fn a_deleted_container_keeps_its_date_and_comes_back_with_its_keys() {
    let mut server = Server::kept();
    for kind in ContainerKind::ALL {
        let container = Container::new(server.client(), kind, "whole");
        container.put(Making { retention_days: 30, purge_protection: true }).expect("making a container");
        container.data().create_key("inside");
        assert!(container.delete().is_success());
        let before = server.client().arm().get(&container.deleted_id()).expect("a deleted container");
        server.restart();
        let container = container.through(server.client());
        assert_eq!(server.client().arm().get(&container.deleted_id()).expect("a deleted container"), before);
        container.recover().expect("recovering a container");
        container.data().sign("inside", &[1; 32]).expect("signing in a recovered container");
    }
}

#[test]
fn tokens_stay_good() {
    let mut server = Server::kept();
    let hsm = Container::made(server.client(), ContainerKind::ManagedHsm, "tokens");
    hsm.data().create_key("k");
    let token = server.client().try_token(Principal::Administrator, hsm.data().resource()).unwrap();
    let arm = server.client().arm();
    let arm_token = server.client().try_token(Principal::Administrator, arm.resource()).unwrap();
    server.restart();
    let data = hsm.through(server.client()).data();
    data.try_call_with(&token, "GET", "/keys/k", None).unwrap().expect("a token from before");
    let arm = server.client().arm();
    arm.try_call_with(&arm_token, "GET", &hsm.id(), None).unwrap().expect("a token from before");
}

#[test]
fn the_development_clock_stays_ahead() {
    let mut server = Server::kept();
    server.client().advance_days(12);
    server.client().advance_days(3);
    let (before, ahead) = server.client().clock();
    assert_eq!(ahead, 15 * SECONDS_PER_DAY);
    server.restart();
    let (after, ahead) = server.client().clock();
    assert_eq!(ahead, 15 * SECONDS_PER_DAY);
    assert!(after >= before);
}

#[test]
fn role_assignments_hold_and_removed_ones_stay_removed() {
    let mut server = Server::kept();
    let hsm = Container::made(server.client(), ContainerKind::ManagedHsm, "roles");
    let vault = Container::made(server.client(), ContainerKind::Vault, "roles");
    for container in [&hsm, &vault] {
        container.data().create_key("k");
    }
    let somebody = server.client().facts().get("NOBODY_OBJECT_ID").to_owned();
    let local = format!("/providers/Microsoft.Authorization/roleAssignments/{ASSIGNMENT}");
    let assignment = |role: &str| {
        let role = format!("Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{role}");
        json!({ "properties": { "roleDefinitionId": role, "principalId": somebody } })
    };
    let at_vault = format!("{}{local}", vault.id());
    let reading = |container: &Container| container.data().by(NOBODY).get("/keys/k").status;

    assert_eq!((reading(&hsm), reading(&vault)), (403, 403));
    hsm.data().call("PUT", &local, Some(&assignment(CRYPTO_USER))).expect("granting in an HSM");
    let role = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{KEY_VAULT_READER}",
        server.client().facts().get("SUBSCRIPTION")
    );
    let grant: Value = json!({ "properties": { "roleDefinitionId": role, "principalId": somebody } });
    server.client().arm_authorization().call("PUT", &at_vault, Some(&grant)).expect("granting in the resource manager");

    server.restart();
    let (hsm, vault) = (hsm.through(server.client()), vault.through(server.client()));
    assert_eq!((reading(&hsm), reading(&vault)), (200, 200));
    hsm.data().call("DELETE", &local, None).expect("revoking in an HSM");
    server.client().arm_authorization().call("DELETE", &at_vault, None).expect("revoking in the resource manager");

    server.restart();
    let (hsm, vault) = (hsm.through(server.client()), vault.through(server.client()));
    assert_eq!((reading(&hsm), reading(&vault)), (403, 403));
}
