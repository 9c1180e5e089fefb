"""The independent oracle against ivpush: ``python -m benchmarks.oracle [--visits N] [--seed N]``.

Each process draws visits of its own from the seed. A disagreement is made small, counted by what
either side bills alone, and the smallest visit of each kind is printed, as a row to be kept in
`tests/oracle/kept.ndjson` and as a record of ivpush.
"""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from json import dumps
from multiprocessing import get_context
from time import perf_counter

from tests.oracle.chart import Visit
from tests.oracle.compare import kind_of, shrunk
from tests.oracle.kept import row_of
from tests.oracle.reach import beyond
from tests.oracle.visits import drawn, record

PIECE = 5_000
SHRUNK_OF_A_KIND = 3
Smallest = dict[str, Visit]


BEYOND = "beyond the oracle"
"""Counted beside the kinds of disagreement: visits that were drawn, and not compared."""


def compared(seed: int, number: int) -> tuple[Counter[str], Smallest]:
    """Disagreements of some visits by kind, and a small visit of each."""
    counts: Counter[str] = Counter()
    smallest: Smallest = {}
    for visit in drawn(seed):
        if beyond(visit):
            counts[BEYOND] += 1
            continue
        number -= 1
        if number < 0:
            break
        if (kind := kind_of(visit)) is None:
            continue
        counts[kind] += 1
        if counts[kind] <= SHRUNK_OF_A_KIND:
            smallest[kind] = smaller(smallest.get(kind), shrunk(visit))
    return counts, smallest


def smaller(known: Visit | None, visit: Visit) -> Visit:
    """The visit with fewer doses; of as many the one that is known."""
    return known if known is not None and len(known.doses) <= len(visit.doses) else visit


def options_of_command() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.oracle")
    parser.add_argument("--visits", type=int, default=20_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    return parser.parse_args()


def main() -> None:
    """Compare in pieces and print what was found."""
    options = options_of_command()
    start = perf_counter()
    sizes = [min(PIECE, options.visits - done) for done in range(0, options.visits, PIECE)]
    seeds = [options.seed * 1_000_000 + place for place in range(len(sizes))]
    counts: Counter[str] = Counter()
    smallest: Smallest = {}
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        for kinds, small in pool.map(compared, seeds, sizes):
            counts += kinds
            for kind, visit in small.items():
                smallest[kind] = smaller(smallest.get(kind), visit)
    spent = perf_counter() - start
    left_out = counts.pop(BEYOND, 0)
    print(f"{options.visits:,} visits, seed {options.seed}: {counts.total():,} disagreements")
    print(f"{left_out:,} others were drawn that the published rules do not decide")
    print(
        f"{spent:,.0f} s with {options.workers} processes, {options.visits / spent:,.0f} visits/s"
    )
    for kind, count in counts.most_common():
        row = {"why": kind, **row_of(smallest[kind])}
        print(f"{count:,}: {kind}\n  {dumps(row)}\n  {dumps(record(smallest[kind]))}")


if __name__ == "__main__":
    main()
