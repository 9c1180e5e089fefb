"""What the oracle reads: a visit and its doses, in the oracle's own words, with minutes counted.

Written from the coding rules alone: it shares no code with ivpush and reads none of its rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

DAY = 24 * 60
PUSH_CEILING = 15
PROLONGED = 8 * 60
"""Minutes past which an infusion by a pump is a service of its own."""
GOING_HOME = {"ambulatory_pump", "implanted_pump"}
IDLE = {"keep_open", "flush", "drug_carrier", "imaging", "procedure", "pump_refill"}
"""Purposes of which no push, infusion or shot is billed."""


class Kind(Enum):
    """The class of a drug; None on a dose: no class is known."""

    CHEMO = "chemotherapy"
    BIOLOGIC = "complex_biologic"
    THERAPEUTIC = "therapeutic"
    FLUID = "hydration"


class Technique(Enum):
    """How a dose was given, after its minutes are counted."""

    INFUSION = "infusion"
    PUSH = "push"
    FLUID = "fluid"
    SHOT = "injection"
    UNDER_SKIN = "subcutaneous infusion"
    ARTERIAL = "arterial"
    PUMP = "start of a prolonged infusion by a pump"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Policies:
    """The choices that the sources leave open, by ivpush's names, at their documented defaults."""

    same_drug_push_gap_minutes: int = 31
    same_drug_gap_measured_from: str = "last_reported_push"
    concurrent_min_overlap_minutes: int = 16
    second_site_requires_reason: bool = True
    second_initial_modifier: str = "by_reason"
    complex_biologic_mode: str = "documented_factors"
    hydration_floor_minutes: int = 31
    hydration_overlap: str = "subtract_overlap"
    additional_hour_minutes: int = 31
    exact_15_minutes: str = "push"
    encounter_boundary: str = "stay"
    encounter_gap_hours: int = 10

    @property
    def push_ceiling(self) -> int:
        """The most minutes of a push that nobody stayed for."""
        return PUSH_CEILING - (self.exact_15_minutes == "infusion")


@dataclass(frozen=True)
class Dose:
    """One administration; times are minutes from the midnight that begins the visit's first day."""

    id: str
    drug: str
    kind: Kind | None
    route: str = "IV"
    method: str | None = "infusion"
    start: int | None = None
    stop: int | None = None
    minutes: int | None = None
    volume_ml: int | None = None
    rate_ml_per_hour: int | None = None
    last_seen: int | None = None
    site: str | None = None
    needs_own_site: bool = False
    visit: int = 1
    """1, or 2 where the patient left and came back."""
    attended: bool | None = None
    pushable: bool = True
    hormonal: bool = False
    purpose: str | None = None
    device: str | None = None
    access: str | None = None
    mixed_with: str | None = None
    """The dose in the same bag or syringe."""
    resited_from: str | None = None
    """The line that this one replaced."""

    @property
    def idle(self) -> bool:
        """Whether it only keeps a line open, carries a drug, flushes, or belongs to a procedure."""
        return self.purpose in IDLE


@dataclass(frozen=True)
class Visit:
    """One encounter: the claim's setting, what was given, and what is documented about it."""

    facility: bool
    doses: tuple[Dose, ...]
    primary: str | None = None
    complex_work: bool | None = None
    policies: Policies = field(default_factory=Policies)
    stayed: bool = False
    """Whether the record says that the patient stayed from the first dose to the last."""

    @cached_property
    def techniques(self) -> dict[str, Technique]:
        """How each of its doses counts, by the dose's id."""
        return {dose.id: technique(dose, self) for dose in self.doses}

    def technique(self, dose: Dose) -> Technique:
        """How one of its doses counts."""
        return self.techniques[dose.id]


def running_minutes(dose: Dose) -> int | None:
    """Minutes that the dose ran: by the clock, as charted, from volume and rate, as last seen."""
    if dose.start is not None and dose.stop is not None:
        return dose.stop - dose.start
    if dose.minutes is not None:
        return dose.minutes
    if dose.volume_ml and dose.rate_ml_per_hour:
        return dose.volume_ml * 60 // dose.rate_ml_per_hour
    if dose.start is not None and dose.last_seen is not None:
        return dose.last_seen - dose.start
    return None


def technique(dose: Dose, visit: Visit) -> Technique:
    """How the dose counts: route first, then the charted method and the minutes."""
    if dose.idle or dose.route not in {"IV", "IM", "SC", "IA"}:
        return Technique.NOTHING
    minutes, ceiling = running_minutes(dose), visit.policies.push_ceiling
    if dose.route == "IA":
        return Technique.ARTERIAL
    if dose.route == "SC" and dose.method == "infusion" and (minutes or 0) > ceiling:
        return Technique.UNDER_SKIN
    if dose.route in {"IM", "SC"}:
        return Technique.SHOT
    if dose.kind is Kind.FLUID:
        return Technique.NOTHING if minutes is None else Technique.FLUID
    if by_pump(dose) and (visit.facility or is_complex(dose, visit)):
        return Technique.PUMP
    return _by_vein(dose, minutes, ceiling)


def by_pump(dose: Dose) -> bool:
    """Whether a pump that goes with the patient runs the dose for more than eight hours."""
    return dose.device in GOING_HOME and (running_minutes(dose) or 0) > PROLONGED


def _by_vein(dose: Dose, minutes: int | None, ceiling: int) -> Technique:
    """Push or infusion of a drug: either limb of the push's definition is enough for a push."""
    if dose.method == "infusion" and minutes is None:
        return Technique.PUSH if dose.pushable else Technique.NOTHING
    attended = dose.method != "infusion" and dose.attended is True
    return Technique.PUSH if attended or (minutes or 0) <= ceiling else Technique.INFUSION


def stretch(dose: Dose) -> tuple[int, int] | None:
    """First and last minute of the dose, where the chart places it on the clock."""
    minutes = running_minutes(dose)
    if dose.start is None or minutes is None:
        return None
    return dose.start, dose.start + minutes


def shared_minutes(left: Dose, right: Dose) -> int:
    """Minutes that two doses ran at the same time."""
    a, b = stretch(left), stretch(right)
    if a is None or b is None:
        return 0
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def same_access(left: Dose, right: Dose) -> bool:
    """Whether two doses ran through one access; a site that nobody charted counts as the same."""
    return left.site is None or right.site is None or left.site == right.site


def is_complex(dose: Dose, visit: Visit) -> bool:
    """Whether the dose takes the codes of chemotherapy and highly complex drugs."""
    if dose.kind is not Kind.BIOLOGIC:
        return dose.kind is Kind.CHEMO
    by_policy = {"always_complex": True, "always_simple": False}
    return by_policy.get(visit.policies.complex_biologic_mode, visit.complex_work is not False)


def chains(visit: Visit) -> list[tuple[Dose, ...]]:
    """Doses by vein, by the accesses that may each have an initial service of their own."""
    needed = visit.policies.second_site_requires_reason
    own = {place_of(d) for d in visit.doses if d.site and (d.needs_own_site or not needed)}
    groups: dict[tuple[int, str | None], list[Dose]] = {}
    for dose in visit.doses:
        place = place_of(dose) if place_of(dose) in own else (dose.visit, None)
        groups.setdefault(place, []).append(dose)
    return [tuple(group) for group in groups.values()]


def place_of(dose: Dose) -> tuple[int, str | None]:
    """The access of a dose in its visit of the day."""
    return dose.visit, dose.site


def days_of(dose: Dose) -> range:
    """The days on which a dose ran, counted from 0; a dose without a time is of the first."""
    start, stop = stretch(dose) or (dose.start or 0, dose.start or 0)
    return range(start // DAY, max(start, stop - 1) // DAY + 1)
