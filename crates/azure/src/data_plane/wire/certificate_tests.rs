//! What certificates, their policies and pending operations look like, member for member.

use super::super::{Audience, Bundle};
use super::*;
use crate::data_plane::testkit::{HOST, NOW, ec, policy as deletion_policy, view};
use domain::{
    Body, CertificateBody, CertificateContent, CertificateCourse, ContainerKind, Curve, IssuedCertificate,
    IssuerChanges, IssuerName, KeyRequest, KeyType, OperationError, PolicyRequest, RequestId, State, VersionId,
    lifecycle::Deletion,
};
use engine::ObjectView;

fn audience(version: &str) -> Audience<'static> {
    Audience { kind: ContainerKind::Vault, version: ApiVersion::parse(version).unwrap(), host: HOST }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn request(issuer: &str) -> PolicyRequest {
    let mut request = PolicyRequest { subject: Some("CN=contoso.com".to_owned()), ..PolicyRequest::default() };
    request.issuer.name = Some(issuer.to_owned());
    request
}

fn name() -> ObjectName {
    ObjectName::parse("Cert-1").unwrap()
}

fn shown(request: &PolicyRequest, version: &str) -> String {
    text(&Policy::new(&name(), &CertificatePolicy::filled(request, NOW).unwrap(), audience(version)))
}

#[test]
fn a_default_policy() {
    insta::assert_snapshot!(shown(&request("Self"), "7.6"));
}

#[test]
fn a_policy_with_everything_in_it() {
    let mut request = request("ours");
    request.key = KeyRequest { key_type: Some(KeyType::Ec), curve: Some(Curve::P384), ..KeyRequest::default() };
    request.content_type = Some("application/x-pem-file".to_owned());
    request.issuer.certificate_type = Some("OV-SSL".to_owned());
    request.issuer.transparency = Some(true);
    request.names = Some(domain::AlternativeNames {
        emails: vec!["a@contoso.com".to_owned()],
        dns_names: vec!["contoso.com".to_owned()],
        upns: vec!["b@contoso.com".to_owned()],
        uris: vec!["spiffe://contoso/a".to_owned()],
        ip_addresses: vec!["192.0.2.1".to_owned()],
    });
    request.lifetime_actions = Some(vec![domain::LifetimeStepRequest {
        action: Some(domain::LifetimeStepKind::AutoRenew),
        percentage: None,
        days_before_expiry: Some(30),
    }]);
    insta::assert_snapshot!(shown(&request, "2025-07-01"));
    let older = shown(&request, "7.4");
    assert!(!older.contains("ipAddresses") && !older.contains("spiffe") && older.contains("dns_names"), "{older}");
}

fn operation(issuer: &str) -> CertificateOperation {
    let policy = CertificatePolicy::filled(&request(issuer), NOW).unwrap();
    let (id, version) = (RequestId::from_random([0xab; 16]), VersionId::from_bytes([0xcd; 16]));
    CertificateOperation::begin(id, version, vec![0x30, 0xff, 0xfe], policy.issuer, true, NOW)
}

#[test]
fn a_pending_operation_says_what_it_waits_for_and_how_it_ended() {
    let shown = |operation: &CertificateOperation| text(&Pending::new(&name(), operation, audience("7.6")));
    insta::assert_snapshot!(shown(&operation("Self")));
    insta::assert_snapshot!(shown(&operation("Unknown").complete().unwrap()));
    let error = OperationError { code: "IssuerNotFound".to_owned(), message: "It is gone.".to_owned() };
    insta::assert_snapshot!(shown(&operation("ours").fail(error).unwrap()));
    assert!(shown(&operation("Unknown")).contains(WAITS_FOR_MERGE));
    let mut logged = request("ours");
    logged.issuer.transparency = Some(false);
    let policy = CertificatePolicy::filled(&logged, NOW).unwrap();
    let operation = CertificateOperation { issuer: policy.issuer.clone(), ..operation("ours") };
    assert!(!shown(&operation).contains("cert_transparency"), "the policy says it");
    assert!(text(&Policy::new(&name(), &policy, audience("7.6"))).contains("cert_transparency"));
}

fn certificate(issued: bool) -> ObjectView {
    let mut view = view(ec(false), deletion_policy(Some(90), false));
    view.object.kind = ObjectKind::Certificate;
    view.object.course =
        Some(Box::new(CertificateCourse::new(CertificatePolicy::filled(&request("Self"), NOW).unwrap())));
    let issued = issued.then(|| IssuedCertificate {
        der: vec![0x30, 0xff, 0xfe, 0xfd],
        chain: Vec::new(),
        thumbprint: [0xfb; 20],
        subject: "CN=contoso.com".to_owned(),
    });
    let content = CertificateContent::Pem;
    let body = CertificateBody { key: ec(false), exportable: true, content, preserve_order: false, issued };
    view.version.body = Body::Certificate(body);
    view
}

#[test]
fn a_certificate_names_its_key_and_its_secret_once_it_is_made() {
    let made = certificate(true);
    insta::assert_snapshot!(text(&Bundle::new(&made, audience("2026-04-01"))));
    let pending = text(&Bundle::new(&certificate(false), audience("2026-04-01")));
    for absent in ["\"cer\"", "\"kid\"", "\"sid\"", "\"x5t\""] {
        assert!(!pending.contains(absent), "{absent}: {pending}");
    }
    assert!(
        pending.contains("\"policy\"") && !text(&Bundle::new(&made, audience("7.4"))).contains("preserveCertOrder")
    );
}

fn value(bundle: &Bundle<'_>) -> serde_json::Value {
    serde_json::to_value(bundle).unwrap()
}

#[test]
fn key_usages_come_in_the_order_of_the_alphabet() {
    use KeyUsage::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};
    let mut request = request("Self");
    request.key_usage = Some(vec![KeyEncipherment, DigitalSignature, KeyCertSign, CrlSign]);
    let policy = CertificatePolicy::filled(&request, NOW).unwrap();
    let shown = serde_json::to_value(Policy::new(&name(), &policy, audience("7.6"))).unwrap();
    let sorted = serde_json::json!(["cRLSign", "digitalSignature", "keyCertSign", "keyEncipherment"]);
    assert_eq!(shown["x509_props"]["key_usage"], sorted);
    assert_eq!(policy.x509.key_usage[0], KeyEncipherment, "it is only shown so");
}

#[test]
fn an_imported_authority_is_shown_as_one() {
    let mut policy = CertificatePolicy::filled(&request("Self"), NOW).unwrap();
    for is_authority in [false, true] {
        policy.x509.is_authority = is_authority;
        let shown = serde_json::to_value(Policy::new(&name(), &policy, audience("7.6"))).unwrap();
        assert_eq!(shown["x509_props"]["basic_constraints"], serde_json::json!({ "ca": is_authority }));
    }
}

/// With the operation that makes it, or made it.
fn with_operation(mut view: ObjectView) -> ObjectView {
    view.object.course.as_mut().unwrap().pending = Some(operation("Self"));
    view
}

#[test]
fn a_certificate_that_is_not_made_yet_is_disabled_and_has_the_dates_it_would_have_had() {
    let view = with_operation(certificate(false));
    let made = view.version.attributes.created;
    let shown = value(&Bundle::new(&view, audience("7.6")));
    assert_eq!(shown["attributes"]["enabled"], false);
    assert_eq!(shown["attributes"]["nbf"], made.0 - 600);
    assert_eq!(shown["attributes"]["exp"], made.plus_days(366).0);
    let item = value(&Bundle::of_object(&view, audience("7.6")));
    assert_eq!(item["attributes"], shown["attributes"]);
    assert_eq!(item["subject"], "");
    assert!(item.get("x5t").is_none() && item.get("pending").is_none());
}

#[test]
fn what_belongs_to_the_whole_certificate_is_not_shown_with_a_version_of_it() {
    let members = |bundle: Bundle<'_>| {
        let shown = value(&bundle);
        ["cer", "policy", "pending"].map(|member| shown.get(member).is_some())
    };
    let (alone, made) = (certificate(true), with_operation(certificate(true)));
    assert_eq!(members(Bundle::new(&alone, audience("7.6"))), [true, true, false]);
    assert_eq!(members(Bundle::new(&made, audience("7.6"))), [true; 3]);
    assert_eq!(members(Bundle::of_version_alone(&made, audience("7.6"))), [true, false, false]);
    assert_eq!(members(Bundle::of_changed_version(&made, audience("7.6"))), [true, false, true]);
    let id = format!("https://{HOST}/certificates/Cert-1/pending");
    let mut named = made;
    named.object.name = name();
    assert_eq!(value(&Bundle::new(&named, audience("7.6")))["pending"], serde_json::json!({ "id": id }));
}

#[test]
fn lists_of_certificates_show_thumbprints_and_deleted_ones_their_dates() {
    let mut view = certificate(true);
    insta::assert_snapshot!(text(&Bundle::of_object(&view, audience("7.4"))));
    view.object.state = State::Deleted(Deletion { deleted_at: NOW, scheduled_purge_at: NOW.plus_days(90) });
    let deleted = text(&Bundle::new(&view, audience("7.4")));
    for shown in ["recoveryId", "deletedcertificates", "scheduledPurgeDate", "deletedDate", "\"cer\""] {
        assert!(deleted.contains(shown), "{shown}: {deleted}");
    }
    let item = value(&Bundle::of_object(&view, audience("7.4")));
    assert!(item.get("subject").is_none() && item["x5t"].is_string(), "{item}");
}

#[test]
fn an_issuer_never_shows_its_password() {
    let changes = IssuerChanges {
        provider: Some("Test".to_owned()),
        account_id: Some("me".to_owned()),
        has_password: true,
        administrators: Some(vec![domain::Administrator {
            email: Some("a@contoso.com".to_owned()),
            ..domain::Administrator::default()
        }]),
        ..IssuerChanges::default()
    };
    let issuer = Issuer::set(IssuerName::parse("i").unwrap(), changes, None, NOW).unwrap();
    insta::assert_snapshot!(text(&IssuerBundle::new(&issuer, audience("7.4"))));
    let id = format!("https://{HOST}/certificates/issuers/i");
    let item = serde_json::to_value(IssuerItem::new(&issuer, audience("7.4"))).unwrap();
    assert_eq!(item, serde_json::json!({ "id": id, "provider": "Test" }));
}

#[test]
fn of_an_issuer_only_what_was_set_is_shown() {
    let shown = |changes| {
        let issuer = Issuer::set(IssuerName::parse("i").unwrap(), changes, None, NOW).unwrap();
        serde_json::to_value(IssuerBundle::new(&issuer, audience("7.4"))).unwrap()
    };
    let bare = IssuerChanges { provider: Some("Test".to_owned()), ..IssuerChanges::default() };
    let nothing = shown(bare.clone());
    assert_eq!((nothing.get("credentials"), nothing.get("org_details")), (None, None));
    let named = shown(IssuerChanges { organization_id: Some("TestOrg".to_owned()), ..bare });
    assert_eq!(named["org_details"], serde_json::json!({ "id": "TestOrg" }));
}

#[test]
fn contacts_come_as_one_list() {
    let contact = domain::Contact { email: "a@contoso.com".to_owned(), name: Some("A".to_owned()), phone: None };
    let contacts = Contacts::new(vec![contact]).unwrap();
    let shown = serde_json::to_value(ContactList::new(&contacts, audience("7.4"))).unwrap();
    let expected = serde_json::json!({
        "contacts": [{ "email": "a@contoso.com", "name": "A" }],
        "id": format!("https://{HOST}/certificates/contacts"),
    });
    assert_eq!(shown, expected);
}
