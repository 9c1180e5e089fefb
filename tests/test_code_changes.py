"""The changes that ``benchmarks.core_mutants`` makes of a module, one thing at a time."""

from __future__ import annotations

import ast
from pathlib import Path

from benchmarks.code_changes import changes

CODE = '''
"""A docstring of 3 words."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

__all__ = ["paid"]


def paid(minutes: int, rows: list[int], flag: bool = True) -> bool:
    """Nothing of 2 words here is changed."""
    if flag and minutes > 15 or not rows:
        return any(row == 1 for row in rows if row)
    raise ValueError("3 of 4")
'''


def test_each_change_is_of_one_thing() -> None:
    words = [change.words for change in changes(CODE)]
    assert words == [
        "True -> False",
        "flag and minutes > 15 or not rows -> (flag and minutes > 15) and (not rows)",
        "flag and minutes > 15 or not rows -> not rows",
        "flag and minutes > 15 or not rows -> flag and minutes > 15",
        "flag and minutes > 15 -> flag or minutes > 15",
        "flag and minutes > 15 -> minutes > 15",
        "flag and minutes > 15 -> flag",
        "minutes > 15 -> minutes >= 15",
        "15 -> 16",
        "not rows -> not not rows",
        "any((row == 1 for row in rows if row)) -> all((row == 1 for row in rows if row))",
        "row == 1 -> row != 1",
        "1 -> 2",
        " for row in rows if row ->  for row in rows",
    ]


def test_that_rows_are_as_many_is_an_assertion_and_no_choice() -> None:
    pairs = "pairs = list(zip(a, b, strict=True))\n"
    assert list(changes(pairs)) == []
    assert [change.words for change in changes("int_schema(strict=True)\n")] == ["True -> False"]


def test_changes_leave_the_tree_as_it_was_and_compile() -> None:
    source = (Path(__file__).parents[1] / "src/ivpush/clock.py").read_text("utf-8")
    plain = ast.unparse(ast.parse(source))
    every = list(changes(source))
    assert len(every) > 100
    for change in every:
        assert change.source != plain
        compile(change.source, "clock.py", "exec")
