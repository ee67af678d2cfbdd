"""Turns a function from one message to the next into a Lambda handler: parse, log, measure, map errors."""

from __future__ import annotations

import functools
import inspect
import time
import traceback
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from pydantic import BaseModel, ValidationError

from byoa.bootstrap import pipeline
from byoa.builds.lookups import AwaitedLookup, LookedUp, LookUp
from byoa.builds.messages import BuildKey, MirrorTask, RetireTask, StageBlobTask, Trial, ValidReference
from byoa.errors import ByoaError, EventUntrusted, InternalFault
from byoa.installs.messages import DeployKey
from byoa.trust.issuers import KeysWanted
from byoa.trust.signing_in import CodeGiven

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from byoa.builds.messages import Swept
    from byoa.installs.states import SweptDeploys

logger = Logger(service="byoa")
NAMESPACE: Final = "byoa"


def step[In: BaseModel, Out: BaseModel | None](
    function: Callable[[In], Out],
) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any] | None]:
    """Make a handler of ``function``, whose one annotated parameter says what the event must be.

    The handler returns the answer as JSON data. What it raises crosses to the state machine as a class name and a text:
    of a ``ByoaError`` its leaf's name and the error as JSON, of all else ``InternalFault`` and nothing of the cause. Of
    that the function's log has which exceptions they were and where they were raised, and no text: one of pydantic's
    or of a codec's may hold the credentials that the step had in its hands.
    """
    parameter = next(iter(inspect.signature(function).parameters))
    model: type[In] = get_type_hints(function)[parameter]

    @functools.wraps(function)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
        started = time.perf_counter()
        pipeline.begin(context.get_remaining_time_in_millis)
        logger.clear_state()
        logger.structure_logs(append=True, function=context.function_name, request_id=context.aws_request_id)
        unknown: InternalFault | None = None
        try:
            answer = _run(function, model, event)
        except ByoaError as error:
            logger.warning("step refused", error=error.as_dict())
            error.args = (error.as_json(),)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends here
            found = type(error).__name__
            logger.error("step failed", exception_name=found, happened=_happened(error))  # noqa: TRY400 - no texts
            unknown = InternalFault("A step failed in a way the platform doesn't know.")
            unknown.args = (unknown.as_json(),)
        finally:
            _measure(context.function_name, time.perf_counter() - started)
        if unknown:
            raise unknown from None  # here, so that it has no context either
        logger.info("step done")
        return answer.model_dump(mode="json") if isinstance(answer, BaseModel) else None

    return handler


def _run[In: BaseModel, Out: BaseModel | None](
    function: Callable[[In], Out], model: type[In], event: dict[str, Any]
) -> Out:
    message = _read(model, event)
    if message is None:
        raise EventUntrusted("The event is not of the form that this step takes.")
    key = message.artifact if isinstance(message, MirrorTask | RetireTask | StageBlobTask) else message
    if isinstance(key, DeployKey):
        logger.append_keys(**key.key.model_dump())
    if isinstance(key, BuildKey):
        build = {"build": key.build_id} if isinstance(key, ValidReference) else {}  # told by the ledger
        logger.append_keys(**key.key.model_dump(), **build)
    if isinstance(message, Trial | LookUp | LookedUp | AwaitedLookup | KeysWanted | CodeGiven):
        logger.append_keys(organisation=message.organisation)
    if isinstance(key, ValidReference):
        pipeline.bound(key.ends_ts)
    return function(message)


def _read[In: BaseModel](model: type[In], event: dict[str, Any]) -> In | None:
    """The event as a message; ``None`` for what is none, and then the log has the names of our fields that are wrong.

    Pydantic's error quotes values; asked this way, it ends here and is nobody's context.
    """
    try:
        return model.model_validate(event)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    names = [each["loc"][:-1] if each["type"] == "extra_forbidden" else each["loc"] for each in faults]
    logger.warning("event refused", faults=[".".join(map(str, name)) or "another field" for name in names])
    return None


def _happened(error: BaseException) -> list[dict[str, Any]]:
    """The kinds of an exception and of those behind it, the last one first, and where each was raised."""
    found: list[dict[str, Any]] = []
    seen: BaseException | None = error
    while seen:
        frames = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(seen.__traceback__)]
        found.append({"type": f"{type(seen).__module__}.{type(seen).__qualname__}", "frames": frames})
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return found


def _measure(name: str, seconds: float) -> None:
    """One EMF line; CloudWatch makes the metric of it."""
    with single_metric("StepDuration", MetricUnit.Seconds, seconds, namespace=NAMESPACE) as metric:
        metric.add_dimension("function", name)


def count_swept(swept: Swept) -> None:
    """Count what a sweep found: the alarm on builds left behind reads this."""
    with single_metric(
        "BuildsLeftBehind", MetricUnit.Count, swept.told + swept.ended + swept.failed, namespace=NAMESPACE
    ):
        pass
    for _ in range(swept.ended):
        count_build("error")


def count_swept_deploys(swept: SweptDeploys) -> None:
    """Count what a sweep of deploys found: the same alarm reads this."""
    with single_metric(
        "DeploysLeftBehind", MetricUnit.Count, swept.told + swept.ended + swept.failed, namespace=NAMESPACE
    ):
        pass


def count_deploy(status: str) -> None:
    """Count an ended deploy by its status: the alarm on failed deploys reads this."""
    with single_metric("DeploysEnded", MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        metric.add_dimension("status", status)


def count_build(status: str) -> None:
    """Count an ended build by its status: the alarm on failed builds reads this."""
    with single_metric("BuildsEnded", MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        metric.add_dimension("status", status)
