"""Text that may be shown: what cannot be printed becomes an escape.

Writers reach it through ``writers.safe``, drawings directly.
"""

from __future__ import annotations

__all__ = ["visible"]


def visible(text: str) -> str:
    r"""The text with each character that cannot be printed as an escape such as ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
