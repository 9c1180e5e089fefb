"""Encounters from X12 837P and 837I (005010X222, 005010X223 and their errata; 004010 as well).

A claim is a record. Its id is CLM01; its setting is told by its lines (SV1 or SV2); replaced claims
are read with a note and voids are set aside. Nothing that names a person enters an encounter, an
error or a note. Payers' names are free text, so that only the caller names an overlay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
from ivpush.readers.x12.claims import Parsed, parse
from ivpush.readers.x12.segments import is_x12
from ivpush.readers.x12.walk import Claim, Event, Transaction, place_of, walk, wrong_kind

__all__ = [
    "claims",
    "read",
    "sniff",
]

_CLAIMS = b"837"
_READ = b"005010"
_OLD = b"004010"
_DENTAL = (b"X224", b"X097")


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is X12; one without an ISA is, and is refused for that."""
    return is_x12(head)


def read(name: str, stream: IO[bytes], options: ReadOptions | None = None) -> Iterator[Reading]:
    """The claims of an 837, in order; ``name`` begins every place."""
    for event, _made, readings in claims(walk(name, stream), name, options or ReadOptions()):
        if isinstance(event, Claim):
            yield from readings
        elif isinstance(event, Note | SetAside):
            yield event


def claims(
    events: Iterator[Event], name: str, options: ReadOptions
) -> Iterator[tuple[Event, Parsed | None, list[Reading]]]:
    """Every event of a walk, with what a claim among them reads as; its reading comes last."""
    said, opened, refusal = 0, None, None
    for event in events:
        if not isinstance(event, Claim):
            yield event, None, []
            continue
        readings: list[Reading] = []
        at = event.transaction
        if at is not opened:
            opened, refusal = at, _refused(at)
        if at.version.startswith(_OLD) and at.interchange != said:
            said = at.interchange
            readings.append(Note(at.place, "the version is 4010; its claims are read, for the "
                                 "elements that matter stand where 5010 has them"))  # fmt: skip
        made = parse(event)
        made.fault = event.fault or refusal or made.fault
        _readings(event, made, name, options, readings)
        yield event, made, readings


def _refused(transaction: Transaction) -> Fault | None:
    """Why claims of this transaction are not read."""
    version = transaction.version
    if transaction.kind != _CLAIMS:
        return wrong_kind(_CLAIMS)
    if any(one in version for one in _DENTAL):
        return Fault("GS08", "the claim is dental", "send professional or institutional claims")
    if not version.startswith((_READ, _OLD)):
        return Fault("GS08", "names a version that is not read", "send 005010X222 or 005010X223")
    return None


def _readings(
    claim: Claim, made: Parsed, name: str, options: ReadOptions, out: list[Reading]
) -> None:
    place = place_of(name, claim)
    try:
        encounter = _encounter(made, options.payer)
    except InputError as error:
        out.append(SetAside(place, error, claim.raw))
        return
    out.extend(Note(place, message) for message in made.messages())
    out.append(Record(place, encounter))


_LINE_FAULT = re.compile(r"^lines\[(\d+)\]\.?([a-z_]*)")
_NAMES = {"code": "procedure code", "modifiers": "modifier", "place_of_service": "place of service",
          "charge": "charge", "number": "LX01", "units": "units of service"}  # fmt: skip
_PLACES = {"id": "CLM01", "place_of_service": "CLM05-1", "type_of_bill": "CLM05-1 and CLM05-3",
           "Encounter": "the claim", "the encounter": "the claim"}  # fmt: skip


def _encounter(made: Parsed, payer: str | None) -> Encounter:
    """The encounter of a claim without fault; raises InputError, which names lines and fields."""
    if made.fault is not None:
        raise InputError(made.fault)
    if payer is not None:
        made.fields["payer"] = payer
    try:
        return Encounter.model_validate(made.fields)
    except InputError as error:
        raise InputError(_faults(made, error)) from None


def _faults(made: Parsed, error: InputError) -> list[Fault]:
    out = []
    for fault in error.faults:
        found = _LINE_FAULT.match(fault.place)
        if found is None:
            place = _PLACES.get(fault.place, fault.place)
            out.append(Fault(place, fault.problem, fault.remedy))
            continue
        number = made.fields["lines"][int(found[1])]["number"]
        what = _NAMES.get(found[2], found[2])
        out.append(Fault(f"line {number}, {what}", fault.problem, fault.remedy))
    return out
