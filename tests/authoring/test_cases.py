"""Tools for those who write rules: frames, differences, schemas, advice and lists."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ivpush import Pack
from ivpush.__main__ import main
from ivpush.authoring.advice import advice
from ivpush.authoring.cases import EnginesByPolicy, policies_of, run_cases
from ivpush.authoring.diff import changes, payer_rows
from ivpush.authoring.encounters import case_encounter
from ivpush.authoring.new_rule import frame
from ivpush.authoring.schema import overlay_schema, rule_schema
from ivpush.errors import UsageError
from ivpush.pack.files import read_yaml
from ivpush.pack.rule import Rule
from tests.shipped import PACK

ENGINES = EnginesByPolicy(PACK)
DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"


def rule_files(folder: Path, name: str = "*.yaml") -> list[Path]:
    """Files of a pack without the pins, which hold cases alone."""
    files = sorted(folder.rglob(name))
    return [file for file in files if not file.name.endswith(".pins.yaml")]


RULE_FILES = rule_files(RULES / "checks")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def rewrite(folder: Path, name: str, before: str, after: str) -> None:
    (file,) = rule_files(folder, name)
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")


def changed_texts(old: Path, new: Path) -> list[str]:
    return [change.text for change in changes(Pack.load(old), Pack.load(new))]


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.stem)
def test_every_shipped_rule_fits_its_schema(file: Path) -> None:
    data = read_yaml(file.name, file.read_bytes()).data
    jsonschema.Draft202012Validator(rule_schema(PACK)).validate(data)


def test_every_shipped_overlay_fits_its_schema() -> None:
    checker = jsonschema.Draft202012Validator(overlay_schema(PACK))
    for file in sorted((RULES / "payers").glob("*.yaml")):
        checker.validate(read_yaml(file.name, file.read_bytes()).data)


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "fatal"},
        {"id": "1"},
        {"cites": ["nobody"]},
        {"codes": {"rank": "1"}},
        {"surprise": "x"},
        {"in_force": {"from": "May"}},
        {"edit": "guess"},
        {"cases": [{"name": "x"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, Any]) -> None:
    (file,) = rule_files(RULES, "IVP101-*.yaml")
    data = {**read_yaml(file.name, file.read_bytes()).mapping, **change}
    checker = jsonschema.Draft202012Validator(rule_schema(PACK))
    assert list(checker.iter_errors(data))


def test_the_schemas_are_schemas() -> None:
    for schema in (rule_schema(PACK), overlay_schema(PACK)):
        jsonschema.Draft202012Validator.check_schema(schema)


def firing_cases(rule: Rule) -> Iterator[Mapping[str, Any]]:
    """The cases that break a rule on the day that they name, or on the pack's."""
    return (case for case in rule.every_case if case["expect"])


@pytest.mark.parametrize("rule", PACK.every_rule, ids=lambda rule: rule.id)
def test_a_rule_is_silent_on_the_day_before_it_and_the_day_after(rule: Rule) -> None:
    days = [rule.valid_from - DAY]
    if rule.valid_to is not None:
        days.append(rule.valid_to + DAY)
    for case, day in product(firing_cases(rule), days):
        encounter = case_encounter({**case, "date": day}, PACK.case_date)
        result = ENGINES.under(policies_of(case)).check(encounter)
        assert rule.id not in {each.rule for each in result.violations}
        assert rule.id not in {each.rule for each in result.unjudged}


def test_a_rule_is_in_force_from_its_first_day_to_its_last() -> None:
    for rule in PACK.every_rule:
        first, last = rule.valid_from, rule.valid_to
        assert rule.in_force(first) and not rule.in_force(first - DAY)
        assert last is None or (rule.in_force(last) and not rule.in_force(last + DAY))


def test_a_new_rule_takes_the_next_id_and_passes_as_written(copied: Path) -> None:
    name, text = frame("time", "a-rule-just-begun", PACK)
    highest = max(rule.id for rule in PACK.rules if rule.id[3] == "2")
    assert name == f"checks/time/IVP{int(highest[3:]) + 1}-a-rule-just-begun.yaml"
    (copied / name).write_text(text, "utf-8")
    pack = Pack.load(copied)
    outcomes = list(run_cases(pack, "a-rule-just-begun"))
    assert [outcome.problem for outcome in outcomes] == ["", ""]


def test_a_new_rule_needs_a_room_and_a_free_name() -> None:
    for room, name in (("cellar", "x"), ("time", "Not A Name"), ("roles", "several-initials")):
        with pytest.raises(UsageError):
            frame(room, name, PACK)


def test_new_writes_a_file_once(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "new", "drug", "a-new-one", "--into", str(copied)]) == 0
    assert Path(capsys.readouterr().out.strip()).is_file()
    assert main(["rules", "new", "cellar", "a-new-one", "--into", str(copied)]) == 2


def test_a_pack_does_not_differ_from_itself(copied: Path) -> None:
    assert changed_texts(RULES, copied) == []


def test_every_kind_of_difference_is_told(copied: Path) -> None:
    rewrite(copied, "IVP101-*.yaml", "severity: error", "severity: warning")
    rewrite(copied, "IVP102-*.yaml", "from: 2006-01-01", "from: 2007-01-01")
    rewrite(copied, "IVP103-*.yaml", "\nwhy: ", "\nwhy: In short. ")
    rewrite(copied, "policies.yaml", "default: keep_order", "default: error")
    rewrite(copied, "limits.yaml", "value: 15", "value: 14")
    rewrite(copied, "codes.yaml", "settings: [facility, professional]", "settings: [facility]")
    rewrite(copied, "regence.yaml", "facility_pos_set: regence", "facility_pos_set: cms")
    # No other rule follows from this one.
    for file in copied.rglob("IVP607-*.yaml"):
        file.unlink()
    forth = changed_texts(RULES, copied)
    for start in (
        "rule IVP101: severity: error -> warning",
        "rule IVP607: removed",
        "rule IVP102: valid_from: 2006-01-01 -> 2007-01-01",
        "rule IVP103: why: ",
        "policies overlapping_push_same_second: default: keep_order -> error",
        "limits push_max_minutes: ",
        "codes 96360: settings: ",
        "payer regence: policies facility_pos_set: regence -> cms",
    ):
        assert any(text.startswith(start) for text in forth), start
    back = changed_texts(copied, RULES)
    assert len(back) == len(forth) and "rule IVP607: added" in back


def test_differences_come_as_json_too(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(copied, "limits.yaml", "value: 15", "value: 14")
    assert main(["rules", "diff", str(RULES), str(copied), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["kind"], row["name"]) == ("limits", "push_max_minutes")


def test_a_payer_is_listed_beside_the_base(capsys: pytest.CaptureFixture[str]) -> None:
    rows = payer_rows(PACK.payers["select_health"], PACK)
    assert {"kind": "policy", "name": "hydration_floor_minutes", "base": 31, "payer": 16} in rows
    assert main(["rules", "list", "--payer", "select_health", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == rows
    assert main(["rules", "list", "--payer", "select_health"]) == 0
    assert "31 -> 16" in capsys.readouterr().out
    assert main(["rules", "list", "--payer", "nobody"]) == 2


def test_a_room_is_listed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list", "--room", "sites", "--format", "json"]) == 0
    ids = [row["id"] for row in json.loads(capsys.readouterr().out)]
    assert ids == sorted(rule.id for rule in PACK.rules if rule.id[3] == "5")
    assert main(["rules", "list", "--room", "cellar"]) == 2


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "schema", "overlay"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(overlay_schema(PACK)))


UNREAD_POLICY = """policies:
  read_by_none:
    kind: flag
    default: true
    touches: checks
    why: Nothing reads it.
    cites: [cms-mue]
"""


def test_advice_names_what_is_poor(copied: Path) -> None:
    case = next(rule for rule in PACK.rules if rule.id == "IVP101").cases[0]
    again = textwrap.indent(yaml.safe_dump([dict(case)]), "  ")
    (file,) = rule_files(copied, "IVP101-*.yaml")
    file.write_text(file.read_text("utf-8") + again, "utf-8")
    nobody = "{title: Nothing, publisher: nobody, edition: none, checked: 2026-11-23}"
    rewrite(copied, "sources.yaml", "sources:\n", f"sources:\n  nobody-2020: {nobody}\n")
    rewrite(copied, "policies.yaml", "policies:\n", UNREAD_POLICY)
    usual = {str(fault) for fault in advice(PACK)}
    new = [text for text in map(str, advice(Pack.load(copied))) if text not in usual]
    assert any(f"the name '{case['name']}' repeats" in text for text in new)
    assert any(f"'{case['name']}' repeats '{case['name']}'" in text for text in new)
    assert any(text.startswith("sources.yaml: nobody-2020: is cited nowhere") for text in new)
    assert any(text.startswith("policies.yaml: read_by_none: is read by no rule") for text in new)


def test_mutate_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["rules", "mutate", "IVP108", "--format", "json"])
    row = json.loads(capsys.readouterr().out)
    assert row["mutants"] == row["killed"] + row["refused"] + row["equivalent"] + row["survived"]
    assert status == (1 if row["survivors"] else 0)
    assert main(["rules", "mutate", "IVP999"]) == 2
