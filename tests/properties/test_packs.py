"""Relations 4, 14 and 21: rules, overlays and packs that say no more change no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Pack, Result
from ivpush.contract.result import Violation
from tests.properties.test_structure import claims
from tests.shipped import ENGINE

OFTEN = ("IVP101", "IVP205", "IVP506", "IVP901")
"""Rules of several rooms, each broken by one made-up claim or another."""
RULE = """\
id: {id}
name: {name}
title: A rule of the house.
severity: warning
disposition: informational
in_force: {{from: 2006-01-01}}
for_each: line
codes: any
require: {require}
message: "Line {{line.number}} is looked at."
fix: "Look at line {{line.number}}."
why: The house wants it.
not_covered: Nothing else.
cites: [ivpush-plausibility]
cases:
  - name: a line that breaks it
    lines: [{broken}]
    expect: [{{line: 1}}]
  - name: a line that keeps it
    lines: ["96372"]
    expect: []
"""
PUSHES = RULE.format(
    id="IVP798", name="no-first-push", require="line.code != '96374'", broken='"96374"'
)
UNITS = RULE.format(
    id="IVP799",
    name="one-unit-a-line",
    require="line.units <= 1",
    broken='{code: "96366", units: 2}',
)


def overlay(folder: Path, name: str, text: str = "") -> None:
    (folder / "payers").mkdir(parents=True, exist_ok=True)
    (folder / "payers" / f"{name}.yaml").write_text(f"id: {name}\ntitle: {name}\n{text}", "utf-8")


def house(folder: Path, name: str, rule: str) -> Path:
    room = folder / "checks" / "record"
    room.mkdir(parents=True)
    (room / f"{name}.yaml").write_text(rule, "utf-8")
    return folder


@pytest.fixture(scope="module")
def of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Engine]:
    """The engine of a payer by name: one that says nothing, and some that each mind a rule less."""
    folder = tmp_path_factory.mktemp("overlays")
    overlay(folder, "silent")
    for rule in OFTEN:
        overlay(folder, f"without_{rule.lower()}", f"off: {{{rule}: the house has its reason}}\n")
        overlay(folder, f"mild_{rule.lower()}", f"severity: {{{rule}: info}}\n")
    pack = Pack.load(extra=[folder])
    return cache(lambda payer: Engine(payer, pack=pack))


def coded(result: Result) -> tuple[object, ...]:
    """All that a result says of codes."""
    return result.suggested, result.not_billable, result.questions


@settings(max_examples=30)
@given(claims())
def test_21_an_overlay_that_says_nothing_changes_nothing(
    of: Callable[[str], Engine], encounter: Encounter
) -> None:
    plain, silent = ENGINE.check(encounter), of("silent").check(encounter)
    assert replace(silent, pack=plain.pack) == plain


@settings(max_examples=30)
@given(claims(), st.sampled_from(OFTEN))
def test_14_a_rule_switched_off_takes_its_own_findings_along_and_no_others(
    of: Callable[[str], Engine], encounter: Encounter, rule: str
) -> None:
    plain, without = ENGINE.check(encounter), of(f"without_{rule.lower()}").check(encounter)
    assert coded(without) == coded(plain)
    here, before = _findings(without), _findings(plain)
    assert {each.rule for each in before - here} <= {rule}
    assert rule not in {each.rule for each in here}
    # What merely followed from it is told on its own.
    assert {each.rule for each in here - before} <= _folded(plain, rule)


@settings(max_examples=30)
@given(claims(), st.sampled_from(OFTEN))
def test_14_another_severity_changes_only_the_severity(
    of: Callable[[str], Engine], encounter: Encounter, rule: str
) -> None:
    plain, mild = ENGINE.check(encounter), of(f"mild_{rule.lower()}").check(encounter)
    assert coded(mild) == coded(plain)
    assert {each.severity for each in mild.violations if each.rule == rule} <= {"info"}
    here, before = _findings(mild), _findings(plain)
    assert before <= here
    # A remark explains no error away.
    assert {each.rule for each in here - before} <= _folded(plain, rule)


def _findings(result: Result) -> set[Violation]:
    """The findings without what one rule may change in those of another."""
    return {
        replace(each, severity="info", disposition="informational", folds=())
        for each in result.violations
    }


def _folded(result: Result, rule: str) -> set[str]:
    """The rules whose findings follow from those of a rule."""
    return {name for each in result.violations if each.rule == rule for name in each.folds}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Engine]:
    """The shipped pack with two others on it, in either order."""
    pushes = house(tmp_path_factory.mktemp("pushes"), "IVP798-no-first-push", PUSHES)
    units = house(tmp_path_factory.mktemp("units"), "IVP799-one-unit-a-line", UNITS)
    return Engine(packs=[pushes, units]), Engine(packs=[units, pushes])


@settings(max_examples=30)
@given(claims())
def test_04_the_order_of_packs_changes_nothing_and_each_adds_its_own_findings(
    stacks: tuple[Engine, Engine], encounter: Encounter
) -> None:
    one_way, other_way = (engine.check(encounter) for engine in stacks)
    assert replace(other_way, pack=one_way.pack) == one_way
    ours = [each for each in one_way.violations if each.rule in {"IVP798", "IVP799"}]
    theirs = [each for each in one_way.violations if each not in ours]
    assert theirs == list(ENGINE.check(encounter).violations)
    lines = encounter.lines or ()
    pushes = {("IVP798", line.number) for line in lines if line.code == "96374"}
    assert {(each.rule, each.line) for each in ours} == pushes | {
        ("IVP799", line.number) for line in lines if line.units > 1
    }
