"""What all that is taken, and all that is answered, have in common."""

from pydantic import BaseModel, ConfigDict


class Taken(BaseModel):
    """What is taken: nothing that isn't known."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Shown(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
