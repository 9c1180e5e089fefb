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


@pytest.mark.parametrize(
    ("code", "codes"), [("36573", []), ("00731", []), ("80053", [("96523", 1)])]
)
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


CHEMO: dict[str, Any] = {"category": "chemotherapy"}


@pytest.mark.parametrize(("minutes", "hours"), [(16, 0), (90, 0), (91, 1), (150, 1), (151, 2)])
def test_hours_under_the_skin_begin_31_minutes_past_the_last(minutes: int, hours: int) -> None:
    result = check(dose("a", None, None, route="SC", method="infusion", minutes=minutes))
    assert billed(result) == [("96369", 1), *([("96370", hours)] if hours else [])]


@pytest.mark.parametrize(("minutes", "hours"), [(90, 0), (91, 1), (151, 2)])
def test_hours_into_an_artery_begin_31_minutes_past_the_last(minutes: int, hours: int) -> None:
    given = dose("a", None, None, route="IA", method="infusion", minutes=minutes, **CHEMO)
    assert billed(check(given)) == [("96422", 1), *([("96423", hours)] if hours else [])]


@pytest.mark.parametrize(
    ("first", "second", "units"),
    [
        ("10:00", "13:59", 1),
        ("10:00", "14:00", 1),
        ("10:00", "14:01", 2),
        ("10:00", None, 1),
        (None, "14:01", 1),
    ],
)
def test_a_clot_within_four_hours_of_the_first_dose_is_the_same_one(
    first: str | None, second: str | None, units: int
) -> None:
    doses = [
        dose(key, start, None, drug="alteplase", purpose="declotting")
        for key, start in (("a", first), ("b", second))
    ]
    assert billed(check(*doses)) == [("36593", units)]


def test_another_drug_into_an_artery_is_a_service_of_its_own_however_soon() -> None:
    by_artery = {"route": "IA", "method": "infusion", **CHEMO}
    bags = [dose(key, "10:00", "11:00", **by_artery) for key in "ab"]
    assert billed(check(*bags)) == [("96422", 2)]


def test_a_second_access_under_the_skin_is_set_up_only_if_it_is_another_and_later() -> None:
    def sites(second_site: str, start: str | None) -> list[tuple[str, int]]:
        first = dose("a", "10:00", "11:00", route="SC", method="infusion", site="abdomen")
        end: dict[str, Any] = {} if start else {"minutes": 60}
        facts = {"route": "SC", "method": "infusion", "site": second_site}
        second = dose("b", start, start and "11:00", **facts, **end)
        return billed(check(first, second))

    assert sites("right arm", None) == [("96369", 1), ("96370", 1)]
    assert sites("right arm", "10:30") == [("96369", 1), ("96371", 1)]
    assert sites("right arm", "10:00") == [("96369", 1)]
    assert sites("abdomen", "10:30") == [("96369", 1)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"drug": "Lupron Depot"}, "96402", id="the-table-says-hormone"),
        pytest.param({"drug": "Lupron Depot", "hormonal": False}, "96401", id="the-chart-says-not"),
        pytest.param({"drug": "house blend", **CHEMO}, "96401", id="nobody-says"),
        pytest.param({"drug": "house blend", "hormonal": True, **CHEMO}, "96402", id="the-chart"),
        pytest.param({"hormonal": True, "category": "therapeutic"}, "96372", id="no-chemotherapy"),
    ],
)
def test_a_hormone_injected_has_a_code_of_its_own(given: dict[str, Any], code: str) -> None:
    record = injection("a", **given)
    if "category" not in given:
        del record["category"]
    assert billed(check(record))[0] == (code, 1)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"device": "ambulatory_pump", "pump_supplied_by": "practice", **CHEMO}, "G0498"),
        ({"device": "ambulatory_pump", "pump_supplied_by": "supplier", **CHEMO}, "96416"),
        ({"device": "implanted_pump", "pump_supplied_by": "practice", **CHEMO}, "96416"),
        ({"device": "ambulatory_pump", "pump_supplied_by": "practice"}, "C8957"),
    ],
)
def test_a_pump_that_the_practice_lends_for_home_has_a_code_of_its_own(
    facts: dict[str, Any], code: str
) -> None:
    started = dose("a", "10:00", "20:00", method="infusion", **facts)
    assert billed(check(started)) == [(code, 1)]


def test_what_is_put_into_a_lesion_is_billed_as_few_lesions() -> None:
    given = dose("a", "10:00", None, route="IL", **CHEMO)
    assert billed(check(given)) == [("96405", 1)]


@pytest.mark.parametrize(
    ("device", "code"), [("ambulatory_pump", "96521"), ("implanted_pump", "96522"), (None, "96521")]
)
def test_a_refill_is_billed_by_the_kind_of_pump(device: str | None, code: str) -> None:
    refill = dose("b", "09:00", None, purpose="pump_refill", device=device, **CHEMO)
    assert billed(check(refill))[0] == (code, 1)


def test_under_the_skin_had_no_code_before_2008_and_says_so() -> None:
    given = dose("a", "2007-12-31T10:00", "2007-12-31T11:00", route="SC", method="infusion")
    result = check(given, date="2007-12-31")
    assert billed(result) == []
    assert "no code" in reasons(result)["a"]


# A port kept open


def test_flushes_of_a_day_are_one_and_none_of_them_is_left_over() -> None:
    twice = check(FLUSH, {**FLUSH, "id": "g", "start": f"{DAY}T16:00"})
    assert billed(twice) == [("96523", 1)]
    assert twice.suggested[0].administrations == ("f", "g")
    assert reasons(twice) == {}


@pytest.mark.parametrize("flushed_at", [f"{DAY}T10:00", None])
@pytest.mark.parametrize(
    ("other", "codes"),
    [
        pytest.param(line(2, "99213"), [], id="visit-of-no-stated-day"),
        pytest.param(line(2, "99213", date=DAY), [], id="visit-of-the-day"),
        pytest.param(line(2, "99213", date=NEXT_DAY), [("96523", 1)], id="visit-of-another"),
        pytest.param(line(2, "96374", date=DAY), [("96523", 1)], id="push-that-nobody-charted"),
        pytest.param(line(2, "XYZ99", date=DAY), [("96523", 1)], id="code-that-nobody-knows"),
    ],
)
def test_a_port_flush_is_none_of_a_day_with_a_visit(
    flushed_at: str | None, other: dict[str, Any], codes: list[tuple[str, int]]
) -> None:
    flush = {name: value for name, value in FLUSH.items() if name != "start"}
    if flushed_at is not None:
        flush["start"] = flushed_at
    result = check(flush, lines=[line(1, "96523", date=DAY), other], setting="professional")
    assert billed(result) == codes


def test_a_dose_with_a_code_of_its_own_has_the_technique_by_which_it_was_given() -> None:
    given = dose("a", "10:00", None, drug="nirsevimab", category=None, route="IM")
    worked = work(given)
    assert billed(worked.result) == [("96381", 1)]
    assert [service.technique for service in worked.facts.services] == ["injection"]


def test_an_artery_that_is_infused_again_hours_later_adds_hours_alone() -> None:
    by_artery = {"route": "IA", "method": "infusion", "drug": "x", **CHEMO}
    bags = [
        dose("a", "08:00", "10:00", **by_artery),
        dose("b", "18:00", "19:00", **by_artery),
    ]
    assert billed(check(*bags)) == [("96422", 1), ("96423", 2)]


def test_an_injection_that_belongs_to_a_procedure_is_none_of_its_own() -> None:
    given = injection("a", purpose="procedure")
    assert billed(check(given)) == []


def test_each_injection_says_so() -> None:
    (line,) = check(injection("a")).suggested
    assert "each" in line.because


@pytest.mark.parametrize(("code", "codes"), [("99213", []), ("36430", [("96523", 1)])])
def test_before_the_first_table_of_pairs_a_visit_alone_takes_the_flush_up(
    code: str, codes: list[tuple[str, int]]
) -> None:
    day = "2010-03-02"
    flush = {**FLUSH, "start": f"{day}T10:00"}
    office: dict[str, Any] = {"setting": "professional", "date": day}
    assert billed(check(flush, lines=[line(1, code)], **office)) == codes
