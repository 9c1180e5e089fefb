"""The shipped rules in DuckDB SQL, on the same facts: one query for a whole batch of encounters.

SQL works on sets, so it is measured on batches, its tables loaded and its query prepared, neither
of which is timed; one thread, as one process of ours. What is not timed on our side either is the
derivation of the facts: only the rules are compared. A query costs much before it reads its first
row, so the ratio falls with the size of the batch; the break-even lies between the rows where it
passes 1. The largest batches hold the verified encounters several times over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter

from benchmarks.measure import Row, Size
from benchmarks.sql import Database
from ivpush import Encounter, Engine
from ivpush.claim import findings
from ivpush.engine import Worked
from ivpush.testing.samples import days, templates


def rows(size: Size) -> Iterator[Row | str]:
    """SQL over ours for an encounter, in batches of several sizes."""
    import duckdb

    count = size.of(500, 2_000)
    works = realistic(count)
    database = Database(works)
    agree(database)
    yield (
        f"DuckDB {duckdb.__version__}: {len(database.rules)} rules translated, "
        f"{len(database.skipped)} not; the verdicts on {count:,} encounters are the same"
    )

    def ours() -> None:
        for work in works:
            findings.run(work.facts, work.book)

    for times, more in ((1, 1), *size.of(((10, 10),), ((10, 10),), ((10, 10), (50, 5)))):
        database.repeat(more)
        queries = database.prepare()
        seconds = dict.fromkeys(("ours", *queries), float("inf"))
        for _ in range(size.of(3, 5)):
            for name in seconds:
                start = perf_counter()
                if name == "ours":
                    ours()
                else:
                    database.run(queries[name])
                share = count if name == "ours" else count * times
                seconds[name] = min(seconds[name], (perf_counter() - start) / share)
        for name, what in (("broken", "broken rules"), ("judged", "broken and unjudged rules")):
            yield Row(
                f"{count * times:,} encounters a query, {what}: DuckDB / ours",
                seconds[name] / seconds["ours"],
                detail=f"{seconds[name] * 1e6:,.0f} us an encounter, ours {seconds['ours'] * 1e6:,.0f} "
                "(broken and unjudged)",
            )


def realistic(count: int) -> list[Worked]:
    """Realistic encounters of one day, so that one set of rules is in force for all."""
    engine = Engine()
    stock, day = templates(1, min(count, 400), engine=engine), days()[0] + timedelta(days=30)
    return [
        engine.work(Encounter.model_validate_json(stock[n % len(stock)].line(f"E{n}", day)))
        for n in range(count)
    ]


def agree(database: Database) -> None:
    """Stop where SQL and our judges differ, on what is broken or on what cannot be judged."""
    for ours, theirs in zip(database.ours(), database.verdicts(), strict=True):
        if ours != theirs:
            raise SystemExit(f"SQL disagrees on {sorted({rule for rule, _ in ours ^ theirs})}")
