"""What installs have to get right, case by case, each with the tests that show it: none of them is lost unnoticed."""

from __future__ import annotations

import ast
from functools import cache
from typing import Final

import pytest

from tests.docs.blocks import ROOT

CASES: Final[dict[str, tuple[str, ...]]] = {
    "25 objects from nothing, CRD, CR, hook: one run, active": (
        "installs/test_deploys::test_a_set_comes_from_nothing_in_one_run_and_a_second_one_writes_nothing",
        "installs/test_states::test_a_deploy_goes_through_all_states_and_is_active",
    ),
    "again: noop, no write": (
        "installs/test_deploys::test_a_set_comes_from_nothing_in_one_run_and_a_second_one_writes_nothing",
        "installs/test_real_servers::test_what_a_server_adds_to_objects_of_many_kinds_is_no_difference",
    ),
    "CR with its CRD, absent namespace, plan only: create, unchecked": (
        "installs/test_deploys::test_what_comes_with_the_set_is_planned_and_not_checked_and_a_plan_writes_nothing",
        "installs/test_states::test_a_plan_alone_applies_nothing",
    ),
    "unknown field, double env, wrong type: Rejected once": (
        "installs/test_real_servers::test_what_a_schema_refuses_is_refused_once_and_told_by_its_field",
        "installs/test_real_servers::test_all_faults_are_told_at_once",
    ),
    "webhook down: retried, named": (
        "installs/test_real_servers::test_a_webhook_that_doesn_t_answer_is_named_and_asked_again",
    ),
    "immutable selector, Job: recreate after trial and approval": (
        "installs/test_real_servers::test_what_can_t_be_changed_in_place_is_recreated_after_approval_by_name",
    ),
    "invalid value, recreate allowed: Rejected, object lives": (
        "installs/test_real_servers::test_what_is_invalid_is_not_taken_for_immutable_and_the_object_lives",
        "installs/test_admission::test_a_change_that_a_policy_forbids_is_not_taken_for_one_that_a_new_object_would_do",
    ),
    "PVC shrunk: Rejected": ("installs/test_real_servers::test_a_claim_is_never_recreated",),
    "replicas by HPA: left alone": (
        "installs/test_deploys::test_replicas_that_an_autoscaler_set_are_left_alone_and_shown",
    ),
    "kubectl edit of ours: drift-detected, restored": (
        "installs/test_deploys::test_what_somebody_edited_by_hand_is_drift_and_is_restored",
        "installs/test_states::test_drift_is_found_shown_and_mended",
    ),
    "controller's field: shown, not taken": (
        "installs/test_deploys::test_an_authority_that_a_controller_injects_is_shown_and_not_taken",
    ),
    "Secret changed: masked in plan, log, error": (
        "installs/test_deploys::test_a_secret_s_values_are_in_no_part_of_a_plan_that_is_shown",
        "installs/test_real_servers::test_what_the_server_says_of_a_secret_or_of_a_pod_is_not_repeated",
        "installs/test_states::test_values_of_secrets_are_in_no_record_and_no_contents",
        "e2e/test_deploys_leak::test_the_bus_hears_of_every_status_and_no_secret_shows_anywhere",
    ),
    "stringData key dropped: gone": ("installs/test_deploys::test_a_key_that_stringdata_dropped_is_gone",),
    "object dropped: pruned after health": (
        "installs/test_deploys::test_an_object_that_the_artifact_dropped_is_pruned",
        "installs/test_health::test_nothing_is_pruned_as_long_as_the_rest_is_not_healthy",
    ),
    "dropped, but relabelled or recreated: kept, said": (
        "installs/test_deploys::test_what_lost_its_labels_is_kept_and_said",
        "installs/test_deploys::test_what_somebody_else_made_anew_is_kept_and_said",
    ),
    "Namespace, CRD dropped: kept unless approved": (
        "installs/test_deploys::test_a_namespace_and_a_definition_go_by_name_only_with_what_goes_along",
        "installs/test_deploys::test_a_claim_stays_unless_it_is_named_because_its_data_may_go_along",
        "installs/test_states::test_what_nobody_approved_by_name_is_kept_and_said_by_each_deploy",
    ),
    "empty artifact: approval": (
        "installs/test_deploys::test_an_empty_artifact_deletes_nothing_without_approval",
        "installs/test_deploys::test_half_of_what_is_tracked_goes_with_approval_only",
    ),
    "delete refused; finalizer: tracked, rest done": (
        "installs/test_deploys::test_what_the_cluster_refuses_to_delete_stays_tracked_and_named_and_the_rest_goes",
        "installs/test_deploys::test_what_a_finalizer_holds_stays_tracked_and_named_and_the_rest_goes",
        "installs/test_admission::test_what_a_policy_keeps_from_being_deleted_stays_tracked_and_named_and_the_rest_goes",
    ),
    "killed between writes: next run ends it": (
        "installs/test_crashes::test_killed_at_any_call_the_next_run_ends_the_same",
        "installs/test_crashes::test_killed_twice_at_any_two_calls_the_run_after_that_ends_the_same",
        "installs/test_killed_states::test_a_function_that_is_killed_at_any_call_is_called_again_and_all_ends_the_same",
        "installs/test_killed_states::test_functions_that_are_killed_at_any_two_writes_of_a_deploy_end_the_same",
        "installs/test_killed_states::test_executions_that_die_at_any_two_writes_leave_nothing_that_is_forgotten",
        "installs/test_crashes::test_killed_at_any_call_to_a_server_the_next_run_ends_the_same",
    ),
    "two deploys at once: one waits": (
        "installs/test_deploys::test_the_older_of_two_deploys_writes_nothing_more",
        "adapters/test_installs::test_one_that_writes_is_waited_for",
    ),
    "live changed after approval: PlanChanged": (
        "installs/test_deploys::test_a_plan_is_done_as_it_was_approved_or_not_at_all",
        "installs/test_states::test_what_changed_since_a_plan_was_approved_is_not_applied",
    ),
    "denied; expired: nothing written": (
        "installs/test_states::test_a_plan_that_is_denied_writes_nothing",
        "adapters/test_installs::test_a_plan_that_nobody_answers_to_is_ended",
    ),
    "bad image: degraded with reason, early": (
        "installs/test_health::test_an_image_that_can_t_be_pulled_fails_early_with_its_reason_and_stays_tracked",
        "installs/test_health_at_servers::test_pods_whose_image_can_t_be_pulled_fail_early_with_kubelet_s_reason_and_its_warning",
    ),
    "CR without controller: deadline, named": (
        "installs/test_health::test_a_custom_object_that_never_gets_ready_is_named_at_the_deadline",
        "installs/test_health::test_a_custom_object_without_a_controller_is_given_its_time",
        "installs/test_health_at_servers::test_a_custom_object_whose_controller_says_that_it_isn_t_ready_is_named_at_the_deadline",
    ),
    "Job fails: its reason": (
        "installs/test_health::test_a_job_that_fails_is_told_with_its_reason",
        "installs/test_health_at_servers::test_a_job_that_failed_is_told_with_its_reason",
    ),
    "rights missing: all named before a write": (
        "installs/test_rights::test_what_is_printed_is_enough_and_each_part_of_it_is_missed_before_a_write",
        "installs/test_real_servers::test_rights_that_are_missing_are_all_named_before_a_write",
    ),
    "token expires: renewed": (
        "installs/test_eks::test_a_token_that_ends_is_renewed_and_who_works_with_it_goes_on",
        "installs/test_reaching::test_a_token_that_was_replaced_is_read_again_once_and_another_refusal_is_told",
    ),
    "wrong ExternalId; CA: Rejected, which": (
        "installs/test_eks::test_with_another_external_id_the_role_lets_nobody_in_and_that_is_told",
        "installs/test_eks::test_another_authority_than_eks_tells_is_not_trusted",
    ),
    "mirror's bytes differ: Corrupt": (
        "installs/test_states::test_a_mirror_whose_bytes_differ_is_corrupt",
        "e2e/test_installs::test_a_mirror_whose_bytes_were_changed_since_the_build_is_corrupt_and_nothing_is_written",
    ),
    "input with quote, newline, ---: one value": (
        "installs/test_rendering::test_a_placeholder_is_one_value",
        "installs/test_rendering::test_no_input_adds_a_field_an_object_or_a_document",
    ),
    "{{ $labels }}: untouched": ("installs/test_rendering::test_a_placeholder_is_one_value",),
    "teardown twice: reversed, 404 fine": (
        "installs/test_deploys::test_objects_come_by_stages_and_go_in_the_reverse",
        "installs/test_deploys::test_a_teardown_deletes_all_in_reverse_and_a_second_one_finds_nothing",
        "installs/test_states::test_a_teardown_asks_for_no_artifact_and_deletes_all",
    ),
    "older build: deploys, prunes": (
        "installs/test_deploys::test_an_older_artifact_brings_back_what_it_had_and_prunes_the_rest",
        "installs/test_states::test_an_older_build_deploys_and_prunes",
    ),
    "5,000 objects: pending, several calls": (
        "installs/test_deploys::test_5_000_objects_are_applied_found_unchanged_and_pruned",
        "installs/test_states::test_what_one_call_has_no_time_for_the_next_ones_do",
    ),
}


@cache
def names_in(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text())
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_tests_that_are_there(case: str) -> None:
    assert CASES[case]
    for test in CASES[case]:
        module, _, name = test.partition("::")
        assert name in names_in(module), test


def test_there_are_as_many_cases_as_were_found() -> None:
    """Nuon's weak spots, six engines' and what a real API server showed: a case goes only with a reason."""
    assert len(CASES) == 34
