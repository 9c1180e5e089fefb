"""Who gave a drug, as charts write it: any case, any spelling, several credentials in one text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import ActsAs

__all__ = ["Role", "Roles"]

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Role:
    """A role by its short name, and in what capacity such a person gives a drug."""

    name: str
    acts_as: ActsAs


_MOST_KNOWN = 4_096
"""Texts of roles that are kept; free text could be without end."""


class Roles:
    """The roles of ``words.yaml``, found in the text of a chart.

    In use::

        roles.find("RN, BSN")        # Role("RN", "nurse")
        roles.find("PA-C")           # Role("PA", "practitioner")
        roles.find("clinic")         # None
    """

    __slots__ = ("_known", "_longest", "_phrases")

    def __init__(self, spellings: Iterable[tuple[str, Role]]) -> None:
        self._phrases: dict[tuple[str, ...], tuple[int, Role]] = {}
        for place, (spelling, role) in enumerate(spellings):
            self._phrases.setdefault(_words(spelling), (place, role))
        self._longest = max(map(len, self._phrases), default=0)
        self._known: dict[str, Role | None] = {}
        """Texts looked up before: charts hold few."""

    def find(self, text: str) -> Role | None:
        """The role that a text names: its longest spelling, and of two the one listed first."""
        if text not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _look_up(self, text: str) -> Role | None:
        words = _words(text)
        able = [
            (-length, *held)
            for length in range(1, min(self._longest, len(words)) + 1)
            for start in range(len(words) - length + 1)
            if (held := self._phrases.get(words[start : start + length])) is not None
        ]
        return min(able, key=lambda phrase: phrase[:2])[2] if able else None


def _words(text: str) -> tuple[str, ...]:
    """The words of a text without case; the dots of an abbreviation are no spaces."""
    return tuple(_WORD.findall(text.casefold().replace(".", "")))
