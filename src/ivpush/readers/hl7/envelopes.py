"""What the envelopes of a file count, held against what came: FHS, BHS, BTS and FTS.

``segments.messages`` tells an ``Envelopes`` of each message and border; ``reader`` gives its notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["BORDERS", "Envelopes"]

BORDERS = frozenset({b"FHS", b"BHS", b"BTS", b"FTS"})
_MOST_DIGITS = 12
_MISSING = "what came after may be missing"


@dataclass(slots=True)
class Envelopes:
    """The messages of the open batch and the batches of the open file.

    ::

        envelopes = Envelopes()
        for message in messages(stream, envelopes=envelopes):
            ...
        envelopes.end()
        envelopes.notes  # (line, what is wrong)
    """

    notes: list[tuple[int, str]] = field(default_factory=list)
    """Lines of the envelopes that say otherwise than what came, and what they say."""
    _messages: int = 0
    _batches: int = 0
    _file: int | None = None
    """Line of the FHS that is open."""
    _batch: int | None = None
    """Line of the BHS that is open."""

    def message(self) -> None:
        """A further message, of whatever type, readable or not."""
        self._messages += 1

    def border(self, segment: bytes, line: int) -> None:
        """A segment of an envelope."""
        match segment[:3]:
            case b"FHS":
                self.end()
                self._file, self._batches = line, 0
            case b"BHS":
                self._end_batch()
                self._batch, self._messages = line, 0
            case b"BTS":
                self._hold("BTS-1", segment, self._messages, "messages", line)
                self._batches, self._batch, self._messages = self._batches + 1, None, 0
            case b"FTS":
                self._end_batch()
                # Without a batch, senders count now messages and now nothing.
                if self._batches:
                    self._hold("FTS-1", segment, self._batches, "batches", line)
                self._file = None

    def end(self) -> None:
        """The end of the input, or of the file in it."""
        self._end_batch()
        if self._file is not None:
            self.notes.append((self._file, f"the file has no end (FTS); {_MISSING}"))
            self._file = None

    def _end_batch(self) -> None:
        if self._batch is not None:
            self.notes.append((self._batch, f"the batch has no end (BTS); {_MISSING}"))
            self._batch = None

    def _hold(self, place: str, segment: bytes, came: int, what: str, line: int) -> None:
        """Note where an envelope counts otherwise than what came; an empty count says nothing."""
        count = segment[4:].split(segment[3:4] or b"|")[0].strip()
        if not count:
            return
        # A count of more digits is none, and would cost time to convert.
        if not count.isdigit() or len(count) > _MOST_DIGITS:
            self.notes.append((line, f"{place} is no number, so that nothing tells how many came"))
        elif int(count) != came:
            self.notes.append((line, f"{place} counts {int(count):,} {what}, but {came:,} came"))
