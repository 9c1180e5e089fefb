"""What charts write in many spellings: who gave a drug, and the device that delivers it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import ActsAs

__all__ = ["Role", "Spellings"]

Meaning = TypeVar("Meaning")

# Hyphens and slashes split: PA-C is PA with a credential, RN/BSN is two words.
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Role:
    """A role by its short name, and in what capacity such a person gives a drug."""

    name: str
    acts_as: ActsAs


_MOST_KNOWN = 4_096
"""Texts that are kept; free text could be without end."""


class Spellings(Generic[Meaning]):
    """Words of ``words.yaml``, found in the text of a chart in any case and with or without dots.

    In use::

        roles.find("RN, BSN")        # Role("RN", "nurse")
        roles.find("PA-C")           # Role("PA", "practitioner")
        roles.find("clinic")         # None
    """

    __slots__ = ("_known", "_longest", "_phrases")

    def __init__(self, spellings: Iterable[tuple[str, Meaning]]) -> None:
        self._phrases: dict[tuple[str, ...], tuple[int, Meaning]] = {}
        for place, (spelling, meaning) in enumerate(spellings):
            # Of two spellings alike after folding, the one listed first keeps the place.
            self._phrases.setdefault(_words(spelling), (place, meaning))
        self._longest = max(map(len, self._phrases), default=0)
        self._known: dict[str, tuple[Meaning | None]] = {}
        """Texts looked up before: charts hold few."""

    def find(self, text: str) -> Meaning | None:
        """What a text names: its longest spelling, and of two the one listed first."""
        held = self._known.get(text)  # one look: another thread may empty it at any time
        if held is None:
            # Cleared whole: to note which were used last would cost more than to look up again.
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            held = self._known[text] = (self._look_up(text),)
        return held[0]

    def _look_up(self, text: str) -> Meaning | None:
        words = _words(text)
        able = [
            (-length, *held)
            for length in range(1, min(self._longest, len(words)) + 1)
            for start in range(len(words) - length + 1)
            if (held := self._phrases.get(words[start : start + length])) is not None
        ]
        # The longest first: "nurse practitioner" must not be found as nurse.
        return min(able, key=lambda phrase: phrase[:2])[2] if able else None


def _words(text: str) -> tuple[str, ...]:
    """The words of a text without case; the dots of an abbreviation are no spaces."""
    return tuple(_WORD.findall(text.casefold().replace(".", "")))
