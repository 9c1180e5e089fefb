"""One claim of an 837: its segments read into the fields of an encounter.

Names, addresses, notes and everything else that an encounter has no field for is never looked at.
What cannot be read so that the rest stays true sets the claim aside; what can be left out without
changing what is billed under a procedure code is left out with a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from ivpush.errors import Fault
from ivpush.readers.x12.walk import Claim

__all__ = [
    "LAYOUTS",
    "BilledLine",
    "Layout",
    "Parsed",
    "day_of",
    "number_of",
    "parse",
]

_DIAGNOSIS = re.compile(r"^[A-Z][0-9A-Z.]{2,8}\Z")
_NDC = re.compile(r"^[0-9]{4,6}-?[0-9]{3,4}-?[0-9]{1,2}\Z")
_PROCEDURE = "HC"
_SETTINGS = {"SV1": "professional", "SV2": "facility"}
_GUIDES = {b"X222": "professional", b"X223": "facility", b"X098": "professional",
           b"X096": "facility"}  # fmt: skip
_ORDINALS = [str(one) for one in range(1, 1_000)]
_PLAIN, _VOID, _REPLACEMENTS, _LATE = {"", "1"}, "8", ("6", "7"), "5"


class Layout(NamedTuple):
    """Where a service segment keeps what a line needs: positions of its elements."""

    setting: str
    composite: int
    charge: int
    unit: int
    units: int


LAYOUTS = {"SV1": Layout("professional", 1, 2, 3, 4), "SV2": Layout("facility", 2, 3, 4, 5)}


class BilledLine:
    """One service line as it stands in the claim: positions of its segments in the pieces."""

    service: int = -1
    dated: int = -1
    drug: int = -1
    number: int = 0
    written: str = ""
    """LX01; empty where the line has no LX."""
    fields: dict[str, Any] | None = None
    """Fields of a ClaimLine; None: the line is left out."""
    control: str | None = None
    """REF*6R: the line's own number, which a remittance repeats."""
    adjudicated: bool = False
    """Whether the line repeats what another payer decided (SVD)."""
    item: list[str]
    date_item: list[str]
    drug_item: list[str]

    def __init__(self, start: int, written: str = "") -> None:
        self.start, self.written = start, written


class Parsed:
    """A claim while it is read: fields, lines, notes, and the first fault."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.element = claim.separators.element.decode("latin-1")
        self.component = claim.separators.component.decode("latin-1")
        self.fields: dict[str, Any] = {}
        self.lines: list[BilledLine] = []
        self.notes: dict[str, list[int]] = {}
        self.fault: Fault | None = claim.fault
        self.diagnoses: list[str] = []
        self.kinds: set[str] = set()
        """Service segments seen: SV1, SV2."""
        self.icd = True
        self.place: list[str] = [""]
        self.frequency = ""
        self.statement: date | None = None
        self.several_days = False
        self.total: Decimal | None = None
        self.counted = False
        """Whether lines are numbered by their place, because LX would not do."""

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
def day_of(text: str) -> date | None:
    """The date of CCYYMMDD; None: it is none."""
    if len(text) != 8 or not (text.isascii() and text.isdecimal()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


@lru_cache(maxsize=8_192)
def number_of(text: str) -> Decimal | None:
    """The value of a decimal element from 0; None: it is none, or beyond what a field holds."""
    whole, _, rest = text.partition(".")
    if len(text) > 15 or len(rest) > 6 or not ((whole + rest).isdecimal() and text.isascii()):
        return None
    return Decimal(text)


def _whole(text: str) -> int | None:
    """A whole number, where zeros may follow a decimal point."""
    if text.isdecimal():
        return int(text) if len(text) < 10 else None
    whole, dot, rest = text.partition(".")
    return _whole(whole) if dot and whole.isdecimal() and not rest.strip("0") else None


def _utf8(text: str) -> str:
    """Text of an element as its sender meant it: segments are cut as Latin-1."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _claim(made: Parsed, _at: int, item: list[str]) -> None:
    made.fields["id"] = _utf8(item[1]) if len(item) > 1 else ""
    if len(item) > 2:
        made.total = number_of(item[2])
    stated = item[5] if len(item) > 5 else ""
    made.place = stated.split(made.component)
    if not stated:
        made.note("CLM05 states no place and no frequency; it is read as an original claim")
    elif len(made.place) == 1 and not (stated.isalnum() and len(stated) <= 2):
        made.refuse("CLM05", "is not divided by the component separator that ISA16 declares",
                    "write the composite with that separator")  # fmt: skip
    elif len(made.place) > 2:
        made.frequency = made.place[2]


def _diagnoses(made: Parsed, _at: int, item: list[str]) -> None:
    for one in item[1:]:
        part = one.split(made.component)
        if len(part) == 1:
            # A composite cut by another separator, or a qualifier alone; empty elements are fine.
            made.icd = made.icd and not one
        elif part[0] in {"ABK", "ABF"}:
            made.icd = made.icd and _DIAGNOSIS.match(part[1]) is not None
            made.diagnoses.append(part[1])
        elif part[0] in {"BK", "BF"}:
            made.icd = False


def _counted(made: Parsed, at: int, item: list[str]) -> None:
    made.lines.append(BilledLine(at, (item[1] if len(item) > 1 else "") or "?"))


def _service(made: Parsed, at: int, item: list[str]) -> None:
    line = made.lines[-1] if made.lines else None
    if line is None or line.service >= 0:
        line = BilledLine(at)
        made.lines.append(line)
    line.service, line.item = at, item
    made.kinds.add(item[0])


def _dated(made: Parsed, at: int, item: list[str]) -> None:
    if len(item) < 4:
        return
    if item[1] == "472" and made.lines:
        made.lines[-1].dated, made.lines[-1].date_item = at, item
    elif item[1] == "434" or (item[1] == "472" and made.statement is None):
        first, _, last = item[3].partition("-")
        made.statement = day_of(first)
        made.several_days = bool(last) and last != first


def _drug(made: Parsed, at: int, item: list[str]) -> None:
    if made.lines and len(item) > 3 and item[2] == "N4":
        line = made.lines[-1]
        # Several NDCs are remembered as -2, and said once the line has its number.
        line.drug = at if line.drug == -1 else -2
        line.drug_item = item


def _reference(made: Parsed, _at: int, item: list[str]) -> None:
    if made.lines and len(item) > 2 and item[1] == "6R" and made.lines[-1].control is None:
        made.lines[-1].control = _utf8(item[2])


def _other_payer(made: Parsed, _at: int, _item: list[str]) -> None:
    if made.lines:
        made.lines[-1].adjudicated = True


def _dental(made: Parsed, _at: int, _item: list[str]) -> None:
    made.refuse("SV3", "the claim is dental", "send professional (SV1) or facility (SV2) claims")


_Act = Callable[[Parsed, int, list[str]], None]
_ACTS: dict[str, _Act] = {
    "CLM": _claim, "HI": _diagnoses, "LX": _counted, "SV1": _service, "SV2": _service,
    "SV3": _dental, "DTP": _dated, "LIN": _drug, "REF": _reference, "SVD": _other_payer,
}  # fmt: skip


@lru_cache(maxsize=256)
def _acts(element: bytes) -> dict[bytes, _Act]:
    """What to do with a segment, by its first three bytes."""
    return {(tag.encode() + element)[:3]: act for tag, act in _ACTS.items()}


def parse(claim: Claim) -> Parsed:
    """The claim, read; its fault says why it must be set aside."""
    made = Parsed(claim)
    acts, pieces, element = _acts(claim.separators.element), claim.pieces, made.element
    for at, key in enumerate(claim.keys):
        if key in acts:
            raw = pieces[at].strip()
            item = raw.decode("latin-1").split(element)
            if b" " in raw:
                item = [one.strip() for one in item]
            if item[0] in _ACTS:
                acts[key](made, at, item)
    _number(made)
    for line in made.lines:
        if line.service < 0:
            made.note("has no service segment and is left out", line.number)
            continue
        found = _read_service(made, line)
        if found is None:
            continue
        if line.dated >= 0:
            day = found["date"] = day_of(line.date_item[3])
            if day is None:
                _read_days(made, line, found)
        if line.drug != -1:
            _read_drug(made, line, found)
    _whole_claim(made)
    return made


def _number(made: Parsed) -> None:
    """Give each line the number of its LX, or of its place where those will not do."""
    lines = made.lines
    written = [line.written for line in lines]
    if written == _ORDINALS[: len(written)]:
        for line, number in zip(lines, range(1, len(lines) + 1), strict=True):
            line.number = number
        return
    every = "".join(written)
    good = every.isascii() and every.isdecimal() and "" not in written
    numbers = [int(one[:8]) for one in written] if good else []
    if len(set(numbers)) < len(lines) or 0 in numbers or max(numbers) > 999_999:
        numbers, made.counted = list(range(1, len(lines) + 1)), True
        made.note("LX does not number each line once; the lines are counted instead")
    for line, number in zip(lines, numbers, strict=True):
        line.number = number


def _read_service(made: Parsed, line: BilledLine) -> dict[str, Any] | None:
    """Read the service segment of a line into its fields."""
    item, number = line.item, line.number
    setting, composite, charge_at, unit, units = LAYOUTS[item[0]]
    if len(item) < 8:
        item = line.item = [*item, *[""] * (8 - len(item))]
    part, amount = item[composite].split(made.component), item[units]
    if (part[0] == _PROCEDURE and len(part) == 2 and item[unit] == "UN"
            and amount.isdecimal() and len(amount) < 10):  # fmt: skip
        found: dict[str, Any] | None = {"number": number, "code": part[1], "units": int(amount)}
    else:
        found = _procedure(made, item, part, number)
    line.fields = found
    if found is None:
        return None
    charge = item[charge_at]
    if charge:
        value = number_of(charge)
        if value is None:
            made.note("its charge is no number from 0 and is left out", number)
        else:
            found["charge"] = value
    if setting == "facility":
        revenue = item[1].removesuffix(".00")
        if len(revenue) in {3, 4} and revenue.isascii() and revenue.isdecimal():
            found["revenue_code"] = revenue
        elif revenue:
            made.note("its revenue code has no 3 or 4 digits and is left out", number)
        return found
    if item[5]:
        found["place_of_service"] = item[5]
    if item[7] and made.icd:
        pointers = _pointers(item[7], made.component)
        if pointers is None:
            made.note("its diagnosis pointers are not numbers from 1, divided by the component "
                      "separator, and are left out", number)  # fmt: skip
        else:
            found["diagnosis_pointers"] = pointers
    return found


@lru_cache(maxsize=4_096)
def _pointers(text: str, component: str) -> tuple[int, ...] | None:
    parts = [one for one in text.split(component) if one]
    if text.isascii() and all(one.isdecimal() and len(one) < 4 and int(one) for one in parts):
        return tuple(map(int, parts))
    return None


def _procedure(
    made: Parsed, item: list[str], part: list[str], number: int
) -> dict[str, Any] | None:
    """Code, modifiers and units of a service segment; None: the line carries no HCPCS code."""
    at = LAYOUTS[item[0]]
    if part[0] != _PROCEDURE or len(part) == 1:
        _other_procedure(made, part, at, number)
        return None
    unit = item[at.unit]
    if unit != "UN":
        if unit in {"MJ", "DA"}:
            what = "minutes (MJ), as anesthesia does" if unit == "MJ" else "days (DA)"
            made.note(f"counts {what}, not units, and is left out", number)
            return None
        if unit:
            made.refuse(f"line {number}", "its quantity is not in units (UN), minutes (MJ) or days "
                        "(DA)", "write units of service")  # fmt: skip
        else:
            made.note("states no unit of measure; its quantity is read as units", number)
    units = _whole(item[at.units])
    if units is None:
        problem = "its units of service are no whole number from 0"
        made.refuse(f"line {number}", problem if item[at.units] else "states no units of service",
                    "write whole units")  # fmt: skip
    found = {"number": number, "code": part[1].strip(), "units": units}
    modifiers = [one.strip() for one in part[2:6] if one.strip()]
    if modifiers:
        found["modifiers"] = modifiers
    return found


def _other_procedure(made: Parsed, part: list[str], at: Layout, number: int) -> None:
    """Say what stands where an HCPCS code was looked for."""
    if not any(part):
        if at.setting == "facility":
            made.note("has no procedure code and is left out", number)
        else:
            made.refuse(f"line {number}", "has no procedure code in SV101", "write one")
    elif len(part) == 1 or len(part[0]) != 2 or not part[0].isalnum():
        made.refuse(f"line {number}", "the procedure is not divided by the component separator "
                    "that ISA16 declares", "write the composite with that separator")  # fmt: skip
    else:
        made.note("names its procedure in another code set than HCPCS and is left out", number)


def _read_days(made: Parsed, line: BilledLine, fields: dict[str, Any]) -> None:
    """Read a line's date where it is no single day."""
    first, _, last = line.date_item[3].partition("-")
    day = fields["date"] = day_of(first)
    if day is None or day_of(last) is None:
        made.refuse(f"line {line.number}", "its date of service (DTP*472) is no date",
                    "write CCYYMMDD, or two of them with a hyphen")  # fmt: skip
    elif last != first:
        made.note("covers several days; its first day stands for all", line.number)


def _read_drug(made: Parsed, line: BilledLine, fields: dict[str, Any]) -> None:
    if line.drug == -2:
        made.note("names several NDCs; none of them is kept", line.number)
    elif _NDC.match(line.drug_item[3]):
        fields["ndc"] = line.drug_item[3]
    else:
        made.note("its NDC has no 10 or 11 digits and is left out", line.number)


def _whole_claim(made: Parsed) -> None:
    """What only the whole claim shows: its setting, place, dates, and whether it may be judged."""
    if made.frequency not in _PLAIN:
        _frequency(made)
    kinds = made.kinds
    lines = [line.fields for line in made.lines if line.fields is not None]
    if len(kinds) > 1:
        made.refuse("the claim", "mixes professional (SV1) and facility (SV2) lines",
                    "send them as two claims")  # fmt: skip
    elif not kinds:
        made.refuse("the claim", "has no service line (SV1, SV2)", "send the lines")
    elif not lines:
        made.refuse("the claim", "has no line with an HCPCS code that counts units",
                    "check only claims that have one")  # fmt: skip
    if made.fault is not None:
        return
    _place(made, _SETTINGS[next(iter(kinds))])
    made.fields["lines"] = lines
    if made.icd:
        if made.diagnoses:
            made.fields["diagnoses"] = made.diagnoses
    else:
        made.note("the diagnoses are not all ICD-10-CM codes; they and the pointers to them are "
                  "left out")  # fmt: skip
    _undated(made, lines)


def _frequency(made: Parsed) -> None:
    if made.frequency == _VOID:
        made.refuse("CLM05-3", "the claim is a void (frequency 8): it takes back an earlier claim "
                    "and bills nothing", "send the claim that stands")  # fmt: skip
    elif made.frequency in _REPLACEMENTS:
        made.note("the claim replaces an earlier one (CLM05-3); do not count both")
    elif made.frequency == _LATE:
        made.note("the claim holds late charges only; what it builds on is on an earlier claim")


def _undated(made: Parsed, lines: list[dict[str, Any]]) -> None:
    """Give the claim a date where a line has none."""
    undated = [one for one in lines if "date" not in one]
    if not undated:
        return
    if made.statement is None and len(undated) == len(lines):
        made.refuse("the claim", "states no date of service (DTP*472 or DTP*434)", "write one")
        return
    made.fields["date"] = made.statement
    which = "the statement's first day" if made.several_days else "the statement's date"
    which = which if made.statement is not None else "the earliest date of the other lines"
    for one in undated:
        made.note(f"has no date of its own; {which} stands for it", one["number"])


@lru_cache(maxsize=256)
def _guide(version: bytes) -> str | None:
    return next((_GUIDES[one] for one in _GUIDES if one in version), None)


def _place(made: Parsed, setting: str) -> None:
    made.fields["setting"] = setting
    guide = _guide(made.claim.transaction.version)
    if guide is not None and guide != setting:
        made.note(f"GS08 names the {guide} guide, but the lines are {setting}; the lines decide")
    place = made.place[0].strip()
    if setting == "professional":
        if place:
            made.fields["place_of_service"] = place
    elif place and made.frequency:
        made.fields["type_of_bill"] = place + made.frequency
    elif place:
        made.note("CLM05-3 states no frequency, so that the type of bill is not known")
