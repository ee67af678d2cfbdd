"""Bundles made for the loads and for tests: custom resource definitions of the shapes that public projects install.

Sizes and shapes are those of Crossplane, Argo CD, Istio or the Prometheus operator: schemas of a dozen levels, half of
the bytes descriptions, single documents of over 1 MiB among many small ones. Nothing of theirs is in here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROSE = """
the name of a resource that this field refers to must be set when policy is enabled and defaults to false otherwise
controller reconciles objects within its namespace cluster value list of items optional status
"""
_WORDS = _PROSE.split()
_HEAD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things{number}.vendor.example
spec:
  group: vendor.example
  names: {{kind: Thing{number}, listKind: Thing{number}List, plural: things{number}, singular: thing{number}}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
"""
_LEVELS = 4
_LEAVES = 0.3


def bundle(size: int, objects: int) -> str:
    """A file of about ``size`` bytes with so many objects, the same each time."""
    return "---\n".join(definition(number, size // objects) for number in range(objects))


def definition(number: int, size: int) -> str:
    """One definition of at least ``size`` bytes; another one for each ``number``."""
    chance = random.Random(number)
    lines = [_HEAD.format(number=number)]
    length, group = len(lines[0]), 0
    while length < size:
        piece = "\n".join(_field(chance, f"group{group}", 10, _LEVELS if size > length + 2000 else 0)) + "\n"
        lines.append(piece)
        length, group = length + len(piece), group + 1
    return "".join(lines)


def _field(chance: random.Random, name: str, indent: int, levels: int) -> Iterator[str]:
    """The schema of one field, with those within it."""
    left = " " * indent
    yield f"{left}{name}:"
    yield f"{left}  description: {' '.join(chance.choice(_WORDS) for _ in range(chance.randint(4, 40)))}."
    if not levels or chance.random() < _LEAVES:
        yield f"{left}  type: {chance.choice(('string', 'integer', 'boolean'))}"
        return
    yield f"{left}  type: object"
    yield f"{left}  required: [field0]"
    yield f"{left}  properties:"
    for number in range(chance.randint(1, 4)):
        yield from _field(chance, f"field{number}", indent + 4, levels - 1)
