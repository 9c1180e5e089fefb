"""Results as one JSON array of indented objects, written as they come.

The format ``json`` of the command line, for a few results that somebody reads; ``ndjson`` is the
format for many.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from ivpush.writers.safe import escaped_json

if TYPE_CHECKING:
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]


class Writer:
    """Writes an array; it is whole after ``close``."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out = out
        self._sign = b"["
        """What stands before the next result: the opening bracket, then commas."""

    def write(self, work: Worked, _place: str) -> None:
        """Write one result."""
        self._out.write(self._sign + b"\n" + escaped_json(work.result.to_json(indent=2)))
        self._sign = b","

    def close(self) -> None:
        """End the array."""
        self._out.write(b"[]\n" if self._sign == b"[" else b"\n]\n")
