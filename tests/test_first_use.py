"""What stopped the first users of ivpush, each as they typed it, and what they are told now.

| what they did | held by |
|---|---|
| a bag whose time is in an undeclared form: "nothing was given" | ``tests/readers/mar`` and here |
| a renamed column, a setting or zone that does not exist: an empty answer | ``tests/test_frames.py`` |
| a payer with a typo | here |
| a rule file in a wrong place | ``tests/pack/test_placing.py`` |
| neither chart nor claim: clean | ``tests/test_engine.py`` |
| evidence that names every field | ``tests/language/test_evidence.py`` |
| a result that hides custom rules | ``tests/contract/test_result.py`` |
| "Bill not stated" | ``tests/pack/test_wording.py`` |
| minutes of one drug in a message about another | here |
| zones that are no zones | ``tests/contract/test_encounter.py`` |
| a corrected claim that is wrong | ``tests/properties/test_whole.py`` and here |
| a traceback for a header, and for a closed standard output | ``tests/commands`` |
| a dictionary, None, or one record for many | ``tests/test_doors.py`` |
| values of a patient in errors | ``tests/test_doors.py`` |
| flags in errors of the library | here |
| misspelt ids, packs and texts in case files | ``tests/testing`` |
| pages whose examples do not run | ``tests/testing``, ``tests/batch/test_examples.py`` |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ivpush import Encounter, Engine, IvpushError, check_frame
from ivpush.pack.pack import Pack
from ivpush.testing import assert_suggests, chart, claim
from ivpush.testing.casefiles import read_case_file
from ivpush.writers.text import Look, render
from tests.commands.conftest import cache, ivpush
from tests.pack.test_placing import FILE, OURS
from tests.shipped import ENGINE, PACK

__all__ = ["cache", "ivpush"]

EXAMPLES = Path(__file__).parents[1] / "examples"
RECORD: dict[str, Any] = {"id": "E1", "setting": "facility", "date": "2026-03-02"}
LINE = {"number": 1, "code": "96374", "units": 1}


LINES = pd.DataFrame({"encounter": ["E1"], "number": [1], "code": ["96374"], "units": [1]})


def encounter(**more: Any) -> Encounter:
    return Encounter.model_validate({**RECORD, **more})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Engine("medicaer", pack=PACK), "payer: … did you mean 'medicare'?"),
        (lambda: Engine("Medicare", pack=PACK), "payer: … did you mean 'medicare'?"),
        (
            lambda: Engine(pack=PACK, policies={"foo": "x"}),
            "policy foo: does not exist (ivpush docs vocabulary lists all); write one of: … in all)",
        ),
        (
            lambda: Engine(pack=PACK, policies={"missing_stop_time": "denied"}),
            "policy missing_stop_time: has no value 'denied'; did you mean 'deny'?",
        ),
        (lambda: Engine(packs=["/nope"]), "/nope: is no folder of rules"),
        (
            lambda: encounter(administration=[]),
            "the top level: holds 'administration', … did you mean 'administrations'?",
        ),
        (
            lambda: encounter(lines=[{**LINE, "code": "9637"}]),
            "lines[0].code: … write 5 capital letters or digits",
        ),
        (
            lambda: encounter(lines=[{**LINE, "modifiers": ["5"]}]),
            "lines[0].modifiers[0]: … write 2 capital letters or digits",
        ),
        (
            lambda: encounter(administrations=[{"id": "a", "route": "iv"}]),
            "administrations[0].route: … did you mean 'IV'?",
        ),
        (
            lambda: encounter(administrations=[{"id": "a", "route": "by mouth"}]),
            "administrations[0].route: … write one of: IV, IM, SC, …",
        ),
        (lambda: Encounter.model_validate({"setting": "facility"}), "id: is missing; write it"),
        (lambda: ENGINE.check(json.dumps([RECORD])), "Encounter: … write one object"),
        (
            lambda: ENGINE.check(f"{json.dumps(RECORD)}\n{json.dumps(RECORD)}"),
            "Encounter: … this is not the JSON of one record",
        ),
        (
            lambda: encounter(date="0026-03-02"),
            "the encounter: date lies in no year of an encounter; write the day on which",
        ),
        (lambda: claim(["96374"]), "lines: … write each as CODE-MODIFIER xUNITS"),  # type: ignore[arg-type]
        (lambda: claim(96374), "lines: … write each as CODE-MODIFIER xUNITS"),  # type: ignore[arg-type]
        (
            lambda: chart("ketorolac IV infusion 23:30-00:20"),
            "administrations: stops before it starts; write +1 before a stop of the next day",
        ),
        (
            lambda: assert_suggests(encounter(administrations=[]), ["96374"]),  # type: ignore[arg-type]
            "'['96374']': is no line; write CODE-MODIFIER xUNITS",
        ),
        (
            lambda: check_frame(lines=LINES),
            "setting: is stated by no frame and not by the call; give facility or professional",
        ),
        (
            lambda: check_frame(
                lines=pd.concat([LINES, LINES[["code"]]], axis=1), setting="facility"
            ),
            "lines: names a column twice; keep one",
        ),
        (
            lambda: check_frame(lines=LINES.rename(columns={"code": "codee"}), setting="facility"),
            "lines: column 'codee' is not one of the lines table; did you mean 'code'?",
        ),
        (
            lambda: ENGINE.check(json.dumps({**RECORD, "date": "03/02/2026"})),
            "date: … write a date as YYYY-MM-DD",
        ),
    ],
)
def test_a_slip_in_python_is_told_with_its_mend(call: Callable[[], object], said: str) -> None:
    with pytest.raises(IvpushError) as caught:
        call()
    parts = said.split("…")
    message = str(caught.value)
    assert message.startswith(parts[0].rstrip())
    assert all(part.strip() in message for part in parts)
    assert "--" not in message


CLAIM = json.dumps({**RECORD, "lines": [LINE]})


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (("--formt", "json"), CLAIM, "'--format'"),
        (("--payer", "medicaer"), CLAIM, "--payer: has no overlay in this pack; did you mean"),
        (("--fail-on", "errors"), CLAIM, "did you mean 'error'?"),
        (("--chart", "nofile"), CLAIM, "nofile: No such file"),
        ((), "x,y\n1,2\n", "columns 1, 2"),
        (("--rules", "nope"), CLAIM, "nope: is no folder of rules"),
    ],
)
def test_a_slip_on_the_command_line_is_told_in_one_line(
    ivpush: Any, words: tuple[str, ...], text: str, said: str
) -> None:
    name = "input.json" if text is CLAIM else "input.csv"
    Path(name).write_text(text, "utf-8")
    run = ivpush("check", name, *words)
    assert (run.status, run.out) == (2, "")
    (told,) = [
        line for line in run.err.splitlines() if "in = " not in line and "linked" not in line
    ]
    assert said in told
    assert told.count(name) <= 1


def test_a_claim_table_of_another_system_is_told_of_the_map_that_reads_it(ivpush: Any) -> None:
    Path("input.csv").write_text("claim_id,cpt,mod1,dos\n1,96374,,2026-03-02\n", "utf-8")
    run = ivpush("check", "input.csv")
    assert (run.status, run.out) == (2, "")
    assert "input.csv: column 'mod1' is not one of the lines table" in run.err
    assert "the map 'claim-lines' knows; read it with that map" in run.err


def test_one_equals_sign_in_a_rule_is_told_where_its_editor_finds_it(tmp_path: Path) -> None:
    file = tmp_path / "checks/roles" / FILE
    file.parent.mkdir(parents=True)
    file.write_text(OURS.replace("when: ", "when: line.code = "), "utf-8")
    with pytest.raises(IvpushError) as caught:
        Pack.load(extra=[tmp_path])
    (fault,) = caught.value.faults
    assert fault.place.startswith(f"{file}:")
    assert fault.remedy == "write == to compare"


def test_charts_whose_ids_fit_no_claim_are_told_so() -> None:
    """Each claim would be judged without its chart, and each chart without its claim."""
    given = pd.DataFrame({"encounter": ["V-1"], "id": ["a"], "drug": ["ketorolac"]})
    told = check_frame(
        lines=LINES.assign(date="2026-03-02"), administrations=given, setting="facility"
    )
    messages = [*told.notes["message"]]
    assert messages and all("compare the forms of their ids" in each for each in messages)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("line.is_add_on", "line.units >= 1,000", "a number has no comma"),
        ("line.is_add_on", "line.ndc != None", "known(x) asks if x is stated"),
        ("{line.code}", "{line.units:units}", "has no singular word after the colon"),
    ],
)
def test_a_slip_in_a_rule_is_told_with_its_mend(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "checks/roles" / FILE
    file.parent.mkdir(parents=True)
    file.write_text(OURS.replace(old, new, 1), "utf-8")
    with pytest.raises(IvpushError) as caught:
        Pack.load(extra=[tmp_path])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("cases: []", "holds no case; write one under cases"),
        (
            'cases:\n  - {name: a, lines: ["96375"], fires: [IVP104]}\n'
            '  - {name: a, lines: ["96374"], silent: [IVP104]}',
            "repeats the name 'a'; give each case its own",
        ),
    ],
)
def test_a_case_file_that_would_say_nothing_is_refused(
    tmp_path: Path, cases: str, said: str
) -> None:
    file = tmp_path / "ours.ivpush.yaml"
    file.write_text(cases, "utf-8")
    with pytest.raises(IvpushError) as caught:
        read_case_file(file, file.name)
    assert said in str(caught.value)


MAP = """
id: our-mar
title: Our export
sources: [our interface specification]
shape: event
setting: facility
format: {delimiter: pipe}
times: {forms: ["M/D/YYYY h:mm AM"], timezone: America/Chicago}
columns: {encounter: CSN, order: ORDER, action: ACTION, action_time: TAKEN, drug: MED, route: ROUTE}
values:
  action: {Bag Hung: start, Bag Down: stop}
  route: {PERIPH: IV}
"""
BAG = "CSN|ORDER|ACTION|TAKEN|MED|ROUTE\nE1|o9|Bag Hung|2026-03-02 10:00|ondansetron|PERIPH\n"


def test_a_bag_without_a_readable_time_never_becomes_an_empty_chart(ivpush: Any) -> None:
    Path("map.yaml").write_text(MAP, "utf-8")
    Path("chart.csv").write_text(BAG, "utf-8")
    Path("claim.json").write_text(CLAIM, "utf-8")
    run = ivpush(
        "check", "claim.json", "--chart", "chart.csv", "--map", "map.yaml", "--format", "ndjson"
    )
    result = json.loads(run.out)
    assert run.status == 4
    assert "chart.csv: 1 row = 1 set aside with their encounter" in run.err
    assert "IVP901" not in {each["rule"] for each in result["violations"]}
    assert result["status"] == "needs_chart"
    assert [line["code"] for line in result["corrected"]] == ["96374"]


def example(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return record


def test_a_denied_drip_is_not_told_the_minutes_of_another_drug() -> None:
    """A drip without a stop, billed as an infusion, beside a push of one minute."""
    engine = Engine("medicare", pack=PACK, policies={"missing_stop_time": "deny"})
    work = engine.work(example("missing-stop-time"))
    (finding,) = [each for each in work.result.errors if each.line == 1]
    assert finding.rule == "IVP210"
    assert "minute" not in finding.message.replace("minutes that could be computed", "")
    assert "line 1: 96365 x 1, compared with a2, a1" in render(work, Look())


def test_a_claim_that_no_edit_makes_right_is_withheld() -> None:
    result = ENGINE.check(example("same-drug-repeat"))
    assert result.corrected is None
    assert "IVP809" in (result.withheld or "")
