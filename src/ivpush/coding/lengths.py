"""One chart with other running minutes of one administration: what each length would bill.

A longer drip mostly changes nothing but its own hours, and those of a fluid that it runs beside. So
the chart is derived anew at both ends of a stretch of minutes only; where all else is equal there,
the lines in between follow from the services that grew.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ivpush import clock
from ivpush.clock import Span
from ivpush.coding.roles import HOUR, further_hours
from ivpush.coding.suggestions import drafts_of

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import Encounter
    from ivpush.contract.facts import AdministrationFacts, ServiceFacts
    from ivpush.pack.book import Book

__all__ = [
    "Kind",
    "Retimed",
    "bends",
    "kind_of",
]

_DRIPS = frozenset({"infusion", "pump", "sc_infusion", "ia_infusion", "ia_pump"})
Kind = frozenset[tuple[str, int, tuple[str, ...], date | None]]
"""Codes, units, modifiers and dates: where they are equal, answers bill the same."""
_Rest = tuple[Any, ...]
"""What lines rest on: a stretch of minutes by its first, then hours and days of what grows."""
_STEPS = frozenset({-60, 0, 60})


def kind_of(drafts: list[Draft]) -> Kind:
    """What drafts bill."""
    return frozenset([(one.row.code, one.units, one.modifiers, one.date) for one in drafts])


def bends(
    one: AdministrationFacts, facts: list[AdministrationFacts], book: Book, most: int
) -> list[int]:
    """Minutes of one administration, 0 to ``most``, at which a rule or the chart draws a line.

    From one to the next, whatever changes beside its own hours changes once, for good. A rule does
    at its limits; the chart does where the administration reaches the start or end of another, has
    run beside it for long enough to be concurrent, or is as long.
    """
    limits, policy, begun = book.limits, book.policy, one.start_seconds
    push, floor, long = (
        limits.push_max_minutes, policy.hydration_floor_minutes, limits.prolonged_minutes
    )  # fmt: skip
    found = {push - 1, push, push + 1, floor - 1, floor, long, long + 1}
    for other in facts:
        drips = other.technique in _DRIPS
        if other is one or not (drips or other.drug_keys & one.drug_keys):
            continue  # nothing that runs long heeds a push of another drug
        if drips and other.total_minutes is not None:
            found.add(other.total_minutes)
        if begun is not None and other.start_seconds is not None:
            for at in (other.start_seconds, *(other.span or ())):
                met = (at - begun) // 60
                found.update((met, met + policy.concurrent_min_overlap_minutes))
    return [0, *sorted(n for n in found if 0 < n < most), most]


class Retimed:
    """Drafts by minutes; ``derived`` derives the chart with so many.

    ``bends`` are the minutes, in order, between which whatever changes beside hours changes once,
    for good. Services are shared from call to call, so drafts must be put in words before the next
    ones are asked for.
    """

    __slots__ = ("_at", "_book", "_derived", "_encounter", "_last", "_lows", "_slopes")

    def __init__(
        self, encounter: Encounter, book: Book, derived: Callable[[int], Derived], bends: list[int]
    ) -> None:
        self._encounter, self._book, self._derived = encounter, book, derived
        self._last = bends[-1]
        self._at: dict[int, Derived] = {}
        self._lows: list[int] = []
        self._slopes: list[_Slope | None] = []
        for low, high in pairwise(bends):
            self._spread(low, high)
        self._at.clear()  # a slope changes the chart at its end

    def changes(self) -> Iterator[tuple[int, list[Draft]]]:
        """The minutes, from the first, from which on something else is billed, and the drafts."""
        last: Kind | None = None
        for low, high in pairwise([*self._lows, self._last + 1]):
            at = low
            while at < high:
                drafts = self.drafts(at)
                kind = kind_of(drafts)
                if kind != last:
                    last = kind
                    yield at, drafts
                at = self._next(at, high)

    def _next(self, at: int, high: int) -> int:
        """The first minute after ``at`` whose lines rest on something else; else ``high``."""
        rest = self._rests_on(at)

        def other(minutes: int) -> bool:
            return self._rests_on(minutes) != rest

        below = at + 1
        if below < high and other(below):
            return below
        hour = at + HOUR  # hours come evenly, so try where the next one does
        if hour < high:
            if other(hour):
                if not other(hour - 1):
                    return hour
                high = hour
            else:
                below = hour
        return bisect_left(range(high), True, below, key=other)

    def drafts(self, minutes: int) -> list[Draft]:
        """The drafts of so many minutes, good until the next are asked for."""
        slope = self._slope_at(minutes)
        derived = self._derived(minutes) if slope is None else slope.at(minutes, self._book)
        return drafts_of(derived, self._encounter, self._book)

    def _slope_at(self, minutes: int) -> _Slope | None:
        return self._slopes[max(0, bisect_right(self._lows, minutes) - 1)]

    def _rests_on(self, minutes: int) -> _Rest:
        slope = self._slope_at(minutes)
        return (minutes, None) if slope is None else slope.rests_on(minutes, self._book)

    def _spread(self, low: int, high: int) -> None:
        """Cut minutes into stretches in which one service grows, and single steps of all else."""
        for minutes in (low, high):
            if minutes not in self._at:
                self._at[minutes] = self._derived(minutes)
        slope = _slope(low, self._at[low], high, self._at[high], self._book)
        if slope is None and high - low > 1:
            middle = (low + high) // 2
            self._spread(low, middle)
            self._spread(middle, high)
            return
        self._lows.append(low)
        self._slopes.append(slope)


@dataclass(slots=True)
class _Growth:
    """One service that grows, shrinks or moves evenly with the minutes of an administration."""

    service: ServiceFacts
    minutes: int
    by: int
    """Minutes of it a minute: 1, 0 or -1."""
    spans: list[Span]
    moves: list[tuple[int, int]]
    """Seconds that the ends of each span move in a minute."""
    inside: bool
    """Whether more moves than the end of the last span."""
    hours: bool
    """Whether its minutes earn further hours."""

    def further(self, more: int, book: Book) -> int:
        """Its further hours, so many minutes on."""
        return further_hours(self.minutes + self.by * more, book) if self.hours else 0

    def spans_at(self, more: int) -> list[Span]:
        """Its spans, so many minutes on."""
        pairs = zip(self.spans, self.moves, strict=True)
        return [(start + more * first, end + more * last) for (start, end), (first, last) in pairs]

    def rests_on(self, more: int, book: Book, zone: tzinfo | None) -> tuple[Any, ...]:
        """All that its lines rest on: its further hours, and the days it begins and ends on.

        An hour that is over has its day, and of those that count only the last may run on. Where
        more moves than its end, each hour's own day counts.
        """
        further = self.further(more, book)
        if not self.spans:
            return (further,)
        begun = clock.local_date(self.spans[0][0] + more * self.moves[0][0], zone)
        ended = clock.local_date(self.spans[-1][1] + more * self.moves[-1][1] - 1, zone)
        if begun == ended or not self.inside:
            return further, begun, ended
        spans = self.spans_at(more)
        return further, *(clock.day_reached(spans, 3600 * n, zone) for n in range(1, further + 2))

    def apply(self, more: int, book: Book) -> None:
        """Give the service the length that so many more minutes come to."""
        service = self.service
        service.minutes = self.minutes + self.by * more
        service.further = self.further(more, book)
        service.spans = self.spans_at(more)
        if self.spans and self.moves[0][0]:
            service.start = service.spans[0][0]


class _Slope:
    """A stretch of minutes in which nothing of the chart changes but how long services are."""

    __slots__ = ("_derived", "_growths", "_low")

    def __init__(self, low: int, derived: Derived, growths: list[_Growth]) -> None:
        self._low, self._derived, self._growths = low, derived, growths

    def rests_on(self, minutes: int, book: Book) -> _Rest:
        """All that the lines of so many minutes rest on."""
        zone, more = self._derived.zone, minutes - self._low
        return (self._low, *(one.rests_on(more, book, zone) for one in self._growths))

    def at(self, minutes: int, book: Book) -> Derived:
        """The chart as derived, with the lengths that so many minutes come to."""
        for one in self._growths:
            one.apply(minutes - self._low, book)
        return self._derived


def _slope(low: int, one: Derived, high: int, other: Derived, book: Book) -> _Slope | None:
    """How the chart changes from ``low`` to ``high`` minutes, where only lengths do, and evenly."""
    if _frame(one) != _frame(other):
        return None
    growths = []
    for short, long in zip(one.services, other.services, strict=True):
        if _extent(short) != _extent(long):
            growth = _growth(short, long, high - low, book)
            if growth is None:
                return None
            growths.append(growth)
    return _Slope(low, other, growths)


def _growth(short: ServiceFacts, long: ServiceFacts, more: int, book: Book) -> _Growth | None:
    if short.minutes is None or long.minutes is None or len(short.spans) != len(long.spans):
        return None
    by, uneven = divmod(long.minutes - short.minutes, more)
    moves = []
    for here, there in zip(short.spans, long.spans, strict=True):
        first, odd = divmod(there[0] - here[0], more)
        last, odder = divmod(there[1] - here[1], more)
        uneven = uneven or odd or odder or first not in _STEPS or last not in _STEPS
        moves.append((first, last))
    starts = short.start == long.start
    if short.spans and moves[0][0]:
        starts = (short.start, long.start) == (short.spans[0][0], long.spans[0][0])
    hours = all(one.further == further_hours(one.minutes or 0, book) for one in (short, long))
    if uneven or abs(by) > 1 or not starts or not (hours or short.further == long.further == 0):
        return None
    inside = any(first for first, _ in moves) or any(last for _, last in moves[:-1])
    return _Growth(long, short.minutes, by, list(short.spans), moves, inside, hours)


def _extent(service: ServiceFacts) -> tuple[Any, ...]:
    return service.minutes, service.further, service.spans, service.start


def _frame(derived: Derived) -> tuple[Any, ...]:
    """Everything that lines rest on beside how long services are, and when."""
    services = derived.services
    places = {id(service): place for place, service in enumerate(services)}
    return (
        [(s.row, s.role, s.because, s.extra, s.chain, s.rank, s.technique,
          [(one.given.id, one.visit) for one in s.administrations]) for s in services],
        sorted(range(len(services)), key=lambda place: services[place].order),
        [(c.index, c.visit, None if c.initial is None else places.get(id(c.initial)))
         for c in derived.chains],
    )  # fmt: skip
