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
from ivpush.readers import Note, Reading, ReadOptions, SetAside
from ivpush.readers.builder import Case, finished, text_form
from ivpush.readers.hl7.charges import Charges
from ivpush.readers.hl7.chart import Chart, day_and_time
from ivpush.readers.hl7.segments import Message, messages, parse
from ivpush.readers.spool import Index, rewindable

__all__ = [
    "read",
    "sniff",
]

_READ = frozenset({"RAS", "RDE", "RDS", "DFT"})
_HEAD = re.compile(rb"(MSH|FHS|BHS)[^A-Za-z0-9\s]")
_ZONE = re.compile(r"[+-][0-9]{4}\Z", re.ASCII)


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is HL7 version 2."""
    return _HEAD.match(head.lstrip(b"\xef\xbb\xbf\x0b \t\r\n")) is not None


def read(name: str, stream: IO[bytes], options: ReadOptions | None = None) -> Iterator[Reading]:
    """The encounters of one stream; ``name`` begins every place."""
    options = options or ReadOptions()
    with rewindable(stream) as file:
        base = file.tell()
        index, offsets, lines = Index(), array("q"), array("q")
        unnamed: list[int] = []
        others, seen = 0, False
        for raw in messages(file):
            place, seen = f"{name}:{raw.line}", True
            try:
                message = parse(raw)
            except InputError as error:
                yield SetAside(place, error, b"\r".join(raw.pieces) or None)
                continue
            if message.kind not in _READ:
                others += 1
                continue
            number = len(offsets)
            offsets.append(raw.offset)
            lines.append(raw.line)
            visit = _visit(message)
            if visit is None:
                unnamed.append(number)
            else:
                index.add(visit, number)
        fetch = _Fetch(name, file, offsets, lines)
        for key, numbers in index.groups():
            yield from _encounter(key, numbers, fetch, options)
        for number in unnamed:
            if len(offsets) > 1:
                fault = Fault("PV1-19", "names no visit, nor does PID-18", "write the visit number")
                yield SetAside(fetch.place(number), InputError(fault))
            else:
                yield from _encounter("", [number], fetch, options)
        if not seen:
            yield Note(name, "there is no message in it")
        if others:
            yield Note(name, f"{others} message(s) of other types hold nothing that is read")
        file.seek(base)


class _Fetch:
    """Messages of a stream by number, read again."""

    def __init__(self, name: str, file: IO[bytes], offsets: array[int], lines: array[int]) -> None:
        self._name, self._file, self._offsets, self._lines = name, file, offsets, lines

    def place(self, number: int) -> str:
        """``file:line`` of the message's MSH."""
        return f"{self._name}:{self._lines[number]}"

    def message(self, number: int) -> Message:
        """The message with this number."""
        self._file.seek(self._offsets[number])
        return parse(next(messages(self._file, self._lines[number])))


def _visit(message: Message) -> str | None:
    visit, patient = message.first("PV1"), message.first("PID")
    if visit is not None and (number := visit.part(19)) is not None:
        return f"{number}\n{visit.part(19, 4) or ''}"
    if patient is not None and (account := patient.part(18)) is not None:
        return f"{account}\naccount"
    return None


def _encounter(
    key: str, numbers: list[int], fetch: _Fetch, options: ReadOptions
) -> Iterator[Reading]:
    case, place = Case(options), fetch.place(numbers[0])
    chart, charges = Chart(case), Charges(case)
    record: dict[str, Any] = {"timezone": options.timezone, "payer": options.payer,
                              "setting": options.setting}  # fmt: skip
    patients: set[str] = set()
    control = ""
    for number in numbers:
        message = fetch.message(number)
        head = message.segments[0]
        control = control or head.part(10) or ""
        zone = _ZONE.search(head.part(7) or "")
        offset = zone[0] if zone is not None else None
        if message.guessed:
            case.note("a message names no character set and is not UTF-8; it is read as 8859/1")
        patient = message.first("PID")
        if patient is not None and (one := patient.part(3)) is not None:
            patients.add(one)
        _times(message, record, case, offset)
        chart.take(message, offset)
        charges.take(message, offset)
    record["id"] = text_form(key.partition("\n")[0] or control, 200) or "message"
    if len(patients) > 1:
        case.fault("PID-3", "differs between messages of one visit", "give each visit its number")
    if options.setting is None:
        case.fault("setting", "is not stated, for HL7 does not say which claim is meant",
                   "say --setting facility or professional")  # fmt: skip
    if chart.charted:
        record["administrations"], record["first_day"] = chart.administrations()
    if charges.seen:
        record["lines"], record["diagnoses"] = charges.lines(), charges.diagnoses
        if not charges.coded and not case.faults:
            case.fault("FT1-25", "holds no CPT or HCPCS code in any charge",
                       "write the procedure code")  # fmt: skip
    yield from finished(place, record, case)


def _times(message: Message, record: dict[str, Any], case: Case, zone: str | None) -> None:
    visit = message.first("PV1")
    if visit is None:
        return
    for position, name in ((44, "start"), (45, "end")):
        day, at = day_and_time(visit, position, case, zone)
        if at is not None:
            record[name] = at
        elif day is not None and name == "start":
            record["date"] = day
