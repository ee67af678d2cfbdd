"""The page on events and messages: the events on the bus, and what each state is given and answers."""

from __future__ import annotations

import re
import typing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from byoa.builds.messages import (
    BUILD_STATUS_CHANGED,
    COMPONENT_DELETED,
    CONFIG_CHANGED,
    EVENT_SOURCE,
    BuildEnded,
    BuildKey,
    BuildStatusChanged,
    ComponentDeleted,
    ConfigChanged,
    Message,
    Outcome,
)
from byoa.installs.messages import DEPLOY_ASKED, DEPLOY_STATUS_CHANGED, DeployAsked, DeployKey, DeployStatusChanged
from byoa.installs.states import DeployEnded
from byoa.tracking.messages import TAG_MOVED, TagMoved
from local.pages.markdown import code, json_block, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
ENDED: Final = BuildEnded.model_validate_json((ROOT / "events" / "record_build.json").read_bytes())
"""The sample build, all the way."""

INTRODUCTION: Final = f"""\
The platform tells the outside of six things, by events on its EventBridge bus, all from the source
`{EVENT_SOURCE}`, each at least once. The table's stream puts them there after the write that they tell of
([decision 3](decisions/0003-the-stream-is-the-outbox.md)). Between its states travel the messages below; they are shown
for those who read an execution in the console of Step Functions, and may change with a release.
"""

CONFIG_TEXT: Final = """\
A config version was accepted and its build is queued. This starts the state machine. Who puts such an event
on the bus starts nothing by it: the version has to be in the table.
"""

STATUS_TEXT: Final = """\
A build has another status: `queued`, `planning`, `building`, and at its end `active` (an install can pull
what `outcome.mirrors` names), `error` (`outcome.failure` says what to do) or `superseded` (a newer config version took
over). Times are in milliseconds since 1970-01-01 UTC. A listener may hear of a status twice; `id` and `status` tell.
"""

DELETED_TEXT: Final = """\
A component was deleted. A build of it that ran is stopped; what was mirrored stays, and so do records and receipts.
"""

MOVED_TEXT: Final = """\
A tag that a component names was looked at, because somebody pushed ([hooks](hooks.md)), and means another digest than
its newest build pinned. `version` is that build's. Where the hook's action is `build`, a build follows by itself.
"""

ASKED_TEXT: Final = """\
A deploy waits: somebody asked for it, a build is followed, drift is looked for or mended, or its plan was approved
(`apply-plan`). This starts the other state machine, unless `agent` says that the install's own agent leases it. Who
puts such an event on the bus starts nothing by it.
"""

DEPLOY_TEXT: Final = """\
A deploy has another status: `pending` (it waits for others), `queued`, `planning`, `pending-approval`, `executing`, and
at its end `active`, `noop`, `inactive` (torn down), `auto-skipped` (only planned; or it waited for what didn't go well,
as `failure` says), `no-drift`, `drift-detected`, `approval-denied`, `cancelled` or `error` (`failure` says what to do).
`counts` are of its plan. What ended lets begin what waited for it.
"""

_WORDS: Final = {"string": "text", "null": "nothing", "integer": "whole number", "boolean": "true or false"}


def message_page() -> str:
    """The page, made from the models, the state machine and the samples in ``events/``."""
    steps = [*_functions()]
    rows = [(code(name), _link(taken), _link(told)) for name, taken, told in steps]
    return page(
        "Events and messages",
        INTRODUCTION,
        f"## {CONFIG_CHANGED}\n",
        CONFIG_TEXT,
        _event(CONFIG_CHANGED, ConfigChanged(**ENDED.key.model_dump())),
        f"## {BUILD_STATUS_CHANGED}\n",
        STATUS_TEXT,
        _event(BUILD_STATUS_CHANGED, _status_changed()),
        f"## {COMPONENT_DELETED}\n",
        DELETED_TEXT,
        _event(COMPONENT_DELETED, _deleted()),
        f"## {TAG_MOVED}\n",
        MOVED_TEXT,
        _event(TAG_MOVED, TagMoved.model_validate_json((ROOT / "events" / "build_again.json").read_bytes())),
        f"## {DEPLOY_ASKED}\n",
        ASKED_TEXT,
        _event(DEPLOY_ASKED, DeployAsked(**_deploy().model_dump(), operation="create-apply-plan")),
        f"## {DEPLOY_STATUS_CHANGED}\n",
        DEPLOY_TEXT,
        _event(DEPLOY_STATUS_CHANGED, _deploy_status_changed()),
        "## States and their messages\n",
        table(["function", "is given", "answers"], rows),
        *map(_message, _messages(steps)),
    )


def _event(kind: str, detail: Message) -> str:
    shown = {"source": EVENT_SOURCE, "detail-type": kind, "detail": detail.model_dump(mode="json")}
    fields = type(detail).model_json_schema()
    return f"{json_block(shown)}\n{_fields(fields)}"


def _deleted() -> ComponentDeleted:
    key = ENDED.key
    at_ts = ENDED.mirrors[0].proof.at_ts if ENDED.mirrors[0].proof else 0
    return ComponentDeleted(organisation=key.organisation, app=key.app, component=key.component, deleted_at_ts=at_ts)


def _status_changed() -> BuildStatusChanged:
    artifact, mirror = ENDED.artifact, ENDED.mirrors[0]
    if artifact is None or mirror.proof is None:
        raise ValueError("the sample of an ended build holds no artifact with a proof")
    outcome = Outcome(
        status="active",
        digest=artifact.digest,
        tag=artifact.tag,
        inspection=artifact.inspection,
        mirrors=ENDED.mirrors,
    )
    return BuildStatusChanged(
        **ENDED.key.model_dump(),
        id=artifact.build_id,
        status="active",
        status_human_description="ready to install",
        changed_at_ts=mirror.proof.at_ts,
        outcome=outcome,
    )


def _deploy() -> DeployKey:
    return DeployEnded.model_validate_json((ROOT / "events" / "record_deploy.json").read_bytes()).key


def _deploy_status_changed() -> DeployStatusChanged:
    ended = DeployEnded.model_validate_json((ROOT / "events" / "record_deploy.json").read_bytes())
    if ended.checked is None or ended.planned is None:
        raise ValueError("the sample of an ended deploy is of none that was planned")
    return DeployStatusChanged(
        **ended.key.model_dump(),
        app=ended.checked.app,
        id=ended.checked.deploy_id,
        operation=ended.checked.operation,
        status="active",
        status_human_description="applied, healthy and pruned (4 create)",
        changed_at_ts=ended.checked.begun_ts,
        counts=ended.planned.counts,
    )


def _functions() -> Iterator[tuple[str, type, type]]:
    """Each function that the state machines call, in their order, with what it takes and answers."""
    builds, deploys = (
        dict.fromkeys(re.findall(r"\$\{(\w+)FunctionArn\}", (ROOT / "statemachine" / f"{name}.asl.yaml").read_text()))
        for name in ("build", "install")
    )
    ended = ("EndStoppedDeploy", "SweepDeploys", "DriftDue", "FollowBuilds", "ReleaseDeploys")
    for name in [*builds, "RecordStopped", "SweepBuilds", *deploys, *ended]:
        module = import_module("functions." + re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower())
        hints = typing.get_type_hints(module.handler.__wrapped__)
        answer = hints.pop("return")
        (taken,) = hints.values()
        yield name, taken, answer


def _messages(steps: list[tuple[str, type, type]]) -> Iterator[type[Message]]:
    """All messages of the states and what they consist of, each once."""
    waiting: list[type] = [BuildKey, DeployKey, *(each for _, taken, told in steps for each in (taken, *_parts(told)))]
    seen: set[type] = set()
    while waiting:
        message = waiting.pop(0)
        if message in seen or not issubclass(message, Message):
            continue
        seen.add(message)
        yield message
        waiting += [part for field in message.model_fields.values() for part in _parts(field.annotation)]


def _parts(annotation: Any) -> list[type]:  # noqa: ANN401 - any annotation of a field
    """The classes in an annotation: of ``list[Node] | None`` that is ``Node`` and ``NoneType``."""
    inner = typing.get_args(annotation)
    return [part for each in inner for part in _parts(each)] if inner else [annotation] * isinstance(annotation, type)


def _link(annotation: Any) -> str:  # noqa: ANN401 - a message, or a message or nothing
    return " or ".join("nothing" if each is type(None) else _to(each.__name__) for each in _parts(annotation))


def _to(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _message(message: type[Message]) -> str:
    base, schema = message.__base__, message.model_json_schema()
    inherited = base.model_fields if base and issubclass(base, Message) else {}
    own = {name: field for name, field in schema.get("properties", {}).items() if name not in inherited}
    text = "\n".join(line.strip() for line in (message.__doc__ or "").replace("``", "`").strip().splitlines())
    begins = f"What {_to(base.__name__)} has{', and:' if own else '.'}\n\n" if base and inherited else ""
    return f"### {message.__name__}\n\n{text}\n\n{begins}{_fields(schema | {'properties': own})}"


def _fields(schema: dict[str, Any]) -> str:
    wanted, parts = schema.get("required", []), schema.get("$defs", {})
    rows = [
        (code(name), _type(field, parts), "yes" if name in wanted else "")
        for name, field in schema["properties"].items()
    ]
    return table(["field", "type", "required"], rows) if rows else ""


def _type(field: dict[str, Any], parts: dict[str, Any]) -> str:
    """A field's type in words; ``parts`` are the schema's definitions."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return _type(parts[name], parts) if "enum" in parts[name] else _to(name)
    if "anyOf" in field:
        return " or ".join(_type(each, parts) for each in field["anyOf"])
    if "enum" in field:
        return " or ".join(map(code, field["enum"]))
    if field["type"] == "array":
        return f"list of {_type(field['items'], parts)}"
    if isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'], parts)}"
    return _WORDS.get(field["type"], str(field["type"]))
