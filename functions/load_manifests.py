"""LoadManifests: documents become objects. It parses strangers' bytes and reaches nothing else."""

from byoa.bootstrap import installs, pipeline
from byoa.installs.states import CheckedDeploy, LoadedManifests
from byoa.installs.steps import load_manifests
from byoa.step import step


@step
def handler(checked: CheckedDeploy) -> LoadedManifests:
    """Render the pulled artifact's objects."""
    values, objects = (installs.parcels(checked.organisation, kind) for kind in ("values", "objects"))
    return load_manifests.load_manifests(checked, pipeline.quarantine_of(checked.organisation), values, objects)
