"""ReceiveDeploy: a deploy is taken up, of a build whose receipt says what its mirror holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from byoa.builds import receipts
from byoa.builds.records import milliseconds
from byoa.components.values import seconds
from byoa.errors import BuildNotFound, DeployCancelled, ReceiptInvalid
from byoa.installs import parcels
from byoa.installs.records import entry, moved
from byoa.installs.states import CheckedDeploy

if TYPE_CHECKING:
    from byoa.builds.messages import Build, BuildKey, ConfigVersion
    from byoa.builds.ports import Clock, Lists
    from byoa.builds.receipts import Check
    from byoa.installs.messages import Deploy, Install, InstallComponent
    from byoa.installs.ports import Deploys
    from byoa.installs.states import DeployReceived

TARGET: Final = "ecr"
"""The mirror that deploys pull."""

_TEARDOWN_MS: Final = 3600 * 1000
"""How long a teardown may take: of which config its time would be, nobody could say."""


class Builds(Protocol):
    """What a deploy needs to know of builds."""

    def build(self, organisation: str, build_id: str) -> Build | None:
        """One build."""
        ...

    def config(self, key: BuildKey) -> ConfigVersion:
        """The config version that it is of."""
        ...

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """Its receipt, in its envelope, if it is active."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What deploys are taken up with: ``check`` is whether a signature is our key's, ``values`` takes inputs."""

    deploys: Deploys
    builds: Builds
    check: Check
    values: Lists
    clock: Clock


def receive_deploy(received: DeployReceived, desk: Desk) -> CheckedDeploy:
    """Take up the deploy.

    Raises what ``Deploys.begin`` raises; ``BuildNotFound`` where its build isn't one of its component's that is active;
    ``ReceiptInvalid`` where no receipt that our key signed says what the mirror holds.
    """
    deploy = desk.deploys.begin(received.key, received.execution)
    install = desk.deploys.install(deploy.install_id)
    if install is None or install.organisation != deploy.organisation:
        raise DeployCancelled("The install of the deploy was removed.")
    known = _of_build(deploy, install, desk) if deploy.operation != "teardown" else {}
    begun_ts = milliseconds(desk.clock.now())
    length = known.pop("length", _TEARDOWN_MS)
    if deploy.digest is None and known:
        desk.deploys.change(received.key, received.execution, _checked(known, desk.clock))
    return CheckedDeploy(
        **received.key.model_dump(),
        execution=received.execution,
        deploy_id=deploy.id,
        app=deploy.app,
        operation=deploy.operation,
        plan_only=deploy.plan_only,
        access=install.access,
        install_version=install.version,
        take_over=deploy.take_over,
        approve_all=deploy.approve_all,
        recover=deploy.recover,
        fingerprint=deploy.answered.fingerprint if deploy.answered else None,
        names=[*dict.fromkeys([*deploy.names, *(deploy.answered.names if deploy.answered else [])])],
        begun_ts=begun_ts,
        ends_ts=begun_ts + length,
        **known,
    )


def _of_build(deploy: Deploy, install: Install, desk: Desk) -> dict[str, Any]:
    """What the build adds to a deploy."""
    build = _build(deploy, install, desk)
    receipt = _receipt(deploy.organisation, build, desk)
    delivered = next((each for each in receipt.targets if each.name == TARGET), None)
    if delivered is None:
        raise ReceiptInvalid("The build's receipt names no mirror that a deploy could pull.")
    config = desk.builds.config(build.key).config
    return {
        "build_id": build.build_id,
        "digest": receipt.source.digest,
        "reference": delivered.reference,
        "values": parcels.put(state_of(install), desk.values),
        "namespace": config.namespace or "default",
        "drift_schedule": config.drift_schedule,
        "length": int(seconds(config.deploy_timeout) * 1000),
    }


def _build(deploy: Deploy, install: Install, desk: Desk) -> Build:
    if deploy.build_id is None:
        raise BuildNotFound("The deploy names no build, and nothing was deployed of the component before.")
    build = desk.builds.build(deploy.organisation, deploy.build_id)
    if build is None or (build.app, build.component) != (install.app, deploy.component):
        raise BuildNotFound("The organisation has no such build of the install's component.")
    if build.status != "active":
        raise BuildNotFound("The build is not active, so there is no mirror of it.")
    return build


def _receipt(organisation: str, build: Build, desk: Desk) -> receipts.Receipt:
    envelope = desk.builds.receipt(organisation, build.build_id)
    if envelope is None:
        raise ReceiptInvalid("The build has no receipt.", remedy="Build the component again.")
    receipt = receipts.verify(envelope.encode(), desk.check)
    named = (receipt.build.id, receipt.build.organisation, receipt.build.app, receipt.build.component)
    if named != (build.build_id, organisation, build.app, build.component):
        raise ReceiptInvalid("The receipt is of another build.")
    if build.outcome is None or build.outcome.digest != receipt.source.digest:
        raise ReceiptInvalid("The build's record says another digest than its receipt.")
    return receipt


def state_of(install: Install) -> dict[str, Any]:
    """What ``.nuon`` is in an install, by Nuon's names as far as there is anything of it here."""
    mine = {"id": install.id, "name": install.name, "inputs": install.inputs}
    return {
        "id": install.id,
        "name": install.name,
        "org": {"id": install.organisation, "name": install.organisation},
        "app": {"id": install.app, "name": install.app},
        "inputs": {"inputs": install.inputs},
        "install": mine,
    }


def _checked(known: dict[str, Any], clock: Clock) -> Any:  # noqa: ANN401 - a change
    def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        text = f"the receipt of {known['build_id']} is good; its mirror is {known['digest']}"
        line = entry("planning", text, clock.now(), step="receive", digest=known["digest"])
        return moved(deploy, line, digest=known["digest"], reference=known["reference"]), part

    return becomes
