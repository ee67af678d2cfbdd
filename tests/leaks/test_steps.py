"""Builds whose registry knows their credentials and tells them back wherever it can: nothing of it is kept or told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.leaks.kinds import FORMS, Form
from tests.leaks.scenes import SCENES, TARGET_SCENES, Echo, Scene, script

if TYPE_CHECKING:
    from local.registry import Request, Response
    from tests.leaks.world import World

WAYS = ("basic", "basic for tokens", "identity token", "registry token")
"""One for each way in that a registry is shown credentials."""

_first: dict[object, str] = {}
for _name, _scene in SCENES.items():
    _first.setdefault((_scene.wanted, _scene.asks), _name)


def forms_for(name: str, scene: Scene) -> list[str]:
    """Every kind for the first scene of each error; for others what differs in how the registry is asked."""
    if scene.wanted is None:
        return ["basic" if scene.asks == "" else "basic for tokens"]
    tried = FORMS if _first[scene.wanted, scene.asks] == name else WAYS
    found = [label for label in tried if scene.asks in ("", FORMS[label].asks)]
    # A registry token is no answer to a challenge, and ECR's registries don't wait for one.
    asks_none = ("registry token", "docker registry token", "ECR of another account")
    return [label for label in found if scene.at not in ("challenge", "token") or label not in asks_none]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_build_that_goes_well_tells_nothing(stack: World, form: Form) -> None:
    secret, name, host = stack.lend(form)
    stack.registry.script = script(form, None, secret, stack.registry.address)
    ran = stack.build(stack.submit(f"oci://{host}/team/app", name))
    assert ran.code == "active", ran.error and ran.error.as_json()
    assert stack.leaks(ran) == []


@pytest.mark.parametrize("name", SCENES)
def test_a_registry_that_tells_the_secret_back_is_not_quoted(stack: World, name: str) -> None:
    scene, ended, found = SCENES[name], {}, list[str]()
    for label in forms_for(name, scene):
        form = FORMS[label]
        secret, credentials, host = stack.lend(form)
        stack.registry.script = script(form, scene, secret, stack.registry.address)
        ran = stack.build(stack.submit(f"oci://{host}/team/app", credentials))
        ended[label] = ran.code
        found += stack.leaks(ran)
        stack.rest()
    assert found == []
    assert ended == dict.fromkeys(ended, scene.wanted.__name__ if scene.wanted else "active")
    assert ended


@pytest.mark.parametrize("scene", TARGET_SCENES.values(), ids=TARGET_SCENES)
def test_our_own_registry_is_not_quoted_either(stack: World, scene: Scene) -> None:
    form = FORMS["basic"]
    secret, name, host = stack.lend(form)
    stack.registry.script = script(form, None, secret, stack.registry.address)

    def played(request: Request) -> Response | None:
        asked = f"{request.method} {request.path}"
        return (
            scene.answer(Echo(stack.lent, request.headers["Authorization"] or "", request.method))
            if scene.at in asked
            else None
        )

    stack.ecr.script = played
    ran = stack.build(stack.submit(f"oci://{host}/team/app", name))
    assert stack.leaks(ran) == []
    assert scene.wanted
    assert ran.code == scene.wanted.__name__, ran.error and ran.error.as_json()
