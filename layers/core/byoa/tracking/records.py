"""Hooks: what their addresses look like, whom one lets in, and what is kept of their secrets.

A hook's address is ``/hooks/<organisation>_<id>/<secret>``. The organisation stands in it so that the record lies under
the organisation's own key; whose hook it is, the record says. Kinds that can prove more have a second secret, which
signs deliveries or stands in a header. It is kept sealed with the first: the address alone can't sign, and what lies in
the table can neither sign nor be called (``docs/decisions/0024``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

type Kind = Literal["github", "dockerhub", "quay", "harbor", "acr", "gar", "generic", "ecr"]
KINDS: Final[tuple[Kind, ...]] = ("github", "dockerhub", "quay", "harbor", "acr", "gar", "generic")
"""Those that are called at an address. ``ecr`` has none: AWS's own events say what was pushed there."""

type Action = Literal["note", "build"]
ACTIONS: Final[tuple[Action, ...]] = ("note", "build")

type Proof = Literal["signature", "header", "token", "address", "event"]
PROOFS: Final[dict[str, Proof]] = {
    "github": "signature",
    "generic": "signature",
    "harbor": "header",
    "acr": "header",
    "dockerhub": "address",
    "quay": "address",
    "gar": "token",
    "ecr": "event",
}
"""What proves a delivery beside the secret in its address: a signature, a header's value, Google's token, or nothing.

An ``event`` of AWS's is put by nobody else.
"""

EVERY: Final = "*"
"""All repositories of a registry."""

_ADDRESS: Final = re.compile(r"/hooks/(org_[a-z0-9]{12,40})_(hok[a-z2-7]{23})/([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODYS: Final = hashlib.sha256(b"").hexdigest()
_SEALS: Final = b"byoa: what a hook's deliveries are proved with"


@dataclass(frozen=True, slots=True)
class HookRecord:
    """What is kept of a hook.

    ``digest`` is the SHA-256, in hex, of its address's secret, empty where it has no address; ``sealed`` its second
    secret, in hex, for kinds that have one. ``service_account`` and ``audience`` are what tokens of ``gar`` must say,
    ``account``, ``region`` and ``repository`` (or ``*``) what ``ecr`` is about. Times are in ms since 1970 UTC.
    """

    organisation: str
    id: str
    name: str
    kind: Kind
    action: Action
    digest: str = field(repr=False)
    created_at_ts: int
    created_by: str
    sealed: str | None = field(default=None, repr=False)
    service_account: str | None = None
    audience: str | None = None
    account: str | None = None
    region: str | None = None
    repository: str | None = None


class Knock(NamedTuple):
    """A hook's address as somebody called it. Its secret shows in no ``repr``."""

    organisation: str
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Knock({self.id})"


class Place(NamedTuple):
    """Where pushes to ECR are heeded: one repository of a private registry, or every one (``*``)."""

    account: str
    region: str
    repository: str = EVERY


class Issued(NamedTuple):
    """A new hook: its record, its address's path, and its second secret as people copy it, if its kind has one."""

    record: HookRecord
    path: str
    signing_secret: str | None

    def __repr__(self) -> str:
        return f"Issued({self.record.id})"


def parse_address(path: str) -> Knock | None:
    """The parts of a hook's path, or ``None`` for what is none."""
    found = _ADDRESS.fullmatch(path)
    return Knock(found[1], found[2], found[3]) if found else None


def issue(  # noqa: PLR0913, PLR0917 - whose it is, and what it is for
    organisation: str,
    hook_id: str,
    name: str,
    kind: Kind,
    action: Action,
    now_ts: int,
    created_by: str,
    *,
    service_account: str | None = None,
    audience: str | None = None,
) -> Issued:
    """A new hook. Its secrets are in the answer and nowhere else.

    Tokens of ``gar`` are for ``audience``, or for the hook by its name.
    """
    secret, proving = secrets.token_urlsafe(32), secrets.token_bytes(32)
    has_second = PROOFS[kind] in ("signature", "header")
    record = HookRecord(
        organisation=organisation,
        id=hook_id,
        name=name,
        kind=kind,
        action=action,
        digest=hashlib.sha256(secret.encode()).hexdigest(),
        created_at_ts=now_ts,
        created_by=created_by,
        sealed=seal(proving, secret) if has_second else None,
        service_account=service_account,
        audience=(audience or f"byoa:{hook_id}") if PROOFS[kind] == "token" else None,
    )
    path = f"/hooks/{organisation}_{hook_id}/{secret}"
    return Issued(record, path, as_text(proving, kind) if has_second else None)


def watch(  # noqa: PLR0913, PLR0917 - the same
    organisation: str, place: Place, name: str, action: Action, now_ts: int, created_by: str
) -> HookRecord:
    """What is done about pushes to a place in ECR. It has neither an address nor a secret."""
    return HookRecord(
        organisation=organisation,
        id=ecr_hook_id(organisation, place),
        name=name,
        kind="ecr",
        action=action,
        digest="",
        created_at_ts=now_ts,
        created_by=created_by,
        **place._asdict(),
    )


def ecr_hook_id(organisation: str, place: Place) -> str:
    """The id of the organisation's one hook for a place: whoever hears of a push knows by it what to look for."""
    told = hashlib.sha256(" ".join((organisation, *place)).encode()).digest()
    return "hok" + base64.b32encode(told).decode().lower()[:23]


def lets_in(knock: Knock, record: HookRecord | None) -> bool:
    """Whether ``record`` is of the hook that was called, with its secret.

    The comparison takes as long whatever is wrong, and whether or not there is a record.
    """
    digest = hashlib.sha256(knock.secret.encode()).hexdigest()
    same = hmac.compare_digest(digest, record.digest if record else _NOBODYS)
    return record is not None and same and (record.organisation, record.id) == (knock.organisation, knock.id)


def second_secret(record: HookRecord, knock: Knock) -> bytes | None:
    """What deliveries are proved with, which takes the record and the address together; ``None`` for other kinds."""
    return _crossed(bytes.fromhex(record.sealed), knock.secret) if record.sealed else None


def seal(proving: bytes, secret: str) -> str:
    """What is kept of a second secret, of 32 bytes, in hex."""
    return _crossed(proving, secret).hex()


def as_text(proving: bytes, kind: Kind) -> str:
    """A second secret as people copy it. That of ``generic`` is written as Standard Webhooks has it."""
    if kind == "generic":
        return "whsec_" + base64.b64encode(proving).decode()
    return base64.urlsafe_b64encode(proving).decode().rstrip("=")


def _crossed(content: bytes, secret: str) -> bytes:
    """Seals 32 bytes, and opens them again: the pad has 256 random bits behind it and is of this hook alone."""
    pad = hmac.digest(secret.encode(), _SEALS, "sha256")
    return bytes(one ^ other for one, other in zip(content, pad, strict=True))
