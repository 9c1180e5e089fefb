"""One chart, coded: who may bill, what the chart comes to, and the drafts of its lines.

The engine codes an encounter's chart once; ``questions`` codes it anew for each answer it tries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush.coding.derivation import Derived, derive
from ivpush.coding.permission import Standing, standing_of
from ivpush.coding.suggestions import Draft, drafts_of

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["CodedChart", "code_chart"]


@dataclass(slots=True, eq=False)
class CodedChart:
    """The chart of one encounter under one book.

    In use::

        coded = code_chart(encounter, book)
        suggested_lines(coded.drafts, book)
    """

    encounter: Encounter
    standing: Standing
    derived: Derived
    drafts: list[Draft]


def code_chart(encounter: Encounter, book: Book) -> CodedChart:
    """Steps 0 to 6 of DESIGN section 3 for one encounter."""
    standing = standing_of(encounter, book)
    derived = derive(encounter, book, standing)
    return CodedChart(encounter, standing, derived, drafts_of(derived, encounter, book))
