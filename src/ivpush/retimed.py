"""One chart with other running minutes of one administration: what each length would bill.

A longer drip mostly changes nothing but its own hours. So the chart is derived anew at both ends of
a stretch of minutes only; where all else is equal there, the lines in between follow from the
minutes of the one service that grew.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ivpush import clock
from ivpush.derive import further_hours
from ivpush.lines import drafts_of

if TYPE_CHECKING:
    from ivpush.book import Book
    from ivpush.derive import Derived
    from ivpush.lines import Draft
    from ivpush.models import Encounter
    from ivpush.vocabulary import AdministrationFacts, ServiceFacts

__all__ = ["Kind", "Retimed", "bends", "kind_of"]

Kind = frozenset[tuple[str, int, tuple[str, ...], date | None]]
"""Codes, units, modifiers and dates: where they are equal, answers bill the same."""
_Rest = tuple[int, int, date | None]
"""What lines rest on: a stretch of minutes by its first, its further hours, the day of its end."""


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
        if other is one:
            continue
        if other.total_minutes is not None and other.technique == "infusion":
            found.add(other.total_minutes)
        if begun is not None and other.start_seconds is not None:
            for at in (other.start_seconds, *(other.span or ())):
                met = (at - begun) // 60
                found.update((met, met + policy.concurrent_min_overlap_minutes))
    return [0, *sorted(n for n in found if 0 < n < most), most]


class Retimed:
    """Drafts and kinds by minutes; ``derived`` derives the chart with so many.

    ``bends`` are the minutes, in order, between which whatever changes beside hours changes once,
    for good. Services are shared from call to call, so drafts must be put in words before the next
    ones are asked for.
    """

    __slots__ = ("_at", "_book", "_derived", "_encounter", "_kinds", "_last", "_lows", "_slopes")

    def __init__(
        self, encounter: Encounter, book: Book, derived: Callable[[int], Derived], bends: list[int]
    ) -> None:
        self._encounter, self._book, self._derived = encounter, book, derived
        self._last = bends[-1]
        self._at: dict[int, Derived] = {}
        self._kinds: dict[_Rest, Kind] = {}
        self._lows: list[int] = []
        self._slopes: list[_Slope | None] = []
        for low, high in pairwise(bends):
            self._spread(low, high)
        self._at.clear()  # a slope changes the chart at its end

    def starts(self) -> list[int]:
        """The minutes, from the first, from which on something else is billed."""
        found = [self._lows[0]]
        for low, high in pairwise([*self._lows, self._last + 1]):
            at = low
            while at < high:
                if self.kind(at) != self.kind(found[-1]):
                    found.append(at)
                at = self._next(at, high)
        return found

    def _next(self, at: int, high: int) -> int:
        """The first minute after ``at`` whose lines rest on something else; else ``high``."""
        rest = self._rests_on(at)
        return bisect_left(range(high), True, at + 1, key=lambda n: self._rests_on(n) != rest)

    def kind(self, minutes: int) -> Kind:
        """What so many minutes would bill."""
        rest = self._rests_on(minutes)
        found = self._kinds.get(rest)
        if found is None:
            found = self._kinds[rest] = kind_of(self.drafts(minutes))
        return found

    def drafts(self, minutes: int) -> list[Draft]:
        """The drafts of so many minutes, good until the next are asked for."""
        slope = self._slope_at(minutes)
        derived = self._derived(minutes) if slope is None else slope.at(minutes, self._book)
        return drafts_of(derived, self._encounter, self._book)

    def _slope_at(self, minutes: int) -> _Slope | None:
        return self._slopes[max(0, bisect_right(self._lows, minutes) - 1)]

    def _rests_on(self, minutes: int) -> _Rest:
        slope = self._slope_at(minutes)
        return (minutes, 0, None) if slope is None else slope.rests_on(minutes, self._book)

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


class _Slope:
    """A stretch of minutes in which the chart differs by the length of one service at most."""

    __slots__ = ("_base", "_derived", "_hours", "_low", "_service", "_spans")

    def __init__(
        self, low: int, base: ServiceFacts | None, derived: Derived, service: ServiceFacts | None,
        *, hours: bool,
    ) -> None:  # fmt: skip
        self._low, self._derived, self._service, self._hours = low, derived, service, hours
        self._base = base.minutes or 0 if base is not None else 0
        self._spans = list(base.spans) if base is not None else []

    def rests_on(self, minutes: int, book: Book) -> _Rest:
        """All that the lines rest on: the stretch, its further hours and the day of its end.

        An hour that is over has its day, and of those that count only the last may run on.
        """
        if self._service is None:
            return self._low, 0, None
        more, day = minutes - self._low, None
        further = further_hours(self._base + more, book) if self._hours else 0
        if self._spans:
            day = clock.local_date(self._spans[-1][1] + 60 * more - 1, self._derived.zone)
        return self._low, further, day

    def at(self, minutes: int, book: Book) -> Derived:
        """The chart as derived, with the service as long as so many minutes make it."""
        service = self._service
        if service is not None:
            more = minutes - self._low
            service.minutes = self._base + more
            if self._hours:
                service.further = further_hours(service.minutes, book)
            if self._spans:
                start, end = self._spans[-1]
                service.spans = [*self._spans[:-1], (start, end + 60 * more)]
        return self._derived


def _slope(low: int, one: Derived, high: int, other: Derived, book: Book) -> _Slope | None:
    """How the chart changes from ``low`` to ``high`` minutes, where only one service grows."""
    if _frame(one) != _frame(other):
        return None
    grown = [pair for pair in zip(one.services, other.services, strict=True)
             if _extent(pair[0]) != _extent(pair[1])]  # fmt: skip
    if not grown:
        return _Slope(low, None, other, None, hours=False)
    if len(grown) > 1:
        return None
    short, long = grown[0]
    more = high - low
    if short.minutes is None or long.minutes is None or long.minutes - short.minutes != more:
        return None
    if [*short.spans[:-1]] != [*long.spans[:-1]] or len(short.spans) != len(long.spans):
        return None
    if short.spans:
        (start, end), (same, later) = short.spans[-1], long.spans[-1]
        if start != same or later - end != 60 * more:
            return None
    hours = all(s.further == further_hours(s.minutes or 0, book) for s in (short, long))
    if not hours and (short.further or long.further):
        return None
    return _Slope(low, short, other, long, hours=hours)


def _extent(service: ServiceFacts) -> tuple[Any, ...]:
    return service.minutes, service.further, service.spans


def _frame(derived: Derived) -> tuple[Any, ...]:
    """Everything that lines rest on beside how long services are."""
    services = derived.services
    places = {id(service): place for place, service in enumerate(services)}
    return (
        [(s.row, s.role, s.because, s.extra, s.chain, s.start, s.rank, s.technique,
          [(one.given.id, one.visit) for one in s.administrations]) for s in services],
        sorted(range(len(services)), key=lambda place: services[place].order),
        [(c.index, c.visit, places.get(id(c.initial)))
         for c in derived.chains],
    )  # fmt: skip
