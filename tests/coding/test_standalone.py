"""Services beside the chains: injections, infusions under the skin, pumps, ports, declotting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import DAY, NEXT_DAY, billed, check, dose, line, push, reasons, work

FLUSH = dose("f", "10:00", None, purpose="flush", access="port", method="push")


def injection(key: str, **facts: Any) -> dict[str, Any]:
    """An injection into a muscle."""
    return dose(key, "10:05", None, **{"route": "IM", **facts})


def test_each_injection_counts() -> None:
    assert billed(check(injection("a"), injection("b"))) == [("96372", 2)]


def test_chemotherapy_injections_are_parted_by_hormone() -> None:
    chemo = {"category": "chemotherapy"}
    both = check(injection("a", **chemo), injection("b", hormonal=True, **chemo))
    assert billed(both) == [("96401", 1), ("96402", 1)]


def test_a_port_flush_is_billed_only_where_nothing_else_is() -> None:
    assert billed(check(FLUSH)) == [("96523", 1)]
    for other, code in ((push("a", "10:05"), "96374"), (injection("a"), "96372")):
        beside = check(FLUSH, other)
        assert billed(beside) == [(code, 1)]
        assert "part of the service whose line it keeps open" in reasons(beside)["f"]


def test_a_port_flush_is_billed_on_a_day_without_another_service_of_the_same_claim() -> None:
    pushed = push("a", f"{NEXT_DAY}T10:00")
    lines = [
        line(1, "96523", date=DAY),
        line(2, "96374", date=NEXT_DAY),
        line(3, "99213", date=NEXT_DAY, modifiers=["25"]),
    ]
    office: dict[str, Any] = {"setting": "professional", "lines": lines}
    assert ("96523", 1) in billed(check(FLUSH, pushed, **office))
    visited = [*lines, line(4, "99213", date=DAY)]
    assert ("96523", 1) not in billed(check(FLUSH, pushed, **{**office, "lines": visited}))


@pytest.mark.parametrize(("code", "codes"), [("36573", []), ("80053", [("96523", 1)])])
def test_a_port_flush_is_part_of_what_cms_pairs_it_with(
    code: str, codes: list[tuple[str, int]]
) -> None:
    """A catheter put in takes the flush up; a blood test does not."""
    result = check(FLUSH, lines=[line(1, code), line(2, "96523")])
    assert billed(result) == codes
    assert ("f" in reasons(result)) is not bool(codes)


def test_infusions_under_the_skin_are_one_and_a_later_site_is_set_up_once() -> None:
    under_skin = [
        dose("a", "10:00", "12:31", route="SC"),
        dose("b", "13:00", "13:30", route="SC", site="right arm"),
        dose("c", "14:00", "14:30", route="SC", site="abdomen"),
    ]
    assert billed(check(*under_skin[:1])) == [("96369", 1), ("96370", 2)]
    three_sites = check(*under_skin)
    assert billed(three_sites) == [("96369", 1), ("96370", 3), ("96371", 1)]
    assert three_sites.suggested[2].administrations == ("b",)


def test_doses_against_one_clot_are_one_declotting_and_a_later_clot_is_another() -> None:
    def against_clot(key: str, start: str) -> dict[str, Any]:
        return dose(key, start, None, drug="alteplase", purpose="declotting")

    early = [against_clot("a", "10:00"), against_clot("b", "10:30")]
    assert billed(check(*early)) == [("36593", 1)]
    assert billed(check(*early, against_clot("c", "18:30"))) == [("36593", 2)]


def test_one_drug_by_pump_is_started_once() -> None:
    def by_pump(key: str, start: str, **facts: Any) -> dict[str, Any]:
        pump = {"category": "chemotherapy", "device": "ambulatory_pump", "method": "infusion"}
        return dose(key, start, None, **{**pump, **facts})

    once = [by_pump("a", "10:00"), by_pump("b", "11:00", drug="drug a")]
    assert billed(check(*once)) == [("96416", 1)]
    assert billed(check(*once, by_pump("c", "11:00"))) == [("96416", 2)]


def test_chemotherapy_into_an_artery_counts_its_hours() -> None:
    by_artery = {"route": "IA", "method": "infusion", "category": "chemotherapy"}
    assert billed(check(dose("a", "10:00", "13:00", **by_artery))) == [("96422", 1), ("96423", 2)]


@pytest.mark.parametrize("second", [("11:00", "13:00"), ("12:00", "14:00"), ("10:30", "13:00")])
def test_bags_of_one_drug_into_an_artery_count_each_minute_once(second: tuple[str, str]) -> None:
    """Whether the second follows at once, later or beside the first: three hours."""
    by_artery = {"route": "IA", "method": "infusion", "category": "chemotherapy", "drug": "x"}
    bags = [dose("a", "10:00", "11:00", **by_artery), dose("b", *second, **by_artery)]
    assert billed(check(*bags)) == [("96422", 1), ("96423", 2)]


@pytest.mark.parametrize(("day", "codes"), [("2007-12-31", []), ("2008-01-01", [("36593", 1)])])
def test_declotting_is_billed_from_the_first_day_of_its_code(
    day: str, codes: list[tuple[str, int]]
) -> None:
    clot = dose("a", f"{day}T10:00", None, drug="alteplase", purpose="declotting")
    result = check(clot, date=day)
    assert billed(result) == codes
    assert ("a" in reasons(result)) is not bool(codes)


def test_of_untimed_infusions_under_the_skin_none_is_at_a_later_site() -> None:
    bags = [
        dose("a", None, None, route="SC", minutes=60),
        dose("b", None, None, route="SC", minutes=60, site="abdomen"),
    ]
    assert billed(check(*bags)) == [("96369", 1), ("96370", 1)]


def test_a_refill_is_not_paid_beside_the_start_of_a_pump() -> None:
    """NCCI pairs the two, and no modifier lifts it."""
    pump = {"category": "chemotherapy", "device": "ambulatory_pump"}
    refill = dose("b", "09:00", None, purpose="pump_refill", **pump)
    started = dose("a", "10:00", "20:00", method="infusion", **pump)
    assert billed(check(refill)) == [("96521", 1)]
    both = check(refill, started)
    assert billed(both) == [("96416", 1)] and list(reasons(both)) == ["b"]


def test_only_what_has_a_code_of_further_hours_counts_them() -> None:
    def hours(method: str) -> list[int]:
        facts = {"category": "chemotherapy", "continuously_attended": True}
        given = dose("a", "10:00", "13:30", route="IA", method=method, **facts)
        return [service.further for service in work(given).facts.services]

    assert hours("infusion") == [2]
    assert hours("push") == [0]
