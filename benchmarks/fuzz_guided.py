"""One target fuzzed by what its inputs reach, with atheris, where that can be had.

    pip install atheris
    python -m benchmarks.fuzz_guided TARGET FOLDER [OPTION OF LIBFUZZER...]

Begins with the kept inputs and leaves in FOLDER what reached something new; ``python -m
benchmarks.fuzz_corpus TARGET --from FOLDER`` keeps of these what is worth it. An input that raises,
hangs or takes a gigabyte ends the run and is written to the working folder. No test needs this command.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz_corpus import coded, guided_inputs, kept_inputs, ways_of
from benchmarks.fuzzing import Target, broken

LIMITS = ("-max_len=6000", "-timeout=20", "-rss_limit_mb=1000")
"""Time is counted by the clock and with every step watched, so that it is ten times and more."""


def mutator(target: Target) -> Callable[[bytes, int, int], bytes]:
    """Breaks an input as the other commands do, or draws a new one."""
    ways = ways_of(target.name)

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.15:
            return coded(target.drawn(rng), ways)[:most]
        return (data[:1] + broken(data[1:], target.pieces, rng))[:most]

    return mutated


def main() -> None:
    """Fuzz what the command line names, until libFuzzer ends."""
    name, folder, *options = sys.argv[1:]
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["ivpush"]):
        targets = importlib.import_module("benchmarks.fuzz").TARGETS
    target, ways = targets[name], ways_of(name)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, fuzzed in enumerate(kept_inputs(name)):
        Path(folder, f"kept-{number:03}").write_bytes(coded(fuzzed, ways))
        for _ in target.outcomes(fuzzed):
            pass  # what is made once in a process is made now

    def read(data: bytes) -> None:
        for fuzzed in guided_inputs([data], ways):
            for _ in target.outcomes(fuzzed):
                pass

    arguments = [sys.argv[0], *LIMITS, *options, folder]
    atheris.Setup(arguments, read, custom_mutator=mutator(target))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
