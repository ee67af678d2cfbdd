"""A cluster is a tenant's: whatever it answers, a deploy ends with an error of the cluster's and shows no Secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.kubernetes.cluster import KubernetesCluster
from byoa.adapters.kubernetes.wire import Wire
from byoa.errors import ByoaError, ClusterUnavailable
from byoa.installs.health import judge, pods_reasons
from byoa.installs.objects import Kind, Place
from tests.installs.beds import CONFIG_MAPS, SECRETS, config_map, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from byoa.installs.objects import Object

PLACE = Place(CONFIG_MAPS, "corner", "conf")
SOUND = {**config_map("conf"), "metadata": {"name": "conf", "namespace": "corner", "uid": "1"}}
REVIEW: Object = {"kind": "SelfSubjectRulesReview", "metadata": {}}


class Said:
    """An answer as a transport gives it."""

    status = 200

    def __init__(self, content: bytes) -> None:
        self._content = content

    def header(self, name: str) -> str | None:
        del name
        return None

    def headers(self, name: str) -> list[str]:
        return ['299 - "x"'] * 5000 if name == "Warning" else []

    def read(self, limit: int) -> bytes:
        return self._content[: limit + 1]

    def close(self) -> None:
        """Nothing is open."""


def saying(*answers: Any) -> KubernetesCluster:
    """A cluster that gives these answers, the last one for ever."""
    left = list(answers)

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Said:
        del method, path, headers, body
        said = left.pop(0) if len(left) > 1 else left[0]
        return Said(said if isinstance(said, bytes) else json.dumps(said).encode())

    class Once:
        def again(self, tries: int, error: ByoaError) -> bool:
            del tries, error
            return False

    return KubernetesCluster(Wire(send, "k8s.example.com", lambda: "token", Once()))  # type: ignore[arg-type]


def about(**changed: Any) -> Object:
    return {**SOUND, "metadata": {**SOUND["metadata"], **changed}}


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"no JSON", {}, {**SOUND, "metadata": None}, {**SOUND, "metadata": [1]}, about(labels=["a"]),
        about(labels="a"), about(labels={"a": {"b": 1}}), about(annotations=5), about(uid=["1"]), about(name={}),
        {**SOUND, "kind": None}, {**SOUND, "kind": "Pod"}, {**SOUND, "data": {"half": "\ud800"}},
        b'{"kind":"ConfigMap","metadata":{"name":"conf"},"data":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ask", ["get", "apply", "create", "replace"])
def test_what_is_no_object_is_no_answer(ask: str, answer: Any) -> None:
    cluster = saying(answer)
    asks: dict[str, Callable[[], Any]] = {
        "get": lambda: cluster.get(PLACE),
        "apply": lambda: cluster.apply(PLACE, SOUND, dry_run=True),
        "create": lambda: cluster.create(PLACE, SOUND),
        "replace": lambda: cluster.replace(PLACE, SOUND),
    }
    with pytest.raises(ClusterUnavailable):
        asks[ask]()


def test_a_secret_that_calls_itself_something_else_is_not_taken_for_that() -> None:
    place = Place(SECRETS, "corner", "keys")
    named = {**secret("keys", token="hunter2"), "metadata": {"name": "keys"}}
    assert saying(named).get(place) == named
    with pytest.raises(ClusterUnavailable):
        saying({**named, "kind": "ConfigMap"}).get(place)


@pytest.mark.parametrize("items", [5, "x", {"a": 1}, [5], [None], [{"metadata": 5}], [{"metadata": {"labels": [1]}}]])
def test_a_list_of_something_else_is_no_answer(items: Any) -> None:
    with pytest.raises(ClusterUnavailable):
        [*saying({"kind": "ConfigMapList", "metadata": {}, "items": items}).list(CONFIG_MAPS, "corner")]


def test_a_list_without_an_end_ends() -> None:
    endless = saying({"kind": "List", "metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]})
    with pytest.raises(ClusterUnavailable, match="no end"):
        [*endless.list(CONFIG_MAPS, "corner")]
    assert saying({"metadata": "x", "items": None}).count(CONFIG_MAPS) == 0


def test_a_server_that_has_discovery_by_its_older_name_alone_is_asked_by_that_too() -> None:
    """From 1.27 to 1.29 it was v2beta1; whoever asks for v2 alone is told in the way of before, which is refused."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Said:
        del method, path, body
        older = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList" in headers["Accept"].split(
            ","
        )
        return Said(json.dumps(discovered() if older else {"kind": "APIGroupList", "groups": []}).encode())

    kinds = KubernetesCluster(Wire(send, "k8s.example.com", lambda: "token")).kinds()
    assert {kind.kind for kind in kinds} == {"Thing"}


def discovered(**changed: Any) -> Object:
    resource = {"resource": "things", "responseKind": {"kind": "Thing"}, "verbs": ["get", "list", "patch", "delete"]}
    version = {"version": "v1", "resources": changed.pop("resources", [{**resource, **changed.pop("resource", {})}])}
    group = {"metadata": {"name": "example.com"}, "versions": changed.pop("versions", [version])}
    return {"kind": "APIGroupDiscoveryList", "items": [group], **changed}


def test_kinds_are_read_of_lists_that_are_some() -> None:
    thing = Kind("example.com", "v1", "Thing", "things", namespaced=False)
    assert saying(discovered()).kinds() == (thing, thing)
    for passed in ({"responseKind": 5}, {"verbs": None}, {"resource": None}, {"responseKind": {"kind": None}}):
        assert saying(discovered(resource=passed)).kinds() == ()
    lies: tuple[Object, ...] = (
        {"items": 5}, {"items": [5]}, {"versions": 5}, {"versions": [None]}, {"resources": "x"},
        {"resource": {"verbs": [{}]}}, {"resource": {"verbs": 5}},
    )  # fmt: skip
    for lie in lies:
        with pytest.raises(ClusterUnavailable):
            saying(discovered(**lie)).kinds()


@pytest.mark.parametrize("rules", [5, [5], [{"verbs": 5}], [{"verbs": [[]]}]])
def test_rights_that_are_none_are_no_answer(rules: Any) -> None:
    with pytest.raises(ClusterUnavailable):
        saying({**REVIEW, "status": {"resourceRules": rules}}).rules("corner")


def test_warnings_are_some_and_reasons_are_words() -> None:
    assert len(saying(SOUND).apply(PLACE, SOUND).warnings) == 20
    stalled = [{"type": "Stalled", "status": "True", "reason": "A" * 1_000_000}]
    assert judge({"kind": "Thing", "metadata": {}, "status": {"conditions": stalled}}).reason == "it is stalled"
    assert pods_reasons([{"metadata": {}, "status": {"initContainerStatuses": 5, "containerStatuses": "x"}}]) == []
