"""What the text of an expression may hold, looked at before Python parses it."""

from __future__ import annotations

import re

from ivpush.language.tree import ExpressionError

__all__ = ["check_text"]

MOST_CHARACTERS = 2_000
# Counts, minutes and codes are shorter, and sums and products of such numbers stay cheap.
MOST_DIGITS = 9
_QUOTED = re.compile("'[^']*'|\"[^\"]*\"")
_ODD = re.compile(r"(?<![A-Za-z_0-9.])[0-9][0-9_.]*[A-Za-z]")
_ESCAPE = re.compile(r"\\")


def check_text(text: str) -> None:
    """Raise ExpressionError for a text that is too long to be parsed, or is spelt oddly."""
    _check_size(text)
    _check_signs(text)


def _check_size(text: str) -> None:
    """Refuse what is too long to be parsed: a number of a million digits stops Python's parser."""
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(1, f"is longer than {MOST_CHARACTERS} characters", "split the rule")
    # Letters of other scripts that look alike could show another rule than the one that runs.
    if not text.isascii():
        column = next(n for n, letter in enumerate(text, 1) if not letter.isascii())
        raise ExpressionError(column, "holds a character outside ASCII", "write plain ASCII")
    long = re.search(rf"[0-9_]{{{MOST_DIGITS + 1},}}|0[xXoObB]", text)
    if long is not None:
        raise ExpressionError(
            long.start() + 1,
            "holds a number too long or not decimal",
            f"write at most {MOST_DIGITS} digits",
        )


def _check_signs(text: str) -> None:
    """Refuse what Python reads today with a warning that it will not for long."""
    unquoted = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    odd = _ODD.search(unquoted) or _ESCAPE.search(text)
    if odd is not None:
        raise ExpressionError(
            odd.start() + 1,
            "holds a backslash, or a number that runs into a word",
            "write a space between them, and texts without escapes",
        )
