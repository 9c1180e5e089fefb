"""How the corrected claim mends what a rule finds: a closed set of edits, read when the pack loads.

``pack.rule`` reads them, ``claim.correction`` carries them out on single lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from ivpush.pack.shapes.rules import EditChoice, EditWord

__all__ = [
    "AddModifier",
    "Corrected",
    "DropModifiers",
    "LineEdit",
    "Remove",
    "RuleEdit",
    "Successor",
    "read_edit",
]


@dataclass(frozen=True, slots=True)
class Corrected:
    """The whole claim is sent as the chart supports it."""

    def __str__(self) -> str:
        return "corrected"


@dataclass(frozen=True, slots=True)
class Remove:
    """The line is taken off the claim."""

    def __str__(self) -> str:
        return "remove"


@dataclass(frozen=True, slots=True)
class Successor:
    """The code that replaced the line's is billed instead."""

    def __str__(self) -> str:
        return "code successor"


@dataclass(frozen=True, slots=True)
class AddModifier:
    """The modifier of a kind of modifiers.yaml is added."""

    kind: str

    def __str__(self) -> str:
        return f"add_modifier {self.kind}"


@dataclass(frozen=True, slots=True)
class DropModifiers:
    """The modifier of a kind is taken off; ``separate`` is every one that sets a service apart."""

    kind: str

    def __str__(self) -> str:
        return f"drop_modifiers {self.kind}"


LineEdit = Remove | Successor | AddModifier | DropModifiers
"""An edit of one line by itself."""
RuleEdit = LineEdit | Corrected


def read_edit(shape: EditWord | EditChoice | None) -> RuleEdit | None:
    """The edit that a rule file writes."""
    if shape is None:
        return None
    if not isinstance(shape, EditChoice):
        return Remove() if shape == "remove" else Corrected()
    if shape.add_modifier is not None:
        return AddModifier(shape.add_modifier)
    if shape.drop_modifiers is not None:
        return DropModifiers(shape.drop_modifiers)
    # EditChoice holds exactly one key, and the third can only say this.
    return Successor()
