"""Every failure that a user can meet, and whether another try can help.

The tree is the retry policy. Step Functions sees a Python exception's class name and knows no inheritance, so the
names of the leaves are public API: they are the stable ``code`` of a failed build and stand by name in
``statemachine/build.asl.yaml``.

    ByoaError
    ├── Rejected    the user must change something: never retried
    ├── Transient   worth another try; may carry ``retry_after`` (seconds)
    ├── Corrupt     bytes are not what they claim: never retried, alarms
    └── Fault       a defect or an outage of our own: never retried, alarms

A cause names what happened and quotes nothing that a remote chose; a remedy says what to do next. ``docs/errors.md``
lists all leaves.
"""

from __future__ import annotations

import json
from typing import ClassVar, Self


class ByoaError(Exception):
    """A failure with a stable code, a cause, a remedy, and the place where it happened.

    ``where`` is ``source``, the name of a target, the path of a config field, or the layer and the file of an artifact;
    ``None`` where there is no such place.
    """

    default_remedy: ClassVar[str] = ""

    def __init__(self, cause: str, *, remedy: str = "", where: str | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy or self.default_remedy
        self.where = where
        self.given_up = False
        """Whether it was tried as often as is worth it: whoever called needn't try again."""

    @property
    def code(self) -> str:
        """The stable name of this kind of failure."""
        return type(self).__name__

    def at(self, where: str) -> Self:
        """This error, placed at ``where`` unless it already knows its place."""
        self.where = self.where or where
        return self

    def as_dict(self) -> dict[str, str | None]:
        """``{"code", "cause", "remedy", "where"}``, as shown to people and kept with a build."""
        return {"code": self.code, "cause": self.cause, "remedy": self.remedy, "where": self.where}

    def as_json(self) -> str:
        """The same as one line of JSON: what crosses from a function to the state machine."""
        return json.dumps(self.as_dict(), ensure_ascii=True)


class Rejected(ByoaError):
    """The user must change something."""


class Transient(ByoaError):
    """Another try may succeed."""

    def __init__(
        self, cause: str, *, remedy: str = "", where: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(cause, remedy=remedy, where=where)
        self.retry_after = retry_after


class Corrupt(ByoaError):
    """Bytes are not what they claim to be."""


class Fault(ByoaError):
    """A defect or an outage on our side."""


class ConfigInvalid(Rejected):
    """A component file breaks a rule of its format."""

    default_remedy = "Run `byoa validate` and mend the fields it names."


class EditRefused(Rejected):
    """A component file can't be changed by its fields."""

    default_remedy = "Change the file's text itself."


class ReferenceInvalid(Rejected):
    """A reference breaks the grammar."""

    default_remedy = "Write oci://HOST[:PORT]/REPOSITORY with a tag or a digest, all in lower case."


class ReferenceUnsupported(Rejected):
    """A sound reference of a kind that is not served."""

    default_remedy = "Name an artifact in an OCI registry as oci://HOST/REPOSITORY."


class ReferenceNotFound(Rejected):
    """The registry has no such repository, tag or digest, or doesn't show it to us."""

    default_remedy = (
        "Check the repository and the tag, and that the artifact was pushed; a private one needs credentials."
    )


class DigestUnsupported(Rejected):
    """A digest of an algorithm other than sha256 and sha512."""

    default_remedy = "Use the sha256 digest that the registry reports."


class TenantForbidden(Rejected):
    """The reference leads to what another organisation owns, or to the platform's own registry."""

    default_remedy = "Name the vendor's own registry."


class ReferenceForbidden(Rejected):
    """The organisation's own policies don't let its builds read what the reference names."""

    default_remedy = (
        "Name a repository that `byoa policies get` shows, or have somebody with the scope admin allow this one."
    )


class CredentialForbidden(Rejected):
    """The organisation has no credentials of that name, or they may not be used for this."""

    default_remedy = "Take a name that `byoa credentials list` shows, or store them with `byoa credentials set`."


class CredentialMalformed(Rejected):
    """Stored credentials can't be read."""

    default_remedy = "Log in again with the registry's client (for example `docker login HOST`)."


class CredentialHostMismatch(Rejected):
    """Stored credentials are for another registry than the reference names."""

    default_remedy = "Name credentials of this very host and port; `byoa credentials list` shows whose they are."


class EndpointBlocked(Rejected):
    """An address that the platform doesn't connect to: it isn't a public one."""

    default_remedy = "Use a registry with a public address; a platform's operator may open further ones."


class AuthFailed(Rejected):
    """The registry refused the credentials, or wants some where none were given."""

    default_remedy = (
        "Log in as somebody who may, for example with `docker login HOST`; "
        "a build uses what its config names (credentials_ref)."
    )


class InsecureTransport(Rejected):
    """A registry that must speak TLS sends us to an address without it."""

    default_remedy = "Serve the registry and its token service over https."


class RedirectRefused(Rejected):
    """A registry redirects to where we don't follow."""

    default_remedy = "Name the registry by the address that answers by itself."


class RealmRefused(Rejected):
    """A registry names a token service that may not have its credentials."""

    default_remedy = "If the token service is the registry's own, name its host with --token-host."


class RegistryProtocolError(Rejected):
    """A registry's answer doesn't follow the distribution spec."""

    default_remedy = "Tell the registry's operator; the same request will get the same answer."


class ReferrersUnknown(Rejected):
    """A registry doesn't tell what is attached to an artifact."""

    default_remedy = "Let its operator open the list of referrers; --no-referrers mirrors the artifact alone."


class ManifestInvalid(Rejected):
    """A manifest breaks the image spec."""

    default_remedy = "Push the artifact again with a current client."


class ManifestTooLarge(Rejected):
    """A manifest is larger than 4 MiB."""

    default_remedy = "Split the artifact; registries need not accept larger manifests."


class ManifestAmbiguous(Rejected):
    """A manifest that two readers could take for two different things."""

    default_remedy = "Push the artifact again with a current client."


class MediaTypeUnsupported(Rejected):
    """An artifact, or a part of it, of a kind that cannot be used here."""

    default_remedy = "Push rendered Kubernetes manifests, for example with `flux push artifact` or `oras push`."


class GraphLimit(Rejected):
    """An artifact of too many, or too deeply nested, parts."""

    default_remedy = "Put the manifests into one layer of one artifact."


class ContentTooLarge(Rejected):
    """A blob, or what it expands to, is over the limit."""

    default_remedy = "Put nothing but Kubernetes manifests into the artifact."


class ArchiveInvalid(Rejected):
    """A layer is not the archive it claims to be."""

    default_remedy = "Pack the manifests again as tar+gzip."


class ArchiveEntryForbidden(Rejected):
    """An archive holds an entry that no set of manifests needs."""

    default_remedy = "Pack plain files and folders only, by relative names, each once."


class DocumentInvalid(Rejected):
    """A document is not a Kubernetes object."""

    default_remedy = "Give every document apiVersion, kind and metadata.name; try `kubectl apply --dry-run=client`."


class DocumentLimit(Rejected):
    """YAML over a limit of size, depth or count."""

    default_remedy = "Split large documents and files; let aliases and merge keys repeat less."


class ContentNotFound(Rejected):
    """An artifact without a single Kubernetes object."""

    default_remedy = "Push the rendered manifests themselves (.yaml, .yml or .json)."


class FileUnreadable(Rejected):
    """A file that is to be packed can't be read."""

    default_remedy = "Check its name, that it is a plain file, and that you may read it."


class RenderFailed(Rejected):
    """A kustomization that nothing here renders."""

    default_remedy = "Mend what the renderer says; `kustomize build` and `kubectl kustomize` say the same."


class PlatformChanged(Rejected):
    """One platform of an index was asked for, whose digest isn't the index's."""

    default_remedy = "Mirror the whole index, or add --new-digest to have the platform's own digest."


class SourceKindUnsupported(Rejected):
    """A source kind that this pipeline doesn't build."""

    default_remedy = "Render the manifests and push them as an artifact, then name it under [oci_artifact]."


class BuildNotFound(Rejected):
    """The organisation has no such build."""

    default_remedy = "Take an id that `byoa builds list` shows, of the same organisation and table."


class IssuerUnusable(Rejected):
    """An issuer of tokens whose keys can't be had."""

    default_remedy = (
        "Write the issuer as its tokens do (iss); its keys are looked for below it, as OpenID Connect Discovery says."
    )


class EventUntrusted(Rejected):
    """An event names a config version that was never accepted."""

    default_remedy = "Change configs through `byoa sync`; events alone start nothing."


class DuplicateEvent(Rejected):
    """An event whose build another execution already runs."""

    default_remedy = "Nothing to do: the first execution goes on."


class BuildTimedOut(Rejected):
    """A build took longer than its component's build_timeout lets it."""

    default_remedy = "Give the component a longer build_timeout, at most 1h, or see why its registry is slow."


class BuildCancelled(Rejected):
    """Somebody stopped the build, or deleted its component."""

    default_remedy = "Build the component again, or hand in its config, when it is wanted."


class QuotaExceeded(Rejected):
    """An organisation's builds of one day would take more bytes than it has."""

    default_remedy = "Sync again after midnight UTC, or have the platform's operators raise OrganisationBytesPerDay."


class StaleVersion(Rejected):
    """A newer config version has overtaken this build."""

    default_remedy = "Follow the build of the newest config version."


class TargetConflict(Rejected):
    """The target holds other content under this tag and won't let it move."""

    default_remedy = "Choose another tag; an immutable tag keeps its first content."


class TargetForbidden(Rejected):
    """The target refuses what its permissions don't allow."""

    default_remedy = "Log in as somebody who may push there; a stack's role needs what docs/architecture.md lists."


class PlatformForbidden(Rejected):
    """AWS refuses the credentials that were used, or there are none."""

    default_remedy = "Log in to AWS as somebody who may use the stack, for example with AWS_PROFILE."


class PlatformMissing(Rejected):
    """A part of the stack is not where it was looked for."""

    default_remedy = "Name the stack's table with --table or BYOA_TABLE; the stack's outputs have it."


class ClusterAccessInvalid(Rejected):
    """What says how a cluster is reached can't be used."""

    default_remedy = (
        "Give a server (https), its authority and a token, or a kubeconfig that holds these; no program that one names "
        "is run."
    )


class ClusterUntrusted(Rejected):
    """Who answers at a cluster's address has no certificate that its authority vouches for."""

    default_remedy = (
        "Give the cluster's own authority (--ca, or certificate-authority-data in a kubeconfig), and the name that it "
        "vouches for."
    )


class ClusterForbidden(Rejected):
    """A cluster refuses the login, or what it may do doesn't reach."""

    default_remedy = "Renew the login, or have a cluster's administrator grant what is named."

    def __init__(self, cause: str, *, remedy: str = "", where: str | None = None, granting: bool = False) -> None:
        super().__init__(cause, remedy=remedy, where=where)
        self.granting = granting
        """Whether it is about rights that are granted to others."""


class KindUnknown(Rejected):
    """An object of a kind that the cluster doesn't serve and the artifact doesn't define."""

    default_remedy = "Install what defines the kind first, or put its CustomResourceDefinition into the artifact."


class NamespaceMissing(Rejected):
    """An object in a namespace that neither the cluster nor the artifact has."""

    default_remedy = "Create the namespace, or put it into the artifact."


class ObjectInvalid(Rejected):
    """The cluster's API refuses an object as it is."""

    default_remedy = "Mend the object in the artifact; `kubectl apply --server-side --dry-run=server` says the same."

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "",
        where: str | None = None,
        fields: tuple[str, ...] = (),
        perhaps_immutable: bool = False,
    ) -> None:
        super().__init__(cause, remedy=remedy, where=where)
        self.fields = fields
        """The fields that are told, as paths."""
        self.perhaps_immutable = perhaps_immutable
        """Whether a new object may be what a live one can't become: the API has one answer for both."""


class ObjectOwned(Rejected):
    """An object that another install, or another component, has applied."""

    default_remedy = (
        "Take it out of one of the two artifacts, give it another name or namespace, or take it over by its name "
        "(--take-over KIND/NAMESPACE/NAME)."
    )


class FieldConflict(Rejected):
    """Somebody else holds fields of an object, and it can't be applied without them."""

    default_remedy = "Leave the fields out of the artifact, or take them over by their owner's name (--take-over)."

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "",
        where: str | None = None,
        conflicts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(cause, remedy=remedy, where=where)
        self.conflicts = conflicts
        """Pairs of an owner and a field (``.spec.replicas``), as the API names them."""


class TemplateInvalid(Rejected):
    """A placeholder of Nuon's that the install can't fill in."""

    default_remedy = "Give the install the input, or write {{ .nuon.PATH }} with default, quote or b64enc at most."


class ApprovalMissing(Rejected):
    """A plan deletes or recreates what only goes when it is approved by name."""

    default_remedy = "Look at the plan, and approve each by its name (--approve; in `byoa installs`, --part)."


class PlanChanged(Rejected):
    """What would be done now is not what was planned and approved."""

    default_remedy = "Plan again, look at what changed, and approve that."


class DeploySuperseded(Rejected):
    """A newer deploy of the same component has begun meanwhile."""

    default_remedy = "Follow the newer one; what it doesn't want it prunes."


class DependenciesCyclic(Rejected):
    """Components of an app depend on each other, so none of them can be the first."""

    default_remedy = "Take one of them out of the other's dependencies."


class DependencyFailed(Rejected):
    """A deploy waited for one of another component that didn't go well."""

    default_remedy = "Mend that, and deploy the other component again with its dependents."


class DeployCancelled(Rejected):
    """Somebody stopped the deploy, or nobody answered to its plan in time."""

    default_remedy = "Deploy again when it is wanted; what was applied until then stays, tracked."


class DeployTimedOut(Rejected):
    """A deploy took longer than its component's deploy_timeout lets it."""

    default_remedy = "Deploy again: it goes on from there; or give the component a longer deploy_timeout, at most 1h."


class AgentSilent(Rejected):
    """Nobody asked for the deploys of an install that an agent looks after."""

    default_remedy = (
        "Start the install's agent (`byoa install run`), or look at its log and its token; then deploy again: what was "
        "applied until then stays, tracked."
    )


class InstallUnhealthy(Rejected):
    """What was applied doesn't get healthy in its time, or has failed."""

    default_remedy = "See the reasons; what was applied stays, tracked, and the next deploy goes on from there."


class LoginMissing(Rejected):
    """The command line has no token for the API."""

    default_remedy = "Log in with `byoa login`, or set BYOA_TOKEN; somebody with the scope admin makes tokens."


class ProfileUnreadable(Rejected):
    """The command line's own settings can't be read or kept."""

    default_remedy = "Mend the file, or remove it and log in again with `byoa login`."


class LockMismatch(Rejected):
    """What is handed in isn't what the app's lock says."""

    default_remedy = (
        "Where what moved is wanted, run `byoa sync` (for a tag after `byoa builds create NAME`), and commit byoa.lock."
    )


class ApiRefused(Rejected):
    """The API refuses what it is asked for."""

    default_remedy = "See the API's reference for what this needs."

    def __init__(self, cause: str, *, remedy: str = "", where: str | None = None, problem: str = "") -> None:
        super().__init__(cause, remedy=remedy, where=where)
        self.problem = problem
        """The API's own code."""

    def as_dict(self) -> dict[str, str | None]:
        """The same as of every error, with the API's own code as ``problem``."""
        return {**super().as_dict(), "problem": self.problem or None}


class ApiUnusable(Rejected):
    """What answers is no API of BYOA's, or one that this version doesn't know."""

    default_remedy = "Check the address (--api, BYOA_API or the profile's), and that byoa is as new as the platform."


class RegistryThrottled(Transient):
    """A registry asks us to slow down."""

    default_remedy = "Try again later, or use credentials with a higher rate limit."


class RegistryUnavailable(Transient):
    """A registry can't be reached or fails on its side."""

    default_remedy = "Check the host name and the registry's status, then try again."


class ShortRead(Transient):
    """A download broke off."""

    default_remedy = "Try again."


class StoreThrottled(Transient):
    """An AWS store asks us to slow down or is briefly out."""

    default_remedy = "Try again in a minute."


class SecretUnavailable(Transient):
    """The store of credentials doesn't answer, or asks us to slow down."""

    default_remedy = "Try again in a minute."


class TargetThrottled(Transient):
    """The target registry asks us to slow down."""

    default_remedy = "Try again in a minute."


class TargetIncomplete(Transient):
    """The target refuses a manifest because it misses a part it had said it has."""

    default_remedy = "Try again."


class UploadLost(Transient):
    """The target has forgotten an upload that was on its way."""

    default_remedy = "Try again."


class Timeout(Transient):
    """A step did not end within its time."""

    default_remedy = "Try again; if it repeats, look at the size of the artifact and the speed of its registry."


class OfCluster(Transient):
    """Another try at a cluster may succeed. No build meets these."""


class ClusterUnavailable(OfCluster):
    """A cluster's API can't be reached, or fails on its side."""

    default_remedy = "Check the cluster's address and state, then try again."


class ClusterThrottled(OfCluster):
    """A cluster's API asks to slow down."""

    default_remedy = "Try again in a minute."


class ObjectBusy(OfCluster):
    """An object, or its namespace, changes or goes away at the moment."""

    default_remedy = "Try again; what goes away for long has a finalizer that nobody serves."

    def __init__(
        self,
        cause: str,
        *,
        remedy: str = "",
        where: str | None = None,
        retry_after: float | None = None,
        stale: bool = False,
    ) -> None:
        super().__init__(cause, remedy=remedy, where=where, retry_after=retry_after)
        self.stale = stale
        """Whether it isn't in the state any more that was named: nothing was done to it."""


class DeployBusy(OfCluster):
    """Another deploy of the same component still writes to the cluster."""

    default_remedy = "Nothing to do: this one goes on when the other has ended; that one can be cancelled."


class DigestMismatch(Corrupt):
    """Bytes that don't hash to the digest they were asked for by."""

    default_remedy = "Push the artifact again; if it repeats, the registry or the path to it alters content."


class SizeMismatch(Corrupt):
    """More or fewer bytes than the descriptor says."""

    default_remedy = "Push the artifact again; if it repeats, the registry or the path to it alters content."


class ReceiptInvalid(Corrupt):
    """A receipt that no signature by the given key vouches for."""

    default_remedy = "Get it again with `byoa receipt get`, and its key with `byoa receipt key` from who ran the build."


class InventoryInvalid(Corrupt):
    """The list of what was applied can't be read."""

    default_remedy = "Restore the ConfigMap that holds it; nothing is deleted as long as it can't be read."


class InternalFault(Fault):
    """The platform failed in a way it doesn't know."""

    default_remedy = "Sync again; if it repeats, give the build's id to the platform's operators."


class ApiUnavailable(Fault):
    """The API can't be reached, asks to slow down, or fails on its side."""

    default_remedy = "Check the address (--api, BYOA_API or the profile's) and the network, then try again."


def leaves(root: type[ByoaError] = ByoaError) -> list[type[ByoaError]]:
    """All leaf classes below ``root``, in order of definition."""
    found: list[type[ByoaError]] = []
    for child in root.__subclasses__():
        found.extend(leaves(child) or [child])
    return found
