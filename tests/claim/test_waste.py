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
from ivpush.contract.claim_facts import WasteFacts
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


def doses(*amounts: tuple[Any, Any], **facts: Any) -> list[dict[str, Any]]:
    """Doses of infliximab, 10 mg a unit: what was given and what was discarded."""
    plain = {"route": "IV", "method": "infusion", "hcpcs": "J1745", "dose_unit": "mg"}
    return [
        {"id": f"a{n}", **plain, "dose": dose, "wasted": wasted, "start": f"{DAY}T{n + 8:02}:00", **facts}
        for n, (dose, wasted) in enumerate(amounts, 1)
    ]  # fmt: skip


def facts_of(given: list[dict[str, Any]], *lines: dict[str, Any]) -> list[WasteFacts]:
    """What is known of the discarded amount of each line, in an office."""
    numbered = [
        {"number": n, "code": "J1745", "units": 1, **each} for n, each in enumerate(lines, 1)
    ]
    record = {
        "id": "E",
        "date": DAY,
        **PLACES["office"],
        "administrations": given,
        "lines": numbered,
    }
    work = ENGINE.work(Encounter.model_validate(record))
    return [each.waste for each in work.facts.lines or ()]


@pytest.mark.parametrize(
    ("amounts", "units", "none_wasted"),
    [
        ([(305, 95)], 9, False),
        ([(305, 95), (300, 100)], 19, False),
        ([(300, 0)], 0, True),
        ([(300, 0), (300, 0)], 0, True),
        ([(300, 0), (305, 95)], 9, False),
        # Most charts say nothing of it; where one dose does not, the sum is unknown.
        ([(300, None)], None, None),
        ([(305, 95), (300, None)], None, None),
        ([(300, 0), (300, None)], None, None),
        # What was given is not known, but that so much was left over is.
        ([(None, 95)], 9, False),
        ([], None, None),
    ],
)
def test_whole_units_of_what_was_discarded_are_known_where_each_dose_says_so(
    amounts: list[tuple[Any, Any]], units: int | None, none_wasted: bool | None
) -> None:
    (facts,) = facts_of(doses(*amounts), {})
    assert (facts.wasted_units, facts.none_wasted) == (units, none_wasted)
    assert facts.discard_to_bill == (units or None)


def test_nothing_is_nothing_in_any_unit_of_measure() -> None:
    for wasted, units in ((0, 0), (5, None)):
        (facts,) = facts_of(doses((30, wasted), dose_unit="ml"), {})
        assert facts.wasted_units == units


def test_each_dose_of_up_to_a_unit_opens_a_unit_of_its_own() -> None:
    """Twice 4 mg out of 10 mg are two units, and nothing is left of the containers."""
    row = BOOK.drugs["J2270"]
    assert row.unit_rule == "up_to" and row.unit_amount == 10
    twice = doses((4, 6), (4, 6), hcpcs="J2270")
    assert charted_waste(row, [Administration.model_validate(each) for each in twice]) == 0
    large = doses((4, 16), hcpcs="J2270")
    assert charted_waste(row, [Administration.model_validate(each) for each in large]) == 1


def test_a_drug_of_no_unit_has_no_units_discarded() -> None:
    row = next(row for row in BOOK.drugs.values() if row.unit_amount is None)
    charted = [Administration.model_validate(each) for each in doses((4, 6))]
    assert charted_waste(row, charted) is None


@pytest.mark.parametrize(
    ("containers", "single", "to_bill"),
    [([True, True], True, 19), ([False, False], False, None), ([None, None], None, 19),
     ([True, False], None, 19), ([True, None], None, 19)],
)  # fmt: skip
def test_of_containers_of_several_kinds_nothing_is_known(
    containers: list[bool | None], single: bool | None, to_bill: int | None
) -> None:
    given = doses((305, 95), (300, 100))
    charted = [
        {**dose, "single_dose_container": container}
        for dose, container in zip(given, containers, strict=True)
    ]
    (facts,) = facts_of(charted, {})
    assert (facts.single_dose, facts.discard_to_bill) == (single, to_bill)


def test_modifiers_of_a_drug_speak_for_all_its_lines_of_the_day() -> None:
    wasted, used_up = {"modifiers": ["JW"], "units": 4}, {"modifiers": ["JZ"]}
    other_day = {"date": "2026-05-13"}
    lines = facts_of(doses((305, 95)), {}, wasted, {**wasted, "units": 5}, {**used_up, **other_day},
                     {"code": "J2405"})  # fmt: skip
    assert [each.discard_billed for each in lines] == [9, 9, 9, 0, 0]
    assert [each.used_up_marked for each in lines] == [False, False, False, True, False]
    assert [each.discard_marked for each in lines] == [True, True, True, True, False]
    assert [each.first_of_drug for each in lines] == [True, False, False, True, True]


def test_a_line_of_no_discarded_units_carries_the_modifier_all_the_same() -> None:
    (facts,) = facts_of([], {"modifiers": ["JW"], "units": 0})
    assert (facts.discard_billed, facts.discard_marked) == (0, True)


def test_a_used_up_container_is_marked_whichever_line_says_so() -> None:
    plain: dict[str, Any] = {}
    used_up = {"modifiers": ["JZ"]}
    for lines in ((used_up, plain), (plain, used_up)):
        assert [each.used_up_marked for each in facts_of([], *lines)] == [True, True]


def test_a_vaccine_owes_no_modifier_and_a_line_of_no_drug_neither() -> None:
    drug, vaccine, visit = facts_of([], {}, {"code": "90632"}, {"code": "99213"})
    assert drug.discard_due is True
    assert vaccine.discard_due is False
    assert not visit.discard_due and not visit.first_of_drug


def test_of_doses_that_may_be_of_another_line_nothing_is_known() -> None:
    """A generic name that two billed codes share says of neither what was discarded."""
    named = [{**dose, "hcpcs": None, "drug": "bendamustine"} for dose in doses((90, 10))]
    for facts in facts_of(named, {"code": "J9033"}, {"code": "J9034"}):
        assert (facts.wasted_units, facts.none_wasted, facts.single_dose) == (None, None, None)
