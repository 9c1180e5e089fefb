"""Tables checked in pieces: peak memory against their length, and what reading them takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.batches import OWN_PEAK, environment
from benchmarks.measure import Row, Size
from ivpush import Encounter
from ivpush.testing.samples import lines

RUN = f"""
import json, resource, sys, time
from pathlib import Path
import pyarrow.parquet as pq
from ivpush import check_batches
from ivpush.frames import iter_records
{OWN_PEAK}
def tables(folder):
    return {{name: pq.ParquetFile(f"{{folder}}/{{name}}.parquet").iter_batches(4_096)
             for name in ("encounters", "administrations", "lines")}}
start = time.process_time()
for _ in iter_records(**tables(sys.argv[1])):
    pass
read = time.process_time()
counts = [len(piece.encounters) + len(piece.set_aside) for piece in check_batches(**tables(sys.argv[1]))]
print(json.dumps([sum(counts), read - start, time.process_time() - read, own_peak()]))
"""


def rows(size: Size) -> Iterator[Row | str]:
    """Each length against the one before it; the share of reading at the last."""
    import narwhals  # noqa: F401 - frames need it; without it the section says so

    before = None
    for count in size.of([500, 2_000], [2_000, 8_000, 20_000]):
        back, read, whole, peak = checked(count)
        if back != count:
            raise SystemExit(f"{back} of {count} encounters came back")
        yield f"{count:,} encounters in Parquet batches of 4,096 rows: peak memory {peak:.0f} MB"
        if before is not None:
            yield Row(f"peak memory: {count:,} encounters / {before[0]:,}", peak / before[1])
        before = (count, peak)
    yield Row(
        f"{count:,} encounters: reading and joining / check_batches as a whole",
        read / whole,
        detail=f"{read:.1f} s, {whole:.1f} s of the processor",
    )


def checked(count: int) -> tuple[int, float, float, float]:
    """Encounters, processor seconds of reading alone and of all, peak MB of the process."""
    import pyarrow.parquet as pq

    from ivpush.frames import encounters_to_tables

    with tempfile.TemporaryDirectory() as folder:
        encounters = map(Encounter.model_validate_json, lines(1, count))
        for name, table in encounters_to_tables(encounters).items():
            pq.write_table(table, Path(folder) / f"{name}.parquet")
        process = subprocess.run(
            [sys.executable, "-c", RUN, folder],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(Path(folder)),
        )
    back, read, whole, peak = json.loads(process.stdout)
    return back, read, whole, peak
