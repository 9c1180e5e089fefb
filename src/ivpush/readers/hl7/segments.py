"""HL7 version 2 taken apart: messages of a stream, segments, fields, components, escapes, times.

Segments may end in CR, LF or CRLF and messages may stand in FHS/BHS envelopes or MLLP blocks. Only
one message is held at a time; a field is taken apart when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import IO

from ivpush.errors import Fault, InputError

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
_BLOCK = b"\x0b\x1c\x00 \t"
_END = re.compile(rb"\r\n|\r|\n")
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")
_TEXT = ("NTE", "OBX")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_STAMP = re.compile(
    r"(?P<day>[0-9]{4}(?:[0-9]{2}(?:[0-9]{2})?)?)(?P<clock>(?:[0-9]{2}){0,3})(?:\.[0-9]{1,4})?"
    r"(?P<zone>[+-][0-9]{4})?",
    re.ASCII,
)
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
    """One segment; positions count from 1 as HL7 counts them."""

    name: str
    fields: list[str]
    marks: Marks

    def raw(self, position: int) -> str:
        """A field as it stands; empty where there is none."""
        return self.fields[position] if position < len(self.fields) else ""

    def repeats(self, position: int) -> list[str]:
        """The repetitions of a field, without empty ones."""
        return [one for one in self.raw(position).split(self.marks.repetition) if one]

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

    @property
    def kind(self) -> str:
        """The message type, such as RAS."""
        return self.segments[0].part(9) or ""

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((one for one in self.segments if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date, and the instant where the minute is known."""

    day: date | None
    at: datetime | None


def messages(stream: IO[bytes], line: int = 1) -> Iterator[Raw]:
    """The messages from where the stream stands, one at a time; what is none comes as it is."""
    held: Raw | None = None
    for offset, number, piece in _pieces(stream, line):
        bare = piece.strip(_BLOCK) if piece is not None else None
        if bare == b"":
            continue
        if bare is not None and bare[:3] in _ENVELOPE:
            if held is not None:
                yield held
            held = None
            continue
        if held is None or (bare is not None and bare.startswith(b"MSH")):
            if held is not None:
                yield held
            held = Raw(offset, number, whole=bare is not None and bare.startswith(b"MSH"))
        if bare is None or held.size + len(bare) > MOST_MESSAGE_BYTES:
            held.size = MOST_MESSAGE_BYTES + 1
            continue
        held.size += len(bare)
        if held.whole:
            held.pieces.append(bare)
    if held is not None:
        yield held


def _pieces(stream: IO[bytes], line: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Segments with their offset and line; None for one that is too long to be held."""
    at, rest, skipping = stream.tell(), b"", False
    more = True
    while more:
        chunk = stream.read(_CHUNK)
        more = bool(chunk)
        buffer, start = rest + chunk, 0
        for end in _END.finditer(buffer):
            if more and end.end() == len(buffer) and end[0] == b"\r":
                break  # its LF may come with the next chunk
            piece = buffer[start : end.start()]
            if start == 0 and line == 1:
                piece = piece.removeprefix(b"\xef\xbb\xbf")
            yield at + start, line, None if skipping else piece
            start, line, skipping = end.end(), line + 1, False
        rest, at = buffer[start:], at + start
        if len(rest) > MOST_SEGMENT_BYTES:
            at, rest, skipping = at + len(rest), b"", True
    if rest or skipping:
        yield at, line, None if skipping else rest


def parse(raw: Raw) -> Message:
    """The segments of a message; raises InputError where it cannot be taken apart."""
    if not raw.whole:
        raise InputError(Fault("", "is no HL7 message", "begin it with an MSH segment"))
    if raw.size > MOST_MESSAGE_BYTES:
        raise InputError(Fault("", "the message is too large", "split it"))
    marks = _marks(raw.pieces[0].decode("latin-1"))
    head = raw.pieces[0].decode("latin-1").split(marks.field)
    stated = head[17].split(marks.repetition)[0].strip().upper() if len(head) > 17 else ""
    texts, guessed = _decoded(raw.pieces, stated)
    segments: list[Segment] = []
    for text in texts:
        fields = text.split(marks.field)
        if _NAME.fullmatch(fields[0]) is None:
            if segments and segments[-1].name in _TEXT:
                continue  # a note that runs over several lines
            raise InputError(Fault("", "holds a line that is no segment",
                                   "begin each segment with its three letters"))  # fmt: skip
        if fields[0] == "MSH":
            fields.insert(1, marks.field)
        segments.append(Segment(fields[0], fields, marks))
    return Message(segments, guessed)


def _marks(head: str) -> Marks:
    fault = Fault("MSH-2", "does not name the encoding characters", "write them as HL7 does")
    if len(head) < 5:
        raise InputError(fault)
    parts = head[4:].split(head[3], 1)[0]
    marks = parts[:1] + (parts[1:4] + "~\\&"[len(parts[1:4]) :])
    every = head[3] + marks
    plain = all(one.isascii() and one.isprintable() and not one.isalnum() for one in every)
    if len(set(every)) != 5 or not plain:
        raise InputError(fault)
    return Marks(head[3], *marks)


def _decoded(pieces: list[bytes], stated: str) -> tuple[list[str], bool]:
    if stated not in _SETS:
        raise InputError(Fault("MSH-18", "names a character set that is not read here",
                               "write UNICODE UTF-8, 8859/1 to 8859/15, or ASCII"))  # fmt: skip
    name = _SETS[stated]
    try:
        return [one.decode(name or "utf-8") for one in pieces], False
    except UnicodeDecodeError:
        if name is not None:
            raise InputError(Fault("MSH-18", "is not the character set of the message",
                                   "name the one in which it is written")) from None  # fmt: skip
    return [one.decode("latin-1") for one in pieces], True


def _unescaped(text: str, marks: Marks) -> str:
    if marks.escape not in text:
        return text
    plain = {"F": marks.field, "S": marks.component, "R": marks.repetition, "E": marks.escape,
             "T": marks.subcomponent, ".br": " ", ".sp": " "}  # fmt: skip
    out, parts = [], text.split(marks.escape)
    for number, part in enumerate(parts):
        if number % 2 == 0 or number == len(parts) - 1:
            out.append(part)
        elif part in plain:
            out.append(plain[part])
        elif part[:1] == "X":
            try:
                out.append(bytes.fromhex(part[1:]).decode("latin-1"))
            except ValueError:
                out.append("")
    return "".join(out)


def stamp(written: str | None, zone: str | None = None) -> Stamp | None:
    """A time as HL7 writes it; ``zone`` is an offset from elsewhere. None: it is no time.

    A time without minutes, or a date without a day, is as unknown as it was written.
    """
    if written is None:
        return Stamp(None, None)
    found = _STAMP.fullmatch(written)
    if found is None:
        return None
    day, clock, own = found["day"], found["clock"], found["zone"] or zone
    try:
        if len(day) < 8:
            return None if clock else Stamp(None, None)
        begun = datetime(int(day[:4]), int(day[4:6]), int(day[6:8]))
        if len(clock) < 4:
            return Stamp(begun.date(), None)
        seconds = int(clock[4:6] or 0)
        at = begun.replace(hour=int(clock[:2]), minute=int(clock[2:4]), second=seconds)
        if own is not None:
            away = timedelta(hours=int(own[1:3]), minutes=int(own[3:5]))
            at = at.replace(tzinfo=timezone(-away if own[0] == "-" else away))
    except ValueError:
        return None
    return Stamp(at.date(), at)
