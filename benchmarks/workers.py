"""Two processes against one, on the same file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.batches import batch, encounters_file, side_by_side
from benchmarks.measure import Row, Size


def rows(size: Size) -> Iterator[Row | str]:
    """The rate of two over the rate of one, start-up included; what the machine would allow."""
    count, rounds = size.of(4_000, 20_000, 100_000), size.of(2, 3)
    alone, both = [], []
    with tempfile.TemporaryDirectory() as name:
        source = encounters_file(Path(name), count)
        runs = [(batch(source, 1), batch(source, 2)) for _ in range(rounds)]
        for _ in range(rounds):
            alone.append(batch(source, 0).seconds)
            both.append(max(run.seconds for run in side_by_side(source, 0, 2)))
    single, double = (min(each, key=lambda run: run.seconds) for each in zip(*runs, strict=True))
    yield Row(
        f"{count:,} encounters, start-up included: rate of two processes / of one",
        single.seconds / double.seconds,
        wanted="at least 1.8",
        detail=f"{count / double.seconds:,.0f}/s, {count / single.seconds:,.0f}/s; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    )
    yield Row(
        "the bound of this machine: two batches that share nothing, at once / one alone",
        2 * min(alone) / min(both),
        detail=f"{min(both):.1f} s each at once, {min(alone):.1f} s alone",
    )
    single, double = (min(each, key=lambda run: run.cpu) for each in zip(*runs, strict=True))
    yield Row(
        "two processes / one, processor time (less moved by load)",
        double.cpu / single.cpu,
        detail=f"{double.cpu:.1f} s, {single.cpu:.1f} s",
    )
