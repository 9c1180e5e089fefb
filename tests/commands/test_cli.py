"""The command line: statuses, formats, counts, and no traceback whatever comes in."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ivpush import Encounter, Result, __version__
from ivpush.__main__ import main
from ivpush.commands.options import cache_folder
from ivpush.errors import Fault, InputError

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of the pack for all tests here but those of the cache itself."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def ivpush(
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cache: Path,
) -> Any:
    """Calls the command in this process, in a folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
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
    [
        json.dumps(CLEAN),
        json.dumps([CLEAN]),
        json.dumps(CLEAN, indent=2),
        json.dumps(CLEAN) + "\n",
        "\n\n" + json.dumps(CLEAN),
        "\ufeff" + json.dumps(CLEAN),
        json.dumps(CLEAN).replace(" ", "\r\n"),
    ],
)
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
        ((), 2),
        (("chek",), 2),
        (("check",), 2),
        (("check", "nowhere.json"), 2),
        (("check", "."), 2),
        (("check", "-", "--format", "xml"), 2),
        (("check", "-", "--policy", "long_push"), 2),
        (("check", "-", "--policy", "x=y"), 2),
        (("check", "-", "--payer", "nobody"), 2),
        (("check", "-", "--rules", "nowhere"), 2),
        (("explain", "IVP999"), 2),
        (("rules",), 2),
        (("rules", "show", "x"), 2),
        (("rules", "test", "x"), 2),
    ],
)
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
    assert [
        ivpush("check", "f", "--fail-on", level).status for level in ("error", "warning", "info")
    ] == [0, 1, 1]


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
    assert all(one.isprintable() or one == "\n" for one in out)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("IVP104", "addon-without-primary"),
        ("ivp104", "IVP104"),
        ("addon-without-primary", "IVP104"),
        ("96375", "Primaries"),
        ("96374", "Family"),
        ("CIG001", "saline-for-flush-or-diluent"),
    ],
)
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


def test_the_cache_is_used_unless_refused(
    ivpush: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ivpush("check", write("f", CLEAN), "--no-cache")
    assert not (tmp_path / "cache").exists()
    ivpush("check", write("f", CLEAN))
    assert len(list((tmp_path / "cache/ivpush").iterdir())) == 1


def test_an_empty_folder_of_rules_is_no_other_packs_cache(ivpush: Any) -> None:
    Path("ours").mkdir()
    write("f", CLEAN)
    assert ivpush("check", "f").status == 0
    assert ivpush("check", "f", "--rules", "ours").status == 0
    assert ivpush("check", "f", "--rules", "ours").status == 0


def test_where_the_cache_stands() -> None:
    assert cache_folder({}) is None
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/ivpush")
    assert cache_folder({"HOME": "/h", "XDG_CACHE_HOME": "/x"}) == Path("/x/ivpush")


# --- in a process of its own


def spawn(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "ivpush", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        **more,
    )


def test_version_loads_neither_pydantic_nor_the_pack() -> None:
    text = (
        "import sys; from ivpush.__main__ import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic', 'yaml', 'dateutil', 'ivpush.pack'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stdout == f"ivpush {__version__}\n[]\n"


def test_a_closed_pipe_is_quiet() -> None:
    feed = (json.dumps(WRONG) + "\n") * 500
    command = f"{sys.executable} -m ivpush check - | head -n 1"
    done = subprocess.run(
        command,
        shell=True,
        input=feed,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stdout.startswith("Encounter E2")
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_an_ascii_locale_gets_ascii() -> None:
    example = str(ROOT / "examples/two-iv-sites.json")
    done = spawn("check", example, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 1
    assert done.stdout.isascii()


# --- several outputs, files that appear whole


PUSH = {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push"}
MENDED = {
    **CLEAN,
    "id": "E3",
    "administrations": [PUSH],
    "lines": [{"number": 1, "code": "96375", "units": 2}],
}


def test_several_outputs_at_once(ivpush: Any) -> None:
    write("f", CLEAN, WRONG)
    run = ivpush(
        "check",
        "f",
        "--output",
        "ndjson:o.ndjson",
        "--output",
        "sarif:o.sarif",
        "--output",
        "junit:o.xml",
        "--output",
        "csv:o.csv",
        "--output",
        "text:o.txt",
        "--format",
        "json",
    )
    assert run.status == 1
    assert [one["encounter"] for one in json.loads(run.out)] == ["E1", "E2"]
    assert len(Path("o.ndjson").read_bytes().splitlines()) == 2
    assert json.loads(Path("o.sarif").read_bytes())["version"] == "2.1.0"
    assert Path("o.xml").read_text("utf-8").startswith("<?xml")
    assert Path("o.csv").read_text("utf-8").startswith("place,")
    assert "Encounter E2" in Path("o.txt").read_text("utf-8")
    assert not list(Path().glob("*.partial"))


def test_output_alone_leaves_standard_output_empty(ivpush: Any) -> None:
    assert ivpush("check", write("f", CLEAN), "--output", "json:o").out == ""
    assert ivpush("check", "f", "--output", "ndjson:-").out.startswith('{"encounter"')


def test_an_output_replaces_an_older_one(ivpush: Any) -> None:
    Path("o").write_text("old", "utf-8")
    Path("o.partial").write_text("older", "utf-8")
    ivpush("check", write("f", CLEAN), "--output", "json:o")
    assert json.loads(Path("o").read_bytes())[0]["encounter"] == "E1"
    assert not Path("o.partial").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("json",), "names no format or no file"),
        (("json:",), "names no format or no file"),
        (("jsn:o",), "did you mean 'json'"),
        (("fixed:o",), "names no format"),
        (("json:folder",), "is a folder"),
        (("json:no/such/o",), "a folder that does not exist"),
        (("json:f",), "is an input of this run"),
        (("json:./f",), "is an input of this run"),
        (("json:hard",), "is an input of this run"),
        (("json:link",), "is a symbolic link"),
        (("json:dangling",), "is a symbolic link"),
        (("json:pipe",), "is no ordinary file"),
        (("json:/dev/null",), "is no ordinary file"),
        (("json:o", "csv:o"), "is written twice"),
        (("json:o", "csv:folder/../o"), "is written twice"),
        (("json:-", "csv:-"), "standard output has one document already"),
        (("json:taken",), "is a symbolic link"),
        (("parquet:o", "fhir:p", "json:o"), ""),
    ],
)
def test_outputs_that_must_not_be_written(ivpush: Any, words: Any, says: str) -> None:
    write("f", CLEAN)
    before = Path("f").read_bytes()
    Path("folder").mkdir()
    Path("link").symlink_to("f")
    Path("dangling").symlink_to("nowhere")
    Path("taken.partial").symlink_to("f")
    Path("hard").hardlink_to("f")
    os.mkfifo("pipe")
    outputs = [text for one in words for text in ("--output", one)]
    run = ivpush("check", "f", *outputs)
    assert run.status == 2
    assert says in run.err and "Traceback" not in run.err
    assert run.out == ""
    assert Path("f").read_bytes() == before
    assert not Path("o").exists() and not Path("nowhere").exists()


def test_a_file_that_fails_half_way_is_taken_away(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("f", CLEAN, WRONG)

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    run = ivpush("check", "f", "--output", "json:o", "--output", "csv:p")
    assert run.status == 2
    assert "ivpush: o: cannot be written: No space left on device" in run.err
    assert not list(Path().glob("[op]*"))


def test_set_aside_rows_name_place_and_reason(ivpush: Any) -> None:
    Path("f").write_text(json.dumps(CLEAN) + f'\n{{"id": "{CANARY}", "setting": 7}}\n', "utf-8")
    run = ivpush("check", "f", "--set-aside", "aside")
    assert run.status == 4
    (row,) = map(json.loads, Path("aside").read_text("utf-8").splitlines())
    assert row.keys() == {"place", "reason"}
    assert row["place"] == "f:2" and "setting" in row["reason"]
    assert CANARY not in run.err + Path("aside").read_text("utf-8")
    ivpush("check", "f", "--set-aside", "aside", "--show-text")
    (row,) = map(json.loads, Path("aside").read_text("utf-8").splitlines())
    assert CANARY in row["raw"]


def test_set_aside_keeps_bytes_that_are_no_text(ivpush: Any) -> None:
    Path("f").write_bytes(json.dumps(CLEAN).encode() + b"\n\xff\xfe\n")
    ivpush("check", "f", "--set-aside", "-", "--output", "json:o", "--show-text")
    run = ivpush("check", "f", "--set-aside", "-", "--output", "json:o", "--show-text")
    assert json.loads(run.out)["raw_base64"]


# --- reading


def test_unknown_content_is_refused_by_name_and_the_rest_is_read(ivpush: Any) -> None:
    Path("junk").write_bytes(b"\x00\x01 " + CANARY.encode())
    run = ivpush("check", "junk", write("f", CLEAN), "--format", "ndjson")
    assert run.status == 2
    assert "ivpush: junk: is in no known format" in run.err and "x12" in run.err
    assert CANARY not in run.err
    assert json.loads(run.out)["encounter"] == "E1"


def test_what_the_command_line_knows_stands_in(ivpush: Any) -> None:
    record = {"id": "E", "date": "2026-03-02", "administrations": [], "lines": []}
    assert ivpush("check", write("f", record)).status == 4
    assert ivpush("check", "f", "--setting", "facility").status == 0
    run = ivpush("convert", "f", "--setting", "facility", "--timezone", "America/Chicago")
    assert json.loads(run.out)["timezone"] == "America/Chicago"


def test_from_takes_every_format_that_is_detected() -> None:
    """The command line names them itself, so that ``--version`` need not load the readers."""
    from ivpush.commands import inputs
    from ivpush.readers.detect import FORMATS

    assert tuple(one.name for one in FORMATS) == inputs.INPUT_FORMATS


def test_standard_input_twice_is_refused(ivpush: Any) -> None:
    run = ivpush("check", "-", "--chart", "-", stdin="")
    assert run.status == 2 and "read twice" in run.err


def test_charts_are_linked_to_claims(ivpush: Any) -> None:
    claim = {key: MENDED[key] for key in ("id", "setting", "date", "lines")}
    chart = {key: MENDED[key] for key in ("id", "setting", "date", "administrations")}
    write("claims", claim)
    write("charts", chart, {**chart, "id": "other", "date": "2026-04-01"})
    run = ivpush("check", "claims", "--chart", "charts", "--format", "ndjson")
    first, second = map(json.loads, run.out.splitlines())
    assert [one["code"] for one in first["suggested"]] == ["96374"]
    assert first["corrected"][0]["code"] == "96374"
    assert second["encounter"] == "other"
    assert "claims: 1 linked + 0 alone" in run.err
    assert "charts: 1 linked + 1 alone" in run.err
    assert "charts:2: no claim was found for this chart" in run.err
    mended = ivpush("check", "claims", "--chart", "charts", "--fix")
    assert json.loads(mended.out.splitlines()[0])["lines"][0]["code"] == "96374"


# --- mending


def test_fix_says_what_changed_and_invents_no_chart(ivpush: Any) -> None:
    run = ivpush("check", write("f", MENDED, CLEAN), "--fix")
    assert "ivpush: f:1: 1 line(s) changed, 0 removed, 0 new" in run.err
    assert "f:2" not in run.err
    made = [json.loads(text) for text in run.out.splitlines()]
    assert made[0]["administrations"] == [PUSH]
    assert Encounter.model_validate(made[1]) == Encounter.model_validate(CLEAN)


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


X12 = b"ISA*claims\n"


def fake_x12(monkeypatch: pytest.MonkeyPatch) -> None:
    """An 837 of one word a claim: its reader, and its writer that keeps all but the lines."""
    from ivpush.readers import Note, Record

    def records(name: str, raw: bytes) -> Any:
        for number, word in enumerate(raw.split()[1:], 1):
            made = {
                **CLEAN,
                "administrations": None,
                "id": word.decode(),
                "lines": [{"number": 1, "code": "96375", "units": 2}],
            }
            yield Record(f"{name}: claim {number}", Encounter.model_validate(made))

    def read(name: str, stream: Any, _options: Any) -> Any:
        yield from records(name, stream.read())

    def mend(name: str, stream: Any, out: Any, correct: Any, options: Any) -> Any:
        raw = stream.read()
        out.write(raw.split()[0] + b"\n")
        yield Note(name, "mended as a stream")
        for one in records(name, raw):
            lines = correct(one)
            shown = ",".join(line.code for line in lines) if lines is not None else "as it came"
            out.write(f"{one.encounter.id}={shown}\n".encode())
            yield one

    reader, writer = types.ModuleType("ivpush.readers.x12"), types.ModuleType("ivpush.writers.x12")
    reader.read = read  # type: ignore[attr-defined]
    writer.mend = mend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ivpush.readers.x12", reader)
    monkeypatch.setitem(sys.modules, "ivpush.writers.x12", writer)


def test_an_837_is_mended_as_an_837(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_x12(monkeypatch)
    Path("c.837").write_bytes(X12 + b"E3\nE4\n")
    chart = {key: MENDED[key] for key in ("id", "setting", "date", "administrations")}
    write("charts", chart)
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
    assert "c.837: claim 1: 1 line(s) changed" in run.err
    assert "claims: 1 linked + 1 alone" in run.err
    assert run.err.endswith("2 in = 2 checked + 0 set aside\n")


def test_diff_of_an_837_writes_no_837(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_x12(monkeypatch)
    Path("c.837").write_bytes(X12 + b"E3\n")
    chart = {key: MENDED[key] for key in ("id", "setting", "date", "administrations")}
    run = ivpush("check", "c.837", "--chart", write("h", chart), "--diff")
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


# --- configuration


def test_the_configuration_is_obeyed_and_can_be_left_out(ivpush: Any) -> None:
    Path("ivpush.toml").write_text('ignore = [{rule = "IVP1", reason = "r"}]\n', "utf-8")
    write("f", WRONG)
    with_, without = ivpush("check", "f"), ivpush("check", "f", "--no-config")
    assert "IVP104" not in with_.out and "finding(s) ignored" in with_.err
    assert "IVP104" in without.out and "ignored" not in without.err
    Path("other.toml").write_text("", "utf-8")
    assert "IVP104" in ivpush("check", "f", "--config", "other.toml").out


def test_the_command_line_wins_over_the_configuration(ivpush: Any) -> None:
    Path("ivpush.toml").write_text(
        'payer = "medicare"\nselect = ["IVP9"]\n[policies]\nmissing_stop_time = "deny"\n', "utf-8"
    )
    write("f", WRONG)
    data = json.loads(ivpush("check", "f", "--format", "ndjson").out)
    assert data["pack"]["payer"] == "medicare"
    assert all(one["rule"].startswith("IVP9") for one in data["violations"])
    run = ivpush("check", "f", "--format", "ndjson", "--select", "IVP1,IVP2")
    assert {one["rule"][:4] for one in json.loads(run.out)["violations"]} == {"IVP1"}
    assert ivpush("check", "f", "--policy", "missing_stop_time=nonsense").status == 2


def test_ignoring_every_error_makes_the_status_0(ivpush: Any) -> None:
    write("f", WRONG)
    found = json.loads(ivpush("check", "f", "--format", "ndjson").out)["violations"]
    errors = {one["rule"] for one in found if one["severity"] == "error"}
    run = ivpush("check", "f", "--ignore", ",".join(errors), "--format", "ndjson")
    assert run.status == 0
    assert json.loads(run.out)["status"] != "violations"
    assert "finding(s) ignored" in run.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('payr = "x"', "did you mean 'payer'"),
        ('ignore = ["IVP104"]', "gives no reason"),
        ('payer = "nobody"', "has no overlay"),
        ('select = ["IVP999"]', "is no rule"),
        ('packs = ["nowhere"]', "nowhere"),
        ('policies = {a = "b"}', ""),
    ],
)
def test_a_faulty_configuration_is_2(ivpush: Any, text: str, says: str) -> None:
    Path("ivpush.toml").write_text(text + "\n", "utf-8")
    run = ivpush("check", write("f", WRONG))
    assert run.status == 2
    assert says in run.err and "Traceback" not in run.err


def test_an_ignore_that_has_ended_is_named_and_holds_no_more(ivpush: Any) -> None:
    Path("ivpush.toml").write_text(
        'ignore = [{rule = "IVP104", reason = "r", until = "2020-01-01"}]\n', "utf-8"
    )
    run = ivpush("check", write("f", WRONG))
    assert "ivpush.toml: ignore[1]: ended on 2020-01-01" in run.err
    assert "IVP104" in run.out


# --- convert


def test_convert_shows_what_was_understood(ivpush: Any) -> None:
    run = ivpush("convert", write("f", MENDED, {"id": 7}))
    expected = Encounter.model_validate(MENDED)
    assert Encounter.model_validate_json(run.out) == expected
    assert run.status == 4
    assert "f:2" in run.err and run.err.endswith("2 in = 1 written + 1 set aside\n")
    ivpush("convert", "f", "--output", "o", "--set-aside", "aside")
    assert Encounter.model_validate_json(Path("o").read_bytes()) == expected
    assert json.loads(Path("aside").read_bytes())["place"] == "f:2"
    again = ivpush("convert", "o")
    assert Encounter.model_validate_json(again.out) == expected


def module(monkeypatch: pytest.MonkeyPatch, name: str, **names: Any) -> None:
    """A module of ours with these names in it."""
    made = types.ModuleType(name)
    vars(made).update(names)
    monkeypatch.setitem(sys.modules, name, made)


def test_convert_to_an_837_sets_aside_what_it_cannot_hold(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(encounter: Encounter) -> tuple[Fault, ...]:
        return () if encounter.lines else (Fault("lines", "the claim has no line", "write one"),)

    def claims(encounters: Any) -> Any:
        yield b"ISA\n"
        for one in encounters:
            yield one.id.encode() + b"\n"

    module(monkeypatch, "ivpush.writers.x12", unfit=unfit, encounter_to_837=claims)
    run = ivpush("convert", write("f", MENDED, CLEAN), "--format", "x12", "--set-aside", "aside")
    assert run.out == "ISA\nE3\n"
    assert run.status == 4
    assert "f:2: lines: the claim has no line" in run.err
    assert run.err.endswith("2 in = 1 written + 1 set aside\n")
    assert json.loads(Path("aside").read_bytes())["place"] == "f:2"


def test_convert_to_fhir_writes_a_bundle_a_line(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bundle(encounter: Encounter) -> Any:
        if encounter.id == "E1":
            raise InputError(Fault("timezone", "is not stated", "state it"))
        return {"resourceType": "Bundle", "id": encounter.id}

    module(monkeypatch, "ivpush.writers.fhir", encounter_to_bundle=bundle)
    run = ivpush("convert", write("f", MENDED, CLEAN), "--format", "fhir")
    assert json.loads(run.out) == {"resourceType": "Bundle", "id": "E3"}
    assert run.err.endswith("2 in = 1 written + 1 set aside\n")


@pytest.mark.parametrize("format_", ["x12", "fhir"])
def test_a_format_without_its_writer_is_2(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setitem(sys.modules, f"ivpush.writers.{format_}", None)
    run = ivpush("convert", write("f", CLEAN), "--format", format_, "--output", "o")
    assert run.status == 2
    assert f"format {format_}: is not in this installation" in run.err
    assert not list(Path().glob("o*"))


def test_files_whose_records_are_spread_are_read_together(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivpush.readers import Record

    def read_together(inputs: Any, _options: Any) -> Any:
        names = ", ".join(name for name, _ in inputs)
        texts = b"".join(stream.read() for _, stream in inputs)
        assert texts.count(b"resourceType") == len(inputs)
        yield Record(names, Encounter.model_validate(CLEAN))

    def read(name: str, stream: Any, options: Any) -> Any:
        yield from read_together([(name, stream)], options)

    module(monkeypatch, "ivpush.readers.fhir", read=read, read_together=read_together)
    for name in ("a", "b"):
        Path(name).write_text('{"resourceType": "Encounter"}', "utf-8")
    run = ivpush("check", "a", write("f", WRONG), "b", "--output", "csv:-")
    assert run.err.endswith("2 in = 2 checked + 0 set aside\n")
    assert '"a, b",E1,encounter' in run.out
    run = ivpush("check", "a", "--output", "csv:-")
    assert "\na,E1,encounter" in run.out.replace("\r", "")


def test_tables_are_joined_unless_a_map_makes_each_whole(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivpush.readers import Record

    def read(name: str, _stream: Any, _options: Any) -> Any:
        yield Record(name, Encounter.model_validate(CLEAN))

    def read_joined(streams: Any, _options: Any) -> Any:
        yield Record("+".join(streams), Encounter.model_validate(CLEAN))

    module(monkeypatch, "ivpush.readers.tables.reader", read=read, read_joined=read_joined)
    module(
        monkeypatch,
        "ivpush.readers.tables.maps",
        load_map=lambda _named: types.SimpleNamespace(table="lines"),
    )
    Path("lines.csv").write_text("encounter,code", "utf-8")
    Path("given.parquet").write_bytes(b"PAR1")
    run = ivpush("check", "lines.csv", "given.parquet", "--output", "csv:-")
    assert "lines.csv+given.parquet,E1,encounter" in run.out
    run = ivpush("check", "lines.csv", "given.parquet", "--map", "m", "--output", "csv:-")
    assert "\nlines.csv,E1,encounter" in run.out and "\ngiven.parquet,E1,encounter" in run.out


def test_an_837_cut_short_is_not_kept(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ivpush.readers import Record

    def mend(name: str, _stream: Any, out: Any, correct: Any, options: Any) -> Any:
        out.write(b"ISA half")
        one = Record(name, Encounter.model_validate(CLEAN))
        correct(one)
        yield one
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
    chart = {key: MENDED[key] for key in ("id", "setting", "date", "administrations")}
    run = ivpush("check", "c.837", "--chart", write("h", chart), "--fix")
    assert run.out == "ISA*claims\nE3=as it came\n"
    assert run.status == 4
    assert run.err.endswith("2 in = 1 checked + 1 set aside\n")


def test_convert_refuses_its_own_input(ivpush: Any) -> None:
    assert ivpush("convert", write("f", CLEAN), "--output", "f").status == 2
    assert json.loads(Path("f").read_bytes()) == CLEAN


# --- ends that nobody wished for


@pytest.mark.parametrize("format_", ["text", "json", "ndjson", "csv", "sarif", "junit"])
def test_a_full_disk_is_told(format_: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(json.dumps(WRONG) + "\n", "utf-8")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ivpush", "check", "f", "--format", format_],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
    assert done.returncode == 2
    assert "standard output: cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize("format_", ["json", "sarif", "junit", "csv", "fixed"])
def test_a_file_that_finds_no_room_is_told_and_taken_away(format_: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text((json.dumps(WRONG) + "\n") * 60, "utf-8")
    fix = ["--fix"] if format_ == "fixed" else []
    text = (
        "import resource, sys; from ivpush.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, "check", "f", "--no-cache", *fix, "--output", f"{format_}:o"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 2
    assert "ivpush: o: cannot be written: File too large; make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["f"]


def test_other_commands_tell_of_a_full_disk_too() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ivpush", "explain", "IVP104"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
    assert done.returncode == 2
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_a_closed_pipe_leaves_the_files_whole(tmp_path: Path) -> None:
    feed = (json.dumps(WRONG) + "\n") * 300
    command = f"{sys.executable} -m ivpush check - --format text --output json:o | head -n 1"
    subprocess.run(
        command,
        shell=True,
        input=feed,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert len(json.loads((tmp_path / "o").read_bytes())) == 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("format_", ["json", "sarif", "junit", "ndjson"])
def test_an_interruption_leaves_a_whole_document(
    format_: str, number: signal.Signals, tmp_path: Path
) -> None:
    words = [
        sys.executable,
        "-m",
        "ivpush",
        "check",
        "-",
        "--output",
        f"{format_}:o",
        "--output",
        "ndjson:-",
    ]
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdin is not None and process.stdout is not None
    feed = (json.dumps(WRONG) + "\n").encode() * 40
    while True:  # until results come out; then it waits for more input, and is interrupted
        process.stdin.write(feed)
        process.stdin.flush()
        if select.select([process.stdout], [], [], 0.2)[0]:
            break
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert b"interrupted; what was written (in o.partial) is whole" in err
    assert not (tmp_path / "o").exists()
    raw = (tmp_path / "o.partial").read_bytes()
    if format_ == "junit":
        ElementTree.fromstring(raw)
    elif format_ == "ndjson":
        assert [json.loads(text) for text in raw.splitlines()]
    else:
        json.loads(raw)
    for text in out.splitlines():
        json.loads(text)
