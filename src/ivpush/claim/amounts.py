"""Charted amounts in the units that drug codes name.

Amounts of a kind are converted by their metric units only; an amount in another kind of unit
leaves the billing units unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.contract.encounter import Administration
    from ivpush.pack.drugs import DrugRow

__all__ = ["amount_in", "billing_units"]

_UNITS: dict[str, tuple[str, Decimal]] = {
    "mcg": ("mass", Decimal("0.001")),
    "ug": ("mass", Decimal("0.001")),
    "microgram": ("mass", Decimal("0.001")),
    "mg": ("mass", Decimal(1)),
    "g": ("mass", Decimal(1000)),
    "gram": ("mass", Decimal(1000)),
    "gm": ("mass", Decimal(1000)),
    "ml": ("volume", Decimal(1)),
    # Charts still write cc, though ISMP lists it among error-prone abbreviations.
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


def billing_units(row: DrugRow, doses: Sequence[Administration]) -> int | None:
    """Billing units that charted doses come to; None where a dose is missing or in another unit."""
    if not doses or row.unit_amount is None or row.unit is None:
        return None
    amounts = []
    for dose in doses:
        amount = amount_in(dose.dose, dose.dose_unit, row.unit)
        if amount is None:
            return None
        amounts.append(amount)
    # Rounded up a dose and not a day: each dose opens a unit of its own.
    if row.unit_rule == "up_to":
        return sum([ceil(amount / row.unit_amount) for amount in amounts])
    return ceil(sum(amounts, Decimal(0)) / row.unit_amount)


def amount_in(amount: Decimal | None, charted: str | None, billed: str) -> Decimal | None:
    """A charted amount in the billed unit of measure; None where that cannot be said."""
    if amount is None or charted is None:
        return None
    rate = _rate(charted, billed)
    return None if rate is None else amount * rate


# Units are written in few ways; the bound is for free text in their place.
@lru_cache(maxsize=4_096)
def _rate(charted: str, billed: str) -> Decimal | None:
    """How many billed units of measure one charted unit is; None where they are of two kinds."""
    dose, unit = _unit(charted), _unit(billed)
    if dose is None or unit is None or dose[0] != unit[0]:
        return None
    return dose[1] / unit[1]


def _unit(written: str) -> tuple[str, Decimal] | None:
    plain = " ".join(written.casefold().replace(".", "").split())
    # No unit of the table ends in s, so that an s is a plural.
    return _UNITS.get(plain.removesuffix("s"))
