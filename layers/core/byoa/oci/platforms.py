"""Platforms of an index's manifests: one has several spellings (containerd, platforms/database.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.oci.manifest import Descriptor

_SYSTEMS: Final = {"macos": "darwin"}
_ARCHITECTURES: Final = {
    "x86_64": ("amd64", ""), "x86-64": ("amd64", ""), "aarch64": ("arm64", ""), "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"), "i386": ("386", ""), "i486": ("386", ""), "i586": ("386", ""), "i686": ("386", ""),
}  # fmt: skip
_DEFAULTS: Final = {"arm64": "v8", "arm": "v7", "amd64": "v1"}
"""What a variant is where none is named."""


def platform_of(descriptor: Descriptor) -> str:
    """``os/architecture[/variant]`` as the index has it, "" where it names none."""
    parts = (descriptor.platform.get(name, "") for name in ("os", "architecture", "variant"))
    return "/".join(part for part in parts if part)


def pick(descriptors: Sequence[Descriptor], wanted: str) -> Descriptor | None:
    """The manifest for the platform ``wanted``. Who names no variant takes the usual one, or else any."""
    found = {descriptor: _normal(platform_of(descriptor)) for descriptor in reversed(descriptors)}
    names = {name: descriptor for descriptor, name in found.items()}
    goal = _normal(wanted)
    if goal in names or wanted.count("/") > 1:
        return names.get(goal)
    return next((names[name] for name in reversed(names) if name[:2] == goal[:2]), None)


def _normal(text: str) -> tuple[str, str, str]:
    system, _, rest = text.lower().partition("/")
    architecture, _, variant = rest.partition("/")
    architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
    variant = variant or implied or _DEFAULTS.get(architecture, "")
    return _SYSTEMS.get(system, system), architecture, f"v{variant}" if variant.isdecimal() else variant
