"""Past claims against what their payers decided: which denials the rules would have foretold.

``ivpush backtest`` calls ``backtest``. Claims (837) and remittances (835) are linked by CLM01 and
CLP01, and their lines by REF*6R where both sides have it once, else by code and modifiers in order.
A line counts as *denied* where it was charged, nothing was paid, and nothing was left to the
patient; where something was left to the patient (PR), it counts apart, for a deductible is no
denial and the 835 alone does not tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ivpush.errors import InputError, attempt
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
    violations: tuple[Violation, ...]
    """Errors and warnings on the line, as the rules would have said before."""

    @property
    def errors(self) -> tuple[Violation, ...]:
        """What would have stopped the line."""
        return tuple(found for found in self.violations if found.severity == "error")

    @property
    def same_reason(self) -> bool:
        """Whether a rule names a reason code that the payer gave."""
        reasons = {adjustment.reason for adjustment in self.adjustments}
        return any(error.carc in reasons for error in self.errors)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON-like data."""
        adjustments = [
            {
                "group": adjustment.group,
                "carc": adjustment.reason,
                "amount": str(adjustment.amount),
            }
            for adjustment in self.adjustments
        ]
        violations = [
            {
                "rule": violation.rule,
                "name": violation.name,
                "severity": violation.severity,
                "carc": violation.carc,
                "rarc": violation.rarc,
            }
            for violation in self.violations
        ]
        return {
            "claim": self.claim,
            "place": self.place,
            "line": self.line,
            "code": self.code,
            "modifiers": list(self.modifiers),
            "units": self.units,
            "fate": self.fate,
            "payer": {"adjustments": adjustments, "rarc": list(self.remarks)},
            "ivpush": violations,
            "foretold": bool(self.errors),
            "same_reason": self.same_reason,
        }


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

    def put_by(self, reading: SetAside | Note, kind: str) -> None:
        """Keep what is no claim or remittance; ``kind`` is ``claims`` or ``remittances``."""
        if isinstance(reading, Note):
            self.notes.append(reading)
        else:
            self.set_aside.append(reading)
            self.counts[f"{kind}_set_aside"] += 1

    def add(self, outcome: Outcome) -> None:
        """Count an outcome; keep what a person will want to read."""
        if outcome.fate == "uncharged":
            self.counts["uncharged"] += 1
            return
        foretold = bool(outcome.errors)
        if outcome.fate == "denied":
            self.counts["denied_foretold" if foretold else "denied_not_foretold"] += 1
            self.counts["denied_same_reason"] += outcome.same_reason
        else:
            self.counts[f"{outcome.fate}_{'with_error' if foretold else 'clean'}"] += 1
        if outcome.fate == "denied" or foretold:
            self.outcomes.append(outcome)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON-like data."""
        return {
            "counts": {name: self.counts[name] for name in COUNTS},
            "lines": [outcome.to_dict() for outcome in self.outcomes],
            "unmatched": {
                name: self.unmatched.get(name, []) for name in COUNTS if "_without_" in name
            },
        }


def fate_of(line: RemittanceLine) -> str:
    """What became of a line: ``paid``, ``denied``, ``patient`` (left to them), ``uncharged``."""
    # In part counts as paid: contracts cut nearly every charge (CO 45).
    if line.paid > 0:
        return "paid"
    if line.charge <= 0:
        return "uncharged"
    left = sum(adjustment.amount for adjustment in line.adjustments if adjustment.group == PATIENT)
    return "patient" if left > 0 else "denied"


def backtest(
    claims_name: str,
    claims_stream: IO[bytes],
    remits_name: str,
    remits_stream: IO[bytes],
    engine: Engine,
    options: ReadOptions | None = None,
) -> Backtest:
    """Compare every claim of an 837 with its remittance in an 835.

    ::

        report = backtest("claims.837", claims, "remits.835", remits, Engine())
        print(report.counts["denied_foretold"], report.counts["denied_not_foretold"])

    All remittances are in memory, one claim at a time.
    """
    report = Backtest()
    waiting = _waiting(read_remittances(remits_name, remits_stream), report)
    events = claims(walk(claims_name, claims_stream), claims_name, options or ReadOptions())
    for event, parsed, readings in events:
        if isinstance(event, SetAside | Note):
            report.put_by(event, "claims")
        for reading in readings:
            if not isinstance(reading, Record):
                report.put_by(reading, "claims")
            elif parsed is not None:
                result = attempt(engine.check, reading.encounter)
                if isinstance(result, InputError):
                    report.put_by(SetAside(reading.place, result), "claims")
                    continue
                report.counts["claims"] += 1
                _compare(reading, parsed, waiting, result.violations, report=report)
    for unanswered in waiting.values():
        for remit in unanswered:
            report.miss("remittances_without_claim", remit.place)
    return report


_Waiting = dict[str, list[Remittance]]
"""Remittances that no claim has asked for yet, by claim id and in order."""


def _waiting(readings: Iterator[Remittance | SetAside | Note], report: Backtest) -> _Waiting:
    """The remittances of an 835; reversals are counted and left out."""
    waiting: _Waiting = {}
    for reading in readings:
        if not isinstance(reading, Remittance):
            report.put_by(reading, "remittances")
            continue
        report.counts["remittances"] += 1
        # A reversal has the amounts of the payment that it takes back, with the sign changed; what
        # stands instead comes as a remittance of its own.
        if reading.reversal:
            report.counts["reversals"] += 1
        else:
            waiting.setdefault(reading.id, []).append(reading)
    return waiting


def _compare(
    record: Record,
    parsed: Parsed,
    waiting: _Waiting,
    violations: Sequence[Violation],
    *,
    report: Backtest,
) -> None:
    """Find the remittance of a claim, and report what became of each of its lines."""
    encounter = record.encounter
    remit = _answer(waiting, encounter.id, parsed.total)
    if remit is None:
        report.miss("claims_without_remittance", record.place)
        return
    controls = {line.number: line.control for line in parsed.lines if line.control}
    matching = _match(encounter.lines or (), controls, remit)
    for line in matching.unanswered:
        report.miss("claim_lines_without_remittance", f"{record.place}, line {line.number}")
    for number in matching.unbilled:
        report.miss("remittance_lines_without_claim", f"{remit.place}, line {number}")
    for line, answer in matching.pairs:
        on_line = [violation for violation in violations if violation.line == line.number]
        report.add(_outcome(record, line, answer, remit, violations=on_line))


def _outcome(
    record: Record,
    line: ClaimLine,
    answer: RemittanceLine,
    remit: Remittance,
    *,
    violations: Iterable[Violation],
) -> Outcome:
    return Outcome(
        claim=record.encounter.id,
        place=record.place,
        line=line.number,
        code=line.code,
        modifiers=line.modifiers,
        units=line.units,
        fate=fate_of(answer),
        # A payer may give the reason once, for the claim.
        adjustments=tuple(answer.adjustments or remit.adjustments),
        remarks=tuple(dict.fromkeys((*answer.remarks, *remit.remarks))),
        violations=tuple(found for found in violations if found.severity != "info"),
    )


def _answer(waiting: _Waiting, name: str, total: Decimal | None) -> Remittance | None:
    """The remittance of a claim: the first with its total charge, or the only one of its id."""
    candidates = waiting.get(name, [])
    same = [remit for remit in candidates if remit.charge == total]
    if same:
        answer = same[0]
    elif len(candidates) == 1:
        answer = candidates[0]
    else:
        return None
    # Taken out, for a claim that was sent again has a remittance of its own.
    candidates.remove(answer)
    return answer


class _Matching(NamedTuple):
    """Lines and their answers, and what is left on either side."""

    pairs: list[tuple[ClaimLine, RemittanceLine]]
    unanswered: list[ClaimLine]
    unbilled: list[int]
    """Places of remittance lines, from 1."""


def _match(
    lines: tuple[ClaimLine, ...], controls: Mapping[int, str], remit: Remittance
) -> _Matching:
    """Link the lines of a claim with those of its remittance.

    A claim that was decided as a whole (no SVC) answers for each of its lines where it was denied:
    then every charge was taken off.
    """
    if not remit.lines and remit.paid == 0 and remit.charge > 0:
        return _Matching([(line, _whole(line, remit)) for line in lines], [], [])
    left = dict(enumerate(remit.lines, 1))
    answers = _by_control(lines, controls, left)
    for line in lines:
        if line.number not in answers:
            place = next((at for at, answer in left.items() if _alike(line, answer)), None)
            if place is not None:
                answers[line.number] = left.pop(place)
    pairs = [(line, answers[line.number]) for line in lines if line.number in answers]
    unanswered = [line for line in lines if line.number not in answers]
    return _Matching(pairs, unanswered, list(left))


def _by_control(
    lines: tuple[ClaimLine, ...], controls: Mapping[int, str], left: dict[int, RemittanceLine]
) -> dict[int, RemittanceLine]:
    """Answers by line number, where REF*6R tells; they are taken from what is left."""
    # Some senders repeat one number on every line, which then tells nothing.
    billed = Counter(controls.values())
    decided = Counter(answer.control for answer in left.values() if answer.control)
    answers: dict[int, RemittanceLine] = {}
    for line in lines:
        control = controls.get(line.number)
        if control is not None and billed[control] == decided[control] == 1:
            place = next(at for at, answer in left.items() if answer.control == control)
            answers[line.number] = left.pop(place)
    return answers


def _alike(line: ClaimLine, answer: RemittanceLine) -> bool:
    return (line.code, line.modifiers) == (answer.code, answer.modifiers)


def _whole(line: ClaimLine, remit: Remittance) -> RemittanceLine:
    """What a claim denied as a whole says of one line."""
    return RemittanceLine(
        code=line.code,
        modifiers=line.modifiers,
        charge=line.charge or Decimal(0),
        paid=Decimal(0),
        paid_code=line.code,
        adjustments=remit.adjustments,
    )
