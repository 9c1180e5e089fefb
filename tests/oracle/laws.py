"""Roles that the doses of one access may take, and the laws that strike an assignment of them.

Each law says why an assignment is forbidden; `struck_by` names the first that it breaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import combinations, product

from tests.oracle.chart import (
    DAY,
    Dose,
    Technique,
    Visit,
    days_of,
    is_complex,
    running_minutes,
    same_access,
    shared_minutes,
    stretch,
)


class Role(Enum):
    """What one dose is in the visit."""

    INITIAL = "initial"
    SEQUENTIAL = "sequential"
    CONCURRENT = "concurrent"
    CONTINUED = "more minutes of a dose before it"
    NEW_PUSH = "push of a new drug"
    REPEAT_PUSH = "push of the same drug"
    HYDRATION = "hydration beside another initial service"
    NOTHING = "not billable"


POSSIBLE = {
    Technique.INFUSION: (
        Role.INITIAL,
        Role.SEQUENTIAL,
        Role.CONCURRENT,
        Role.CONTINUED,
        Role.NOTHING,
    ),
    Technique.PUSH: (Role.INITIAL, Role.NEW_PUSH, Role.REPEAT_PUSH, Role.NOTHING),
    Technique.FLUID: (Role.INITIAL, Role.HYDRATION, Role.CONTINUED, Role.NOTHING),
}
KEPT = {Role.INITIAL, Role.SEQUENTIAL}
HEADS = KEPT | {Role.NEW_PUSH, Role.HYDRATION}
PRIMARIES = {
    "96361": {"96360", "96365", "96374", "96409", "96413"},
    "96366": {"96360", "96365", "96367", "96413"},
    "96367": {"96360", "96365", "96374", "96409", "96413"},
    "96368": {"96360", "96365", "96366", "96413", "96415", "96416", "C8957"},
    "96375": {"96360", "96365", "96374", "96409", "96413"},
    "96376": {"96365", "96374", "96409", "96413"},
    "96411": {"96409", "96413"},
    "96415": {"96413"},
    "96417": {"96413"},
}
"""Add-on codes and their primary codes: CMS type-1 add-on edits of June 2024."""

Roles = Mapping[str, Role]
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

    def of(self, kind: Technique) -> list[Dose]:
        """The doses of one technique, in time."""
        return sorted((d for d in self.doses if self.visit.technique(d) is kind), key=in_order)

    @cached_property
    def infusions(self) -> list[Dose]:
        """Infusions of drugs, in time."""
        return self.of(Technique.INFUSION)

    @cached_property
    def pushes(self) -> list[Dose]:
        """Pushes, in time."""
        return self.of(Technique.PUSH)

    @cached_property
    def fluids(self) -> list[Dose]:
        """Runs of hydration, in time."""
        return self.of(Technique.FLUID)

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
                    own -= set(_minutes(drug))
            alone |= own
        return sorted(alone)

    def minutes_of(self, drug: str) -> list[int]:
        """The minutes of all infusions of one drug, in time."""
        return [minute for d in self.infusions if d.drug == drug for minute in _minutes(d)]

    def overlap(self, left: Dose, right: Dose) -> bool:
        """Whether two infusions of different drugs ran together, through one access, long enough."""
        least = max(1, self.visit.policies.concurrent_min_overlap_minutes)
        return left.drug != right.drug and any(
            shared_minutes(a, b) >= least
            for a in self.infusions
            for b in self.infusions
            if (a.drug, b.drug) == (left.drug, right.drug)
        )

    def standing(self, dose: Dose, leader: str | None) -> tuple[bool, bool, int, Moment]:
        """By what infusions that run together keep their role: the least one does.

        The named primary reason does where it leads; then the complex drug, then the longer one.
        """
        plain = not is_complex(dose, self.visit)
        return dose.drug != leader, plain, -len(self.minutes_of(dose.drug)), in_order(dose)

    def leads(self, dose: Dose) -> bool:
        """Whether the dose belongs to the service that is the named primary reason."""
        named = next((d for d in self.doses if d.id == self.visit.primary), None)
        counts = self.visit.technique
        if named is None or self.visit.facility or counts(named) not in POSSIBLE:
            return False
        fluids = (counts(named), counts(dose)).count(Technique.FLUID)
        return fluids == 2 or (fluids == 0 and named.drug == dose.drug)

    def assignments(self) -> Iterator[dict[str, Role]]:
        """Every assignment of roles to the doses, with one initial service or none."""
        given = [*self.infusions, *self.pushes, *self.fluids]
        for roles in product(*(POSSIBLE[self.visit.technique(dose)] for dose in given)):
            if roles.count(Role.INITIAL) <= 1:
                yield {dose.id: role for dose, role in zip(given, roles, strict=True)}


def _minutes(dose: Dose) -> range:
    """Each minute that a dose ran; without a clock they are taken from the first midnight on."""
    return range(*(stretch(dose) or (0, running_minutes(dose) or 0)))


def one_initial(chain: Chain, roles: Roles) -> bool:
    """Whatever is billed has one initial service."""
    taken = list(roles.values())
    return taken.count(Role.INITIAL) == (taken.count(Role.NOTHING) < len(taken))


def infusions_by_drug(chain: Chain, roles: Roles) -> bool:
    """The first infusion of a drug has a role of its own; later ones add their minutes to it."""
    return all(
        (roles[dose.id] is Role.CONTINUED) == (chain.first_infusions[dose.drug] is not dose)
        for dose in chain.infusions
    )


def pushes_by_drug(chain: Chain, roles: Roles) -> bool:
    """The first push of a drug that is not infused is a new drug; others repeat it, or nothing."""
    for dose in chain.pushes:
        new = chain.first_pushes[dose.drug] is dose and dose.drug not in chain.first_infusions
        if (roles[dose.id] in {Role.INITIAL, Role.NEW_PUSH}) != new:
            return False
        if not new and (roles[dose.id] is Role.REPEAT_PUSH) != _repeats(chain, dose, roles):
            return False
    return True


def _repeats(chain: Chain, dose: Dose, roles: Roles) -> bool:
    """Whether a further push of a drug is reported: in a hospital, long enough after the last."""
    if not chain.visit.facility or is_complex(dose, chain.visit):
        return False
    policies = chain.visit.policies
    earlier = [d for d in chain.pushes if d.drug == dose.drug and in_order(d) < in_order(dose)]
    if policies.same_drug_gap_measured_from == "last_reported_push":
        earlier = [d for d in earlier if roles[d.id] is not Role.NOTHING]
    if not earlier:
        return True
    from_first = policies.same_drug_gap_measured_from == "first_push"
    last = earlier[0 if from_first else -1].start
    if last is None or dose.start is None:
        return False
    return dose.start - last >= policies.same_drug_push_gap_minutes


def infusions_together(chain: Chain, roles: Roles) -> bool:
    """Of infusions together one keeps its role, and each other one is beside a better one."""
    heads = list(chain.first_infusions.values())
    kept = [dose for dose in heads if roles[dose.id] in KEPT]
    if any(chain.overlap(a, b) for a, b in combinations(kept, 2)):
        return False
    leader = _primary_drug(chain, roles)
    beside = [dose for dose in heads if dose not in kept]
    if any(is_complex(dose, chain.visit) for dose in beside):
        return False
    return all(
        any(
            chain.overlap(dose, k) and chain.standing(k, leader) < chain.standing(dose, leader)
            for k in kept
        )
        for dose in beside
    )


def _primary_drug(chain: Chain, roles: Roles) -> str | None:
    """The infused drug that leads as the named primary reason."""
    heads = chain.first_infusions.values()
    return next((d.drug for d in heads if roles[d.id] is Role.INITIAL and chain.leads(d)), None)


def one_concurrent(chain: Chain, roles: Roles) -> bool:
    """The best infusion beside another is billed once; none only for want of a primary code."""
    heads = sorted(chain.first_infusions.values(), key=lambda dose: chain.standing(dose, None))
    beside = [dose for dose in heads if roles[dose.id] not in KEPT]
    billed = [dose for dose in beside if roles[dose.id] is Role.CONCURRENT]
    if not beside or billed == beside[:1]:
        return True
    return not billed and not PRIMARIES["96368"] & set(codes(chain, roles))


def hydration_once(chain: Chain, roles: Roles) -> bool:
    """Hydration long enough on its own is one service, however many bags; too short it is none."""
    enough = len(chain.hydration) >= chain.visit.policies.hydration_floor_minutes
    for place, dose in enumerate(chain.fluids):
        role = roles[dose.id]
        if not enough:
            lawful = role is Role.NOTHING
        elif place:
            lawful = role is Role.CONTINUED
        else:
            lawful = role in {Role.INITIAL, Role.HYDRATION}
        if not lawful:
            return False
    return True


def addons_have_primaries(chain: Chain, roles: Roles) -> bool:
    """Every add-on code has one of its primary codes on its access."""
    billed = set(codes(chain, roles))
    return all(PRIMARIES[code] & billed for code in billed if code in PRIMARIES)


LAWS: tuple[Callable[[Chain, Roles], bool], ...] = (
    one_initial,
    infusions_by_drug,
    pushes_by_drug,
    hydration_once,
    infusions_together,
    one_concurrent,
    addons_have_primaries,
)


def struck_by(chain: Chain, roles: Roles) -> str | None:
    """The first law that an assignment breaks; None: it is lawful."""
    return next((law.__name__ for law in LAWS if not law(chain, roles)), None)


def further_hours(minutes: int, visit: Visit) -> int:
    """Units past the first hour: each needs at least 31 minutes past a whole hour."""
    return max(0, (minutes - visit.policies.additional_hour_minutes) // 60)


def codes(chain: Chain, roles: Roles) -> Counter[str]:
    """Codes and units that an assignment bills."""
    return Counter(code for code, _ in dated(chain, roles))


def dated(chain: Chain, roles: Roles) -> list[tuple[str, int]]:
    """Each unit that an assignment bills: its code, and the day on which it is billed."""
    return [
        unit
        for dose in chain.doses
        if roles.get(dose.id, Role.NOTHING) not in {Role.NOTHING, Role.CONTINUED}
        for unit in _units_of(chain, dose, roles[dose.id])
    ]


def _units_of(chain: Chain, dose: Dose, role: Role) -> list[tuple[str, int]]:
    """What one dose bills in its role, with the further hours of its drug.

    The service stands on the day it began, each further hour on the day it completes.
    """
    hard, given = is_complex(dose, chain.visit), chain.visit.technique(dose)
    if given is Technique.PUSH:
        return [(_push_code(role, hard), days_of(dose)[0])]
    if role is Role.CONCURRENT:
        return [("96368", days_of(dose)[0])]
    minutes = chain.hydration if given is Technique.FLUID else chain.minutes_of(dose.drug)
    hours = range(1, further_hours(len(minutes), chain.visit) + 2)
    ends = [minutes[min(60 * hour, len(minutes)) - 1] // DAY for hour in hours]
    first, more = _timed_codes(given, role, hard)
    if first != more:
        ends[0] = minutes[0] // DAY
    return [(first, ends[0]), *((more, day) for day in ends[1:])]


def _timed_codes(given: Technique, role: Role, hard: bool) -> tuple[str, str]:
    """The code of a timed service and of its further hours."""
    if given is Technique.FLUID:
        return "96360" if role is Role.INITIAL else "96361", "96361"
    if hard:
        return "96413" if role is Role.INITIAL else "96417", "96415"
    return "96365" if role is Role.INITIAL else "96367", "96366"


def _push_code(role: Role, hard: bool) -> str:
    if role is Role.INITIAL:
        return "96409" if hard else "96374"
    if role is Role.REPEAT_PUSH:
        return "96376"
    return "96411" if hard else "96375"
