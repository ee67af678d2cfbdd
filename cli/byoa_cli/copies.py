"""One artifact from one place to another, as `byoa mirror` has it: named in text, told of as JSON data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from byoa_cli.output import err

if TYPE_CHECKING:
    from byoa.engine.copying import Copied
    from byoa.engine.mirroring import Plan, Wanted
    from byoa.engine.verifying import Progress
    from byoa_cli.places import Place


class Options:
    """What goes for every artifact of a call."""

    def __init__(self, plain_http: tuple[str, ...], referrers: bool, platform: str | None, new_digest: bool) -> None:  # noqa: FBT001 - as the options are
        self.plain_http = plain_http
        self._referrers = referrers
        self._platform = platform
        self._new_digest = new_digest

    def wanted(self, origin: Place, goal: Place) -> Wanted:
        """What is wanted of one source for one target."""
        from byoa.engine.mirroring import Wanted

        name = origin.digest or origin.tag or ""
        return Wanted(name, goal.tag or origin.tag, self._referrers, self._platform, self._new_digest)


def mirror_artifact(source: str, target: str, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """Mirror one artifact and tell of it as JSON data."""
    from byoa.bootstrap import terminal
    from byoa.engine import mirroring
    from byoa_cli.places import open_both

    started = time.perf_counter()
    origin, goal = open_both(source, target, options.plain_http)
    done = mirroring.mirror(
        origin.repository, goal.repository, options.wanted(origin, goal), progress=progress, pace=terminal.pace()
    )
    return _describe(done.copied, len(done.attachments), origin, goal, time.perf_counter() - started)


def _describe(done: Copied, attached: int, origin: Place, goal: Place, seconds: float) -> dict[str, Any]:
    return {
        "digest": str(done.digest),
        "blobs": {"copied": done.copied, "mounted": done.mounted, "skipped": done.skipped},
        "manifests": done.manifests,
        "attached": attached,
        "lost": [str(digest) for digest in done.lost],
        "strays": [str(digest) for digest in done.strays],
        "kept": done.kept,
        "bytes_copied": done.bytes_copied,
        "requests": {"source": origin.repository.requests, "target": goal.repository.requests},
        "seconds": round(seconds, 3),
    }


def print_notes(document: dict[str, Any], named: str = "") -> None:
    """Tell of what was listed as attached and isn't, and of tags that stayed; ``named`` says of which artifact."""
    told = [f"the source lists {digest} as attached and doesn't have it" for digest in document["lost"]]
    told += [f"the source lists {digest} as attached, which refers to something else" for digest in document["strays"]]
    told += [f"the target keeps {tag}: it holds what the source's doesn't" for tag in document["kept"]]
    if not told:
        return
    from byoa_cli.printable import styled

    for text in told:
        err().print(styled(("note", "yellow"), f" {named}{text}"))


def make_plan(source: str, target: str, options: Options) -> tuple[Plan, str]:
    """What mirroring would do, and where to."""
    from byoa.engine import mirroring
    from byoa_cli.places import open_both

    origin, goal = open_both(source, target, options.plain_http)
    return mirroring.plan(origin.repository, goal.repository, options.wanted(origin, goal)), target
