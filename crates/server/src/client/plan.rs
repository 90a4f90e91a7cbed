//! A command line, understood: its first call, and what is to be made of the answer.

use domain::ObjectKind;
use serde_json::Value;

use super::error::ClientError;
use super::session::{Call, Session};
use super::target::ObjectRef;

/// A command, ready to be carried out.
pub struct Plan {
    /// The first call. For most commands it is the only one.
    pub call: Call,
    rest: Rest,
}

/// Makes the first call and all others, and gives what is to be printed.
type Rest = Box<dyn FnOnce(&mut Session<'_>, &Call) -> Result<Value, ClientError>>;

impl Plan {
    /// Carries the plan out and gives what is to be printed.
    pub fn carry_out(self, session: &mut Session<'_>) -> Result<Value, ClientError> {
        (self.rest)(session, &self.call)
    }
}

impl Call {
    /// A call to a path of a host.
    pub fn new(method: &'static str, host: &str, path: &str) -> Call {
        Call { method, url: format!("https://{host}{path}"), body: None }
    }

    /// A call to a path of an object.
    pub fn on(object: &ObjectRef, method: &'static str, path: fn(&ObjectRef) -> String) -> Call {
        Call::new(method, &object.host, &path(object))
    }

    /// The same call with a body.
    pub fn with(self, body: Value) -> Call {
        Call { body: Some(body), ..self }
    }

    /// A plan of this call, with all that happens after it is sent.
    pub fn first(self, rest: impl FnOnce(&mut Session<'_>, &Call) -> Result<Value, ClientError> + 'static) -> Plan {
        Plan { call: self, rest: Box::new(rest) }
    }

    /// A plan of this call alone: its answer is turned into what is printed.
    pub fn then(self, read: impl FnOnce(&Value) -> Result<Value, ClientError> + 'static) -> Plan {
        self.first(move |session, call| read(&session.data(call)?))
    }

    /// A plan of this call alone, whose answer only changes its shape.
    pub fn show(self, shape: fn(&Value) -> Value) -> Plan {
        self.then(move |answer| Ok(shape(answer)))
    }

    /// A plan of this call alone, whose answer is an object.
    pub fn show_object(self, kind: ObjectKind) -> Plan {
        self.then(move |answer| Ok(super::shape::object(kind, answer)))
    }

    /// A plan of this call alone, whose answer says nothing.
    pub fn done(self) -> Plan {
        self.then(|_| Ok(Value::Null))
    }
}

#[cfg(test)]
impl std::fmt::Debug for Plan {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.call.fmt(out)
    }
}
