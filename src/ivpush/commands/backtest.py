"""``ivpush backtest``: past claims against what their payers decided."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ivpush.commands.options import CLEAN, UNREAD, add_engine, make_engine, plain, say
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from ivpush.batch.backtest import Backtest, Outcome

__all__ = ["add", "backtest", "report_text"]

_TITLES = {
    "denied": "DENIED",
    "paid": "PAID, THOUGH AN ERROR WAS FOUND",
    "patient": "LEFT TO THE PATIENT, AND AN ERROR WAS FOUND",
}


def add(commands: Any) -> None:
    """Add ``backtest`` to the commands."""
    parser = commands.add_parser(
        "backtest", help="compare past claims (837) with what payers decided (835)"
    )
    parser.add_argument("claims", metavar="CLAIMS", help="X12 837 file")
    parser.add_argument("remits", metavar="REMITS", help="X12 835 file")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_engine(parser)
    parser.set_defaults(run=backtest)


def backtest(options: argparse.Namespace) -> int:
    """Compare the files of the options; gives the exit status."""
    from ivpush.batch.backtest import backtest as compare

    engine = make_engine(options)
    with _opened(options.claims) as claims, _opened(options.remits) as remits:
        report = compare(options.claims, claims, options.remits, remits, engine)
    for note in report.notes:
        print(f"ivpush: {plain(note.place)}: {plain(note.message)}", file=sys.stderr)
    for one in report.set_aside:
        for fault in one.error.faults:
            print(f"ivpush: {plain(one.place)}: {plain(str(fault))}", file=sys.stderr)
    if options.format == "json":
        say(json.dumps(report.to_dict(), indent=2) + "\n")
    else:
        say(report_text(report))
    return UNREAD if report.set_aside else CLEAN


def _opened(name: str) -> IO[bytes]:
    try:
        return Path(name).open("rb")
    except OSError as error:
        problem = error.strerror or "cannot be read"
        raise UsageError(Fault(name, problem, "name a file that can be read")) from None


def report_text(report: Backtest) -> str:
    """The report for people: lines by fate, what has no counterpart, and the counts."""
    from ivpush.batch.backtest import COUNTS

    out: list[str] = []
    for fate, title in _TITLES.items():
        those = [one for one in report.outcomes if one.fate == fate]
        if those:
            out += [title, *(row for one in those for row in _outcome(one)), ""]
    for kind, places in report.unmatched.items():
        out += [COUNTS[kind].upper(), *(f"  {plain(place)}" for place in places), ""]
    out.append("COUNTS")
    out += [f"  {report.counts[name]:>7}  {text}" for name, text in COUNTS.items()]
    return "\n".join(out) + "\n"


def _outcome(one: Outcome) -> list[str]:
    billed = plain("-".join((one.code, *one.modifiers)))
    out = [
        f"  {plain(one.claim)} line {one.line}: {billed} x {one.units}",
        f"      {plain(one.place)}",
    ]
    reasons = ", ".join(f"{x.group} {x.reason} {x.amount}" for x in one.adjustments) or "no reason"
    remarks = f"; remarks {', '.join(one.remarks)}" if one.remarks else ""
    out.append(f"      payer:  {plain(reasons + remarks)}")
    for found in one.found:
        codes = ", ".join(filter(None, (f"CARC {found.carc}" if found.carc else "",
                                        f"RARC {found.rarc}" if found.rarc else "")))  # fmt: skip
        out.append(f"      ivpush: {found.severity} {found.rule} {found.name}"
                   + (f" ({codes})" if codes else ""))  # fmt: skip
    if not one.found:
        out.append("      ivpush: nothing found on this line")
    return out
