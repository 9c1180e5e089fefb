"""The doses by vein of one access, with what the laws measure on them, each measured once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from tests.oracle.chart import (
    Dose,
    Technique,
    Visit,
    is_complex,
    running_minutes,
    same_access,
    shared_minutes,
    stretch,
)
from tests.oracle.roles import Role

BY_VEIN = {Technique.INFUSION, Technique.PUSH, Technique.FLUID}
Moment = tuple[bool, int, int, str]


def in_order(dose: Dose) -> Moment:
    """Doses by start, stop and name; those without a time last."""
    start, stop = stretch(dose) or (dose.start or 0, dose.start or 0)
    return dose.start is None, start, stop, dose.id


@dataclass(frozen=True)
class Chain:
    """The doses by vein of one access, and the visit that they belong to."""

    visit: Visit
    doses: tuple[Dose, ...]
    elsewhere: frozenset[str] = frozenset()
    """Codes that other accesses of the visit bill."""

    def _of(self, kind: Technique) -> list[Dose]:
        """The doses of one technique, in time."""
        given = self.visit.techniques
        return sorted((d for d in self.doses if given[d.id] is kind), key=in_order)

    @cached_property
    def infusions(self) -> list[Dose]:
        """Infusions of drugs, in time."""
        return self._of(Technique.INFUSION)

    @cached_property
    def pushes(self) -> list[Dose]:
        """Pushes, in time."""
        return self._of(Technique.PUSH)

    @cached_property
    def fluids(self) -> list[Dose]:
        """Runs of hydration, in time."""
        return self._of(Technique.FLUID)

    @cached_property
    def first_infusions(self) -> dict[str, Dose]:
        """The first infusion of each drug; its further runs add their minutes to it."""
        return {dose.drug: dose for dose in reversed(self.infusions)}

    @cached_property
    def first_pushes(self) -> dict[str, Dose]:
        """The first push of each drug."""
        return {dose.drug: dose for dose in reversed(self.pushes)}

    @cached_property
    def hydration(self) -> list[int]:
        """The minutes of hydration, in time, that no infusion through the same access shared."""
        subtract = self.visit.policies.hydration_overlap == "subtract_overlap"
        alone: set[int] = set()
        for fluid in self.fluids:
            own = set(_minutes(fluid))
            for drug in self.infusions:
                if subtract and same_access(fluid, drug):
                    own.difference_update(_minutes(drug))
            alone |= own
        return sorted(alone)

    @cached_property
    def minutes(self) -> dict[str, list[int]]:
        """By drug: the minutes of all its infusions, in time."""
        by_drug: dict[str, list[int]] = {drug: [] for drug in self.first_infusions}
        for dose in self.infusions:
            by_drug[dose.drug].extend(_minutes(dose))
        return by_drug

    @cached_property
    def together(self) -> set[tuple[str, str]]:
        """Pairs of drugs of which infusions ran together, through one access, long enough."""
        least = max(1, self.visit.policies.concurrent_min_overlap_minutes)
        return {
            pair
            for a, b in combinations(self.infusions, 2)
            if a.drug != b.drug and shared_minutes(a, b) >= least
            for pair in ((a.drug, b.drug), (b.drug, a.drug))
        }

    @cached_property
    def hard(self) -> dict[str, bool]:
        """By dose: whether it takes the codes of complex drugs."""
        return {dose.id: is_complex(dose, self.visit) for dose in self.doses}

    @cached_property
    def units(self) -> dict[tuple[str, Role], list[tuple[str, int]]]:
        """By dose and role: the units that `billing` has counted."""
        return {}

    @cached_property
    def led_by_reason(self) -> set[str]:
        """The doses of the service that is the named primary reason."""
        given = self.visit.techniques
        named = next((d for d in self.doses if d.id == self.visit.primary), None)
        if named is None or self.visit.facility or given[named.id] not in BY_VEIN:
            return set()
        fluid = Technique.FLUID
        if given[named.id] is fluid:
            return {d.id for d in self.doses if given[d.id] is fluid}
        return {d.id for d in self.doses if d.drug == named.drug and given[d.id] is not fluid}

    def standing(self, dose: Dose, leader: str | None) -> tuple[bool, bool, int, Moment]:
        """By what infusions that run together keep their role: the least one does.

        The named primary reason does where it leads; then the complex drug, then the longer one.
        """
        longest = -len(self.minutes[dose.drug])
        return dose.drug != leader, not self.hard[dose.id], longest, in_order(dose)


def _minutes(dose: Dose) -> range:
    """Each minute that a dose ran; without a clock they are taken from the first midnight on."""
    return range(*(stretch(dose) or (0, running_minutes(dose) or 0)))
