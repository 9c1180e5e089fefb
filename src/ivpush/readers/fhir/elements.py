"""FHIR's JSON taken apart: safe parsing, elements with their paths, times, amounts, concepts.

Every other module of this room reads resources through ``Node``. An element of the wrong kind is a
fault with its path; the path is made of FHIR's own names and never holds a value.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from ivpush.errors import Fault, InputError
from ivpush.readers.builder import Case

__all__ = [
    "Coding",
    "Concept",
    "Node",
    "When",
    "parse",
]

# FHIR's dateTime: a year, a year and month, a date, or a date and a time. Seconds and offset are
# optional here, for older systems leave them out.
_WHEN = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?",
    re.ASCII,
)
_EXACT = Decimal("0.000001")
_MOST_DIGITS = 9
_MOST_COUNTED = 1_000_000
_DATE_LENGTH = len("2026-03-02")


def parse(text: bytes) -> Any:
    """The data of a JSON text, decimals exact; raises InputError for anything odd."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=Decimal,
        )
    except InputError:
        raise
    except UnicodeDecodeError:
        problem, remedy = "the text is not UTF-8", "save it as UTF-8"
    except json.JSONDecodeError as error:
        problem = f"this is not JSON (line {error.lineno}, column {error.colno})"
        remedy = "write one FHIR resource, or one resource a line"
    except RecursionError:
        problem, remedy = "the JSON is nested too deeply", "write it as FHIR does"
    except (ValueError, ArithmeticError):
        problem, remedy = "the JSON holds a number that cannot be read", "write plain numbers"
    raise InputError(Fault("", problem, remedy))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    elements = dict(pairs)
    if len(elements) != len(pairs):
        raise InputError(Fault("", "an object repeats an element", "write it once"))
    return elements


def _refuse_constant(_text: str) -> Any:
    raise InputError(Fault("", "the JSON holds NaN or Infinity", "write a number"))


class When(NamedTuple):
    """A date, and the instant where the time of day is known."""

    day: date | None
    at: datetime | None


class Coding(NamedTuple):
    """One code of a concept, as it stands in the resource."""

    system: str | None
    code: str | None
    display: str | None


@dataclass(frozen=True, slots=True)
class Concept:
    """A CodeableConcept: its codings, and its text.

    What the table of terms says of a concept is found coding by coding::

        for coding in dosage.concept("route").codings:
            meaning = terms.code(coding.system, coding.code)
    """

    codings: tuple[Coding, ...]
    text: str | None

    @property
    def named(self) -> str | None:
        """The words that name it: its text, else the first display."""
        if self.text:
            return self.text
        return next((coding.display for coding in self.codings if coding.display), None)


class Node:
    """One object of a resource, with its path; wrong kinds become faults, null is absent.

    An element is asked for by its name and by the kind that FHIR gives it::

        node = Node(resource, "MedicationAdministration", case)
        status = node.text("status")
        dosage = node.child("dosage")  # a Node again, or None
        case.faults  # what was of another kind, each with its path
    """

    __slots__ = ("case", "data", "path")

    def __init__(self, data: dict[str, Any], path: str, case: Case) -> None:
        self.data, self.path, self.case = data, path, case

    def wrong(
        self, name: str, remedy: str, problem: str = "is not written as FHIR asks for it"
    ) -> None:
        """Take down that an element is not what FHIR asks for, or says what cannot be read."""
        self.case.fault(f"{self.path}.{name}", problem, remedy)

    def child(self, name: str) -> Node | None:
        """An element that is an object."""
        value = self.data.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(name, "write an object")
            return None
        return Node(value, f"{self.path}.{name}", self.case)

    def children(self, name: str) -> list[Node]:
        """An element that repeats objects."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(name, "write a list of objects")
            return []
        return [Node(item, f"{self.path}.{name}[{n}]", self.case) for n, item in enumerate(value)]

    def text(self, name: str) -> str | None:
        """An element that is text."""
        value = self.data.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, "write text")
            return None
        return value.strip() or None

    def number(self, name: str) -> Decimal | None:
        """An element that is a number from 0, to six places."""
        value = self.data.get(name)
        if value is None:
            return None
        # To Python, true is a whole number; to FHIR it is none.
        plain = isinstance(value, int | Decimal) and not isinstance(value, bool)
        number = Decimal(value) if plain else Decimal(-1)
        if (number.is_signed() and number != 0) or number.adjusted() >= _MOST_DIGITS:
            self.wrong(name, "write a number from 0")
            return None
        return abs(number).quantize(_EXACT, ROUND_HALF_EVEN).normalize()

    def positive(self, name: str) -> int | None:
        """An element that counts from 1."""
        number = self.number(name)
        if number is None:
            return None
        if number != number.to_integral_value() or not 1 <= number <= _MOST_COUNTED:
            self.wrong(name, "write a whole number from 1")
            return None
        return int(number)

    def concept(self, name: str) -> Concept:
        """A CodeableConcept, empty where there is none; absent-data codings are left out."""
        node = self.child(name)
        return Concept((), None) if node is None else node.as_concept()

    def as_concept(self) -> Concept:
        """This node as a CodeableConcept."""
        codings = [
            Coding(coding.text("system"), coding.text("code"), coding.text("display"))
            for coding in self.children("coding")
        ]
        # Such a coding tells why there is no code; it is no term of its own.
        stated = [
            coding
            for coding in codings
            if not (coding.system or "").endswith("/data-absent-reason")
        ]
        return Concept(tuple(stated), self.text("text"))

    def when(self, name: str) -> When | None:
        """An element that is a date or dateTime; a year or month alone says nothing here."""
        written = self.text(name)
        if written is None:
            return None
        when = _when(written, self.case) if _WHEN.fullmatch(written) else None
        if when is None:
            self.wrong(name, "write a date or dateTime such as 2026-03-02T10:00:00-06:00")
        return when


def _when(written: str, case: Case) -> When | None:
    try:
        if len(written) < _DATE_LENGTH:
            return When(None, None)
        if len(written) == _DATE_LENGTH:
            return When(date.fromisoformat(written), None)
        at = case.local(datetime.fromisoformat(written).replace(microsecond=0))
    except (ValueError, OverflowError):
        return None
    return When(at.date(), at)
