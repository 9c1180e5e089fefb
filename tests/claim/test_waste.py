"""What is discarded of a drug: when a modifier is due, and units that fit the containers."""

from __future__ import annotations

from decimal import Decimal
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.claim.amounts import billing_units
from ivpush.claim.waste import charted_waste
from ivpush.contract.encounter import Administration
from tests.shipped import ENGINE, PACK

BOOK = PACK.book(None)
WASTE = {"IVP804", "IVP805", "IVP814", "IVP817", "IVP819", "IVP820", "IVP821"}
DAY = "2026-05-12"
PLACES: dict[str, dict[str, Any]] = {
    "hospital": {"setting": "facility", "type_of_bill": "131"},
    "critical access": {"setting": "facility", "type_of_bill": "851"},
    "rural clinic": {"setting": "facility", "type_of_bill": "711"},
    "office": {"setting": "professional", "place_of_service": "11"},
    "surgery centre": {"setting": "professional", "place_of_service": "24"},
    "health centre": {"setting": "professional", "place_of_service": "50"},
}


def check(place: str, drug: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, int | None]:
    dose = {"id": "a1", "route": "IV", "method": "infusion", "start": f"{DAY}T09:00", "stop": f"{DAY}T10:00",
            "single_dose_container": True, **drug}  # fmt: skip
    numbered = [{"number": n, "units": 1, **line} for n, line in enumerate(lines, 1)]
    result = ENGINE.check(Encounter.model_validate(
        {"id": "E", "date": DAY, **PLACES[place], "administrations": [dose], "lines": numbered}
    ))  # fmt: skip
    return {v.rule: v.line for v in result.violations if v.rule in WASTE}


PAID = {"hcpcs": "J1745", "dose": 305, "dose_unit": "mg", "wasted": 95}
PACKAGED = {"hcpcs": "J3010", "dose": 0.1, "dose_unit": "mg", "wasted": 0.2}


@pytest.mark.parametrize(
    ("place", "paid", "packaged"),
    [("hospital", True, False), ("critical access", True, True), ("rural clinic", False, False),
     ("office", True, True), ("surgery centre", True, False), ("health centre", False, False)],
)  # fmt: skip
def test_the_place_decides_which_drugs_owe_the_modifier(
    place: str, paid: bool, packaged: bool
) -> None:
    assert ("IVP804" in check(place, PAID, [{"code": "J1745", "units": 31}])) == paid
    assert ("IVP804" in check(place, PACKAGED, [{"code": "J3010"}])) == packaged
    used_up = {**PAID, "dose": 300, "wasted": 0}
    assert ("IVP805" in check(place, used_up, [{"code": "J1745", "units": 30}])) == paid


def test_the_place_of_the_line_counts_before_that_of_the_encounter() -> None:
    line = {"code": "J1745", "units": 31, "place_of_service": "50"}
    assert not check("office", PAID, [line])


def test_less_than_a_unit_of_waste_owes_nothing() -> None:
    assert not check("office", {"hcpcs": "J2270", "dose": 4, "dose_unit": "mg", "wasted": 6},
                     [{"code": "J2270"}])  # fmt: skip


def test_units_billed_as_discarded_are_those_charted() -> None:
    given_line = {"code": "J1745", "units": 31}
    for units, rules in ((8, {"IVP820"}), (9, set()), (10, {"IVP819"}), (95, {"IVP819"})):
        wasted = {"code": "J1745", "units": units, "modifiers": ["JW"]}
        assert set(check("office", PAID, [given_line, wasted])) == rules


def test_a_multiple_dose_vial_has_no_waste_to_bill() -> None:
    vial = {**PAID, "single_dose_container": False}
    assert not check("office", vial, [{"code": "J1745", "units": 31}])
    waste = {"code": "J1745", "units": 9, "modifiers": ["JW"]}
    assert check("office", vial, [{"code": "J1745", "units": 31}, waste]) == {"IVP817": 2}


@given(st.integers(1, 4000), st.integers(0, 4000), st.sampled_from(["J1745", "J2270", "J9271"]))
def test_given_and_discarded_units_never_exceed_the_containers(
    dose: int, wasted: int, code: str
) -> None:
    row = BOOK.drugs[code]
    assert row.unit_amount is not None
    charted = Administration.model_validate(
        {"id": "a1", "dose": Decimal(dose) / 4, "wasted": Decimal(wasted) / 4, "dose_unit": "mg"}
    )
    waste, units = charted_waste(row, [charted]), billing_units(row, [charted])
    assert waste is not None and units is not None
    assert 0 <= waste <= floor(Decimal(wasted) / 4 / row.unit_amount)
    assert waste + units <= max(units, ceil(Decimal(dose + wasted) / 4 / row.unit_amount))
