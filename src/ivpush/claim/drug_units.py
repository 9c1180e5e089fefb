"""Facts of billed drug lines: billing units from charted doses, ended codes, the form of the NDC.

``lines`` asks for them. ``up to 10 mg`` rounds up each administration, ``per 1 mg`` rounds up the
day's sum (HCPCS Level II descriptors, CMS). A dated line is compared with the doses of its own
encounter; where that bills a drug by days, each day's lines with the doses that began on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.claim.amounts import billing_units
from ivpush.claim.products import Products
from ivpush.claim.waste import drug_days, waste_facts
from ivpush.coding.times import zone_of
from ivpush.contract.claim_facts import DrugLineFacts, WasteFacts

if TYPE_CHECKING:
    from datetime import date

    from ivpush.contract.encounter import Administration, ClaimLine, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = ["DrugLines", "drug_lines"]

_CARRIERS = frozenset({"hydration", "flush"})
"""Classes of fluids that carry other drugs, which a chart often names with the drug alone."""

_OTHER = DrugLineFacts()
_NO_WASTE = WasteFacts()


@dataclass(slots=True, eq=False, repr=False)
class _DrugLine:
    """One billed line of a drug."""

    given: ClaimLine
    row: DrugRow
    day: date | None
    wasted: bool

    @property
    def day_key(self) -> tuple[str, date | None]:
        """Its code and day, over which units are added."""
        return self.given.code, self.day


class DrugLines:
    """The drug lines of one claim beside the doses of its chart.

    In use::

        drugs = DrugLines(encounter, book)
        facts = [drugs.facts(number) for number in range(len(encounter.lines))]
    """

    def __init__(self, encounter: Encounter, book: Book) -> None:
        self._encounter, self._book = encounter, book
        self._lines = dict(_drug_lines(encounter, book))
        if self._lines:
            self._products = Products(encounter, book)
            self._codes = self._codes_of_drugs()
            self._days = self._days_of_codes()
            self._billed = self._billed_by_day()
            self._charted = {
                number: self._products.doses(line.given.code, line.row)
                for number, line in self._lines.items()
            }
            # Both the units and the discarded amount of a line ask for its doses.
            self._doses = {
                number: self._certain_doses(line, self._charted[number])
                for number, line in self._lines.items()
            }
            self._marked = drug_days(
                [(number, line.given, line.day) for number, line in self._lines.items()], book
            )

    def facts(self, number: int) -> DrugLineFacts:
        """The drug facts of the line at a position; those of other codes are all unknown."""
        line = self._lines.get(number)
        if line is None:
            return _OTHER
        row, ndc = line.row, line.given.ndc
        # On its last day a code is still valid.
        ended = row.ended is not None and line.day is not None and row.ended < line.day
        charted = self._encounter.administrations is not None
        doses = self._doses[number]
        given = self._products.gives(row, self._charted[number]) if charted else None
        instead = self._products.instead(row) if given is False else None
        return DrugLineFacts(
            drug_ended=ended,
            drug_successor=row.successor if ended else None,
            successor_units=self._successor_units(row, doses) if ended else None,
            drug_given=given,
            drugs_read=self._products.all_read,
            drug_carries=row.category in _CARRIERS,
            vaccine=row.category == "vaccine",
            given_instead=instead,
            dose_units=billing_units(row, doses) if doses else None,
            drug_day_units=self._billed.get(line.day_key, 0),
            ndc_digits=len(ndc.replace("-", "")) if ndc is not None else None,
            ndc_padded=self._book.padded_ndc(ndc) if ndc is not None else None,
            ndc_code=self._book.drug_of_ndc(ndc) if ndc is not None else None,
        )

    def _successor_units(self, row: DrugRow, doses: Sequence[Administration] | None) -> int | None:
        new = self._book.drugs.get(row.successor) if row.successor is not None else None
        return billing_units(new, doses) if new is not None and doses else None

    def waste(self, number: int) -> WasteFacts:
        """What is known of the discarded amount of the line at a position."""
        line = self._lines.get(number)
        if line is None:
            return _NO_WASTE
        return waste_facts(
            number,
            self._marked[line.day_key],
            line.row,
            self._doses[number],
            self._encounter,
            self._book,
        )

    def _certain_doses(
        self, line: _DrugLine, doses: Sequence[Administration]
    ) -> Sequence[Administration] | None:
        """The charted doses that a line bills; None: they may belong to another code or day."""
        if self._products.named(line.row) and len(self._codes[line.row.key]) > 1:
            return None  # doses under a name that two billed codes share belong to neither
        # One day's line pays for all doses of the chart; of several, each for its own.
        if len(self._days[line.given.code]) > 1:
            doses = _begun_on(line.day, doses, self._encounter)
        return doses

    def _codes_of_drugs(self) -> dict[str, set[str]]:
        codes: dict[str, set[str]] = {}
        for line in self._lines.values():
            codes.setdefault(line.row.key, set()).add(line.given.code)
        return codes

    def _days_of_codes(self) -> dict[str, set[date | None]]:
        days: dict[str, set[date | None]] = {}
        for line in self._lines.values():
            days.setdefault(line.given.code, set()).add(line.day)
        return days

    def _billed_by_day(self) -> dict[tuple[str, date | None], int]:
        """Units of each code and day, the discarded amount apart."""
        billed: dict[tuple[str, date | None], int] = {}
        for line in self._lines.values():
            # Discarded amounts stand on a line of their own (Claims Processing Manual, chapter 17).
            if not line.wasted:
                billed[line.day_key] = billed.get(line.day_key, 0) + line.given.units
        return billed


def drug_lines(
    encounter: Encounter, parts: Sequence[int | None], doses: Sequence[int], book: Book
) -> Sequence[tuple[DrugLineFacts, WasteFacts]]:
    """The drug facts of each line of a claim, beside the doses of its own encounter.

    ``parts`` are the encounters in which the lines are dated, None where that is not said, and
    ``doses`` those of the administrations.
    """
    whole = DrugLines(encounter, book)
    facts = [(whole.facts(number), whole.waste(number)) for number in range(len(parts))]
    if len({*doses}) < 2:
        return facts
    given: dict[int, list[Administration]] = {}
    for dose, of_part in zip(encounter.administrations or (), doses, strict=True):
        given.setdefault(of_part, []).append(dose)
    own: dict[int, list[int]] = {}
    for number, part in enumerate(parts):
        if part is not None:
            own.setdefault(part, []).append(number)
    for part, numbers in own.items():
        drugs = DrugLines(_part_of(encounter, numbers, given.get(part, ())), book)
        for place, number in enumerate(numbers):
            facts[number] = (drugs.facts(place), drugs.waste(place))
    return facts


def _part_of(
    encounter: Encounter, lines: Sequence[int], given: Sequence[Administration]
) -> Encounter:
    """One encounter of a claim that holds several."""
    changes = {
        "date": encounter.service_date,
        "lines": tuple([(encounter.lines or ())[number] for number in lines]),
        "administrations": tuple(given),
    }
    return encounter.model_copy(update=changes)


def _drug_lines(encounter: Encounter, book: Book) -> Iterable[tuple[int, _DrugLine]]:
    wasted, day = book.modifier("wasted"), encounter.service_date
    for number, given in enumerate(encounter.lines or ()):
        row = book.drugs.get(given.code)
        if row is not None:
            on = given.date if given.date is not None else day
            yield number, _DrugLine(given, row, on, wasted in given.modifiers)


def _begun_on(
    day: date | None, doses: Sequence[Administration], encounter: Encounter
) -> list[Administration]:
    """Those that began on a day where the patient was; none if one of them has no start."""
    zone = zone_of(encounter)
    starts = [(dose, dose.start) for dose in doses if dose.start is not None]
    if len(starts) < len(doses):
        return []
    return [
        dose
        for dose, start in starts
        if clock.local_date(clock.moment(start, zone).seconds, zone) == day
    ]
