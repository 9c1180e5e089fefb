"""Lines as a coder writes them: units, dates, modifiers, order and reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ivpush import Engine
from tests.visits import (
    DAY,
    NEXT_DAY,
    billed,
    check,
    dated,
    dose,
    drip,
    fluid,
    line,
    push,
    reasons,
    visit,
)

NEEDED = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
OVERNIGHT = drip("a", "22:00", f"{NEXT_DAY}T02:00")


def test_equal_codes_of_one_day_are_one_line() -> None:
    pushes = check(push("a", "10:00"), push("b", "10:05"), push("c", "10:10"))
    assert [line.administrations for line in pushes.suggested] == [("a",), ("b", "c")]
    assert billed(pushes) == [("96374", 1), ("96375", 2)]


def test_an_hour_is_billed_on_the_day_on_which_it_ends_unless_the_policy_says_the_first() -> None:
    assert dated(check(OVERNIGHT)) == [
        ("96365", 1, DAY),
        ("96366", 1, DAY),
        ("96366", 2, NEXT_DAY),
    ]
    on_first = check(OVERNIGHT, policies={"midnight_infusion_date": "start_date"})
    assert dated(on_first) == [("96365", 1, DAY), ("96366", 3, DAY)]


def test_a_push_is_billed_on_its_own_day() -> None:
    pushes = check(push("a", "23:50"), push("b", f"{NEXT_DAY}T00:30"))
    assert dated(pushes) == [("96374", 1, DAY), ("96375", 1, NEXT_DAY)]


@pytest.mark.parametrize(("policy", "modifier"), [("by_reason", "XS"), ("59", "59")])
def test_a_second_initial_says_why_it_is_apart(policy: str, modifier: str) -> None:
    both = [drip("a", "10:00", "11:00"), drip("b", "10:00", "11:00", **NEEDED)]
    result = check(*both, policies={"second_initial_modifier": policy})
    assert billed(result) == [("96365", 1), (f"96365-{modifier}", 1)]
    assert f"{modifier}" in result.suggested[1].because


def test_hydration_hours_beside_a_drug_are_marked_distinct_unless_the_policy_does_not_ask() -> None:
    both = [drip("a", "10:00", "11:00"), fluid("f", "11:00", "12:00")]
    strict = check(*both, policies={"hydration_requires_dx_59": True})
    assert billed(strict) == [("96365", 1), ("96361-59", 1)]
    assert billed(check(*both)) == [("96365", 1), ("96361", 1)]


def test_an_injection_beside_a_push_says_what_makes_it_distinct() -> None:
    injection = dose("a", "10:00", None, route="IM")
    assert billed(check(injection, push("b", "10:05"))) == [("96374", 1), ("96372-XU", 1)]
    visits = [{**injection, "visit": 1}, push("b", "18:05", visit=2)]
    assert billed(check(*visits)) == [("96374", 1), ("96372-XE", 1)]


def test_a_reason_names_a_drug_of_no_table_by_its_id() -> None:
    (line,) = check(drip("a", "10:00", "10:45", drug="house blend")).suggested
    assert line.because.startswith("a at 10:00 (45 min): ")
    (known,) = check(drip("a", "10:00", "10:45", drug="Zofran")).suggested
    assert known.because.startswith("ondansetron at 10:00 (45 min): ")


# Policies named


def named_by(code: str, *administrations: dict[str, Any]) -> str:
    """Why a code is suggested."""
    return next(row.because for row in check(*administrations).suggested if row.code == code)


def test_a_line_that_a_policy_decides_where_sources_differ_names_the_policy() -> None:
    bags = [drip("a", "08:00", "09:00"), drip("b", "16:00", "17:00", drug="drug a")]
    assert "policy repeat_same_drug_infusion" in named_by("96366", *bags)
    bolus = push("p", "07:55", drug="drug a")
    assert "policy bolus_from_same_bag" in named_by("96376", bolus, bags[0])
    during = push("p", "08:30", drug="drug a")
    assert "policy push_during_infusion_same_drug" in named_by("96376", during, bags[0])


def test_a_line_that_no_policy_decides_names_none() -> None:
    one_run = [drip("a", "08:00", "09:00"), drip("b", "09:00", "10:31", drug="drug a")]
    assert "policy" not in named_by("96366", *one_run)
    assert "policy" not in named_by("96375", push("p", "08:30"), one_run[0])


def test_a_further_hour_of_a_second_site_is_right_without_the_modifier_too() -> None:
    chart = [drip("a", "10:00", "12:00"), drip("b", "10:00", "12:00", **NEEDED)]
    lines = [line(1, "96365"), line(2, "96365", modifiers=["XS"]), line(3, "96366", 2)]
    assert {verdict.status for verdict in check(*chart, lines=lines).lines} == {"matched"}
    bare = [line(1, "96365"), line(2, "96365"), line(3, "96366", 2)]
    wrong = [each.line for each in check(*chart, lines=bare).violations if each.rule == "IVP502"]
    assert len(wrong) == 1


def test_a_first_push_beside_marked_hydration_of_another_site_needs_no_mark_of_its_own() -> None:
    both = [push("a", "10:00"), fluid("f", "10:00", "11:00", **NEEDED)]
    assert billed(check(*both)) == [("96374", 1), ("96360-XS", 1)]


@pytest.mark.parametrize(("day", "code"), [("2019-06-30", "96374-XU"), ("2019-07-01", "96374")])
def test_until_july_2019_a_pair_asked_for_the_modifier_on_its_second_code(
    tmp_path: Path, day: str, code: str
) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    pair = "setting,column2,indicator,column1\nfacility,96374,1,96360\n"
    (tables / "ptp-2019-01-01.csv").write_text(pair, "utf-8")
    both = [push("a", f"{day}T10:00"), fluid("f", f"{day}T10:00", f"{day}T11:00", **NEEDED)]
    result = Engine(packs=[tmp_path]).check(visit(*both, date=day))
    assert billed(result) == [(code, 1), ("96360-XS", 1)]


def test_a_doses_own_code_is_not_billed_beside_what_bars_it(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    pair = "setting,column2,indicator,column1\nfacility,96381,0,45378\n"
    (tables / "ptp-2026-01-01.csv").write_text(pair, "utf-8")
    given = dose("a", "10:00", None, drug="nirsevimab", category=None, route="IM")
    engine = Engine(packs=[tmp_path])
    assert billed(engine.check(visit(given))) == [("96381", 1)]
    barred = engine.check(visit(given, lines=[line(1, "45378")]))
    assert billed(barred) == []
    assert "45378" in reasons(barred)["a"]


@pytest.mark.parametrize("begins", ["09:00", "11:00"])
def test_what_is_given_under_the_skin_belongs_to_no_access(begins: str) -> None:
    under_skin = drip("s", begins, begins.replace(":00", ":40"), route="SC", purpose="treatment")
    both = [push("a", "10:00"), push("b", "10:05", **NEEDED)]
    other_way = [push("a", "10:05"), push("b", "10:00", **NEEDED)]
    for pushes in (both, other_way):
        lines = dict(billed(check(*pushes, under_skin)))
        assert lines == {"96374": 1, "96374-XS": 1, "96369": 1}


def test_a_bag_that_ran_no_time_does_not_date_the_hydration() -> None:
    empty = fluid("e", "23:00", "23:00")
    later = fluid("f", f"{NEXT_DAY}T00:10", f"{NEXT_DAY}T01:10")
    assert dated(check(empty, later)) == [("96360", 1, NEXT_DAY)]
    empty = fluid("e", f"{NEXT_DAY}T00:30", f"{NEXT_DAY}T00:30")
    evening = [push("a", "22:00"), fluid("f", "22:10", "22:45"), empty]
    assert dated(check(*evening)) == [("96374", 1, DAY), ("96361", 1, DAY)]


# The order of lines


def test_the_access_that_leads_comes_first_then_the_others_then_what_hangs_on_none() -> None:
    shot = dose("s", "07:00", None, route="IM")
    second = [push("c", "08:00", **NEEDED), push("d", "08:10", **NEEDED)]
    first = [push("a", "09:00"), drip("b", "10:00", "11:00")]
    assert billed(check(shot, *second, *first)) == [
        ("96365", 1),
        ("96375", 1),
        ("96374-XS", 1),
        ("96375-XS", 1),
        ("96372-XU", 1),
    ]


def test_add_ons_of_one_access_stand_in_the_order_in_which_they_were_given() -> None:
    chart = [drip("z", "12:00", "12:40"), push("a", "11:00"), drip("b", "10:00", "11:00")]
    assert billed(check(*chart)) == [("96365", 1), ("96375", 1), ("96367", 1)]


# Days of hours


def test_an_hour_that_ends_at_midnight_is_of_the_day_before() -> None:
    assert dated(check(drip("a", "22:00", f"{NEXT_DAY}T00:00"))) == [
        ("96365", 1, DAY),
        ("96366", 1, DAY),
    ]


def test_hours_of_a_run_over_three_days_stand_on_the_days_on_which_they_end() -> None:
    """34 hours from 20:00: four end by midnight, 24 on the next day, six on the third."""
    assert dated(check(drip("a", "20:00", "2026-03-04T06:00"))) == [
        ("96365", 1, DAY),
        ("96366", 3, DAY),
        ("96366", 24, NEXT_DAY),
        ("96366", 6, "2026-03-04"),
    ]


def test_hours_of_hydration_beside_a_drug_count_from_its_first() -> None:
    night = [push("a", "22:00"), fluid("f", "23:00", f"{NEXT_DAY}T02:00")]
    assert dated(check(*night)) == [
        ("96374", 1, DAY),
        ("96361", 1, DAY),
        ("96361", 2, NEXT_DAY),
    ]


# Modifiers


def test_another_visit_is_apart_by_the_visit_and_another_access_by_the_site() -> None:
    later = drip("c", "18:00", "19:00", visit=2)
    chart = [drip("a", "10:00", "11:00"), push("b", "10:00", **NEEDED), later]
    codes = dict(billed(check(*chart)))
    assert codes == {"96365": 1, "96374-XS": 1, "96365-XE": 1}


STRICT = {"hydration_requires_dx_59": True}


def test_the_policy_on_hydration_marks_hours_beside_a_drug_alone() -> None:
    alone = check(fluid("f", "10:00", "12:00"), policies=STRICT)
    assert billed(alone) == [("96360", 1), ("96361", 1)]
    again = [drip("a", "08:00", "09:00", drug="x"), drip("b", "18:00", "18:40", drug="x")]
    hours = check(*again, policies={**STRICT, "repeat_same_drug_infusion": "additional_hour_only"})
    assert billed(hours) == [("96365", 1), ("96366", 1)]


def test_hydration_hours_of_another_access_keep_the_mark_of_their_access() -> None:
    second = [push("b", "10:00", **NEEDED), fluid("f", "10:10", "11:10", **NEEDED)]
    result = check(drip("a", "10:00", "11:00"), *second, policies=STRICT)
    assert billed(result) == [("96365", 1), ("96374-XS", 1), ("96361-XS", 1)]


def test_pairs_hold_for_one_date_of_service() -> None:
    shot = dose("s", "23:30", None, route="IM")
    assert billed(check(shot, push("a", "23:40"))) == [("96374", 1), ("96372-XU", 1)]
    over = check(shot, push("a", f"{NEXT_DAY}T00:10"))
    assert billed(over) == [("96374", 1), ("96372", 1)]
    both = check(shot, push("a", "23:40"), dose("t", f"{NEXT_DAY}T08:00", None, route="IM"))
    assert sorted(billed(both)) == [("96372", 1), ("96372-XU", 1), ("96374", 1)]


def with_pairs(folder: Path, *rows: str) -> Engine:
    """An engine whose pairs of 2026 are these: setting, column 2, indicator, column 1."""
    tables = folder / "tables"
    tables.mkdir()
    text = "\n".join(["setting,column2,indicator,column1", *rows, ""])
    (tables / "ptp-2026-01-01.csv").write_text(text, "utf-8")
    return Engine(packs=[folder])


def test_a_pair_that_no_modifier_lifts_leaves_its_second_code_unbilled(tmp_path: Path) -> None:
    engine = with_pairs(tmp_path, "facility,96372,0,96374")
    shot, syringe = dose("s", "10:30", None, route="IM"), push("a", "10:00")
    result = engine.check(visit(shot, syringe, drip("b", "11:00", "12:00")))
    assert billed(result) == [("96365", 1), ("96375", 1), ("96372", 1)]
    barred = engine.check(visit(shot, syringe))
    assert billed(barred) == [("96374", 1)]
    assert set(reasons(barred)) == {"s"}


def test_a_service_of_the_day_asks_for_the_mark_that_a_line_does_not_bear_yet(
    tmp_path: Path,
) -> None:
    engine = with_pairs(tmp_path, "facility,96374,1,45378", "facility,96375,0,36000")
    both = [push("a", "10:00"), push("b", "10:00", **NEEDED)]
    beside = engine.check(visit(*both, lines=[line(1, "45378", date=DAY)]))
    assert billed(beside) == [("96374-XU", 1), ("96374-XS", 1)]
    assert "45378" in beside.suggested[0].because
    two = engine.check(visit(*both, lines=[line(1, "80053"), line(2, "45378")]))
    assert "45378" in two.suggested[0].because and "80053" not in two.suggested[0].because
    unpaired = engine.check(visit(*both, lines=[line(1, "80053")]))
    assert billed(unpaired) == [("96374", 1), ("96374-XS", 1)]
    other_day = engine.check(visit(*both, lines=[line(1, "45378", date=NEXT_DAY)]))
    assert billed(other_day) == [("96374", 1), ("96374-XS", 1)]


def test_a_dose_is_apart_from_the_unmarked_line_by_its_visit_or_by_its_nature() -> None:
    """The initial line of the second visit bears a mark of its own already."""
    visits = [push("a", "08:00"), push("b", "18:00", visit=2)]
    for of_visit, mark in ((1, "XU"), (2, "XE")):
        shot = dose("s", "18:30" if of_visit == 2 else "08:30", None, route="IM", visit=of_visit)
        assert (f"96372-{mark}", 1) in billed(check(*visits, shot))


# Words


@pytest.mark.parametrize(
    ("given", "called"),
    [
        (push("a", "10:00"), "a at 10:00: "),
        (push("a", "10:00", "10:03"), "a at 10:00 (3 min): "),
        (drip("a", minutes=45), "a (45 min): "),
    ],
)
def test_a_reason_says_when_a_drug_was_given_as_far_as_the_chart_says(
    given: dict[str, Any], called: str
) -> None:
    (only,) = check(given).suggested
    assert only.because.startswith(called)


def test_a_reason_names_each_service_of_its_line_and_no_source_twice() -> None:
    pushes = check(*(push(key, f"10:0{place}") for place, key in enumerate("abc"))).suggested
    assert "b at 10:01; c at 10:02" in pushes[1].because
    assert all(len(set(row.cites)) == len(row.cites) for row in pushes)


def test_two_doses_of_one_policy_name_it_once() -> None:
    bags = [
        drip(key, f"{hour}:00", f"{hour}:40", drug="x")
        for key, hour in zip("abc", (10, 14, 18), strict=True)
    ]
    (hours,) = [row for row in check(*bags).suggested if row.code == "96366"]
    assert hours.because.count("policy repeat_same_drug_infusion") == 1


def test_of_several_services_the_reason_names_the_one_that_bars(tmp_path: Path) -> None:
    engine = with_pairs(tmp_path, "facility,96381,0,45378")
    given = dose("a", "10:00", None, drug="nirsevimab", category=None, route="IM")
    barred = engine.check(visit(given, lines=[line(1, "80053"), line(2, "45378")]))
    assert billed(barred) == []
    assert "45378" in reasons(barred)["a"] and "80053" not in reasons(barred)["a"]


def test_hours_without_clock_times_stand_on_the_day_of_the_visit() -> None:
    assert dated(check(drip("a", minutes=151))) == [("96365", 1, DAY), ("96366", 2, DAY)]


def test_where_the_policy_asks_for_a_mark_a_line_without_it_is_wrong() -> None:
    both = [drip("a", "10:00", "11:00"), fluid("f", "11:00", "12:00")]
    bare = [line(1, "96365"), line(2, "96361")]
    assert {each.status for each in check(*both, lines=bare).lines} == {"matched"}
    strict = check(*both, lines=bare, policies=STRICT)
    assert {each.line for each in strict.violations if each.severity == "error"} == {2}
