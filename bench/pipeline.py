"""The deployed pipeline as the loads drive it: artifacts of any number, configs handed in, builds awaited."""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from bench.artifacts import Pusher, manifests_layer
from byoa.bootstrap import terminal
from byoa.components.reading import check_config
from local.desk import APP, ORGANISATION, Desk, Ports, desk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from byoa.builds.messages import Build
    from byoa.builds.ports import Catalogue

_PATIENCE_SECONDS = 180
_LOOK_SECONDS = 2.0
"""Between looks at running builds. Seldom, because 20 builds looked at twice a second are a quarter of the load; what
is measured is the ledger's own moments.
"""


class BuildFailed(Exception):
    """A build that should have become active didn't."""


class Pipeline:
    """A running desk, its catalogue, and what `sam build` made.

    ``looks`` counts how often a build was looked at.
    """

    def __init__(self, running: Desk, catalogue: Catalogue, build: Path) -> None:
        self.desk = running
        self.build = build
        self._catalogue = catalogue
        self._pushed = 0
        self.looks = 0

    def submit(self, component: str) -> Build:
        """Push an artifact that was never there before, name it in the component's config, and hand that in."""
        return self.hand_in(*self.push([component])[0])

    def push(self, components: Sequence[str]) -> list[tuple[str, str]]:
        """Push a new artifact for each component; returns component and tag."""
        pusher, pushed = Pusher(self.desk.vendor), []
        for component in components:
            self._pushed += 1
            pusher.push(f"vendor/{component}", [manifests_layer(self._pushed)], f"v{self._pushed}")
            pushed.append((component, f"v{self._pushed}"))
        pusher.close()
        return pushed

    def hand_in(self, component: str, tag: str) -> Build:
        """A new version of the component's config, which names ``tag``."""
        checked = check_config(
            f'name = "{component}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n[oci_artifact]\n'
            f'url = "oci://{self.desk.vendor}/vendor/{component}"\ntag = "{tag}"\n'
        )
        if checked.config is None:
            raise BuildFailed(str(checked.faults))
        return self._catalogue.submit(ORGANISATION, APP, checked.config).build

    def seconds(self, builds: Sequence[Build]) -> list[float]:
        """Wait until all are active; from handing in to active, by the ledger's own clock."""
        return [(each.history[-1].created_at_ts - each.history[0].created_at_ts) / 1000 for each in self._ended(builds)]

    def call(self, service: str, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 - AWS's own
        """One call to the emulator."""
        with closing(self.desk.client(service)) as client:
            return getattr(client, operation)(**arguments)

    def _ended(self, builds: Sequence[Build]) -> list[Build]:
        waiting, ended = list(builds), []
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while waiting:
            time.sleep(_LOOK_SECONDS)
            self.looks += len(waiting)
            found = [self._catalogue.build(ORGANISATION, build.build_id) or build for build in waiting]
            ended += [build for build in found if build.ended]
            waiting = [build for build in found if not build.ended]
            if waiting and time.monotonic() > deadline:
                raise BuildFailed(f"{len(waiting)} builds have not ended in time")
        for build in ended:
            if build.status != "active":
                raise BuildFailed(f"{build.component}: {build.outcome}")
        return ended


@contextmanager
def deployed(folder: Path) -> Iterator[Pipeline]:
    """A desk with the real template deployed, gone at the end."""
    with desk(folder, Ports.free(), say=lambda _: None) as running:
        os.environ.update(running.environment())
        yield Pipeline(running, terminal.catalogue(running.outputs["TableName"]), folder / "build")
