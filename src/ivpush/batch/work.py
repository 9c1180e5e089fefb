"""What happens to a chunk inside a process: bytes in, bytes out.

Nothing but plain bytes and counts crosses between processes: a pickled model costs several times
what reading its JSON again costs.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from ivpush._version import __version__
from ivpush.batch.plan import Counts, Item, WorkOptions
from ivpush.claim.selection import Selection
from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Record, SetAside
from ivpush.readers.json import record
from ivpush.writers import WriteOptions
from ivpush.writers.safe import aside_row, escaped_json

if TYPE_CHECKING:
    from ivpush.contract.result import Result
    from ivpush.engine import Engine, Worked
    from ivpush.writers import ResultWriter

__all__ = ["Done", "Single", "Singles", "Stamp", "Worker", "broken", "lost"]

_BLOCK = 8
"""Records that are read before any of them is checked."""
Made = TypeVar("Made")
Single = tuple[str, bytes | None, str]
"""One record's answer: its place, its result as JSON or None, and why there is none."""


@dataclass(slots=True)
class Done:
    """What came of a chunk: the rows of every output, rows of what was set aside, counts."""

    outputs: list[bytes]
    aside: bytes = b""
    reasons: list[str] = field(default_factory=list)
    """Place and reason of every record set aside, for people."""
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What writing a batch's files takes from those who check it."""

    digest: str
    """Identity of the pack that judges."""
    heads: tuple[bytes, ...]
    """What each format writes before its rows."""


class Worker:
    """Checks chunks of records and writes them in the formats that were asked for."""

    def __init__(self, options: WorkOptions) -> None:
        self._options = options
        self._engine = options.engine.engine()
        self._selection = Selection(options.engine.silent)
        self._write = WriteOptions(self._engine.pack, __version__, options.show_text)
        heads = tuple([_head(one, self._write) for one in options.formats])
        self.stamp = Stamp(self._engine.pack.digest, heads)

    def __call__(self, items: Sequence[Item]) -> Done:
        """The rows of a chunk, in the order of its records."""
        buffers = [io.BytesIO() for _ in self._options.formats]
        writers = [
            _writer(name, buffer, self._write)
            for name, buffer in zip(self._options.formats, buffers, strict=True)
        ]
        done, aside = Done([]), []
        done.counts.read = len(items)
        for block in _judged(items, self._options, self._engine):
            for item, made in block:
                if isinstance(made, InputError):
                    aside.append(self._put_aside(item, made, done))
                    continue
                self._count(made, done.counts)
                for writer in writers:
                    writer.write(made, item[1])
                made.release()
        for writer in writers:
            writer.close()
        done.outputs = [
            buffer.getvalue().removeprefix(head)
            for buffer, head in zip(buffers, self.stamp.heads, strict=True)
        ]
        done.aside = b"".join(aside)
        return done

    def _put_aside(self, item: Item, error: InputError, done: Done) -> bytes:
        done.counts.set_aside += 1
        done.reasons.append(f"{item[1]}: {error.one_line}")
        return aside_row(item[1], error.one_line, item[2], show_text=self._write.show_text)

    def _count(self, work: Worked, counts: Counts) -> None:
        counts.checked += 1
        work.result, gone = self._selection.applied(work.result)
        counts.ignored += gone
        counts.questions += len(work.result.questions)
        for one in work.result.violations:
            if one.severity == "error":
                counts.errors += 1
            elif one.severity == "warning":
                counts.warnings += 1
            else:
                counts.infos += 1


class Singles:
    """Checks chunks of records and gives every record's own answer."""

    stamp = None

    def __init__(self, options: WorkOptions) -> None:
        self._options = options
        self._engine = options.engine.engine()
        self._selection = Selection(options.engine.silent)

    def __call__(self, items: Sequence[Item]) -> list[Single]:
        """One answer a record, in order."""
        return [
            (place, None if result is None else escaped_json(result.to_json()), reason)
            for place, result, reason in self.results(items)
        ]

    def results(self, items: Sequence[Item]) -> Iterator[tuple[str, Result | None, str]]:
        """Each record's place, its result or None, and why there is none; in order."""
        for block in _judged(items, self._options, self._engine):
            for item, made in block:
                if isinstance(made, InputError):
                    yield item[1], None, made.one_line
                    continue
                result, _ = self._selection.applied(made.result)
                made.release()
                yield item[1], result, ""


def _judged(
    items: Sequence[Item], options: WorkOptions, engine: Engine
) -> Iterator[list[tuple[Item, Worked | InputError]]]:
    """Each record with what came of it, by blocks that are read and only then checked.

    Going back and forth between the two for every record costs a tenth more: each drives the
    other out of the processor's caches.
    """
    for start in range(0, len(items), _BLOCK):
        block = items[start : start + _BLOCK]
        read = [_attempt(_encounter, item, options) for item in block]
        yield [
            (item, one if isinstance(one, InputError) else _attempt(engine.work, one))
            for item, one in zip(block, read, strict=True)
        ]


def _attempt(do: Callable[..., Made], *given: Any) -> Made | InputError:
    try:
        return do(*given)
    except InputError as error:
        return error
    except Exception as error:
        return broken(error)


def lost(item: Item) -> Item:
    """A record that ended the process that checked it, so that it is set aside instead."""
    said = Fault(
        "",
        "the process that checked the record died twice",
        "check it on its own with more memory, and report it",
    )
    return "aside", item[1], item[2], str(said)


def _head(name: str, options: WriteOptions) -> bytes:
    """What a format writes before its rows: a document without any."""
    buffer = io.BytesIO()
    _writer(name, buffer, options).close()
    return buffer.getvalue()


def _writer(name: str, out: io.BytesIO, options: WriteOptions) -> ResultWriter:
    made: ResultWriter = import_module(f"ivpush.writers.{name}").Writer(out, options)
    return made


def _encounter(item: Item, options: WorkOptions) -> Encounter:
    kind, place, raw, reason = item
    if kind == "aside":
        raise InputError(reason)
    if kind == "record":
        return Encounter.model_validate_json(raw)
    made: Record | SetAside = record(place, raw, options.read)
    if isinstance(made, SetAside):
        raise made.error
    return made.encounter


def broken(error: BaseException) -> InputError:
    """Our own failure on one record: it must not stop the rest, and its text may hold values."""
    return InputError(
        Fault(
            "",
            f"checking it failed inside ivpush ({type(error).__name__})",
            "check it on its own, and report it without patient data",
        )
    )
