"""What single fields of HL7 say in the contract's words: numbers, times, drugs and terms.

The chart and the charges read their segments with these; a field that cannot be read becomes a
fault or a note of the encounter's ``Case``.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ivpush.readers.builder import Case, ndc_form, text_form
from ivpush.readers.hl7.segments import Segment, stamp
from ivpush.readers.shapes import CODE
from ivpush.readers.terms import Meaning

__all__ = [
    "DEVICES",
    "amount",
    "codes_of",
    "day_and_time",
    "meanings_of",
]

DEVICES = "v2-0164"
"""HL7's table of devices. IVP is the pump in it, and the push in the table of methods, 0165."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{0,12})?", re.ASCII)
_SIX_PLACES = Decimal("0.000001")
# A coded field (CWE) holds a code with its text and system, then an alternate with the same three.
_CODINGS = (1, 4)


def amount(segment: Segment, position: int, case: Case) -> Decimal | None:
    """A number of a field, to six places; one that is none is a fault."""
    written = segment.part(position)
    if written is None:
        return None
    try:
        if _NUMBER.fullmatch(written):
            return Decimal(written).quantize(_SIX_PLACES).normalize()
    except InvalidOperation:
        pass
    case.fault(f"{segment.name}-{position}", "is no number", "write digits and a point")
    return None


def day_and_time(
    segment: Segment, position: int, case: Case, zone: str | None, component: int = 1
) -> tuple[date | None, datetime | None]:
    """The date of a field, and the instant where the minute is known."""
    written = stamp(segment.part(position, component), zone)
    if written is not None:
        try:
            at = case.local(written.at) if written.at is not None else None
        except OverflowError:
            pass
        else:
            return (at.date() if at is not None else written.day), at
    remedy = "write it as YYYYMMDDHHMM[SS][+ZZZZ]"
    case.fault(f"{segment.name}-{position}", "is no time", remedy)
    return None, None


def codes_of(written: str, segment: Segment, case: Case) -> dict[str, Any]:
    """Name and codes of a drug, from a coded field with its alternate."""
    fields: dict[str, Any] = {}
    unnamed: str | None = None
    for first in _CODINGS:
        code, text, system = (segment.of(written, first + n) for n in range(3))
        known = case.terms.system(system)
        if text is not None:
            fields.setdefault("drug", text_form(text))
        if code is None:
            continue
        if system is None:
            case.note("the code of a drug names no code system, and is read as no code")
        name = _code_field(code, known, case)
        if name is not None:
            fields.setdefault(name, code)
        elif known != "ndc" and unnamed is None:
            unnamed = f"{known or 'code'} {code}"
    # A code of another system still says that there was a drug.
    if not fields and unnamed is not None:
        fields["drug"] = text_form(unnamed)
    return fields


def _code_field(code: str, system: str | None, case: Case) -> str | None:
    """The contract's field for a code of a system; None: it has none."""
    if system in {"hcpcs", "cpt"}:
        if CODE.fullmatch(code):
            return "hcpcs"
        case.note("a HCPCS code has not the form of one, and is left out")
    if system == "ndc":
        if ndc_form(code) is not None:
            return "ndc"
        case.note("an NDC has not the form of one, and is left out")
    return None


def meanings_of(segment: Segment, position: int, case: Case, table: str | None) -> list[Meaning]:
    """What a coded field says: by its system, else the field's own table, and by its words."""
    meanings: list[Meaning | None] = []
    for first in _CODINGS:
        code, text, system = (segment.part(position, first + n) for n in range(3))
        known = case.terms.system(system) or table
        by_code = case.terms.codes.get((known, code.casefold())) if known and code else None
        by_text = case.terms.text(text) if text is not None else None
        # Senders write words where a code belongs; a bare code of a device stays unknown.
        if by_code is None and by_text is None and code is not None and known != DEVICES:
            by_code = case.terms.text(code)
        meanings += (by_code, by_text)
    return [meaning for meaning in meanings if meaning is not None]
