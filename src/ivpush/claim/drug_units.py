"""Facts of billed drug lines: billing units from charted doses, ended codes, the form of the NDC.

``up to 10 mg`` rounds up each administration, ``per 1 mg`` rounds up the day's sum (HCPCS Level II
descriptors, CMS). Amounts of a kind are converted by their metric units only; a dose in another
kind of unit leaves the units unknown. Where a claim bills a drug by days, each day's lines are held
against the doses that began on it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.times import zone_of

if TYPE_CHECKING:
    from datetime import date

    from ivpush.contract.encounter import Administration, Encounter
    from ivpush.contract.facts import LineFacts
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = [
    "read_drug_lines",
]

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


def read_drug_lines(lines: list[LineFacts], encounter: Encounter, book: Book) -> None:
    """Write the drug facts of the lines of drugs; lines of other codes have none."""
    drugs = [line for line in lines if line.is_drug]
    if not drugs:
        return
    charted = encounter.administrations is not None
    given: dict[str, list[Administration]] = {}
    for one in encounter.administrations or ():
        coded = book.drugs.get(one.hcpcs)  # type: ignore[arg-type]
        known_by = coded.hcpcs if coded is not None else _key(one, book)
        if known_by is not None:
            given.setdefault(known_by, []).append(one)
    codes_of: dict[str, set[str]] = {}
    for code in {line.given.code for line in drugs}:
        codes_of.setdefault(book.drugs[code].key, set()).add(code)
    wasted = book.modifier("wasted")
    billed: dict[tuple[str, date | None], int] = {}
    days_of: dict[str, set[date | None]] = {}
    for line in drugs:
        days_of.setdefault(line.given.code, set()).add(line.service_date)
        if wasted not in line.modifiers:
            key = (line.given.code, line.service_date)
            billed[key] = billed.get(key, 0) + line.given.units
    for line in drugs:
        code, day = line.given.code, line.service_date
        row = book.drugs[code]
        if row.ended is not None and day is not None and row.ended < day:
            line.drug_ended, line.drug_successor = True, row.successor
        line.drug_day_units = billed.get((code, day), 0)
        if line.given.ndc is not None:
            line.ndc_digits = len(line.given.ndc.replace("-", ""))
            line.ndc_code = book.drug_of_ndc(line.given.ndc)
        if charted:
            named = given.get(row.key, ())
            theirs = [*given.get(code, ()), *named]
            line.drug_given = bool(theirs)
            # Doses under a name that two billed codes share belong to neither for certain.
            shared = bool(named) and len(codes_of[row.key]) > 1
            if len(days_of[code]) > 1:
                theirs = _on(theirs, day, encounter)
            line.dose_units = None if shared else billing_units(row, theirs)


def _on(
    given: list[Administration], day: date | None, encounter: Encounter
) -> list[Administration]:
    """Those that began on a day where the patient was; none if one of them has no start."""
    zone = zone_of(encounter)
    starts = [(one, one.start) for one in given if one.start is not None]
    if len(starts) < len(given):
        return []
    return [one for one, at in starts
            if clock.local_date(clock.moment(at, zone).seconds, zone) == day]  # fmt: skip


def _key(one: Administration, book: Book) -> str | None:
    """What an administration's drug is known by: its code, else its generic name.

    A name says which drug, not which of its codes: makers have codes of their own.
    """
    coded = book.drug(one.hcpcs, one.ndc, None)
    if coded is not None and coded.hcpcs:
        return coded.hcpcs
    row = book.drug(None, None, one.drug) if one.hcpcs is None else None
    return row.key if row is not None else one.hcpcs


def billing_units(
    row: DrugRow, given: tuple[Administration, ...] | list[Administration]
) -> int | None:
    """Billing units that charted doses come to; None where a dose is missing or in another unit."""
    if not given or row.unit_amount is None or row.unit is None:
        return None
    known = []
    for one in given:
        if one.dose is None or one.dose_unit is None:
            return None
        rate = _rate(one.dose_unit, row.unit)
        if rate is None:
            return None
        known.append(one.dose * rate)
    if row.unit_rule == "up_to":
        return sum([ceil(one / row.unit_amount) for one in known])
    return ceil(sum(known, Decimal(0)) / row.unit_amount)


@lru_cache(maxsize=4_096)
def _rate(charted: str, billed: str) -> Decimal | None:
    """How many billed units of measure one charted unit is; None where they are of two kinds."""
    one, other = _unit(charted), _unit(billed)
    if one is None or other is None or one[0] != other[0]:
        return None
    return one[1] / other[1]


def _unit(written: str) -> tuple[str, Decimal] | None:
    plain = " ".join(written.casefold().replace(".", "").split())
    return _UNITS.get(plain) or _UNITS.get(plain.removesuffix("s"))
