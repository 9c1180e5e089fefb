"""The dated tables of a pack: cells that make no sense, and the releases that the base pack holds."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from ivpush.errors import Fault
from ivpush.pack.folder import rules_folder
from ivpush.pack.releases import TABLES, read_tables, table_on
from tests.shipped import PACK

CMS = Path(__file__).parents[1] / "data" / "cms"


def read(kind: str, *rows: str) -> tuple[object, list[str]]:
    """What one table comes to, and what is said of it."""
    raw = "\n".join([",".join(TABLES[kind]), *rows]).encode()
    faults: list[Fault] = []
    releases = read_tables([{f"tables/{kind}-2026-01-01.csv": raw}], faults.append)
    table: object = table_on(getattr(releases, kind), date(2026, 1, 1), None)
    return table, [fault.place for fault in faults]


def test_what_a_type_of_bill_makes_of_a_service_is_a_word_that_the_engine_knows() -> None:
    assert read("tob", "13,billable,hospital") == ({"13": "billable"}, [])
    table, places = read("tob", "13,billable,hospital", "18,billabel,hospital")
    assert table is None and places == ["tables/tob-2026-01-01.csv:3"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("ptp", "facility,36591,0,96374 96409", "Facility,36592,0,96374"),
        ("ptp", "facility,36591,0,96374 96409", "facility,=36592,0,96374"),
        ("ptp", "facility,36591,0,96374 96409", 'facility,36592,0,"96374,96409"'),
        ("ptp", "facility,36591,0,96374", "facility,36591,0,96409"),
        ("mue", "96374,1,1,3,3", "96374,2,2,3,3"),
        ("addon", "96375,96374,1", "96375,9637,1"),
        ("pos", "11,false,Office", "22,True,Hospital"),
        ("asp", "J2405,1 mg,0.1", "j2405,1 mg,0.1"),
        # A spreadsheet takes the zeros off.
        ("ndc", "00409189001,J2405", "00409189002,405"),
    ],
)
def test_a_row_that_would_never_count_is_named_by_its_line(kind: str, good: str, bad: str) -> None:
    assert read(kind, good, good)[1] == []
    assert read(kind, good, bad)[1] == [f"tables/{kind}-2026-01-01.csv:3"]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("mue", "96374,one,1,3,3"),
        ("beside", "scope,antiemetic,push,perhaps,a"),
        ("discards", "form,facility,sometimes,a"),
    ],
)
def test_a_cell_that_does_not_fit_is_named_by_its_line(kind: str, row: str) -> None:
    assert read(kind, row) == (None, [f"tables/{kind}-2026-01-01.csv:2"])


# The releases that the base pack holds, against what was published


def extract(name: str) -> list[dict[str, str]]:
    with (CMS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("file", "setting"), [("practitioner", "professional"), ("outpatient", "facility")]
)
def test_the_limits_of_2026_are_those_of_the_published_files(file: str, setting: str) -> None:
    rows = [row for row in extract("mue_slice_2026.csv") if row["file"].startswith(f"{file}_")]
    day = date.fromisoformat(rows[0]["file"].removeprefix(f"{file}_"))
    limits = table_on(PACK.data.releases.mue, day, {})[setting]
    assert len(rows) > 40
    for row in rows:
        assert limits[row["code"]] == (int(row["units"]), int(row["mai"])), row["code"]


def test_the_pairs_of_2026_are_those_of_2024_with_what_changed() -> None:
    before, after = pairs("ptp-2024-07-01.csv"), pairs("ptp-2026-10-01.csv")
    changed = {
        kind: {
            ("facility", row["column1"], row["column2"], row[indicator])
            for row in extract("ptp_changes_2026q4.csv")
            if row["change"] == kind
        }
        for kind, indicator in (("added", "indicator_2026q4"), ("gone", "indicator_2024q3"))
    }
    assert len(changed["added"]) == 154 and len(changed["gone"]) == 55
    assert changed["gone"] <= before and changed["added"] <= after
    assert after == before - changed["gone"] | changed["added"]


def pairs(name: str) -> set[tuple[str, str, str, str]]:
    """The pairs of a shipped table: setting, first code, second code, indicator."""
    with (rules_folder() / "tables" / name).open(encoding="utf-8", newline="") as file:
        return {
            (row["setting"], first, row["column2"], row["indicator"])
            for row in csv.DictReader(file)
            for first in row["column1"].split()
        }
