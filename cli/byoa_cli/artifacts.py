"""`byoa resolve` and `byoa inspect`: straight to registries and layouts, without AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa_cli.commands import Option, command
from byoa_cli.options import JSON, PLAIN_HTTP, TIMEOUT, TOKEN_HOST
from byoa_cli.output import FINE, exit_code, out, print_error, print_json, print_line
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa.engine.ports import Source
    from byoa.errors import ByoaError
    from byoa.oci.manifest import Manifest
    from byoa_cli.places import Place

_REFERENCE: Final = Option("ref", metavar="REF", help="oci://HOST/REPOSITORY:TAG or oci-layout:FOLDER[:TAG]")


@command(_REFERENCE, PLAIN_HTTP, TOKEN_HOST, TIMEOUT, JSON)
def resolve(ref: str, plain_http: list[str], token_host: list[str], timeout: float | None, *, as_json: bool) -> int:
    """Tell what a tag means right now: the digest to pin.

    Examples:
        byoa resolve oci://ghcr.io/vendor/app-manifests:v2.3.1

        byoa resolve oci://127.0.0.1:5000/app:v1 --plain-http 127.0.0.1:5000 --json
    """
    _, manifest = _fetch(ref, plain_http, token_host, timeout)
    document = {
        "reference": ref,
        "digest": str(manifest.digest),
        "media_type": manifest.descriptor.media_type,
        "size": manifest.descriptor.size,
        "artifact_type": manifest.kind,
    }
    if as_json:
        print_json(document)
    else:
        print_line(str(manifest.digest))
    return FINE


@command(_REFERENCE, PLAIN_HTTP, TOKEN_HOST, TIMEOUT, JSON)
def inspect(ref: str, plain_http: list[str], token_host: list[str], timeout: float | None, *, as_json: bool) -> int:
    """Tell what an artifact holds, and who else could use it. Exits with 1 where it can't be installed.

    Examples:
        byoa inspect oci://ghcr.io/vendor/app-manifests:v2.3.1

        byoa inspect oci-layout:./artifact --json
    """
    place, manifest = _fetch(ref, plain_http, token_host, timeout)
    document, error = _inspect(place.repository, manifest)
    if as_json:
        print_json(document)
    else:
        _show_inspection(document)
        if error:
            print_error(error, as_json=False)
    return exit_code(error) if error else FINE


def _fetch(ref: str, plain_http: list[str], token_host: list[str], timeout: float | None) -> tuple[Place, Manifest]:
    from byoa.bootstrap import terminal
    from byoa_cli.places import open_source

    terminal.begin(timeout)
    place = open_source(ref, plain_http, token_host)
    return place, place.repository.fetch_manifest(place.digest or place.tag or "")


def _inspect(source: Source, manifest: Manifest) -> tuple[dict[str, Any], ByoaError | None]:
    from byoa.content import inspection
    from byoa.content.formats import recognise
    from byoa.engine.contents import VerifiedContents
    from byoa.errors import ByoaError
    from byoa.trust.limits import STAGED

    document: dict[str, Any] = {
        "digest": str(manifest.digest),
        "format": recognise(manifest).value,
        "encrypted": False,
        "templated": False,
        "resources": [],
        "images": [],
        "notes": [],
        "usable_by": {},
        "obstacles": {},
        "errors": [],
    }
    try:
        report = inspection.inspect(VerifiedContents(source), manifest, STAGED, named=True)
    except ByoaError as error:
        return {**document, "errors": [error.as_dict()]}, error
    found = {
        "format": report.format.value,
        "encrypted": report.encrypted,
        "templated": report.templated,
        "resources": [
            {"api_version": each.api_version, "kind": each.kind, "namespace": each.namespace, "name": each.name}
            for each in report.resources
        ],
        "images": list(report.images),
        "notes": list(report.notes),
        "usable_by": report.usable_by,
        "obstacles": {name: reason for name, reason in report.obstacles.items() if reason},
    }
    return {**document, **found}, None


def _show_inspection(document: dict[str, Any]) -> None:
    out().print(styled((document["digest"], "bold"), f"  {document['format']}"))
    if document["encrypted"]:
        out().print("encrypted, contents not validated")
    for each in document["resources"]:
        where = f"{each['namespace']}/" if each["namespace"] else ""
        out().print(styled(f"  {each['kind']} {where}{each['name']} ", (each["api_version"], "dim")))
    for image in document["images"]:
        out().print(styled(f"  image {image}"))
    for note in document["notes"]:
        out().print(styled(("note:", "dim"), f" {note}"))
    for name, usable in document["usable_by"].items():
        reason = "" if usable else f": {document['obstacles'][name]}"
        out().print(f"usable by {name}: {'yes' if usable else 'no'}{reason}")
