//! What answers look like, member for member.

use super::{
    key::{HSM_RSA_ORDER, in_wire_order},
    *,
};
use crate::data_plane::testkit::{HOST, NOW, ec, oct, policy, rsa, view};
use domain::{KeyOperation, Secret, SecretBody, State, lifecycle::Deletion};
use engine::CryptoResult;

const HSM: ContainerKind = ContainerKind::ManagedHsm;
const VAULT: ContainerKind = ContainerKind::Vault;

fn audience(kind: ContainerKind, version: &str) -> Audience<'static> {
    Audience { kind, version: ApiVersion::parse(version).unwrap(), host: HOST }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn a_new_key_of_a_vault() {
    let view = view(rsa(false), policy(Some(90), false));
    insta::assert_snapshot!(text(&Bundle::new(&view, audience(VAULT, "7.6"))));
}

#[test]
fn an_old_version_knows_fewer_attributes() {
    let view = view(rsa(false), policy(Some(90), true));
    insta::assert_snapshot!(text(&Bundle::new(&view, audience(VAULT, "7.2"))));
}

#[test]
fn a_managed_hsm_sorts_members_and_has_its_own_order_of_operations() {
    let mut view = view(rsa(true), policy(Some(7), false));
    view.version.tags.insert("purpose".to_owned(), "test".to_owned());
    view.version.attributes.not_before = Some(NOW);
    view.version.attributes.expires = Some(NOW.plus_days(1));
    insta::assert_snapshot!(text(&Bundle::new(&view, audience(HSM, "7.4"))));
}

#[test]
fn a_symmetric_key_shows_nothing_of_itself_but_its_size() {
    let view = view(oct(), policy(Some(7), false));
    insta::assert_snapshot!(text(&Bundle::new(&view, audience(HSM, "2026-04-01"))));
    let older = text(&Bundle::new(&view, audience(HSM, "2025-07-01")));
    assert!(!older.contains("key_size"));
}

#[test]
fn a_deleted_key_says_until_when_it_can_be_recovered() {
    let mut view = view(ec(false), policy(Some(7), true));
    let deletion = Deletion { deleted_at: NOW, scheduled_purge_at: NOW.plus_days(7) };
    view.object.state = State::Deleted(deletion);
    insta::assert_snapshot!(text(&Bundle::new(&view, audience(VAULT, "7.6"))));
    insta::assert_snapshot!(text(&Bundle::of_object(&view, audience(VAULT, "7.6"))));
}

#[test]
fn the_key_of_a_certificate_does_not_say_whether_it_may_leave() {
    let mut view = view(rsa(false), policy(None, false));
    assert!(text(&Bundle::new(&view, audience(VAULT, "7.6"))).contains("exportable"));
    view.object.managed = true;
    assert!(!text(&Bundle::new(&view, audience(VAULT, "7.6"))).contains("exportable"));
}

#[test]
fn lists_of_keys_have_no_versions_and_lists_of_versions_have() {
    let view = view(ec(false), policy(None, false));
    let next_link = Some("https://next".to_owned());
    let items =
        vec![Bundle::of_object(&view, audience(VAULT, "7.0")), Bundle::of_version(&view, audience(VAULT, "7.0"))];
    insta::assert_snapshot!(text(&ListResult::new(next_link, items, VAULT)));
    let last = |kind| serde_json::to_string(&ListResult::<()>::new(None, Vec::new(), kind)).unwrap();
    assert_eq!(last(VAULT), r#"{"nextLink":null,"value":[]}"#);
    assert_eq!(last(HSM), r#"{"value":[]}"#);
}

#[test]
fn operations_not_at_their_default_stay_in_their_order() {
    use KeyOperation as Op;
    assert_eq!(in_wire_order(&[Op::Verify, Op::Sign], HSM), [Op::Verify, Op::Sign]);
    let all = KeySpec::DEFAULT_RSA.default_operations();
    assert_eq!(in_wire_order(&all, HSM), HSM_RSA_ORDER);
    assert_eq!(in_wire_order(&all, VAULT), all);
}

#[test]
fn a_result_has_only_what_there_is_and_names_its_algorithm_in_a_managed_hsm() {
    let mut result = CryptoResult {
        version: VersionId::from_random([1; 16]),
        name: ObjectName::parse("k").unwrap(),
        value: Secret::new(vec![0xff, 0xfe]),
        iv: None,
        tag: None,
        aad: None,
    };
    let kid = format!("https://{HOST}/keys/k/{}", "01".repeat(16));
    let shown = |result: &CryptoResult, kind| key_operation_result(result, "A128CBC", audience(kind, "7.4"));
    assert_eq!(shown(&result, VAULT), format!(r#"{{"kid":"{kid}","value":"__4"}}"#));
    assert_eq!(shown(&result, HSM), format!(r#"{{"alg":"A128CBC","kid":"{kid}","value":"__4"}}"#));
    (result.iv, result.tag, result.aad) = (Some(vec![1]), Some(vec![2]), Some(vec![]));
    assert_eq!(
        shown(&result, HSM),
        format!(r#"{{"aad":"","alg":"A128CBC","iv":"AQ","kid":"{kid}","tag":"Ag","value":"__4"}}"#)
    );
}

fn secret(body: SecretBody) -> SecretView {
    let mut view = view(rsa(false), policy(Some(90), false));
    view.object.kind = ObjectKind::Secret;
    view.version.body = Body::Secret(body);
    SecretView { view, value: Secret::new("gro\u{df}".as_bytes().to_vec()) }
}

#[test]
fn a_secret_has_its_value_and_no_attributes_of_keys() {
    let secret = secret(SecretBody { content_type: Some("text/plain".to_owned()), previous: None });
    insta::assert_snapshot!(text(&Bundle::of_secret(&secret, audience(VAULT, "2026-04-01"))));
}

#[test]
fn lists_and_deleted_secrets_show_no_value() {
    let mut secret = secret(SecretBody { content_type: Some("text/plain".to_owned()), previous: None });
    let item = text(&Bundle::of_object(&secret.view, audience(VAULT, "7.4")));
    secret.view.object.state = State::Deleted(Deletion { deleted_at: NOW, scheduled_purge_at: NOW.plus_days(90) });
    let deleted = text(&Bundle::new(&secret.view, audience(VAULT, "7.4")));
    for shown in [&item, &deleted] {
        assert!(!shown.contains("\"value\"") && shown.contains("\"contentType\": \"text/plain\""), "{shown}");
    }
    insta::assert_snapshot!(deleted);
}

#[test]
fn the_secret_of_a_certificate_names_its_key() {
    let mut secret = secret(SecretBody {
        content_type: Some("application/x-pkcs12".to_owned()),
        previous: Some(VersionId::from_random([7; 16])),
    });
    secret.view.object.managed = true;
    insta::assert_snapshot!(text(&Bundle::of_secret(&secret, audience(VAULT, "2026-04-01"))));
    let older = text(&Bundle::of_secret(&secret, audience(VAULT, "7.6")));
    assert!(!older.contains("previousVersion") && older.contains("\"managed\": true"));
}
