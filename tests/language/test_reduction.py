"""What settled facts leave of an expression; that it is worth the same, test_compiler shows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ivpush.language.compiler import Settled, compile_rule
from ivpush.language.parser import parse
from ivpush.language.reduction import reduced
from tests.shipped import PACK

NAMES = PACK.book(None, None).vocabulary
LINE = SimpleNamespace(
    coded=SimpleNamespace(known=True, valid=None, mai=3), given=SimpleNamespace(code="a", units=2)
)
SETTLED = Settled(
    {
        "policy": SimpleNamespace(require_drug_line="warn"),
        "limits": SimpleNamespace(push_max_minutes=15),
        "subject": LINE,
    },
    ("coded.",),
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("policy.require_drug_line == 'warn'", True),
        ("limits.push_max_minutes + 1 > 15", True),
        ("line.known and line.mai == 3", True),
        ("line.known and line.units > 1", "cmp"),
        ("not line.known and line.units > 1", False),
        ("line.known or line.units > 1", True),
        ("not line.known or line.units > 1", "cmp"),
        ("line.valid and line.units > 1", "and"),
        ("line.valid and not line.known", False),
        ("known(line.valid)", False),
        ("line.units > limits.push_max_minutes", "cmp"),
        ("any(x.known for x in claim.lines)", "any"),
    ],
)
def test_settled_parts_are_worked_out_and_others_stay(text: str, left: bool | str) -> None:
    node = reduced(parse(text, NAMES, "line"), NAMES, SETTLED)
    assert (node.value if node.op == "const" else node.op) == left


@pytest.mark.parametrize(
    ("when", "require", "speaks"),
    [
        ("line.known", "line.units > 1", True),
        ("not line.known", "line.units > 1", False),
        ("line.known", "line.mai == 3", False),
        ("line.valid", "line.mai == 3", True),  # unknown, so the rule is unjudged
    ],
)
def test_a_rule_that_cannot_speak_leaves_nothing(when: str, require: str, speaks: bool) -> None:
    parts = [parse(text, NAMES, "line") for text in (when, require)]
    rule = compile_rule(parts[0], parts[1], NAMES, "test")
    assert (rule.reduced(SETTLED) is not None) is speaks
