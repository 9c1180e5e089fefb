"""Opening what CMS publishes: text, spreadsheets and archives, row by row and within caps.

``release`` calls ``sources``. Text is read as it streams; an archive may hold one file of a kind,
or several, but no archive. Nothing is unpacked to disk, and what an archive claims to unpack to is
capped before it is read.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, TypeVar

from ivpush.authoring.cms.kinds import Rows
from ivpush.errors import Fault, InputError, UsageError

__all__ = [
    "MOST_BYTES",
    "File",
    "Source",
    "sources",
]

MOST_BYTES = 805_306_368
"""Most bytes of one file once unpacked; the largest that CMS publishes are a sixth of it."""
MOST_MEMBERS = 200
"""Most files in an archive."""
MOST_CELLS = 2_000
"""Most cells of a row; published ones have up to 210, most of them empty."""
MOST_WIDTH = 100_000
"""Most bytes of a line."""
_TEXTS = (".csv", ".txt")
_BOOK = ".xlsx"
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError)
"""What a damaged archive makes the library raise."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """One table-like file: its place, and its rows with their line numbers.

    ``fixed`` says that a row is one cell: the whole line of a file without separators.
    """

    place: str
    rows: Rows
    fixed: bool


class File(NamedTuple):
    """One file of a path: its place, and what opens it; it may be opened again."""

    place: str
    open: Callable[[], Source]


def _refuse(place: str, problem: str, remedy: str) -> InputError:
    return InputError(Fault(place, problem, remedy))


@contextmanager
def sources(path: Path) -> Iterator[list[File]]:
    """The files of a path, open for as long as the context: itself, or the members of an archive.

    Raises UsageError where there is no such file, InputError where it cannot be what CMS publishes.
    """
    name, kind = path.name, path.suffix.lower()
    if not path.is_file():
        raise UsageError(Fault(name, "is no file", "name one that CMS publishes"))
    if kind not in {*_TEXTS, _BOOK, ".zip"}:
        remedy = "give a .csv, .txt, .xlsx or .zip"
        raise UsageError(Fault(name, "is of no kind that CMS publishes", remedy))
    # What an archive or a spreadsheet unpacks to is looked at when it is opened.
    if kind in _TEXTS and path.stat().st_size > MOST_BYTES:
        raise _refuse(name, "is too large", "split it")
    with path.open("rb") as raw:
        if kind == ".zip":
            with _archive(name, raw) as archive:
                yield [_member_file(name, archive, member) for member in _members(name, archive)]
        else:
            read = _workbook if kind == _BOOK else _text
            yield [File(name, lambda: read(name, _rewound(raw)))]


def _rewound(raw: IO[bytes]) -> IO[bytes]:
    raw.seek(0)
    return raw


def _archive(name: str, raw: IO[bytes]) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(raw)
    except _DAMAGE:
        raise _refuse(name, "is no archive that can be read", "fetch it again") from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise _refuse(name, f"holds more than {MOST_MEMBERS} files", "unpack it and name the table")
    # The sizes are claims, but a member is read no further than it claims.
    if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
        raise _refuse(name, f"unpacks to more than {MOST_BYTES} bytes", "unpack it and split it")
    return archive


def _members(name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The tables of an archive; where one stands there in several forms, the plainest."""
    tables: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        _refuse_member(name, member, path)
        if member.is_dir() or path.suffix.lower() not in (*_TEXTS, _BOOK):
            continue
        stem = path.with_suffix("").as_posix()
        other = tables.get(stem)
        if other is None or PurePosixPath(other.filename).suffix.lower() == _BOOK:
            tables[stem] = member
    if not tables:
        raise _refuse(name, "holds no .csv, .txt or .xlsx", "fetch it again")
    return [tables[stem] for stem in sorted(tables)]


def _refuse_member(name: str, member: zipfile.ZipInfo, path: PurePosixPath) -> None:
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise _refuse(name, "holds a file that leads out of it", "fetch it again")
    if member.is_dir():
        return
    if path.suffix.lower() == ".zip":
        raise _refuse(name, "holds an archive", "unpack it first")
    # Bit 0 of a member's flags: its bytes are encrypted.
    if member.flag_bits & 1:
        raise _refuse(name, "is locked with a password", "unpack it first")


def _member_file(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> File:
    place = f"{name}/{member.filename}"

    def opened() -> Source:
        try:
            raw = archive.open(member)
            if member.filename.lower().endswith(_BOOK):
                return _workbook(place, io.BytesIO(raw.read()))
            return _text(place, raw)
        except (*_DAMAGE, RuntimeError):
            raise _refuse(place, "cannot be unpacked", "fetch it again") from None

    return File(place, opened)


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
    while line := _guarded(place, lambda: raw.readline(MOST_WIDTH)):
        number += 1
        if len(line) >= MOST_WIDTH:
            problem = "is longer than any line CMS publishes"
            raise _refuse(f"{place}:{number}", problem, "save it again")
        text = line.decode("utf-8", "replace")
        yield text.removeprefix("\ufeff") if number == 1 else text


def _guarded(place: str, read: Callable[[], T]) -> T:
    """What a read gives; an archive shows its damage only as it is read."""
    try:
        return read()
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise _refuse(place, "cannot be unpacked", "fetch it again") from None


def _separated(place: str, lines: Iterator[str], tab: bool) -> Rows:
    # Tabbed files hold stray quotes in their rationale; only commas need quoting.
    if tab:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, strict=True)
    while True:
        # A quoted cell may run over several lines; the row is told by its first.
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            problem, remedy = (
                "is no row that can be read",
                "close the quote, or save the file again",
            )
            raise _refuse(f"{place}:{line}", problem, remedy) from None
        if row is None:
            return
        if len(row) > MOST_CELLS:
            raise _refuse(f"{place}:{line}", f"has more than {MOST_CELLS} cells", "save it again")
        yield line, [_stripped(cell) for cell in row]


def _stripped(cell: str) -> str:
    # Hard spaces of the Windows encoding come as what cannot be read; they stand after codes too.
    return cell.replace("\ufffd", " ").strip().strip('"').strip()


def _workbook(place: str, raw: IO[bytes]) -> Source:
    """The first sheet of a workbook, read as it streams."""
    try:
        import openpyxl
    except ImportError:
        remedy = "pip install 'ivpush[cms]', or give the text form"
        raise UsageError(Fault(place, "is a spreadsheet: openpyxl is missing", remedy)) from None
    # A spreadsheet is an archive: what it claims to unpack to is looked at before it is.
    _archive(place, raw).close()
    try:
        book = openpyxl.load_workbook(_rewound(raw), read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except Exception:
        # The library raises whatever the damage makes it raise; only the file is named.
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
            problem = "is no row that can be read"
            raise _refuse(f"{place}:{number}", problem, "fetch it again") from None
        if row is None:
            return
        yield number, [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.strftime("%Y%m%d")
    # Codes and units come as numbers where a spreadsheet took them for such.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e12:
        value = int(value)
    return re.sub(r"\s+", " ", str(value)).strip()
