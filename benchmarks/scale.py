"""Batches at scale, in one run: ``python -m benchmarks.scale [--full]``.

Prints ratios of this run: two processes against one, time and memory against the number of
encounters and against the size of one encounter, and Spark against a plain process where pyspark
is installed. ``--full`` adds 10^6 encounters.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.measure import best, row
from benchmarks.sample import billed, visit
from ivpush import Encounter, Engine
from ivpush.testing.samples import lines

RUN = """
import json, resource, sys, time
from ivpush.batch import Plan, run
if __name__ == "__main__":
    source, target, workers = sys.argv[1:]
    start = time.perf_counter()
    counts = run(Plan((source,), (("ndjson", target),), workers=int(workers)))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps([counts.read, time.perf_counter() - start, own / 1024, one / 1024]))
"""


def made(folder: Path, count: int) -> Path:
    path = folder / f"{count}.ndjson"
    with path.open("wb") as out:
        out.writelines(lines(1, count))
    return path


def batch(source: Path, workers: int) -> tuple[int, float, float, float]:
    """Records, seconds, peak MB of the parent, peak MB of its largest process."""
    script = source.parent / "run.py"
    script.write_text(RUN, "utf-8")
    target = source.parent / "out.ndjson"
    done = subprocess.run(
        [sys.executable, str(script), str(source), str(target), str(workers)],
        check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    target.unlink()
    return tuple(json.loads(done.stdout))


def workers(folder: Path, count: int) -> None:
    print(f"\ntwo processes, {count:,} encounters (start-up included; best of two rounds)")
    source = made(folder, count)
    found = {1: float("inf"), 2: float("inf")}
    for _ in range(2):
        for n, before in list(found.items()):
            found[n] = min(before, batch(source, n)[1])
    row("rate of two processes / rate of one", found[1] / found[2], "at least 1.8",
        f"{count / found[1]:,.0f}/s, {count / found[2]:,.0f}/s; {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}")  # fmt: skip


def growth(folder: Path, counts: list[int]) -> None:
    print("\nencounters, one process")
    before: tuple[int, float, float, float] | None = None
    for count in counts:
        now = batch(made(folder, count), 1)
        print(
            f"  {count:>9,}: {now[1]:9.1f} s, peak {now[2]:.0f} MB parent, {now[3]:.0f} MB process"
        )
        if before is not None:
            row(f"  time({count:,}) / time({before[0]:,})", now[1] / before[1], "about 10")
            for name, n in (("parent", 2), ("process", 3)):
                row(f"  peak memory of the {name}, ratio", now[n] / before[n], "at most 1.05")
        before = now


def sizes() -> None:
    print("\nlines of one encounter: time for each line, against that at 6")
    engine = Engine()
    ready = {}
    for lines_wanted in (1, 6, 50, 150, 450):
        chart = visit(lines_wanted)
        codes = [one.code for one in engine.suggest(Encounter.model_validate(chart))]
        claim = [{"code": codes[n % len(codes)], "units": 1} for n in range(lines_wanted)]
        ready[lines_wanted] = json.dumps(billed(chart, claim)).encode()
    found = best({str(n): lambda raw=raw: engine.check(Encounter.model_validate_json(raw)).to_json()
                  for n, raw in ready.items()}, rounds=5)  # fmt: skip
    for n in ready:
        row(f"  {n} administrations and lines", found[str(n)] / n / (found["6"] / 6), "at most 1.5",
            f"{found[str(n)] * 1000:.1f} ms")  # fmt: skip


def sparked(folder: Path, count: int) -> None:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        print("\nSpark is not installed; the extra 'spark' has it")
        return
    from ivpush import spark
    from ivpush.batch import check_many

    source = made(folder, count)
    os.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                   "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}  # fmt: skip
    session = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
               .config("spark.driver.host", "127.0.0.1").getOrCreate())  # fmt: skip
    session.sparkContext.setLogLevel("ERROR")
    frame = session.read.text(str(source)).withColumnRenamed("value", "encounter").repartition(4)
    found = {"plain": float("inf"), "spark": float("inf")}
    for _ in range(2):
        start = perf_counter()
        plain = sum(one.json is not None for one in check_many(source.open("rb")))
        found["plain"] = min(found["plain"], perf_counter() - start)
        start = perf_counter()
        got = spark.check(frame).selectExpr("count(result) n").collect()[0]["n"]
        found["spark"] = min(found["spark"], perf_counter() - start)
        if got != plain:
            raise SystemExit(f"Spark checked {got}, a plain process {plain}")
    session.stop()
    print(f"\nSpark local[2], {count:,} encounters (session ready, best of two rounds)")
    row("rate of Spark local[2] / rate of one plain process", found["plain"] / found["spark"],
        "at least 1.4", f"{count / found['plain']:,.0f}/s, {count / found['spark']:,.0f}/s")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 10^6 encounters")
    parser.add_argument("--quick", action="store_true", help="at most 10^4 encounters")
    options = parser.parse_args()
    counts = [1_000, 10_000] if options.quick else [1_000, 10_000, 100_000]
    if options.full:
        counts.append(1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workers(folder, 4_000 if options.quick else 20_000)
        growth(folder, counts)
        sizes()
        sparked(folder, 4_000 if options.quick else 20_000)


if __name__ == "__main__":
    main()
