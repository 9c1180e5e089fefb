"""One claim of an 837: its segments read into the fields of an encounter.

Names, addresses, notes and everything else that an encounter has no field for is never looked at.
What cannot be read so that the rest stays true sets the claim aside; what can be left out without
changing what is billed under a procedure code is left out with a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ivpush.errors import Fault, InputError
from ivpush.models import Encounter
from ivpush.readers.x12_segments import Claim

__all__ = ["BilledLine", "Layout", "Parsed", "day_of", "encounter_of", "number_of", "parse"]

_SPACE = b" \t\r\n"
_DIAGNOSIS = re.compile(rb"^[A-Z][0-9A-Z.]{2,8}$")
_NDC = re.compile(rb"^[0-9]{4,6}-?[0-9]{3,4}-?[0-9]{1,2}$")
_LINE_FAULT = re.compile(r"^lines\[(\d+)\]\.?([a-z_]*)(?:\[(\d+)\])?")
_PROCEDURE = b"HC"
_MOST_MODIFIERS = 4
_SETTINGS = {b"SV1": "professional", b"SV2": "facility"}
_GUIDES = {b"X222": "professional", b"X223": "facility", b"X098": "professional",
           b"X096": "facility"}  # fmt: skip
_VOID, _REPLACEMENTS, _LATE = b"8", (b"6", b"7"), b"5"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a service segment keeps what a line needs: positions of its elements."""

    setting: str
    composite: int
    charge: int
    unit: int
    units: int


LAYOUTS = {b"SV1": Layout("professional", 1, 2, 3, 4), b"SV2": Layout("facility", 2, 3, 4, 5)}


@dataclass(slots=True)
class BilledLine:
    """One service line as it stands in the claim: positions of its segments in the pieces."""

    start: int
    service: int = -1
    stop: int = -1
    number: int = 0
    written: bytes = b""
    """LX01; empty where the line has no LX."""
    kind: bytes = b""
    fields: dict[str, Any] | None = None
    """Fields of a ClaimLine; None: the line is left out."""
    dated: int = -1
    drug: int = -1
    control: str | None = None
    """REF*6R: the line's own number, which a remittance repeats."""
    adjudicated: bool = False
    """Whether the line repeats what another payer decided (SVD)."""


class Parsed:
    """A claim while it is read: fields, lines, notes, and the first fault."""

    __slots__ = ("claim", "component", "diagnoses", "element", "fault", "fields", "frequency",
                 "icd", "lines", "notes", "place", "statement", "total")  # fmt: skip

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.element, self.component = claim.separators.element, claim.separators.component
        self.fields: dict[str, Any] = {}
        self.lines: list[BilledLine] = []
        self.notes: dict[str, list[int]] = {}
        self.fault: Fault | None = claim.fault
        self.diagnoses: list[str] = []
        self.icd = True
        self.place: list[bytes] = []
        self.frequency = b""
        self.statement: date | None = None
        self.total: Decimal | None = None

    def note(self, message: str, line: int = 0) -> None:
        """Remember something that nobody should miss, about a line where one is named."""
        self.notes.setdefault(message, []).append(line)

    def refuse(self, where: str, problem: str, remedy: str) -> None:
        """Set the claim aside; the first reason stands."""
        self.fault = self.fault or Fault(where, problem, remedy)

    def messages(self) -> list[str]:
        """The notes as sentences; one that concerns several lines names them all."""
        out = []
        for message, lines in self.notes.items():
            those = [str(one) for one in lines if one]
            which = f"line{'s' if len(those) > 1 else ''} {', '.join(those)}: " if those else ""
            out.append(which + message)
        return out


@lru_cache(maxsize=8_192)
def day_of(text: bytes) -> date | None:
    """The date of CCYYMMDD; None: it is none."""
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def number_of(text: bytes) -> Decimal | None:
    """The value of a decimal element from 0; None: it is none, or beyond what a field holds."""
    whole, _, rest = text.partition(b".")
    if len(text) > 15 or len(rest) > 6 or not (whole + rest).isdigit():
        return None
    return Decimal(text.decode())


def _whole(text: bytes) -> int | None:
    """A whole number, where zeros may follow a decimal point."""
    if text.isdigit():
        return int(text) if len(text) < 10 else None
    whole, dot, rest = text.partition(b".")
    return _whole(whole) if dot and whole.isdigit() and not rest.strip(b"0") else None


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _claim(made: Parsed, _at: int, item: list[bytes]) -> None:
    made.fields["id"] = _text(item[1].strip()) if len(item) > 1 else ""
    if len(item) > 2:
        made.total = number_of(item[2].strip())
    stated = item[5].strip() if len(item) > 5 else b""
    made.place = stated.split(made.component)
    if not stated:
        made.note("CLM05 states no place and no frequency; it is read as an original claim")
    elif len(made.place) == 1 and not (stated.isalnum() and len(stated) <= 2):
        made.refuse("CLM05", "is not divided by the component separator that ISA16 declares",
                    "write the composite with that separator")  # fmt: skip
    elif len(made.place) > 2:
        made.frequency = made.place[2].strip()


def _diagnoses(made: Parsed, _at: int, item: list[bytes]) -> None:
    for one in item[1:]:
        part = one.split(made.component)
        if len(part) == 1:
            # A composite cut by another separator, or a qualifier alone; empty elements are fine.
            made.icd = made.icd and not one.strip()
        elif part[0] in {b"ABK", b"ABF"}:
            code = part[1].strip()
            made.icd = made.icd and bool(_DIAGNOSIS.match(code))
            made.diagnoses.append(code.decode("latin-1"))
        elif part[0] in {b"BK", b"BF"}:
            made.icd = False


def _counted(made: Parsed, at: int, item: list[bytes]) -> None:
    written = item[1].strip() if len(item) > 1 else b""
    made.lines.append(BilledLine(at, written=written or b"?"))


def _service(made: Parsed, at: int, item: list[bytes]) -> None:
    line = made.lines[-1] if made.lines else None
    if line is None or line.service >= 0:
        line = BilledLine(at)
        made.lines.append(line)
    line.service, line.kind = at, item[0]


def _procedure(made: Parsed, item: list[bytes], at: Layout, number: int) -> dict[str, Any] | None:
    """Code, modifiers and units of a service segment; None: the line carries no HCPCS code."""
    here, raw = f"line {number}", item[at.composite].strip() if len(item) > at.composite else b""
    part = raw.split(made.component)
    if not raw.replace(made.component, b""):
        if at.setting == "facility":
            made.note("has no procedure code and is left out", number)
        else:
            made.refuse(here, "has no procedure code in SV101", "write one")
        return None
    if len(part[0]) != 2 or len(part) == 1 or not part[0].isalnum():
        made.refuse(here, "the procedure is not divided by the component separator that ISA16 "
                    "declares", "write the composite with that separator")  # fmt: skip
        return None
    if part[0] != _PROCEDURE:
        made.note("names its procedure in another code set than HCPCS and is left out", number)
        return None
    unit = item[at.unit].strip() if len(item) > at.unit else b""
    amount = item[at.units].strip() if len(item) > at.units else b""
    if unit in {b"MJ", b"DA"}:
        what = "minutes (MJ), as anesthesia does" if unit == b"MJ" else "days (DA)"
        made.note(f"counts {what}, not units, and is left out", number)
        return None
    if unit not in {b"UN", b""}:
        made.refuse(here, "its quantity is not in units (UN), minutes (MJ) or days (DA)",
                    "write units of service")  # fmt: skip
    if not unit:
        made.note("states no unit of measure; its quantity is read as units", number)
    units = _whole(amount)
    if units is None:
        problem = "states no units of service" if not amount else (
            "its units of service are no whole number from 0")  # fmt: skip
        made.refuse(here, problem, "write whole units")
    modifiers = tuple(one.strip().decode("latin-1") for one in part[2:6] if one.strip())
    return {"number": number, "code": part[1].strip().decode("latin-1"), "modifiers": modifiers,
            "units": units}  # fmt: skip


def _read_service(made: Parsed, line: BilledLine) -> None:
    item = made.claim.pieces[line.service].strip(_SPACE).split(made.element)
    at, number = LAYOUTS[line.kind], line.number
    found = line.fields = _procedure(made, item, at, number)
    if found is None:
        return
    charge = item[at.charge].strip() if len(item) > at.charge else b""
    if charge:
        found["charge"] = number_of(charge)
        if found["charge"] is None:
            made.note("its charge is no number from 0 and is left out", number)
    if at.setting == "facility":
        revenue = item[1].strip()
        if revenue.endswith(b".00"):
            revenue = revenue[:-3]
        if len(revenue) in {3, 4} and revenue.isdigit():
            found["revenue_code"] = revenue.decode()
        elif revenue:
            made.note("its revenue code has no 3 or 4 digits and is left out", number)
        return
    if len(item) > 5 and item[5].strip():
        found["place_of_service"] = item[5].strip().decode("latin-1")
    pointers = item[7].strip() if len(item) > 7 else b""
    if pointers and made.icd:
        parts = [one for one in pointers.split(made.component) if one]
        if all(one.isdigit() and len(one) < 4 and int(one) for one in parts):
            found["diagnosis_pointers"] = tuple(map(int, parts))
        else:
            made.note("its diagnosis pointers are not numbers from 1, divided by the component "
                      "separator, and are left out", number)  # fmt: skip


def _dated(made: Parsed, at: int, item: list[bytes]) -> None:
    if len(item) < 4:
        return
    if item[1] == b"472" and made.lines:
        made.lines[-1].dated = at
    elif item[1] == b"434" or (item[1] == b"472" and made.statement is None):
        first, _, last = item[3].strip().partition(b"-")
        made.statement = day_of(first)
        if item[1] == b"434" and last and last != first:
            made.fields["spread"] = True


def _read_date(made: Parsed, line: BilledLine) -> None:
    if line.fields is None or line.dated < 0:
        return
    item = made.claim.pieces[line.dated].strip(_SPACE).split(made.element)
    first, _, last = item[3].strip().partition(b"-")
    day = day_of(first)
    if day is None or (last and day_of(last) is None):
        made.refuse(f"line {line.number}", "its date of service (DTP*472) is no date",
                    "write CCYYMMDD, or two of them with a hyphen")  # fmt: skip
        return
    if last and last != first:
        made.note("covers several days; its first day stands for all", line.number)
    line.fields["date"] = day


def _drug(made: Parsed, at: int, item: list[bytes]) -> None:
    if not made.lines or len(item) < 4 or item[2] != b"N4":
        return
    line = made.lines[-1]
    if line.drug >= 0:
        line.drug = -2  # several: remembered, and said once the line has its number
    elif line.drug == -1:
        line.drug = at


def _read_drug(made: Parsed, line: BilledLine) -> None:
    if line.fields is None or line.drug == -1:
        return
    if line.drug == -2:
        made.note("names several NDCs; none of them is kept", line.number)
        return
    item = made.claim.pieces[line.drug].strip(_SPACE).split(made.element)
    code = item[3].strip()
    if _NDC.match(code):
        line.fields["ndc"] = code.decode()
    else:
        made.note("its NDC has no 10 or 11 digits and is left out", line.number)


def _reference(made: Parsed, _at: int, item: list[bytes]) -> None:
    if made.lines and len(item) > 2 and item[1] == b"6R" and made.lines[-1].control is None:
        made.lines[-1].control = _text(item[2].strip())


def _other_payer(made: Parsed, _at: int, _item: list[bytes]) -> None:
    if made.lines:
        made.lines[-1].adjudicated = True


def _dental(made: Parsed, _at: int, _item: list[bytes]) -> None:
    made.refuse("SV3", "the claim is dental", "send professional (SV1) or facility (SV2) claims")


_Act = Callable[[Parsed, int, list[bytes]], None]
_ACTS: dict[bytes, _Act] = {
    b"CLM": _claim, b"HI": _diagnoses, b"LX": _counted, b"SV1": _service, b"SV2": _service,
    b"SV3": _dental, b"DTP": _dated, b"LIN": _drug, b"REF": _reference, b"SVD": _other_payer,
}  # fmt: skip


@lru_cache(maxsize=256)
def _acts(element: bytes) -> dict[bytes, _Act]:
    """What to do with a segment, by its first three bytes."""
    return {(tag + element)[:3]: act for tag, act in _ACTS.items()}


def parse(claim: Claim) -> Parsed:
    """The claim, read; its fault says why it must be set aside."""
    made, element = Parsed(claim), claim.separators.element
    acts = _acts(element).get
    for at, piece in enumerate(claim.pieces):
        if piece[:1].isspace():
            piece = piece.lstrip(_SPACE)
        act = acts(piece[:3])
        if act is not None:
            item = piece.rstrip(_SPACE).split(element)
            if item[0] in _ACTS:
                act(made, at, item)
    _number(made)
    for line in made.lines:
        if line.service < 0:
            made.note("has no service segment and is left out", line.number)
            continue
        _read_service(made, line)
        _read_date(made, line)
        _read_drug(made, line)
    _whole_claim(made)
    return made


def _number(made: Parsed) -> None:
    """Give each line the number of its LX, or of its place where those will not do."""
    lines = made.lines
    written = [line.written for line in lines]
    good = all(one.isdigit() and len(one) < 7 and int(one) for one in written)
    if good and len({int(one) for one in written}) == len(written):
        for line in lines:
            line.number = int(line.written)
    else:
        for number, line in enumerate(lines, 1):
            line.number = number
        made.note("LX does not number each line once; the lines are counted instead")
    for line, after in zip(lines, lines[1:], strict=False):
        line.stop = after.start
    if lines:
        lines[-1].stop = len(made.claim.pieces)


def _whole_claim(made: Parsed) -> None:
    """What only the whole claim shows: its setting, place, dates, and whether it may be judged."""
    if made.frequency == _VOID:
        made.refuse("CLM05-3", "the claim is a void (frequency 8): it takes back an earlier claim "
                    "and bills nothing", "send the claim that stands")  # fmt: skip
    if made.frequency in _REPLACEMENTS:
        made.note("the claim replaces an earlier one (CLM05-3); do not count both")
    if made.frequency == _LATE:
        made.note("the claim holds late charges only; what it builds on is on an earlier claim")
    kinds = {line.kind for line in made.lines if line.service >= 0}
    if len(kinds) > 1:
        made.refuse("the claim", "mixes professional (SV1) and facility (SV2) lines",
                    "send them as two claims")  # fmt: skip
    if not kinds:
        made.refuse("the claim", "has no service line (SV1, SV2)", "send the lines")
    lines = [line.fields for line in made.lines if line.fields is not None]
    if kinds and not lines:
        made.refuse("the claim", "has no line with an HCPCS code that counts units",
                    "check only claims that have one")  # fmt: skip
    if made.fault is not None:
        return
    _place(made, _SETTINGS[next(iter(kinds))])
    made.fields["lines"] = lines
    if made.icd:
        made.fields["diagnoses"] = made.diagnoses
    else:
        made.note("the diagnoses are not all ICD-10-CM codes; they and the pointers to them are "
                  "left out")  # fmt: skip
    spread, undated = made.fields.pop("spread", False), [one for one in lines if "date" not in one]
    if undated:
        if made.statement is None and len(undated) == len(lines):
            made.refuse("the claim", "states no date of service (DTP*472 or DTP*434)", "write one")
            return
        made.fields["date"] = made.statement
        which = "the statement's first day" if spread else "the statement's date"
        which = which if made.statement is not None else "the earliest date of the other lines"
        for one in undated:
            made.note(f"has no date of its own; {which} stands for it", one["number"])


def _place(made: Parsed, setting: str) -> None:
    made.fields["setting"] = setting
    guide = next((_GUIDES[one] for one in _GUIDES if one in made.claim.transaction.version), None)
    if guide is not None and guide != setting:
        made.note(f"GS08 names the {guide} guide, but the lines are {setting}; the lines decide")
    place = made.place[0].strip()
    if setting == "professional" and place:
        made.fields["place_of_service"] = place.decode("latin-1")
    elif place and made.frequency:
        made.fields["type_of_bill"] = (place + made.frequency).decode("latin-1")
    elif place:
        made.note("CLM05-3 states no frequency, so that the type of bill is not known")


_NAMES = {"code": "procedure code", "modifiers": "modifier", "place_of_service": "place of service",
          "charge": "charge", "number": "LX01", "units": "units of service"}  # fmt: skip

_PLACES = {"id": "CLM01", "place_of_service": "CLM05-1", "type_of_bill": "CLM05-1 and CLM05-3",
           "Encounter": "the claim", "the encounter": "the claim"}  # fmt: skip


def encounter_of(made: Parsed, payer: str | None) -> Encounter:
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
