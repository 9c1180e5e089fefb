"""Working records, which cost little to declare and to make.

``language`` and ``pack`` keep what they read in them. The standard library writes and compiles five
functions for a frozen dataclass when it is declared; for a hundred of them that was a third of what
an import took. A ``record`` has one, its ``__init__``. Records of the contract are frozen ones,
for they are compared, printed and kept by others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

__all__ = ["record"]

Kind = TypeVar("Kind")


@dataclass_transform(frozen_default=True, eq_default=False)
def record(kind: type[Kind]) -> type[Kind]:
    """A class as a record with slots, equal to nothing but itself.

    ::

        @record
        class Pairs:
            never: frozenset[str]

    Type checkers refuse to change it. At run time nothing does, for to make one that refuses takes
    three times as long.
    """
    return dataclass(slots=True, eq=False, repr=False)(kind)
