"""``ivpush backtest``: past claims against what their payers decided.

``ivpush.__main__`` adds it. The work is done by ``ivpush.batch.backtest``; here its report is
printed, for people or as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ivpush.commands.inputs import NOTHING_READ
from ivpush.commands.options import (
    CLEAN,
    INTERNAL,
    UNREAD,
    USAGE,
    add_engine,
    complain,
    make_engine,
    plain,
    say,
    tell,
)
from ivpush.contract.line_text import marked
from ivpush.errors import Fault, InternalError, UsageError

if TYPE_CHECKING:
    from ivpush.batch.backtest import Backtest, Outcome
    from ivpush.commands.options import Commands
    from ivpush.contract.result import Violation

__all__ = ["add", "backtest", "report_text"]

_TITLES = {
    "denied": "DENIED",
    "paid": "PAID, THOUGH AN ERROR WAS FOUND",
    "patient": "LEFT TO THE PATIENT, AND AN ERROR WAS FOUND",
}


def add(commands: Commands) -> None:
    """Add ``backtest`` to the commands."""
    parser = commands.add_parser(
        "backtest", help="compare past claims (837) with what payers decided (835)"
    )
    parser.add_argument("claims", metavar="CLAIMS", help="X12 837 file")
    parser.add_argument("remits", metavar="REMITS", help="X12 835 file")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of the table"
    )
    add_engine(parser)
    parser.set_defaults(run=backtest)


def backtest(options: argparse.Namespace) -> int:
    """Compare the files of the options; gives the exit status."""
    from ivpush.batch.backtest import backtest as compare

    # A payer or a policy that does not exist is reported before long files are read.
    engine = make_engine(options)
    with _opened(options.claims) as claims, _opened(options.remits) as remits:
        report = compare(options.claims, claims, options.remits, remits, engine=engine)
    for note in report.notes:
        tell(f"{note.place}: {note.message}")
    for record in report.set_aside:
        complain(record.error, record.place)
    if options.format == "json":
        say(json.dumps(report.to_dict(), indent=2) + "\n")
    else:
        say(report_text(report))
    if any(isinstance(record.error, InternalError) for record in report.set_aside):
        return INTERNAL
    if report.set_aside:
        return UNREAD
    if report.counts["claims"]:
        return CLEAN
    complain(UsageError(replace(NOTHING_READ, place=options.claims)))
    return USAGE


def _opened(name: str) -> IO[bytes]:
    try:
        return Path(name).open("rb")
    except OSError as error:
        problem = error.strerror or "cannot be read"
        raise UsageError(Fault(name, problem, "name a file that can be read")) from None


def report_text(report: Backtest) -> str:
    """The report for people: lines by fate, what has no counterpart, and the counts."""
    from ivpush.batch.backtest import COUNTS

    rows: list[str] = []
    # Denials come first: each is something that the rules should have said before.
    for fate, title in _TITLES.items():
        outcomes = [outcome for outcome in report.outcomes if outcome.fate == fate]
        if outcomes:
            rows += [title, *(row for outcome in outcomes for row in _outcome_rows(outcome)), ""]
    for kind, places in report.unmatched.items():
        rows += [COUNTS[kind].upper(), *(f"  {plain(place)}" for place in places), ""]
    rows.append("COUNTS")
    rows += [f"  {report.counts[name]:>7}  {text}" for name, text in COUNTS.items()]
    return "\n".join(rows) + "\n"


def _outcome_rows(outcome: Outcome) -> Iterator[str]:
    """What was billed, why the payer decided as it did, and what the rules say of the line."""
    billed = plain(marked(outcome.code, outcome.modifiers))
    yield f"  {plain(outcome.claim)} line {outcome.line}: {billed} x {outcome.units}"
    yield f"      {plain(outcome.place)}"
    reasons = ", ".join(f"{why.group} {why.reason} {why.amount}" for why in outcome.adjustments)
    remarks = f"; remarks {', '.join(outcome.remarks)}" if outcome.remarks else ""
    yield f"      payer:  {plain((reasons or 'no reason') + remarks)}"
    for violation in outcome.violations:
        yield f"      ivpush: {_violation_text(violation)}"
    if not outcome.violations:
        yield "      ivpush: nothing found on this line"


def _violation_text(violation: Violation) -> str:
    text = f"{violation.severity} {violation.rule} {violation.name}"
    codes = [f"CARC {violation.carc}"] if violation.carc else []
    codes += [f"RARC {violation.rarc}"] if violation.rarc else []
    return f"{text} ({', '.join(codes)})" if codes else text
