"""Services that stand beside the chains: injections, artery, under the skin, pumps, ports.

Called by ``derivation`` after the chains. They carry no add-on of a vein's chain and never become
its initial service.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.roles import hours_of
from ivpush.coding.techniques import BY_VEIN
from ivpush.coding.times import by_time, minutes_together, zone_of
from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from datetime import date

    from ivpush.contract.chart_facts import Role
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.codes import CodeRow

__all__ = ["standalone_services"]

_ONCE_A_DRUG = frozenset({"pump", "ia_pump", "ia_infusion", "ia_push", "declotting"})
"""Techniques of which further doses of a drug add time, and no service."""

_ROLES: dict[str, Role] = {
    "pump": "pump_start",
    "ia_pump": "pump_start",
    "ia_infusion": "initial",
    "ia_push": "initial",
}


def standalone_services(
    administrations: Iterable[AdministrationFacts],
    encounter: Encounter,
    book: Book,
    *,
    taken: bool,
) -> list[ServiceFacts]:
    """Stand-alone services, in time; ``taken`` says whether a chain already earns something."""
    apart = sorted(filter(_stands_apart, administrations), key=by_time)
    if not apart:
        return []
    beside = _Beside(encounter, book)
    for administration in apart:
        beside.take(administration)
    return beside.finished(taken=taken)


def _stands_apart(administration: AdministrationFacts) -> bool:
    """Whether the administration is given otherwise than into a chain's vein."""
    technique = administration.technique
    # It carries the reason flush, and is looked at only to be billed alone.
    if technique == "port_flush":
        return administration.reason == "flush"
    if administration.reason is not None or technique is None:
        return False
    return technique not in BY_VEIN


class _Beside:
    """The services beside the chains of one encounter, taken up one administration at a time."""

    def __init__(self, encounter: Encounter, book: Book) -> None:
        self.encounter, self.setting, self.book = encounter, encounter.setting, book
        self.services: list[ServiceFacts] = []
        self.under_skin: list[AdministrationFacts] = []
        self.flushes: list[AdministrationFacts] = []
        self.of_drug: dict[tuple[str, frozenset[str]], ServiceFacts] = {}

    def take(self, administration: AdministrationFacts) -> None:
        """Take up one administration."""
        technique = administration.technique
        if technique == "port_flush":
            self.flushes.append(administration)
        elif technique == "sc_infusion":
            self.under_skin.append(administration)
        elif technique in _ONCE_A_DRUG:
            self._once_a_drug(technique, administration)
        else:
            self._each(administration)

    def finished(self, *, taken: bool) -> list[ServiceFacts]:
        """All services; a port flush is one only where nothing else is."""
        if self.under_skin:
            self._under_skin()
        # A port flush is paid only where nothing else is that day (fee schedule, status T).
        if self.flushes and not self.services and not taken:
            self._flush()
        return self.services

    def _each(self, administration: AdministrationFacts) -> None:
        """A service for each injection."""
        row, role = self._row(administration)
        if row is None:
            administration.reason = "no_code"
            return
        service = self._service([administration], row, role, "each_injection")
        if administration.own_code is not None:
            service.technique = administration.technique or service.technique
        self.services.append(service)

    def _once_a_drug(self, technique: str, administration: AdministrationFacts) -> None:
        key = (technique, administration.drug_keys)
        earlier = self.of_drug.get(key)
        if earlier is not None and self._same_episode(earlier, administration):
            self._lengthen(earlier, administration)
            return
        row, role = self._row(administration)
        if row is None:
            administration.reason = "no_code"
            return
        service = self._service([administration], row, role, role)
        self._count_hours(service)
        self.of_drug[key] = service
        self.services.append(service)

    def _lengthen(self, service: ServiceFacts, administration: AdministrationFacts) -> None:
        service.administrations = (*service.administrations, administration)
        if administration.span is not None:
            service.spans = clock.unite([*service.spans, administration.span])
        service.minutes = minutes_together(service.administrations)
        self._count_hours(service)

    def _count_hours(self, service: ServiceFacts) -> None:
        if service.row is not None and service.row.further:
            service.further = hours_of(service, self.book)

    def _same_episode(self, service: ServiceFacts, later: AdministrationFacts) -> bool:
        """Whether a further dose belongs to the service; a later clot is one of its own."""
        start = later.start_seconds
        if later.technique != "declotting" or service.start is None or start is None:
            return True
        return start - service.start <= 60 * self.book.limits.declotting_episode_minutes

    def _under_skin(self) -> None:
        """One subcutaneous infusion an encounter: its hours together, a further set-up once."""
        bags = self.under_skin
        row = self.book.pick("therapeutic", "sc_infusion", "initial")
        if row is None:
            for bag in bags:
                bag.reason = "no_code"
            return
        service = self._service(bags, row, "initial", "initial")
        service.spans = clock.unite(bag.span for bag in bags if bag.span is not None)
        service.minutes = minutes_together(bags)
        service.further = hours_of(service, self.book)
        self.services.append(service)
        # CPT: an added pump set-up with a new site, once an encounter.
        later = _later_sites(bags)
        extra = self.book.pick("therapeutic", "sc_infusion", "additional_site")
        if later and extra is not None:
            role: Role = "additional_site"
            self.services.append(self._service(later[:1], extra, role, role))

    def _flush(self) -> None:
        row = self.book.pick("port", "port_flush", "stand_alone")
        if row is not None and not self._billed_beside(row):
            for flush in self.flushes:
                flush.reason = None
            self.services.append(
                self._service(self.flushes, row, "stand_alone", "port_flush_alone")
            )

    def _billed_beside(self, flush: CodeRow) -> bool:
        """Whether a visit, or another service that takes the flush up, is billed that day."""
        pairs = self.book.pairs_of(flush.code, self.setting)
        usual, days = self.encounter.service_date, self._days_of_flushes()
        for line in self.encounter.lines or ():
            if (line.date if line.date is not None else usual) not in days:
                continue
            row = self.book.code_any(line.code)
            if row is not None and row.administration:
                continue  # the chart says whether that is right
            if row is not None and row.family == "visit":
                return True
            if pairs is not None and line.code in pairs.never | pairs.with_modifier:
                return True
        return False

    def _days_of_flushes(self) -> set[date | None]:
        """The days on which ports were flushed; one without a start is the encounter's."""
        zone = zone_of(self.encounter)
        return {
            self.encounter.service_date
            if flush.start_seconds is None
            else clock.local_date(flush.start_seconds, zone)
            for flush in self.flushes
        }

    def _row(self, administration: AdministrationFacts) -> tuple[CodeRow | None, Role]:
        """The code of a stand-alone technique in this setting, and the role it plays."""
        technique, family = administration.technique or "", administration.family or ""
        if administration.own_code is not None:
            own = self.book.code(administration.own_code)
            return (
                own if own is not None and self.setting in own.settings else None
            ), "stand_alone"
        role = _ROLES.get(technique, "stand_alone")
        if technique == "declotting":
            row = self.book.pick("declotting", technique, "companion")
        elif technique == "pump_refill":
            device = administration.delivered_by or "ambulatory_pump"
            row = self.book.pick("chemotherapy", technique, role, device)
        else:
            row = self.book.pick(family, technique, role, _variant(administration))
        return (row if row is not None and self.setting in row.settings else None), role

    def _service(
        self, members: list[AdministrationFacts], row: CodeRow, role: Role, because: str
    ) -> ServiceFacts:
        first = members[0]
        return ServiceFacts(
            family=row.family,
            technique=row.technique,
            minutes=first.total_minutes,
            rank=self.book.rank(row.family, row.technique),
            chain=first.chain,
            administrations=tuple(members),
            lead=first,
            drugs=first.drug_keys,
            spans=[first.span] if first.span is not None else [],
            start=first.start_seconds,
            order=first.order,
            role=role,
            code=row.code,
            row=row,
            because=because,
        )


def _variant(administration: AdministrationFacts) -> str | None:
    """Which of several codes of one technique: hormones, and how many lesions."""
    if administration.technique == "intralesional":
        return "few_lesions"
    if administration.technique == "pump":
        at_home = administration.delivered_by == "ambulatory_pump"
        own = administration.given.pump_supplied_by == "practice"
        return "home_pump" if own and at_home and administration.family == "chemotherapy" else None
    if administration.technique != "injection" or administration.family != "chemotherapy":
        return None
    hormonal, row = administration.given.hormonal, administration.drug.row
    # The chart's word first; the drug table only where it is silent.
    if hormonal is None and row is not None:
        hormonal = row.hormonal
    return "hormonal" if hormonal else "non_hormonal"


def _later_sites(bags: list[AdministrationFacts]) -> list[AdministrationFacts]:
    """Bags that began later than the first, at another site."""
    first = bags[0]
    begun = first.start_seconds
    if begun is None:
        return []
    return [
        bag
        for bag in bags[1:]
        if bag.site != first.site and bag.start_seconds is not None and bag.start_seconds > begun
    ]
