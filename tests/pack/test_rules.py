"""Each rule's own cases, one test a case; and what every rule must carry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ivpush import Engine
from ivpush.authoring.cases import EnginesByPolicy, run_case
from ivpush.pack.rule import ROOMS, Rule
from tests.shipped import PACK

ENGINES = EnginesByPolicy(PACK)
RULES = PACK.every_rule
CASES = [(rule, case) for rule in RULES for case in rule.every_case]
FOLDER = Path(__file__).resolve().parents[2] / "rules" / "checks"


@pytest.mark.parametrize(
    ("rule", "case"), CASES, ids=[f"{rule.id}-{case['name']}" for rule, case in CASES]
)
def test_a_case_does_as_it_says(rule: Rule, case: dict[str, Any]) -> None:
    assert run_case(rule, case, ENGINES).problem == ""


def test_a_case_that_lies_is_found_out() -> None:
    rule = next(one for one in PACK.rules if one.name == "addon-without-primary")
    breaks = {"name": "x", "lines": ["96375"], "expect": []}
    holds = {"name": "x", "lines": ["96374", "96375"], "expect": [{"line": 2}]}
    wrong_line = {"name": "x", "lines": ["96375"], "expect": [{"line": 9}]}
    for case in (breaks, holds, wrong_line):
        assert run_case(rule, case, ENGINES).problem


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_whole(rule: Rule) -> None:
    assert any(case["expect"] for case in rule.cases), "no case that breaks it"
    assert any(not case["expect"] for case in rule.cases), "no case that holds"
    assert rule.title.endswith(".") and rule.why.endswith(".") and rule.not_covered.endswith(".")
    assert all(PACK.sources[cite] for cite in rule.cites)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){1,6}", rule.name)
    if rule.severity == "info":
        assert rule.disposition in {"informational", "needs_documentation"}


def test_files_are_named_after_their_rules() -> None:
    for room, digit in ROOMS.items():
        for file in (FOLDER / room).glob("*.yaml"):
            if file.name.endswith(".pins.yaml"):
                continue
            rule = next(one for one in PACK.rules if one.place.endswith(f"{file.name}:1:1"))
            assert file.stem == f"{rule.id}-{rule.name}"
            assert rule.id.startswith(f"IVP{digit}")


def test_ids_and_names_are_used_once() -> None:
    assert len({rule.id for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


def test_a_missing_fact_is_never_a_broken_rule() -> None:
    """An encounter of which nothing is stated breaks no rule with an error."""
    from ivpush import Encounter

    for setting in ("facility", "professional"):
        record = {
            "id": "E",
            "setting": setting,
            "date": "2026-03-02",
            "administrations": [{"id": "a"}],
            "lines": None,
        }
        result = Engine(pack=PACK).check(Encounter.model_validate(record))
        assert [one.rule for one in result.violations if one.severity == "error"] == []
