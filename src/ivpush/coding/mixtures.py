"""Mixtures: drugs in one bag or syringe, which are charted apart and given together.

``administrations`` asks what a chart says of a bag once for all of it; ``derivation`` lets the
highest-ranked drug stand for its mixture, and the others share what becomes of that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.times import INVENTED
from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from datetime import datetime

    from ivpush.contract.encounter import Administration
    from ivpush.pack.book import Book

__all__ = [
    "follow_mixtures",
    "in_one_bag",
    "leader_of",
    "mix",
    "mixtures",
    "with_times_of_bags",
    "without_mates",
]

_UNRANKED = 99
"""Behind every rank of the hierarchy."""


def mixtures(chart: Sequence[Administration]) -> list[list[int]]:
    """Positions of administrations that name one another as mixed, directly or through others."""
    if all(given.mixed_with is None for given in chart):
        return []
    named = {given.id: given.id for given in chart}
    """By id: itself, or another one of its bag, nearer to the one that stands for all."""

    def first(name: str) -> str:
        while named[name] != name:
            named[name] = named[named[name]]
            name = named[name]
        return name

    for given in chart:
        if given.mixed_with is not None:
            named[first(given.id)] = first(given.mixed_with)
    members: dict[str, list[int]] = {}
    for place, given in enumerate(chart):
        members.setdefault(first(given.id), []).append(place)
    return [places for places in members.values() if len(places) > 1]


class _Bag(NamedTuple):
    """What the rows of one bag say of it: the first that says when, where, and how it ran."""

    start: datetime | None
    site: str | None
    timed: Administration | None
    dripped: Administration | None


def with_times_of_bags(chart: list[Administration]) -> list[Administration]:
    """The chart, in which what one drug of a mixture lacks is read from the bag's other rows.

    One bag has one time, one rate and one access, and charts often write them on one row only.
    """
    read = list(chart)
    for places in mixtures(chart):
        bag = _bag_of([chart[place] for place in places])
        for place in places:
            read[place] = _filled(chart[place], bag)
    return read


def _bag_of(rows: Sequence[Administration]) -> _Bag:
    return _Bag(
        start=next((row.start for row in rows if row.start is not None), None),
        site=next((row.site for row in rows if row.site is not None), None),
        timed=next((row for row in rows if _timed(row)), None),
        # A volume and a rate of one row belong together.
        dripped=next((row for row in rows if row.volume_ml and row.rate_ml_per_hour), None),
    )


def _filled(given: Administration, bag: _Bag) -> Administration:
    """An administration with the times and the access of its bag, where it states none."""
    lacks: dict[str, object] = {}
    if not _timed(given):
        lacks = _times(given, bag)
    if given.start is None and bag.start is not None:
        lacks.setdefault("start", bag.start)
    if given.site is None and bag.site is not None:
        lacks["site"] = bag.site
    return given.model_copy(update=lacks) if lacks else given


def _timed(given: Administration) -> bool:
    """Whether somebody saw how long it ran."""
    stated = given.stop is not None or given.minutes is not None
    return stated and given.times_from not in INVENTED


def _times(given: Administration, bag: _Bag) -> dict[str, object]:
    """How long the bag ran: by its stop or minutes, else by its volume and rate."""
    timed, dripped = bag.timed, bag.dripped
    if timed is not None:
        times: dict[str, object] = {
            "stop": timed.stop,
            "minutes": timed.minutes,
            "times_from": timed.times_from,
        }
        # An addition to a running bag has its own start, unless it was only planned.
        if given.start is None or given.times_from != timed.times_from:
            times["start"] = timed.start
        return times
    if dripped is not None and not (given.volume_ml and given.rate_ml_per_hour):
        return {"volume_ml": dripped.volume_ml, "rate_ml_per_hour": dripped.rate_ml_per_hour}
    return {}


def mix(administrations: list[AdministrationFacts], book: Book) -> bool:
    """Drugs in one bag or syringe: the highest-ranked names the service, the rest follow it.

    Says whether there is any such mixture.
    """
    mixed = _members(administrations)
    for members in mixed:
        # A flush or carrier in the bag earns nothing, so it makes no mixture.
        drugs = [member for member in members if member.reason in {None, "stop_missing"}]
        if len(drugs) > 1:
            _lead(drugs, book)
    return bool(mixed)


def _members(administrations: Sequence[AdministrationFacts]) -> list[list[AdministrationFacts]]:
    chart = [each.given for each in administrations]
    return [[administrations[place] for place in places] for places in mixtures(chart)]


def without_mates(administrations: Sequence[AdministrationFacts]) -> list[AdministrationFacts]:
    """The first of each mixture, and all that are in none: each act of giving once."""
    mates = {mate for members in _members(administrations) for mate in members[1:]}
    return [each for each in administrations if each not in mates]


def in_one_bag(
    administration: AdministrationFacts, administrations: Sequence[AdministrationFacts]
) -> list[AdministrationFacts]:
    """An administration with the others of its mixture."""
    mixed = (members for members in _members(administrations) if administration in members)
    return next(mixed, [administration])


def leader_of(identity: str, administrations: Sequence[AdministrationFacts]) -> str:
    """The administration that names the service which one stands in: of a mixture, its leader."""
    for members in _members(administrations):
        if any(member.given.id == identity for member in members):
            leads = [each for each in members if each.reason is None and each.follows is None]
            return leads[0].given.id if leads else identity
    return identity


def _lead(members: list[AdministrationFacts], book: Book) -> None:
    """Let the highest-ranked member stand for all."""

    def rank(member: AdministrationFacts) -> tuple[int, str]:
        ranked = None
        if member.family and member.technique:
            ranked = book.rank(member.family, member.technique)
        return (ranked if ranked is not None else _UNRANKED, member.given.id)

    leader, *followers = sorted(members, key=rank)
    leader.drug_keys = frozenset().union(*(member.drug_keys for member in members))
    for follower in followers:
        follower.follows = leader


def follow_mixtures(
    administrations: Iterable[AdministrationFacts], services: Sequence[ServiceFacts]
) -> None:
    """Let each drug of a mixture share what became of the one that names their service."""
    service_of = {id(each): service for service in services for each in service.administrations}
    for administration in administrations:
        leader = administration.follows
        if leader is None:
            continue
        administration.reason, administration.billable = leader.reason, leader.billable
        administration.chain = leader.chain
        service = service_of.get(id(leader))
        if service is not None:
            service.administrations = (*service.administrations, administration)
