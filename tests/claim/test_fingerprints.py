"""Fingerprints: they stay where a claim changes around the line, and tell equal lines apart."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.visits import check, line, push


def prints(*lines: dict[str, Any]) -> dict[tuple[str, int | None], str]:
    result = check(push("a1", "10:00"), lines=list(lines))
    return {(each.rule, each.line): each.fingerprint for each in result.violations}


def test_a_line_put_before_it_changes_no_fingerprint() -> None:
    alone = prints(line(1, "96375"))
    after = prints(line(1, "99213", modifiers=["25"]), line(2, "96375"))
    shared = {
        rule: (mark, after[rule, 2])
        for (rule, number), mark in alone.items()
        if number == 1 and (rule, 2) in after
    }
    assert shared
    assert all(before == later for before, later in shared.values())


def test_each_of_equal_lines_has_its_own() -> None:
    # A code that ended years ago is said of each line.
    found = prints(line(1, "90784"), line(2, "90784"))
    of_both = [
        (mark, found[rule, 2])
        for (rule, number), mark in found.items()
        if number == 1 and (rule, 2) in found
    ]
    assert of_both
    assert all(first != second for first, second in of_both)


def test_it_says_nothing_of_the_patient() -> None:
    """The same visit of another day and other names has the same fingerprints."""
    one = check(push("a1", "10:00"), lines=[line(1, "96375")])
    other = check(push("b7", "22:15"), lines=[line(1, "96375")])
    assert [each.fingerprint for each in one.violations if each.line] == [
        each.fingerprint for each in other.violations if each.line
    ]


def test_a_fingerprint_stays_from_one_release_to_the_next() -> None:
    """Users keep them: the first sixteen digits of what names rule, line and place among its like."""
    code = line(1, "90784")
    found = prints(*[{**code, "number": number} for number in (1, 2, 3)])
    for number in (1, 2, 3):
        text = f"IVP609 line 90784 {number - 1}"
        kept = hashlib.sha256(text.encode()).hexdigest()[:16]
        assert found["IVP609", number] == kept
