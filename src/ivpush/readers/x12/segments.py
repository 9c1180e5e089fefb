"""X12 cut into segments: separators come from each ISA; no more than a block is in memory.

``walk`` takes the pieces from here; ``sniff`` asks only how a file begins. White space between
segments is kept, so that a claim file can be given back byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

from ivpush.errors import Fault, UsageError

__all__ = [
    "CUT",
    "SPACE",
    "Loose",
    "Run",
    "Separators",
    "chunks",
    "is_x12",
    "stated",
]

BOM = b"\xef\xbb\xbf"
BLOCK = 64 * 1024
MOST_SEGMENT_BYTES = 1024 * 1024
SPACE = b" \t\r\n"
# What DOS and some transfers write behind the last segment: an end-of-file mark, or zeros.
_PADDING = SPACE + b"\x1a\x00"

# An ISA has fixed widths: here stand the separators before its 16 elements. The component
# separator is the last element, and the terminator follows it.
_ELEMENT_MARKS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
# Enough for an ISA whose senders wrote elements wider than the 106 characters allow.
_MOST_HEADER_BYTES = 400
_AFTER_HEADER = (b"GS", b"TA", b"IS", b"IE")
# A mark between letters can be no separator; these two stand in amounts, names and dates as well.
_NEVER_MARKS = frozenset({b" ", b".", b"-"})
_HEADLESS = re.compile(rb"GS([^\sA-Za-z0-9])[A-Za-z]{2}\1|ST([^\sA-Za-z0-9])[0-9]{3}\2")

CUT = Fault("", "the input ends in the middle of a segment", "send the whole file")
_BAD_HEADER = Fault(
    "",
    "an ISA does not show its separators",
    "write ISA with its 16 elements, a separator after each, and the component separator and the "
    "terminator at its end",
)
_TOO_LONG = Fault(
    "",
    "a segment does not end within a mebibyte",
    "end segments with the terminator that ISA declares",
)


@dataclass(frozen=True, slots=True)
class Separators:
    """What an ISA declares: element and component separator, and the segment terminator."""

    element: bytes
    component: bytes
    terminator: bytes
    standard: bool = True
    """Whether the ISA has its fixed 106 characters."""


class Run(NamedTuple):
    """Whole segments of one interchange that follow one another, without their terminators."""

    separators: Separators
    pieces: list[bytes]


class Loose(NamedTuple):
    """Bytes that are no whole segment; a fault says why, where they are not mere white space."""

    raw: bytes
    fault: Fault | None = None


class _Header(NamedTuple):
    """What an ISA declares, and its length with the terminator."""

    separators: Separators
    size: int


def is_x12(head: bytes) -> bool:
    """Whether a file that begins so is X12, with or without the ISA that it needs.

    ``GS*HC*`` and ``ST*837*`` count as X12: their true fault is the ISA that they lack.
    """
    start = head.removeprefix(BOM).lstrip(SPACE)
    return start[:3] == b"ISA" or _HEADLESS.match(start) is not None


def _header(head: bytes) -> _Header | None:
    """What an ISA declares; None where it cannot be trusted."""
    element = head[3:4]
    # Asked first: where letters follow, a long text of them would be gone through again and again.
    if element.isalnum():
        return None
    standard = all(head[at : at + 1] == element for at in _ELEMENT_MARKS)
    last = _ELEMENT_MARKS[-1] if standard else _last_element_mark(head, element)
    component, terminator = head[last + 1 : last + 2], head[last + 2 : last + 3]
    if last < 0 or not _separate(element, component, terminator):
        return None
    following = head[last + 3 :].lstrip(SPACE)[:2]
    if len(following) == 2 and following not in _AFTER_HEADER:
        return None
    return _Header(Separators(element, component, terminator, standard), last + 3)


def _last_element_mark(head: bytes, element: bytes) -> int:
    """Position of the 16th element separator, wherever it stands; -1: there are fewer."""
    at = 2
    for _ in _ELEMENT_MARKS:
        at = head.find(element, at + 1)
        if at < 0:
            break
    return at


def _separate(element: bytes, component: bytes, terminator: bytes) -> bool:
    """Whether three characters can part a file: all there, different, and none part of a text."""
    marks = {element, component, terminator}
    if len(marks) != 3 or not terminator:
        return False
    if any(mark.isalnum() or mark in _NEVER_MARKS for mark in marks):
        return False
    # Only a terminator may be white space: some files end each segment with a line end.
    return not element.isspace() and not component.isspace()


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

    def take(self, size: int) -> bytes:
        """The first bytes of the buffer, which leave it."""
        if not size:
            return b""
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def lead(self) -> Iterator[bytes]:
        """Take the byte order mark and the white space before the first segment, block by block."""
        self.fill()
        yield self.take(len(self.buffer) - len(self.buffer.removeprefix(BOM)))
        while self.buffer or self.more():
            body = self.buffer.lstrip(SPACE)
            yield self.take(len(self.buffer) - len(body))
            if body:
                break
        self.fill()

    def fill(self) -> None:
        """Have as many bytes in the buffer as an ISA may take, if there are so many."""
        while len(self.buffer) < _MOST_HEADER_BYTES and self.more():
            pass

    def header(self) -> _Header | None:
        """What the ISA at the beginning of the buffer declares; None: there is no sound one."""
        self.fill()
        if not self.buffer.startswith(b"ISA"):
            return None
        return _header(self.buffer[:_MOST_HEADER_BYTES])

    def skip(self) -> Iterator[bytes]:
        """Take everything before the next ISA, a block at a time."""
        while True:
            at = self.buffer.find(b"ISA")
            if at >= 0:
                yield self.take(at)
                return
            # The last two bytes may be the beginning of ISA.
            yield self.take(max(0, len(self.buffer) - 2))
            if not self.more():
                yield self.take(len(self.buffer))
                return


def stated(text: str | None) -> Separators | None:
    """The separators that a caller states for a file without an ISA; raises UsageError."""
    if text is None:
        return None
    marks = [sign.encode("latin-1", "replace") for sign in text]
    if len(marks) != 3 or not _separate(*marks):
        remedy = "write element and component separator and segment terminator, such as *:~"
        raise UsageError(Fault("separators", "are not three different signs", remedy))
    element, component, terminator = marks
    return Separators(element, component, terminator)


def chunks(stream: IO[bytes], assumed: Separators | None = None) -> Iterator[Run | Loose]:
    """Every byte of a stream, in order: runs of segments, and what lies before and between them.

    A run holds what one block of the stream holds of an interchange; its first segment is the ISA
    where the separators are new. ``assumed`` are those of a file that begins without an ISA.
    """
    source = _Source(stream)
    for space in source.lead():
        yield Loose(space)
    if assumed is not None and _HEADLESS.match(source.buffer):
        yield from _interchange(source, assumed)
    elif source.buffer and not source.buffer.startswith(b"ISA"):
        yield from _skipped(source, _no_header(source.buffer))
    while source.buffer or source.more():
        header = source.header()
        if header is None:
            # Past the three letters, so that the same ISA is not met again.
            yield Loose(source.take(3), _BAD_HEADER)
            yield from _skipped(source)
            continue
        isa = source.take(header.size)
        yield Run(header.separators, [isa[:-1]])
        yield from _interchange(source, header.separators)


def _interchange(source: _Source, separators: Separators) -> Iterator[Run | Loose]:
    """The segments up to the next ISA, which stays in the buffer."""
    while True:
        pieces, rest = _cut(source.buffer, separators.terminator)
        if pieces:
            yield Run(separators, pieces)
        source.buffer = rest
        body = rest.lstrip(SPACE)
        if body.startswith(b"ISA"):
            yield Loose(source.take(len(rest) - len(body)))
            return
        if len(rest) > MOST_SEGMENT_BYTES:
            yield from _skipped(source, _TOO_LONG)
            return
        if not source.more():
            source.buffer = b""
            if rest:
                yield Loose(rest, CUT if rest.strip(_PADDING) else None)
            return


def _cut(buffer: bytes, terminator: bytes) -> tuple[list[bytes], bytes]:
    """The whole segments before the next ISA, and the bytes from there on."""
    pieces = buffer.split(terminator)
    rest = pieces.pop()
    # The letters are seldom there, so that pieces are looked at one by one only where they are.
    if b"ISA" in buffer:
        for at, piece in enumerate(pieces):
            if piece.lstrip(SPACE).startswith(b"ISA"):
                before = pieces[:at]
                return before, buffer[sum(map(len, before)) + at :]
    return pieces, rest


def _skipped(source: _Source, fault: Fault | None = None) -> Iterator[Loose]:
    """The bytes before the next ISA; the first of them carry the fault."""
    for raw in source.skip():
        yield Loose(raw, fault)
        fault = None


def _no_header(start: bytes) -> Fault:
    """Why a file that does not begin with ISA is not read."""
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return Fault("", "the file is UTF-16", "save it as ASCII or UTF-8")
    if _HEADLESS.match(start):
        problem = (
            f"the file begins with {start[:2].decode()}, and without an ISA nothing says which "
            "characters separate"
        )
        return Fault("", problem, "send it from ISA to IEA, or state its separators")
    return Fault("", "the text before the first ISA is not X12", "begin the file with ISA")
