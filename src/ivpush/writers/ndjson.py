"""Results as NDJSON: one result a line, in the order of the input.

The format ``ndjson`` of the command line and the usual one of batches: pieces that several
processes wrote are joined as they stand.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from ivpush.writers.safe import escaped_json

if TYPE_CHECKING:
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]


class Writer:
    """Writes each result as it comes; every line is a document of its own."""

    def __init__(self, out: IO[bytes], _options: WriteOptions) -> None:
        self._out = out

    def write(self, work: Worked, _place: str) -> None:
        """Write one result."""
        self._out.write(escaped_json(work.result.to_json()) + b"\n")

    def close(self) -> None:
        """Nothing ends NDJSON."""
