"""What a batch reads: files in order, cut into chunks that know where they end.

``runner`` hands the chunks to processes and keeps the position after each in its checkpoint. NDJSON
is not parsed here: its lines go to the processes as they stand. Every other format goes through its
reader, and what the reader makes goes on as JSON.
"""

from __future__ import annotations

import glob
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ivpush.batch.plan import Item, Plan, cut
from ivpush.errors import Fault, UsageError
from ivpush.readers import Record, SetAside
from ivpush.readers.detect import DAMAGE, Source, damaged, open_source
from ivpush.readers.json import MOST_DOCUMENT_BYTES, MOST_RECORD_BYTES, lines, opening

__all__ = ["Chunk", "Intake", "Position", "expanded"]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a batch stands: which file, and how far into it."""

    file: int = 0
    records: int = 0
    """Records of that file that lie behind."""
    offset: int = 0
    """Bytes of that file that lie behind, where it can be entered in the middle."""
    line: int = 0
    """The line that ends there, where it can be entered in the middle."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where the input stands after a chunk, and how many records the chunk holds."""

    after: Position
    records: int


class _Reached(NamedTuple):
    """A record, and where the input stands after it."""

    item: Item
    after: Position


def expanded(files: tuple[str, ...]) -> tuple[str, ...]:
    """Names with patterns spelled out; raises UsageError for what names no file."""
    names: list[str] = []
    for name in files:
        # A file may be called "a[1].ndjson": a name that exists is no pattern.
        if name == "-" or Path(name).exists() or not glob.has_magic(name):
            names.append(name)
            continue
        matches = sorted(glob.glob(name, recursive=True))
        if not matches:
            raise UsageError(Fault(name, "matches no file", "name files that are there"))
        names += matches
    if names.count("-") > 1:
        raise UsageError(Fault("-", "standard input is read twice", "name it once"))
    for name in names:
        if name != "-":
            _check_readable(name)
    return tuple(names)


def _check_readable(name: str) -> None:
    path = Path(name)
    if path.exists() and not path.is_file() and not path.is_dir():
        return  # a pipe gives its bytes once
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise UsageError(
            Fault(name, error.strerror or "cannot be read", "name a file that can be read")
        ) from None


def _is_file(name: str) -> bool:
    return name != "-" and Path(name).is_file()


class Intake:
    """The records of a batch's files, cut into chunks.

    ::

        intake = Intake(plan, print)
        for chunk, items in intake.chunks(Position()):
            ...

    Raises UsageError for names that are no files, and for files that must be read together.
    """

    def __init__(self, plan: Plan, note: Callable[[str], None]) -> None:
        self.files = expanded(plan.files)
        self.regular = all(map(_is_file, self.files))
        """Whether the input can be read twice, and its length is known."""
        self.sizes = [Path(name).stat().st_size if _is_file(name) else 0 for name in self.files]
        self.bytes = sum(self.sizes) if self.regular else 0
        self._plan, self._note = plan, note
        if len(self.files) > 1:
            self._refuse_joined()

    def _refuse_joined(self) -> None:
        """Refuse files that only together hold whole encounters: apart they would lose facts."""
        for name in self.files:
            if not _is_file(name):
                continue
            try:
                with open_source(name, self._plan.read, self._plan.from_) as source:
                    joins = source.joins(self._plan.read)
            except DAMAGE:
                continue  # it is set aside in its turn
            if joins:
                raise UsageError(
                    Fault(
                        name,
                        "is in a format whose files are read together",
                        "check them together in one process, or make NDJSON of them first with "
                        "ivpush convert",
                    )
                )

    def identity(self) -> str:
        """Hash of every name and every byte of the input, so that a resumed run reads the same."""
        digest = hashlib.sha256()
        for name in self.files:
            with Path(name).open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            # The length keeps apart names that would run into what follows.
            digest.update(f"{len(name)}:{name}:{content};".encode())
        return digest.hexdigest()

    def behind(self, position: Position) -> int:
        """Bytes that lie behind a position, as far as they can be known."""
        return sum(self.sizes[: position.file]) + position.offset

    def chunks(self, start: Position) -> Iterator[tuple[Chunk, list[Item]]]:
        """Chunks of at most so many records, beginning after a position; they may span files.

        ::

            Raises UsageError where a file cannot be read on.
        """
        for items, after in cut(self._reached(start), self._plan.chunk):
            yield Chunk(after, len(items)), items

    def _reached(self, start: Position) -> Iterator[_Reached]:
        """Every record after a position, in order."""
        for number in range(start.file, len(self.files)):
            name = self.files[number]
            here = start if number == start.file else Position(number)
            count = here.records
            try:
                for reached in self._of_file(name, here):
                    count = reached.after.records
                    yield reached
            # Whatever damage a compressed file shows, at once or later, is set aside.
            except DAMAGE as error:
                yield _Reached(_aside(damaged(name, error)), Position(number, count + 1))
            except OSError as error:
                problem = error.strerror or "cannot be read"
                raise UsageError(Fault(name, problem, "mend it, then resume")) from None

    def _of_file(self, name: str, start: Position) -> Iterator[_Reached]:
        with open_source(name, self._plan.read, self._plan.from_) as source:
            if source.format.name == "json":
                yield from self._of_json(source, start)
            else:
                yield from self._of_reader(source, start)

    def _of_reader(self, source: Source, start: Position) -> Iterator[_Reached]:
        """What a reader makes: a format with state is read again from its beginning."""
        items = islice(self._items(source), start.records, None)
        for count, item in enumerate(items, start.records + 1):
            yield _Reached(item, Position(start.file, count))

    def _of_json(self, source: Source, start: Position) -> Iterator[_Reached]:
        """Lines as they stand; a document is read by its reader, all at once as ever."""
        stream = source.stream
        number, first, is_lines = opening(stream)
        if not is_lines:
            # One byte more than is allowed, so that the reader sees a document that is too long.
            text = io.BytesIO(first + stream.read(MOST_DOCUMENT_BYTES + 1))
            yield from self._of_reader(replace(source, stream=text), start)
            return
        enter = stream.seekable()
        if enter and start.offset:
            stream.seek(start.offset)
            number, first = start.line + 1, stream.readline(MOST_RECORD_BYTES + 1)
        numbered = lines(stream, number, first)
        if not enter:
            numbered = islice(numbered, start.records, None)
        for count, (at, line) in enumerate(numbered, start.records + 1):
            offset = stream.tell() if enter else 0
            item = Item("line", f"{source.name}:{at}", line)
            yield _Reached(item, Position(start.file, count, offset, at))

    def _items(self, source: Source) -> Iterator[Item]:
        for reading in source.read(self._plan.read):
            if isinstance(reading, Record):
                raw = reading.encounter.model_dump_json(exclude_none=True).encode()
                yield Item("record", reading.place, raw)
            elif isinstance(reading, SetAside):
                yield _aside(reading)
            else:
                self._note(f"{reading.place}: {reading.message}")


def _aside(aside: SetAside) -> Item:
    return Item("aside", aside.place, aside.raw or b"", aside.error.one_line)
