"""Facts of a drug line: units of its doses, a code that ended, the product, the days of a drug."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.claim.drug_units import drug_lines
from ivpush.contract.claim_facts import DrugLineFacts
from tests.shipped import PACK
from tests.visits import DAY, NEXT_DAY, dose, line, visit, work


def given(
    key: str, drug: str | None, milligrams: int | None = None, **facts: Any
) -> dict[str, Any]:
    """A dose whose class is left to the drug table."""
    unit = "mg" if milligrams is not None else None
    plain = {"drug": drug, "dose": milligrams, "dose_unit": unit, "category": None}
    return dose(key, **{"start": "10:00", "stop": None, "method": "push", **plain, **facts})


def billed(code: str, units: int = 1, **facts: Any) -> dict[str, Any]:
    return line(0, code, units, **facts)


def facts_of(
    *chart: dict[str, Any], lines: list[dict[str, Any]], **encounter: Any
) -> list[DrugLineFacts]:
    """The drug facts of each line."""
    numbered = [{**each, "number": n} for n, each in enumerate(lines, 1)]
    return [each.drug for each in work(*chart, lines=numbered, **encounter).facts.lines or ()]


def dose_units(*chart: dict[str, Any], lines: list[dict[str, Any]]) -> list[int | None]:
    return [each.dose_units for each in facts_of(*chart, lines=lines)]


def test_a_claim_without_lines_and_a_line_of_no_drug_have_no_drug_facts() -> None:
    assert not drug_lines(visit(), [], [], PACK.book(None))
    (push,) = facts_of(given("a", "ondansetron", 4), lines=[billed("96374")])
    assert (push.drug_given, push.dose_units, push.drug_day_units) == (None, None, None)


@pytest.mark.parametrize(
    ("day", "successor", "units"), [("2024-03-31", None, None), ("2024-04-01", "J2919", 25)]
)
def test_on_its_last_day_a_code_still_holds_and_then_its_successor_counts_otherwise(
    day: str, successor: str | None, units: int | None
) -> None:
    """125 mg were one unit of up to 125 mg, and are 25 units of 5 mg."""
    chart = given("a", None, 125, hcpcs="J2930", start=f"{day}T10:00")
    (facts,) = facts_of(chart, lines=[billed("J2930")], date=day)
    assert (facts.drug_ended, facts.drug_successor) == (successor is not None, successor)
    assert (facts.dose_units, facts.successor_units) == (1, units)


def test_a_code_ends_by_the_date_of_its_own_line() -> None:
    lines = [billed("J2930", date=day) for day in ("2024-03-31", "2024-04-01")]
    assert [each.drug_ended for each in facts_of(lines=lines, date="2024-03-30")] == [False, True]


def test_what_the_successor_would_count_is_unknown_without_a_dose() -> None:
    (unstated,) = facts_of(given("a", None, hcpcs="J2930"), lines=[billed("J2930")])
    assert (unstated.drug_successor, unstated.successor_units) == ("J2919", None)
    (nothing,) = facts_of(lines=[billed("J2930")])
    assert (nothing.dose_units, nothing.successor_units) == (None, None)


def test_the_product_to_bill_instead_is_named_where_the_billed_one_was_not_given() -> None:
    wrong, other = facts_of(
        given("a", "ketorolac", 30),
        given("b", "ondansetron", 4),
        lines=[billed("J1745", 10), billed("J2405", 4)],
    )
    assert (wrong.drug_given, wrong.given_instead) == (False, "J1885")
    assert (other.drug_given, other.given_instead) == (True, None)


def test_without_a_chart_nobody_knows_what_was_given() -> None:
    claim = visit(lines=[line(1, "J2405", 4)]).model_copy(update={"administrations": None})
    ((facts, _),) = drug_lines(claim, [None], [], PACK.book(None))
    assert (facts.drug_given, facts.given_instead, facts.drug_day_units) == (None, None, 4)


def test_the_units_of_a_day_leave_out_what_was_discarded() -> None:
    lines = [
        billed("J1745", 31),
        billed("J1745", 9, modifiers=["JW"]),
        billed("J1745", 2),
        billed("J1745", 4, date=NEXT_DAY),
        billed("J2405", 3, modifiers=["JW"]),
    ]
    assert [each.drug_day_units for each in facts_of(lines=lines)] == [33, 33, 33, 4, 0]


def test_doses_under_a_name_that_two_billed_codes_share_belong_to_neither() -> None:
    both = [billed("J9033", 180), billed("J9034", 180)]
    named = given("a", "bendamustine", 180)
    assert dose_units(named, lines=both) == [None, None]
    assert dose_units(named, lines=both[:1]) == [180]
    # Charted by its code it is that product, whatever else is billed.
    coded = given("a", "bendamustine", 180, hcpcs="J9034")
    assert dose_units(coded, lines=both) == [None, 180]


@pytest.mark.parametrize(
    ("code", "carries", "vaccine"),
    [
        ("J7030", True, False),
        ("J1642", True, False),
        ("90662", False, True),
        ("J2405", False, False),
    ],
)
def test_fluids_that_carry_a_drug_and_vaccines_are_told_apart(
    code: str, carries: bool, vaccine: bool
) -> None:
    (facts,) = facts_of(lines=[billed(code)])
    assert (facts.drug_carries, facts.vaccine) == (carries, vaccine)


def test_a_code_that_ended_without_a_successor_counts_in_no_other() -> None:
    (facts,) = facts_of(given("a", None, 50, hcpcs="J2780"), lines=[billed("J2780", 2)])
    assert (facts.drug_ended, facts.drug_successor, facts.successor_units) == (True, None, None)


LATER = "2026-03-09"


def test_a_dated_line_is_held_against_the_doses_of_its_own_encounter() -> None:
    """A drug that nobody can read leaves open only what its own encounter bills."""
    chart = [
        given("a", "zzyzx"),
        given("b", "ondansetron", 8, start=f"{LATER}T10:00"),
        given("c", "ondansetron", 4),
    ]
    lines = [
        billed("J1885", 2, date=DAY),
        billed("J2405", 8, date=LATER),
        billed("J1885", 2, date=LATER),
        billed("J2405", 4, date=DAY),
        billed("J1885", 2),
    ]
    facts = facts_of(*chart, lines=lines)
    assert [each.drug_given for each in facts] == [None, True, False, True, None]
    assert [each.dose_units for each in facts] == [None, 8, None, 4, None]
    assert [each.drugs_read for each in facts] == [False, True, True, False, False]


def test_what_was_discarded_is_that_of_the_encounter_of_the_line() -> None:
    vial: dict[str, Any] = {"hcpcs": "J1745", "single_dose_container": True}
    chart = [
        given("a", None, 305, wasted=95, **vial),
        given("b", None, 300, wasted=100, start=f"{LATER}T10:00", **vial),
    ]
    days = ((DAY, 31), (LATER, 30))
    claim = [line(n, "J1745", units, date=day) for n, (day, units) in enumerate(days, 1)]
    lines = work(*chart, lines=claim).facts.lines or ()
    assert [each.waste.wasted_units for each in lines] == [9, 10]


LATE, EARLY = {"start": "23:00"}, {"start": f"{NEXT_DAY}T01:00"}


def test_of_several_days_each_bills_the_doses_that_began_on_it_and_one_day_all() -> None:
    night = [given("a", "ondansetron", 4, **LATE), given("b", "ondansetron", 8, **EARLY)]
    two = [billed("J2405", 4, date=DAY), billed("J2405", 8, date=NEXT_DAY)]
    assert dose_units(*night, lines=two) == [4, 8]
    assert dose_units(*night, lines=[billed("J2405", 12, date=NEXT_DAY)]) == [12]
    assert dose_units(*night, lines=[*two, billed("J1885", 2, date=DAY)]) == [4, 8, None]


def test_a_dose_began_on_the_date_of_the_ward() -> None:
    night = [
        given("a", "ondansetron", 4, start=f"{DAY}T23:00-05:00"),
        given("b", "ondansetron", 8, start=f"{NEXT_DAY}T01:00-05:00"),
    ]
    two = [billed("J2405", 4, date=DAY), billed("J2405", 8, date=NEXT_DAY)]
    assert dose_units(*night, lines=two) == [4, 8]


def test_a_dose_without_a_start_may_be_of_either_day() -> None:
    night = [given("a", "ondansetron", 4, **LATE), given("b", "ondansetron", 8, start=None)]
    two = [billed("J2405", 4, date=DAY), billed("J2405", 8, date=NEXT_DAY)]
    assert dose_units(*night, lines=two) == [None, None]


def test_a_line_without_a_date_is_of_the_day_of_the_encounter() -> None:
    lines = [billed("J2405", 4, date=DAY), billed("J2405", 4)]
    facts = facts_of(given("a", "ondansetron", 8), lines=lines)
    assert [(each.dose_units, each.drug_day_units) for each in facts] == [(8, 8), (8, 8)]
