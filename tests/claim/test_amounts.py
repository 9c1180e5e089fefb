"""Charted amounts in the units that drug codes name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ivpush import Administration
from ivpush.claim.amounts import amount_in, billing_units
from ivpush.pack.drugs import DrugRow
from tests.shipped import PACK

BOOK = PACK.book(None, None)
ONDANSETRON = BOOK.drugs["J2405"]
"""Per 1 mg."""
UP_TO = next(
    row
    for row in BOOK.drugs.values()
    if row.unit_rule == "up_to" and row.unit == "mg" and row.unit_amount == 10
)


def dose(amount: str | None, unit: str | None = "mg") -> Administration:
    given = None if amount is None else Decimal(amount)
    return Administration(id="a", drug="any", dose=given, dose_unit=unit)


@pytest.mark.parametrize(
    ("amount", "charted", "billed", "worth"),
    [
        ("4", "mg", "mg", "4"),
        ("4", "MG.", "mg", "4"),
        ("500", "mcg", "mg", "0.5"),
        ("500", "ug", "mg", "0.5"),
        ("500", "micrograms", "mg", "0.5"),
        ("2", "g", "mg", "2000"),
        ("2", "grams", "mg", "2000"),
        ("2", "gm", "mg", "2000"),
        ("2", "L", "ml", "2000"),
        ("2", "liters", "ml", "2000"),
        ("2", "cc", "ml", "2"),
        ("3", "million  units", "units", "3000000"),
        ("3", "IU", "units", "3"),
        ("3", "u", "units", "3"),
        ("20", "mEq", "meq", "20"),
    ],
)
def test_an_amount_is_converted_by_metric_units(
    amount: str, charted: str, billed: str, worth: str
) -> None:
    assert amount_in(Decimal(amount), charted, billed) == Decimal(worth)


@pytest.mark.parametrize(
    ("amount", "charted", "billed"),
    [
        ("4", "mg", "ml"),
        ("4", "puffs", "mg"),
        ("4", "mg", "puff"),
        ("4", None, "mg"),
        (None, "mg", "mg"),
        (None,) * 3,
    ],
)
def test_an_amount_of_another_kind_is_not_converted(
    amount: str | None, charted: str | None, billed: str | None
) -> None:
    assert amount_in(None if amount is None else Decimal(amount), charted, billed or "mg") is None


def units(row: DrugRow, *amounts: str) -> int | None:
    return billing_units(row, [dose(amount) for amount in amounts])


def test_up_to_opens_a_unit_a_dose_and_per_a_unit_a_day() -> None:
    assert units(UP_TO, "10") == 1
    assert units(UP_TO, "10.1") == 2
    assert units(UP_TO, "4", "4") == 2
    assert units(ONDANSETRON, "4") == 4
    assert units(ONDANSETRON, "0.4", "0.4") == 1
    assert units(ONDANSETRON, "4.4", "4.4") == 9


def test_units_are_unknown_where_any_dose_is() -> None:
    assert billing_units(ONDANSETRON, []) is None
    assert billing_units(ONDANSETRON, [dose("4"), dose(None)]) is None
    assert billing_units(ONDANSETRON, [dose("4"), dose("1", "ml")]) is None
    assert billing_units(ONDANSETRON, [dose("4"), dose("1", None)]) is None


def test_a_code_without_a_unit_of_measure_counts_none() -> None:
    row = next(row for row in BOOK.drugs.values() if row.unit_amount is None)
    assert billing_units(row, [dose("4")]) is None
