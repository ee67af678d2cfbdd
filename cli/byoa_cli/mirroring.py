"""`byoa mirror`: artifacts from one place to another, byte for byte, without AWS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoa_cli.options import Json, PlainHttp
from byoa_cli.output import err, out, print_json, print_line

if TYPE_CHECKING:
    from byoa.copying import Copied
    from byoa.mirroring import Plan, Wanted
    from byoa.verifying import Progress
    from byoa_cli.places import Place

_COPY = "Copy options"
_MANY = "Several artifacts"


def mirror(
    source: Annotated[str | None, typer.Argument(metavar="SRC", help="Where from: a reference or a layout.")] = None,
    target: Annotated[str | None, typer.Argument(metavar="DST", help="Where to; without a tag, the source's.")] = None,
    plain_http: PlainHttp = None,
    *,
    referrers: Annotated[
        bool, typer.Option(help="Take along what is attached: signatures, attestations.", rich_help_panel=_COPY)
    ] = True,
    platform: Annotated[
        str | None,
        typer.Option(metavar="OS/ARCH", help="Of an index this one alone; see --new-digest.", rich_help_panel=_COPY),
    ] = None,
    new_digest: Annotated[
        bool, typer.Option("--new-digest", help="Accept that --platform has another digest.", rich_help_panel=_COPY)
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Tell what would be done, and do nothing.")] = False,
    all_tags: Annotated[
        bool, typer.Option("--all-tags", help="Every tag of SRC, which then names none.", rich_help_panel=_MANY)
    ] = False,
    tags: Annotated[
        str | None,
        typer.Option("--filter", metavar="GLOB", help="With --all-tags: these, e.g. 'v2.*'.", rich_help_panel=_MANY),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Lines of SRC DST; - is stdin.", rich_help_panel=_MANY),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-n", min=1, max=16, help="So many at once.", rich_help_panel=_MANY)
    ] = 4,
    as_json: Json = False,
) -> None:
    """Copy artifacts, byte for byte, between registries and OCI layouts. What is there already is skipped.

    Examples:
        byoa mirror oci://ghcr.io/vendor/app:v2 oci://registry.example.com/mirror/app

        byoa mirror oci-layout:./artifact:v1 oci://127.0.0.1:5000/app --plain-http 127.0.0.1:5000

        byoa mirror oci://ghcr.io/vendor/app oci://registry.example.com/mirror/app --all-tags --filter 'v2.*'

        byoa mirror --from artifacts.txt --jobs 8
    """
    wanted = Options(tuple(plain_http or ()), referrers, platform, new_digest)
    if from_file is not None:
        if source or plan or all_tags:
            raise typer.BadParameter("--from brings its own sources and targets")
        from byoa_cli.fleet import mirror_file

        mirror_file(from_file, wanted, jobs, as_json=as_json)
    elif source is None or target is None:
        raise typer.BadParameter("name SRC and DST, or --from FILE")
    elif all_tags:
        from byoa_cli.fleet import mirror_tags

        mirror_tags(source, target, tags, wanted, jobs, as_json=as_json)
    elif plan:
        _show_plan(*make_plan(source, target, wanted), as_json=as_json)
    else:
        _mirror_one(source, target, wanted, as_json=as_json)


class Options:
    """What goes for every artifact of a call."""

    def __init__(self, plain_http: tuple[str, ...], referrers: bool, platform: str | None, new_digest: bool) -> None:  # noqa: FBT001 - as the options are
        self.plain_http = plain_http
        self._referrers = referrers
        self._platform = platform
        self._new_digest = new_digest

    def wanted(self, origin: Place, goal: Place) -> Wanted:
        """What is wanted of one source for one target."""
        from byoa.mirroring import Wanted

        name = origin.digest or origin.tag or ""
        return Wanted(name, goal.tag or origin.tag, self._referrers, self._platform, self._new_digest)


def mirror_artifact(source: str, target: str, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """Mirror one artifact and tell of it as JSON data."""
    from byoa import mirroring
    from byoa_cli.places import open_both, pace

    started = time.perf_counter()
    origin, goal = open_both(source, target, options.plain_http)
    done = mirroring.mirror(
        origin.repository, goal.repository, options.wanted(origin, goal), progress=progress, pace=pace()
    )
    return _describe(done.copied, len(done.attachments), origin, goal, time.perf_counter() - started)


def _describe(done: Copied, attached: int, origin: Place, goal: Place, seconds: float) -> dict[str, Any]:
    return {
        "digest": str(done.digest),
        "blobs": {"copied": done.copied, "mounted": done.mounted, "skipped": done.skipped},
        "manifests": done.manifests,
        "attached": attached,
        "lost": [str(digest) for digest in done.lost],
        "bytes_copied": done.bytes_copied,
        "requests": {"source": origin.repository.requests, "target": goal.repository.requests},
        "seconds": round(seconds, 3),
    }


def _mirror_one(source: str, target: str, options: Options, *, as_json: bool) -> None:
    with bar(shown=not as_json) as progress:
        document = mirror_artifact(source, target, options, progress)
    if as_json:
        print_json(document)
        return
    blobs = document["blobs"]
    attached = f", {document['attached']} attached" if document["attached"] else ""
    print_line(
        f"{document['digest']}: {blobs['copied']} blobs copied, {blobs['mounted']} mounted, {blobs['skipped']} there "
        f"already{attached}, {document['bytes_copied']} bytes, {document['seconds']} s"
    )
    for digest in document["lost"]:
        err().print(f"[yellow]note[/] the source lists {digest} as attached and doesn't have it")


def make_plan(source: str, target: str, options: Options) -> tuple[Plan, str]:
    """What mirroring would do, and where to."""
    from byoa import mirroring
    from byoa_cli.places import open_both

    origin, goal = open_both(source, target, options.plain_http)
    return mirroring.plan(origin.repository, goal.repository, options.wanted(origin, goal)), target


def _show_plan(plan: Plan, target: str, *, as_json: bool) -> None:
    document = {
        "digest": str(plan.root.digest),
        "size": plan.root.size,
        "target": target,
        "steps": [
            {
                "kind": step.kind,
                "action": step.action,
                "digest": str(step.descriptor.digest),
                "size": step.descriptor.size,
                "media_type": step.descriptor.media_type,
            }
            for step in plan.steps
        ],
        "bytes_to_copy": plan.bytes_to_copy,
        "missing_permissions": plan.missing,
    }
    if as_json:
        print_json(document)
    else:
        from rich.markup import escape

        out().print(f"[bold]{plan.root.digest}[/] → {escape(target)}")
        for step in plan.steps:
            out().print(f"  {step.action:<5} {step.kind:<8} {step.descriptor.digest} {step.descriptor.size} bytes")
        out().print(f"{plan.bytes_to_copy} bytes to copy")
        for permission in plan.missing:
            out().print(f"[red]missing permission[/] {escape(permission)}")
    if plan.missing:
        raise typer.Exit(1)


class bar:  # noqa: N801 - a context manager that reads as a verb
    """A line of progress on a terminal; nothing elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        from sys import stderr

        self._progress: Any = None
        self._shown = shown and stderr.isatty()

    def __enter__(self) -> Progress | None:
        if not self._shown:
            return None
        from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

        columns = (TextColumn("copying"), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=err(), transient=True)
        self._progress.start()
        return _Advance(self._progress, self._progress.add_task("copying", total=None))

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()


class _Advance:
    def __init__(self, progress: Any, task: Any) -> None:  # noqa: ANN401 - rich's own, not imported unless used
        self._progress = progress
        self._task = task

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)
