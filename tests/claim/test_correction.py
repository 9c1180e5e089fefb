"""The claim to send instead: codes, units, dates and modifiers of the lines that change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ivpush import ClaimLine
from ivpush.claim.correction import apply_edits, corrected_lines, folded_units, mended
from ivpush.claim.matching import match
from ivpush.pack.edits import AddModifier, DropModifiers, LineEdit, Remove, Successor
from tests.shipped import PACK
from tests.visits import DAY, NEXT_DAY, check, drip, line, push, work

DAY_AFTER = "2026-03-04"
OVERNIGHT = drip("a", "22:00", f"{NEXT_DAY}T02:00")
"""An hour and another on the first day, two on the second."""
TWO_PUSHES = [push("a", "23:50"), push("b", f"{NEXT_DAY}T00:30")]


def corrected(*administrations: dict[str, Any], lines: list[dict[str, Any]]) -> list[ClaimLine]:
    """The corrected lines."""
    fixed = check(*administrations, lines=lines).corrected
    assert fixed is not None
    return list(fixed)


def in_short(lines: list[ClaimLine]) -> list[tuple[int, str, int, str | None]]:
    """Number, code, units and date of each line."""
    return [(row.number, row.code, row.units, str(row.date) if row.date else None) for row in lines]


def test_hours_on_a_day_that_no_reading_gives_move_to_their_own() -> None:
    claim = [
        line(1, "96365", date=DAY),
        line(2, "96366", 1, date=DAY),
        line(3, "96366", 2, date=DAY_AFTER),
    ]
    assert in_short(corrected(OVERNIGHT, lines=claim)) == [
        (1, "96365", 1, DAY),
        (2, "96366", 1, DAY),
        (3, "96366", 2, NEXT_DAY),
    ]


def test_hours_on_a_day_that_another_reading_of_midnight_gives_stay() -> None:
    claim = [line(1, "96365", date=DAY), line(2, "96366", 3, date=DAY)]
    result = check(OVERNIGHT, lines=claim)
    assert {broken.rule for broken in result.violations if broken.line == 2} == {"IVP913"}
    assert result.corrected is not None
    assert in_short(list(result.corrected)) == [(1, "96365", 1, DAY), (2, "96366", 3, DAY)]


def test_a_line_of_two_days_is_parted_and_units_too_many_are_gone() -> None:
    claim = [line(1, "96365", date=DAY), line(2, "96366", 5, date=DAY_AFTER)]
    assert in_short(corrected(OVERNIGHT, lines=claim)) == [
        (1, "96365", 1, DAY),
        (2, "96366", 1, DAY),
        (3, "96366", 2, NEXT_DAY),
    ]


def test_a_line_without_a_date_gets_none() -> None:
    claim = [line(1, "96365"), line(2, "96366", 5)]
    assert in_short(corrected(OVERNIGHT, lines=claim)) == [
        (1, "96365", 1, None),
        (2, "96366", 3, None),
    ]


@pytest.mark.parametrize(("billed_on", "corrected_to"), [(DAY, NEXT_DAY), (None, None)])
def test_a_code_put_in_the_place_of_another_takes_its_own_date_if_the_line_has_one(
    billed_on: str | None, corrected_to: str | None
) -> None:
    claim = [line(1, "96374", date=billed_on), line(2, "96376", date=billed_on)]
    assert in_short(corrected(*TWO_PUSHES, lines=claim)) == [
        (1, "96374", 1, billed_on),
        (2, "96375", 1, corrected_to),
    ]


def test_a_missed_charge_is_a_new_line_on_its_own_day() -> None:
    claim = [line(1, "96374", date=DAY, charge=90)]
    added = corrected(*TWO_PUSHES, lines=claim)[1]
    assert in_short([added]) == [(2, "96375", 1, NEXT_DAY)]
    assert added.charge is None
    assert added.administrations == ("b",)


def test_a_claim_billed_as_charted_stays_as_it_is() -> None:
    claim = [line(7, "96374", date=DAY, charge=90), line(9, "96375", date=NEXT_DAY, charge=40)]
    result = check(*TWO_PUSHES, lines=claim)
    assert result.corrected is not None
    assert [row.model_dump(exclude_unset=True, mode="json") for row in result.corrected] == claim


def test_equal_lines_are_put_together_with_their_charges() -> None:
    two = [
        push("a", "10:00", route="IM", method="injection"),
        push("b", "10:30", route="IM", method="injection"),
    ]
    claim = [line(1, "96372", charge=30), line(2, "96372", modifiers=["59"], charge=40)]
    (injections,) = corrected(*two, lines=claim)
    assert (injections.number, injections.units, injections.modifiers) == (1, 2, ())
    assert injections.charge == 70


def test_a_new_line_has_the_form_of_its_family() -> None:
    form: dict[str, Any] = {
        "revenue_code": "0940",
        "place_of_service": "22",
        "diagnosis_pointers": [1],
    }
    claim = [line(1, "99283", revenue_code="0450"), line(2, "96374", date=DAY, **form)]
    diagnoses = ["R112"]
    result = check(*TWO_PUSHES, lines=claim, diagnoses=diagnoses)
    added = [row for row in result.corrected or () if row.code == "96375"]
    assert [(row.revenue_code, row.place_of_service, row.diagnosis_pointers) for row in added] == [
        ("0940", "22", (1,))
    ]


def test_no_modifier_of_a_visit_is_added_and_the_claim_is_withheld_for_it() -> None:
    shot = push("a", "10:00", route="IM", method="injection")
    claim = [line(1, "99213"), line(2, "96372")]
    result = check(shot, lines=claim, setting="professional")
    (asked,) = [each for each in result.violations if each.rule == "IVP603"]
    assert asked.edit is not None and asked.edit.safety == "attest"
    assert result.corrected is None
    assert result.withheld is not None and "visit-without-modifier on line 1" in result.withheld


def test_a_modifier_that_says_nothing_is_taken_off_a_line_that_is_right() -> None:
    (kept,) = corrected(push("a", "10:00"), lines=[line(1, "96374", modifiers=["25"])])
    assert kept.modifiers == ()


def test_an_error_that_no_edit_mends_withholds_the_claim() -> None:
    result = check(
        push("a", "10:00"), push("b", "11:00", "10:30"), lines=[line(1, "96374"), line(2, "96375")]
    )
    assert [each.rule for each in result.violations if each.severity == "error"] == ["IVP710"]
    assert result.corrected is None
    assert result.withheld is not None and "stop-before-start" in result.withheld


BOOK = PACK.book(date(2026, 3, 2))


def one_line(code: str, number: int = 1, **facts: Any) -> ClaimLine:
    """A line of a claim, as it came in."""
    return ClaimLine.model_validate(line(number, code, **facts))


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        pytest.param("90774", "96374", id="one-code-took-its-place"),
        # C8950 became hydration and infusion, and only a person can say which was given.
        pytest.param("C8950", "C8950", id="several-took-its-place"),
        pytest.param("96374", "96374", id="none-took-its-place"),
        pytest.param("XYZ99", "XYZ99", id="nobody-knows-it"),
    ],
)
def test_a_code_gives_way_to_the_one_that_took_its_place(code: str, sent: str) -> None:
    after = mended(one_line(code), Successor(), BOOK)
    assert after is not None and after.code == sent


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (["59", "JW"], "separate", ("JW",)),
        (["XU", "25", "XS"], "separate", ("25",)),
        (["59", "25"], "separate_visit", ("59",)),
        (["JW"], "separate_visit", ("JW",)),
    ],
)
def test_a_kind_of_modifier_is_taken_off_wherever_it_stands(
    before: list[str], kind: str, after: tuple[str, ...]
) -> None:
    mended_line = mended(one_line("96374", modifiers=before), DropModifiers(kind), BOOK)
    assert mended_line is not None and mended_line.modifiers == after


def test_a_modifier_is_added_once_behind_the_others() -> None:
    edit = AddModifier("separate_visit")
    once = mended(one_line("99213", modifiers=["GC"]), edit, BOOK)
    assert once is not None and once.modifiers == ("GC", "25")
    assert mended(once, edit, BOOK) == once


def test_edits_are_of_the_line_that_they_name_and_nothing_follows_a_removal() -> None:
    lines = [one_line("99213", 1), one_line("96374", 4), one_line("90774", 7)]
    edits: dict[int, list[LineEdit]] = {
        4: [Remove(), AddModifier("separate_visit")],
        7: [Successor(), AddModifier("distinct")],
    }
    after = apply_edits(lines, edits, BOOK)
    assert [(row.number, row.code, row.modifiers) for row in after] == [
        (1, "99213", ()),
        (7, "96374", ("59",)),
    ]


@pytest.mark.parametrize("differing", ["date", "place_of_service", "revenue_code", "ndc"])
def test_lines_that_differ_in_more_than_units_stay_apart(differing: str) -> None:
    values = {
        "date": (DAY, NEXT_DAY),
        "place_of_service": ("11", "22"),
        "revenue_code": ("0260", "0335"),
        "ndc": ("63323001201", "63323001202"),
    }[differing]
    lines = tuple(one_line("96372", n, **{differing: value}) for n, value in enumerate(values, 1))
    assert folded_units(lines, BOOK) == lines
    same = tuple(one_line("96372", n, **{differing: values[0]}) for n in (1, 2))
    assert [row.units for row in folded_units(same, BOOK)] == [2]


def test_modifiers_in_another_order_are_the_same() -> None:
    lines = (
        one_line("96372", 1, modifiers=["59", "GC"]),
        one_line("96372", 2, modifiers=["GC", "59"]),
    )
    assert [(row.number, row.units) for row in folded_units(lines, BOOK)] == [(1, 2)]


def test_equal_lines_of_what_is_no_administration_may_be_meant_as_they_stand() -> None:
    lines = (one_line("99213", 1), one_line("99213", 2))
    assert folded_units(lines, BOOK) == lines


def test_lines_that_stand_alone_keep_their_place_beside_those_put_together() -> None:
    codes = ("99213", "00000", "96372", "96372")
    lines = tuple(one_line(code, n) for n, code in enumerate(codes, 1))
    put = [(row.number, row.code, row.units) for row in folded_units(lines, BOOK)]
    assert put == [(1, "99213", 1), (2, "00000", 1), (3, "96372", 2)]


def test_minutes_and_administrations_are_put_together_only_where_each_line_has_them() -> None:
    both = (
        one_line("96372", 1, minutes=5, administrations=["a"]),
        one_line("96372", 2, minutes=7, administrations=["b", "a"]),
    )
    (whole,) = folded_units(both, BOOK)
    assert (whole.minutes, whole.administrations) == (12, ("a", "b"))
    lacking = (both[0], one_line("96372", 2))
    (part,) = folded_units(lacking, BOOK)
    assert (part.units, part.minutes, part.administrations) == (2, 5, None)


def test_a_charge_that_one_line_lacks_leaves_the_first_as_it_was() -> None:
    lines = (one_line("96372", 1, charge=30), one_line("96372", 2))
    (whole,) = folded_units(lines, BOOK)
    assert whole.charge == 30


# In one pass: the engine goes on until nothing changes, and so hides what a pass leaves undone.


def once(*administrations: dict[str, Any], lines: list[dict[str, Any]]) -> list[ClaimLine]:
    """The lines after one pass, before any rule's edit."""
    worked = work(*administrations, lines=lines)
    of_claim = worked.facts.lines or ()
    matching = match(of_claim, worked.drafts, worked.derived)
    return list(corrected_lines(worked.encounter.lines or (), of_claim, matching, worked.book))


def marked(lines: list[ClaimLine]) -> list[tuple[int, str, int, tuple[str, ...]]]:
    return [(row.number, row.code, row.units, row.modifiers) for row in lines]


def test_what_is_split_off_and_what_is_missed_takes_the_next_numbers() -> None:
    claim = [line(7, "96365", date=DAY), line(9, "96366", 5, date=DAY_AFTER, charge=50)]
    pushed = push("b", "23:00")
    lines = once(OVERNIGHT, pushed, lines=claim)
    assert in_short(lines) == [
        (7, "96365", 1, DAY),
        (9, "96366", 1, DAY),
        (10, "96366", 2, NEXT_DAY),
        (11, "96375", 1, DAY),
    ]
    assert [row.charge for row in lines] == [None, 50, None, None]
    assert in_short(once(pushed, lines=[])) == [(1, "96374", 1, DAY)]


def test_units_too_many_go_and_units_too_few_are_raised() -> None:
    hours = drip("a", "10:00", "13:00")
    for units in (1, 3):
        claim = [line(1, "96365"), line(2, "96366", units)]
        assert in_short(once(hours, lines=claim)) == [(1, "96365", 1, None), (2, "96366", 2, None)]
    assert in_short(once(push("a", "10:00"), lines=[line(1, "96374", 2)])) == [
        (1, "96374", 1, None)
    ]


def test_a_wrong_code_is_replaced_and_not_missed_as_well() -> None:
    assert in_short(once(push("a", "10:00"), lines=[line(1, "96365")])) == [(1, "96374", 1, None)]


def test_what_is_taken_up_or_unsupported_goes() -> None:
    claim = [line(1, "96365"), line(2, "96366"), line(3, "96367"), line(4, "96401")]
    assert in_short(once(drip("a", "10:00", "13:00"), lines=claim)) == [
        (1, "96365", 1, None),
        (2, "96366", 2, None),
    ]


def test_a_date_that_another_reading_of_midnight_gives_stays() -> None:
    claim = [line(1, "96365", date=DAY), line(2, "96366", 4, date=DAY)]
    assert in_short(once(OVERNIGHT, lines=claim))[1:] == [(2, "96366", 3, DAY)]


RIGHT = {"site": "right arm", "separate_site_reason": "incompatible drugs"}


def test_the_billers_own_distinct_service_modifier_stays_where_one_is_due() -> None:
    chart = [drip("a", "10:00", "11:00"), push("b", "10:00", **RIGHT)]
    for modifiers, right in (
        (["PO", "59"], ("PO", "59")),
        (["59", "XS"], ("59",)),
        (["PO"], ("PO", "XS")),
    ):
        claim = [line(1, "96365"), line(2, "96374", 2, modifiers=modifiers)]
        assert marked(once(*chart, lines=claim))[1] == (2, "96374", 1, right)
    needless = once(push("b", "10:00"), lines=[line(1, "96374", modifiers=["59", "PO"])])
    assert marked(needless) == [(1, "96374", 1, ("PO",))]


def test_a_line_for_two_sites_is_parted_by_its_modifier() -> None:
    chart = [
        drip("a", "10:00", "11:00"),
        drip("b", "10:00", "11:00", **RIGHT),
        push("c", "11:05"),
        push("d", "11:10", site="right arm"),
    ]
    claim = [line(1, "96365"), line(2, "96365", modifiers=["XS"]), line(3, "96375", 2)]
    parted = marked(once(*chart, lines=claim))[2:]
    assert sorted(parted) == [
        (3, "96375", 1, parted[0][3]),
        (4, "96375", 1, parted[1][3]),
    ]
    assert {row[3] for row in parted} == {(), ("XS",)}


def test_a_code_put_in_the_place_of_another_takes_its_own_date_in_one_pass() -> None:
    for billed_on, own in ((DAY, NEXT_DAY), (None, None)):
        claim = [line(1, "96374", date=billed_on), line(2, "96376", date=billed_on)]
        assert in_short(once(*TWO_PUSHES, lines=claim))[1] == (2, "96375", 1, own)


@pytest.mark.parametrize(("linked", "links"), [(["a"], ("a", "b")), (None, None)])
def test_a_line_that_was_linked_is_linked_with_all_that_it_bills(
    linked: list[str] | None, links: tuple[str, ...] | None
) -> None:
    bags = [drip("a", "10:00", "10:30", drug="x"), drip("b", "10:30", "11:00", drug="x")]
    link: dict[str, Any] = {} if linked is None else {"administrations": linked}
    (replaced,) = once(*bags, lines=[line(1, "96374", **link)])
    assert (replaced.code, replaced.administrations) == ("96365", links)


@pytest.mark.parametrize(
    ("codes", "model"),
    [
        (("99283",), None),
        (("96409", "96367"), "96367"),
        (("96409", "96413"), "96409"),
        (("96413", "96409"), "96409"),
        (("99283", "96413"), "96413"),
        (("96365", "96366"), "96365"),
    ],
)
def test_a_new_line_is_filled_in_like_one_of_its_family_then_of_its_technique(
    codes: tuple[str, ...], model: str | None
) -> None:
    """A push of a further drug is missed; what else is billed is charted as well."""
    chemo = {"category": "chemotherapy"}
    chart = {
        "96413": drip("a", "10:00", "11:00", **chemo),
        "96409": push("b", "11:00", **chemo),
        "96365": drip("c", "12:00", "14:00"),
        "96367": drip("c", "12:00", "13:00"),
    }
    given = [dose for code, dose in chart.items() if code in codes]
    claim = [line(n, code, revenue_code=f"{n:04}") for n, code in enumerate(codes, 1)]
    added = once(*given, push("z", "15:00"), lines=claim)[-1]
    assert added.administrations == ("z",)
    assert added.revenue_code == (None if model is None else f"{codes.index(model) + 1:04}")
