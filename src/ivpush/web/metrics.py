"""Counts for Prometheus, shared by all processes of a server; they name routes and no value.

``guard`` counts requests and ``service`` what was checked; ``GET /metrics`` prints the sum.
"""

from __future__ import annotations

import multiprocessing
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from ivpush.contract.result import Result, Severity, Status

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import SynchronizedArray

__all__ = ["MEDIA_TYPE", "Metrics"]

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
"""Upper bounds of the histogram of durations, in milliseconds."""
_CLASSES = ("2xx", "3xx", "4xx", "5xx")
_HELP = {
    "ivpush_requests_total": "Requests by route and class of status.",
    "ivpush_request_milliseconds": "Time from a request to the end of its answer.",
    "ivpush_requests_in_progress": "Requests that are being answered.",
    "ivpush_results_total": "Results by status.",
    "ivpush_findings_total": "Findings by severity.",
    "ivpush_set_aside_total": "Records that could not be read or checked.",
}


class Metrics:
    """Numbers in memory that processes share; ``routes`` are the names of all endpoints.

    In use::

        metrics = Metrics(["check", "healthz"])
        metrics.add("ivpush_set_aside_total")
        metrics.text()
    """

    def __init__(self, routes: Sequence[str]) -> None:
        names = [*_names(routes)]
        self._places = {name: place for place, name in enumerate(names)}
        self._sums: SynchronizedArray[int] = multiprocessing.get_context("spawn").Array(
            "q", len(names)
        )

    def add(self, name: str, count: int = 1) -> None:
        """Add to a number."""
        with self._sums.get_lock():
            self._sums[self._places[name]] += count

    def request(self, route: str, status: int, milliseconds: int) -> None:
        """Count a request that was answered."""
        self.add(_requests(route, f"{status // 100}xx"))
        self.add(_bucket(bisect_left(_BOUNDS, milliseconds)))
        self.add(_SUM, milliseconds)

    def result(self, result: Result) -> None:
        """Count a result and its findings."""
        self.add(_labelled("ivpush_results_total", "status", result.status))
        for violation in result.violations:
            self.add(_labelled("ivpush_findings_total", "severity", violation.severity))

    def text(self) -> str:
        """All numbers in the text format of Prometheus."""
        with self._sums.get_lock():
            values = dict(zip(self._places, self._sums[:], strict=True))
        return "\n".join([*_lines(values), ""])


_SUM = "ivpush_request_milliseconds_sum"


def _labelled(name: str, label: str, value: str) -> str:
    return f'{name}{{{label}="{value}"}}'


def _requests(route: str, kind: str) -> str:
    return f'ivpush_requests_total{{route="{route}",status="{kind}"}}'


def _bucket(place: int) -> str:
    bound = str(_BOUNDS[place]) if place < len(_BOUNDS) else "+Inf"
    return _labelled("ivpush_request_milliseconds_bucket", "le", bound)


def _names(routes: Sequence[str]) -> Iterator[str]:
    yield from (_requests(route, kind) for route in routes for kind in _CLASSES)
    yield from (_bucket(place) for place in range(len(_BOUNDS) + 1))
    yield _SUM
    yield "ivpush_requests_in_progress"
    yield from (_labelled("ivpush_results_total", "status", each) for each in get_args(Status))
    for each in get_args(Severity):
        yield _labelled("ivpush_findings_total", "severity", each)
    yield "ivpush_set_aside_total"


def _lines(values: dict[str, int]) -> Iterator[str]:
    for family, said in _HELP.items():
        kind = "counter" if family.endswith("_total") else "gauge"
        if family == "ivpush_request_milliseconds":
            yield from (f"# HELP {family} {said}", f"# TYPE {family} histogram")
            yield from _histogram(values)
            continue
        yield from (f"# HELP {family} {said}", f"# TYPE {family} {kind}")
        for name, value in values.items():
            if name.partition("{")[0] == family:
                yield f"{name} {value}"


def _histogram(values: dict[str, int]) -> Iterator[str]:
    """The buckets, each with all that lie below it, as Prometheus reads them."""
    below = 0
    for place in range(len(_BOUNDS) + 1):
        below += values[_bucket(place)]
        yield f"{_bucket(place)} {below}"
    yield f"{_SUM} {values[_SUM]}"
    yield f"ivpush_request_milliseconds_count {below}"
