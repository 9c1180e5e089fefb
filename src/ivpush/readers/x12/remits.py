"""Remittances from X12 835 (005010X221 and its errata; 004010 as well): what a payer decided.

A claim payment (CLP) is a record. Patients' and payers' names are never looked at. The codes of the
payer are kept as they are written; nothing here says what they mean. Back-testing reads them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO

from ivpush.errors import Fault, InputError
from ivpush.readers import Note, SetAside
from ivpush.readers.x12.elements import day_of, number_of
from ivpush.readers.x12.walk import Claim, place_of, walk, wrong_kind

__all__ = [
    "Adjustment",
    "Remittance",
    "RemittanceLine",
    "read",
]

_KIND = b"835"
_VERSIONS = (b"005010", b"004010")
_REVERSAL = "22"
# A CAS holds a group code and up to six triples of reason, amount and quantity.
_REASONS = range(2, 20, 3)
# Elements that hold remark codes of the whole claim.
_CLAIM_REMARKS = {"MOA": range(3, 8), "MIA": (5, *range(20, 24))}
# DTM: the date of the service, or the first day of a period.
_SERVICE_DATES = frozenset({"472", "150"})


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a claim or a line was paid otherwise than billed: one triple of a CAS segment."""

    group: str
    """Group code: who bears the amount (CO, PR, OA, PI, CR)."""
    reason: str
    """Claim adjustment reason code (CARC)."""
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RemittanceLine:
    """One service as adjudicated (SVC); the submitted code where the payer changed it."""

    code: str
    modifiers: tuple[str, ...]
    charge: Decimal
    paid: Decimal
    paid_code: str
    """The code that was adjudicated (SVC01)."""
    paid_units: Decimal | None = None
    units: Decimal | None = None
    """Submitted units (SVC07), else the paid ones."""
    date: dt.date | None = None
    adjustments: list[Adjustment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Remittance advice remark codes (LQ)."""
    control: str | None = None
    """REF*6R: the number that the provider gave the line."""


@dataclass(frozen=True, slots=True)
class Remittance:
    """One claim payment: the provider's claim id, and what was decided on claim and lines."""

    place: str
    id: str
    status: str
    charge: Decimal
    paid: Decimal
    adjustments: list[Adjustment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Remark codes of the claim (MIA, MOA)."""
    lines: list[RemittanceLine] = field(default_factory=list)

    @property
    def reversal(self) -> bool:
        """Whether it takes back an earlier payment."""
        return self.status == _REVERSAL


class _Segment:
    """A segment of a claim payment, taken apart."""

    __slots__ = ("_items", "tag")

    def __init__(self, piece: bytes, element: str) -> None:
        self._items = piece.strip().decode("latin-1").split(element)
        self.tag = self._items[0]

    def text(self, position: int) -> str:
        """An element, counted from 1 as X12 counts; empty where there is none."""
        return self._items[position].strip() if len(self._items) > position else ""

    def amount(self, position: int, where: str) -> Decimal:
        """An amount, which may be negative; an empty one is 0; raises InputError."""
        text = self.text(position)
        value = number_of(text.removeprefix("-")) if text else Decimal(0)
        if value is None:
            remedy = "write digits with at most one decimal point"
            raise InputError(Fault(where, "is no amount", remedy))
        return -value if text.startswith("-") else value

    def number(self, position: int) -> Decimal | None:
        """A number from 0; None where it is empty or none."""
        text = self.text(position)
        return number_of(text) if text else None


def read(name: str, stream: IO[bytes]) -> Iterator[Remittance | SetAside | Note]:
    """The claim payments of an 835, in order; ``name`` begins every place.

    ::

        with open("payments.835", "rb") as stream:
            paid = {r.id: r.paid for r in read("payments.835", stream)
                    if isinstance(r, Remittance)}
    """
    for event in walk(name, stream, _KIND):
        if isinstance(event, Note | SetAside):
            yield event
        elif isinstance(event, Claim):
            yield from _readings(event, place_of(name, event))


def _readings(claim: Claim, place: str) -> Iterator[Remittance | SetAside | Note]:
    """The payment with its notes, or the payment set aside."""
    fault = _refused(claim)
    if fault is not None:
        yield SetAside(place, InputError(fault), claim.raw)
        return
    notes: list[str] = []
    try:
        remittance = _remittance(claim, place, notes)
    except InputError as error:
        yield SetAside(place, error, claim.raw)
        return
    yield from (Note(place, note) for note in notes)
    yield remittance


def _refused(claim: Claim) -> Fault | None:
    """Why a claim payment is not read at all."""
    if claim.transaction.kind != _KIND:
        return wrong_kind(_KIND)
    if not claim.transaction.version.startswith(_VERSIONS):
        return Fault("GS08", "names a version that is not read", "send 005010X221")
    return claim.fault


def _remittance(claim: Claim, place: str, notes: list[str]) -> Remittance:
    """A claim payment; raises InputError at the first thing that is wrong, in reading order."""
    element = claim.separators.element.decode("latin-1")
    component = claim.separators.component.decode("latin-1")
    payment, *segments = (_Segment(piece, element) for piece in claim.pieces)
    charge, paid = payment.amount(3, "CLP03"), payment.amount(4, "CLP04")
    if not payment.text(1):
        raise InputError(Fault("CLP01", "is empty", "write the claim's id, CLM01"))
    # What stands before the first SVC is said of the whole claim; each SVC begins a line.
    # Without any SVC there is a stop and no start, so that the pairs need not be of one length.
    starts = [at for at, segment in enumerate(segments) if segment.tag == "SVC"]
    stops = [*starts[1:], len(segments)]
    return Remittance(
        place=place,
        id=payment.text(1),
        status=payment.text(2),
        charge=charge,
        paid=paid,
        adjustments=_adjustments(segments[: starts[0]] if starts else segments),
        lines=[
            _line(segments[start:stop], component, number, notes)
            for number, (start, stop) in enumerate(zip(starts, stops, strict=False), 1)
        ],
        remarks=_claim_remarks(segments),
    )


def _line(
    segments: list[_Segment], component: str, number: int, notes: list[str]
) -> RemittanceLine:
    """A line: its SVC, and the segments up to the next one."""
    service, here = segments[0], f"line {number}"
    adjudicated = service.text(1).split(component)
    submitted = service.text(6).split(component) if service.text(6) else adjudicated
    if len(submitted) == 1 or len(adjudicated) == 1:
        raise InputError(
            Fault(
                here,
                "SVC is not divided by the component separator that ISA16 declares",
                "write the composite with that separator",
            )
        )
    code, paid_code = submitted[1].strip(), adjudicated[1].strip()
    if submitted[0] != adjudicated[0] or code != paid_code:
        notes.append(f"{here}: was adjudicated under another code than was billed")
    dates = _qualified(segments, "DTM", _SERVICE_DATES)
    controls = _qualified(segments, "REF", {"6R"})
    return RemittanceLine(
        code=code,
        modifiers=tuple(part.strip() for part in submitted[2:6] if part.strip()),
        charge=service.amount(2, f"{here}, SVC02"),
        paid=service.amount(3, f"{here}, SVC03"),
        paid_code=paid_code,
        paid_units=service.number(5),
        units=service.number(7 if service.text(7) else 5),
        date=day_of(dates[-1]) if dates else None,
        adjustments=_adjustments(segments),
        remarks=[remark for remark in _qualified(segments, "LQ", {"HE"}) if remark],
        control=controls[0] if controls else None,
    )


def _adjustments(segments: list[_Segment]) -> list[Adjustment]:
    """Every triple of every CAS that names a reason."""
    return [
        Adjustment(segment.text(1), reason, segment.amount(at + 1, "CAS"))
        for segment in segments
        if segment.tag == "CAS"
        for at in _REASONS
        if (reason := segment.text(at))
    ]


def _qualified(segments: list[_Segment], tag: str, qualifiers: Collection[str]) -> list[str]:
    """The second elements of the segments of a tag whose first element is one of these."""
    return [
        segment.text(2)
        for segment in segments
        if segment.tag == tag and segment.text(1) in qualifiers
    ]


def _claim_remarks(segments: list[_Segment]) -> list[str]:
    """The remark codes of the claim, outpatient (MOA) or inpatient (MIA)."""
    return [
        remark
        for segment in segments
        for at in _CLAIM_REMARKS.get(segment.tag, ())
        if (remark := segment.text(at))
    ]
