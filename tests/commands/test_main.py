"""The whole command line: exit statuses of bad usage, what starting up loads, errors of output."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine, __version__
from ivpush.batch.plan import Counts
from ivpush.engine import Worked
from tests.commands.cli import CLEAN, WRONG, environment, write


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
        env=environment(),
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
        env=environment(),
    )
    assert done.stdout.startswith("Encounter E2")
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_other_commands_tell_of_a_full_disk_too() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ivpush", "explain", "IVP104"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment(),
        )
    assert done.returncode == 2
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr


CLOSED = [
    ("check", "f"),
    ("check", "f", "--format", "json"),
    ("check", "f", "--fix"),
    ("check", "f", "--workers", "1"),
    ("convert", "f"),
    ("explain", "IVP101"),
    ("rules", "list"),
    ("drugs", "find", "zofran"),
    ("--version",),
    ("check", "--help"),
]


def closed(
    tmp_path: Path, words: tuple[str, ...], streams: str
) -> subprocess.CompletedProcess[str]:
    """Calls the command without some of its standard streams, as cron may."""
    (tmp_path / "f").write_text(json.dumps(CLEAN) + "\n", "utf-8")
    return subprocess.run(
        f"{shlex.join([sys.executable, '-m', 'ivpush', *words])} {streams}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(XDG_CACHE_HOME=str(tmp_path)),
    )


@pytest.mark.parametrize("words", CLOSED)
def test_results_that_find_no_standard_output_are_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = closed(tmp_path, words, ">&-")
    assert done.returncode == 2
    assert "standard output: cannot be written" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_files_are_written_without_a_standard_stream(tmp_path: Path) -> None:
    done = closed(tmp_path, ("check", "f", "--output", "ndjson:o"), "<&- >&- 2>&-")
    assert done.returncode == 0
    assert json.loads((tmp_path / "o").read_text("utf-8"))["encounter"] == "E1"


def test_a_closed_standard_input_holds_no_record(tmp_path: Path) -> None:
    done = closed(tmp_path, ("check", "-"), "<&-")
    assert done.returncode == 2
    assert "input: holds no record" in done.stderr


def test_counts_never_go_into_the_results(tmp_path: Path) -> None:
    done = closed(tmp_path, ("check", "f", "--format", "ndjson"), "2>&-")
    assert [json.loads(row)["encounter"] for row in done.stdout.splitlines()] == ["E1"]


# Failures of our own: the engine is made to fail on one record, a reader and a command as a whole


SECRET = "SECRET-078-05-1120"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Engine.work

    def fail_on_one(engine: Engine, encounter: Encounter) -> Worked:
        if encounter.id == "E2":
            raise KeyError(SECRET)
        return work(engine, encounter)

    monkeypatch.setattr(Engine, "work", fail_on_one)


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("more", [(), ("--fix",), ("--diff",), ("--format", "ndjson")])
def test_a_failure_inside_sets_one_record_aside(ivpush: Any, more: tuple[str, ...]) -> None:
    name = write("f.ndjson", CLEAN, WRONG, {**CLEAN, "id": "E3"})
    run = ivpush("check", name, "--set-aside", "aside", *more)
    assert run.status == 5
    assert "f.ndjson:2: failed inside ivpush (KeyError)" in run.err
    assert "3 in = 2 checked + 1 set aside" in run.err
    assert "Traceback" not in run.err and SECRET not in run.err + run.out
    (row,) = map(json.loads, Path("aside").read_bytes().splitlines())
    assert row["place"] == "f.ndjson:2" and SECRET not in row["reason"]


@pytest.mark.usefixtures("failing")
def test_a_traceback_is_printed_where_it_is_asked_for(ivpush: Any) -> None:
    run = ivpush("--debug", "check", write("f.ndjson", WRONG))
    assert run.status == 5
    assert "Traceback" in run.err and SECRET in run.err


def test_a_batch_with_a_failure_inside_says_so(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(read=2, checked=1, set_aside=1, internal=1, errors=1)
    monkeypatch.setattr("ivpush.batch.run", lambda *_words, **_options: counts)
    words = ("--output", "ndjson:o", "--workers", "1", "--progress", "none")
    assert ivpush("check", write("f.ndjson", CLEAN), *words).status == 5


def test_a_reader_that_fails_costs_its_file_alone(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: Any, **_options: Any) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr("ivpush.readers.hl7.read", fail)
    Path("a.hl7").write_text("MSH|^~\\&|A|B|C|D|20260302||RAS^O17|1|P|2.5\r", "utf-8")
    run = ivpush("check", "a.hl7", write("f.ndjson", CLEAN), "--setting", "facility")
    assert run.status == 5
    assert "a.hl7: failed inside ivpush (KeyError)" in run.err
    assert "2 in = 1 checked + 1 set aside" in run.err and SECRET not in run.err


def test_a_command_that_fails_says_so(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_words: Any, **_options: Any) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr("ivpush.pack.pack.Pack.load", fail)
    run = ivpush("rules", "list")
    assert run.status == 5
    assert "failed inside ivpush (KeyError)" in run.err
    assert "Traceback" not in run.err and SECRET not in run.err
    assert "Traceback" in ivpush("--debug", "rules", "list").err
