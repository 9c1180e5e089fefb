"""Results as JUnit XML: a suite a file, a test case an encounter, failed where it has an error.

The format ``junit`` of the command line, which build servers show. Warnings, notes and open
questions stand in a case's ``system-out``. A suite begins with its counts, so the cases of one file
are held until the file ends.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from ivpush.plural import counted
from ivpush.writers.safe import Place, place_of, visible

if TYPE_CHECKING:
    from ivpush.contract.result import Result, Violation
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]

_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ivpush">\n'


class Writer:
    """Writes suites; the document is whole after ``close``."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out = out
        self._file = ""
        self._cases: list[str] = []
        self._failed = 0
        out.write(_HEAD)

    def write(self, work: Worked, place: str) -> None:
        """Take one result; a result of another file ends the suite."""
        where, result = place_of(place), work.result
        if where.name != self._file:
            self._end_suite()
            self._file = where.name
        errors = [violation for violation in result.violations if violation.severity == "error"]
        self._failed += bool(errors)
        self._cases.append(_case(result, errors, where))

    def close(self) -> None:
        """End the last suite and the document."""
        self._end_suite()
        self._out.write(b"</testsuites>\n")

    def _end_suite(self) -> None:
        if self._cases:
            head = (
                f'<testsuite name={_attribute(self._file)} tests="{len(self._cases)}" '
                f'failures="{self._failed}" errors="0" skipped="0">\n'
            )
            self._out.write(head.encode())
            for case in self._cases:
                self._out.write(case.encode())
            self._out.write(b"</testsuite>\n")
        self._cases, self._failed = [], 0


def _case(result: Result, errors: list[Violation], where: Place) -> str:
    line = f" line={_attribute(str(where.line))}" if where.line is not None else ""
    name, file = _attribute(result.encounter), _attribute(where.name)
    head = f"<testcase name={name} classname={file}{line}"
    body = _failure(errors) + _remarks(result)
    return f"{head}>{body}</testcase>\n" if body else f"{head}/>\n"


def _failure(errors: list[Violation]) -> str:
    if not errors:
        return ""
    rules = ", ".join(sorted({error.rule for error in errors}))
    message = _attribute(f"{counted(len(errors), 'error')}: {rules}")
    text = _text([_sentence(error) for error in errors])
    # One failure a case: readers of the format count failures, and a case fails only once.
    return f"<failure type={_attribute(errors[0].name)} message={message}>{text}</failure>"


def _remarks(result: Result) -> str:
    """What does not fail a case: warnings, notes and questions."""
    lines = [_sentence(found) for found in result.violations if found.severity != "error"]
    lines += [f"question: {question.ask} (ask {question.who})" for question in result.questions]
    return f"<system-out>{_text(lines)}</system-out>" if lines else ""


def _sentence(violation: Violation) -> str:
    line = f" line {violation.line}" if violation.line is not None else ""
    head = f"{violation.severity} {violation.rule} {violation.name}{line}"
    return f"{head}: {violation.message} {violation.fix}"


def _attribute(text: str) -> str:
    return quoteattr(visible(text))


def _text(lines: list[str]) -> str:
    """Lines of text; what XML 1.0 cannot hold is no printable character, so it is escaped too."""
    return escape("\n".join(map(visible, lines)))
