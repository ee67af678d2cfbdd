"""The page "When something is refused": it has every refusal that a user can meet, each with an example."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from byoa.errors import DuplicateEvent, EventUntrusted, ReferrersUnknown, Rejected, leaves
from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from byoa.errors import ByoaError

PAGE: Final = (ROOT / "docs" / "refused.md").read_text()
SECTIONS: Final = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
UNSEEN: Final = {EventUntrusted, DuplicateEvent, ReferrersUnknown}
"""What the platform tells itself, and what a mirror only notes: nothing ends with either."""

MET: Final = [leaf for leaf in leaves(Rejected) if leaf not in UNSEEN]


def test_every_refusal_has_a_section_and_nothing_else_has() -> None:
    assert sorted(SECTIONS) == sorted(leaf.__name__ for leaf in MET)


@pytest.mark.parametrize("leaf", MET, ids=lambda leaf: leaf.__name__)
def test_a_section_shows_the_refusal_and_the_next_step(leaf: type[ByoaError]) -> None:
    shown = re.findall(r"^```(?:console|text)\n(.*?)^```", SECTIONS[leaf.__name__], re.MULTILINE | re.DOTALL)
    assert any(re.search(rf"error .*\b{leaf.__name__}\b.*(?s:.*)^  next: ", text, re.MULTILINE) for text in shown)
