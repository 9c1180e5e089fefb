"""Facts of billed drug lines: billing units from charted doses, ended codes, the form of the NDC.

``lines`` asks for them. ``up to 10 mg`` rounds up each administration, ``per 1 mg`` rounds up the
day's sum (HCPCS Level II descriptors, CMS). Amounts of a kind are converted by their metric units
only; a dose in another kind of unit leaves the units unknown. Where a claim bills a drug by days,
each day's lines are compared with the doses that began on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.claim.products import Products
from ivpush.coding.times import zone_of
from ivpush.contract.claim_facts import DrugLineFacts

if TYPE_CHECKING:
    from datetime import date

    from ivpush.contract.encounter import Administration, ClaimLine, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = ["DrugLines", "billing_units"]

_UNITS: dict[str, tuple[str, Decimal]] = {
    "mcg": ("mass", Decimal("0.001")),
    "ug": ("mass", Decimal("0.001")),
    "microgram": ("mass", Decimal("0.001")),
    "mg": ("mass", Decimal(1)),
    "g": ("mass", Decimal(1000)),
    "gram": ("mass", Decimal(1000)),
    "gm": ("mass", Decimal(1000)),
    "ml": ("volume", Decimal(1)),
    "cc": ("volume", Decimal(1)),
    "l": ("volume", Decimal(1000)),
    "liter": ("volume", Decimal(1000)),
    "unit": ("units", Decimal(1)),
    "iu": ("units", Decimal(1)),
    "u": ("units", Decimal(1)),
    "million unit": ("units", Decimal(1_000_000)),
    "meq": ("equivalents", Decimal(1)),
}
"""Units of measure: what kind of amount, and how much of the kind's first unit."""

_CARRIERS = frozenset({"hydration", "flush"})
"""Classes of fluids that carry other drugs, which a chart often names with the drug alone."""

_OTHER = DrugLineFacts()


@dataclass(slots=True)
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

    def facts(self, number: int) -> DrugLineFacts:
        """The drug facts of the line at a position; those of other codes are all unknown."""
        line = self._lines.get(number)
        if line is None:
            return _OTHER
        row, ndc = line.row, line.given.ndc
        ended = row.ended is not None and line.day is not None and row.ended < line.day
        charted = self._encounter.administrations is not None
        doses = self._products.doses(line.given.code, row)
        return DrugLineFacts(
            drug_ended=ended,
            drug_successor=row.successor if ended else None,
            drug_given=self._products.gives(line.given.code, row) if charted else None,
            drug_carries=row.category in _CARRIERS,
            given_instead=self._products.instead(line.given.code, row),
            dose_units=self._dose_units(line, doses) if charted else None,
            drug_day_units=self._billed.get(line.day_key, 0),
            ndc_digits=len(ndc.replace("-", "")) if ndc is not None else None,
            ndc_code=self._book.drug_of_ndc(ndc) if ndc is not None else None,
        )

    def _dose_units(self, line: _DrugLine, doses: Sequence[Administration]) -> int | None:
        if self._products.named(line.row) and len(self._codes[line.row.key]) > 1:
            return None  # doses under a name that two billed codes share belong to neither
        if len(self._days[line.given.code]) > 1:
            doses = _begun_on(line.day, doses, self._encounter)
        return billing_units(line.row, doses)

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
            if not line.wasted:
                billed[line.day_key] = billed.get(line.day_key, 0) + line.given.units
        return billed


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


def billing_units(row: DrugRow, doses: Sequence[Administration]) -> int | None:
    """Billing units that charted doses come to; None where a dose is missing or in another unit."""
    if not doses or row.unit_amount is None or row.unit is None:
        return None
    amounts = []
    for dose in doses:
        if dose.dose is None or dose.dose_unit is None:
            return None
        rate = _rate(dose.dose_unit, row.unit)
        if rate is None:
            return None
        amounts.append(dose.dose * rate)
    if row.unit_rule == "up_to":
        return sum([ceil(amount / row.unit_amount) for amount in amounts])
    return ceil(sum(amounts, Decimal(0)) / row.unit_amount)


@lru_cache(maxsize=4_096)
def _rate(charted: str, billed: str) -> Decimal | None:
    """How many billed units of measure one charted unit is; None where they are of two kinds."""
    dose, unit = _unit(charted), _unit(billed)
    if dose is None or unit is None or dose[0] != unit[0]:
        return None
    return dose[1] / unit[1]


def _unit(written: str) -> tuple[str, Decimal] | None:
    plain = " ".join(written.casefold().replace(".", "").split())
    return _UNITS.get(plain) or _UNITS.get(plain.removesuffix("s"))
