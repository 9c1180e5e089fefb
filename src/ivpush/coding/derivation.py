"""From the chart to services with their roles: steps 1 to 5 of DESIGN section 3.

``chart`` calls ``derive`` for one encounter; codes, ranks and numbers come from the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.administrations import Read, facts_of, read_again, read_chart
from ivpush.coding.beside import Neighbours, neighbours_of, stand_beside
from ivpush.coding.chains import Chain, InitialBy, chains_of
from ivpush.coding.encounters import cut
from ivpush.coding.mixtures import follow_mixtures, leader_of, mix
from ivpush.coding.roles import (
    Refusals,
    Wishes,
    led_by_drip,
    refuse_orphans,
    set_concurrent,
    set_roles,
    settle,
)
from ivpush.coding.services import add_services, drips_by_site
from ivpush.coding.standalone import standalone_services
from ivpush.coding.times import zone_of
from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ivpush.coding.permission import Standing
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["Derived", "derive", "derive_again"]


@dataclass(slots=True, eq=False, repr=False)
class Derived:
    """What the chart of one encounter comes to, before it is written as lines."""

    administrations: list[AdministrationFacts]
    chains: list[Chain]
    services: list[ServiceFacts]
    undocumented_sites: int
    zone: tzinfo | None
    neighbours: Neighbours
    """What the claim holds beside the chart."""
    reads: Sequence[Read]
    """The chart as it was read."""

    @property
    def initial_by(self) -> InitialBy | None:
        """What decided the initial services: a wish that failed, else that of the first chain."""
        decided = [chain.initial_by for chain in self.chains if chain.initial_by]
        return "fallback" if "fallback" in decided else next(iter(decided), None)

    def service_of(self) -> dict[int, ServiceFacts]:
        """The service of each administration, by its position in the chart.

        One that earns nothing may have had a service all the same.
        """
        every = [service for chain in self.chains for service in chain.every_service]
        return {
            administration.index: service
            for service in (*every, *self.services)
            for administration in service.administrations
        }


class _Chart(NamedTuple):
    """An encounter as it was read, and who may bill for it."""

    encounter: Encounter
    standing: Standing
    reads: Sequence[Read]
    neighbours: Neighbours


def derive(encounter: Encounter, book: Book, standing: Standing) -> Derived:
    """Services, chains and roles of one encounter; ``standing`` says who may bill at all."""
    neighbours = neighbours_of(encounter, book)
    if not encounter.administrations:
        return _nothing(encounter, neighbours)
    reads = read_chart(encounter, book, standing)
    return _settled(_Chart(encounter, standing, reads, neighbours), book)


def _nothing(encounter: Encounter, neighbours: Neighbours) -> Derived:
    """What an encounter comes to of which no administration is charted."""
    return Derived(
        administrations=[],
        chains=[],
        services=[],
        undocumented_sites=0,
        zone=zone_of(encounter),
        neighbours=neighbours,
        reads=(),
    )


def derive_again(
    derived: Derived, index: int, encounter: Encounter, book: Book, standing: Standing
) -> Derived:
    """The encounter with one administration charted otherwise than it was derived with.

    What the claim holds beside the chart must be the same.
    """
    reads = read_again(derived.reads, index, encounter, book, standing)
    return _settled(_Chart(encounter, standing, reads, derived.neighbours), book)


def _settled(chart: _Chart, book: Book) -> Derived:
    refused = Refusals()
    # It ends: each round learns of a chain more, and forgets none.
    while True:
        derived, learned = _derive(chart, book, refused)
        if learned == refused:
            return derived
        # Another leader changes who is concurrent and what repeats, so all begins afresh.
        refused = learned


def _derive(chart: _Chart, book: Book, refused: Refusals) -> tuple[Derived, Refusals]:
    """The chart derived once, and in which chains the wished service cannot lead."""
    encounter, standing, reads, neighbours = chart
    zone = zone_of(encounter)
    # The steps settle these records, so each round has its own.
    administrations = facts_of(reads, encounter, book, standing)
    # Before chains: a dose that belongs to a procedure must lead nothing.
    stand_beside(administrations, encounter, neighbours, zone, book)
    mixed = mix(administrations, book)
    # After mixing: of a mixture its leader stands for the named administration.
    wishes = _wishes(encounter, administrations, refused, book)
    parts: list[_Part] = []
    chains: list[Chain] = []
    for members in cut(administrations, encounter, book, zone):
        part = _derive_part(members, encounter, book, wishes, zone, len(chains))
        parts.append(part)
        chains += part.chains
    services = [service for part in parts for service in part.services]
    for service in services:
        settle(service)
    if mixed:
        every = [service for chain in chains for service in chain.every_service]
        follow_mixtures(administrations, [*every, *services])
    undocumented = sum([part.undocumented_sites for part in parts])
    failed = frozenset[int]().union(*(part.failed for part in parts))
    lost = frozenset[int]().union(*(part.lost for part in parts))
    learned = refused.with_more(failed, lost, chains)
    return Derived(
        administrations=administrations,
        chains=chains,
        services=services,
        undocumented_sites=undocumented,
        zone=zone,
        neighbours=neighbours,
        reads=reads,
    ), learned


class _Part(NamedTuple):
    """What one encounter of the chart comes to."""

    chains: list[Chain]
    services: list[ServiceFacts]
    undocumented_sites: int
    failed: frozenset[int]
    """Chains in which an add-on has lost its primary to the wished service."""
    lost: frozenset[int]
    """Chains in which a concurrent drip is not billed for want of a primary."""


def _derive_part(
    members: list[AdministrationFacts],
    encounter: Encounter,
    book: Book,
    wishes: Wishes,
    zone: tzinfo | None,
    before: int,
) -> _Part:
    """One encounter of the chart, after others with so many chains."""
    # A follower shares its leader's service and would be counted twice.
    leading = [each for each in members if each.follows is None]
    chains, undocumented = chains_of(leading, book)
    _number_on(chains, before)
    # Only hydration asks what runs beside it.
    fluids = any(each.family == "hydration" for each in members)
    drips = drips_by_site(members) if fluids else {}
    for chain in chains:
        add_services(chain, drips, book)
        wishes = led_by_drip(wishes, chain)
    # Before the initial: a concurrent drip can lead nothing, so it must be out by then.
    set_concurrent(chains, wishes, book, zone)
    failed = [chain.index for chain in chains if not set_roles(chain, encounter, wishes, book)]
    services = [service for chain in chains for service in chain.services]
    services += standalone_services(leading, encounter, book, taken=bool(services))
    # Last, because its primary may be any service of the encounter.
    lost = refuse_orphans(chains, services, book)
    return _Part(chains, services, undocumented, frozenset(failed), lost)


def _number_on(chains: list[Chain], before: int) -> None:
    """Let the chains of a later encounter go on with the numbers of those before."""
    if before == 0:
        return
    for chain in chains:
        chain.index += before
        for administration in chain.administrations:
            administration.chain = chain.index


def _wishes(
    encounter: Encounter,
    administrations: list[AdministrationFacts],
    refused: Refusals,
    book: Book,
) -> Wishes:
    """Which service should lead: that of the named administration, where the reason decides."""
    if not book.by_reason(encounter.setting):
        return Wishes(heeded=False, named=None)
    named = encounter.primary_administration
    if named is not None:
        named = leader_of(named, administrations)
    return Wishes(heeded=True, named=named, refused=refused.chains)
