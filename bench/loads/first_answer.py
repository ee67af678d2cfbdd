"""One function in a fresh interpreter: how long its imports take, and all until its first answer.

    python bench/loads/first_answer.py MODULE RESULT < EVENT

The times, the answer, and the name of what the handler raised go to the file RESULT as JSON.
"""

import time

started = time.perf_counter()

import importlib  # noqa: E402 - the clock runs
import json  # noqa: E402
import sys  # noqa: E402
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
    answer, error = None, None
    try:
        answer = function.handler(json.loads(sys.stdin.read()), context)
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
        error = f"{type(raised).__name__}: {raised}"
    times = {"imports": imported - started, "first_answer": time.perf_counter() - started}
    Path(sys.argv[2]).write_text(json.dumps({**times, "answer": answer, "error": error}))


if __name__ == "__main__":
    main()
