"""What a registry's delivery says, by kind: which tags of which repository were pushed. Nothing else of it is read.

Digests that a delivery names are not believed, and no address in it is called: a hook only says where to look.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.errors import ByoaError
from byoa.oci.reference import Reference
from byoa.tracking.messages import TAGS
from byoa.tracking.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from byoa.tracking.records import Kind


class Push(NamedTuple):
    """Tags of one repository that were pushed, each once, in the names that references have."""

    registry: str
    repository: str
    tags: tuple[str, ...]


class _Ignored(Exception):
    """A delivery that tells of no push; the text says what of."""


def read_push(kind: Kind, headers: Mapping[str, str], body: bytes) -> Push | str:
    """The push that a delivery tells of, or, for one that tells of something else, why nothing is to be done.

    ``headers`` by names in lower case. Raises ``Refused`` for what no registry of that kind sends.
    """
    try:
        return _READERS[kind](_object(json.loads(body)), headers)
    except _Ignored as ignored:
        return str(ignored)
    except (ValueError, RecursionError, ByoaError):
        form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        raise Refused("media_type" if form else "payload_unreadable") from None


def _github(said: dict[str, Any], headers: Mapping[str, str]) -> Push:
    """Source: GitHub, "Webhook events and payloads": package, registry_package. A package of GHCR is one manifest."""
    event = headers.get("x-github-event", "")
    if event not in ("package", "registry_package"):
        raise _Ignored("it is about no package")
    if said.get("action") not in ("published", "updated"):
        raise _Ignored("nothing was pushed")
    package = _object(said.get(event))
    if _text(package, "package_type").upper() != "CONTAINER":
        raise _Ignored("it is about no container package")
    owner = _text(package, "owner", "login")
    tag = _at(package, "package_version", "container_metadata", "tag", "name")
    return _push("ghcr.io", f"{owner}/{_text(package, 'name')}".lower(), [tag])


def _dockerhub(said: dict[str, Any], _: Mapping[str, str]) -> Push:
    """Source: Docker Hub, "Webhooks". Its ``callback_url`` is called by nobody."""
    return _push("docker.io", _text(said, "repository", "repo_name"), [_text(said, "push_data", "tag")])


def _quay(said: dict[str, Any], _: Mapping[str, str]) -> Push:
    """Source: Quay, "Repository notifications", Repository Push. An own Quay names its own host."""
    host, _slash, repository = _text(said, "docker_url").partition("/")
    return _push(host, repository, _list(said, "updated_tags"))


def _harbor(said: dict[str, Any], _: Mapping[str, str]) -> Push:
    """Source: Harbor, "Configure Webhook Notifications", the default format. Resources of one event are of one push."""
    if said.get("type") != "PUSH_ARTIFACT":
        raise _Ignored("nothing was pushed")
    resources = [_object(each) for each in _list(said, "event_data", "resources")]
    host = _text(resources[0], "resource_url").partition("/")[0] if resources else ""
    repository = _text(said, "event_data", "repository", "repo_full_name")
    return _push(host, repository, [each.get("tag") for each in resources])


def _acr(said: dict[str, Any], _: Mapping[str, str]) -> Push:
    """Source: Azure Container Registry, "Webhook reference", push."""
    if said.get("action") != "push":
        raise _Ignored("nothing was pushed")
    return _push(_text(said, "request", "host"), _text(said, "target", "repository"), [_at(said, "target", "tag")])


def _gar(said: dict[str, Any], _: Mapping[str, str]) -> Push:
    """Source: Artifact Registry, "Configure notifications"; Pub/Sub, "Push subscriptions"."""
    inner = _object(json.loads(base64.b64decode(_text(said, "message", "data"), validate=True)))
    if inner.get("action") != "INSERT":
        raise _Ignored("nothing was pushed")
    if not inner.get("tag"):
        raise _Ignored("it names no tag")
    named = Reference.parse("oci://" + _text(inner, "tag"))
    return _push(str(named.registry), named.repository, [named.tag])


def _generic(said: dict[str, Any], _: Mapping[str, str]) -> Push:
    """Ours: {"url": "oci://HOST/REPOSITORY", "tag": …}, as Standard Webhooks have it in ``data``."""
    named = _object(said["data"]) if isinstance(said.get("data"), dict) else said
    reference = Reference.parse(_text(named, "url"))
    tag = _at(named, "tag") or reference.tag
    return _push(str(reference.registry), reference.repository, [tag])


_READERS: Final[dict[str, Callable[[dict[str, Any], Mapping[str, str]], Push]]] = {
    "github": _github,
    "dockerhub": _dockerhub,
    "quay": _quay,
    "harbor": _harbor,
    "acr": _acr,
    "gar": _gar,
    "generic": _generic,
}


def _push(host: str, repository: str, tags: Iterable[object]) -> Push:
    """Raises ``ByoaError`` or ``ValueError`` for what no reference can name, ``_Ignored`` where no tag is named."""
    named = [tag for tag in tags if tag]
    if not all(isinstance(tag, str) for tag in named) or len(named) > TAGS:
        raise ValueError("tags")
    found = [Reference.of(f"oci://{host}/{repository}", tag=str(tag)) for tag in dict.fromkeys(named)]
    if not found:
        raise _Ignored("it names no tag")
    return Push(str(found[0].registry), found[0].repository, tuple(str(each.tag) for each in found))


def _at(said: object, *path: str) -> object:
    """What stands there, ``None`` where nothing does."""
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def _text(said: object, *path: str) -> str:
    found = _at(said, *path)
    if not isinstance(found, str) or not found:
        raise ValueError(path[-1])
    return found


def _list(said: object, *path: str) -> list[Any]:
    found = _at(said, *path)
    if not isinstance(found, list):
        raise ValueError(path[-1])  # noqa: TRY004 - what was sent is wrong, not our code
    return found


def _object(said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise ValueError("no object")  # noqa: TRY004 - the same
    return said
