"""Pushes of one chain: which are new drugs, which repeat, and which earn nothing.

A repeat push is reported by facilities only, and only when more than the policy's minutes have
passed since the last reported push of that drug; a push of a drug that its chain also infuses is
a repeat push too (CPT's facility repeat code; DESIGN section 3, step 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivpush.coding.times import by_time

if TYPE_CHECKING:
    from ivpush.coding.chains import Chain
    from ivpush.contract.facts import ServiceFacts
    from ivpush.pack.book import Book

__all__ = [
    "push_roles",
]


def push_roles(chain: Chain, setting: str, book: Book) -> None:
    """Give each push of the chain its role, or the reason why it earns none."""
    pushes = [s for s in chain.services if s.technique == "push"]
    if not pushes:
        return
    pushes.sort(key=by_time)
    drips = [s for s in chain.services if s.technique == "infusion" and s.family != "hydration"]
    infused: set[str] = set()
    for drip in drips:
        infused |= drip.drugs
    initial = chain.initial
    seen: dict[str, _Reported] = {}
    if initial is not None and initial.technique == "push":
        _report(initial, seen)
    for service in pushes:
        if service is initial:
            _given(service, seen)
            continue
        had = service.drugs <= infused | seen.keys()
        service.lead.same_drug_infused = not infused.isdisjoint(service.drugs)
        service.lead.repeat = had
        reason = _again(service, seen, drips, setting, book) if had else _new(service, book)
        if reason is None:
            _report(service, seen)
        else:
            service.lead.reason = reason  # type: ignore[assignment]
        _given(service, seen)


class _Reported:
    """Starts of the pushes of one drug: first and last reported, and last given."""

    __slots__ = ("first", "given", "last")

    def __init__(self, start: int | None) -> None:
        self.first = self.last = self.given = start


def _report(service: ServiceFacts, seen: dict[str, _Reported]) -> None:
    for drug in service.drugs:
        if drug in seen:
            seen[drug].last = service.start
        else:
            seen[drug] = _Reported(service.start)


def _given(service: ServiceFacts, seen: dict[str, _Reported]) -> None:
    for drug in service.drugs:
        if drug in seen:
            seen[drug].given = service.start


def _new(service: ServiceFacts, book: Book) -> str | None:
    service.row = book.pick(service.family, "push", "sequential")
    if service.row is None:
        return "no_code"
    service.role, service.because = "sequential", "new_drug_push"
    return None


def _again(
    service: ServiceFacts,
    seen: dict[str, _Reported],
    drips: list[ServiceFacts],
    setting: str,
    book: Book,
) -> str | None:
    lead, policy = service.lead, book.policy
    before = [seen[drug] for drug in service.drugs if drug in seen]
    reason = None
    if before and service.start is not None:
        known = [one.last for one in before if one.last is not None]
        if known:
            lead.gap_minutes = (service.start - max(known)) // 60
    if lead.same_drug_infused and _bundled(service, drips, book):
        return "bolus_of_infusion"
    row = book.pick(service.family, "push", "repeat")
    if row is None or setting not in row.settings:
        return "repeat_not_reportable"
    if before:
        reason = _too_soon(service, before, policy.same_drug_gap_measured_from,
                           policy.same_drug_push_gap_minutes)  # fmt: skip
    if reason is None:
        service.role, service.row, service.because = "repeat", row, "repeat_push"
    return reason


def _too_soon(
    service: ServiceFacts, before: list[_Reported], measured_from: str, least: int
) -> str | None:
    marks = {"first_push": "first", "previous_push": "given"}
    starts = [getattr(one, marks.get(measured_from, "last")) for one in before]
    if service.start is None or any(start is None for start in starts):
        return "no_time"
    return "before_reported_gap" if (service.start - max(starts)) // 60 < least else None


def _bundled(service: ServiceFacts, drips: list[ServiceFacts], book: Book) -> bool:
    """Whether a policy makes the push a part of the drip of its drug: a bolus, or one during it."""
    policy, start = book.policy, service.start
    if start is None:
        return False
    lead_in = 60 * book.limits.bolus_before_infusion_minutes
    for drip in drips:
        if drip.drugs.isdisjoint(service.drugs) or not drip.spans:
            continue
        begins = drip.spans[0][0]
        if policy.bolus_from_same_bag == "bundled" and begins - lead_in <= start <= begins:
            return True
        during = any(low < start < high for low, high in drip.spans)
        if policy.push_during_infusion_same_drug == "bundled" and during:
            return True
    return False
