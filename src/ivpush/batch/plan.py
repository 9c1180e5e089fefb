"""What a batch is asked to do, and what it counted: plain data, shared by every part of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
]

ROW_FORMATS = ("ndjson", "csv")
"""Formats that a batch writes: rows after a fixed head, so that pieces can be joined."""
CHUNK = 500
"""Records that one process takes at a time where the caller says nothing."""
MOST_CHUNK_BYTES = 4 * 1024 * 1024
"""A chunk ends here whatever it counts, so that large encounters cannot fill the memory."""

Item = tuple[Literal["line", "record", "aside"], str, bytes, str]
"""A record on its way to a process: how to read it, its place, its bytes, why it is set aside.

``line`` is JSON as it stood in the input, ``record`` JSON of an encounter that a reader has made,
and ``aside`` what could not be read.
"""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How to build an engine anywhere: plain data, so that every process builds its own."""

    payer: str | None = None
    policies: Mapping[str, Any] = field(default_factory=dict)
    packs: tuple[str, ...] = ()
    cache: str | None = None
    """Folder for parsed packs; None reads them afresh."""
    silent: frozenset[str] = frozenset()
    """Ids of rules that are not to speak."""

    def engine(self) -> Engine:
        """The engine; raises PackError or UsageError as ``Engine`` does."""
        from ivpush.engine import Engine  # noqa: PLC0415  (the parent may never need one)
        from ivpush.pack.pack import Pack  # noqa: PLC0415

        cache = None if self.cache is None else Path(self.cache)
        pack = Pack.load(extra=tuple(Path(one) for one in self.packs), cache=cache)
        return Engine(self.payer, policies=self.policies, pack=pack)


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """What a process needs to know before its first chunk."""

    engine: EngineOptions = field(default_factory=EngineOptions)
    formats: tuple[str, ...] = ("ndjson",)
    read: ReadOptions = field(default_factory=ReadOptions)
    show_text: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole batch: what to read, how to judge it, where to write."""

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
    resume: bool = False
    show_text: bool = False
    method: str = "spawn"
    """How processes start: ``spawn``, ``fork`` or ``forkserver``."""


@dataclass(slots=True)
class Counts:
    """What a batch has done so far; ``read`` is always ``checked + set_aside``."""

    read: int = 0
    checked: int = 0
    set_aside: int = 0
    errors: int = 0
    """Violations with this severity; so are the next two."""
    warnings: int = 0
    infos: int = 0
    questions: int = 0
    ignored: int = 0
    """Findings of rules that were told to be silent."""

    @property
    def violations(self) -> int:
        """Violations of every severity."""
        return self.errors + self.warnings + self.infos

    def add(self, other: Counts) -> None:
        """Take the counts of a piece into these."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)
