"""Past claims against what their payers decided: which denials the rules would have foretold.

Claims (837) and remittances (835) are linked by CLM01 and CLP01, and their lines by REF*6R where
both sides have it once, else by code and modifiers in order. A line counts as *denied* where it was
charged, nothing was paid, and nothing was left to the patient; where something was left to the
patient (PR), it counts apart, for a deductible is no denial and the 835 alone does not tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.x12.parsed import Parsed
from ivpush.readers.x12.reader import claims
from ivpush.readers.x12.remits import Adjustment, Remittance, RemittanceLine
from ivpush.readers.x12.remits import read as read_remittances
from ivpush.readers.x12.walk import walk

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine
    from ivpush.contract.result import Violation
    from ivpush.engine import Engine

__all__ = [
    "COUNTS",
    "Backtest",
    "Outcome",
    "backtest",
    "fate_of",
]

PATIENT = "PR"
"""The group code of amounts that the patient bears."""

COUNTS = {
    "denied_foretold": "lines denied, and an error was found on them",
    "denied_same_reason": "of these, with a reason code (CARC) that the payer gave",
    "denied_not_foretold": "lines denied, and no error was found on them",
    "paid_with_error": "lines paid, though an error was found on them",
    "paid_clean": "lines paid, and no error was found on them",
    "patient_with_error": "lines left to the patient, and an error was found on them",
    "patient_clean": "lines left to the patient, and no error was found on them",
    "uncharged": "lines without a charge",
    "claims": "claims read",
    "claims_set_aside": "claims that could not be read",
    "claims_without_remittance": "claims that no remittance answers",
    "claim_lines_without_remittance": "claim lines that their remittance does not name",
    "remittances": "remittances read",
    "remittances_set_aside": "remittances that could not be read",
    "remittances_without_claim": "remittances that answer no claim",
    "remittance_lines_without_claim": "remittance lines that their claim does not hold",
    "reversals": "remittances that take back an earlier payment; not linked",
}
"""What is counted, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line that a payer denied, or that was paid or left to the patient despite an error."""

    claim: str
    place: str
    line: int
    code: str
    modifiers: tuple[str, ...]
    units: int
    fate: str
    """``denied``, ``patient`` or ``paid``."""
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...]
    found: tuple[Violation, ...]
    """Errors and warnings on the line, as the rules would have said before."""

    @property
    def errors(self) -> tuple[Violation, ...]:
        """What would have stopped the line."""
        return tuple(one for one in self.found if one.severity == "error")

    @property
    def same_reason(self) -> bool:
        """Whether a rule names a reason code that the payer gave."""
        given = {one.reason for one in self.adjustments}
        return any(one.carc in given for one in self.errors)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON-like data."""
        return {
            "claim": self.claim, "place": self.place, "line": self.line, "code": self.code,
            "modifiers": list(self.modifiers), "units": self.units, "fate": self.fate,
            "payer": {
                "adjustments": [{"group": one.group, "carc": one.reason, "amount": str(one.amount)}
                                for one in self.adjustments],
                "rarc": list(self.remarks),
            },
            "ivpush": [{"rule": one.rule, "name": one.name, "severity": one.severity,
                        "carc": one.carc, "rarc": one.rarc} for one in self.found],
            "foretold": bool(self.errors), "same_reason": self.same_reason,
        }  # fmt: skip


@dataclass(slots=True)
class Backtest:
    """What a comparison found: outcomes, counts, and everything that found no counterpart."""

    outcomes: list[Outcome] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unmatched: dict[str, list[str]] = field(default_factory=dict)
    """Places by kind: a key of COUNTS that ends in ``without_…``."""
    set_aside: list[SetAside] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def miss(self, kind: str, place: str) -> None:
        """Count and list something without its counterpart."""
        self.counts[kind] += 1
        self.unmatched.setdefault(kind, []).append(place)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON-like data."""
        return {
            "counts": {name: self.counts[name] for name in COUNTS},
            "lines": [one.to_dict() for one in self.outcomes],
            "unmatched": {name: self.unmatched.get(name, []) for name in COUNTS
                          if "_without_" in name},
        }  # fmt: skip


def fate_of(line: RemittanceLine) -> str:
    """What became of a line: ``paid``, ``denied``, ``patient`` (left to them), ``uncharged``."""
    if line.paid > 0:
        return "paid"
    if line.charge <= 0:
        return "uncharged"
    left = sum(one.amount for one in line.adjustments if one.group == PATIENT)
    return "patient" if left > 0 else "denied"


def backtest(
    claims_name: str, claims_stream: IO[bytes], remits_name: str, remits_stream: IO[bytes],
    engine: Engine, options: ReadOptions | None = None,
) -> Backtest:  # fmt: skip
    """Compare every claim of an 837 with its remittance in an 835."""
    report = Backtest()
    waiting = _waiting(read_remittances(remits_name, remits_stream), report)
    events = claims(walk(claims_name, claims_stream), claims_name, options or ReadOptions())
    for event, made, readings in events:
        if isinstance(event, Note):
            report.notes.append(event)
        elif isinstance(event, SetAside):
            _aside(report, event, "claims")
        for one in readings:
            if isinstance(one, Note):
                report.notes.append(one)
            elif isinstance(one, SetAside):
                _aside(report, one, "claims")
            elif made is not None:
                report.counts["claims"] += 1
                _claim(report, one, made, waiting, engine)
    for left in waiting.values():
        for remit in left:
            report.miss("remittances_without_claim", remit.place)
    return report


def _aside(report: Backtest, one: SetAside, kind: str) -> None:
    report.set_aside.append(one)
    report.counts[f"{kind}_set_aside"] += 1


def _waiting(
    readings: Iterator[Remittance | SetAside | Note], report: Backtest
) -> dict[str, list[Remittance]]:
    """Remittances by claim id, in order; reversals are counted and left out."""
    waiting: dict[str, list[Remittance]] = {}
    for one in readings:
        if isinstance(one, Note):
            report.notes.append(one)
        elif isinstance(one, SetAside):
            _aside(report, one, "remittances")
        else:
            report.counts["remittances"] += 1
            if one.reversal:
                report.counts["reversals"] += 1
            else:
                waiting.setdefault(one.id, []).append(one)
    return waiting


def _answer(waiting: dict[str, list[Remittance]], name: str, total: Decimal | None
            ) -> Remittance | None:  # fmt: skip
    """The remittance of a claim: the only one of its id, or the first with its total charge."""
    those = waiting.get(name, [])
    same = [one for one in those if one.charge == total]
    found = same[0] if same else those[0] if len(those) == 1 else None
    if found is not None:
        those.remove(found)
    return found


def _claim(
    report: Backtest, record: Record, made: Parsed, waiting: dict[str, list[Remittance]],
    engine: Engine,
) -> None:  # fmt: skip
    encounter = record.encounter
    remit = _answer(waiting, encounter.id, made.total)
    if remit is None:
        report.miss("claims_without_remittance", record.place)
        return
    controls = {line.number: line.control for line in made.lines}
    pairs, billed, decided = _pairs(encounter.lines or (), controls, remit)
    for line in billed:
        report.miss("claim_lines_without_remittance", f"{record.place}, line {line.number}")
    for number in decided:
        report.miss("remittance_lines_without_claim", f"{remit.place}, line {number}")
    found = engine.check(encounter).violations
    for line, answer in pairs:
        told = tuple(one for one in found if one.line == line.number and one.severity != "info")
        _judge(report, Outcome(
            encounter.id, record.place, line.number, line.code, line.modifiers, line.units,
            fate_of(answer), tuple(answer.adjustments or remit.adjustments),
            tuple(dict.fromkeys((*answer.remarks, *remit.remarks))), told,
        ))  # fmt: skip


def _judge(report: Backtest, one: Outcome) -> None:
    """Count an outcome; keep what a person will want to read."""
    if one.fate == "uncharged":
        report.counts["uncharged"] += 1
        return
    if one.fate == "denied":
        report.counts["denied_foretold" if one.errors else "denied_not_foretold"] += 1
        report.counts["denied_same_reason"] += one.same_reason
    else:
        report.counts[f"{one.fate}_{'with_error' if one.errors else 'clean'}"] += 1
    if one.fate == "denied" or one.errors:
        report.outcomes.append(one)


def _pairs(
    lines: tuple[ClaimLine, ...], controls: dict[int, str | None], remit: Remittance
) -> tuple[list[tuple[ClaimLine, RemittanceLine]], list[ClaimLine], list[int]]:
    """Lines and their answers, and what is left on either side.

    A claim that was decided as a whole (no SVC) answers for each of its lines where it was denied:
    then every charge was taken off.
    """
    if not remit.lines and remit.paid == 0 and remit.charge > 0:
        answers = [(one, _whole(one, remit)) for one in lines]
        return answers, [], []
    left = dict(enumerate(remit.lines, 1))
    counted = Counter(one for one in controls.values() if one)
    named = Counter(one.control for one in remit.lines if one.control)
    found: dict[int, int] = {}
    for line in lines:
        mark = controls.get(line.number)
        if mark and counted[mark] == named[mark] == 1:
            found[line.number] = next(at for at, one in left.items() if one.control == mark)
            del left[found[line.number]]
    for line in lines:
        if line.number not in found:
            at = next((at for at, one in left.items() if _alike(line, one)), None)
            if at is not None:
                found[line.number] = at
                del left[at]
    pairs = [(one, remit.lines[found[one.number] - 1]) for one in lines if one.number in found]
    return pairs, [one for one in lines if one.number not in found], list(left)


def _alike(line: ClaimLine, answer: RemittanceLine) -> bool:
    return (line.code, line.modifiers) == (answer.code, answer.modifiers)


def _whole(line: ClaimLine, remit: Remittance) -> RemittanceLine:
    return RemittanceLine(line.code, line.modifiers, line.charge or Decimal(0), Decimal(0),
                          line.code, adjustments=remit.adjustments)  # fmt: skip
