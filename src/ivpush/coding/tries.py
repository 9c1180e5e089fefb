"""How often a chart may be coded again to learn what its open facts decide.

``questions`` spends one try for each answer that it puts to the test, and ``claim.reading`` asks
again by the answers that a claim may rest on. A stay has tries enough; the bounds are for charts of
hundreds of doses, which cost seconds without them. Where those of ``questions`` are used up the
result says so.
"""

from __future__ import annotations

__all__ = ["EnoughError", "Tries", "effort_of_claim", "most_tries"]

_MOST_ADMINISTRATIONS = 12_000
"""A chart is coded again so many times at most, over its administrations ..."""

_FEWEST = 120
"""... but no fewer times than this, which settles two missing stops ..."""

_MOST_ADMINISTRATIONS_EVER = 40_000
"""... unless that takes more administrations than this, which is most of a second of work."""

_FEWER_BEYOND = 1_000
"""Beyond so many administrations reading and judging the chart takes the time that tries had ..."""

_MOST_BEYOND = 18_000
"""... so that they may take no more administrations than this."""

_OF_CLAIM = ((100, 72_000), (_FEWER_BEYOND, 40_000))
"""Up to how long a chart, how many administrations may be coded again to read its claim ..."""

_OF_LONG_CLAIM = 6_000
"""... and of one that is longer."""


class EnoughError(Exception):
    """The tries of one encounter are used up."""


class Tries:
    """What is left of the tries of one encounter.

    In use::

        tries = Tries(most_tries(len(chart)))
        tries.spend()       # raises EnoughError once they are used up
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self) -> None:
        """Count one coding of the chart."""
        self.left -= 1
        if self.left < 0:
            raise EnoughError

    def need(self, count: int) -> None:
        """Make sure of so many before the first is spent: fewer would settle nothing."""
        if count > self.left:
            self.left = -1
            raise EnoughError


def most_tries(administrations: int) -> int:
    """How often a chart of so many administrations may be coded again."""
    count = max(1, administrations)
    usual = max(_FEWEST, _MOST_ADMINISTRATIONS // count)
    most = _MOST_ADMINISTRATIONS_EVER if count <= _FEWER_BEYOND else _MOST_BEYOND
    return min(usual, most // count)


def effort_of_claim(administrations: int) -> int:
    """How many administrations may be coded again to read the claim of a chart of so many."""
    return next((most for upto, most in _OF_CLAIM if administrations <= upto), _OF_LONG_CLAIM)
