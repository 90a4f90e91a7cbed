//! Rotation policies, in and out.

use super::*;
use crate::data_plane::{testkit::HOST, version::ApiVersion};
use serde_json::{Value, json};

fn shown(policy: &RotationPolicy, kind: ContainerKind) -> Value {
    let audience = Audience { kind, version: ApiVersion::parse("7.6").unwrap(), host: HOST };
    let name = ObjectName::parse("k").unwrap();
    serde_json::to_value(KeyRotationPolicy::new(policy, &name, audience)).unwrap()
}

fn read_value(body: &Value) -> Result<RotationPolicy, Problem> {
    read(body.to_string().as_bytes())
}

#[test]
fn what_is_sent_is_shown_and_a_vault_adds_its_notice() {
    let sent = json!({
        "id": "ignored", "attributes": {"expiryTime": "P2Y", "created": 5},
        "lifetimeActions": [{"trigger": {"timeAfterCreate": "P18M", "timeBeforeExpiry": null}, "action": {"type": "rotate"}}],
    });
    let policy = read_value(&sent).unwrap();
    let rotate = json!({"action": {"type": "Rotate"}, "trigger": {"timeAfterCreate": "P18M"}});
    let notify = json!({"action": {"type": "Notify"}, "trigger": {"timeBeforeExpiry": "P30D"}});
    let id = format!("https://{HOST}/keys/k/rotationpolicy");
    let hsm = json!({"attributes": {"expiryTime": "P2Y"}, "id": id, "lifetimeActions": [rotate]});
    assert_eq!(shown(&policy, ContainerKind::ManagedHsm), hsm);
    let vault = json!({"attributes": {"expiryTime": "P2Y"}, "id": id, "lifetimeActions": [rotate, notify]});
    assert_eq!(shown(&policy, ContainerKind::Vault), vault);
    assert_eq!(read_value(&vault).unwrap().rotate, policy.rotate);
}

#[test]
fn no_policy_is_shown_as_the_default() {
    let none = RotationPolicy::default();
    assert_eq!(shown(&none, ContainerKind::ManagedHsm)["lifetimeActions"], json!([]));
    assert_eq!(shown(&none, ContainerKind::Vault)["lifetimeActions"][0]["action"]["type"], "Notify");
    assert_eq!(shown(&none, ContainerKind::Vault)["attributes"], json!({}));
}

#[test]
fn a_blank_body_is_a_blank_policy() {
    for body in ["", "{}", r#"{"lifetimeActions":null,"attributes":null}"#, r#"{"lifetimeActions":[],"attributes":{}}"#]
    {
        assert!(read(body.as_bytes()).unwrap().is_blank(), "{body}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let action =
        |trigger: Value, kind: &str| json!({"lifetimeActions": [{"trigger": trigger, "action": {"type": kind}}]});
    let once = json!({"timeAfterCreate": "P90D"});
    for bad in [
        action(json!({}), "Rotate"),
        action(json!({"timeAfterCreate": "P1Y", "timeBeforeExpiry": "P1D"}), "Rotate"),
        action(json!({"timeAfterCreate": "90"}), "Rotate"),
        action(json!({"timeAfterCreate": "-P90D"}), "Rotate"),
        action(json!({"timeAfterCreate": 90}), "Rotate"),
        action(once.clone(), "Destroy"),
        json!({"lifetimeActions": [{"action": {"type": "Rotate"}}]}),
        json!({"lifetimeActions": [{"trigger": once}]}),
        json!({"lifetimeActions": {}}),
        json!({"attributes": {"expiryTime": "two years"}}),
        json!({"lifetimeActions": [
            {"trigger": once, "action": {"type": "Rotate"}}, {"trigger": once, "action": {"type": "ROTATE"}},
        ]}),
        json!([]),
        json!([null, null]),
        json!({"attributes": ["P2Y"]}),
        json!({"lifetimeActions": [[once, {"type": "Rotate"}]]}),
        json!({"lifetimeActions": [{"trigger": once, "action": ["Rotate"]}]}),
        action(json!(["P90D", null]), "Rotate"),
    ] {
        assert!(matches!(read_value(&bad), Err(Problem::BadParameter(_))), "{bad}");
    }
}
