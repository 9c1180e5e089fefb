"""Timing side by side: alternating rounds, the best round of each, ratios rather than times."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter
from typing import Any


def best(
    calls: dict[str, Callable[[], Any]], rounds: int = 120, seconds: float = 0.002
) -> dict[str, float]:
    """Seconds of one call of each, the least of many short rounds that take turns.

    A round is shorter than the time that a busy machine gives to one process, so that some run
    without a break.
    """
    counts = {}
    for name, call in calls.items():
        call()
        start, n = perf_counter(), 0
        while perf_counter() - start < seconds:
            call()
            n += 1
        counts[name] = max(1, n)
    found = dict.fromkeys(calls, float("inf"))
    for turn in range(rounds):
        for name, call in calls.items():
            if turn % 10 == 0:
                gc.collect()
            start = perf_counter()
            for _ in range(counts[name]):
                call()
            found[name] = min(found[name], (perf_counter() - start) / counts[name])
    return found


def row(what: str, ratio: float, target: str, detail: str = "") -> None:
    """One line of the report."""
    print(f"{what:<58} {ratio:>8.2f}   {target:<14} {detail}")
