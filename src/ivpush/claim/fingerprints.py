"""Fingerprints of findings: the same for the same rule on the same line of a later claim.

``findings`` calls ``Fingerprints``. They follow from codes and places alone, so that they may be
kept in a list of known findings: no name, date or text of the chart goes into one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.contract.claim_facts import LineFacts, SuggestionFacts

__all__ = ["Fingerprints"]

_DIGITS = 16


class Fingerprints:
    """The fingerprints of findings on one claim.

    In use::

        fingerprints = Fingerprints(facts.lines or ())
        fingerprints.of_line("IVP101", line)
    """

    def __init__(self, lines: Iterable[LineFacts]) -> None:
        seen: Counter[str] = Counter()
        self._lines: dict[int, str] = {}
        for line in lines:
            kind = _kind(line.given.code, line.given.modifiers)
            # Of equal lines the first, second …: numbers move when a line is put before them.
            self._lines[line.index] = f"{kind} {seen[kind]}"
            seen[kind] += 1

    def of_line(self, rule: str, line: LineFacts) -> str:
        """The fingerprint of a rule's finding on a billed line."""
        return _hashed(rule, "line", self._lines[line.index])

    def of_suggestion(self, rule: str, suggestion: SuggestionFacts) -> str:
        """The fingerprint of a rule's finding on a suggested line."""
        return _hashed(rule, "suggestion", _kind(suggestion.code, sorted(suggestion.modifiers)))

    def of_place(self, rule: str, what: str, places: Sequence[int]) -> str:
        """The fingerprint of a rule's finding on administrations, by their places in the chart."""
        return _hashed(rule, what, " ".join(map(str, places)))


def _kind(code: str, modifiers: Iterable[str]) -> str:
    return " ".join((code, *sorted(modifiers)))


def _hashed(rule: str, what: str, identity: str) -> str:
    text = f"{rule} {what} {identity}"
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
