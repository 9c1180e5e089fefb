"""One encounter being read: its faults and notes, and the record that comes of it in the end.

Readers whose encounters are spread over messages or resources (HL7, FHIR) collect fields in a
plain record, say what they meet to a ``Case``, and hand both to ``finished``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from ivpush import clock
from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError, first_faults
from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
from ivpush.readers.shapes import NDC
from ivpush.readers.terms import Terms, shipped_terms

__all__ = [
    "Case",
    "finished",
    "ndc_form",
    "text_form",
]

_SPACES = re.compile(r"[\x00-\x20\x7f]+")


@dataclass(slots=True)
class Case:
    """Faults and notes of one encounter, and what a reader may look up meanwhile.

    ::

        case = Case(options)
        case.note("a drug that was dispensed is not a drug given")
        case.fault("PID-3", "differs between messages of one visit", "give each visit its number")
        yield from finished(place, record, case)
    """

    options: ReadOptions
    terms: Terms = field(default_factory=shipped_terms)
    faults: list[Fault] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    """Messages, with how often each was said."""
    at: str | None = None
    """Where the part of the record stands that is read now; None: it has no place of its own."""
    first_noted: dict[str, str] = field(default_factory=dict)
    """Where a message was said first, if its part has a place of its own."""
    first_faulted: str | None = None
    """Where the part with the first fault stands."""
    zone: tzinfo | None = field(init=False)
    """The caller's time zone; None where none is named."""

    def __post_init__(self) -> None:
        self.zone = clock.zone_named(self.options.timezone)

    def fault(self, place: str, problem: str, remedy: str) -> None:
        """Take down one fault; the record is set aside when all of them are known."""
        self.faults.append(Fault(place, problem, remedy))
        self.first_faulted = self.first_faulted or self.at

    def note(self, message: str) -> None:
        """Take down how something was read; the same message is counted."""
        self.notes[message] += 1
        if self.at is not None:
            self.first_noted.setdefault(message, self.at)

    def said(self, place: str) -> Iterator[Note]:
        """The notes, each once, with how often it was said and where first."""
        for message, times in self.notes.items():
            counted = message if times == 1 else f"{message} ({times} times)"
            yield Note(self.first_noted.get(message, place), counted)

    def local(self, at: datetime) -> datetime:
        """An instant on the clock of the caller's zone; OverflowError at the ends of time."""
        # A time without an offset is left so: the contract reads it in the encounter's own zone.
        if self.zone is None or at.tzinfo is None:
            return at
        return at.astimezone(self.zone)


def finished(place: str, record: dict[str, Any], case: Case) -> Iterator[Reading]:
    """The record with its notes, or the reason why it is set aside.

    ``first_day`` is the date of a chart whose times of day are unknown, ``bill_day`` the claim's;
    each dates the encounter only where nothing nearer does.
    """
    _date(record)
    named = record.get("id")
    # Nothing is built beside a fault: the contract would name its consequences as well.
    if case.faults:
        error = InputError(first_faults(case.faults, len(case.faults)))
        yield SetAside(case.first_faulted or place, error, encounter=named)
        return
    try:
        encounter = Encounter.model_validate(
            {name: value for name, value in record.items() if value is not None}
        )
    except InputError as error:
        yield SetAside(place, error, encounter=named)
        return
    yield Record(place, encounter)
    yield from case.said(place)


def _date(record: dict[str, Any]) -> None:
    """Date the encounter by the chart's day, else by the claim's, where nothing in it has one."""
    day, bill_day = record.pop("first_day", None), record.pop("bill_day", None)
    timed = record.get("start") is not None or any(
        "start" in administration for administration in record.get("administrations") or ()
    )
    if record.get("date") is not None or timed:
        return
    # The day of the chart is nearer to what was given than the bill's.
    if day is not None:
        record["date"] = day
    elif not any("date" in line for line in record.get("lines") or ()):
        record["date"] = bill_day


def text_form(written: str, most: int = 2_000) -> str | None:
    """A text as the contract takes it: control characters and doubled spaces become one space."""
    # Once more at the end, for the cut may fall behind a space.
    plain = _SPACES.sub(" ", written).strip()[:most].strip()
    return plain or None


def ndc_form(code: str) -> str | None:
    """An NDC that the contract takes, or None."""
    bare = code.strip()
    return bare if NDC.fullmatch(bare) else None
