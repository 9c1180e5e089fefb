"""The drawing for a terminal: a clock above, a row an administration, its codes behind it.

``Timeline.text`` and the text writer call it. Characters tell what colours cannot: what counts is
filled, what does not is light, what is open ends in a question mark, and a push is a mark of its
own that no bar can be mistaken for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivpush.printable import visible
from ivpush.timeline.records import Drawing, Given
from ivpush.timeline.scale import Scale, scale_of
from ivpush.timeline.words import billed_as, lanes_of

__all__ = ["text_of"]

_LEAST = 20
"""Columns of the clock; fewer would tell nothing."""
_LONGEST_ID = 14
_LEAST_CODE = 9
"""Columns that a code with its modifier asks for."""
_TICK_APART = 9.0


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """The characters of one way to draw."""

    counted: str
    barred: str
    dose: str
    barred_dose: str
    missing: str
    axis: str
    tick: str
    midnight: str


_DRAWN = _Glyphs("█", "░", "◆", "◇", "?", "─", "┬", "╂")
_PLAIN = _Glyphs("=", ":", "*", "o", "?", "-", "+", "|")


def text_of(drawing: Drawing, width: int, *, plain: bool) -> Iterator[str]:
    """The rows of the drawing; none where no time is charted."""
    every = drawing.given or ()
    label = min(_LONGEST_ID, max((len(each.id) for each in every), default=0)) + 2
    codes = _room_for_codes(every, width - label - _LEAST)
    columns = max(_LEAST, width - label - codes)
    scale = scale_of(drawing, 0, columns - 1)
    if scale is None:
        return
    glyphs = _PLAIN if plain else _DRAWN
    yield from _axis(scale, columns, glyphs, " " * label)
    lanes = lanes_of(drawing)
    for lane, members in lanes.items():
        if len(lanes) > 1:
            yield visible(lane)
        for given in members:
            drawn = f"{_row(given, scale, columns, glyphs):<{columns}}"
            code = f"  {_cut(billed_as(given), codes - 2)}" if codes else ""
            yield f"{_cut(given.id, label - 2):<{label}}{drawn}{code}".rstrip()


def _room_for_codes(every: Sequence[Given], rest: int) -> int:
    """Columns of the codes with the space before them; none where they would not fit at all."""
    longest = max((len(billed_as(each)) for each in every), default=0) + 2
    return min(longest, rest) if rest >= _LEAST_CODE else 0


def _cut(text: str, longest: int) -> str:
    shown = visible(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 2]}.."


def _axis(scale: Scale, columns: int, glyphs: _Glyphs, indent: str) -> Iterator[str]:
    """Days where they begin, clock times, and the line that they stand on."""
    days, clocks = [" "] * (columns + 12), [" "] * (columns + 6)
    line = [glyphs.axis] * columns
    days_end = 0
    for tick in scale.ticks(_TICK_APART):
        place = round(tick.place)
        line[place] = glyphs.tick
        clocks[place : place + 5] = tick.clock
        if tick.day and place >= days_end:
            days[place : place + 10] = tick.day
            days_end = place + 11
    for midnight in scale.midnights(2):
        line[round(midnight)] = glyphs.midnight
    for low, high in scale.breaks():
        for place in range(round(low) + 1, round(high)):
            line[place] = " "
    for row in (days, clocks, line):
        yield (indent + "".join(row)).rstrip()


def _row(given: Given, scale: Scale, columns: int, glyphs: _Glyphs) -> str:
    if given.start is None:
        return "(no clock time)"
    row = [" "] * (columns + 1)
    low = _column(given.start, scale)
    if given.shape == "dose":
        row[low] = glyphs.dose if given.codes else glyphs.barred_dose
        if given.missing:
            row[low + 1] = glyphs.missing
    else:
        _draw_run(row, given, low, scale, glyphs)
    return "".join(row).rstrip()


def _draw_run(row: list[str], given: Given, low: int, scale: Scale, glyphs: _Glyphs) -> None:
    high = low + 1 if given.stop is None else max(low + 1, _column(given.stop, scale))
    row[low:high] = glyphs.barred * (high - low)
    for stretch in given.counted:
        left = _column(stretch.start, scale)
        right = max(left + 1, _column(stretch.stop, scale))
        row[left:right] = glyphs.counted * (right - left)
    if given.missing or given.stop is None:
        row[high - (given.stop is not None)] = glyphs.missing


def _column(at: datetime, scale: Scale) -> int:
    return round(scale.place(at))
