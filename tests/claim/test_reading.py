"""Open questions against the claim: what equals an answer is no error, what equals none is."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush import Result
from ivpush.claim.reading import _Asks, _Distance, _Effort, _nearer, _Scale, _unlinked, _Visit
from ivpush.coding.questions import questions_of
from tests.visits import DAY, NEXT_DAY, asked, check, dose, drip, fluid, line, push, visit, work

BIOLOGIC = {"drug": "infliximab", "hcpcs": "J1745", "category": "complex_biologic"}
OFFICE: dict[str, Any] = {"setting": "professional"}


def errors(result: Result) -> list[tuple[str, int | None]]:
    return [(each.rule, each.line) for each in result.violations if each.severity == "error"]


OPEN: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any], str]] = {
    "complexity": (
        [drip("a", "10:00", "11:31", **BIOLOGIC)],
        [line(1, "96365"), line(2, "96366")],
        OFFICE,
        "complexity_documented",
    ),
    "attendance": (
        [push("a", "10:00", "10:20")],
        [line(1, "96374")],
        {},
        "administrations[0].continuously_attended",
    ),
    "site need": (
        [drip("a", "10:00", "11:00"), push("b", "10:20", site="right arm")],
        [line(1, "96365"), line(2, "96374", modifiers=["59"])],
        {},
        "administrations[1].separate_site_reason",
    ),
    "primary reason": (
        [fluid("a", "10:00", "11:31"), push("b", "10:20")],
        [line(1, "96360"), line(2, "96361"), line(3, "96375")],
        OFFICE,
        "primary_administration",
    ),
    "stop": (
        [drip("a", "10:00")],
        [line(1, "96365"), line(2, "96366", 2)],
        {},
        "administrations[0].stop",
    ),
    "class": (
        [push("a", "10:00", category=None, drug="zzyzx")],
        [line(1, "96409")],
        {},
        "administrations[0].category",
    ),
    "two facts": (
        [drip("a", "10:00", **BIOLOGIC)],
        [line(1, "96365"), line(2, "96366", 2)],
        OFFICE,
        "administrations[0].stop",
    ),
}

# Beside the answers to others a length is asked anew: alone, all lengths of the second bag bill one
# concurrent infusion.
OPEN["length at a further site"] = (
    [drip("a", "10:00", "11:31", category="chemotherapy"), drip("b", "10:00", site="right arm")],
    [
        line(1, "96413"),
        line(2, "96415"),
        line(3, "96365", modifiers=["XS"]),
        line(4, "96366", 2, modifiers=["XS"]),
    ],
    {},
    "administrations[1].stop",
)


@pytest.mark.parametrize("name", OPEN)
def test_a_claim_that_equals_an_answer_is_a_question_and_no_error(name: str) -> None:
    doses, lines, facts, missing = OPEN[name]
    result = check(*doses, lines=lines, **facts)
    assert missing in asked(result)
    assert errors(result) == []
    assert result.status == "needs_chart"


@pytest.mark.parametrize("name", OPEN)
def test_what_the_answer_decides_is_unjudged_and_the_claim_withheld(name: str) -> None:
    doses, lines, facts, missing = OPEN[name]
    result = check(*doses, lines=lines, **facts)
    assert any(missing in each.missing for each in result.unjudged)
    assert result.corrected is None
    assert result.withheld is not None and missing in result.withheld


def test_what_is_wrong_by_every_answer_is_an_error_by_the_nearest() -> None:
    result = check(
        drip("a", "10:00", "11:31", **BIOLOGIC),
        lines=[line(1, "96365"), line(2, "96366", 4)],
        **OFFICE,
    )
    assert errors(result) == [("IVP204", 2)]
    (error,) = [each for each in result.violations if each.severity == "error"]
    assert "96366" in error.message and "IVP903" in error.folds


SETTLED: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "nothing is billed, but a push was": (drip("a"), "96374", {"missing_stop_time": "deny"}),
    "a push, but an hour was": (drip("a", "10:00"), "96365", {"missing_stop_time": "push"}),
    "the last look, but an hour was": (
        drip("a", "10:00", last_seen_running="2026-03-02T10:10"),
        "96365",
        {"missing_stop_time": "last_charted_time"},
    ),
    "by the rate, but nobody charted one": (
        drip("a", "10:00"),
        "96365",
        {"missing_stop_time": "compute_only"},
    ),
    "a stop that was only ordered": (
        drip("a", "10:00", "11:00", times_from="ordered"),
        "96365",
        {"missing_stop_time": "deny"},
    ),
    "fluid by the rate": (
        fluid("a", "10:00", volume_ml=500, rate_ml_per_hour=500),
        "96360",
        {"missing_stop_time_hydration": "deny"},
    ),
}


@pytest.mark.parametrize("name", SETTLED)
def test_where_a_policy_says_what_a_missing_stop_bills_no_answer_excuses_a_line(name: str) -> None:
    dose, code, policies = SETTLED[name]
    result = check(dose, lines=[line(1, code)], policies=policies)
    assert asked(result) != []
    assert [where for _, where in errors(result)] == [1]
    assert errors(check(dose, lines=[line(1, code)])) == []


@pytest.mark.parametrize(
    "name", sorted(set(OPEN) - {"stop", "two facts", "length at a further site"})
)
def test_a_policy_about_the_stop_settles_no_other_question(name: str) -> None:
    doses, lines, facts, _ = OPEN[name]
    denied = {"missing_stop_time": "deny", "missing_stop_time_hydration": "deny"}
    untimed = drip("z", "15:00", drug="other", site="left arm")
    assert errors(check(*doses, untimed, lines=lines, policies=denied, **facts)) == []


def test_no_charge_is_missed_that_an_answer_would_not_bill() -> None:
    result = check(push("a", "10:00", category=None, drug="zzyzx"), lines=[])
    assert "administrations[0].category" in asked(result)
    assert [each.rule for each in result.violations if each.rule == "IVP902"] == []


def test_a_name_that_is_not_understood_may_be_another_of_a_drug_of_the_chart() -> None:
    known = push("b", "11:00", drug="morphine", category=None)
    claim = [line(1, "96374"), line(2, "96376")]
    result = check(push("a", "10:00", drug="zzyzx", category=None), known, lines=claim)
    assert errors(result) == []
    assert result.corrected is None


def test_two_doses_of_one_name_that_is_not_understood_are_of_one_drug() -> None:
    unread = [
        push(key, at, drug="zzyzx", category=None) for key, at in (("a", "10:00"), ("b", "11:00"))
    ]
    known = push("c", "12:00", drug="morphine", category=None)
    claim = [line(1, "96374"), line(2, "96376", 2)]
    assert errors(check(*unread, known, lines=claim)) == []
    wrong = [*claim, line(3, "96372")]
    assert [where for _, where in errors(check(*unread, known, lines=wrong))] == [3]


def test_of_codes_that_a_third_open_fact_decides_nothing_is_certain() -> None:
    """Which of many answers fits is not tried out: what is certain stays an error."""
    doses = [
        drip("a", "10:00", drug="zzyzx", category=None),
        push("b", "09:50", drug="qqyzx", category=None),
        push("c", "09:40", drug="wwyzx", category=None),
    ]
    right = [line(1, "96413"), line(2, "96411"), line(3, "96375")]
    assert errors(check(*doses, lines=right)) == []
    wrong = [*right, line(4, "96372")]
    assert [where for _, where in errors(check(*doses, lines=wrong))] == [4]


def test_an_office_says_by_its_initial_code_what_each_visit_was_for() -> None:
    """A record names the primary reason of one visit; a claim may hold many."""
    days = [DAY, "2026-03-09", "2026-03-16"]
    doses = [
        each
        for n, day in enumerate(days)
        for each in (
            fluid(f"f{n}", f"{day}T10:00", f"{day}T11:31"),
            push(f"p{n}", f"{day}T12:00"),
        )
    ]
    claim = [
        line(3 * n + k, code, date=day)
        for n, day in enumerate(days)
        for k, code in enumerate(("96360", "96361", "96375"), 1)
    ]
    for named in (None, "f1"):
        result = check(*doses, lines=claim, primary_administration=named, **OFFICE)
        assert errors(result) == []
    wrong = [*claim[:-1], line(9, "96375", 2, date=days[-1])]
    result = check(*doses, lines=wrong, primary_administration="f1", **OFFICE)
    assert {where for _, where in errors(result)} == {9}


def test_each_visit_of_a_claim_is_read_by_answers_of_its_own() -> None:
    later, last = "2026-03-09", "2026-03-16"
    doses = [
        push("a", f"{DAY}T10:00", f"{DAY}T10:20"),
        drip("b", f"{later}T10:00"),
        push("c", f"{last}T10:00", category=None, drug="zzyzx"),
    ]
    lines = [
        line(1, "96374", date=DAY),
        line(2, "96365", date=later),
        line(3, "96366", 2, date=later),
        line(4, "96409", date=last),
    ]
    assert errors(check(*doses, lines=lines)) == []
    wrong = [*lines, line(5, "96368", date=last)]
    assert [where for _, where in errors(check(*doses, lines=wrong))] == [5]


def test_what_one_visit_leaves_open_excuses_nothing_on_a_visit_that_leaves_nothing_open() -> None:
    """A drug that nobody can read, but its purpose is stated: as another drug nobody reads it."""
    later = "2026-03-09"
    fluid_given = drip("a", "10:00", "11:30", drug="zzyzx", category=None, purpose="hydration")
    known = dose("b", "15:00", None, drug="ceftriaxone", route="IM", method="injection")
    unread = push("c", f"{later}T10:00", drug="zzyzx", category=None)
    lines = [line(1, "96365", date=DAY), line(2, "96372", date=DAY), line(3, "96409", date=later)]
    alone = check(fluid_given, known, lines=lines[:2])
    assert ("IVP307", 1) in errors(alone)
    together = check(fluid_given, known, unread, lines=lines)
    assert asked(together) != []
    assert errors(together) == errors(alone)


@pytest.mark.parametrize("link", ["mixed_with", "continues"])
def test_a_dose_may_name_one_of_another_visit_of_the_claim(link: str) -> None:
    """It is mistyped; what is wrong on the claim is found all the same."""
    later, unread = "2026-03-09", {"drug": "zzyzx", "category": None}
    doses = [
        push("a", **unread),
        push("b", f"{DAY}T10:00", **unread),
        dose("d", f"{later}T10:30", None, route="IM"),
        push("c", f"{later}T10:00", **unread, route="PO"),
    ]
    lines = [line(1, "96409", date=DAY), line(2, "96413", date=later)]
    linked = [*doses[:3], {**doses[3], link: "a"}]
    for chart in (doses, linked):
        assert [where for _, where in errors(check(*chart, lines=lines))] == [2]


def test_a_chart_of_many_open_doses_is_asked_anew_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_anew = []

    def counted(*arguments: Any, **options: Any) -> Any:
        asked_anew.append(len(arguments))
        return questions_of(*arguments, **options)

    monkeypatch.setattr("ivpush.claim.reading.questions_of", counted)
    times = [f"{8 + n // 5:02}:{n % 5 * 11:02}" for n in range(30)]
    doses = [push(f"a{at}", at, category=None, drug=f"zzyzx{at}") for at in times]
    result = check(*doses, lines=[line(1, "96365")])
    assert result.questions
    # Once for all lengths of what is open, then as often as so many doses allow.
    assert len(asked_anew) <= 1 + 600 // len(doses)


# The parts of a reading


@pytest.mark.parametrize(
    ("administrations", "times"), [(0, 600), (1, 600), (12, 50), (100, 6), (150, 4), (5_000, 4)]
)
def test_a_chart_is_asked_the_less_often_the_longer_it_is(administrations: int, times: int) -> None:
    asks = _Asks(administrations, _Effort(administrations))
    spent = 0
    while asks.spend():
        spent += 1
    assert spent == times


def test_a_chart_is_coded_as_long_as_there_is_effort_left_for_it() -> None:
    effort = _Effort(10)
    asks = _Asks(10, effort)
    effort.left = 20
    assert asks.code(0) and asks.code() and not asks.code()
    assert effort.left == 0
    # To judge a claim is as much work as to code its chart three times.
    effort.left = 30
    effort.judge()
    assert effort.left == 0


def test_a_path_of_one_encounter_is_one_of_the_whole_record() -> None:
    worked = work(push("a", "10:00"))
    of_second = _Visit(1, (), worked.coded, [2, 5])
    assert of_second.field("administrations[1].stop") == "administrations[5].stop"
    assert of_second.field("administrations[0].drug") == "administrations[2].drug"
    assert of_second.field("primary_administration") == "primary_administration"


@pytest.mark.parametrize(
    ("distance", "best", "nearer"),
    [
        ((1, 9), (2, 0), True),
        ((0, 9), (1, 0), True),
        ((0, 2), (0, 3), True),
        ((0, 3), (0, 3), False),
        # It explains no more of what is billed, and merely leaves less of the chart unbilled.
        ((2, 2), (2, 3), False),
        ((3, 0), (2, 3), False),
    ],
)
def test_answers_are_nearer_that_explain_more_of_what_is_billed(
    distance: tuple[int, int], best: tuple[int, int], nearer: bool
) -> None:
    assert _nearer(_Distance(*distance), _Distance(*best)) is nearer


TWO_SITES = [
    drip("a", "10:00", "12:00"),
    push("b", "10:10", site="right arm", separate_site_reason="incompatible drugs"),
]
FIRST, HOUR = line(1, "96365"), line(2, "96366")


@pytest.mark.parametrize(
    ("lines", "distance"),
    [
        ([FIRST, HOUR, line(3, "96374", modifiers=["XS"])], (0, 0)),
        # Which of the distinct-service modifiers it is does not count, but that there is one.
        ([FIRST, HOUR, line(3, "96374", modifiers=["59"])], (0, 0)),
        ([FIRST, HOUR, line(3, "96374")], (1, 1)),
        ([FIRST], (0, 2)),
        ([FIRST, line(2, "96366", 4)], (3, 1)),
        ([FIRST, HOUR, line(3, "96413", 2)], (2, 1)),
        ([], (0, 3)),
        # What bills no administration is no part of it.
        ([FIRST, HOUR, line(3, "99283"), line(4, "J2405", 8)], (0, 1)),
        # One line without a date could be any day's, so that no date is compared.
        ([{**FIRST, "date": NEXT_DAY}, HOUR], (0, 1)),
        ([{**FIRST, "date": NEXT_DAY}, {**HOUR, "date": DAY}], (1, 2)),
        ([{**FIRST, "date": DAY}, {**HOUR, "date": DAY}, line(3, "99283")], (0, 1)),
    ],
)
def test_a_claim_lies_as_far_from_a_chart_as_units_differ(
    lines: list[dict[str, Any]], distance: tuple[int, int]
) -> None:
    worked = work(*TWO_SITES, lines=lines)
    scale = _Scale(worked.facts.lines or (), (), worked.drafts)
    assert scale.distance(worked.drafts) == distance
    assert scale.distance_from(worked.result.suggested) == distance


def test_a_dose_keeps_its_links_within_its_encounter() -> None:
    first, second, third = (
        visit(
            push("a", "10:00"),
            push("b", "10:10", mixed_with="a"),
            push("c", "10:20", continues="b"),
        ).administrations
        or ()
    )
    assert _unlinked(second, {"a", "b"}) is second
    assert _unlinked(first, {"z"}) is first
    assert _unlinked(second, {"b"}).mixed_with is None
    assert _unlinked(third, {"a", "c"}).continues is None
    assert _unlinked(third, {"b", "c"}).continues == "b"
