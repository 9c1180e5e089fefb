"""A slow tree-walker of the rule language: the reference that the compiler is tested against.

Tests call it for whole rules, and ``reduction`` for what a few settled facts decide.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping

from ivpush.language.tree import AGGREGATES, NEVER_UNKNOWN, Node, Number, fold
from ivpush.language.vocabulary import Names

__all__ = [
    "evaluate",
    "kleene",
]

_COMPARE: Mapping[str, Callable[..., object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[..., object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
}

# The parser lets nothing stand as an operand of another kind than these take.
_OPERATIONS: Mapping[str, Callable[..., object]] = {
    "not": operator.not_,
    "minus": operator.neg,
    "in": lambda value, values: value in values,
    "notin": lambda value, values: value not in values,
    # A list of a record is a tuple, a fact's a frozenset: either may stand on either side.
    "overlaps": lambda left, right: bool(set(left) & set(right)),
    "subset": lambda left, right: set(left) <= set(right),
    "fold": fold,
    "size": len,
    "empty": lambda values: len(values) == 0,
}


def evaluate(node: Node, names: Names, env: Mapping[str, object]) -> object:
    """What a node is worth, a value or a record; None is unknown.

    ``env`` holds encounter, subject, policy and limits, and the loop variables in sight.
    """
    op = node.op
    if op in {"const", "set"}:
        return node.value
    if op in {"root", "var"}:
        return env[node.name]
    if op in {"policy", "limits"}:
        return _attribute(env[op], node.name)
    if op == "fact":
        return _fact(node, names, env)
    if op in {"and", "or"}:
        return kleene(op, (evaluate(arg, names, env) for arg in node.args))
    if op in AGGREGATES:
        return _aggregate(node, names, env)
    args = [evaluate(arg, names, env) for arg in node.args]
    if op in NEVER_UNKNOWN:
        return _sure(op, args)
    return None if None in args else _operation(node, args)


def _attribute(record: object, name: str) -> object:
    value: object = getattr(record, name)
    return value


def _sure(op: str, args: list[object]) -> bool:
    """The three operators that look at an unknown and are known themselves."""
    if op == "known":
        return args[0] is not None
    if op == "surely":
        return args[0] is True
    # ``is`` says that both are surely equal: an unknown operand is None, which equals no constant.
    return args[0] == args[1]


def _fact(node: Node, names: Names, env: Mapping[str, object]) -> object:
    value = evaluate(node.args[0], names, env)
    # A fact of a record that nobody stated is as unknown as the record.
    if value is None:
        return None
    # A path may lead through ``given`` or a part: given.units, times.clock_minutes.
    for part in names.fact(node).path.split("."):
        value = _attribute(value, part)
    return value


def _operation(node: Node, args: list[object]) -> object:
    """An operator whose operands are all known."""
    if node.op == "cmp":
        return _COMPARE[node.name](*args)
    if node.op == "arith":
        return _ARITHMETIC[node.name](*args)
    return _OPERATIONS[node.op](*args)


def kleene(op: str, values: Iterable[object]) -> bool | None:
    """What ``and`` or ``or`` of some truths is worth; None is unknown."""
    strong = op == "or"
    # Every operand counts: after an unknown one a later one may still decide.
    parts = list(values)
    if strong in parts:
        return strong
    return None if None in parts else not strong


def _aggregate(node: Node, names: Names, env: Mapping[str, object]) -> bool | Number | None:
    rows = evaluate(node.args[0], names, env)
    if rows is None:
        return None
    assert isinstance(rows, tuple)
    of_rows = [{**env, node.name: row} for row in rows]
    if node.op in {"any", "all", "count"}:
        verdicts = [_verdict(node, names, of_row) for of_row in of_rows]
        if node.op == "count":
            return _sum(verdicts)
        return kleene("or" if node.op == "any" else "and", verdicts)
    values = [
        # A row of which nobody knows whether it counts makes the whole unknown.
        None if within is None else _number(evaluate(node.args[1], names, of_row))
        for of_row in of_rows
        if (within := _within(node, names, of_row)) is not False
    ]
    # The sum of no rows is 0; of no rows there is no least or most.
    if node.op == "sum":
        return _sum(values)
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return min(known) if node.op == "min" else max(known)


def _sum(values: Iterable[Number | None]) -> Number | None:
    total: Number = 0
    for value in values:
        # A row that may or may not count, or a number that is not known, leaves the sum open.
        if value is None:
            return None
        total += value
    return total


def _number(worth: object) -> Number | None:
    assert worth is None or isinstance(worth, Number)
    return worth


def _within(node: Node, names: Names, env: Mapping[str, object]) -> bool | None:
    """Whether a row passes the ``if`` parts of a comprehension."""
    return kleene("and", (evaluate(condition, names, env) for condition in node.args[2:]))


def _verdict(node: Node, names: Names, env: Mapping[str, object]) -> bool | None:
    """What one row says to ``any``, ``all`` or ``count``."""
    within, value = _within(node, names, env), evaluate(node.args[1], names, env)
    # ``all`` asks only of rows within the conditions: a row outside them says yes.
    if node.op == "all":
        return kleene("or", (None if within is None else not within, value))
    return kleene("and", (within, value))
