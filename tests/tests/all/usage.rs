//! What was used, through the resource manager, in process: figures are what the log tells, and who may read them does.

use super::site::{ADMIN, HSM, NOBODY, SUBSCRIPTION, Site, VAULT, deleted, group, hsm, role, vault};
use domain::{AuditRecord, Event, Outcome, UnixTime, metering::Month};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NONE: &Value = &Value::Null;
const USAGE: &str = "providers/Microsoft.Consumption/usageDetails";
const DIGEST: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U";

fn of_subscription() -> String {
    format!("/subscriptions/{SUBSCRIPTION}/{USAGE}")
}

/// All details at a path, whose pages have the length asked for.
fn details(site: &Site, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = site.get(&next).is(200).body;
        all.extend(page["value"].as_array().unwrap().iter().cloned());
        match page["nextLink"].as_str() {
            None => return all,
            Some(link) => next = link.strip_prefix("https://localhost:8443").unwrap().to_owned(),
        }
    }
}

fn meter(detail: &Value) -> (String, u64) {
    let properties = &detail["properties"];
    (properties["meterDetails"]["meterName"].as_str().unwrap().to_owned(), properties["quantity"].as_u64().unwrap())
}

fn meters(site: &Site, path: &str) -> BTreeMap<String, u64> {
    details(site, path).iter().map(meter).collect()
}

/// What the log has of operations that somebody asked for in a container, in the words of meters.
fn told(site: &Site, resource: &str) -> BTreeMap<String, u64> {
    let mut told = BTreeMap::new();
    let is_counted = |record: &AuditRecord<'_>| {
        record.resource_id == resource
            && record.properties.container.is_some()
            && record.identity.claim.object_id.is_some()
    };
    for record in site.log().iter().filter(|record| is_counted(record)) {
        if let Event::Operation(operation) = record.event {
            let refused = if record.outcome == Outcome::Refused { " (refused)" } else { "" };
            *told.entry(format!("{}{refused}", operation.name())).or_default() += 1;
        }
    }
    told
}

#[test]
fn figures_are_those_of_the_log_for_whatever_is_asked() {
    let site = Site::new();
    let sign = json!({"alg": "ES256", "value": DIGEST});
    for host in [VAULT, HSM] {
        site.call(host, "POST", "/keys/k/create", &json!({"kty": "EC-HSM"})).is(200);
        for _ in 0..3 {
            site.call(host, "POST", "/keys/k/sign", &sign).is(200);
        }
        site.call(host, "POST", "/keys/k/sign", &json!({"alg": "ES384", "value": DIGEST})).is(400);
        site.call(host, "POST", "/keys/none/sign", &sign).is(404);
        site.key(Some(NOBODY), host, "POST", "/keys/k/sign?api-version=7.4", sign.to_string().as_bytes()).is(403);
        site.key(None, host, "POST", "/keys/k/sign?api-version=7.4", b"").is(401);
        site.call(host, "GET", "/nowhere", NONE).is(404);
        site.call(host, "GET", "/keys?maxresults=1", NONE).is(200);
        site.call(host, "DELETE", "/keys/k", NONE).is(200);
        site.call(host, "POST", "/keys/k/create", &json!({"kty": "EC-HSM"})).is(409);
        site.call(host, "POST", "/keys/k/sign", &sign).is(404);
        site.call(host, "GET", "/deletedkeys/k", NONE).is(200);
        site.call(host, "POST", "/deletedkeys/k/recover", NONE).is(200);
        site.call(host, "DELETE", "/keys/k", NONE).is(200);
        site.call(host, "DELETE", "/deletedkeys/k", NONE).is(204);
    }
    for (resource, own) in [(vault("kv1"), "HSM-protected key versions"), (hsm("hsm1"), "Standard_B1 hours")] {
        let mut counted = meters(&site, &format!("{resource}/{USAGE}"));
        assert_eq!(counted.remove(own), Some(1), "{resource}");
        assert_eq!(counted, told(&site, &resource));
        assert_eq!((counted.get("KeySign"), counted.get("KeySign (refused)")), (Some(&3), Some(&4)));
        assert_eq!((counted.get("KeyRecover"), counted.get("KeyPurge")), (Some(&1), Some(&1)));
    }
}

#[test]
fn a_purged_container_keeps_its_bill() {
    let site = Site::new();
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    let path = format!("{}/{USAGE}", vault("kv1"));
    let before = details(&site, &path);
    site.delete(&vault("kv1")).is(200);
    site.post(&format!("{}/purge", deleted("deletedVaults", "kv1")), NONE).is(202);
    assert_eq!(details(&site, &path), before);
    site.put(&vault("kv1"), &super::site::new_vault()).is(200);
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty": "EC"})).is(200);
    let both = details(&site, &path);
    assert_eq!(both.len(), 2, "its successor has its own");
    assert_ne!(both[0]["id"], both[1]["id"]);
}

#[test]
fn usage_is_asked_for_by_place_name_month_and_page() {
    let site = Site::new();
    for host in [VAULT, HSM] {
        site.call(host, "GET", "/keys", NONE).is(200);
        site.call(host, "GET", "/keys/none", NONE).is(404);
    }
    let names = |path: &str| -> Vec<String> {
        details(&site, path).iter().map(|detail| detail["name"].as_str().unwrap().to_owned()).collect()
    };
    let whole = names(&of_subscription());
    assert_eq!(whole.len(), 2 + 3, "two of the vault; the managed HSM has hours beside");
    for top in 1..=6 {
        assert_eq!(names(&format!("{}?$top={top}", of_subscription())), whole, "{top}");
    }
    assert_eq!(names(&format!("{}/{USAGE}", group("rg"))), whole);
    assert_eq!(names(&format!("{}/{USAGE}", group("rg2"))), [""; 0]);
    let one = |name: &str| format!("{}?$filter=properties/resourceName%20eq%20'{name}'", of_subscription());
    assert_eq!((names(&one("KV1")).len(), names(&one("hsm1")).len(), names(&one("kvold")).len()), (2, 3, 0));

    let now = Month::of(UnixTime(0).max(engine::Clock::now(&*site.clock)));
    let period = |month: Month| {
        let digits = month.to_string().replace('-', "");
        let billing = format!("providers/Microsoft.Billing/billingPeriods/{digits}");
        format!("/subscriptions/{SUBSCRIPTION}/{billing}/{USAGE}")
    };
    assert_eq!(names(&period(now)), whole);
    assert_eq!(names(&period(Month::from_number(now.number() - 1).unwrap())), [""; 0]);
    assert_eq!(names(&period(now.next().unwrap())), [""; 0], "what has not begun costs nothing");
    let span = |from: UnixTime, until: UnixTime| {
        let filter = format!("properties/usageEnd%20ge%20'{from}'%20and%20properties/usageEnd%20le%20'{until}'");
        format!("{}?$filter={filter}", of_subscription())
    };
    assert_eq!(names(&span(now.begin(), now.end().plus_seconds(-1))), whole);
    assert_eq!(names(&span(UnixTime(0), now.begin().plus_seconds(-1))), [""; 0]);
    assert_eq!(names(&span(UnixTime(0), UnixTime(253_402_207_200))), whole);
}

#[test]
fn who_may_not_read_usage_or_asks_for_what_there_is_not_is_told_so() {
    let site = Site::new();
    site.manage(NOBODY, "GET", &of_subscription(), NONE).refused(403, "AuthorizationFailed");
    site.manage(NOBODY, "GET", &format!("{}/{USAGE}", vault("kv1")), NONE).refused(403, "AuthorizationFailed");
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{NOBODY}", vault("kv1"));
    let grant = json!({"properties": {"roleDefinitionId": role("Reader"), "principalId": NOBODY}});
    site.put(&assignment, &grant).is(201);
    site.manage(NOBODY, "GET", &format!("{}/{USAGE}", vault("kv1")), NONE).is(200);
    site.manage(NOBODY, "GET", &format!("{}/{USAGE}", hsm("hsm1")), NONE).refused(403, "AuthorizationFailed");
    site.manage(NOBODY, "GET", &of_subscription(), NONE).refused(403, "AuthorizationFailed");

    site.get(&format!("{}/{USAGE}", vault("none"))).refused(404, "ResourceNotFound");
    site.get(&format!("{}?$filter=name%20eq%20'x'", of_subscription())).refused(400, "InvalidFilterInQueryString");
    site.get(&format!("{}?$top=0", of_subscription())).refused(400, "InvalidTopParameter");
    site.get(&format!("{}?$skiptoken=vault:KV1", of_subscription())).refused(400, "BadRequest");
    site.post(&of_subscription(), NONE).refused(405, "MethodNotAllowed");
    let account = format!("/providers/Microsoft.Billing/billingAccounts/1/{USAGE}");
    assert!(site.get(&account).status >= 400);
    assert_eq!(site.log().last().unwrap().identity.claim.object_id, Some(ADMIN), "refusals are told like any other");
}
