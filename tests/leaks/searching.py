"""Secrets that are to show nowhere, and what finds them in every form that something could have put them into."""

from __future__ import annotations

import base64
import json
import secrets
import traceback
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from byoa.errors import ByoaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECES: Final = 4
"""A form is looked for in so many pieces, so that a text which was cut in its midst is found, too."""

BEGINNING: Final = 4
"""Characters of a piece that it is found by first; no piece has fewer."""

MARKS: Final = "+/~"
"""Characters of a token that no URL leaves as they are, or no JSON of some writers."""


def canary() -> str:
    """A new secret of 24 random bytes that may stand wherever a password or a token may."""
    return base64.b64encode(secrets.token_bytes(24)).decode() + MARKS


def forms(secret: str) -> dict[str, str]:
    """What a secret may look like: as it is, in JSON, in base64 wherever it begins there, in a URL, and in hex."""
    content = secret.encode()
    found = {
        "plain": secret,
        "JSON": json.dumps(secret)[1:-1],
        "JSON of others": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "a query": quote_plus(secret),
        "a path": quote(secret, safe=""),
        "a lazy path": quote(secret),
        "percents alone": "".join(f"%{byte:02X}" for byte in content),
        "hex": content.hex(),
    }
    for offset in range(3):
        found[f"base64 at {offset}"] = _inner(content, offset, base64.b64encode)
        found[f"base64 of URLs at {offset}"] = _inner(content, offset, base64.urlsafe_b64encode)
    found["hex of it in base64"] = _inner(content.hex().encode(), 0, base64.b64encode)
    return found


def _inner(content: bytes, offset: int, encode: Any) -> str:
    """The characters that are the secret's own when something stands before and behind it."""
    text: str = encode(b"\0" * offset + content).decode().rstrip("=")
    first = -(-offset * 8 // 6)
    last = (offset + len(content)) * 8 // 6
    return text[first:last]


class Searcher:
    """Looks for secrets in texts. What ``add`` is given, is looked for from then on."""

    def __init__(self) -> None:
        self._pieces: dict[str, str] = {}
        self._begun: dict[str, list[str]] = {}
        """Pieces by how they begin: a text has few such beginnings, however many secrets there are."""

    def add(self, secret: str) -> str:
        """Look for ``secret``, which is returned."""
        assert len(secret.removesuffix(MARKS)) >= BEGINNING * PIECES, "too short to be told from other words"
        for name, form in forms(secret.removesuffix(MARKS)).items():
            size = len(form) // PIECES
            for index in range(PIECES):
                self._add(form[index * size : (index + 1) * size].lower(), name)
        for name, form in forms(secret).items():
            self._add(form.lower(), name)
        return secret

    def _add(self, piece: str, name: str) -> None:
        if piece not in self._pieces:
            self._pieces[piece] = name
            self._begun.setdefault(piece[:BEGINNING], []).append(piece)

    def find(self, where: str, text: str) -> list[str]:
        """Where secrets are, and in which form; case is of no matter: hosts and hex are written either way."""
        folded = text.lower()
        begun = {folded[at : at + BEGINNING] for at in range(len(folded))} & self._begun.keys()
        pieces = (piece for beginning in begun for piece in self._begun[beginning])
        return sorted({f"{where}: {self._pieces[piece]}" for piece in pieces if piece in folded})


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and all that are its causes or were there when it was raised."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is not None and found not in seen:
            seen.append(found)
            waiting += [found.__cause__, found.__context__]
    yield from seen


def told(error: BaseException) -> str:
    """All that can be printed of an exception, and of those behind it, those that nobody prints included."""
    return "\n".join(_parts(error))


def _parts(error: BaseException) -> Iterable[str]:
    for each in chain(error):
        yield from (str(each), repr(each), repr(each.args), *getattr(each, "__notes__", ()))
        if isinstance(each, ByoaError):
            yield from (each.as_json(), repr(vars(each)))
    yield "".join(traceback.format_exception(error))
