"""A slow tree-walker of the rule language: the reference for the compiler, and the explainer."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ivpush.language.tree import Node
from ivpush.language.vocabulary import Names

__all__ = [
    "evaluate",
    "folded",
]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_SUM: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv,
}  # fmt: skip


def evaluate(node: Node, names: Names, env: dict[str, Any]) -> Any:
    """What a node is worth; None is unknown.

    ``env`` holds encounter, subject, policy and limits, and the loop variables in sight. A record
    may be a plain dictionary of facts; what it lacks is unknown.
    """
    op = node.op
    if op in {"const", "set"}:
        return node.value
    if op in {"root", "var"}:
        return env[node.value]
    if op in {"policy", "limits"}:
        return getattr(env[op], node.value)
    if op == "fact":
        return _fact(node, names, env)
    if op in {"and", "or"}:
        return _kleene(op, (evaluate(one, names, env) for one in node.args))
    if op in {"any", "all", "count", "sum", "min", "max"}:
        return _aggregate(node, names, env)
    args = [evaluate(one, names, env) for one in node.args]
    if op == "known":
        # Of a fact left open on purpose nobody can say whether it is known.
        return None if args[0] is None and env.get("open") else args[0] is not None
    if any(one is None for one in args):
        return None
    return _plain(node, args)


def folded(node: Node, names: Names, env: dict[str, Any]) -> Node:
    """The same expression, with what ``env`` settles written in as what it comes to.

    What ``env`` lacks must be open in it (None, with ``open`` set), so that a part comes to a value
    only where it does so whatever the rest may be.
    """
    if node.op in {"const", "set", "root", "var"}:
        return node
    value = evaluate(node, names, env)
    if isinstance(value, bool | int | str):
        return Node("const", replace(node.kind, nullable=False), (), value, node.column)
    if node.op == "fact":
        return node
    args = [folded(one, names, env) for one in node.args]
    kind = node.kind
    if node.op in {"and", "or"}:
        args = [one for one in args if one.op != "const"]  # a settled one decided nothing
        if len(args) == 1:
            return args[0]
        kind = replace(kind, nullable=any(one.kind.nullable for one in args))
    return replace(node, args=tuple(args), kind=kind)


def _fact(node: Node, names: Names, env: dict[str, Any]) -> Any:
    record = evaluate(node.args[0], names, env)
    if record is None:
        return None
    value = record
    if isinstance(record, dict):
        return record.get(node.value)
    for part in names.scopes[node.args[0].kind.scope or ""][node.value].path.split("."):
        value = getattr(value, part)
    return value


def _plain(node: Node, args: list[Any]) -> Any:
    op = node.op
    if op == "not":
        return not args[0]
    if op == "minus":
        return -args[0]
    if op == "cmp":
        return _COMPARE[node.value](*args)
    if op == "arith":
        return _SUM[node.value](*args)
    if op == "in":
        return args[0] in args[1]
    if op == "notin":
        return args[0] not in args[1]
    if op == "overlaps":
        return bool(set(args[0]) & set(args[1]))
    if op == "subset":
        return set(args[0]) <= set(args[1])
    return len(args[0]) if op == "size" else len(args[0]) == 0


def _kleene(op: str, values: Iterable[Any]) -> bool | None:
    strong = op == "or"
    found = list(values)
    if strong in found:
        return strong
    return None if None in found else not strong


def _aggregate(node: Node, names: Names, env: dict[str, Any]) -> Any:
    rows = evaluate(node.args[0], names, env)
    if rows is None:
        return None
    item, conditions = node.args[1], node.args[2:]
    kept: list[Any] = []
    doubt = False
    for row in rows:
        inner = {**env, node.value: row}
        within = _kleene("and", (evaluate(one, names, inner) for one in conditions))
        value = evaluate(item, names, inner)
        if node.op in {"any", "count"}:
            kept.append(_kleene("and", (within, value)))
        elif node.op == "all":
            kept.append(_kleene("or", (None if within is None else not within, value)))
        elif within is None:
            doubt = True
        elif within:
            kept.append(value)
    if node.op == "any":
        return _kleene("or", kept)
    if node.op == "all":
        return _kleene("and", kept)
    if doubt or None in kept:
        return None
    if node.op == "count":
        return sum(kept)
    if node.op == "sum":
        return sum(kept)
    if not kept:
        return None
    return min(kept) if node.op == "min" else max(kept)
