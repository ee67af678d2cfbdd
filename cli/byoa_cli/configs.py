"""`byoa configs`: what components' files said, version by version."""

from __future__ import annotations

import sys
import tomllib
from typing import Any

from byoa.errors import ApiUnusable
from byoa_cli.columns import cell, show
from byoa_cli.commands import Group, Option, command
from byoa_cli.options import APP, AT_API, COMPONENT, JSON, whole
from byoa_cli.output import FINE, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import escaped
from byoa_cli.reaching import reach_api


@command(COMPONENT, *AT_API, APP, *PAGING, JSON)
def list_configs(
    component: str, api: str | None, profile: str | None, org: str | None, app: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List a component's configs, the newest first.

    Example:
        byoa configs list web --app shop
    """
    part = part_of(limit, offset, page, every=every)
    here = reach_api(api, profile, org, app)
    found = here.asked_api().listing(
        "apps", here.named_app(), "components", component, "configs", offset=part.offset, limit=part.limit
    )
    if as_json:
        print_json({"configs": found.items, "more": found.more})
        return FINE
    rows = [
        (cell(each, "version"), cell(each, "build_id"), cell(each, "created_at"), _source(each)) for each in found.items
    ]
    show(("VERSION", "BUILD", "CREATED AT", "SOURCE"), rows, "no configs")
    part.tell_more(more=found.more)
    return FINE


@command(
    COMPONENT,
    Option(
        "version", metavar="VERSION", nargs="?", type=whole(1, 9_999_999_999), help="The version (default: the newest)."
    ),
    *AT_API,
    APP,
    JSON,
)
def get_config(
    component: str, version: int | None, api: str | None, profile: str | None, org: str | None, app: str | None,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Print a config as the TOML of a component's file, put in order; comments and layout aren't kept.

    Examples:
        byoa configs get web --app shop > components/web.toml

        byoa configs get web 3 --app shop --json
    """
    here = reach_api(api, profile, org, app)
    place = ("apps", here.named_app(), "components", component, "configs", str(version or "latest"))
    found = here.asked_api().ask("GET", *place).fields()
    if as_json:
        print_json(found)
        return FINE
    for line in _toml(found).split("\n"):
        sys.stdout.write(f"{escaped(line)}\n")
    return FINE


configs = Group("Look at the configs that components had.", {"list": list_configs, "get": get_config})


def _toml(config: dict[str, Any]) -> str:
    """The config's TOML, without the last line's end. Raises ``ApiUnusable`` for what is none."""
    text = cell(config, "toml").removesuffix("\n")
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        raise ApiUnusable("The API's answer has no TOML.") from None
    return text


def _source(config: dict[str, Any]) -> str:
    artifact = (config.get("kubernetes_manifest") or {}).get("oci_artifact")
    if not isinstance(artifact, dict):
        return "inline"
    return f"{artifact.get('url')}{f'@{artifact["digest"]}' if artifact.get('digest') else f':{artifact.get("tag")}'}"
