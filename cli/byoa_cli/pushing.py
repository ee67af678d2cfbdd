"""`byoa push`: manifests into an artifact, in one command, without AWS."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from byoa_cli.commands import Option, UsageError, command
from byoa_cli.options import JSON, PLAIN_HTTP, TIMEOUT
from byoa_cli.output import FINE, err, exit_code, print_error, print_json, print_line

if TYPE_CHECKING:
    from pathlib import Path

    from byoa.content.inspection import Report
    from byoa.content.packing import Packed
    from byoa.errors import ByoaError
    from byoa_cli.gathering import Gathering
    from byoa_cli.places import Place

_ABOUT = "What is noted"
_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
_NAMED = 5
"""So many of the files that were passed over are named."""


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("it is not UTF-8") from None
    return value


def _pair(value: str) -> tuple[str, str]:
    key, equals, text = _text(value).partition("=")
    if not equals or not _KEY.fullmatch(key):
        raise ArgumentTypeError(f"KEY=VALUE is wanted, with a KEY like com.example.team, not {value}")
    return key, text


def _overlay(value: str) -> str:
    from pathlib import Path

    if not Path(value).is_dir():
        raise ArgumentTypeError(f"there is no folder {value}")
    return value


@command(
    Option("target", metavar="DST", help="Where to: oci://HOST/REPOSITORY:TAG or oci-layout:FOLDER:TAG."),
    Option("paths", metavar="PATH", nargs="*", help="Folders and files of YAML and JSON; - is stdin."),
    Option("-k", "--kustomize", metavar="OVERLAY", type=_overlay, help="Render this kustomization, and push that."),
    Option("--format", choices=("flux", "oras", "kustomizer"), default="flux", dest="form",
           help="As whose client packs it (default: flux)."),
    PLAIN_HTTP,
    TIMEOUT,
    JSON,
    Option("--source", metavar="URL", type=_text, group=_ABOUT, help="Where it comes from (default: git's origin)."),
    Option("--revision", metavar="REVISION", type=_text, group=_ABOUT, help="What of it (default: git's commit)."),
    Option("--reproducible", action="store_true", group=_ABOUT, help="Made in 1970, for the same digest each time."),
    Option("--annotation", "-a", metavar="KEY=VALUE", type=_pair, action="append", default=[], dest="annotations",
           group=_ABOUT, help="Note this as well; may be repeated."),
)  # fmt: skip
def push(
    *,
    target: str,
    paths: list[str],
    kustomize: str | None,
    form: str,
    plain_http: list[str],
    timeout: float | None,
    as_json: bool,
    source: str | None,
    revision: str | None,
    reproducible: bool,
    annotations: list[tuple[str, str]],
) -> int:
    """Pack manifests into an artifact and push it. What the pipeline would refuse is refused before it is sent.

    The same manifests have the same digest on every machine. In a checkout of git its origin and commit are noted, and
    the time of the commit; elsewhere the time is now, unless it is --reproducible.

    Examples:
        byoa push oci://ghcr.io/vendor/app-manifests:v2.3.1 ./manifests

        byoa push oci://ghcr.io/vendor/app-manifests:v2.3.1 -k overlays/production

        byoa push oci://ghcr.io/vendor/app-manifests:v2.3.1 - < rendered.yaml

        byoa push oci://127.0.0.1:5000/app:v1 app.yaml --format oras --plain-http 127.0.0.1:5000 --json
    """
    if bool(paths) == bool(kustomize) or ("-" in paths and len(paths) > 1):
        raise UsageError("name folders and files, or - for stdin, or -k OVERLAY")
    from byoa_cli.packaging import package
    from byoa_cli.provenance import note
    from byoa_cli.vetting import vet

    goal = _open(target, plain_http)
    gathering = _gather(paths, kustomize)
    _tell_passed_over(gathering.passed_over)
    noted = note(_folder(paths, kustomize), source, revision, reproducible=reproducible) | dict(annotations)
    packed = package([each.file for each in gathering.files], form, noted)
    report, faults = vet(packed, gathering.files)
    if report is None:
        return _refuse(faults, as_json=as_json)
    _send(packed, goal, timeout, shown=not as_json)
    return _tell(packed, report, target, form, as_json=as_json)


def _open(target: str, plain_http: list[str]) -> Place:
    from byoa.errors import ReferenceInvalid
    from byoa_cli.places import open_target

    goal = open_target(target, plain_http)
    if goal.tag is None:
        raise ReferenceInvalid("The target names no tag.", remedy="Add :TAG to it.", where=target)
    return goal


def _gather(paths: list[str], kustomize: str | None) -> Gathering:
    from byoa_cli import gathering

    if kustomize:
        from byoa_cli.rendering import render

        return gathering.stream_of(*render(kustomize))
    return gathering.from_stdin() if paths == ["-"] else gathering.gather(paths)


def _folder(paths: list[str], kustomize: str | None) -> Path:
    """Where git is asked: where the manifests are; for a stream, here."""
    from pathlib import Path

    from byoa_cli.gathering import common_folder

    if kustomize:
        return Path(kustomize)
    return Path() if paths == ["-"] else common_folder(paths)


def _send(packed: Packed, goal: Place, timeout: float | None, *, shown: bool) -> None:
    from byoa.bootstrap import terminal
    from byoa.engine.mirroring import Wanted, mirror
    from byoa_cli.mirroring import bar

    terminal.begin(timeout)
    wanted = Wanted(packed.manifest.digest, goal.tag, attachments=False)
    with bar(shown=shown) as progress:
        mirror(terminal.packed(packed), goal.repository, wanted, progress=progress, pace=terminal.pace())


def _tell_passed_over(names: list[str]) -> None:
    if not names:
        return
    from byoa_cli.printable import styled

    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    err().print(styled(("note", "yellow"), f" no manifests, passed over: {', '.join(names[:_NAMED])}{more}"))


def _refuse(faults: list[ByoaError], *, as_json: bool) -> int:
    if as_json:
        print_json({"error": faults[0].as_dict(), "errors": [fault.as_dict() for fault in faults]})
    else:
        for fault in faults:
            print_error(fault, as_json=False)
    return max(exit_code(fault) for fault in faults)


def _tell(packed: Packed, report: Report, target: str, form: str, *, as_json: bool) -> int:
    size = len(packed.manifest.content) + sum(map(len, packed.blobs.values()))
    document: dict[str, Any] = {
        "reference": target,
        "digest": str(packed.manifest.digest),
        "format": form,
        "resources": [
            {"api_version": each.api_version, "kind": each.kind, "namespace": each.namespace, "name": each.name}
            for each in report.resources
        ],
        "images": list(report.images),
        "bytes": size,
    }
    if as_json:
        print_json(document)
    else:
        objects, images = _count(report.resources, "object"), _count(report.images, "image")
        print_line(f"{document['digest']}: {objects}, {images}, {size} bytes, pushed to {target}")
    return FINE


def _count(things: tuple[object, ...], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
