"""Writes the generated pages into the folder that is named: ``python -m local.pages docs``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from byoa.api.published import DOCUMENT, FOLDER
from local.pages.commands import command_page
from local.pages.components import component_page
from local.pages.decisions import decision_page
from local.pages.figures import figure_page
from local.pages.kinds import kinds_page
from local.pages.messages import ROOT, message_page
from local.pages.openapi import openapi_text
from local.pages.reference import reference_text

if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("BYOA_")]:
        del os.environ[name]  # a variable that stands in for an option would change what its parser says
    docs = Path(sys.argv[1])
    for folder in ("decisions", "registries"):
        (docs / folder).mkdir(parents=True, exist_ok=True)
    (docs / "component-config.md").write_text(component_page())
    (docs / "registries" / "kinds.md").write_text(kinds_page())
    (docs / "command-line.md").write_text(command_page())
    (docs / "messages.md").write_text(message_page())
    (docs / "figures.md").write_text(figure_page(ROOT / "bench" / "results" / "latest.json"))
    (docs / "decisions" / "index.md").write_text(decision_page(ROOT / "docs" / "decisions"))
    (FOLDER / DOCUMENT).write_text(described := openapi_text())
    (docs / "api-reference.md").write_text(reference_text(described))
