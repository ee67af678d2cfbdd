"""One artifact from one place to another, as `byoa mirror` has it: named in text, told of as JSON data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from byoa_cli.output import print_note

if TYPE_CHECKING:
    from byoa.engine.mirroring import Mirrored, Plan, Wanted
    from byoa.engine.verifying import Progress
    from byoa_cli.places import Place


class Options:
    """What goes for every artifact of a call."""

    def __init__(
        self,
        plain_http: tuple[str, ...],
        token_hosts: tuple[str, ...],
        *,
        referrers: bool,
        platform: str | None,
        new_digest: bool,
    ) -> None:
        self.plain_http = plain_http
        self.token_hosts = token_hosts
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
    origin, goal = open_both(source, target, options.plain_http, options.token_hosts)
    wanted = options.wanted(origin, goal)
    done = mirroring.mirror(origin.repository, goal.repository, wanted, progress=progress, pace=terminal.pace())
    if wanted.tag is None:
        terminal.keep(goal.repository, done.copied.digest)
    return _describe(done, origin, goal, time.perf_counter() - started)


def _describe(mirrored: Mirrored, origin: Place, goal: Place, seconds: float) -> dict[str, Any]:
    done, attached = mirrored.copied, len(mirrored.attachments)
    return {
        "digest": str(done.digest),
        "blobs": {"copied": done.copied, "mounted": done.mounted, "skipped": done.skipped},
        "manifests": done.manifests,
        "attached": attached,
        "lost": [str(digest) for digest in done.lost],
        "strays": [str(digest) for digest in done.strays],
        "left": [str(digest) for digest in done.left],
        "kept": done.kept,
        "notes": list(mirrored.notes),
        "bytes_copied": done.bytes_copied,
        "requests": {"source": origin.repository.requests, "target": goal.repository.requests},
        "seconds": round(seconds, 3),
    }


def print_notes(document: dict[str, Any], named: str = "") -> None:
    """Tell of what was listed as attached and isn't, and of tags that stayed; ``named`` says of which artifact."""
    told = [f"the source lists {digest} as attached and doesn't have it" for digest in document["lost"]]
    told += [f"the source lists {digest} as attached, which refers to something else" for digest in document["strays"]]
    told += [f"{digest} is attached, of a type that the target doesn't take: left" for digest in document["left"]]
    told += [f"the target keeps {tag}: it holds what the source's doesn't" for tag in document["kept"]]
    for text in (*told, *document["notes"]):
        print_note(f"{named}{text}")


def make_plan(source: str, target: str, options: Options) -> tuple[Plan, str]:
    """What mirroring would do, and where to."""
    from byoa.engine import mirroring
    from byoa_cli.places import open_both

    origin, goal = open_both(source, target, options.plain_http, options.token_hosts)
    return mirroring.plan(origin.repository, goal.repository, options.wanted(origin, goal)), target
