"""A run of ``check``: several outputs, and ends that nobody wished for."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.commands.cli import CLEAN, WRONG, environment, write


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
    assert [result["encounter"] for result in json.loads(run.out)] == ["E1", "E2"]
    assert len(Path("o.ndjson").read_bytes().splitlines()) == 2
    assert json.loads(Path("o.sarif").read_bytes())["version"] == "2.1.0"
    assert Path("o.xml").read_text("utf-8").startswith("<?xml")
    assert Path("o.csv").read_text("utf-8").startswith("place,")
    assert "Encounter E2" in Path("o.txt").read_text("utf-8")
    assert not list(Path().glob("*.partial"))


def test_output_alone_leaves_standard_output_empty(ivpush: Any) -> None:
    assert ivpush("check", write("f", CLEAN), "--output", "json:o").out == ""
    assert ivpush("check", "f", "--output", "ndjson:-").out.startswith('{"schema"')


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
            env=environment(),
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
        env=environment(),
    )
    assert done.returncode == 2
    assert "ivpush: o: cannot be written: File too large; make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["f"]


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
        env=environment(),
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
        env=environment(PYTHONUNBUFFERED="1"),
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
