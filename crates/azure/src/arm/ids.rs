//! ARM ids, in their canonical case.

use super::route::Place;
use domain::{ContainerKind, Guid, access::Scope};

const KEY_VAULT: &str = "Microsoft.KeyVault";

pub(crate) fn subscription(id: Guid) -> String {
    format!("/subscriptions/{id}")
}

pub(crate) fn group(subscription: Guid, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{name}")
}

/// `Microsoft.KeyVault/vaults`.
pub(crate) fn resource_type(kind: ContainerKind) -> String {
    format!("{KEY_VAULT}/{}", kind.resource_type())
}

/// The id of a container as a path names it, also where there is none.
pub(crate) fn container(place: &Place) -> String {
    let group = group(place.resource.subscription, &place.resource.resource_group);
    format!("{group}/providers/{}/{}", resource_type(place.kind), place.name)
}

/// The type of a deleted container. The HSM's is spelled as recorded: `Microsoft.Keyvault`
/// (contract: az-client §2, "Control plane").
pub(crate) fn deleted_type(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Vault => "Microsoft.KeyVault/deletedVaults",
        ContainerKind::ManagedHsm => "Microsoft.Keyvault/deletedManagedHSMs",
    }
}

pub(crate) fn deleted(kind: ContainerKind, subscription: Guid, location: &str, name: &str) -> String {
    let collection = kind.deleted_collection();
    format!("/subscriptions/{subscription}/providers/{KEY_VAULT}/locations/{location}/{collection}/{name}")
}

/// Where the result of a long-running operation is polled, without host and query.
pub(crate) fn operation_result(kind: ContainerKind, subscription: Guid, location: &str, id: Guid) -> String {
    let collection = match kind {
        ContainerKind::Vault => "operationResults",
        ContainerKind::ManagedHsm => "managedHsmOperationResults",
    };
    format!("/subscriptions/{subscription}/providers/{KEY_VAULT}/locations/{location}/{collection}/{id}")
}

/// A location as ids and answers write it: `East US` is `eastus`.
pub(crate) fn location(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace()).map(|char| char.to_ascii_lowercase()).collect()
}

/// More than any resource's id has.
const MOST_SEGMENTS: usize = 32;

/// The scope that a path names, its fixed words in canonical case: `/`, a subscription, a resource group, or a
/// resource. `None` for a path of another shape.
pub(crate) fn scope(path: &[&str]) -> Option<Scope> {
    if path.len() > MOST_SEGMENTS {
        return None;
    }
    let mut text = String::new();
    let mut rest = path;
    if let [word, id, below @ ..] = rest
        && word.eq_ignore_ascii_case("subscriptions")
    {
        text = subscription(Guid::parse(id)?);
        rest = below;
        if let [word, name, below @ ..] = rest
            && word.eq_ignore_ascii_case("resourceGroups")
        {
            text = format!("{text}/resourceGroups/{name}");
            rest = below;
        }
    }
    if let [word, namespace, types_and_names @ ..] = rest
        && word.eq_ignore_ascii_case("providers")
        && !types_and_names.is_empty()
        && types_and_names.len() % 2 == 0
    {
        let namespace = if namespace.eq_ignore_ascii_case(KEY_VAULT) { KEY_VAULT } else { namespace };
        text = format!("{text}/providers/{namespace}");
        for (at, segment) in types_and_names.iter().enumerate() {
            let kind = ContainerKind::ALL.into_iter().find(|kind| kind.resource_type().eq_ignore_ascii_case(segment));
            let segment = kind.filter(|_| at == 0).map_or(*segment, |kind| kind.resource_type());
            text.extend(["/", segment]);
        }
        rest = &[];
    }
    rest.is_empty().then(|| Scope::new(&text))
}
