"""One claim of an 837: its segments read into the fields of an encounter; the reader calls it.

Names, addresses, notes and everything else that an encounter has no field for is never looked at.
What cannot be read so that the rest stays true sets the claim aside; what can be left out without
changing what is billed under a procedure code is left out with a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ivpush.readers.shapes import DIAGNOSIS
from ivpush.readers.x12.elements import day_of, number_of, text_of
from ivpush.readers.x12.lines import read_line
from ivpush.readers.x12.parsed import ABSENT, LAYOUTS, SEVERAL, BilledLine, Parsed
from ivpush.readers.x12.walk import Claim

__all__ = ["parse"]

# Qualifiers of HI: the principal and the further diagnoses, in ICD-10-CM and in ICD-9-CM.
_ICD_10, _ICD_9 = frozenset({"ABK", "ABF"}), frozenset({"BK", "BF"})
# Those of admission, reasons, external causes, procedures, occurrences, values and conditions.
_OTHER_CODES = re.compile("A?B[JN]|A?PR|B?B[QR]|B[EGHIOP]|[DT][CR]")
# The third element of a composite of HI says how the fourth is written, where it holds a date.
_DATE_FORMS = frozenset({"", "D8", "RD8"})
# Qualifiers of DTP: the service's own date, and the statement's.
_SERVICE_DATE, _STATEMENT_DATE = "472", "434"
# Implementation guides by a part of GS08, of 5010 and of 4010.
_GUIDES = {
    b"X222": "professional",
    b"X223": "facility",
    b"X098": "professional",
    b"X096": "facility",
}
# CLM05-3, the frequency of a claim; empty where it is not stated.
_ORIGINAL, _VOID, _REPLACEMENTS, _LATE = frozenset({"", "1"}), "8", frozenset({"6", "7"}), "5"
_ORDINALS = [str(number) for number in range(1, 1_000)]
_MOST_LINE_NUMBER = 999_999


def parse(claim: Claim) -> Parsed:
    """The claim, read; its fault says why it must be set aside."""
    parsed = Parsed(claim)
    _gather(parsed)
    _number_lines(parsed)
    for line in parsed.lines:
        read_line(parsed, line)
    _finish(parsed)
    return parsed


def _gather(parsed: Parsed) -> None:
    """Take the segments that an encounter has a field for, in the order of the claim."""
    claim, element = parsed.claim, parsed.element
    if not _known(claim.separators.element).issuperset(claim.keys):
        parsed.note(
            "the claim holds a segment that no guide of claims has; nothing is read from it"
        )
    wanted, pieces = _wanted(claim.separators.element), claim.pieces
    for at, key in enumerate(claim.keys):
        if key in wanted:
            raw = pieces[at].strip()
            elements = raw.decode("latin-1").split(element)
            if b" " in raw:
                elements = [text.strip() for text in elements]
            # The key is only three bytes: a longer tag may begin with the same ones.
            take = _TAKERS.get(elements[0])
            if take is not None:
                take(parsed, at, elements)


def _take_claim(parsed: Parsed, _at: int, elements: list[str]) -> None:
    """CLM: the claim's id, total, place and frequency."""
    parsed.fields["id"] = text_of(elements[1]) if len(elements) > 1 else ""
    if len(elements) > 2:
        parsed.total = number_of(elements[2])
    place = elements[5] if len(elements) > 5 else ""
    parts = parsed.place = place.split(parsed.component)
    if not place:
        parsed.note("CLM05 states no place and no frequency; it is read as an original claim")
    elif len(parts) == 1 and not (place.isalnum() and len(place) <= 2):
        parsed.refuse(
            "CLM05",
            "is not divided by the component separator that ISA16 declares",
            "write the composite with that separator",
        )
    elif len(parts) > 2:
        parsed.frequency = parts[2]


def _take_diagnoses(parsed: Parsed, _at: int, elements: list[str]) -> None:
    """HI: diagnoses among other codes, whose qualifiers are passed by."""
    if len(elements) == 1 or "" in elements:
        parsed.note("HI holds an empty element, so that a diagnosis may be missing")
    for composite in elements[1:]:
        parts = composite.split(parsed.component)
        if len(parts) == 1:
            # A composite cut by another separator, or a qualifier alone; empty elements are fine.
            parsed.icd = parsed.icd and not composite
        elif len(parts) > 2 and parts[2] not in _DATE_FORMS:
            _take_joined(parsed, parts)
        else:
            _take_diagnosis(parsed, parts[0], parts[1])


def _take_joined(parsed: Parsed, parts: list[str]) -> None:
    """Several codes in one composite, each behind its qualifier."""
    qualifiers = parts[::2]
    if len(parts) % 2 or not (_ICD_10 | _ICD_9).issuperset(qualifiers):
        # Of a composite that is built in another way nobody knows how many codes it holds.
        parsed.icd = parsed.icd and parts[0] not in _ICD_10 | _ICD_9
        return
    parsed.note("HI holds several diagnoses in one composite; each is read")
    for qualifier, code in zip(qualifiers, parts[1::2], strict=True):
        _take_diagnosis(parsed, qualifier, code)


def _take_diagnosis(parsed: Parsed, qualifier: str, code: str) -> None:
    if qualifier in _ICD_10:
        parsed.icd = parsed.icd and DIAGNOSIS.fullmatch(code) is not None
        parsed.diagnoses.append(code)
    elif qualifier in _ICD_9:
        parsed.icd = False
    elif _OTHER_CODES.fullmatch(qualifier) is None:
        parsed.note("HI names a kind of code that no guide has; a diagnosis may be missing")


def _take_counter(parsed: Parsed, at: int, elements: list[str]) -> None:
    """LX: a line begins."""
    # An LX without a number is marked, for no LX at all is written as an empty text.
    parsed.lines.append(BilledLine(at, (elements[1] if len(elements) > 1 else "") or "?"))


def _take_service(parsed: Parsed, at: int, elements: list[str]) -> None:
    """SV1 or SV2: what the line bills; it begins a line of its own where no LX did."""
    line = parsed.lines[-1] if parsed.lines else None
    if line is None or line.service != ABSENT:
        line = BilledLine(at)
        parsed.lines.append(line)
    line.service, line.service_elements = at, elements
    parsed.kinds.add(elements[0])


def _take_date(parsed: Parsed, at: int, elements: list[str]) -> None:
    """DTP: the date of a line, or of the statement before the first one."""
    if len(elements) < 4:
        return
    kind = elements[1]
    if kind == _SERVICE_DATE and parsed.lines:
        _date_line(parsed.lines[-1], at, elements)
    elif kind == _STATEMENT_DATE or (kind == _SERVICE_DATE and parsed.statement is None):
        first, _, last = elements[3].partition("-")
        parsed.statement = day_of(first)
        parsed.several_days = bool(last) and last != first


def _date_line(line: BilledLine, at: int, elements: list[str]) -> None:
    """The first date of a line stands; another one beside it is said."""
    if line.dated == ABSENT:
        line.dated, line.date_elements = at, elements
    elif line.date_elements[2:] != elements[2:]:
        line.dates_differ = True


def _take_drug(parsed: Parsed, at: int, elements: list[str]) -> None:
    """LIN: the NDC of a line's drug, which the qualifier N4 names."""
    if len(elements) < 4:
        parsed.note("a drug segment (LIN) breaks off before its code, and is left out")
    elif parsed.lines and elements[2] == "N4":
        line = parsed.lines[-1]
        # Several NDCs are remembered, and said once the line has its number.
        line.drug = at if line.drug == ABSENT else SEVERAL
        line.drug_elements = elements


def _take_reference(parsed: Parsed, _at: int, elements: list[str]) -> None:
    """REF*6R: the number that the provider gave a line."""
    if parsed.lines and len(elements) > 2 and elements[1] == "6R":
        line = parsed.lines[-1]
        if line.control is None:
            line.control = text_of(elements[2])


def _take_other_payer(parsed: Parsed, _at: int, _elements: list[str]) -> None:
    """SVD: what another payer decided on a line."""
    if parsed.lines:
        parsed.lines[-1].adjudicated = True


def _take_dental(parsed: Parsed, _at: int, _elements: list[str]) -> None:
    parsed.refuse("SV3", "the claim is dental", "send professional (SV1) or facility (SV2) claims")


_Take = Callable[[Parsed, int, list[str]], None]
"""Takes a segment into the claim: its position in the pieces, and its elements."""
_TAKERS: dict[str, _Take] = {
    "CLM": _take_claim,
    "HI": _take_diagnoses,
    "LX": _take_counter,
    "SV1": _take_service,
    "SV2": _take_service,
    "SV3": _take_dental,
    "DTP": _take_date,
    "LIN": _take_drug,
    "REF": _take_reference,
    "SVD": _take_other_payer,
}


@lru_cache(maxsize=256)
def _wanted(element: bytes) -> frozenset[bytes]:
    """First three bytes of the segments that are taken."""
    return frozenset((tag.encode() + element)[:3] for tag in _TAKERS)


# Every segment that the guides of claims know within a claim. Pieces are told by three bytes, so
# that a tag of two letters has the separator behind it.
_TAGS = (
    "AMT|CAS|CL1|CLM|CN1|CR1|CR2|CR3|CR4|CR5|CR6|CR7|CR8|CRC|CTP|CUR|DMG|DN1|DN2|DSB|DTP|FRM|HCP|"
    "HI|HL|HSD|IMM|K3|LIN|LQ|LX|MEA|MIA|MOA|N2|N3|N4|NM1|NTE|OI|PAT|PER|PRV|PS1|PWK|QTY|REF|SBR|"
    "SV1|SV2|SV3|SV4|SV5|SVD|TOO"
)


@lru_cache(maxsize=256)
def _known(element: bytes) -> frozenset[bytes]:
    """First three bytes of every segment that a claim may hold; blank lines hold none."""
    return frozenset({b"", *((tag.encode() + element)[:3] for tag in _TAGS.split("|"))})


def _number_lines(parsed: Parsed) -> None:
    """Give each line the number of its LX, or of its place where those will not do."""
    lines = parsed.lines
    written = [line.written for line in lines]
    if written == _ORDINALS[: len(written)]:
        numbers = list(range(1, len(lines) + 1))
    else:
        numbers = _written_numbers(written)
        if not numbers:
            numbers, parsed.counted = list(range(1, len(lines) + 1)), True
            parsed.note("LX does not number each line once; the lines are counted instead")
    for line, number in zip(lines, numbers, strict=True):
        line.number = number


def _written_numbers(written: list[str]) -> list[int]:
    """The numbers of LX; empty where they do not name each line once."""
    every = "".join(written)
    if not (every.isascii() and every.isdecimal()) or "" in written:
        return []
    numbers = [int(text[:8]) for text in written]
    if len(set(numbers)) < len(written) or 0 in numbers or max(numbers) > _MOST_LINE_NUMBER:
        return []
    return numbers


def _finish(parsed: Parsed) -> None:
    """What only the whole claim shows: its setting, place, dates, and whether it may be judged."""
    if parsed.frequency not in _ORIGINAL:
        _judge_frequency(parsed)
    lines = [line.fields for line in parsed.lines if line.fields is not None]
    _require_lines(parsed, lines)
    if parsed.fault is not None:
        return
    _read_place(parsed, LAYOUTS[next(iter(parsed.kinds))].setting)
    parsed.fields["lines"] = lines
    if not parsed.icd:
        parsed.note(
            "the diagnoses are not all ICD-10-CM codes; they and the pointers to them are left out"
        )
    else:
        parsed.fields["diagnoses"] = parsed.diagnoses
    _date_claim(parsed, lines)


def _judge_frequency(parsed: Parsed) -> None:
    """Say what a claim is that is no original one."""
    if parsed.frequency == _VOID:
        parsed.refuse(
            "CLM05-3",
            "the claim is a void (frequency 8): it takes back an earlier claim and bills nothing",
            "send the claim that stands",
        )
    elif parsed.frequency in _REPLACEMENTS:
        parsed.note("the claim replaces an earlier one (CLM05-3); do not count both")
    elif parsed.frequency == _LATE:
        parsed.note("the claim holds late charges only; what it builds on is on an earlier claim")


def _require_lines(parsed: Parsed, lines: list[dict[str, Any]]) -> None:
    """Set the claim aside where it has no lines to judge, or those of two settings."""
    if len(parsed.kinds) > 1:
        parsed.refuse(
            "the claim",
            "mixes professional (SV1) and facility (SV2) lines",
            "send them as two claims",
        )
    elif not parsed.kinds:
        parsed.refuse("the claim", "has no service line (SV1, SV2)", "send the lines")
    elif not lines:
        parsed.refuse(
            "the claim",
            "has no line with an HCPCS code that counts units",
            "check only claims that have one",
        )


def _read_place(parsed: Parsed, setting: str) -> None:
    """The setting, and CLM05 as a place of service or a type of bill."""
    parsed.fields["setting"] = setting
    guide = _guide(parsed.claim.transaction.version)
    if guide is not None and guide != setting:
        parsed.note(f"GS08 names the {guide} guide, but the lines are {setting}; the lines decide")
    place = parsed.place[0].strip()
    if setting == "professional":
        if place:
            parsed.fields["place_of_service"] = place
    elif place and parsed.frequency:
        parsed.fields["type_of_bill"] = place + parsed.frequency
    elif place:
        parsed.note("CLM05-3 states no frequency, so that the type of bill is not known")


@lru_cache(maxsize=256)
def _guide(version: bytes) -> str | None:
    return next((setting for part, setting in _GUIDES.items() if part in version), None)


def _date_claim(parsed: Parsed, lines: list[dict[str, Any]]) -> None:
    """Give the claim a date where a line has none."""
    undated = [line for line in lines if "date" not in line]
    if not undated:
        return
    if parsed.statement is None and len(undated) == len(lines):
        problem = "states no date of service (DTP*472 or DTP*434)"
        parsed.refuse("the claim", problem, "write one")
        return
    parsed.fields["date"] = parsed.statement
    if parsed.statement is None:
        which = "the earliest date of the other lines"
    else:
        which = "the statement's first day" if parsed.several_days else "the statement's date"
    for line in undated:
        parsed.note(f"has no date of its own; {which} stands for it", line["number"])
