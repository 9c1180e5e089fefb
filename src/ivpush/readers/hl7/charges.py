"""HL7's FT1 and DG1 as lines and diagnoses of the contract; credits take back earlier charges.

The reader has one ``Charges`` for each visit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ivpush.readers.builder import Case, ndc_form
from ivpush.readers.hl7.fields import amount, day_and_time
from ivpush.readers.hl7.segments import Message, Segment
from ivpush.readers.shapes import CODE, DIAGNOSIS, MODIFIER

__all__ = ["Charges"]

# FT1-6, the transaction type (table 0017): payment, adjustment and co-payment charge nothing.
_CHARGE, _CREDIT = "CG", "CD"
_OTHER = frozenset({"PY", "AJ", "CO"})
_CENT = Decimal("0.01")
_MOST_UNITS = 1_000_000
_CHARGE_BOUND = 1_000_000
_SET_ID = re.compile("[0-9]{1,9}", re.ASCII)
# What a credit and the charge that it takes back have in common.
_SAME = ("code", "modifiers", "date")


@dataclass(slots=True)
class Charges:
    """The charges of one visit, message after message.

    ::

        charges = Charges(case)
        for message in messages:
            charges.take(message, zone)
        record["lines"], record["diagnoses"] = charges.lines(), charges.diagnoses
    """

    case: Case
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Fields of claim lines, without their numbers."""
    diagnoses: list[str] = field(default_factory=list)
    seen: bool = False
    """Whether anything was charged or taken back."""
    coded: bool = False
    """Whether a charge had a procedure code."""

    def take(self, message: Message, zone: str | None) -> None:
        """What one message charges or takes back; ``zone`` is the offset of its MSH-7."""
        for segment in message.segments:
            if segment.name == "DG1":
                self._diagnosis(segment, segment.raw(3), segment.part(2))
            elif segment.name == "FT1":
                self._take_transaction(segment, zone)
        numbers = [segment.part(1) or "" for segment in message.segments if segment.name == "FT1"]
        if all(map(_SET_ID.fullmatch, numbers)) and [int(number) for number in numbers] != list(
            range(1, len(numbers) + 1)
        ):
            self.case.note("FT1-1 does not count the charges from 1 on: one may lack, or be twice")

    def lines(self) -> list[dict[str, Any]]:
        """The charges that remain, numbered in the order in which they came."""
        return [{"number": number, **row} for number, row in enumerate(self.rows, 1)]

    def _diagnosis(self, segment: Segment, written: str, method: str | None) -> int | None:
        """Position of a diagnosis, from 1; None where it has no ICD-10-CM code."""
        code, system = segment.of(written), segment.of(written, 3) or method
        known = self.case.terms.system(system) == "icd-10-cm"
        if code is None:
            return None
        if not known or not DIAGNOSIS.fullmatch(code):
            self.case.note("a diagnosis has no ICD-10-CM code, and is left out")
            return None
        if code not in self.diagnoses:
            self.diagnoses.append(code)
        return self.diagnoses.index(code) + 1

    def _take_transaction(self, segment: Segment, zone: str | None) -> None:
        """A charge becomes a row, a credit takes units from rows."""
        kind = self._kind(segment)
        if kind is None:
            return
        self.seen = True
        code = self._procedure(segment)
        if code is None:
            self.case.note("a charge has no CPT or HCPCS code, and is left out")
            return
        self.coded = True
        units = self._units(segment)
        if units is None:
            return
        row: dict[str, Any] = {
            "date": day_and_time(segment, 4, self.case, zone)[0],
            "code": code,
            "modifiers": self._modifiers(segment),
            "units": abs(int(units)),
        }
        # Some senders write a credit as a charge of less than no units.
        if kind == _CREDIT or units < 0:
            self._credit(row)
            return
        row["ndc"] = self._ndc(segment)
        row["charge"] = self._money(segment, units)
        row["diagnosis_pointers"] = self._pointers(segment)
        self.rows.append({name: value for name, value in row.items() if value is not None})

    def _kind(self, segment: Segment) -> str | None:
        """Charge or credit; None: neither."""
        kind = (segment.part(6) or "").upper()
        if kind in {_CHARGE, _CREDIT}:
            return kind
        if kind in _OTHER:
            message = "a payment, adjustment or co-payment charges nothing, and is left out"
            self.case.note(message)
        else:
            remedy = "write CG for a charge, CD for a credit"
            self.case.fault("FT1-6", "is no transaction type", remedy)
        return None

    def _procedure(self, segment: Segment) -> str | None:
        """FT1-25, else FT1-7 where its system says that it is a procedure code."""
        for position in (25, 7):
            code, system = segment.part(position), segment.part(position, 3)
            known = self.case.terms.system(system)
            fits = known in {"cpt", "hcpcs"} or (position == 25 and system is None)
            if code is not None and fits and CODE.fullmatch(code):
                return code
        return None

    def _units(self, segment: Segment) -> Decimal | None:
        """FT1-10, whole and perhaps negative; None: it is no number of units."""
        units = amount(segment, 10, self.case)
        if segment.part(10) is None:
            self.case.note("a charge has no quantity, and is read as one unit")
            return Decimal(1)
        if units is None:
            return None
        if units != units.to_integral_value() or abs(units) > _MOST_UNITS:
            self.case.fault("FT1-10", "is not whole", "write whole units")
            return None
        return units

    def _modifiers(self, segment: Segment) -> list[str]:
        written = [segment.of(text) for text in segment.repeats(26)]
        modifiers = [code for code in written if code is not None]
        if not all(MODIFIER.fullmatch(code) for code in modifiers):
            remedy = "write two capital letters or digits"
            self.case.fault("FT1-26", "holds a modifier that is none", remedy)
        return modifiers

    def _pointers(self, segment: Segment) -> list[int]:
        """Positions of the diagnoses in FT1-19."""
        places = [self._diagnosis(segment, text, None) for text in segment.repeats(19)]
        return [place for place in places if place is not None]

    def _ndc(self, segment: Segment) -> str | None:
        code = segment.part(29)
        written = ndc_form(code) if code is not None else None
        if code is not None and written is None:
            self.case.note("an NDC has not the form of one, and is left out")
        return written

    def _money(self, segment: Segment, units: Decimal) -> Decimal | None:
        """FT1-11 is the whole amount, FT1-12 that of one unit; only dollars are charges here."""
        for position, times in ((11, Decimal(1)), (12, units)):
            if segment.part(position) is None:
                continue
            if segment.part(position, 1, 2) not in {None, "USD"}:
                self.case.note("a charge is not in dollars, and is left out")
                return None
            money = amount(segment, position, self.case)
            return money * times if money is not None and 0 <= money < _CHARGE_BOUND else None
        return None

    def _credit(self, credit: dict[str, Any]) -> None:
        """Take units back from the latest charges that are the same."""
        left = credit["units"]
        for row in self._same(credit):
            taken = min(left, row["units"])
            left -= taken
            _take_back(row, taken)
            # A new list, for the old one is being gone through.
            if taken and not row["units"]:
                self.rows = [other for other in self.rows if other is not row]
        if left:
            self.case.note("a credit takes back more than the input charges")
        else:
            self.case.note("a credit took an earlier charge back")

    def _same(self, credit: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The charges that a credit may take back, latest first."""
        for row in reversed(self.rows):
            if all(row.get(name) == credit[name] for name in _SAME):
                yield row


def _take_back(row: dict[str, Any], units: int) -> None:
    """Take units from a row, and their share of its charge."""
    if "charge" in row and row["units"]:
        left = row["charge"] * (row["units"] - units) / row["units"]
        row["charge"] = left.quantize(_CENT)
    row["units"] -= units
