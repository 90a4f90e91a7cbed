//! The data plane, in process: what each operation answers, and in which order requests are refused.

use super::site::{ADMIN, HSM, LEGACY, NOBODY, Site, TENANT, VAULT, new_vault, request, vault, with};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const NONE: &Value = &Value::Null;

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_bare_request_is_challenged_before_anything_else() {
    let site = Site::new();
    let bare =
        [(VAULT, "GET", "/nowhere"), (VAULT, "POST", "/keys/k/sign"), (HSM, "GET", "/keys"), (HSM, "POST", "/rng")];
    for (host, method, uri) in bare {
        let answer = site.key(None, host, method, uri, b"").is(401);
        let resource = format!("https://{}", host.split_once('.').unwrap().1);
        assert_eq!(
            answer.header("www-authenticate"),
            format!("Bearer authorization=\"https://localhost:8443/{TENANT}\", resource=\"{resource}\"")
        );
    }
}

#[test]
fn a_token_that_is_none_or_for_another_audience_is_unauthorized() {
    let site = Site::new();
    let elsewhere = site.token(ADMIN, "https://elsewhere");
    for token in ["e30.e30.e30", &elsewhere] {
        let answer = site.data_plane(VAULT, request(VAULT, "GET", "/keys?api-version=7.6", Some(token), b""));
        let answer = answer.refused(401, "Unauthorized");
        assert!(answer.header("www-authenticate").starts_with("Bearer authorization="));
        assert_eq!(answer.claims(), "", "a new token would be no better");
    }
}

#[test]
fn a_key_is_found_by_every_spelling_of_its_path() {
    for host in [VAULT, HSM] {
        let site = Site::new();
        let created = site.call(host, "POST", "/keys/K1/create", &json!({"kty":"EC","crv":"P-256","tags":{"a":"b"}}));
        let created = created.is(200).body;
        let kid = created["key"]["kid"].as_str().unwrap();
        let version = kid.rsplit('/').next().unwrap();
        for uri in [format!("/keys/k1/{version}"), "/keys/k1/".to_owned(), "//keys//k1".to_owned()] {
            assert_eq!(site.call(host, "GET", &uri, NONE).body, created);
        }
        let digest = b64(&[7; 32]);
        let signed = site.call(host, "POST", "/keys/k1//sign", &json!({"alg":"ES256","value":digest})).is(200).body;
        assert_eq!(signed["kid"], kid);
        let verify = json!({"alg":"ES256","digest":digest,"value":signed["value"]});
        let verified = site.call(host, "POST", &format!("/keys/k1/{version}/verify"), &verify);
        assert_eq!(verified.body, json!({"value":true}));
        let list = site.call(host, "GET", "/keys", NONE).body;
        assert_eq!(list["value"][0]["kid"], format!("https://{host}/keys/K1"));
        assert_eq!(list["nextLink"], Value::Null);
        assert_eq!(site.call(host, "GET", "/keys/k1/versions", NONE).body["value"][0]["kid"], kid);
        let disabled = json!({"attributes":{"enabled":false},"tags":{}});
        assert_eq!(site.call(host, "PATCH", "/keys/k1/", &disabled).body["attributes"]["enabled"], false);
        site.call(host, "POST", "/keys/k1//sign", &json!({"alg":"ES256","value":digest})).refused(403, "Forbidden");
    }
}

#[test]
fn a_key_is_deleted_comes_back_is_purged_and_restored() {
    for host in [VAULT, HSM] {
        let site = Site::new();
        let created = site.call(host, "POST", "/keys/K1/create", &json!({"kty":"EC"})).is(200).body;
        let kid = &created["key"]["kid"];
        let deleted = site.call(host, "DELETE", "/keys/k1", NONE).is(200).body;
        assert_eq!(deleted["recoveryId"], format!("https://{host}/deletedkeys/K1"));
        for method in ["DELETE", "GET"] {
            let missing = site.call(host, method, "/keys/k1", NONE).refused(404, "KeyNotFound");
            assert!(missing.message().starts_with("A key with (name/id) k1 was not found in this key vault. If you"));
        }
        let again = site.call(host, "POST", "/keys/k1/create", &json!({"kty":"EC"})).refused(409, "Conflict");
        assert_eq!(again.body["error"]["innererror"]["code"], "ObjectIsDeletedButRecoverable");
        assert_eq!(site.call(host, "GET", "/deletedkeys", NONE).body["value"].as_array().unwrap().len(), 1);
        assert_eq!(site.call(host, "GET", "/deletedkeys/k1", NONE).body, deleted);
        assert_eq!(&site.call(host, "POST", "/deletedkeys/k1/recover", NONE).is(200).body["key"]["kid"], kid);
        site.call(host, "GET", "/deletedkeys/k1", NONE).refused(404, "KeyNotFound");
        let backup = site.call(host, "POST", "/keys/k1/backup", NONE).is(200).body;
        site.call(host, "POST", "/keys/restore", &backup).refused(409, "Conflict");
        site.call(host, "DELETE", "/keys/k1", NONE).is(200);
        site.call(host, "POST", "/keys/restore", &backup).refused(409, "Conflict");
        site.call(host, "DELETE", "/deletedkeys/k1", NONE).is(204);
        let gone = site.call(host, "DELETE", "/deletedkeys/k1", NONE).refused(404, "KeyNotFound");
        assert!(gone.message().starts_with("Deleted Key not found: k1"));
        assert_eq!(&site.call(host, "POST", "/keys/restore", &backup).is(200).body["key"]["kid"], kid);
    }
}

#[test]
fn a_backup_of_hsm_keys_is_for_vaults_that_have_an_hsm() {
    let site = Site::new();
    site.call(VAULT, "POST", "/keys/k/create", &json!({"kty":"EC-HSM"})).is(200);
    let backup = site.call(VAULT, "POST", "/keys/k/backup", NONE).is(200).body;
    let standard = with(new_vault(), &json!({"sku": {"family": "A", "name": "standard"}}));
    site.put(&vault("kvstd"), &standard).is(200);
    let host = "kvstd.vault.localhost:8443";
    site.call(host, "POST", "/keys/restore", &backup).refused(400, "BadParameter");
    site.call(host, "GET", "/keys/k", NONE).refused(404, "KeyNotFound");
}

#[test]
fn no_key_takes_the_name_of_an_operation() {
    let site = Site::new();
    for (method, path) in
        [("POST", "/keys/restore/create"), ("PUT", "/keys/restore"), ("GET", "/keys/Restore/versions")]
    {
        let answer = site.call(VAULT, method, path, &json!({"kty":"EC"}));
        assert!([400, 405].contains(&answer.status), "{method} {path}: {}", answer.body);
    }
}

#[test]
fn when_a_deleted_container_goes_is_for_those_who_have_a_token() {
    let site = Site::new();
    site.delete(&vault("kv1")).is(200);
    let strangers = site.key(None, VAULT, "GET", "/keys?api-version=7.4", b"");
    assert_eq!(strangers.status, 401);
    assert!(!String::from_utf8_lossy(&strangers.bytes).contains("recover"));
    let known = site.call(VAULT, "GET", "/keys", NONE).refused(404, "VaultNotFound");
    assert!(known.message().contains("recover"), "{}", known.message());
}

#[test]
fn rsa_keys_encrypt_wrap_and_sign() {
    let site = Site::new();
    let rsa = site.call(HSM, "POST", "/keys/r/create", &json!({"kty":"RSA","key_size":2048}));
    assert_eq!(rsa.body["key"]["kty"], "RSA-HSM");
    for (seal, open, alg) in [("encrypt", "decrypt", "RSA-OAEP"), ("wrapkey", "unwrapkey", "RSA-OAEP-256")] {
        let sealed = json!({"alg":alg,"value":b64(b"secret")});
        let sealed = site.call(HSM, "POST", &format!("/keys/r//{seal}"), &sealed).is(200).body;
        let opened = site.call(HSM, "POST", &format!("/keys/r/{open}"), &json!({"alg":alg,"value":sealed["value"]}));
        assert_eq!(opened.body["value"], b64(b"secret"));
    }
    let nonsense = json!({"alg":"RSA-OAEP","value":b64(&[1; 256])});
    site.call(HSM, "POST", "/keys/r/decrypt", &nonsense).refused(400, "BadParameter");
    for (alg, length, status) in [("RS256", 32, 200), ("PS256", 32, 200), ("ES256", 32, 400), ("RS256", 31, 400)] {
        let sign = json!({"alg":alg,"value":b64(&vec![1; length])});
        site.call(HSM, "POST", "/keys/r/sign", &sign).is(status);
    }
}

#[test]
fn oct_keys_and_random_bytes_are_an_hsms() {
    let site = Site::new();
    let oct = json!({"kty":"oct-HSM","key_size":256});
    site.call(HSM, "POST", "/keys/o/create?api-version=2026-04-01", &oct).is(200);
    let sealed = json!({"alg":"A256GCM","value":b64(b"x"),"aad":b64(b"y")});
    let mut sealed = site.call(HSM, "POST", "/keys/o/encrypt", &sealed).is(200).body;
    sealed["alg"] = json!("A256GCM");
    assert_eq!(site.call(HSM, "POST", "/keys/o/decrypt", &sealed).body["value"], b64(b"x"));
    site.call(HSM, "POST", "/rng", &json!({"count":16})).is(200);
    let many = site.call(HSM, "POST", "/rng", &json!({"count":129})).refused(400, "BadParameter");
    let literal = "GetRandomBytesRequest: count cannot be greater than 128 or less than 1 (Activity ID: ";
    assert!(many.message().starts_with(literal), "{}", many.message());
    site.call(VAULT, "POST", "/rng", &json!({"count":16})).is(404);
    site.call(VAULT, "POST", "/keys/o/create", &json!({"kty":"oct"})).refused(400, "BadParameter");
}

#[test]
fn an_imported_key_rotates_by_its_policy() {
    let site = Site::new();
    let jwk = json!({"kty":"EC","crv":"P-256",
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"});
    let imported = site.call(VAULT, "PUT", "/keys/imp", &json!({"Hsm":false,"key":jwk})).is(200);
    assert_eq!(imported.body["key"]["x"], jwk["x"]);
    assert_eq!(imported.body["key"]["d"], Value::Null);
    let broken = json!({"key":{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}});
    site.call(VAULT, "PUT", "/keys/imp", &broken).refused(400, "BadParameter");
    site.call(VAULT, "GET", "/keys/imp/rotationpolicy", NONE).is(200);
    let trigger = json!({"trigger":{"timeAfterCreate":"P18M"},"action":{"type":"rotate"}});
    let policy = json!({"lifetimeActions":[trigger],"attributes":{"expiryTime":"P2Y"}});
    let set = site.call(VAULT, "PUT", "/keys/imp/rotationpolicy", &policy).is(200);
    assert_eq!(set.body["lifetimeActions"].as_array().unwrap().len(), 2, "a vault's Notify is always there");
    site.call(VAULT, "POST", "/keys/imp/rotate", NONE).is(200);
    site.call(HSM, "POST", "/keys/h/create", &json!({"kty":"EC-HSM"})).is(200);
    site.call(HSM, "POST", "/keys/h/rotate", NONE).refused(400, "BadParameter");
    site.call(HSM, "GET", "/keys/h/rotationpolicy", NONE).is(200);
    site.call(HSM, "PUT", "/keys/h/rotationpolicy", &policy).is(200);
    site.call(HSM, "POST", "/keys/h/rotate", NONE).is(200);
}

#[test]
fn lists_come_in_pages_that_add_up() {
    let site = Site::new();
    for n in 0..5 {
        site.call(VAULT, "POST", &format!("/keys/p{n}/create"), &json!({"kty":"EC"})).is(200);
    }
    let mut uri = "/keys?maxresults=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = site.call(VAULT, "GET", &uri, NONE).is(200).body;
        pages.push(page["value"].as_array().unwrap().len());
        let Some(next) = page["nextLink"].as_str() else { break };
        uri = next.strip_prefix(&format!("https://{VAULT}")).unwrap().to_owned();
    }
    assert_eq!(pages, [2, 2, 1]);
    for bad in ["/keys?maxresults=0", "/keys?maxresults=26", "/keys?$skiptoken=zzz"] {
        site.call(VAULT, "GET", bad, NONE).refused(400, "BadParameter");
    }
}

#[test]
fn a_vault_without_soft_delete_deletes_for_good() {
    let site = Site::new();
    site.call(LEGACY, "POST", "/keys/l/create", &json!({"kty":"EC"})).is(200);
    let gone = site.call(LEGACY, "DELETE", "/keys/l", NONE).is(200);
    assert_eq!(gone.body.get("recoveryId"), None);
    site.call(LEGACY, "GET", "/keys/l", NONE).refused(404, "KeyNotFound");
    let purge = site.call(LEGACY, "DELETE", "/deletedkeys/l", NONE).refused(400, "NotSupported");
    assert_eq!(purge.message(), "Operation \"purge\" is not enabled for this vault.");
    site.call(LEGACY, "POST", "/keys/l/create", &json!({"kty":"EC"})).is(200);
}

#[test]
fn what_is_asked_wrongly_is_refused_by_kind() {
    let site = Site::new();
    site.key(Some(ADMIN), VAULT, "GET", "/keys", b"").refused(400, "BadParameter");
    site.call(VAULT, "GET", "/keys?api-version=1.0", NONE).refused(400, "BadParameter");
    site.call(VAULT, "PUT", "/keys", NONE).refused(405, "MethodNotAllowed");
    site.call(VAULT, "GET", "/nowhere", NONE).refused(404, "NotFound");
    site.call("kvx.vault.localhost:8443", "GET", "/keys", NONE).refused(404, "VaultNotFound");
    let name = site.call(VAULT, "POST", "/keys/inv_alid/create", &json!({"kty":"EC"})).refused(400, "BadParameter");
    assert_eq!(name.message(), "The request URI contains an invalid name: inv_alid");
}

#[test]
fn those_without_a_role_are_told_why() {
    let site = Site::new();
    let create = |host| site.key(Some(NOBODY), host, "POST", "/keys/k/create?api-version=7.4", br#"{"kty":"EC"}"#);
    let refused = create(VAULT).refused(403, "Forbidden");
    assert_eq!(refused.body["error"]["innererror"]["code"], "ForbiddenByRbac");
    let id = super::site::vault("kv1").to_lowercase();
    let caller = format!("Caller: appid={NOBODY};oid={NOBODY};iss=https://sts.windows.net/{TENANT}/");
    let resource = format!("Resource: '{id}/keys/k'");
    let lines = [
        "Caller is not authorized to perform action on resource.",
        "If role assignments, deny assignments or role definitions were changed recently, please observe propagation \
         time.",
        &caller,
        "Action: 'Microsoft.KeyVault/vaults/keys/create/action'",
        &resource,
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: 'DeniedWithNoValidRBAC' ",
        "Vault: kv1;location=eastus",
        "",
    ];
    assert_eq!(refused.message(), lines.join("\r\n"));
    let refused = create(HSM).refused(403, "AccessDenied");
    let literal = "Not authorized to access Microsoft.KeyVault/managedHsm/keys/create on '/keys/k'";
    assert!(refused.message().starts_with(literal), "{}", refused.message());
}

/// Where a managed HSM keeps its assignments at one key.
const AT_KEY: &str = "/keys/k/providers/Microsoft.Authorization/roleAssignments";
const ASSIGNMENT: &str = "11111111-1111-4111-8111-111111111111";

fn assigned(role: &str) -> Value {
    let definitions = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions";
    json!({"properties":{"roleDefinitionId":format!("{definitions}/{role}"),"principalId":NOBODY}})
}

#[test]
fn a_local_role_holds_at_its_key_and_no_other() {
    let site = Site::new();
    let definitions = site.call(HSM, "GET", "///providers/Microsoft.Authorization/roleDefinitions", NONE).body;
    assert_eq!(definitions["value"].as_array().unwrap().len(), 10);
    let user = assigned("21dbd100-6940-42c2-9190-5d6cb909625b");
    let uri = format!("{AT_KEY}/{ASSIGNMENT}");
    let made = site.call(HSM, "PUT", &uri, &user).is(201).body;
    assert_eq!(made["id"], format!("/providers/Microsoft.Authorization/roleAssignments/{ASSIGNMENT}"));
    assert_eq!(made["properties"]["scope"], "/keys/k");
    site.call(HSM, "PUT", &uri, &user).refused(409, "RoleAssignmentExists");
    let create = |key: &str| {
        let uri = format!("/keys/{key}/create?api-version=7.4");
        site.key(Some(NOBODY), HSM, "POST", &uri, br#"{"kty":"EC"}"#)
    };
    create("k").is(200);
    create("k2").refused(403, "AccessDenied");
    let filter = format!("?$filter=principalId%20eq%20'{NOBODY}'");
    let listed = |uri: String| site.call(HSM, "GET", &uri, NONE).is(200).body["value"].as_array().unwrap().len();
    assert_eq!(listed(format!("{AT_KEY}{filter}")), 1);
    assert_eq!(listed(format!("/providers/Microsoft.Authorization/roleAssignments{filter}")), 0, "not those of keys");
    site.call(HSM, "GET", &uri, NONE).is(200);
    assert_eq!(site.call(HSM, "DELETE", &uri, NONE).is(200).body, made);
    site.call(HSM, "DELETE", &uri, NONE).refused(404, "RoleAssignmentNotFound");
    create("k").refused(403, "AccessDenied");
}

#[test]
fn an_administrator_of_one_key_cannot_touch_the_root() {
    let site = Site::new();
    let policy_administrator = assigned("4bd23610-cdcf-4971-bdee-bdc562cc28e4");
    site.call(HSM, "PUT", &format!("{AT_KEY}/{ASSIGNMENT}"), &policy_administrator).is(201);
    let all = "/providers/Microsoft.Authorization/roleAssignments";
    let before = site.call(HSM, "GET", all, NONE).body;
    let root = before["value"][0]["name"].as_str().unwrap();
    for scope in ["/keys/k", "/keys", ""] {
        let uri = format!("{scope}{all}/{root}?api-version=7.4");
        let answer = site.key(Some(NOBODY), HSM, "DELETE", &uri, b"");
        assert!([403, 404].contains(&answer.status), "deleted an assignment of the root: {}", answer.body);
    }
    assert_eq!(site.call(HSM, "GET", all, NONE).body, before);
}

#[test]
fn settings_are_shown_and_the_security_domain_is_not_there_yet() {
    let site = Site::new();
    site.call(HSM, "GET", "/settings", NONE).is(200);
    site.call(HSM, "GET", "/settings/AllowKeyManagementOperationsThroughARM", NONE).is(200);
    site.call(HSM, "POST", "/securitydomain/download", NONE).refused(400, "NotSupported");
}
