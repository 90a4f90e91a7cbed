//! The documents in `specs`, as far as tests are made from them: operations, and the members of bodies.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a harness of tests fails by panicking")]

use serde_json::Value;
use std::{fs, path::Path};

/// Bodies are not looked into deeper than this; no documented body is deeper.
const DEEPEST: usize = 6;

/// An `OpenAPI` document.
pub struct Document(Value);

/// A method on a path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// In capitals.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// Names of query parameters beside `api-version`.
    pub query: Vec<String>,
    /// The schema of the body.
    pub body: Option<Value>,
}

/// What a member holds, as far as a wrong value can be made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    /// A word of a list.
    Word,
    Base64Url,
    Integer,
    Boolean,
    Array,
    Object,
    /// Any names with texts.
    Texts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Member(String),
    /// The first of an array.
    First,
}

/// Something inside a body.
#[derive(Clone, Debug)]
pub struct Member {
    pub path: Vec<Step>,
    pub holds: Type,
    /// Clients do not send it, or if they do it has no effect.
    pub read_only: bool,
}

impl Document {
    /// Reads a document of `specs/azure`.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    pub fn azure(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/azure").join(name);
        Self(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
    }

    /// A document that a test has written.
    #[must_use]
    pub fn written(document: Value) -> Self {
        Self(document)
    }

    /// All operations.
    ///
    /// # Panics
    /// If the document is not `OpenAPI`.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.0.get("paths").and_then(Value::as_object).expect("a document has paths");
        let methods = paths.iter().flat_map(|(path, methods)| {
            // Two operations of one method and path stand as one, and the second in an extension.
            let operations = methods.as_object().unwrap().iter().filter(|(method, _)| !method.starts_with("x-"));
            operations.map(move |(method, operation)| (path, method, operation))
        });
        methods.map(|(path, method, operation)| self.operation(path, method, operation)).collect()
    }

    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let text = |parameter: &Value, name: &str| parameter.get(name).and_then(Value::as_str).unwrap().to_owned();
        let query = parameters.filter(|parameter| text(parameter, "in") == "query").map(|each| text(each, "name"));
        let body = operation.pointer("/requestBody/content/application~1json/schema");
        Operation {
            method: method.to_uppercase(),
            path: path.to_owned(),
            query: query.filter(|name| name != "api-version").collect(),
            body: body.map(|schema| self.resolved(schema)),
        }
    }

    /// A schema with its reference followed and its parts put together.
    fn resolved(&self, schema: &Value) -> Value {
        let mut whole = match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.resolved(self.0.pointer(reference.trim_start_matches('#')).expect(reference)),
            None => schema.clone(),
        };
        let parts = schema.get("allOf").and_then(Value::as_array).cloned().unwrap_or_default();
        for part in parts {
            merge(&mut whole, self.resolved(&part));
        }
        whole
    }

    /// Everything that a body of this schema may hold, its members' members too.
    #[must_use]
    pub fn members(&self, schema: &Value) -> Vec<Member> {
        let mut found = Vec::new();
        self.collect(schema, &[], false, &mut found);
        found
    }

    fn collect(&self, schema: &Value, path: &[Step], read_only: bool, found: &mut Vec<Member>) {
        if path.len() > DEEPEST {
            return;
        }
        let schema = self.resolved(schema);
        let read_only = read_only || schema.get("readOnly") == Some(&Value::Bool(true));
        if !path.is_empty() {
            found.push(Member { path: path.to_vec(), holds: holds(&schema), read_only });
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.collect(member, &[path, &[Step::Member(name.clone())]].concat(), read_only, found);
        }
        if let Some(items) = schema.get("items") {
            self.collect(items, &[path, &[Step::First]].concat(), read_only, found);
        }
    }
}

fn merge(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                merge(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, part) if whole.is_null() => *whole = part,
        _ => {}
    }
}

fn holds(schema: &Value) -> Type {
    let text = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("format")) {
        ("integer" | "number", _) => Type::Integer,
        ("boolean", _) => Type::Boolean,
        ("array", _) => Type::Array,
        ("string", "base64url") => Type::Base64Url,
        ("string", _) if schema.get("enum").is_some() => Type::Word,
        ("string", _) => Type::Text,
        _ if schema.get("additionalProperties").is_some() => Type::Texts,
        _ => Type::Object,
    }
}

/// Puts a value into a body, making what is missing on the way.
///
/// # Panics
/// If the path is empty.
pub fn put(body: &mut Value, path: &[Step], value: Value) {
    let (first, rest) = path.split_first().expect("a path leads somewhere");
    let place = match first {
        Step::Member(name) => {
            if !body.is_object() {
                *body = Value::Object(serde_json::Map::new());
            }
            body.as_object_mut().unwrap().entry(name.clone()).or_insert(Value::Null)
        }
        Step::First => {
            if body.as_array().is_none_or(Vec::is_empty) {
                *body = Value::Array(vec![Value::Null]);
            }
            body.as_array_mut().unwrap().first_mut().unwrap()
        }
    };
    if rest.is_empty() {
        *place = value;
    } else {
        put(place, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_documented_body_has_the_members_of_its_members() {
        let document = Document::azure("data-plane-keys-2026-04-01.json");
        let operations = document.operations();
        let create = operations.iter().find(|operation| operation.path == "/keys/{key-name}/create").unwrap();
        let members = document.members(create.body.as_ref().unwrap());
        let of = |path: &[Step]| members.iter().find(|member| member.path == path).map(|member| member.holds);
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(of(&[member("kty")]), Some(Type::Word));
        assert_eq!(of(&[member("key_ops"), Step::First]), Some(Type::Word));
        assert_eq!(of(&[member("attributes"), member("nbf")]), Some(Type::Integer));
        assert_eq!(of(&[member("release_policy"), member("data")]), Some(Type::Base64Url));
        assert_eq!(of(&[member("tags")]), Some(Type::Texts));
    }

    #[test]
    fn a_value_is_put_where_its_path_leads() {
        let mut body = json!({ "kty": "EC" });
        let path = ["attributes", "list"].map(|name| Step::Member(name.to_owned()));
        put(&mut body, &[&path[..], &[Step::First]].concat(), json!(1));
        assert_eq!(body, json!({ "kty": "EC", "attributes": { "list": [1] } }));
    }
}
