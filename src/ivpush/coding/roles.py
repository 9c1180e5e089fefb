"""Who is initial, who sequential, who concurrent: the role of each service in its chain.

Steps 3 and 4 of DESIGN section 3, called by ``derivation``; ``pushes`` settles pushes.
"""

from __future__ import annotations

from datetime import date, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from ivpush import clock
from ivpush.coding.pushes import push_roles
from ivpush.coding.services import refuse
from ivpush.coding.times import by_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from ivpush.coding.chains import Chain, InitialBy
    from ivpush.contract.chart_facts import Role, ServiceFacts
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = [
    "BESIDE_ANOTHER",
    "HOUR",
    "Refusals",
    "Wishes",
    "further_hours",
    "hours_of",
    "led_by_drip",
    "refuse_orphans",
    "set_concurrent",
    "set_roles",
    "settle",
]

HOUR = 60
"""Minutes of an hour of infusion."""

# Behind every rank of the hierarchy.
_UNRANKED = 99

BESIDE_ANOTHER = frozenset({"concurrent_already_reported", "concurrent_without_primary"})
"""Reasons for which a drip beside another earns nothing; leading, it would have its own role."""

_AGAINST_HIERARCHY = {"primary_reason", "first_given"}


class Wishes(NamedTuple):
    """Which services should lead against the hierarchy, and where that came to nothing."""

    heeded: bool
    """Whether the primary reason decides at all, and not the hierarchy alone."""
    named: str | None
    """The administration whose service is the primary reason."""
    refused: frozenset[int] = frozenset()
    """Chains in which something would have gone unbilled: there the hierarchy decides."""


class Refusals(NamedTuple):
    """Chains in which a service that leads against the hierarchy would leave something unbilled."""

    addons: frozenset[int] = frozenset()
    """An add-on, for want of its primary."""
    concurrent: frozenset[int] = frozenset()
    """The concurrent drip only."""
    vain: frozenset[int] = frozenset()
    """Those of the latter in which the hierarchy leaves it unbilled as well."""

    @property
    def chains(self) -> frozenset[int]:
        """Chains in which the hierarchy decides."""
        return self.addons | (self.concurrent - self.vain)

    def with_more(
        self, addons: frozenset[int], lost: frozenset[int], chains: Iterable[Chain]
    ) -> Refusals:
        """What is known after a round in which these chains lost add-ons, or a concurrent drip."""
        wished = {chain.index for chain in chains if chain.initial_by in _AGAINST_HIERARCHY}
        return Refusals(
            self.addons | addons,
            self.concurrent | (lost & wished),
            self.vain | ((lost & self.concurrent) - wished),
        )


def led_by_drip(wishes: Wishes, chain: Chain) -> Wishes:
    """Where a chain also infuses the drug of the named push, its infusion is what should lead.

    The push repeats a drug that the infusion reports; it would report the drug a second time.
    """
    push = next((each for each in chain.services if _is_named_push(each, wishes)), None)
    if push is None:
        return wishes
    drips = [each for each in chain.services if each.technique == "infusion"]
    of_drug = [drip for drip in drips if not drip.drugs.isdisjoint(push.drugs)]
    # A mixture repeats only if every drug in it is infused too.
    if not of_drug or not push.drugs <= frozenset[str]().union(*(drip.drugs for drip in of_drug)):
        return wishes
    first = min(of_drug, key=_by_rank)
    return wishes._replace(named=first.lead.given.id)


def _is_named_push(service: ServiceFacts, wishes: Wishes) -> bool:
    return service.technique == "push" and _holds(service, wishes.named)


def _by_rank(service: ServiceFacts) -> tuple[int, tuple[bool, int, int, str]]:
    """The place of a service in the hierarchy of its date, equals in time order."""
    return service.rank or _UNRANKED, service.order


def _minutes(service: ServiceFacts) -> int:
    """Minutes that count; none where the chart gives none."""
    return service.minutes or 0


def further_hours(minutes: int, book: Book) -> int:
    """Hours beyond the first that so many minutes come to, from the policy's minutes past each."""
    # CPT: a further hour counts once its minutes are past the half; a policy says how many.
    over = book.policy.additional_hour_minutes
    return max(0, (minutes - over) // HOUR)


def hours_of(service: ServiceFacts, book: Book) -> int:
    """The further hours that the minutes of a service come to."""
    return further_hours(_minutes(service), book)


def set_concurrent(
    chains: Iterable[Chain], wishes: Wishes, book: Book, zone: tzinfo | None
) -> None:
    """Give drips that run with a kept one their concurrent role: one an encounter, the rest none.

    The higher rank, then the longer, then the earlier keeps its role; a named primary that leads
    before all. Where the policy ends an encounter earlier, each part may report one, never two on
    one day.
    """
    # Over all chains: concurrent is reported once an encounter, not once a site (CPT).
    used: set[int | date | None] = set()
    for chain in chains:
        primary = wishes.named if chain.index not in wishes.refused else None
        drips = [
            service
            for service in chain.services
            if service.technique == "infusion" and service.family != "hydration"
        ]
        # Most chains stop here.
        if len(drips) < 2:
            continue
        drips.sort(key=lambda drip: _precedence(drip, primary))
        kept, refused = clock.Covered(), set[int]()
        for drip in drips:
            row = book.pick(drip.family, "infusion", "concurrent")
            if row is None or not _runs_beside(drip, kept, book):
                # Only what keeps its role counts: a concurrent drip makes no other concurrent.
                for span in drip.spans:
                    kept.add(span)
                continue
            bounds = _bounds(drip, book, zone)
            if row.once and not used.isdisjoint(bounds):
                refuse(drip, "concurrent_already_reported")
                refused.add(id(drip))
            else:
                used.update(bounds)
                drip.role, drip.row, drip.because = "concurrent", row, "concurrent"
        if refused:
            chain.services[:] = [each for each in chain.services if id(each) not in refused]


def _precedence(drip: ServiceFacts, primary: str | None) -> tuple[object, ...]:
    """Of drips that run together, the least keeps its own role."""
    rank, order = _by_rank(drip)
    return (not _holds(drip, primary), rank, -_minutes(drip), order)


def _runs_beside(drip: ServiceFacts, kept: clock.Covered, book: Book) -> bool:
    """Whether a drip shares enough time with those that keep their role."""
    together = kept.shared(drip.spans)
    return together > 0 and together >= 60 * book.policy.concurrent_min_overlap_minutes


def _bounds(
    service: ServiceFacts, book: Book, zone: tzinfo | None
) -> tuple[int | date | None, ...]:
    """The visit and the day of a timed service, where the policy bounds encounters by such."""
    if book.policy.encounter_boundary in {"stay", "encounter_id"}:
        return (None,)
    return _visit_of(service), clock.local_date(service.spans[0][0], zone)


def set_roles(chain: Chain, encounter: Encounter, wishes: Wishes, book: Book) -> bool:
    """Choose the initial service of a chain and give every other its role.

    Says whether the choice holds: a service that leads against the hierarchy must leave no add-on
    of its chain without one of its primaries.
    """
    able = [
        service
        for service in chain.services
        if service.role is None
        # A later dose of a drug is the same service going on, so it cannot lead.
        and not service.repeats_dose
        and (service.family, service.technique, "initial", None) in book.picks
    ]
    if able:
        initial, decided_by = _initial(chain, able, wishes, book)
        chain.initial, chain.initial_by = initial, decided_by
        _assign(chain, initial, encounter, book)
    else:
        for service in [each for each in chain.services if each.row is None]:
            refuse(service, "no_code")
    chain.services[:] = [service for service in chain.services if service.row is not None]
    if chain.initial_by not in _AGAINST_HIERARCHY:
        return True
    # The primary of a concurrent drip may be of another chain: `refuse_orphans` judges that.
    addons = [service for service in chain.services if service.role != "concurrent"]
    return not _any_orphan(addons, chain.services, book)


def _initial(
    chain: Chain, able: list[ServiceFacts], wishes: Wishes, book: Book
) -> tuple[ServiceFacts, InitialBy]:
    """The service that leads a chain, and what decided it."""
    ranked = min(able, key=_by_rank)
    if not wishes.heeded:
        return ranked, "hierarchy"
    named, refused = wishes.named, chain.index in wishes.refused
    if named is None:
        if len(able) > 1 and not refused and _first_given_leads(book):
            return min(able, key=by_time), "first_given"
        return ranked, "hierarchy"
    wished = next((service for service in able if _holds(service, named)), None)
    if wished is not None and not refused:
        return wished, "primary_reason"
    # Each chain has an initial, but only one of them can hold the named service.
    elsewhere = all(each.given.id != named for each in chain.administrations)
    return ranked, "hierarchy" if elsewhere else "fallback"


def _first_given_leads(book: Book) -> bool:
    return book.policy.professional_missing_primary_reason == "first_given"


def _holds(service: ServiceFacts, identity: str | None) -> bool:
    return any(each.given.id == identity for each in service.administrations)


def _any_orphan(
    services: Iterable[ServiceFacts], beside: Iterable[ServiceFacts], book: Book
) -> bool:
    """Whether a service has a code that is an add-on to none of the codes billed beside it."""
    billed = frozenset(code for service in beside for code in _codes(service))
    return any(_is_orphan(service, billed, book) for service in services)


def _is_orphan(service: ServiceFacts, billed: Set[str], book: Book) -> bool:
    """Whether a service has a code that is an add-on to none of those that are billed."""
    primaries = (book.primaries(code) for code in _codes(service))
    return any(each and each.isdisjoint(billed) for each in primaries)


def _codes(service: ServiceFacts) -> tuple[str, ...]:
    """The codes that a service bills: its own and that of its further hours."""
    row = service.row
    assert row is not None  # what has no code has left its chain
    # A later hydration bills its hours by its own code already.
    hours = service.further and service.role != "further_hour"
    return (row.code, row.further) if hours and row.further else (row.code,)


def refuse_orphans(
    chains: Iterable[Chain], services: list[ServiceFacts], book: Book
) -> frozenset[int]:
    """Refuse concurrent drips of which no primary is billed in the same visit.

    Answers with the chains that have lost one.
    """
    drips = [service for service in services if service.role == "concurrent"]
    if not drips:
        return frozenset()
    billed: dict[int, set[str]] = {}
    for service in services:
        billed.setdefault(_visit_of(service), set()).update(_codes(service))
    alone = {id(drip) for drip in drips if _is_orphan(drip, billed[_visit_of(drip)], book)}
    if not alone:
        return frozenset()
    for drip in [each for each in drips if id(each) in alone]:
        refuse(drip, "concurrent_without_primary")
    held = [(chain.index, chain.services) for chain in chains]
    lost = [index for index, those in held if any(id(each) in alone for each in those)]
    for those in (services, *(those for _, those in held)):
        those[:] = [each for each in those if id(each) not in alone]
    return frozenset(lost)


def _visit_of(service: ServiceFacts) -> int:
    """The visit of the day in which a service was given."""
    return service.administrations[0].visit


def _assign(chain: Chain, initial: ServiceFacts, encounter: Encounter, book: Book) -> None:
    by_reason = chain.initial_by == "primary_reason"
    _give(initial, "initial", "initial_by_reason" if by_reason else "initial", book)
    # A push has no further hours, however long it was charted.
    if initial.technique != "infusion":
        initial.further = 0
    minutes = _minutes(initial)
    for drip in sorted(chain.services, key=by_time):
        if drip.role is not None or drip.technique != "infusion":
            continue
        if drip.family == "hydration":
            # Beside another initial: further hours only, the first of them from its floor.
            _give(drip, "further_hour", "hydration_after_initial", book)
        else:
            # First-hour minutes are shared in time order, as the policy counts them.
            minutes += _minutes(drip)
            _later_drip(drip, minutes, book)
    chain.services[:] = [
        service
        for service in chain.services
        if service.role is not None or service.technique == "push"
    ]
    push_roles(chain, encounter.setting, book)


def _later_drip(drip: ServiceFacts, minutes_so_far: int, book: Book) -> None:
    policy = book.policy
    if drip.repeats_dose and policy.repeat_same_drug_infusion == "additional_hour_only":
        if _minutes(drip) < policy.additional_hour_minutes:
            refuse(drip, "repeat_dose_too_short")
        else:
            _give(drip, "further_hour", "repeat_dose_hours", book)
        return
    short = minutes_so_far <= book.limits.first_hour_minutes
    if short and policy.sequential_within_first_hour == "no_extra_unit":
        refuse(drip, "within_first_hour")
    else:
        _give(drip, "sequential", "sequential", book)


def _give(service: ServiceFacts, role: Role, because: str, book: Book) -> None:
    """Give a service a role, its code and its further hours; refuse it where no code is valid."""
    service.row = book.pick(service.family, service.technique, role)
    service.role, service.because = role, because
    service.further = hours_of(service, book)
    if service.row is None:
        refuse(service, "no_code")


def settle(service: ServiceFacts) -> None:
    """Tell a service's administrations what became of it."""
    service.code = service.row.code if service.row is not None else None
    for administration in service.administrations:
        administration.chain, administration.billable = service.chain, service.row is not None
