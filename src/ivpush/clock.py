"""Minutes: instants, intervals, overlaps, gaps, midnight, daylight saving.

All reckoning is in whole seconds between instants, so that an hour lost or won at night is counted
as it passed. A minute is 60 elapsed seconds; fractions are dropped (15 min 59 s are 15 minutes).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from dateutil import tz

__all__ = [
    "Moment",
    "Span",
    "between",
    "covered",
    "day_reached",
    "local_date",
    "minutes_of",
    "moment",
    "seconds_of",
    "shared",
    "unite",
    "when_reached",
    "without",
]

Span = tuple[int, int]
_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_SECOND = timedelta(seconds=1)


class Moment(NamedTuple):
    """An instant in seconds, and what was odd about the way it was written."""

    seconds: int
    nonexistent: bool = False
    ambiguous: bool = False


def moment(written: datetime, zone: tzinfo | None, after: int | None = None) -> Moment:
    """The instant of a written time; a naive one is read in ``zone``, or as it stands without one.

    A time that clocks skipped takes the offset from before the change. A time that happened twice
    is its first reading, unless only the second lies at or after ``after`` (a start).
    """
    if zone is None or written.tzinfo is not None:
        return Moment(seconds_of(written))
    first = (written.replace(tzinfo=zone, fold=0) - _EPOCH_UTC) // _SECOND
    if not tz.datetime_exists(written, zone):
        return Moment(first, nonexistent=True)
    if not tz.datetime_ambiguous(written, zone):
        return Moment(first)
    second = (tz.enfold(written.replace(tzinfo=zone), 1) - _EPOCH_UTC) // _SECOND
    late = after is not None and first < after <= second
    return Moment(second if late else first, ambiguous=True)


def seconds_of(written: datetime) -> int:
    """The instant of a written time as it stands."""
    passed = written - (_EPOCH if written.tzinfo is None else _EPOCH_UTC)
    return passed.days * 86_400 + passed.seconds


def minutes_of(seconds: int) -> int:
    """Whole minutes in a number of seconds."""
    return seconds // 60


def between(start: int, stop: int) -> int:
    """Whole minutes from one instant to another; negative where the second is earlier."""
    return (stop - start) // 60 if stop >= start else -((start - stop) // 60)


def unite(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; touching spans become one."""
    made: list[Span] = []
    for start, stop in sorted(spans):
        if made and start <= made[-1][1]:
            if stop > made[-1][1]:
                made[-1] = (made[-1][0], stop)
        else:
            made.append((start, stop))
    return made


def shared(one: Iterable[Span], other: Iterable[Span]) -> int:
    """Seconds that two sets of disjoint, ordered spans have in common."""
    total, theirs = 0, list(other)
    place = 0
    for start, stop in one:
        while place < len(theirs) and theirs[place][1] <= start:
            place += 1
        look = place
        while look < len(theirs) and theirs[look][0] < stop:
            total += min(stop, theirs[look][1]) - max(start, theirs[look][0])
            look += 1
    return total


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of disjoint, ordered spans after others are cut out."""
    left, cuts = [], list(taken)
    for start, stop in spans:
        at = start
        for low, high in cuts:
            if high <= at or low >= stop:
                continue
            if low > at:
                left.append((at, low))
            at = max(at, high)
        if at < stop:
            left.append((at, stop))
    return left


def covered(spans: Iterable[Span]) -> int:
    """Seconds that disjoint spans last."""
    return sum(stop - start for start, stop in spans)


def when_reached(spans: Iterable[Span], seconds: int) -> int | None:
    """The instant at which so much running time had passed, or the end where it never did."""
    end = None
    for start, stop in spans:
        if seconds <= stop - start:
            return start + seconds
        seconds -= stop - start
        end = stop
    return end


def day_reached(spans: list[Span], seconds: int, zone: tzinfo | None) -> date:
    """The day on which so much running time had passed, or the last one where it never did."""
    end = when_reached(spans, seconds)
    return local_date((end or spans[-1][1]) - 1, zone)


def local_date(seconds: int, zone: tzinfo | None) -> date:
    """The calendar date of an instant where the patient was."""
    if zone is None:
        return date.fromordinal(_EPOCH_DAY + seconds // 86_400)
    return (_EPOCH_UTC + timedelta(seconds=seconds)).astimezone(zone).date()
