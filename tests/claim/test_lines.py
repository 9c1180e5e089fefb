"""What the facts of a billed line say, from its code, its modifiers and what stands beside it."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.contract.claim_facts import LineFacts
from tests.visits import DAY, NEXT_DAY, line, work

OFFICE: dict[str, Any] = {"setting": "professional"}
PUSH, NONE = frozenset({"96374"}), frozenset[str]()


def facts_of(*lines: dict[str, Any], **encounter: Any) -> list[LineFacts]:
    """The facts of the lines of a claim."""
    numbered = [{**each, "number": n} for n, each in enumerate(lines, 1)]
    return list(work(lines=numbered, **encounter).facts.lines or ())


def billed(code: str, units: int = 1, **facts: Any) -> dict[str, Any]:
    """A line; its number is its place in the claim."""
    return line(0, code, units, **facts)


@pytest.mark.parametrize(
    ("code", "day", "known", "valid", "ended", "too_early"),
    [
        ("96374", DAY, True, True, False, False),
        ("90774", DAY, True, False, True, False),
        ("96374", "2008-12-31", True, False, False, True),
        ("96374", "2009-01-01", True, True, False, False),
        ("90774", "2008-12-31", True, True, False, False),
        ("00000", DAY, False, None, False, False),
    ],
)
def test_a_code_is_known_to_the_pack_and_valid_on_its_day(
    code: str, day: str, known: bool, valid: bool | None, ended: bool, too_early: bool
) -> None:
    (facts,) = facts_of(billed(code), date=day)
    assert (facts.coded.known, facts.coded.valid) == (known, valid)
    assert (facts.ended, facts.too_early) == (ended, too_early)


def test_a_code_has_ended_or_begun_by_the_date_of_its_own_line() -> None:
    """The claim began a day earlier, when the old codes still held."""
    lines = [billed(code, date="2009-01-01") for code in ("90774", "96374")]
    old, new = facts_of(*lines, date="2008-12-31")
    assert (old.ended, new.too_early) == (True, False)


def test_a_code_that_nobody_knows_has_no_columns() -> None:
    (facts,) = facts_of(billed("00000"))
    coded = facts.coded
    assert (coded.family, coded.technique, coded.role, coded.settings) == (None, None, None, None)
    assert not coded.in_family and coded.successors == frozenset()
    (deleted,) = facts_of(billed("90774"))
    assert deleted.coded.successors == {"96374"}


def test_a_line_repeats_an_earlier_one_of_the_same_day_units_and_modifiers() -> None:
    lines = [
        billed("96374"),
        billed("96374", 2),
        billed("96374", modifiers=["59"]),
        billed("96374", date=NEXT_DAY),
        billed("96374", date=DAY),
    ]
    assert [each.repeats_line for each in facts_of(*lines)] == [False, False, False, False, True]


def test_units_of_a_code_are_those_of_its_day() -> None:
    lines = [billed("96375"), billed("96375", 2), billed("96375", 4, date=NEXT_DAY)]
    assert [each.day_units for each in facts_of(*lines)] == [3, 3, 4]


@pytest.mark.parametrize(
    ("pointers", "diagnoses", "beyond"),
    [
        ([], ["R112"], False),
        ([1], ["R112"], False),
        ([1, 2], ["R112"], True),
        ([2], None, None),
        ([1], [], True),
    ],
)
def test_a_pointer_beyond_the_diagnoses_is_one_where_they_are_known(
    pointers: list[int], diagnoses: list[str] | None, beyond: bool | None
) -> None:
    named: dict[str, Any] = {} if diagnoses is None else {"diagnoses": diagnoses}
    (facts,) = facts_of(billed("96374", diagnosis_pointers=pointers), **named, **OFFICE)
    assert facts.pointer_beyond is beyond


@pytest.mark.parametrize(
    ("day", "outside"),
    [("2026-03-01", True), (DAY, False), (NEXT_DAY, False), ("2026-03-04", True), (None, None)],
)
def test_a_line_is_dated_outside_of_the_stay_or_within(
    day: str | None, outside: bool | None
) -> None:
    stay = {"start": f"{DAY}T08:00", "end": f"{NEXT_DAY}T09:00"}
    dated: dict[str, Any] = {} if day is None else {"date": day}
    (facts,) = facts_of(billed("96374", **dated), **stay)
    assert facts.outside_encounter is outside
    for edge, time in stay.items():
        (unbounded,) = facts_of(billed("96374", **dated), **{edge: time})
        assert unbounded.outside_encounter is None


def test_modifiers_are_counted_by_what_they_do() -> None:
    claim = [
        billed("96375", modifiers=marks) for marks in ([], ["59", "XS"], ["25"], ["RT"], ["XU"])
    ]
    marks = [each.marks for each in facts_of(*claim)]
    assert [each.separate_modifiers for each in marks] == [0, 2, 0, 0, 1]
    assert [each.separate for each in marks] == [False, True, False, False, True]
    assert [each.visit_modifier for each in marks] == [False, False, True, False, False]
    # 25 sets a visit apart, and no administration.
    assert [each.lifts_pair for each in marks] == [False, True, False, True, True]


def test_beside_a_line_stand_the_other_codes_of_its_day() -> None:
    claim = [billed("96374"), billed("96375"), billed("99284"), billed("96365", date=NEXT_DAY)]
    push, further, visit, later = facts_of(*claim)
    assert push.family_beside == {"96375"} and further.family_beside == {"96374"}
    assert visit.family_beside == {"96374", "96375"} and later.family_beside == frozenset()
    assert push.visits_beside == {"99284"} and later.visits_beside == frozenset()


def test_a_flush_of_a_port_is_none_of_the_services_beside() -> None:
    push, _ = facts_of(billed("96374"), billed("96523"))
    assert push.family_beside == frozenset() and push.never_beside == frozenset()


def test_before_the_first_table_no_pair_and_no_number_is_known() -> None:
    (early,) = facts_of(billed("96375"), date="2009-01-01")
    assert early.never_beside is None and early.pair_stands is None
    assert (early.coded.primaries, early.coded.is_add_on) == (None, None)
    assert (early.coded.mue, early.coded.mai) == (None, None)


@pytest.mark.parametrize(
    ("first", "day", "beside"),
    [
        ([], DAY, PUSH),
        (["59"], DAY, NONE),
        (["59"], "2019-07-01", NONE),
        # Until then CMS took the modifier on the column-2 code only (CR 11168).
        (["59"], "2019-06-30", PUSH),
    ],
)
def test_a_pair_is_open_until_a_modifier_of_either_line_lifts_it(
    first: list[str], day: str, beside: frozenset[str]
) -> None:
    """An injection is column 2 of a push."""
    lines = [billed("96374", modifiers=first, date=day), billed("96372", date=day)]
    push, shot = facts_of(*lines, date=DAY)
    assert (push.modifier_beside, shot.modifier_beside) == (NONE, beside)
    assert push.pair_stands is (bool(first) and not beside)
    assert shot.pair_stands is False


def test_a_visit_needs_a_modifier_of_its_own() -> None:
    marked = billed("96374", modifiers=["59"])
    _, visit = facts_of(marked, billed("99213"), **OFFICE)
    assert visit.modifier_beside == PUSH


def test_a_modifier_stands_where_it_lifts_a_pair_that_nothing_else_lifts() -> None:
    marked = billed("96372", modifiers=["59"])
    assert [each.pair_stands for each in facts_of(billed("96374"), marked)] == [False, True]
    # 25 belongs on visits: on an administration it lifts nothing.
    assert facts_of(billed("96374", modifiers=["25"]), marked)[1].pair_stands
    both = [billed("96374", modifiers=["59"]), marked, billed("J2405")]
    assert [each.pair_stands for each in facts_of(*both)] == [False, True, False]
    # The other line of the pair is found among lines that form none.
    among = [billed("96374", modifiers=["59"]), billed("J2405"), billed("96372")]
    assert facts_of(*among)[0].pair_stands


@pytest.mark.parametrize(("marks", "stands"), [([], True), (["25"], False)])
def test_a_visit_that_is_marked_separate_leaves_nothing_to_lift(
    marks: list[str], stands: bool
) -> None:
    """Beside a practitioner's emergency visit the push is column 2."""
    lines = [billed("96374", modifiers=["59"]), billed("99283", modifiers=marks)]
    assert facts_of(*lines, **OFFICE)[0].pair_stands is stands


@pytest.mark.parametrize(
    ("code", "other"), [("96374", "J2405"), ("00000", "96374"), ("96417", "96375")]
)
def test_where_there_is_no_pair_a_modifier_lifts_none(code: str, other: str) -> None:
    facts, _ = facts_of(billed(code, modifiers=["59"]), billed(other))
    assert facts.pair_stands is False
    assert (facts.never_beside, facts.modifier_beside) == (NONE, NONE)


def test_a_flush_is_never_paid_beside_an_administration() -> None:
    flush, _ = facts_of(billed("96523"), billed("96374"))
    assert (flush.never_beside, flush.modifier_beside) == (PUSH, NONE)


def test_what_tables_and_fee_schedule_hold_of_a_code() -> None:
    """MUEs of the outpatient hospital; a code that has none has none, which is known."""
    codes = ("96374", "96375", "99283", "J2405", "96399")
    push, add_on, visit, drug, unlisted = [each.coded for each in facts_of(*map(billed, codes))]
    assert [(each.mue, each.mai) for each in (push, add_on, visit)] == [(1, 3), (6, 3), (None, 0)]
    assert push.is_add_on is False and add_on.is_add_on is True
    assert push.primaries == frozenset() and "96374" in (add_on.primaries or ())
    assert [each.is_drug for each in (push, drug)] == [False, True]
    assert [each.family_range for each in (push, visit, unlisted)] == [True, False, True]


def test_incident_to_services_are_not_paid_to_a_practitioner_in_a_facility() -> None:
    """Into the spine a practitioner injects in person (PC/TC 0); a push is staff's (PC/TC 5)."""
    codes = ("96374", "96450", "00000")
    coded = [each.coded for each in facts_of(*map(billed, codes))]
    assert [each.staff_in_facility for each in coded] == [True, False, False]
    assert [each.incident_to for each in coded] == [True, False, False]


def test_the_place_of_a_line_beats_that_of_the_claim() -> None:
    claim = [billed("96374"), billed("96375", place_of_service="22")]
    assert [each.facility_place for each in facts_of(*claim, **OFFICE)] == [False, True]
