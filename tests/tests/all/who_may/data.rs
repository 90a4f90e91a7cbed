//! The data plane: vaults with roles, vaults with access policies, managed HSMs.

use super::{
    Ask, Coverage, Grants, NOBODY, arm_role, assignment, guid,
    needs::{self, Need},
    objects, one_right_decides, operations_of, server, server_facts, strangers_are_challenged,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{ContainerKind, Operation};
use e2e::{client::Target, containers::Container};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DOCUMENTS: [&str; 5] = [
    "data-plane-keys-2026-07-01-preview.json",
    "data-plane-secrets-2026-04-01.json",
    "data-plane-certificates-2026-04-01.json",
    "data-plane-administration-2026-07-01-preview.json",
    "data-plane-securitydomain-2025-07-01.json",
];

/// Azure RBAC on a vault.
struct VaultRoles {
    arm: Target,
    vault: String,
    subscription: String,
    nobody: String,
}

impl VaultRoles {
    fn give(&self, permissions: &Value) {
        let scope = format!("/subscriptions/{}", self.subscription);
        let role = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", guid(1));
        self.arm.call("PUT", &role, Some(&arm_role(&scope, permissions))).expect("a custom role");
        let at = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.vault, guid(2));
        let put = self.arm.call("PUT", &at, Some(&assignment(&role, &self.nobody)));
        assert!(put.is_success() || put.code() == "RoleAssignmentExists", "{}", put.body);
    }
}

impl Grants for VaultRoles {
    fn give_all_but(&self, right: Operation) {
        let right = right.data_action(ContainerKind::Vault).unwrap();
        self.give(&json!({ "dataActions": ["Microsoft.KeyVault/vaults/*"], "notDataActions": [right] }));
    }

    fn give_only(&self, right: Operation) {
        self.give(&json!({ "dataActions": [right.data_action(ContainerKind::Vault).unwrap()] }));
    }

    fn take_all(&self) {
        let at = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.vault, guid(2));
        self.arm.call("DELETE", &at, None).expect("taking the role");
    }
}

/// The older model: words in an access policy.
struct VaultPolicies {
    arm: Target,
    vault: String,
    tenant: String,
    nobody: String,
}

impl VaultPolicies {
    /// `granted` has collections with their words.
    fn replace<'a>(&self, granted: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut permissions = BTreeMap::<_, Vec<_>>::new();
        for (collection, word) in granted {
            permissions.entry(collection).or_default().push(word);
        }
        let policy = json!({ "tenantId": self.tenant, "objectId": self.nobody, "permissions": permissions });
        let body = json!({ "properties": { "accessPolicies": [policy] } });
        let path = format!("{}/accessPolicies/replace", self.vault);
        self.arm.call("PUT", &path, Some(&body)).expect("a policy");
    }
}

impl Grants for VaultPolicies {
    fn give_all_but(&self, right: Operation) {
        let all = Operation::ALL.iter().filter_map(|operation| operation.policy_permission());
        self.replace(all.filter(|each| Some(*each) != right.policy_permission()));
    }

    fn give_only(&self, right: Operation) {
        self.replace(right.policy_permission().into_iter());
    }

    fn take_all(&self) {
        self.replace(std::iter::empty());
    }
}

/// Local roles of a managed HSM.
struct HsmRoles {
    hsm: Target,
    nobody: String,
}

impl HsmRoles {
    fn give(&self, data_actions: &[&str]) {
        let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{}", guid(1));
        let permissions = json!([{ "dataActions": data_actions }]);
        let properties = json!({ "roleName": "who may", "type": "CustomRole", "permissions": permissions, "assignableScopes": ["/"] });
        self.hsm.call("PUT", &role, Some(&json!({ "properties": properties }))).expect("a custom role");
        let at = format!("/providers/Microsoft.Authorization/roleAssignments/{}", guid(2));
        let put = self.hsm.call("PUT", &at, Some(&assignment(&role, &self.nobody)));
        assert!(put.is_success() || put.code() == "RoleAssignmentExists", "{}", put.body);
    }
}

impl Grants for HsmRoles {
    fn give_all_but(&self, right: Operation) {
        let action = |operation: &Operation| operation.data_action(ContainerKind::ManagedHsm);
        let all = Operation::ALL.iter().filter_map(action);
        self.give(&all.filter(|each| Some(*each) != action(&right)).collect::<Vec<_>>());
    }

    fn give_only(&self, right: Operation) {
        self.give(&[right.data_action(ContainerKind::ManagedHsm).unwrap()]);
    }

    fn take_all(&self) {
        let at = format!("/providers/Microsoft.Authorization/roleAssignments/{}", guid(2));
        self.hsm.call("DELETE", &at, None).expect("taking the role");
    }
}

fn bytes(count: usize) -> String {
    URL_SAFE_NO_PAD.encode(vec![7; count])
}

/// Everything is ready for an operation to succeed on the key of this name, and this is its body.
fn scene(data: &Target, right: Operation, name: &str) -> Option<Value> {
    use Operation as Op;
    let make = |body: Value| data.call("POST", &format!("/keys/{name}/create"), Some(&body)).expect("a key");
    let post = |word: &str, body: &Value| data.call("POST", &format!("/keys/{name}/{word}"), Some(body)).expect(word);
    let with_cipher = |word: &str, algorithm: &str| {
        make(json!({ "kty": "oct-HSM", "key_size": 256 }));
        let made = post(word, &json!({ "alg": algorithm, "value": bytes(32) }));
        let member = |name: &str| made.get(name).cloned().unwrap_or(Value::Null);
        json!({ "alg": algorithm, "value": member("value"), "iv": member("iv"), "tag": member("tag") })
    };
    match right {
        Op::KeyCreate => return Some(json!({ "kty": "EC" })),
        Op::KeyImport => return Some(json!({ "key": { "kty": "oct-HSM", "k": bytes(32) }, "Hsm": true })),
        Op::RandomGet => return Some(json!({ "count": 8 })),
        Op::KeyEncrypt | Op::KeyWrap => {
            make(json!({ "kty": "oct-HSM", "key_size": 256 }));
            let algorithm = if right == Op::KeyWrap { "A256KW" } else { "A256GCM" };
            return Some(json!({ "alg": algorithm, "value": bytes(32) }));
        }
        Op::KeyDecrypt => return Some(with_cipher("encrypt", "A256GCM")),
        Op::KeyUnwrap => return Some(with_cipher("wrapkey", "A256KW")),
        _ => make(json!({ "kty": "EC" })),
    };
    let delete = || data.call("DELETE", &format!("/keys/{name}"), None).expect("deleting");
    let policy = json!({
        "lifetimeActions": [{ "trigger": { "timeAfterCreate": "P30D" }, "action": { "type": "Rotate" } }],
        "attributes": { "expiryTime": "P90D" },
    });
    match right {
        Op::KeySign => Some(json!({ "alg": "ES256", "value": bytes(32) })),
        Op::KeyVerify => Some(json!({ "alg": "ES256", "digest": bytes(32), "value": bytes(64) })),
        Op::KeyUpdate => Some(json!({ "tags": { "a": "b" } })),
        Op::KeyRotationPolicySet => Some(policy),
        Op::KeyRotate => {
            data.call("PUT", &format!("/keys/{name}/rotationpolicy"), Some(&policy)).expect("a policy");
            None
        }
        Op::KeyRestore => {
            let blob = data.call("POST", &format!("/keys/{name}/backup"), None).expect("a backup");
            delete();
            data.call("DELETE", &format!("/deletedkeys/{name}"), None).expect("purging");
            Some(json!({ "value": blob.get("value").cloned() }))
        }
        Op::KeyGetDeleted | Op::KeyListDeleted | Op::KeyRecover | Op::KeyPurge => {
            delete();
            None
        }
        _ => None,
    }
}

/// What an operation on roles begins from: the name it goes to, and its body.
fn scene_of_roles(hsm: &Target, right: Operation, number: u128) -> (String, Option<Value>) {
    use Operation as Op;
    let (name, role) = (guid(100 + number), guid(1000 + number));
    let custom = json!({ "properties": {
        "roleName": format!("role {number}"),
        "type": "CustomRole",
        "permissions": [{ "dataActions": ["Microsoft.KeyVault/managedHsm/rng/action"] }],
        "assignableScopes": ["/"],
    } });
    // Crypto User.
    let grant = assignment("21dbd100-6940-42c2-9190-5d6cb909625b", &guid(2000 + number));
    let put = |collection: &str, name: &str, body: &Value| {
        hsm.call("PUT", &format!("/providers/Microsoft.Authorization/{collection}/{name}"), Some(body))
            .expect(collection)
    };
    match right {
        Op::HsmRoleDefinitionPut => (role, Some(custom)),
        Op::HsmRoleAssignmentPut => (name, Some(grant)),
        Op::HsmRoleAssignmentRead | Op::HsmRoleAssignmentDelete => {
            put("roleAssignments", &name, &grant);
            (name, None)
        }
        _ => {
            put("roleDefinitions", &role, &custom);
            (role, None)
        }
    }
}

/// A path of a document with its parameters filled in.
pub fn filled(path: &str, name: &str, version: &str) -> String {
    let of_path = |segment: &str| match segment {
        "{scope}" => String::new(),
        "{key-version}" | "{secret-version}" | "{certificate-version}" => version.to_owned(),
        segment if segment.starts_with('{') => name.to_owned(),
        segment => segment.to_owned(),
    };
    path.split('/').map(of_path).collect::<Vec<_>>().join("/")
}

fn run(kind: ContainerKind, of: &str, data: &Target, grants: &dyn Grants) {
    let mut coverage = Coverage::default();
    for (number, operation) in operations_of(&DOCUMENTS).iter().enumerate() {
        let what = format!("{} {}", operation.method, operation.path);
        if !needs::exists_in(kind, &operation.path) {
            continue;
        }
        let Some(need) = needs::data_plane(&operation.method, &operation.path) else {
            coverage.uncovered.push(what);
            continue;
        };
        coverage.add(need);
        let (name, body) = match need {
            Need::Right(right) if operation.path.starts_with("/{scope}") => {
                scene_of_roles(data, right, u128::try_from(number).unwrap())
            }
            Need::Right(right) => {
                let name = format!("k{number}");
                let body = match right.name() {
                    secret if secret.starts_with("Secret") => objects::of_secret(data, right, &name),
                    other if other.starts_with("Certificate") => objects::of_certificate(data, right, &name),
                    _ => scene(data, right, &name),
                };
                (name, body)
            }
            _ => ("AllowKeyManagementOperationsThroughARM".to_owned(), Some(json!({}))),
        };
        let ask = Ask::new(&operation.method, filled(&operation.path, &name, ""), body);
        strangers_are_challenged(&mut coverage, &what, &ask, data);
        match need {
            Need::Right(right) => one_right_decides(&mut coverage, &what, &ask, data, grants, right),
            Need::Token | Need::Sight(_) => {
                let answer = ask.by(data, NOBODY);
                if !answer.is_success() {
                    coverage.complain(&what, "anybody", &answer);
                }
            }
            Need::NotThere => {
                let answer = ask.by(data, NOBODY);
                if (answer.status, answer.code()) != (400, "NotSupported") {
                    coverage.complain(&what, "anybody", &answer);
                }
            }
        }
    }
    coverage.report(of);
}

#[test]
fn a_vault_with_roles_asks_for_each_operations_right() {
    let server = server();
    let client = server.client();
    let vault = Container::made(client, ContainerKind::Vault, "byroles");
    let (subscription, nobody) = server_facts(client);
    let grants = VaultRoles { arm: client.arm_authorization(), vault: vault.id(), subscription, nobody };
    run(ContainerKind::Vault, "a vault with roles", &vault.data(), &grants);
}

#[test]
fn a_vault_with_access_policies_asks_for_each_operations_permission() {
    let server = server();
    let client = server.client();
    let vault = Container::made(client, ContainerKind::Vault, "bypolicies");
    let (_, nobody) = server_facts(client);
    let tenant = client.facts().get("TENANT").to_owned();
    let all = json!({ "keys": ["all"], "secrets": ["all"], "certificates": ["all"] });
    let own = json!({ "tenantId": tenant, "objectId": client.facts().get("OBJECT_ID"), "permissions": all });
    let body = json!({ "properties": { "enableRbacAuthorization": false, "accessPolicies": [own] } });
    client.arm().call("PATCH", &vault.id(), Some(&body)).expect("another model");
    let grants = VaultPolicies { arm: client.arm(), vault: vault.id(), tenant, nobody };
    run(ContainerKind::Vault, "a vault with access policies", &vault.data(), &grants);
}

#[test]
fn a_managed_hsm_asks_for_each_operations_right() {
    let server = server();
    let client = server.client();
    let hsm = Container::made(client, ContainerKind::ManagedHsm, "bylocalroles");
    let (_, nobody) = server_facts(client);
    let grants = HsmRoles { hsm: hsm.data(), nobody };
    run(ContainerKind::ManagedHsm, "a managed HSM", &hsm.data(), &grants);
}
