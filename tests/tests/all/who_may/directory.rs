//! The directory: which of its roles lets do what, and that no role elsewhere does.

use super::{Ask, Coverage, NOBODY, assignment, guid, needs::Need, server, server_facts, strangers_are_challenged};
use domain::{
    Guid, Operation,
    access::{RoleDefinition, azure_roles, directory_roles},
};
use e2e::client::Target;
use serde_json::{Value, json};
use std::cell::Cell;

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";
const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";

/// The directory, as its administrator sees it.
struct Stage {
    graph: Target,
    nobody: String,
    number: Cell<u128>,
}

impl Stage {
    fn post(&self, path: &str, body: &Value) -> Value {
        self.graph.call("POST", path, Some(body)).expect(path)
    }

    fn made(&self, collection: &str, body: &Value) -> String {
        self.post(&format!("/v1.0/{collection}"), body)["id"].as_str().unwrap().to_owned()
    }

    fn new_user(&self) -> Value {
        self.number.set(self.number.get() + 1);
        let name = format!("u{}@contoso.example", self.number.get());
        json!({ "displayName": "a user", "userPrincipalName": name, "accountEnabled": true })
    }

    fn user(&self) -> String {
        self.made("users", &self.new_user())
    }

    fn group(&self) -> String {
        self.made("groups", &json!({ "displayName": "a group" }))
    }

    /// An application, by its object id and the id it signs in with.
    fn application(&self) -> (String, Value) {
        let made = self.post("/v1.0/applications", &json!({ "displayName": "an application" }));
        (made["id"].as_str().unwrap().to_owned(), made["appId"].clone())
    }

    fn service_principal(&self) -> String {
        self.made("servicePrincipals", &json!({ "appId": self.application().1 }))
    }

    fn reference(id: &str) -> Value {
        json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}") })
    }

    /// A request for the operation, on something of its own that it can be done to; `None` if nobody has thought of it.
    fn ask(&self, operation: Operation) -> Option<Ask> {
        use Operation as Op;
        let rename = || Some(json!({ "displayName": "renamed" }));
        let one = |collection: &str, id: &str| format!("/v1.0/{collection}/{id}");
        Some(match operation {
            Op::UserCreate => Ask::new("POST", "/v1.0/users", Some(self.new_user())),
            Op::UserUpdate => Ask::new("PATCH", one("users", &self.user()), rename()),
            Op::UserDelete => Ask::new("DELETE", one("users", &self.user()), None),
            Op::GroupCreate => Ask::new("POST", "/v1.0/groups", rename()),
            Op::GroupUpdate => Ask::new("PATCH", one("groups", &self.group()), rename()),
            Op::GroupDelete => Ask::new("DELETE", one("groups", &self.group()), None),
            Op::GroupMemberAdd => {
                let path = format!("/v1.0/groups/{}/members/$ref", self.group());
                Ask::new("POST", path, Some(Self::reference(&self.user())))
            }
            Op::GroupMemberRemove => {
                let (group, user) = (self.group(), self.user());
                let members = format!("/v1.0/groups/{group}/members");
                self.graph.call("POST", &format!("{members}/$ref"), Some(&Self::reference(&user))).expect("a member");
                Ask::new("DELETE", format!("{members}/{user}/$ref"), None)
            }
            Op::ApplicationCreate => Ask::new("POST", "/v1.0/applications", rename()),
            Op::ApplicationUpdate => Ask::new("PATCH", one("applications", &self.application().0), rename()),
            Op::ApplicationDelete => Ask::new("DELETE", one("applications", &self.application().0), None),
            Op::ServicePrincipalCreate => {
                Ask::new("POST", "/v1.0/servicePrincipals", Some(json!({ "appId": self.application().1 })))
            }
            Op::ServicePrincipalUpdate => {
                Ask::new("PATCH", one("servicePrincipals", &self.service_principal()), rename())
            }
            Op::ServicePrincipalDelete => Ask::new("DELETE", one("servicePrincipals", &self.service_principal()), None),
            Op::ClientSecretAdd => {
                Ask::new("POST", format!("/v1.0/applications/{}/addPassword", self.application().0), Some(json!({})))
            }
            Op::ClientSecretRemove => {
                let application = format!("/v1.0/applications/{}", self.application().0);
                let key_id = self.post(&format!("{application}/addPassword"), &json!({}))["keyId"].clone();
                Ask::new("POST", format!("{application}/removePassword"), Some(json!({ "keyId": key_id })))
            }
            Op::DirectoryRoleAssignmentPut => {
                Ask::new("POST", ASSIGNMENTS, Some(role_assignment(GROUPS_ADMINISTRATOR, &self.user())))
            }
            Op::DirectoryRoleAssignmentDelete => {
                let given = self.post(ASSIGNMENTS, &role_assignment(GROUPS_ADMINISTRATOR, &self.user()));
                Ask::new("DELETE", format!("{ASSIGNMENTS}/{}", given["id"].as_str().unwrap()), None)
            }
            _ => return None,
        })
    }

    /// Gives [`NOBODY`] a role; returns where it is taken again.
    fn give(&self, role: &RoleDefinition) -> String {
        let given = self.post(ASSIGNMENTS, &role_assignment(&role.id.to_string(), &self.nobody));
        format!("{ASSIGNMENTS}/{}", given["id"].as_str().unwrap())
    }

    fn take(&self, given: &str) {
        self.graph.call("DELETE", given, None).expect("taking the role");
    }
}

fn role_assignment(role: &str, principal: &str) -> Value {
    json!({ "roleDefinitionId": role, "principalId": principal, "directoryScopeId": "/" })
}

/// Gives [`NOBODY`] every role of the control plane, on all there is.
fn give_all_of_azure(arm: &Target, subscription: &str, nobody: &str) {
    for (number, role) in (500..).zip(azure_roles()) {
        let scope = format!("/subscriptions/{subscription}");
        let definition = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", role.id);
        let at = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", guid(number));
        arm.call("PUT", &at, Some(&assignment(&definition, nobody))).expect("a role");
    }
}

#[test]
fn the_directory_asks_for_each_operations_right() {
    let server = server();
    let client = server.client();
    let (subscription, nobody) = server_facts(client);
    give_all_of_azure(&client.arm_authorization(), &subscription, &nobody);
    let stage = Stage { graph: client.arm(), nobody, number: Cell::new(0) };
    let mut coverage = Coverage::default();
    for operation in Operation::ALL.iter().copied() {
        let Some(action) = operation.directory_action() else { continue };
        let Some(ask) = stage.ask(operation) else {
            coverage.uncovered.push(operation.name().to_owned());
            continue;
        };
        coverage.add(Need::Right(operation));
        strangers_are_challenged(&mut coverage, operation.name(), &ask, &stage.graph);
        let refused = |coverage: &mut Coverage, who: &str| {
            let answer = ask.by(&stage.graph, NOBODY);
            if (answer.status, answer.code()) != (403, "Authorization_RequestDenied") {
                coverage.complain(operation.name(), who, &answer);
            }
        };
        refused(&mut coverage, "one with every role of the control plane");
        let (lets, others): (Vec<_>, Vec<_>) =
            directory_roles().iter().partition(|role| role.permissions.allows_action(action));
        let given: Vec<String> = others.into_iter().map(|role| stage.give(role)).collect();
        refused(&mut coverage, "one with every role that does not let");
        given.iter().for_each(|given| stage.take(given));
        assert!(!lets.is_empty(), "{operation:?}");
        for role in lets {
            let ask = stage.ask(operation).expect("it was there before");
            let given = stage.give(role);
            let answer = ask.by(&stage.graph, NOBODY);
            if answer.status != operation.success_status() {
                coverage.complain(operation.name(), &role.name, &answer);
            }
            stage.take(&given);
            refused(&mut coverage, "one whose role was taken");
        }
    }
    coverage.report("the directory");
}

#[test]
fn the_directory_is_read_by_whoever_signed_in() {
    let server = server();
    let graph = server.client().arm();
    for path in ["users", "groups", "applications", "servicePrincipals", "directoryRoles", "directoryRoleTemplates"] {
        let answer = Ask::new("GET", format!("/v1.0/{path}"), None).by(&graph, NOBODY);
        assert!(answer.is_success(), "{path}: {}", answer.body);
    }
    let held = Ask::new("GET", ASSIGNMENTS, None).by(&graph, NOBODY);
    let administrator = server.client().facts().get("OBJECT_ID");
    let is_administrators =
        |each: &Value| each["principalId"].as_str().and_then(Guid::parse) == Guid::parse(administrator);
    assert!(held.body["value"].as_array().unwrap().iter().any(is_administrators), "{}", held.body);
}
