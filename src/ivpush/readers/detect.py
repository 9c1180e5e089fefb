"""Which reader an input needs: its first bytes decide, then the end of its name.

The registry names modules; only the one that is needed is imported. ``unpack`` gives the bytes. The
command line and batches open their inputs here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Protocol, cast

from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.readers import Note, Reading, ReadOptions
from ivpush.readers.unpack import DAMAGE, HEAD_BYTES, ZIP, damaged, plain

__all__ = [
    "DAMAGE",
    "FORMATS",
    "HEAD_BYTES",
    "Format",
    "Source",
    "damaged",
    "detect",
    "open_reader",
    "open_source",
    "read_together",
    "whole",
]

_MAPS = "ivpush.readers.tables.maps"
_TABLES = "ivpush.readers.tables.reader"
_BLANK = b" \t\r\n\xef\xbb\xbf"
_RESOURCE = re.compile(rb'"resourceType"\s*:')
_JSON_SCALAR = re.compile(rb'"|-?[0-9]|true|false|null')


class Reader(Protocol):
    """A format's module."""

    def read(self, name: str, stream: IO[bytes], options: ReadOptions) -> Iterator[Reading]:
        """What one open file holds; ``name`` begins every place."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its reader's module, how its first bytes look, how its files are named."""

    name: str
    module: str
    sniff: Callable[[bytes], bool]
    endings: tuple[str, ...] = ()


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    """Whether first bytes begin with one of these."""
    return lambda head: head.startswith(marks)


_is_json = _begins(b"{", b"[")


def _is_fhir(head: bytes) -> bool:
    return _is_json(head) and _RESOURCE.search(head) is not None


def _never(_head: bytes) -> bool:
    return False


_JSON = Format("json", "ivpush.readers.json", _is_json, (".json", ".ndjson", ".jsonl"))
_CSV = Format("csv", _TABLES, _never, (".csv", ".tsv", ".psv"))
_MAR = Format("mar", "ivpush.readers.mar", _never)

FORMATS: tuple[Format, ...] = (
    Format("fhir", "ivpush.readers.fhir", _is_fhir),
    Format("x12", "ivpush.readers.x12", _begins(b"ISA", b"ST*", b"GS*"), (".837", ".x12", ".edi")),
    Format("hl7", "ivpush.readers.hl7", _begins(b"MSH", b"FHS", b"BHS"), (".hl7",)),
    Format("parquet", _TABLES, _begins(b"PAR1"), (".parquet",)),
    # What is packed was unpacked before: what begins like an archive is a workbook.
    Format("xlsx", _TABLES, _begins(ZIP), (".xlsx", ".xlsm")),
    _JSON,
    _CSV,
    _MAR,
)
"""Known formats, in the order in which first bytes are looked at. No bytes tell a table of text
from other text: its name does, or a column map."""

_NOT_READ = {
    (b"\xd0\xcf\x11\xe0",): (
        "is a workbook of the old form (.xls), or one with a password",
        "save it as .xlsx without a password, or as CSV",
    ),
    (b"%PDF",): ("is a PDF", "export the data itself, such as CSV"),
    (b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"): (
        "is packed in a way that is not read",
        "unpack it, or pack it with gzip or zip",
    ),
    (b"<html", b"<!doc", b"<HTML", b"<!DOC", b"<table"): (
        "is a web page, whatever its ending",
        "export the data itself, such as CSV",
    ),
    (b"<",): ("is XML", "send FHIR as JSON, a workbook as .xlsx or CSV"),
}
"""First bytes of what is often sent, and not read."""

Together = Callable[[Sequence[tuple[str, IO[bytes]]], ReadOptions], Iterator[Reading]]
"""Reads several open files as one."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input that is open: its name, format and bytes from the beginning.

    ::

        with open_source("claims.837", options) as source:
            print(source.format.name)
            readings = list(source.read(options))
    """

    name: str
    format: Format
    stream: IO[bytes]
    notes: tuple[str, ...] = ()
    """How its bytes were read, where that was in a particular way."""
    head: bytes = b""
    """The first bytes, which the stream still begins with."""

    def read(self, options: ReadOptions) -> Iterator[Reading]:
        """What the format's reader finds; damage of a packed input is set aside."""
        yield from (Note(self.name, text) for text in self.notes)
        yield from whole(self.name, reader_of(self.format).read(self.name, self.stream, options))

    def joins(self, options: ReadOptions) -> bool:
        """Whether the format's records may be spread over several files, read together."""
        return _together(reader_of(self.format), options) is not None


def read_together(sources: Sequence[Source], options: ReadOptions) -> Iterator[Reading]:
    """What the files of one format hold between them."""
    together = _together(reader_of(sources[0].format), options)
    if together is None:
        for source in sources:
            yield from source.read(options)
        return
    names = ", ".join(source.name for source in sources)
    yield from (Note(source.name, text) for source in sources for text in source.notes)
    streams = [(source.name, source.stream) for source in sources]
    yield from whole(names, together(streams, options))


def _together(reader: Any, options: ReadOptions) -> Together | None:
    """How a reader takes several files: resources that name one another, or tables to be joined.

    A mapped table is whole on its own, so that each file is read by itself.
    """
    if hasattr(reader, "read_together"):
        return cast("Together", reader.read_together)
    if hasattr(reader, "read_joined") and options.map is None:
        return lambda streams, options: reader.read_joined(dict(streams), options)
    return None


def whole(name: str, readings: Iterator[Reading]) -> Iterator[Reading]:
    """The readings of an input; where its compressed bytes are unsound, the rest is set aside."""
    try:
        yield from readings
    except DAMAGE as error:
        yield damaged(name, error)


def open_reader(name: str, options: ReadOptions, from_: str | None = None) -> Iterator[Reading]:
    """What stands in a file (``-``: standard input), by whichever reader its content asks for.

    Raises UsageError where no reader fits, and OSError where the file cannot be read.
    """
    try:
        with open_source(name, options, from_) as source:
            yield from source.read(options)
    except DAMAGE as error:
        yield damaged(name, error)


@contextmanager
def open_source(name: str, options: ReadOptions, from_: str | None = None) -> Iterator[Source]:
    """An input, opened, unpacked where need be, and its format found."""
    if name == "-":
        yield _source(name, sys.stdin.buffer, options, from_)
        return
    with Path(name).open("rb") as stream:
        yield _source(name, stream, options, from_)


def _source(name: str, stream: IO[bytes], options: ReadOptions, from_: str | None) -> Source:
    """The input of a stream, unpacked where it is packed; raises UsageError."""
    unpacked = plain(name, stream)
    format_ = detect(unpacked.name, unpacked.head, options, from_, shown=name)
    return Source(name, format_, unpacked.stream, unpacked.notes, unpacked.head)


def detect(
    name: str,
    head: bytes,
    options: ReadOptions,
    from_: str | None = None,
    *,
    shown: str | None = None,
) -> Format:
    """The format of an input by its first bytes, then its name; raises UsageError where unknown.

    ``shown`` is what errors call it, where its content bears another name.
    """
    by_name = {known.name: known for known in FORMATS}
    if from_ is not None:
        if from_ not in by_name:
            raise UsageError(Fault("from_", "is no format", did_you_mean(from_, by_name)))
        return by_name[from_]
    # Bytes before names: a file that is sent as .txt may hold any format.
    start = head.lstrip(_BLANK)
    for marks, (problem, remedy) in _NOT_READ.items():
        if start.startswith(marks):
            raise UsageError(Fault(shown or name, problem, remedy))
    format_ = next((known for known in FORMATS if known.sniff(start)), None)
    format_ = format_ or _by_ending(Path(name).suffix.lower(), options)
    if format_ is not None:
        return format_
    # An empty input holds no record, and a bare value is JSON, though no encounter.
    if not start or _JSON_SCALAR.match(start):
        return _JSON
    remedy = f"say which: {', '.join(by_name)}; a table of text also needs a column map"
    raise UsageError(Fault(shown or name, "is in no known format", remedy))


def _by_ending(ending: str, options: ReadOptions) -> Format | None:
    """The format whose files are named so; a column map makes any other file a table."""
    for known in FORMATS:
        if known is _CSV and (ending in known.endings or options.map is not None):
            return _table(options)
        if ending in known.endings:
            return known
    return None


def _table(options: ReadOptions) -> Format:
    """The format of a table of text: a record of administrations where its map says so."""
    if options.map is None:
        return _CSV
    try:
        maps: Any = import_module(_MAPS)
    except ModuleNotFoundError:
        return _CSV
    charted = maps.load_map(options.map).table == "administrations"
    return _MAR if charted else _CSV


def reader_of(format_: Format) -> Reader:
    """The reader's module; raises UsageError where this installation lacks it."""
    try:
        return cast("Reader", import_module(format_.module))
    except ModuleNotFoundError as error:
        # A library that the reader needs and does not find is another fault, and says so itself.
        if error.name is None or not error.name.startswith("ivpush"):
            raise
        problem, remedy = "has no reader in this installation", "install a release that has it"
        raise UsageError(Fault(f"format {format_.name}", problem, remedy)) from None
