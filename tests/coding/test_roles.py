"""Who is initial, who sequential, who concurrent, and how many further hours."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ivpush import Result
from ivpush.coding.roles import further_hours
from tests.shipped import PACK
from tests.visits import DAY, NEXT_DAY, billed, check, dated, drip, fluid, push, reasons, work

OFFICE: dict[str, Any] = {"setting": "professional"}
PUSH_FIRST = [push("a", "09:00"), drip("b", "10:00", "11:00")]
BY_HIERARCHY = [("96365", 1), ("96375", 1)]
BY_TIME = [("96374", 1), ("96367", 1)]


# Which service is initial


def test_a_hospital_puts_the_highest_ranking_service_first() -> None:
    chemo = drip("c", "11:10", "12:10", category="chemotherapy")
    assert billed(check(*PUSH_FIRST)) == BY_HIERARCHY
    assert billed(check(*PUSH_FIRST, chemo)) == [("96413", 1), ("96375", 1), ("96367", 1)]


def test_an_office_puts_the_named_reason_first() -> None:
    assert billed(check(*PUSH_FIRST, primary_administration="a", **OFFICE)) == BY_TIME
    assert billed(check(*PUSH_FIRST, primary_administration="b", **OFFICE)) == BY_HIERARCHY


FIRST_GIVEN = {"professional_missing_primary_reason": "first_given"}


def test_without_a_named_reason_the_policy_may_put_the_first_given_first() -> None:
    assert billed(check(*PUSH_FIRST, **OFFICE)) == BY_HIERARCHY
    assert billed(check(*PUSH_FIRST, policies=FIRST_GIVEN, **OFFICE)) == BY_TIME


def test_a_named_reason_beats_the_first_given_and_a_hospital_has_neither() -> None:
    named = check(*PUSH_FIRST, policies=FIRST_GIVEN, primary_administration="b", **OFFICE)
    assert billed(named) == BY_HIERARCHY
    assert billed(check(*PUSH_FIRST, policies=FIRST_GIVEN)) == BY_HIERARCHY


def chosen_by(*administrations: dict[str, Any], **facts: Any) -> str | None:
    """By what the initial service was chosen."""
    return work(*administrations, **OFFICE, **facts).facts.initial_by


def test_the_result_knows_by_what_the_initial_service_was_chosen() -> None:
    assert chosen_by(*PUSH_FIRST) == "hierarchy"
    assert chosen_by(*PUSH_FIRST, policies=FIRST_GIVEN) == "first_given"
    assert chosen_by(*PUSH_FIRST, primary_administration="a") == "primary_reason"


def test_one_service_alone_is_chosen_by_no_policy() -> None:
    assert chosen_by(PUSH_FIRST[0], policies=FIRST_GIVEN) == "hierarchy"


CHEMOTHERAPY = [push("a", "09:40"), drip("b", "10:00", "12:00", category="chemotherapy")]


def test_a_named_reason_that_cannot_lead_falls_back_to_the_hierarchy_and_says_so() -> None:
    fallback = check(*CHEMOTHERAPY, primary_administration="a", **OFFICE)
    assert billed(fallback)[0] == ("96413", 1)
    assert "primary-reason-cannot-lead" in {violation.name for violation in fallback.violations}
    assert chosen_by(*CHEMOTHERAPY, primary_administration="a") == "fallback"


def test_a_named_reason_of_another_access_is_no_fallback() -> None:
    """The first access has its own initial service by the hierarchy; nobody named another there."""
    injected = {**push("c", "09:00"), "route": "IM", "method": "injection"}
    assert chosen_by(*CHEMOTHERAPY, injected, primary_administration="c") == "hierarchy"


# Hours


@pytest.mark.parametrize(
    ("stop", "hours"), [("11:30", 0), ("11:31", 1), ("12:30", 1), ("12:31", 2), ("13:31", 3)]
)
def test_a_further_hour_begins_31_minutes_past_the_last(stop: str, hours: int) -> None:
    assert dict(billed(check(drip("a", "10:00", stop)))).get("96366", 0) == hours
    sequential = check(drip("z", "07:00", "08:00"), drip("a", "10:00", stop))
    assert dict(billed(sequential)) == {"96365": 1, "96367": 1} | (
        {"96366": hours} if hours else {}
    )


@pytest.mark.parametrize("minutes", [15, 16, 30, 31, 90, 91, 150, 151, 480, 481])
def test_minutes_without_clock_times_count_the_same(minutes: int) -> None:
    hours = max(0, (minutes - 31) // 60)
    drug = dict(billed(check(drip("a", minutes=minutes))))
    if minutes <= 15:
        assert drug == {"96374": 1}
    else:
        assert drug == {"96365": 1} | ({"96366": hours} if hours else {})
    water = dict(billed(check(fluid("a", minutes=minutes))))
    assert water == ({"96360": 1} | ({"96361": hours} if hours else {}) if minutes > 30 else {})


@pytest.mark.parametrize(
    ("stop", "together", "hours_alone", "further"),
    [("14:59", 1, 1, 0), ("15:30", 1, 1, 0), ("15:31", 2, 2, 1), ("16:31", 3, 3, 2)],
)
def test_a_repeated_infusion_of_one_drug_counts_as_the_policy_says(
    stop: str, together: int, hours_alone: int, further: int
) -> None:
    doses = [drip("a", "10:00", "11:00"), drip("b", "14:00", stop, drug="drug a")]

    def under(policy: str) -> list[tuple[str, int]]:
        return billed(check(*doses, policies={"repeat_same_drug_infusion": policy}))

    assert under("continue_time") == [("96365", 1), ("96366", together)]
    assert under("additional_hour_only") == [("96365", 1), ("96366", hours_alone)]
    assert under("sequential_96367") == [
        ("96365", 1),
        ("96367", 1),
        *([("96366", further)] if further else []),
    ]


@pytest.mark.parametrize(("stop", "within"), [("11:00", True), ("11:01", False)])
def test_a_drug_inside_the_first_hour_adds_nothing_if_the_policy_says_so(
    stop: str, within: bool
) -> None:
    doses = [drip("a", "10:00", "10:30"), drip("b", "10:30", stop)]
    strict = check(*doses, policies={"sequential_within_first_hour": "no_extra_unit"})
    assert billed(check(*doses)) == [("96365", 1), ("96367", 1)]
    assert billed(strict) == ([("96365", 1)] if within else [("96365", 1), ("96367", 1)])


def test_hydration_beside_a_drug_bills_hours_only() -> None:
    assert billed(check(drip("a", "10:00", "11:00"), fluid("f", "11:00", "12:00")))[1][1] == 1
    later = check(push("a", "09:55"), fluid("f", "11:00", "12:31"))
    assert billed(later) == [("96374", 1), ("96361", 2)]


# Concurrent infusions


def test_drips_that_touch_are_sequential_and_drips_that_overlap_are_concurrent() -> None:
    first = drip("a", "10:00", "11:00")
    assert billed(check(first, drip("b", "11:00", "12:00"))) == [("96365", 1), ("96367", 1)]
    assert billed(check(first, drip("b", "10:30", "11:30"))) == [("96365", 1), ("96368", 1)]


def two_at_once(keys: str, start: str, stop: str, visit: int = 1) -> list[dict[str, Any]]:
    """Two drips at the same time."""
    return [drip(key, start, stop, visit=visit) for key in keys]


MORNING = two_at_once("ab", "08:00", "09:00")


def test_a_concurrent_infusion_is_billed_once_for_all_visits_of_an_encounter() -> None:
    visits = check(*MORNING, *two_at_once("cd", "14:00", "15:00", visit=2))
    assert dict(billed(visits))["96368"] == 1
    assert "once an encounter" in reasons(visits)["d"]


@pytest.mark.parametrize(
    ("bound", "units"), [("encounter_id", 1), ("calendar_day", 2), ("gap_hours", 2)]
)
def test_visits_of_two_days_share_their_concurrent_infusion_unless_the_policy_parts_them(
    bound: str, units: int
) -> None:
    morning_after = two_at_once("cd", f"{NEXT_DAY}T08:00", f"{NEXT_DAY}T09:00", visit=2)
    result = check(*MORNING, *morning_after, policies={"encounter_boundary": bound})
    concurrent = [date for code, _, date in dated(result) if code == "96368"]
    assert len(concurrent) == units


def test_a_day_bills_one_concurrent_infusion_whatever_the_bound() -> None:
    evening = two_at_once("cd", "19:00", "20:00")
    for bound in ("encounter_id", "calendar_day", "gap_hours"):
        result = check(*MORNING, *evening, policies={"encounter_boundary": bound})
        assert sum(units for code, units, _ in dated(result) if code == "96368") == 1


@pytest.mark.parametrize(("bound", "units"), [("calendar_day", 2), ("gap_hours", 1)])
def test_a_night_without_a_gap_is_one_encounter_unless_the_policy_counts_days(
    bound: str, units: int
) -> None:
    before_midnight = two_at_once("ab", "22:00", "23:00")
    after_midnight = two_at_once("cd", f"{NEXT_DAY}T00:30", f"{NEXT_DAY}T01:30")
    result = check(*before_midnight, *after_midnight, policies={"encounter_boundary": bound})
    assert sum(count for code, count, _ in dated(result) if code == "96368") == units


# Add-ons and their primaries


LONG_AND_SHORT = [drip("a", "10:00", "11:31"), drip("b", "10:05", "10:21"), push("c", "11:40")]


def test_a_further_hour_is_a_primary_of_the_concurrent_infusion() -> None:
    led = check(*LONG_AND_SHORT, primary_administration="c", **OFFICE)
    assert billed(led) == [("96374", 1), ("96367", 1), ("96366", 1), ("96368", 1)]


def test_without_a_further_hour_the_push_named_beside_two_drips_cannot_lead() -> None:
    shorter = [drip("a", "10:00", "11:30"), *LONG_AND_SHORT[1:]]
    back = check(*shorter, primary_administration="c", **OFFICE)
    assert billed(back) == [("96365", 1), ("96368", 1), ("96375", 1)]


def test_the_second_drug_of_a_syringe_named_as_the_reason_names_its_push() -> None:
    syringe = [push("a", "10:00"), push("b", "10:00", mixed_with="a"), drip("c", "10:10", "10:45")]
    for named in ("a", "b"):
        led = check(*syringe, primary_administration=named, **OFFICE)
        assert billed(led) == [("96374", 1), ("96367", 1)]
        assert led.suggested[0].administrations == ("a", "b")


def test_a_named_reason_leads_where_the_hierarchy_leaves_the_same_drip_unbilled() -> None:
    chemo = {"category": "chemotherapy"}
    pushes = [push("a", "09:00", **chemo), push("b", "11:10", **chemo)]
    together = [drip("c", "10:00", "10:40"), drip("d", "10:00", "10:20")]
    chart = [*pushes, *together]
    assert billed(check(*chart, **OFFICE)) == [("96409", 1), ("96367", 1), ("96411", 1)]
    assert chosen_by(*chart, primary_administration="b") == "primary_reason"


def test_a_named_reason_leads_where_a_drip_beside_it_has_its_primary_at_another_access() -> None:
    together = [drip("c", "10:00", "10:40"), drip("d", "10:00", "10:20")]
    other = drip("e", "10:00", "11:00", site="B", separate_site_reason="two needed")
    led = check(push("a", "09:00"), *together, other, primary_administration="a", **OFFICE)
    assert sorted(billed(led)) == [("96365", 1), ("96367-XS", 1), ("96368-XS", 1), ("96374-XS", 1)]
    alone = check(push("a", "09:00"), *together, primary_administration="a", **OFFICE)
    assert billed(alone) == [("96365", 1), ("96375", 1), ("96368", 1)]


def test_a_push_named_as_the_reason_lets_the_infusion_of_its_drug_lead() -> None:
    same = {"drug": "drug a"}
    chart = [push("a", "09:30"), drip("b", "10:00", "11:00", **same), push("c", "11:10")]
    led = check(*chart, primary_administration="a", **OFFICE)
    assert billed(led) == [("96365", 1), ("96375", 1)]
    assert chosen_by(*chart, primary_administration="a") == "primary_reason"
    other = [drip("b", "10:00", "11:00", drug="drug b"), push("a", "11:10")]
    assert billed(check(*other, primary_administration="a", **OFFICE)) == BY_TIME


def test_a_carrier_named_as_the_reason_names_the_drug_that_it_carries() -> None:
    bag = [
        push("a", "09:00"),
        drip("b", "10:00", "11:00"),
        drip("w", purpose="drug_carrier", mixed_with="b"),
    ]
    led = check(*bag, primary_administration="w", **OFFICE)
    assert billed(led) == [("96365", 1), ("96375", 1)]
    assert chosen_by(*bag, primary_administration="w") == "primary_reason"


def test_a_named_reason_that_cannot_lead_does_not_win_among_overlapping_drips() -> None:
    chemo = drip("a", "10:00", "11:00", category="chemotherapy")
    beside = drip("b", "10:10", "10:40")
    back = check(chemo, beside, primary_administration="b", **OFFICE)
    assert billed(back) == [("96413", 1), ("96368", 1)]


def test_the_first_given_leads_only_where_no_add_on_loses_its_primary() -> None:
    chemo = drip("b", "10:00", "11:00", category="chemotherapy")
    early = check(push("a", "09:00"), chemo, policies=FIRST_GIVEN, **OFFICE)
    assert billed(early) == [("96413", 1), ("96375", 1)]
    assert chosen_by(push("a", "09:00"), chemo, policies=FIRST_GIVEN) == "hierarchy"


def test_a_concurrent_infusion_without_any_of_its_primaries_earns_nothing() -> None:
    chemo = push("a", "10:00", category="chemotherapy")
    drips = [drip("b", "10:10", "11:10"), drip("c", "10:15", "10:50")]
    result = check(chemo, *drips)
    assert billed(result) == [("96409", 1), ("96367", 1)]
    assert "none of the primary codes" in reasons(result)["c"]
    longer = check(chemo, drip("b", "10:10", "11:41"), drips[1])
    assert billed(longer) == [("96409", 1), ("96367", 1), ("96366", 1), ("96368", 1)]


@pytest.mark.parametrize(("minutes", "units"), [(16, 0), (30, 0), (31, 1), (90, 1), (91, 2)])
def test_a_repeated_infusion_counts_as_hours_only_past_30_minutes(minutes: int, units: int) -> None:
    doses = [drip("a", minutes=31, drug="drug a"), drip("b", minutes=minutes, drug="drug a")]
    doses[0] |= {"start": "2026-03-02T08:00"}
    doses[1] |= {"start": "2026-03-02T18:00"}
    result = check(*doses, policies={"repeat_same_drug_infusion": "additional_hour_only"})
    assert dict(billed(result)).get("96366", 0) == units
    assert ("b" in reasons(result)) == (units == 0)


@pytest.mark.parametrize(("day", "codes"), [("2005-12-31", []), ("2006-01-01", [("90774", 1)])])
def test_before_the_first_code_of_a_push_it_earns_nothing_and_says_so(
    day: str, codes: list[tuple[str, int]]
) -> None:
    result = check(push("a", f"{day}T10:00"), date=day)
    assert billed(result) == codes
    assert ("a" in reasons(result)) is not bool(codes)


def test_a_concurrent_drip_of_a_second_site_earns_nothing_without_its_primary() -> None:
    """Beside a push of chemotherapy no drip is initial, and 96367 is no primary of 96368."""
    needed = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
    second = [
        push("c", "10:00", category="chemotherapy", **needed),
        drip("x", "10:10", "11:00", **needed),
        drip("y", "10:10", "11:00", **needed),
    ]
    result = check(push("a", "09:00"), *second)
    assert sorted(code[:5] for code, _ in billed(result)) == ["96367", "96374", "96409"]
    assert "none of the primary codes" in reasons(result)["y"]


def test_a_concurrent_drip_hangs_on_no_primary_of_another_visit() -> None:
    """The second visit is led by chemotherapy pushed; the infusion of the first is not beside it."""
    second = [
        push("c", "15:00", category="chemotherapy", visit=2),
        drip("x", "15:10", "16:00", visit=2),
        drip("y", "15:10", "16:00", visit=2),
    ]
    result = check(drip("a", "09:00", "10:00"), *second)
    assert sorted(code[:5] for code, _ in billed(result)) == ["96365", "96367", "96409"]
    assert "none of the primary codes" in reasons(result)["y"]


def test_a_drug_beside_a_named_hydration_is_not_concurrent() -> None:
    """Nor where a policy lets hydration count beside a drug."""
    water = fluid("f", "08:00", "12:00", purpose="hydration")
    chart = (water, drip("a", "10:00", "11:00"))
    for policy, hours in (("subtract_overlap", 2), ("ignore", 3)):
        policies = {"hydration_overlap": policy}
        result = check(*chart, primary_administration="f", policies=policies, **OFFICE)
        assert billed(result) == [("96360", 1), ("96361", hours), ("96367", 1)]


# Which of the drips that run together keeps its role


def earned_by(result: Result) -> dict[str, tuple[str, ...]]:
    """The administrations of each suggested code."""
    return {line.code: line.administrations for line in result.suggested}


def test_of_drips_together_the_higher_rank_keeps_its_role_though_shorter_and_later() -> None:
    chemo = drip("c", "10:10", "11:10", category="chemotherapy")
    result = check(drip("a", "10:00", "12:31"), chemo)
    assert earned_by(result) == {"96413": ("c",), "96368": ("a",)}


def test_of_drips_of_one_rank_the_longer_keeps_its_role_though_later() -> None:
    result = check(drip("a", "10:00", "11:00"), drip("b", "10:10", "11:50"))
    assert earned_by(result) == {"96365": ("b",), "96366": ("b",), "96368": ("a",)}


def test_of_drips_of_one_length_the_earlier_keeps_its_role() -> None:
    result = check(drip("a", "10:10", "11:10"), drip("b", "10:00", "11:00"))
    assert earned_by(result) == {"96365": ("b",), "96368": ("a",)}


def test_a_named_drip_keeps_its_role_though_shorter() -> None:
    chart = [drip("a", "10:00", "11:40"), drip("b", "10:10", "11:00")]
    led = check(*chart, primary_administration="b", **OFFICE)
    assert earned_by(led) == {"96365": ("b",), "96368": ("a",)}
    assert earned_by(check(*chart, **OFFICE)) == {"96365": ("a",), "96366": ("a",), "96368": ("b",)}


@pytest.mark.parametrize(
    ("start", "least", "code"),
    [
        ("10:44", 16, "96368"),
        ("10:45", 16, "96367"),
        ("10:59", 0, "96368"),
        ("10:59:59", 0, "96368"),
        ("11:00", 0, "96367"),
        ("10:59", 1, "96368"),
        ("10:59", 2, "96367"),
    ],
)
def test_drips_run_together_from_the_minutes_that_the_policy_says(
    start: str, least: int, code: str
) -> None:
    later = drip("b", start, "11:45")
    policies = {"concurrent_min_overlap_minutes": least}
    result = check(drip("a", "10:00", "11:00"), later, policies=policies)
    assert billed(result) == [("96365", 1), (code, 1)]


def test_a_concurrent_drip_makes_no_other_concurrent() -> None:
    """The third overlaps only the second, which keeps no role of its own."""
    chart = [drip("a", "10:00", "11:00"), drip("b", "10:20", "11:10"), drip("c", "11:00", "11:30")]
    assert earned_by(check(*chart)) == {"96365": ("a",), "96368": ("b",), "96367": ("c",)}


# Which infusion leads for a push of its drug


def test_the_push_leads_where_the_infusion_holds_not_every_drug_of_it() -> None:
    syringe = [push("a", "09:30"), push("x", "09:30", mixed_with="a")]
    both = [drip("b", "10:00", "11:00", drug="drug a"), drip("y", "11:10", "11:40", drug="drug x")]
    named = {"primary_administration": "a", **OFFICE}
    assert earned_by(check(*syringe, both[0], **named))["96374"] == ("a", "x")
    assert earned_by(check(*syringe, *both, **named))["96365"] == ("b",)


def test_of_several_infusions_of_the_pushed_drug_the_highest_rank_leads() -> None:
    chart = [
        push("a", "09:00", drug="rituximab", category="therapeutic"),
        drip("b", "10:00", "11:00", drug="rituximab", category="therapeutic"),
        drip("c", "12:00", "13:00", drug="rituximab", category="chemotherapy"),
    ]
    led = check(*chart, primary_administration="a", **OFFICE)
    assert earned_by(led)["96413"] == ("c",)


def test_another_drip_than_that_of_the_named_push_does_not_lead_for_it() -> None:
    chart = [
        push("a", "09:00"),
        drip("c", "09:10", "10:00", category="chemotherapy"),
        drip("b", "10:00", "11:00", drug="drug a"),
    ]
    assert chosen_by(*chart, primary_administration="a") == "fallback"
    assert earned_by(check(*chart, primary_administration="a", **OFFICE))["96413"] == ("c",)


# Hours of what leads and what follows


@pytest.mark.parametrize(("minutes", "hours"), [(60, 0), (61, 0), (90, 0), (91, 1)])
def test_hours_begin_past_the_half_of_the_next(minutes: int, hours: int) -> None:
    assert further_hours(minutes, PACK.book(date(2026, 3, 2))) == hours


def test_an_hour_of_exactly_sixty_minutes_has_no_further_one_whatever_the_policy() -> None:
    short = PACK.book(date(2026, 3, 2), policies={"additional_hour_minutes": 1})
    assert [further_hours(minutes, short) for minutes in (59, 60, 61, 120, 121)] == [0, 0, 1, 1, 2]


def test_a_push_has_no_further_hours_however_long_it_was() -> None:
    result = check(push("a", "09:00", "11:40", continuously_attended=True))
    assert billed(result) == [("96374", 1)]


def test_a_push_within_an_infusion_is_no_concurrent_one() -> None:
    within = push("b", "10:10", "10:14")
    result = check(
        drip("a", "10:00", "11:00"), within, policies={"concurrent_min_overlap_minutes": 0}
    )
    assert billed(result) == BY_HIERARCHY


def test_each_night_has_its_concurrent_infusion_by_the_day_on_which_it_began() -> None:
    first = two_at_once("ab", "23:00", f"{NEXT_DAY}T00:30")
    second = two_at_once("cd", f"{NEXT_DAY}T08:00", f"{NEXT_DAY}T09:00", visit=2)
    result = check(*first, *second, policies={"encounter_boundary": "calendar_day"})
    assert [date for code, _, date in dated(result) if code == "96368"] == [DAY, NEXT_DAY]


def test_a_push_of_the_drug_of_another_infusion_says_nothing_of_the_named_one() -> None:
    chart = [
        push("a", "09:00"),
        drip("b", "09:10", "10:00", drug="drug a"),
        drip("c", "10:00", "11:00"),
    ]
    led = check(*chart, primary_administration="c", **OFFICE)
    assert earned_by(led)["96365"] == ("c",)
    assert chosen_by(*chart, primary_administration="c") == "primary_reason"


def test_a_later_dose_named_as_the_reason_cannot_lead_as_a_service_of_its_own() -> None:
    doses = [drip("a", "08:00", "08:40", drug="x"), drip("b", "18:00", "18:40", drug="x")]
    chart = [push("p", "07:00"), *doses]
    apart = {"repeat_same_drug_infusion": "sequential_96367"}
    assert chosen_by(*chart, policies=apart, primary_administration="b") == "fallback"
    assert chosen_by(*chart, policies=apart, primary_administration="a") == "primary_reason"


def test_any_dose_of_a_service_may_be_the_named_one() -> None:
    doses = [drip("a", "08:00", "08:40", drug="x"), drip("b", "18:00", "18:40", drug="x")]
    chart = [drip("p", "07:00", "08:00"), *doses]
    for named in ("a", "b"):
        assert chosen_by(*chart, primary_administration=named) == "primary_reason"
        led = check(*chart, primary_administration=named, **OFFICE)
        assert earned_by(led)["96365"] == ("a", "b")


def test_a_suggestion_says_whether_the_named_reason_or_the_hierarchy_made_it_initial() -> None:
    named = check(*PUSH_FIRST, primary_administration="b", **OFFICE).suggested[0]
    assert "primary reason" in named.because
    assert "ranks higher" in check(*PUSH_FIRST, **OFFICE).suggested[0].because


def test_only_a_drug_given_again_counts_as_hours_of_its_infusion() -> None:
    again = [drip("a", "08:00", "09:00", drug="x"), drip("b", "18:00", "18:40", drug="x")]
    other = drip("c", "12:00", "12:40")
    policies = {"repeat_same_drug_infusion": "additional_hour_only"}
    result = check(*again, other, policies=policies)
    assert billed(result) == [("96365", 1), ("96367", 1), ("96366", 1)]


def test_a_long_attended_push_that_leads_has_no_hours_in_its_facts_either() -> None:
    (service,) = work(push("a", "09:00", "11:40", continuously_attended=True)).derived.services
    assert (service.role, service.further) == ("initial", 0)


def test_administrations_know_whether_they_are_billed_and_their_chain() -> None:
    derived = work(push("a", "09:00"), fluid("f", "10:00", "10:20")).derived
    assert {each.given.id: (each.billable, each.chain) for each in derived.administrations} == {
        "a": (True, 0),
        "f": (False, 0),
    }
    assert [service.code for service in derived.services if service.role] == ["96374"]


@pytest.mark.parametrize("setting", ["facility", "professional"])
def test_what_has_no_code_on_its_day_says_so(setting: str) -> None:
    day = "2005-12-31"
    result = check(push("a", f"{day}T10:00"), date=day, setting=setting)
    assert "no code" in reasons(result)["a"]
