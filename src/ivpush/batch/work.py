"""What happens to a chunk inside a process: bytes in, bytes out.

``pool`` builds a ``Worker`` (files in, files out) or ``Singles`` (an answer a record) in each
process and calls it with one chunk after another. Nothing but plain bytes and counts crosses
between processes: a pickled model costs several times what reading its JSON again costs.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from ivpush._version import __version__
from ivpush.batch.plan import Counts, Item, WorkOptions
from ivpush.claim.statistics import reason_of
from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError, InternalError, attempt
from ivpush.readers import SetAside
from ivpush.readers.json import record
from ivpush.writers import WriteOptions
from ivpush.writers.safe import aside_row, escaped_json

if TYPE_CHECKING:
    from ivpush.contract.result import Result
    from ivpush.engine import Engine, Worked
    from ivpush.writers import ResultWriter

__all__ = ["Done", "Single", "Singles", "Stamp", "Worker", "lost"]

_BLOCK = 8
"""Records that are read before any of them is checked."""


class Single(NamedTuple):
    """One record's answer."""

    place: str
    json: bytes | None
    """Its result; None where there is none."""
    reason: str
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a chunk."""

    outputs: list[bytes]
    """The rows of every output."""
    aside: bytes
    """Rows of what was set aside."""
    reasons: list[str]
    """Place and reason of every record set aside, for people."""
    counts: Counts


@dataclass(frozen=True, slots=True)
class Stamp:
    """What writing a batch's files takes from those who check it."""

    digest: str
    """Identity of the pack that judges."""
    heads: tuple[bytes, ...]
    """What each format writes before its rows."""


class Worker:
    """Checks chunks of records and writes them in the formats that were asked for.

    ::

        worker = Worker(WorkOptions(formats=("ndjson", "csv")))
        done = worker([Item("line", "claims.ndjson:1", line)])
        results, table = done.outputs
    """

    def __init__(self, options: WorkOptions) -> None:
        self._options = options
        self._engine = options.build()
        self._silent = options.engine.silent
        self._write = WriteOptions(self._engine.pack, __version__, options.show_text)
        heads = tuple(_head(name, self._write) for name in options.formats)
        self.stamp = Stamp(self._engine.pack.digest, heads)

    def __call__(self, items: Sequence[Item]) -> Done:
        """The rows of a chunk, in the order of its records."""
        buffers = [io.BytesIO() for _ in self._options.formats]
        writers = [
            _writer(name, buffer, self._write)
            for name, buffer in zip(self._options.formats, buffers, strict=True)
        ]
        counts, aside = Counts(read=len(items)), _Aside(show_text=self._write.show_text)
        for block in _judged(items, self._options, self._engine):
            for item, answer in block:
                if isinstance(answer, InputError):
                    aside.put(item, answer)
                    counts.statistics.put_aside(reason_of(answer))
                    counts.internal += isinstance(answer, InternalError)
                    continue
                self._count(answer, counts)
                for writer in writers:
                    writer.write(answer, item.place)
        for writer in writers:
            writer.close()
        counts.set_aside = len(aside.rows)
        # Each chunk is a whole document; only the first of a run keeps its head.
        rows = [
            buffer.getvalue().removeprefix(head)
            for buffer, head in zip(buffers, self.stamp.heads, strict=True)
        ]
        return Done(rows, b"".join(aside.rows), aside.reasons, counts)

    def _count(self, work: Worked, counts: Counts) -> None:
        """Leave out what is to be silent, and count the rest."""
        counts.checked += 1
        engine = self._options.engine
        counts.ignored += work.tell(self._silent, coverage=engine.coverage, visit=engine.visit)
        counts.questions += len(work.result.questions)
        counts.statistics.add(work.encounter, work.result, work.book.outdated)
        for violation in work.result.violations:
            if violation.severity == "error":
                counts.errors += 1
            elif violation.severity == "warning":
                counts.warnings += 1
            else:
                counts.infos += 1


class _Aside:
    """The records of a chunk that are set aside: rows for a file, reasons for people."""

    def __init__(self, *, show_text: bool) -> None:
        self.rows: list[bytes] = []
        self.reasons: list[str] = []
        self._show_text = show_text

    def put(self, item: Item, error: InputError) -> None:
        """Set a record aside."""
        reason = error.one_line
        self.rows.append(aside_row(item.place, reason, item.raw, show_text=self._show_text))
        self.reasons.append(f"{item.place}: {reason}")


class Singles:
    """Checks chunks of records and gives every record's own answer."""

    stamp = None

    def __init__(self, options: WorkOptions) -> None:
        self._options = options
        self._engine = options.build()
        self._silent = options.engine.silent

    def __call__(self, items: Sequence[Item]) -> list[Single]:
        """One answer a record, in order."""
        return [
            Single(place, None if result is None else escaped_json(result.to_json()), reason)
            for place, result, reason in self.results(items)
        ]

    def results(self, items: Sequence[Item]) -> Iterator[tuple[str, Result | None, str]]:
        """Each record's place, its result or None, and why there is none; in order."""
        for block in _judged(items, self._options, self._engine):
            for item, answer in block:
                if isinstance(answer, InputError):
                    yield item.place, None, answer.one_line
                    continue
                engine = self._options.engine
                answer.tell(self._silent, coverage=engine.coverage, visit=engine.visit)
                yield item.place, answer.result, ""


def _judged(
    items: Sequence[Item], options: WorkOptions, engine: Engine
) -> Iterator[list[tuple[Item, Worked | InputError]]]:
    """Each record with what came of it, by blocks that are read and only then checked.

    Going back and forth between the two for every record costs a tenth more: each drives the
    other out of the processor's caches.
    """
    for start in range(0, len(items), _BLOCK):
        block = items[start : start + _BLOCK]
        encounters = [attempt(_encounter, item, options) for item in block]
        yield [
            (item, read if isinstance(read, InputError) else attempt(engine.work, read))
            for item, read in zip(block, encounters, strict=True)
        ]


def lost(item: Item) -> Item:
    """A record that ended the process that checked it, so that it is set aside instead."""
    fault = Fault(
        "",
        "the process that checked the record died twice",
        "check it on its own with more memory, and report it",
    )
    return Item("aside", item.place, item.raw, str(fault))


def _head(name: str, options: WriteOptions) -> bytes:
    """What a format writes before its rows: a document without any."""
    buffer = io.BytesIO()
    _writer(name, buffer, options).close()
    return buffer.getvalue()


def _writer(name: str, out: io.BytesIO, options: WriteOptions) -> ResultWriter:
    # A format is named after its module; Plan has checked the name.
    writer: ResultWriter = import_module(f"ivpush.writers.{name}").Writer(out, options)
    return writer


def _encounter(item: Item, options: WorkOptions) -> Encounter:
    if item.kind == "aside":
        raise InputError(item.reason)
    if item.kind == "record":
        # A reader has made it, so that options of reading have been applied.
        return Encounter.model_validate_json(item.raw)
    reading = record(item.place, item.raw, options.read)
    if isinstance(reading, SetAside):
        raise reading.error
    return reading.encounter
