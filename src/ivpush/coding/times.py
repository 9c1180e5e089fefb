"""Clock times of a chart as seconds: what was charted, what counts, what runs as one.

``administrations`` reads the times of each administration and joins the runs of one bag;
``techniques`` falls back on rates and looks where no stop is charted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from ivpush import clock
from ivpush.contract.chart_facts import AdministrationFacts, Times

if TYPE_CHECKING:
    from ivpush.contract.encounter import Administration, Encounter

__all__ = [
    "INVENTED",
    "Edges",
    "by_time",
    "edges_of",
    "join_runs",
    "mark_attended",
    "minutes_by_last_look",
    "minutes_by_rate",
    "order_of",
    "read_times",
    "shows_hours",
    "stay_of",
    "zone_of",
]

Span = tuple[int, int]
Order = tuple[bool, int, int, str]

INVENTED = frozenset({"ordered", "defaulted"})
"""Systems invent stops and orders hold plans: neither says what happened (DESIGN section 2)."""

_MINUTE = 60


def zone_of(encounter: Encounter) -> tzinfo | None:
    """The time zone of the encounter's naive times; None where times stand as they are."""
    if encounter.timezone is not None:
        return clock.zone_named(encounter.timezone)
    for administration in encounter.administrations or ():
        # The first offset charted stands for all: midnight is then the same for the whole chart.
        if administration.start is not None:
            return administration.start.tzinfo
    return None


def stay_of(encounter: Encounter, zone: tzinfo | None) -> Span | None:
    """Seconds of the encounter's start and end; None unless both are stated."""
    if encounter.start is None or encounter.end is None:
        return None
    return clock.moment(encounter.start, zone).seconds, clock.moment(encounter.end, zone).seconds


def shows_hours(encounter: Encounter) -> bool:
    """Whether its start and end are times of day; a claim's period is written as whole days."""
    start, end = encounter.start, encounter.end
    if start is not None and (start.hour, start.minute) != (0, 0):
        return True
    # Midnight and 23:59 are how systems write a day without hours.
    return end is not None and (end.hour, end.minute) not in {(0, 0), (23, 59)}


class Edges(NamedTuple):
    """Seconds between which minutes are the encounter's to bill; None: not stated."""

    low: int | None = None
    high: int | None = None
    admitted: bool = False
    """Whether the upper edge is the admission, and not the end of the encounter."""


def edges_of(encounter: Encounter, zone: tzinfo | None) -> Edges:
    """Arrival, and the end of the encounter or the admission as an inpatient.

    A start and an end that are whole days, or that contradict each other, tell nothing.
    """
    low, high = [
        None if at is None or not shows_hours(encounter) else clock.moment(at, zone).seconds
        for at in (encounter.start, encounter.end)
    ]
    if low is not None and high is not None and high <= low:
        low = high = None
    # Only a facility's claim turns inpatient; a practitioner bills on as before.
    admission = encounter.inpatient_from if encounter.setting == "facility" else None
    if admission is None:
        return Edges(low, high)
    admitted = clock.moment(admission, zone).seconds
    if high is None or admitted <= high:
        return Edges(low, admitted, admitted=True)
    return Edges(low, high)


def _within(span: Span, counts: tuple[int | None, int | None]) -> Span:
    """What counts of a span; one that lies before all that counts is left as charted."""
    (start, stop), (low, high) = span, counts
    # What ran before arrival was another's care; it counts from the arrival on.
    if low is not None and start < low < stop:
        start = low
    return start, max(start, stop if high is None else min(stop, high))


def _lies_after(start: int | None, span: Span | None, high: int | None) -> bool:
    if high is None or start is None:
        return False
    return start > high or (span is not None and span[0] == high < span[1])


def _second(at: clock.Moment | None) -> int | None:
    return None if at is None else at.seconds


def _is_naive(at: datetime | None) -> bool:
    return at is not None and at.tzinfo is None


class _Usable(NamedTuple):
    """What may be used of the times that were charted, in seconds and minutes."""

    start: int | None
    stop: int | None
    minutes: int | None
    minutes_from: Literal["clock", "stated"] | None
    backwards: bool
    overlong: bool


class _Counted(NamedTuple):
    """What counts of the times that may be used: what lies within the stay."""

    start: int | None
    span: Span | None
    minutes: int | None
    after_stay: bool = False


def read_times(
    given: Administration, zone: tzinfo | None, stay: Span | None, *, edges: Edges, longest: int
) -> Times:
    """The times of one administration: seconds, minutes, what may be used, what is wrong.

    Minutes beyond ``longest`` count as missing, unless a device gives what goes on at home.
    """
    at_home = given.device is not None
    begun = None if given.start is None else clock.moment(given.start, zone)
    # After the start: of an hour that happened twice the stop is the later one.
    ended = None if given.stop is None else clock.moment(given.stop, zone, _second(begun))
    usable = _usable(given, begun, ended, longest=None if at_home else longest)
    clocked = _clocked(usable.start, usable.stop)
    counts = (None, None) if at_home else (edges.low, edges.high)
    counted = _counted(usable, counts)
    charted = [at for at in (begun, ended) if at is not None]
    seen = given.last_seen_running
    return Times(
        clock_minutes=None if clocked is None else (clocked[1] - clocked[0]) // _MINUTE,
        start_usable=usable.start is not None,
        stop_usable=usable.stop is not None,
        time_naive=zone is None and (_is_naive(given.start) or _is_naive(given.stop)),
        stop_before_start=usable.backwards,
        overlong=usable.overlong,
        # Only a zone can skip a time, or give it twice.
        time_nonexistent=zone is not None and any(at.nonexistent for at in charted),
        time_ambiguous=zone is not None and any(at.ambiguous for at in charted),
        outside_encounter=_outside(usable.start, usable.stop, stay),
        start_seconds=counted.start,
        span=counted.span,
        seen_seconds=None if seen is None else clock.moment(seen, zone, _second(begun)).seconds,
        minutes=counted.minutes,
        minutes_from=usable.minutes_from,
        counts=counts,
        longest=None if at_home else longest,
        after_stay=counted.after_stay,
    )


def _usable(
    given: Administration,
    begun: clock.Moment | None,
    ended: clock.Moment | None,
    *,
    longest: int | None,
) -> _Usable:
    source = given.times_from
    backwards = begun is not None and ended is not None and ended.seconds < begun.seconds
    # A defaulted stop says nothing of its start, but an order's start is a plan.
    start = _second(begun) if source != "ordered" else None
    stop = _second(ended) if source not in INVENTED and not backwards else None
    minutes, minutes_from = _minutes(given, _clocked(start, stop))
    overlong = longest is not None and minutes is not None and minutes > longest
    if overlong:
        # A mistyped year would bill thousands of hours: such a time is no time.
        stop = minutes = minutes_from = None
    return _Usable(
        start=start,
        stop=stop,
        minutes=minutes,
        minutes_from=minutes_from,
        backwards=backwards,
        overlong=overlong,
    )


def _counted(usable: _Usable, counts: tuple[int | None, int | None]) -> _Counted:
    span = _clocked(usable.start, usable.stop)
    # Stated minutes from a charted start make a span, so that they can overlap.
    if span is None and usable.minutes is not None and usable.start is not None:
        span = (usable.start, usable.start + _MINUTE * usable.minutes)
    if _lies_after(usable.start, span, counts[1]):
        return _Counted(usable.start, None, 0, after_stay=True)
    if span is None:
        return _Counted(usable.start, None, usable.minutes)
    within = _within(span, counts)
    if within == span:
        return _Counted(span[0], span, usable.minutes)
    return _Counted(within[0], within, (within[1] - within[0]) // _MINUTE)


def _clocked(start: int | None, stop: int | None) -> Span | None:
    return (start, stop) if start is not None and stop is not None else None


def _minutes(
    given: Administration, clocked: Span | None
) -> tuple[int | None, Literal["clock", "stated"] | None]:
    """Whole minutes it ran: the clock beats what is stated."""
    if clocked is not None:
        return (clocked[1] - clocked[0]) // _MINUTE, "clock"
    if given.minutes is not None and given.times_from not in INVENTED:
        return given.minutes, "stated"
    return None, None


def _outside(start: int | None, stop: int | None, stay: Span | None) -> bool | None:
    """Whether it starts before the stay or ends after it; unknown without a stay or a start."""
    if stay is None or start is None:
        return None
    return start < stay[0] or (start if stop is None else stop) > stay[1]


def order_of(identity: str, start: int | None, span: Span | None) -> Order:
    """Order in time: start, stop, id; without a usable start last."""
    # True sorts last: what has no start cannot come before what has one.
    if start is None:
        return True, 0, 0, identity
    return False, start, start if span is None else span[1], identity


by_time = attrgetter("order")
"""The key that sorts administrations, or services, in time."""


def minutes_by_rate(administration: AdministrationFacts) -> None:
    """Take the minutes from volume and rate, where no clock tells them."""
    given = administration.given
    volume, rate = given.volume_ml, given.rate_ml_per_hour
    if administration.running_minutes is None and volume and rate:
        minutes = int(volume * 60 / rate)
        if given.times_from != "ordered" and not _is_overlong(administration, minutes):
            _run_for(administration, minutes)
            administration.minutes_from = "volume_and_rate"


def minutes_by_last_look(administration: AdministrationFacts) -> None:
    """Take the minutes up to the last charted look at a running drip."""
    seen, start = administration.times.seen_seconds, administration.start_seconds
    if administration.running_minutes is not None or seen is None or start is None:
        return
    minutes = (seen - start) // _MINUTE
    if seen >= start and not _is_overlong(administration, minutes):
        _run_for(administration, minutes)
        administration.minutes_from = "last_seen_running"


def _is_overlong(administration: AdministrationFacts, minutes: int) -> bool:
    longest = administration.times.longest
    return longest is not None and minutes > longest


def _run_for(administration: AdministrationFacts, minutes: int) -> None:
    start = administration.start_seconds
    if start is not None:
        span = _within((start, start + _MINUTE * minutes), administration.times.counts)
        minutes = (span[1] - span[0]) // _MINUTE
        administration.span, administration.start_seconds = span, span[0]
        administration.order = order_of(administration.given.id, span[0], span)
    administration.running_minutes = administration.total_minutes = minutes


def join_runs(administrations: list[AdministrationFacts]) -> None:
    """Give runs of one bag a common number and their minutes together.

    A run that continues another, or starts when a run of the same drug on the same access stops,
    is one infusion with it; a charted push never is.
    """
    by_id = {each.given.id: each for each in administrations}
    latest: dict[tuple[str, str | None, str], tuple[AdministrationFacts, int]] = {}
    """Of each bag the administration that stopped last, and when it did."""
    runs = {each.run: [each] for each in administrations}
    joined = False
    for current in sorted(administrations, key=by_time):
        given = current.given
        if given.continues is not None:
            earlier = by_id[given.continues]
            runs[current.run].remove(current)
            _into_run(runs, [current], earlier.run)
            joined = True
            current.continues_other_drug = current.drug.drug_key != earlier.drug.drug_key
        # Two pushes are two acts, even where the second begins as the first ends.
        if given.method in {"push", "injection"} or current.span is None:
            continue
        # One drug on one access: elsewhere it is another infusion.
        bag = (current.drug.drug_key, current.family, current.site)
        start, stop = current.span
        before, stopped = latest.get(bag, (None, start))
        # It starts before the other has stopped, or just then.
        if before is not None and start <= stopped:
            # A chart may hold thousands, so that a run is not looked for among all of them.
            if current.run != before.run:
                _into_run(runs, runs.pop(current.run), before.run)
            joined = True
        if stop >= stopped:
            latest[bag] = (current, stop)
    if joined:
        _add_minutes(administrations)


def _into_run(
    runs: dict[int, list[AdministrationFacts]], bags: list[AdministrationFacts], run: int
) -> None:
    for bag in bags:
        bag.run = run
    runs[run] += bags


def _add_minutes(administrations: Iterable[AdministrationFacts]) -> None:
    """Every bag of a run gets the minutes of the whole run."""
    runs: dict[int, list[AdministrationFacts]] = {}
    for administration in administrations:
        if administration.running_minutes is not None:
            runs.setdefault(administration.run, []).append(administration)
    for bags in runs.values():
        # Whole minutes of the run, not the sum of rounded bags.
        minutes = minutes_together(bags)
        for bag in bags:
            bag.total_minutes = minutes


def minutes_together(bags: Iterable[AdministrationFacts]) -> int:
    """Minutes of several bags: those by the clock counted once, stated ones added."""
    timed, stated = [], 0
    for bag in bags:
        if bag.span is not None:
            timed.append(bag.span)
        else:
            stated += bag.running_minutes or 0
    return clock.covered(clock.unite(timed)) // _MINUTE + stated


def mark_attended(administrations: Iterable[AdministrationFacts]) -> None:
    """Mark attended pushes of one performer that overlap: nobody stands at two beds."""
    attended: dict[str, list[tuple[Span, AdministrationFacts]]] = {}
    for administration in administrations:
        given, span = administration.given, administration.span
        if given.performer is not None and given.continuously_attended and span is not None:
            attended.setdefault(given.performer, []).append((span, administration))
    for pushes in attended.values():
        pushes.sort(key=lambda push: push[0])
        _mark_overlaps(pushes)


def _mark_overlaps(pushes: list[tuple[Span, AdministrationFacts]]) -> None:
    latest_span, latest = pushes[0]
    for span, push in pushes[1:]:
        # Charts hold whole minutes: pushes that share less than one only touch.
        shared, long_enough = latest_span[1] - span[0], span[1] - span[0]
        if shared >= _MINUTE and long_enough >= _MINUTE:
            push.overlaps_attended = latest.overlaps_attended = True
        if span[1] > latest_span[1]:
            latest_span, latest = span, push
