"""One chart with other running minutes of one administration: what each length would bill.

``questions`` asks it for a missing stop. A longer drip mostly changes nothing but its own hours,
and those of a fluid that it runs beside. So the chart is coded anew at both ends of a stretch of
minutes only; where all else is equal there, the lines in between follow from the services that
grew (decision 13):

    minutes   0 ...... 14 15 16 ................... 91 .................... 1440
    bends     |         |  |  |                      |                         |
    slopes    [ as one ]       [ one service grows  ][ it grows, another shrinks ]
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from ivpush import clock
from ivpush.clock import Span
from ivpush.coding.mixtures import in_one_bag
from ivpush.coding.roles import HOUR, further_hours, hours_of
from ivpush.coding.suggestions import drafts_of
from ivpush.coding.techniques import DRIPS

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["Billing", "Retimed", "bends", "billing_of"]

Billing = frozenset[tuple[str, int, tuple[str, ...], date | None]]
"""Codes, units, modifiers and dates: where they are equal, answers bill the same."""

_RestsOn = tuple[object, ...]
"""What lines rest on: a stretch of minutes by its first, then hours and days of what grows."""

_STEPS = frozenset({-60, 0, 60})
"""Seconds that the end of a span may move in a minute."""


def billing_of(drafts: Iterable[Draft]) -> Billing:
    """What drafts bill."""
    return frozenset(
        [(draft.row.code, draft.units, draft.modifiers, draft.date) for draft in drafts]
    )


def bends(
    administration: AdministrationFacts,
    chart: Sequence[AdministrationFacts],
    book: Book,
    most: int,
) -> list[int]:
    """Minutes of one administration, 0 to ``most``, at which a rule or the chart draws a line.

    From one to the next, whatever changes beside its own hours changes once, for good. A rule does
    at its limits; the chart does where the administration reaches the start or end of another, has
    run beside it for long enough to be concurrent, or is as long. A drug that was added to a
    running bag has lines of its own, counted from then on.
    """
    minutes: set[int] = set()
    begun: dict[int | None, list[AdministrationFacts]] = {}
    for member in in_one_bag(administration, chart):
        begun.setdefault(member.start_seconds, []).append(member)
    for members in begun.values():
        later = _minutes_later(administration, members[0])
        minutes.update([at + later for at in _bends_of(members, chart, book)])
    return [0, *sorted(n for n in minutes if 0 < n < most), most]


def _minutes_later(administration: AdministrationFacts, member: AdministrationFacts) -> int:
    """How much later than an administration another one of its bag was begun."""
    begun, added = administration.start_seconds, member.start_seconds
    return 0 if begun is None or added is None else (added - begun) // 60


def _bends_of(
    members: Sequence[AdministrationFacts], chart: Iterable[AdministrationFacts], book: Book
) -> set[int]:
    """The minutes of what was begun at once, taken alone, at which something draws a line."""
    push, long = book.limits.push_max_minutes, book.limits.prolonged_minutes
    floor = book.policy.hydration_floor_minutes
    hour = book.policy.additional_hour_minutes
    # Both sides of each limit: 'at most' and 'more than' draw the line a minute apart.
    minutes = {push - 1, push, push + 1, floor - 1, floor, hour - 1, hour, long, long + 1}
    begun = members[0].start_seconds
    if begun is not None:
        edges = {at for each in members for at in each.times.counts if at is not None}
        # Minutes after the edge of the stay do not count, so growth ends there.
        minutes.update([(at - begun) // 60 for at in edges])
    day = book.limits.office_day_minutes
    minutes |= {day, day + 1}
    met: set[int] = set()
    for other in _heeded(members, chart):
        if other.technique in DRIPS and other.total_minutes is not None:
            minutes.add(other.total_minutes)
        if other.start_seconds is not None:
            met.update((other.start_seconds, *(other.span or ())))
    if begun is not None:
        together = book.policy.concurrent_min_overlap_minutes
        # Minutes after which one meets another, or has run beside it for long enough.
        minutes.update([(at - begun) // 60 + more for at in met for more in (0, together)])
    return minutes


def _heeded(
    members: Sequence[AdministrationFacts], chart: Iterable[AdministrationFacts]
) -> Iterator[AdministrationFacts]:
    """The administrations of a chart on which it may depend how long others run."""
    drugs = frozenset[str]().union(*(member.drug_keys for member in members))
    only = members[0] if len(members) == 1 else None
    for other in chart:
        # Nothing that runs long heeds a push of another drug.
        if other is not only and (other.technique in DRIPS or other.drug_keys & drugs):
            yield other


class Retimed:
    """Drafts by minutes; ``derived`` derives the chart with so many.

    In use::

        retimed = Retimed(encounter, book, derived, bends(administration, chart, book, 1440))
        for minutes, drafts in retimed.changes(until=480):
            ...

    ``marks`` are the minutes, in order, between which whatever changes beside hours changes once,
    for good; the chart is derived at those that are reached. Services are shared from call to call,
    so drafts must be put in words before the next ones are asked for.
    """

    __slots__ = (
        "_book",
        "_derived",
        "_encounter",
        "_ends",
        "_lows",
        "_marks",
        "_reached",
        "_slopes",
    )

    def __init__(
        self,
        encounter: Encounter,
        book: Book,
        derived: Callable[[int], Derived],
        marks: Sequence[int],
    ) -> None:
        self._encounter, self._book, self._derived = encounter, book, derived
        self._marks = marks
        self._reached = 0
        """How many stretches between marks are known."""
        self._ends: dict[int, Derived] = {}
        self._lows: list[int] = []
        self._slopes: list[_Slope | None] = []

    def changes(self, until: int, least: int = 0) -> Iterator[tuple[int, list[Draft]]]:
        """The minutes up to ``until`` from which on something else is billed, and the drafts.

        Where they are fewer than ``least``, those that come after.
        """
        last: Billing | None = None
        count = 0
        for low, high in self._stretches():
            at = low
            while at < high:
                drafts = self.drafts(at)
                billing = billing_of(drafts)
                if billing != last:
                    last, count = billing, count + 1
                    yield at, drafts
                at = self._next(at, high)
                if at > until and count >= least:
                    return

    def only_hours_come(self, minutes: int, until: int | None = None) -> bool:
        """Whether from so many minutes on nothing changes but lengths; up to the last mark."""
        self._reach(minutes)
        place, last = self._place(minutes), self._marks[-1] if until is None else until
        low, slope = self._lows[place], self._slopes[place]
        if slope is None or low >= last:
            return False
        near, far = slope.at(low, self._book), self._derived(last)
        return _slope(low, near, last, far, self._book) is not None

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """The stretches, each with the first minute after it."""
        place = 0
        while place < len(self._lows) or self._go_on():
            low = self._lows[place]
            place += 1
            yield low, self._lows[place] if place < len(self._lows) else self._end()

    def _end(self) -> int:
        """The first minute after what is known."""
        last = self._reached == len(self._marks) - 1
        return self._marks[self._reached] + last

    def _go_on(self) -> bool:
        """Look at the stretch up to the next mark; whether there was one."""
        if self._reached == len(self._marks) - 1:
            return False
        low, high = self._marks[self._reached : self._reached + 2]
        # Whoever asked for drafts has moved the end of the last slope: back to where it was.
        if self._slopes and self._slopes[-1] is not None:
            self._slopes[-1].at(low, self._book)
        self._reached += 1
        self._spread(low, high)
        self._ends = {high: self._ends[high]}
        return True

    def _reach(self, minutes: int) -> None:
        while minutes >= self._end() and self._go_on():
            pass

    def _next(self, at: int, high: int) -> int:
        """The first minute after ``at`` whose lines rest on something else; else ``high``."""
        rests_on = self._rests_on(at)

        def differs(minutes: int) -> bool:
            return self._rests_on(minutes) != rests_on

        below = at + 1
        if below < high and differs(below):
            return below
        hour = at + HOUR  # hours come evenly, so try where the next one does
        if hour < high:
            if not differs(hour):
                below = hour
            elif differs(hour - 1):
                high = hour
            else:
                return hour
        return bisect_left(range(high), True, below, key=differs)

    def drafts(self, minutes: int) -> list[Draft]:
        """The drafts of so many minutes, good until the next are asked for."""
        self._reach(minutes)
        slope = self._slopes[self._place(minutes)]
        derived = self._derived(minutes) if slope is None else slope.at(minutes, self._book)
        return drafts_of(derived, self._encounter, self._book)

    def _place(self, minutes: int) -> int:
        return max(0, bisect_right(self._lows, minutes) - 1)

    def _rests_on(self, minutes: int) -> _RestsOn:
        slope = self._slopes[self._place(minutes)]
        return (minutes, None) if slope is None else slope.rests_on(minutes, self._book)

    def _spread(self, low: int, high: int) -> None:
        """Cut minutes into stretches in which one service grows, and single steps of all else."""
        for minutes in (low, high):
            if minutes not in self._ends:
                self._ends[minutes] = self._derived(minutes)
        slope = _slope(low, self._ends[low], high, self._ends[high], self._book)
        if slope is None and high - low > 1:
            # Halved until a stretch is even, or one minute long, which is coded as it is.
            middle = (low + high) // 2
            self._spread(low, middle)
            self._spread(middle, high)
            return
        self._lows.append(low)
        self._slopes.append(slope)


class _Move(NamedTuple):
    """Seconds that the two ends of a span move in a minute."""

    start: int
    end: int


@dataclass(slots=True, eq=False, repr=False)
class _Growth:
    """One service that grows, shrinks or moves evenly with the minutes of an administration."""

    service: ServiceFacts
    minutes: int
    by: int
    """Minutes of it a minute: 1, 0 or -1."""
    spans: list[Span]
    moves: list[_Move]
    hours: bool
    """Whether its minutes earn further hours."""

    @property
    def inside(self) -> bool:
        """Whether more moves than the end of the last span."""
        return any(move.start for move in self.moves) or any(move.end for move in self.moves[:-1])

    def further(self, more: int, book: Book) -> int:
        """Its further hours, so many minutes on."""
        return further_hours(self.minutes + self.by * more, book) if self.hours else 0

    def spans_at(self, more: int) -> list[Span]:
        """Its spans, so many minutes on."""
        return [
            (start + more * move.start, end + more * move.end)
            for (start, end), move in zip(self.spans, self.moves, strict=True)
        ]

    def rests_on(self, more: int, book: Book, zone: tzinfo | None) -> _RestsOn:
        """All that its lines rest on: its further hours, and the days it begins and ends on.

        An hour that is over has its day, and of those that count only the last may run on. Where
        more moves than its end, each hour's own day counts.
        """
        further = self.further(more, book)
        if not self.spans:
            return (further,)
        spans = self.spans_at(more)
        begun = clock.local_date(spans[0][0], zone)
        ended = clock.local_date(spans[-1][1] - 1, zone)
        if begun == ended or not self.inside:
            return further, begun, ended
        running, hours = clock.Running(spans), range(1, further + 2)
        return further, begun, *(running.day_reached(3600 * hour, zone) for hour in hours)

    def apply(self, more: int, book: Book) -> None:
        """Give the service the length that so many more minutes come to."""
        service = self.service
        service.minutes = self.minutes + self.by * more
        service.further = self.further(more, book)
        service.spans = self.spans_at(more)
        if self.spans and self.moves[0].start:
            service.start = service.spans[0][0]


class _Slope:
    """A stretch of minutes in which nothing of the chart changes but how long services are."""

    __slots__ = ("_derived", "_growths", "_low")

    def __init__(self, low: int, derived: Derived, growths: list[_Growth]) -> None:
        self._low, self._derived, self._growths = low, derived, growths

    def rests_on(self, minutes: int, book: Book) -> _RestsOn:
        """All that the lines of so many minutes rest on."""
        zone, more = self._derived.zone, minutes - self._low
        return (self._low, *(growth.rests_on(more, book, zone) for growth in self._growths))

    def at(self, minutes: int, book: Book) -> Derived:
        """The chart as derived, with the lengths that so many minutes come to."""
        for growth in self._growths:
            growth.apply(minutes - self._low, book)
        return self._derived


def _slope(low: int, near: Derived, high: int, far: Derived, book: Book) -> _Slope | None:
    """How the chart changes from ``low`` to ``high`` minutes, where only lengths do, and evenly."""
    if _frame(near) != _frame(far):
        return None
    growths = []
    for short, long in zip(near.services, far.services, strict=True):
        if _extent(short) != _extent(long):
            growth = _growth(short, long, high - low, book)
            if growth is None:
                return None
            growths.append(growth)
    return _Slope(low, far, growths)


def _growth(short: ServiceFacts, long: ServiceFacts, more: int, book: Book) -> _Growth | None:
    """How a service grows over so many minutes; None where it does so unevenly."""
    moves = _moves(short.spans, long.spans, more)
    timed = short.minutes is not None and long.minutes is not None
    by, uneven = divmod((long.minutes or 0) - (short.minutes or 0), more)
    even = timed and not uneven and abs(by) <= 1
    hours = all(service.further == hours_of(service, book) for service in (short, long))
    earns = hours or short.further == long.further == 0
    if moves is None or not even or not earns or not _starts_evenly(short, long, moves):
        return None
    return _Growth(long, short.minutes or 0, by, list(short.spans), moves, hours)


def _starts_evenly(short: ServiceFacts, long: ServiceFacts, moves: list[_Move]) -> bool:
    """Whether a service starts where it did, or moves with its first span."""
    if moves and moves[0].start:
        return (short.start, long.start) == (short.spans[0][0], long.spans[0][0])
    return short.start == long.start


def _moves(short: list[Span], long: list[Span], more: int) -> list[_Move] | None:
    """How the ends of each span move in a minute; None where one does so unevenly."""
    if len(short) != len(long):
        return None
    moves = []
    for near, far in zip(short, long, strict=True):
        start, odd = divmod(far[0] - near[0], more)
        # Evenly or not at all: an uneven end means that something began to shorten it.
        end, odder = divmod(far[1] - near[1], more)
        if odd or odder or start not in _STEPS or end not in _STEPS:
            return None
        moves.append(_Move(start, end))
    return moves


def _extent(service: ServiceFacts) -> tuple[object, ...]:
    return service.minutes, service.further, service.spans, service.start


def _frame(derived: Derived) -> tuple[object, ...]:
    """Everything that lines rest on beside how long services are, and when."""
    services = derived.services
    places = {id(service): place for place, service in enumerate(services)}
    initials = [
        None if chain.initial is None else places.get(id(chain.initial)) for chain in derived.chains
    ]
    return (
        [_service_frame(service) for service in services],
        sorted(range(len(services)), key=lambda place: services[place].order),
        [(chain.index, chain.visit) for chain in derived.chains],
        initials,
    )


def _service_frame(service: ServiceFacts) -> tuple[object, ...]:
    members = [(each.given.id, each.visit) for each in service.administrations]
    return (
        service.row,
        service.role,
        service.because,
        service.repeats_dose,
        service.decided_by,
        service.chain,
        service.rank,
        service.technique,
        members,
    )
