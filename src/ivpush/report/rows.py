"""The list of encounters as columns: what the page sorts, filters and searches by.

Words that come up again and again are numbered once, so that twenty thousand rows stay small.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ivpush.printable import visible

if TYPE_CHECKING:
    from ivpush.claim.statistics import Statistics
    from ivpush.contract.result import Result

__all__ = ["Columns", "payer_of", "setting_of"]

NO_PAYER = "no payer's overlay"
NO_SETTING = "setting not kept"


def payer_of(result: Result) -> str:
    """The payer's overlay, or that there is none."""
    return result.pack.payer or NO_PAYER


def setting_of(result: Result) -> str:
    """The setting, where the result holds its visit."""
    return NO_SETTING if result.visit is None else result.visit.setting


@dataclass(slots=True)
class _Words:
    """Words by number, in order of their first coming."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, word: str) -> int:
        return self.numbers.setdefault(visible(word), len(self.numbers))


@dataclass(slots=True)
class Columns:
    """Every row, column by column."""

    words: _Words = field(default_factory=_Words)
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, result: Result, charges: Statistics) -> None:
        """Take one encounter."""
        counts = Counter(each.severity for each in result.violations)
        number, day = self.words.number, result.pack.in_force_on
        codes = {line.code for line in result.suggested}
        if result.visit is not None:
            codes |= {line.code for line in result.visit.lines or ()}
        row = {
            "id": visible(result.encounter),
            "day": "" if day is None else day.isoformat(),
            "payer": number(payer_of(result)),
            "setting": number(setting_of(result)),
            "status": number(result.status),
            "errors": counts["error"],
            "warnings": counts["warning"],
            "notes": counts["info"],
            "questions": len(result.questions),
            "missed": _amount(charges, "missed"),
            "unsupported": _amount(charges, "unsupported"),
            "rules": sorted({number(each.rule) for each in result.violations}),
            "whos": sorted({number(each.who) for each in result.questions}),
            "denials": sorted({number(each.carc) for each in result.violations if each.carc}),
            "codes": sorted(number(code) for code in codes),
        }
        for name, value in row.items():
            self.columns.setdefault(name, []).append(value)

    def as_data(self) -> dict[str, Any]:
        """The columns as plain data, and the words that their numbers stand for."""
        return {"words": list(self.words.numbers), "columns": self.columns}


def _amount(charges: Statistics, side: str) -> float | None:
    amount = charges.amounts.get(side)
    return None if amount is None else float(amount)
