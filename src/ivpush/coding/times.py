"""Clock times of a chart as seconds: what was charted, what counts, what runs as one."""

from __future__ import annotations

from datetime import datetime, tzinfo
from operator import attrgetter
from typing import TYPE_CHECKING

from dateutil import tz

from ivpush import clock
from ivpush.contract.facts import AdministrationFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter

__all__ = [
    "by_time",
    "in_time",
    "join_runs",
    "mark_attended",
    "minutes_by_last_look",
    "minutes_by_rate",
    "read_times",
    "zone_of",
]


_INVENTED = frozenset({"ordered", "defaulted"})


def zone_of(encounter: Encounter) -> tzinfo | None:
    """The time zone of the encounter's naive times; None where times stand as they are."""
    if encounter.timezone is not None:
        return tz.gettz(encounter.timezone)
    for one in encounter.administrations or ():
        if one.start is not None:
            return one.start.tzinfo
    return None


def _seconds(at: datetime, zone: tzinfo | None) -> int:
    return clock.moment(at, zone).seconds


def read_times(one: AdministrationFacts, zone: tzinfo | None, encounter: Encounter) -> None:
    """Read an administration's times: seconds, minutes, what may be used, what is wrong."""
    given = one.given
    source, start, stop = given.times_from, given.start, given.stop
    one.clock_minutes = one.start_seconds = one.span = one.outside_encounter = None
    one.time_nonexistent = one.time_ambiguous = one.stop_before_start = False
    naive_start = start is not None and start.tzinfo is None
    one.time_naive = zone is None and (naive_start or (stop is not None and stop.tzinfo is None))
    # Systems invent stops and orders hold plans: neither says what happened (DESIGN section 2).
    one.start_usable = start is not None and source != "ordered"
    one.stop_usable = stop is not None and source not in _INVENTED
    begun = ended = None
    if start is not None:
        begun = clock.seconds_of(start) if zone is None else _read_moment(one, start, zone)
        if one.start_usable:
            one.start_seconds = begun
    if stop is not None:
        ended = clock.seconds_of(stop) if zone is None else _read_moment(one, stop, zone, begun)
    if begun is not None and ended is not None:
        if ended < begun:
            one.stop_before_start, one.stop_usable = True, False
        elif one.start_usable and one.stop_usable:
            one.clock_minutes = (ended - begun) // 60
            one.span = (begun, ended)
    seen = given.last_seen_running
    one.seen_seconds = None if seen is None else clock.moment(seen, zone, begun).seconds
    _read_minutes(one)
    one.order = in_time(one)
    if encounter.start is not None and encounter.end is not None and one.start_usable:
        low, high = _seconds(encounter.start, zone), _seconds(encounter.end, zone)
        last = ended if ended is not None and one.stop_usable else one.start_seconds
        assert one.start_seconds is not None and last is not None
        one.outside_encounter = one.start_seconds < low or last > high


def _read_moment(
    one: AdministrationFacts, at: datetime, zone: tzinfo, after: int | None = None
) -> int:
    made = clock.moment(at, zone, after)
    one.time_nonexistent |= made.nonexistent
    one.time_ambiguous |= made.ambiguous
    return made.seconds


def join_runs(facts: list[AdministrationFacts]) -> None:
    """Give runs of one bag a common number and their minutes together.

    A run that continues another, or starts when a run of the same drug on the same access stops,
    is one infusion with it; a charted push never is.
    """
    by_id = {one.given.id: one for one in facts}
    latest: dict[tuple[str, str | None, str], AdministrationFacts] = {}
    joined = False
    for one in sorted(facts, key=by_time):
        given = one.given
        if given.continues is not None and given.continues != given.id:
            earlier = by_id[given.continues]
            one.run, joined = earlier.run, True
            one.continues_other_drug = one.drug_key != earlier.drug_key
        if given.method not in {"push", "injection"} and one.span is not None:
            bag = (one.drug_key, one.family, one.site)
            before = latest.get(bag)
            if before is not None and before.span is not None and one.span[0] <= before.span[1]:
                _renumber(facts, one.run, before.run)
                joined = True
            if before is None or before.span is None or one.span[1] >= before.span[1]:
                latest[bag] = one
    if joined:
        _add_minutes(facts)


def _renumber(facts: list[AdministrationFacts], old: int, new: int) -> None:
    for one in facts:
        if one.run == old:
            one.run = new


def _add_minutes(facts: list[AdministrationFacts]) -> None:
    runs: dict[int, list[AdministrationFacts]] = {}
    for one in facts:
        if one.running_minutes is not None:
            runs.setdefault(one.run, []).append(one)
    for members in runs.values():
        spans = clock.unite(one.span for one in members if one.span is not None)
        loose = sum(one.running_minutes or 0 for one in members if one.span is None)
        for one in members:
            one.total_minutes = clock.covered(spans) // 60 + loose


def in_time(one: AdministrationFacts) -> tuple[bool, int, int, str]:
    """Order of administrations: start, stop, id; without a usable start last."""
    start = one.start_seconds
    return (start is None, start or 0, one.span[1] if one.span else start or 0, one.given.id)


by_time = attrgetter("order")
"""The key that sorts administrations, or services, in time."""


def _read_minutes(one: AdministrationFacts) -> None:
    given = one.given
    if one.clock_minutes is not None:
        one.running_minutes = one.total_minutes = one.clock_minutes
        one.minutes_from = "clock"
    elif given.minutes is not None and given.times_from not in _INVENTED:
        one.running_minutes = one.total_minutes = given.minutes
        one.minutes_from = "stated"
        if one.start_seconds is not None:
            one.span = (one.start_seconds, one.start_seconds + 60 * given.minutes)
    else:
        one.running_minutes = one.total_minutes = one.minutes_from = None


def minutes_by_rate(one: AdministrationFacts) -> None:
    """Take the minutes from volume and rate, where no clock tells them."""
    volume, rate = one.given.volume_ml, one.given.rate_ml_per_hour
    if one.running_minutes is None and volume and rate and one.given.times_from != "ordered":
        _settle(one, int(volume * 60 / rate))
        one.minutes_from = "volume_and_rate"


def minutes_by_last_look(one: AdministrationFacts) -> None:
    """Take the minutes up to the last charted look at a running drip."""
    seen, start = one.seen_seconds, one.start_seconds
    if one.running_minutes is None and seen is not None and start is not None and seen >= start:
        _settle(one, (seen - start) // 60)
        one.minutes_from = "last_seen_running"


def _settle(one: AdministrationFacts, minutes: int) -> None:
    one.running_minutes = one.total_minutes = minutes
    if one.start_seconds is not None:
        one.span = (one.start_seconds, one.start_seconds + 60 * minutes)
        one.order = in_time(one)


def mark_attended(facts: list[AdministrationFacts]) -> None:
    """Mark attended pushes of one performer that overlap: nobody stands at two beds."""
    held: dict[str, list[AdministrationFacts]] = {}
    for one in facts:
        given = one.given
        if given.performer is not None and given.continuously_attended and one.span is not None:
            held.setdefault(given.performer, []).append(one)
    for theirs in held.values():
        theirs.sort(key=lambda one: one.span or (0, 0))
        latest: AdministrationFacts | None = None
        for one in theirs:
            assert one.span is not None
            if latest is not None and latest.span is not None:
                if latest.span[1] - one.span[0] >= 60 and one.span[1] - one.span[0] >= 60:
                    one.overlaps_attended = latest.overlaps_attended = True
            if latest is None or latest.span is None or one.span[1] > latest.span[1]:
                latest = one
