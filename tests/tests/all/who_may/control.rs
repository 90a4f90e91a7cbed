//! The control plane: containers, resource groups, roles and locks.

use super::{
    Ask, Coverage, Grants, NOBODY, arm_role, assignment, guid,
    needs::{self, Need},
    one_right_decides, operations_of, server, server_facts, strangers_are_challenged,
};
use domain::{ContainerKind, Operation};
use e2e::{
    client::{Client, Target},
    containers::Container,
};
use serde_json::{Value, json};
use std::cell::RefCell;

const DOCUMENTS: [&str; 4] = [
    "arm-keyvault-2026-05-15.json",
    "arm-authorization-roles-2022-04-01.json",
    "arm-locks-2020-05-01.json",
    "arm-resources-subset-2025-04-01.json",
];
/// "Reader".
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// A custom role at the subscription.
struct ArmRoles {
    arm: Target,
    subscription: String,
    nobody: String,
    /// A lock that may be there: under it no role could be taken.
    lock: RefCell<Option<String>>,
}

impl ArmRoles {
    fn scope(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }

    fn give(&self, permissions: &Value) {
        let scope = self.scope();
        let role = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", guid(1));
        self.arm.call("PUT", &role, Some(&arm_role(&scope, permissions))).expect("a custom role");
        let at = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", guid(2));
        let put = self.arm.call("PUT", &at, Some(&assignment(&role, &self.nobody)));
        assert!(put.is_success() || put.code() == "RoleAssignmentExists", "{}", put.body);
    }
}

impl Grants for ArmRoles {
    fn give_all_but(&self, right: Operation) {
        self.give(&json!({ "actions": ["*"], "notActions": [right.arm_action().unwrap()] }));
    }

    fn give_only(&self, right: Operation) {
        self.give(&json!({ "actions": [right.arm_action().unwrap()] }));
    }

    fn take_all(&self) {
        if let Some(lock) = self.lock.take() {
            self.arm.call("DELETE", &lock, None).expect("unlocking");
        }
        let at = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.scope(), guid(2));
        self.arm.call("DELETE", &at, None).expect("taking the role");
    }
}

/// What an operation is aimed at: a thing of its own, so that what it does disturbs no other.
struct Stage<'a> {
    client: &'a Client,
    grants: &'a ArmRoles,
    number: usize,
}

impl Stage<'_> {
    fn name(&self) -> String {
        format!("stage{}", self.number)
    }

    fn group(&self) -> String {
        format!("group{}", self.number)
    }

    /// The container's group is the one that everything is in; a group that an operation acts on is its own.
    fn filled(&self, path: &str, acts_on_group: bool) -> String {
        let facts = self.client.facts();
        let group = if acts_on_group { self.group() } else { facts.get("RESOURCE_GROUP").to_owned() };
        let number = u128::try_from(self.number).unwrap();
        let of_path = |segment: &str| match segment {
            "{scope}" => self.grants.scope().trim_start_matches('/').to_owned(),
            "{subscriptionId}" => self.grants.subscription.clone(),
            "{resourceGroupName}" | "{sourceResourceGroupName}" => group.clone(),
            "{location}" => facts.get("LOCATION").to_owned(),
            "{resourceProviderNamespace}" => "Microsoft.KeyVault".to_owned(),
            "{operationKind}" => "add".to_owned(),
            "{roleAssignmentName}" | "{roleDefinitionId}" => guid(100 + number),
            segment if segment.starts_with('{') => self.name(),
            segment => segment.to_owned(),
        };
        path.split('/').map(of_path).collect::<Vec<_>>().join("/")
    }

    fn made(&self, kind: ContainerKind) -> Container {
        Container::made(self.client, kind, &self.name())
    }

    fn deleted(&self, kind: ContainerKind) {
        self.made(kind).delete().expect("deleting");
    }

    fn put_group(&self) {
        let path = format!("{}/resourcegroups/{}", self.grants.scope(), self.group());
        self.client.arm_authorization().call("PUT", &path, Some(&self.group_body())).expect("a group");
    }

    fn group_body(&self) -> Value {
        json!({ "location": self.client.facts().get("LOCATION") })
    }

    /// Everything is ready for the operation to succeed at the path; and this is its body.
    fn set(&self, right: Operation, method: &str, path: &str) -> Option<Value> {
        use Operation as Op;
        let (vault, hsm) = (ContainerKind::Vault, ContainerKind::ManagedHsm);
        let arm = self.client.arm_authorization();
        let put = |body: &Value| drop(arm.call("PUT", path, Some(body)).expect(path));
        let role = || {
            let mut body = arm_role(&self.grants.scope(), &json!({ "actions": ["Microsoft.KeyVault/vaults/read"] }));
            body["properties"]["roleName"] = json!(self.name());
            body
        };
        let grant = || {
            assignment(
                &format!("{}/providers/Microsoft.Authorization/roleDefinitions/{READER}", self.grants.scope()),
                &guid(2000 + u128::try_from(self.number).unwrap()),
            )
        };
        let lock = json!({ "properties": { "level": "CanNotDelete" } });
        match right {
            Op::VaultRead | Op::VaultDelete => drop(self.made(vault)),
            Op::ManagedHsmRead | Op::ManagedHsmDelete => drop(self.made(hsm)),
            Op::VaultReadDeleted | Op::VaultPurge => self.deleted(vault),
            Op::ManagedHsmReadDeleted | Op::ManagedHsmPurge => self.deleted(hsm),
            Op::VaultPut | Op::ManagedHsmPut => {
                let kind = if right == Op::VaultPut { vault } else { hsm };
                if method == "PATCH" {
                    self.made(kind);
                    return Some(json!({ "tags": { "a": "b" } }));
                }
                return Some(
                    Container::new(self.client, kind, &self.name()).body(e2e::containers::Making::SHORT_LIVED),
                );
            }
            Op::VaultAccessPolicyPut => {
                self.made(vault);
                let policy =
                    json!({ "tenantId": self.client.facts().get("TENANT"), "objectId": guid(3), "permissions": {} });
                return Some(json!({ "properties": { "accessPolicies": [policy] } }));
            }
            Op::VaultCheckName => return Some(json!({ "name": self.name(), "type": "Microsoft.KeyVault/vaults" })),
            Op::ManagedHsmCheckName => return Some(json!({ "name": self.name() })),
            Op::ResourceGroupRead | Op::ResourceGroupDelete => self.put_group(),
            Op::ResourceGroupPut => {
                self.put_group();
                return Some(self.group_body());
            }
            Op::RoleAssignmentPut => return Some(grant()),
            Op::RoleAssignmentRead | Op::RoleAssignmentDelete
                if path.ends_with(&guid(100 + u128::try_from(self.number).unwrap())) =>
            {
                put(&grant())
            }
            Op::RoleDefinitionPut => return Some(role()),
            Op::RoleDefinitionDelete => put(&role()),
            Op::LockPut => {
                self.ready_for_lock();
                return Some(lock);
            }
            Op::LockRead | Op::LockDelete => {
                self.ready_for_lock();
                if path.ends_with(&self.name()) {
                    put(&lock);
                }
            }
            _ => {}
        }
        None
    }

    /// Something to lock: the vault and the group that the path may name.
    fn ready_for_lock(&self) {
        self.made(ContainerKind::Vault);
        self.put_group();
    }
}

fn acts_on_group(path: &str) -> bool {
    let of_group = [
        "/resourcegroups/{resourceGroupName}",
        "/resourceGroups/{resourceGroupName}/providers/Microsoft.Authorization",
    ];
    path.ends_with(of_group[0]) || path.contains(of_group[1])
}

/// A list shows what the right lets see, and nothing else.
fn one_right_shows(
    coverage: &mut Coverage,
    what: &str,
    ask: &Ask,
    target: &Target,
    grants: &ArmRoles,
    right: Operation,
    name: &str,
) {
    let shows = |answer: &e2e::client::Answer| answer.body.to_string().contains(name);
    let answer = ask.by(target, NOBODY);
    if answer.is_success() && shows(&answer) {
        coverage.complain(what, "nobody", &answer);
    }
    grants.give_all_but(right);
    let answer = ask.by(target, NOBODY);
    if !answer.is_success() || shows(&answer) {
        coverage.complain(what, "one without its right", &answer);
    }
    grants.give_only(right);
    let answer = ask.by(target, NOBODY);
    if !answer.is_success() || !shows(&answer) {
        coverage.complain(what, "one with its right alone", &answer);
    }
    grants.take_all();
}

#[test]
fn the_resource_manager_asks_for_each_operations_right() {
    let server = server();
    let client = server.client();
    let (subscription, nobody) = server_facts(client);
    let grants = ArmRoles { arm: client.arm_authorization(), subscription, nobody, lock: RefCell::default() };
    let mut coverage = Coverage::default();
    for (number, operation) in operations_of(&DOCUMENTS).iter().enumerate() {
        let what = format!("{} {}", operation.method, operation.path);
        let template = needs::plain(&operation.path);
        let Some(need) = needs::control_plane(&operation.method, &template) else {
            coverage.uncovered.push(what);
            continue;
        };
        coverage.add(need);
        let stage = Stage { client, grants: &grants, number };
        let path = stage.filled(&template, acts_on_group(&template));
        let target = if template.contains("Microsoft.KeyVault") && !template.contains("Microsoft.Authorization") {
            client.arm()
        } else {
            client.arm_authorization()
        };
        let body = match need {
            Need::Right(right) | Need::Sight(right) => stage.set(right, &operation.method, &path),
            _ => None,
        };
        if matches!(need, Need::Right(Operation::LockPut | Operation::LockRead | Operation::LockDelete))
            && path.ends_with(&stage.name())
        {
            grants.lock.replace(Some(path.clone()));
        }
        let ask = Ask::new(&operation.method, path, body);
        strangers_are_challenged(&mut coverage, &what, &ask, &target);
        match need {
            Need::Right(right) => one_right_decides(&mut coverage, &what, &ask, &target, &grants, right),
            Need::Sight(right) => {
                let name = if right == Operation::ResourceGroupRead { stage.group() } else { stage.name() };
                one_right_shows(&mut coverage, &what, &ask, &target, &grants, right, &name);
            }
            Need::Token => {
                let answer = ask.by(&target, NOBODY);
                if !answer.is_success() && answer.status != 404 {
                    coverage.complain(&what, "anybody", &answer);
                }
            }
            Need::NotThere => {
                let answer = ask.by(&target, NOBODY);
                // What is below a container is for those who may see that.
                let is_hidden = answer.status == 403 && template.contains("privateEndpointConnections");
                let is_told = (answer.status, answer.code()) == (400, "NotSupported") || answer.status == 404;
                if !is_told && !is_hidden {
                    coverage.complain(&what, "anybody", &answer);
                }
            }
        }
    }
    coverage.report("the resource manager");
}
