"""The trace tells fact, rule or policy, source and decision, and repeats no free text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ivpush import Encounter
from ivpush.writers.trace import trace
from tests.shipped import ENGINE

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.json"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_administration_has_a_decided_step(file: Path) -> None:
    work = ENGINE.work(Encounter.model_validate(json.loads(file.read_text("utf-8"))))
    steps = trace(work)
    for one in work.derived.administrations:
        mine = [step for step in steps if step.administration == one.given.id]
        assert mine
        assert mine[-1].about in {"role", "not billable"}
        assert all(step.fact and step.decided_by and step.decision for step in mine)
    cited = {cite for step in steps for cite in step.cites}
    assert cited <= set(ENGINE.pack.sources)


def test_a_barred_encounter_says_so_first() -> None:
    record = {
        "id": "E",
        "setting": "facility",
        "date": "2026-03-02",
        "type_of_bill": "111",
        "administrations": [{"id": "a", "route": "IV", "method": "push"}],
    }
    assert trace(ENGINE.work(Encounter.model_validate(record)))[0].about == "who may bill"


def test_no_decision_leaves_a_place_to_fill_in() -> None:
    record = {
        "id": "E",
        "setting": "facility",
        "date": "2026-03-02",
        "administrations": [
            {"id": "a", "drug": "midazolam", "route": "IV", "method": "push"},
            {"id": "b", "drug": "Botox", "route": "IM", "method": "injection"},
        ],
        "lines": [{"number": 1, "code": "45378", "units": 1}],
    }
    steps = trace(ENGINE.work(Encounter.model_validate(record)))
    assert not any("{" in step.decision for step in steps)
    assert any("45378" in step.decision for step in steps)
