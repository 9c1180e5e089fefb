"""Totals add up, in whatever pieces they are counted, and say what charges are at stake."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.claim.statistics import Statistics, reason_of
from ivpush.errors import Fault, InputError
from ivpush.testing import strategies
from tests.shipped import ENGINE

PUSHES = [
    {
        "id": "a",
        "drug": "ondansetron",
        "route": "IV",
        "method": "push",
        "start": "2026-03-02T10:00",
    },
    {"id": "b", "drug": "ketorolac", "route": "IV", "method": "push", "start": "2026-03-02T10:05"},
]


def counted(*records: Encounter) -> Statistics:
    statistics = Statistics()
    for record in records:
        statistics.add(record, ENGINE.check(record))
    return statistics


def visit(*lines: dict[str, Any], **more: Any) -> Encounter:
    numbered = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    record = {"id": "E", "setting": "facility", "administrations": PUSHES, "lines": numbered}
    return Encounter.model_validate({**record, "date": "2026-03-02", **more})


@given(st.lists(strategies.encounters(), max_size=4))
def test_parts_come_to_the_whole_and_survive_a_checkpoint(records: list[Encounter]) -> None:
    whole, parts = counted(*records), Statistics()
    for record in records:
        state = json.loads(json.dumps(counted(record).state()))
        parts.include(Statistics.from_state(state))
    assert parts == whole


@given(strategies.encounters())
def test_totals_are_those_of_the_result(record: Encounter) -> None:
    result, statistics = ENGINE.check(record), counted(record)
    assert statistics.statuses == {result.status: 1}
    assert statistics.severities.total() == len(result.violations)
    assert statistics.findings.total() == len(result.violations)
    assert set(statistics.encounters.values()) <= {1}
    assert statistics.encounters.keys() == statistics.findings.keys()


def test_missed_and_unsupported_units_carry_the_charge_of_their_code() -> None:
    statistics = counted(
        visit(
            {"code": "96374", "units": 3, "charge": 300},
            {"code": "99213", "units": 1, "charge": 80},
        )
    )
    assert statistics.units == {"unsupported": 2, "missed": 1, "missed without charge": 1}
    assert statistics.amounts == {"unsupported": Decimal(200)}


def test_what_is_billed_right_is_neither_missed_nor_unsupported() -> None:
    statistics = counted(visit({"code": "96374", "units": 1}, {"code": "96375", "units": 1}))
    assert not statistics.units and not statistics.amounts


def test_a_code_with_a_line_without_a_charge_has_no_charge() -> None:
    statistics = counted(
        visit({"code": "96374", "units": 2, "charge": 90}, {"code": "96374", "units": 1})
    )
    assert statistics.units["unsupported without charge"] == statistics.units["unsupported"] == 2
    assert statistics.amounts == {}


@pytest.mark.parametrize("more", [{"administrations": None}, {"lines": None}])
def test_without_a_chart_or_a_claim_nothing_is_missed(more: dict[str, Any]) -> None:
    assert not counted(visit({"code": "96374", "units": 9}, **more)).units


def test_while_a_question_is_open_nothing_is_missed() -> None:
    given_ = [{**PUSHES[0], "method": "infusion"}]
    record = visit({"code": "96365", "units": 9}, administrations=given_)
    assert ENGINE.check(record).questions
    assert not counted(record).units


def test_findings_are_told_apart_by_payer() -> None:
    statistics = counted(visit(), visit(payer="medicare"))
    assert statistics.payers["- encounters"] == statistics.payers["medicare encounters"] == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("lines[3].units", "is missing", "write it"), "lines[].units: is missing"),
        (Fault("f.csv:17", "has 3 cells", "write 4"), "has 3 cells"),
        (Fault("lines[2]", "units cannot be read"), "lines[]: units cannot be read"),
        (
            Fault("", "f:2: lines[0].code: is missing; write it; id: is missing"),
            "lines[].code: is missing",
        ),
        (Fault("", "this is not JSON"), "this is not JSON"),
    ],
)
def test_a_reason_is_the_same_for_every_record_with_the_fault(fault: Fault, reason: str) -> None:
    assert reason_of(InputError([fault, Fault("x", "y")])) == reason


def test_reasons_without_end_are_counted_together() -> None:
    statistics = Statistics()
    for n in range(1_000):
        statistics.put_aside(f"reason {n}")
    assert statistics.reasons.total() == 1_000
    assert len(statistics.reasons) < 300
    # What was counted once by its name is so to the end.
    statistics.put_aside("reason 0")
    assert statistics.reasons["reason 0"] == 2


def test_of_two_hundred_reasons_each_is_counted_by_itself() -> None:
    statistics = Statistics()
    for n in range(201):
        statistics.put_aside(f"reason {n}")
    assert [statistics.reasons[f"reason {n}"] for n in (0, 199, 200)] == [1, 1, 0]
    assert statistics.reasons["other reasons"] == 1


OPEN = [{**PUSHES[0], "method": "infusion"}]
RECORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "too many": ({"code": "96374", "units": 3, "charge": 300}, {}),
    "no chart": ({"code": "96374", "units": 9}, {"administrations": None}),
    "no claim": ({"code": "96374", "units": 9}, {"lines": None}),
    "open question": ({"code": "96365", "units": 9}, {"administrations": OPEN}),
    "nothing given": ({"code": "96374", "units": 1, "charge": 9}, {"administrations": []}),
}


def recorded(name: str) -> Encounter:
    line, more = RECORDS[name]
    return visit(line, **more)


@pytest.mark.parametrize("name", RECORDS)
def test_a_kept_result_counts_as_it_did_when_it_was_made(name: str) -> None:
    kept = Statistics()
    kept.add_visit(ENGINE.check(recorded(name), visit=True))
    assert kept == counted(recorded(name))


def test_of_a_kept_result_without_its_visit_no_charges_are_known() -> None:
    kept, made = Statistics(), counted(recorded("too many"))
    kept.add_visit(ENGINE.check(recorded("too many")))
    assert made.units and not kept.units
    assert (kept.findings, kept.statuses) == (made.findings, made.statuses)


def test_an_encounter_is_counted_once_for_each_kind_of_finding() -> None:
    ended = {"code": "90784", "units": 1}
    statistics = counted(visit(ended, {**ended, "units": 2}, payer="medicare"))
    (key,) = [each for each in statistics.findings if each.startswith("IVP609 ")]
    assert (statistics.findings[key], statistics.encounters[key]) == (2, 1)
    assert statistics.payers["medicare error"] == statistics.severities["error"] >= 2


def test_tables_past_their_quarter_are_counted_by_the_encounter() -> None:
    statistics, record = Statistics(), recorded("too many")
    for outdated in (["ptp", "mue"], ["ptp"], []):
        statistics.add(record, ENGINE.check(record), outdated)
    assert statistics.outdated == {"ptp": 2, "mue": 1}


def test_a_charge_is_that_of_a_unit_over_all_lines_of_the_code() -> None:
    statistics = counted(
        visit(
            {"code": "96374", "units": 1, "charge": 120},
            {"code": "96374", "units": 3, "charge": 240},
        )
    )
    assert statistics.units["unsupported"] == 3
    assert statistics.amounts == {"unsupported": Decimal(270)}


def test_one_unit_too_many_is_unsupported_and_none_missed() -> None:
    statistics = counted(visit({"code": "96374", "units": 2}, {"code": "96375", "units": 1}))
    assert statistics.units == {"unsupported": 1, "unsupported without charge": 1}


def test_a_line_of_no_units_says_no_charge_of_its_code() -> None:
    statistics = counted(visit({"code": "96374", "units": 0, "charge": 10}))
    assert statistics.units == {"missed": 2, "missed without charge": 2}
    assert statistics.amounts == {}


def test_amounts_of_parts_are_added() -> None:
    parts, record = Statistics(), recorded("too many")
    for _ in range(3):
        parts.include(counted(record))
    assert parts == counted(record, record, record)
    assert parts.amounts == {"unsupported": Decimal(600)}
    assert Statistics.from_state(parts.state()) == parts
