"""Signatures go along with what they sign, and the tools that made them accept them at the mirrored reference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from local.demo import ARTIFACTS, TAG
from tests.interop.machine import needs
from tests.interop.registries import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.interop.machine import Machine, Route


class Signer(Protocol):
    """What signs artifacts: ``program`` is its name and ``layout`` an artifact in tests/data that it signed."""

    program: str
    layout: str

    def prepare(self, machine: Machine) -> None:
        """Make keys, and say whom to trust."""

    def sign(self, machine: Machine, reference: str, *, note: str = "none") -> None:
        """Sign what is under the reference, with a note in it, without any other service."""

    def verification(self, *, ours: bool, note: str | None = None) -> tuple[str | Path, ...]:
        """The command that accepts what ``sign`` made, with the note, or what the test data's signer made."""
        ...


class Cosign:
    """Signs with a key and without a log: as a bundle that refers to the artifact, or under a tag as it did before."""

    program = "cosign"

    def __init__(self, layout: str, *, bundle: bool) -> None:
        self.layout = layout
        self._form = f"--new-bundle-format={str(bundle).lower()}"

    def prepare(self, machine: Machine) -> None:
        if not (machine.home / "cosign.key").exists():
            machine.run("cosign", "generate-key-pair")

    def sign(self, machine: Machine, reference: str, *, note: str = "none") -> None:
        switches = ("--yes", "--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry")
        signed = ("--key", "cosign.key", "-a", f"note={note}", self._form)
        machine.run("cosign", "sign", *signed, *switches, reference)

    def verification(self, *, ours: bool, note: str | None = None) -> tuple[str | Path, ...]:
        key = "cosign.pub" if ours else ARTIFACTS / "cosign.pub"
        wanted = ("-a", f"note={note}") if note else ()
        switches = ("--insecure-ignore-tlog=true", "--allow-http-registry", self._form)
        return ("cosign", "verify", "--key", key, *switches, *wanted)


class Notation:
    """Signs with a certificate of its own, which notation trusts beside the one of the test data.

    Unless told otherwise it lists a signature under the tag that stands in for the referrers API, whether or not the
    registry has that API.
    """

    program = "notation"
    layout = "signed-notation"
    _trust: Final[dict[str, object]] = {
        "name": "vendors",
        "registryScopes": ["*"],
        # The test data's certificate was good for a day.
        "signatureVerification": {"level": "strict", "override": {"authenticTimestamp": "log"}},
        "trustStores": ["ca:vendor.example", "ca:test-data"],
        "trustedIdentities": ["*"],
    }

    def __init__(self, *, by_tag: bool) -> None:
        self._listed = f"--force-referrers-tag={str(by_tag).lower()}"

    def prepare(self, machine: Machine) -> None:
        policy = machine.home / "policy.json"
        if not policy.exists():
            policy.write_text(json.dumps({"version": "1.0", "trustPolicies": [self._trust]}))
            machine.run("notation", "policy", "import", policy)
            machine.run("notation", "cert", "generate-test", "--default", "vendor.example")
            machine.run("notation", "cert", "add", "-t", "ca", "-s", "test-data", ARTIFACTS / "notation.crt")

    def sign(self, machine: Machine, reference: str, *, note: str = "none") -> None:
        machine.run("notation", "sign", "--insecure-registry", "-m", f"note={note}", self._listed, reference)

    def verification(self, *, ours: bool, note: str | None = None) -> tuple[str | Path, ...]:
        return ("notation", "verify", "--insecure-registry", *(("-m", f"note={note}") if note else ()))


SIGNERS: Final[dict[str, Signer]] = {
    # First, for the routes that this gives it: olareg 0.2.2 forgets its own list of referrers when a client writes the
    # same one under the tag, and then notation doesn't find its own signature there.
    "notation's tag": Notation(by_tag=True),
    "cosign's bundle": Cosign("signed-v3", bundle=True),
    "cosign's tag": Cosign("signed-v2", bundle=False),
    "notation": Notation(by_tag=False),
}
TOGETHER: Final = ("cosign's bundle", "cosign's tag", "notation")


def paired(signers: Iterable[str], *, first: int, most: int) -> pytest.MarkDecorator:
    """Each of the signers with up to ``most`` routes, dealt out in turn from the ``first`` route on."""
    names = list(signers)
    routes = ROUTES[first:] + ROUTES[:first]
    pairs = [(name, route) for place, name in enumerate(names) for route in routes[place :: len(names)][:most]]
    ids = [f"{name}, {source} to {target}" for name, (source, target) in pairs]
    return pytest.mark.parametrize(("signer", "route"), pairs, indirect=True, ids=ids)


@pytest.fixture
def signer(request: pytest.FixtureRequest, machine: Machine) -> Signer:
    found = SIGNERS[request.param]
    needs(found.program)
    found.prepare(machine)
    return found


@paired(SIGNERS, first=0, most=2)
def test_a_signature_made_just_now_is_good_for_the_mirror(route: Route, signer: Signer) -> None:
    digest = route.put("flux", "signed-now")
    signer.sign(route.machine, route.origin(f"signed-now@{digest}"))
    assert route.mirror(f"signed-now:{TAG}")["attached"] == 1
    route.machine.run(*signer.verification(ours=True), route.mirrored(f"signed-now@{digest}"))


@paired(TOGETHER, first=1, most=2)
def test_a_signature_in_the_test_data_is_good_for_the_mirror_of_a_mirror(route: Route, signer: Signer) -> None:
    digest = route.put(signer.layout, signer.layout)
    assert route.mirror(f"{signer.layout}:{TAG}")["attached"] == 1
    route.machine.run(*signer.verification(ours=False), route.mirrored(f"{signer.layout}@{digest}"))


@paired(TOGETHER, first=7, most=1)
def test_without_referrers_there_is_no_signature_in_the_mirror(route: Route, signer: Signer) -> None:
    name = f"unsigned-{signer.layout}"
    digest = route.put(signer.layout, name)
    assert route.mirror(f"{name}:{TAG}", "--no-referrers")["attached"] == 0
    said = route.machine.fails(*signer.verification(ours=False), route.mirrored(f"{name}@{digest}"))
    assert "no signature" in said.lower()
    route.machine.run(*signer.verification(ours=False), route.origin(f"{name}@{digest}"))


@pytest.mark.parametrize("route", ROUTES[:2], indirect=True, ids=" to ".join)
def test_signatures_of_several_tools_are_all_good_for_the_mirror(route: Route, machine: Machine) -> None:
    signers = [SIGNERS[name] for name in TOGETHER]
    needs(*(signer.program for signer in signers))
    digest = route.put("flux", "signed-thrice")
    for signer in signers:
        signer.prepare(machine)
        signer.sign(machine, route.origin(f"signed-thrice@{digest}"))
    assert route.mirror(f"signed-thrice:{TAG}")["attached"] == len(signers)
    for signer in signers:
        machine.run(*signer.verification(ours=True), route.mirrored(f"signed-thrice@{digest}"))


@paired(TOGETHER, first=2, most=1)
def test_a_signature_that_is_made_later_arrives_with_the_next_mirror(route: Route, signer: Signer) -> None:
    digest = route.put("flux", "signed-again")
    for note in ("first", "second"):
        signer.sign(route.machine, route.origin(f"signed-again@{digest}"), note=note)
        route.mirror(f"signed-again:{TAG}")
    for note in ("first", "second"):
        check = signer.verification(ours=True, note=note)
        route.machine.run(*check, route.mirrored(f"signed-again@{digest}"))
    route.machine.fails(*signer.verification(ours=True, note="third"), route.mirrored(f"signed-again@{digest}"))
