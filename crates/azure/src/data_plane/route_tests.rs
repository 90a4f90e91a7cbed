//! Every documented operation has a route, and what is none has the right refusal.

use super::*;
use serde_json::Value;
use std::collections::BTreeMap;

const KEYS_SPEC: &str = include_str!("../../../../specs/azure/data-plane-keys-2026-04-01.json");
const ADMINISTRATION_SPEC: &str = include_str!("../../../../specs/azure/data-plane-administration-2025-07-01.json");
const SECURITY_DOMAIN_SPEC: &str = include_str!("../../../../specs/azure/data-plane-securitydomain-2025-07-01.json");
const SECRETS_SPEC: &str = include_str!("../../../../specs/azure/data-plane-secrets-2026-04-01.json");
const CERTIFICATES_SPEC: &str = include_str!("../../../../specs/azure/data-plane-certificates-2026-04-01.json");
const VERSION: &str = "0123456789abcdef0123456789abcdef";

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn operation(kind: ContainerKind, method: &str, path: &str) -> Result<Operation, NoRoute> {
    resolve(kind, method, &segments(path)).map(|route| route.operation)
}

/// Method, path with parameters filled in, and operation id of everything in a document.
fn documented(spec: &str) -> Vec<(String, String, String)> {
    let spec: Value = serde_json::from_str(spec).unwrap();
    let mut found = Vec::new();
    for (path, methods) in spec["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let filled = path
                .replace("{scope}", "keys")
                .replace("{key-version}", VERSION)
                .replace("{secret-version}", VERSION)
                .replace("{certificate-version}", VERSION);
            let filled: Vec<&str> =
                filled.split('/').map(|part| if part.starts_with('{') { "name" } else { part }).collect();
            found.push((method.to_uppercase(), filled.join("/"), id.to_owned()));
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn every_key_operation_of_the_document_has_its_route() {
    let mut table = BTreeMap::new();
    for (method, path, id) in documented(KEYS_SPEC) {
        let found = operation(ContainerKind::ManagedHsm, &method, &path);
        table.insert(id.clone(), format!("{:?}", found.unwrap_or_else(|no| panic!("{method} {path}: {no:?}"))));
        if id != "get_random_bytes" {
            let vault = operation(ContainerKind::Vault, &method, &path).map(|found| format!("{found:?}"));
            assert_eq!(vault.as_ref(), Ok(&table[&id]), "{method} {path}");
        }
    }
    insta::assert_debug_snapshot!(table);
}

#[test]
fn the_other_documents_are_answered_by_name() {
    for spec in [ADMINISTRATION_SPEC, SECURITY_DOMAIN_SPEC] {
        for (method, path, id) in documented(spec) {
            assert!(operation(ContainerKind::ManagedHsm, &method, &path).is_ok(), "{id}: {method} {path}");
        }
    }
}

#[test]
fn every_operation_of_secrets_and_certificates_has_its_route_in_vaults_only() {
    let mut table = BTreeMap::new();
    for (method, path, id) in [documented(SECRETS_SPEC), documented(CERTIFICATES_SPEC)].concat() {
        let found = operation(ContainerKind::Vault, &method, &path);
        table.insert(id, format!("{:?}", found.unwrap_or_else(|no| panic!("{method} {path}: {no:?}"))));
        assert_eq!(operation(ContainerKind::ManagedHsm, &method, &path), Err(NoRoute::NotFound));
    }
    insta::assert_debug_snapshot!(table);
}

#[test]
fn contacts_and_issuers_are_no_certificates() {
    let vault = ContainerKind::Vault;
    let of = |operation| Ok(Operation::Certificate(operation));
    assert_eq!(operation(vault, "GET", "/certificates/contacts"), of(CertificateOperation::GetContacts));
    assert_eq!(operation(vault, "GET", "/certificates/issuers/"), of(CertificateOperation::ListIssuers));
    assert_eq!(operation(vault, "GET", "/certificates/Issuers/i"), of(CertificateOperation::GetIssuer));
    for reserved in ["Contacts", "restore"] {
        let path = format!("/certificates/{reserved}/create");
        let path = segments(&path);
        assert!(resolve(vault, "POST", &path).unwrap().object().is_err(), "{reserved}");
    }
}

#[test]
fn a_version_may_be_left_out_and_reserved_words_are_no_versions() {
    let vault = ContainerKind::Vault;
    let path = segments("/keys/k//sign");
    let route = resolve(vault, "POST", &path).unwrap();
    assert_eq!((route.operation, route.version), (Operation::UseKey(KeyUse::Sign), None));
    let path = segments("/Keys/K/v/WrapKey");
    let route = resolve(vault, "POST", &path).unwrap();
    assert_eq!((route.operation, route.name, route.version), (Operation::UseKey(KeyUse::Wrap), Some("K"), Some("v")));
    assert_eq!(operation(vault, "PATCH", "/keys/k/"), Ok(Operation::Object(ObjectKind::Key, ObjectAct::Update)));
    assert_eq!(operation(vault, "GET", "/keys/k/nonsense"), Ok(Operation::Object(ObjectKind::Key, ObjectAct::Get)));
    assert_eq!(operation(vault, "GET", "/keys/k/create"), Err(NoRoute::MethodNotAllowed(vec!["POST"])));
    assert_eq!(operation(vault, "GET", "/keys/restore"), Err(NoRoute::MethodNotAllowed(vec!["POST"])));
    assert_eq!(operation(vault, "POST", "/keys/restore"), Ok(Operation::Object(ObjectKind::Key, ObjectAct::Restore)));
    assert_eq!(operation(vault, "POST", "/keys"), Err(NoRoute::MethodNotAllowed(vec!["GET"])));
    for nowhere in ["/", "/rng", "/settings", "/keys/k/v/sign/more", "/keys/k/v/nonsense", "/providers"] {
        assert_eq!(operation(vault, "GET", nowhere), Err(NoRoute::NotFound), "{nowhere}");
    }
}

#[test]
fn roles_have_three_scopes() {
    let guid = "00000000-0000-0000-0000-000000000001";
    for (prefix, scope) in [("//", "/"), ("//keys/", "/keys"), ("/keys/K1/", "/keys/K1")] {
        let path = format!("{prefix}/providers/microsoft.authorization/roleAssignments/{guid}");
        let path = segments(&path);
        let route = resolve(ContainerKind::ManagedHsm, "PUT", &path).unwrap();
        assert_eq!(route.operation, Operation::PutRoleAssignment);
        let path = format!("{prefix}/providers/microsoft.authorization/ROLEDEFINITIONS/{guid}");
        let path = segments(&path);
        let written = [("PUT", Operation::PutRoleDefinition), ("DELETE", Operation::DeleteRoleDefinition)];
        for (method, operation) in written {
            assert_eq!(resolve(ContainerKind::ManagedHsm, method, &path).unwrap().operation, operation);
        }
        assert_eq!(route.name, Some(guid));
        assert_eq!(route.scope.as_ref().map(Scope::as_str), Some(scope));
    }
    for nowhere in [
        "/secrets/providers/Microsoft.Authorization/roleAssignments",
        "/keys/a/b/providers/Microsoft.Authorization/roleAssignments",
        "/providers/Microsoft.Authorization",
        "/providers/Microsoft.Authorization/locks",
    ] {
        assert_eq!(operation(ContainerKind::ManagedHsm, "GET", nowhere), Err(NoRoute::NotFound), "{nowhere}");
    }
    let vault = operation(ContainerKind::Vault, "GET", "/providers/Microsoft.Authorization/roleAssignments");
    assert_eq!(vault, Err(NoRoute::NotFound));
}
