"""What settled facts leave of an expression; that it is worth the same, test_compiler shows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ivpush.language.parser import parse
from ivpush.language.reduction import Settled, reduced
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
        ("line.mai in {3}", True),
        ("known(line)", "known"),
        ("line.valid == line.known", None),
        ("line.valid or not line.known", None),
    ],
)
def test_settled_parts_are_worked_out_and_others_stay(text: str, left: bool | str | None) -> None:
    node = reduced(parse(text, NAMES, "line"), NAMES, SETTLED)
    assert (node.value if node.op == "const" else node.op) == left


@pytest.mark.parametrize(
    ("text", "nullable"),
    [
        ("line.mai == 3", False),
        ("line.valid", True),  # nobody knows
        ("line.mai == line.units", False),  # the fact that might have been unknown is settled
        ("line.minutes > line.units", True),
        ("line.units > line.minutes", True),
        ("known(line.minutes)", False),
        ("line.minutes > 1 or line.units > 1", True),
        ("line.units > 1 or line.units < 9", False),
        ("line.mai < line.units and line.units < 9", False),
        # Of no rows there is no least, whatever is settled.
        ("min(x.units for x in claim.lines) > line.mai", True),
        ("count(x.known for x in claim.lines) > line.mai", False),
    ],
)
def test_what_is_left_is_unknown_only_where_a_part_of_it_may_be(text: str, nullable: bool) -> None:
    assert reduced(parse(text, NAMES, "line"), NAMES, SETTLED).kind.nullable is nullable


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("line.code == 'a'", True),
        ("line.units == 2", True),
        ("encounter.setting == 'facility'", "cmp"),
        ("line.service.minutes > 1", None),
        ("known(line.service.minutes)", False),
    ],
)
def test_of_a_subject_that_is_settled_as_a_whole_the_encounter_is_open(
    text: str, left: bool | str | None
) -> None:
    subject = SimpleNamespace(given=LINE.given, match=SimpleNamespace(service=None))
    settled = Settled({"subject": subject}, ("",))
    node = reduced(parse(text, NAMES, "line"), NAMES, settled)
    assert (node.value if node.op == "const" else node.op) == left
