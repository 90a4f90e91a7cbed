//! The audit log: one record for each request that reaches a container, whatever becomes of it.

use super::site::{ADMIN, HSM, LEGACY, NOBODY, Site, VAULT, hsm, new_vault, request, vault};
use domain::{AuditRecord, Event, Operation, OtherEvent, Outcome};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;
const SECRET_BYTES: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U";

/// What each record says, in short: operation, how it ended, status, what was acted on.
fn told(records: &[AuditRecord<'_>]) -> Vec<(Event, String, Option<u16>, String)> {
    let told = |record: &AuditRecord<'_>| {
        let signature = record.result_signature.clone().into_owned();
        assert_eq!(record.outcome == Outcome::Done, signature == "OK");
        (record.event, signature, record.properties.http_status_code, record.properties.id.clone().into_owned())
    };
    records.iter().map(told).collect()
}

fn line(operation: Operation, ending: &str, status: u16, id: &str) -> (Event, String, Option<u16>, String) {
    (Event::Operation(operation), ending.to_owned(), Some(status), id.to_owned())
}

fn other(event: OtherEvent, ending: &str, status: u16) -> (Event, String, Option<u16>, String) {
    (Event::Other(event), ending.to_owned(), Some(status), String::new())
}

/// Records since the last look. What waits goes behind what is durable: here it is looked at after every request.
struct Reader {
    site: Site,
    seen: usize,
}

impl Reader {
    fn new() -> Self {
        let site = Site::new();
        let seen = site.log().len();
        Self { site, seen }
    }

    fn next(&mut self) -> Vec<AuditRecord<'static>> {
        let records = self.site.log().split_off(self.seen);
        self.seen += records.len();
        records
    }

    #[track_caller]
    fn expect(&mut self, line: (Event, String, Option<u16>, String)) {
        assert_eq!(told(&self.next()), [line]);
    }
}

#[test]
fn every_request_to_a_container_leaves_one_record() {
    use Operation as Op;
    let mut log = Reader::new();
    log.site.data_plane(VAULT, request(VAULT, "GET", "/keys?api-version=7.4", None, b"")).is(401);
    log.expect(other(OtherEvent::Authentication, "Unauthorized", 401));
    log.site.call(VAULT, "GET", "/nowhere", NONE).is(404);
    log.expect(other(OtherEvent::Unknown, "NotFound", 404));
    log.site.call(VAULT, "GET", "/keys?api-version=1", NONE).is(400);
    log.expect(line(Op::KeyList, "BadParameter", 400, "/keys"));
    log.site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    log.expect(line(Op::KeyCreate, "OK", 200, "/keys/k"));
    log.site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": 7})).is(400);
    log.expect(line(Op::KeyCreate, "BadParameter", 400, "/keys/k"));
    log.site.call(VAULT, "GET", "/keys/k", NONE).is(200);
    log.expect(line(Op::KeyGet, "OK", 200, "/keys/k"));
    log.site.call(VAULT, "POST", "/keys/k/sign", &json!({"alg": "ES256", "value": SECRET_BYTES})).is(200);
    log.expect(line(Op::KeySign, "OK", 200, "/keys/k"));
    log.site.call(VAULT, "POST", "/keys/k/sign", &json!({"alg": "ES384", "value": SECRET_BYTES})).is(400);
    log.expect(line(Op::KeySign, "BadParameter", 400, "/keys/k"));
    log.site.key(Some(NOBODY), VAULT, "DELETE", "/keys/k?api-version=7.4", b"").is(403);
    log.expect(line(Op::KeyDelete, "ForbiddenByRbac", 403, "/keys/k"));
    log.site.call(VAULT, "DELETE", "/keys/k", NONE).is(200);
    log.expect(line(Op::KeyDelete, "OK", 200, "/keys/k"));
    log.site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(409);
    log.expect(line(Op::KeyCreate, "ObjectIsDeletedButRecoverable", 409, "/keys/k"));
    log.site.call(VAULT, "DELETE", "/deletedkeys/k", NONE).is(204);
    log.expect(line(Op::KeyPurge, "OK", 204, "/keys/k"));
    log.site.call(HSM, "GET", "/providers/Microsoft.Authorization/roleDefinitions", NONE).is(200);
    log.expect(line(Op::HsmRoleDefinitionRead, "OK", 200, "/"));
}

#[test]
fn whoever_hangs_up_is_told_of_as_well() {
    let mut log = Reader::new();
    log.site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "RSA", "key_size": 2048})).is(200);
    log.next();
    log.site.hang_up(VAULT, "POST", "/keys/k/sign", &json!({"alg": "RS256", "value": SECRET_BYTES}));
    log.expect(line(Operation::KeySign, "ClientClosedRequest", 499, "/keys/k"));
}

#[test]
fn a_deletion_that_is_final_is_answered_after_a_checkpoint() {
    let site = Site::new();
    for (host, is_final) in [(VAULT, false), (LEGACY, true)] {
        site.call(host, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
        site.call(host, "DELETE", "/keys/k", NONE).is(200);
        let signed = site.signed();
        assert_eq!(signed == site.log().len(), is_final, "{host}");
    }
}

#[test]
fn a_record_keeps_the_beginning_of_what_is_very_long() {
    let mut log = Reader::new();
    let long = "\\".repeat(8 << 10);
    let uri = format!("/keys/{long}?api-version={long}");
    log.site.data_plane(VAULT, request(VAULT, "GET", &uri.replace('\\', "%5C"), None, b"")).is(401);
    log.site.call(VAULT, "GET", &uri.replace('\\', "%5C"), NONE).is(400);
    let records = log.next();
    assert_eq!(records.len(), 2);
    for record in records {
        assert!(record.leaf().len() < 10_000);
    }
}

#[test]
fn the_control_plane_leaves_records_of_what_it_did_and_refused() {
    use Operation as Op;
    let mut log = Reader::new();
    log.site.put(&vault("kv2"), &new_vault()).is(200);
    let made = log.next();
    assert_eq!(told(&made), [line(Op::VaultPut, "OK", 200, "")]);
    assert_eq!(made[0].resource_id, vault("kv2"));
    log.site.put(&vault("kv2"), &json!({"location": "eastus"})).is(400);
    log.expect(line(Op::VaultPut, "BadRequest", 400, ""));
    log.site.manage(NOBODY, "DELETE", &vault("kv2"), NONE).is(403);
    log.expect(line(Op::VaultDelete, "AuthorizationFailed", 403, ""));
    log.site.get(&hsm("hsm1")).is(200);
    log.expect(line(Op::ManagedHsmRead, "OK", 200, ""));
    log.site.delete(&vault("kv2")).is(200);
    log.expect(line(Op::VaultDelete, "OK", 200, ""));
    log.site.delete(&vault("kv2")).is(204);
    assert_eq!(told(&log.next()), [], "deleting what is not there does nothing");
}

#[test]
fn a_record_tells_who_asked_for_what_and_no_secret() {
    let mut log = Reader::new();
    log.site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    log.next();
    let uri = format!("/keys/k//sign?api-version=7.4&secret={SECRET_BYTES}");
    log.site.call(VAULT, "POST", &uri, &json!({"alg": "ES256", "value": SECRET_BYTES})).is(200);
    let records = log.next();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.resource_id, vault("kv1"));
    assert_eq!(record.identity.claim.object_id, Some(ADMIN));
    assert_eq!(record.operation_version.as_deref(), Some("7.4"));
    assert_eq!(record.properties.request_uri.as_deref(), Some("https://kv1.vault.localhost:8443/keys/k/sign"));
    assert_eq!(record.caller_address, Some([127, 0, 0, 1].into()));
    let leaf = record.leaf();
    assert!(!leaf.contains(SECRET_BYTES), "{leaf}");
}

#[test]
fn what_the_scheduler_purges_is_told_as_its_own_doing() {
    let mut log = Reader::new();
    log.site.call(HSM, "POST", "/keys/k/create", &json!({"kty": "EC-HSM"})).is(200);
    log.site.call(HSM, "DELETE", "/keys/k", NONE).is(200);
    log.next();
    log.site.clock.advance(8 * super::site::DAY);
    log.site.sweep();
    let records = log.next();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.operation(), Some(Operation::KeyPurge));
    assert_eq!((record.identity, record.properties.http_status_code), (domain::Identity::default(), None));
    assert_eq!((&*record.resource_id, &*record.properties.id), (&*hsm("hsm1"), "/keys/k"));
}
