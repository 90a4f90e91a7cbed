//! What an engine of this store must do.
//!
//! An engine's tests call [`conformance_tests!`](crate::conformance_tests) with a function that makes a [`Harness`]
//! around a new, empty store; each case becomes a test of its own. The cases use nothing but the port and the harness.

// This is test code that has to be a library for engines of other crates.
#![expect(clippy::unwrap_used, reason = "a suite of tests fails by panicking")]

pub mod audit;
pub mod certificates;
pub mod containers;
pub mod directory;
pub mod due;
pub mod fixtures;
pub mod locks;
pub mod notices;
pub mod objects;
pub mod principals;
pub mod purge;
pub mod roles;
pub mod transactions;
pub mod usage;
pub mod versions;

use crate::Store;
use std::path::{Path, PathBuf};

/// An engine under test, with a store of its own that goes when the harness goes.
pub trait Harness {
    fn store(&self) -> &dyn Store;
    /// Closes the store and opens it again.
    fn reopen(&mut self);
    /// Every file in which the engine keeps data or journals.
    fn files(&self) -> Vec<PathBuf>;
    /// A folder for copies.
    fn folder(&self) -> &Path;
    /// Opens what [`Store::copy_to`] has written.
    fn open_copy(&self, path: &Path) -> Box<dyn Store>;
}

/// Makes one `#[test]` of each case.
#[macro_export]
macro_rules! conformance_tests {
    ($make:path) => {
        $crate::conformance_tests! { @each $make:
            containers::a_container_is_found_by_its_name_without_case_and_by_its_id,
            containers::a_vault_and_a_managed_hsm_may_share_a_name,
            containers::a_container_that_is_there_cannot_be_inserted,
            containers::a_container_that_is_not_there_cannot_be_saved_or_removed,
            containers::saving_a_container_leaves_its_key,
            containers::a_list_of_containers_keeps_to_its_filter,
            containers::containers_page_exactly,
            containers::a_removed_container_takes_everything_in_it,
            containers::a_removed_container_leaves_its_neighbours,
            objects::an_object_is_found_by_its_name_without_case,
            objects::an_object_that_is_there_cannot_be_inserted,
            objects::an_object_needs_its_container,
            objects::an_object_that_is_not_there_cannot_be_saved_or_removed,
            objects::saving_an_object_leaves_its_key_and_versions,
            objects::objects_page_exactly,
            objects::a_page_may_begin_after_a_name_that_is_not_there,
            objects::a_list_of_objects_keeps_to_container_and_presence,
            objects::a_list_of_objects_shows_the_current_version,
            objects::an_object_without_its_current_version_is_corrupt,
            objects::a_removed_object_takes_its_versions_and_frees_its_name,
            versions::versions_are_numbered_from_one_in_the_order_of_their_making,
            versions::versions_page_exactly,
            versions::a_version_that_is_there_cannot_be_inserted,
            versions::a_version_needs_its_object,
            versions::a_version_that_is_not_there_cannot_be_saved,
            versions::saving_a_version_leaves_its_material_and_place,
            versions::two_objects_may_have_versions_of_the_same_id,
            due::containers_are_due_from_their_date_on_the_longest_due_first,
            due::deleted_objects_are_due_from_their_date_on_the_longest_due_first,
            due::objects_of_a_deleted_container_wait,
            due::rotations_are_due_from_their_date_on_the_longest_due_first,
            due::keys_in_a_deleted_container_do_not_rotate,
            certificates::an_issuer_is_put_over_the_one_of_its_name_without_case,
            certificates::issuers_page_in_the_order_of_their_names,
            certificates::an_issuer_that_is_not_there_cannot_be_removed,
            certificates::contacts_are_put_over_each_other_and_removed_once,
            certificates::a_removed_container_takes_its_issuers_and_contacts,
            certificates::what_a_certificate_manages_is_not_due_by_itself,
            due::ends_of_versions_are_told_of_from_their_date_on_while_object_and_container_are_live,
            directory::role_assignments_are_kept_by_realm,
            directory::a_role_assignment_that_is_not_there_cannot_be_removed,
            roles::role_definitions_are_kept_by_realm,
            roles::a_role_definition_that_is_not_there_cannot_be_removed,
            roles::a_removed_container_takes_its_role_definitions_and_no_others,
            roles::an_aborted_role_definition_is_not_there,
            directory::subscriptions_are_put_and_listed,
            directory::resource_groups_are_found_without_case,
            directory::a_resource_group_that_is_not_there_cannot_be_removed,
            directory::operation_results_are_kept,
            directory::old_operation_results_are_removed_the_oldest_first,
            directory::system_records_of_any_size_are_put_over_each_other,
            directory::audit_records_page_exactly,
            locks::a_lock_is_found_at_its_scope_without_case,
            locks::a_lock_is_put_over_the_one_of_its_name_at_its_scope_only,
            locks::locks_below_a_scope_are_those_of_its_whole_tree,
            locks::a_lock_that_is_not_there_cannot_be_removed,
            locks::locks_stay_when_the_store_is_opened_again,
            notices::an_event_subscription_is_found_in_its_container_without_case,
            notices::an_event_subscription_is_put_over_the_one_of_its_name_with_its_deliveries,
            notices::an_event_subscription_needs_its_container,
            notices::a_removed_event_subscription_takes_its_deliveries_and_no_others,
            notices::a_removed_container_takes_its_event_subscriptions_and_no_others,
            notices::deliveries_are_due_from_their_date_on_the_longest_due_first,
            notices::a_delivery_moves_and_goes,
            notices::the_oldest_deliveries_go_and_what_waits_is_counted,
            notices::deliveries_stay_when_the_store_is_opened_again_and_go_with_an_abort,
            audit::the_log_is_bounded_by_its_first_and_last_position,
            audit::records_that_come_together_are_kept_one_behind_the_other,
            audit::records_that_came_together_are_dropped_one_by_one,
            audit::records_are_dropped_from_the_beginning_and_never_the_last,
            audit::tiles_are_put_over_each_other,
            audit::checkpoints_page_by_size,
            audit::a_checkpoint_that_is_not_there_cannot_be_removed,
            audit::an_abort_undoes_what_was_done_to_the_log,
            principals::principals_are_found_by_application_by_object_and_by_user_name,
            principals::an_application_signs_in_as_one_principal,
            principals::a_user_name_belongs_to_one_user,
            principals::a_removed_principal_frees_its_names,
            principals::a_principal_that_is_not_there_cannot_be_removed,
            principals::memberships_are_read_from_both_sides,
            principals::a_membership_needs_both_its_principals,
            principals::a_membership_that_is_there_cannot_be_inserted,
            principals::a_membership_that_is_not_there_cannot_be_removed,
            principals::a_removed_principal_takes_its_memberships,
            transactions::what_is_committed_is_there_after_reopening,
            transactions::an_abort_undoes_everything,
            transactions::a_transaction_in_which_a_change_failed_cannot_commit,
            transactions::a_transaction_reads_its_own_changes,
            transactions::a_panic_undoes_its_transaction_and_no_other,
            transactions::a_reader_sees_one_state_throughout,
            transactions::a_reader_beside_a_transaction_sees_the_state_before_it,
            transactions::a_reader_never_sees_half_a_transaction,
            transactions::concurrent_transactions_all_come_through,
            transactions::transactions_do_not_overwrite_each_other,
            transactions::an_aborted_audit_record_leaves_no_gap,
            transactions::a_copy_is_the_store_at_one_moment,
            transactions::a_copy_never_replaces_a_file,
            usage::a_lifetime_begins_ends_and_stays,
            usage::an_undone_creation_or_purge_leaves_no_trace_in_a_lifetime,
            usage::lifetimes_keep_to_their_filter,
            usage::lifetimes_come_from_the_id_asked_for_on,
            usage::operations_add_up_by_container_month_and_outcome,
            usage::key_versions_are_counted_by_their_latest_use_in_a_month,
            purge::a_purged_object_is_gone_from_every_file,
            purge::a_purged_container_is_gone_from_every_file,
            purge::what_a_large_container_leaves_behind_is_hidden_and_goes_later,
            purge::what_is_purged_is_gone_however_often_rows_were_moved,
            purge::a_copy_made_after_a_purge_does_not_hold_what_was_purged,
            purge::a_password_that_is_replaced_or_removed_is_gone_from_every_file,
            purge::endpoints_go_with_their_event_subscriptions_and_containers,
            purge::a_replaced_system_record_is_gone_after_the_next_purge,
        }
    };
    (@each $make:path: $($module:ident::$case:ident),* $(,)?) => {
        $(#[test]
        fn $case() {
            $crate::conformance::$module::$case(&mut *$make());
        })*
    };
}
