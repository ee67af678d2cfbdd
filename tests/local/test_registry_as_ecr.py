"""The desk's ECR takes chunks, tags and deletions as Amazon ECR does, also from the control plane's side."""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from local import processes
from local.registry import EcrSettings, MemoryControlPlane, Registry, RepositoryFacts, Settings
from tests.local.cloud import Cloud, emulated
from tests.local.pushing import INDEX, Client, as_bytes, descriptor, digest, image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1024 * 1024


@pytest.fixture
def ecr() -> Iterator[Registry]:
    control = MemoryControlPlane({"app": RepositoryFacts("IMMUTABLE")}, "password")
    with Registry(Settings(ecr=EcrSettings(control=control))) as made:
        yield made


@pytest.fixture
def aws(ecr: Registry) -> Iterator[Client]:
    client = Client(ecr, "AWS", "password")
    yield client
    client.connection.close()


# Chunks


class Upload:
    """An upload in chunks, and the answers to them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.location = client.ask("POST", "/v2/app/blobs/uploads/").headers["Location"]
        self.content = b""

    def send(self, size: int, method: str = "PATCH") -> Any:
        first, part = len(self.content), os.urandom(size)
        self.content += part
        where = {"Content-Range": f"{first}-{first + size - 1}"} if size else {}
        target = self.location if method == "PATCH" else f"{self.location}?digest={digest(self.content)}"
        return self.client.ask(method, target, part, where)


def test_a_chunk_is_answered_by_201_and_a_range_that_stays_at_the_first_one_s_end(aws: Client) -> None:
    upload = Upload(aws)
    answers = [upload.send(size) for size in (10 * MIB, 5 * MIB, 7)]
    assert [answer.status for answer in answers] == [201] * 3
    assert [answer.headers["Range"] for answer in answers] == ["0-10485759"] * 3
    assert upload.send(0, "PUT").status == 201
    assert aws.ask("GET", f"/v2/app/blobs/{digest(upload.content)}").body == upload.content


def test_the_last_chunk_may_come_with_the_closing_request(aws: Client) -> None:
    upload = Upload(aws)
    assert upload.send(5 * MIB).status == 201
    assert upload.send(3, "PUT").status == 201


def test_an_upload_s_status_is_not_to_be_had(aws: Client) -> None:
    upload = Upload(aws)
    upload.send(5 * MIB)
    assert aws.ask("GET", upload.location).status == 404


@pytest.mark.parametrize("size", [1, 16 * MIB])
def test_a_blob_that_comes_whole_has_any_size(aws: Client, size: int) -> None:
    assert Upload(aws).send(size, "PUT").status == 201
    streamed = Upload(aws)
    assert streamed.send(size).status == 201
    assert streamed.send(0, "PUT").status == 201


@pytest.mark.parametrize(
    ("sizes", "method", "code"),
    [
        ((5 * MIB - 1, 1), "PATCH", "BLOB_UPLOAD_INVALID"),
        ((5 * MIB - 1, 1), "PUT", "BLOB_UPLOAD_INVALID"),
        ((10 * MIB + 1, 1), "PATCH", "SIZE_INVALID"),
        ((5 * MIB, 10 * MIB + 1), "PUT", "SIZE_INVALID"),
    ],
)
def test_chunks_of_a_wrong_size_are_refused(aws: Client, sizes: tuple[int, int], method: str, code: str) -> None:
    upload = Upload(aws)
    assert upload.send(sizes[0]).status == 201
    refused = upload.send(sizes[1], method)
    assert (refused.status, refused.code) == (400, code)
    assert aws.ask("GET", f"/v2/app/blobs/{digest(upload.content)}").status == 404


# Tags


def test_an_image_has_a_thousand_tags_and_no_more(aws: Client) -> None:
    assert aws.tag("app", "v0").status == 201
    content = as_bytes(image(b"{}"))
    for number in range(1, 1000):
        assert aws.put("app", f"v{number}", content).status == 201
    refused = aws.put("app", "v1000", content)
    assert (refused.status, refused.code) == (403, "DENIED")
    assert refused.json()["errors"][0]["message"] == (
        "Adding tag 'v1000' to an image in the repository with name 'app' in registry with id '000000000000' exceeds "
        "the maximum allowed number of tags per image which is '1000'."
    )
    assert aws.put("app", digest(content), content).status == 201
    assert aws.tag("app", "v1000", "another image").status == 201


# The control plane's side


def login(api: Any) -> tuple[str, str]:
    """The user and the password that ECR gives whoever asks."""
    token = api.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    return user, password


class Both:
    """ECR's two sides: the emulator's control plane, and the registry that it asks."""

    def __init__(self, cloud: Cloud, client: Client) -> None:
        self.api = cloud.client("ecr")
        self.client = client

    def push(self, repository: str, *tags: str, note: str = "") -> str:
        for tag in tags:
            assert self.client.tag(repository, tag, note).status == 201
        return digest(as_bytes(image(b"{}", note=note)))

    def repository(self, name: str) -> str:
        self.api.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
        return name

    def tags(self, repository: str, image_digest: str) -> list[str]:
        found = self.api.describe_images(repositoryName=repository, imageIds=[{"imageDigest": image_digest}])
        return sorted(found["imageDetails"][0].get("imageTags", []))

    def delete(self, repository: str, *ids: dict[str, str]) -> Any:
        return self.api.batch_delete_image(repositoryName=repository, imageIds=list(ids))

    def status(self, repository: str, reference: str) -> int:
        return self.client.ask("GET", f"/v2/{repository}/manifests/{reference}").status


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder, port = tmp_path_factory.mktemp("ecr"), processes.free_port()
    address = f"http://127.0.0.1:{port}"
    with emulated(folder, extra_environment={"EMULATOR_ECR_REGISTRY": f"000000000000={address}"}) as cloud:
        settings = Settings(ecr=EcrSettings(f"http://127.0.0.1:{cloud.port}"))
        with Registry(settings, port=port) as registry:
            client = Client(registry, *login(cloud.client("ecr")))
            with contextlib.closing(client.connection):
                yield Both(cloud, client)


@pytest.mark.emulator
def test_the_data_plane_knows_the_control_plane_s_repositories_and_their_filters(both: Both) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "latest*"}]
    both.api.create_repository(
        repositoryName="filtered",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    assert both.client.ask("GET", "/v2/unknown/tags/list").code == "NAME_UNKNOWN"
    assert [both.client.tag("filtered", "latest-1", text).status for text in "ab"] == [201, 201]
    assert [both.client.tag("filtered", "sha256-1", text).status for text in "ab"] == [201, 400]


@pytest.mark.emulator
def test_the_control_plane_describes_what_was_pushed(both: Both) -> None:
    name = both.repository("described")
    pushed = both.push(name, "v1", "v2")
    detail = both.api.describe_images(repositoryName=name, imageIds=[{"imageTag": "v2"}])["imageDetails"][0]
    assert (detail["imageDigest"], detail["imageTags"]) == (pushed, ["v1", "v2"])
    assert detail["imageSizeInBytes"] == len(as_bytes(image(b"{}"))) + 4
    assert both.api.describe_images(repositoryName=name)["imageDetails"] == [detail]


@pytest.mark.emulator
def test_an_image_that_is_not_there_is_told(both: Both) -> None:
    name = both.repository("empty")
    with pytest.raises(both.api.exceptions.ImageNotFoundException, match="imageTag:'v1'"):
        both.api.describe_images(repositoryName=name, imageIds=[{"imageTag": "v1"}])
    with pytest.raises(both.api.exceptions.RepositoryNotFoundException):
        both.api.describe_images(repositoryName="never", imageIds=[{"imageTag": "v1"}])
    failure = both.delete(name, {"imageTag": "v1"})["failures"][0]
    assert (failure["imageId"], failure["failureCode"]) == ({"imageTag": "v1"}, "ImageNotFound")


@pytest.mark.emulator
def test_a_deleted_tag_leaves_the_image_to_its_other_tags_and_the_last_one_takes_it_away(both: Both) -> None:
    name = both.repository("retired")
    pushed, other = both.push(name, "v1", "v2", "v3"), both.push(name, "other", note="other")
    assert both.delete(name, {"imageTag": "v1"})["imageIds"] == [{"imageDigest": pushed, "imageTag": "v1"}]
    assert both.tags(name, pushed) == ["v2", "v3"]
    assert (both.status(name, "v1"), both.status(name, pushed)) == (404, 200)
    both.delete(name, {"imageTag": "v2"}, {"imageTag": "v3"})
    assert both.status(name, pushed) == 404
    assert both.tags(name, other) == ["other"]


@pytest.mark.emulator
def test_a_deleted_digest_takes_its_tags_along(both: Both) -> None:
    name = both.repository("digests")
    pushed = both.push(name, "v1", "v2")
    assert len(both.delete(name, {"imageDigest": pushed})["imageIds"]) == 2
    assert both.status(name, "v2") == 404


@pytest.mark.emulator
def test_an_image_that_an_index_lists_stays(both: Both) -> None:
    name = both.repository("listed")
    pushed = both.push(name, "v1")
    listed = descriptor(as_bytes(image(b"{}")), "application/vnd.oci.image.manifest.v1+json")
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}
    assert both.client.put(name, "index", index, INDEX).status == 201
    failure = both.delete(name, {"imageTag": "v1"})["failures"][0]
    assert failure["failureCode"] == "ImageReferencedByManifestList"
    assert both.tags(name, pushed) == ["v1"]


@pytest.mark.emulator
def test_too_many_images_at_once_are_refused(both: Both) -> None:
    name = both.repository("many")
    with pytest.raises(both.api.exceptions.InvalidParameterException):
        both.delete(name, *({"imageTag": f"v{number}"} for number in range(101)))


@pytest.mark.emulator
def test_a_data_plane_that_is_gone_is_told(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{processes.free_port()}"
    with emulated(tmp_path, extra_environment={"EMULATOR_ECR_REGISTRY": f"000000000000={address}"}) as cloud:
        api = cloud.client("ecr")
        api.create_repository(repositoryName="app")
        with pytest.raises(api.exceptions.ServerException, match="ECR's data plane does not answer"):
            api.describe_images(repositoryName="app")
