"""What is printed of an expression is worth what the tree-walker says, for every value of its facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from ivpush.language.printer import Printer, function
from ivpush.language.tree import Kind, Node
from ivpush.language.vocabulary import Names

NAMES = Names({}, {}, words={"few": frozenset({"x", "long y"})})
TRUTHS = (True, False, None)


def line(**facts: Any) -> SimpleNamespace:
    """A line of a claim with some facts, each where the vocabulary says that it is."""
    record = SimpleNamespace()
    for name, value in facts.items():
        place = record
        *parts, last = NAMES.scopes["line"][name].path.split(".")
        for part in parts:
            place.__dict__.setdefault(part, SimpleNamespace())
            place = getattr(place, part)
        setattr(place, last, value)
    return record


def forms(text: str) -> tuple[Node, Callable[..., object]]:
    """An expression about a line as a tree and as a function."""
    node, printer = parse(text, NAMES, "line"), Printer(NAMES)
    return node, function("f", [f"return {printer.print(node)}"], printer, "test")


def printed(text: str, subject: Any, encounter: Any = None) -> object:
    """What the printed form is worth of a line; the tree-walker must say the same."""
    return agreed(*forms(text), subject, encounter)


def agreed(node: Node, run: Callable[..., object], subject: Any, encounter: Any) -> object:
    """What both forms of an expression are worth."""
    worth = run(encounter, subject, None, None)
    assert worth is evaluate(node, NAMES, {"encounter": encounter, "subject": subject})
    assert worth is not None or node.kind.nullable
    return worth


def flags(**names: str) -> Iterator[dict[str, Any]]:
    """Facts with each of their values: ``?`` marks those that may be unknown."""
    values = [TRUTHS if mark == "?" else (True, False) for mark in names.values()]
    for drawn in product(*values):
        yield dict(zip(names, drawn, strict=True))


@pytest.mark.parametrize("left", ["line.valid", "line.known", "not line.valid", "not line.known"])
@pytest.mark.parametrize("right", ["line.is_add_on", "line.in_family"])
def test_and_and_or_are_kleenes(left: str, right: str) -> None:
    """A part that decides beats an unknown one, wherever it stands."""
    for facts in flags(valid="?", known="", is_add_on="?", in_family=""):
        parts = [printed(left, line(**facts)), printed(right, line(**facts))]
        strong = printed(f"{left} or {right}", line(**facts))
        assert strong is (True if True in parts else None if None in parts else False)
        weak = printed(f"{left} and {right}", line(**facts))
        assert weak is (False if False in parts else None if None in parts else True)


@pytest.mark.parametrize("op", ["and", "or"])
def test_three_parts_are_worth_what_two_and_one_are(op: str) -> None:
    for facts in flags(valid="?", known="", is_add_on="?", pair_stands="?"):
        for order in (
            "line.valid {0} line.known {0} line.pair_stands",
            "line.known {0} line.valid {0} line.is_add_on",
            "line.is_add_on {0} line.pair_stands {0} line.known",
            "(line.valid {0} line.known) {0} line.is_add_on",
        ):
            printed(order.format(op), line(**facts))


@pytest.mark.parametrize(
    ("text", "facts", "wanted"),
    [
        ("line.mue == 2", {"mue": 2}, True),
        ("line.mue != 2", {"mue": 2}, False),
        ("line.mue + line.units == 5", {"mue": 2, "units": 3}, True),
        ("line.units - line.mue == 1", {"mue": 2, "units": 3}, True),
        ("-line.mue * 2 == -4", {"mue": 2}, True),
        ("line.mue // 2 == 1", {"mue": 3}, True),
        ("line.mue in {1, 2}", {"mue": 2}, True),
        ("line.mue not in {1, 2}", {"mue": 2}, False),
        ("'x' in line.primaries", {"primaries": frozenset("x")}, True),
        ("'x' not in line.primaries", {"primaries": frozenset("x")}, False),
        ("line.label in words.few", {"label": "Long  Y"}, True),
        ("line.label in words.few", {"label": "z"}, False),
        (
            "overlaps(line.primaries, line.successors)",
            {"primaries": {"x"}, "successors": {"x"}},
            True,
        ),
        (
            "overlaps(line.primaries, line.successors)",
            {"primaries": {"x"}, "successors": set()},
            False,
        ),
        (
            "subset(line.primaries, line.successors)",
            {"primaries": {"x"}, "successors": {"x"}},
            True,
        ),
        (
            "subset(line.primaries, line.successors)",
            {"primaries": {"x"}, "successors": {"y"}},
            False,
        ),
        ("size(line.primaries) == 2", {"primaries": frozenset("xy")}, True),
        ("empty(line.primaries)", {"primaries": frozenset()}, True),
        ("empty(line.primaries)", {"primaries": frozenset("x")}, False),
        ("not line.valid", {"valid": False}, True),
        ("line.valid == line.is_add_on", {"valid": False, "is_add_on": False}, True),
        ("1 < line.mue < 3", {"mue": 2}, True),
        ("1 < line.mue < 3", {"mue": 3}, False),
    ],
)
def test_an_operation_is_unknown_where_an_operand_is(
    text: str, facts: dict[str, Any], wanted: bool
) -> None:
    assert printed(text, line(**facts)) is wanted
    for name in facts:
        if name not in {"units", "successors"}:
            assert printed(text, line(**{**facts, name: None})) is None


@pytest.mark.parametrize(
    ("text", "mue", "wanted"),
    [
        ("known(line.mue)", 2, True),
        ("known(line.mue)", None, False),
        ("line.mue is 2", 2, True),
        ("line.mue is 2", 3, False),
        ("line.mue is 2", None, False),
        ("surely(line.mue == 2)", 2, True),
        ("surely(line.mue == 2)", 3, False),
        ("surely(line.mue == 2)", None, False),
        ("known(line.service)", 2, False),
        ("known(line.service.minutes)", 2, False),
        ("line.service.minutes > 1", 2, None),
        ("line.service.chain > 1", 2, None),
    ],
)
def test_what_is_known_is_known_itself(text: str, mue: int | None, wanted: bool | None) -> None:
    assert printed(text, line(mue=mue, service=None)) is wanted


FORMS = [
    "any({0} for x in encounter.lines{1})",
    "all({0} for x in encounter.lines{1})",
    "count({0} for x in encounter.lines{1}) == 1",
    "sum({2} for x in encounter.lines{1}) > 1",
    "min({2} for x in encounter.lines{1}) > 1",
    "max({2} for x in encounter.lines{1}) > 1",
]


@pytest.mark.parametrize("form", FORMS, ids=[form.partition("(")[0] for form in FORMS])
@pytest.mark.parametrize(
    ("item", "number"), [("x.valid", "x.mue"), ("x.known", "x.units")], ids=["open", "closed"]
)
@pytest.mark.parametrize(
    "where",
    [
        "",
        " if x.in_family",
        " if x.is_add_on",
        " if x.in_family if x.is_add_on",
        " if x.is_add_on if x.in_family",
    ],
    ids=["all", "sure", "unsure", "sure first", "unsure first"],
)
def test_rows_come_to_what_they_come_to_one_by_one(
    form: str, item: str, number: str, where: str
) -> None:
    """No rows, one and two, of every value; and a list that nobody knows."""
    text = form.format(item, where, number)
    kinds = [(True, True, 2, 2), (False, True, 1, 2), (None, False, None, 0)]
    rows = [
        line(valid=valid, known=known, mue=mue, units=units, in_family=sure, is_add_on=unsure)
        for (valid, known, mue, units), sure, unsure in product(kinds, (True, False), TRUTHS)
    ]
    assert printed(text, None, SimpleNamespace(lines=None)) is None
    node, run = forms(text)
    for chosen in ((), *((row,) for row in rows), *product(rows, rows)):
        agreed(node, run, None, SimpleNamespace(lines=chosen))


@pytest.mark.parametrize("form", FORMS, ids=[form.partition("(")[0] for form in FORMS])
def test_a_list_that_nobody_may_know_is_asked_for_once(form: str) -> None:
    class Encounter:
        asked = 0

        @property
        def lines(self) -> tuple[SimpleNamespace, ...]:
            self.asked += 1
            return (line(known=True, units=2),)

    encounter = Encounter()
    _, run = forms(form.format("x.known", "", "x.units"))
    assert run(encounter, None, None, None) is True
    assert encounter.asked == 1


@pytest.mark.parametrize("form", ["overlaps", "subset"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("line.modifiers", "line.modifiers"),
        ("encounter.diagnoses", "line.modifiers"),
        ("line.modifiers", "encounter.diagnoses"),
        ("encounter.diagnoses", "encounter.diagnoses"),
    ],
)
def test_texts_of_a_record_and_of_a_fact_go_together(form: str, left: str, right: str) -> None:
    """A record's list is a tuple, a fact's a frozenset."""
    for texts, row in product(("", "x", "xy"), ("", "x", "z")):
        subject = line(modifiers=frozenset(texts))
        encounter = SimpleNamespace(given=SimpleNamespace(diagnoses=tuple(row)))
        values = {"line.modifiers": set(texts), "encounter.diagnoses": set(row)}
        both = (values[left], values[right])
        wanted = bool(both[0] & both[1]) if form == "overlaps" else both[0] <= both[1]
        assert printed(f"{form}({left}, {right})", subject, encounter) is wanted


def test_policies_and_limits_are_those_in_force() -> None:
    names = Names({"gap": Kind("whole")}, {"gap": Kind("whole")})
    printer = Printer(names)
    text = printer.print(parse("policy.gap > 30 and limits.gap < 30", names, "line"))
    run = function("f", [f"return {text}"], printer, "test")
    gaps = [SimpleNamespace(gap=gap) for gap in (31, 29)]
    assert run(None, None, gaps[0], gaps[1]) is True
    assert run(None, None, gaps[1], gaps[0]) is False


def test_a_list_that_is_always_there_is_asked_for_at_once() -> None:
    encounter = SimpleNamespace(claim=SimpleNamespace(lines=(line(units=2), line(units=3))))
    assert printed("any(x.units > 2 for x in claim.lines)", None, encounter) is True
    assert printed("all(x.units > 2 for x in claim.lines)", None, encounter) is False
    assert printed(
        "any(any(y.units > x.units for y in claim.lines) for x in claim.lines)", None, encounter
    )


def source(text: str, *, memo: bool = False) -> str:
    return Printer(NAMES, memo=memo).print(parse(text, NAMES, "line"))


def test_a_text_is_bound_and_never_spelled() -> None:
    """A text of a pack must not become code."""
    printer = Printer(NAMES)
    text = printer.print(parse("line.code == 'open(1)' and line.units == 7", NAMES, "line"))
    assert "open" not in text and "7" in text
    assert list(printer.bound.values()) == ["open(1)"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("any(x.known for x in claim.lines)", 1),
        ("any(any(y.units > x.units for y in claim.lines) for x in claim.lines)", 1),
        ("any(x.units > line.units for x in claim.lines)", 0),
        ("any(x.billable for x in line.administrations)", 0),
        ("any(any(y.known for y in claim.lines) for x in line.administrations)", 1),
        ("any(x.known for x in claim.lines) or any(x.known for x in claim.lines)", 2),
    ],
)
def test_only_what_rests_on_the_encounter_alone_is_kept(text: str, kept: int) -> None:
    assert source(text, memo=True).count("m.setdefault(") == kept
    assert "setdefault" not in source(text)


@pytest.mark.parametrize("name", ["open", "print", "__import__", "Printer"])
def test_generated_code_reaches_nothing_but_its_helpers(name: str) -> None:
    run = function("f", [f"return {name}"], Printer(NAMES), "test")
    with pytest.raises(NameError):
        run(None, None, None, None)


def test_a_generated_function_is_named_by_its_rule_in_tracebacks() -> None:
    run = function("judge", ["return e"], Printer(NAMES), "IVP104")
    assert (run.__name__, run.__code__.co_filename) == ("judge", "<rule IVP104>")
