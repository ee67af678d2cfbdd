"""The values of single fields in a component file: patterns that editors check too, and what patterns can't say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from byoa.errors import ByoaError, DigestUnsupported, ReferenceUnsupported
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, parse_tag

if TYPE_CHECKING:
    from collections.abc import Callable

DURATION_LIMIT: Final = 3600.0
"""Seconds; Nuon's maximum for builds and deploys alike."""

# Joined as ECR joins the parts of a repository's name (CreateRepository, repositoryName), because it becomes one.
_NAME: Final = r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$"
_NAME_LIMIT: Final = 63
# A DNS label (RFC 1123), or one with templates in it, of which nobody knows yet what they become.
_NAMESPACE: Final = r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|[a-z0-9-]*(?:\{\{[ -z|~]+\}\}[a-z0-9-]*)+)$"
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_DIGEST: Final = r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})"
# Coarser than byoa.oci.reference on hosts; it is there to help while typing.
_URL: Final = (
    r"^oci://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{0,4})?/"
    rf"{_PATH_PART}(?:/{_PATH_PART})*(?::{_TAG})?(?:@{_DIGEST})?$"
)

# What Nuon's "get" fields take for addresses: urls, git's short forms, and hosts that go without a scheme.
_ADDRESS: Final = re.compile(
    r"(?:[A-Za-z0-9]+::|[A-Za-z][A-Za-z0-9+.-]*://|[\w.-]+@[\w.-]+:|(?:www\.|github\.com|gitlab\.com|bitbucket\.org)/?)\S"
)
_FILE: Final = re.compile(
    r"(?:~|\.{0,2}[/\\]|[A-Za-z]:[/\\])|(?![-{\[#\"'|>&*!%@`]).*(?:\.(?:ya?ml|json|te?mpl|tpl)\Z|^[^\s:{}]+/[^\s:{}]*\Z)"
)

_DURATION_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|ns|m|s)", re.ASCII)
_DURATION: Final = r"^(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|us|ns|m|s))+$"
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_CRON: Final = r"^[0-9A-Za-z*?,/-]+(?:[ \t]+[0-9A-Za-z*?,/-]+){4}$"
_CRON_STEP: Final = re.compile(r"(?:[*?]|([0-9A-Za-z]{1,3})(?:-([0-9A-Za-z]{1,3}))?)(?:/([1-9][0-9]?))?", re.ASCII)
_MONTHS: Final = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
_DAYS: Final = "SUN MON TUE WED THU FRI SAT"
_CRON_FIELDS: Final = ((0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, _MONTHS), (0, 6, _DAYS))


def is_component_name(text: str) -> bool:
    """Whether ``text`` can be the name of a component: one label, safe as a part of keys and repository names."""
    return len(text) <= _NAME_LIMIT and re.fullmatch(_NAME, text, re.ASCII) is not None


def seconds(duration: str) -> float:
    """Take a Go duration (time.ParseDuration, without sign) and return its seconds.

    Raises ``ValueError`` for any other text.
    """
    parts = _DURATION_PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError("not a duration")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _duration(text: str) -> str:
    if not 0 < seconds(text) <= DURATION_LIMIT:
        raise ValueError("out of range")
    return text


def _schedule(text: str) -> str:
    cron_fields(text)
    return text


def cron_fields(text: str) -> tuple[frozenset[int], ...]:
    """The minutes, hours, days of the month, months and weekdays (0 is Sunday) of a schedule.

    Raises ``ValueError`` for what is none.
    """
    return tuple(
        frozenset(value for item in field.split(",") for value in _cron_values(item, low, high, names))
        for field, (low, high, names) in zip(text.split(), _CRON_FIELDS, strict=True)
    )


def _cron_values(item: str, low: int, high: int, names: str) -> range:
    """As robfig/cron reads it, which Nuon uses: ``N/S`` goes on to the field's end."""
    step = _CRON_STEP.fullmatch(item)
    if not step:
        raise ValueError("not a step of a schedule")
    first, last, every = step.groups()
    begin = _cron_value(first, low, names) if first else low
    end = _cron_value(last, low, names) if last else begin if first and not every else high
    if not low <= begin <= end <= high:
        raise ValueError("out of range")
    return range(begin, end + 1, int(every or 1))


def _cron_value(text: str, low: int, names: str) -> int:
    return low + names.split().index(text.upper()) if text.isalpha() else int(text)


def _url(text: str) -> str:
    return _sound(Reference.parse, text, "reference_invalid")


def _tag(text: str) -> str:
    return _sound(parse_tag, text, "tag_invalid")


def _digest(text: str) -> str:
    return _sound(Digest.parse, text, "digest_invalid")


_OTHER_CODES: Final = {
    ReferenceUnsupported.__name__: "reference_unsupported",
    DigestUnsupported.__name__: "digest_unsupported",
}


def _sound(parse: Callable[[str], object], text: str, code: str) -> str:
    try:
        parse(text)
    except ByoaError as error:
        kind = _OTHER_CODES.get(error.code, code)
        raise PydanticCustomError(kind, "{cause}", {"cause": error.cause, "remedy": error.remedy}) from None
    return text


def _manifest(text: str) -> str:
    kind = named_source(text)
    if kind == "url":
        cause = "manifest is an address, and addresses are not fetched"
        remedy = "Write the manifests themselves, name a file of the app's folder, or push them as an artifact."
        raise PydanticCustomError("manifest_url", "{cause}", {"cause": cause, "remedy": remedy})
    if kind == "path":
        cause = "manifest is a path, and no app's folder is there to read it from"
        remedy = "Hand it in with `byoa sync`, which reads the file, or write the manifests themselves."
        raise PydanticCustomError("manifest_path", "{cause}", {"cause": cause, "remedy": remedy})
    return text


def named_source(manifest: str) -> Literal["path", "url"] | None:
    """Whether a ``manifest`` isn't the manifests but names them: by a file's path, or by an address."""
    text = manifest.strip()
    if "\n" in text or ": " in text:
        return None
    if _ADDRESS.match(text):
        return "url"
    return "path" if _FILE.match(text) else None


Text = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00-\x1f\x7f]+$")]
Address = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00-\x20\x7f@]+$")]
ComponentName = Annotated[str, StringConstraints(max_length=_NAME_LIMIT, pattern=_NAME)]
Dependency = Annotated[str, StringConstraints(max_length=_NAME_LIMIT, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Namespace = Annotated[str, StringConstraints(max_length=253, pattern=_NAMESPACE)]
VarName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
CredentialsRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
LabelKey = Annotated[str, StringConstraints(max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
LabelValue = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Duration = Annotated[str, StringConstraints(max_length=32, pattern=_DURATION), AfterValidator(_duration)]
Schedule = Annotated[str, StringConstraints(max_length=128, pattern=_CRON), AfterValidator(_schedule)]
Manifest = Annotated[str, StringConstraints(min_length=1), AfterValidator(_manifest)]
# These give their own reasons, so their patterns are for editors alone.
Url = Annotated[str, AfterValidator(_url), Field(json_schema_extra={"pattern": _URL})]
Tag = Annotated[str, AfterValidator(_tag), Field(json_schema_extra={"pattern": rf"^{_TAG}$"})]
DigestText = Annotated[str, AfterValidator(_digest), Field(json_schema_extra={"pattern": rf"^{_DIGEST}$"})]
