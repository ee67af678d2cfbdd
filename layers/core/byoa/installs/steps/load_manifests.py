"""LoadManifests: strangers' documents become objects, with the install's values in them. It reaches nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from byoa.content.nodes import Templated
from byoa.engine.contents import VerifiedContents
from byoa.errors import BuildNotFound, TemplateInvalid
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


_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


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
    """A namespace may hold placeholders as manifests do. Raises ``TemplateInvalid`` where it is no name then."""
    templated = Templated(text)
    templated.lines, templated.alone = (1,) * text.count("{{"), False
    found = str(render({"namespace": templated}, state)["namespace"])
    if not _NAMESPACE.fullmatch(found):
        cause = "The component's namespace is no name that Kubernetes takes once its placeholders are rendered."
        raise TemplateInvalid(cause, remedy="Mend the input that it is made of.", where="namespace")
    return found
