"""Where a run writes: files that appear whole, and files that must not be written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ivpush.commands.outputs import Out
from tests.commands.cli import CLEAN, write


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
    outputs = [text for target in words for text in ("--output", target)]
    run = ivpush("check", "f", *outputs)
    assert run.status == 2
    assert says in run.err and "Traceback" not in run.err
    assert run.out == ""
    assert Path("f").read_bytes() == before
    assert not Path("o").exists() and not Path("nowhere").exists()


@pytest.mark.parametrize(
    "words",
    [("check", "--output", "ndjson:o"), ("convert", "--output", "o")],
    ids=lambda one: one[0],
)
def test_a_file_that_another_run_writes_is_refused_and_left(
    ivpush: Any, words: tuple[str, ...]
) -> None:
    write("a.ndjson", CLEAN)
    other = Out("o")
    other.stream.write(b"of the other run")
    run = ivpush(words[0], "a.ndjson", *words[1:])
    assert run.status == 2
    assert "o: is being written by another run; wait for it, or name another file" in run.err
    other.finish()
    assert Path("o").read_bytes() == b"of the other run"
    assert ivpush(words[0], "a.ndjson", *words[1:]).status == 0
