"""The tree of an expression: nodes, the kinds of their values, and the error of a wrong text.

The parser makes trees; the evaluator, the printer, the compiler and ``authoring.mutants`` read
them. Nothing of Python's own ``ast`` is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = [
    "AGGREGATES",
    "FLAG",
    "NEVER_UNKNOWN",
    "TEXT",
    "WHOLE",
    "ExpressionError",
    "Kind",
    "Node",
    "fold",
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


@dataclass(frozen=True, slots=True)
class Kind:
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


@dataclass(frozen=True, slots=True)
class Node:
    """One step of an expression; ``value`` is the operator, name or constant.

    ``line.units > 1`` is::

        Node("cmp", FLAG, (Node("fact", WHOLE, (line,), "units"), Node("const", WHOLE, (), 1)), ">")
    """

    op: str
    kind: Kind
    args: tuple[Node, ...] = ()
    value: Any = None
    column: int = 0

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        yield self
        for arg in self.args:
            yield from arg.walk()


class ExpressionError(Exception):
    """A text is no expression of the language: where, what is wrong, what to write."""

    def __init__(self, column: int, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.column, self.problem, self.remedy = column, problem, remedy
