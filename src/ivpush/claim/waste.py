"""The discarded amount of a billed drug: whether a modifier is due, and units billed and charted.

``drug_units`` asks for them. The given amount is rounded up to whole units, the discarded one down,
and both together never exceed what the containers held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil, floor
from typing import TYPE_CHECKING

from ivpush.claim.amounts import amount_in, billing_units
from ivpush.contract.claim_facts import WasteFacts

if TYPE_CHECKING:
    from datetime import date

    from ivpush.contract.encounter import Administration, ClaimLine, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = ["DrugDay", "charted_waste", "drug_days", "waste_facts"]

_VACCINE = "vaccine"


class DrugDay:
    """The lines of one drug code and date: which is the first, and what their modifiers say."""

    __slots__ = ("first", "marked", "none_wasted", "wasted")

    def __init__(self, first: int) -> None:
        self.first = first
        self.wasted = 0
        self.marked = False
        self.none_wasted = False


def drug_days(
    lines: Iterable[tuple[int, ClaimLine, date | None]], book: Book
) -> dict[tuple[str, date | None], DrugDay]:
    """The days of each drug code."""
    wasted, none_wasted = book.modifier("wasted"), book.modifier("none_wasted")
    days: dict[tuple[str, date | None], DrugDay] = {}
    for number, given, day in lines:
        on = days.setdefault((given.code, day), DrugDay(number))
        on.none_wasted |= none_wasted in given.modifiers
        if wasted in given.modifiers:
            on.wasted += given.units
            on.marked = True
    return days


def waste_facts(
    number: int,
    on: DrugDay,
    row: DrugRow,
    doses: Sequence[Administration] | None,
    encounter: Encounter,
    book: Book,
) -> WasteFacts:
    """The facts of one line; ``doses`` are those that it bills, None where that is not certain."""
    units = charted_waste(row, doses) if doses else None
    single = _single_dose(doses or ())
    place = encounter.lines[number].place_of_service if encounter.lines else None
    return WasteFacts(
        discard_due=row.category != _VACCINE and book.discard_due(row.hcpcs, encounter, place),
        single_dose=single,
        single_dose_listed=book.discards.single_dose(row.hcpcs),
        wasted_units=units,
        none_wasted=_none_wasted(doses),
        discard_billed=on.wasted,
        discard_to_bill=None if single is False else units or None,
        used_up_marked=on.none_wasted,
        discard_marked=on.none_wasted or on.marked,
        first_of_drug=on.first == number,
    )


def _single_dose(doses: Sequence[Administration]) -> bool | None:
    """What the chart says of the containers; of several kinds, unknown."""
    said = {dose.single_dose_container for dose in doses}
    return said.pop() if len(said) == 1 else None


def _none_wasted(doses: Sequence[Administration] | None) -> bool | None:
    if not doses or any(dose.wasted is None for dose in doses):
        return None
    return all(dose.wasted == 0 for dose in doses)


def charted_waste(row: DrugRow, doses: Sequence[Administration]) -> int | None:
    """Whole billing units of what was discarded; None where a dose does not say so."""
    if row.unit_amount is None or row.unit is None:
        return None
    if all(dose.wasted is None for dose in doses):
        return None  # most charts say nothing of it
    amounts = [amount_in(dose.wasted, dose.dose_unit, row.unit) for dose in doses]
    wasted = [amount for amount in amounts if amount is not None]
    if len(wasted) < len(amounts):
        return 0 if _none_wasted(doses) else None  # nothing is nothing in any unit of measure
    whole = floor(sum(wasted, Decimal(0)) / row.unit_amount)
    given = billing_units(row, doses)
    if given is None:
        return whole
    doses_given = [amount_in(dose.dose, dose.dose_unit, row.unit) or Decimal(0) for dose in doses]
    held = ceil(sum((*wasted, *doses_given), Decimal(0)) / row.unit_amount)
    return max(0, min(whole, held - given))
