"""Remittances from X12 835 (005010X221 and its errata; 004010 as well): what a payer decided.

A claim payment (CLP) is a record. Patients' and payers' names are never looked at. The codes of the
payer are kept as they are written; nothing here says what they mean.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO

from ivpush.errors import Fault, InputError
from ivpush.readers import Note, SetAside
from ivpush.readers.x12.claims import day_of, number_of
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
_MOST_TRIPLES = 6


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a claim or a line was paid otherwise than billed: one triple of a CAS segment."""

    group: str
    """Group code: who bears the amount (CO, PR, OA, PI, CR)."""
    reason: str
    """Claim adjustment reason code (CARC)."""
    amount: Decimal


@dataclass(slots=True)
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


@dataclass(slots=True)
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


class _Refusal(Exception):  # noqa: N818 - a way out, not an error that leaves this module
    """What is wrong with a claim payment."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.fault = Fault(where, problem, remedy)


def read(name: str, stream: IO[bytes]) -> Iterator[Remittance | SetAside | Note]:
    """The claim payments of an 835, in order; ``name`` begins every place."""
    for event in walk(name, stream, _KIND):
        if isinstance(event, Note | SetAside):
            yield event
        elif isinstance(event, Claim):
            yield from _readings(event, place_of(name, event))


def _readings(claim: Claim, place: str) -> Iterator[Remittance | SetAside | Note]:
    fault = claim.fault
    if claim.transaction.kind != _KIND:
        fault = wrong_kind(_KIND)
    elif not claim.transaction.version.startswith(_VERSIONS):
        fault = Fault("GS08", "names a version that is not read", "send 005010X221")
    made: Remittance | None = None
    notes: list[str] = []
    if fault is None:
        try:
            made = _remittance(claim, place, notes)
        except _Refusal as error:
            fault = error.fault
    if fault is not None or made is None:
        yield SetAside(place, InputError(fault or Fault("CLP", "is missing")), claim.raw)
        return
    yield from (Note(place, note) for note in notes)
    yield made


def _text(items: list[str], at: int) -> str:
    return items[at].strip() if len(items) > at else ""


def _signed(text: str, where: str) -> Decimal:
    """An amount, which may be negative; an empty one is 0."""
    value = number_of(text.removeprefix("-")) if text else Decimal(0)
    if value is None:
        raise _Refusal(where, "is no amount", "write digits with at most one decimal point")
    return -value if text.startswith("-") else value


def _remittance(claim: Claim, place: str, notes: list[str]) -> Remittance:
    element = claim.separators.element.decode("latin-1")
    component = claim.separators.component.decode("latin-1")
    first = claim.pieces[0].strip().decode("latin-1").split(element)
    made = Remittance(place, _text(first, 1), _text(first, 2), _signed(_text(first, 3), "CLP03"),
                      _signed(_text(first, 4), "CLP04"))  # fmt: skip
    if not made.id:
        raise _Refusal("CLP01", "is empty", "write the claim's id, CLM01")
    for piece in claim.pieces[1:]:
        items = piece.strip().decode("latin-1").split(element)
        act = _ACTS.get(items[0])
        if items[0] == "SVC":
            made.lines.append(_service(items, component, len(made.lines) + 1, notes))
        elif act is not None:
            act(made, items)
    return made


def _service(items: list[str], component: str, number: int, notes: list[str]) -> RemittanceLine:
    here = f"line {number}"
    adjudicated = _text(items, 1).split(component)
    submitted = _text(items, 6).split(component) if _text(items, 6) else adjudicated
    if len(submitted) == 1 or len(adjudicated) == 1:
        raise _Refusal(here, "SVC is not divided by the component separator that ISA16 declares",
                       "write the composite with that separator")  # fmt: skip
    line = RemittanceLine(
        submitted[1].strip(),
        tuple(one.strip() for one in submitted[2:6] if one.strip()),
        _signed(_text(items, 2), f"{here}, SVC02"),
        _signed(_text(items, 3), f"{here}, SVC03"),
        adjudicated[1].strip(),
    )
    line.paid_units = number_of(_text(items, 5)) if _text(items, 5) else None
    line.units = number_of(_text(items, 7)) if _text(items, 7) else line.paid_units
    if submitted[0] != adjudicated[0] or line.code != line.paid_code:
        notes.append(f"line {number}: was adjudicated under another code than was billed")
    return line


def _adjustments(made: Remittance, items: list[str]) -> None:
    into = made.lines[-1].adjustments if made.lines else made.adjustments
    for at in range(2, 2 + 3 * _MOST_TRIPLES, 3):
        if reason := _text(items, at):
            value = _signed(_text(items, at + 1), "CAS")
            into.append(Adjustment(_text(items, 1), reason, value))


def _dates(made: Remittance, items: list[str]) -> None:
    if made.lines and _text(items, 1) in {"472", "150"}:
        made.lines[-1].date = day_of(_text(items, 2))


def _references(made: Remittance, items: list[str]) -> None:
    if made.lines and _text(items, 1) == "6R" and made.lines[-1].control is None:
        made.lines[-1].control = _text(items, 2)


def _remarks(made: Remittance, items: list[str]) -> None:
    if made.lines and _text(items, 1) == "HE" and _text(items, 2):
        made.lines[-1].remarks.append(_text(items, 2))


def _outpatient(made: Remittance, items: list[str]) -> None:
    made.remarks += [one for one in (_text(items, at) for at in range(3, 8)) if one]


def _inpatient(made: Remittance, items: list[str]) -> None:
    places = (5, *range(20, 24))
    made.remarks += [one for one in (_text(items, at) for at in places) if one]


_ACTS: dict[str, Callable[[Remittance, list[str]], None]] = {
    "CAS": _adjustments, "DTM": _dates, "REF": _references, "LQ": _remarks, "MOA": _outpatient,
    "MIA": _inpatient,
}  # fmt: skip
