"""HCPCS Level II: what a release changes in the drug table, as a report to work from.

``release`` imports these files by the ``KINDS`` at the end, and writes ``drug_report``.

Layouts. The contractor record in fixed width (code in 1-5, sequence 6-10, kind of record in 11,
long description 12-91, date added 269-276, action effective 277-284, terminated 285-292, action
293), as the record layout that CMS ships with the files of 2024 says; and the spreadsheet of the
same files (``HCPC``, ``SEQNUM``, ``RECID``, ``LONG DESCRIPTION``, ..., ``TERM DT``, ``ACTION CD``),
known from public readers. No drug's class or technique stands in them, so nothing is changed by
itself: the report says which rows of drugs.csv to end, to look at, or to add.

Descriptions of Level II belong to CMS and are quoted for new drugs; those of CPT and of dental
codes belong to others and are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ivpush.authoring.cms.kinds import OUTSIDE, Cells, Column, Kind, Part, Wanted

__all__ = [
    "COLUMNS",
    "KINDS",
    "Finding",
    "drug_report",
]

CONTINUED, NO_DRUG = "continuing a description", "modifiers and other records"
# Kinds of record: 3 begins a procedure code, 4 goes on with its description; 7 and 8 are the same
# for a modifier.
_FIRST, _FURTHER = "3", "4"
_LEVEL_TWO = re.compile(r"[A-CE-V]\d{4}", re.ASCII)
_DRUG_LETTERS = frozenset("JQC")
_DRUG_WORDS = re.compile(r"^(injection|infusion)\b", re.IGNORECASE)
_MOST_TEXT = 80
_LINE = re.compile(r"(?:[A-Z0-9]{5}| {3}[A-Z0-9]{2})\d{5}[3478].{80}", re.ASCII)
"""The beginning of a contractor record: a code or a modifier, sequence, kind, description."""


class Finding(NamedTuple):
    """A row of the report: a code, what is to be done about it, its end here and in the pack."""

    code: str
    finding: str
    file: str = ""
    pack: str = ""
    description: str = ""


COLUMNS = Finding._fields


def _record(cells: Cells, wanted: Wanted, _release: date, part: Part) -> str:
    kind = cells["record"]
    if kind == _FURTHER:
        return CONTINUED
    if kind != _FIRST:
        return NO_DRUG
    code, ended = cells.code("code"), cells.day("ended")
    if not _LEVEL_TWO.fullmatch(code):
        return NO_DRUG
    text = cells["description"] if _DRUG_WORDS.match(cells["description"]) else ""
    new = code[0] in _DRUG_LETTERS and text != ""
    if code not in wanted.drugs and not new:
        return OUTSIDE
    return part.keep((code,), _written(ended), text[:_MOST_TEXT])


def _written(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def drug_report(part: Part, wanted: Wanted, release: date) -> list[Finding]:
    """Rows of the report: drugs that ended or are new, and those that the file does not hold."""
    absent = {code for code in wanted.drugs if _LEVEL_TWO.fullmatch(code)}
    absent -= {code for (code,) in part.rows}
    return sorted(
        [
            *_differences(part, wanted, release),
            *(Finding(code, "not in the file") for code in absent),
        ]
    )


def _differences(part: Part, wanted: Wanted, release: date) -> Iterator[Finding]:
    """Codes of the file that the drug table does not hold, or whose end it has otherwise."""
    for (code,), (text, description) in part.rows.items():
        ended = date.fromisoformat(text) if text else None
        if code not in wanted.drugs:
            # A drug that came and went before this release is nothing to add.
            if ended is None or ended > release:
                yield Finding(code, "new drug", file=text, description=description)
        elif ended != wanted.ended.get(code):
            finding = "has no end in the file" if ended is None else "ended"
            yield Finding(code, finding, file=text, pack=_written(wanted.ended.get(code)))


def _cut(line: str) -> dict[str, str]:
    """The cells of a contractor record; positions are one less than in CMS's own layout."""
    return {
        "code": line[:5].strip(),
        "record": line[10:11],
        "description": line[11:91].strip(),
        "ended": line[284:292].strip(),
    }


_RECORD = {
    "code": Column("HCPC", "hcpcs?(code)?"),
    "record": Column("RECID", "recid"),
    "description": Column("LONG DESCRIPTION", "longdescription"),
    "ended": Column("TERM DT", "termdt"),
}
KINDS = (Kind("hcpcs", "hcpcs", _RECORD, _record, fixed=_LINE, cut=_cut),)
