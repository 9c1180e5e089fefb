"""Damaged and large files against the importers: ``python -m benchmarks.importers [--seconds N]``.

Damaged files of every kind and form must give a table or documented faults, and nothing else. A pair
file with a million rows must take about ten times as long as one with a hundred thousand, in memory
that does not grow with it.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import tempfile
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from time import perf_counter

from benchmarks.measure import Row
from ivpush import InputError, Pack, UsageError
from ivpush.authoring.cms.kinds import Wanted
from ivpush.authoring.cms.release import KINDS, import_files, wanted_of
from tests.authoring.cms import published as cms
from tests.authoring.cms.test_refusals import SAMPLES, mutated

JULY = date(2024, 7, 1)


def damaged(wanted: Wanted, seconds: float, seed: int) -> None:
    """Import damaged files for a while; anything that is no documented error stops the run."""
    rng = random.Random(seed)
    count: Counter[str] = Counter()
    slowest, start = 0.0, perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        while perf_counter() - start < seconds:
            name, number = rng.choice(sorted(SAMPLES)), rng.randrange(2**32)
            path = Path(folder) / name
            path.write_bytes(mutated(SAMPLES[name], number))
            kind = rng.choice([None, None, *KINDS])
            began = perf_counter()
            try:
                tables = import_files([path], wanted, kind, JULY)
                count["tables"] += 1
                if any(b"CANARY desc" in table.raw for table in tables):
                    raise SystemExit(f"a descriptor came out: {name}, {number}, {kind}")
            except (InputError, UsageError) as error:
                count[type(error).__name__] += 1
                if not 1 <= len(error.faults) <= 20:
                    raise SystemExit(f"no faults, or too many: {name}, {number}, {kind}") from None
            except Exception:
                print(f"not a documented error: {name}, {number}, {kind}")
                raise
            slowest = max(slowest, perf_counter() - began)
    total = sum(count.values())
    print(
        f"{total:,} damaged files in {seconds:.0f} s, seed {seed}: {dict(sorted(count.items()))}; "
        f"slowest {slowest:.2f} s"
    )


def write_pairs(path: Path, rows: int) -> None:
    """An archive with a pair file of so many rows, only the first of them wanted."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(path.stem + ".txt", "w") as raw,
        io.TextIOWrapper(raw, "ascii", newline="") as text,
    ):
        text.write(cms.tabbed(cms.PAIR_HEADING))
        text.write(cms.tabbed([cms.pair("96365", "96374")]))
        for number in range(rows):
            code = f"{number % 90_000 + 10_000}"
            text.write("\t".join(cms.pair(code, "00100")) + "\r\n")


def large(wanted: Wanted) -> None:
    """Time and memory of pair files of two sizes, in archives as they are published."""
    spent, peak = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in (100_000, 1_000_000):
            paths = [Path(folder) / f"{name}-f1-{rows}.zip" for name in ("ccipra", "ccioph")]
            for path in paths:
                write_pairs(path, rows // 2)
            start = perf_counter()
            import_files(paths, wanted, release=JULY)
            spent[rows] = perf_counter() - start
            peak[rows] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    few, many = spent.values()
    print(
        Row(
            "time of 1,000,000 pairs / of 100,000",
            many / few,
            wanted="about 10",
            detail=f"{1e6 / many:,.0f} rows/s",
        )
    )
    less, more = peak.values()
    print(
        Row(
            "peak memory after 1,000,000 / after 100,000",
            more / less,
            wanted="about 1",
            detail=f"{more:.0f} MB",
        )
    )


def main() -> None:
    """Both."""
    parser = argparse.ArgumentParser(prog="benchmarks.importers")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wanted = wanted_of(Pack.load())
    large(wanted)
    damaged(wanted, options.seconds, options.seed)


if __name__ == "__main__":
    main()
