"""Chains: what hangs on one initial service, one an access site and visit.

A second chain needs a documented need (DESIGN section 3, step 2): two lumens of one line are one
site, a re-sited line is the same chain, and a site whose need nobody documented joins the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.times import by_time

if TYPE_CHECKING:
    from ivpush.contract.facts import AdministrationFacts, ServiceFacts
    from ivpush.pack.book import Book

__all__ = [
    "Chain",
    "chains_of",
]

_VEIN = frozenset({"push", "infusion"})


@dataclass(slots=True)
class Chain:
    """The administrations of one access in one visit, and the services made of them."""

    index: int
    site: str
    visit: int
    kind: str
    """Why it stands apart: first, separate_site or separate_encounter."""
    facts: list[AdministrationFacts] = field(default_factory=list)
    services: list[ServiceFacts] = field(default_factory=list)
    initial: ServiceFacts | None = None
    initial_by: str | None = None


def chains_of(
    facts: list[AdministrationFacts], book: Book, zone: tzinfo | None
) -> tuple[list[Chain], int]:
    """The chains of the billable services given by vein, and how many sites lack a need."""
    given = [one for one in facts if one.reason is None and one.technique in _VEIN
             and one.given.route == "IV"]  # fmt: skip
    if not given:
        return [], 0
    given.sort(key=by_time)
    if len(given) == 1 or (_plain(given) and book.policy.encounter_boundary != "gap_hours"):
        chain = Chain(0, given[0].site, 1, "first", given)
        return [chain], 0
    _bound(given, book, zone)
    roots = _resited(given, book)
    return _split(given, roots, book)


def _plain(given: list[AdministrationFacts]) -> bool:
    """Whether one access, one visit and one day hold everything."""
    site, visit = given[0].given.site, given[0].given.visit
    day = given[0].given.start
    for one in given:
        mine = one.given
        if mine.site != site or mine.visit != visit or mine.start is None or day is None:
            return False
        if mine.start.date() != day.date() or mine.separate_site_reason is not None:
            return False
    return True


def _bound(given: list[AdministrationFacts], book: Book, zone: tzinfo | None) -> None:
    """Number the visits where the policy bounds an encounter by day or by gap."""
    policy = book.policy
    if policy.encounter_boundary == "calendar_day":
        days = sorted(
            {clock.local_date(s, zone) for one in given if (s := one.start_seconds) is not None}
        )
        for one in given:
            if one.start_seconds is not None:
                one.visit = 1 + days.index(clock.local_date(one.start_seconds, zone))
    elif policy.encounter_boundary == "gap_hours":
        most, visit, end = policy.encounter_boundary_gap_hours * 3600, 1, None
        for one in given:
            if one.start_seconds is None:
                continue
            if end is not None and one.start_seconds - end > most:
                visit += 1
            one.visit = visit
            end = max(end or 0, one.span[1] if one.span else one.start_seconds)


def _resited(given: list[AdministrationFacts], book: Book) -> dict[str, str]:
    """Each site's first site, where a line was re-sited; every site is its own under the policy."""
    before: dict[str, str] = {}
    if not book.policy.restart_new_initial:
        for one in given:
            old = one.given.resited_from
            if old is not None and old != one.site:
                before.setdefault(one.site, old)
    roots = {}
    for one in given:
        site, seen = one.site, {one.site}
        while site in before and before[site] not in seen:
            site = before[site]
            seen.add(site)
        roots[one.site] = site
    return roots


def _split(
    given: list[AdministrationFacts], roots: dict[str, str], book: Book
) -> tuple[list[Chain], int]:
    asked = book.policy.second_site_requires_reason
    needed: set[tuple[int, str]] = set()
    places: dict[tuple[int, str], list[AdministrationFacts]] = {}
    kept_line = book.policy.same_line_return_visit == "same_chain"
    first_visit = {one.site: one.visit for one in reversed(given)}
    for one in given:
        reason = one.given.separate_site_reason
        visit = first_visit[one.site] if kept_line and one.site_named else one.visit
        place = (visit, roots[one.site])
        places.setdefault(place, []).append(one)
        if reason is not None:
            one.reason_is_convenience = book.convenience(reason)
        if (reason is not None and not one.reason_is_convenience) or (not asked and one.site_named):
            needed.add(place)
    chains: dict[tuple[int, str], Chain] = {}
    undocumented = 0
    for visit in dict.fromkeys(visit for visit, _ in places):
        here = [place for place in places if place[0] == visit]
        base = next((place for place in here if place not in needed), here[0])
        undocumented += sum(place not in needed for place in here if place != base)
        for place in here:
            home = place if place in needed else base
            kind = "separate_site" if home != base else "separate_encounter" if chains else "first"
            if home not in chains:
                chains[home] = Chain(len(chains), home[1], visit, kind)
            chains[home].facts += places[place]
            for one in places[place]:
                one.separate_site = place in needed
    made = list(chains.values())
    if book.policy.concurrent_of_different_sites == "concurrent":
        made = _merged(made, book)
    for number, chain in enumerate(made):
        chain.index = number
        chain.facts.sort(key=by_time)
        for one in chain.facts:
            one.chain = number
    return made, undocumented


def _merged(chains: list[Chain], book: Book) -> list[Chain]:
    """Under the policy, a further site joins the first where their drips run together."""
    least = 60 * max(1, book.policy.concurrent_min_overlap_minutes)
    kept: list[Chain] = []
    for chain in chains:
        mine = _drips(chain)
        home = next(
            (k for k in kept if k.visit == chain.visit and clock.shared(_drips(k), mine) >= least),
            None,
        )
        if home is None:
            kept.append(chain)
        else:
            home.facts += chain.facts
    return kept


def _drips(chain: Chain) -> list[clock.Span]:
    return clock.unite(
        one.span
        for one in chain.facts
        if one.span is not None and one.technique == "infusion" and one.family != "hydration"
    )
