"""Spark on two cores against one plain process; pyspark and a Java runtime are needed."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.batches import encounters_file, search_path
from benchmarks.measure import Row, Size


def rows(size: Size) -> Iterator[Row | str]:
    """The rate of Spark's two workers, its session ready and warm, over that of plain Python."""
    from pyspark.sql import SparkSession

    from ivpush import spark
    from ivpush.batch import check_many

    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        yield "not measured: Spark needs a Java runtime"
        return
    count = size.of(4_000, 20_000)
    os.environ |= {
        "PYTHONPATH": search_path(),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    try:
        with tempfile.TemporaryDirectory() as name:
            source = encounters_file(Path(name), count)
            frame = session.read.text(str(source)).withColumnRenamed("value", "encounter")
            parts = frame.repartition(4)
            seconds = {"plain": float("inf"), "spark": float("inf")}
            for _ in range(size.of(2, 3)):
                start = perf_counter()
                with source.open("rb") as records:
                    plain = sum(outcome.json is not None for outcome in check_many(records))
                seconds["plain"] = min(seconds["plain"], perf_counter() - start)
                start = perf_counter()
                checked = spark.check(parts).selectExpr("count(result) n").collect()[0]["n"]
                seconds["spark"] = min(seconds["spark"], perf_counter() - start)
                if checked != plain:
                    raise SystemExit(f"Spark checked {checked}, a plain process {plain}")
    finally:
        session.stop()
    yield Row(
        f"{count:,} encounters: rate of Spark local[2] / of one plain process",
        seconds["plain"] / seconds["spark"],
        wanted="at least 1.4",
        detail=f"{count / seconds['spark']:,.0f}/s, {count / seconds['plain']:,.0f}/s; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    )
