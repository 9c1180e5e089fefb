"""What a batch is asked to do, what travels to its processes, and what it counted.

Plain data that every part of a batch shares. Users write a ``Plan`` and ``EngineOptions`` and get
``Counts`` back; ``Item`` and ``WorkOptions`` stay inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from ivpush.claim.statistics import Statistics
from ivpush.errors import require_kind
from ivpush.readers import ReadOptions

if TYPE_CHECKING:
    from ivpush.engine import Engine

__all__ = [
    "CHUNK",
    "MOST_CHUNK_BYTES",
    "ROW_FORMATS",
    "Counts",
    "EngineOptions",
    "Item",
    "Plan",
    "WorkOptions",
    "cut",
]

Mark = TypeVar("Mark")

ROW_FORMATS = ("ndjson", "csv")
"""Formats that a batch writes: rows after a fixed head, so that pieces can be joined."""
CHUNK = 500
"""Records that one process takes at a time where the caller says nothing."""
MOST_CHUNK_BYTES = 4 * 1024 * 1024
"""A chunk ends here whatever it counts, so that large encounters cannot fill the memory."""


class Item(NamedTuple):
    """A record on its way to a process."""

    kind: Literal["line", "record", "aside"]
    """How to read it.

    ``line`` is JSON as it stood in the input, ``record`` JSON of an encounter that a reader has
    made, and ``aside`` what could not be read.
    """
    place: str
    raw: bytes
    reason: str = ""
    """Why it is set aside."""
    encounter: str | None = None
    """The id of an encounter that is set aside, where that is known."""


def cut(items: Iterable[tuple[Item, Mark]], most: int) -> Iterator[tuple[list[Item], Mark]]:
    """Chunks of at most ``most`` items, each with the mark of its last one."""
    chunk: list[Item] = []
    size = 0
    for item, mark in items:
        chunk.append(item)
        size += len(item.raw)
        if len(chunk) >= most or size >= MOST_CHUNK_BYTES:
            yield chunk, mark
            chunk, size = [], 0
    if chunk:
        yield chunk, mark


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How to build an engine anywhere: plain data, so that every process builds its own.

    ::

        check_many(records, EngineOptions(payer="medicare"), workers=4)
    """

    payer: str | None = None
    policies: Mapping[str, Any] = field(default_factory=dict)
    packs: tuple[str, ...] = ()
    cache: str | None = None
    """Folder for parsed packs; None reads them afresh."""
    silent: frozenset[str] = frozenset()
    """Ids of rules that are not to speak."""
    coverage: bool = False
    """Whether each result says what it was checked against; tables of results do not hold it."""
    visit: bool = False
    """Whether each result holds what it is about; tables of results do not hold it either."""

    def __post_init__(self) -> None:
        # A text is a container too: a rule's id would be looked for in its letters.
        kinds = (set, frozenset, list, tuple)
        require_kind("silent", self.silent, kinds, "give a set of ids of rules")
        require_kind("cache", self.cache, (str, NoneType), "give the path of a folder")

    def engine(self) -> Engine:
        """The engine; raises PackError or UsageError as ``Engine`` does."""
        from ivpush.engine import Engine  # noqa: PLC0415  (the parent may never need one)
        from ivpush.pack.pack import Pack  # noqa: PLC0415

        cache = None if self.cache is None else Path(self.cache)
        pack = Pack.shipped(self.packs, cache)
        return Engine(self.payer, policies=self.policies, pack=pack)


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """What a process needs to know before its first chunk."""

    engine: EngineOptions = field(default_factory=EngineOptions)
    formats: tuple[str, ...] = ("ndjson",)
    read: ReadOptions = field(default_factory=ReadOptions)
    show_text: bool = False

    def build(self) -> Engine:
        """The engine; raises PackError or UsageError, also for the payer of ``read``."""
        engine = self.engine.engine()
        if self.read.payer is not None:
            engine.pack.require_payer(self.read.payer)
        return engine


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole batch: what to read, how to judge it, where to write.

    ::

        plan = Plan(
            files=("claims/*.ndjson.gz",),
            outputs=(("ndjson", "results.ndjson"), ("csv", "findings.csv")),
            workers=4,
        )
        counts = run(plan)
    """

    files: tuple[str, ...]
    """Names, patterns such as ``claims/*.ndjson``, or ``-`` for standard input."""
    outputs: tuple[tuple[str, str], ...] = (("ndjson", "-"),)
    """Format and file of every output; ``-`` is standard output."""
    set_aside: str | None = None
    """File for a row about every record that could not be read or checked."""
    engine: EngineOptions = field(default_factory=EngineOptions)
    read: ReadOptions = field(default_factory=ReadOptions)
    from_: str | None = None
    """Format of the input, instead of what its content says."""
    workers: int = 1
    """Processes; 0 works in this one."""
    chunk: int = CHUNK
    """Records that one process takes at a time."""
    resume: bool = False
    """Whether to go on where an earlier run of the same plan was ended."""
    show_text: bool = False
    """Whether the chart's own words may be written."""
    method: str = "spawn"
    """How processes start: ``spawn``, ``fork`` or ``forkserver``."""


@dataclass(slots=True)
class Counts:
    """What a batch has done so far; ``read`` is always ``checked + set_aside``."""

    read: int = 0
    checked: int = 0
    set_aside: int = 0
    internal: int = 0
    """Of those set aside the ones on which ivpush itself failed."""
    errors: int = 0
    """Violations with this severity; so are the next two."""
    warnings: int = 0
    infos: int = 0
    questions: int = 0
    ignored: int = 0
    """Findings of rules that were told to be silent."""
    statistics: Statistics = field(default_factory=Statistics)
    """Totals by status, rule and payer, and what is set aside by reason."""

    @property
    def violations(self) -> int:
        """Errors and warnings; notes, the infos, stand apart."""
        return self.errors + self.warnings

    def add(self, other: Counts) -> None:
        """Take the counts of a piece into these."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.statistics.include(other.statistics)

    def state(self) -> dict[str, Any]:
        """The counts as plain data, for a checkpoint."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {**numbers, "statistics": self.statistics.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Counts:
        """The counts that ``state`` gave."""
        return cls(**{**state, "statistics": Statistics.from_state(state["statistics"])})


_NUMBERS = tuple(each.name for each in fields(Counts) if each.name != "statistics")
