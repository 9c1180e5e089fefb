"""The oracle: what a visit's chart supports, by brute force over all assignments of roles.

`derive` tries every role for every dose by vein, strikes what a law forbids, and lets the published
order of services (hospital) or the primary reason (professional) choose among what is left. Exactly
one set of codes must be left; anything else is a fault of the oracle, and raises.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tests.oracle.billing import dated, further_hours
from tests.oracle.chain import Chain, Moment, in_order
from tests.oracle.chart import (
    DAY,
    Dose,
    Technique,
    Visit,
    chains,
    days_of,
    is_complex,
    running_minutes,
    stretch,
)
from tests.oracle.laws import lawful
from tests.oracle.roles import Role, Roles

ORDER = ("96413", "96409", "96365", "96374", "96360")
"""Hospital: which service is the initial one, whatever came first."""
SEPARATE_SITE, SEPARATE_VISIT, DISTINCT, GENERAL = "XS", "XE", "XU", "59"
"""Modifiers of a further access, of another visit that day, of a shot beside another service, and of
payers that take none of these."""
ABOVE = {
    "96372": (*ORDER, "96369", "96401", "96402", "96420", "96422"),
    "96401": ("96369",),
    "96402": ("96369",),
}
"""NCCI pairs: codes that a shot beside them on one day needs to be told apart from."""


class Line(NamedTuple):
    """A code with its modifier, or none, on a day of the visit, counted from 0."""

    code: str
    modifier: str = ""
    day: int = 0


Lines = Counter[Line]


class OracleError(Exception):
    """The laws leave no set of codes, or several: the oracle is wrong, or the visit beyond it."""


class Led(NamedTuple):
    """A lawful answer for one access: what leads it, and each unit billed with its day."""

    rank: int
    began: Moment
    primary: bool
    visit: int
    further_access: bool
    whole: bool
    """Whether no infusion goes unbilled for want of a primary code."""
    units: tuple[tuple[str, int], ...]

    @property
    def order(self) -> tuple[int, Moment]:
        """The published order of services, then time."""
        return self.rank, self.began


class Unit(NamedTuple):
    """A unit that no modifier sets apart, with its day and the visit of that day."""

    code: str
    day: int
    visit: int


def derive(visit: Visit) -> Lines:
    """The lines that the chart supports."""
    lines, plain = _by_vein(visit)
    # A modifier on either line of a pair lifts it, so a line that has one asks for no other.
    return lines + _beside_veins(visit, plain)


def _by_vein(visit: Visit) -> tuple[Lines, set[Unit]]:
    """One initial service for each access with a need of its own, the later ones marked."""
    led = [answer for doses in chains(visit) if (answer := _led(Chain(visit, doses)))]
    led.sort(key=lambda answer: (answer.rank, answer.further_access, answer.began))
    lines: Lines = Counter()
    for place, answer in enumerate(led):
        apart = SEPARATE_SITE if answer.visit == led[0].visit else SEPARATE_VISIT
        modifier = _marked(visit, apart) if place else ""
        for code, day in answer.units:
            if code != "96368" or not any(line.code == code for line in lines):
                lines[Line(code, modifier, day)] += 1
    return lines, {Unit(*unit, answer.visit) for answer in led[:1] for unit in answer.units}


def _marked(visit: Visit, modifier: str) -> str:
    """The modifier by its reason, or the general one."""
    return GENERAL if visit.policies.second_initial_modifier == "59" else modifier


def _led(chain: Chain) -> Led | None:
    """What is billed through one access; None: nothing is."""
    led = [_as_led(chain, roles) for roles in lawful(chain)]
    if not led:
        raise OracleError("every assignment is struck")
    whole = [answer for answer in led if answer.whole] or led
    preferred = [answer for answer in whole if answer.primary] or whole
    best = min(preferred, key=lambda answer: answer.order)
    if any(answer.units != best.units for answer in preferred if answer.order == best.order):
        raise OracleError("the laws leave several answers")
    return best if best.units else None


def _as_led(chain: Chain, roles: Roles) -> Led:
    units = tuple(sorted(dated(chain, roles)))
    by_need = chain.visit.policies.second_site_requires_reason
    further = by_need and any(dose.needs_own_site for dose in chain.doses)
    number = chain.doses[0].visit
    taken = {roles[dose.id] for dose in chain.infusions}
    whole = Role.NOTHING not in taken or Role.CONCURRENT in taken
    leader = next((d for d in chain.doses if roles.get(d.id) is Role.INITIAL), None)
    if leader is None:
        return Led(len(ORDER), (True, 0, 0, ""), False, number, further, whole, units)
    rank = min(ORDER.index(code) for code, _ in units if code in ORDER)
    first = leader.id in chain.led_by_reason
    return Led(rank, in_order(leader), first, number, further, whole, units)


def _beside_veins(visit: Visit, by_vein: set[Unit]) -> Lines:
    """Shots, infusions under the skin and doses by artery: each stands on its own."""
    alone = [Unit(*unit, dose.visit) for dose in visit.doses for unit in _alone(dose, visit)]
    every = by_vein | set(alone)
    lines: Lines = Counter()
    for code, day, number in alone:
        above = ABOVE.get(code, ())
        beside = {each.visit for each in every if each.code in above and each.day == day}
        apart = DISTINCT if number in beside else SEPARATE_VISIT
        lines[Line(code, _marked(visit, apart) if beside else "", day)] += 1
    return lines


def _alone(dose: Dose, visit: Visit) -> list[tuple[str, int]]:
    """The units of one dose that is not given by vein."""
    first, more, given = _codes_alone(dose, visit)
    if not first:
        return []
    span = stretch(dose) or (dose.start or 0, dose.start or 0)
    hours = further_hours(span[1] - span[0], visit) if more else 0
    ends = [min(span[0] + 60 * (hour + 2), span[1]) - 1 for hour in range(hours)]
    return [(first, given), *((more, end // DAY) for end in ends)]


def _codes_alone(dose: Dose, visit: Visit) -> tuple[str, str, int]:
    """The code of a dose not by vein, that of its further hours or none, and its day."""
    hard, day = is_complex(dose, visit), days_of(dose)[0]
    match visit.technique(dose):
        case Technique.UNDER_SKIN:
            return "96369", "96370", day
        case Technique.SHOT:
            return ("96402" if dose.hormonal else "96401") if hard else "96372", "", day
        case Technique.ARTERIAL if not hard:
            return "96373", "", day
        case Technique.ARTERIAL:
            long = (
                dose.method == "infusion"
                and (running_minutes(dose) or 0) > visit.policies.push_ceiling
            )
            return ("96422", "96423", day) if long else ("96420", "", day)
    return "", "", day
