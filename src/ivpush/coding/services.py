"""Services of a chart: administrations that are billed as one, and hydration's own minutes.

Called by ``derivation``, chain by chain; ``standalone`` makes the services beside the chains.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.times import by_time, minutes_together
from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from ivpush.coding.chains import Chain
    from ivpush.contract.chart_facts import Decided, Reason
    from ivpush.pack.book import Book

__all__ = ["add_services", "drips_by_site", "refuse"]


def drips_by_site(
    administrations: Iterable[AdministrationFacts],
) -> dict[str, list[clock.Span]]:
    """Spans of all drug infusions by access site; those of no named site under the empty name."""
    spans: dict[str, list[clock.Span]] = {}
    for administration in administrations:
        # Other ways in have techniques of their own.
        drips = administration.technique in {"infusion", "pump"}
        if drips and administration.family != "hydration" and administration.span is not None:
            spans.setdefault(administration.site, []).append(administration.span)
    return {site: clock.unite(running) for site, running in spans.items()}


def add_services(chain: Chain, drips: dict[str, list[clock.Span]], book: Book) -> None:
    """Put into a chain its services: infusions by drug, hydration, and each push on its own.

    ``drips`` are the spans of drug infusions by site: hydration counts beside none of them.
    """
    infusions: dict[object, list[AdministrationFacts]] = {}
    fluids: list[AdministrationFacts] = []
    pushes: list[AdministrationFacts] = []
    for administration in chain.administrations:
        if administration.family == "hydration":
            fluids.append(administration)
        elif administration.technique == "push":
            pushes.append(administration)
        else:
            # By family too: the chart may state one drug as of two classes.
            key = (administration.family, administration.drug_keys)
            infusions.setdefault(key, []).append(administration)
    if book.policy.repeat_same_drug_infusion != "continue_time":
        infusions = _by_run(infusions)
    seen: set[object] = set()
    for bags in infusions.values():
        drug = (bags[0].family, bags[0].drug_keys)
        # In time order, so that the first run is the service and later ones repeat it.
        again = drug in seen
        chain.services.append(_service(chain, bags, "infusion", book, repeats_dose=again))
        seen.add(drug)
    if fluids:
        _hydrate(chain, fluids, drips, book)
    chain.services += [_service(chain, [push], "push", book) for push in pushes]


def _by_run(
    infusions: dict[object, list[AdministrationFacts]],
) -> dict[object, list[AdministrationFacts]]:
    """Infusions by drug and run, in time, where a drug ran more than once."""
    bags = [bag for those_of_drug in infusions.values() for bag in those_of_drug]
    runs: dict[object, int] = {}
    if all(runs.setdefault(bag.drug_keys, bag.run) == bag.run for bag in bags):
        return infusions
    apart: dict[object, list[AdministrationFacts]] = {}
    keys: dict[object, object] = {}
    latest: dict[object, tuple[object, int]] = {}
    for bag in sorted(bags, key=by_time):
        run = (bag.drug_keys, bag.run)
        before, stopped = latest.get(bag.drug_keys, (run, 0))
        begun, ended = bag.span if bag.span is not None else (stopped, stopped)
        # At two sites at once it runs once: a drug is not concurrent with itself.
        key = keys.setdefault(run, before if begun < stopped else run)
        latest[bag.drug_keys] = (key, max(stopped, ended))
        apart.setdefault(key, []).append(bag)
    return apart


def _service(
    chain: Chain,
    members: list[AdministrationFacts],
    technique: str,
    book: Book,
    *,
    repeats_dose: bool = False,
) -> ServiceFacts:
    first = members[0]
    if len(members) == 1:
        spans, minutes = [first.span] if first.span is not None else [], first.total_minutes
    else:
        spans = clock.unite(member.span for member in members if member.span is not None)
        minutes = minutes_together(members)
    assert first.family is not None  # a technique by vein comes with a family
    service = ServiceFacts(
        family=first.family,
        technique=technique,
        minutes=minutes,
        rank=book.ranks.get((first.family, technique)),
        chain=chain.index,
        administrations=tuple(members),
        lead=first,
        drugs=first.drug_keys,
        spans=spans,
        start=first.start_seconds,
        order=first.order,
        repeats_dose=repeats_dose,
        decided_by=_decided_by(members, repeats_dose=repeats_dose),
    )
    chain.every_service.append(service)
    return service


def _decided_by(members: list[AdministrationFacts], *, repeats_dose: bool) -> tuple[Decided, ...]:
    """Policies that made the service what it is where sources differ."""
    policies: list[Decided] = []
    if any(member.stopped_short for member in members):
        policies.append("infusion_stopped_early")
    several = len(members) > 1 and len({member.run for member in members}) > 1
    if repeats_dose or (several and members[0].family != "hydration"):
        policies.append("repeat_same_drug_infusion")
    return tuple(policies)


def _hydrate(
    chain: Chain,
    fluids: list[AdministrationFacts],
    drips: dict[str, list[clock.Span]],
    book: Book,
) -> None:
    """Hydration of one chain: only minutes that no drug infusion shares on that line count."""
    spans, minutes = _free_of_drips(fluids, drips, book)
    for fluid in fluids:
        fluid.hydration_minutes = minutes
    service = _service(chain, fluids, "infusion", book)
    service.minutes, service.spans = minutes, spans
    if spans:
        service.start = spans[0][0]
    # CPT has a floor below which hydration is not reported; payers differ on it.
    if minutes < book.policy.hydration_floor_minutes:
        refuse(service, "hydration_too_short")
    else:
        chain.services.append(service)


def _free_of_drips(
    fluids: list[AdministrationFacts], drips: dict[str, list[clock.Span]], book: Book
) -> tuple[list[clock.Span], int]:
    """The stretches of fluids that count, and their minutes with those of no known span."""
    rule = book.policy.hydration_overlap
    free: list[clock.Span] = []
    stated, denied = 0, False
    for fluid in fluids:
        if fluid.span is None:
            stated += fluid.running_minutes or 0
            continue
        # A bag that ran no time would date the service by a day on which nothing ran.
        if fluid.span[0] == fluid.span[1]:
            continue
        beside = _beside(fluid.site, drips)
        if rule == "ignore" or not beside:
            free.append(fluid.span)
            continue
        left = clock.without([fluid.span], beside)
        # Some payers deny the whole bag for one shared minute.
        if rule == "deny_all" and clock.covered(left) < fluid.span[1] - fluid.span[0]:
            denied = True
        free += left
    spans = clock.unite(free)
    return spans, 0 if denied else clock.covered(spans) // 60 + stated


def _beside(site: str, drips: dict[str, list[clock.Span]]) -> list[clock.Span]:
    """Drug infusions that a fluid at a site may share: a drip of no named site may be anywhere."""
    if not drips:
        return []
    if site:
        return clock.unite([*drips.get(site, ()), *drips.get("", ())])
    return clock.unite(span for spans in drips.values() for span in spans)


def refuse(service: ServiceFacts, reason: Reason) -> None:
    """A service that earns nothing, and why; its administrations say the same."""
    service.role = service.code = service.row = None
    for administration in service.administrations:
        administration.reason, administration.billable = reason, False
