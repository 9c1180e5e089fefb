"""What many results come to: totals by status, severity, rule and payer, and charges at stake.

The command line and batches keep one ``Statistics`` a run, ``writers.statistics`` prints it. It is
plain numbers, so that processes and checkpoints can hand it on. Nothing of a patient is in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.contract.result import Result
    from ivpush.errors import InputError

__all__ = ["NO_PAYER", "Statistics", "reason_of"]

Side = Literal["missed", "unsupported"]
State = dict[str, dict[str, int | str]]
"""Totals as plain JSON-like data, as a checkpoint keeps them."""
NO_PAYER = "-"
"""Stands for encounters without a payer's overlay."""
_MOST_REASONS = 200
"""Reasons that are counted one by one; more would be those of one broken file."""
_OTHER_REASONS = "other reasons"
_AT = re.compile(r"^\S+?:\d+(:\d+)?: ")
_INDEX = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Statistics:
    """The totals of a run; keys of several words name what is counted, then what of it.

    In use::

        statistics = Statistics()
        statistics.add(encounter, result)
        statistics.put_aside(reason_of(error))
        statistics.include(those_of_another_process)
    """

    statuses: Counter[str] = field(default_factory=Counter)
    """Encounters by their status."""
    severities: Counter[str] = field(default_factory=Counter)
    """Findings by severity."""
    findings: Counter[str] = field(default_factory=Counter)
    """Findings by ``RULE name severity``."""
    encounters: Counter[str] = field(default_factory=Counter)
    """Encounters with such a finding, by the same keys."""
    payers: Counter[str] = field(default_factory=Counter)
    """``PAYER encounters``, and findings by ``PAYER severity``."""
    units: Counter[str] = field(default_factory=Counter)
    """Units ``missed`` and ``unsupported``; of these, ``missed without charge`` and so on."""
    amounts: dict[str, Decimal] = field(default_factory=dict)
    """What such units would have been charged, as far as the claim says it of the code."""
    outdated: Counter[str] = field(default_factory=Counter)
    """Encounters of a later quarter than the newest table of a kind is for, by the kind."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Records set aside, by reason."""

    def add(self, encounter: Encounter, result: Result, outdated: Iterable[str] = ()) -> None:
        """Count one result; ``outdated`` are the tables that are past their quarter for it."""
        self.outdated.update(outdated)
        self._add_findings(result)
        # While a question is open, nobody knows what is missed.
        if encounter.administrations is not None and not result.questions:
            self._add_charges(encounter.lines, result)

    def add_visit(self, result: Result) -> None:
        """Count one result that was kept; its charges as far as it holds its visit."""
        self._add_findings(result)
        visit = result.visit
        if visit is not None and visit.drawing.given is not None and not result.questions:
            self._add_charges(visit.lines, result)

    def _add_findings(self, result: Result) -> None:
        self.statuses[result.status] += 1
        payer = result.pack.payer or NO_PAYER
        self.payers[f"{payer} encounters"] += 1
        seen: set[str] = set()
        for violation in result.violations:
            key = f"{violation.rule} {violation.name} {violation.severity}"
            seen.add(key)
            self.findings[key] += 1
            self.severities[violation.severity] += 1
            self.payers[f"{payer} {violation.severity}"] += 1
        self.encounters.update(seen)

    def _add_charges(self, lines: Iterable[ClaimLine] | None, result: Result) -> None:
        """Count units of the family that chart and claim do not share, code by code."""
        if lines is None:
            return
        outside = {each.number for each in result.lines if each.status == "outside"}
        billed = [line for line in lines if line.number not in outside]
        over = Counter[str]()
        for line in billed:
            over[line.code] += line.units
        for suggested in result.suggested:
            over[suggested.code] -= suggested.units
        charges = _unit_charges(billed)
        for code, units in over.items():
            if units:
                side: Side = "unsupported" if units > 0 else "missed"
                self._add_units(side, abs(units), charges.get(code))

    def _add_units(self, side: Side, units: int, charge: Decimal | None) -> None:
        self.units[side] += units
        if charge is None:
            self.units[f"{side} without charge"] += units
        else:
            self.amounts[side] = self.amounts.get(side, Decimal(0)) + units * charge

    def put_aside(self, reason: str) -> None:
        """Count a record that was set aside."""
        known = reason in self.reasons or len(self.reasons) < _MOST_REASONS
        self.reasons[reason if known else _OTHER_REASONS] += 1

    def include(self, other: Statistics) -> None:
        """Take the totals of another part of the run into these."""
        for each in fields(self):
            if each.name != "amounts":
                getattr(self, each.name).update(getattr(other, each.name))
        for side, amount in other.amounts.items():
            self.amounts[side] = self.amounts.get(side, Decimal(0)) + amount

    def state(self) -> State:
        """The totals as plain data."""
        plain: State = {
            each.name: dict(getattr(self, each.name))
            for each in fields(self)
            if each.name != "amounts"
        }
        return {**plain, "amounts": {side: str(amount) for side, amount in self.amounts.items()}}

    @classmethod
    def from_state(cls, state: Mapping[str, Mapping[str, int | str]]) -> Self:
        """The totals that ``state`` gave."""
        amounts = {side: Decimal(text) for side, text in state["amounts"].items()}
        counts = {
            name: Counter({key: int(count) for key, count in each.items()})
            for name, each in state.items()
            if name != "amounts"
        }
        return cls(amounts=amounts, **counts)


def _unit_charges(lines: Iterable[ClaimLine]) -> dict[str, Decimal]:
    """What a unit of each code is charged, of codes whose lines all say a charge."""
    by_code: dict[str, list[ClaimLine]] = {}
    for line in lines:
        by_code.setdefault(line.code, []).append(line)
    charges = {}
    for code, billed in by_code.items():
        stated = [line.charge for line in billed if line.charge is not None]
        units = sum(line.units for line in billed)
        if len(stated) == len(billed) and units:
            charges[code] = sum(stated, Decimal(0)) / units
    return charges


def reason_of(error: InputError) -> str:
    """Why a record was set aside, the same for all records with the same fault."""
    fault = error.faults[0]
    text = f"{fault.place}: {fault.problem}" if fault.place else fault.problem
    # What came from another process is one text, with its remedy and further faults behind.
    return _INDEX.sub("[]", _AT.sub("", text)).partition("; ")[0]
