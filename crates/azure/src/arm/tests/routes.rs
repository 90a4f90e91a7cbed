//! Paths: every documented operation resolves, whatever the case.

use crate::arm::{
    ids,
    route::{NoRoute, PolicyChange, Route, place_of, resolve},
};
use domain::{ContainerKind, Guid};
use serde_json::Value;

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

fn resolved(path: &str) -> Result<Route, NoRoute> {
    let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    resolve(&path)
}

/// Paths of a document with examples in place of parameters, each with its method.
fn operations(document: &str) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(document).unwrap();
    let vault = format!("subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv");
    let assignment = format!("{vault}/providers/Microsoft.Authorization/roleAssignments/{SUBSCRIPTION}");
    let definition = format!("providers/Microsoft.Authorization/roleDefinitions/{SUBSCRIPTION}");
    let examples = [
        ("{subscriptionId}", SUBSCRIPTION),
        ("/{roleId}?disambiguation_dummy", &format!("/{definition}")),
        ("{roleAssignmentId}", &assignment),
        ("{resourceId}", &vault),
        ("{scope}", &vault),
        ("{resourceProviderNamespace}", "Microsoft.KeyVault"),
        ("{parentResourcePath}/", ""),
        ("{resourceType}", "vaults"),
        ("{operationKind}", "add"),
        ("{location}", "eastus"),
    ];
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = examples.iter().fold(path.clone(), |path, (name, example)| path.replace(name, example));
        // Every other parameter is a name.
        let path = path.split('/').map(|segment| if segment.starts_with('{') { "name1" } else { segment });
        let path = path.collect::<Vec<_>>().join("/");
        all.extend(methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    all
}

fn uncovered(document: &str) -> Vec<String> {
    let answered = |method: &str, path: &str| resolved(path).is_ok_and(|route| route.methods().contains(&method));
    let all = operations(document);
    all.iter()
        .filter(|(method, path)| !answered(method, path))
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

#[test]
fn every_documented_operation_of_key_vault_resolves() {
    let document = include_str!("../../../../../specs/azure/arm-keyvault-2026-05-15.json");
    assert_eq!(operations(document).len(), 48);
    assert_eq!(uncovered(document), Vec::<String>::new());
}

#[test]
fn every_documented_operation_of_the_neighbours_resolves() {
    for document in [
        include_str!("../../../../../specs/azure/arm-authorization-roles-2022-04-01.json"),
        include_str!("../../../../../specs/azure/arm-locks-2020-05-01.json"),
        include_str!("../../../../../specs/azure/arm-resources-subset-2025-04-01.json"),
    ] {
        assert_eq!(uncovered(document), Vec::<String>::new());
    }
}

/// What is documented and answered only by name, with the number of operations each feature stands for.
#[test]
fn what_is_not_built_is_named() {
    let document = include_str!("../../../../../specs/azure/arm-keyvault-2026-05-15.json");
    let mut named: Vec<&str> = operations(document)
        .iter()
        .filter_map(|(_, path)| match resolved(path) {
            Ok(Route::NotSupported(what)) => Some(what),
            _ => None,
        })
        .collect();
    assert_eq!(named.len(), 14);
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, ["keys through the resource manager", "secrets through the resource manager"]);
}

#[test]
fn paths_compare_without_case() {
    for document in [
        include_str!("../../../../../specs/azure/arm-keyvault-2026-05-15.json"),
        include_str!("../../../../../specs/azure/arm-authorization-roles-2022-04-01.json"),
        include_str!("../../../../../specs/azure/arm-resources-subset-2025-04-01.json"),
    ] {
        for (_, path) in operations(document) {
            let shape = |path: &str| resolved(path).map(|route| std::mem::discriminant(&route)).ok();
            assert_eq!(shape(&path), shape(&path.to_lowercase()), "{path}");
            assert_eq!(shape(&path), shape(&path.to_uppercase()), "{path}");
        }
    }
}

#[test]
fn names_keep_their_case_and_ids_get_their_own() {
    let path =
        format!("/SUBSCRIPTIONS/{SUBSCRIPTION}/resourcegroups/MyGroup/PROVIDERS/microsoft.keyvault/managedhsms/Hsm1");
    let Ok(Route::Container(place)) = resolved(&path) else {
        panic!("a container's path");
    };
    assert_eq!((place.kind, place.name.as_str()), (ContainerKind::ManagedHsm, "Hsm1"));
    let id = ids::container(&place);
    assert_eq!(
        id,
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/MyGroup/providers/Microsoft.KeyVault/managedHSMs/Hsm1")
    );
    assert_eq!(place_of(&id), Some(place));
}

#[test]
fn a_scope_is_whatever_stands_before_the_provider() {
    let assignments =
        |scope: &str| match resolved(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments")) {
            Ok(Route::RoleAssignments(scope)) => Some(scope.as_str().to_owned()),
            _ => None,
        };
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    assert_eq!(assignments("").as_deref(), Some("/"));
    assert_eq!(assignments(&subscription), Some(subscription.clone()));
    assert_eq!(
        assignments(&format!("{subscription}/resourcegroups/RG/providers/microsoft.keyvault/VAULTS/kv")),
        Some(format!("{subscription}/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/kv"))
    );
    assert_eq!(assignments("/keys/k"), None);
    assert_eq!(assignments(&format!("{subscription}/resourceGroups")), None);
}

#[test]
fn paths_of_nothing_say_why() {
    let none = |path: &str| resolved(path).unwrap_err().problem(Some("2024-11-01")).code;
    assert_eq!(none("/nothing"), "NotFound");
    assert_eq!(none("/subscriptions/not-a-guid/resourcegroups"), "InvalidSubscriptionId");
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    assert_eq!(none(&format!("{subscription}/providers/Microsoft.Compute/skus")), "InvalidResourceNamespace");
    assert_eq!(none(&format!("{subscription}/providers/Microsoft.KeyVault/hsmPools")), "InvalidResourceType");
    assert_eq!(
        none(&format!("{subscription}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv/accessPolicies/merge")),
        "InvalidResourceType"
    );
}

#[test]
fn a_slash_inside_a_name_makes_no_path() {
    let path = ["subscriptions", SUBSCRIPTION, "resourceGroups", "a/providers/x"];
    assert_eq!(resolve(&path), Err(NoRoute::Unknown));
    assert_eq!(resolve(&["tenants", "\0"]), Err(NoRoute::Unknown));
}

#[test]
fn policy_changes_and_purges_are_told_apart() {
    let subscription = Guid::parse(SUBSCRIPTION).unwrap();
    let vault = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv");
    let change = |word: &str| match resolved(&format!("{vault}/accessPolicies/{word}")) {
        Ok(Route::AccessPolicies(_, change)) => Some(change),
        _ => None,
    };
    assert_eq!(change("add"), Some(PolicyChange::Add));
    assert_eq!(change("Replace"), Some(PolicyChange::Replace));
    assert_eq!(change("REMOVE"), Some(PolicyChange::Remove));
    let deleted = ids::deleted(ContainerKind::ManagedHsm, subscription, "uksouth", "hsm1");
    assert!(matches!(resolved(&deleted), Ok(Route::DeletedContainer(place)) if place.location == "uksouth"));
    assert!(matches!(resolved(&format!("{deleted}/purge")), Ok(Route::PurgeContainer(place)) if place.name == "hsm1"));
    let result = ids::operation_result(ContainerKind::Vault, subscription, "uksouth", subscription);
    assert!(matches!(resolved(&result), Ok(Route::OperationResult { kind: ContainerKind::Vault, .. })));
}
