"""Payment files: OPPS Addendum B, ASP limits and crosswalk, the relative value file.

``release`` imports these files by the ``KINDS`` at the end.

Layouts. Addendum B: seen, October 2025 (two titles and two notices in the second column, then
HCPCS Code, Short Descriptor, SI, APC, Relative Weight, Payment Rate ...). ASP payment limits and
NDC-HCPCS crosswalk, section 508 form: seen, January 2026 (eight rows above the heading; the first
heading of the crosswalk is the year and ``CODE``; two hundred empty cells follow each row).
Relative value file (PPRRVU): seen, a sample of July 2026 (four titles; the heading stands in four
rows, and ``NA`` ``INDICATOR`` twice, each to the right of the ``PE`` ``RVU`` that it is about).
"""

from __future__ import annotations

import re
from datetime import date

from ivpush.authoring.cms.kinds import OUTSIDE, Cells, Column, Kind, Part, Wanted

__all__ = [
    "KINDS",
]

NOT_A_NUMBER = "without an eleven-digit number"
NO_STATUS = "without a status"
WITH_MODIFIER = "for a modifier"


def _status(cells: Cells, wanted: Wanted, _release: date, part: Part) -> str:
    code, status = cells.code("code"), cells["status"]
    if code not in wanted.around("opps") | wanted.drugs:
        return OUTSIDE
    if not status:
        return NO_STATUS
    if not re.fullmatch("[A-Z][0-9]?", status, re.ASCII):
        cells.fault("status", "status indicator", "write a letter, or a letter and a digit")
    apc = cells["apc"]
    if apc and not re.fullmatch(r"\d{4}", apc, re.ASCII):
        cells.fault("apc", "APC", "write four digits, or nothing")
    return part.keep((code,), status, apc)


def _limit(cells: Cells, wanted: Wanted, _release: date, part: Part) -> str:
    code = cells.code("code")
    limit = cells["limit"].replace(",", "").removeprefix("$")
    if limit.upper() == "N/A":
        limit = ""
    if limit and not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", limit, re.ASCII):
        cells.fault("limit", "payment limit", "write an amount, or N/A")
    if code not in wanted.around("asp") | wanted.drugs:
        return OUTSIDE
    return part.keep((code,), cells["dosage"], limit)


def _package(cells: Cells, _wanted: Wanted, _release: date, part: Part) -> str:
    code, parts = cells.code("code"), cells["ndc"].split("-")
    # The published file itself holds other numbers now and then; they name no package.
    digits = "".join(parts)
    if len(parts) == 3 and tuple(map(len, parts)) != (5, 4, 2):
        # Ten digits come as 4-4-2, 5-3-2 or 5-4-1: the short part lacks its leading zero.
        digits = parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    if not re.fullmatch(r"\d{11}", digits, re.ASCII):
        part.notes.append(f"{cells.place}: its NDC has other than eleven digits")
        return NOT_A_NUMBER
    return part.keep((digits,), code)


def _indicators(cells: Cells, wanted: Wanted, _release: date, part: Part) -> str:
    code = cells.code("code")
    status = cells.one_of("status", "ABCDEFGHIJMNPQRTX")
    pctc = cells.one_of("pctc", "0123456789")
    days, flag = cells["days"], cells["facility_na"]
    if not re.fullmatch(r"\d{3}|[A-Z]{3}", days, re.ASCII):
        cells.fault("days", "global days", "write three digits or letters")
    if flag not in {"", "NA"}:
        cells.fault("facility_na", "flag", "write NA, or nothing")
    if cells["modifier"]:
        # Rows of one component of a service; the whole service has a row of its own.
        return WITH_MODIFIER
    if code not in wanted.around("indicators"):
        return OUTSIDE
    return part.keep((code,), status, pctc, days, "true" if flag == "NA" else "false")


_CODE = Column("HCPCS Code", "hcpcs(code)?")
_STATUS = {
    "code": _CODE,
    "status": Column("SI", "si|statusindicator"),
    "apc": Column("APC", "apc"),
}
_LIMIT = {
    "code": _CODE,
    "dosage": Column("HCPCS Code Dosage", "hcpcscodedosage|dosage"),
    "limit": Column("Payment Limit", "paymentlimit"),
}
_PACKAGE = {
    "code": Column("CODE", r"\d{4}code|hcpcs(code)?"),
    "ndc": Column("NDC2", "ndc2?"),
    "units": Column("BILLUNITS", "billunits"),
    "package": Column("BILLUNITSPKG", "billunitspkg"),
}
_INDICATORS = {
    "code": Column("HCPCS", "hcpcs(code)?"),
    "modifier": Column("MOD", "mod"),
    "status": Column("STATUS CODE", "statuscode"),
    "pctc": Column("PCTC IND", "pctcind"),
    "days": Column("GLOBAL DAYS", "globaldays|globdays"),
    # Two columns are headed NA INDICATOR; this is the one to the right of the facility's.
    "facility_na": Column("FACILITY NA INDICATOR", "facilitynaindicator|facilitypervu>naindicator"),
}
KINDS = (
    Kind("opps", "opps", _STATUS, _status),
    Kind("asp", "asp", _LIMIT, _limit),
    Kind("ndc", "ndc", _PACKAGE, _package),
    Kind("indicators", "indicators", _INDICATORS, _indicators),
)
