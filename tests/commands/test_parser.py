"""Mistakes on the command line are one line with the nearest word, and help says the statuses."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivpush.__main__ import _parser
from tests.commands.cli import CLEAN, WRONG, write


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chek",), "'chek' is no choice; did you mean 'check'?"),
        (("check", "f", "--formt", "json"), "--formt is no option; did you mean '--format'?"),
        (("check", "f", "--formt=json"), "--formt is no option; did you mean '--format'?"),
        (("check", "f", "--format", "jsn"), "--format: 'jsn' is no choice; did you mean 'json'?"),
        (("check", "f", "--polcy", "a=b"), "--polcy is no option; did you mean '--policy'?"),
        (("check", "f", "--zzzz"), "--zzzz is no option"),
        (("check", "f", "--from", "x13"), "--from: 'x13' is no choice; did you mean 'x12'?"),
        (("rules", "lst"), "'lst' is no choice; did you mean 'list'?"),
        (("rules", "list", "more"), "'more' is one word too many"),
        (("rules", "list", "--pyer", "x"), "--pyer is no option; did you mean '--payer'?"),
        (("convert", "f", "--setting", "hospital"), "--setting: 'hospital' is no choice"),
    ],
)
def test_a_slip_is_answered_in_one_line(ivpush: Any, words: tuple[str, ...], said: str) -> None:
    write("f", CLEAN)
    run = ivpush(*words)
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert run.err.count("\n") == 1
    assert "--help lists all" in run.err


def test_what_cannot_be_printed_is_not(ivpush: Any) -> None:
    assert "\x1b" not in ivpush("check", "f", "--\x1b[31m").err
    assert "\x1b" not in ivpush("\x1b[31m").err


@pytest.mark.parametrize("words", [(), ("check",), ("convert",), ("rules", "test")])
def test_help_says_the_exit_statuses(ivpush: Any, words: tuple[str, ...]) -> None:
    run = ivpush(*words, "--help")
    assert run.status == 0
    for status in (
        "0    clean",
        "1    violations",
        "2    bad",
        "3    a rule",
        "4    some",
        "130  ",
    ):
        assert f"\n  {status}" in run.out


def test_jsonl_is_ndjson(ivpush: Any) -> None:
    write("f", CLEAN, WRONG)
    wanted = ivpush("check", "f", "--format", "ndjson").out
    assert ivpush("check", "f", "--format", "jsonl").out == wanted
    ivpush("check", "f", "--output", "jsonl:o")
    assert Path("o").read_text("utf-8") == wanted
    assert ivpush("check", "f", "--format", "jsonl", "--workers", "1").out == wanted
    assert ivpush("convert", "f", "--format", "jsonl").out == ivpush("convert", "f").out
    for name in ("jsonl", "ndjson"):
        raw = json.dumps(CLEAN)
        assert json.loads(ivpush("convert", "-", "--from", name, stdin=raw).out)["id"] == "E1"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def test_help_says_what_every_command_and_word_is_for() -> None:
    silent = [
        f"{each.prog} {action.option_strings or action.dest}"
        for each in parsers(_parser())
        for action in each._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert silent == []
    assert [each.prog for each in parsers(_parser()) if not each.description] == []
