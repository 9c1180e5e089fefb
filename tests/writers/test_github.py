"""Annotations of GitHub Actions: one command a line, and no text can forge another."""

from __future__ import annotations

import io
import re

import pytest

from ivpush import Encounter
from ivpush.writers import WriteOptions
from ivpush.writers.github import Writer
from tests.writers.works import ALL, HOSTILE, NOTHING, WRONG, engine, hostile, written

COMMAND = re.compile(r"::(error|warning|notice) file=([^,:]*),(?:line=(\d+),)?title=([^,:]*)::(.*)")


def test_one_annotation_a_violation() -> None:
    found = engine().check(Encounter.model_validate(ALL)).violations
    made = [COMMAND.fullmatch(one) for one in written(Writer, NOTHING, ALL).decode().splitlines()]
    assert len(made) == len(found)
    for match, one in zip(made, found, strict=True):
        assert match is not None
        level = {"error": "error", "warning": "warning", "info": "notice"}[one.severity]
        assert match[1] == level
        assert match[3] == "2"
        assert match[4] == f"{one.rule} {one.name}"
        assert match[5].startswith("all")
        assert one.message.replace("%", "%25") in match[5]


def test_nothing_found_writes_nothing() -> None:
    assert written(Writer, NOTHING) == b""


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_forges_a_command(text: str) -> None:
    count = len(written(Writer, {**hostile("plain")}).splitlines())
    raw = written(Writer, hostile(text), place=f"a{text}").decode()
    lines = raw.split("\n")[:-1]
    assert len(lines) == count
    for one in lines:
        assert one.isprintable()
        assert COMMAND.fullmatch(one)
        # A runner undoes %25, %0A and %0D: nothing of ours may turn into a line end.
        assert "%0A" not in one.replace("%25", "") and "%0D" not in one.replace("%25", "")


def test_a_colon_or_comma_in_a_file_name_ends_nothing() -> None:
    raw = written(Writer, WRONG, place="a,title=x::y").decode()
    match = COMMAND.fullmatch(raw.splitlines()[0])
    assert match is not None
    assert match[2] == "a%2Ctitle=x%3A%3Ay"


def test_a_place_without_lines_keeps_the_readers_words() -> None:
    out = io.BytesIO()
    writer = Writer(out, WriteOptions(engine().pack))
    writer.write(engine().work(Encounter.model_validate(WRONG)), "a.837: interchange 1, claim 2")
    first = out.getvalue().decode().splitlines()[0]
    match = COMMAND.fullmatch(first)
    assert match is not None and match[2] == "a.837"
    assert "wrong, line 1 (interchange 1, claim 2): " in first
