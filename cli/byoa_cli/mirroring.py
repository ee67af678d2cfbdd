"""`byoa mirror`: artifacts from one place to another, byte for byte, without AWS."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING, Any

from byoa_cli.commands import Option, UsageError, command
from byoa_cli.copies import Options, make_plan, mirror_artifact, print_notes
from byoa_cli.options import JSON, PLAIN_HTTP, TIMEOUT, TOKEN_HOST, platform_name, whole
from byoa_cli.output import FINE, MEND, Interrupted, err, out, print_json, print_line, print_note

if TYPE_CHECKING:
    from byoa.engine.mirroring import Plan
    from byoa.engine.verifying import Progress

_COPY = "Copy options"
_MANY = "Several artifacts"


@command(
    Option("source", metavar="SRC", nargs="?", help="Where from: a reference or a layout."),
    Option("target", metavar="DST", nargs="?", help="Where to; without a tag, the source's."),
    PLAIN_HTTP,
    TOKEN_HOST,
    Option("--plan", action="store_true", help="Tell what would be done, and do nothing."),
    TIMEOUT,
    JSON,
    Option(
        "--referrers", action=BooleanOptionalAction, default=True, group=_COPY,
        help="Take along what is attached: signatures, attestations (default).",
    ),
    Option(
        "--platform", metavar="OS/ARCH", type=platform_name, group=_COPY,
        help="Of an index this one alone; see --new-digest.",
    ),
    Option("--new-digest", action="store_true", group=_COPY, help="Accept that --platform has another digest."),
    Option("--all-tags", action="store_true", group=_MANY, help="Every tag of SRC, which then names none."),
    Option("--filter", metavar="GLOB", dest="tags", group=_MANY, help="With --all-tags: these, e.g. 'v2.*'."),
    Option("--from", metavar="FILE", dest="from_file", group=_MANY, help="Lines of SRC DST; - is stdin."),
    Option("--jobs", "-n", type=whole(1, 16), default=4, group=_MANY, help="So many at once, up to 16 (default: 4)."),
)  # fmt: skip
def mirror(
    *,
    source: str | None,
    target: str | None,
    plain_http: list[str],
    token_host: list[str],
    plan: bool,
    timeout: float | None,
    as_json: bool,
    referrers: bool,
    platform: str | None,
    new_digest: bool,
    all_tags: bool,
    tags: str | None,
    from_file: str | None,
    jobs: int,
) -> int:
    """Copy artifacts, byte for byte, between registries and OCI layouts. What is there already is skipped.

    Examples:
        byoa mirror oci://ghcr.io/vendor/app:v2 oci://registry.example.com/mirror/app

        byoa mirror oci-layout:./artifact:v1 oci://127.0.0.1:5000/app --plain-http 127.0.0.1:5000

        byoa mirror oci://ghcr.io/vendor/app oci://registry.example.com/mirror/app --all-tags --filter 'v2.*'

        byoa mirror --from artifacts.txt --jobs 8
    """
    wanted = Options(
        tuple(plain_http), tuple(token_host), referrers=referrers, platform=platform, new_digest=new_digest
    )
    if from_file is not None and (source or plan or all_tags):
        raise UsageError("--from brings its own sources and targets")
    if tags is not None and not all_tags:
        raise UsageError("--filter chooses among --all-tags")
    if all_tags and plan:
        raise UsageError("--plan tells of one artifact")
    if from_file is None and (source is None or target is None):
        raise UsageError("name SRC and DST, or --from FILE")
    from byoa.bootstrap import terminal

    terminal.begin(timeout)
    try:
        if from_file is not None:
            from byoa_cli.fleet import mirror_file

            return mirror_file(from_file, wanted, jobs, as_json=as_json)
        if all_tags:
            from byoa_cli.fleet import mirror_tags

            return mirror_tags(source or "", target or "", tags, wanted, jobs, as_json=as_json)
        if plan:
            return _show_plan(*make_plan(source or "", target or "", wanted), as_json=as_json)
        return _mirror_one(source or "", target or "", wanted, as_json=as_json)
    except KeyboardInterrupt:
        raise Interrupted("what was copied stays; run it again to go on") from None


def _mirror_one(source: str, target: str, options: Options, *, as_json: bool) -> int:
    with bar(shown=not as_json) as progress:
        document = mirror_artifact(source, target, options, progress)
    if as_json:
        print_json(document)
        return FINE
    blobs = document["blobs"]
    attached = f", {document['attached']} attached" if document["attached"] else ""
    print_line(
        f"{document['digest']}: {blobs['copied']} blobs copied, {blobs['mounted']} mounted, {blobs['skipped']} there "
        f"already{attached}, {document['bytes_copied']} bytes, {document['seconds']} s"
    )
    print_notes(document)
    return FINE


def _show_plan(plan: Plan, target: str, *, as_json: bool) -> int:
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
        "notes": list(plan.notes),
    }
    if as_json:
        print_json(document)
    else:
        from byoa_cli.printable import styled

        out().print(styled((str(plan.root.digest), "bold"), f" → {target}"))
        for step in plan.steps:
            out().print(f"  {step.action:<5} {step.kind:<8} {step.descriptor.digest} {step.descriptor.size} bytes")
        out().print(f"{plan.bytes_to_copy} bytes to copy")
        for note in plan.notes:
            print_note(note)
        for permission in plan.missing:
            out().print(styled(("missing permission", "red"), f" {permission}"))
    return MEND if plan.missing else FINE


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
