"""`byoa sync --locked`: nothing is handed in where something isn't as `byoa.lock` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.bootstrap import terminal
from byoa.errors import ByoaError, LockMismatch
from byoa.oci.reference import Reference
from byoa_cli.actions import annotate
from byoa_cli.components import show_faults
from byoa_cli.locks import compare
from byoa_cli.looking import Looked, each, of_the_artifact, sought, verdict
from byoa_cli.output import FINE, MEND, err, print_error, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.api.asking import Artifacts
    from byoa_cli.files import ComponentFile
    from byoa_cli.locks import Lock, Moved
    from byoa_cli.reaching import Reached


def check(lock: Lock, files: Sequence[ComponentFile], here: Reached, *, as_json: bool) -> int:
    """Tell what has moved, resolving every tag anew; 0 where nothing has."""
    artifacts = terminal.remote_artifacts(here.asked_api())
    found = each(files, lambda file: _resolve(file, artifacts))
    digests = {file.checked.name or "": one for file, one in zip(files, found, strict=True) if isinstance(one, str)}
    failed = [Looked(file, error=one) for file, one in zip(files, found, strict=True) if isinstance(one, ByoaError)]
    moved = compare(lock, files, digests)
    told = [one.told() for one in failed]
    annotate(told)
    if not moved and not failed:
        return FINE
    if as_json:
        print_json({"ok": False, **document(moved), "components": [file.as_dict() for file in told]})
    else:
        show_faults(told)
        tell(moved)
    return MEND if moved else verdict([one.error for one in failed if one.error])


def document(moved: Sequence[Moved]) -> dict[str, Any]:
    """It as JSON data: the error, if something moved, and what."""
    return {"error": _error().as_dict() if moved else None, "moved": [one.as_dict() for one in moved]}


def tell(moved: Sequence[Moved]) -> None:
    """Print it."""
    for one in moved:
        err().print(styled(("moved", "bold red"), f" {one.component}: {one.sentence}"))
    if moved:
        print_error(_error(), as_json=False)


def _error() -> LockMismatch:
    return LockMismatch("Something isn't as byoa.lock says.")


def _resolve(file: ComponentFile, artifacts: Artifacts) -> str | ByoaError | None:
    """What a file's component means now; ``None`` where nothing can move."""
    config = file.checked.config
    if config is None or config.oci_artifact is None:
        return None
    named = sought(config.oci_artifact)
    reference = Reference.of(named.url, tag=named.tag, digest=named.digest)
    if reference.digest:
        return str(reference.digest)
    try:
        return artifacts.resolve(named).digest
    except ByoaError as error:
        return of_the_artifact(error)
