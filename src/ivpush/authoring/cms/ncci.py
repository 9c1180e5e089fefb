"""NCCI edits: pairs of codes (PTP), unlikely units (MUE), add-on codes (AOC).

``release`` imports these files by the ``KINDS`` at the end.

Layouts. PTP: seven columns (Column 1, Column 2, the mark of pairs that existed before 1996,
Effective Date, Deletion Date with ``*`` for none, Modifier 0/1/9, rationale) under a notice and a
heading split over several rows, in several parts a setting; known from public readers of the files
of 2024 to 2026 (v30.1 to v32.3), not from a file itself. MUE: code, units, adjudication indicator
with its words (``3 Date of Service Edit: Clinical``), rationale; known the same way, 2024 to 2026.
AOC: the columns of the spreadsheet of 2024 (add-on, primary, their deletion dates, the edit's type,
effective and deletion date as year and day of the year), and the text form, whose line is the type
and the add-on, the primary, the effective day and a note; known from public readers, and no file
was at hand.
"""

from __future__ import annotations

import re
from datetime import date

from ivpush.authoring.cms.kinds import DELETED, LATER, OUTSIDE, Cells, Column, Kind, Part, Wanted

__all__ = [
    "KINDS",
]

NO_INDICATOR = "without a modifier indicator"
ANY_PRIMARY = "with the contractor's own primaries"
_ANY = "CCCCC"
"""What stands in place of a primary where the contractor says which ones it takes."""
_TYPES = "".join(map(str, range(1, 4)))
_PAIR = {
    "column1": Column("Column 1", "column1(code)?"),
    "column2": Column("Column 2", "column2(code)?"),
    "effective": Column("Effective Date", "effective(date)?"),
    "deletion": Column("Deletion Date", "deletion(date)?(nodata)?"),
    "indicator": Column(
        "Modifier", "modifier(indicator)?|modifier0notallowed1allowed9notapplicable"
    ),
}
_ADD_ON = {
    "add_on": Column("Add-On Code", "addoncode"),
    "primary": Column("Primary Code", "primarycode"),
    "type": Column("AOC Edit Type", "(aoc)?(edit)?type"),
}
_ADD_ON_DATES = {
    "add_on_deleted": Column("AOC Del Dt", "aocdeldt(julian)?"),
    "primary_deleted": Column("Primary Code Del Dt", "primarycodedeldt(julian)?"),
    "effective": Column("AOC Edit Eff Dt", "aocediteffdt(julian)?|effectivedate"),
    "deletion": Column("AOC Edit Del Dt", "aoceditdeldt(julian)?|deletiondate"),
}
_ADD_ON_LINE = re.compile(
    r"(?P<type>[123])(?P<add_on>[A-Z0-9]{5})\s+(?P<primary>[A-Z0-9]{5})\s+(?P<effective>\d{7})"
    r"(?:\s+(?P<deletion>\d{7})(?=\s|$))?",
    re.ASCII,
)
"""A line of the text form; its groups are the columns by our names."""


def _ended(cells: Cells, release: date, *names: str) -> bool:
    """Whether one of the dates of deletion has come by the release."""
    days = [cells.day(name) for name in names]
    return any(day is not None and day <= release for day in days)


def _later(cells: Cells, release: date) -> bool:
    begins = cells.day("effective")
    return begins is not None and begins > release


def _pair(cells: Cells, wanted: Wanted, release: date, part: Part) -> str:
    # Every cell is read before any decides, so that all faults of a row are named.
    column1, column2 = cells.code("column1"), cells.code("column2")
    indicator = cells.one_of("indicator", "019")
    ended, later = _ended(cells, release, "deletion"), _later(cells, release)
    codes = {column1, column2}
    if not (codes & wanted.families or codes <= wanted.companions):
        return OUTSIDE
    if ended:
        return DELETED
    if later:
        return LATER
    if indicator == "9":
        # The rules need to know whether a modifier is allowed; CMS uses 9 for edits that it
        # took back to their first day.
        return NO_INDICATOR
    return part.keep((str(part.kind.half), column2, indicator, column1))


def _units(cells: Cells, wanted: Wanted, _release: date, part: Part) -> str:
    code, units = cells.code("code"), cells.number("units")
    # The indicator is followed by its words: "3 Date of Service Edit: Clinical".
    indicator = cells["indicator"][:1]
    if indicator not in {"1", "2", "3"}:
        cells.fault("indicator", "adjudication indicator", "write 1, 2 or 3, and its words")
    if code not in wanted.around("mue"):
        return OUTSIDE
    return part.keep((code,), str(units), indicator)


def _add_on(cells: Cells, wanted: Wanted, release: date, part: Part) -> str:
    code, primary = cells.code("add_on"), cells["primary"]
    type_ = cells.one_of("type", _TYPES)
    ended = _ended(cells, release, "add_on_deleted", "primary_deleted", "deletion")
    later = _later(cells, release)
    if primary != _ANY:
        primary = cells.code("primary")
    if code not in wanted.families:
        return OUTSIDE
    if ended:
        return DELETED
    if later:
        return LATER
    return ANY_PRIMARY if primary == _ANY else part.keep((code, primary, type_))


def _cut_add_on(line: str) -> dict[str, str]:
    match = _ADD_ON_LINE.match(line.strip())
    return {} if match is None else {name: text or "" for name, text in match.groupdict().items()}


def _unlikely_units(name: str, setting: str, half: str) -> Kind:
    """The kind of one of the files that are alike but for the setting in a heading."""
    pattern = f"{setting.replace(' ', '').lower()}servicesmuevalues?"
    columns = {
        "code": Column("HCPCS/CPT Code", "hcpcs(cpt)?code"),
        "units": Column(f"{setting} Services MUE Values", pattern),
        "indicator": Column("MUE Adjudication Indicator", "mueadjudicationindicator"),
    }
    return Kind(name, "mue", columns, _units, half=half)


KINDS = (
    Kind("ptp-practitioner", "ptp", _PAIR, _pair, half="professional"),
    Kind("ptp-outpatient", "ptp", _PAIR, _pair, half="facility"),
    _unlikely_units("mue-practitioner", "Practitioner", "professional"),
    _unlikely_units("mue-outpatient", "Outpatient Hospital", "facility"),
    Kind(
        name="addon",
        table="addon",
        columns=_ADD_ON,
        take=_add_on,
        more=_ADD_ON_DATES,
        fixed=_ADD_ON_LINE,
        cut=_cut_add_on,
    ),
)
