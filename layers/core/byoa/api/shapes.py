"""What all that is taken, and all that is answered, have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Name = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,128}$")]
CredentialName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
Audience = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]


class Taken(BaseModel):
    """What is taken: nothing that isn't known."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Shown(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
