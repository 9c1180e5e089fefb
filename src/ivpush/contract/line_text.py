"""Lines of a claim in a few signs, as people write them: writers, drawings and reports share it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

__all__ = ["Line", "code_and_units", "code_with_modifiers", "marked"]


class Line(Protocol):
    """A line that is billed or suggested."""

    @property
    def code(self) -> str:
        """The code."""

    @property
    def modifiers(self) -> tuple[str, ...]:
        """Its modifiers."""

    @property
    def units(self) -> int:
        """Its units."""


def marked(code: str, modifiers: Iterable[str]) -> str:
    """A code and its modifiers: ``CODE-MODIFIER``."""
    return "-".join((code, *modifiers))


def code_with_modifiers(line: Line) -> str:
    """The code of a line with its modifiers: ``CODE-MODIFIER``."""
    return marked(line.code, line.modifiers)


def code_and_units(line: Line) -> str:
    """The same with its units: ``CODE-MODIFIER x UNITS``."""
    return f"{code_with_modifiers(line)} x {line.units}"
