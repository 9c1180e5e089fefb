"""The tree of an expression: nodes and the kinds of their values, and what a text may do wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ExpressionError",
    "Kind",
    "Node",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of an expression: its name, whether it may be unknown, closed words, scope."""

    name: str
    nullable: bool = False
    words: frozenset[str] | None = None
    scope: str | None = None

    def opened(self, nullable: bool) -> Kind:
        """The same type, unknown or not."""
        return (
            self if nullable == self.nullable else Kind(self.name, nullable, self.words, self.scope)
        )


FLAG, WHOLE, TEXT = Kind("flag"), Kind("whole"), Kind("text")


@dataclass(frozen=True, slots=True)
class Node:
    """One step of an expression; ``value`` is the operator, name or constant."""

    op: str
    kind: Kind
    args: tuple[Node, ...] = ()
    value: Any = None
    column: int = 0

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        yield self
        for one in self.args:
            yield from one.walk()


class ExpressionError(Exception):
    """A text is no expression of the language; faults are (column, problem, remedy)."""

    def __init__(self, column: int, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.column, self.problem, self.remedy = column, problem, remedy
