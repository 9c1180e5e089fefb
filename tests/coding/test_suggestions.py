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
