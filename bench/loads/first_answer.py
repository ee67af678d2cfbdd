"""One function in a fresh interpreter: how long its imports take, and all until its first answer.

    python bench/loads/first_answer.py MODULE RESULT [GROUP] < EVENT

The times, the answer, and the name of what the handler raised go to the file RESULT as JSON. GROUP is the file of a
control group's processes, which this one joins first.
"""

import os
import sys
import time

if len(sys.argv) > 3:  # noqa: PLR2004 - a group is given
    with open(sys.argv[3], "w") as group:  # noqa: PTH123 - pathlib would be imported before the clock runs
        group.write(str(os.getpid()))

started = time.perf_counter()

import contextlib  # noqa: E402 - the clock runs
import importlib  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402


def main() -> None:
    """Import, answer, tell."""
    function = importlib.import_module(f"functions.{sys.argv[1]}")
    imported = time.perf_counter()
    context = SimpleNamespace(
        function_name=sys.argv[1],
        aws_request_id="bench",
        memory_limit_in_mb=256,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:000000000000:function:{sys.argv[1]}",
        get_remaining_time_in_millis=lambda: 30_000,
    )
    event, error = json.loads(sys.stdin.read()), None
    try:
        answer = function.handler(event, context)
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
        answer, error = None, f"{type(raised).__name__}: {raised}"
    first = time.perf_counter()
    with contextlib.suppress(Exception):  # the first one's is told
        function.handler(event, context)
    times = {"imports": imported - started, "first_answer": first - started, "again": time.perf_counter() - first}
    Path(sys.argv[2]).write_text(json.dumps({**times, "answer": answer, "error": error}))


if __name__ == "__main__":
    main()
