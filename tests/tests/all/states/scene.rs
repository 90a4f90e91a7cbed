//! Bringing an object into a state, and the right body of what is then asked of it.

use super::table::State;
use crate::who_may::objects;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::{ObjectAct, ObjectKind, Operation};
use e2e::client::Target;
use serde_json::{Value, json};

/// Where objects are made.
pub struct Stage {
    pub data: Target,
    /// When what is to expire does.
    pub expires: i64,
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn live(kind: ObjectKind, name: &str) -> String {
    format!("/{}/{name}", kind.collection())
}

/// The policy of a certificate that nobody renews.
fn policy(issuer: &str, key_type: &str) -> Value {
    json!({ "policy": {
        "key_props": { "kty": key_type },
        "secret_props": { "contentType": "application/x-pem-file" },
        "x509_props": {
            "subject": "CN=states",
            "validity_months": 1,
            "key_usage": ["digitalSignature", "keyEncipherment", "dataEncipherment"],
        },
        "lifetime_actions": [],
        "issuer": { "name": issuer },
    } })
}

/// What a policy of rotation says that never does.
fn rotation_policy() -> Value {
    json!({
        "lifetimeActions": [{ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } }],
        "attributes": { "expiryTime": "P2Y" },
    })
}

/// Only these need a key that takes long to make.
fn key_type(operation: Option<Operation>) -> &'static str {
    use Operation as Op;
    match operation {
        Some(Op::KeyEncrypt | Op::KeyDecrypt | Op::KeyWrap | Op::KeyUnwrap) => "RSA",
        _ => "EC",
    }
}

impl Stage {
    /// Brings the object of a name into a state. Returns the body of the operation.
    pub fn set(&self, kind: ObjectKind, operation: Option<Operation>, state: State, name: &str) -> Option<Value> {
        let key_type = key_type(operation);
        let blob = (operation == Some(ObjectAct::Restore.on(kind))).then(|| self.backup(kind, name));
        match state {
            State::Live | State::Deleted | State::Disabled | State::Expired => self.make(kind, state, key_type, name),
            State::Pending => self.certify("Unknown", key_type, name),
            State::Managed | State::ManagedDeleted => self.certify("Self", key_type, name),
        }
        let is_made = !matches!(state, State::Pending);
        if operation == Some(Operation::KeyRotate) && is_made && state != State::Managed {
            let path = format!("{}/rotationpolicy", live(ObjectKind::Key, name));
            let set = self.data.call("PUT", &path, Some(&rotation_policy()));
            assert!(set.is_success() || state == State::ManagedDeleted, "{}", set.body);
        }
        let body = operation.and_then(|operation| blob.or_else(|| self.body(operation, state, name)));
        match state {
            State::Deleted => self.delete(kind, name),
            State::ManagedDeleted => self.delete(ObjectKind::Certificate, name),
            State::Disabled => {
                let disabled = json!({ "attributes": { "enabled": false } });
                self.data.call("PATCH", &live(kind, name), Some(&disabled)).expect("disabling");
            }
            State::Live | State::Expired | State::Pending | State::Managed => {}
        }
        body
    }

    fn make(&self, kind: ObjectKind, state: State, key_type: &str, name: &str) {
        let attributes = if state == State::Expired { json!({ "exp": self.expires }) } else { json!({}) };
        let path = live(kind, name);
        let made = match kind {
            ObjectKind::Key => {
                let body = json!({ "kty": key_type, "attributes": attributes });
                self.data.call("POST", &format!("{path}/create"), Some(&body))
            }
            ObjectKind::Secret => {
                self.data.call("PUT", &path, Some(&json!({ "value": "correct horse", "attributes": attributes })))
            }
            ObjectKind::Certificate => return self.certify("Self", key_type, name),
        };
        made.expect("making an object");
    }

    fn certify(&self, issuer: &str, key_type: &str, name: &str) {
        let path = format!("{}/create", live(ObjectKind::Certificate, name));
        self.data.call("POST", &path, Some(&policy(issuer, key_type))).expect("making a certificate");
    }

    fn delete(&self, kind: ObjectKind, name: &str) {
        self.data.call("DELETE", &live(kind, name), None).expect("deleting");
    }

    /// The backup of an object that had the name before, and belonged to no certificate.
    fn backup(&self, kind: ObjectKind, name: &str) -> Value {
        self.make(kind, State::Live, "EC", name);
        let blob = self.data.call("POST", &format!("{}/backup", live(kind, name)), None).expect("a backup");
        self.delete(kind, name);
        self.data.call("DELETE", &format!("/deleted{}/{name}", kind.collection()), None).expect("purging");
        json!({ "value": blob.get("value").cloned() })
    }

    /// What a key makes of a digest while it is live, to be undone.
    fn cipher(&self, word: &str, state: State, name: &str) -> Value {
        let asked = json!({ "alg": "RSA-OAEP-256", "value": encoded(&[7; 32]) });
        if state == State::Pending {
            return asked;
        }
        let made =
            self.data.call("POST", &format!("{}/{word}", live(ObjectKind::Key, name)), Some(&asked)).expect(word);
        json!({ "alg": "RSA-OAEP-256", "value": made.get("value").cloned() })
    }

    fn body(&self, operation: Operation, state: State, name: &str) -> Option<Value> {
        use Operation as Op;
        Some(match operation {
            Op::KeyCreate => json!({ "kty": "EC" }),
            // The key of RFC 7515 §A.3.
            Op::KeyImport => json!({ "key": {
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
            } }),
            Op::KeyEncrypt | Op::KeyWrap => json!({ "alg": "RSA-OAEP-256", "value": encoded(&[7; 32]) }),
            Op::KeyDecrypt => self.cipher("encrypt", state, name),
            Op::KeyUnwrap => self.cipher("wrapkey", state, name),
            Op::KeySign => json!({ "alg": "ES256", "value": encoded(&[7; 32]) }),
            Op::KeyVerify => json!({ "alg": "ES256", "digest": encoded(&[7; 32]), "value": encoded(&[7; 64]) }),
            Op::KeyRotationPolicySet => rotation_policy(),
            Op::SecretSet => json!({ "value": "battery staple" }),
            Op::KeyUpdate | Op::SecretUpdate | Op::CertificateUpdate => json!({ "tags": { "a": "b" } }),
            Op::CertificateCreate => policy("Self", "EC"),
            Op::CertificateImport => self.file(name),
            Op::CertificatePolicyUpdate => json!({ "x509_props": { "validity_months": 6 } }),
            Op::CertificatePendingUpdate => json!({ "cancellation_requested": true }),
            Op::CertificatePendingMerge => self.chain(name),
            _ => return None,
        })
    }

    /// A certificate in a file, with its key.
    fn file(&self, name: &str) -> Value {
        let other = format!("{name}-file");
        self.certify("Self", "EC", &other);
        let file = self.data.call("GET", &live(ObjectKind::Secret, &other), None).expect("its secret");
        json!({ "value": file.get("value").cloned() })
    }

    /// What an authority outside makes of the pending request.
    fn chain(&self, name: &str) -> Value {
        let path = format!("{}/pending", live(ObjectKind::Certificate, name));
        let pending = self.data.call("GET", &path, None).expect("the pending operation");
        let csr = STANDARD.decode(pending.get("csr").and_then(Value::as_str).unwrap()).unwrap();
        json!({ "x5c": objects::signed_outside(&csr).map(|der| STANDARD.encode(der)) })
    }
}
