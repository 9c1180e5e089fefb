"""The tree of an expression: nodes, the kinds of their values, and the error of a wrong text.

The parser makes trees; the evaluator, the printer, the compiler and ``authoring.mutants`` read
them. Nothing of Python's own ``ast`` is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeGuard

__all__ = [
    "AGGREGATES",
    "FLAG",
    "NEVER_UNKNOWN",
    "TEXT",
    "WHOLE",
    "ExpressionError",
    "Kind",
    "Node",
    "Number",
    "Scalar",
    "Value",
    "fold",
    "is_value",
]


# Charts hold few different texts; the bound is for free text, which could be without end.
@lru_cache(maxsize=4_096)
def fold(text: str) -> str:
    """A text as word lists hold it: without case, with single spaces."""
    return " ".join(text.casefold().split())


AGGREGATES = frozenset({"any", "all", "count", "sum", "min", "max"})
"""Operators over a comprehension: ``args`` are the rows, the item, then the conditions."""

NEVER_UNKNOWN = frozenset({"known", "is", "surely"})
"""Operators that are true or false even where an operand is unknown."""


Number = int | Decimal
Scalar = bool | Number | str | date
Value = Scalar | frozenset[Scalar] | tuple[Scalar, ...]
"""What an expression may be worth, unless it is a record or a list of records.

A flag, a number, a text, a date or an instant (which is a date too), or several of these.
"""


def is_value(worth: object) -> TypeGuard[Value | None]:
    """Whether what an expression is worth is a value or unknown, and not a record or records."""
    if isinstance(worth, frozenset | tuple):
        return all(isinstance(member, Scalar) for member in worth)
    return worth is None or isinstance(worth, Scalar)


class Kind(NamedTuple):
    """The type of an expression: its name, whether it may be unknown, closed words, scope."""

    name: str
    nullable: bool = False
    words: frozenset[str] | None = None
    scope: str | None = None

    def opened(self, nullable: bool) -> Kind:
        """The same type, unknown or not."""
        if nullable == self.nullable:
            return self
        return Kind(self.name, nullable, self.words, self.scope)


FLAG, WHOLE, TEXT = Kind("flag"), Kind("whole"), Kind("text")


class Node(NamedTuple):
    """One step of an expression: a tuple, for trees are hashed and compared whole.

    ``name`` is the sign of a comparison or a sum, or what a fact, a root, a policy or a loop
    variable is called; ``value`` is what a constant or a list of constants is worth.

    ``line.units > 1`` is::

        units = Node("fact", WHOLE, (line,), "units")
        Node("cmp", FLAG, (units, Node("const", WHOLE, value=1)), ">")
    """

    op: str
    kind: Kind
    args: tuple[Node, ...] = ()
    name: str = ""
    value: Value | None = None
    column: int = 0

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        yield self
        for arg in self.args:
            yield from arg.walk()


def facts_in(node: Node) -> Iterator[Node]:
    """Fact nodes outside of comprehensions, parents first."""
    if node.op in AGGREGATES:
        # The rows alone: what a row says is read inside the loop, by way of ``loops_in``.
        yield from facts_in(node.args[0])
        return
    if node.op == "fact":
        yield node
    for arg in node.args:
        yield from facts_in(arg)


def loops_in(node: Node) -> Iterator[Node]:
    """Comprehensions outside of comprehensions."""
    if node.op in AGGREGATES:
        yield node
        return
    for arg in node.args:
        yield from loops_in(arg)


class ExpressionError(Exception):
    """A text is no expression of the language: where, what is wrong, what to write."""

    def __init__(self, column: int, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.column, self.problem, self.remedy = column, problem, remedy
