"""A desk's registry is asked where the desk says, under the name that references have, and nowhere but on loopback."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from byoa.bootstrap import terminal
from byoa.engine.copying import copy
from byoa.errors import ReferenceInvalid
from byoa.oci.reference import Reference, Registry
from byoa_cli import places
from byoa_cli.desk import VARIABLE, answers_for
from byoa_cli.logins import Logins
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.registry import Request, Response

ARTIFACT = Path(__file__).parents[1] / "data" / "artifacts" / "flux"
HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
LOGIN = base64.b64encode(b"AWS:password").decode()


@pytest.fixture
def registry() -> Iterator[Scripted]:
    """One that has the artifact `team/app:v1`."""
    with Scripted() as found:
        source = terminal.layout(ARTIFACT)
        target = Reference.parse(f"oci://{found.address}/team/app:v1")
        manifest = source.fetch_manifest("v2.3.1")
        copy(source, terminal.repository(target, "target", None, plain_http=True), manifest, tag="v1")
        yield found


def test_what_is_named_as_ecr_s_is_read_on_loopback_with_ecr_s_login(
    registry: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logins.json").write_text(json.dumps({"auths": {HOST: {"auth": LOGIN}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "logins.json"))
    monkeypatch.setenv(VARIABLE, f"111111111111.dkr.ecr.us-east-1.amazonaws.com=127.0.0.1:1,{HOST}={registry.address}")
    monkeypatch.setattr(places, "_logins", Logins)
    places._credential.cache_clear()
    shown = set[str | None]()

    def seen(request: Request) -> Response | None:
        shown.add(request.headers["Authorization"])
        return None

    registry.script = seen
    place = places.open_source(f"oci://{HOST}/team/app:v1", [])
    assert place.repository.fetch_manifest("v1").content == terminal.layout(ARTIFACT).fetch_manifest("v2.3.1").content
    assert shown == {f"Basic {LOGIN}"}, "as ECR is asked: at once"
    assert str(place.reference) == f"oci://{HOST}/team/app:v1"


def test_others_are_asked_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{HOST}=127.0.0.1:5102")
    assert answers_for(Registry.parse(HOST)) == Registry("127.0.0.1", 5102)
    assert answers_for(Registry.parse("ghcr.io")) is None
    monkeypatch.delenv(VARIABLE)
    assert answers_for(Registry.parse(HOST)) is None


@pytest.mark.parametrize(
    "place",
    [
        "",
        "10.0.0.5:5102",
        "169.254.169.254:80",
        "ghcr.io",
        "localhost:5102",
        "127.0.0.1.nip.io:5102",
        "[::ffff:a00:5]:1",
    ],
)
def test_what_is_not_on_this_machine_answers_for_nobody(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{HOST}={place}")
    with pytest.raises(ReferenceInvalid, match=f"{VARIABLE} is no list") as refused:
        places.open_source(f"oci://{HOST}/team/app:v1", [])
    assert "source" in refused.value.remedy
