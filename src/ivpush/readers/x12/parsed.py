"""What is read of one 837 claim: its fields and lines, its notes, and why it is set aside.

``claims.parse`` makes it; the 837 writer finds in it where each line stands in the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ivpush.errors import Fault
from ivpush.readers.x12.walk import Claim

__all__ = [
    "ABSENT",
    "LAYOUTS",
    "SEVERAL",
    "BilledLine",
    "Layout",
    "Parsed",
]

ABSENT = -1
"""The position of a segment that a line does not have."""
SEVERAL = -2
"""The position of a line's drug where it names several NDCs."""


class Layout(NamedTuple):
    """Where a service segment keeps what a line needs: positions of its elements."""

    setting: str
    composite: int
    """Code and modifiers: SV101, SV202."""
    charge: int
    unit: int
    """Unit of measure."""
    units: int
    """How many of them."""


LAYOUTS = {
    "SV1": Layout("professional", composite=1, charge=2, unit=3, units=4),
    "SV2": Layout("facility", composite=2, charge=3, unit=4, units=5),
}


@dataclass(slots=True)
class BilledLine:
    """One service line as it stands in the claim: positions of its segments in the pieces."""

    start: int
    """Its first segment: LX, or SV1 or SV2 where it has no LX."""
    written: str = ""
    """LX01; empty where the line has no LX."""
    number: int = 0
    """LX01, or its place among the lines where those numbers will not do."""
    service: int = ABSENT
    service_elements: Sequence[str] = ()
    dated: int = ABSENT
    date_elements: Sequence[str] = ()
    dates_differ: bool = False
    """Whether it has a second date of service that is another."""
    drug: int = ABSENT
    drug_elements: Sequence[str] = ()
    fields: dict[str, Any] | None = None
    """Fields of a ClaimLine; None: the line is left out."""
    control: str | None = None
    """REF*6R: the line's own number, which a remittance repeats."""
    adjudicated: bool = False
    """Whether the line repeats what another payer decided (SVD)."""


class Parsed:
    """A claim while it is read: fields, lines, notes, and the first fault.

    ::

        parsed = parse(claim)
        if parsed.fault is None:
            encounter = Encounter.model_validate(parsed.fields)
        notes = parsed.messages()
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.element = claim.separators.element.decode("latin-1")
        self.component = claim.separators.component.decode("latin-1")
        self.fields: dict[str, Any] = {}
        """Fields of an Encounter."""
        self.lines: list[BilledLine] = []
        self.notes: dict[str, list[int]] = {}
        """Messages, with the numbers of the lines that they concern; 0: the whole claim."""
        self.fault: Fault | None = claim.fault
        self.diagnoses: list[str] = []
        self.kinds: set[str] = set()
        """Service segments seen: SV1, SV2."""
        self.icd = True
        """Whether every diagnosis is an ICD-10-CM code."""
        self.place: list[str] = [""]
        """CLM05: place of service or type of facility, its qualifier, the frequency."""
        self.frequency = ""
        self.statement: date | None = None
        self.several_days = False
        """Whether the statement has a last day other than its first."""
        self.total: Decimal | None = None
        self.counted = False
        """Whether lines are numbered by their place, because LX would not do."""

    def note(self, message: str, line: int = 0) -> None:
        """Remember something that nobody should miss, about a line where one is named."""
        self.notes.setdefault(message, []).append(line)

    def refuse(self, where: str, problem: str, remedy: str) -> None:
        """Set the claim aside; the first reason stands."""
        self.fault = self.fault or Fault(where, problem, remedy)

    def messages(self) -> list[str]:
        """The notes as sentences; one that concerns several lines names them all."""
        sentences = []
        for message, lines in self.notes.items():
            numbers = [str(number) for number in lines if number]
            plural = "s" if len(numbers) > 1 else ""
            which = f"line{plural} {', '.join(numbers)}: " if numbers else ""
            sentences.append(which + message)
        return sentences
