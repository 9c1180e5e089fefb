"""A check from bytes to bytes, against reading the JSON alone and against validation alone.

Three kinds of input: one ordinary visit billed as charted, the same with errors, and realistic
visits as ``python -m ivpush.testing`` makes them, of all sizes and with all faults.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.measure import Row, Size, best, summed
from benchmarks.sample import Visit, ready, whole
from ivpush import Encounter, Engine
from ivpush.testing.samples import lines

try:
    import orjson
except ImportError:
    orjson = None


def rows(size: Size) -> Iterator[Row | str]:
    """Ratios of the three kinds of input, and the cost of an administration in a large visit."""
    engine = Engine()
    calls: dict[str, Any] = {
        "json": lambda visit: json.loads(visit.raw),
        "validate": lambda visit: Encounter.model_validate_json(visit.raw),
        "check": lambda visit: engine.check(visit.encounter).to_json(),
        "whole": lambda visit: whole(engine, visit.raw),
    }
    if orjson is not None:
        calls["orjson"] = lambda visit: orjson.loads(visit.raw)
    else:
        yield "orjson is not installed; only json.loads is compared"
    for name, wrong in (("a clean visit", False), ("a visit with errors", True)):
        visit = ready(engine, 6, wrong=wrong)
        seconds = best(
            {key: partial(call, visit) for key, call in calls.items()},
            rounds=size.of(60, 120),
        )
        yield from ratios(name, seconds, 1)
    count = size.of(150, 300)
    real = [
        Visit(raw, Encounter.model_validate_json(raw)) for raw in lines(1, count, engine=engine)
    ]
    yield from ratios(f"{count} realistic visits", summed(calls, real, size.of(8, 15)), count)
    small, large = ready(engine, 6).encounter, ready(engine, 320).encounter
    seconds = best(
        {"6": lambda: engine.check(small), "320": lambda: engine.check(large)},
        rounds=size.of(30, 120),
    )
    yield Row(
        "a check's cost for each administration: at 320 / at 6",
        seconds["320"] / 320 / (seconds["6"] / 6),
        wanted="at most 1.5",
    )


def ratios(name: str, seconds: dict[str, float], count: int) -> Iterator[Row]:
    """The rows of one kind of input."""
    rate = {key: f"{count / taken:,.0f}/s" for key, taken in seconds.items()}
    check, whole = seconds["check"], seconds["whole"]
    yield Row(
        f"{name}: ready encounter to result bytes / validation of its bytes",
        check / seconds["validate"],
        wanted="at most 2",
        detail=f"{rate['check']}; {rate['validate']}",
    )
    yield Row(
        f"{name}: bytes to bytes / pydantic validation alone",
        whole / seconds["validate"],
        wanted="at most 2.5",
        detail=f"{rate['whole']}; {rate['validate']}",
    )
    for other, call in (("json", "json.loads"), ("orjson", "orjson.loads")):
        if other in seconds:
            yield Row(
                f"{name}: bytes to bytes / {call} alone",
                whole / seconds[other],
                detail=f"{rate['whole']}; {rate[other]}",
            )
