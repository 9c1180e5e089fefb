"""Encounters from HL7 version 2: RAS (administrations), RDE (orders), DFT and FT1 (charges).

A stream may hold many messages of many visits, with or without envelopes. Messages of one visit
(PV1-19, else the account in PID-18) make one encounter, in the order of the stream; the stream is
read twice, first for an index of numbers, then a visit at a time. A message that names no visit is
one only where nothing else is in the stream.

HL7 does not say which claim is meant: the setting is ``options.setting``, or the visit is set
aside. Times without an offset take that of MSH-7, else ``options.timezone``.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import IO, Any

from ivpush.errors import Fault, InputError
from ivpush.plural import counted
from ivpush.readers import Note, Reading, ReadOptions, SetAside
from ivpush.readers.builder import Case, finished, text_form
from ivpush.readers.hl7.charges import Charges
from ivpush.readers.hl7.chart import Chart
from ivpush.readers.hl7.envelopes import Envelopes
from ivpush.readers.hl7.fields import day_and_time
from ivpush.readers.hl7.segments import Message, Raw, messages, parse
from ivpush.readers.spool import Index, rewindable

__all__ = [
    "read",
    "sniff",
]

_READ = frozenset({"RAS", "RDE", "RDS", "DFT"})
_TELLING = frozenset({"RXA", "RXR", "RXC", "RXE", "ORC", "FT1", "PV1"})
_HEAD = re.compile(rb"(MSH|FHS|BHS)[^A-Za-z0-9\s]")
_ZONE = re.compile(r"[+-][0-9]{4}\Z", re.ASCII)


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is HL7 version 2."""
    return _HEAD.match(head.lstrip(b"\xef\xbb\xbf\x0b \t\r\n")) is not None


def read(name: str, stream: IO[bytes], options: ReadOptions | None = None) -> Iterator[Reading]:
    """The encounters of one stream; ``name`` begins every place.

    ::

        options = ReadOptions(setting="facility", timezone="America/Chicago")
        with open("charts.hl7", "rb") as stream:
            readings = list(read("charts.hl7", stream, options))
    """
    options = options or ReadOptions()
    with rewindable(stream) as file:
        start = file.tell()
        stored = _Stored(name, file)
        yield from stored.scan()
        for visit, numbers in stored.visits.groups():
            fault = stored.held_by(visit)
            if fault is not None:
                error = InputError(fault)
                named = visit.partition("\n")[0]
                yield SetAside(stored.place(numbers[0]), error, encounter=named)
            else:
                yield from _encounter(visit, numbers, stored, options)
        # Two messages without a visit may be of two patients: neither is guessed at.
        for number in stored.unnamed:
            if len(stored) > 1:
                fault = Fault("PV1-19", "names no visit, nor does PID-18", "write the visit number")
                yield SetAside(stored.place(number), InputError(fault))
            else:
                yield from _encounter("", [number], stored, options)
        for line, message in stored.envelopes.notes:
            yield Note(f"{name}:{line}", message)
        if stored.empty:
            yield Note(name, "there is no message in it")
        if stored.others:
            others = counted(stored.others, "message")
            message = f"nothing is read from {others} of other types"
            yield Note(name, message)
        file.seek(start)


class _Loose:
    """A segment of a message that cannot be read, taken apart by the usual marks."""

    def __init__(self, piece: bytes) -> None:
        text = piece.decode("latin-1")
        self.name, mark = text[:3], text[3:4]
        self._fields = text.split(mark) if mark else [text]
        self.is_known = self.name == "MSH" and mark != ""

    @property
    def tells(self) -> bool:
        """Whether such a segment may tell what was given or charged."""
        return self.name in _TELLING

    @property
    def visit(self) -> str | None:
        """The visit that it names, as ``_visit`` writes it."""
        if self.name == "PV1" and (number := self.field(19)):
            parts = number.split("^")
            return f"{parts[0]}\n{parts[3] if len(parts) > 3 else ''}"
        if self.name == "PID" and (account := self.field(18)):
            return f"{account.split('^')[0]}\naccount"
        return None

    def field(self, position: int) -> str:
        """A field as it stands; empty where there is none."""
        return self._fields[position].strip() if position < len(self._fields) else ""


class _Stored:
    """The messages of a stream by number: where each begins, and which visit it is of."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.visits = Index()
        self.unnamed: list[int] = []
        """Messages that name no visit."""
        self.others = 0
        """How many messages are of types that are not read."""
        self.empty = True
        self.envelopes = Envelopes()
        self._held: dict[str, str] = {}
        """Visits of messages that cannot be read, with the place of the first of these."""
        self._cut: str | None = None
        """Where a message stands that cannot be read, and may be of any visit."""
        self._name, self._file = name, file
        # Two numbers a message: a file of a million messages costs 16 megabytes.
        self._offsets, self._lines = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._offsets)

    def scan(self) -> Iterator[SetAside]:
        """Number the messages of the types that are read; what is no message is set aside."""
        for raw in messages(self._file, envelopes=self.envelopes):
            self.empty = False
            try:
                message = parse(raw)
            except InputError as error:
                place = f"{self._name}:{raw.line}"
                self._hold(place, raw)
                yield SetAside(place, error, b"\r".join(raw.pieces) or None)
                continue
            if message.kind not in _READ:
                self.others += 1
                continue
            visit = _visit(message)
            if visit is None:
                self.unnamed.append(len(self))
            else:
                self.visits.add(visit, len(self))
            self._offsets.append(raw.offset)
            self._lines.append(raw.line)
        self.envelopes.end()

    def _hold(self, place: str, raw: Raw) -> None:
        """Hold back the visits of a message that cannot be read: what it says is not known."""
        segments = [_Loose(piece) for piece in raw.pieces]
        kind = segments[0].field(8)[:3] if raw.whole and segments else ""
        if kind.isalpha() and len(kind) == 3 and kind not in _READ and segments[0].is_known:
            return
        visits = {visit for segment in segments if (visit := segment.visit) is not None}
        for visit in visits:
            self._held.setdefault(visit, place)
        # A header alone gives nothing, and neither does text without a segment in it.
        tells = len(segments) > 1 if raw.whole else any(segment.tells for segment in segments)
        if not visits and tells and self._cut is None:
            self._cut = place

    def held_by(self, visit: str) -> Fault | None:
        """Why a visit cannot be judged: a message that may be of it was not read."""
        where = self._held.get(visit, self._cut)
        if where is None:
            return None
        problem = f"lacks a message that cannot be read ({where}), and may be of this visit"
        return Fault("the visit", problem, "mend that message, or take it out")

    def place(self, number: int) -> str:
        """``file:line`` of the message's MSH."""
        return f"{self._name}:{self._lines[number]}"

    def message(self, number: int) -> Message:
        """The message with this number, read again."""
        self._file.seek(self._offsets[number])
        return parse(next(messages(self._file, self._lines[number])))


def _visit(message: Message) -> str | None:
    """The number of a message's visit, with who gave it after a line end; None: it names none."""
    visit, patient = message.first("PV1"), message.first("PID")
    if visit is not None and (number := visit.part(19)) is not None:
        return f"{number}\n{visit.part(19, 4) or ''}"
    if patient is not None and (account := patient.part(18)) is not None:
        return f"{account}\naccount"
    return None


def _encounter(
    visit: str, numbers: list[int], stored: _Stored, options: ReadOptions
) -> Iterator[Reading]:
    """What the messages of one visit read as."""
    encounter = _Encounter(visit.partition("\n")[0], options)
    for number in numbers:
        encounter.take(stored.message(number))
    yield from finished(stored.place(numbers[0]), encounter.record(), encounter.case)


class _Encounter:
    """One visit while its messages are read."""

    def __init__(self, visit: str, options: ReadOptions) -> None:
        self.case = Case(options)
        self._visit, self._options = visit, options
        self._chart, self._charges = Chart(self.case), Charges(self.case)
        self._times: dict[str, Any] = {}
        self._patients: set[str] = set()
        self._taken: set[int] = set()
        """Hashes of the messages that have a number of their own (MSH-10)."""
        self._control = ""
        """MSH-10 of the first message that has one: it names a visit without a number."""

    def take(self, message: Message) -> None:
        """A further message of the visit."""
        head, patient = message.segments[0], message.first("PID")
        if head.part(10) is not None and self._is_again(message):
            self.case.note("a message was sent twice, and is read once")
            return
        self._control = self._control or head.part(10) or ""
        if message.guessed:
            self.case.note(
                "a message names no character set and is not UTF-8; it is read as 8859/1"
            )
        if message.runs_on:
            self.case.note("a note holds a line that looks like a segment; it is read as a note")
        if patient is not None and (identifier := patient.part(3)) is not None:
            self._patients.add(identifier)
        zone = _ZONE.search(head.part(7) or "")
        offset = zone[0] if zone is not None else None
        self._take_times(message, offset)
        self._chart.take(message, offset)
        self._charges.take(message, offset)

    def _is_again(self, message: Message) -> bool:
        """Whether the very same message came before."""
        content = hash(tuple(tuple(segment.fields) for segment in message.segments))
        again = content in self._taken
        self._taken.add(content)
        return again

    def _take_times(self, message: Message, zone: str | None) -> None:
        """PV1-44 and PV1-45, admission and discharge; the last message that states them decides."""
        visit = message.first("PV1")
        if visit is None:
            return
        for position, name in ((44, "start"), (45, "end")):
            day, at = day_and_time(visit, position, self.case, zone)
            if at is not None:
                self._times[name] = at
            elif day is not None and name == "start":
                self._times["date"] = day

    def record(self) -> dict[str, Any]:
        """The fields of the encounter, once all messages are taken."""
        case, options = self.case, self._options
        if len(self._patients) > 1:
            remedy = "give each visit its number"
            case.fault("PID-3", "differs between messages of one visit", remedy)
        if options.setting is None:
            problem = "is not stated, for HL7 does not say which claim is meant"
            case.fault("setting", problem, "give the setting: facility or professional")
        return {
            "id": text_form(self._visit or self._control, 200) or "message",
            "timezone": options.timezone,
            "payer": options.payer,
            "setting": options.setting,
            **self._times,
            **self._charted(),
            **self._charged(),
        }

    def _charted(self) -> dict[str, Any]:
        """The administrations; nothing where no message told of any."""
        if not self._chart.charted:
            return {}
        administrations, first_day = self._chart.administrations()
        return {"administrations": administrations, "first_day": first_day}

    def _charged(self) -> dict[str, Any]:
        """The lines and diagnoses; nothing where nothing was charged."""
        charges, case = self._charges, self.case
        if not charges.seen:
            return {}
        if not charges.coded and not case.faults:
            problem = "holds no CPT or HCPCS code in any charge"
            case.fault("FT1-25", problem, "write the procedure code")
        # Charges are no claim yet: where they name no diagnosis, other messages may.
        return {"lines": charges.lines(), "diagnoses": charges.diagnoses or None}
