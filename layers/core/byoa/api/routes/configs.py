"""Configs of a component: each that says something new is a version, and has its build."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from byoa.api.around import check_match
from byoa.api.documents import config_out
from byoa.api.models import Check, Checked, ConfigIn, ConfigOut, FaultOut
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.problems import Problem, unknown
from byoa.api.routes.components import COMPONENT, COMPONENTS, AppId, found
from byoa.api.shapes import Id
from byoa.api.visits import visit
from byoa.builds.messages import ConfigVersion, Label
from byoa.components.editing import edit, form_of
from byoa.components.reading import Checked as Judged
from byoa.components.reading import ComponentConfig, check_config, check_document, is_component_name

operations = Operations()
TOML = """\
name = "vendor-app"
type = "kubernetes_manifest"
namespace = "vendor"

[oci_artifact]
url = "oci://ghcr.io/vendor/app-manifests"
tag = "v2.3.1"
"""
FIELDS: dict[str, Any] = {
    "namespace": "vendor",
    "oci_artifact": {"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1"},
}
_NUONS = ("toml", "app_config_id", "references", "checksum")


@operations.add(
    "POST",
    f"{COMPONENTS}/configs/check",
    "read",
    idle=True,
    example={"toml": TOML, "changes": {"oci_artifact.tag": "v2.3.2", "labels.team": "a"}},
)
def check_component_config(app_id: AppId, body: Check) -> Checked:  # noqa: ARG001 - all apps have the same rules
    """Look at a component's file, with changes of single fields or as it is, without handing it in.

    It answers all faults, each with its line, what the file says, and its text: changes keep comments, order and
    layout. A file that isn't TOML stays as it is.
    """
    form = form_of(body.toml)
    toml = edit(body.toml, body.changes) if body.changes and form is not None else body.toml
    judged = check_config(toml)
    return Checked(
        valid=judged.config is not None,
        faults=[FaultOut(**each.as_dict()) for each in judged.faults],
        form=form_of(toml),
        toml=toml,
    )


@operations.add("POST", f"{COMPONENT}/configs/kubernetes-manifest", "sync", status=201, faults=(412,), example=FIELDS)
def create_config(app_id: AppId, component_id: Annotated[Label, Path()], body: ConfigIn) -> Response[ConfigOut]:
    """Hand in a config, as fields or as a component's file in ``toml``: it becomes the newest version and is built.

    The same content as the newest version's makes nothing new (200), unless that one's build failed; of two files that
    say the same the newest is kept, with its comments and its order, up to 128 KiB. With If-Match it
    is taken while the newest config is the one with that ETag, with If-None-Match: * while there is none.
    """
    here = visit()
    seen, config = _seen(app_id, component_id), _config(component_id, body)
    accepted = (
        here.inventory.submit(app_id, config, by=here.caller.id, text=body.toml)
        if seen is None
        else here.inventory.submit_after(app_id, config, seen, by=here.caller.id, text=body.toml)
    )
    if accepted is None:
        raise Problem("changed")
    version = accepted.version or here.inventory.config(app_id, component_id, accepted.build.version)
    if version is None:
        raise LookupError("a config that was accepted is missing")
    return Response(201 if accepted.created else 200, "application/json", _out(version))


@operations.add("GET", f"{COMPONENT}/configs", "read", faults=(404,), paged=True)
def list_configs(
    app_id: AppId, component_id: Id, offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[ConfigOut]]:
    """The component's configs, the newest first, without manifests and TOML."""
    span = span_of(offset, limit, page, cursor)
    versions = visit().inventory.configs(found(app_id, component_id), span)
    return paged([_out(each, whole=False) for each in versions.items], versions, span, page)


@operations.add("GET", f"{COMPONENT}/configs/latest", "read", faults=(404,))
def get_latest_config(app_id: AppId, component_id: Id) -> ConfigOut:
    """The newest config."""
    return _out(_version(app_id, component_id, str(found(app_id, component_id).version)))


@operations.add("GET", f"{COMPONENT}/configs/<config_id>", "read", faults=(404,))
def get_config(app_id: AppId, component_id: Id, config_id: Id) -> ConfigOut:
    """One config. Its id is its version."""
    return _out(_version(app_id, component_id, config_id))


def _seen(app_id: str, component_id: str) -> int | None:
    """The newest version that a request was made for, 0 for none, ``None`` for any. Raises ``Problem`` with 412."""
    here = visit()
    wanted = here.header("if-match").strip()
    if wanted == "*" or (not wanted and here.header("if-none-match").strip() != "*"):
        return None
    component = here.inventory.component(app_id, component_id)
    newest = component and component.version and here.inventory.config(app_id, component_id, component.version)
    if bool(newest) != bool(wanted):
        raise Problem("changed")
    if not newest:
        return 0
    check_match(_out(newest).model_dump(mode="json"))
    return newest.version


def _version(app_id: str, component_id: str, config_id: str) -> ConfigVersion:
    number = int(config_id) if config_id.isascii() and config_id.isdigit() and len(config_id) < 11 else 0  # noqa: PLR2004
    known = number and is_component_name(component_id)
    version = visit().inventory.config(app_id, component_id, number) if known else None
    if version is None:
        raise unknown("component", "config of that version", "configs list COMPONENT")
    return version


def _out(version: ConfigVersion, *, whole: bool = True) -> ConfigOut:
    return config_out(version, visit().inventory.series, whole=whole)


def _config(component_id: str, body: ConfigIn) -> ComponentConfig:
    """What was handed in. Raises ``Problem`` with all of its faults."""
    said = body.model_dump(exclude_unset=True, exclude_none=True)
    fields = {name: value for name, value in said.items() if name not in _NUONS}
    if body.toml is not None and fields:
        fault = {"pointer": "/body/toml", "code": "source_conflict", "message": "toml stands for all fields: send one."}
        raise Problem("invalid", faults=[fault])
    judged = (
        check_document({"name": component_id, "type": "kubernetes_manifest", **fields})
        if body.toml is None
        else check_config(body.toml)
    )
    if judged.config is None:
        raise Problem("invalid", faults=_faults(judged, in_toml=body.toml is not None))
    if judged.config.name != component_id:
        fault = {"pointer": "/body/toml", "code": "name", "message": "The file is of a component of another name."}
        raise Problem("invalid", faults=[fault])
    return judged.config


def _faults(judged: Judged, *, in_toml: bool) -> list[dict[str, Any]]:
    if in_toml:
        return [{"pointer": "/body/toml", **fault.as_dict()} for fault in judged.faults]
    return [
        {
            "pointer": "/".join(["/body", *(str(part) for part in fault.location)]),
            **{name: value for name, value in fault.as_dict().items() if name not in ("line", "column")},
        }
        for fault in judged.faults
    ]
