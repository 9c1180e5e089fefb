"""One chart, coded: who may bill, what the chart comes to, and the drafts of its lines.

The engine codes an encounter's chart once; ``questions`` codes it anew for each answer it tries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ivpush.coding.derivation import Derived, derive
from ivpush.coding.permission import Standing, standing_of
from ivpush.coding.suggestions import Draft, drafts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.pack.book import Book

__all__ = ["CodedChart", "code_chart", "coded_beside"]


@dataclass(slots=True, eq=False, repr=False)
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


def coded_beside(coded: CodedChart, lines: tuple[ClaimLine, ...], book: Book) -> CodedChart:
    """The same chart beside other lines: coded anew only where they change what coding reads."""
    changed = coded.encounter.model_copy(update={"lines": lines})
    before = coded.encounter.lines or ()
    # Of several chains the claim may say which is the unmarked one, so all its lines count.
    if len(coded.derived.chains) > 1 or [*_foreign(before, book)] != [*_foreign(lines, book)]:
        return code_chart(changed, book)
    return replace(coded, encounter=changed)


def _foreign(lines: tuple[ClaimLine, ...], book: Book) -> Iterator[tuple[object, ...]]:
    """What coding reads of a claim: the lines that are not of the family."""
    for line in lines:
        row = book.code_any(line.code)
        if row is None or not row.administration:
            yield line.code, line.date, line.units
