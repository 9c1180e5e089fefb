"""Encounters from X12 837P and 837I (005010X222, 005010X223 and their errata; 004010 as well).

A claim is a record. Its id is CLM01; its lines say its setting (SV1 or SV2); replaced claims are
read with a note and voids are set aside. Nothing that names a person enters an encounter, an error
or a note. Payers' names are free text, so that only the caller names an overlay.

``read`` is what ``detect`` calls; the 837 writer and back-testing take ``claims``, which gives the
claim as it stands beside its reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
from ivpush.readers.x12.claims import parse
from ivpush.readers.x12.parsed import Parsed
from ivpush.readers.x12.segments import is_x12, stated
from ivpush.readers.x12.walk import Claim, Event, Transaction, place_of, walk, wrong_kind

__all__ = [
    "claims",
    "read",
    "sniff",
]

_CLAIMS = b"837"
_READ = b"005010"
_OLD = b"004010"
# Guides of dental claims, of 5010 and of 4010.
_DENTAL = (b"X224", b"X097")
_READ_AS_NEW = (
    "the version is 4010; its claims are read, for the elements that matter stand where 5010 has "
    "them"
)
_LINE_FAULT = re.compile(r"^lines\[(\d+)\]\.?(?P<field>[a-z_]*)")
# What the contract's fields are called in a claim.
_LINE_FIELDS = {
    "code": "procedure code",
    "modifiers": "modifier",
    "place_of_service": "place of service",
    "charge": "charge",
    "number": "LX01",
    "units": "units of service",
}
_FIELDS = {
    "id": "CLM01",
    "place_of_service": "CLM05-1",
    "type_of_bill": "CLM05-1 and CLM05-3",
    "Encounter": "the claim",
    "the encounter": "the claim",
}


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is X12; one without an ISA is, and is refused for that."""
    return is_x12(head)


def read(name: str, stream: IO[bytes], options: ReadOptions | None = None) -> Iterator[Reading]:
    """The claims of an 837, in order; ``name`` begins every place.

    ::

        with open("claims.837", "rb") as stream:
            for reading in read("claims.837", stream):
                if isinstance(reading, Record):
                    engine.check(reading.encounter)
    """
    options = options or ReadOptions()
    events = walk(name, stream, assumed=stated(options.separators))
    for event, _, readings in claims(events, name, options):
        if isinstance(event, Claim):
            yield from readings
        elif isinstance(event, Note | SetAside):
            yield event


def claims(
    events: Iterator[Event], name: str, options: ReadOptions
) -> Iterator[tuple[Event, Parsed | None, list[Reading]]]:
    """Every event of a walk, with what a claim among them reads as; its reading comes last."""
    opened: Transaction | None = None
    refusal: Fault | None = None
    last_noted = 0
    for event in events:
        if not isinstance(event, Claim):
            yield event, None, []
            continue
        readings: list[Reading] = []
        transaction = event.transaction
        if transaction is not opened:
            opened, refusal = transaction, _refused(transaction)
        # Said once an interchange, for a file may hold thousands of such claims.
        if transaction.version.startswith(_OLD) and transaction.interchange != last_noted:
            last_noted = transaction.interchange
            readings.append(Note(transaction.place, _READ_AS_NEW))
        parsed = parse(event)
        # That the claim is cut short, or of no kind that is read, explains whatever else is odd.
        parsed.fault = event.fault or refusal or parsed.fault
        readings += _readings(parsed, place_of(name, event), options.payer)
        yield event, parsed, readings


def _refused(transaction: Transaction) -> Fault | None:
    """Why claims of this transaction are not read."""
    version = transaction.version
    if transaction.kind != _CLAIMS:
        return wrong_kind(_CLAIMS)
    if any(guide in version for guide in _DENTAL):
        return Fault("GS08", "the claim is dental", "send professional or institutional claims")
    if not version.startswith((_READ, _OLD)):
        return Fault("GS08", "names a version that is not read", "send 005010X222 or 005010X223")
    return None


def _readings(parsed: Parsed, place: str, payer: str | None) -> list[Reading]:
    """The claim's notes and its record, or the claim set aside."""
    try:
        encounter = _encounter(parsed, payer)
    except InputError as error:
        return [SetAside(place, error, parsed.claim.raw)]
    notes: list[Reading] = [Note(place, message) for message in parsed.messages()]
    return [*notes, Record(place, encounter)]


def _encounter(parsed: Parsed, payer: str | None) -> Encounter:
    """The encounter of a claim without fault; raises InputError, which names lines and fields."""
    if parsed.fault is not None:
        raise InputError(parsed.fault)
    if payer is not None:
        parsed.fields["payer"] = payer
    try:
        return Encounter.model_validate(parsed.fields)
    except InputError as error:
        lines = parsed.fields["lines"]
        raise InputError([_in_claim_words(fault, lines) for fault in error.faults]) from None


def _in_claim_words(fault: Fault, lines: list[dict[str, object]]) -> Fault:
    """A fault of the contract with its place as a biller finds it: the line and the element."""
    hit = _LINE_FAULT.match(fault.place)
    if hit is None:
        place = _FIELDS.get(fault.place, fault.place)
    else:
        what = _LINE_FIELDS.get(hit["field"], hit["field"])
        place = f"line {lines[int(hit[1])]['number']}, {what}"
    return Fault(place, fault.problem, fault.remedy)
