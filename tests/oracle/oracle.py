"""The oracle: what a visit's chart supports, by brute force over all assignments of roles.

A record is taken apart into its encounters, and an encounter into its accesses and what stands on its
own. `derive` tries every role for every dose by vein, strikes what a law forbids, and lets the published
order of services (hospital) or the primary reason (professional) choose among what is left. Exactly
one set of codes must be left; anything else is a fault of the oracle, and raises.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from tests.oracle.alone import flushes, lines_alone, units_alone
from tests.oracle.billing import (
    ORDER,
    SEPARATE_SITE,
    SEPARATE_VISIT,
    Line,
    Lines,
    Unit,
    dated,
    marked,
)
from tests.oracle.chain import Chain, Moment, in_order
from tests.oracle.chart import Visit, chains
from tests.oracle.laws import lawful
from tests.oracle.parts import encounters, joined
from tests.oracle.roles import Role, Roles


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


def derive(visit: Visit) -> Lines:
    """The lines that the chart supports."""
    lines: Lines = Counter()
    for encounter in encounters(joined(visit)):
        lines += _of_encounter(encounter)
    return lines


def _of_encounter(visit: Visit) -> Lines:
    """What is billed by vein, then what stands alone, then a flush where nothing else is billed."""
    by_vein, plain = _by_vein(visit)
    # A modifier on either line of a pair lifts it, so a line that has one asks for no other.
    lines = by_vein + lines_alone(visit, plain)
    return lines + flushes(visit, lines)


def _by_vein(visit: Visit) -> tuple[Lines, set[Unit]]:
    """One initial service for each access with a need of its own, the later ones marked."""
    led = _answers(visit)
    led.sort(key=lambda answer: (answer.rank, answer.further_access, answer.began))
    lines: Lines = Counter()
    for place, answer in enumerate(led):
        apart = SEPARATE_SITE if answer.visit == led[0].visit else SEPARATE_VISIT
        modifier = marked(visit, apart) if place else ""
        for code, day in answer.units:
            if code != "96368" or not any(line.code == code for line in lines):
                lines[Line(code, modifier, day)] += 1
    return lines, {Unit(*unit, answer.visit) for answer in led[:1] for unit in answer.units}


def _answers(visit: Visit) -> list[Led]:
    """What each access bills; the primary code of the one concurrent service may be of another."""
    every = [Chain(visit, doses) for doses in chains(visit)]
    led = [_led(chain) for chain in every if not chain.together]
    billed = {(unit.visit, unit.code) for unit in units_alone(visit)}
    billed |= {(answer.visit, code) for answer in led if answer for code, _ in answer.units}
    for chain in every:
        if chain.together:
            here = chain.doses[0].visit
            elsewhere = frozenset(code for number, code in billed if number == here)
            led.append(_led(replace(chain, elsewhere=elsewhere)))
    return [answer for answer in led if answer]


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
