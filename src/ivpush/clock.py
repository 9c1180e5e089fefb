"""Instants and spans of time, and how they are put together, cut and counted.

The coding of a chart, the drug units of a claim and the MAR reader call it. Everything is counted
in whole seconds between instants, so that an hour lost or won at night is counted as it passed.
A minute is 60 elapsed seconds; fractions are dropped (15 min 59 s are 15 minutes).

    begun = moment(start, zone)
    ended = moment(stop, zone, after=begun.seconds)
    between(begun.seconds, ended.seconds)            # whole minutes
    zone = zone_named("America/Chicago")             # None for what is no IANA zone
    covered(unite([(0, 600), (300, 900)]))           # 900 seconds
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import accumulate
from typing import NamedTuple

from dateutil import tz

__all__ = [
    "Covered",
    "Moment",
    "Running",
    "Span",
    "between",
    "covered",
    "local_date",
    "local_time",
    "moment",
    "seconds_of",
    "shared",
    "unite",
    "when_reached",
    "without",
    "zone_named",
]

Span = tuple[int, int]
"""Start and stop in seconds. A plain tuple, because making a NamedTuple takes ten times as long."""
_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_SECOND = timedelta(seconds=1)
# A day or more within the ends of the calendar: no zone can carry a time across them.
_EARLIEST = (datetime(2, 1, 1) - _EPOCH) // _SECOND
_LATEST = (datetime(9999, 1, 1) - _EPOCH) // _SECOND
# Files and folders beside the IANA zones: copies, zones that count leap seconds, the machine's own.
_NO_ZONES = frozenset({"posix", "right", "posixrules", "localtime", "Factory"})


def zone_named(name: str | None) -> tzinfo | None:
    """The IANA time zone of that name; None where there is none.

    The machine's own zone and rules such as ``EST5`` are none, though dateutil reads them.
    """
    if name is None or not _is_plain(name) or name.split("/")[0] in _NO_ZONES:
        return None
    zone = tz.gettz(name)
    return zone if isinstance(zone, tz.tzfile | tz.tzutc) else None


def _is_plain(name: str) -> bool:
    """Whether a name is no path: dateutil opens it as a file below its folder of zones."""
    # Without a dot there is no '..', and a leading slash would leave that folder.
    bare = name.replace("/", "a").replace("_", "a").replace("+", "a").replace("-", "a")
    return name.isascii() and not name.startswith("/") and bare.isalnum()


class Moment(NamedTuple):
    """An instant in seconds, and what was odd about the way it was written."""

    seconds: int
    nonexistent: bool = False
    ambiguous: bool = False


def moment(written: datetime, zone: tzinfo | None, after: int | None = None) -> Moment:
    """The instant of a written time; a naive one is read in ``zone``, or as it stands without one.

    A time that the clocks skipped takes the offset from before the change. A time that came twice
    is its first reading, unless only the second lies at or after ``after`` (a start).
    """
    if zone is None or written.tzinfo is not None:
        return Moment(seconds_of(written))
    as_it_stands = seconds_of(written)
    # Systems write the last day of the calendar for an open end; there a zone changes nothing.
    if not _EARLIEST <= as_it_stands < _LATEST:
        return Moment(as_it_stands)
    # fold=0 is the offset from before a change of clocks, fold=1 the one from after it.
    first = (written.replace(tzinfo=zone, fold=0) - _EPOCH_UTC) // _SECOND
    if not tz.datetime_exists(written, zone):
        return Moment(first, nonexistent=True)
    if not tz.datetime_ambiguous(written, zone):
        return Moment(first)
    second = (tz.enfold(written.replace(tzinfo=zone), 1) - _EPOCH_UTC) // _SECOND
    late = after is not None and first < after <= second
    return Moment(second if late else first, ambiguous=True)


def seconds_of(written: datetime) -> int:
    """The instant of a written time as it stands, in seconds; a fraction of a second is dropped."""
    passed = written - (_EPOCH if written.tzinfo is None else _EPOCH_UTC)
    return passed.days * 86_400 + passed.seconds


def between(start: int, stop: int) -> int:
    """Whole minutes from one instant to another; negative where the second is earlier."""
    # Both directions drop fractions; // alone would round a negative length away from zero.
    return (stop - start) // 60 if stop >= start else -((start - stop) // 60)


def unite(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; touching spans become one."""
    united: list[Span] = []
    for start, stop in sorted(spans):
        if not united or start > united[-1][1]:
            united.append((start, stop))
        elif stop > united[-1][1]:
            united[-1] = (united[-1][0], stop)
    return united


def shared(ours: Iterable[Span], theirs: Iterable[Span]) -> int:
    """Seconds that two sets of disjoint, ordered spans have in common."""
    return Covered(theirs).shared(ours)


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of disjoint, ordered spans after others are cut out."""
    left, cuts = [], list(taken)
    for start, stop in spans:
        # What stands before ``free`` is settled: it is kept, or it was cut out.
        free = start
        for low, high in cuts:
            if low >= stop:
                continue
            if low > free:
                left.append((free, low))
            free = max(free, high)
        if free < stop:
            left.append((free, stop))
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


class Running:
    """Disjoint, ordered spans that are asked again and again when so much of them had passed."""

    __slots__ = ("_passed", "_spans")

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._passed = list(accumulate([stop - start for start, stop in spans]))

    def day_reached(self, seconds: int, zone: tzinfo | None) -> date:
        """The day on which so much running time had passed, or the last one where it never did."""
        seconds = min(seconds, self._passed[-1])
        place = bisect_left(self._passed, seconds)
        _, stop = self._spans[place]
        lacking = self._passed[place] - seconds
        # A span that ends at midnight belongs to the day before, hence the second less.
        return local_date(stop - lacking - 1, zone)


class Covered:
    """Time that disjoint, ordered spans cover, to which others are added one after another.

    In use::

        covered = Covered()
        covered.add((0, 600))
        covered.shared([(300, 900)])    # 300
    """

    __slots__ = ("_starts", "_stops")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        covered = list(spans)
        self._starts = [start for start, _ in covered]
        self._stops = [stop for _, stop in covered]

    def add(self, span: Span) -> None:
        """Cover a span as well; touching spans become one."""
        start, stop = span
        low, high = bisect_left(self._stops, start), bisect_right(self._starts, stop)
        if low < high:
            start, stop = min(start, self._starts[low]), max(stop, self._stops[high - 1])
        self._starts[low:high], self._stops[low:high] = [start], [stop]

    def shared(self, spans: Iterable[Span]) -> int:
        """Seconds that disjoint spans have in common with it."""
        total = 0
        for start, stop in spans:
            place = bisect_right(self._stops, start)
            while place < len(self._starts) and self._starts[place] < stop:
                total += min(stop, self._stops[place]) - max(start, self._starts[place])
                place += 1
        return total


def local_date(seconds: int, zone: tzinfo | None) -> date:
    """The calendar date of an instant where the patient was."""
    if zone is None or not _EARLIEST <= seconds < _LATEST:
        return date.fromordinal(_EPOCH_DAY + seconds // 86_400)
    return (_EPOCH_UTC + timedelta(seconds=seconds)).astimezone(zone).date()


def local_time(seconds: int, zone: tzinfo | None) -> datetime:
    """What a clock showed at an instant where the patient was; without a zone, as it stands."""
    within = timedelta(seconds=min(max(seconds, _EARLIEST), _LATEST))
    if zone is None:
        return _EPOCH + within
    at = (_EPOCH_UTC + within).astimezone(zone)
    # Of one zone Python would subtract what clocks show, and lose the hour that was put forward.
    return at.replace(tzinfo=timezone(at.utcoffset() or timedelta(0)))
