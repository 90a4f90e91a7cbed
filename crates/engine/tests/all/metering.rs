//! Figures of what was used: they tell what the log tells, once, whatever fails.

use crate::rig::{ADMINISTRATOR, DAY, Rig, SUBSCRIPTION, caller, ec_key, engine_on, key_name, resource, start};
use domain::{
    AuditRecord, ContainerKind, ContainerName, Event, Guid, ObjectKind, Operation, Outcome, Refusal,
    SignatureAlgorithm,
    access::{Caller, Scope, azure_roles},
    metering::{Meter, Month},
};
use engine::{
    Asker, CreateKey, Ending, Engine, Error, OpenContainer, PageRequest, RoleAssignmentRequest, Subject, Told,
    UsageLine, UsageQuery, UsageScope,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

const MINUTE: i64 = 60;
const ALL: PageRequest = PageRequest { after: None, limit: 1_000 };

fn name() -> ContainerName {
    ContainerName::parse("contoso").unwrap()
}

fn of_container(kind: ContainerKind, months: (Month, Month)) -> UsageQuery {
    UsageQuery { scope: UsageScope::Container(kind, resource(), name()), name: None, months }
}

fn of_subscription(months: (Month, Month)) -> UsageQuery {
    UsageQuery { scope: UsageScope::Subscription(SUBSCRIPTION), name: None, months }
}

fn usage(engine: &Engine, query: &UsageQuery) -> Vec<UsageLine> {
    engine.usage(&caller(ADMINISTRATOR), query, &ALL).unwrap().items
}

fn this_month(engine: &Engine) -> (Month, Month) {
    let month = Month::of(engine.now());
    (month, month)
}

/// Quantities by meter, of one container in this month.
fn figures(engine: &Engine, kind: ContainerKind) -> BTreeMap<String, u64> {
    let lines = usage(engine, &of_container(kind, this_month(engine)));
    lines.into_iter().map(|line| (line.line.meter.to_string(), line.line.quantity)).collect()
}

/// What the log has of operations that somebody asked for in a container: what the figures have to be.
fn told(engine: &Engine, target: &OpenContainer) -> BTreeMap<String, u64> {
    let mut told = BTreeMap::new();
    for (_, leaf) in engine.audit_log(0, usize::MAX).unwrap() {
        let record = AuditRecord::read(&leaf).unwrap();
        let is_asked = record.identity.claim.object_id.is_some() && record.properties.container == Some(target.id());
        if let Some(operation) = record.operation().filter(|_| is_asked) {
            let meter = Meter::Operations { operation, outcome: record.outcome };
            *told.entry(meter.to_string()).or_default() += 1;
        }
    }
    told
}

/// Tells the log of a request, as the fronts do with every answer.
fn tell(engine: &Engine, target: &OpenContainer, operation: Operation, outcome: Outcome) {
    let (status, code) = match outcome {
        Outcome::Done => (200, None),
        Outcome::Refused => (403, Some("Forbidden")),
    };
    let who = caller(ADMINISTRATOR);
    let told = Told {
        event: Event::Operation(operation),
        by: Asker::Caller(&who),
        subject: Subject::within(target, "/keys/k"),
        ending: Ending { status, code },
    };
    engine.tell(&told).unwrap();
}

fn sign(engine: &Engine, target: &OpenContainer, key: &str) {
    let (who, key) = (caller(ADMINISTRATOR), key_name(key));
    engine.sign(&who, target, &key, None, SignatureAlgorithm::Es256, &[0; 32]).unwrap();
}

fn expected(figures: &[(&str, u64)]) -> BTreeMap<String, u64> {
    figures.iter().map(|(meter, quantity)| ((*meter).to_owned(), *quantity)).collect()
}

/// Moves the clock to so many days after the first second of the next month.
fn into_next_month(rig: &Rig, days: i64) {
    let now = rig.engine.now();
    rig.clock.advance(Month::of(now).end().0 - now.0 + days * DAY);
}

#[test]
fn figures_are_what_the_log_tells_refusals_apart() {
    let rig = Rig::new();
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    let vault = rig.open(ContainerKind::Vault);
    rig.create_ec_key(ContainerKind::Vault, "k");
    for _ in 0..3 {
        sign(engine, &vault, "k");
        tell(engine, &vault, Operation::KeySign, Outcome::Done);
    }
    tell(engine, &vault, Operation::KeySign, Outcome::Refused);
    engine.delete_object(&who, &vault, ObjectKind::Key, &key_name("k")).unwrap();
    tell(engine, &vault, Operation::KeyDelete, Outcome::Done);
    tell(engine, &vault, Operation::KeyCreate, Outcome::Refused);
    engine.recover_object(&who, &vault, ObjectKind::Key, &key_name("k")).unwrap();
    engine.delete_object(&who, &vault, ObjectKind::Key, &key_name("k")).unwrap();
    engine.purge_object(&who, &vault, ObjectKind::Key, &key_name("k")).unwrap();
    let mut counted = figures(engine, ContainerKind::Vault);
    assert_eq!(counted.remove("HsmKeyVersions"), Some(1));
    assert_eq!(counted, told(engine, &vault));
    let by_hand = [
        ("KeyCreate", 1),
        ("KeyCreate.refused", 1),
        ("KeySign", 3),
        ("KeySign.refused", 1),
        ("KeyDelete", 2),
        ("KeyRecover", 1),
        ("KeyPurge", 1),
    ];
    assert_eq!(counted, expected(&by_hand));
    assert_eq!(figures(engine, ContainerKind::ManagedHsm), expected(&[("ManagedHsmHours", 1)]));
}

#[test]
fn strangers_and_what_the_service_does_by_itself_are_not_counted() {
    let rig = Rig::new();
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    let vault = rig.open(ContainerKind::Vault);
    rig.create_ec_key(ContainerKind::Vault, "k");
    engine.delete_object(&who, &vault, ObjectKind::Key, &key_name("k")).unwrap();
    rig.clock.advance(91 * DAY);
    assert_eq!(engine.sweep(10).unwrap().objects, 1);
    let origin = domain::access::Origin::default();
    let by = Asker::Stranger { origin: &origin, address: [127, 0, 0, 1].into(), correlation_id: Guid::from_u128(3) };
    let event = Event::Other(domain::OtherEvent::Authentication);
    let ending = Ending { status: 401, code: Some("Unauthorized") };
    engine.tell(&Told { event, by, subject: Subject::within(&vault, ""), ending }).unwrap();
    assert_eq!(figures(engine, ContainerKind::Vault), expected(&[]));
    let records = engine.audit_log(0, usize::MAX).unwrap();
    let last = AuditRecord::read(&records.last().unwrap().1).unwrap();
    assert_eq!(last.event, event, "the log has it all the same");
}

#[test]
fn an_hsm_protected_version_is_one_however_often_it_is_used_and_a_software_key_is_none() {
    let rig = Rig::new();
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    let vault = rig.open(ContainerKind::Vault);
    let software = CreateKey { hsm: false, ..ec_key() };
    engine.create_key(&who, &vault, &key_name("software"), &software).unwrap();
    for key in ["used", "unused", "rotated"] {
        rig.create_ec_key(ContainerKind::Vault, key);
    }
    let versions = || figures(engine, ContainerKind::Vault).get("HsmKeyVersions").copied();
    assert_eq!(versions(), None);
    sign(engine, &vault, "software");
    assert_eq!(versions(), None);
    for _ in 0..5 {
        sign(engine, &vault, "used");
    }
    assert_eq!(versions(), Some(1));
    rig.clock.advance(5);
    sign(engine, &vault, "used");
    assert_eq!(versions(), Some(1));
    sign(engine, &vault, "rotated");
    engine.rotate_key(&who, &vault, &key_name("rotated")).unwrap();
    sign(engine, &vault, "rotated");
    assert_eq!(versions(), Some(3));
    let refused = engine.sign(&who, &vault, &key_name("unused"), None, SignatureAlgorithm::Es384, &[0; 48]);
    assert!(refused.is_err());
    assert_eq!(versions(), Some(3), "a refused use is none");
    rig.create_ec_key(ContainerKind::ManagedHsm, "k");
    sign(engine, &rig.open(ContainerKind::ManagedHsm), "k");
    assert_eq!(figures(engine, ContainerKind::ManagedHsm).get("HsmKeyVersions"), None);
}

#[test]
fn a_used_key_is_charged_until_thirty_days_have_passed_whatever_becomes_of_it_and_its_vault() {
    let rig = Rig::new();
    let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
    // Used on the 21st: its thirty days end in the next month.
    into_next_month(&rig, 20);
    rig.create_ec_key(ContainerKind::Vault, "k");
    sign(engine, &rig.open(ContainerKind::Vault), "k");
    let first = Month::of(engine.now());
    engine.delete_object(&who, &rig.open(ContainerKind::Vault), ObjectKind::Key, &key_name("k")).unwrap();
    engine.purge_object(&who, &rig.open(ContainerKind::Vault), ObjectKind::Key, &key_name("k")).unwrap();
    engine.delete_container(&who, ContainerKind::Vault, &resource(), &name()).unwrap();
    engine.purge_container(&who, ContainerKind::Vault, SUBSCRIPTION, "eastus", &name()).unwrap();
    rig.create(ContainerKind::Vault);
    rig.clock.advance(120 * DAY);
    let charged = |month: Month| {
        let lines = usage(engine, &of_container(ContainerKind::Vault, (month, month)));
        let lines = lines.iter().filter(|line| line.line.meter == Meter::HsmKeyVersions);
        lines.map(|line| line.line.quantity).sum::<u64>()
    };
    let second = first.next().unwrap();
    assert_eq!((charged(first), charged(second), charged(second.next().unwrap())), (1, 1, 0));
}

#[test]
fn a_managed_hsm_is_charged_by_the_hour_until_it_is_purged_or_counts_as_purged() {
    let kind = ContainerKind::ManagedHsm;
    let by_hand = |purge: bool, hours: u64| {
        let rig = Rig::new();
        let (engine, who) = (&rig.engine, caller(ADMINISTRATOR));
        let months = (Month::of(engine.now()), Month::of(engine.now().plus_days(400)));
        rig.clock.advance(10 * DAY + MINUTE);
        engine.delete_container(&who, kind, &resource(), &name()).unwrap();
        rig.clock.advance(10 * DAY);
        if purge {
            engine.purge_container(&who, kind, SUBSCRIPTION, "eastus", &name()).unwrap();
        }
        // Long after its retention; no scheduler has come by.
        rig.clock.advance(200 * DAY);
        let lines = usage(engine, &of_container(kind, months));
        assert!(lines.iter().all(|line| line.line.meter == Meter::ManagedHsmHours));
        assert_eq!(lines.iter().map(|line| line.line.quantity).sum::<u64>(), hours);
        engine.sweep(10).unwrap();
        let after: u64 = usage(engine, &of_container(kind, months)).iter().map(|line| line.line.quantity).sum();
        assert_eq!(after, hours, "the scheduler comes late and changes nothing");
    };
    // 20 days and the hour whose first minute had passed; the same with 10 days and 90 of retention.
    by_hand(true, 20 * 24 + 1);
    by_hand(false, 100 * 24 + 1);
}

/// A store whose next writes fail: they happen, and are undone.
struct Failing {
    inner: SqliteStore,
    failures: AtomicUsize,
}

impl Store for Failing {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return self.inner.write(name, work);
        }
        self.inner.write(name, &mut |tx| {
            work(tx);
            Verdict::Abort
        })?;
        Err(Fault::UnexpectedRow { what: "the disk is full" })
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        self.inner.read(work)
    }

    fn copy_to(&self, path: &std::path::Path) -> Result<(), Fault> {
        self.inner.copy_to(path)
    }
}

#[test]
fn what_a_failed_write_told_is_counted_once_when_it_is_written() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    rig.create_ec_key(ContainerKind::Vault, "more");
    let failing = Arc::new(Failing { inner: SqliteStore::open(&rig.path()).unwrap(), failures: AtomicUsize::new(0) });
    let engine = engine_on(Arc::clone(&failing) as _, Arc::clone(&rig.clock) as _);
    let vault = engine.open_container(ContainerKind::Vault, "contoso").unwrap();
    for round in 1..=3 {
        sign(&engine, &vault, "k");
        tell(&engine, &vault, Operation::KeySign, Outcome::Done);
        tell(&engine, &vault, Operation::KeyGet, Outcome::Refused);
        failing.failures.store(round, Ordering::SeqCst);
        for _ in 0..round {
            assert!(engine.flush_audit().is_err());
            // What comes in between waits with the rest.
            tell(&engine, &vault, Operation::KeyGet, Outcome::Done);
        }
        engine.flush_audit().unwrap();
        engine.flush_audit().unwrap();
    }
    failing.failures.store(1, Ordering::SeqCst);
    assert!(engine.delete_object(&caller(ADMINISTRATOR), &vault, ObjectKind::Key, &key_name("more")).is_err());
    let mut counted = figures(&engine, ContainerKind::Vault);
    assert_eq!(counted.remove("HsmKeyVersions"), Some(1));
    assert_eq!(counted, told(&engine, &vault));
    assert_eq!(counted, expected(&[("KeyCreate", 2), ("KeySign", 3), ("KeyGet", 6), ("KeyGet.refused", 3)]));
}

#[test]
fn a_process_that_ends_without_a_word_loses_what_waited_and_nothing_else() {
    let rig = Rig::new();
    rig.create_ec_key(ContainerKind::Vault, "k");
    let engine = start(&rig.path(), &rig.clock, &crate::rig::root(128)).unwrap();
    let vault = engine.open_container(ContainerKind::Vault, "contoso").unwrap();
    for number in 0..10 {
        sign(&engine, &vault, "k");
        tell(&engine, &vault, Operation::KeySign, Outcome::Done);
        if number == 6 {
            engine.flush_audit().unwrap();
        }
    }
    engine.delete_object(&caller(ADMINISTRATOR), &vault, ObjectKind::Key, &key_name("k")).unwrap();
    drop(engine);
    let after = start(&rig.path(), &rig.clock, &crate::rig::root(128)).unwrap();
    let mut counted = figures(&after, ContainerKind::Vault);
    assert_eq!(counted.remove("HsmKeyVersions"), Some(1));
    assert_eq!(counted, expected(&[("KeyCreate", 1), ("KeySign", 7), ("KeyDelete", 1)]), "a change does not wait");
    assert_eq!(counted, told(&after, &vault));
}

#[test]
fn a_month_is_told_by_the_clock_of_the_record() {
    let rig = Rig::new();
    let engine = &rig.engine;
    let vault = rig.open(ContainerKind::Vault);
    tell(engine, &vault, Operation::KeyList, Outcome::Done);
    let before = Month::of(engine.now());
    into_next_month(&rig, 1);
    for _ in 0..2 {
        tell(engine, &vault, Operation::KeyList, Outcome::Done);
    }
    let months = (before, before.next().unwrap());
    let lines = usage(engine, &of_container(ContainerKind::Vault, months));
    let told: Vec<_> = lines.iter().map(|line| (line.month, line.line.quantity)).collect();
    assert_eq!(told, [(months.0, 1), (months.1, 2)]);
}

#[test]
fn usage_pages_exactly_and_keeps_to_its_scope() {
    let rig = Rig::new();
    let engine = &rig.engine;
    for kind in ContainerKind::ALL {
        for operation in [Operation::KeyList, Operation::KeySign, Operation::KeyGet] {
            tell(engine, &rig.open(kind), operation, Outcome::Done);
            tell(engine, &rig.open(kind), operation, Outcome::Refused);
        }
    }
    into_next_month(&rig, 1);
    let month = Month::of(engine.now());
    let months = (Month::from_number(month.number() - 1).unwrap(), month);
    let names = |lines: &[UsageLine]| lines.iter().map(UsageLine::name).collect::<Vec<_>>();
    let whole = names(&usage(engine, &of_subscription(months)));
    assert_eq!(whole.len(), 6 + 6 + 2, "operations of both, and the hours of two months");
    for limit in 1..=15 {
        let mut all = Vec::new();
        let mut page = PageRequest { after: None, limit };
        loop {
            let found = engine.usage(&caller(ADMINISTRATOR), &of_subscription(months), &page).unwrap();
            assert!(found.items.len() <= limit);
            all.extend(names(&found.items));
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
        assert_eq!(all, whole, "{limit}");
    }
    let kinds = |query: &UsageQuery| {
        let mut kinds: Vec<_> = usage(engine, query).iter().map(|line| line.lifetime.kind).collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(&of_container(ContainerKind::Vault, months)), [ContainerKind::Vault]);
    let group = UsageQuery { scope: UsageScope::Group(resource()), ..of_subscription(months) };
    assert_eq!(kinds(&group).len(), 2);
    let named = |name| UsageQuery { name: ContainerName::parse(name), ..of_subscription(months) };
    assert_eq!((kinds(&named("CONTOSO")).len(), kinds(&named("other")).len()), (2, 0));
}

fn is_refused<T>(result: Result<T, Error>, refusal: &Refusal) -> bool {
    matches!(result, Err(Error::Refused(found)) if std::mem::discriminant(&found) == std::mem::discriminant(refusal))
}

#[test]
fn usage_is_read_by_who_may_read_it_there() {
    const SOMEBODY: Guid = Guid::from_u128(0x50);
    let rig = Rig::new();
    let engine = &rig.engine;
    let months = this_month(engine);
    let vault = of_container(ContainerKind::Vault, months);
    let ask = |who: &Caller, query: &UsageQuery| engine.usage(who, query, &ALL).map(drop);
    let forbidden = Refusal::Forbidden {
        action: "Microsoft.Consumption/usageDetails/read",
        scope: String::new(),
        model: domain::access::Model::ControlPlane,
    };
    assert!(is_refused(ask(&caller(SOMEBODY), &vault), &forbidden));
    let role = |name: &str| azure_roles().iter().find(|role| role.name == name).unwrap().id;
    let grant = |number, role, scope: String| {
        let scope = Scope::new(&scope);
        let request = RoleAssignmentRequest { name: Guid::from_u128(number), scope, role, principal: SOMEBODY };
        engine.put_arm_role_assignment(&caller(ADMINISTRATOR), &request).unwrap();
    };
    let id = rig.open(ContainerKind::Vault).arm_id().to_owned();
    grant(1, role("Key Vault Administrator"), format!("/subscriptions/{SUBSCRIPTION}"));
    assert!(is_refused(ask(&caller(SOMEBODY), &vault), &forbidden), "rights on keys are none on figures");
    grant(2, role("Reader"), id);
    ask(&caller(SOMEBODY), &vault).unwrap();
    assert!(is_refused(ask(&caller(SOMEBODY), &of_container(ContainerKind::ManagedHsm, months)), &forbidden));
    assert!(is_refused(ask(&caller(SOMEBODY), &of_subscription(months)), &forbidden));
    let administrator = caller(ADMINISTRATOR);
    let nothing = UsageScope::Container(ContainerKind::Vault, resource(), ContainerName::parse("nothing").unwrap());
    assert!(is_refused(
        ask(&administrator, &UsageQuery { scope: nothing, ..vault.clone() }),
        &Refusal::ContainerNotFound
    ));
    let nowhere = UsageScope::Subscription(Guid::from_u128(9));
    let nowhere = UsageQuery { scope: nowhere, ..vault.clone() };
    assert!(is_refused(ask(&administrator, &nowhere), &Refusal::SubscriptionNotFound));
    let foreign = PageRequest { after: Some("vault:KV1".to_owned()), limit: 5 };
    let invalid = Refusal::ParameterInvalid { parameter: "", reason: "" };
    assert!(is_refused(engine.usage(&administrator, &vault, &foreign), &invalid));
}
