"""`byoa receipt`: what a build did, signed; fetched from the stack, checked without it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byoa_cli.commands import Group, Option, UsageError, command
from byoa_cli.options import ANYWHERE, AT_API, BUILD, JSON
from byoa_cli.output import FINE, err, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa.builds.receipts import Receipt

_KEY_LIMIT = 64 * 1024


def _no_folder(value: str) -> Path:
    if Path(value).is_dir():
        raise ArgumentTypeError(f"{value} is a folder")
    return Path(value)


def _content(path: str, limit: int) -> bytes:
    """What is in a file, or comes from stdin where it is called -: up to a byte more than ``limit``."""
    if path == "-":
        return sys.stdin.buffer.read(limit + 1)
    try:
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error


@command(
    BUILD,
    *ANYWHERE,
    Option("--out", "-o", metavar="FILE", dest="file", type=_no_folder, help="Write it to this file."),
    JSON,
)
def get_receipt(
    build_id: str, api: str | None, profile: str | None, org: str | None, table: str | None, file: Path | None,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Print the receipt of a build that is active, in its envelope (DSSE).

    Examples:
        byoa receipt get bldabc… > receipt.json

        byoa receipt get bldabc… --out receipt.json --json
    """
    from byoa.builds.envelope import read_envelope
    from byoa.errors import BuildNotFound
    from byoa_cli.reaching import reach

    here = reach(api, profile, org, table)
    envelope = here.catalogue.receipt(here.organisation, build_id)
    if envelope is None:
        raise BuildNotFound(
            "The organisation has no receipt of such a build.",
            remedy="Builds that ended as active have one; `byoa builds get` shows how this one ended.",
        )
    signed = bool(read_envelope(envelope.encode()).signatures)
    if not signed:
        err().print(styled(("note", "yellow"), " this receipt is not signed: the stack had no key (BYOA_RECEIPT_KEY)"))
    if file is None:
        sys.stdout.write(f"{_plain(envelope)}\n")
        return FINE
    try:
        file.write_text(f"{envelope}\n")
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror}") from error
    if as_json:
        print_json({"build_id": build_id, "file": str(file), "signed": signed})
    else:
        err().print(styled(f"wrote {file}"))
    return FINE


@command(
    Option(
        "--key", "-k", metavar="KEY", variable="BYOA_RECEIPT_KEY", needed=False,
        help="Without an API, with AWS credentials: the stack's key (output ReceiptKeyArn).",
    ),
    *AT_API,
    JSON,
)  # fmt: skip
def print_key(key: str | None, api: str | None, profile: str | None, org: str | None, *, as_json: bool) -> int:
    """Print the public key that a stack's receipts are checked with, as PEM. Keep it apart from the receipts.

    Examples:
        byoa receipt key > byoa.pem

        byoa receipt key --key alias/byoa-receipts > byoa.pem

        byoa receipt key --key arn:aws:kms:eu-west-1:123456789012:key/… --json
    """
    from byoa.bootstrap import terminal
    from byoa_cli.keys import pem_of
    from byoa_cli.reaching import goes_to_api, reach_api

    if goes_to_api(api, profile, key, "BYOA_RECEIPT_KEY") or not key:
        said = reach_api(api, profile, org).asked_api().ask("GET", "general", "receipt-key").fields()
        pem, key = _pem(said), None
    else:
        pem = pem_of(terminal.public_key(key))
    if as_json:
        print_json({"key": key, "pem": pem})
    else:
        sys.stdout.write(pem)
    return FINE


@command(
    Option("file", metavar="FILE", help="The receipt, or - for stdin."),
    Option("--key", "-k", metavar="PEM", required=True, help="The public key's file."),
    JSON,
)
def verify_receipt(file: str, key: str, *, as_json: bool) -> int:
    """Check a receipt's signature and tell what it vouches for. Needs no network and no AWS.

    Examples:
        byoa receipt verify receipt.json --key byoa.pem

        byoa receipt get bldabc… | byoa receipt verify - --key byoa.pem --json
    """
    from byoa.builds.envelope import LIMIT
    from byoa.builds.receipts import verify
    from byoa_cli.keys import checker

    check = checker(_content(key, _KEY_LIMIT))
    receipt = verify(_content(file, LIMIT), check)
    if as_json:
        print_json({"verified": True, "receipt": receipt.model_dump(mode="json")})
    else:
        _show(receipt)
    return FINE


def _pem(said: dict[str, Any]) -> str:
    """The key that the API tells. Raises ``ApiUnusable`` for what is no PEM."""
    from byoa.errors import ApiUnusable

    pem = said.get("public_key")
    if not isinstance(pem, str) or not pem.replace("\n", "").isprintable() or "PUBLIC KEY" not in pem:
        raise ApiUnusable("The API doesn't tell the key of its receipts.")
    return pem


def _plain(envelope: str) -> str:
    """The envelope as it is kept, unless there is anything in it that a terminal might take for more than letters."""
    if envelope.replace("\n", "").isprintable():
        return envelope
    return json.dumps(json.loads(envelope))


receipt = Group(
    "Get and check the signed receipts of builds.",
    {"get": get_receipt, "key": print_key, "verify": verify_receipt},
)


def _show(receipt: Receipt) -> None:
    build, source, inspection = receipt.build, receipt.source, receipt.inspection
    named = f"{build.id}  {build.organisation} {build.app}/{build.component} v{build.config_version}"
    out().print(styled(("verified", "green"), f" {named}"))
    size = sum(node.size for node in receipt.nodes)
    lines = [
        f"source {source.reference or 'inline'} → {source.digest}",
        *(f"target {target.name}: {target.reference}" for target in receipt.targets),
        f"{len(receipt.nodes)} manifests and blobs, {size} bytes; {len(receipt.attachments)} attached",
        f"{inspection.format}, {inspection.resources} Kubernetes resources",
        f"the vendor's signatures: {receipt.verification}",
    ]
    for line in lines:
        out().print(styled(f"  {line}"))
