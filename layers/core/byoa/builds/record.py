"""The last step: how a build ended, in its record and, where it went well, in its receipt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from byoa.builds.lists import nodes_of
from byoa.builds.messages import BuildEnded, CaughtError, Failure, Outcome, build_id_of
from byoa.builds.receipts import receipt_of, seal
from byoa.builds.records import entry, milliseconds, mirrored
from byoa.errors import EventUntrusted, InternalFault, StaleVersion, Timeout, leaves

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.builds.messages import Build, HistoryEntry, InspectedArtifact, Node, StoppedExecution
    from byoa.builds.ports import Clock, Ledger, Lists, Signer

_TEXT_LIMIT: Final = 512
_TIMEOUTS: Final = frozenset({"States.Timeout", "Sandbox.Timedout", "States.HeartbeatTimeout"})
_LEAVES: Final = {leaf.__name__: leaf for leaf in leaves()}


def record(  # noqa: PLR0913, PLR0917 - what is written, where to, and with what
    ended: BuildEnded,
    ledger: Ledger,
    clock: Clock,
    signer: Signer | None = None,
    lists: Lists | None = None,
    series: str = "",
) -> Outcome | None:
    """Write how the build ended. The first outcome stands; the table's stream tells the bus.

    ``series`` is what the ledger makes builds' ids with.

    A build that went well has its receipt before it is active: ``signer`` signs it, where there is one. ``None`` where
    it had ended, or another execution has it. Raises what signing and ``lists`` raise, ``InternalFault`` for a build
    that isn't done, and ``EventUntrusted`` for one put together from several.
    """
    outcome, now = _failed(ended.failure) if ended.failure else _succeeded(ended, series), clock.now()
    if outcome.status == "active":
        receipt = receipt_of(ended, _nodes(ended, lists), milliseconds(now))
        ledger.keep_receipt(ended.key, ended.execution, seal(receipt, signer))
        if ended.artifact and ended.artifact.objects:
            found = ended.artifact.objects.model_copy(update={"attached": ended.artifact.attachments})
            ledger.keep_objects(ended.key, ended.execution, found)
    try:
        build = ledger.finish(ended.key, ended.execution, outcome, [*_told_here(ended), _last(outcome, now)])
    except StaleVersion as error:  # overtaken since the last step looked: it must not be active after its successor
        failure = Failure(code=StaleVersion.__name__, cause=error.cause, remedy=error.remedy)
        outcome = Outcome(status="superseded", failure=failure)
        build = ledger.finish(ended.key, ended.execution, outcome, [*_told_here(ended), _last(outcome, now)])
    return outcome if build else None


def _nodes(ended: BuildEnded, lists: Lists | None) -> list[Node]:
    return nodes_of(ended.artifact, lists) if ended.artifact else []


def _told_here(ended: BuildEnded) -> list[HistoryEntry]:
    """That the only target has the artifact: where there are several, each was told of at once."""
    only = ended.mirrors[0] if len(ended.mirrors) == 1 else None
    return [mirrored(only.target, only.proof.at_ts)] if only and only.proof else []


def _last(outcome: Outcome, now: datetime) -> HistoryEntry:
    texts = {"active": "ready to install", "superseded": "a newer config version took over", "error": ""}
    text = outcome.failure.cause if outcome.status == "error" and outcome.failure else texts[outcome.status]
    return entry(outcome.status, text, now, step="record")


def record_stopped(stopped: StoppedExecution, ledger: Ledger, clock: Clock) -> Build | None:
    """End the build of an execution that was stopped, so that none is ever stuck.

    ``None`` where it had ended, or that execution had not begun it: what nobody has begun is told of again
    (``SweepBuilds``), and who may start and stop executions ends nothing by it.
    """
    if stopped.input is None:
        return None
    failure = Failure(
        code="InternalFault",
        cause=f"The pipeline's execution ended before the build did ({stopped.status}).",
        remedy=InternalFault.default_remedy,
    )
    outcome = Outcome(status="error", failure=failure)
    last = entry("error", failure.cause, clock.now(), step="record")
    return ledger.finish(stopped.input.detail.key, stopped.name, outcome, [last], begun=True)


def _succeeded(ended: BuildEnded, series: str) -> Outcome:
    artifact = ended.artifact
    if artifact is None or len(ended.mirrors) < max(1, len(artifact.targets)):
        raise InternalFault("A build is to be recorded as done that is not.")
    _check_one_build(ended, artifact, series)
    return Outcome(
        status="active",
        digest=artifact.digest,
        tag=artifact.tag,
        inspection=artifact.inspection,
        mirrors=ended.mirrors,
    )


def _check_one_build(ended: BuildEnded, artifact: InspectedArtifact, series: str) -> None:
    """Each part of the message came from another step; a receipt vouches for all of them together."""
    same = artifact.key == ended.key and artifact.execution == ended.execution
    named = artifact.build_id == build_id_of(ended.key, series)
    targets = sorted(mirror.target for mirror in ended.mirrors) == sorted(set(artifact.targets))
    here = all((each.digest, each.tag) == (artifact.digest, artifact.build_id) for each in ended.mirrors)
    if not (same and named and targets and here):
        raise EventUntrusted("The message is put together from more than one build.")


def _failed(caught: CaughtError) -> Outcome:
    status = "superseded" if caught.error == StaleVersion.__name__ else "error"
    return Outcome(status=status, failure=read_failure(caught))


def read_failure(caught: CaughtError) -> Failure:
    """What the failing function said of itself; of what died without a word, no more than its kind."""
    try:
        said = json.loads(json.loads(caught.cause)["errorMessage"])
        known = _LEAVES[said["code"]]
        return Failure(
            code=known.__name__,
            cause=_printable(said["cause"]),
            remedy=_printable(said["remedy"]),
            where=_printable(said["where"]) if said["where"] else None,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        leaf = Timeout if caught.error in _TIMEOUTS else InternalFault
        cause = (
            "A step did not end in time." if leaf is Timeout else "A step failed in a way the platform doesn't know."
        )
        return Failure(code=leaf.__name__, cause=cause, remedy=leaf.default_remedy)


def _printable(text: str) -> str:
    return "".join(character for character in text if " " <= character <= "~")[:_TEXT_LIMIT]
