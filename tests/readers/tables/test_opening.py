"""One table in the forms in which spreadsheets and databases export it."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.detect import open_reader
from ivpush.readers.tables.opening import open_table
from ivpush.readers.tables.reader import read

HEAD = ["encounter", "encounter_setting", "id", "drug", "hcpcs", "route", "dose", "start", "stop"]
ROWS = [
    [
        "9001",
        "facility",
        "a1",
        "ceftriaxone",
        "J0696",
        "IV",
        "1",
        "2026-03-02T10:00",
        "2026-03-02T10:45",
    ],
    ["9001", "facility", "a2", "ondansetron", "", "IV", "4.5", "2026-03-02T11:00", ""],
    ["9002", "facility", "a1", "ketorolac", "", "IM", "30", "2026-03-02T00:00", ""],
]


def text(delimiter: str = ",", head: list[str] = HEAD) -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in [head, *ROWS])


def workbook(rows: list[list[Any]], **cells: Any) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place, value in cells.items():
        sheet[place] = value
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def renumbered(row: int, number: int) -> bytes:
    """A workbook in which a row goes by another number."""
    raw, path = io.BytesIO(), "xl/worksheets/sheet1.xml"
    with (
        zipfile.ZipFile(io.BytesIO(workbook([HEAD, *ROWS]))) as old,
        zipfile.ZipFile(raw, "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == path:
                content = content.replace(b'<row r="%d"' % row, b'<row r="%d"' % number)
            new.writestr(name, content)
    return raw.getvalue()


def typed(cell: str) -> Any:
    """A cell as Excel holds what was typed into it."""
    if cell[:2] == "20":
        return datetime.fromisoformat(cell)
    try:
        return float(cell) if "." in cell else int(cell)
    except ValueError:
        return cell or None


def parquet(rows: list[list[Any]]) -> bytes:
    """A Parquet file with a column for each name of HEAD."""
    columns = dict(zip(HEAD, (pa.array(column) for column in zip(*rows, strict=True)), strict=True))
    raw = io.BytesIO()
    pq.write_table(pa.table(columns), raw)
    return raw.getvalue()


def encounters(raw: bytes, **options: Any) -> list[dict[str, Any]]:
    every = list(read("f", io.BytesIO(raw), ReadOptions(**options)))
    assert not [x for x in every if isinstance(x, SetAside)], every
    return [x.encounter.model_dump(mode="json") for x in every if isinstance(x, Record)]


def notes(raw: bytes, **options: Any) -> list[str]:
    return [
        x.message for x in read("f", io.BytesIO(raw), ReadOptions(**options)) if isinstance(x, Note)
    ]


PLAIN = encounters(text().encode())


@pytest.mark.parametrize(
    "raw",
    [
        text(";").encode(),
        text("\t").encode(),
        text("|").encode(),
        text("\t").encode("utf-16"),
        text().encode("utf-16"),
        b"\xef\xbb\xbf" + text(";").encode(),
        ("sep=;\r\n" + text(";")).encode(),
        ("sep=|\r\n" + text("|")).encode(),
        text(head=[name.upper() for name in HEAD]).encode(),
        text(head=[name.title().replace("_", " ") for name in HEAD]).encode(),
        ("MAR export\r\nprinted 3/2/2026\r\n\r\n" + text()).encode(),
        text().encode() + b"\x1a",
        workbook([HEAD, *ROWS]),
        workbook([HEAD, *([typed(cell) for cell in row] for row in ROWS)]),
        workbook([["MAR export"], [], HEAD, *([typed(cell) for cell in row] for row in ROWS)]),
        parquet([[cell or None for cell in row] for row in ROWS]),
        parquet([[typed(cell) for cell in row] for row in ROWS]),
    ],
)
def test_one_chart_in_every_form_gives_equal_encounters(raw: bytes) -> None:
    assert len(PLAIN) == 2
    assert encounters(raw) == PLAIN


def test_usual_other_names_are_read_and_said() -> None:
    raw = b"Visit ID,CPT,Qty,DOS\nE1,96374,1,2026-03-02\n"
    (encounter,) = encounters(raw, setting="facility")
    (line,) = encounter["lines"]
    assert (encounter["id"], line["number"], line["code"], line["units"]) == ("E1", 1, "96374", 1)
    said = notes(raw, setting="facility")
    assert any("'CPT' as code, 'Qty' as units" in note for note in said)
    assert "lines have no numbers, and are counted in each encounter" in said


def test_a_name_that_two_columns_share_is_neither() -> None:
    raw = b"encounter,number,code,cpt,units\nE1,1,96374,99999,1\n"
    with pytest.raises(Exception, match="'cpt' is not one of the lines table"):
        encounters(raw, setting="facility")


def test_a_date_of_a_workbook_has_no_clock_time() -> None:
    rows: list[list[Any]] = [["a", "b"], [date(2026, 3, 2), datetime(2026, 3, 2, 0, 0)]]
    (row,) = open_table("f", io.BytesIO(workbook(rows))).rows
    assert [type(cell) for cell in row.cells or ()] == [date, datetime]


def test_numbers_of_rows_are_those_of_the_sheet() -> None:
    table = open_table("f", io.BytesIO(workbook([[], ["a", "b"], [], ["x", "y"], ["x", "y", "z"]])))
    places = [(table.place(row.number), len(row.cells or ())) for row in table.rows]
    assert places == [("f:4", 2), ("f:5", 3)]


def test_a_further_sheet_is_said_and_an_empty_one_is_none() -> None:
    book = openpyxl.Workbook()
    for _ in range(2):
        sheet = book.create_sheet()
        sheet.append(HEAD)
        sheet.append(ROWS[0])
    raw = io.BytesIO()
    book.save(raw)
    assert notes(raw.getvalue()) == ["only its first sheet is read, and 1 further sheet not"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (workbook([HEAD], A2="=1+1"), "holds formulas whose results were never saved"),
        (renumbered(3, 2), "numbers its rows out of order, twice"),
        (renumbered(3, 50_000_000), "past the last of a sheet"),
        (workbook([]), "is empty"),
        (workbook([HEAD, *ROWS])[:-200], "is no whole workbook"),
        (b"PK\x03\x04", "is no whole workbook"),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(raw: bytes, said: str) -> None:
    (aside,) = [x for x in read("f", io.BytesIO(raw), ReadOptions()) if isinstance(x, SetAside)]
    assert said in str(aside.error)


def test_an_error_of_a_formula_sets_its_encounter_aside() -> None:
    raw = workbook([HEAD, *ROWS], D2="#N/A")
    every = list(read("f", io.BytesIO(raw), ReadOptions()))
    assert [type(x) for x in every] == [SetAside, Record]


def test_a_packed_workbook_is_a_workbook(tmp_path: Any) -> None:
    from tests.readers.test_detect import zipped

    file = tmp_path / "mar.zip"
    file.write_bytes(zipped(**{"mar.xlsx": workbook([HEAD, *ROWS])}))
    every = list(open_reader(str(file), ReadOptions()))
    assert [x.encounter.id for x in every if isinstance(x, Record)] == ["9001", "9002"]
