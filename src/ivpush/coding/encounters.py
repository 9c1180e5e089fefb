"""Where one encounter ends and the next begins, in a chart and in a claim of several dates.

Step 0 of DESIGN section 3. ``derivation`` cuts the chart before anything is counted, and ``claim``
gives each line its own encounter, so that initial services, add-ons and limits count within one.
What ends an encounter is the policy ``encounter_boundary``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ivpush import clock
from ivpush.coding.times import by_time, shows_hours, stay_of

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import AdministrationFacts
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["Calendar", "Days", "cut"]

_HOUR = 3600
_DAY = timedelta(days=1)


class Days(NamedTuple):
    """A stretch of calendar days, both ends within it."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.first <= day <= self.last

    def meets(self, other: Days) -> bool:
        """Whether two stretches share a day."""
        return self.first <= other.last and other.first <= self.last


def cut(
    administrations: Sequence[AdministrationFacts],
    encounter: Encounter,
    book: Book,
    zone: tzinfo | None,
) -> list[list[AdministrationFacts]]:
    """The administrations by encounter, in chart order; each is given the number of its own.

    One without a start goes with the run or the mixture that it names, else with its neighbour in
    the chart: nobody said on which date it was given.
    """
    if not _on_several_dates(administrations, zone):
        return [list(administrations)]
    last = _number(administrations, encounter, book, zone)
    if last == 0:
        return [list(administrations)]
    # After the timed ones have numbers, which it takes over from them.
    _place_untimed(administrations)
    parts: dict[int, list[AdministrationFacts]] = {}
    for administration in administrations:
        parts.setdefault(administration.part, []).append(administration)
    return [parts[number] for number in sorted(parts)]


def _on_several_dates(administrations: Iterable[AdministrationFacts], zone: tzinfo | None) -> bool:
    """Whether starts may lie on more than one date: seldom."""
    starts = [start for each in administrations if (start := each.given.start) is not None]
    # As charted: cheap, and enough to see that all is one date.
    if len({start.date() for start in starts}) > 1:
        return True
    # One date of another offset, such as that of UTC, may be two where the patient was.
    return any(start.tzinfo not in (None, zone) for start in starts)


def _number(
    administrations: Iterable[AdministrationFacts],
    encounter: Encounter,
    book: Book,
    zone: tzinfo | None,
) -> int:
    """Number the encounters of the timed administrations, from 0; says the last number."""
    timed = sorted(
        [each for each in administrations if each.start_seconds is not None], key=by_time
    )
    ends = _ends_of_runs(timed)
    boundary = _Boundary(encounter, book, zone)
    before: AdministrationFacts | None = None
    number, until = 0, 0
    for current in timed:
        if before is not None and boundary.lies_between(before, until, current):
            number += 1
        current.part = number
        until = max(until, ends[current.run]) if before is not None else ends[current.run]
        before = current
    return number


def _ends_of_runs(timed: Iterable[AdministrationFacts]) -> dict[int, int]:
    """When each run was over where the patient was: a device that runs on goes home with him."""
    ends: dict[int, int] = {}
    for each in timed:
        assert each.start_seconds is not None
        # A pump that runs on at home keeps nobody in the hospital.
        goes_home = each.given.device is not None
        end = each.start_seconds if goes_home or each.span is None else each.span[1]
        ends[each.run] = max(ends.get(each.run, end), end)
    return ends


def _last_second(start: int, end: int) -> int:
    """The last second that ran: what ends at 24:00 ends on its own date."""
    return end - 1 if end > start else end


def _place_untimed(administrations: Sequence[AdministrationFacts]) -> None:
    by_id = {each.given.id: each for each in administrations}
    last = 0
    for administration in administrations:
        if administration.follows is not None:
            administration.part = administration.follows.part
        elif administration.start_seconds is None:
            named = administration.given.continues
            administration.part = by_id[named].part if named is not None else last
        last = administration.part


class _Boundary:
    """What parts two administrations that follow each other in time."""

    def __init__(self, encounter: Encounter, book: Book, zone: tzinfo | None) -> None:
        self._rule, self._zone = book.policy.encounter_boundary, zone
        self._office = encounter.setting == "professional"
        hours = book.policy.encounter_gap_hours
        if self._rule == "gap_hours":
            hours = book.policy.encounter_boundary_gap_hours
        self._gap = hours * _HOUR
        self._stay = _real_stay(encounter, book, zone)
        self._observed = _observed(encounter, book)

    def lies_between(
        self, before: AdministrationFacts, until: int, current: AdministrationFacts
    ) -> bool:
        """Whether an encounter ended after ``until``, when all before was over."""
        begun = current.start_seconds
        assert begun is not None
        assert before.start_seconds is not None
        if self._rule == "encounter_id":
            return False
        if self._rule == "calendar_day":
            return self._day(before.start_seconds) != self._day(begun)
        last = _last_second(before.start_seconds, until)
        # Within one date, or across a midnight that something ran over, nothing ends.
        if self._day(begun) <= self._day(last):
            return False
        if self._rule == "gap_hours":
            return begun - until > self._gap
        # A professional encounter is its date; a new visit number is a new arrival.
        if self._office or before.given.visit != current.given.visit:
            return True
        return begun - until >= self._gap and not self._stayed(until, begun)

    def _day(self, seconds: int) -> date:
        return clock.local_date(seconds, self._zone)

    def _stayed(self, until: int, begun: int) -> bool:
        """Whether the encounter's own span, or a billed observation, covers the gap."""
        if self._stay is not None and self._stay[0] <= until and begun <= self._stay[1]:
            return True
        gap = self._day(until), self._day(begun)
        return any(days.holds(gap[0]) and days.holds(gap[1]) for days in self._observed)


def _real_stay(encounter: Encounter, book: Book, zone: tzinfo | None) -> clock.Span | None:
    """The span of the encounter, where it tells of a stay and is no account of many visits."""
    stay = stay_of(encounter, zone)
    if stay is None or not shows_hours(encounter):
        return None
    longest = book.limits.longest_outpatient_stay_hours * _HOUR
    # A longer span is an account of many visits (series billing), and no stay.
    return stay if stay[1] - stay[0] < longest else None


def _observed(encounter: Encounter, book: Book) -> list[Days]:
    """Days of each billed observation: its hours may have begun at any time of its date."""
    if encounter.setting != "facility":
        return []
    stretches: list[Days] = []
    for line in encounter.lines or ():
        row = book.code_any(line.code)
        day = line.date if line.date is not None else encounter.service_date
        if row is not None and row.technique == "observation" and day is not None:
            # Units are hours (Claims Processing Manual 4, 290.2.2); rounded up to days.
            stretches.append(Days(day, day + _DAY * -(-line.units // 24)))
    united: list[Days] = []
    for stretch in sorted(stretches):
        if united and united[-1].meets(stretch):
            united[-1] = Days(united[-1].first, max(united[-1].last, stretch.last))
        else:
            united.append(stretch)
    return united


class Calendar:
    """The encounters of a claim by date.

    In use::

        calendar = Calendar(encounter, derived.administrations, book, derived.zone)
        calendar.part_on(line.date)          # 1: the second encounter of the chart
        calendar.encounter_on(line.date)     # a key that lines of one encounter share
    """

    def __init__(
        self,
        encounter: Encounter,
        administrations: Sequence[AdministrationFacts],
        book: Book,
        zone: tzinfo | None,
    ) -> None:
        self._whole = book.policy.encounter_boundary == "encounter_id"
        self._parts: dict[int, Days] = {}
        self._in_time: list[_Part] = []
        self._observed: list[Days] = []
        if not _may_differ(encounter):
            return
        if book.policy.encounter_boundary != "calendar_day":
            self._observed = _observed(encounter, book)
        self._parts = _days_of_parts(administrations, encounter.service_date, zone)
        self._in_time = _in_time(self._parts)

    def part_on(self, day: date | None) -> int | None:
        """The number of the chart's encounter on a date; None: the chart has none on it."""
        if day is None:
            return None
        found: _Part | None = None
        # A claim may hold thousands, so only those are looked at that may hold the day.
        for place in range(bisect_right(self._in_time, day, key=_first_day) - 1, -1, -1):
            part = self._in_time[place]
            if part.latest < day:
                break
            if part.days.holds(day) and (found is None or part.place < found.place):
                found = part
        return None if found is None else found.number

    def encounter_on(self, day: date | None) -> object:
        """What the lines of one encounter share: the number of the chart's, else their date."""
        if self._whole or day is None:
            return None
        number = self.part_on(day)
        if number is not None:
            return number
        for stretch in self._observed:
            if stretch.holds(day):
                # A billed observation that meets a charted part is the same encounter.
                within = [n for n, days in self._parts.items() if days.meets(stretch)]
                return within[0] if within else stretch.first
        return day


class _Part(NamedTuple):
    """One encounter of the chart, among those that began before it."""

    days: Days
    number: int
    place: int
    """Where the chart has it first."""
    latest: date
    """The last day of it and of all that began before."""


def _first_day(part: _Part) -> date:
    return part.days.first


def _in_time(parts: Mapping[int, Days]) -> list[_Part]:
    """The encounters of a chart by their first days."""
    ordered = sorted([(days, n, place) for place, (n, days) in enumerate(parts.items())])
    latest = accumulate([days.last for days, _, _ in ordered], max)
    return [_Part(*part, last) for part, last in zip(ordered, latest, strict=True)]


def _may_differ(encounter: Encounter) -> bool:
    """Whether anything is dated on more than one day: seldom."""
    day = encounter.service_date
    if any(line.date not in (None, day) for line in encounter.lines or ()):
        return True
    starts = [each.start for each in encounter.administrations or ()]
    return any(start is not None and start.date() != day for start in starts)


def _days_of_parts(
    administrations: Sequence[AdministrationFacts], day: date | None, zone: tzinfo | None
) -> dict[int, Days]:
    timed = [each for each in administrations if each.start_seconds is not None]
    if not timed:
        return {0: Days(day, day)} if administrations and day is not None else {}
    ends = _ends_of_runs(timed)
    parts: dict[int, Days] = {}
    for each in timed:
        assert each.start_seconds is not None
        begun = clock.local_date(each.start_seconds, zone)
        ended = clock.local_date(_last_second(each.start_seconds, ends[each.run]), zone)
        known = parts.get(each.part, Days(begun, ended))
        parts[each.part] = Days(min(known.first, begun), max(known.last, ended))
    return parts
