"""Timing side by side: alternating rounds, the best round of each, ratios rather than times."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from time import perf_counter
from typing import Any


class Size(IntEnum):
    """How much is measured: a few minutes, a quarter of an hour, half an hour or more."""

    QUICK, DEFAULT, FULL = range(3)

    def of(self, *choices: Any) -> Any:
        """The choice for this size; the last one stands for larger sizes too."""
        return choices[min(self, len(choices) - 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a ratio of one run, and what it should be (``at most 2``)."""

    what: str
    ratio: float
    wanted: str = ""
    detail: str = ""

    @property
    def missed(self) -> bool:
        """Whether the ratio is not what is wanted."""
        if not self.wanted.startswith(("at most ", "at least ")):
            return False
        limit = float(self.wanted.split()[2])
        return self.ratio > limit if self.wanted.startswith("at most") else self.ratio < limit

    def __str__(self) -> str:
        mark = "missed" if self.missed else ""
        return f"{self.what:<80} {figure(self.ratio):>8} {mark:<6}  {self.wanted:<14} {self.detail}"


def figure(ratio: float) -> str:
    """A ratio with as many digits as it deserves."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


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
    least = dict.fromkeys(calls, float("inf"))
    for turn in range(rounds):
        for name, call in calls.items():
            if turn % 10 == 0:
                gc.collect()
            start = perf_counter()
            for _ in range(counts[name]):
                call()
            least[name] = min(least[name], (perf_counter() - start) / counts[name])
    return least


def summed(
    calls: dict[str, Callable[[Any], Any]], items: Iterable[Any], rounds: int = 15
) -> dict[str, float]:
    """Seconds of each call over all items: the sum of the least of each item's rounds."""
    things = list(items)
    least = {name: [float("inf")] * len(things) for name in calls}
    for _ in range(rounds):
        gc.collect()
        for n, thing in enumerate(things):
            for name, call in calls.items():
                start = perf_counter()
                call(thing)
                took = perf_counter() - start
                if took < least[name][n]:
                    least[name][n] = took
    return {name: sum(seconds) for name, seconds in least.items()}
