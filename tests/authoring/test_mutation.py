"""Mutants of rules and data, and which of them a pack's cases notice."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ivpush import Engine, Pack
from ivpush.authoring.cases import case_encounter, named_subject
from ivpush.authoring.mutants import expressions, mutants_of, mutants_of_data, mutants_of_rule
from ivpush.authoring.mutation import Bench, Survey, judged, marks_of, survey
from ivpush.errors import PackError
from ivpush.language.parser import parse
from ivpush.pack.files import Sheet
from ivpush.pack.rule import Rule

PACK = Pack.load()
ROOT = Path(__file__).resolve().parents[2]


def rule(name: str) -> Rule:
    return next(one for one in PACK.rules if name in {one.id, one.name})


def changes(text: str, subject: str = "line") -> dict[str, str]:
    return dict(expressions(text, PACK.names, subject))


@cache
def alone(name: str, *cases: str) -> tuple[Pack, Survey]:
    """A pack of one rule with some of its cases only, and what came of its mutants."""
    one = rule(name)
    kept = tuple(case for case in one.every_case if not cases or case["name"] in cases)
    pack = PACK.with_(rules=(one.with_(cases=kept, pins=()),), payers={})
    return pack, survey(pack, (one.id,))


@pytest.mark.parametrize(
    ("text", "change", "made"),
    [
        ("line.units < 2", "line.units < 2 -> line.units <= 2", "line.units <= 2"),
        ("line.units < 2", "line.units < 2 -> line.units >= 2", "line.units >= 2"),
        ("line.units <= 2", "line.units <= 2 -> line.units < 2", "line.units < 2"),
        ("line.units > 2", "line.units > 2 -> line.units >= 2", "line.units >= 2"),
        ("line.units >= 2", "line.units >= 2 -> line.units > 2", "line.units > 2"),
        ("line.units == 2", "line.units == 2 -> line.units != 2", "line.units != 2"),
        ("line.units != 2", "line.units != 2 -> line.units == 2", "line.units == 2"),
        ("line.units == 2", "2 -> 3", "line.units == 3"),
        ("line.units == 2", "2 -> 1", "line.units == 1"),
        ("line.separate and line.known", "drop line.known", "line.separate"),
        ("line.separate or line.known", "drop line.separate", "line.known"),
        ("line.separate and line.known", "and -> or", "line.separate or line.known"),
        ("line.separate or line.known", "or -> and", "line.separate and line.known"),
        ("line.separate and line.known", "negate line.known", "line.separate and (not line.known)"),
        ("line.separate", "negate it", "not line.separate"),
        ("not line.separate", "drop not of line.separate", "line.separate"),
        ("known(line.mue) and line.units < line.mue", "drop known(line.mue)", "line.units < line.mue"),
        ("line.status == 'matched'", "'matched' -> 'outside'", "line.status == 'outside'"),
        ("line.code in ('96374', '96375')", "drop '96374'", "line.code in ('96375',)"),
        ("line.code in ('96374', '96375')", "'96374' -> 'no such word'",
         "line.code in ('no such word', '96375')"),
        ("'59' in line.modifiers", "'59' in line.modifiers -> '59' not in line.modifiers",
         "'59' not in line.modifiers"),
        ("any(a.billable for a in line.administrations)", "any -> all",
         "all((a.billable for a in line.administrations))"),
        ("all(a.billable for a in line.administrations if a.repeat)", "drop if a.repeat",
         "all((a.billable for a in line.administrations))"),
        ("overlaps(claim.codes, line.primaries)", "overlaps -> subset",
         "subset(claim.codes, line.primaries)"),
        ("line.units + 1 > 2", "line.units + 1 -> line.units - 1", "line.units - 1 > 2"),
    ],
)  # fmt: skip
def test_each_operator_makes_its_mutant(text: str, change: str, made: str) -> None:
    assert changes(text)[change] == made


def test_a_mutant_is_never_the_rule_itself_and_always_an_expression() -> None:
    for one in PACK.rules:
        for key in {"when", "require"} & one.texts.keys():
            node = parse(one.texts[key], PACK.names, one.for_each)
            for _, text in expressions(one.texts[key], PACK.names, one.for_each):
                made = parse(text, PACK.names, one.for_each)
                assert made != node


def test_words_of_one_kind_stand_in_for_each_other_alone() -> None:
    made = changes("line.status == 'matched'")
    assert not any("<=" in text for text in made.values())


def test_choices_of_codes_and_dates_are_narrowed_widened_and_moved() -> None:
    made = {(one.key, one.change): one.rule for one in mutants_of_rule(rule("IVP101"), PACK)}
    base = rule("IVP101").codes
    assert base is not None
    widened, fewer = made["codes", "any"], made["codes", "drop technique push"]
    assert widened is not None and widened.codes is None
    assert fewer is not None and fewer.codes is not None and fewer.codes < base
    later = made["in_force", "from 2006-01-02"]
    assert later is not None and later.valid_from.isoformat() == "2006-01-02"


def test_the_data_is_changed_one_cell_at_a_time() -> None:
    made = {one.label: one for one in mutants_of_data(PACK)}
    limit = made["limits.yaml: push_max_minutes: 15 -> 16"].parts["limits"]["push_max_minutes"]
    assert limit[0][2] == 16
    rank = made["hierarchy.yaml: therapeutic push: swap with hydration infusion"].data["ranks"]
    assert rank["hydration", "infusion"] < rank["therapeutic", "push"]
    code = made["codes.yaml: 96376 settings: drop facility"].parts["codes"]["96376"]
    assert code == replace(PACK.codes["96376"], settings=frozenset())
    row = made["supervision.yaml: row 2: drop mode audio_video"].data["supervision"][1]
    assert row.modes == {"in_person"}
    policy = made["policies.yaml: long_push: default warn"].parts["policies"]["long_push"]
    assert policy.default == "warn"
    assert made["codes.yaml: 96361 row: drop it"].refused


def test_labels_are_told_apart() -> None:
    labels = [one.label for one in mutants_of(PACK)]
    assert len(labels) == len(set(labels))


def test_a_weak_set_of_cases_has_survivors_and_a_strong_one_none() -> None:
    _, weak = alone("IVP204", "150 minutes earn one")
    _, strong = alone("IVP204")
    assert any("<=" in label for label in weak.survivors)
    assert len(strong.survivors) < len(weak.survivors)
    assert strong.percent > weak.percent
    assert sum(strong.counts.values()) == strong.mutants == weak.mutants


def test_a_planted_slip_survives_where_no_case_stands_at_the_boundary() -> None:
    label = "administration.clock_minutes > 1 -> administration.clock_minutes >= 1"
    _, far = alone("IVP218", "two minutes")
    _, near = alone("IVP218", "one minute", "two minutes")
    assert any(label in one for one in far.survivors)
    assert not any(label in one for one in near.survivors)


def test_judging_alone_agrees_with_the_engine() -> None:
    engines: dict[str, Engine] = {}
    for one in PACK.rules[::5]:
        for case in one.every_case:
            policies = dict(case.get("policies") or {})
            key = json.dumps(policies, sort_keys=True)
            engine = engines.setdefault(key, Engine(pack=PACK, policies=policies))
            work = engine.work(case_encounter(case, PACK.case_date))
            whole = [named_subject(one, subject) for broken, subject in work.found.broken
                     if broken.id == one.id]  # fmt: skip
            mine, _ = judged(one, work, PACK)
            assert sorted(named_subject(one, subject) for subject in mine) == sorted(whole)


def test_a_case_that_fails_to_begin_with_is_refused() -> None:
    one = rule("IVP104")
    lies: tuple[dict[str, Any], ...] = ({"name": "a lie", "lines": ["96375"], "expect": []},)
    with pytest.raises(PackError, match="a lie"):
        Bench(PACK.with_(rules=(one.with_(cases=lies),), payers={}))


def test_a_scenario_kills_what_no_case_does() -> None:
    lines = (ROOT / "tests/data/scenarios/scenarios.ndjson").read_text("utf-8").splitlines()
    scenarios = [json.loads(line) for line in lines]
    pack = PACK.with_(rules=(), payers={})
    swap = next(one for one in mutants_of_data(pack)
                if one.label == "limits.yaml: push_max_minutes: 15 -> 16")  # fmt: skip
    assert Bench(pack).killed_by(swap) == ""
    assert Bench(pack, scenarios).killed_by(swap).startswith("scenario ")


def test_marks_are_whole_and_name_mutants_there_are() -> None:
    labels = {one.label for one in mutants_of(PACK)}
    assert marks_of(PACK).keys() <= labels


def test_a_mark_without_a_proof_is_refused() -> None:
    row = {"file": "x", "key": "when", "changes": ["drop it"], "why": "no sentence"}
    layers = [{"mutants.yaml": Sheet("mutants.yaml", {"equivalent": [row]}, {})}]
    pack = PACK.with_(_layers=layers)
    with pytest.raises(PackError, match="is no mark"):
        marks_of(pack)


def test_two_workers_find_what_one_finds() -> None:
    assert survey(PACK, ("IVP108",), workers=2) == survey(PACK, ("IVP108",))
