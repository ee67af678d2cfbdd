"""MiniStack, the AWS on the desk, with the corrections this project needs.

Run it in the emulator's own environment; settings come from the environment (``GATEWAY_PORT``, ``AUTH``, …):

    GATEWAY_PORT=4666 .venvs/emulator/bin/python -m local.emulator

Each correction says what AWS does and MiniStack doesn't, looks for the very lines it corrects, and ends the start with
a message when they have changed. ``local/processes.py`` starts this file with a clean environment, which matters:
functions inherit everything in it.
"""

import importlib
import os
import sys

from local.emulator.anchors import require_version

CORRECTIONS = (
    "local.emulator.functions",
    "local.emulator.layers",
    "local.emulator.streams",
    "local.emulator.workflows",
    "local.emulator.definitions",
    "local.emulator.quotas",
    "local.emulator.expressions",
    "local.emulator.payloads",
    "local.emulator.events",
    "local.emulator.resources",
    "local.emulator.images",
    "local.emulator.clusters",
    "local.emulator.roles",
    "local.emulator.authorization",
    "local.emulator.cpu",
    "local.emulator.httpapi",
    "local.emulator.iam",
)
# The loopback interface, and none of the extra listeners.
DEFAULTS = {"BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}


def main() -> None:
    """Correct MiniStack, then serve until SIGTERM.

    Raises SystemExit with a message when MiniStack isn't the one that the corrections were written for.
    """
    require_version()
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    # MiniStack reads the environment while it is imported, so it is imported by name, here and not above.
    for module in CORRECTIONS:
        importlib.import_module(module).correct()
    sys.argv = ["ministack"]
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
