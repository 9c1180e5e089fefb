"""What a batch reads: files in order, cut into chunks that know where they end.

NDJSON is not parsed here: its lines go to the processes as they stand. Every other format goes
through its reader, and what the reader makes goes on as JSON.
"""

from __future__ import annotations

import glob
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import cast

from ivpush.batch.plan import MOST_CHUNK_BYTES, Item, Plan
from ivpush.errors import Fault, UsageError
from ivpush.readers import Reading, Record, SetAside
from ivpush.readers.detect import DAMAGE, Source, open_source, whole
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


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where the input stands after a chunk, and how many records the chunk holds."""

    after: Position
    records: int


def expanded(files: tuple[str, ...]) -> tuple[str, ...]:
    """Names with patterns spelled out; raises UsageError for what names no file."""
    made: list[str] = []
    for name in files:
        if name == "-" or Path(name).exists() or not glob.has_magic(name):
            made.append(name)
            continue
        found = sorted(glob.glob(name, recursive=True))
        if not found:
            raise UsageError(Fault(name, "matches no file", "name files that are there"))
        made += found
    if made.count("-") > 1:
        raise UsageError(Fault("-", "standard input is read twice", "name it once"))
    for name in made:
        if name != "-":
            _readable(name)
    return tuple(made)


def _readable(name: str) -> None:
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


class Intake:
    """The records of a batch's files, cut into chunks."""

    def __init__(self, plan: Plan, note: Callable[[str], None]) -> None:
        self.files = expanded(plan.files)
        self.regular = all(name != "-" and Path(name).is_file() for name in self.files)
        self.sizes = [
            Path(name).stat().st_size if name != "-" and Path(name).is_file() else 0
            for name in self.files
        ]
        self.bytes = sum(self.sizes) if self.regular else 0
        self._plan, self._note = plan, note
        if len(self.files) > 1:
            self._refuse_joined()

    def _refuse_joined(self) -> None:
        """Refuse files that only together hold whole encounters: apart they would lose facts."""
        for name in self.files:
            if name == "-" or not Path(name).is_file():
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
                        "leave out --workers, --resume, --progress and --chunk, "
                        "or make NDJSON of them first with ivpush convert",
                    )
                )

    def identity(self) -> str:
        """Hash of every name and every byte of the input, so that a resumed run reads the same."""
        digest = hashlib.sha256()
        for name in self.files:
            with Path(name).open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{len(name)}:{name}:{content};".encode())
        return digest.hexdigest()

    def behind(self, position: Position) -> int:
        """Bytes that lie behind a position, as far as they can be known."""
        return sum(self.sizes[: position.file]) + position.offset

    def chunks(self, start: Position) -> Iterator[tuple[Chunk, list[Item]]]:
        """Chunks of at most so many records, beginning after a position; they may span files."""
        items: list[Item] = []
        size, after = 0, start
        for item, after in self._items(start):
            items.append(item)
            size += len(item[2])
            if len(items) >= self._plan.chunk or size >= MOST_CHUNK_BYTES:
                yield Chunk(after, len(items)), items
                items, size = [], 0
        if items:
            yield Chunk(after, len(items)), items

    def _items(self, start: Position) -> Iterator[tuple[Item, Position]]:
        for number in range(start.file, len(self.files)):
            name = self.files[number]
            here = start if number == start.file else Position(number)
            found = cast("Iterator[Reading]", self._of(name, here))
            count = here.records
            try:
                # Whatever damage a compressed file shows, at once or later, is set aside.
                for one in cast("Iterator[SetAside | tuple[Item, Position]]", whole(name, found)):
                    if isinstance(one, SetAside):
                        yield _aside(one), Position(number, count + 1)
                        continue
                    count = one[1].records
                    yield one
            except OSError as error:
                raise UsageError(
                    Fault(
                        name,
                        error.strerror or "cannot be read",
                        "mend it, then go on with --resume",
                    )
                ) from None

    def _of(self, name: str, start: Position) -> Iterator[tuple[Item, Position]]:
        with open_source(name, self._plan.read, self._plan.from_) as source:
            if source.format.name == "json":
                yield from self._json(source, start)
                return
            behind = start.records
            for count, item in enumerate(islice(self._readings(source), behind, None), behind + 1):
                yield item, Position(start.file, count)

    def _json(self, source: Source, start: Position) -> Iterator[tuple[Item, Position]]:
        """Lines as they stand; a document is read by its reader, all at once as ever."""
        stream = source.stream
        number, first, is_lines = opening(stream)
        if not is_lines:
            text = io.BytesIO(first + stream.read(MOST_DOCUMENT_BYTES + 1))
            items = self._readings(replace(source, stream=text))
            for count, item in enumerate(islice(items, start.records, None), start.records + 1):
                yield item, Position(start.file, count)
            return
        enter = stream.seekable()
        if enter and start.offset:
            stream.seek(start.offset)
            number, first = start.line + 1, stream.readline(MOST_RECORD_BYTES + 1)
        read = lines(stream, number, first)
        if not enter:
            read = islice(read, start.records, None)
        for count, (at, line) in enumerate(read, start.records + 1):
            here = stream.tell() if enter else 0
            found: Item = ("line", f"{source.name}:{at}", line, "")
            yield found, Position(start.file, count, here, at)

    def _readings(self, source: Source) -> Iterator[Item]:
        for one in source.read(self._plan.read):
            if isinstance(one, Record):
                raw = one.encounter.model_dump_json(exclude_none=True).encode()
                yield "record", one.place, raw, ""
            elif isinstance(one, SetAside):
                yield _aside(one)
            else:
                self._note(f"{one.place}: {one.message}")


def _aside(one: SetAside) -> Item:
    return "aside", one.place, one.raw or b"", one.error.one_line
