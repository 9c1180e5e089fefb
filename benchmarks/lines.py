"""From 1 to 450 lines in one encounter: the time for each record, against that of one day's claim.

A record is a line or an administration, for a long claim holds more of the latter for each line.
Once a clean claim, an outpatient series on one bill; once a messy one, whose lines are repeated
until there are as many as wanted, so that nearly each has several violations to be written out,
many with the whole claim as it should be: the size of the result says how much.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.measure import Row, Size, best
from benchmarks.sample import SERIES, billed, series, visit, whole
from ivpush import Encounter, Engine

CLEAN = ((1, 1), (1, 2), (1, 9), (7, 9), (20, 9), (63, 9))
"""Days, and administrations a day."""
BASE = 2


def rows(size: Size) -> Iterator[Row | str]:
    """Bytes to bytes, for each line, over the claim of the size that the ratio is against."""
    daily, usual = Engine(policies=SERIES), Engine()
    claims = {
        "clean": (daily, [series(daily, days, a_day) for days, a_day in CLEAN]),
        "messy": (usual, [messy(usual, count) for count in (1, 6, 15, 50, 150, 450)]),
    }
    for kind, (engine, records) in claims.items():
        raws = [json.dumps(record).encode() for record in records]
        results = [engine.check(Encounter.model_validate_json(raw)) for raw in raws]
        if kind == "clean" and any(result.status != "clean" for result in results):
            raise SystemExit("a claim billed as suggested is not clean")
        seconds = best(
            {str(n): partial(whole, engine, raw) for n, raw in enumerate(raws)},
            rounds=size.of(5, 15),
        )
        sizes = [(len(record["lines"]), len(record["administrations"])) for record in records]
        base = seconds[str(BASE)] / sum(sizes[BASE])
        for n, (count, doses) in enumerate(sizes):
            taken = seconds[str(n)]
            yield Row(
                f"{kind}: {count} lines + {doses} administrations, for each / at "
                f"{sizes[BASE][0]} + {sizes[BASE][1]}",
                taken / (count + doses) / base,
                wanted="at most 1.5" if n > BASE else "",
                detail=f"{taken * 1e3:.1f} ms, {len(results[n].violations)} violations, "
                f"{len(results[n].to_json()) / 1e3:,.0f} kB out",
            )


def messy(engine: Engine, count: int) -> dict[str, Any]:
    """As many administrations as lines, the suggested codes over and over, one unit each."""
    chart = visit(count)
    codes = [line.code for line in engine.suggest(Encounter.model_validate(chart))]
    return billed(chart, [{"code": codes[n % len(codes)], "units": 1} for n in range(count)])
