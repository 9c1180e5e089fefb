"""Violations as annotations of GitHub Actions: one workflow command a line.

A log shows only the first ten errors and ten warnings of a step; the rest stay in the log's text.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from ivpush.writers.safe import place_of, visible

if TYPE_CHECKING:
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


class Writer:
    """Writes one annotation a violation."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out = out

    def write(self, work: Worked, place: str) -> None:
        """Write the violations of one result."""
        result, where = work.result, place_of(place)
        for one in result.violations:
            marks = {"file": "stdin" if where.file == "-" else where.file}
            if where.line is not None:
                marks["line"] = str(where.line)
            marks["title"] = f"{one.rule} {one.name}"
            shown = ",".join(f"{key}={_property(text)}" for key, text in marks.items())
            line = f", line {one.line}" if one.line is not None else ""
            within = f" ({where.within})" if where.within else ""
            text = f"{result.encounter}{line}{within}: {one.message} {one.fix}"
            command = f"::{_LEVELS[one.severity]} {shown}::{_data(text)}\n"
            self._out.write(command.encode())

    def close(self) -> None:
        """Nothing ends the annotations."""


def _data(text: str) -> str:
    """Message text: a runner takes ``%0A`` for a line end, so a percent sign is escaped first."""
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    """A property's value, in which colons and commas would end it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
