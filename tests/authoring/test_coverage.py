"""What cases show of the conditions of a rule (MC/DC)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivpush import Pack
from ivpush.__main__ import main
from ivpush.authoring.cases import EnginesByPolicy
from ivpush.authoring.coverage import rule_coverage
from ivpush.pack.rule import Rule
from tests.shipped import PACK

RULE = """
id: OUR799
name: many-units-undated
title: A line of many units has a date.
severity: info
disposition: informational
in_force: {from: 2006-01-01}
for_each: line
codes: any
when: line.units > 1
require: line.units < 3 or known(line.date) or any(x.units == 7 and not (x.code == line.code) for x in claim.lines)
message: "Line {line.number} has no date."
fix: "Date line {line.number}."
why: >-
  It is made up for a test.
not_covered: >-
  Nothing.
cites: [cpt]
cases:
  - name: three units
    lines: ["J2405 x3"]
    expect: [{line: 1}]
  - name: a unit
    lines: ["J2405"]
    expect: []
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    (folder / "checks/record").mkdir(parents=True)
    cites = next(iter(PACK.sources))
    text = RULE.replace("[cpt]", f"[{cites}]").lstrip()
    (folder / "checks/record/OUR799-many-units-undated.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def engines(folder: Path) -> EnginesByPolicy:
    return EnginesByPolicy(Pack.load(extra=[folder]))


def shown(engines: EnginesByPolicy, *claims: Any) -> dict[str, set[bool | None]]:
    rule: Rule = next(rule for rule in engines.pack.rules if rule.id == "OUR799")
    cases = tuple({"name": str(n), "lines": lines} for n, lines in enumerate(claims))
    return {
        condition.text: condition.shown
        for condition in rule_coverage(replace(rule, cases=cases), engines)
    }


DATED = {"code": "J2405", "units": 3, "date": "2026-03-02"}


def test_a_condition_is_shown_only_where_the_verdict_hangs_on_it(engines: EnginesByPolicy) -> None:
    # Three units without a date: each part alone would have saved the line.
    broken = shown(engines, ["J2405 x3"])
    assert broken["line.units > 1"] == {True}
    assert broken["line.units < 3"] == {False}
    assert broken["known(line.date)"] == {False}
    # Two units without a date: the date would have changed nothing.
    few = shown(engines, ["J2405 x2"])
    assert few["line.units < 3"] == {True}
    assert few["known(line.date)"] == set()
    # One unit: the rule does not apply, whatever stands in ``require``.
    single = shown(engines, ["J2405"])
    assert single["line.units > 1"] == set()
    assert shown(engines, ["J2405 x3"], [DATED])["known(line.date)"] == {True, False}


def test_rows_are_shown_where_their_comprehension_decides(engines: EnginesByPolicy) -> None:
    # The other line would save the first, if only it had seven units.
    undated = shown(engines, ["J2405 x3", "J1100"])
    assert undated["x.units == 7"] == {False}
    # Its own line has another number of units, and would not count with seven: its code decides.
    assert undated["x.code == line.code"] == set()
    # It is saved by the other line now, and the other line by none.
    saved = shown(engines, ["J2405 x3", "J1100 x7"])
    assert saved["x.units == 7"] == {True, False}
    # Where a date decides alone, the rows decide nothing.
    assert shown(engines, [DATED, "J1100"])["x.units == 7"] == set()


def test_the_command_lists_what_no_case_shows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "test", "OUR799", "--coverage", "--rules", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "OUR799 require: line.units < 3: never true\n" in out
    # The single unit holds with or without ``when``, so it shows nothing of it.
    assert "OUR799 when: line.units > 1: never false\n" in out
    assert "6 conditions: 0 decide both ways in some case; 0 of the 0 " in out


def test_nearly_every_condition_of_the_pack_decides_in_some_case() -> None:
    engines = EnginesByPolicy(PACK)
    rules = [rule for rule in engines.pack.rules if rule.id.startswith(("IVP1", "IVP5"))]
    conditions = [condition for rule in rules for condition in rule_coverage(rule, engines)]
    shown = [condition for condition in conditions if not condition.not_shown]
    assert len(shown) >= 0.95 * len(conditions) > 50
