"""Many artifacts in one process: from a file of lines, or all tags of a repository."""

from __future__ import annotations

import re
import sys
import time
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import closing
from fnmatch import translate
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from byoa.engine.workers import Workers
from byoa.errors import ByoaError, InternalFault, ReferenceInvalid, ReferenceNotFound
from byoa.oci.tagschema import is_attachment_tag
from byoa_cli.copies import Options, mirror_artifact, print_notes
from byoa_cli.output import FINE, err, exit_code, next_step, out, print_json, print_note
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.engine.verifying import Progress

type Pair = tuple[str, str]

_PARTS = 2
_REMARK = re.compile(r"(?:^|\s)#.*")


def read_pairs(text: str) -> list[Pair]:
    """The pairs of a file: SRC and DST on a line. Empty lines and remarks, behind a # at a word's start, mean nothing.

    Raises ``ReferenceInvalid`` that names all lines which are something else.
    """
    pairs: list[Pair] = []
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = _REMARK.sub("", line.lstrip("\ufeff")).split()
        if not parts:
            continue
        if len(parts) == _PARTS:
            pairs.append((parts[0], parts[1]))
        else:
            wrong.append(str(number))
    if wrong:
        raise ReferenceInvalid(
            f"Not every line of the file is SRC DST: see line {', '.join(wrong[:20])}.",
            remedy="Write a source and a target on each line, with a blank between them.",
        )
    return pairs


def mirror_file(path: str, options: Options, jobs: int, *, as_json: bool) -> int:
    """Mirror every pair that the file names."""
    pairs = read_pairs(_read(path))
    if not pairs:
        raise ReferenceInvalid("The file names no artifact.", remedy="Write a source and a target on each line.")
    return _mirror_all(pairs, options, jobs, as_json=as_json)


def _read(path: str) -> str:
    """The file's text, or stdin's: UTF-8, or what editors of Windows put a mark before."""
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ReferenceInvalid(
            f"{path} can't be read: {error.strerror}.", remedy="Give --from a text file that is there."
        ) from error
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReferenceInvalid(f"{path} is not text in UTF-8.", remedy="Save it as UTF-8.") from error


def mirror_tags(source: str, target: str, pattern: str | None, options: Options, jobs: int, *, as_json: bool) -> int:
    """Mirror every tag of ``source`` that matches ``pattern``; signatures go along with what they sign."""
    from byoa_cli.places import open_bare

    origin = open_bare(source, options.plain_http, "source", options.token_hosts)
    open_bare(target, options.plain_http, "target", options.token_hosts)
    matches = re.compile(translate(pattern or "*")).match
    listed = origin.repository.all_tags(lambda tag: bool(matches(tag)) and not is_attachment_tag(tag))
    if listed.passed_over:
        print_note(f"{listed.passed_over} names that no tag can have are passed over")
    if not listed.names:
        if pattern:
            raise ReferenceNotFound(f"No tag matches {pattern}.", remedy="--filter is for whole tags, as in 'v2.*'.")
        raise ReferenceNotFound("There are no tags.", remedy="Name an artifact by its digest.")
    pairs = [(f"{source}:{tag}", f"{target}:{tag}") for tag in listed.names]
    return _mirror_all(pairs, options, jobs, as_json=as_json)


def _mirror_all(pairs: Sequence[Pair], options: Options, jobs: int, *, as_json: bool) -> int:
    started = time.perf_counter()
    with _Count(len(pairs), shown=not as_json) as count:
        results = list(_results(pairs, options, jobs, count))
    failed = [result for result, error in results if error]
    seconds = round(time.perf_counter() - started, 3)
    if as_json:
        artifacts = [result for result, _ in results]
        print_json({"ok": not failed, "artifacts": artifacts, "failed": len(failed), "seconds": seconds})
    else:
        _summarise([result for result, _ in results], seconds)
    return max((exit_code(error) for _, error in results if error), default=FINE)


def _results(
    pairs: Sequence[Pair], options: Options, jobs: int, count: _Count
) -> Iterator[tuple[dict[str, Any], ByoaError | None]]:
    """One result a pair, in the order of the pairs; a failure ends no other."""
    with closing(Workers(jobs, "artifact")) as workers:
        begun = [workers.submit(partial(_one, pair, options, count)) for pair in pairs]
        yield from (job.result() for job in begun)


def _one(pair: Pair, options: Options, count: _Count) -> tuple[dict[str, Any], ByoaError | None]:
    source, target = pair
    found: dict[str, Any] = {"source": source, "target": target}
    try:
        return {**found, **mirror_artifact(source, target, options, count.bytes)}, None
    except ByoaError as error:
        return {**found, "error": error.as_dict()}, error
    except Exception as defect:  # noqa: BLE001 - the others go on, and this one is told
        unknown = InternalFault(f"The command failed in a way it doesn't know ({type(defect).__name__}).")
        return {**found, "error": unknown.as_dict()}, unknown
    finally:
        count.done()


def _summarise(results: Sequence[dict[str, Any]], seconds: float) -> None:
    for result in results:
        if "error" in result:
            error = result["error"]
            err().print(styled(("error", "bold red"), f" {result['source']}: {error['code']}: {error['cause']}"))
            err().print(next_step(error["remedy"]))
        else:
            print_notes(result, f"{result['source']}: ")
    good = [result for result in results if "error" not in result]
    copied = sum(result["blobs"]["copied"] for result in good)
    size = sum(result["bytes_copied"] for result in good)
    out().print(f"{len(good)} of {len(results)} artifacts mirrored: {copied} blobs copied, {size} bytes, {seconds} s")


class _Count:
    """How many artifacts are done, and how many bytes have crossed: on a terminal, a bar."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._total = total
        self._bar: Any = None
        self._shown = shown and sys.stderr.isatty()
        self.bytes: Progress | None = None

    def __enter__(self) -> Self:
        if self._shown:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("mirroring"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=err(), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("mirroring", total=self._total)
        return self

    def done(self) -> None:
        """One more has ended."""
        if self._bar:
            self._bar.advance(self._task)

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()
