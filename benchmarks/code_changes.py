"""Every change of one thing in a module's code, for ``benchmarks.core_mutants``.

A change is made in Python's own syntax tree: another sign, another number, a part of a condition
or a filter dropped. What decides nothing is left alone: texts, types, imports, checks of types.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

SIGNS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNTOUCHED = {"annotation", "returns", "decorator_list"}
"""Fields of nodes that mypy and the import judge."""


class Change(NamedTuple):
    """One change of a module: where, in words, and the text of the whole module with it."""

    line: int
    words: str
    source: str


class Edit(NamedTuple):
    """A field of a node and its other value."""

    field: str
    value: object


def changes(source: str) -> Iterator[Change]:
    """Every change of one thing of a module, parents before their parts."""
    tree = ast.parse(source)
    line = 1
    for node in _deciding(tree):
        line = getattr(node, "lineno", line)
        for field, value in _edits(node):
            before, kept = ast.unparse(node), getattr(node, field)
            setattr(node, field, value)
            yield Change(
                line, f"{_short(before)} -> {_short(ast.unparse(node))}", ast.unparse(tree)
            )
            setattr(node, field, kept)


def _short(text: str) -> str:
    """The first line of a statement, which holds its condition."""
    return text.partition("\n")[0]


def _deciding(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one that decide something, parents first."""
    for field, value in ast.iter_fields(node):
        if field not in UNTOUCHED and not (field == "keywords" and _is_zip(node)):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST) and not _decides_nothing(part):
                    yield part
                    yield from _deciding(part)


def _is_zip(node: ast.AST) -> bool:
    """Whether a node calls ``zip``, of which ``strict`` asserts what is so anyway."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"


def _decides_nothing(node: ast.AST) -> bool:
    """Whether a part is a docstring, an import, a check of types, or the list of public names."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Raise():
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def _edits(node: ast.AST) -> Iterator[Edit]:
    """The changes that one node allows."""
    match node:
        case ast.Compare(ops=[sign]) if type(sign) in SIGNS:
            yield Edit("ops", [SIGNS[type(sign)]()])
        case ast.BoolOp(op=sign, values=parts):
            yield Edit("op", ast.Or() if isinstance(sign, ast.And) else ast.And())
            for part in parts:
                yield Edit("values", [other for other in parts if other is not part])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield Edit("operand", _denied(operand))
        case ast.BinOp(op=sum_sign) if type(sum_sign) in SUMS and not _of_texts(node):
            yield Edit("op", SUMS[type(sum_sign)]())
        case ast.Constant(value=bool(flag)):
            yield Edit("value", not flag)
        case ast.Constant(value=int(number)):
            yield Edit("value", number + 1)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield Edit("func", ast.Name(CALLS[name]))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            # Comparisons, junctions and denials in it are changed as such.
            if isinstance(test, ast.Name | ast.Attribute | ast.Call):
                yield Edit("test", _denied(test))
        case ast.comprehension(ifs=[_, *_]):
            yield Edit("ifs", [])


def _denied(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _of_texts(node: ast.BinOp) -> bool:
    """Whether a sum joins texts."""
    parts = [node.left, node.right]
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in parts
    )
