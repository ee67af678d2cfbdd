"""LoadManifests: strangers' documents become objects, with the install's values in them. It reaches nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.content.nodes import Templated
from byoa.engine.contents import VerifiedContents
from byoa.errors import BuildNotFound
from byoa.installs import parcels
from byoa.installs.load import load
from byoa.installs.rendering import render
from byoa.installs.states import LoadedManifests
from byoa.oci.digest import Digest
from byoa.trust.limits import STAGED

if TYPE_CHECKING:
    from byoa.builds.ports import Lists
    from byoa.engine.ports import Source
    from byoa.installs.states import CheckedDeploy


def load_manifests(checked: CheckedDeploy, quarantine: Source, values: Lists, objects: Lists) -> LoadedManifests:
    """Render the pulled artifact's objects into ``objects``. Raises what ``load.load`` and the stores raise."""
    if checked.digest is None or checked.values is None:
        raise BuildNotFound("The deploy has nothing to load.")
    state = parcels.fetch(checked.values, values)
    root = quarantine.fetch_manifest(Digest.parse(checked.digest))
    found = load(VerifiedContents(quarantine), root, STAGED, state)
    target = _rendered(checked.namespace, state)
    return LoadedManifests(objects=parcels.put(list(found), objects), count=len(found), target_namespace=target)


def _rendered(text: str, state: dict[str, Any]) -> str:
    """A namespace may hold placeholders as manifests do."""
    templated = Templated(text)
    templated.lines, templated.alone = (1,) * text.count("{{"), False
    return str(render({"namespace": templated}, state)["namespace"])
