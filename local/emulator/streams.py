"""DynamoDB streams as event sources: what happens when a function fails.

MiniStack delivers a failed batch again and again, and ignores BisectBatchOnFunctionError, ReportBatchItemFailures and
MaximumRetryAttempts, so a poison record blocks its stream for good and never reaches the on-failure destination. This
is its poller written anew, over MiniStack's own records, filters and positions.
"""
# ruff: noqa: SLF001 - a correction reaches inside

import contextvars
import time
from dataclasses import dataclass
from typing import Any

import ministack.services.dynamodb as tables
import ministack.services.lambda_svc as lambdas
from ministack.core.arn import ArnParseError, parse_arn

from local.emulator.anchors import anchored

type Mapping = dict[str, Any]
type Record = dict[str, Any]


@dataclass(slots=True)
class Trial:
    """The tries of the batch that starts at ``position``; a bisected batch has at most ``size`` records."""

    position: int
    size: int
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """``length`` records were read; ``chosen`` are those that passed the filter, each with its offset."""

    length: int
    chosen: list[tuple[int, Record]]


_trials: dict[str, Trial] = {}


def correct() -> None:
    """Replace the poller of DynamoDB streams. Raises MiniStackChanged."""
    anchored(lambdas, "_poll_dynamodb_streams", "_esm_backoff_until[esm_id] = time.time() + _ESM_BACKOFF_SECONDS")
    anchored(lambdas, "_poll_loop", "_poll_dynamodb_streams()")
    lambdas._poll_dynamodb_streams = poll


def poll() -> bool:
    """One pass over all event source mappings; True if some stream went on, so that it is worth looking again."""
    moved = [
        contextvars.copy_context().run(_poll_in_scope, account, region, mapping)
        for account, region, mapping in list(lambdas._iter_all_esms())
    ]
    return any(moved)


def _poll_in_scope(account: str, region: str, mapping: Mapping) -> bool:
    lambdas._request_account_id.set(account)
    lambdas._request_region.set(region)
    table = _table(mapping)
    function, _config = lambdas._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    if table is None or function is None or lambdas._esm_backoff_until.get(mapping["UUID"], 0) > time.time():
        return False
    return _deliver(mapping, table, function)


def _table(mapping: Mapping) -> str | None:
    """The name of the table whose current stream is the mapping's source; ``None`` if there is nothing to read."""
    if not _is_true(mapping.get("Enabled", True)):
        return None
    try:
        source = parse_arn(mapping.get("EventSourceArn", ""))
    except ArnParseError:
        return None
    named = lambdas._dynamodb_stream_table_from_arn_spec(source) if source.service == "dynamodb" else None
    if named is None:
        return None
    name: str = named[0]
    table = tables._tables.get(name)
    return name if table and table.get("LatestStreamArn") == mapping["EventSourceArn"] else None


def _deliver(mapping: Mapping, table: str, function: dict[str, Any]) -> bool:
    trial = _trial(mapping, table)
    records = tables.stream_records_since(table, trial.position, trial.size)
    if not records:
        return False
    chosen = [(at, record) for at, record in enumerate(records) if lambdas._apply_filter_criteria([record], mapping)]
    batch = Batch(len(records), chosen)
    if not chosen:
        return _advance(mapping, trial.position + batch.length)
    result = lambdas._execute_function(function, {"Records": [record for _, record in chosen]})
    failed_at = _first_failure(mapping, batch, result)
    mapping["LastProcessingResult"] = "FAILED" if failed_at is not None else f"OK - {len(chosen)} records"
    if failed_at is None:
        return _advance(mapping, trial.position + batch.length)
    if failed_at > chosen[0][0]:  # what came before the failed record is done
        return _advance(mapping, trial.position + failed_at, failures=1)
    return _try_again_or_discard(mapping, function, trial, batch, result)


def _trial(mapping: Mapping, table: str) -> Trial:
    """The trial in progress, or a new one from where the mapping stands; never behind the stream's oldest record."""
    position = max(_stored_position(mapping, table), tables.stream_start_position(table))
    trial = _trials.get(mapping["UUID"])
    if trial is None or trial.position != position:
        trial = _trials[mapping["UUID"]] = Trial(position, int(mapping.get("BatchSize", 100)))
    return trial


def _stored_position(mapping: Mapping, table: str) -> int:
    with lambdas._dynamodb_stream_positions_lock:
        positions = lambdas._dynamodb_stream_positions
        if mapping["UUID"] not in positions:
            oldest = mapping.get("StartingPosition") == "TRIM_HORIZON"
            start = tables.stream_start_position if oldest else tables.stream_end_position
            positions[mapping["UUID"]] = start(table)
        return int(positions[mapping["UUID"]])


def _advance(mapping: Mapping, position: int, *, failures: int = 0) -> bool:
    with lambdas._dynamodb_stream_positions_lock:
        lambdas._dynamodb_stream_positions[mapping["UUID"]] = position
    _trials[mapping["UUID"]] = Trial(position, int(mapping.get("BatchSize", 100)), failures)
    return True


def _first_failure(mapping: Mapping, batch: Batch, result: dict[str, Any]) -> int | None:
    """The offset of the first record that failed; ``None`` if none did."""
    first = batch.chosen[0][0]
    if result.get("error"):
        return first
    body = result.get("body")
    reports = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []) and isinstance(body, dict)
    failures = body.get("batchItemFailures") if reports and body else None
    if not failures:
        return None
    failed = {failure.get("itemIdentifier") for failure in failures}
    offsets = {record["dynamodb"]["SequenceNumber"]: at for at, record in batch.chosen}
    # An identifier that was never sent fails the whole batch.
    return min(offsets[name] for name in failed) if failed <= offsets.keys() else first


def _try_again_or_discard(
    mapping: Mapping, function: dict[str, Any], trial: Trial, batch: Batch, result: dict[str, Any]
) -> bool:
    condition = None
    if _too_old(mapping, batch):
        condition = "MaxRecordAgeExceeded"
    elif _is_true(mapping.get("BisectBatchOnFunctionError")) and len(batch.chosen) > 1:
        trial.size = batch.chosen[(len(batch.chosen) - 1) // 2][0] + 1  # halving is no retry
    else:
        trial.failures += 1
        if trial.failures > int(mapping.get("MaximumRetryAttempts", -1)) >= 0:
            condition = "RetryAttemptsExhausted"
    if condition is None:
        lambdas._esm_backoff_until[mapping["UUID"]] = time.time() + lambdas._ESM_BACKOFF_SECONDS
        return False
    records = [record for _, record in batch.chosen]
    lambdas._send_ddb_stream_failure_record(mapping, function, records, mapping["EventSourceArn"], result, condition)
    return _advance(mapping, trial.position + batch.length)


def _too_old(mapping: Mapping, batch: Batch) -> bool:
    limit = int(mapping.get("MaximumRecordAgeInSeconds", -1))
    oldest = batch.chosen[0][1]["dynamodb"].get("ApproximateCreationDateTime", time.time())
    return 0 < limit < time.time() - float(oldest)


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"  # CloudFormation parameters arrive as text
