"""What is billed: lines and their modifiers, and the units of an assignment of roles by vein."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tests.oracle.chain import Chain
from tests.oracle.chart import DAY, Dose, Technique, Visit, days_of
from tests.oracle.roles import UNBILLED, Role, Roles

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

ORDER = ("96413", "96409", "96365", "96374", "96360")
"""Hospital: which service is the initial one, whatever came first."""
SEPARATE_SITE, SEPARATE_VISIT, DISTINCT, GENERAL = "XS", "XE", "XU", "59"
"""Modifiers of a further access, of another visit that day, of a shot beside another service, and of
payers that take none of these."""

Units = list[tuple[str, int]]
"""Each unit billed: its code, and the day on which it is billed."""


class Line(NamedTuple):
    """A code with its modifier, or none, on a day of the visit, counted from 0."""

    code: str
    modifier: str = ""
    day: int = 0


Lines = Counter[Line]


class Unit(NamedTuple):
    """A unit that no modifier sets apart, with its day and the visit of that day."""

    code: str
    day: int
    visit: int


def marked(visit: Visit, modifier: str) -> str:
    """The modifier by its reason, or the general one."""
    return GENERAL if visit.policies.second_initial_modifier == "59" else modifier


def further_hours(minutes: int, visit: Visit) -> int:
    """Units past the first hour: each needs at least 31 minutes past a whole hour."""
    return max(0, (minutes - visit.policies.additional_hour_minutes) // 60)


def codes(chain: Chain, roles: Roles) -> set[str]:
    """The codes that an assignment bills."""
    return {code for code, _ in dated(chain, roles)}


def dated(chain: Chain, roles: Roles) -> Units:
    """Each unit that an assignment bills."""
    return [
        unit
        for dose in chain.doses
        if (role := roles.get(dose.id, Role.NOTHING)) not in UNBILLED
        for unit in _units_of(chain, dose, role)
    ]


def _units_of(chain: Chain, dose: Dose, role: Role) -> Units:
    """What one dose bills in its role, with the further hours of its drug."""
    key = dose.id, role
    if key not in chain.units:
        chain.units[key] = _counted(chain, dose, role)
    return chain.units[key]


def _counted(chain: Chain, dose: Dose, role: Role) -> Units:
    """The service stands on the day it began, each further hour on the day it completes."""
    hard, given = chain.hard[dose.id], chain.visit.techniques[dose.id]
    if given is Technique.PUSH:
        return [(_push_code(role, hard), days_of(dose)[0])]
    if role is Role.CONCURRENT:
        return [("96368", days_of(dose)[0])]
    minutes = chain.hydration if given is Technique.FLUID else chain.minutes[dose.drug]
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
