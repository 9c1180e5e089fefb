"""``ivpush check``: formats, what makes the status 1, and what text looks like."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ivpush import Encounter, Result
from tests.commands.cli import CANARY, CLEAN, ROOT, WRONG, spawn, write
from tests.shipped import ENGINE


@pytest.mark.parametrize(
    ("records", "status"), [((CLEAN,), 0), ((WRONG,), 1), ((CLEAN, WRONG), 1), ((), 2)]
)
def test_status_of_clean_and_wrong_claims(ivpush: Any, records: Any, status: int) -> None:
    assert ivpush("check", write("f.ndjson", *records)).status == status


def test_several_files_and_standard_input(ivpush: Any) -> None:
    write("a.json", CLEAN)
    run = ivpush("check", "a.json", "-", "--format", "ndjson", stdin=json.dumps(WRONG))
    assert [json.loads(text)["encounter"] for text in run.out.splitlines()] == ["E1", "E2"]
    assert run.err.endswith("\n2 in = 2 checked + 0 set aside\n")


def test_json_out_is_one_array(ivpush: Any) -> None:
    run = ivpush("check", write("f", CLEAN, WRONG), "--format", "json")
    results = [Result.from_json(json.dumps(result)) for result in json.loads(run.out)]
    assert [result.encounter for result in results] == ["E1", "E2"]
    assert json.loads(ivpush("check", write("g"), "--format", "json").out) == []


def test_ndjson_is_the_librarys_own_bytes(ivpush: Any) -> None:

    run = ivpush("check", write("f", WRONG), "--format", "ndjson")
    assert run.out.encode() == ENGINE.check(Encounter.model_validate(WRONG)).to_json() + b"\n"


def test_the_worst_status_wins(ivpush: Any) -> None:
    assert ivpush("check", write("f", WRONG), "nowhere").status == 2
    assert ivpush("check", "-", stdin=json.dumps(WRONG) + "\n{").status == 4


@pytest.mark.parametrize(
    ("words", "status"),
    [(("--fail-on", "never"), 0), (("--exit-zero",), 0), (("--fail-on", "error"), 1)],
)
def test_what_makes_the_status_1(ivpush: Any, words: Any, status: int) -> None:
    assert ivpush("check", write("f", WRONG), *words).status == status


def test_fail_on_warning_and_info(ivpush: Any) -> None:
    push = {"id": "a", "drug": "zzyzx", "route": "IV", "method": "push"}
    warned = {
        **CLEAN,
        "administrations": [push],
        "lines": [{"number": 1, "code": "96374", "units": 1}],
    }
    write("f", warned)
    assert [
        ivpush("check", "f", "--fail-on", level).status for level in ("error", "warning", "info")
    ] == [0, 1, 1]


def test_text_is_ascii_where_the_locale_cannot_do_better(ivpush: Any) -> None:
    run = ivpush("check", str(ROOT / "examples/two-iv-sites.json"), "--ascii")
    assert run.out.isascii()
    assert "\x1b" not in run.out


def test_an_ascii_locale_gets_ascii() -> None:
    example = str(ROOT / "examples/two-iv-sites.json")
    done = spawn("check", example, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 1
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("environment", "words", "colours"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({}, ("--color", "always"), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
    ],
)
def test_colour_only_where_wanted(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch, environment: Any, words: Any, colours: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in ivpush("check", write("f", WRONG), *words).out) is colours


@pytest.mark.parametrize("width", [60, 80, 120])
def test_text_keeps_to_the_width(ivpush: Any, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    run = ivpush("check", str(ROOT / "examples/missing-stop-time.json"), "--explain")
    wrapped = [text for text in run.out.splitlines() if text.startswith("      ")]
    assert wrapped and max(map(len, wrapped)) <= width


def test_free_text_is_shown_only_when_asked(ivpush: Any) -> None:
    push = {"id": "a", "drug": CANARY, "route": "IV", "method": "push", "site": CANARY}
    write("f", {**CLEAN, "administrations": [push], "lines": None})
    assert CANARY not in ivpush("check", "f", "--explain").out
    assert CANARY in ivpush("check", "f", "--show-text").out


def test_control_characters_never_reach_the_terminal(ivpush: Any) -> None:
    evil = {**CLEAN, "id": "E\u009b2J\u202e", "lines": [{"number": 1, "code": "96375", "units": 1}]}
    out = ivpush("check", write("f", evil), "--color", "never").out
    assert all(sign.isprintable() or sign == "\n" for sign in out)


def test_what_is_cited_is_said_once_at_the_end(ivpush: Any, tmp_path: Any) -> None:
    record = (ROOT / "examples/missing-stop-time.json").read_text("utf-8")
    (tmp_path / "two.ndjson").write_text(f"{json.dumps(json.loads(record))}\n" * 2, "utf-8")
    out = ivpush("check", str(tmp_path / "two.ndjson")).out
    pages, _, sources = out.partition("\nSOURCES\n")
    cited = {
        name
        for names in re.findall(r"\[([a-z][a-z0-9, -]+)\]", pages)
        for name in names.split(", ")
    }
    named = re.findall(r"^  ([a-z0-9-]+): ", sources, re.M)
    assert cited and sorted(named) == named
    assert cited <= set(named)
    assert "SOURCES" not in sources


def test_what_was_checked_is_told_where_asked(ivpush: Any) -> None:

    write("f", WRONG)
    run = ivpush("check", "f", "--coverage", "--ignore", "IVP104")
    _, block = run.out.split("\nCHECKED\n")
    assert "line 1 (96375): judged by" in block
    assert "The configuration leaves these rules out: IVP104" in block
    assert "CHECKED" not in ivpush("check", "f").out
    by_json = ivpush("check", "f", "--coverage", "--format", "ndjson")
    assert by_json.out.encode() == ENGINE.check(WRONG, coverage=True).to_json() + b"\n"
    several = ivpush("check", "f", "--coverage", "--format", "ndjson", "--workers", "1")
    assert several.out == by_json.out


@pytest.mark.parametrize("more", [(), ("--workers", "1")])
def test_what_was_checked_is_refused_where_no_format_holds_it(ivpush: Any, more: Any) -> None:
    run = ivpush("check", write("f", WRONG), "--coverage", "--format", "csv", *more)
    assert run.status == 2
    assert "--coverage: is held by no format of this run; write one of: text, json" in run.err
