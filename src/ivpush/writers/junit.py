"""Results as JUnit XML: a suite a file, a test case an encounter, failed where it has an error.

Warnings, notes and open questions stand in a case's ``system-out``. A suite begins with its
counts, so the cases of one file are held until the file ends.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from ivpush.writers.safe import place_of, visible

if TYPE_CHECKING:
    from ivpush.contract.result import Violation
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]


class Writer:
    """Writes suites; the document is whole after ``close``."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out, self._file = out, ""
        self._cases: list[str] = []
        self._failed = 0
        out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ivpush">\n')

    def write(self, work: Worked, place: str) -> None:
        """Take one result; a result of another file ends the suite."""
        where, result = place_of(place), work.result
        file = "stdin" if where.file == "-" else where.file
        if file != self._file:
            self._suite()
            self._file = file
        errors = [one for one in result.violations if one.severity == "error"]
        others = [_said(one) for one in result.violations if one.severity != "error"]
        others += [f"question: {one.ask} (ask {one.who})" for one in result.questions]
        self._failed += bool(errors)
        line = f" line={_attribute(str(where.line))}" if where.line is not None else ""
        head = f"<testcase name={_attribute(result.encounter)} classname={_attribute(file)}{line}"
        body = ""
        if errors:
            rules = ", ".join(sorted({one.rule for one in errors}))
            message = _attribute(f"{len(errors)} error(s): {rules}")
            text = _text([_said(one) for one in errors])
            body += f"<failure type={_attribute(errors[0].name)} message={message}>{text}</failure>"
        if others:
            body += f"<system-out>{_text(others)}</system-out>"
        self._cases.append(f"{head}>{body}</testcase>\n" if body else f"{head}/>\n")

    def close(self) -> None:
        """End the last suite and the document."""
        self._suite()
        self._out.write(b"</testsuites>\n")

    def _suite(self) -> None:
        if self._cases:
            head = (f"<testsuite name={_attribute(self._file)} tests=\"{len(self._cases)}\" "
                    f'failures="{self._failed}" errors="0" skipped="0">\n')  # fmt: skip
            self._out.write(head.encode())
            for one in self._cases:
                self._out.write(one.encode())
            self._out.write(b"</testsuite>\n")
        self._cases, self._failed = [], 0


def _said(one: Violation) -> str:
    line = f" line {one.line}" if one.line is not None else ""
    return f"{one.severity} {one.rule} {one.name}{line}: {one.message} {one.fix}"


def _attribute(text: str) -> str:
    return quoteattr(visible(text))


def _text(lines: list[str]) -> str:
    """Lines of text; what XML 1.0 cannot hold is no printable character, so it is escaped too."""
    return escape("\n".join(map(visible, lines)))
