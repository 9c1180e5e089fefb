"""Time and memory against the number of encounters, in a batch of two processes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.batches import Batch, batch, encounters_file
from benchmarks.measure import Row, Size

SETTLED = 100_000
"""From so many encounters on, all that is kept in flight has been in flight."""


def rows(size: Size) -> Iterator[Row | str]:
    """Each number of encounters against a tenth of it; memory against what was read."""
    counts = size.of([1_000, 10_000], [1_000, 10_000, 100_000], [1_000, 10_000, 100_000, 1_000_000])
    before: tuple[int, Batch] | None = None
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            source = encounters_file(Path(name), count)
            read = source.stat().st_size / 2**20
            now = batch(source, 2)
            yield (
                f"{count:,} encounters ({read * 2**20 / count / 1e3:.1f} kB in and "
                f"{now.written / count / 1e3:.1f} kB out each): {now.seconds:,.1f} s, "
                f"{count / now.seconds:,.0f}/s, of the processor {now.cpu:,.1f} s; peak memory "
                f"{now.parent:.0f} MB parent, {now.process:.0f} MB each process"
            )
            if before is not None:
                few, was = before
                yield Row(
                    f"time of {count:,} encounters / of {few:,}",
                    now.seconds / was.seconds,
                    wanted="at most 10.5",
                )
                yield Row(f"processor time of {count:,} encounters / of {few:,}", now.cpu / was.cpu)
                for part in ("parent", "process"):
                    yield Row(
                        f"peak memory of the {part}: {count:,} encounters / {few:,}",
                        getattr(now, part) / getattr(was, part),
                        wanted="at most 1.05" if few >= SETTLED else "",
                    )
            before = (count, now)
            source.unlink()
        if before is not None:
            yield Row(
                f"peak memory of both at {before[0]:,} encounters / size of the input",
                (before[1].parent + before[1].process) / read,
            )
            yield Row(
                "peak memory of the parent and two processes / 300 MB",
                (before[1].parent + 2 * before[1].process) / 300,
                wanted="at most 1",
            )
