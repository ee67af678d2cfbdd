"""What the events in `events/` are about: an artifact at the vendor's, and the configs and builds in the table.

`flux` is built by hand, one `sam local invoke` after the other; `stopped` is ended by RecordStopped; of `published`
PublishChanges tells the bus, and the desk's own pipeline builds it. Each kind of hook has one whose secrets are in its
delivery in `events/hooks/`.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Any

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.hooks import DynamoHooks
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SystemClock
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.tracking.records import KINDS, PROOFS, HookRecord, seal
from local import private
from local.demo import TAG, public, push
from local.desk import APP, ORGANISATION
from local.processes import DeskError

if TYPE_CHECKING:
    from byoa.components.reading import ComponentConfig
    from byoa.tracking.records import Kind
    from local.desk import Desk

ARTIFACT = "flux"
SERVICE_ACCOUNT = "byoa@vendor-project.iam.gserviceaccount.com"
COMPONENTS = ("flux", "stopped", "published")


def push_artifacts(running: Desk) -> None:
    """What a vendor has: the public artifact, and those of the private places."""
    for place in (*public(running, [ARTIFACT]), *private.places(running)):
        push(place)


def put_samples(running: Desk) -> None:
    """What is in the table. Raises DeskError when that has builds of these names already.

    These are builds that go on by hand alone: of no use where `sam local` has no container engine.
    """
    with contextlib.closing(running.client("dynamodb")) as client:
        client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", _without_news)
        ledger = DynamoLedger(client, running.outputs["TableName"], SystemClock(), series="")
        hooks = DynamoHooks(ORGANISATION, Rows(client, running.outputs["TableName"]))
        for kind in KINDS:
            hooks.add(sample_hook(kind))
        for name in COMPONENTS:
            accepted = ledger.submit(ORGANISATION, APP, _config(running, name))
            if not accepted.created:
                raise DeskError(f"The table has a component {name} already.", "Run `make down` and `make up`.")
            if name == "stopped":
                begun = entry("planning", "begun by an execution that is stopped", SystemClock().now())
                ledger.begin(accepted.build.key, "sample", begun)


def sample_hook(kind: Kind) -> HookRecord:
    """The hook that the sample of a kind is delivered to."""
    secret = sample_secret(kind)
    return HookRecord(
        organisation=ORGANISATION,
        id=f"hoksample{kind}".ljust(26, "2"),
        name=f"sample of {kind}",
        kind=kind,
        action="build" if kind == "generic" else "note",
        digest=hashlib.sha256(secret.encode()).hexdigest(),
        created_at_ts=1767225600000,
        created_by="sample",
        sealed=seal(sample_proving(kind), secret) if PROOFS[kind] in ("signature", "header") else None,
        service_account=SERVICE_ACCOUNT if kind == "gar" else None,
        audience="byoa:sample" if kind == "gar" else None,
    )


def sample_secret(kind: Kind) -> str:
    """The secret of its address."""
    return f"sample-{kind}-".ljust(43, "0")


def sample_proving(kind: Kind) -> bytes:
    """What its deliveries are proved with."""
    return hashlib.sha256(f"sample {kind}".encode()).digest()


def _config(running: Desk, name: str) -> ComponentConfig:
    checked = check_config(
        f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
        f'[oci_artifact]\nurl = "oci://{running.vendor}/vendor/{ARTIFACT}"\ntag = "{TAG}"\n'
    )
    if not checked.config:
        raise DeskError(f"The sample {name} is no config: {checked.faults}.", "Mend local/samples.py.")
    return checked.config


def _without_news(params: dict[str, Any], **_: object) -> None:
    """The table's stream passes on what is news and nothing else: so nobody builds what is written here."""
    for write in params["TransactItems"]:
        write.get("Put", {}).get("Item", {}).pop("news", None)
