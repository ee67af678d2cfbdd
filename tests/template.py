"""The template as it is written, for tests that hold other files to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

ROOT: Final = Path(__file__).parents[1]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (``!Ref``); a class of its own, so that no other loader learns them."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def read_template() -> dict[str, Any]:
    """A fresh copy."""
    return dict(yaml.load((ROOT / "template.yaml").read_text(), _Loader))


TEMPLATE: Final = read_template()
