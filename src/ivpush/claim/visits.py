"""What stands beside a billed line in its own encounter: a claim may hold several.

``lines`` asks for it. Where one encounter ends is told by ``coding.encounters``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.encounters import Calendar
from ivpush.coding.techniques import BY_VEIN
from ivpush.contract.claim_facts import BesideFacts

if TYPE_CHECKING:
    from ivpush.coding.chart import CodedChart
    from ivpush.contract.claim_facts import CodedFacts, ModifierFacts
    from ivpush.contract.encounter import ClaimLine
    from ivpush.pack.book import Book

__all__ = ["Billed", "Visits"]

_DAY = timedelta(days=1)


class Billed(NamedTuple):
    """A billed line with what is read off it alone."""

    given: ClaimLine
    day: date | None
    coded: CodedFacts
    marks: ModifierFacts


class Visits:
    """The encounters of one claim.

    In use::

        visits = Visits(billed, coded, book)
        visits.on(line.day).encounter_initial_units
    """

    def __init__(self, billed: Iterable[Billed], coded: CodedChart, book: Book) -> None:
        derived = coded.derived
        self._calendar = Calendar(coded.encounter, derived.administrations, book, derived.zone)
        self._hospital = coded.encounter.setting == "facility"
        self._initials: dict[int, str] = {}
        for chain in derived.chains:
            if chain.initial is not None and chain.initial.code is not None:
                self._initials.setdefault(chain.part, chain.initial.code)
        self._of_day: dict[date | None, list[Billed]] = {}
        self._of_encounter: dict[object, list[Billed]] = {}
        for line in billed:
            self._of_day.setdefault(line.day, []).append(line)
        for day, lines in self._of_day.items():
            self._of_encounter.setdefault(self._calendar.encounter_on(day), []).extend(lines)
        self._facts: dict[date | None, BesideFacts] = {}

    def on(self, day: date | None) -> BesideFacts:
        """What stands beside a line of a date, in its own encounter."""
        facts = self._facts.get(day)
        if facts is None:
            facts = self._facts[day] = self._beside(day)
        return facts

    def _beside(self, day: date | None) -> BesideFacts:
        part = self._calendar.part_on(day)
        beside = self._of_encounter[self._calendar.encounter_on(day)]
        initials = [
            line
            for line in beside
            if line.coded.role == "initial"
            and line.coded.technique in BY_VEIN
            and not line.marks.separate
        ]
        # An office encounter ends with its date; a hospital's may go on.
        near = [*beside, *self._near(day)] if self._hospital and part is None else beside
        return BesideFacts(
            encounter_codes=frozenset([line.given.code for line in near]),
            encounter_initial_units=_units(initials),
            encounter_concurrent_units=_units(
                line for line in beside if line.coded.role == "concurrent"
            ),
            day_family_units=_units(line for line in self._of_day[day] if line.coded.in_family),
            # A claim of one date has no parts; its chart is number 0.
            encounter_initial_code=self._initials.get(part or 0),
            part=part,
        )

    def _near(self, day: date | None) -> Iterator[Billed]:
        """Lines of dates that follow each other, up to and from this one.

        A hospital's encounter may go on after midnight; without a chart nobody knows.
        """
        if day is None:
            return
        for step in (-_DAY, _DAY):
            other = day + step
            while other in self._of_day:
                yield from self._of_day[other]
                other += step


def _units(lines: Iterable[Billed]) -> int:
    return sum([line.given.units for line in lines])
