"""Which reader an input needs: its first bytes decide, then the end of its name.

The registry names modules; only the one that is needed is imported. Compressed inputs (gzip) are
unpacked as a stream with a cap, so that a small file cannot grow without end. The command line and
batches open their inputs here.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Protocol, cast

from ivpush.errors import Fault, InputError, UsageError, did_you_mean
from ivpush.readers import Reading, ReadOptions, SetAside

__all__ = [
    "DAMAGE",
    "FORMATS",
    "Format",
    "Source",
    "damaged",
    "detect",
    "open_reader",
    "open_source",
    "read_together",
    "whole",
]

HEAD_BYTES = 64 * 1024
MOST_UNPACKED_BYTES = 8 * 1024**3
MOST_RATIO = 500
"""Charts and claims seldom shrink below a hundredth, and one record over and over to a 200th; only
runs of a few bytes pass this."""
_FREE_BYTES = 4 * 1024**2
_MAPS = "ivpush.readers.tables.maps"
_TABLES = "ivpush.readers.tables.reader"
_GZIP = b"\x1f\x8b"
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
    Format("x12", "ivpush.readers.x12", _begins(b"ISA", b"ST*"), (".837", ".x12", ".edi")),
    Format("hl7", "ivpush.readers.hl7", _begins(b"MSH", b"FHS", b"BHS"), (".hl7",)),
    Format("parquet", _TABLES, _begins(b"PAR1"), (".parquet",)),
    _JSON,
    _CSV,
    _MAR,
)
"""Known formats, in the order in which first bytes are looked at. No bytes tell a table of text
from other text: its name does, or a column map."""

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

    def read(self, options: ReadOptions) -> Iterator[Reading]:
        """What the format's reader finds; damage of a compressed input is set aside."""
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
    """The input of a stream, unpacked where it is compressed; raises UsageError."""
    # What is inside decides, not the ending .gz: a packed file may bear any name.
    head, stream = _headed(stream)
    unpacked_name = name
    if head.startswith(_GZIP):
        packed = gzip.GzipFile(fileobj=stream, mode="rb")
        capped = _Capped(cast("IO[bytes]", packed), stream)
        head, stream = _headed(io.BufferedReader(capped, HEAD_BYTES))
        unpacked_name = name.removesuffix(".gz")
        if head.startswith(_GZIP):
            raise UsageError(Fault(name, "is compressed twice", "unpack it once"))
    return Source(name, detect(unpacked_name, head, options, from_), stream)


def detect(name: str, head: bytes, options: ReadOptions, from_: str | None = None) -> Format:
    """The format of an input by its first bytes, then its name; raises UsageError where unknown."""
    by_name = {known.name: known for known in FORMATS}
    if from_ is not None:
        if from_ not in by_name:
            raise UsageError(Fault("from_", "is no format", did_you_mean(from_, by_name)))
        return by_name[from_]
    # Bytes before names: a file that is sent as .txt may hold any format.
    start = head.lstrip(_BLANK)
    format_ = next((known for known in FORMATS if known.sniff(start)), None)
    format_ = format_ or _by_ending(Path(name).suffix.lower(), options)
    if format_ is not None:
        return format_
    # An empty input holds no record, and a bare value is JSON, though no encounter.
    if not start or _JSON_SCALAR.match(start):
        return _JSON
    remedy = f"say which: {', '.join(by_name)}; a table of text also needs a column map"
    raise UsageError(Fault(name, "is in no known format", remedy))


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


def _headed(stream: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """The first bytes, and a stream that still begins with them."""
    if stream.seekable():
        here = stream.tell()
        head = stream.read(HEAD_BYTES)
        stream.seek(here)
        return head, stream
    # A pipe may give less than it is asked for.
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    return head, io.BufferedReader(_Joined(head, stream), HEAD_BYTES)


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of their stream."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = io.BytesIO(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class _TooMuchError(Exception):
    """Compressed bytes that unpack to more than the cap."""


DAMAGE = (_TooMuchError, EOFError, zlib.error, gzip.BadGzipFile)
"""What reading compressed bytes may raise where they are unsound."""


class _Capped(io.RawIOBase):
    """Unpacked bytes, up to the cap; more would fill the memory or the day."""

    def __init__(self, unpacked: IO[bytes], packed: IO[bytes]) -> None:
        self._unpacked, self._packed, self._count = unpacked, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._unpacked.read(len(buffer))
        buffer[: len(block)] = block
        self._count += len(block)
        # Small files may shrink as far as they like: a run of blanks is no attack.
        if self._count > MOST_UNPACKED_BYTES or (
            self._count > _FREE_BYTES and self._count > MOST_RATIO * self._packed.tell()
        ):
            raise _TooMuchError
        return len(block)


def damaged(name: str, error: Exception) -> SetAside:
    """The rest of an input whose compressed bytes are unsound, set aside."""
    if isinstance(error, _TooMuchError):
        problem, remedy = "the compressed bytes unpack to too much", "unpack the file, or split it"
    else:
        problem = "the compressed bytes are damaged or cut short; the rest of the file was not read"
        remedy = "pack the file again"
    return SetAside(name, InputError(Fault("", problem, remedy)))
