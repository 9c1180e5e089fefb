"""Who is initial, who sequential, who concurrent: the role of each service in its chain."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.chains import Chain
from ivpush.coding.pushes import push_roles
from ivpush.coding.services import refuse
from ivpush.coding.times import by_time
from ivpush.contract.facts import ServiceFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = [
    "HOUR",
    "further_hours",
    "set_concurrent",
    "set_roles",
    "settle",
]

HOUR = 60
"""Minutes of an hour of infusion."""


def set_concurrent(
    chains: list[Chain], encounter: Encounter, book: Book, zone: tzinfo | None
) -> None:
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
                refuse(service, "concurrent_already_reported")
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


def set_roles(chain: Chain, encounter: Encounter, book: Book) -> None:
    """Choose the initial service of a chain and give every other its role."""
    picks = book.picks
    able = [s for s in chain.services if s.role is None and s.extra is None
            and (s.family, s.technique, "initial", None) in picks]  # fmt: skip
    if not able:
        for service in chain.services:
            if service.row is None:
                refuse(service, "no_code")
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
        refuse(service, "no_code")


def _later_drip(service: ServiceFacts, total: int, book: Book) -> None:
    policy = book.policy
    repeats = service.extra == "repeat_dose"
    if repeats and policy.repeat_same_drug_infusion == "additional_hour_only":
        service.role, service.because = "further_hour", "repeat_dose_hours"
        service.row = book.pick(service.family, "infusion", "further_hour")
        if service.row is None:
            refuse(service, "no_code")
        service.further = further_hours(service.minutes or 0, book)
        return
    short = total <= book.limits.first_hour_minutes
    if short and policy.sequential_within_first_hour == "no_extra_unit":
        refuse(service, "within_first_hour")
        return
    service.role, service.because = "sequential", "sequential"
    service.row = book.pick(service.family, "infusion", "sequential")
    if service.row is None:
        refuse(service, "no_code")
    service.further = further_hours(service.minutes or 0, book)


def settle(service: ServiceFacts) -> None:
    """Tell a service's administrations what became of it."""
    row, chain = service.row, service.chain
    service.code = row.code if row is not None else None
    for one in service.administrations:
        one.service, one.chain, one.billable = service, chain, row is not None
