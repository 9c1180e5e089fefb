"""Services of a chart: administrations that are billed as one, and hydration's own minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.chains import Chain
from ivpush.coding.times import by_time, in_time
from ivpush.contract.facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from ivpush.pack.book import Book

__all__ = [
    "add_services",
    "drips_by_site",
    "follow_mixtures",
    "mix",
    "refuse",
]


def mix(facts: list[AdministrationFacts], book: Book) -> bool:
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


def follow_mixtures(facts: list[AdministrationFacts]) -> None:
    """Let each drug of a mixture follow the one that names their service."""
    for one in facts:
        mark = one.service
        if mark is not None and mark.administrations == () and mark.lead is not one:
            lead = mark.lead
            one.service, one.reason, one.billable = lead.service, lead.reason, lead.billable
            one.chain = lead.chain
            if lead.service is not None:
                lead.service.administrations = (*lead.service.administrations, one)


def drips_by_site(facts: list[AdministrationFacts]) -> dict[str, list[clock.Span]]:
    """Spans of all drug infusions by access site; those of no named site under the empty name."""
    found: dict[str, list[clock.Span]] = {}
    for one in facts:
        drips = one.technique in {"infusion", "pump"} and one.family != "hydration"
        if drips and one.span is not None and one.given.route == "IV":
            found.setdefault(one.site, []).append(one.span)
    return {site: clock.unite(spans) for site, spans in found.items()}


def add_services(chain: Chain, drips: dict[str, list[clock.Span]], book: Book) -> None:
    """Put into a chain its services: infusions by drug, hydration, and each push on its own."""
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
        refuse(service, "hydration_too_short")
    else:
        chain.services.append(service)


def refuse(service: ServiceFacts, reason: str) -> None:
    """A service that earns nothing, and why; its administrations say the same."""
    service.role = service.code = service.row = None
    for one in service.administrations:
        one.reason = reason  # type: ignore[assignment]
        one.billable = False
