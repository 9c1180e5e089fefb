"""What one dose by vein may be in a visit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from tests.oracle.chart import Technique


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
KEPT = (Role.INITIAL, Role.SEQUENTIAL)
UNBILLED = (Role.NOTHING, Role.CONTINUED)
"""Roles that bill no code of their own."""

Roles = Mapping[str, Role]
"""By the id of a dose: its role."""
