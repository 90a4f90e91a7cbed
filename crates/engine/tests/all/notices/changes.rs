//! Changes of access: told to those who ask for them, if and only if they are made.

use super::{broken, due, give, only, subscribe, vault};
use crate::rig::{ADMINISTRATOR, Rig, SUBSCRIPTION, caller, resource};
use domain::{
    ContainerKind, Operation, PermissionModel, Refusal,
    access::Scope,
    lock::{Level, Lock, LockName},
    notice::{EventSubscriptionChanges, NoticeKind},
};
use engine::{ContainerPatch, Engine, Error, ProfileRequest, VaultSettings};

fn patch(engine: &Engine, settings: VaultSettings) {
    let patch = ContainerPatch { profile: Some(ProfileRequest::Vault(settings)), ..ContainerPatch::default() };
    engine.patch_container(&caller(ADMINISTRATOR), ContainerKind::Vault, &resource(), &vault(), &patch).unwrap();
}

#[test]
fn a_change_of_access_is_told_to_each_who_asks_for_it() {
    let rig = Rig::new();
    let engine = &rig.engine;
    give(engine, 1).unwrap();
    subscribe(engine, "everything", EventSubscriptionChanges::default());
    subscribe(engine, "access", only(&[NoticeKind::VaultAccessPolicyChanged]));
    subscribe(engine, "keys", only(&[NoticeKind::KeyExpired]));
    assert_eq!(engine.due_receivers().unwrap(), [], "what was before is not told");
    give(engine, 2).unwrap();
    let waiting: Vec<String> = engine.due_receivers().unwrap().iter().map(|each| each.name.to_string()).collect();
    assert_eq!(waiting, ["everything", "access"]);
    let (first, second) = (due(engine, "everything"), due(engine, "access"));
    let notice = &first[0].delivery.notice;
    assert_eq!((first.len(), second.len(), &second[0].delivery.notice), (1, 1, notice), "one notice for all");
    assert_eq!((notice.kind, notice.subject()), (NoticeKind::VaultAccessPolicyChanged, "contoso"));
    let expected =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/contoso");
    assert_eq!(notice.source, expected);
    give(engine, 3).unwrap();
    assert_ne!(due(engine, "access")[1].delivery.notice.id, notice.id);
}

#[test]
fn only_what_changes_access_is_told() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let count = || due(&rig.engine, "events").len();
    patch(&rig.engine, VaultSettings { enabled_for_deployment: Some(true), ..VaultSettings::default() });
    patch(&rig.engine, VaultSettings { permission_model: Some(PermissionModel::Rbac), ..VaultSettings::default() });
    patch(&rig.engine, VaultSettings { access_policies: Some(Vec::new()), ..VaultSettings::default() });
    assert_eq!(count(), 0);
    let model = Some(PermissionModel::AccessPolicies);
    patch(&rig.engine, VaultSettings { permission_model: model, ..VaultSettings::default() });
    assert_eq!(count(), 1);
    give(&rig.engine, 1).unwrap();
    assert_eq!(count(), 2);
    patch(&rig.engine, VaultSettings { access_policies: Some(Vec::new()), ..VaultSettings::default() });
    assert_eq!(count(), 3);
    let request = rig.request(ContainerKind::Vault, "contoso");
    let model = VaultSettings { permission_model: Some(PermissionModel::Rbac), ..VaultSettings::default() };
    let request = engine::ContainerRequest { profile: ProfileRequest::Vault(model), ..request };
    rig.engine.put_container(&caller(ADMINISTRATOR), &request).unwrap();
    assert_eq!(count(), 4);
}

#[test]
fn a_notice_is_there_if_and_only_if_its_change_is() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let engine = broken(&rig, Operation::VaultAccessPolicyPut.name());
    assert!(matches!(give(&engine, 1), Err(Error::Store(_))));
    let log = engine.audit_log(0, usize::MAX).unwrap();
    let told = |(_, leaf): &(u64, String)| leaf.contains("VaultAccessPolicyPut");
    assert_eq!((due(&rig.engine, "events").len(), log.iter().filter(|each| told(each)).count()), (0, 0));
    let found = rig.engine.get_container(&caller(ADMINISTRATOR), ContainerKind::Vault, &resource(), &vault()).unwrap();
    let domain::Profile::Vault(profile) = found.profile else { panic!("a vault") };
    assert!(profile.access_policies.is_empty());
    give(&rig.engine, 1).unwrap();
    assert_eq!(due(&rig.engine, "events").len(), 1);
}

#[test]
fn what_is_refused_is_not_told() {
    let rig = Rig::new();
    subscribe(&rig.engine, "events", EventSubscriptionChanges::default());
    let scope = Scope::new(&format!("/subscriptions/{SUBSCRIPTION}"));
    let name = LockName::parse("keep").unwrap();
    let lock =
        Lock { scope: scope.clone(), name: name.clone(), level: Level::ReadOnly, notes: None, owners: Vec::new() };
    rig.engine.put_lock(&caller(ADMINISTRATOR), &lock).unwrap();
    assert!(matches!(give(&rig.engine, 1), Err(Error::Refused(Refusal::ScopeLocked { .. }))));
    assert_eq!(due(&rig.engine, "events").len(), 0);
}
