"""Opening what CMS publishes: text, spreadsheets and archives, row by row and within caps.

Text is read as it streams; an archive may hold one file of a kind, or several, but no archive.
Nothing is unpacked to disk, and what an archive claims to unpack to is capped before it is read.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ivpush.authoring.cms.kinds import Rows
from ivpush.errors import Fault, InputError, UsageError

__all__ = [
    "MOST_BYTES",
    "Source",
    "sources",
]

MOST_BYTES = 805_306_368
"""Most bytes of one file once unpacked; the largest that CMS publishes are a sixth of it."""
MOST_MEMBERS = 200
MOST_CELLS = 2_000
MOST_WIDTH = 100_000
_TEXTS = (".csv", ".txt")
_BOOK = ".xlsx"


@dataclass(frozen=True, slots=True)
class Source:
    """One table-like file: its place, and its rows with their line numbers.

    ``fixed`` says that a row is one cell: the whole line of a file without separators.
    """

    place: str
    rows: Rows
    fixed: bool


def _refuse(place: str, problem: str, remedy: str) -> InputError:
    return InputError(Fault(place, problem, remedy))


@contextmanager
def sources(path: Path) -> Iterator[list[tuple[str, Any]]]:
    """The files of a path as (place, opener); an opener gives a Source and may be called again.

    Raises UsageError where there is no such file, InputError where it cannot be what CMS publishes.
    """
    name = path.name
    if not path.is_file():
        raise UsageError(Fault(name, "is no file", "name one that CMS publishes"))
    kind = path.suffix.lower()
    if kind in _TEXTS:
        if path.stat().st_size > MOST_BYTES:
            raise _refuse(name, "is too large", "split it")
        with path.open("rb") as raw:
            yield [(name, lambda: _text(name, _rewound(raw)))]
    elif kind == _BOOK:
        with path.open("rb") as raw:
            yield [(name, lambda: _workbook(name, _rewound(raw)))]
    elif kind == ".zip":
        with path.open("rb") as raw, _archive(name, raw) as archive:
            yield [
                (f"{name}/{one.filename}", _opener(name, archive, one))
                for one in _members(name, archive)
            ]
    else:
        raise UsageError(Fault(name, "is of no kind that CMS publishes",
                               "give a .csv, .txt, .xlsx or .zip"))  # fmt: skip


def _rewound(raw: IO[bytes]) -> IO[bytes]:
    raw.seek(0)
    return raw


def _archive(name: str, raw: IO[bytes]) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(raw)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise _refuse(name, "is no archive that can be read", "fetch it again") from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise _refuse(name, f"holds more than {MOST_MEMBERS} files", "unpack it and name the table")
    if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
        raise _refuse(name, f"unpacks to more than {MOST_BYTES} bytes", "unpack it and split it")
    return archive


def _members(name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The tables of an archive; where one stands there in several forms, the plainest."""
    found: dict[str, zipfile.ZipInfo] = {}
    for one in archive.infolist():
        path = PurePosixPath(one.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise _refuse(name, "holds a file that leads out of it", "fetch it again")
        if one.is_dir():
            continue
        if path.suffix.lower() == ".zip":
            raise _refuse(name, "holds an archive", "unpack it first")
        if one.flag_bits & 1:
            raise _refuse(name, "is locked with a password", "unpack it first")
        if path.suffix.lower() not in (*_TEXTS, _BOOK):
            continue
        key = path.with_suffix("").as_posix()
        held = found.get(key)
        if held is None or PurePosixPath(held.filename).suffix.lower() == _BOOK:
            found[key] = one
    if not found:
        raise _refuse(name, "holds no .csv, .txt or .xlsx", "fetch it again")
    return [found[key] for key in sorted(found)]


def _opener(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    place = f"{name}/{member.filename}"

    def call() -> Source:
        try:
            raw = archive.open(member)
            if member.filename.lower().endswith(_BOOK):
                return _workbook(place, io.BytesIO(raw.read()))
            return _text(place, raw)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError,
                RuntimeError):  # fmt: skip
            raise _refuse(place, "cannot be unpacked", "fetch it again") from None

    return call


def _text(place: str, raw: IO[bytes]) -> Source:
    """Text with commas, tabs, or neither; CMS writes both UTF-8 and Windows encodings.

    Codes, dates and numbers are the same in both; letters that are not, stand in texts that no
    table holds, and are replaced.
    """
    head = _guarded(place, lambda: raw.read(8_192)).decode("ascii", "replace")
    lines = _lines(place, _rewound(raw))
    if not place.lower().endswith(".txt") or "\t" in head:
        tab = "\t" in head and head.count("\t") > head.count(",")
        return Source(place, _separated(place, lines, tab), False)
    whole = ((n, [line.rstrip("\r\n")]) for n, line in enumerate(lines, 1))
    return Source(place, whole, True)


def _lines(place: str, raw: IO[bytes]) -> Iterator[str]:
    """Lines as they stream, each within a cap: a file without line ends fills no memory."""
    number = 0
    while True:
        number += 1
        line: bytes = _guarded(place, lambda: raw.readline(MOST_WIDTH))
        if not line:
            return
        if len(line) >= MOST_WIDTH:
            raise _refuse(f"{place}:{number}", "is longer than any line CMS publishes",
                          "save it again")  # fmt: skip
        text = line.decode("utf-8", "replace")
        yield text.removeprefix("\ufeff") if number == 1 else text


def _guarded(place: str, read: Any) -> Any:
    try:
        return read()
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise _refuse(place, "cannot be unpacked", "fetch it again") from None


def _separated(place: str, lines: Iterator[str], tab: bool) -> Rows:
    # Tabbed files hold stray quotes in their rationale; only commas need quoting.
    reader = (
        csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tab
        else csv.reader(lines, strict=True)
    )
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            raise _refuse(f"{place}:{line}", "is no row that can be read",
                          "close the quote, or save the file again") from None  # fmt: skip
        if row is None:
            return
        if len(row) > MOST_CELLS:
            raise _refuse(f"{place}:{line}", f"has more than {MOST_CELLS} cells", "save it again")
        yield line, [_plain(cell) for cell in row]


def _plain(cell: str) -> str:
    # Hard spaces of the Windows encoding come as what cannot be read; they stand after codes too.
    return cell.replace("\ufffd", " ").strip().strip('"').strip()


def _workbook(place: str, raw: IO[bytes]) -> Source:
    """The first sheet of a workbook, read as it streams."""
    try:
        import openpyxl
    except ImportError:
        remedy = "pip install 'ivpush[cms]', or give the text form"
        raise UsageError(Fault(place, "is a spreadsheet: openpyxl is missing", remedy)) from None
    _archive(place, raw).close()
    try:
        book = openpyxl.load_workbook(_rewound(raw), read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except Exception:
        # The library raises whatever the damage makes it raise; what is told is the file.
        raise _refuse(place, "is no spreadsheet that can be read", "fetch it again") from None
    return Source(place, _sheet(place, sheet), False)


def _sheet(place: str, sheet: Any) -> Rows:
    number = 0
    rows = iter(sheet.iter_rows(values_only=True, max_col=MOST_CELLS))
    while True:
        number += 1
        try:
            row = next(rows, None)
        except Exception:
            raise _refuse(
                f"{place}:{number}", "is no row that can be read", "fetch it again"
            ) from None
        if row is None:
            return
        yield number, [_cell(one) for one in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.strftime("%Y%m%d")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e12:
        value = int(value)
    return re.sub(r"\s+", " ", str(value)).strip()
