"""The models of a ``kubernetes_manifest`` component, and the JSON Schema that editors check it with.

Fields, defaults and limits are Nuon's ("Kubernetes Manifest" in its config reference), with ``[oci_artifact]`` added as
a third source. Where Nuon sets no limit, one is set here so that a config fits into its item in the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticCustomError

from byoa.components.faults import SOURCES, SourceType
from byoa.components.rules import rule_faults
from byoa.components.values import (
    Address,
    ComponentName,
    CredentialsRef,
    Dependency,
    DigestText,
    Duration,
    LabelKey,
    LabelValue,
    Manifest,
    Namespace,
    Schedule,
    Tag,
    Text,
    Url,
    VarName,
)
from byoa.errors import SourceKindUnsupported
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


class _Table(BaseModel):
    """A table of the file: every field known, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


class OciArtifact(_Table):
    """An artifact in a registry: a url, and a tag or a digest, in the url or beside it.

    With both, the digest says what is meant and the tag is a label.
    """

    url: Url = Field(
        description="Where the artifact is: oci://HOST[:PORT]/REPOSITORY.",
        examples=["oci://ghcr.io/vendor/app-manifests"],
    )
    tag: Tag | None = Field(
        default=None,
        description="The tag to follow; every build pins the digest that it names at that time.",
        examples=["v2.3.1"],
    )
    digest: DigestText | None = Field(
        default=None,
        description="The digest of exactly one content. Beside it, a tag is only a label.",
        examples=["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    )
    credentials_ref: CredentialsRef | None = Field(
        default=None,
        description="The name of stored credentials for this registry, never the credentials themselves.",
        examples=["aws-ecr-creds"],
    )


class Kustomize(_Table):
    """An overlay to build from a repository."""

    path: Text = Field(
        description="The kustomization's folder, relative to the repository's directory.",
        examples=["overlays/production", "."],
    )
    patches: Annotated[tuple[Text, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="Paths of further patch files, applied in order.", examples=[["patches/limits.yaml"]]
    )
    enable_helm: bool = Field(default=False, description="Whether charts are inflated.", examples=[True])
    load_restrictor: Literal["rootOnly", "none"] = Field(
        default="rootOnly", description="Whether files outside of the folder may be read.", examples=["rootOnly"]
    )


class Repo(_Table):
    """A git repository that holds an overlay."""

    repo: Address = Field(
        description="An https address or OWNER/NAME, without credentials.", examples=["https://github.com/vendor/app"]
    )
    directory: Text = Field(description="The folder to start from.", examples=["deploy"])
    branch: Text = Field(description="The branch to build from.", examples=["main"])


class OperationRole(_Table):
    """The role that one operation uses; for Nuon, not read here."""

    operation: Literal["deploy", "teardown", "provision", "deprovision", "reprovision", "trigger"] = Field(
        description="The operation.", examples=["deploy"]
    )
    role: Text = Field(description="The role's name.", examples=["{{.nuon.install.id}}-maintenance"])


class Probe(_Table):
    """One health check; for Nuon, not read here."""

    type: Literal["http", "tcp", "exec"] = Field(description="How to look.", examples=["http"])
    name: Text | None = Field(default=None, description="The name to show.", examples=["api-healthz"])
    url: Text | None = Field(default=None, description="What to ask.", examples=["https://app.example.com/healthz"])
    command: Annotated[tuple[Text, ...], Field(strict=False, max_length=100)] | None = Field(
        default=None, description="What to run, as arguments.", examples=[["check-api", "--timeout", "2s"]]
    )


class Health(_Table):
    """Live health checks after a deploy; for Nuon, not read here."""

    enabled: bool | None = Field(default=None, description="Whether health is checked.", examples=[False])
    stabilization_window: Duration | None = Field(
        default=None, description="How long health must hold after a deploy.", examples=["3m"]
    )
    block_deploy: bool | None = Field(default=None, description="Whether a deploy fails without it.", examples=[True])
    probes: Annotated[tuple[Probe, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="Further checks.", examples=[[{"type": "tcp", "url": "db.internal:5432"}]]
    )
    required_checks: Annotated[tuple[Text, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="Reported checks that a deploy waits for.", examples=[["licence"]]
    )


class ComponentConfig(_Table):
    """A ``kubernetes_manifest`` component.

    Its JSON (``model_dump(mode="json")``) is what is stored, and ``model_validate`` takes it back.
    """

    name: ComponentName = Field(
        description="The component's name, unique within the app; it becomes a part of the mirror's repository name.",
        examples=["vendor-app"],
    )
    type: Literal["kubernetes_manifest"] = Field(
        description="The kind of component; this one only.", examples=["kubernetes_manifest"]
    )
    namespace: Namespace = Field(
        description="The Kubernetes namespace to deploy to; may hold templates.",
        examples=["vendor", "{{.nuon.install.id}}"],
    )
    manifest: Manifest | None = Field(
        default=None,
        description=(
            "Source: the manifests as text, or the path of a YAML file in the app's folder, from the component's file "
            "or from the folder's top. The file's text, of at most 256 KiB, is what is handed in."
        ),
        examples=["./manifests/deployment.yaml"],
    )
    kustomize: Kustomize | None = Field(
        default=None,
        title="Kustomize",
        description="Source: an overlay, built from public_repo or connected_repo.",
        examples=[{"path": "overlays/production"}],
    )
    oci_artifact: OciArtifact | None = Field(
        default=None,
        title="OCI artifact",
        description="Source: rendered manifests that somebody has pushed to a registry.",
        examples=[{"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1"}],
    )
    public_repo: Repo | None = Field(
        default=None,
        title="Public repo",
        description="A public repository with the overlay; only with kustomize.",
        examples=[{"repo": "https://github.com/vendor/app", "directory": "deploy", "branch": "main"}],
    )
    connected_repo: Repo | None = Field(
        default=None,
        title="Connected repo",
        description="A repository connected to Nuon with the overlay; only with kustomize.",
        examples=[{"repo": "vendor/app", "directory": "deploy", "branch": "main"}],
    )
    dependencies: Annotated[tuple[Dependency, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="Components that are deployed before this one.", examples=[["database"]]
    )
    var_name: VarName | None = Field(
        default=None, description="The name of this component's outputs in templates.", examples=["vendor_app"]
    )
    drift_schedule: Schedule | None = Field(
        default=None, description="When to look for drift: cron, 5 fields.", examples=["0 2 * * *"]
    )
    build_timeout: Duration = Field(
        default="5m",
        description="How long a build may take from when it is begun, at most 1h.",
        examples=["90s", "30m"],
    )
    deploy_timeout: Duration = Field(
        default="15m", description="How long a deploy may take, at most 1h.", examples=["30m", "1h"]
    )
    max_auto_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, description="How often a failed deploy is tried again.", examples=[3]
    )
    skip_noops: bool = Field(
        default=False, description="Whether deploys that change nothing are skipped.", examples=[True]
    )
    auto_approve_on_policies_passing: bool = Field(
        default=False, description="Whether a deploy is approved once all policies pass.", examples=[True]
    )
    toggleable: bool = Field(default=False, description="Whether installs can switch it on and off.", examples=[True])
    default_enabled: bool = Field(
        default=True, description="Whether a toggleable component starts switched on.", examples=[False]
    )
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=64)] = Field(
        default={}, description="Labels of the component, all text.", examples=[{"team": "platform"}]
    )
    operation_roles: Annotated[tuple[OperationRole, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="Roles for single operations.", examples=[[{"operation": "deploy", "role": "deployer"}]]
    )
    health: Health | None = Field(
        default=None, title="Health", description="Live health checks.", examples=[{"stabilization_window": "3m"}]
    )

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        faults = rule_faults(self.model_dump(include={*SOURCES, "public_repo", "connected_repo"}))
        if faults:
            raise PydanticCustomError("rules", "{cause}", {"cause": faults[0].message})
        return self

    @property
    def source_type(self) -> SourceType:
        """Which of the three sources the component has."""
        if self.oci_artifact:
            return "oci_artifact"
        return "kustomize" if self.kustomize else "inline"

    @property
    def reference(self) -> Reference:
        """The artifact; raises ``SourceKindUnsupported`` for a component with another source."""
        artifact = self.oci_artifact
        if artifact is None:
            raise SourceKindUnsupported("The component's source is not an OCI artifact.")
        return Reference.of(artifact.url, tag=artifact.tag, digest=artifact.digest)


TABLES: Final = {
    "": tuple(ComponentConfig.model_fields),
    "oci_artifact": tuple(OciArtifact.model_fields),
    "kustomize": tuple(Kustomize.model_fields),
    "public_repo": tuple(Repo.model_fields),
    "connected_repo": tuple(Repo.model_fields),
    "operation_roles": tuple(OperationRole.model_fields),
    "health": tuple(Health.model_fields),
    "health.probes": tuple(Probe.model_fields),
}
"""The fields of every table by its path."""


class _EditorSchema(GenerateJsonSchema):
    """JSON Schema of what can stand in TOML, where an absent value is no key rather than null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        rendered = super().default_schema(schema)
        if rendered.get("default", ...) is None:
            del rendered["default"]
        return rendered


def render_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a component file: every rule that a schema can express, and words for editors."""
    schema = ComponentConfig.model_json_schema(schema_generator=_EditorSchema)
    schema["properties"]["labels"]["additionalProperties"] = False
    artifact = schema["$defs"]["OciArtifact"]
    artifact["anyOf"] = [
        {"required": ["tag"]},
        {"required": ["digest"]},
        {"properties": {"url": {"pattern": r"^oci://[^/]+/.*[:@]"}}},
    ]
    artifact["dependentSchemas"] = {
        "tag": {"properties": {"url": {"pattern": r"^oci://[^/]+/[^:@]*(?:@.*)?$"}}},
        "digest": {"properties": {"url": {"pattern": r"^[^@]*$"}}},
    }
    repos = [{"required": ["public_repo"]}, {"required": ["connected_repo"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Kubernetes manifest component",
        "description": "One component of an app, deployed from Kubernetes manifests.",
        "oneOf": [{"required": [source]} for source in SOURCES],
        "dependentSchemas": {"kustomize": {"oneOf": repos}},
        "dependentRequired": {"public_repo": ["kustomize"], "connected_repo": ["kustomize"]},
    }
