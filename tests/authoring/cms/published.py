"""Files in the layouts that CMS publishes, made of the small extracts in tests/data/cms.

Every descriptor is a canary: wording of CPT must never come out of an import.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

CMS = Path(__file__).resolve().parents[2] / "data" / "cms"
CANARY = "CANARY descriptor"
NOTICE = "CPT codes, descriptions and other data only are copyright CANARY"
INDICATOR = {
    "1": "1 Line Edit",
    "2": "2 Date of Service Edit: Policy",
    "3": "3 Date of Service Edit: Clinical",
}


def extract(name: str) -> list[dict[str, str]]:
    with (CMS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def commas(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


PAIR_HEADING = [
    [NOTICE],
    ["Column 1/Column 2 Edits"],
    [
        "Column 1",
        "Column 2",
        "*=in existence",
        "Effective",
        "Deletion",
        "Modifier",
        "PTP Edit Rationale",
    ],
    ["", "", "prior to 1996", "Date", "Date", "0=not allowed", ""],
    ["", "", "", "", "*=no data", "1=allowed", ""],
    ["", "", "", "", "", "9=not applicable", ""],
]


def pair(
    column1: str, column2: str, indicator: str = "1", deleted: str = "", effective: str = "20000101"
) -> list[str]:
    return [
        column1,
        column2,
        "",
        effective,
        deleted.replace("-", "") or "*",
        indicator,
        "CANARY rationale",
    ]


def pairs(setting: str) -> list[list[str]]:
    return PAIR_HEADING + [
        pair(row["column1"], row["column2"], row["modifier_indicator"], row["deleted"])
        for row in extract("ptp_slice_2024q3.csv")
        if row["setting"] == setting
    ]


def tabbed(rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(row) + "\r\n" for row in rows)


def limits(half: str) -> list[list[str]]:
    title = {"practitioner": "Practitioner", "outpatient": "Outpatient Hospital"}[half]
    return [
        [f"{NOTICE}\r\n\r\nApplicable FARS/DFARS Restrictions Apply.", "", "", ""],
        [
            "HCPCS/\r\nCPT Code",
            f"{title} Services MUE Values",
            "MUE Adjudication Indicator",
            "MUE Rationale",
        ],
        *(
            [
                row["hcpcs_code"],
                row[f"mue_{half}"],
                INDICATOR[row[f"mai_{half}"]],
                row[f"rationale_{half}"],
            ]
            for row in extract("code_indicators_2024q3.csv")
            if row[f"mue_{half}"]
        ),
    ]


def add_ons() -> list[list[str]]:
    return [
        [
            "Primary_Code",
            "Add-On_Code",
            "AOC_Edit_Type",
            "AOC_Del_Dt",
            "Primary_Code_Del_Dt",
            "AOC_Edit_Eff_Dt",
            "AOC_Edit_Del_Dt",
            "Special_Instruction_Notes",
        ],
        *(
            [
                row["primary_code"],
                row["add_on_code"],
                row["aoc_edit_type"],
                "",
                "",
                "2009001",
                "",
                "",
            ]
            for row in extract("addon_edits_2024-06.csv")
        ),
    ]


def add_on_lines() -> str:
    return "".join(
        f"{row['aoc_edit_type']}{row['add_on_code']}   {row['primary_code']}   2009001   CANARY\r\n"
        for row in extract("addon_edits_2024-06.csv")
    )


def relative_values() -> list[list[str]]:
    title = "2024 National Physician Fee Schedule Relative Value File July Release"
    blank = [""] * 21
    return [
        ["", "", title, *blank],
        ["", "", NOTICE, *blank],
        ["", "", "RELEASED 06/06/2024", *blank],
        ["", "", "", "", "NOT USED", *blank],
        ["", "", "", "", "FOR", "", "NON-FAC", "", "FACILITY", *blank],
        [
            "",
            "",
            "",
            "STATUS",
            "MEDICARE",
            "WORK",
            "NON-FAC",
            "NA",
            "FACILITY",
            "NA",
            "MP",
            "NON-FACILITY",
            "FACILITY",
            "PCTC",
            "GLOBAL",
            *blank,
        ],
        [
            "HCPCS",
            "MOD",
            "DESCRIPTION",
            "CODE",
            "PAYMENT",
            "RVU",
            "PE RVU",
            "INDICATOR",
            "PE RVU",
            "INDICATOR",
            "RVU",
            "TOTAL",
            "TOTAL",
            "IND",
            "DAYS",
            *blank,
        ],
        *(
            [
                row["hcpcs_code"],
                "",
                CANARY,
                row["mpfs_status"],
                "",
                "0.10",
                "0.20",
                "",
                "0.30",
                row["facility_na"],
                "0.01",
                "0.31",
                "0.41",
                row["pctc_indicator"],
                row["global_days"],
            ]
            for row in extract("code_indicators_2024q3.csv")
            if row["mpfs_status"]
        ),
    ]


def addendum_b() -> list[list[str]]:
    return [
        ["", "Addendum B.-- OPPS Payment by HCPCS Code for CY 2025"],
        ["", NOTICE],
        ["", "The existence of a code, or its absence, does not mean that it is covered."],
        ["HCPCS Code", "Short Descriptor", "SI", "APC", "Relative Weight", "Payment Rate"],
        *(
            [row["hcpcs"], CANARY, row["status_indicator"], row["apc"], " ", ""]
            for row in extract("opps_slice_2025-10.csv")
        ),
    ]


def payment_limits() -> list[list[str]]:
    return [
        ["Payment Allowance Limits for Medicare Part B Drugs", "", ""],
        ["", "", ""],
        ["Effective January 1, 2026 through March 31, 2026", "", ""],
        [
            "HCPCS Code",
            "Short Description",
            "HCPCS Code Dosage",
            "Payment Limit",
            "Co-insurance Percentage",
            "Vaccine AWP%",
            "Vaccine Limit",
            "Notes",
            "",
        ],
        *(
            [
                row["hcpcs"],
                CANARY,
                row["dosage"],
                row["payment_limit"],
                "20.000",
                "",
                "",
                row["notes"],
                "",
            ]
            for row in extract("asp_slice_2026-01.csv")
        ),
    ]


def packages() -> list[list[str]]:
    wide = [""] * 200
    return [
        ["January 2026 ASP NDC - HCPCS Crosswalk for Medicare Part B Drugs", *wide],
        ["     Effective January 1, 2026 through March 31, 2026", *wide],
        wide,
        [
            "_2026_CODE",
            "Short Description",
            "LABELER NAME",
            "NDC2",
            "Drug Name",
            "HCPCS dosage",
            "PKG SIZE",
            "PKG QTY",
            "BILLUNITS",
            "BILLUNITSPKG",
            *wide,
        ],
        *(
            [
                row["hcpcs"],
                CANARY,
                row["labeler"],
                row["ndc_10or11_dashed"],
                row["drug_name"],
                row["hcpcs_dosage"],
                row["pkg_size"],
                row["pkg_qty"],
                row["bill_units"],
                row["bill_units_pkg"],
                *wide,
            ]
            for row in extract("ndc_slice_2026-01.csv")
        ),
    ]


def level_two() -> str:
    """The contractor record, 320 wide, with lines that continue a description and a modifier."""
    lines = []
    for row in extract("hcpcs_slice_2024-07.csv"):
        text = row["cms_long_description"]
        for n, at in enumerate(range(0, max(1, len(text)), 80)):
            line = f"{row['hcpcs']}{n + 1:05d}{'3' if n == 0 else '4'}{text[at : at + 80]:<80}{'CANARY':<28}"
            line = f"{line:<268}" + "".join(
                row[name].replace("-", "").ljust(8) if n == 0 else " " * 8
                for name in ("date_added", "date_action", "date_terminated")
            )
            lines.append(f"{line}{row['action'][:1] or 'N'}".ljust(320))
    lines.append(f"{'':3}25{1:05d}7{'CANARY a modifier':<80}".ljust(320))
    return "".join(line + "\r\n" for line in lines)


def workbook(rows: Iterable[Sequence[str]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    for row in rows:
        sheet.append(
            [int(cell) if cell.isdecimal() and cell[0] != "0" else cell or None for cell in row]
        )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(**members: bytes) -> bytes:
    """A zip whose members are named by keyword, ``name__ext`` standing for ``name.ext``."""
    return archive_of({name.replace("__", "."): raw for name, raw in members.items()})


def archive_of(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, raw in members.items():
            packed.writestr(name, raw)
    return out.getvalue()
