"""Mutated tables and workbooks: only documented outcomes, and rows that add up.

Each input is a small table with some bytes changed, cut, repeated or swapped; one in 25 is such
a table as a workbook, changed in one of its parts or as the archive that it is. A heading may be
refused as a whole, and the rows that notes account for must add up.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl

from benchmarks.fuzzing import CANARY, Fuzzed, Target, UndocumentedError, reader_outcomes
from ivpush.errors import UsageError
from ivpush.readers import Note, ReadOptions
from ivpush.readers.tables.reader import read

ROOT = Path(__file__).resolve().parents[1]
MAR, CLAIMS = ROOT / "tests/data/mar", ROOT / "tests/data/claims_csv"
PIECES = (
    b"\x00",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\xff",
    b"\xef\xbb\xbf",
    b"-",
    b"9" * 40,
    b"1e999",
    b"NaN",
    b"2026-11-01 01:30",
    b"Paused, [Restarted]",
    b"|",
    b";",
    b"=cmd()",
    b"\x1b[31m",
    b"\xc3\xa9",
    b" ",
    b"0",
    CANARY.encode(),
)
OWN = (
    b"encounter,id,drug,route,method,start,stop,minutes,site\n"
    b"A,a1,saline,IV,infusion,2026-03-02T08:00,2026-03-02T09:00,,arm\n"
    b"A,a2,ketorolac,IV,push,2026-03-02T08:10,,2,arm\n"
    b"B,a1,ketorolac,IM,injection,2026-03-02T08:10,,,\n"
)
LINES = (
    b"encounter,number,code,units,date,modifiers\nA,1,96374,1,2026-03-02,59;XS\n"
    b"A,2,96375,2,2026-03-02,\nB,1,96372,1,2026-03-02,\n"
)
EVENTS = (
    b"encounter,order,action,action_time,drug,route,rate,rate_unit\n"
    b"A,1,New Bag,2026-03-02 08:00,d,IV,100,ml/hr\nA,1,Rate Change,2026-03-02 08:20,d,IV,50,ml/hr\n"
    b'A,1,"Paused, [Restarted]",2026-03-02 08:30,d,IV,,\nA,1,Stopped,2026-03-02 09:00,d,IV,,\n'
    b"B,2,Push,2026-03-02 08:00,e,IV,,\n"
)


def first_rows(path: Path, count: int) -> bytes:
    """The heading of a CSV file and so many rows."""
    return b"\n".join(path.read_bytes().split(b"\n")[: count + 1])


SEEDS: tuple[tuple[bytes, str | None], ...] = (
    (OWN, None),
    (LINES, None),
    (EVENTS, "generic-event"),
    (OWN, "generic-dose"),
    (first_rows(MAR / "mimic3_inputevents_mv.csv", 5), "mimic-iii-inputevents-mv"),
    (first_rows(MAR / "eicu_medication.csv", 4), "eicu-medication"),
    (first_rows(CLAIMS / "rif_outpatient.csv", 2), "cms-rif-outpatient"),
    (first_rows(CLAIMS / "idr_clm_line.csv", 3), "cms-idr-line"),
)
"""Tables, each with the name of its map; None: the columns are our own."""
WEIGHTS = tuple(1 if len(raw) > 4_000 else 3 for raw, _ in SEEDS)
"""A wide table takes three times as long as the others."""
SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"
CELL = re.compile(rb"(?<=<t>)[^<]*(?=</t>)")


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """The bytes changed in one to four places."""
    text = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.randint(0, 20))
        match rng.choice(("insert", "cut", "replace", "repeat", "change")):
            case "insert":
                text[start:start] = rng.choice(PIECES)
            case "cut":
                del text[start:stop]
            case "replace":
                text[start:stop] = rng.choice(PIECES)
            case "repeat":
                text[start:start] = text[start:stop]
            case "change" if start < len(text):
                text[start] = rng.randrange(256)
    return bytes(text)


@cache
def workbook(raw: bytes) -> Mapping[str, bytes]:
    """The parts of the workbook that holds a table of commas."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"))):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def mutated_workbook(raw: bytes, rng: random.Random) -> bytes:
    """A table as a workbook of which a cell is changed, or the XML of a part, or the archive."""
    parts = dict(workbook(raw))
    kind = rng.choices(("cell", "part", "archive"), weights=(3, 1, 1))[0]
    if kind == "cell":
        place = rng.choice(list(CELL.finditer(parts[SHEET])))
        text = escape(mutated(place[0], rng).decode("utf-8", "replace")).encode()
        parts[SHEET] = parts[SHEET][: place.start()] + text + parts[SHEET][place.end() :]
    elif kind == "part":
        name = rng.choices((SHEET, STYLES), weights=(4, 1))[0]
        parts[name] = mutated(parts[name], rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return mutated(file.getvalue(), rng) if kind == "archive" else file.getvalue()


def drawn(rng: random.Random) -> Fuzzed:
    """A table with the options of its reading."""
    raw, name = rng.choices(SEEDS, WEIGHTS)[0]
    change = mutated_workbook if rng.random() < 0.04 else mutated
    return Fuzzed(change(raw, rng), options=ReadOptions(setting="facility", map=name))


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """What the reader of tables makes of an input."""
    try:
        items = list(read("f", io.BytesIO(fuzzed.raw), fuzzed.options))
    except UsageError:
        # A heading that does not fit is told before any row is read.
        yield "heading refused"
        return
    for item in items:
        if isinstance(item, Note) and not adds_up(item.message):
            raise UndocumentedError("the rows of a note do not add up")
    yield from reader_outcomes(items)


def adds_up(message: str) -> bool:
    """Whether the rows of a note are the sum of its parts, as in ``3 rows = 2 read + 1 blank``."""
    counted = re.fullmatch(r"([0-9,]+) rows? = (.*)", message)
    if counted is None or counted[2] == "none":
        return True
    parts = [_number(part.split(" ", 1)[0]) for part in counted[2].split(" + ")]
    return sum(parts) == _number(counted[1])


def _number(text: str) -> int:
    return int(text.replace(",", ""))


TARGET = Target("tables", drawn, outcomes, ("/readers/",), PIECES)
