"""``ivpush check --fix``: corrected claims in the format they came in, and what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter
from ivpush.errors import Fault, InputError
from tests.commands.cli import CHART, CLEAN, MENDED, PUSH, X12, fake_x12, module, write


def test_fix_writes_encounters_that_are_clean(ivpush: Any) -> None:
    push = {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push"}
    wrong = {
        **CLEAN,
        "administrations": [push],
        "lines": [{"number": 1, "code": "96375", "units": 2}],
    }
    mended = ivpush("check", write("f", wrong, CLEAN), "--fix").out
    assert len(mended.splitlines()) == 2
    again = ivpush("check", "-", stdin=mended)
    assert again.status == 0
    assert json.loads(mended.splitlines()[0])["lines"][0]["code"] == "96374"


def test_fix_leaves_what_waits_for_an_answer(ivpush: Any) -> None:
    drip = {"id": "a", "drug": "ceftriaxone", "route": "IV", "method": "infusion"}
    open_ = {
        **CLEAN,
        "administrations": [drip],
        "lines": [{"number": 1, "code": "96365", "units": 1}],
    }
    run = ivpush("check", write("f", open_), "--fix")
    assert json.loads(run.out)["lines"][0]["code"] == "96365"
    assert "1 claim withheld" in run.err


def test_fix_says_what_changed_and_invents_no_chart(ivpush: Any) -> None:
    run = ivpush("check", write("f", MENDED, CLEAN), "--fix")
    assert "ivpush: f:1: 1 line changed, 0 removed, 0 new" in run.err
    assert "f:2" not in run.err
    records = [json.loads(text) for text in run.out.splitlines()]
    assert records[0]["administrations"] == [PUSH]
    assert Encounter.model_validate(records[1]) == Encounter.model_validate(CLEAN)


def test_diff_shows_lines_before_and_after(ivpush: Any) -> None:
    run = ivpush("check", write("f", MENDED, CLEAN), "--fix", "--diff")
    assert run.out.splitlines() == [
        "f:1",
        "  -   1  96375        x 2",
        "  +   1  96374        x 1",
    ]
    assert ivpush("check", "f", "--diff").out == run.out


def test_fix_beside_reports(ivpush: Any) -> None:
    run = ivpush("check", write("f", MENDED), "--fix", "--output", "fixed:m", "--output", "json:o")
    assert run.out == ""
    assert json.loads(Path("m").read_bytes())["lines"][0]["code"] == "96374"
    assert json.loads(Path("o").read_bytes())[0]["encounter"] == "E3"


def test_an_837_is_mended_as_an_837(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_x12(monkeypatch)
    Path("c.837").write_bytes(X12 + b"E3\nE4\n")
    write("charts", CHART)
    run = ivpush(
        "check",
        "c.837",
        "--chart",
        "charts",
        "--fix",
        "--output",
        "fixed:m",
        "--output",
        "ndjson:o",
    )
    assert Path("m").read_bytes() == b"ISA*claims\nE3=96374\nE4=as it came\n"
    assert len(Path("o").read_bytes().splitlines()) == 2
    assert "c.837: mended as a stream" in run.err
    assert "c.837: claim 1: 1 line changed" in run.err
    assert "claims: 1 linked + 1 alone" in run.err
    assert run.err.endswith("2 in = 2 checked + 0 set aside; 1 claim withheld\n")


def test_diff_of_an_837_writes_no_837(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_x12(monkeypatch)
    Path("c.837").write_bytes(X12 + b"E3\n")
    run = ivpush("check", "c.837", "--chart", write("h", CHART), "--diff")
    assert run.out.startswith("c.837: claim 1\n") and "ISA" not in run.out


def test_an_837_and_json_do_not_go_into_one_output(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_x12(monkeypatch)
    Path("c.837").write_bytes(X12 + b"E3\n")
    run = ivpush("check", "c.837", write("f", CLEAN), "--fix")
    assert run.status == 2
    assert "f: would put an 837 and JSON into one output" in run.err
    assert run.out.startswith("ISA")


def test_an_837_cut_short_is_not_kept(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ivpush.readers import Record

    def mend(name: str, _stream: Any, out: Any, correct: Any, options: Any) -> Any:
        out.write(b"ISA half")
        record = Record(name, Encounter.model_validate(CLEAN))
        correct(record)
        yield record
        raise KeyboardInterrupt

    module(monkeypatch, "ivpush.readers.x12", read=mend)
    module(monkeypatch, "ivpush.writers.x12", mend=mend)
    Path("c.837").write_bytes(X12)
    run = ivpush("check", "c.837", "--fix", "--output", "fixed:m", "--output", "ndjson:o")
    assert run.status == 130
    assert "the 837 is cut short; do not send it" in run.err
    assert not list(Path().glob("m*"))
    assert json.loads(Path("o.partial").read_bytes())["encounter"] == "E1"
    assert run.err.endswith("1 in = 1 checked + 0 set aside\n")


def test_a_claim_that_does_not_fit_its_chart_stays_as_it_came_in_an_837(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_x12(monkeypatch)
    from ivpush.readers import linking

    def never(*_both: Any) -> Any:
        raise InputError(Fault("lines", "does not fit", ""))

    monkeypatch.setattr(linking, "_merged", never)
    Path("c.837").write_bytes(X12 + b"E3\n")
    run = ivpush("check", "c.837", "--chart", write("h", CHART), "--fix")
    assert run.out == "ISA*claims\nE3=as it came\n"
    assert run.status == 4
    assert run.err.endswith("2 in = 1 checked + 1 set aside\n")


VISIT = {
    **CLEAN,
    "id": "V1",
    "setting": "professional",
    "place_of_service": "11",
    "administrations": [{"id": "a", "drug": "ketorolac", "route": "IM", "method": "injection"}],
    "lines": [
        {"number": 1, "code": "99213", "units": 1},
        {"number": 2, "code": "96372", "units": 1},
    ],
}


def test_fix_names_what_a_person_must_vouch_for_and_leaves_the_claim(ivpush: Any) -> None:
    run = ivpush("check", write("f", VISIT), "--fix")
    assert "line 1: IVP603 visit-without-modifier: needs a person's word" in run.err
    assert "1 claim withheld" in run.err
    assert [line.get("modifiers") for line in json.loads(run.out)["lines"]] == [[], []]


def test_fix_all_applies_it_by_name_before_or_after_the_file(ivpush: Any) -> None:
    for words in (("--fix=all", write("f", VISIT)), (write("f", VISIT), "--fix=all")):
        run = ivpush("check", *words)
        assert "line 1: IVP603 visit-without-modifier: its edit is applied on your word" in run.err
        assert [line["modifiers"] for line in json.loads(run.out)["lines"]] == [["25"], []]
    bare = ivpush("check", "--fix", write("f", VISIT))
    assert "withheld" in bare.err
