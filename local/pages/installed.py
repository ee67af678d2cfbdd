"""An install with a component whose plan waits for somebody: what the API's examples of installs are asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.memory.installs import DeployStore, MemoryDeploys, MemoryInstalls
from byoa.builds.records import milliseconds
from byoa.installs.contents import pack
from byoa.installs.messages import Install, ObjectHealth
from byoa.installs.ports import Request
from byoa.installs.records import entry, moved
from byoa.installs.sets import sets_of

if TYPE_CHECKING:
    from byoa.builds.messages import Build
    from byoa.installs.messages import Deploy, DeployStatus, InstallComponent

INSTALL: Final = "inlexample2222222222222222"
OTHER: Final = "inlexamplf2222222222222222"
FINGERPRINT: Final = "plan-" + "0" * 64
COUNTS: Final = {"create": 0, "change": 1, "recreate": 0, "delete": 0, "unchanged": 2}
OBJECT: Final[dict[str, Any]] = {
    "object": "Deployment/vendor/web", "group": "apps", "api_version": "apps/v1", "kind": "Deployment",
    "resource": "deployments", "namespace": "vendor", "name": "web", "action": "change", "unchecked": False, "why": "",
    "needs": None, "left_out": 0, "left_to": [], "taken_from": [], "warnings": [],
    "changes": [
        {"path": "/spec/template/spec/containers/[name=web]/image", "op": "replace",
         "before": "ghcr.io/vendor/web:v2.3.0", "after": "ghcr.io/vendor/web:v2.3.1", "lines": []}
    ],
}  # fmt: skip
PLAN: Final[dict[str, Any]] = {
    "plan": FINGERPRINT, "counts": COUNTS, "objects": [OBJECT], "needs": [], "errors": [],
}  # fmt: skip


class Installed:
    """Installs of one organisation and app; ``store`` is what the API over them has as well."""

    def __init__(self, store: DeployStore, organisation: str, app: str) -> None:
        self._store = store
        self._organisation = organisation
        self._app = app
        self._installs = MemoryInstalls(organisation, store)
        self._deploys = MemoryDeploys(store)

    def add(self, install_id: str, name: str) -> Install:
        """An install with an agent."""
        now_ts = milliseconds(self._store.clock.now())
        install = Install(
            organisation=self._organisation, app=self._app, id=install_id, name=name, access={"kind": "agent"},
            created_at_ts=now_ts, updated_at_ts=now_ts,
        )  # fmt: skip
        self._installs.create(install)
        return install

    def deployed(self, install: Install, build: Build, *, drifted: bool = False) -> Deploy:
        """A deploy that went well, after which somebody may have edited an object."""
        asked = self._installs.ask(install, build.component, Request("apply", build.build_id, build.version))
        digest = build.outcome.digest if build.outcome else None
        return self.end(asked, "active", "healthy", digest=digest, drift="drift-detected" if drifted else "no-drift")

    def waiting(self, install: Install, build: Build, needs: tuple[str, ...] = ()) -> Deploy:
        """A deploy whose plan waits for somebody."""
        asked = self._installs.ask(install, build.component, Request("apply", build.build_id, build.version))
        return self.plan(asked, needs)

    def plan(self, asked: Deploy, needs: tuple[str, ...] = ()) -> Deploy:
        """The plan of a deploy is made, and waits."""
        said = {"counts": COUNTS, "fingerprint": FINGERPRINT, "needs": [*needs]}
        return self._become(asked, ("pending-approval", "1 to change, 2 unchanged"), said, {})

    def end(
        self, asked: Deploy, status: DeployStatus, text: str, *, digest: str | None = None, drift: str = "no-drift"
    ) -> Deploy:
        """A deploy has ended."""
        health = [ObjectHealth(object=OBJECT["object"], state="healthy")]
        said = {"counts": COUNTS, "fingerprint": FINGERPRINT, "health": health, "digest": digest}
        stands = {"build_id": asked.build_id, "digest": digest, "health": "healthy", "objects": 3, "drift": drift}
        return self._become(asked, (status, text), said, stands)

    def _become(
        self, asked: Deploy, line: tuple[DeployStatus, str], said: dict[str, Any], stands: dict[str, Any]
    ) -> Deploy:
        self._deploys.begin(asked, "example")

        def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
            changed = moved(deploy, entry(*line, self._store.clock.now()), **said)
            return changed, part.model_copy(update=stands)

        needs = said.get("needs", [])
        plan = pack({**PLAN, "needs": needs, "sets": sets_of(needs)})
        became = self._deploys.finish(asked, "example", becomes, plan)
        assert became, "nobody else has it"
        return became
