"""Options that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

LABEL_LIMIT = 63


def _check_organisation(value: str) -> str:
    if not re.fullmatch(r"org_[a-z0-9]{12,40}", value):
        raise typer.BadParameter("an organisation's id is org_ and 12 to 40 lower-case letters and digits")
    return value


def _check_app(value: str) -> str:
    if len(value) > LABEL_LIMIT or not re.fullmatch(r"[a-z0-9]+(?:[_-][a-z0-9]+)*", value):
        raise typer.BadParameter("an app's name is lower-case letters and digits, joined by single '-' or '_'")
    return value


Json = Annotated[bool, typer.Option("--json", "-j", help="One JSON document on stdout.")]
Folder = Annotated[
    Path,
    typer.Argument(help="The app's folder, or its components/ folder.", exists=True, file_okay=False, show_default="."),
]
Organisation = Annotated[
    str,
    typer.Option("--org", envvar="BYOA_ORG", help="The organisation's id (org_…).", callback=_check_organisation),
]
App = Annotated[str, typer.Option("--app", "-a", envvar="BYOA_APP", help="The app's name.", callback=_check_app)]
Table = Annotated[str, typer.Option("--table", envvar="BYOA_TABLE", help="The stack's table (output TableName).")]
PlainHttp = Annotated[
    list[str] | None,
    typer.Option("--plain-http", metavar="HOST[:PORT]", help="A registry to speak to without TLS; may be repeated."),
]
