"""What an RXA did beside giving a dose: New Bag, Rate Change and Stopped of one order, joined.

Interfaces of medication records write the action of the nurse into RXA-20, where HL7 has a
completion status, or beside it into RXA-9. The words are those of the tables
(``rules/maps/spellings.csv``), and so is the joining: ``chart`` hands in its doses as ``Event``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from ivpush.readers.builder import Case
from ivpush.readers.hl7.segments import Segment
from ivpush.readers.mar.doses import Dose
from ivpush.readers.mar.runs import join_events
from ivpush.readers.tables.forms import plain_text
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.maps import spellings

__all__ = ["ENDS", "Event", "Run", "Said", "joined", "said_of"]

# RXA-20, the completion status (table 0322): complete, partial; refused, not administered.
_GIVEN = frozenset({"", "CP", "PA"})
_NOT_GIVEN = frozenset({"RE", "NA"})
# RXA-21, the action (table 0206): add, update, delete, no change.
_CHANGES = frozenset({"", "A", "U", "D", "X"})
# What actions of a medication record do: a dose and no more, or nothing.
_PLAIN = frozenset({"dose"})
_NEVER = frozenset({"not_given", "deleted", "ignore"})
ENDS = frozenset({"stop", "pause", "hold"})
"""Actions whose time is the later one of RXA-3 and RXA-4."""


class Said(NamedTuple):
    """What RXA-20 and RXA-21 say: given or never, what to change, and what was done."""

    never: bool
    change: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One RXA: its place among the others, what it did, and when."""

    number: int
    order: str
    drug: str
    steps: tuple[str, ...]
    """Actions; none where it says only that a dose was given."""
    at: datetime | None
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What comes of the event with this number: an administration, perhaps going on with one."""

    number: int
    fields: dict[str, Any]
    after: int | None


def said_of(segment: Segment, case: Case) -> Said:
    """Whether the drug was given, and what to do with the administration."""
    change = (segment.part(21) or "").upper()
    if change not in _CHANGES:
        case.fault("RXA-21", "is no action code", "write A, U, D or X")
    status, steps = _status(segment, case)
    nothing = bool(_NEVER.intersection(steps))
    never = status in _NOT_GIVEN or nothing
    return Said(never, "D" if "deleted" in steps else change, () if never else steps)


def _status(segment: Segment, case: Case) -> tuple[str, tuple[str, ...]]:
    """RXA-20 as a completion status, or as actions; beside a status RXA-9 may name them."""
    written = segment.part(20) or ""
    status = written.upper()
    if not status:
        case.note("an administration states no completion status (RXA-20); it is read as given")
    if status in _GIVEN | _NOT_GIVEN:
        steps = _named_beside(segment, 9)
        if status in _GIVEN and status and _NEVER.intersection(steps):
            # That it was given and that it was not: one of them is wrong.
            case.fault("RXA-9", "says otherwise than RXA-20", "write one of them")
        return status, steps
    words = _words(written)
    if words is None:
        problem = "is neither a completion status nor an action that is known"
        remedy = "write CP, PA, RE or NA, or an action such as Given, New Bag or Stopped"
        case.fault("RXA-20", problem, remedy)
    return "", words or ()


def _words(text: str) -> tuple[str, ...] | None:
    """The actions that a text names, several where it joins them; None where it is none."""
    known = spellings().of("action")
    words = [known.get(part.strip(" []")) for part in plain_text(text).split(",")]
    named = tuple(word for word in words if word is not None)
    return named if len(named) == len(words) else None


def _named_beside(segment: Segment, position: int) -> tuple[str, ...]:
    """The actions that a field of notes names in any of its parts; other words say nothing."""
    for written in segment.repeats(position):
        for component in (1, 2, 4, 5):
            text = segment.of(written, component)
            words = _words(text) if text is not None else None
            if words:
                return words
    return ()


def joined(events: Sequence[Event], zone: tzinfo | None, case: Case) -> list[Run]:
    """Administrations of the events of one visit, in the order in which they came."""
    with_course = {_key(event) for event in events if not _PLAIN.issuperset(event.steps)}
    runs = [Run(event.number, {}, None) for event in events if _key(event) not in with_course]
    runs += _followed((event for event in events if _key(event) in with_course), zone, case)
    return sorted(runs, key=lambda run: run.number)


def _key(event: Event) -> tuple[str, str]:
    return event.order, event.drug


def _followed(events: Iterable[Event], zone: tzinfo | None, case: Case) -> list[Run]:
    fates: dict[int, str] = {}
    ledger = Ledger()
    doses = join_events(map(_dose_of, events), zone, fates, ledger)
    for reason in (*fates.values(), *ledger.remarks):
        case.note(f"a message {reason}" if reason in fates.values() else reason)
    return [
        Run(dose.number, dose.fields, None if dose.after is None else dose.after.number)
        for dose in doses
    ]


def _dose_of(event: Event) -> Dose:
    """The event as the rows of a table are joined."""
    stated = {name: value for name, value in event.fields.items() if value is not None}
    return Dose(
        number=event.number,
        order=event.order,
        run="",
        role="",
        name=str(event.number),
        fields={**stated, "drug": event.drug},
        actions=event.steps or ("dose",),
        at=event.at,
    )
