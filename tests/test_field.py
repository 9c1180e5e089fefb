"""Field cases: ordinary visits with what a right answer must do, each with its source.

A case listed in ``OPEN`` is answered otherwise, for the reason in docs/scenarios.md; once it is
answered rightly it must leave the list.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine
from tests.field import FieldCase
from tests.shipped import PACK

CASES: list[dict[str, Any]] = [
    json.loads(text)
    for text in (Path(__file__).parent / "data/field/cases.ndjson").read_text("utf-8").splitlines()
]
OPEN = frozenset({"f06"})
SCENARIOS = Path(__file__).parents[1] / "docs" / "scenarios.md"


@cache
def engine_for(payer: str | None, policies: tuple[tuple[str, Any], ...]) -> Engine:
    return Engine(payer=payer, policies=dict(policies), pack=PACK)


def missed(case: dict[str, Any]) -> list[str]:
    policies = tuple(sorted((case.get("policies") or {}).items()))
    engine = engine_for(case.get("payer"), policies)
    encounter = Encounter.model_validate(case["encounter"])
    return FieldCase(encounter, engine.check(encounter), engine).misses(case["expect"])


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["id"] not in OPEN], ids=lambda case: case["id"]
)
def test_a_field_case_is_answered_as_its_source_says(case: dict[str, Any]) -> None:
    assert missed(case) == [], case["why"]


def test_a_case_that_is_open_is_told_with_its_reason_and_leaves_the_list_once_right() -> None:
    by_id = {case["id"]: case for case in CASES}
    page = SCENARIOS.read_text("utf-8")
    for name in sorted(OPEN):
        assert missed(by_id[name]), f"{name} is right now; take it from OPEN"
        assert f"`{name}`" in page, f"{name} is not in docs/scenarios.md"
