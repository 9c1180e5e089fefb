"""Changed inputs by the hundred thousand: nothing but documented outcomes, in bounded time and memory.

    python -m benchmarks.fuzz [TARGET...] [--inputs N] [--minutes M] [--seed S]

Every target, or those named, one after the other. A run ends after so many inputs (200,000 where
nothing is said) or so many minutes, and prints the outcomes with their counts, the longest single
input and the peak memory; after an interrupt, those so far. One that raises, or takes more than a
record may (``MOST_SECONDS``, ``MOST_MEGABYTES``), is printed in full, and the status is 1.
``tests/data/fuzz`` keeps inputs for what they reach: see ``benchmarks.fuzz_corpus``.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress

from benchmarks import (
    fuzz_checkpoint,
    fuzz_configuration,
    fuzz_fhir,
    fuzz_hl7,
    fuzz_json,
    fuzz_language,
    fuzz_maps,
    fuzz_packs,
    fuzz_tables,
    fuzz_x12,
)
from benchmarks.fuzz_corpus import kept_inputs
from benchmarks.fuzzing import Target, fuzz

TARGETS = {
    module.TARGET.name: module.TARGET
    for module in (
        fuzz_x12,
        fuzz_hl7,
        fuzz_fhir,
        fuzz_tables,
        fuzz_maps,
        fuzz_json,
        fuzz_packs,
        fuzz_language,
        fuzz_configuration,
        fuzz_checkpoint,
    )
}
DEFAULT_INPUTS = 200_000
WITHOUT_END = 10**12


def main() -> int:
    """Fuzz what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--inputs", type=int, help="so many inputs a target")
    parser.add_argument("--minutes", type=float, help="so many minutes a target")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    unknown = set(options.targets) - TARGETS.keys()
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    # A shell starts background jobs with interrupts ignored; a long run should still obey one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    inputs = options.inputs or (DEFAULT_INPUTS if options.minutes is None else WITHOUT_END)
    status = 0
    for name in options.targets or TARGETS:
        warmed(TARGETS[name])
        status |= fuzz(TARGETS[name], inputs=inputs, seed=options.seed, minutes=options.minutes)
    return status


def warmed(target: Target) -> None:
    """Read the kept inputs once, so that no input pays for what is made once in a process."""
    for fuzzed in kept_inputs(target.name):
        with suppress(Exception):
            list(target.outcomes(fuzzed))


if __name__ == "__main__":
    sys.exit(main())
