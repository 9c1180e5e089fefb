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
