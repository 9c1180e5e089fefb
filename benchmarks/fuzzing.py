"""What every fuzz target shares: an input, how it is drawn, broken, read and judged.

A target says how an input is drawn and which outcomes it has; what is no documented outcome, it
raises as an ``UndocumentedError``. ``fuzz`` draws, reads and counts; an input that raises, or takes
more time or memory than a record may, is printed in full, the run goes on, and its status is 1.
``python -m benchmarks.fuzz`` is the command.
"""

from __future__ import annotations

import atexit
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ivpush.readers import Note, ReadOptions, Record, SetAside

CANARY = "Zebra-canary"
"""A value that stands in inputs and in no message about them."""
MOST_SECONDS, MOST_MEGABYTES = 1.0, 200.0
"""What one input may take of processor time, and add to the memory of the process."""


class UndocumentedError(Exception):
    """Something came of an input that nothing promises."""


class Fuzzed(NamedTuple):
    """An input, the name of the file that it would stand in, and how it is read."""

    raw: bytes
    name: str = "f"
    options: ReadOptions = ReadOptions()


class Target(NamedTuple):
    """What is fuzzed.

    ``outcomes`` names what comes of an input. ``watched`` are parts of the paths of modules whose
    branches the kept inputs are chosen by, and ``pieces`` what kept inputs are broken with.
    """

    name: str
    drawn: Callable[[random.Random], Fuzzed]
    outcomes: Callable[[Fuzzed], Iterable[str]]
    watched: tuple[str, ...]
    pieces: tuple[bytes, ...]


def megabytes() -> float:
    """The most memory that the process has held; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (1_048_576 if sys.platform == "darwin" else 1024)


@dataclass(slots=True)
class Tally:
    """What came of the inputs of a run, and what the dearest of them took."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    memory: float = field(default_factory=megabytes)
    first_memory: float = field(default_factory=megabytes)

    def take(self, target: Target, fuzzed: Fuzzed) -> None:
        """Read an input; whatever it raises is a fault."""
        began = time.process_time()
        try:
            self.outcomes.update(target.outcomes(fuzzed))
        except Exception as error:
            undocumented = isinstance(error, UndocumentedError)
            self._fault(str(error) if undocumented else repr(error), fuzzed)
        self._limit(time.process_time() - began, fuzzed)
        self.tried += 1

    def _limit(self, seconds: float, fuzzed: Fuzzed) -> None:
        """Hold what an input took against what a record may take."""
        before, self.memory = self.memory, megabytes()
        self.longest = max(self.longest, seconds)
        if seconds > MOST_SECONDS:
            self._fault("takes too long", fuzzed)
        if self.memory - before > MOST_MEGABYTES:
            self._fault("takes too much memory", fuzzed)

    def _fault(self, what: str, fuzzed: Fuzzed) -> None:
        self.faults[what] += 1
        print(f"input {self.tried}: {what}\n{fuzzed!r}", file=sys.stderr)

    def lines(self, target: Target, seed: int) -> Iterator[str]:
        """The tally in words."""
        seconds = time.perf_counter() - self.began
        yield f"{target.name}: {self.tried:,} inputs, seed {seed}, in {seconds:,.0f} s"
        for name, count in sorted(self.outcomes.items()):
            yield f"  {name}: {count:,}"
        for fault, count in sorted(self.faults.items()):
            yield f"  FAULT: {fault}: {count:,}"
        yield f"  longest single input: {self.longest * 1000:.0f} ms"
        more = self.memory - self.first_memory
        yield f"  peak memory: {self.memory:.0f} MB, {more:.0f} MB more than before the first input"


def fuzz(target: Target, *, inputs: int, seed: int = 1, minutes: float | None = None) -> int:
    """Draw, read and count; gives the exit status. An interrupt, or the time, ends it early."""
    rng = random.Random(seed)
    tally = Tally()
    end = None if minutes is None else tally.began + minutes * 60
    try:
        while tally.tried < inputs and (end is None or time.perf_counter() < end):
            tally.take(target, target.drawn(rng))
    except KeyboardInterrupt:
        print("interrupted")
    for line in tally.lines(target, seed):
        print(line, flush=True)
    return int(bool(tally.faults))


def reader_outcomes(items: Iterable[object]) -> Iterator[str]:
    """The kind of each thing that a reader gives; none may repeat the canary."""
    for item in items:
        if not isinstance(item, Record | SetAside | Note):
            raise UndocumentedError(f"a reader gives a {type(item).__name__}")
        message = item.message if isinstance(item, Note) else ""
        message += str(item.error) if isinstance(item, SetAside) else ""
        if CANARY in message:
            raise UndocumentedError("a message repeats a value")
        yield type(item).__name__


@cache
def scratch_folder() -> Path:
    """Where a target writes files that are read by their paths; it goes with the process."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def broken(raw: bytes, pieces: Sequence[bytes], rng: random.Random) -> bytes:
    """The bytes with one to four pieces cut, doubled or overwritten."""
    text = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.choice((0, 1, 1, 2, 8, 200)))
        doubled = bytes(text[start:stop]) * 2
        text[start:stop] = rng.choice((*pieces, bytes([rng.randrange(256)]), doubled))
    return bytes(text)
