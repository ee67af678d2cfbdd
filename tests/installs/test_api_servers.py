"""The desk's cluster answers as a real API server does, request by request: what one shows, the other has to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from byoa.adapters.kubernetes.cluster import KubernetesCluster
from tests.installs.beds import Bed, config_map, definition, deployment, widget

if TYPE_CHECKING:
    from byoa.adapters.kubernetes.wire import Answer

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


@pytest.fixture(params=["desk", "real"])
def bed(request: pytest.FixtureRequest) -> Bed:
    found: Bed = request.getfixturevalue(request.param)
    return found


def ask(bed: Bed, method: str, path: str, body: Any = None, **more: Any) -> Answer:
    """``path`` is below the ConfigMaps of the corner, unless it is a whole one."""
    assert isinstance(bed.cluster, KubernetesCluster)
    whole = path if path.startswith("/api") else f"/api/v1/namespaces/{bed.corner}/configmaps{path}"
    return bed.cluster._wire.ask(method, whole, body, **more)


def names(answer: Answer) -> list[str]:
    return [each["metadata"]["name"] for each in (answer.body or {})["items"] or []]


def labelled(name: str, **labels: str) -> Any:
    return {**config_map(name), "metadata": {"name": name, "labels": labels}}


def test_what_is_not_there_and_what_is_not_served_are_told_apart(bed: Bed) -> None:
    absent, unserved = ask(bed, "GET", "/nothing"), ask(bed, "GET", "/apis/example.com/v1/nothings")
    assert (absent.status, (absent.body or {})["reason"]) == (404, "NotFound")
    assert (unserved.status, unserved.body) == (404, None)
    assert ask(bed, "DELETE", "/nothing").status == 404
    assert ask(bed, "PATCH", "/nothing", {"data": {}}, content_type=MERGE).status == 404


def test_an_object_is_made_once_and_in_a_namespace_that_is_there(bed: Bed) -> None:
    assert ask(bed, "POST", "", config_map("a")).status == 201
    again = ask(bed, "POST", "", config_map("a"))
    assert (again.status, (again.body or {})["reason"]) == (409, "AlreadyExists")
    nowhere = ask(bed, "POST", "/api/v1/namespaces/nowhere/configmaps", config_map("a"))
    assert (nowhere.status, 'namespaces "nowhere" not found' in nowhere.message) == (404, True)
    unnamed = ask(bed, "POST", "", {**config_map("x"), "metadata": {"generateName": "made-"}})
    assert (unnamed.body or {})["metadata"]["name"].startswith("made-")


@pytest.mark.parametrize(
    "body",
    [{**config_map("b"), "kind": "Secret"}, config_map("b"), {**config_map("a"), "metadata": {"namespace": "other"}}],
    ids=["another kind", "another name", "another namespace"],
)
def test_an_object_is_where_its_path_says(bed: Bed, body: Any) -> None:
    assert ask(bed, "PATCH", "/a?fieldManager=byoa", body, content_type=APPLY).status in (400, 422)
    assert ask(bed, "GET", "/a").status == 404


@pytest.mark.parametrize("way", ["POST", "PATCH", "PUT", "MERGE", "DELETE"])
def test_a_dry_run_in_the_query_changes_nothing(bed: Bed, way: str) -> None:
    made = ask(bed, "POST", "", config_map("a", n="1")).body or {}
    new = {**config_map("a", n="2"), "metadata": {**made["metadata"], "managedFields": None}}
    requests: dict[str, tuple[Any, ...]] = {
        "POST": ("POST", "?dryRun=All", config_map("b")),
        "PATCH": ("PATCH", "/a?dryRun=All&fieldManager=x&force=true", config_map("a", n="2")),
        "PUT": ("PUT", "/a?dryRun=All", new),
        "MERGE": ("PATCH", "/a?dryRun=All", {"data": {"n": "2"}}),
        "DELETE": ("DELETE", "/a?dryRun=All"),
    }
    answer = ask(bed, *requests[way], content_type={"PATCH": APPLY, "MERGE": MERGE}.get(way, "application/json"))
    assert answer.fine, answer.message
    assert ask(bed, "GET", "/a").body == made
    assert names(ask(bed, "GET", "")) == ["a"]


def test_beside_a_body_a_deletion_s_query_is_passed_over(bed: Bed) -> None:
    """The trap that the adapter stays out of."""
    ask(bed, "POST", "", config_map("a"))
    options = {"apiVersion": "v1", "kind": "DeleteOptions"}
    assert ask(bed, "DELETE", "/a", {**options, "dryRun": ["All"]}).fine
    assert ask(bed, "GET", "/a").fine
    assert ask(bed, "DELETE", "/a?dryRun=All", options).fine
    assert ask(bed, "GET", "/a").status == 404


def test_versions_and_uids_are_held_to(bed: Bed) -> None:
    made = ask(bed, "POST", "", config_map("a", n="1")).body or {}
    stale = {**made, "metadata": {**made["metadata"], "managedFields": None}}
    changed = ask(bed, "PATCH", "/a", {"data": {"n": "2"}}, content_type=MERGE).body or {}
    assert changed["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    assert ask(bed, "PUT", "/a", stale).status == 409
    version = made["metadata"]["resourceVersion"]
    merged = {"metadata": {"resourceVersion": version}, "data": {"n": "3"}}
    assert ask(bed, "PATCH", "/a", merged, content_type=MERGE).status == 409
    same = ask(bed, "PATCH", "/a", {"data": {"n": "2"}}, content_type=MERGE).body or {}
    assert same["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]
    other = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    assert ask(bed, "DELETE", "/a", {"apiVersion": "v1", "kind": "DeleteOptions", **other}).status == 409


def test_an_object_that_is_put_as_a_whole_says_all_the_same_where_it_is(bed: Bed) -> None:
    made = ask(bed, "POST", "", config_map("a", n="1")).body or {}
    about = {"name": "a", "resourceVersion": made["metadata"]["resourceVersion"]}
    put = ask(bed, "PUT", "/a", {**config_map("a", n="2"), "metadata": about}).body or {}
    assert (put["metadata"]["namespace"], put["metadata"]["uid"]) == (bed.corner, made["metadata"]["uid"])
    (listed,) = (ask(bed, "GET", "").body or {})["items"]
    assert (listed["metadata"]["namespace"], listed["data"]) == (bed.corner, {"n": "2"})


def test_fields_of_others_are_named_with_their_owner_and_taken_by_force(bed: Bed) -> None:
    one = config_map("a", n="1", m="1")
    assert ask(bed, "PATCH", "/a?fieldManager=first", one, content_type=APPLY).status == 201
    two = config_map("a", n="2")
    refused = ask(bed, "PATCH", "/a?fieldManager=second&force=false", two, content_type=APPLY)
    assert refused.status == 409
    assert [(each["reason"], each["field"]) for each in refused.causes] == [("FieldManagerConflict", ".data.n")]
    assert 'conflict with "first"' in refused.causes[0]["message"]
    taken = ask(bed, "PATCH", "/a?fieldManager=second&force=true", two, content_type=APPLY)
    assert (taken.status, (taken.body or {})["data"]) == (200, {"n": "2", "m": "1"})
    left = ask(bed, "PATCH", "/a?fieldManager=first", config_map("a"), content_type=APPLY)
    assert (left.body or {})["data"] == {"n": "2"}


def test_an_apply_without_a_manager_is_refused(bed: Bed) -> None:
    assert ask(bed, "PATCH", "/a", config_map("a"), content_type=APPLY).status in (400, 422)


def test_lists_come_in_pages_and_tell_how_many_are_left(bed: Bed) -> None:
    for name in "abcde":
        ask(bed, "POST", "", labelled(name, of="us"))
    first = ask(bed, "GET", "?limit=2")
    about = (first.body or {})["metadata"]
    assert (names(first), about["remainingItemCount"]) == (["a", "b"], 3)
    second = ask(bed, "GET", f"?limit=2&continue={quote(about['continue'])}")
    third = ask(bed, "GET", f"?limit=2&continue={quote((second.body or {})['metadata']['continue'])}")
    assert (names(second), names(third)) == (["c", "d"], ["e"])
    assert "continue" not in (third.body or {})["metadata"]
    assert "remainingItemCount" not in (ask(bed, "GET", "?limit=2&labelSelector=of%3Dus").body or {})["metadata"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [("of=us", "a"), ("of==us", "a"), ("of!=us", "bc"), ("of", "ab"), ("!of", "c"), ("of in (us,them)", "ab"),
     ("of notin (us)", "bc"), ("of=us,kind=old", ""), ("of=them,kind in (old)", "b")],
)  # fmt: skip
def test_labels_select(bed: Bed, selector: str, found: str) -> None:
    for each in (labelled("a", of="us"), labelled("b", of="them", kind="old"), labelled("c")):
        ask(bed, "POST", "", each)
    assert names(ask(bed, "GET", f"?labelSelector={quote(selector)}")) == [*found]


def test_fields_select(bed: Bed) -> None:
    for name in "ab":
        ask(bed, "POST", "", config_map(name))
    assert names(ask(bed, "GET", "?fieldSelector=metadata.name%3Da")) == ["a"]
    assert names(ask(bed, "GET", "?fieldSelector=metadata.name!%3Da")) == ["b"]
    assert ask(bed, "GET", "?labelSelector=%28").status == 400


def test_a_finalizer_holds_what_is_deleted_until_it_is_taken_away(bed: Bed) -> None:
    held = {**config_map("a"), "metadata": {"name": "a", "finalizers": ["example.com/hold"]}}
    ask(bed, "POST", "", held)
    assert ask(bed, "DELETE", "/a").fine
    assert (ask(bed, "GET", "/a").body or {})["metadata"]["deletionTimestamp"]
    assert ask(bed, "PATCH", "/a", {"metadata": {"finalizers": None}}, content_type=MERGE).fine
    assert ask(bed, "GET", "/a").status == 404


def test_nothing_new_is_taken_into_a_namespace_that_goes_away(bed: Bed) -> None:
    held = {**config_map("a"), "metadata": {"name": "a", "finalizers": ["example.com/hold"]}}
    ask(bed, "POST", "", held)
    assert ask(bed, "DELETE", f"/api/v1/namespaces/{bed.corner}").fine
    refused = ask(bed, "PATCH", "/b?fieldManager=byoa", config_map("b"), content_type=APPLY)
    assert (refused.status, [each["reason"] for each in refused.causes]) == (403, ["NamespaceTerminating"])
    ask(bed, "PATCH", "/a", {"metadata": {"finalizers": None}}, content_type=MERGE)


def test_a_status_is_written_by_its_own_path_alone(bed: Bed) -> None:
    place = f"/apis/apps/v1/namespaces/{bed.corner}/deployments/web"
    ask(bed, "PATCH", f"{place}?fieldManager=byoa", deployment("web"), content_type=APPLY)
    generation = (ask(bed, "GET", place).body or {})["metadata"]["generation"]
    ask(bed, "PATCH", place, {"status": {"collisionCount": 7}}, content_type=MERGE)
    assert (ask(bed, "GET", place).body or {}).get("status", {}).get("collisionCount") is None
    changes = {"status": {"collisionCount": 8}, "spec": {"replicas": 9}}
    written = ask(bed, "PATCH", f"{place}/status", changes, content_type=MERGE).body or {}
    assert (written["status"]["collisionCount"], written["spec"]["replicas"]) == (8, 2)
    assert written["metadata"]["generation"] == generation


@pytest.mark.parametrize("part", ["apart", "among the rest"])
def test_a_custom_kind_s_status_is_apart_where_its_definition_says_so(bed: Bed, part: str) -> None:
    apart = part == "apart"
    fields = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    found = definition(bed.corner, status=apart)
    found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] = fields
    bed.deploy(found)
    widgets = f"/apis/{bed.corner}.example.com/v1/namespaces/{bed.corner}/widgets"
    while not ask(bed, "POST", widgets, widget(bed.corner, "one")).fine:
        bed.clock.sleep(0.1)
    place = f"{widgets}/one"
    ask(bed, "PATCH", place, {"status": {"a": "b"}}, content_type=MERGE)
    assert ("status" in (ask(bed, "GET", place).body or {})) is not apart
    assert ask(bed, "PATCH", f"{place}/status", {"status": {"a": "c"}}, content_type=MERGE).fine is apart


def test_a_kind_is_discovered_with_its_definition_and_gone_with_it(bed: Bed) -> None:
    ask(bed, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(bed.corner))
    group = f"{bed.corner}.example.com"
    for _ in range(100):
        if found := [each for each in bed.cluster.kinds() if each.group == group]:
            break
        bed.clock.sleep(0.1)
    assert [(each.kind, each.plural, each.namespaced) for each in found] == [("Widget", "widgets", True)]


def test_who_is_let_in_may_be_asked_what_it_may_do(bed: Bed) -> None:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
        "resourceAttributes": {"verb": "patch", "resource": "configmaps", "namespace": bed.corner},
    }}  # fmt: skip
    answer = ask(bed, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert (answer.status, (answer.body or {})["status"]["allowed"]) == (201, True)
