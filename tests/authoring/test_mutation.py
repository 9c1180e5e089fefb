"""Mutants of rules and data, and which of them a pack's cases notice."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from ivpush import Pack
from ivpush.authoring.cases import EnginesByPolicy, policies_of
from ivpush.authoring.encounters import case_encounter
from ivpush.authoring.judging import judge_alone, subject_name
from ivpush.authoring.mutants import mutants_of, mutants_of_data, mutants_of_rule
from ivpush.authoring.mutation import PreparedTests, Survey, marks_of, survey
from ivpush.errors import PackError
from ivpush.pack.files import Sheet, Yaml
from ivpush.pack.rule import Case, Rule
from tests.shipped import PACK

ROOT = Path(__file__).resolve().parents[2]


def rule_named(name: str) -> Rule:
    return next(rule for rule in PACK.rules if name in {rule.id, rule.name})


@cache
def survey_of(name: str, *cases: str) -> Survey:
    """What came of the mutants of one rule with some of its cases only, or with all."""
    rule = rule_named(name)
    kept = tuple(case for case in rule.every_case if not cases or case["name"] in cases)
    pack = PACK.with_(rules=(replace(rule, cases=kept, pins=()),), payers={})
    return survey(pack, (rule.id,))


def test_choices_of_codes_are_narrowed_and_widened() -> None:
    rule = rule_named("IVP101")
    mutated = {(mutant.key, mutant.change): mutant.rule for mutant in mutants_of_rule(rule, PACK)}
    assert rule.codes is not None
    widened, fewer = mutated["codes", "any"], mutated["codes", "drop technique push"]
    assert widened is not None and widened.codes is None
    assert fewer is not None and fewer.codes is not None and fewer.codes < rule.codes


def test_the_data_is_changed_one_cell_at_a_time() -> None:
    mutants = {mutant.label: mutant for mutant in mutants_of_data(PACK)}
    limits = mutants["limits.yaml: push_max_minutes: 15 -> 16"].parts["limits"]
    assert limits["push_max_minutes"][0][2] == 16
    swap = mutants["hierarchy.yaml: therapeutic push: swap with hydration infusion"]
    ranks = swap.parts["data"].ranks
    assert ranks["hydration", "infusion"] < ranks["therapeutic", "push"]
    codes = mutants["codes.yaml: 96376 settings: drop facility"].parts["codes"]
    assert codes["96376"] == replace(PACK.codes["96376"], settings=frozenset())
    rows = mutants["supervision.yaml: row 2: drop mode audio_video"].parts["data"].supervision
    assert rows[1].modes == {"in_person"}
    policies = mutants["policies.yaml: long_push: default warn"].parts["policies"]
    assert policies["long_push"].default == "warn"
    assert mutants["codes.yaml: 96361 row: drop it"].refused


def test_labels_are_told_apart() -> None:
    labels = [mutant.label for mutant in mutants_of(PACK)]
    assert len(labels) == len(set(labels))


def test_a_weak_set_of_cases_has_survivors_and_a_strong_one_none() -> None:
    weak, strong = survey_of("IVP204", "150 minutes earn one"), survey_of("IVP204")
    assert any("<=" in label for label in weak.survivors)
    assert len(strong.survivors) < len(weak.survivors)
    assert strong.percent > weak.percent
    assert sum(strong.counts.values()) == strong.mutants == weak.mutants


def test_a_planted_slip_survives_where_no_case_stands_at_the_boundary() -> None:
    label = "clock_minutes > limits.filled_in_minutes -> administration.clock_minutes >= limits"
    far = survey_of("IVP218", "a drip of two minutes")
    near = survey_of("IVP218", "a drip of one minute", "a drip of two minutes")
    assert any(label in survivor for survivor in far.survivors)
    assert not any(label in survivor for survivor in near.survivors)


def test_judging_alone_agrees_with_the_engine() -> None:
    engines = EnginesByPolicy(PACK)
    for rule in PACK.rules[::5]:
        for case in rule.every_case:
            engine = engines.under(policies_of(case))
            work = engine.work(case_encounter(case, PACK.case_date))
            by_engine = [
                subject_name(rule, subject)
                for broken, subject in work.findings.broken
                if broken.id == rule.id
            ]
            broken_on = judge_alone(rule, work, PACK).broken_on
            alone = [subject_name(rule, subject) for subject in broken_on]
            assert sorted(alone) == sorted(by_engine)


def test_a_case_that_fails_to_begin_with_is_refused() -> None:
    lies: tuple[Case, ...] = ({"name": "a lie", "lines": ["96375"], "expect": []},)
    lying = replace(rule_named("IVP104"), cases=lies)
    with pytest.raises(PackError, match="a lie"):
        PreparedTests.of(PACK.with_(rules=(lying,), payers={}))


def test_a_scenario_kills_what_no_case_does() -> None:
    lines = (ROOT / "tests/data/scenarios/scenarios.ndjson").read_text("utf-8").splitlines()
    scenarios = [json.loads(line) for line in lines]
    pack = PACK.with_(rules=(), payers={})
    label = "limits.yaml: push_max_minutes: 15 -> 16"
    longer_push = next(mutant for mutant in mutants_of_data(pack) if mutant.label == label)
    assert PreparedTests.of(pack).killed_by(longer_push) == ""
    assert PreparedTests.of(pack, scenarios).killed_by(longer_push).startswith("scenario ")


def test_marks_are_whole_and_name_mutants_there_are() -> None:
    labels = {mutant.label for mutant in mutants_of(PACK)}
    assert marks_of(PACK).keys() <= labels


def test_a_mark_without_a_proof_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row: Yaml = {"file": "x", "key": "when", "changes": ["drop it"], "why": "no sentence"}
    sheet = Sheet("mutants.yaml", {"equivalent": [row]}, {})
    monkeypatch.setattr(Pack, "sheet", lambda *_: sheet)
    with pytest.raises(PackError, match="is no mark"):
        marks_of(PACK)


def test_two_workers_find_what_one_finds() -> None:
    assert survey(PACK, ("IVP108",), workers=2) == survey(PACK, ("IVP108",))
