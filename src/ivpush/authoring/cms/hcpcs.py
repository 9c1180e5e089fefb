"""HCPCS Level II: what a release changes in the drug table, as a report to work from.

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
from datetime import date

from ivpush.authoring.cms.kinds import OUTSIDE, Cells, Kind, Part, Wanted

__all__ = [
    "COLUMNS",
    "KINDS",
    "drug_report",
]

COLUMNS = ("code", "finding", "file", "pack", "description")
CONTINUED, NO_DRUG = "continuing a description", "modifiers and other records"
_FIRST = frozenset("3")
_FURTHER = frozenset("4")
_LEVEL_TWO = re.compile(r"[A-CE-V]\d{4}", re.ASCII)
_DRUG_LETTERS = frozenset("JQC")
_DRUG_WORDS = re.compile(r"^(injection|infusion)\b", re.IGNORECASE)


def _record(cells: Cells, wanted: Wanted, _release: date, part: Part) -> str:
    kind = cells["record"]
    if kind in _FURTHER:
        return CONTINUED
    if kind not in _FIRST:
        return NO_DRUG
    code, ended = cells.code("code"), cells.day("ended")
    if not _LEVEL_TWO.fullmatch(code):
        return NO_DRUG
    text = cells["description"] if _DRUG_WORDS.match(cells["description"]) else ""
    new = code[0] in _DRUG_LETTERS and text != ""
    if code not in wanted.drugs and not new:
        return OUTSIDE
    return part.keep((code,), ended.isoformat() if ended is not None else "", text[:80])


def drug_report(part: Part, wanted: Wanted, release: date) -> list[tuple[str, ...]]:
    """Rows of the report: drugs that ended or are new, and those that the file does not hold."""
    made: list[tuple[str, ...]] = []
    for (code,), (text, description) in part.rows.items():
        ended = date.fromisoformat(text) if text else None
        over = ended is not None and ended <= release
        if code not in wanted.drugs:
            if not over:
                made.append((code, "new drug", text, "", description))
        elif ended != wanted.ended.get(code):
            held = wanted.ended.get(code)
            finding = "ended" if ended is not None else "has no end in the file"
            made.append((code, finding, text, held.isoformat() if held else "", ""))
    absent = {code for code in wanted.drugs if _LEVEL_TWO.fullmatch(code)}
    absent -= {code for (code,) in part.rows}
    return sorted([*made, *((code, "not in the file", "", "", "") for code in absent)])


_LINE = re.compile(r"(?:[A-Z0-9]{5}| {3}[A-Z0-9]{2})\d{5}[3478].{80}", re.ASCII)


def _cut(line: str) -> dict[str, str]:
    return {"code": line[:5].strip(), "record": line[10:11], "description": line[11:91].strip(),
            "ended": line[284:292].strip()}  # fmt: skip


KINDS = (
    Kind("hcpcs", "hcpcs",
         {"code": ("HCPC", "hcpcs?(code)?"), "record": ("RECID", "recid"),
          "description": ("LONG DESCRIPTION", "longdescription"), "ended": ("TERM DT", "termdt")},
         _record, fixed=_LINE, cut=_cut),
)  # fmt: skip
