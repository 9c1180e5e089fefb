"""From services to roles: initial, sequential, concurrent, hours and repeats.

Steps 1 to 5 of DESIGN section 3 for one encounter. Codes, ranks and numbers come from the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo
from typing import TYPE_CHECKING

from ivpush import clock, standalone
from ivpush.chains import Chain, chains_of
from ivpush.contract.facts import AdministrationFacts, ServiceFacts
from ivpush.pushes import push_roles
from ivpush.services import by_time, in_time, read_chart, zone_of

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["HOUR", "Derived", "derive", "further_hours"]

HOUR = 60
"""Minutes of an hour of infusion."""


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
    mixed = _mix(facts, book)
    lead = [one for one in facts if one.service is None] if mixed else facts
    chains, undocumented = chains_of(lead, book, zone)
    wet = "hydration" in [one.family for one in facts]
    drips = _drips_by_site(facts) if wet else {}
    for chain in chains:
        _services_of(chain, drips, book)
    _concurrent(chains, encounter, book, zone)
    services: list[ServiceFacts] = []
    by = None
    for chain in chains:
        _roles(chain, encounter, book)
        services += chain.services
        by = chain.initial_by if by is None else by
    services += standalone.services(lead, book, encounter, taken=bool(services))
    for service in services:
        _settle(service)
    if mixed:
        _follow_mixtures(facts)
    return Derived(facts, chains, services, by, undocumented, zone)


def _mix(facts: list[AdministrationFacts], book: Book) -> bool:
    """Drugs in one bag or syringe: the highest-ranked names the service, the rest follow it.

    Says whether there is any such mixture.
    """
    if not [one for one in facts if one.given.mixed_with is not None]:
        return False
    by_id = {one.given.id: one for one in facts}
    group = {one.given.id: one.given.id for one in facts}
    for one in facts:
        other = one.given.mixed_with
        if other is not None and group[other] != group[one.given.id]:
            old, new = group[one.given.id], group[other]
            for key, name in group.items():
                if name == old:
                    group[key] = new
    members: dict[str, list[AdministrationFacts]] = {}
    for key, name in group.items():
        if by_id[key].reason is None:
            members.setdefault(name, []).append(by_id[key])
    for those in members.values():
        if len(those) > 1:
            _lead(those, book)
    return True


def _lead(those: list[AdministrationFacts], book: Book) -> None:
    def rank(one: AdministrationFacts) -> tuple[int, str]:
        found = book.rank(one.family, one.technique) if one.family and one.technique else None
        return (found if found is not None else 99, one.given.id)

    timed = [one for one in those if one.total_minutes is not None]
    first, *others = sorted(those, key=rank)
    if first.total_minutes is None and timed:
        first.total_minutes, first.span = timed[0].total_minutes, timed[0].span
        first.technique = timed[0].technique
    if first.start_seconds is None:
        first.start_seconds = next(
            (o.start_seconds for o in others if o.start_seconds is not None), None
        )
    first.order = in_time(first)
    first.drug_keys = frozenset().union(*(one.drug_keys for one in those))
    for one in others:
        one.service = _follower(first)


def _follower(lead: AdministrationFacts) -> ServiceFacts:
    """A place-holder that says which administration this one follows."""
    service = ServiceFacts()
    service.lead, service.administrations, service.code = lead, (), None
    return service


def _follow_mixtures(facts: list[AdministrationFacts]) -> None:
    for one in facts:
        mark = one.service
        if mark is not None and mark.administrations == () and mark.lead is not one:
            lead = mark.lead
            one.service, one.reason, one.billable = lead.service, lead.reason, lead.billable
            one.chain = lead.chain
            if lead.service is not None:
                lead.service.administrations = (*lead.service.administrations, one)


def _drips_by_site(facts: list[AdministrationFacts]) -> dict[str, list[clock.Span]]:
    """Spans of all drug infusions by access site; those of no named site under the empty name."""
    found: dict[str, list[clock.Span]] = {}
    for one in facts:
        drips = one.technique in {"infusion", "pump"} and one.family != "hydration"
        if drips and one.span is not None and one.given.route == "IV":
            found.setdefault(one.site, []).append(one.span)
    return {site: clock.unite(spans) for site, spans in found.items()}


def _services_of(chain: Chain, drips: dict[str, list[clock.Span]], book: Book) -> None:
    infused: dict[object, list[AdministrationFacts]] = {}
    fluids: list[AdministrationFacts] = []
    pushed: list[AdministrationFacts] = []
    for one in chain.facts:
        if one.family == "hydration":
            fluids.append(one)
        elif one.technique == "push":
            pushed.append(one)
        else:
            infused.setdefault((one.family, one.drug_keys), []).append(one)
    if infused and book.policy.repeat_same_drug_infusion != "continue_time":
        infused = _apart(infused)
    given: set[object] = set()
    made = chain.services
    for those in infused.values():
        service = _service(chain, those, "infusion", book)
        dose = (service.family, service.drugs)
        if dose in given:
            service.extra = "repeat_dose"
        given.add(dose)
        made.append(service)
    if fluids:
        _hydrate(chain, fluids, drips, book)
    for one in pushed:
        made.append(_service(chain, [one], "push", book))


def _apart(
    infused: dict[object, list[AdministrationFacts]],
) -> dict[object, list[AdministrationFacts]]:
    """Infusions by drug and run, in time, where a drug ran more than once."""
    drips_given = [one for those in infused.values() for one in those]
    runs: dict[object, int] = {}
    if all(runs.setdefault(one.drug_keys, one.run) == one.run for one in drips_given):
        return infused
    made: dict[object, list[AdministrationFacts]] = {}
    for one in sorted(drips_given, key=by_time):
        made.setdefault((one.drug_keys, one.run), []).append(one)
    return made


def _service(
    chain: Chain, those: list[AdministrationFacts], technique: str, book: Book
) -> ServiceFacts:
    made = ServiceFacts()
    first = those[0]
    made.family, made.technique = first.family, technique  # type: ignore[assignment]
    made.role = made.code = made.row = made.extra = None
    made.because, made.further, made.chain = "", 0, chain.index
    made.rank = book.ranks.get((first.family, technique))  # type: ignore[arg-type]
    made.administrations, made.lead = tuple(those), first
    made.drugs, made.start, made.order = first.drug_keys, first.start_seconds, first.order
    if len(those) == 1:
        made.spans = [first.span] if first.span is not None else []
        made.minutes = first.total_minutes
        first.service = made
        return made
    made.spans = clock.unite(one.span for one in those if one.span is not None)
    loose = sum(one.running_minutes or 0 for one in those if one.span is None)
    made.minutes = clock.covered(made.spans) // 60 + loose
    for one in those:
        one.service = made
    return made


def _hydrate(
    chain: Chain, fluids: list[AdministrationFacts], drips: dict[str, list[clock.Span]], book: Book
) -> None:
    """Hydration of one chain: only minutes that no drug infusion shares on that line count."""
    rule = book.policy.hydration_overlap
    left: list[clock.Span] = []
    loose, denied = 0, False
    nowhere = drips.get("", [])
    everywhere: list[clock.Span] | None = None
    for one in fluids:
        if one.span is None:
            loose += one.running_minutes or 0
            continue
        if one.site:
            cuts = clock.unite([*drips.get(one.site, ()), *nowhere])
        else:
            if everywhere is None:
                everywhere = clock.unite(span for spans in drips.values() for span in spans)
            cuts = everywhere
        if rule == "ignore" or not cuts:
            left.append(one.span)
        else:
            free = clock.without([one.span], cuts)
            denied |= rule == "deny_all" and clock.covered(free) < one.span[1] - one.span[0]
            left += free
    spans = clock.unite(left)
    minutes = 0 if denied else clock.covered(spans) // 60 + loose
    for one in fluids:
        one.hydration_minutes = minutes
    service = _service(chain, fluids, "infusion", book)
    service.minutes, service.spans = minutes, spans
    if spans:
        service.start = spans[0][0]
    if minutes < book.policy.hydration_floor_minutes:
        _refuse(service, "hydration_too_short")
    else:
        chain.services.append(service)


def _refuse(service: ServiceFacts, reason: str) -> None:
    service.role = service.code = service.row = None
    for one in service.administrations:
        one.reason = reason  # type: ignore[assignment]
        one.billable = False


def _concurrent(chains: list[Chain], encounter: Encounter, book: Book, zone: tzinfo | None) -> None:
    """Give drips that run with a kept one their concurrent role: one an encounter, the rest none.

    The higher rank, then the longer, then the earlier keeps its role (a named primary before all).
    Where the policy ends an encounter earlier, each such part has its one, and none a second a day.
    """
    used: set[int | date | None] = set()
    primary = encounter.primary_administration if book.by_reason(encounter.setting) else None
    for chain in chains:
        drips = [s for s in chain.services
                 if s.technique == "infusion" and s.family != "hydration"]  # fmt: skip
        if len(drips) < 2 or not _together(drips):
            continue
        drips.sort(key=lambda s: (
            all(one.given.id != primary for one in s.administrations),
            s.rank or 0, -(s.minutes or 0), s.order,
        ))  # fmt: skip
        kept: list[clock.Span] = []
        for service in drips:
            together = clock.shared(service.spans, kept) if kept and service.spans else 0
            row = book.pick(service.family, "infusion", "concurrent")
            if (
                row is None
                or not together
                or (together < 60 * book.policy.concurrent_min_overlap_minutes)
            ):
                kept = clock.unite([*kept, *service.spans])
                continue
            bounds = _bounds(service, book, zone)
            if row.once and not used.isdisjoint(bounds):
                _refuse(service, "concurrent_already_reported")
                chain.services.remove(service)
            else:
                used.update(bounds)
                service.role, service.row, service.because = "concurrent", row, "concurrent"


def _bounds(
    service: ServiceFacts, book: Book, zone: tzinfo | None
) -> tuple[int | date | None, ...]:
    """The visit and the day of a timed service, where the policy bounds encounters by such."""
    if book.policy.encounter_boundary == "encounter_id":
        return (None,)
    return service.administrations[0].visit, clock.local_date(service.spans[0][0], zone)


def _together(drips: list[ServiceFacts]) -> bool:
    """Whether any two of the spans overlap."""
    latest: int | None = None
    for start, stop in sorted([span for service in drips for span in service.spans]):
        if latest is not None and start < latest:
            return True
        latest = stop
    return False


def _roles(chain: Chain, encounter: Encounter, book: Book) -> None:
    picks = book.picks
    able = [s for s in chain.services if s.role is None and s.extra is None
            and (s.family, s.technique, "initial", None) in picks]  # fmt: skip
    if not able:
        for service in chain.services:
            if service.row is None:
                _refuse(service, "no_code")
        chain.services[:] = [s for s in chain.services if s.row is not None]
        return
    ranked = able[0] if len(able) == 1 else min(able, key=lambda s: (s.rank or 99, s.order))
    chosen, by = ranked, "hierarchy"
    if book.by_reason(encounter.setting):
        named = encounter.primary_administration
        if named is None:
            if len(able) > 1 and book.policy.professional_missing_primary_reason == "first_given":
                chosen, by = min(able, key=lambda s: s.order), "first_given"
        else:
            wish = next((s for s in able if any(o.given.id == named for o in s.administrations)),
                        None)  # fmt: skip
            if wish is not None and _all_have_primaries(chain, wish, encounter, book):
                chosen, by = wish, "primary_reason"
            elif any(one.given.id == named for one in chain.facts):
                by = "fallback"
    chain.initial, chain.initial_by = chosen, by
    _assign(chain, chosen, by, encounter, book)


def _all_have_primaries(chain: Chain, wish: ServiceFacts, encounter: Encounter, book: Book) -> bool:
    """Whether each add-on of the chain could hang on the wished initial or another add-on."""
    initial = book.pick(wish.family, wish.technique, "initial")
    assert initial is not None
    codes, add_ons = {initial.code}, []
    for service in chain.services:
        if service is wish:
            continue
        role = "further_hour" if service.family == "hydration" else service.role or "sequential"
        row = book.pick(service.family, service.technique, role)
        if row is not None:
            codes.add(row.code)
            add_ons.append(row.code)
    return all(not (p := book.primaries(code)) or p & codes for code in add_ons)


def _assign(chain: Chain, initial: ServiceFacts, by: str, encounter: Encounter, book: Book) -> None:
    initial.role = "initial"
    initial.row = book.pick(initial.family, initial.technique, "initial")
    initial.because = "initial" if by != "primary_reason" else "initial_by_reason"
    if initial.technique == "infusion":
        initial.further = further_hours(initial.minutes or 0, book)
    total = initial.minutes or 0
    drips = [s for s in chain.services
             if s.role is None and s.technique == "infusion" and s is not initial]  # fmt: skip
    for service in sorted(drips, key=by_time):
        if service.family == "hydration":
            _later_fluid(service, book)
            continue
        total += service.minutes or 0
        _later_drip(service, total, book)
    chain.services[:] = [s for s in chain.services if s.role is not None or s.technique == "push"]
    push_roles(chain, encounter.setting, book)
    chain.services[:] = [s for s in chain.services if s.row is not None]


def further_hours(minutes: int, book: Book) -> int:
    """Hours beyond the first that so many minutes come to, from the policy's minutes past each."""
    over = book.policy.additional_hour_minutes
    return max(0, (minutes - over) // HOUR) if minutes > HOUR else 0


def _later_fluid(service: ServiceFacts, book: Book) -> None:
    """Hydration beside another initial: further hours only, the first of them from its floor."""
    service.role, service.because = "further_hour", "hydration_after_initial"
    service.row = book.pick("hydration", "infusion", "further_hour")
    service.further = further_hours(service.minutes or 0, book)
    if service.row is None:
        _refuse(service, "no_code")


def _later_drip(service: ServiceFacts, total: int, book: Book) -> None:
    policy = book.policy
    repeats = service.extra == "repeat_dose"
    if repeats and policy.repeat_same_drug_infusion == "additional_hour_only":
        service.role, service.because = "further_hour", "repeat_dose_hours"
        service.row = book.pick(service.family, "infusion", "further_hour")
        if service.row is None:
            _refuse(service, "no_code")
        service.further = further_hours(service.minutes or 0, book)
        return
    short = total <= book.limits.first_hour_minutes
    if short and policy.sequential_within_first_hour == "no_extra_unit":
        _refuse(service, "within_first_hour")
        return
    service.role, service.because = "sequential", "sequential"
    service.row = book.pick(service.family, "infusion", "sequential")
    if service.row is None:
        _refuse(service, "no_code")
    service.further = further_hours(service.minutes or 0, book)


def _settle(service: ServiceFacts) -> None:
    row, chain = service.row, service.chain
    service.code = row.code if row is not None else None
    for one in service.administrations:
        one.service, one.chain, one.billable = service, chain, row is not None
