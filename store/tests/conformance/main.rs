//! The contracts of the ports, each over both engines.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may panic, has no outside, and may be a long table"
)]

mod catalog;
mod catalog_list;
mod ledger;
mod ledger_list;
mod model;
mod place;
mod races;
mod secrets;

/// A test for each contract and engine, named `module::engine::contract`.
macro_rules! over_both_engines {
    ($($module:ident { $($contract:ident,)+ })+) => {
        mod contracts {
            $(mod $module {
                mod postgres {
                    $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $contract() {
                        crate::$module::$contract(&crate::place::Place::postgres().await).await;
                    })+
                }
                mod embedded {
                    $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $contract() {
                        crate::$module::$contract(&crate::place::Place::embedded()).await;
                    })+
                }
            })+
        }
    };
}

over_both_engines! {
    catalog {
        each_change_is_a_version,
        many_changes_are_made_together_or_not_at_all,
        whoever_plans_on_an_old_state_is_told,
        what_was_deleted_is_remembered,
        a_snapshot_is_everything_at_once,
        changes_are_seen_everywhere_soon,
        changes_at_once_are_all_counted,
        what_does_not_fit_is_refused,
        ten_thousand_entries_are_a_snapshot,
    }
    catalog_list {
        entries_are_found_by_each_criterion,
        pages_come_in_each_order,
    }
    ledger {
        a_job_is_claimed_once_and_its_outcome_replayed,
        a_delivery_that_was_lost_is_taken_over,
        a_parked_job_goes_on_with_the_copy,
        a_call_that_is_repeated_changes_nothing,
        a_reopened_job_can_be_executed_again,
        everything_is_kept_as_it_was_given,
        what_does_not_fit_is_refused_by_name,
        big_results_come_back_whole,
        an_old_day_goes_and_a_new_one_comes,
    }
    ledger_list {
        jobs_are_found_by_each_criterion,
        pages_have_every_job_once,
        pages_without_sense_are_refused,
    }
    races {
        of_many_first_claims_one_executes,
        of_many_takeovers_the_last_one_records,
        an_outcome_wins_against_a_takeover_or_loses_to_it,
        one_that_stops_waiting_holds_nobody_up,
    }
    secrets {
        a_tenant_has_its_own_or_the_default_one,
        a_list_has_names_and_no_values,
        a_change_elsewhere_empties_the_cache,
        keys_are_rotated,
        without_a_key_nothing_is_kept,
        what_does_not_fit_is_refused,
    }
    model {
        every_sequence_of_calls_follows_the_rules,
    }
}
