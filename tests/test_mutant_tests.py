"""Tests loaded once and run on many changes: which functions a change replaces, and a run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.mutant_tests import changed_functions, compiled, outermost

from tests.testing.running import environment

ROOT = Path(__file__).resolve().parents[1]
CODE = """
LIMIT = 15

class Bag:
    most: int = 3

    def full(self, held: int) -> bool:
        return held >= self.most

    def kinds(self, rows):
        return [row for row in rows if row > 1]

def long(minutes):
    return minutes > LIMIT
"""


def changed(before: str, after: str) -> list[str] | None:
    """The names of the functions that get new code when a text takes the place of another."""
    assert CODE.count(before) == 1
    functions = changed_functions(
        compiled(CODE, "code.py"), compiled(CODE.replace(before, after), "code.py")
    )
    return None if functions is None else sorted(functions)


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("held >=", "held >", ["Bag.full"]),
        ("row > 1", "row > 2", ["Bag.kinds"]),
        ("row > 1", "row >= 1", ["Bag.kinds"]),
        ("minutes > LIMIT", "minutes < LIMIT", ["long"]),
        ("minutes > LIMIT", "minutes  >  LIMIT", []),
    ],
)
def test_a_change_in_a_function_is_put_into_that_function(
    before: str, after: str, names: list[str]
) -> None:
    assert changed(before, after) == names


@pytest.mark.parametrize(
    ("before", "after"), [("= 15", "= 16"), ("int = 3", "int = 4"), ("def long", "def short")]
)
def test_a_change_outside_functions_cannot_be_put_in_place(before: str, after: str) -> None:
    assert changed(before, after) is None


def test_a_function_within_another_belongs_to_it() -> None:
    assert outermost("Bag.kinds.<locals>.<listcomp>") == "Bag.kinds"
    assert outermost("Bag.kinds") == "Bag.kinds"


def judged(tests: Path) -> str:
    """What the command prints of a small module, asking the tests of one file."""
    command = [sys.executable, "-m", "benchmarks.core_mutants", "coding/tries", "--quick"]
    run = subprocess.run(
        [*command, "--workers", "1", "--tests", str(tests)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def test_a_change_that_no_test_notices_is_printed(tmp_path: Path) -> None:
    asked = tmp_path / "test_ten.py"
    asked.write_text(
        "def test_ten():\n"
        "    from ivpush.coding.tries import most_tries\n"
        "    assert most_tries(10) == 1200\n"
    )
    *survivors, total = judged(asked).splitlines()
    # Of ten administrations the bound on those of a single one decides nothing.
    assert any(
        re.fullmatch(r"survived: ivpush\.coding\.tries:\d+: 1 -> 2", row) for row in survivors
    )
    noticed = re.search(r"(\d+) noticed", total)
    assert noticed is not None and int(noticed[1]) > 0


def test_a_change_of_what_no_test_calls_is_noticed_by_none(tmp_path: Path) -> None:
    asked = tmp_path / "test_nothing.py"
    asked.write_text("def test_nothing():\n    assert True\n")
    assert " 0 noticed" in judged(asked).splitlines()[-1]
