"""From services to roles: initial, sequential, concurrent, hours and repeats.

Steps 1 to 5 of DESIGN section 3 for one encounter. Codes, ranks and numbers come from the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from ivpush.coding import standalone
from ivpush.coding.administrations import read_chart
from ivpush.coding.chains import Chain, chains_of
from ivpush.coding.roles import set_concurrent, set_roles, settle
from ivpush.coding.services import add_services, drips_by_site, follow_mixtures, mix
from ivpush.coding.times import zone_of
from ivpush.contract.facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = [
    "Derived",
    "derive",
]


@dataclass(slots=True)
class Derived:
    """What the chart of one encounter comes to, before it is written as lines."""

    facts: list[AdministrationFacts]
    chains: list[Chain]
    services: list[ServiceFacts]
    initial_by: str | None
    undocumented_sites: int
    zone: tzinfo | None


def derive(encounter: Encounter, book: Book, denied: str | None) -> Derived:
    """Services, chains and roles of one encounter.

    ``denied`` is the reason for which nothing is billable at all, if there is one.
    """
    zone = zone_of(encounter)
    facts = read_chart(encounter, book, denied)
    mixed = mix(facts, book)
    lead = [one for one in facts if one.service is None] if mixed else facts
    chains, undocumented = chains_of(lead, book, zone)
    wet = "hydration" in [one.family for one in facts]
    drips = drips_by_site(facts) if wet else {}
    for chain in chains:
        add_services(chain, drips, book)
    set_concurrent(chains, encounter, book, zone)
    services: list[ServiceFacts] = []
    by = None
    for chain in chains:
        set_roles(chain, encounter, book)
        services += chain.services
        by = chain.initial_by if by is None else by
    services += standalone.services(lead, book, encounter, taken=bool(services))
    for service in services:
        settle(service)
    if mixed:
        follow_mixtures(facts)
    return Derived(facts, chains, services, by, undocumented, zone)
