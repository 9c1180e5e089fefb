"""SARIF 2.1.0, held against the schema of its last published form."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from ivpush import Encounter
from ivpush.writers.sarif import Writer
from tests.writers.works import ALL, CLEAN, HOSTILE, NOTHING, WRONG, engine, hostile, written

SCHEMA = json.loads(
    (Path(__file__).parents[1] / "data/sarif/sarif-2.1.0-rtm.5.json").read_text("utf-8")
)
CHECKED = Draft4Validator(SCHEMA, format_checker=Draft4Validator.FORMAT_CHECKER)


def log(*records: Any, place: str = "f.ndjson") -> Any:
    raw = written(Writer, *records, place=place)
    assert raw.isascii()
    made = json.loads(raw)
    assert [error.message for error in CHECKED.iter_errors(made)] == []
    return made["runs"][0]


def test_the_schema_catches_a_wrong_log() -> None:
    made = json.loads(written(Writer, WRONG))
    made["runs"][0]["results"][0]["level"] = "fatal"
    assert list(CHECKED.iter_errors(made))


def test_nothing_found_is_a_valid_log() -> None:
    assert log()["results"] == []
    assert log(NOTHING)["results"] == []


def test_every_violation_is_a_result_with_its_rule() -> None:
    run = log(CLEAN, WRONG, ALL)
    found = [
        (number, one)
        for number, record in enumerate((CLEAN, WRONG, ALL), 1)
        for one in engine().check(Encounter.model_validate(record)).violations
    ]
    assert len(run["results"]) == len(found) > 2
    rules = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == sorted(one.id for one in engine().pack.rules)
    for made, (number, one) in zip(run["results"], found, strict=True):
        assert made["ruleId"] == rules[made["ruleIndex"]]["id"] == one.rule
        assert (
            made["level"] == {"error": "error", "warning": "warning", "info": "note"}[one.severity]
        )
        assert made["message"]["text"] == f"{one.message} {one.fix}".strip()
        where = made["locations"][0]
        assert where["physicalLocation"]["region"] == {"startLine": number}
        if one.line is not None:
            record = (CLEAN, WRONG, ALL)[number - 1]
            assert (
                where["logicalLocations"][1]["fullyQualifiedName"]
                == f"{record['id']}/lines/{one.line}"
            )


def test_fingerprints_are_stable_and_tell_results_apart() -> None:
    def prints(run: Any) -> list[str]:
        return [one["partialFingerprints"]["ivpush/v1"] for one in run["results"]]

    first = prints(log(WRONG, ALL))
    assert len(set(first)) == len(first)
    assert prints(log(NOTHING, WRONG, ALL, place="elsewhere.ndjson")) == first


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_give_a_valid_log(text: str) -> None:
    raw = written(Writer, hostile(text), place=f"a{text}")
    assert raw.isascii()
    made = json.loads(raw)
    assert list(CHECKED.iter_errors(made)) == []
    for one in made["runs"][0]["results"]:
        assert one["message"]["text"].isprintable()
        assert all(part["name"].isprintable() for part in one["locations"][0]["logicalLocations"])


def test_a_place_without_lines_keeps_the_readers_words() -> None:
    from ivpush import __version__
    from ivpush.writers import WriteOptions

    out = io.BytesIO()
    writer = Writer(out, WriteOptions(engine().pack, __version__))
    writer.write(engine().work(Encounter.model_validate(WRONG)), "a.837: interchange 1, claim 2")
    writer.close()
    made = json.loads(out.getvalue())
    assert list(CHECKED.iter_errors(made)) == []
    where = made["runs"][0]["results"][0]["locations"][0]
    assert where["message"] == {"text": "interchange 1, claim 2"}
    assert where["physicalLocation"] == {"artifactLocation": {"uri": "a.837"}}
