"""X12 837 out: a claim file given back with corrected lines, and claims written from encounters.

``mend`` changes the corrected lines and the control totals and no other byte. ``encounter_to_837``
writes what an encounter holds: no names, no providers, no payer; it is for conversion and for
tests, not for sending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import IO

from ivpush.contract.encounter import ClaimLine, Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, ReadOptions, Record
from ivpush.readers.x12.parsed import Parsed
from ivpush.readers.x12.reader import claims
from ivpush.readers.x12.walk import Claim, End, Passed, Transaction, place_of, walk
from ivpush.writers.x12_claims import (
    MOST_POINTERS,
    amount,
    mended,
    service_segment,
    unfit_line,
)

__all__ = ["Correct", "encounter_to_837", "mend", "unfit"]

Correct = Callable[[Record], tuple[ClaimLine, ...] | None]
"""Gives the lines to send instead; None: the claim stays as it is."""

_GUIDES = {"professional": b"005010X222A1", "facility": b"005010X223A2"}
_MOST_DIAGNOSES = {"professional": 12, "facility": 25}


def mend(name: str, stream: IO[bytes], out: IO[bytes], correct: Correct,
         options: ReadOptions | None = None) -> Iterator[Reading]:  # fmt: skip
    """Copy an 837, with the lines that ``correct`` gives; yields what reading it yields, and notes.

    Claims that cannot be read, and all other bytes, are copied as they stand. Run it to its end:
    the copy grows as the readings are taken.
    """
    opened: Transaction | None = None
    grown = 0
    for event, made, readings in claims(walk(name, stream), name, options or ReadOptions()):
        if isinstance(event, Claim):
            if event.transaction is not opened:
                opened, grown = event.transaction, 0
            yield from readings
            pieces = event.pieces
            record = readings[-1]
            if made is not None and isinstance(record, Record):
                pieces, notes = _corrected(made, record, correct)
                grown += _count(pieces) - _count(event.pieces)
                yield from (Note(place_of(name, event), note) for note in notes)
            mark = event.separators.terminator
            out.write(mark.join(pieces) + mark)
        elif isinstance(event, Passed):
            out.write(event.raw)
        elif isinstance(event, End):
            out.write(_ended(event, grown if event.transaction is opened else 0))
        else:
            yield event


def _count(pieces: list[bytes]) -> int:
    """Segments among the pieces; a blank line is none."""
    return sum(1 for one in pieces if one.strip())


def _corrected(made: Parsed, record: Record, correct: Correct) -> tuple[list[bytes], list[str]]:
    before, after = record.encounter.lines or (), correct(record)
    if after is None or after == before:
        return made.claim.pieces, []
    found = mended(made, before, after, record.encounter.service_date)
    if isinstance(found, str):
        return made.claim.pieces, [f"the claim is written as it was: {found}"]
    return found.pieces, found.notes


def _ended(end: End, grown: int) -> bytes:
    """SE, with the number of segments where lines came or went."""
    mark, element = end.separators.terminator, end.separators.element
    if not grown:
        return end.piece + mark
    items = end.piece.split(element)
    items[1:2] = [str(end.counted + grown).encode()]
    return element.join(items) + mark


def unfit(encounter: Encounter) -> tuple[Fault, ...]:
    """Why an 837 cannot hold the claim of an encounter; empty: it can.

    A chart has no place in an 837 and is not counted as a fault.
    """
    return tuple(_unfit(encounter))


def _unfit(encounter: Encounter) -> Iterator[Fault]:
    setting = encounter.setting
    name = encounter.id
    if name != name.strip() or any(one in name for one in "*:~") or not name.isprintable():
        yield Fault("id", "has a character that separates segments", "use letters and digits")
    if not encounter.lines:
        yield Fault("lines", "the claim has no line", "write at least one")
    for line in encounter.lines or ():
        problem = unfit_line(line, setting)
        if problem is None and len(line.diagnosis_pointers) > MOST_POINTERS:
            problem = "has more than 4 diagnosis pointers"
        if problem is not None:
            yield Fault(f"line {line.number}", problem, "leave out what the format does not hold")
    if len(encounter.diagnoses) > _MOST_DIAGNOSES[setting]:
        yield Fault("diagnoses", "are more than the format holds", "leave out the last ones")
    if (encounter.type_of_bill or "").endswith("8"):
        yield Fault("type_of_bill", "the claim is a void", "send the claim that stands")


def encounter_to_837(encounters: Iterable[Encounter]) -> Iterator[bytes]:
    """One interchange with the claims of encounters, a claim at a time.

    Raises InputError for a claim that an 837 cannot hold (``unfit`` tells beforehand); a chart is
    left out. A charge that is not stated is left empty.
    """
    groups = 0
    setting, size, claims_written = "", 0, 0
    for encounter in encounters:
        if faults := unfit(encounter):
            raise InputError(faults)
        if not groups:
            yield _isa(encounter)
        if encounter.setting != setting:
            if groups:
                yield _close_group(groups, size)
            groups, setting, claims_written = groups + 1, encounter.setting, 0
            head = _open_group(groups, setting, _day(encounter))
            size = len(head) - 1  # all but GS
            yield _joined(head)
        claims_written += 1
        body = [b"HL*%d*1*22*0" % (claims_written + 1), *_claim(encounter)]
        size += len(body)
        yield _joined(body)
    if groups:
        yield _close_group(groups, size)
        yield b"IEA*%d*000000001~\n" % groups


def _joined(segments: list[bytes]) -> bytes:
    return b"".join(one + b"~\n" for one in segments)


def _day(encounter: Encounter) -> bytes:
    day = encounter.service_date
    return day.strftime("%Y%m%d").encode() if day else b"19700101"


def _isa(encounter: Encounter) -> bytes:
    """The header; dated by the first claim, for a writer has no clock."""
    party = b"ZZ*" + b"IVPUSH".ljust(15)
    return b"*".join([
        b"ISA", b"00", b" " * 10, b"00", b" " * 10, party, party, _day(encounter)[2:], b"0000",
        b"^", b"00501", b"000000001", b"0", b"T", b":~\n",
    ])  # fmt: skip


def _open_group(number: int, setting: str, day: bytes) -> list[bytes]:
    guide = _GUIDES[setting]
    return [
        b"GS*HC*IVPUSH*IVPUSH*%s*0000*%d*X*%s" % (day, number, guide),
        b"ST*837*%04d*%s" % (number, guide),
        b"BHT*0019*00*%d*%s*0000*CH" % (number, day),
        b"HL*1**20*1",
    ]


def _close_group(number: int, size: int) -> bytes:
    return _joined([b"SE*%d*%04d" % (size + 1, number), b"GE*1*%d" % number])


def _claim(encounter: Encounter) -> list[bytes]:
    setting, lines = encounter.setting, encounter.lines or ()
    total = sum((one.charge for one in lines if one.charge is not None), Decimal(0))
    if setting == "professional":
        place = f"{encounter.place_of_service or ''}:B:1"
    else:
        bill = (encounter.type_of_bill or "").removeprefix("0")
        place = f"{bill[:2]}:A:{bill[2:] or '1'}"
    out = [f"CLM*{encounter.id}*{amount(total)}***{place}*Y*A*Y*Y".encode()]
    if encounter.date is not None:
        out.append(b"DTP*434*D8*" + encounter.date.strftime("%Y%m%d").encode())
    for number, code in enumerate(encounter.diagnoses):
        if number == 0:
            out.append(b"HI*ABK:" + code.encode())
        elif number % 12 == 1:
            out.append(b"HI*ABF:" + code.encode())
        else:
            out[-1] += b"*ABF:" + code.encode()
    for line in lines:
        charge = amount(line.charge).encode() if line.charge is not None else b""
        out += [b"LX*%d" % line.number, service_segment(line, setting, b"*", b":", charge)]
        if line.date is not None:
            out.append(b"DTP*472*D8*" + line.date.strftime("%Y%m%d").encode())
        if line.ndc is not None:
            out.append(b"LIN**N4*" + line.ndc.encode())
    return out
