"""Pushes of one chain: which are new drugs, which repeat, and which earn nothing.

Called by ``roles``. A repeat push is reported by facilities only, and only when more than the
policy's minutes have passed since the last reported push of that drug; a push of a drug that its
chain also infuses is a repeat push too (CPT's facility repeat code; DESIGN section 3, step 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush.coding.times import by_time

if TYPE_CHECKING:
    from ivpush.coding.chains import Chain
    from ivpush.contract.chart_facts import Decided, Reason, ServiceFacts
    from ivpush.pack.book import Book

__all__ = ["push_roles"]


def push_roles(chain: Chain, setting: str, book: Book) -> None:
    """Give each push of the chain its role, or the reason why it earns none."""
    pushes = [service for service in chain.services if service.technique == "push"]
    if pushes:
        _Pushes(chain, setting, book).settle(sorted(pushes, key=by_time))


@dataclass(slots=True, eq=False, repr=False)
class _Starts:
    """Starts of the pushes of one drug, in seconds: first and last reported, and last given."""

    first: int | None
    last: int | None
    given: int | None


class _Pushes:
    """The pushes of a chain, one after another in time, with what was reported before each."""

    def __init__(self, chain: Chain, setting: str, book: Book) -> None:
        self.initial, self.setting, self.book = chain.initial, setting, book
        self.drips = [
            service
            # Those that earn nothing too, as a third concurrent one: the drug is no new one.
            for service in chain.every_service
            if service.technique == "infusion" and service.family != "hydration"
        ]
        self.infused = frozenset[str]().union(*(drip.drugs for drip in self.drips))
        self.starts: dict[str, _Starts] = {}

    def settle(self, pushes: list[ServiceFacts]) -> None:
        """Give each its role or its reason."""
        # The initial push is reported first, whenever it was given.
        if self.initial is not None and self.initial.technique == "push":
            self._report(self.initial)
        for push in pushes:
            if push is not self.initial:
                reason = self._role(push)
                if reason is None:
                    self._report(push)
                else:
                    push.lead.reason = reason
            # Given counts even if unreported: one reading of the gap is from the last push at all.
            for drug in push.drugs & self.starts.keys():
                self.starts[drug].given = push.start

    def _report(self, push: ServiceFacts) -> None:
        for drug in push.drugs:
            if drug in self.starts:
                self.starts[drug].last = push.start
            else:
                self.starts[drug] = _Starts(push.start, push.start, push.start)

    def _role(self, push: ServiceFacts) -> Reason | None:
        """The role of a push, or the reason why it earns none."""
        push.lead.same_drug_infused = not self.infused.isdisjoint(push.drugs)
        # A mixture repeats only if every drug in it was there before.
        push.lead.repeat = self.starts.keys() >= push.drugs - self.infused
        return self._again(push) if push.lead.repeat else self._new(push)

    def _new(self, push: ServiceFacts) -> Reason | None:
        push.row = self.book.pick(push.family, "push", "sequential")
        if push.row is None:
            return "no_code"
        push.role, push.because = "sequential", "new_drug_push"
        return None

    def _again(self, push: ServiceFacts) -> Reason | None:
        before = [self.starts[drug] for drug in push.drugs if drug in self.starts]
        reported = [starts.last for starts in before if starts.last is not None]
        if reported and push.start is not None:
            push.lead.gap_minutes = (push.start - max(reported)) // 60
        disputed = self._disputed(push) if push.lead.same_drug_infused else None
        # Before the gap: a bolus that is part of its drip is no push to be measured.
        if disputed is not None and getattr(self.book.policy, disputed) == "bundled":
            return "bolus_of_infusion"
        row = self.book.pick(push.family, "push", "repeat")
        # CPT gives the repeat code to facilities only.
        if row is None or self.setting not in row.settings:
            return "repeat_not_reportable"
        reason = self._too_soon(push, before) if before else None
        if reason is None:
            push.role, push.row, push.because = "repeat", row, "repeat_push"
            if disputed is not None:
                push.decided_by = (disputed,)
        return reason

    def _too_soon(self, push: ServiceFacts, before: list[_Starts]) -> Reason | None:
        measured_from = self.book.policy.same_drug_gap_measured_from
        if measured_from == "first_push":
            marks = [starts.first for starts in before]
        elif measured_from == "previous_push":
            marks = [starts.given for starts in before]
        else:
            marks = [starts.last for starts in before]
        known = [mark for mark in marks if mark is not None]
        # Without both times no gap is shown, and the code asks for more than its minutes.
        if push.start is None or len(known) < len(marks):
            return "no_time"
        gap = (push.start - max(known)) // 60
        soon = gap < self.book.policy.same_drug_push_gap_minutes
        return "before_reported_gap" if soon else None

    def _disputed(self, push: ServiceFacts) -> Decided | None:
        """The policy that may make a push part of its drug's drip: a bolus, or one during it."""
        start = push.start
        policies: set[Decided] = set()
        if start is None:
            return None
        # A loading dose is drawn from the bag shortly before the drip begins.
        lead_in = 60 * self.book.limits.bolus_before_infusion_minutes
        for drip in self.drips:
            if drip.drugs.isdisjoint(push.drugs) or not drip.spans:
                continue
            begins = drip.spans[0][0]
            if begins - lead_in <= start <= begins:
                policies.add("bolus_from_same_bag")
            if any(low < start < high for low, high in drip.spans):
                policies.add("push_during_infusion_same_drug")
        # One policy that bundles is enough; else any decides, and the name fixes which is told.
        bundled = [each for each in policies if getattr(self.book.policy, each) == "bundled"]
        return min(bundled or policies, default=None)
