"""Writers: one module a format, and what every one of them offers.

The command line and batches import a writer by the name of its format and call
``Writer(out, options)``: a result at a time goes in, bytes go out, and ``close`` writes whatever
ends the document. A document is whole after ``close`` even where a run was interrupted. Control
characters and formulas of foreign text never reach a reader's program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ivpush.engine import Worked
    from ivpush.pack.pack import Pack

__all__ = ["ResultWriter", "WriteOptions"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a writer may need beside the results."""

    pack: Pack
    """The pack that judged; SARIF and JUnit name its rules."""
    version: str = ""
    """Version of ivpush."""
    show_text: bool = False
    """Whether the chart's own words may be written."""


class ResultWriter(Protocol):
    """Takes results in order and writes one document.

    ::

        writer = ndjson.Writer(out, WriteOptions(engine.pack, __version__))
        for number, encounter in enumerate(encounters, 1):
            writer.write(engine.work(encounter), f"claims.ndjson:{number}")
        writer.close()
    """

    def write(self, work: Worked, place: str) -> None:
        """Take one result; ``place`` is where its encounter was read (``file:line``)."""

    def close(self) -> None:
        """End the document; the stream stays open for its owner to close."""
