"""Numbers with their words: ``1 row``, ``2 rows``. Whoever prints a count calls it."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, word: str) -> str:
    """A number with the word that it counts, in the singular or the plural.

    ::

        counted(1, "row")       # '1 row'
        counted(0, "row")       # '0 rows'
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
