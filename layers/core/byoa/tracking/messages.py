"""What travels when somebody pushed: what hooks tell the bus, what ECR tells, and that a tag moved."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from byoa.builds.messages import BuildKey, Label, Message, OrganisationId

REGISTRY_PUSHED: Final = "Registry Pushed"
TAG_MOVED: Final = "Component Tag Moved"
HOOKS_SOURCE: Final = "io.byoa.hooks"
ECR_SOURCE: Final = "aws.ecr"

TAGS: Final = 50
"""How many tags one push may name: each is a query, and at most a request to the registry."""

HookId = Annotated[str, StringConstraints(pattern=r"^hok[a-z2-7]{23}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]


class RegistryPushed(Message):
    """The detail of a "Registry Pushed" event: whoever knows a hook's secret says that these tags were pushed.

    ``registry`` and ``repository`` are as references have them. ``delivery`` is what another delivery of the same is
    known by, where the kind has that, ``token`` Google's, which is still to be verified. What is to be done about it
    isn't here: the hook's record says so.
    """

    organisation: OrganisationId
    hook_id: HookId
    kind: str
    registry: Text
    repository: Text
    tags: Annotated[list[Tag], Field(min_length=1, max_length=TAGS)]
    delivery: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    token: Annotated[str, StringConstraints(max_length=8192)] | None = Field(default=None, repr=False)


class EcrPushed(Message):
    """The detail of ECR's own event "ECR Image Action"; fields that nothing reads are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    result: Literal["SUCCESS"]
    action_type: Annotated[Literal["PUSH"], Field(alias="action-type")]
    repository: Annotated[Text, Field(alias="repository-name")]
    tag: Annotated[Tag | Literal[""], Field(alias="image-tag")] = ""


class Notice(Message):
    """An event as EventBridge hands it over. A retry is known by its id."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    source: Literal["io.byoa.hooks", "aws.ecr"]
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] = "000000000000"
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = ""
    detail: RegistryPushed | EcrPushed


class Followed(Message):
    """What became of a notice: how many components name what was pushed, and what was found of their tags.

    ``repeated`` is a notice that was heeded before, ``refused`` one whose hook is gone or whose token is none of its;
    ``failed`` counts components whose registry, or whose organisation's policies, refused.
    """

    components: int = 0
    moved: int = 0
    failed: int = 0
    repeated: bool = False
    refused: bool = False


class Moved(Message):
    """A tag that means something else than what the component's config ``version`` was built of.

    ``hook_id`` is the hook by which that was noticed, ``None`` for a push to ECR that the organisation has none for.
    """

    version: int
    tag: str
    before: str
    after: str
    at_ts: int
    hook_id: HookId | None = None


class TagMoved(BuildKey):
    """The detail of a "Component Tag Moved" event. ``version`` is the config whose build pinned ``before``."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    organisation: OrganisationId
    app: Label
    component: Label
    tag: str
    before: str
    after: str
    moved_at_ts: int
    hook_id: HookId | None = None


class BuiltAgain(Message):
    """What became of a tag that moved: the id of the build that was made anew, or ``None`` and why none was made."""

    build_id: str | None
    reason: str
