"""HL7 version 2 taken apart: messages of a stream, segments, fields, components, escapes, times.

Segments may end in CR, LF or CRLF and messages may stand in FHS/BHS envelopes or MLLP blocks. Only
one message is held at a time; a field is taken apart when it is asked for. The reader and the
modules beside this one build on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import IO, NamedTuple

from ivpush.errors import Fault, InputError
from ivpush.readers.hl7.envelopes import BORDERS, Envelopes

__all__ = [
    "Message",
    "Raw",
    "Segment",
    "Stamp",
    "messages",
    "parse",
    "stamp",
]

MOST_SEGMENT_BYTES = 4 * 1024 * 1024
MOST_MESSAGE_BYTES = 32 * 1024 * 1024
_CHUNK = 65_536
# MLLP puts 0B before a message and 1C after it; some senders pad with blanks or zeros.
# DOS ends a file with 1A.
_BLOCK = b"\x0b\x1c\x00\x1a \t"
_END = re.compile(rb"\r\n|\r|\n")
_HEADER = b"MSH"
_ENDING = BORDERS | {_HEADER}
"""What ends a message before it."""
# Free text in these may hold line ends of its own.
_TEXT = frozenset({"NTE", "OBX"})
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
# The segments of the messages that are read, in versions 2.1 to 2.9; a sender's own begin with Z.
_NAMES = (
    "MSH|SFT|UAC|EVN|PID|PD1|NK1|ARV|PRT|ROL|PV1|PV2|DB1|AL1|IAM|NTE|ORC|TQ1|TQ2|RXO|RXE|RXR|RXC|"
    "RXA|RXV|RXD|RXG|CDO|OBR|OBX|CTI|FT1|PR1|DRG|GT1|IN1|IN2|IN3|ACC|GP1|GP2|DG1|AUT|BLG|DSC|ADD|"
    "MRG|ODS|ODT|SPM|CTD|ABS|UB1|UB2|PDA|CER|OVR"
)
_KNOWN = frozenset(_NAMES.split("|"))
_LIKE_ONE = re.compile(r"[A-Z][A-Z0-9]{2}[^A-Za-z0-9\s]", re.ASCII)
# The marks that HL7 recommends, after the component separator: repetition, escape, subcomponent.
_USUAL_MARKS = "~\\&"
_USUAL = f"^{_USUAL_MARKS}"
_STAMP = re.compile(
    r"(?P<day>[0-9]{4}(?:[0-9]{2}(?:[0-9]{2})?)?)(?P<clock>(?:[0-9]{2}){0,3})(?:\.[0-9]{1,4})?"
    r"(?P<zone>[+-][0-9]{4})?",
    re.ASCII,
)
# MSH-18 (table 0211) to Python's names; where it is empty, UTF-8 is tried first.
_SETS = {"": None, "ASCII": "ascii", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8"}
_SETS |= {f"8859/{n}": f"iso8859_{n}" for n in (*range(1, 12), 13, 14, 15)}


@dataclass(slots=True)
class Raw:
    """The bytes of one message, or of what is none (``whole`` False), and where it begins."""

    offset: int
    line: int
    pieces: list[bytes] = field(default_factory=list)
    whole: bool = True
    size: int = 0
    by_return: bool = False
    """Whether its segments end in CR, as HL7 asks: then a line feed alone ends none."""

    def add(self, segment: bytes | None, *, goes_on: bool = False) -> None:
        """Keep a further segment; None, or one past the bound, only makes the message too large.

        One that ``goes_on`` is the rest of the segment before it.
        """
        if segment is None or self.size + len(segment) > MOST_MESSAGE_BYTES:
            self.size = MOST_MESSAGE_BYTES + 1
            return
        self.size += len(segment)
        if goes_on and self.pieces:
            self.pieces[-1] += b"\n" + segment
        else:
            self.pieces.append(segment)


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters that part a message, as its MSH names them."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; positions count from 1 as HL7 counts them.

    ::

        code, name = segment.part(5), segment.part(5, 2)     # RXA-5.1, RXA-5.2
        pointers = [segment.of(text) for text in segment.repeats(19)]
    """

    name: str
    fields: list[str]
    marks: Marks

    def raw(self, position: int) -> str:
        """A field as it stands; empty where there is none."""
        return self.fields[position] if position < len(self.fields) else ""

    def repeats(self, position: int) -> list[str]:
        """The repetitions of a field, without empty ones."""
        return [text for text in self.raw(position).split(self.marks.repetition) if text]

    def part(self, position: int, component: int = 1, sub: int = 1) -> str | None:
        """A component of a field's first repetition, its escapes resolved."""
        raw = self.raw(position)
        return self.of(raw.split(self.marks.repetition, 1)[0], component, sub) if raw else None

    def of(self, repetition: str, component: int = 1, sub: int = 1) -> str | None:
        """A component of one repetition; the quotes that HL7 writes for nothing are nothing."""
        parts = repetition.split(self.marks.component)
        if component > len(parts):
            return None
        subs = parts[component - 1].split(self.marks.subcomponent)
        if sub > len(subs):
            return None
        text = _unescaped(subs[sub - 1], self.marks).strip()
        return text if text and text != '""' else None


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its segments in order, and whether its character set was guessed."""

    segments: list[Segment]
    guessed: bool = False
    runs_on: bool = False
    """Whether a note holds a line that looks like a segment of its own."""

    @property
    def kind(self) -> str:
        """The message type, such as RAS."""
        return self.segments[0].part(9) or ""

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((segment for segment in self.segments if segment.name == name), None)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date, and the instant where the minute is known."""

    day: date | None
    at: datetime | None


class _Piece(NamedTuple):
    """A segment as it stands, and where; None for the bytes of one too long to be held."""

    offset: int
    line: int
    raw: bytes | None
    by_feed: bool = False
    """Whether a line feed alone ends it."""


def messages(stream: IO[bytes], line: int = 1, envelopes: Envelopes | None = None) -> Iterator[Raw]:
    """The messages from where the stream stands, one at a time; what is none comes as it is.

    ``line`` is the number of the line where the stream stands; ``envelopes`` hears of each message
    and of what stands around it.
    """
    envelopes = envelopes or Envelopes()
    held: Raw | None = None
    fed = False
    for piece in _pieces(stream, line):
        segment = piece.raw.strip(_BLOCK) if piece.raw is not None else None
        if segment == b"":
            continue
        head = segment[:3] if segment is not None else b""
        if held is not None and head in _ENDING:
            yield held
            held = None
        if segment is not None and head in BORDERS:
            envelopes.border(segment, piece.line)
            continue
        if held is None:
            whole = head == _HEADER
            if whole:
                envelopes.message()
            held = Raw(piece.offset, piece.line, whole=whole, by_return=not piece.by_feed)
            fed = False
        held.add(segment, goes_on=fed and held.by_return)
        fed = piece.by_feed
    if held is not None:
        yield held


def _pieces(stream: IO[bytes], line: int) -> Iterator[_Piece]:
    """Segments with their offset and line."""
    at, rest, skipping = stream.tell(), b"", False
    more = True
    while more:
        chunk = stream.read(_CHUNK)
        more = bool(chunk)
        buffer, start = rest + chunk, 0
        for end in _ends(buffer, more):
            piece = buffer[start : end.start()]
            if line == 1:
                piece = piece.removeprefix(b"\xef\xbb\xbf")
            by_feed = end[0] == b"\n"
            yield _Piece(at + start, line, None if skipping else piece, by_feed)
            start, line, skipping = end.end(), line + 1, False
        rest, at = buffer[start:], at + start
        # Dropped as it comes, up to its line end: a hostile line may be as long as it likes.
        if len(rest) > MOST_SEGMENT_BYTES:
            at, rest, skipping = at + len(rest), b"", True
    if rest or skipping:
        yield _Piece(at, line, None if skipping else rest)


def _ends(buffer: bytes, more: bool) -> Iterator[re.Match[bytes]]:
    """The line ends of a buffer; not a last CR whose LF may come with the next chunk."""
    for end in _END.finditer(buffer):
        if more and end.end() == len(buffer) and end[0] == b"\r":
            return
        yield end


def parse(raw: Raw) -> Message:
    """The segments of a message; raises InputError where it cannot be taken apart."""
    if not raw.whole:
        raise InputError(Fault("", "is no HL7 message", "begin it with an MSH segment"))
    if raw.size > MOST_MESSAGE_BYTES:
        raise InputError(Fault("", "the message is too large", "split it"))
    head = raw.pieces[0].decode("latin-1")
    marks = _marks(head)
    # MSH-1 is the separator itself, so that MSH-18 is the field at index 17.
    fields = head.split(marks.field)
    stated = fields[17].split(marks.repetition)[0].strip().upper() if len(fields) > 17 else ""
    texts, guessed = _decoded(raw.pieces, stated)
    return Message(_segments(texts, marks), guessed, any(map(_runs_on, texts)))


def _runs_on(text: str) -> bool:
    """Whether a segment holds a further line that looks like a segment of its own."""
    return any(_LIKE_ONE.match(line) for line in text.split("\n")[1:])


def _segments(texts: list[str], marks: Marks) -> list[Segment]:
    """The segments of decoded lines; raises InputError for a line that is none."""
    segments: list[Segment] = []
    for text in texts:
        fields = text.split(marks.field)
        name = fields[0]
        if _NAME.fullmatch(name) is None:
            # A note may run over several lines; its words are not read in any case.
            if segments and segments[-1].name in _TEXT:
                continue
            problem = "holds a line that is no segment"
            raise InputError(Fault("", problem, "begin each segment with its three letters"))
        _refuse_odd(name, text)
        if name == "MSH":
            # HL7 counts the separator itself as MSH-1.
            fields.insert(1, marks.field)
        segments.append(Segment(name, fields, marks))
    return segments


def _refuse_odd(name: str, text: str) -> None:
    """Raise InputError for a segment of which nobody can tell what it was to say."""
    if name not in _KNOWN and not name.startswith("Z"):
        problem = "holds a segment that HL7 does not have in such a message"
        raise InputError(Fault("", problem, "mend its three letters; a sender's own begin with Z"))
    if "\n" in text and name not in _TEXT:
        problem = "holds a line feed in a segment that is no note, while others end in CR"
        raise InputError(Fault(name, problem, "end each segment with CR"))


def _marks(head: str) -> Marks:
    """The characters that an MSH names; raises InputError where they part nothing."""
    fault = Fault("MSH-2", "does not name the encoding characters", "write them as HL7 does")
    if len(head) < 5:
        raise InputError(fault)
    stated = head[4:].split(head[3], 1)[0]
    # A sender may name fewer than four: the usual ones stand for the rest.
    others = stated[1:4]
    every = head[3] + stated[:1] + others + _USUAL_MARKS[len(others) :]
    # The usual ones in another order are a slip: all fields would be cut at the wrong places.
    if set(every[1:]) == set(_USUAL) and every[1:] != _USUAL:
        raise InputError(fault)
    plain = all(mark.isascii() and mark.isprintable() and not mark.isalnum() for mark in every)
    if len(set(every)) != 5 or not plain:
        raise InputError(fault)
    return Marks(*every)


def _decoded(pieces: list[bytes], stated: str) -> tuple[list[str], bool]:
    """The texts of a message, and whether their character set was guessed; raises InputError."""
    if stated not in _SETS:
        problem = "names a character set that is not read here"
        remedy = "write UNICODE UTF-8, 8859/1 to 8859/15, or ASCII"
        raise InputError(Fault("MSH-18", problem, remedy))
    name = _SETS[stated]
    try:
        return [piece.decode(name or "utf-8") for piece in pieces], False
    except UnicodeDecodeError:
        if name is not None:
            problem = "is not the character set of the message"
            remedy = "name the one in which it is written"
            raise InputError(Fault("MSH-18", problem, remedy)) from None
    return [piece.decode("latin-1") for piece in pieces], True


def _unescaped(text: str, marks: Marks) -> str:
    """A text with its escapes resolved; an escape that is not known says nothing."""
    if marks.escape not in text:
        return text
    meanings = {
        "F": marks.field,
        "S": marks.component,
        "R": marks.repetition,
        "E": marks.escape,
        "T": marks.subcomponent,
        ".br": " ",
        ".sp": " ",
    }
    parts = text.split(marks.escape)
    # Every second part stands between two escape characters; a last one without its mate is text.
    for at in range(1, len(parts) - 1, 2):
        escape = parts[at]
        parts[at] = _hexadecimal(escape[1:]) if escape[:1] == "X" else meanings.get(escape, "")
    return "".join(parts)


def _hexadecimal(digits: str) -> str:
    try:
        return bytes.fromhex(digits).decode("latin-1")
    except ValueError:
        return ""


def stamp(written: str | None, zone: str | None = None) -> Stamp | None:
    """A time as HL7 writes it; ``zone`` is an offset from elsewhere. None: it is no time.

    A time without minutes, or a date without a day, is as unknown as it was written.
    """
    if written is None:
        return Stamp(None, None)
    parts = _STAMP.fullmatch(written)
    if parts is None:
        return None
    day, clock = parts["day"], parts["clock"]
    if len(day) < 8:
        return None if clock else Stamp(None, None)
    try:
        begun = datetime(int(day[:4]), int(day[4:6]), int(day[6:8]))
        if len(clock) < 4:
            return Stamp(begun.date(), None)
        at = _timed(begun, clock, parts["zone"] or zone)
    except ValueError:
        return None
    return Stamp(at.date(), at)


def _timed(day: datetime, clock: str, zone: str | None) -> datetime:
    """A day at the time HHMM[SS], with the offset +ZZZZ where there is one; raises ValueError."""
    at = day.replace(hour=int(clock[:2]), minute=int(clock[2:4]), second=int(clock[4:6] or 0))
    if zone is None:
        return at
    away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
    return at.replace(tzinfo=timezone(-away if zone[0] == "-" else away))
