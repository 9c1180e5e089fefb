"""What stands beside a line in its own encounter, of a claim that may hold several."""

from __future__ import annotations

from typing import Any

from ivpush.contract.claim_facts import BesideFacts
from tests.shipped import ENGINE
from tests.visits import DAY, NEXT_DAY, drip, fluid, line, push, visit

LATER = "2026-03-04"
CODES = ("96365", "96366", "96375", "96374")
OFFICE: dict[str, Any] = {"setting": "professional"}


def beside(*chart: dict[str, Any], lines: list[dict[str, Any]], **facts: Any) -> list[BesideFacts]:
    """What stands beside each line; of a claim without a chart where none is given."""
    encounter = visit(*chart, lines=lines, **facts)
    if not chart:
        encounter = encounter.model_copy(update={"administrations": None})
    return [each.beside for each in ENGINE.work(encounter).facts.lines or ()]


def test_without_a_chart_lines_of_other_dates_are_not_beside() -> None:
    claim = [line(1, "96374", date=DAY), line(2, "96365", date=LATER)]
    first, second = beside(lines=claim)
    assert first.encounter_codes == {"96374"} and second.encounter_codes == {"96365"}
    assert first.encounter_initial_units == second.encounter_initial_units == 1


def test_a_hospital_s_add_on_may_follow_its_primary_by_a_date_and_an_office_s_may_not() -> None:
    claim = [line(1, "96365", date=DAY), line(2, "96366", date=NEXT_DAY)]
    assert beside(lines=claim)[1].encounter_codes == {"96365", "96366"}
    assert beside(lines=claim, **OFFICE)[1].encounter_codes == {"96366"}


def test_dates_are_near_as_long_as_one_follows_the_other() -> None:
    dates = (DAY, NEXT_DAY, LATER, "2026-03-06")
    pairs = zip(CODES, dates, strict=True)
    claim = [line(n, code, date=day) for n, (code, day) in enumerate(pairs, 1)]
    near = [each.encounter_codes for each in beside(lines=claim)]
    assert near == [set(CODES[:3]), set(CODES[:3]), set(CODES[:3]), {CODES[3]}]


def test_units_are_counted_by_what_the_codes_are() -> None:
    claim = [
        line(1, "96374"),
        line(2, "96365", 2, modifiers=["59"]),
        line(3, "96368", 3),
        line(4, "96416"),
        line(5, "J2405", 4),
        line(6, "99284", modifiers=["25"]),
    ]
    facts = beside(lines=claim)[0]
    # A marked initial is one of its own; the start of a pump leads no other service.
    assert facts.encounter_initial_units == 1
    assert facts.encounter_concurrent_units == 3
    assert facts.day_family_units == 1 + 2 + 3 + 1
    assert facts.encounter_codes == {each["code"] for each in claim}


def test_a_chart_tells_encounters_apart_and_gives_each_its_initial() -> None:
    chart = [push("a", "10:00"), drip("b", f"{LATER}T10:00", f"{LATER}T11:00")]
    claim = [line(1, "96374", date=DAY), line(2, "96365", date=LATER)]
    first, second = beside(*chart, lines=claim)
    assert (first.part, second.part) == (0, 1)
    assert (first.encounter_initial_code, second.encounter_initial_code) == ("96374", "96365")
    assert first.encounter_codes == {"96374"}


def test_a_claim_of_one_date_has_no_parts_but_an_initial() -> None:
    (facts,) = beside(push("a", "10:00"), lines=[line(1, "96374")])
    assert facts.encounter_initial_code == "96374"
    (none,) = beside(lines=[line(1, "96374")])
    assert none.encounter_initial_code is None


def test_only_what_goes_into_a_vein_leads_an_encounter() -> None:
    """An infusion under the skin and one into an artery are initial services of their own."""
    claim = [line(1, "96374"), line(2, "96369", 3), line(3, "96422", 5)]
    assert beside(lines=claim)[0].encounter_initial_units == 1


def test_where_the_chart_parts_encounters_following_dates_are_not_beside() -> None:
    chart = [push("a", "10:00"), drip("b", f"{NEXT_DAY}T20:00", f"{NEXT_DAY}T21:00")]
    claim = [line(1, "96374", date=DAY), line(2, "96365", date=NEXT_DAY)]
    first, second = beside(*chart, lines=claim)
    assert (first.part, second.part) == (0, 1)
    assert first.encounter_codes == {"96374"} and second.encounter_codes == {"96365"}


def test_what_earns_nothing_leads_nothing() -> None:
    (facts,) = beside(fluid("a", "10:00", "10:10"), lines=[line(1, "96360")])
    assert facts.encounter_initial_code is None
    apart = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
    later = [fluid("a", "10:00", "10:10", **apart), push("b", "11:00")]
    (facts,) = beside(*later, lines=[line(1, "96374")])
    assert facts.encounter_initial_code == "96374"
