//! The queries. Each page or due list is one range of an index, however large the table; a test below holds SQLite's
//! own plan to that.

pub(super) const CONTAINER: &str = "SELECT c.record, s.bytes FROM containers c LEFT JOIN slots s ON s.id = c.sealed_key
     WHERE c.kind = ?1 AND c.name = ?2";
pub(super) const CONTAINER_BY_ID: &str = "SELECT c.record, s.bytes FROM containers c
     LEFT JOIN slots s ON s.id = c.sealed_key WHERE c.id = ?1 AND c.kind <> 'remains'";

macro_rules! containers {
    ($index:literal, $condition:literal, $limit:literal) => {
        concat!(
            "SELECT c.record, s.bytes FROM containers c INDEXED BY ",
            $index,
            " LEFT JOIN slots s ON s.id = c.sealed_key WHERE c.kind = ?1 AND c.deleted = ?2 AND ",
            $condition,
            " ORDER BY c.name LIMIT ",
            $limit
        )
    };
}

pub(super) const CONTAINERS: &str = containers!("containers_listed", "c.name > ?3", "?4");
pub(super) const CONTAINERS_OF_SUBSCRIPTION: &str =
    containers!("containers_by_subscription", "c.subscription = ?3 AND c.name > ?4", "?5");
pub(super) const CONTAINERS_OF_GROUP: &str =
    containers!("containers_by_group", "c.subscription = ?3 AND c.resource_group = ?4 AND c.name > ?5", "?6");
/// No client asks for a group of whatever subscription: this one filters as it walks.
pub(super) const CONTAINERS_OF_ANY_GROUP: &str =
    containers!("containers_listed", "c.resource_group = ?3 AND c.name > ?4", "?5");

pub(super) const DUE_CONTAINERS: &str =
    "SELECT id FROM containers WHERE purge_at <= ?1 ORDER BY purge_at, number LIMIT ?2";

pub(super) const OBJECT_NUMBER: &str = "SELECT number FROM objects WHERE container = ?1 AND kind = ?2 AND name = ?3";
pub(super) const OBJECT: &str = "SELECT o.record, s.bytes FROM objects o LEFT JOIN slots s ON s.id = o.sealed_key
     WHERE o.container = ?1 AND o.kind = ?2 AND o.name = ?3";
/// The outer join makes an object whose current version is missing show up as corrupt, not vanish.
pub(super) const OBJECTS: &str = "SELECT o.record, v.record FROM objects o INDEXED BY objects_listed
     LEFT JOIN versions v ON v.object = o.number AND v.id = o.current
     WHERE o.container = ?1 AND o.kind = ?2 AND o.deleted = ?3 AND o.name > ?4 ORDER BY o.name LIMIT ?5";

/// Objects wait while their container is deleted. They are passed over one by one, so this walks over as many of the
/// due as wait.
pub(super) const DUE_OBJECTS: &str = "SELECT o.container, o.record FROM objects o CROSS JOIN containers c
     WHERE o.purge_at <= ?1 AND c.id = o.container AND c.deleted = 0 ORDER BY o.purge_at, o.number LIMIT ?2";
pub(super) const DUE_ACTIONS: &str = "SELECT o.container, o.record FROM objects o CROSS JOIN containers c
     WHERE o.next_action <= ?1 AND c.id = o.container AND c.deleted = 0 ORDER BY o.next_action, o.number LIMIT ?2";
pub(super) const DUE_NOTICES: &str = "SELECT o.container, o.record FROM objects o CROSS JOIN containers c
     WHERE o.next_notice <= ?1 AND c.id = o.container AND c.deleted = 0 ORDER BY o.next_notice, o.number LIMIT ?2";

pub(super) const VERSION: &str = "SELECT v.record, v.sequence, s.bytes FROM objects o
     CROSS JOIN versions v ON v.object = o.number LEFT JOIN slots s ON s.id = v.material
     WHERE o.container = ?1 AND o.kind = ?2 AND o.name = ?3 AND v.id = ?4";
pub(super) const VERSIONS: &str = "SELECT v.record, v.sequence, s.bytes FROM versions v
     LEFT JOIN slots s ON s.id = v.material WHERE v.object = ?1 AND v.sequence > ?2 ORDER BY v.sequence LIMIT ?3";
pub(super) const VERSION_COUNT: &str = "SELECT count(*) FROM versions WHERE object = ?1";
pub(super) const LAST_SEQUENCE: &str = "SELECT max(sequence) FROM versions WHERE object = ?1";

pub(super) const ROLE_ASSIGNMENTS: &str = "SELECT record FROM role_assignments WHERE realm = ?1 ORDER BY name";
pub(super) const LOCKS_AT: &str = "SELECT record FROM locks WHERE scope = ?1 ORDER BY name";
pub(super) const LOCKS_BELOW: &str = "SELECT record FROM locks WHERE scope > ?1 AND scope < ?2 ORDER BY scope, name";
pub(super) const ROLE_DEFINITIONS: &str = "SELECT record FROM role_definitions WHERE realm = ?1 ORDER BY id";
pub(super) const SUBSCRIPTIONS: &str = "SELECT record FROM subscriptions ORDER BY id";
pub(super) const RESOURCE_GROUP: &str = "SELECT record FROM resource_groups WHERE subscription = ?1 AND name = ?2";
pub(super) const RESOURCE_GROUPS: &str = "SELECT record FROM resource_groups WHERE subscription = ?1 ORDER BY name";
pub(super) const PRINCIPAL_BY_APP: &str = "SELECT record FROM principals WHERE app_id = ?1";
pub(super) const PRINCIPAL_BY_OBJECT: &str = "SELECT record FROM principals WHERE object_id = ?1";
pub(super) const PRINCIPAL_BY_USER_NAME: &str = "SELECT record FROM principals WHERE user_name = ?1";
pub(super) const PRINCIPALS: &str = "SELECT record FROM principals ORDER BY object_id";
pub(super) const MEMBERSHIPS: &str = "SELECT team, member FROM memberships ORDER BY team, member";
pub(super) const GROUPS_OF: &str = "SELECT team FROM memberships WHERE member = ?1 ORDER BY team";
pub(super) const MEMBERS_OF: &str = "SELECT member FROM memberships WHERE team = ?1 ORDER BY member";
pub(super) const OPERATION_RESULT: &str = "SELECT record FROM operation_results WHERE id = ?1";
pub(super) const SYSTEM_RECORD: &str =
    "SELECT s.bytes FROM system_records r LEFT JOIN slots s ON s.id = r.value WHERE r.name = ?1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{audit, certificates, changes, destruction, notices, schema, slots, usage};

    fn plan_of(sql: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open_writer(&folder.path().join("db")).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // Unbound parameters are NULL, which is enough for a plan.
        let mut rows = statement.raw_query();
        let mut plan = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get(3).unwrap());
        }
        plan
    }

    fn assert_ranges_only(sql: &str) {
        let plan = plan_of(sql);
        for step in &plan {
            assert!(!step.contains("SCAN") && !step.contains("TEMP B-TREE"), "{sql}\n{plan:#?}");
        }
    }

    #[test]
    fn every_list_and_due_query_is_a_range_of_an_index() {
        for sql in [
            CONTAINERS,
            CONTAINERS_OF_SUBSCRIPTION,
            CONTAINERS_OF_GROUP,
            CONTAINERS_OF_ANY_GROUP,
            DUE_CONTAINERS,
            OBJECTS,
            DUE_OBJECTS,
            DUE_ACTIONS,
            DUE_NOTICES,
            VERSIONS,
            VERSION_COUNT,
            certificates::ISSUERS,
            ROLE_ASSIGNMENTS,
            LOCKS_AT,
            LOCKS_BELOW,
            ROLE_DEFINITIONS,
            RESOURCE_GROUPS,
            GROUPS_OF,
            MEMBERS_OF,
            audit::RECORDS,
            audit::CHECKPOINTS,
            audit::DROP,
            usage::LIFETIMES,
            usage::OPERATION_COUNTS,
        ] {
            assert_ranges_only(sql);
        }
    }

    #[test]
    fn every_look_up_is_a_search() {
        for sql in [
            CONTAINER,
            CONTAINER_BY_ID,
            OBJECT,
            OBJECT_NUMBER,
            VERSION,
            LAST_SEQUENCE,
            RESOURCE_GROUP,
            PRINCIPAL_BY_APP,
            PRINCIPAL_BY_OBJECT,
            PRINCIPAL_BY_USER_NAME,
            OPERATION_RESULT,
            SYSTEM_RECORD,
            certificates::ISSUER,
            certificates::CONTACTS,
            audit::TILE,
            audit::TRIM,
            audit::REMOVE_CHECKPOINT,
            slots::TAKE,
            slots::UNLIST,
            slots::FILL,
        ] {
            assert_ranges_only(sql);
        }
        for sql in notices::SEARCHES {
            assert_ranges_only(sql);
        }
    }

    #[test]
    fn destroying_searches_only_for_what_it_destroys() {
        let erasures = [
            slots::ERASE_OF_RECORD,
            slots::ERASE_OF_OBJECT,
            slots::ERASE_OF_ISSUER,
            slots::ERASE_OF_EVENT_SUBSCRIPTION,
            slots::ERASE_OF_CONTAINER,
        ];
        let removals = certificates::REMOVE_OF_CONTAINER.iter().chain(&destruction::SEARCHES).chain(&changes::REMOVALS);
        for sql in erasures.as_flattened().iter().chain(removals) {
            assert_ranges_only(sql);
        }
    }

    #[test]
    fn used_versions_are_those_of_a_few_months() {
        let plan = plan_of(usage::KEY_VERSIONS_USED).join("\n");
        assert!(plan.contains("(container=? AND month>? AND month<?)"), "{plan}");
        assert!(!plan.contains("SCAN key_uses"), "{plan}");
    }

    #[test]
    fn what_is_dropped_is_looked_for_among_what_waits_for_one_receiver() {
        let plan = plan_of(notices::DROP_OLDEST);
        let searches = plan.iter().filter(|step| step.contains(" deliveries ")).collect::<Vec<_>>();
        assert_eq!(searches.len(), 2, "{plan:#?}");
        assert!(searches.iter().all(|step| step.starts_with("SEARCH ")), "{plan:#?}");
        assert!(searches[1].ends_with("deliveries_due (event_subscription=?)"), "{plan:#?}");
    }

    #[test]
    fn lists_of_everything_come_in_the_order_of_their_table() {
        for sql in [SUBSCRIPTIONS, PRINCIPALS, MEMBERSHIPS] {
            assert!(plan_of(sql).iter().all(|step| !step.contains("TEMP B-TREE")), "{sql}");
        }
    }

    #[test]
    fn the_ends_of_the_audit_log_are_found_without_a_walk() {
        let bounds = plan_of(audit::BOUNDS);
        assert!(!bounds.iter().any(|step| step.contains("SCAN audit")), "{bounds:#?}");
        let last = plan_of(audit::LAST_CHECKPOINT);
        assert!(!last.iter().any(|step| step.contains("TEMP B-TREE")), "{last:#?}");
    }

    #[test]
    fn a_page_uses_the_index_with_all_its_criteria() {
        assert!(plan_of(OBJECTS).join("\n").contains("(container=? AND kind=? AND deleted=? AND name>?)"));
        assert!(plan_of(OBJECTS).join("\n").contains("(object=? AND id=?)"));
        assert!(plan_of(DUE_OBJECTS).join("\n").contains("INDEX objects_due (purge_at<?)"));
        assert!(plan_of(DUE_ACTIONS).join("\n").contains("INDEX objects_due_action (next_action<?)"));
        assert!(plan_of(DUE_NOTICES).join("\n").contains("INDEX objects_due_notice (next_notice<?)"));
        assert!(plan_of(DUE_OBJECTS).join("\n").contains("COVERING INDEX containers_live"));
    }
}
