"""HL7's FT1 and DG1 as lines and diagnoses of the contract; credits take back earlier charges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ivpush.readers.builder import Case, ndc_form
from ivpush.readers.hl7.chart import amount, day_and_time
from ivpush.readers.hl7.segments import Message, Segment

__all__ = [
    "Charges",
]

_CHARGE, _CREDIT = "CG", "CD"
_OTHER = frozenset({"PY", "AJ", "CO"})
_CODE = re.compile(r"[A-Z0-9]{5}", re.ASCII)
_MODIFIER = re.compile(r"[A-Z0-9]{2}", re.ASCII)
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z.]{2,8}", re.ASCII)


@dataclass(slots=True)
class Charges:
    """The charges of one visit, message after message."""

    case: Case
    rows: list[dict[str, Any]] = field(default_factory=list)
    diagnoses: list[str] = field(default_factory=list)
    seen: bool = False
    """Whether anything was charged or taken back."""
    coded: bool = False
    """Whether a charge had a procedure code."""

    def take(self, message: Message, zone: str | None) -> None:
        """What one message charges or takes back."""
        for one in message.segments:
            if one.name == "DG1":
                self._diagnosis(one, one.raw(3), one.part(2))
            elif one.name == "FT1":
                self._transaction(one, zone)

    def lines(self) -> list[dict[str, Any]]:
        """The charges that remain, numbered in the order in which they came."""
        return [{"number": number, **row} for number, row in enumerate(self.rows, 1)]

    def _diagnosis(self, one: Segment, written: str, method: str | None) -> int | None:
        """Position of a diagnosis; None where it has no ICD-10-CM code."""
        code, system = one.of(written), one.of(written, 3) or method
        known = self.case.terms.system(system) == "icd-10-cm"
        if code is None:
            return None
        if not known or not _DIAGNOSIS.fullmatch(code):
            self.case.note("a diagnosis has no ICD-10-CM code, and is left out")
            return None
        if code not in self.diagnoses:
            self.diagnoses.append(code)
        return self.diagnoses.index(code) + 1

    def _transaction(self, one: Segment, zone: str | None) -> None:
        case = self.case
        kind = (one.part(6) or "").upper()
        if kind in _OTHER:
            case.note("a payment, adjustment or co-payment charges nothing, and is left out")
            return
        if kind not in {_CHARGE, _CREDIT}:
            case.fault("FT1-6", "is no transaction type", "write CG for a charge, CD for a credit")
            return
        self.seen = True
        code = self._procedure(one)
        if code is None:
            case.note("a charge has no CPT or HCPCS code, and is left out")
            return
        self.coded = True
        units = amount(one, 10, case)
        if one.part(10) is None:
            case.note("a charge has no quantity, and is read as one unit")
            units = Decimal(1)
        if units is None:
            return
        if units != units.to_integral_value() or abs(units) > 1_000_000:
            case.fault("FT1-10", "is not whole", "write whole units")
            return
        day, _ = day_and_time(one, 4, case, zone)
        row: dict[str, Any] = {
            "code": code, "modifiers": self._modifiers(one), "date": day, "units": abs(int(units)),
        }  # fmt: skip
        if kind == _CREDIT or units < 0:
            self._credit(row)
            return
        row["ndc"] = self._ndc(one)
        row["charge"] = self._money(one, units)
        row["diagnosis_pointers"] = [
            place for text in one.repeats(19)
            if (place := self._diagnosis(one, text, None)) is not None
        ]  # fmt: skip
        self.rows.append({name: value for name, value in row.items() if value is not None})

    def _procedure(self, one: Segment) -> str | None:
        """FT1-25, else FT1-7 where its system says that it is a procedure code."""
        for position in (25, 7):
            code, system = one.part(position), one.part(position, 3)
            known = self.case.terms.system(system)
            fits = known in {"cpt", "hcpcs"} or (position == 25 and system is None)
            if code is not None and fits and _CODE.fullmatch(code):
                return code
        return None

    def _modifiers(self, one: Segment) -> list[str]:
        made = [code for text in one.repeats(26) if (code := one.of(text)) is not None]
        if not all(_MODIFIER.fullmatch(code) for code in made):
            self.case.fault("FT1-26", "holds a modifier that is none",
                            "write two capital letters or digits")  # fmt: skip
        return made

    def _ndc(self, one: Segment) -> str | None:
        code = one.part(29)
        written = ndc_form(code) if code is not None else None
        if code is not None and written is None:
            self.case.note("an NDC has not the form of one, and is left out")
        return written

    def _money(self, one: Segment, units: Decimal) -> Decimal | None:
        """FT1-11 is the whole amount, FT1-12 that of one unit; only dollars are charges here."""
        for position, times in ((11, Decimal(1)), (12, units)):
            if one.part(position) is None:
                continue
            if one.part(position, 1, 2) not in {None, "USD"}:
                self.case.note("a charge is not in dollars, and is left out")
                return None
            money = amount(one, position, self.case)
            return money * times if money is not None and 0 <= money < 1_000_000 else None
        return None

    def _credit(self, credit: dict[str, Any]) -> None:
        """Take units back from the latest charges that are the same."""
        left = credit["units"]
        for row in list(self._same(credit)):
            taken = min(left, row["units"])
            if "charge" in row and row["units"]:
                row["charge"] = row["charge"] * (row["units"] - taken) / row["units"]
                row["charge"] = row["charge"].quantize(Decimal("0.01"))
            row["units"] -= taken
            left -= taken
            if taken and not row["units"]:
                self.rows = [one for one in self.rows if one is not row]
        self.case.note("a credit took an earlier charge back" if not left else
                       "a credit takes back more than the input charges")  # fmt: skip

    def _same(self, credit: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for row in reversed(self.rows):
            if all(row.get(name) == credit[name] for name in ("code", "modifiers", "date")):
                yield row
