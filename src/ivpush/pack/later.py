"""A part of a pack that is made when it is first asked for.

A pack that was checked when its bundle was built needs no part before somebody asks: ``rule`` makes
tests and messages so, ``releases`` tables, ``wording`` the sentences of reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Later"]

Part = TypeVar("Part")


class Later(Generic[Part]):
    """A part and how it is made; ``Later(make).get()`` makes it once."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Part] | None = None, made: tuple[Part, ...] = ()) -> None:
        self._make, self._made = make, made

    @classmethod
    def of(cls, part: Part) -> Later[Part]:
        """A part that is there already."""
        return cls(made=(part,))

    def __reduce__(self) -> tuple[Callable[[Part], Later[Part]], tuple[Part]]:
        # What makes a part is seldom to be pickled, so a copy holds the part.
        return Later.of, (self.get(),)

    def get(self) -> Part:
        """The part."""
        if not self._made:
            assert self._make is not None
            # Two threads may both make it: they make the same.
            self._made = (self._make(),)
        return self._made[0]
