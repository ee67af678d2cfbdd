"""Unzstd as a stream from strangers, bounded as ``inflate`` is. Apart from that, because few layers need the import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

from byoa.content.inflate import STEP
from byoa.errors import ArchiveInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WINDOW_LOG: Final = 23


def unzstd(slices: Iterable[bytes], most_frames: int) -> Iterator[bytes]:
    """The content of all zstd frames in ``slices``, in pieces of at most 64 KiB (RFC 8878).

    A frame may look back 8 MiB, as every reader has to let it; skippable frames are skipped. Raises ``ArchiveInvalid``
    for damage, a larger window, a missing end, bytes that follow and are no zstd, and more than ``most_frames``.
    """
    options: dict[int, int] = {DecompressionParameter.window_log_max: _WINDOW_LOG}
    reader = None
    frames = 0
    for piece in slices:
        data = piece
        while data:
            if reader is None:
                reader = ZstdDecompressor(options=options)
                frames += 1
            if frames > most_frames:
                raise ArchiveInvalid(f"The zstd layer has more than {most_frames} frames.")
            yield from _unpack(reader, data, frames)
            data = reader.unused_data
            reader = None if reader.eof else reader
    if reader is not None:
        raise ArchiveInvalid("The zstd layer is cut off.")


def _unpack(reader: ZstdDecompressor, data: bytes, frame: int) -> Iterator[bytes]:
    """What ``data`` adds to the output, a step at a time; stops at the frame's end."""
    while not reader.eof:
        try:
            piece = reader.decompress(data, STEP)
        except ZstdError:
            cause = f"Frame {frame} of the zstd layer is damaged, or looks back further than 8 MiB."
            raise ArchiveInvalid(cause, remedy="Pack it without --ultra and --long, or as tar+gzip.") from None
        data = b""
        if piece:
            yield piece
        if reader.needs_input and not reader.eof:
            return
