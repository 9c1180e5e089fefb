"""Chains: what hangs on one initial service, one an access site and visit.

Step 2 of DESIGN section 3, called by ``derivation``. A second chain needs a documented need: two
lumens of one line are one site, a re-sited line is the same chain, and a site whose need nobody
documented joins the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from ivpush import clock
from ivpush.coding.techniques import BY_VEIN
from ivpush.coding.times import by_time

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts
    from ivpush.pack.book import Book

__all__ = ["Chain", "InitialBy", "chains_of"]

InitialBy = Literal["hierarchy", "primary_reason", "fallback", "first_given"]
"""What decided the initial service of a chain."""


@dataclass(slots=True, eq=False, repr=False)
class Chain:
    """The administrations of one access in one visit, and the services made of them.

    ``services`` fills in its services, ``roles`` chooses the initial one.
    """

    index: int
    site: str
    visit: int
    administrations: list[AdministrationFacts] = field(default_factory=list)
    services: list[ServiceFacts] = field(default_factory=list)
    """Services that earn a code, or may yet."""
    every_service: list[ServiceFacts] = field(default_factory=list)
    """Those that earn nothing too."""
    initial: ServiceFacts | None = None
    initial_by: InitialBy | None = None

    @property
    def part(self) -> int:
        """The encounter of the chart that it belongs to, by number."""
        return self.administrations[0].part

    @property
    def drips(self) -> list[clock.Span]:
        """When drug infusions ran in it."""
        return clock.unite(
            administration.span
            for administration in self.administrations
            if administration.span is not None
            and administration.technique == "infusion"
            and administration.family != "hydration"
        )


class _Place(NamedTuple):
    """An access site in one visit."""

    visit: int
    site: str


def chains_of(
    administrations: Iterable[AdministrationFacts], book: Book
) -> tuple[list[Chain], int]:
    """The chains of the billable services given by vein, and how many sites lack a need."""
    given = [
        administration
        for administration in administrations
        if administration.reason is None and administration.technique in BY_VEIN
    ]
    if not given:
        return [], 0
    # In time: of the sites without a need the first one used is the home of the others.
    given.sort(key=by_time)
    # Most encounters end here, which spares them the work below.
    if len(given) == 1 or (_one_place(given) and book.policy.encounter_boundary != "gap_hours"):
        return [Chain(0, given[0].site, given[0].visit, given)], 0
    _number_visits(given, book)
    return _split(given, _first_sites(given, book), book)


def _one_place(given: list[AdministrationFacts]) -> bool:
    """Whether one access and one visit hold everything: most encounters."""
    first = given[0].given
    return all(each.given.site == first.site and each.given.visit == first.visit for each in given)


def _number_visits(given: list[AdministrationFacts], book: Book) -> None:
    """Number the visits of one date where the policy bounds an encounter by gap."""
    if book.policy.encounter_boundary != "gap_hours":
        return
    longest = book.policy.encounter_boundary_gap_hours * 3600
    visit, end = 1, None
    for administration in given:
        start = administration.start_seconds
        if start is None:
            continue
        if end is not None and start - end > longest:
            visit += 1
        administration.visit = visit
        # A bag may outlast what began after it, so the end is the latest so far.
        stop = start if administration.span is None else administration.span[1]
        end = stop if end is None else max(end, stop)


def _first_sites(given: list[AdministrationFacts], book: Book) -> dict[str, str]:
    """Each site's first site, where a line was re-sited; every site is its own under the policy."""
    replaced: dict[str, str] = {}
    if not book.policy.restart_new_initial:
        for administration in given:
            old = administration.given.resited_from
            first = None if old is None else _first_site(old, replaced)
            # Charts may re-site a line there and back; the site gone back to replaces nothing.
            if first is not None and first != administration.site:
                replaced.setdefault(administration.site, first)
    first_sites = {each.site: _first_site(each.site, replaced) for each in given}
    if not book.policy.second_site_requires_reason:
        # Where each named access counts, one without a name supports no initial of its own.
        first_sites[""] = next((site for site in first_sites.values() if site), "")
    return first_sites


def _first_site(site: str, replaced: dict[str, str]) -> str:
    while site in replaced:
        site = replaced[site]
    return site


def _split(
    given: list[AdministrationFacts], first_sites: dict[str, str], book: Book
) -> tuple[list[Chain], int]:
    places = _places(given, first_sites, book)
    needed = {place for place, members in places.items() if _needed(members, book)}
    chains: dict[_Place, Chain] = {}
    undocumented = 0
    for visit in dict.fromkeys(place.visit for place in places):
        here = [place for place in places if place.visit == visit]
        # A site without a need is the home of all such; if all have one, the first.
        base = next((place for place in here if place not in needed), here[0])
        undocumented += sum(place not in needed for place in here if place != base)
        for place in here:
            # A site whose need nobody documented joins the first (DESIGN section 3, step 2).
            home = place if place in needed else base
            chain = chains.setdefault(home, Chain(len(chains), home.site, visit))
            chain.administrations += places[place]
            for administration in places[place]:
                administration.separate_site = place in needed
    split = list(chains.values())
    if book.policy.concurrent_of_different_sites == "concurrent":
        split = _merged(split, book)
    for number, chain in enumerate(split):
        chain.index = number
        chain.administrations.sort(key=by_time)
        for administration in chain.administrations:
            administration.chain = number
    return split, undocumented


def _places(
    given: list[AdministrationFacts], first_sites: dict[str, str], book: Book
) -> dict[_Place, list[AdministrationFacts]]:
    kept_line = book.policy.same_line_return_visit == "same_chain"
    # Reversed, so that the earliest visit of a site is written last and stays.
    first_visit = {each.site: each.visit for each in reversed(given)}
    places: dict[_Place, list[AdministrationFacts]] = {}
    for administration in given:
        site, visit = administration.site, administration.visit
        if kept_line and administration.site_named:
            visit = first_visit[site]
        places.setdefault(_Place(visit, first_sites[site]), []).append(administration)
    return places


def _needed(members: list[AdministrationFacts], book: Book) -> bool:
    """Whether an access has a need of its own: a reason that is no mere convenience."""
    without_reason = not book.policy.second_site_requires_reason
    needed = False
    for administration in members:
        reason = administration.given.separate_site_reason
        if reason is not None:
            administration.reason_is_convenience = book.convenience(reason)
            needed |= not administration.reason_is_convenience
        needed |= without_reason and administration.site_named
    return needed


def _merged(chains: list[Chain], book: Book) -> list[Chain]:
    """Under the policy, a further site joins the first where their drips run together."""
    # A minute at least: drips that only touch do not run together.
    least = 60 * max(1, book.policy.concurrent_min_overlap_minutes)
    kept: list[Chain] = []
    for chain in chains:
        drips = chain.drips
        home = next(
            (
                earlier
                for earlier in kept
                if earlier.visit == chain.visit and clock.shared(earlier.drips, drips) >= least
            ),
            None,
        )
        if home is None:
            kept.append(chain)
        else:
            home.administrations += chain.administrations
    return kept
