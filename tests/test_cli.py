"""The command line: statuses, formats, counts, and no traceback whatever comes in."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Result, __version__
from ivpush.cli import main
from ivpush.commands.common import cache_folder

ROOT = Path(__file__).resolve().parents[1]
CLEAN = {
    "id": "E1",
    "setting": "facility",
    "date": "2026-03-02",
    "administrations": [],
    "lines": [],
}
WRONG = {**CLEAN, "id": "E2", "lines": [{"number": 1, "code": "96375", "units": 1}]}
CANARY = "Jane-Doe-078-05-1120"


class Run:
    """What one call of the command said."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def ivpush(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Calls the command in this process, with a cache and a folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str, stdin: str | bytes | None = None) -> Run:
        if stdin is not None:
            raw = stdin if isinstance(stdin, bytes) else stdin.encode()
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        try:
            status = main(words)
        except SystemExit as stop:
            status = int(stop.code or 0)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Run(status, out.decode(), err.decode())

    return run


def write(name: str, *records: Any) -> str:
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    return name


@pytest.mark.parametrize(
    ("records", "status"), [((CLEAN,), 0), ((WRONG,), 1), ((CLEAN, WRONG), 1), ((), 0)]
)
def test_status_of_clean_and_wrong_claims(ivpush: Any, records: Any, status: int) -> None:
    assert ivpush("check", write("f.ndjson", *records)).status == status


def test_several_files_and_standard_input(ivpush: Any) -> None:
    write("a.json", CLEAN)
    run = ivpush("check", "a.json", "-", "--format", "ndjson", stdin=json.dumps(WRONG))
    assert [json.loads(text)["encounter"] for text in run.out.splitlines()] == ["E1", "E2"]
    assert run.err == "2 in = 2 checked + 0 set aside\n"


@pytest.mark.parametrize(
    "text",
    [json.dumps(CLEAN), json.dumps([CLEAN]), json.dumps(CLEAN, indent=2), json.dumps(CLEAN) + "\n",
     "\n\n" + json.dumps(CLEAN), "\ufeff" + json.dumps(CLEAN), json.dumps(CLEAN).replace(" ", "\r\n")],
)  # fmt: skip
def test_json_in_every_form(ivpush: Any, text: str) -> None:
    run = ivpush("check", "-", "--format", "ndjson", stdin=text)
    assert (run.status, json.loads(run.out)["encounter"]) == (0, "E1")


def test_json_out_is_one_array(ivpush: Any) -> None:
    run = ivpush("check", write("f", CLEAN, WRONG), "--format", "json")
    results = [Result.from_json(json.dumps(one)) for one in json.loads(run.out)]
    assert [one.encounter for one in results] == ["E1", "E2"]
    assert json.loads(ivpush("check", write("g"), "--format", "json").out) == []


def test_ndjson_is_the_librarys_own_bytes(ivpush: Any) -> None:
    from ivpush import Engine

    run = ivpush("check", write("f", WRONG), "--format", "ndjson")
    assert run.out.encode() == Engine().check(Encounter.model_validate(WRONG)).to_json() + b"\n"


BAD = {
    "not json": "{",
    "a word": "hello",
    "nan": '{"id": NaN}',
    "duplicate key": '{"id": "a", "id": "b", "setting": "facility"}',
    "deep": "[" * 5_000,
    "big number": '{"id": "a", "setting": "facility", "charge": ' + "9" * 5_000 + "}",
    "surrogate": '{"id": "\\ud800", "setting": "facility"}',
    "no utf-8": b'{"id": "\xff"}',
    "wrong type": '{"id": 1, "setting": "facility"}',
    "null": "null",
    "number": "17",
    "nul": "\x00",
    "unknown field": f'{{"id": "a", "setting": "facility", "{CANARY}": 1}}',
    "value": f'{{"id": "a", "setting": "facility", "date": "{CANARY}"}}',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_record_is_set_aside_with_its_place(ivpush: Any, text: str | bytes) -> None:
    run = ivpush("check", "-", "--from", "json", stdin=text)
    assert run.status == 4
    assert run.err.startswith("ivpush: -")
    assert run.err.endswith("1 in = 0 checked + 1 set aside\n")
    assert CANARY not in run.err + run.out
    assert "Traceback" not in run.err


def test_bad_records_do_not_stop_good_ones(ivpush: Any) -> None:
    lines = [json.dumps(CLEAN), "{", json.dumps({**CLEAN, "id": 7}), json.dumps(WRONG)]
    run = ivpush("check", "-", "--format", "ndjson", stdin="\n".join(lines))
    assert [json.loads(text)["encounter"] for text in run.out.splitlines()] == ["E1", "E2"]
    assert run.err.endswith("4 in = 2 checked + 2 set aside\n")
    assert "-:2:" in run.err and "-:3:" in run.err
    assert run.status == 4


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 2), (("chek",), 2), (("check",), 2), (("check", "nowhere.json"), 2),
        (("check", "."), 2), (("check", "-", "--format", "xml"), 2),
        (("check", "-", "--policy", "long_push"), 2), (("check", "-", "--policy", "x=y"), 2),
        (("check", "-", "--payer", "nobody"), 2), (("check", "-", "--rules", "nowhere"), 2),
        (("explain", "IVP999"), 2), (("rules",), 2), (("rules", "show", "x"), 2),
        (("rules", "test", "x"), 2),
    ],
)  # fmt: skip
def test_bad_usage_is_2_without_a_traceback(ivpush: Any, words: Any, status: int) -> None:
    run = ivpush(*words, stdin=json.dumps(CLEAN))
    assert run.status == status
    assert run.err and "Traceback" not in run.err


def test_an_unfit_pack_is_3_with_places(ivpush: Any) -> None:
    folder = Path("ours/checks/record")
    folder.mkdir(parents=True)
    (folder / "IVP790-x.yaml").write_text("id: IVP790\nid: IVP791\n", "utf-8")
    run = ivpush("check", "-", "--rules", "ours", stdin=json.dumps(CLEAN))
    assert run.status == 3
    assert "checks/record/IVP790-x.yaml:2:1: repeats the key" in run.err


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
    assert [ivpush("check", "f", "--fail-on", level).status for level in (
        "error", "warning", "info")] == [0, 1, 1]  # fmt: skip


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
    assert "1 claim(s) wait for an answer" in run.err


def test_text_is_ascii_where_the_locale_cannot_do_better(ivpush: Any) -> None:
    run = ivpush("check", str(ROOT / "examples/two-iv-sites.json"), "--ascii")
    assert run.out.isascii()
    assert "\x1b" not in run.out


@pytest.mark.parametrize(
    ("environment", "words", "colours"),
    [({}, (), False), ({"FORCE_COLOR": "1"}, (), True), ({}, ("--color", "always"), True),
     ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
     ({"FORCE_COLOR": "1"}, ("--color", "never"), False)],
)  # fmt: skip
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
    assert all(one.isprintable() or one == "\n" for one in out)


@pytest.mark.parametrize(
    ("what", "says"),
    [("IVP104", "addon-without-primary"), ("ivp104", "IVP104"), ("addon-without-primary", "IVP104"),
     ("96375", "Primaries"), ("96374", "Family")],
)  # fmt: skip
def test_explain_a_rule_or_a_code(ivpush: Any, what: str, says: str) -> None:
    run = ivpush("explain", what)
    assert run.status == 0
    assert says in run.out


def test_explain_a_file_tells_why(ivpush: Any) -> None:
    run = ivpush("explain", str(ROOT / "examples/same-drug-repeat.json"))
    assert run.status == 0
    assert "same_drug_push_gap_minutes" in run.out


def test_rules_list_show_test_lint_docs(ivpush: Any) -> None:
    listed = ivpush("rules", "list")
    assert "IVP101" in listed.out
    rows = json.loads(ivpush("rules", "list", "--format", "json").out)
    assert len(rows) == len(listed.out.splitlines())
    assert "## Cases" in ivpush("rules", "show", "IVP101").out
    assert "0 fail" in ivpush("rules", "test", "IVP101").out
    assert "no fault" in ivpush("rules", "lint").out
    ivpush("rules", "docs", "docs")
    assert Path("docs/rules/roles.md").is_file()


def test_a_failing_case_makes_rules_test_fail(ivpush: Any) -> None:
    folder = Path("ours/checks/roles")
    folder.mkdir(parents=True)
    source = ROOT / "rules/checks/roles/IVP104-addon-without-primary.yaml"
    text = source.read_text("utf-8").replace("IVP104", "IVP190")
    text = text.replace("addon-without-primary", "other-rule").replace(
        'lines: ["96375"]', 'lines: ["96374"]'
    )
    (folder / "IVP190-other-rule.yaml").write_text(text, "utf-8")
    run = ivpush("rules", "test", "IVP190", "--rules", "ours")
    assert run.status == 1
    assert "did not fire on line 1" in run.out


def test_the_cache_is_used_unless_refused(ivpush: Any, tmp_path: Path) -> None:
    ivpush("check", write("f", CLEAN), "--no-cache")
    assert not (tmp_path / "cache").exists()
    ivpush("check", write("f", CLEAN))
    assert len(list((tmp_path / "cache/ivpush").iterdir())) == 1


def test_where_the_cache_stands() -> None:
    assert cache_folder({}) is None
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/ivpush")
    assert cache_folder({"HOME": "/h", "XDG_CACHE_HOME": "/x"}) == Path("/x/ivpush")


# --- in a process of its own


def spawn(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "ivpush", *words], capture_output=True, text=True, check=False,
        env=environment, **more,
    )  # fmt: skip


def test_version_loads_neither_pydantic_nor_the_pack() -> None:
    text = (
        "import sys; from ivpush.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic', 'yaml', 'dateutil', 'ivpush.pack'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "src")})  # fmt: skip
    assert done.stdout == f"ivpush {__version__}\n[]\n"


def test_a_closed_pipe_is_quiet() -> None:
    feed = (json.dumps(WRONG) + "\n") * 500
    command = f"{sys.executable} -m ivpush check - | head -n 1"
    done = subprocess.run(command, shell=True, input=feed, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "src")})  # fmt: skip
    assert done.stdout.startswith("Encounter E2")
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_an_ascii_locale_gets_ascii() -> None:
    example = str(ROOT / "examples/two-iv-sites.json")
    done = spawn("check", example, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 1
    assert done.stdout.isascii()
