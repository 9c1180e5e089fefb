"""Texts of a table's cells as times, numbers and drug codes, in forms that were declared.

Nothing is guessed: a text that is not in the declared form gives None, and the caller counts it.
A form of a time is written in tokens: ``YYYY MM DD MON M D hh h mm ss fff AM Z``, or ``iso``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

__all__ = [
    "TimeForm",
    "ndc",
    "number",
    "plain_text",
    "read_time",
    "repeats",
    "time_form",
    "whole",
]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TOKENS = {
    "YYYY": "(?P<year>[0-9]{4})", "MON": "(?P<name>[A-Za-z]{3})", "MM": "(?P<month>[0-9]{2})",
    "DD": "(?P<day>[0-9]{2})", "hh": "(?P<hour>[0-9]{2})", "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})", "fff": "[0-9]{1,9}", "AM": "(?P<half>[AaPp][Mm])",
    "Z": "(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})", "M": "(?P<month>[0-9]{1,2})",
    "D": "(?P<day>[0-9]{1,2})", "h": "(?P<hour>[0-9]{1,2})",
}  # fmt: skip
_WORDS = re.compile("|".join(_TOKENS) + r"|[-/:., T]")
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r" ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?"
)
_MOST = Decimal(10**9)
_SIX = Decimal("0.000001")
_NDC_PARTS = re.compile(r"([0-9]{4,5})-([0-9]{3,4})-([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class TimeForm:
    """One form of writing a time: its text, and the pattern that it stands for."""

    text: str
    pattern: re.Pattern[str]

    @property
    def shape(self) -> str:
        """The form with day and month alike, so that two forms that could be confused agree."""
        return re.sub("M{1,2}|D{1,2}", "#", re.sub("MON", "@", self.text)).replace("h#", "h")


def time_form(text: str) -> TimeForm | None:
    """The form that a text describes; None where it is none."""
    if text == "iso":
        return TimeForm(text, _ISO)
    made, at, seen = "", 0, set()
    while at < len(text):
        found = _WORDS.match(text, at)
        if found is None:
            return None
        word, at = found[0], found.end()
        part = _TOKENS.get(word)
        if part is not None:
            name = part[4 : part.index(">")] if part.startswith("(?P") else word
            if name in seen:
                return None
            seen.add(name)
        made += part if part is not None else re.escape(word)
    dated = {"year", "day"} <= seen and bool({"month", "name"} & seen)
    clocked = not seen & {"hour", "minute", "second", "half", "zone"} or {"hour", "minute"} <= seen
    if not dated or not clocked or {"month", "name"} <= seen:
        return None
    return TimeForm(text, re.compile(made))


def read_time(text: str, forms: Iterable[TimeForm]) -> datetime | date | None:
    """The time that a text writes in one of the forms; a date where it has no clock time."""
    for form in forms:
        found = form.pattern.fullmatch(text)
        if found is not None:
            try:
                return _made(found.groupdict())
            except ValueError:
                return None
    return None


def _made(parts: dict[str, str | None]) -> datetime | date:
    name = parts.get("name")
    month = _MONTHS.index(name.lower()) + 1 if name else int(parts["month"] or 0)
    day = date(int(parts["year"] or 0), month, int(parts["day"] or 0))
    if parts.get("hour") is None:
        return day
    hour, half = int(parts["hour"] or 0), parts.get("half")
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a 12-hour clock")
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    made = datetime(day.year, day.month, day.day, hour, int(parts["minute"] or 0),
                    int(parts.get("second") or 0))  # fmt: skip
    zone = parts.get("zone")
    return made if zone is None else made.replace(tzinfo=_zone(zone))


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if text[0] == "-" else away)


def number(text: str) -> Decimal | None:
    """A number as the contract holds it: six decimals; None where the text is no plain number."""
    if _NUMBER.fullmatch(text) is None:
        return None
    made = Decimal(text)
    if not -_MOST < made < _MOST:
        return None
    made = made.quantize(_SIX)
    whole_part = made.to_integral_value()
    return Decimal(int(whole_part)) if made == whole_part else made.normalize()


def whole(text: str) -> int | None:
    """A whole number; ``4.0`` is one, ``4.5`` is none."""
    made = number(text)
    if made is None or made != made.to_integral_value() or abs(made) > 1_000_000:
        return None
    return int(made)


def ndc(text: str, digits: int | None = None) -> tuple[str | None, bool]:
    """A National Drug Code in the contract's form, and whether lost zeros were put back.

    ``digits`` is the length that the column's codes have by declaration: shorter ones lost their
    leading zeros in a spreadsheet. Without it a short code is no code. Zero stands for none.
    """
    if _NDC_PARTS.fullmatch(text) is not None and 10 <= len(text.replace("-", "")) <= 11:
        return text, False
    bare = text.removesuffix(".0")
    if not (bare.isascii() and bare.isdigit()) or not bare.strip("0"):
        return None, False
    if len(bare) in {10, 11} and (digits is None or len(bare) == digits):
        return bare, False
    if digits is not None and 6 <= len(bare) < digits:
        return bare.zfill(digits), True
    return None, False


def plain_text(text: str) -> str:
    """Text without needless blanks and in small letters, as value tables compare it."""
    return " ".join(text.split()).casefold()


def repeats(forms: Sequence[TimeForm]) -> bool:
    """Whether two forms could read one text differently."""
    shapes = [one.shape for one in forms]
    return len(set(shapes)) != len(shapes)
