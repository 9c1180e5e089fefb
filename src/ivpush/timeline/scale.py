"""From clock times to places on a line: the axis, its ticks, and the days that it crosses.

Both drawings call it, with pixels or with columns. Long stretches in which nothing was given are
cut out, so that a visit of two days keeps its minutes apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from ivpush.clock import Span, local_time, seconds_of
from ivpush.timeline.records import Drawing, Given

__all__ = ["Scale", "Tick", "instants_of", "scale_of"]

_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Seconds that may lie between two ticks."""
_DAY = 86_400
_QUIET = 10_800
"""Seconds without anything given after which the axis is broken."""
_MOST_BREAKS = 8
"""More would leave no room for what lies between them."""


class Tick(NamedTuple):
    """A time on the axis: where, the clock, and the date where a day begins there."""

    place: float
    clock: str
    day: str


class _Segment(NamedTuple):
    """A stretch of the axis without a break."""

    start: int
    stop: int
    low: float
    high: float

    @property
    def per_second(self) -> float:
        return (self.high - self.low) / (self.stop - self.start)

    def place(self, seconds: int) -> float:
        if seconds <= self.start:
            return self.low
        if seconds >= self.stop:
            return self.high
        return self.low + self.per_second * (seconds - self.start)


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis of one drawing; ``low`` to ``high`` are its ends in units of the drawing."""

    segments: tuple[_Segment, ...]
    offsets: tuple[tuple[int, int], ...]
    """Seconds from which a clock runs so many seconds ahead of the scale."""

    def place(self, at: datetime) -> float:
        """Where an instant lies."""
        seconds = seconds_of(at)
        for segment in self.segments:
            if seconds <= segment.stop:
                return segment.place(seconds)
        return self.segments[-1].high

    def breaks(self) -> Iterator[tuple[float, float]]:
        """Where the axis is broken: the end of one stretch and the start of the next."""
        for before, after in pairwise(self.segments):
            yield before.high, after.low

    def ticks(self, apart: float) -> Iterator[Tick]:
        """Round clock times at least so far apart; each stretch that has room has one."""
        last_day, free = "", float("-inf")
        for segment in self.segments:
            step = _step(segment, apart)
            for seconds in self._rounded(segment, step):
                place = segment.place(seconds)
                if place < free:
                    continue
                local = local_time(seconds + self._offset(seconds), None)
                day = f"{local:%Y-%m-%d}"
                yield Tick(place, f"{local:%H:%M}", day if day != last_day else "")
                last_day, free = day, place + apart

    def midnights(self, apart: float) -> Iterator[float]:
        """Where a day begins within a stretch, unless days lie closer together than that."""
        for segment in self.segments:
            # A pump may be charted to the end of the calendar.
            if segment.per_second * _DAY < apart:
                continue
            for seconds in self._rounded(segment, _DAY):
                if segment.start < seconds < segment.stop:
                    yield segment.place(seconds)

    def _rounded(self, segment: _Segment, step: int) -> Iterator[int]:
        ahead = self._offset(segment.start)
        first = -(-(segment.start + ahead) // step) * step - ahead
        yield from range(first, segment.stop + 1, step)

    def _offset(self, seconds: int) -> int:
        starts = [start for start, _ in self.offsets]
        return self.offsets[max(0, bisect_right(starts, seconds) - 1)][1]


def instants_of(given: Given) -> Iterator[datetime]:
    """Every instant that a drawing of one administration shows."""
    charted = (given.start, given.stop, given.since, *(mark.at for mark in given.marks))
    yield from filter(None, charted)


def scale_of(drawing: Drawing, low: float, high: float) -> Scale | None:
    """The axis of a drawing between two ends; None where no time is charted."""
    every = drawing.given or ()
    instants = [at for given in every for at in instants_of(given)]
    if not instants:
        return None
    offsets = sorted({(seconds_of(at), _ahead(at)) for at in instants})
    spans = [_span(given) for given in every if given.start is not None]
    stretches = _stretches(spans)
    # Some room on either side, or what begins the visit would stand on the edge.
    room = max(300, sum(stop - start for start, stop in stretches) // 40)
    wide = [(start - room, stop + room) for start, stop in stretches]
    return Scale(tuple(_segments(wide, low, high)), tuple(offsets))


def _ahead(at: datetime) -> int:
    offset = at.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _span(given: Given) -> Span:
    seconds = [seconds_of(at) for at in instants_of(given)]
    return min(seconds), max(seconds)


def _stretches(spans: Iterable[Span]) -> list[Span]:
    """Spans joined where little lies between them; all as one where breaks would be too many."""
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start - joined[-1][1] <= _QUIET:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    if len(joined) > _MOST_BREAKS:
        return [(joined[0][0], max(stop for _, stop in joined))]
    return joined


def _segments(spans: Sequence[Span], low: float, high: float) -> Iterator[_Segment]:
    """The stretches laid side by side, each as wide as it is long."""
    gap = (high - low) / 24 if len(spans) > 1 else 0.0
    width = high - low - gap * (len(spans) - 1)
    # A short stretch keeps some width, or its one push could not be told from the break.
    least = width / (3 * len(spans))
    total = sum(stop - start for start, stop in spans)
    at = low
    for start, stop in spans:
        share = least + (width - least * len(spans)) * (stop - start) / total
        yield _Segment(start, stop, at, at + share)
        at += share + gap


def _step(segment: _Segment, apart: float) -> int:
    fitting = (step for step in _STEPS if step * segment.per_second >= apart)
    days = -(-apart // (_DAY * segment.per_second)) * _DAY
    return next(fitting, int(days))
