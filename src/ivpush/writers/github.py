"""Violations as annotations of GitHub Actions: one workflow command a line.

The format ``github`` of the command line. A log shows only the first ten errors and ten warnings of
a step; the rest stay in the log's text.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from ivpush.writers.safe import Place, place_of, visible

if TYPE_CHECKING:
    from ivpush.contract.result import Violation
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]

# GitHub's commands call an information a notice.
_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


class Writer:
    """Writes one annotation a violation."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out = out

    def write(self, work: Worked, place: str) -> None:
        """Write the violations of one result."""
        where = place_of(place)
        for violation in work.result.violations:
            command = _annotation(violation, work.result.encounter, where)
            self._out.write(command.encode())

    def close(self) -> None:
        """Nothing ends the annotations."""


def _annotation(violation: Violation, encounter: str, where: Place) -> str:
    properties = {"file": where.name}
    if where.line is not None:
        properties["line"] = str(where.line)
    properties["title"] = f"{violation.rule} {violation.name}"
    shown = ",".join(f"{key}={_property(text)}" for key, text in properties.items())
    line = f", line {violation.line}" if violation.line is not None else ""
    within = f" ({where.within})" if where.within else ""
    text = f"{encounter}{line}{within}: {violation.message} {violation.fix}"
    return f"::{_LEVELS[violation.severity]} {shown}::{_data(text)}\n"


def _data(text: str) -> str:
    """Message text: a runner takes ``%0A`` for a line end, so a percent sign is escaped first."""
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    """A property's value, in which colons and commas would end it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
