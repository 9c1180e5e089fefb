"""One change of an expression: each operator makes its mutant, and all of them are well typed."""

from __future__ import annotations

import pytest

from ivpush.authoring.expression_mutants import expressions
from ivpush.language.parser import parse
from tests.shipped import PACK


def changes(text: str) -> dict[str, str]:
    """Every mutant of an expression about a line, by what was changed."""
    return dict(expressions(text, PACK.names, "line"))


# fields: the expression, the change as it is named, the mutant
OPERATORS = [
    ("line.units < 2", "line.units < 2 -> line.units <= 2", "line.units <= 2"),
    ("line.units < 2", "line.units < 2 -> line.units >= 2", "line.units >= 2"),
    ("line.units <= 2", "line.units <= 2 -> line.units < 2", "line.units < 2"),
    ("line.units > 2", "line.units > 2 -> line.units >= 2", "line.units >= 2"),
    ("line.units >= 2", "line.units >= 2 -> line.units > 2", "line.units > 2"),
    ("line.units == 2", "line.units == 2 -> line.units != 2", "line.units != 2"),
    ("line.units != 2", "line.units != 2 -> line.units == 2", "line.units == 2"),
    ("line.units == 2", "2 -> 3", "line.units == 3"),
    ("line.units == 2", "2 -> 1", "line.units == 1"),
    ("line.separate and line.known", "drop line.known", "line.separate"),
    ("line.separate or line.known", "drop line.separate", "line.known"),
    ("line.separate and line.known", "and -> or", "line.separate or line.known"),
    ("line.separate or line.known", "or -> and", "line.separate and line.known"),
    ("line.separate and line.known", "negate line.known", "line.separate and (not line.known)"),
    ("line.separate", "negate it", "not line.separate"),
    ("not line.separate", "drop not of line.separate", "line.separate"),
    ("known(line.mue) and line.units < line.mue", "drop known(line.mue)", "line.units < line.mue"),
    (
        "line.status is 'matched'",
        "line.status is 'matched' -> line.status == 'matched'",
        "line.status == 'matched'",
    ),
    ("line.status is 'matched'", "'matched' -> 'outside'", "line.status is 'outside'"),
    ("surely(line.units > 2)", "drop surely of line.units > 2", "line.units > 2"),
    ("line.status == 'matched'", "'matched' -> 'outside'", "line.status == 'outside'"),
    ("line.code in ('96374', '96375')", "drop '96374'", "line.code in ('96375',)"),
    (
        "line.code in ('96374', '96375')",
        "'96374' -> 'no such word'",
        "line.code in ('no such word', '96375')",
    ),
    (
        "'59' in line.modifiers",
        "'59' in line.modifiers -> '59' not in line.modifiers",
        "'59' not in line.modifiers",
    ),
    (
        "any(a.billable for a in line.administrations)",
        "any -> all",
        "all((a.billable for a in line.administrations))",
    ),
    (
        "all(a.billable for a in line.administrations if a.repeat)",
        "drop if a.repeat",
        "all((a.billable for a in line.administrations))",
    ),
    (
        "overlaps(claim.codes, line.primaries)",
        "overlaps -> subset",
        "subset(claim.codes, line.primaries)",
    ),
    ("line.units + 1 > 2", "line.units + 1 -> line.units - 1", "line.units - 1 > 2"),
]


@pytest.mark.parametrize(("text", "change", "mutant"), OPERATORS)
def test_each_operator_makes_its_mutant(text: str, change: str, mutant: str) -> None:
    assert changes(text)[change] == mutant


def test_a_mutant_is_never_the_rule_itself_and_always_an_expression() -> None:
    for rule in PACK.rules:
        for key in {"when", "require"} & rule.texts.keys():
            own = parse(rule.texts[key], PACK.names, rule.for_each)
            for _, text in expressions(rule.texts[key], PACK.names, rule.for_each):
                assert parse(text, PACK.names, rule.for_each) != own


def test_words_of_one_kind_stand_in_for_each_other_alone() -> None:
    assert not any("<=" in text for text in changes("line.status == 'matched'").values())
