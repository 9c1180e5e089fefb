"""What every fuzz command does: draw inputs, read each, and count what comes of it.

A command says how an input is drawn and which outcomes it has; what is no documented outcome, it
raises as an ``UndocumentedError``:

    if __name__ == "__main__":
        sys.exit(fuzz(drawn, outcomes, sys.argv[1:]))

It takes ``[INPUTS] [SEED]`` (200,000 and 1) and prints the outcomes with their counts and the
longest single input; after an interrupt, those so far. An input that raises is printed in full, the
run goes on, and its status is 1.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from ivpush.readers import Note, ReadOptions, Record, SetAside

Input = TypeVar("Input")
DEFAULT_INPUTS, DEFAULT_SEED = 200_000, 1
CANARY = "Zebra-canary"
"""A value that stands in inputs and in no message about them."""


class UndocumentedError(Exception):
    """Something came of an input that no reader promises."""


class File(NamedTuple):
    """A file in the making, and how it is read."""

    raw: bytes
    options: ReadOptions


def fuzz(
    drawn: Callable[[random.Random], Input],
    outcomes: Callable[[Input], Iterable[str]],
    arguments: Sequence[str] = (),
) -> int:
    """Draw, read and count; gives the exit status."""
    inputs = int(arguments[0]) if arguments else DEFAULT_INPUTS
    seed = int(arguments[1]) if len(arguments) > 1 else DEFAULT_SEED
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    longest, tried = 0.0, 0
    # A shell starts background jobs with interrupts ignored; a long run should still obey one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for number in range(inputs):
            fuzzed = drawn(rng)
            began = time.perf_counter()
            try:
                counts.update(outcomes(fuzzed))
            except Exception as error:
                faults[str(error) if isinstance(error, UndocumentedError) else repr(error)] += 1
                print(f"input {number}: {error!r}\n{fuzzed!r}", file=sys.stderr)
            longest = max(longest, time.perf_counter() - began)
            tried += 1
    except KeyboardInterrupt:
        print("interrupted")
    print(f"{tried} of {inputs} inputs, seed {seed}")
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")
    for fault, count in sorted(faults.items()):
        print(f"  FAULT: {fault}: {count}")
    print(f"  longest single input: {longest * 1000:.0f} ms")
    return int(bool(faults))


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


def broken(raw: bytes, pieces: Sequence[bytes], rng: random.Random) -> bytes:
    """The bytes with one to four pieces cut, doubled or overwritten."""
    text = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.choice((0, 1, 1, 2, 8, 200)))
        doubled = bytes(text[start:stop]) * 2
        text[start:stop] = rng.choice((*pieces, bytes([rng.randrange(256)]), doubled))
    return bytes(text)
