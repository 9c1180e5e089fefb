"""Every other reading of a rule's expression by one change: another sign, a part dropped.

``authoring.mutants`` asks for them. Changes are made in Python's own syntax tree, of which the rule
language is a part; what the language then refuses is left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ivpush.language.parser import parse
from ivpush.language.tree import ExpressionError, Node
from ivpush.language.vocabulary import Names

__all__ = [
    "expressions",
    "next_word",
]

_DAY = timedelta(days=1)
# For each sign its neighbour at the boundary, which a missing boundary case lets pass, and its
# opposite.
_SIGNS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.Eq, ast.NotEq),
}
_OPPOSITE_CALLS = {
    "any": "all",
    "all": "any",
    "min": "max",
    "max": "min",
    "overlaps": "subset",
    "subset": "overlaps",
}
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
}
_NO_WORD = "no such word"
"""Stands for a text that nothing carries, where a fact has no closed list of words."""

Words = Mapping[str, frozenset[str]]
"""For a text constant the closed list that it was taken from."""
_Syntax = TypeVar("_Syntax", bound=ast.AST)


class _Variant(NamedTuple):
    """A node with one thing changed in it or below it, and what was changed."""

    change: str
    node: Any
    """An expression, or the ``for`` of a loop; of the same sort as the node that it replaces."""


def expressions(text: str, names: Names, subject: str) -> Iterator[tuple[str, str]]:
    """Every other reading of an expression by one change, as (change, text); all well typed.

    ::

        dict(expressions("line.units < 2", names, "line"))
        # {"line.units < 2 -> line.units <= 2": "line.units <= 2", "2 -> 3": "line.units < 3", ...}
    """
    tree = ast.parse(" ".join(text.split()), mode="eval").body
    variants = list(_variants(tree, _words(parse(text, names, subject))))
    if not isinstance(tree, ast.UnaryOp | ast.Compare):
        variants.append(_Variant("negate it", ast.UnaryOp(ast.Not(), tree)))
    seen = {ast.unparse(tree)}
    for change, node in variants:
        changed = ast.unparse(node)
        if changed not in seen and _is_expression(changed, names, subject):
            seen.add(changed)
            yield change, changed


def _is_expression(text: str, names: Names, subject: str) -> bool:
    try:
        parse(text, names, subject)
    except ExpressionError:
        return False
    return True


def _words(tree: Node) -> dict[str, frozenset[str]]:
    closed: dict[str, frozenset[str]] = {}
    for node in tree.walk():
        if node.op not in {"cmp", "is", "in", "notin"}:
            continue
        words = next((side.kind.words for side in node.args if side.kind.words is not None), None)
        if words:
            closed.update(dict.fromkeys(_text_constants(node), words))
    return closed


def _text_constants(comparison: Node) -> Iterator[str]:
    for side in comparison.args:
        if isinstance(side.value, str):
            yield side.value
        elif isinstance(side.value, frozenset):
            yield from (value for value in side.value if isinstance(value, str))


# Walking down the tree


def _variants(node: ast.expr, words: Words) -> Iterator[_Variant]:
    """Variants of a node: changed in itself first, then in each child."""
    yield from _changed_in_itself(node, words)
    for child, put_back in _children(node):
        inner = _loop_variants if isinstance(child, ast.comprehension) else _variants
        for change, changed in inner(child, words):
            yield _Variant(change, put_back(changed))


def _children(node: ast.expr) -> Iterator[tuple[Any, Callable[[ast.AST], ast.AST]]]:
    """Each child, with a function that gives the node with another child in its place."""
    if isinstance(node, ast.Attribute):
        return  # a path to a fact is one word, not an expression of its own
    for field in ("args",) if isinstance(node, ast.Call) else node._fields:
        value = getattr(node, field)
        if isinstance(value, ast.expr):
            yield value, partial(_with, node, field)
        elif isinstance(value, list):
            for n, child in enumerate(value):
                if isinstance(child, ast.expr | ast.comprehension):
                    yield child, partial(_with_item, node, field, n)


def _loop_variants(loop: ast.comprehension, words: Words) -> Iterator[_Variant]:
    """A loop with one condition dropped or changed; what it runs over stays."""
    for n, condition in enumerate(loop.ifs):
        dropped = _with(loop, "ifs", _without(loop.ifs, n))
        yield _Variant(f"drop if {ast.unparse(condition)}", dropped)
        for change, changed in _variants(condition, words):
            yield _Variant(change, _with_item(loop, "ifs", n, changed))


def _with(node: _Syntax, field: str, value: Any) -> _Syntax:
    changed = copy(node)
    setattr(changed, field, value)
    return changed


def _with_item(node: _Syntax, field: str, n: int, item: ast.AST) -> _Syntax:
    items = getattr(node, field)
    return _with(node, field, [*items[:n], item, *items[n + 1 :]])


def _without(items: list[ast.expr], n: int) -> list[ast.expr]:
    return [*items[:n], *items[n + 1 :]]


# Changing one node


def _changed_in_itself(node: ast.expr, words: Words) -> Iterator[_Variant]:
    match node:
        case ast.BoolOp():
            yield from _junctions(node)
        case ast.UnaryOp(op=ast.Not()):
            yield _Variant(f"drop not of {ast.unparse(node.operand)}", node.operand)
        case ast.Compare(ops=[sign]):
            for other in _SIGNS[type(sign)]:
                yield _rewritten(node, _with(node, "ops", [other()]))
        case ast.Constant():
            for value in _other_constants(node.value, words):
                yield _Variant(f"{node.value!r} -> {value!r}", ast.Constant(value))
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items) if len(items) > 1:
            for n, item in enumerate(items):
                fewer = ast.Tuple(_without(items, n), ast.Load())
                yield _Variant(f"drop {ast.unparse(item)}", fewer)
        case ast.Call(func=ast.Name(id="surely"), args=[test]):
            yield _Variant(f"drop surely of {ast.unparse(test)}", test)
        case ast.Call(func=ast.Name(id=name)) if name in _OPPOSITE_CALLS:
            opposite = _OPPOSITE_CALLS[name]
            called = ast.Name(opposite, ast.Load())
            yield _Variant(f"{name} -> {opposite}", _with(node, "func", called))
        case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC:
            yield _rewritten(node, _with(node, "op", _ARITHMETIC[type(operator)]()))


def _rewritten(node: ast.expr, changed: ast.expr) -> _Variant:
    return _Variant(f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed)


def _junctions(node: ast.BoolOp) -> Iterator[_Variant]:
    """``and`` for ``or``, each operand dropped, each operand negated."""
    if isinstance(node.op, ast.And):
        yield _Variant("and -> or", _with(node, "op", ast.Or()))
    else:
        yield _Variant("or -> and", _with(node, "op", ast.And()))
    for n, operand in enumerate(node.values):
        rest = _without(node.values, n)
        yield _Variant(
            f"drop {ast.unparse(operand)}",
            rest[0] if len(rest) == 1 else _with(node, "values", rest),
        )
        # A comparison or a ``not`` has its opposite among its own variants.
        if not isinstance(operand, ast.Compare | ast.UnaryOp):
            negated = ast.UnaryOp(ast.Not(), operand)
            changed = _with_item(node, "values", n, negated)
            yield _Variant(f"negate {ast.unparse(operand)}", changed)


def _other_constants(value: Any, words: Words) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        if value:
            yield value - 1
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        day = date.fromisoformat(value)
        yield from (str(day - _DAY), str(day + _DAY))
    elif isinstance(value, str):
        yield next_word(value, words.get(value, frozenset()))


def next_word(word: str, words: frozenset[str]) -> str:
    """The word after this one in a closed list; where there is none, a word nothing carries."""
    listed = sorted(words)
    if word not in listed or len(listed) < 2:
        return _NO_WORD
    return listed[(listed.index(word) + 1) % len(listed)]
