"""X12 837 out: a claim file given back with corrected lines, and claims written from encounters.

``ivpush check --fix`` calls ``mend``, which changes the corrected lines and the control totals and
no other byte. ``ivpush convert --to x12`` calls ``encounter_to_837``, which writes what an
encounter holds: no names, no providers, no payer; it is for conversion and for tests, not for
sending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import IO

from ivpush.contract.encounter import ClaimLine, Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, ReadOptions, Record
from ivpush.readers.x12.parsed import Parsed
from ivpush.readers.x12.reader import claims
from ivpush.readers.x12.segments import stated
from ivpush.readers.x12.walk import Claim, End, Passed, Transaction, place_of, walk
from ivpush.writers.x12_claims import (
    MOST_POINTERS,
    amount,
    mended,
    service_segment,
    stamp,
    total_charge,
    unfit_line,
)

__all__ = ["Correct", "encounter_to_837", "mend", "unfit"]

Correct = Callable[[Record], tuple[ClaimLine, ...] | None]
"""Gives the lines to send instead; None: the claim stays as it is."""

_GUIDES = {"professional": b"005010X222A1", "facility": b"005010X223A2"}
_MOST_DIAGNOSES = {"professional": 12, "facility": 25}
_DIAGNOSES_A_SEGMENT = 12
"""Elements of one HI."""
_VOID = "8"
"""The frequency, last digit of a type of bill, of a claim that takes back another."""
_NO_DAY = b"19700101"


# A file given back


def mend(
    name: str,
    stream: IO[bytes],
    out: IO[bytes],
    correct: Correct,
    options: ReadOptions | None = None,
) -> Iterator[Reading]:
    """Copy an 837, with the lines that ``correct`` gives; yields what reading it yields, and notes.

    ::

        for reading in mend("claims.837", stream, out, lambda record: lines_of(record.encounter)):
            report(reading)

    Claims that cannot be read, and all other bytes, are copied as they stand. Run it to its end:
    the copy grows as the readings are taken.
    """
    copy = _Copy(name, out, correct)
    options = options or ReadOptions()
    events = walk(name, stream, assumed=stated(options.separators))
    for event, parsed, readings in claims(events, name, options):
        if isinstance(event, Claim):
            yield from readings
            yield from copy.write_claim(event, parsed, readings[-1])
        elif isinstance(event, Passed):
            out.write(event.raw)
        elif isinstance(event, End):
            copy.write_end(event)
        else:
            yield event


class _Copy:
    """A copy of an 837 while it is written."""

    def __init__(self, name: str, out: IO[bytes], correct: Correct) -> None:
        self._name, self._out, self._correct = name, out, correct
        self._transaction: Transaction | None = None
        self._grown = 0
        """Segments that the claims of this transaction have gained."""

    def write_claim(self, claim: Claim, parsed: Parsed | None, reading: Reading) -> Iterator[Note]:
        """Write a claim with its lines corrected; yields what its sender must know."""
        if claim.transaction is not self._transaction:
            self._transaction, self._grown = claim.transaction, 0
        pieces = claim.pieces
        if parsed is not None and isinstance(reading, Record):
            pieces, notes = _corrected(parsed, reading, self._correct)
            self._grown += _count(pieces) - _count(claim.pieces)
            yield from (Note(place_of(self._name, claim), note) for note in notes)
        mark = claim.separators.terminator
        self._out.write(mark.join(pieces) + mark)

    def write_end(self, end: End) -> None:
        """Write SE, with the number of segments (SE01) where lines came or went."""
        grown = self._grown if end.transaction is self._transaction else 0
        piece, element = end.piece, end.separators.element
        if grown:
            items = piece.split(element)
            items[1:2] = [str(end.counted + grown).encode()]
            piece = element.join(items)
        self._out.write(piece + end.separators.terminator)


def _count(pieces: list[bytes]) -> int:
    """Segments among the pieces; a blank line is none."""
    return sum(1 for piece in pieces if piece.strip())


def _corrected(parsed: Parsed, record: Record, correct: Correct) -> tuple[list[bytes], list[str]]:
    """The pieces of a claim with its lines corrected, and notes about them."""
    before, after = record.encounter.lines or (), correct(record)
    if after is None or after == before:
        return parsed.claim.pieces, []
    result = mended(parsed, before, after, record.encounter.service_date)
    if isinstance(result, str):
        return parsed.claim.pieces, [f"the claim is written as it was: {result}"]
    return result.pieces, result.notes


# Claims from encounters


def unfit(encounter: Encounter) -> tuple[Fault, ...]:
    """Why an 837 cannot hold the claim of an encounter; empty: it can.

    A chart has no place in an 837 and is not counted as a fault.
    """
    return tuple(_faults(encounter))


def _faults(encounter: Encounter) -> Iterator[Fault]:
    name = encounter.id
    # CLM01 is the encounter's id, and a writer has no escape for its own separators.
    if name != name.strip() or any(mark in name for mark in "*:~") or not name.isprintable():
        yield Fault("id", "has a character that separates segments", "use letters and digits")
    if not encounter.lines:
        yield Fault("lines", "the claim has no line", "write at least one")
    for line in encounter.lines or ():
        problem = unfit_line(line, encounter.setting)
        if problem is None and len(line.diagnosis_pointers) > MOST_POINTERS:
            problem = f"has more than {MOST_POINTERS} diagnosis pointers"
        if problem is not None:
            yield Fault(f"line {line.number}", problem, "leave out what the format does not hold")
    if len(encounter.diagnoses or ()) > _MOST_DIAGNOSES[encounter.setting]:
        yield Fault("diagnoses", "are more than the format holds", "leave out the last ones")
    if (encounter.type_of_bill or "").endswith(_VOID):
        yield Fault("type_of_bill", "the claim is a void", "send the claim that stands")


def encounter_to_837(encounters: Iterable[Encounter]) -> Iterator[bytes]:
    """One interchange with the claims of encounters, a claim at a time.

    Raises InputError for a claim that an 837 cannot hold (``unfit`` tells beforehand); a chart is
    left out. A charge that is not stated is left empty.
    """
    interchange = _Interchange()
    for encounter in encounters:
        if faults := unfit(encounter):
            raise InputError(faults)
        yield from interchange.claim(encounter)
    yield from interchange.end()


class _Interchange:
    """Envelopes around claims: a group with one transaction for each run of one setting."""

    def __init__(self) -> None:
        self._groups = 0
        self._setting = ""
        self._segments = 0
        """Segments of the open transaction, from its ST."""
        self._claims = 0
        """Claims of the open transaction."""

    def claim(self, encounter: Encounter) -> Iterator[bytes]:
        """A claim, with the envelopes that end and begin before it."""
        if not self._groups:
            yield _isa(encounter)
        if encounter.setting != self._setting:
            if self._groups:
                yield self._close_group()
            yield self._open_group(encounter)
        self._claims += 1
        # HL 1 is the billing provider; every claim brings a subscriber under it (level 22).
        segments = [b"HL*%d*1*22*0" % (self._claims + 1), *_claim(encounter)]
        self._segments += len(segments)
        yield _joined(segments)

    def end(self) -> Iterator[bytes]:
        """What ends the interchange; nothing where no claim was written."""
        if self._groups:
            yield self._close_group()
            yield b"IEA*%d*000000001~\n" % self._groups

    def _open_group(self, encounter: Encounter) -> bytes:
        self._groups += 1
        self._setting, self._claims = encounter.setting, 0
        number, day, guide = self._groups, _day(encounter), _GUIDES[encounter.setting]
        segments = [
            b"GS*HC*IVPUSH*IVPUSH*%s*0000*%d*X*%s" % (day, number, guide),
            b"ST*837*%04d*%s" % (number, guide),
            b"BHT*0019*00*%d*%s*0000*CH" % (number, day),
            b"HL*1**20*1",
        ]
        self._segments = len(segments) - 1  # GS stands outside of the transaction
        return _joined(segments)

    def _close_group(self) -> bytes:
        # SE counts itself.
        end = b"SE*%d*%04d" % (self._segments + 1, self._groups)
        return _joined([end, b"GE*1*%d" % self._groups])


def _joined(segments: list[bytes]) -> bytes:
    return b"".join(segment + b"~\n" for segment in segments)


def _day(encounter: Encounter) -> bytes:
    day = encounter.service_date
    return stamp(day) if day else _NO_DAY


def _isa(encounter: Encounter) -> bytes:
    """The header; dated by the first claim, for a writer has no clock."""
    # Every element has a fixed length, so that a reader finds the separators by position.
    party = b"ZZ*" + b"IVPUSH".ljust(15)
    elements = [
        b"ISA",
        b"00",
        b" " * 10,
        b"00",
        b" " * 10,
        party,  # ISA05 and ISA06, the sender
        party,  # ISA07 and ISA08, the receiver
        _day(encounter)[2:],
        b"0000",
        b"^",
        b"00501",
        b"000000001",
        b"0",
        b"T",  # a test, never to be paid
        b":~\n",
    ]
    return b"*".join(elements)


def _claim(encounter: Encounter) -> list[bytes]:
    """The segments of a claim, from CLM to its last service line."""
    lines = encounter.lines or ()
    total = amount(total_charge(lines))
    head = f"CLM*{encounter.id}*{total}***{_facility_code(encounter)}*Y*A*Y*Y"
    segments = [head.encode()]
    if encounter.date is not None:
        segments.append(_dated(b"434", encounter.date))
    segments += _diagnoses(encounter.diagnoses or ())
    for line in lines:
        segments += _service_line(line, encounter.setting)
    return segments


def _facility_code(encounter: Encounter) -> str:
    """CLM05: place of service, or type of bill without its frequency; then the frequency."""
    if encounter.setting == "professional":
        return f"{encounter.place_of_service or ''}:B:1"
    bill = (encounter.type_of_bill or "").removeprefix("0")
    return f"{bill[:2]}:A:{bill[2:] or '1'}"


def _diagnoses(codes: tuple[str, ...]) -> list[bytes]:
    """HI segments: the principal diagnosis (ABK), then the others (ABF)."""
    if not codes:
        return []
    others = [b"ABF:" + code.encode() for code in codes[1:]]
    return [
        b"HI*ABK:" + codes[0].encode(),
        *(
            b"*".join([b"HI", *others[start : start + _DIAGNOSES_A_SEGMENT]])
            for start in range(0, len(others), _DIAGNOSES_A_SEGMENT)
        ),
    ]


def _service_line(line: ClaimLine, setting: str) -> list[bytes]:
    charge = amount(line.charge).encode() if line.charge is not None else b""
    service = service_segment(line, setting, element=b"*", component=b":", charge=charge)
    segments = [b"LX*%d" % line.number, service]
    if line.date is not None:
        segments.append(_dated(b"472", line.date))
    if line.ndc is not None:
        segments.append(b"LIN**N4*" + line.ndc.encode())
    return segments


def _dated(qualifier: bytes, day: date) -> bytes:
    return b"*".join([b"DTP", qualifier, b"D8", stamp(day)])
