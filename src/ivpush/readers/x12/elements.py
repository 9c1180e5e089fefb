"""Values of X12 elements: dates, decimals, whole numbers and text, for claims and remittances.

Segments are decoded as Latin-1, which no byte can break. The same dates and amounts come again and
again in a file, so that the last ones are kept.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache

__all__ = [
    "day_of",
    "number_of",
    "text_of",
    "whole_of",
]

# Beyond these no field of the contract holds a number, and a longer text is no amount.
_MOST_NUMBER_CHARACTERS = 15
_MOST_DECIMALS = 6
_MOST_WHOLE_DIGITS = 9


@lru_cache(maxsize=8_192)
def day_of(text: str) -> date | None:
    """The date of CCYYMMDD; None: it is none."""
    if len(text) != 8 or not (text.isascii() and text.isdecimal()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


@lru_cache(maxsize=8_192)
def number_of(text: str) -> Decimal | None:
    """The value of a decimal element from 0; None: it is none, or beyond what a field holds."""
    whole, _, decimals = text.partition(".")
    if len(text) > _MOST_NUMBER_CHARACTERS or len(decimals) > _MOST_DECIMALS:
        return None
    if not ((whole + decimals).isdecimal() and text.isascii()):
        return None
    return Decimal(text)


def whole_of(text: str) -> int | None:
    """A whole number, where zeros may follow a decimal point; None: it is none."""
    if text.isdecimal():
        return int(text) if len(text) <= _MOST_WHOLE_DIGITS else None
    whole, point, decimals = text.partition(".")
    return whole_of(whole) if point and whole.isdecimal() and not decimals.strip("0") else None


def text_of(text: str) -> str:
    """Text of an element as its sender meant it: UTF-8 where the bytes are, else Latin-1."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text
