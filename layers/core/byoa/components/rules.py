"""The rules between a component's fields: one source, and what goes with it.

They are those of Nuon's kubernetes_manifest component, with a third source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from byoa.components.faults import SOURCES, Fault
from byoa.errors import ByoaError
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence


def rule_faults(fields: Mapping[str, object]) -> list[Fault]:
    """Take the fields of a component as they stand in the file and return the breaches of rules between fields."""
    present = [key for key, value in fields.items() if value is not None]
    return [*_source_faults(present), *_repo_faults(present), *_reference_faults(fields.get("oci_artifact"))]


def _source_faults(present: Sequence[str]) -> list[Fault]:
    sources = [key for key in present if key in SOURCES]
    if len(sources) == 1:
        return []
    if not sources:
        message = "one of 'manifest', 'kustomize' or 'oci_artifact' must be specified"
        return [Fault("source_missing", "", message, "Name the artifact under [oci_artifact].")]
    message = "only one of 'manifest', 'kustomize' or 'oci_artifact' can be specified"
    remedy = "Keep the source that is meant and remove the others."
    return [Fault("source_conflict", "", message, remedy, location=(sources[1],))]


def _repo_faults(present: Sequence[str]) -> list[Fault]:
    repos = [key for key in present if key in {"public_repo", "connected_repo"}]
    faults: list[Fault] = []
    if repos and "kustomize" not in present:
        message = "'public_repo' and 'connected_repo' are only valid with kustomize"
        faults += [Fault("repo_unexpected", repo, message, f"Remove [{repo}].", (repo,)) for repo in repos]
    elif len(repos) > 1:
        message = "only one of 'public_repo' or 'connected_repo' can be specified"
        remedy = "Keep the repository that is meant and remove the other."
        faults.append(Fault("repo_conflict", "", message, remedy, location=(repos[1],)))
    elif "kustomize" in present and not repos:
        message = "kustomize requires either 'public_repo' or 'connected_repo' to be specified"
        remedy = "Add [public_repo] with repo, directory and branch."
        faults.append(Fault("repo_missing", "kustomize", message, remedy, location=("kustomize",)))
    return faults


def _reference_faults(artifact: object) -> list[Fault]:
    reference = _parsed(artifact.get("url")) if isinstance(artifact, Mapping) else None
    if reference is None or not isinstance(artifact, Mapping):
        return []
    in_url = {"tag": reference.tag, "digest": reference.digest}
    in_field = {part for part in in_url if artifact.get(part) is not None}
    if not in_field and not any(in_url.values()):
        message = "oci_artifact requires either tag or digest"
        remedy = "Add tag, or digest to pin the content."
        return [Fault("reference_incomplete", "oci_artifact", message, remedy, location=("oci_artifact",))]
    return [
        Fault(
            "reference_conflict",
            f"oci_artifact.{part}",
            f"oci_artifact.{part} is specified, but the url already has a {part}",
            f"Keep the {part} in one of the two places.",
            location=("oci_artifact", part),
        )
        for part in sorted(in_field)
        if in_url[part] is not None
    ]


def _parsed(url: object) -> Reference | None:
    # A url that cannot be read is a fault of that field, and told there.
    if not isinstance(url, str):
        return None
    try:
        return Reference.parse(url)
    except ByoaError:
        return None
