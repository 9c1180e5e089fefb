"""Billed lines find their suggestions by code, then modifier, then date, in any order."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.contract.claim_facts import MatchFacts
from tests.visits import DAY, NEXT_DAY, check, dose, drip, fluid, line, push, work

OVERNIGHT = drip("a", "22:00", f"{NEXT_DAY}T02:00")
LATER = "2026-03-09"
RIGHT = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
TWO_SITES = [
    drip("a", "10:00", "11:00"),
    drip("b", "10:00", "11:00", **RIGHT),
    push("c", "11:05"),
    push("d", "11:10", site="right arm"),
]


def statuses(*administrations: dict[str, Any], lines: list[dict[str, Any]]) -> list[str]:
    """How each line compares."""
    return [verdict.status for verdict in check(*administrations, lines=lines).lines]


def matches(
    *administrations: dict[str, Any], lines: list[dict[str, Any]], **facts: Any
) -> list[MatchFacts]:
    """How each line compares, with what is said of it."""
    return [each.match for each in work(*administrations, lines=lines, **facts).facts.lines or ()]


def missed(*administrations: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, int | None]:
    """Units of each suggested code that nobody billed."""
    suggestions = work(*administrations, lines=lines).facts.suggestions
    return {each.code: each.missed_units for each in suggestions}


def instead(*administrations: dict[str, Any], lines: list[dict[str, Any]]) -> list[str | None]:
    """What should stand in the place of each line."""
    return [each.replaced_by for each in matches(*administrations, lines=lines)]


def ids(match: MatchFacts) -> list[str]:
    """What a line bills."""
    return [each.given.id for each in match.administrations or ()]


def test_dated_lines_of_one_code_find_their_own_day_in_any_order() -> None:
    claim = [
        line(1, "96366", 2, date=NEXT_DAY),
        line(2, "96366", 1, date=DAY),
        line(3, "96365", date=DAY),
    ]
    assert statuses(OVERNIGHT, lines=claim) == ["matched"] * 3


def test_lines_without_dates_find_their_own_modifier_in_any_order() -> None:
    claim = [
        line(1, "96375", modifiers=["XS"]),
        line(2, "96375"),
        line(3, "96365", modifiers=["XS"]),
        line(4, "96365"),
    ]
    assert statuses(*TWO_SITES, lines=claim) == ["matched"] * 4


def test_a_wrong_date_or_modifier_is_changed_and_not_missed() -> None:
    assert statuses(drip("a", "10:00", "11:00"), lines=[line(1, "96365", date=NEXT_DAY)]) == [
        "changed"
    ]
    assert statuses(drip("a", "10:00", "11:00"), lines=[line(1, "96365", modifiers=["XS"])]) == [
        "changed"
    ]


def test_one_line_without_a_date_stands_for_two_days() -> None:
    assert statuses(OVERNIGHT, lines=[line(1, "96365"), line(2, "96366", 3)]) == ["matched"] * 2


def test_a_pair_with_another_service_is_lifted_on_either_line_or_by_a_side() -> None:
    pain = push("a", "10:00", purpose="treatment")
    scan, repair = line(1, "74177", modifiers=["59"]), line(1, "12002")
    assert statuses(pain, lines=[scan, line(2, "96374")]) == ["outside", "matched"]
    assert statuses(pain, lines=[repair, line(2, "96374")]) == ["outside", "changed"]
    for modifier in ("59", "XU", "LT"):
        marked = line(2, "96374", modifiers=[modifier])
        assert statuses(pain, lines=[repair, marked]) == ["outside", "matched"]


def test_single_units_of_one_code_find_their_own_day_in_any_order() -> None:
    pushes = [push("a", "23:00"), push("b", "23:30"), push("c", f"{NEXT_DAY}T00:30")]
    claim = [
        line(1, "96375", date=NEXT_DAY),
        line(2, "96375", date=DAY),
        line(3, "96374", date=DAY),
    ]
    assert statuses(*pushes, lines=claim) == ["matched"] * 3


def test_a_line_that_takes_up_units_leaves_the_line_short_of_them_to_be_raised() -> None:
    """The second line is raised to both hours; the third is none of the chart's."""
    claim = [line(1, "96365"), line(2, "96366"), line(3, "96367")]
    result = check(drip("a", "10:00", "13:00"), lines=claim)
    assert [verdict.status for verdict in result.lines] == ["matched", "changed", "changed"]
    assert result.corrected is not None
    assert [(each.code, each.units) for each in result.corrected] == [("96365", 1), ("96366", 2)]


THREE_HOURS = drip("a", "10:00", "13:00")


@pytest.mark.parametrize(
    ("code", "units", "status", "supported", "beyond", "suggested"),
    [
        ("96366", 1, "changed", 1, False, 2),
        ("96366", 2, "matched", 2, False, 2),
        ("96366", 3, "changed", 2, True, 2),
        # The first hour is billed, and nothing else of the chart is alike.
        ("96365", 1, "unsupported", 0, True, 1),
        ("96401", 1, "unsupported", 0, True, 0),
        ("99283", 1, "outside", None, False, None),
    ],
)
def test_units_are_those_that_the_chart_supports_and_what_is_beyond_it_is_said(
    code: str, units: int, status: str, supported: int | None, beyond: bool, suggested: int | None
) -> None:
    hours = [] if code == "96366" else [line(3, "96366", 2)]
    claim = [line(1, "96365"), line(2, code, units), *hours]
    match = matches(THREE_HOURS, lines=claim)[1]
    assert (match.status, match.supported_units) == (status, supported)
    assert (match.beyond_chart, match.suggested_units) == (beyond, suggested)
    assert not (match.date_differs or match.date_disputed)
    assert not (match.missing_modifier or match.needless_modifier or match.replaced_by)


def test_a_line_in_the_wrong_code_is_named_the_right_one_and_differs_in_nothing_else() -> None:
    (match,) = matches(push("a", "10:00", "10:02"), lines=[line(1, "96365")])
    assert (match.replaced_by, match.replaced_role, match.beyond_chart) == (
        "96374",
        "initial",
        True,
    )
    assert match.date_differs is match.date_disputed is False
    assert match.missing_modifier is match.needless_modifier is False


def test_what_is_billed_under_a_wrong_code_or_taken_up_by_another_line_is_not_missed() -> None:
    first, pushed = line(1, "96365"), push("b", "13:10")
    both = [THREE_HOURS, pushed]
    billed = [first, line(2, "96366")]
    assert missed(*both, lines=billed) == {"96365": 0, "96366": 1, "96375": 1}
    # An injection is charted nowhere: the push was meant.
    wrong = [*billed, line(3, "96372")]
    assert missed(*both, lines=wrong) == {"96365": 0, "96366": 1, "96375": 0}
    for units in (1, 3):
        taken_up = [*billed, line(3, "96367", units)]
        assert missed(*both, lines=taken_up) == {"96365": 0, "96366": 0, "96375": 1}


def test_a_line_takes_up_no_more_units_than_it_bills() -> None:
    four_hours = drip("a", "10:00", "14:00")
    lines = [line(1, "96365"), line(2, "96366"), line(3, "96367")]
    assert missed(four_hours, lines=lines) == {"96365": 0, "96366": 1}


def test_a_line_in_the_wrong_code_is_changed_in_its_place() -> None:
    corrected = check(push("a", "10:00"), lines=[line(1, "96365")]).corrected or ()
    assert [(each.number, each.code) for each in corrected] == [(1, "96374")]


def test_a_code_of_no_units_that_the_chart_does_not_support_is_beyond_it() -> None:
    (match,) = matches(push("a", "10:00"), lines=[line(1, "96401", 0)])
    assert (match.status, match.beyond_chart) == ("unsupported", True)
    (match,) = matches(push("a", "10:00"), lines=[line(1, "96365", 0)])
    assert (match.replaced_by, match.beyond_chart) == ("96374", True)


def test_a_line_of_no_units_bills_nothing() -> None:
    assert missed(push("a", "10:00"), lines=[line(1, "96374", 0)]) == {"96374": 1}


def test_a_line_stands_only_for_what_its_units_bill() -> None:
    """Hours of two dates are two suggestions; one unit without a date is the first of them."""
    result = check(OVERNIGHT, lines=[line(1, "96365"), line(2, "96366")])
    assert [len(verdict.suggested) for verdict in result.lines] == [1, 1]


def test_a_dated_line_stands_for_nothing_of_another_encounter() -> None:
    chart = [push("a", "10:00"), drip("b", f"{LATER}T10:00", f"{LATER}T11:00")]
    assert instead(*chart, lines=[line(1, "96374", date=LATER)]) == ["96365"]
    assert instead(*chart, lines=[line(1, "96365", date=DAY)]) == ["96374"]
    # What its own encounter supports is billed, so that nothing is left to put in its place.
    claim = [line(1, "96374", date=DAY), line(2, "96365", date=DAY)]
    assert statuses(*chart, lines=claim) == ["matched", "unsupported"]
    assert missed(*chart, lines=claim) == {"96374": 0, "96365": 1}
    assert statuses(*chart, lines=[line(1, "96365"), line(2, "96374")]) == ["matched"] * 2


def test_a_line_of_an_encounter_that_earns_nothing_stands_for_nothing_of_another() -> None:
    chart = [push("a", "10:00"), push("b", f"{LATER}T10:00", purpose="flush")]
    claim = [line(1, "96374", date=LATER)]
    assert statuses(*chart, lines=claim) == ["unsupported"]
    assert missed(*chart, lines=claim) == {"96374": 1}


def test_the_chart_supports_nothing_on_a_date_of_which_it_says_nothing() -> None:
    lines = [line(1, "96365", date=DAY), line(2, "96365", date=NEXT_DAY)]
    assert [each.suggested_units for each in matches(BASE[0], lines=lines)] == [1, 0]
    (moved,) = matches(BASE[0], lines=lines[1:])
    assert (moved.suggested_units, moved.date_differs) == (0, True)


def test_where_all_is_of_the_first_date_another_reading_of_midnight_supports_the_next() -> None:
    start_date = {"midnight_infusion_date": "start_date"}
    for day, units in ((DAY, 3), (NEXT_DAY, 3), ("2026-03-04", 0)):
        claim = [line(1, "96365", date=DAY), line(2, "96366", 3, date=day)]
        hours = matches(OVERNIGHT, lines=claim, policies=start_date)[1]
        assert (hours.suggested_units, hours.supported_units) == (units, 3)


def test_what_is_billed_a_day_late_in_its_encounter_is_billed_all_the_same() -> None:
    """Another encounter of the chart earns nothing."""
    chart = [
        drip("a", "22:00", "23:00"),
        push("b", f"{NEXT_DAY}T01:00", purpose="flush"),
        push("c", f"{LATER}T10:00", purpose="flush"),
    ]
    (late,) = matches(*chart, lines=[line(1, "96365", date=NEXT_DAY)])
    assert (late.status, late.date_differs, late.supported_units) == ("changed", True, 1)


def test_a_suggestion_of_another_family_is_matched_as_well() -> None:
    clot = push("a", "10:00", drug="alteplase", category=None, purpose="declotting")
    assert statuses(clot, lines=[line(1, "36593"), line(2, "36415")]) == ["matched", "outside"]


def test_the_chart_supports_units_of_a_code_on_the_dates_that_midnight_may_give_them() -> None:
    two = [push("a", "10:00"), push("b", f"{LATER}T10:00")]
    dated = [line(1, "96374", date=DAY), line(2, "96374", date=LATER)]
    assert [each.suggested_units for each in matches(*two, lines=dated)] == [1, 1]
    assert matches(*two, lines=[line(1, "96374", 2)])[0].suggested_units == 2
    for day, units, differs, disputed in (
        (DAY, 3, False, True),
        (NEXT_DAY, 3, False, False),
        ("2026-03-04", 0, True, False),
    ):
        claim = [line(1, "96365", date=DAY), line(2, "96366", 2, date=day)]
        match = matches(OVERNIGHT, lines=claim)[1]
        assert (match.suggested_units, match.date_differs) == (units, differs)
        assert match.date_disputed is disputed


BASE = (drip("a", "10:00", "11:00"), line(1, "96365"))


@pytest.mark.parametrize(
    ("code", "right"),
    [
        # Technique and family, then technique, then family, then role.
        ("96376", "96375"),
        ("96374", "96375"),
        ("96366", "96367"),
        ("96368", "96367"),
        ("96411", "96375"),
        ("96417", "96367"),
        ("96372", "96367"),
        # Chemotherapy under the skin shares nothing with either.
        ("96401", None),
    ],
)
def test_a_wrong_line_becomes_what_it_is_most_alike(code: str, right: str | None) -> None:
    chart, billed = BASE
    left = [drip("b", "11:00", "12:00"), push("c", "12:05")]
    assert instead(chart, *left, lines=[billed, line(2, code)]) == [None, right]


def test_family_and_technique_weigh_more_than_the_role() -> None:
    chemo = {"category": "chemotherapy"}
    chart = [
        drip("a", "10:00", "11:00", **chemo),
        drip("b", "11:00", "12:00", **chemo),
        drip("c", "12:00", "13:31"),
    ]
    claim = [line(1, "96413"), line(2, "96367"), line(3, "96415")]
    assert instead(*chart, lines=claim) == [None, None, "96417"]
    base, billed = BASE
    again = [drip("b", "11:00", "12:00"), push("c", "11:10", drug="drug a")]
    assert instead(base, *again, lines=[billed, line(2, "96375")]) == [None, "96376"]


def test_the_same_role_is_a_likeness_and_an_initial_code_alone_is_none() -> None:
    base, billed = BASE
    sequential = drip("b", "11:00", "12:00")
    assert instead(base, sequential, lines=[billed, line(2, "96411")]) == [None, "96367"]
    assert instead(base, lines=[line(1, "96409")]) == ["96365"]
    assert instead(base, push("b", "11:00"), lines=[billed, line(2, "96413")]) == [None, None]


def test_what_the_biller_linked_outweighs_all_likeness() -> None:
    base, billed = BASE
    left = [drip("b", "11:00", "12:00"), push("c", "12:05")]
    linked = [billed, line(2, "96376", administrations=["b"])]
    assert instead(base, *left, lines=linked) == [None, "96367"]


def test_of_two_alike_the_earlier_is_meant() -> None:
    base, billed = BASE
    chart = [base, push("b", "11:00", **RIGHT), push("c", "11:10")]
    ((first, *_),) = {tuple(each.code for each in check(*chart).suggested if each.code != "96365")}
    assert instead(*chart, lines=[billed, line(2, "96372")]) == [None, first]


def test_units_are_taken_up_only_by_a_line_of_the_same_kind() -> None:
    short = [line(1, "96365"), line(2, "96366")]
    assert instead(THREE_HOURS, lines=[*short, line(3, "96367")])[2] == "96366"
    for other in ("96375", "96361", "96415"):
        assert instead(THREE_HOURS, lines=[*short, line(3, other)])[2] is None


def test_a_line_for_two_sites_lacks_the_modifier_of_the_one() -> None:
    marked = [line(1, "96365"), line(2, "96365", modifiers=["XS"])]
    match = matches(*TWO_SITES, lines=[*marked, line(3, "96375", 2)])[2]
    assert (match.status, match.missing_modifier) == ("changed", True)
    assert match.suggested_modifiers == {"XS"}


def test_a_side_sets_no_site_apart() -> None:
    lines = [line(1, "96365"), line(2, "96365", modifiers=["LT"])]
    assert [each.missing_modifier for each in matches(*TWO_SITES, lines=lines)] == [False, True]


def test_a_further_hour_of_the_other_site_is_right_with_and_without_its_modifier() -> None:
    """CMS pairs no further hour with an initial service."""
    chart = [drip("a", "10:00", "13:00"), drip("b", "10:00", "12:00", **RIGHT)]
    first = [line(1, "96365"), line(2, "96365", modifiers=["XS"]), line(3, "96366", 2)]
    for modifiers in ([], ["XS"]):
        last = matches(*chart, lines=[*first, line(4, "96366", modifiers=modifiers)])[3]
        assert (last.status, last.missing_modifier) == ("matched", False)


def test_two_distinct_service_modifiers_on_one_line_are_never_right() -> None:
    lines = [line(1, "96365"), line(2, "96365", modifiers=["59", "XS"])]
    match = matches(*TWO_SITES, lines=lines)[1]
    assert (match.status, match.missing_modifier, match.needless_modifier) == (
        "changed",
        False,
        False,
    )


def test_a_modifier_that_lifts_a_standing_pair_is_never_needless() -> None:
    shot = dose("a", "10:00", None, route="IM")
    marked = line(1, "96372", modifiers=["59"])
    assert matches(shot, lines=[marked])[0].needless_modifier
    beside = matches(shot, lines=[marked, line(2, "96365")])
    assert (beside[0].needless_modifier, beside[0].status) == (False, "matched")


@pytest.mark.parametrize(
    ("first", "second", "own"),
    [
        ("physician", "physician", True),
        ("physician", None, None),
        ("physician", "RN", False),
        ("RN", None, False),
        (None, None, None),
    ],
)
def test_a_line_is_a_practitioners_own_work_where_all_of_it_is(
    first: str | None, second: str | None, own: bool | None
) -> None:
    chart = [
        drip("a", "10:00", "10:30", drug="x", administered_by=first),
        drip("b", "10:30", "11:00", drug="x", administered_by=second),
    ]
    (match,) = matches(*chart, lines=[line(1, "96365")])
    assert (ids(match), match.own_work) == (["a", "b"], own)


def test_a_link_says_what_a_line_bills_even_where_it_earns_nothing() -> None:
    chart = [push("a", "10:00"), push("b", "10:05", purpose="flush"), push("c", "10:10")]
    lines = [
        line(1, "96374", administrations=["c"]),
        line(2, "96375", administrations=["b"]),
        line(3, "96375", administrations=["b", "c"]),
    ]
    first, second, third = matches(*chart, lines=lines)
    assert (ids(first), ids(second), ids(third)) == (["c"], ["b"], ["b", "c"])
    assert first.service is not None and first.service.lead.given.id == "c"
    assert second.service is None
    assert third.service is first.service


KEEP_OPEN = drip("k", "14:00", "15:31", purpose="keep_open")
ALL_HOURS = [line(1, "96365"), line(2, "96366", 2)]
CONTRAST = push("x", "14:00", category="contrast")


@pytest.mark.parametrize(
    ("chart", "lines", "meant"),
    [
        ([push("a", "10:00"), CONTRAST, KEEP_OPEN], [line(1, "96374"), line(2, "96375")], ["x"]),
        ([push("a", "10:00"), CONTRAST, KEEP_OPEN], [line(1, "96374")], ["a"]),
        ([push("a", "10:00"), CONTRAST, KEEP_OPEN], [line(1, "96374", 2)], ["a", "x"]),
        ([push("a", "10:00"), CONTRAST], [line(1, "96374"), line(2, "96375", 0)], ["x"]),
        (
            [push("a", "10:00"), CONTRAST, KEEP_OPEN, fluid("f", "13:00", "13:10")],
            [line(1, "96374"), line(2, "96360")],
            ["f"],
        ),
        # An hour too many of what is billable, and no other run.
        ([THREE_HOURS, CONTRAST, KEEP_OPEN], [*ALL_HOURS, line(3, "96366")], []),
        ([THREE_HOURS, CONTRAST, KEEP_OPEN], [*ALL_HOURS, line(3, "96365")], ["k"]),
        ([push("a", "10:00"), KEEP_OPEN], [line(1, "96374"), line(2, "96366")], ["k"]),
    ],
)
def test_what_no_suggestion_stands_for_may_have_been_meant_for_what_earns_nothing(
    chart: list[dict[str, Any]], lines: list[dict[str, Any]], meant: list[str]
) -> None:
    assert ids(matches(*chart, lines=lines)[-1]) == meant


def test_a_dated_line_was_meant_for_nothing_of_another_encounter() -> None:
    kept_open = drip("k", f"{LATER}T14:00", f"{LATER}T15:31", purpose="keep_open")
    chart = [THREE_HOURS, KEEP_OPEN | {"id": "j"}, push("b", f"{LATER}T10:00"), kept_open]
    billed = [line(1, "96374", date=LATER), line(2, "96366", date=LATER)]
    assert ids(matches(*chart, lines=billed)[1]) == ["k"]
