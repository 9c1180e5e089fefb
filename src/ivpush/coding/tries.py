"""How often a chart may be coded again to learn what its open facts decide.

``questions`` spends one try for each answer that it puts to the test. A visit has tries enough; the
bounds are for charts of hundreds of doses, which cost seconds without them.
"""

from __future__ import annotations

__all__ = ["most_tries"]

_MOST_ADMINISTRATIONS = 12_000
"""A chart is coded again so many times at most, over its administrations ..."""

_FEWEST = 120
"""... but no fewer times than this, which settles two missing stops ..."""

_MOST_ADMINISTRATIONS_EVER = 60_000
"""... unless that takes more administrations than this, which is seconds of work."""

_FEWEST_EVER = 24
"""The largest chart is coded again so many times, which settles one missing stop."""


def most_tries(administrations: int) -> int:
    """How often a chart of so many administrations may be coded again."""
    count = max(1, administrations)
    usual = max(_FEWEST, _MOST_ADMINISTRATIONS // count)
    return max(_FEWEST_EVER, min(usual, _MOST_ADMINISTRATIONS_EVER // count))
