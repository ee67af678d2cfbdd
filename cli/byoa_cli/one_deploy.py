"""One deploy of a component, as `byoa installs get INSTALL COMPONENT` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa_cli.columns import cell, coloured, show_rows
from byoa_cli.deploying import Deploying, what_of
from byoa_cli.described import install_id
from byoa_cli.histories import moment
from byoa_cli.output import FINE, out, print_json
from byoa_cli.printable import styled
from byoa_cli.whose import by, token_names

if TYPE_CHECKING:
    from byoa_cli.reaching import Reached


def show_component(here: Reached, install: str, component: str, deploy: str | None, *, as_json: bool) -> int:
    """Print a component's deploy, or its newest: who wanted it, how it went, and its plan."""
    place = ("installs", install_id(here, install), "components", component, "deploys", deploy or "latest")
    found = Deploying(here.asked_api(), here.asked_api().ask("GET", *place).fields())
    if as_json:
        told = {name: found.said.get(name) for name in ("plan_only", "approval", "created_at", "created_by_id")}
        print_json({**found.document(), **told, "history": found.said["status_v2"]["history"]})
        return FINE
    _show_head(found.said, token_names(here.asked_api()))
    for each in found.said["status_v2"]["history"]:
        text = f"  {each['status_human_description']}"
        out().print(styled((moment(int(each["created_at_ts"])), "dim"), "  ", coloured(str(each["status"])), text))
    found.show(plan=True)
    return FINE


def _show_head(deploy: dict[str, Any], names: dict[str, str]) -> None:
    """What it is, whose build, and who wanted and answered it."""
    out().print(styled((cell(deploy, "component_name"), "bold"), f"  {cell(deploy, 'id')}"))
    version = deploy.get("component_config_version")
    said = deploy.get("approval")
    show_rows(
        ("what", what_of(deploy)),
        ("build", f"{cell(deploy, 'build_id')}{f' (version {version})' if version else ''}"),
        ("cause", cell(deploy, "cause")),
        ("by", by(deploy, names)),
        *((("answer", _answer(said, names)),) if isinstance(said, dict) else ()),
    )


def _answer(said: dict[str, Any], names: dict[str, str]) -> str:
    who, note = by(said, names), cell(said, "note")
    return f"{cell(said, 'response_type')}{f' by {who}' if who else ''}{f': {note}' if note else ''}"
