"""An install with a component whose plan waits for somebody: what the API's examples of installs are asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.memory.installs import DeployStore, MemoryDeploys, MemoryInstalls
from byoa.builds.records import milliseconds
from byoa.installs.contents import pack
from byoa.installs.messages import Install, ObjectHealth
from byoa.installs.ports import Request
from byoa.installs.records import entry, moved

if TYPE_CHECKING:
    from byoa.builds.messages import Build
    from byoa.installs.messages import Deploy, InstallComponent

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
        self._deploys.begin(asked, "example")
        health = [ObjectHealth(object=OBJECT["object"], state="healthy")]
        digest = build.outcome.digest if build.outcome else None
        stands = {
            "build_id": build.build_id, "digest": digest, "health": "healthy", "objects": 3,
            "drift": "drift-detected" if drifted else "no-drift",
        }  # fmt: skip

        def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
            line = entry("active", "healthy", self._store.clock.now())
            changed = moved(deploy, line, counts=COUNTS, fingerprint=FINGERPRINT, health=health, digest=digest)
            return changed, part.model_copy(update=stands)

        ended = self._deploys.finish(asked, "example", becomes, pack(PLAN))
        assert ended, "nobody else has it"
        return ended

    def waiting(self, install: Install, build: Build, needs: tuple[str, ...] = ()) -> Deploy:
        """A deploy whose plan waits for somebody."""
        asked = self._installs.ask(install, build.component, Request("apply", build.build_id, build.version))
        self._deploys.begin(asked, "example")

        def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
            line = entry("pending-approval", "1 to change, 2 unchanged", self._store.clock.now())
            return moved(deploy, line, counts=COUNTS, fingerprint=FINGERPRINT, needs=[*needs]), part

        waits = self._deploys.finish(asked, "example", becomes, pack({**PLAN, "needs": [*needs]}))
        assert waits, "nobody else has it"
        return waits
