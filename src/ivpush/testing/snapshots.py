"""Snapshots of results: what was decided, as plain lines that a diff shows well.

``ivpush.testing.snapshot`` gives the text; the plugin's fixture ``ivpush_snapshot`` compares it
with a file beside the test, and writes the file when pytest runs with ``--ivpush-update``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ivpush.authoring.shorthand import line_in_short
from ivpush.contract.result import Result, Violation
from ivpush.engine import Engine
from ivpush.errors import Fault, UsageError
from ivpush.testing.assertions import Given, checked

__all__ = ["Snapshots", "snapshot"]


def snapshot(result: Result) -> str:
    """What a result decides, a line each: codes, findings, open facts, the corrected claim.

    Sentences, sources and versions are left out, so that a reworded message changes nothing.
    """
    return "".join(f"{row}\n" for row in _rows(result))


def _rows(result: Result) -> Iterator[str]:
    yield f"status: {result.status}"
    for line in result.suggested:
        short = line_in_short(line.code, line.modifiers, line.units)
        day = "" if line.date is None else f" on {line.date.isoformat()}"
        yield f"suggested: {short}{day} for {', '.join(line.administrations)}"
    for barred in result.not_billable:
        yield f"not billable: {barred.administration}"
    for violation in result.violations:
        yield _violation(violation)
    for question in result.questions:
        yield f"open: {question.missing} of {question.administration or 'the encounter'}"
    if result.corrected is None:
        yield "corrected: withheld"
    for billed in result.corrected or ():
        short = line_in_short(billed.code, billed.modifiers, billed.units)
        yield f"corrected: line {billed.number}: {short}"


def _violation(violation: Violation) -> str:
    place = ", ".join(violation.administrations) or "the encounter"
    if violation.line is not None:
        place = f"line {violation.line}"
    return f"{violation.severity}: {violation.rule} {violation.name} on {place}"


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots of one test; called with a result or a record, it compares or writes.

    ``stem`` is the file of the test's first snapshot without its ending; a further one is called
    by a name of its own.
    """

    stem: Path
    update: bool
    engine: Engine
    _used: set[str] = field(default_factory=set)

    def __call__(self, given: Result | Given, name: str = "") -> Result:
        """Fail unless what is given decides as its file says; gives the result.

        Raises UsageError for a second snapshot of one test without a name of its own.
        """
        __tracebackhide__ = True
        # The second would be compared with the first one's file, or write over it.
        if name in self._used:
            problem = "stands for two snapshots of this test"
            raise UsageError(Fault(f"the name '{name}'", problem, "give each a name of its own"))
        self._used.add(name)
        result = given if isinstance(given, Result) else checked(given, self.engine)
        self._compare(snapshot(result), self._file(name))
        return result

    def _file(self, name: str) -> Path:
        __tracebackhide__ = True
        if not all(sign.isalnum() or sign in "-_ " for sign in name):
            problem = "holds more than letters, digits, hyphens and spaces"
            raise UsageError(Fault("the name of a snapshot", problem, "write those only"))
        return self.stem.with_name(f"{self.stem.name}{'.' if name else ''}{name}.txt")

    def _compare(self, got: str, file: Path) -> None:
        __tracebackhide__ = True
        if self.update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(got, "utf-8", newline="\n")
            return
        if not file.is_file():
            raise AssertionError(f"{file}: is missing; run pytest with --ivpush-update, look at it")
        wanted = file.read_text("utf-8")
        if wanted != got:
            rows = difflib.unified_diff(
                wanted.splitlines(), got.splitlines(), "expected", "got", lineterm="", n=1
            )
            accept = "if this is right, run pytest with --ivpush-update"
            raise AssertionError("\n".join([f"{file}: {accept}", *rows]))
