"""The frame of a new rule: ``ivpush rules new`` writes it for an author to fill in."""

from __future__ import annotations

import re

from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.pack.pack import Pack
from ivpush.pack.rule import ROOMS

__all__ = [
    "frame",
]

_FRAME = """id: {id}
name: {name}
title: Say in one sentence what must hold.
severity: error
disposition: return
in_force: {{from: {day}}}
for_each: line
codes: {{administration: true}}
when: encounter.billed
require: line.units <= 1
message: "Line {{line.number}} bills {{line.units}} of {{line.code}}."
fix: "Say what to do about line {{line.number}}."
why: Say why it matters.
not_covered: Say where the rule is blind.
cites: [{source}]
cases:
  - name: one that breaks it
    lines: ["{code} x2"]
    expect: [{{line: 1}}]
  - name: one that holds
    lines: ["{code}"]
    expect: []
"""


def frame(room: str, name: str, pack: Pack) -> tuple[str, str]:
    """The path of a new rule inside a pack, and its text: it lints and passes as it stands.

    It takes the id after the room's last, so that no id is used twice. Raises UsageError for a room
    or name that will not do.
    """
    if room not in ROOMS:
        raise UsageError(Fault("ROOM", "is no room", did_you_mean(room, ROOMS)))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise UsageError(Fault("NAME", "is no rule name", "write lower-case words and hyphens"))
    # People write "allow NAME" to silence a rule, so a name means one rule only.
    if any(rule.name == name for rule in pack.rules):
        raise UsageError(Fault("NAME", "is taken", "choose another"))
    rule_id = _next_id(room, pack)
    # Its own two cases bill a code that is valid today, so that the frame passes as written.
    text = _FRAME.format(
        id=rule_id,
        name=name,
        day=pack.case_date,
        code=min(
            code for code, row in pack.codes.items() if row.administration and row.valid_to is None
        ),
        source=min(pack.sources),
    )
    return f"checks/{room}/{rule_id}-{name}.yaml", text


def _next_id(room: str, pack: Pack) -> str:
    """The id after the last of a room: the pack's three letters, the room's digit, two digits."""
    letters, digit = pack.rules[0].id[:3], ROOMS[room]
    taken = [int(rule.id[4:]) for rule in pack.rules if rule.id[3] == digit and len(rule.id) == 6]
    return f"{letters}{digit}{max(taken, default=0) + 1:02d}"
