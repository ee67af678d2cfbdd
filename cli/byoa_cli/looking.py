"""What components' artifacts are right now, asked of the platform: it has the stored credentials that they name."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.builds.lookups import Sought
from byoa.components.faults import Fault
from byoa.engine.workers import Workers
from byoa.errors import (
    ApiRefused,
    ApiUnavailable,
    ApiUnusable,
    AuthFailed,
    ByoaError,
    CredentialForbidden,
    CredentialHostMismatch,
    CredentialMalformed,
    LoginMissing,
    ReferenceNotFound,
    SourceKindUnsupported,
)
from byoa.oci.reference import Reference
from byoa_cli.output import FAULT, FINE, MEND, exit_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from byoa.api.asking import Artifacts
    from byoa.api.lookups import InspectedOut, PlannedOut
    from byoa.components.schema import ComponentConfig, OciArtifact
    from byoa_cli.files import ComponentFile

_AT_ONCE: Final = 4
"""Lookups at a time; each is a function that runs."""

HEAD: Final = ("TAG", "DIGEST", "FETCHES", "FORMAT", "RESOURCES")

_OF_THE_API: Final = (ApiRefused, ApiUnavailable, ApiUnusable, LoginMissing)
"""What would happen to all others as well."""

_OF_CREDENTIALS: Final = (AuthFailed, CredentialForbidden, CredentialHostMismatch, CredentialMalformed)


class Looked(NamedTuple):
    """A file's component: what a build of it would fetch and find, as far as it gets, and what would stop it."""

    file: ComponentFile
    plan: PlannedOut | None = None
    contents: InspectedOut | None = None
    error: ByoaError | None = None

    def told(self) -> ComponentFile:
        """The file, with what was met as a fault at the line of its field."""
        artifact = _config(self.file).oci_artifact
        return self.file.with_faults([_fault(self.error, artifact)]) if self.error else self.file

    def as_dict(self) -> dict[str, Any]:
        """``{"reference", "digest", "bytes", "format", "resources", "encrypted", "images", "notes", "usable_by"}``.

        ``None`` stands for what isn't known; ``bytes`` are those that a build would fetch.
        """
        plan, contents = self.plan, self.contents
        return {
            "reference": plan.reference if plan else None,
            "digest": plan.digest if plan else None,
            "bytes": plan.bytes if plan and not plan.missing_permissions else None,
            "format": contents.format if contents else None,
            "resources": contents.resource_count if contents else None,
            "encrypted": contents.encrypted if contents else None,
            "images": contents.images if contents else [],
            "notes": [*(plan.notes if plan else []), *(contents.notes if contents else [])],
            "usable_by": contents.usable_by if contents else {},
        }

    def cells(self) -> tuple[str, ...]:
        """The columns of ``HEAD``."""
        config, plan, contents = _config(self.file), self.plan, self.contents
        artifact, kind, count = config.oci_artifact, contents.format if contents else "", ""
        if contents:
            kind, count = ("encrypted", "") if contents.encrypted else (kind, str(contents.resource_count))
        fetched = "" if plan is None or plan.missing_permissions else f"{plan.bytes} bytes"
        tag = (artifact.tag or "") if artifact else self.file.checked.source_type or ""
        return tag, plan.digest if plan else "", fetched, kind, count


def each[Item, Found](items: Sequence[Item], do: Callable[[Item], Found]) -> list[Found]:
    """What ``do`` gives for each, in their order, a few at a time. Raises what the first that fails raises."""
    with closing(Workers(_AT_ONCE, "lookup")) as workers:
        begun = [workers.submit(partial(do, item)) for item in items]
        return [job.result() for job in begun]


def look_at(files: Sequence[ComponentFile], artifacts: Artifacts) -> list[Looked]:
    """What each component is made of. Raises what concerns the API, and so all of them."""
    return each(files, partial(_look, artifacts=artifacts))


def verdict(errors: Sequence[ByoaError]) -> int:
    """The exit code: whose turn it is."""
    codes = {exit_code(error) for error in errors}
    return MEND if MEND in codes else FAULT if codes else FINE


def sought(artifact: OciArtifact) -> Sought:
    """What a component names, to be looked up."""
    return Sought(**artifact.model_dump())


def pinned(named: Sought, digest: str) -> Sought:
    """The same, by a digest alone."""
    return Sought(url=f"oci://{Reference.parse(named.url).name}", digest=digest, credentials_ref=named.credentials_ref)


def of_the_artifact(error: ByoaError) -> ByoaError:
    """It, where it is about one artifact; what is about the API is raised."""
    if isinstance(error, _OF_THE_API):
        raise error
    return error


def _config(file: ComponentFile) -> ComponentConfig:
    if file.checked.config is None:
        raise ValueError("a component without faults is looked at")
    return file.checked.config


def _look(file: ComponentFile, artifacts: Artifacts) -> Looked:
    config = _config(file)
    if config.kustomize:
        return Looked(file, error=SourceKindUnsupported("Components of [kustomize] are not rendered by this pipeline."))
    if config.oci_artifact is None:
        return Looked(file)
    named, plan = sought(config.oci_artifact), None
    try:
        plan = artifacts.plan(named)
        if plan.missing_permissions:
            return Looked(file, plan, error=AuthFailed("The registry refuses a part of what a build fetches."))
        return Looked(file, plan, artifacts.inspect(pinned(named, plan.digest)))
    except ByoaError as error:
        return Looked(file, plan, error=of_the_artifact(error))


def _fault(error: ByoaError, artifact: OciArtifact | None) -> Fault:
    field = _field(error, artifact)
    named = artifact.credentials_ref if artifact and field == "credentials_ref" else None
    path = ("oci_artifact", field) if artifact else (field,)
    cause = f"{named}: {error.cause}" if named else error.cause
    return Fault(error.code, ".".join(path), cause, error.remedy, path)


def _field(error: ByoaError, artifact: OciArtifact | None) -> str:
    if artifact is None:
        return "kustomize"
    if isinstance(error, _OF_CREDENTIALS):
        return "credentials_ref" if artifact.credentials_ref else "url"
    if isinstance(error, ReferenceNotFound):
        return "digest" if artifact.digest else "tag" if artifact.tag else "url"
    return "url"
