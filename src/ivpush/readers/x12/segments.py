"""X12 cut into segments: separators come from each ISA; no more than a block is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from ivpush.errors import Fault

__all__ = [
    "CUT",
    "SPACE",
    "Separators",
    "chunks",
    "is_x12",
]

BOM = b"\xef\xbb\xbf"
BLOCK = 64 * 1024
MOST_SEGMENT_BYTES = 1024 * 1024


_HEADER = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_HEADER_BYTES = 106
_MOST_HEADER_BYTES = 400
_AFTER_HEADER = (b"GS", b"TA", b"IS", b"IE")
SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Separators:
    """What an ISA declares: element and component separator, and the segment terminator."""

    element: bytes
    component: bytes
    terminator: bytes
    standard: bool = True
    """Whether the ISA has its fixed 106 characters."""


_Chunk = tuple[Separators | None, list[bytes], bytes, Fault | None]


def is_x12(head: bytes) -> bool:
    """Whether a file that begins so is X12, with or without the ISA that it needs."""
    start = head.removeprefix(BOM).lstrip(SPACE)
    return start[:3] == b"ISA" or _headless(start)


def _headless(start: bytes) -> bool:
    """Whether text begins with GS or ST as X12 writes them: ``GS*HC*``, ``ST*837*``."""
    first, mark = start[3:5] if start[:2] == b"GS" else start[3:6], start[2:3]
    known = first.isalpha() if start[:2] == b"GS" else start[:2] == b"ST" and first.isdigit()
    after = start[3 + len(first) :]
    return known and bool(mark.strip()) and not mark.isalnum() and after.startswith(mark)


def _separators(head: bytes) -> tuple[Separators, int] | None:
    """What an ISA declares, and its length with the terminator; None: it cannot be trusted."""
    element = head[3:4]
    standard = all(head[at : at + 1] == element for at in _HEADER)
    last = _HEADER[-1]
    if not standard:
        last = 2
        for _ in range(len(_HEADER)):
            last = head.find(element, last + 1)
            if last < 0:
                return None
    component, terminator = head[last + 1 : last + 2], head[last + 2 : last + 3]
    found = Separators(element, component, terminator, standard)
    if len({element, component, terminator}) != 3 or not terminator:
        return None
    if any(one.isalnum() or one in {b" ", b".", b"-"} for one in (element, component, terminator)):
        return None
    if element.isspace() or component.isspace():
        return None
    after = head[last + 3 :].lstrip(SPACE)[:2]
    if len(after) == 2 and after not in _AFTER_HEADER:
        return None
    return found, last + 3


class _Source:
    """The bytes of a stream, taken a block at a time."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.buffer, self.ended = stream, b"", False

    def more(self) -> bool:
        """Add a block to the buffer; False: the stream has ended."""
        block = b"" if self.ended else self.stream.read(BLOCK)
        self.ended = not block
        self.buffer += block
        return bool(block)

    def skip(self) -> Iterator[bytes]:
        """Take everything before the next ISA, a block at a time."""
        while True:
            at = self.buffer.find(b"ISA")
            if at >= 0:
                yield self.buffer[:at]
                self.buffer = self.buffer[at:]
                return
            cut = max(0, len(self.buffer) - 2)
            yield self.buffer[:cut]
            self.buffer = self.buffer[cut:]
            if not self.more():
                yield self.buffer
                self.buffer = b""
                return


def chunks(stream: IO[bytes]) -> Iterator[_Chunk]:
    """Runs of segments, each with its separators; what cannot be cut begins with a fault.

    The third item are bytes before, after or instead of segments.
    """
    source, start = _Source(stream), b""
    while len(start) < _MOST_HEADER_BYTES and source.more():
        start = source.buffer.removeprefix(BOM).lstrip(SPACE)
    lead = len(source.buffer) - len(start)
    yield None, [], source.buffer[:lead], None
    source.buffer = start
    if start and not start.startswith(b"ISA"):
        yield from _skipped(source, _no_header(start))
    while source.buffer or source.more():
        found = None
        while len(source.buffer) < _MOST_HEADER_BYTES and source.more():
            pass
        if source.buffer.startswith(b"ISA"):
            found = _separators(source.buffer[:_MOST_HEADER_BYTES])
        if found is None:
            yield None, [], source.buffer[:3], _BAD_HEADER
            source.buffer = source.buffer[3:]
            yield from _skipped(source)
            continue
        header, source.buffer = source.buffer[: found[1] - 1], source.buffer[found[1] :]
        yield found[0], [header], b"", None
        yield from _interchange(source, found[0])


def _interchange(source: _Source, marks: Separators) -> Iterator[_Chunk]:
    """The segments up to the next ISA, which stays in the buffer."""
    mark = marks.terminator
    while True:
        pieces = source.buffer.split(mark)
        rest = pieces.pop()
        if b"ISA" in source.buffer:
            for at, piece in enumerate(pieces):
                body = piece.lstrip(SPACE)
                if body.startswith(b"ISA"):
                    white = piece[: len(piece) - len(body)]
                    yield marks, pieces[:at], white, None
                    before = sum(map(len, pieces[:at])) + at + len(white)
                    source.buffer = source.buffer[before:]
                    return
        if pieces:
            yield marks, pieces, b"", None
        body = rest.lstrip(SPACE)
        if body.startswith(b"ISA"):
            yield marks, [], rest[: len(rest) - len(body)], None
            source.buffer = body
            return
        source.buffer = rest
        if len(rest) > MOST_SEGMENT_BYTES:
            yield from _skipped(source, _TOO_LONG)
            return
        if not source.more():
            source.buffer = b""
            if rest:
                yield marks, [], rest, CUT if body else None
            return


def _skipped(source: _Source, fault: Fault | None = None) -> Iterator[_Chunk]:
    for raw in source.skip():
        yield None, [], raw, fault
        fault = None


_BAD_HEADER = Fault("", "an ISA does not show its separators",
                    "write ISA with its 16 elements, a separator after each, and the component "
                    "separator and the terminator at its end")  # fmt: skip
_TOO_LONG = Fault("", "a segment does not end within a mebibyte",
                  "end segments with the terminator that ISA declares")  # fmt: skip


CUT = Fault("", "the input ends in the middle of a segment", "send the whole file")


def _no_header(start: bytes) -> Fault:
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return Fault("", "the file is UTF-16", "save it as ASCII or UTF-8")
    if _headless(start):
        return Fault("", f"the file begins with {start[:2].decode()}, and without an ISA nothing "
                     "says which characters separate", "send it from ISA to IEA")  # fmt: skip
    return Fault("", "the text before the first ISA is not X12", "begin the file with ISA")
