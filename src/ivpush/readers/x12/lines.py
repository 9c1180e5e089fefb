"""Service lines of an 837: SV1 or SV2, its dates and its drug, read into fields of a claim line.

``claims.parse`` calls ``read_line`` for each line once all segments are gathered. What would make
the line false sets the claim aside; what can be left out truthfully is left out with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ivpush.readers.shapes import NDC
from ivpush.readers.x12.elements import day_of, number_of, whole_of
from ivpush.readers.x12.parsed import ABSENT, LAYOUTS, SEVERAL, BilledLine, Layout, Parsed

__all__ = ["read_line"]

# Qualifiers of the standard: HC names HCPCS codes, UN counts units, MJ minutes, DA days.
_PROCEDURE = "HC"
_UNITS, _MINUTES, _DAYS = "UN", "MJ", "DA"
# The last element that is read: the diagnosis pointers, SV107.
_MOST_ELEMENTS = 8
_MOST_PLAIN_DIGITS = 9


def read_line(parsed: Parsed, line: BilledLine) -> None:
    """Read a line's segments into its fields; they stay None where the line is left out."""
    if line.service == ABSENT:
        parsed.note("has no service segment and is left out", line.number)
        return
    fields = line.fields = _service(parsed, line)
    if fields is None:
        return
    if line.dated != ABSENT:
        day = fields["date"] = day_of(line.date_elements[3])
        if day is None:
            _read_days(parsed, line, fields)
        if line.dates_differ:
            problem = "has two dates of service (DTP*472) that differ; the first one stands"
            parsed.note(problem, line.number)
    if line.drug != ABSENT:
        _read_drug(parsed, line, fields)


def _service(parsed: Parsed, line: BilledLine) -> dict[str, Any] | None:
    """The fields that the service segment gives; None: the line carries no HCPCS code."""
    elements, number = line.service_elements, line.number
    if len(elements) < _MOST_ELEMENTS:
        elements = [*elements, *[""] * (_MOST_ELEMENTS - len(elements))]
    layout = LAYOUTS[elements[0]]
    fields = _procedure(parsed, elements, layout, number)
    if fields is None:
        return None
    charge = elements[layout.charge]
    if charge:
        value = number_of(charge)
        if value is None:
            parsed.note("its charge is no number from 0 and is left out", number)
        else:
            fields["charge"] = value
    if layout.setting == "facility":
        _read_revenue_code(parsed, elements[1], number, fields)
    else:
        if elements[5]:
            fields["place_of_service"] = elements[5]
        if elements[6]:
            parsed.note("fills SV106, which no guide uses: its elements may have moved", number)
        if elements[7] and parsed.icd:
            _read_pointers(parsed, elements[7], number, fields)
    return fields


def _procedure(
    parsed: Parsed, elements: Sequence[str], layout: Layout, number: int
) -> dict[str, Any] | None:
    """Number, code, modifiers and units of a line; None: it carries no HCPCS code."""
    parts, units = elements[layout.composite].split(parsed.component), elements[layout.units]
    # Most lines are plain: one code, counted in units. They need none of the questions below.
    if (
        parts[0] == _PROCEDURE
        and len(parts) == 2
        and elements[layout.unit] == _UNITS
        and units.isdecimal()
        and len(units) <= _MOST_PLAIN_DIGITS
    ):
        return {"number": number, "code": parts[1], "units": int(units)}
    if parts[0] != _PROCEDURE or len(parts) == 1:
        _other_procedure(parsed, parts, layout, number)
        return None
    if not _counts_units(parsed, elements[layout.unit], number):
        return None
    count = whole_of(units)
    if count is None:
        problem = "its units of service are no whole number from 0"
        problem = problem if units else "states no units of service"
        parsed.refuse(f"line {number}", problem, "write whole units")
    fields = {"number": number, "code": parts[1].strip(), "units": count}
    # At most four modifiers follow the code; a description may stand behind them.
    modifiers = [part.strip() for part in parts[2:6] if part.strip()]
    if modifiers:
        fields["modifiers"] = modifiers
    return fields


def _other_procedure(parsed: Parsed, parts: list[str], layout: Layout, number: int) -> None:
    """Say what stands where an HCPCS code was looked for."""
    if not any(parts):
        if layout.setting == "facility":
            # A revenue code alone is a true line of a facility's claim.
            parsed.note("has no procedure code and is left out", number)
        else:
            parsed.refuse(f"line {number}", "has no procedure code in SV101", "write one")
    elif len(parts) == 1 or len(parts[0]) != 2 or not parts[0].isalnum():
        parsed.refuse(
            f"line {number}",
            "the procedure is not divided by the component separator that ISA16 declares",
            "write the composite with that separator",
        )
    else:
        parsed.note("names its procedure in another code set than HCPCS and is left out", number)


def _counts_units(parsed: Parsed, unit: str, number: int) -> bool:
    """Whether a line counts units; where its unit is not known at all, the claim is set aside."""
    if unit in {_MINUTES, _DAYS}:
        what = "minutes (MJ), as anesthesia does" if unit == _MINUTES else "days (DA)"
        parsed.note(f"counts {what}, not units, and is left out", number)
        return False
    if not unit:
        parsed.note("states no unit of measure; its quantity is read as units", number)
    elif unit != _UNITS:
        parsed.refuse(
            f"line {number}",
            "its quantity is not in units (UN), minutes (MJ) or days (DA)",
            "write units of service",
        )
    return True


def _read_revenue_code(parsed: Parsed, written: str, number: int, fields: dict[str, Any]) -> None:
    """SV201; some senders write it as an amount."""
    revenue = written.removesuffix(".00")
    if len(revenue) in {3, 4} and revenue.isascii() and revenue.isdecimal():
        fields["revenue_code"] = revenue
    elif revenue:
        parsed.note("its revenue code has no 3 or 4 digits and is left out", number)


def _read_pointers(parsed: Parsed, written: str, number: int, fields: dict[str, Any]) -> None:
    """SV107: which diagnoses of the claim the line is for."""
    pointers = _pointers(written, parsed.component)
    if pointers is None:
        parsed.note(
            "its diagnosis pointers are not numbers from 1, divided by the component separator, "
            "and are left out",
            number,
        )
    else:
        fields["diagnosis_pointers"] = pointers


@lru_cache(maxsize=4_096)
def _pointers(text: str, component: str) -> tuple[int, ...] | None:
    """The numbers of a composite of pointers; None: it holds something else."""
    # Some senders pad the composite; an empty place before a number is one that was lost.
    parts = text.rstrip(component).split(component)
    if text.isascii() and all(part.isdecimal() and len(part) < 4 and int(part) for part in parts):
        return tuple(map(int, parts))
    return None


def _read_days(parsed: Parsed, line: BilledLine, fields: dict[str, Any]) -> None:
    """Read a line's date where it is no single day: first and last, with a hyphen."""
    first, _, last = line.date_elements[3].partition("-")
    day = fields["date"] = day_of(first)
    if day is None or day_of(last) is None:
        parsed.refuse(
            f"line {line.number}",
            "its date of service (DTP*472) is no date",
            "write CCYYMMDD, or two of them with a hyphen",
        )
    elif last != first:
        parsed.note("covers several days; its first day stands for all", line.number)


def _read_drug(parsed: Parsed, line: BilledLine, fields: dict[str, Any]) -> None:
    """Read a line's NDC (LIN03), which its drug's code set N4 names."""
    if line.drug == SEVERAL:
        parsed.note("names several NDCs; none of them is kept", line.number)
    elif NDC.fullmatch(line.drug_elements[3]):
        fields["ndc"] = line.drug_elements[3]
    else:
        parsed.note("its NDC has no 10 or 11 digits and is left out", line.number)
