"""A check from bytes to bytes, against reading the JSON alone and against validation alone.

Three kinds of input: one ordinary visit billed as charted, the same with errors, and realistic
visits as ``python -m ivpush.testing`` makes them, of all sizes and with all faults.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Row, Size, best, summed
from benchmarks.sample import ready, whole
from ivpush import Encounter, Engine
from ivpush.testing.samples import lines

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]


def rows(size: Size) -> Iterator[Row | str]:
    """Ratios of the three kinds of input, and the cost of an administration in a large visit."""
    engine = Engine()
    calls: dict[str, Any] = {
        "json": lambda both: json.loads(both[0]),
        "validate": lambda both: Encounter.model_validate_json(both[0]),
        "check": lambda both: engine.check(both[1]).to_json(),
        "whole": lambda both: whole(engine, both[0]),
    }
    if orjson is not None:
        calls["orjson"] = lambda both: orjson.loads(both[0])
    else:
        yield "orjson is not installed; only json.loads is compared"
    for name, wrong in (("a clean visit", False), ("a visit with errors", True)):
        both = ready(engine, 6, wrong=wrong)
        found = best(
            {key: lambda call=call, both=both: call(both) for key, call in calls.items()},
            rounds=size.of(60, 120),
        )
        yield from ratios(name, found, 1)
    count = size.of(150, 300)
    real = [(one, Encounter.model_validate_json(one)) for one in lines(1, count, engine=engine)]
    yield from ratios(f"{count} realistic visits", summed(calls, real, size.of(8, 15)), count)
    small, large = ready(engine, 6)[1], ready(engine, 320)[1]
    found = best(
        {"6": lambda: engine.check(small), "320": lambda: engine.check(large)},
        rounds=size.of(30, 120),
    )
    yield Row(
        "a check's cost for each administration: at 320 / at 6",
        found["320"] / 320 / (found["6"] / 6),
        "at most 1.5",
    )


def ratios(name: str, found: dict[str, float], count: int) -> Iterator[Row]:
    """The rows of one kind of input."""
    rate = {key: f"{count / taken:,.0f}/s" for key, taken in found.items()}
    check, whole = found["check"], found["whole"]
    yield Row(
        f"{name}: ready encounter to result bytes / validation of its bytes",
        check / found["validate"],
        "at most 2",
        f"{rate['check']}; {rate['validate']}",
    )
    yield Row(
        f"{name}: bytes to bytes / pydantic validation alone",
        whole / found["validate"],
        "at most 2.5",
        f"{rate['whole']}; {rate['validate']}",
    )
    for other, call in (("json", "json.loads"), ("orjson", "orjson.loads")):
        if other in found:
            yield Row(
                f"{name}: bytes to bytes / {call} alone",
                whole / found[other],
                "",
                f"{rate['whole']}; {rate[other]}",
            )
