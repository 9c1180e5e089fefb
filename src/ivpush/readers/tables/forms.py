"""Texts of a table's cells as times, numbers and drug codes, in forms that were declared.

``maps`` reads the forms that a map declares, and ``lookup`` reads cells by them. Nothing is
guessed: a text that is not in the declared form gives None, and the caller counts it. A form of a
time is written in tokens: ``YYYY YY MM DD MON M D hh h mm ss fff AM Z``, or ``iso``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

__all__ = [
    "DrugCode",
    "TimeForm",
    "contradicts",
    "look_of",
    "ndc",
    "number",
    "plain_text",
    "read_time",
    "repeats",
    "time_form",
    "usual_forms",
    "whole",
]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class _Token(NamedTuple):
    """A part of a time: what it says, and how it is written."""

    part: str
    pattern: str


# A token stands before those that it begins with: MON and MM before M.
_TOKENS = {
    "YYYY": _Token("year", "[0-9]{4}"),
    "YY": _Token("year", "[0-9]{2}"),
    "MON": _Token("name", "[A-Za-z]{3}"),
    "MM": _Token("month", "[0-9]{2}"),
    "DD": _Token("day", "[0-9]{2}"),
    "hh": _Token("hour", "[0-9]{2}"),
    "mm": _Token("minute", "[0-9]{2}"),
    "ss": _Token("second", "[0-9]{2}"),
    "fff": _Token("fraction", "[0-9]{1,9}"),
    "AM": _Token("half", "[AaPp][Mm]"),
    "Z": _Token("zone", "Z|[+-][0-9]{2}:?[0-9]{2}"),
    "M": _Token("month", "[0-9]{1,2}"),
    "D": _Token("day", "[0-9]{1,2}"),
    "h": _Token("hour", "[0-9]{1,2}"),
}
_USUAL = (
    "iso",
    "M/D/YYYY h:mm:ss AM",
    "M/D/YYYY h:mm AM",
    "M/D/YYYY h:mm:ss",
    "M/D/YYYY h:mm",
    "M/D/YY h:mm",
    "M/D/YY hhmm",
    "M/D/YYYY hhmm",
    "M/D/YYYY",
    "D/M/YYYY h:mm:ss AM",
    "D/M/YYYY h:mm:ss",
    "D/M/YYYY h:mm",
    "D/M/YYYY",
    "D.M.YYYY h:mm:ss",
    "D.M.YYYY h:mm",
    "D.M.YYYY",
    "DD-MON-YYYY hh:mm:ss",
    "DD-MON-YYYY hh:mm",
    "DD-MON-YY hh:mm:ss",
    "DD-MON-YY hh.mm.ss.fff AM",
    "DD-MON-YY",
    "DD-MON-YYYY",
    "MON D YYYY h:mmAM",
    "YYYYMMDDhhmmss",
    "YYYYMMDDhhmm",
    "YYYYMMDD hhmm",
    "YYYYMMDD",
    "YYYY/M/D h:mm:ss",
    "YYYY/M/D h:mm",
)
_ORDERED = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]")
_LAST_MONTH = 12
_NUMERIC = re.compile("(?<!A)MM?|DD?")
_PIECE = re.compile("|".join(_TOKENS) + r"|[-/:., T]")
_CLOCK_PARTS = frozenset({"hour", "minute", "second", "half", "zone"})
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r" ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?"
)
_LEAST_YEAR, _CENTURY = 100, 2_000
_MOST = Decimal(10**9)
_MOST_WHOLE = 1_000_000
_SIX_PLACES = Decimal("0.000001")
_NDC_PARTS = re.compile(r"([0-9]{4,5})-([0-9]{3,4})-([0-9]{1,2})")
_NDC_LENGTHS = frozenset({10, 11})
_LEAST_NDC_DIGITS = 6
"""A shorter number is a local code: no labeler and product lose so many zeros."""


@dataclass(frozen=True, slots=True)
class TimeForm:
    """One form of writing a time: its text, and the pattern that it stands for.

    ``time_form`` makes one, and ``read_time`` reads by several::

        form = time_form("MM/DD/YYYY h:mm AM")
        read_time("03/02/2026 1:05 PM", [form])  # datetime(2026, 3, 2, 13, 5)
    """

    text: str
    pattern: re.Pattern[str]

    @property
    def shape(self) -> str:
        """The form with day and month alike, so that two forms that could be confused agree."""
        return re.sub("M{1,2}|D{1,2}", "#", re.sub("MON", "@", self.text)).replace("h#", "h")

    @property
    def month_place(self) -> int | None:
        """Which of its first two numbers is the month; None where nothing but the form says so."""
        first = [match[0][0] for match in _NUMERIC.finditer(self.text)][:2]
        if self.text[:1] == "Y" or "MON" in self.text or sorted(first) != ["D", "M"]:
            return None
        return first.index("M")


def time_form(text: str) -> TimeForm | None:
    """The form that a text describes; None where it is none."""
    if text == "iso":
        return TimeForm(text, _ISO)
    pieces = _pieces(text)
    if pieces is None:
        return None
    parts = [_TOKENS[piece].part for piece in pieces if piece in _TOKENS]
    if len(set(parts)) != len(parts) or not _makes_a_time(set(parts)):
        return None
    return TimeForm(text, re.compile("".join(_pattern(piece) for piece in pieces)))


def _pieces(text: str) -> list[str] | None:
    """Tokens and what stands between them; None where anything else is in the text."""
    pieces, at = [], 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            return None
        pieces.append(match[0])
        at = match.end()
    return pieces


def _makes_a_time(parts: set[str]) -> bool:
    """Whether the parts make a date, and of a clock time either nothing or hour and minute."""
    one_month = ("month" in parts) != ("name" in parts)
    clocked = not parts & _CLOCK_PARTS or {"hour", "minute"} <= parts
    return {"year", "day"} <= parts and one_month and clocked


def _pattern(piece: str) -> str:
    token = _TOKENS.get(piece)
    return re.escape(piece) if token is None else f"(?P<{token.part}>{token.pattern})"


def read_time(text: str, forms: Iterable[TimeForm]) -> datetime | date | None:
    """The time that a text writes in one of the forms; a date where it has no clock time."""
    for form in forms:
        match = form.pattern.fullmatch(text)
        if match is not None:
            # No other form is tried: a map has no two that could read one text differently.
            try:
                return _time_of(match.groupdict())
            except ValueError:
                return None
    return None


def _time_of(parts: dict[str, str | None]) -> datetime | date:
    """The time of its parts; ValueError where the calendar or the clock has none such."""
    name = parts.get("name")
    month = _MONTHS.index(name.lower()) + 1 if name else int(parts["month"] or 0)
    year = int(parts["year"] or 0)
    # Two digits are years of this century: nothing older is billed by these rules.
    day = date(year if year >= _LEAST_YEAR else year + _CENTURY, month, int(parts["day"] or 0))
    if parts.get("hour") is None:
        return day
    clock = time(_hour(parts), int(parts["minute"] or 0), int(parts.get("second") or 0))
    zone = parts.get("zone")
    return datetime.combine(day, clock, None if zone is None else _zone(zone))


def _hour(parts: dict[str, str | None]) -> int:
    hour, half = int(parts["hour"] or 0), parts.get("half")
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of a 12-hour clock")
    return hour % 12 + (12 if half.lower() == "pm" else 0)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")  # "+05" states hours alone
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def number(text: str) -> Decimal | None:
    """A number as the contract holds it: six decimals; None where the text is no plain number."""
    if _NUMBER.fullmatch(text) is None:
        return None
    value = Decimal(text)
    if not -_MOST < value < _MOST:
        return None
    value = value.quantize(_SIX_PLACES)
    # A whole number without decimals or exponent: normalize would write 100 as 1E+2.
    integral = value.to_integral_value()
    return Decimal(int(integral)) if value == integral else value.normalize()


def whole(text: str) -> int | None:
    """A whole number; ``4.0`` is one, ``4.5`` is none."""
    value = number(text)
    if value is None or value != value.to_integral_value() or abs(value) > _MOST_WHOLE:
        return None
    return int(value)


class DrugCode(NamedTuple):
    """A National Drug Code, None where the text is none; whether lost zeros were put back."""

    code: str | None
    mended: bool


def ndc(text: str, digits: int | None = None) -> DrugCode:
    """A National Drug Code in the contract's form.

    ``digits`` is the length that the column's codes have by declaration: shorter ones lost their
    leading zeros in a spreadsheet. Without it a short code is no code. Zero stands for none.
    """
    if _NDC_PARTS.fullmatch(text) is not None and len(text.replace("-", "")) in _NDC_LENGTHS:
        return DrugCode(text, mended=False)
    bare = text.removesuffix(".0")
    if not (bare.isascii() and bare.isdigit()) or not bare.strip("0"):
        return DrugCode(None, mended=False)
    if len(bare) in _NDC_LENGTHS and (digits is None or len(bare) == digits):
        return DrugCode(bare, mended=False)
    if digits is not None and _LEAST_NDC_DIGITS <= len(bare) < digits:
        return DrugCode(bare.zfill(digits), mended=True)
    return DrugCode(None, mended=False)


def plain_text(text: str) -> str:
    """Text without needless blanks and in small letters, as value tables compare it."""
    return " ".join(text.split()).casefold()


def contradicts(text: str, month_place: int) -> bool:
    """Whether a date begins with numbers of which this one can be no month."""
    match = _ORDERED.match(text)
    return match is not None and int(match[month_place + 1]) > _LAST_MONTH


def look_of(text: str) -> str:
    """How a text is written, without what it says: 9 for a digit, A for a letter."""
    return "".join("9" if sign.isdigit() else "A" if sign.isalpha() else sign for sign in text)


def usual_forms(text: str) -> list[str]:
    """The forms in which spreadsheets and databases write times, that read this one."""
    forms = ((usual, time_form(usual)) for usual in _USUAL)
    return [
        usual for usual, form in forms if form is not None and read_time(text, [form]) is not None
    ]


def repeats(forms: Sequence[TimeForm]) -> bool:
    """Whether two forms could read one text differently."""
    shapes = [form.shape for form in forms]
    return len(set(shapes)) != len(shapes)
