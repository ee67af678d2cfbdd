"""What the table has, as the API tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from byoa.api.callers import DeedOut, IssuerOut, TokenOut
from byoa.api.models import (
    AppOut,
    AttachmentOut,
    AttachmentsOut,
    BuildOut,
    ComponentOut,
    ConfigOut,
    OciArtifactRow,
    Resolved,
    ResourceName,
    ResourcesOut,
    StatusV2,
    TagMovedOut,
)
from byoa.api.registries import CredentialsOut, HookOut, PoliciesOut
from byoa.builds.messages import build_id_of
from byoa.components.rendering import fields_of, render_toml
from byoa.tracking.records import PROOFS
from byoa.trust.policy import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.api.doorkeeping import IssuerRule, TokenRecord
    from byoa.api.ports import App, Component, Deed
    from byoa.builds.messages import AttachedTo, Build, ConfigVersion, NamedObjects, Outcome
    from byoa.tracking.records import HookRecord
    from byoa.trust.allowed import Allowed
    from byoa.trust.ports import Entry


def moment(at_ts: int) -> str:
    """Milliseconds since 1970 UTC as RFC 3339 has them."""
    return datetime.fromtimestamp(at_ts / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def build_out(build: Build, *, whole: bool = True) -> BuildOut:
    """A build; not ``whole`` is without its history."""
    outcome = build.outcome
    status = StatusV2(
        status=build.status,
        status_human_description=build.status_human_description,
        created_at_ts=build.history[-1].created_at_ts,
        metadata=build.metadata,
        history=build.history if whole else [],
        history_left_out=build.left_out,
    )
    mirror = outcome.mirrors[0] if outcome and outcome.mirrors else None
    resolved = _resolved(build, outcome) if outcome and outcome.digest else None
    row = mirror and OciArtifactRow(
        repository=mirror.reference.removeprefix("oci://").partition("@")[0].removesuffix(f":{mirror.tag}"),
        tag=mirror.tag,
        digest=mirror.digest,
    )
    return BuildOut(
        id=build.build_id,
        org_id=build.organisation,
        app_id=build.app,
        component_id=build.component,
        component_name=build.component,
        component_config_connection_id=str(build.version),
        component_config_version=build.version,
        status=build.status,
        status_description=build.status_human_description,
        status_v2=status,
        source_type=build.source_type,
        reference=build.reference,
        credentials_ref=build.credentials_ref,
        resolved=resolved,
        oci_artifact=row,
        inspection=outcome.inspection if outcome else None,
        mirrors=outcome.mirrors if outcome else [],
        failure=outcome.failure if outcome else None,
        receipt_id=build.build_id if build.status == "active" else None,
        created_at=moment(build.history[0].created_at_ts),
        updated_at=moment(build.history[-1].created_at_ts),
        created_by_id=build.created_by,
    )


def _resolved(build: Build, outcome: Outcome) -> Resolved:
    """What was pinned, and when; a history that was too long may have left the moment out."""
    pinned = [each.created_at_ts for each in build.history if each.metadata.get("step") == "resolve"]
    return Resolved(tag=outcome.tag, digest=outcome.digest or "", resolved_at=moment(pinned[-1]) if pinned else None)


def app_out(organisation: str, app: App) -> AppOut:
    """An app."""
    here = f"/v1/apps/{app.name}"
    return AppOut(
        id=app.name,
        org_id=organisation,
        name=app.name,
        created_at=moment(app.created_at_ts),
        created_by_id=app.created_by,
        links={"self": here, "components": f"{here}/components", "builds": f"/v1/builds?app_id={app.name}"},
    )


def component_out(organisation: str, component: Component, build: Build | None) -> ComponentOut:
    """A component with its newest build."""
    here = f"/v1/apps/{component.app}/components/{component.name}"
    return ComponentOut(
        id=component.name,
        org_id=organisation,
        app_id=component.app,
        name=component.name,
        var_name=component.var_name,
        resolved_var_name=component.var_name or component.name.replace("-", "_"),
        type="kubernetes_manifest",
        status=build.status if build else "pending",
        status_description=build.status_human_description if build else "no config was handed in yet",
        config_versions=component.version,
        dependencies=list(component.dependencies),
        created_at=moment(component.created_at_ts),
        updated_at=moment(component.updated_at_ts),
        created_by_id=component.created_by,
        links={"self": here, "configs": f"{here}/configs", "builds": f"{here}/builds"},
        latest_build=build_out(build, whole=False) if build else None,
        tag_moved=_tag_moved(component),
    )


def _tag_moved(component: Component) -> TagMovedOut | None:
    moved = component.moved
    if moved is None or moved.version != component.version:
        return None
    return TagMovedOut(
        tag=moved.tag,
        digest_before=moved.before,
        digest_after=moved.after,
        noticed_at=moment(moved.at_ts),
        hook_id=moved.hook_id,
    )


def config_out(version: ConfigVersion, series: str, *, whole: bool = True) -> ConfigOut:
    """A config version; not ``whole`` is without what may be long. ``series`` is what builds' ids are made with."""
    config = version.config
    source: dict[str, Any] = {"namespace": config.namespace, "manifest": None, "kustomize": None, "oci_artifact": None}
    said = fields_of(config)
    source |= {name: said.get(name) for name in ("kustomize", "oci_artifact")}
    if whole:
        source["manifest"] = config.manifest
    return ConfigOut(
        id=str(version.version),
        org_id=version.organisation,
        app_id=version.app,
        component_id=version.component,
        component_name=version.component,
        type="kubernetes_manifest",
        version=version.version,
        build_id=build_id_of(version.key, series),
        kubernetes_manifest=source,
        component_dependency_ids=list(config.dependencies),
        references=[],
        checksum=version.fingerprint,
        build_timeout=config.build_timeout,
        deploy_timeout=config.deploy_timeout,
        drift_schedule=config.drift_schedule,
        operation_roles=[each.model_dump(mode="json") for each in config.operation_roles],
        labels=dict(config.labels),
        toml=(version.text or render_toml(config)) if whole else None,
        created_at=moment(version.created_at_ts),
        created_by_id=version.created_by,
    )


def credentials_out(entry: Entry) -> CredentialsOut:
    """Credentials, without what they say."""
    return CredentialsOut(
        ref=entry.name,
        type=entry.kind,
        host=entry.host,
        options=list(entry.options),
        version=entry.version,
        updated_at=entry.changed.isoformat() if entry.changed else None,
        last_used_at=entry.used.date().isoformat() if entry.used else None,
    )


def policies_out(allowed: Allowed) -> PoliciesOut:
    """An organisation's policies."""
    return PoliciesOut(
        references=list(allowed.references),
        verification=[],
        targets=list(TARGETS),
        version=allowed.version,
        updated_at=None if allowed.updated_at_ts is None else moment(allowed.updated_at_ts),
        updated_by_id=allowed.updated_by,
    )


def token_fields(record: TokenRecord, now_ts: int) -> dict[str, Any]:
    """What is shown of a token."""
    return {
        "id": record.id,
        "name": record.name,
        "token_type": "session" if record.parent else "byoa",
        "scopes": list(record.scopes),
        "install_ids": list(record.installs),
        "issued_at": moment(record.issued_at_ts),
        "expires_at": moment(record.expires_at_ts),
        "expired": record.expires_at_ts <= now_ts,
        "last_used_at": moment(record.last_used_ts) if record.last_used_ts else None,
        "created_by_id": record.created_by,
    }


def token_out(record: TokenRecord, now_ts: int) -> TokenOut:
    """A token, without itself."""
    return TokenOut(**token_fields(record, now_ts))


def hook_fields(record: HookRecord) -> dict[str, Any]:
    """What is shown of a hook."""
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "action": record.action,
        "proof": PROOFS[record.kind],
        "service_account": record.service_account,
        "audience": record.audience,
        "account": record.account,
        "region": record.region,
        "repository": record.repository,
        "created_at": moment(record.created_at_ts),
        "created_by_id": record.created_by,
    }


def hook_out(record: HookRecord) -> HookOut:
    """A hook, without its secrets."""
    return HookOut(**hook_fields(record))


def issuer_out(rule: IssuerRule) -> IssuerOut:
    """A rule on an issuer's tokens."""
    return IssuerOut(
        id=rule.id,
        name=rule.name,
        issuer=rule.issuer,
        audience=rule.audience,
        claims={name: list(patterns) for name, patterns in rule.claims.items()},
        scopes=list(rule.scopes),
        install_ids=list(rule.installs),
        sign_in=rule.signs_in,
        has_client_secret=rule.confidential,
        created_at=moment(rule.created_at_ts),
        created_by_id=rule.created_by,
    )


def resources_out(objects: NamedObjects) -> ResourcesOut:
    """The objects of a build's artifact."""
    split = ((kind, *name.rpartition("/")) for kind, names in objects.by_kind.items() for name in names)
    named = [ResourceName(kind=kind, namespace=namespace or None, name=name) for kind, namespace, _, name in split]
    return ResourcesOut(resources=named, left_out=objects.left_out)


def attachments_out(attached: Sequence[AttachedTo]) -> AttachmentsOut:
    """What is attached to a build's artifact."""
    return AttachmentsOut(attachments=[AttachmentOut(**each.model_dump()) for each in attached])


def deed_out(deed: Deed) -> DeedOut:
    """A line of the journal."""
    return DeedOut(
        id=deed.id,
        created_at=moment(deed.at_ts),
        token_id=deed.token_id,
        token_name=deed.token_name,
        operation=deed.what,
        path=deed.path,
        source_address=deed.address,
        status=deed.status or None,
    )
