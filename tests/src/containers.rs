//! Vaults and managed HSMs through the resource manager: one way to speak of both.

#![expect(clippy::expect_used, clippy::panic, reason = "a harness of tests fails by panicking")]

use crate::client::{Answer, Client, Target};
use domain::ContainerKind;
use serde_json::{Value, json};

/// A container of some name on some server; it need not exist.
#[derive(Clone)]
pub struct Container {
    pub kind: ContainerKind,
    pub name: String,
    client: Client,
}

/// How a container is made.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    pub retention_days: i64,
    pub purge_protection: bool,
}

impl Making {
    /// What most tests want: gone after a week, or when somebody says so.
    pub const SHORT_LIVED: Self = Self { retention_days: 7, purge_protection: false };
}

impl Container {
    #[must_use]
    pub fn new(client: &Client, kind: ContainerKind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), client: client.clone() }
    }

    /// A container that exists.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn made(client: &Client, kind: ContainerKind, name: &str) -> Self {
        let made = Self::new(client, kind, name);
        made.put(Making::SHORT_LIVED).expect("making a container");
        made
    }

    /// The same container, by a client of the server that came after.
    #[must_use]
    pub fn through(&self, client: &Client) -> Self {
        Self { client: client.clone(), ..self.clone() }
    }

    /// Its data plane.
    #[must_use]
    pub fn data(&self) -> Target {
        match self.kind {
            ContainerKind::Vault => self.client.vault(&self.name),
            ContainerKind::ManagedHsm => self.client.hsm(&self.name),
        }
    }

    /// Its id in the resource manager.
    #[must_use]
    pub fn id(&self) -> String {
        let facts = self.client.facts();
        let (subscription, group) = (facts.get("SUBSCRIPTION"), facts.get("RESOURCE_GROUP"));
        let collection = self.kind.resource_type();
        let name = &self.name;
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/{collection}/{name}")
    }

    /// The id of what is left of it in the resource manager while it is deleted.
    #[must_use]
    pub fn deleted_id(&self) -> String {
        let facts = self.client.facts();
        let (subscription, location) = (facts.get("SUBSCRIPTION"), facts.get("LOCATION"));
        let collection = match self.kind {
            ContainerKind::Vault => "deletedVaults",
            ContainerKind::ManagedHsm => "deletedManagedHSMs",
        };
        let name = &self.name;
        format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/{collection}/{name}")
    }

    /// The body that makes it.
    #[must_use]
    pub fn body(&self, making: Making) -> Value {
        let facts = self.client.facts();
        let mut properties = json!({
            "tenantId": facts.get("TENANT"),
            "softDeleteRetentionInDays": making.retention_days,
        });
        let mut body = json!({ "location": facts.get("LOCATION") });
        match self.kind {
            ContainerKind::Vault => {
                set(&mut properties, "sku", json!({ "family": "A", "name": "premium" }));
                set(&mut properties, "enableRbacAuthorization", json!(true));
            }
            ContainerKind::ManagedHsm => {
                set(&mut body, "sku", json!({ "family": "B", "name": "Standard_B1" }));
                set(&mut properties, "initialAdminObjectIds", json!([facts.get("OBJECT_ID")]));
            }
        }
        if making.purge_protection {
            set(&mut properties, "enablePurgeProtection", json!(true));
        }
        set(&mut body, "properties", properties);
        body
    }

    /// Creates it, or changes nothing about it.
    #[must_use]
    pub fn put(&self, making: Making) -> Answer {
        self.client.arm().call("PUT", &self.id(), Some(&self.body(making)))
    }

    #[must_use]
    pub fn recover(&self) -> Answer {
        let mut body = self.body(Making::SHORT_LIVED);
        let properties = body.get_mut("properties").expect("a body has properties");
        set(properties, "createMode", json!("recover"));
        self.client.arm().call("PUT", &self.id(), Some(&body))
    }

    #[must_use]
    pub fn delete(&self) -> Answer {
        self.client.arm().call("DELETE", &self.id(), None)
    }

    #[must_use]
    pub fn purge(&self) -> Answer {
        self.client.arm().call("POST", &format!("{}/purge", self.deleted_id()), None)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let Some(members) = object.as_object_mut() else { panic!("not an object: {object}") };
    members.insert(name.to_owned(), value);
}
